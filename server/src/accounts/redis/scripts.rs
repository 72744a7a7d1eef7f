//! What Redis does as one step, in its own language.

use redis::Script;

macro_rules! scripts {
    ($($name:ident),*) => {
        /// Each with what all of them share before it.
        pub(super) struct Scripts {
            $(pub(super) $name: Script,)*
        }

        impl Scripts {
            pub(super) fn new() -> Self {
                let shared = include_str!("books.lua");
                Self {
                    $($name: Script::new(&format!("{shared}\n{}", include_str!(concat!(stringify!($name), ".lua")))),)*
                }
            }
        }
    };
}

scripts!(add_user, set_user, remove_user, create, revoke, holder, touch, reserve, settle, refund, admit, apply, pace);
