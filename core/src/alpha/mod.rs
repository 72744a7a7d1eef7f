//! A mask becomes the alpha of the picture at its full size.
//!
//! Knows the picture's colours, the mask and what the caller says of both. Knows nothing of models, files or what is
//! made of the alpha.

pub(crate) mod flat_background;
pub(crate) mod found;
pub(crate) mod mask;
pub(crate) mod matting;
pub(crate) mod prompts;
pub(crate) mod refine;
