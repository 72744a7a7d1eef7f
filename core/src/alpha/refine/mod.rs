//! The matte brought to the picture's size: laid onto the picture's own edges, solved
//! for where it is a trimap, or plainly, as rembg does it, the model's matte in 8
//! bits, or the caller's mask, resized with Lanczos3.

mod clean;
mod guided;
mod smooth;

use crate::alpha::flat_background;
use crate::alpha::found;
use crate::alpha::matting;
use crate::error::Result;
use crate::exec::Pool;
use crate::exec::control::Control;
use crate::image::lanczos;
use crate::image::pixels::{Layout, Matte, Pixels};
use crate::image::small;
use crate::options::cutout::{CutOut, Flat};

/// Who made a mask. What a caller's says is meant, but where its edge is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Maker {
    Model,
    Caller,
}

/// The alpha of a picture, and how sure the mask was that it came from.
#[derive(Debug)]
pub(crate) struct Refined {
    pub(crate) alpha: Pixels,
    pub(crate) confidence: f32,
}

/// Makes the alpha of a picture in colour from a mask, both [`Layout::Gray8`],
/// 255 for subject; nothing between 0 and 255 when it is to be smooth, 0 for
/// subject when inverted. The threads of a pool that have time help.
///
/// # Errors
/// [`Code::Cancelled`](crate::Code::Cancelled).
pub(crate) fn refine(
    mask: Pixels,
    maker: Maker,
    picture: &Pixels,
    how: &CutOut,
    pool: &Pool,
    control: &Control<'_>,
) -> Result<Refined> {
    control.check()?;
    let mask = if how.trimap { mask } else { constrained(mask, picture, how, pool, control)? };
    let confidence = found::confidence(&mask);
    let (alpha, is_solved) = match (how.trimap, how.refine) {
        (true, _) => (trimap_solved(mask, picture, pool, control)?, true),
        (false, true) => {
            let alpha = laid_on_edges(mask, maker, picture, how, pool, control)?;
            match maker {
                Maker::Model => on_flat(alpha, picture, how, pool, control)?,
                Maker::Caller => (alpha, false),
            }
        }
        (false, false) => (resized(mask, picture, pool)?, false),
    };
    let confidence = if is_solved { found::confidence(&alpha) } else { confidence };
    let mut alpha = if how.smooth_mask { smooth::smooth(&alpha, control)? } else { alpha };
    if !how.trimap {
        how.prompts.clip(&mut alpha, 0, control)?;
    }
    Ok(Refined { alpha: if how.invert_mask { inverted(alpha) } else { alpha }, confidence })
}

/// The matte in 8 bits, as a mask of its own size.
///
/// # Errors
/// [`Code::BadPixels`](crate::Code::BadPixels) when it does not hold its size.
pub(crate) fn mask_of(matte: &Matte) -> Result<Pixels> {
    Pixels::new(matte.width, matte.height, Layout::Gray8, matte.data.iter().copied().map(byte).collect())
}

/// Cleaned first, so that nothing goes that the caller asks to keep.
fn constrained(mask: Pixels, picture: &Pixels, how: &CutOut, pool: &Pool, control: &Control<'_>) -> Result<Pixels> {
    let mask = if how.clean_mask { clean::clean(mask, control)? } else { mask };
    how.prompts.constrain(mask, picture, pool, control)
}

fn laid_on_edges(
    mask: Pixels,
    maker: Maker,
    picture: &Pixels,
    how: &CutOut,
    pool: &Pool,
    control: &Control<'_>,
) -> Result<Pixels> {
    match guided::refine(picture, &mask, maker, how.preset, pool, control)? {
        Some(alpha) if found::is_any(&alpha) => Ok(alpha),
        // Where nothing is half subject there is no edge to lay it on, and what is faint stays as it is.
        _ => resized(mask, picture, pool),
    }
}

/// The alpha that follows from a flat background, where there is one; else as it is. And whether it does.
fn on_flat(alpha: Pixels, picture: &Pixels, how: &CutOut, pool: &Pool, control: &Control) -> Result<(Pixels, bool)> {
    let flat = if how.prompts.is_empty() || how.flat == Flat::On { how.flat } else { Flat::Off };
    match flat_background::alpha(picture, &alpha, flat, pool, control)? {
        // It follows from the picture alone.
        Some(solved) => Ok((constrained(solved, picture, how, pool, control)?, true)),
        None => Ok((alpha, false)),
    }
}

