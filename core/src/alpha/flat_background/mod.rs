//! Pictures on a flat background: logos, icons, line drawings, scans, products on white.
//!
//! Where the border of a picture is of one colour, its alpha follows from the colours alone. A pixel at an edge is
//! I = α·F + (1 − α)·B, with the background B that is fitted to the border and the subject F that is found by going
//! uphill in the distance from B; so α = (I − B)·(F − B) / |F − B|² (the matting equation, Porter and Duff 1984).
//! Background is what has its colour and hangs together with the border. What is enclosed, such as the counter of a
//! letter, is background too in a drawing of few colours.
//!
//! Other pictures, such as photos on white, are left to the model unless the caller asks: their light parts, hair and
//! fur come out better there. If asked, the model's mask decides of what is enclosed, so that a label of the
//! background's colour stays, and tells soft shadows from the subject.

mod border;
mod distance;
mod inks;
mod regions;
mod unmix;

use crate::error::Result;
use crate::exec::control::Control;
use crate::image::pixels::{Layout, Pixels};
use crate::options::cutout::Flat;
use border::Background;
use distance::Distances;

/// How much of the border must have one colour, and how noisy it may be.
struct Demands {
    share: f32,
    noise: f32,
}

const AUTO: Demands = Demands { share: 0.9, noise: 3.0 };
const ON: Demands = Demands { share: 0.5, noise: 12.0 };

/// As much of a picture must differ from the background for there to be a subject.
const SUBJECT: f64 = 0.0005;
/// As much of a picture's border is transparent where it was cut out already.
const CUT_OUT_ALREADY: f64 = 0.5;

/// The alpha of a picture in colour on a flat background; `None` where the background is not flat, or it does not
/// help. `mask` is the model's at the picture's size.
///
/// # Errors
/// [`Code::Cancelled`](crate::Code::Cancelled).
pub(crate) fn alpha(picture: &Pixels, mask: &Pixels, flat: Flat, control: &Control<'_>) -> Result<Option<Pixels>> {
    let demands = match flat {
        Flat::Off => return Ok(None),
        Flat::Auto => AUTO,
        Flat::On => ON,
    };
    if is_cut_out(picture) {
        return Ok(Some(Pixels::filled(picture.width(), picture.height(), Layout::Gray8, u8::MAX)));
    }
    let Some(background) = Background::of(picture, &demands) else { return Ok(None) };
    control.check()?;
    let seen = Distances::new(picture, background);
    let mut places = regions::near_background(&seen);
    let different = places.iter().filter(|place| !place.is_background()).count();
    if (different as f64) < SUBJECT * places.len() as f64 {
        return Ok(None);
    }
    control.check()?;
    let drawn = inks::is_drawn(&seen, &places);
    if flat == Flat::Auto && !drawn {
        return Ok(None);
    }
    let mask = (!drawn).then(|| mask.data());
    if let Some(mask) = mask {
        regions::add_shadows(&mut places, &seen, mask);
    }
    regions::decide(&mut places, seen.size(), mask);
    control.check()?;
    let alpha = unmix::alpha(&places, &seen, drawn, control)?;
    Ok(Some(Pixels::known(picture.width(), picture.height(), Layout::Gray8, alpha)))
}

/// Whether a picture's background is transparent: its alpha then limits what is cut out, and nothing else needs to.
fn is_cut_out(picture: &Pixels) -> bool {
    let bytes = picture.layout().bytes();
    if picture.layout() != Layout::Rgba8 {
        return false;
    }
    let border = border::places(picture.width() as usize, picture.height() as usize, 1);
    let (mut clear, mut all) = (0_usize, 0_usize);
    for at in border {
        all += 1;
        clear += usize::from(picture.data()[at * bytes + 3] == 0);
    }
    clear as f64 >= CUT_OUT_ALREADY * all as f64
}

#[cfg(test)]
mod tests;
