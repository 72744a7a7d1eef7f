//! Matting: the alpha along the subject's outline, and the subject's colours
//! without the background's, estimated from the picture itself.
//!
//! The mask gives a trimap. Closed-form matting (Levin, Lischinski and Weiss,
//! "A Closed-Form Solution to Natural Image Matting", PAMI 30(2), 2008) gives the
//! alpha of what the trimap leaves open, and multi-level estimation (Germer,
//! Uelwer, Conrad and Harmeling, "Fast Multi-Level Foreground Estimation", ICPR
//! 2020) the colours. Constants are those of PyMatting, which rembg calls.

mod closed_form;
mod coarse;
mod descent;
mod factor;
mod foreground;
mod laplacian;
mod share;
mod trimap;

use crate::error::Result;
use crate::exec::control::{Control, Stage};
use crate::image::pixels::{Layout, Pixels, byte};
use crate::options::cutout::CutOut;
use share::Share;

/// What matting makes, at the picture's size.
pub(crate) struct Matted {
    /// The subject's colours, [`Layout::Rgb8`], where they are wanted.
    pub(crate) colors: Option<Pixels>,
    /// [`Layout::Gray8`].
    pub(crate) alpha: Pixels,
}

/// The smallest side that has a window of 3×3 pixels.
const LEAST_SIDE: u32 = 3;

/// Estimates alpha, and colours where they are wanted, of a picture in colour from a mask of its size. What was solved
/// from a trimap is the alpha. `None` where nobody asks for matting, where the mask leaves no sure subject or no sure
/// background, and for pictures without a single window: there is nothing to estimate from.
///
/// # Errors
/// [`Code::Cancelled`](crate::Code::Cancelled).
pub(crate) fn estimate(
    picture: &Pixels,
    mask: &Pixels,
    how: &CutOut,
    with_colors: bool,
    control: &Control<'_>,
) -> Result<Option<Matted>> {
    control.check()?;
    let Some(matting) = how.matting else { return Ok(None) };
    if picture.width().min(picture.height()) < LEAST_SIDE {
        return Ok(None);
    }
    let end = match (how.trimap, with_colors) {
        (true, _) => 0.0,
        (false, true) => 0.8,
        (false, false) => 1.0,
    };
    let alpha = if how.trimap {
        mask.data().iter().map(|alpha| f32::from(*alpha) / 255.0).collect()
    } else {
        let Some(trimap) = trimap::trimap(mask, matting) else { return Ok(None) };
        coarse::alpha(picture, &trimap, mask, Share::new(control, Stage::CutOut, (0.0, end)))?
    };
    let colors = || foreground::colors(picture, &alpha, Share::new(control, Stage::CutOut, (end, 1.0)));
    let colors = with_colors.then(colors).transpose()?;
    let alpha = alpha.into_iter().map(byte).collect();
    let alpha = Pixels::known(picture.width(), picture.height(), Layout::Gray8, alpha);
    Ok(Some(Matted { colors, alpha }))
}

/// Estimates the alpha of a picture in colour, [`Layout::Gray8`], from a trimap of its
/// size: 0 is surely background, 255 surely subject. `None` where nothing is sure of
/// either, and for pictures without a single window.
///
/// # Errors
/// [`Code::Cancelled`](crate::Code::Cancelled).
pub(crate) fn alpha(picture: &Pixels, trimap: &Pixels, control: &Control<'_>) -> Result<Option<Pixels>> {
    control.check()?;
    if picture.width().min(picture.height()) < LEAST_SIDE {
        return Ok(None);
    }
    let Some(known) = trimap::known_in(trimap) else { return Ok(None) };
    let alpha = coarse::alpha(picture, &known, trimap, Share::new(control, Stage::Refine, (0.0, 1.0)))?;
    let alpha = alpha.into_iter().map(byte).collect();
    Ok(Some(Pixels::known(picture.width(), picture.height(), Layout::Gray8, alpha)))
}

/// The red, green and blue of every pixel.
fn rgb(picture: &Pixels) -> impl Fn(usize) -> [u8; 3] {
    let (data, channels) = (picture.data(), picture.layout().bytes());
    move |at| [data[at * channels], data[at * channels + 1], data[at * channels + 2]]
}

#[cfg(test)]
mod tests;