/// What is neither surely subject nor surely background is solved for.
fn trimap_solved(trimap: Pixels, picture: &Pixels, pool: &Pool, control: &Control<'_>) -> Result<Pixels> {
    let size = (picture.width(), picture.height());
    // Between sure and sure it becomes unsure, as it must where it is stretched.
    let trimap = if (trimap.width(), trimap.height()) == size { trimap } else { small::resized(&trimap, size, pool)? };
    Ok(matting::alpha(picture, &trimap, control)?.unwrap_or(trimap))
}

fn resized(mask: Pixels, picture: &Pixels, pool: &Pool) -> Result<Pixels> {
    let (own, size) = ((mask.width(), mask.height()), (picture.width(), picture.height()));
    if own == size {
        return Ok(mask);
    }
    let data = lanczos::resized(mask.data(), 1, own, size, pool)?;
    Pixels::new(size.0, size.1, Layout::Gray8, data)
}

fn inverted(mut alpha: Pixels) -> Pixels {
    alpha.data_mut().iter_mut().for_each(|alpha| *alpha = u8::MAX - *alpha);
    alpha
}

/// rembg cuts the fraction off and does not round.
#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "the cast clamps to a byte")]
fn byte(value: f32) -> u8 {
    (value * 255.0) as u8
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::alpha::prompts::Prompts;
    use crate::error::Code;
    use crate::exec::control::CancelToken;

    fn matte(width: u32, height: u32, data: &[f32]) -> Matte {
        Matte { width, height, data: data.to_vec() }
    }

    /// As rembg has it.
    fn plain() -> CutOut {
        CutOut { refine: false, ..CutOut::default() }
    }

    fn refined(matte: &Matte, size: (u32, u32)) -> Vec<u8> {
        refined_as(&plain(), matte, size)
    }

    fn refined_as(how: &CutOut, matte: &Matte, size: (u32, u32)) -> Vec<u8> {
        let picture = Pixels::filled(size.0, size.1, Layout::Rgb8, 0);
        let alpha = mask_of(matte)
            .and_then(|mask| refine(mask, Maker::Model, &picture, how, &Pool::of(1), &Control::default()))
            .map(|refined| refined.alpha)
            .expect("nothing is wrong");
        assert_eq!((alpha.width(), alpha.height(), alpha.layout()), (size.0, size.1, Layout::Gray8));
        alpha.into_data()
    }

    #[test]
    fn at_its_own_size_a_matte_is_cut_to_bytes() {
        assert_eq!(refined(&matte(4, 1, &[0.0, 0.5, 0.999, 1.0]), (4, 1)), [0, 127, 254, 255]);
        assert_eq!(refined(&matte(3, 1, &[-0.5, 2.0, f32::NAN]), (3, 1)), [0, 255, 0]);
    }

    #[test]
    fn an_edge_stays_where_it_is_and_never_overflows() {
        let step: Vec<f32> = (0..16_u8).map(|x| f32::from(u8::from(x >= 8))).collect();
        let wide = refined(&matte(16, 1, &step), (160, 10));
        let row = &wide[..160];
        assert!(wide.chunks(160).all(|other| other == row), "all rows are the same");
        assert_eq!((row[0], row[159]), (0, 255));
        assert!(row[..79].iter().all(|alpha| *alpha < 128) && row[81..].iter().all(|alpha| *alpha > 127), "{row:?}");
    }

    #[test]
    fn an_inverted_mask_is_the_other_ones_rest_and_is_smoothed_first() {
        let (soft, size) = (matte(4, 1, &[0.0, 0.5, 0.999, 1.0]), (40, 10));
        let invert = CutOut { invert_mask: true, ..plain() };
        for how in [plain(), CutOut { smooth_mask: true, ..plain() }] {
            let (mask, rest) =
                (refined_as(&how, &soft, size), refined_as(&CutOut { invert_mask: true, ..how.clone() }, &soft, size));
            assert!(mask.iter().zip(&rest).all(|(mask, rest)| mask + rest == 255), "{how:?}");
        }
        assert_eq!(refined_as(&invert, &soft, (4, 1)), [255, 128, 1, 0]);
    }

    #[test]
    fn on_a_flat_background_points_and_cleaning_count_too() {
        let (width, height) = (240_u32, 160_u32);
        let discs = [(60.0, 80.0, 40.0), (180.0, 80.0, 40.0), (120.0, 20.0, 0.6)];
        let is_in = |x: u32, y: u32, (left, top, radius): (f64, f64, f64)| {
            (f64::from(x) - left).hypot(f64::from(y) - top) < radius
        };
        let places = || (0..height).flat_map(|y| (0..width).map(move |x| (x, y)));
        let pixel = |(x, y): (u32, u32)| {
            let textured = [(x * 29 % 90) as u8, 60 + (y * 17 % 60) as u8, 40];
            if discs.iter().any(|disc| is_in(x, y, *disc)) { textured } else { [255; 3] }
        };
        let picture = Pixels::known(width, height, Layout::Rgb8, places().flat_map(pixel).collect());
        let seen = |(x, y): (u32, u32)| if discs[..2].iter().any(|disc| is_in(x, y, *disc)) { 255 } else { 0 };
        let mask = Pixels::known(width, height, Layout::Gray8, places().map(seen).collect());
        let alpha = |how: CutOut| {
            let how = CutOut { flat: Flat::On, ..how };
            let made = refine(mask.clone(), Maker::Model, &picture, &how, &Pool::of(1), &Control::default());
            let alpha = made.expect("nothing is wrong").alpha;
            [(60, 80), (180, 80), (120, 20)].map(|(x, y)| alpha.data()[(y * width + x) as usize])
        };
        let prompts = |keep: &str, drop: &str| {
            let read = |key, text| crate::options::regions::read(key, text).expect("regions");
            CutOut { prompts: Prompts { keep: read("keep", keep), drop: read("drop", drop) }, ..CutOut::default() }
        };
        let [left, right, speck] = alpha(CutOut::default());
        assert!(left == 255 && right == 255 && speck > 200, "{speck}");
        assert_eq!(alpha(prompts("", "180,80"))[..2], [255, 0]);
        assert_eq!(alpha(prompts("60,80", ""))[..2], [255, 0]);
        assert_eq!(alpha(CutOut { clean_mask: true, ..CutOut::default() }), [255, 255, 0]);
    }

    #[test]
    fn where_refinement_would_leave_nothing_the_mask_stays_as_it_is() {
        let mut faint = vec![0.0; 320 * 320];
        faint[160 * 320 + 160] = 1.0;
        let (faint, size) = (matte(320, 320, &faint), (400, 300));
        let refined_one = refined_as(&CutOut::default(), &faint, size);
        assert!(refined_one == refined(&faint, size), "as without refinement");
        assert!(refined_one.iter().any(|alpha| *alpha >= 128));
    }

    #[test]
    fn sides_of_one_pixel_and_very_long_ones_work() {
        assert_eq!(refined(&matte(320, 320, &[1.0; 102_400]), (1, 10_000)), vec![255; 10_000]);
        assert_eq!(refined(&matte(320, 320, &[0.0; 102_400]), (1, 1)), [0]);
    }

    #[test]
    fn a_matte_that_lies_or_a_stop_is_an_error() {
        let picture = Pixels::filled(4, 4, Layout::Rgb8, 0);
        let code = |matte: &Matte, control: &Control<'_>| {
            let refined =
                mask_of(matte).and_then(|mask| refine(mask, Maker::Model, &picture, &plain(), &Pool::of(1), control));
            refined.expect_err("refused").code()
        };
        let token = CancelToken::new();
        token.cancel();
        let stopped = Control { cancel: Some(&token), ..Control::default() };
        assert_eq!(code(&matte(2, 2, &[0.0; 3]), &Control::default()), Code::BadPixels);
        assert_eq!(code(&matte(2, 2, &[0.0; 4]), &stopped), Code::Cancelled);
    }
}
