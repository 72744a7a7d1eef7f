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
use crate::exec::Pool;
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
/// More of a picture than this is opaque where it is a photo in a frame, unless as much of that is subject.
const FRAMED: f64 = 0.6;
const FOUND: f64 = 0.8;

/// The alpha of a picture in colour on a flat background; `None` where the background is not flat, or it does not
/// help. `mask` is the model's at the picture's size.
///
/// # Errors
/// [`Code::Cancelled`](crate::Code::Cancelled).
pub(crate) fn alpha(
    picture: &Pixels,
    mask: &Pixels,
    flat: Flat,
    pool: &Pool,
    control: &Control<'_>,
) -> Result<Option<Pixels>> {
    let demands = match flat {
        Flat::Off => return Ok(None),
        Flat::Auto => AUTO,
        Flat::On => ON,
    };
    if is_clear_around(picture) {
        let all = || Pixels::filled(picture.width(), picture.height(), Layout::Gray8, u8::MAX);
        return Ok(is_cut_out(picture, mask).then(all));
    }
    let Some(background) = Background::of(picture, &demands) else { return Ok(None) };
    control.check()?;
    let seen = Distances::new(picture, background);
    let mut places = regions::near_background(&seen, pool, control)?;
    let different = places.iter().filter(|place| !place.is_background()).count();
    if (different as f64) < SUBJECT * places.len() as f64 {
        return Ok(None);
    }
    let drawn = inks::is_drawn(&seen, &places, control)?;
    if flat == Flat::Auto && !drawn {
        return Ok(None);
    }
    if !drawn {
        regions::add_shadows(&mut places, &seen, mask.data(), pool, control)?;
    }
    regions::decide(&mut places, seen.size(), (!drawn).then(|| mask.data()), control)?;
    let mut solved = unmix::alpha(&places, &seen, drawn, unmix::NARROW, control)?;
    if solved.is_wide {
        if drawn {
            regions::fade(&mut places, &seen, control)?;
        }
        solved = unmix::alpha(&places, &seen, drawn, unmix::WIDE, control)?;
    }
    Ok(Some(Pixels::known(picture.width(), picture.height(), Layout::Gray8, solved.alpha)))
}

/// Whether most of a picture's border is transparent, and has no colour.
fn is_clear_around(picture: &Pixels) -> bool {
    if picture.layout() != Layout::Rgba8 {
        return false;
    }
    let pixels = picture.data().as_chunks::<4>().0;
    let (width, height) = (picture.width() as usize, picture.height() as usize);
    let border = || border::places(width, height, 1, 1);
    let clear = border().filter(|(x, y)| pixels[y * width + x][3] == 0).count();
    clear as f64 >= CUT_OUT_ALREADY * border().count() as f64
}

/// Whether the background of such a picture is what is transparent: its alpha then limits what is cut out, and nothing
/// else needs to. A photo in a round or rounded frame is none: most of it is opaque, and not all of that is the subject.
fn is_cut_out(picture: &Pixels, mask: &Pixels) -> bool {
    let pixels = picture.data().as_chunks::<4>().0;
    let is_opaque = |pixel: &[u8; 4]| pixel[3] >= 128;
    let opaque = pixels.iter().filter(|pixel| is_opaque(pixel)).count() as f64;
    let found =
        pixels.iter().zip(mask.data()).filter(|(pixel, alpha)| is_opaque(pixel) && **alpha >= 128).count() as f64;
    opaque <= FRAMED * pixels.len() as f64 || found >= FOUND * opaque
}

#[cfg(test)]
mod tests;
