//! Where pixels go: upright, to another size, by an angle.
//!
//! Alpha is straight before and after. Whatever mixes pixels mixes them
//! premultiplied, so that no colour comes out of what nobody sees.

mod resize;
mod rotate;
mod rows;
mod upright;

pub(crate) use resize::resize;
pub(crate) use rotate::rotate;
pub(crate) use upright::upright;

#[cfg(test)]
mod tests;
