//! What Redis does as one step, in its own language.

use redis::Script;

macro_rules! scripts {
    ($($kind:ident: $($name:ident),*;)*) => {
        /// Each with what all of them share before it.
        pub(super) struct Scripts {
            $($(pub(super) $name: Script,)*)*
        }

        impl Scripts {
            pub(super) fn new() -> Self {
                Self {
                    $($($name: $kind(include_str!(concat!(stringify!($name), ".lua"))),)*)*
                }
            }
        }
    };
}

// Those of the second line come to the same when they are sent twice, but for `pace`, which then counts a request twice;
// those of the first take a key that sees to it.
scripts! {
    once: add_user, set_user, remove_user, revoke, apply;
    plain: create, holder, touch, reserve, settle, refund, admit, pace;
}

const SHARED: &str = include_str!("books.lua");

fn plain(text: &str) -> Script {
    Script::new(&format!("{SHARED}\n{text}"))
}

fn once(text: &str) -> Script {
    Script::new(&format!("{SHARED}\nlocal function change()\n{text}\nend\n{}", include_str!("once.lua")))
}
