//! Alpha and picture brought together: the subject's own colours, the cut-out, and the colour behind it.
//!
//! Knows nothing of how the alpha came about.

pub(crate) mod colors;
pub(crate) mod spread;

use crate::error::Result;
use crate::exec::control::Control;
use crate::image::pixels::{Layout, Pixels};
use crate::options::Color;

/// The alpha, nowhere more opaque than the picture it was made from. A picture
/// without alpha, or of another size, limits nothing.
pub(crate) fn limit_alpha(mut alpha: Pixels, source: &Pixels) -> Pixels {
    if source.layout() == Layout::Rgba8 {
        let source = source.data().as_chunks::<4>().0;
        alpha.data_mut().iter_mut().zip(source).for_each(|(alpha, px)| *alpha = px[3].min(*alpha));
    }
    alpha
}

/// The subject: the picture's colours with the alpha, straight. What
/// is fully transparent is black, so that no file carries the background,
/// unless all colours are to be kept. [`spread`] then goes a little beyond the edge.
pub(crate) fn cut_out(pixels: Pixels, alpha: &Pixels, keep_colors: bool) -> Pixels {
    let mut cut = pixels.into_rgba();
    for (px, &alpha) in cut.data_mut().as_chunks_mut::<4>().0.iter_mut().zip(alpha.data()) {
        *px = if alpha == 0 && !keep_colors { [0; 4] } else { [px[0], px[1], px[2], alpha] };
    }
    cut
}

/// What `change` makes of a cut-out. With `keep_colors`, what is fully transparent afterwards has the colours that
/// `change` makes of the picture as if it were opaque: whatever mixes pixels lets colours count by their alpha.
pub(crate) fn changed(
    cut: Pixels,
    keep_colors: bool,
    control: &Control<'_>,
    change: impl Fn(Pixels, &Control<'_>) -> Result<Pixels>,
) -> Result<Pixels> {
    if !keep_colors || cut.layout() != Layout::Rgba8 {
        return change(cut, control);
    }
    let opaque = control.part((0.0, 0.5), |c| change(opaque(cut.clone()), c))?;
    let mut made = control.part((0.5, 1.0), |c| change(cut, c))?;
    let pixels = made.data_mut().as_chunks_mut::<4>().0.iter_mut().zip(opaque.data().as_chunks::<4>().0);
    pixels.filter(|(px, _)| px[3] == 0).for_each(|(px, own)| px[..3].copy_from_slice(&own[..3]));
    Ok(made)
}

fn opaque(mut pixels: Pixels) -> Pixels {
    pixels.data_mut().as_chunks_mut::<4>().0.iter_mut().for_each(|px| px[3] = u8::MAX);
    pixels
}

/// The alpha of a cut-out; a mask is its own.
pub(crate) fn alpha_of(cut: &Pixels) -> Pixels {
    if cut.layout() != Layout::Rgba8 {
        return cut.clone();
    }
    let alpha = cut.data().as_chunks::<4>().0.iter().map(|px| px[3]).collect();
    Pixels::known(cut.width(), cut.height(), Layout::Gray8, alpha)
}

/// Puts one colour behind the picture. An opaque colour leaves nothing
/// transparent: the result is `Rgb8`, in the same buffer.
pub(crate) fn fill(mut pixels: Pixels, color: Color) -> Pixels {
    if pixels.layout() != Layout::Rgba8 {
        return pixels;
    }
    if color.a == u8::MAX {
        return fill_opaque(pixels, [color.r, color.g, color.b]);
    }
    pixels.data_mut().as_chunks_mut::<4>().0.iter_mut().for_each(|px| *px = over(*px, color));
    pixels
}

fn fill_opaque(pixels: Pixels, behind: [u8; 3]) -> Pixels {
    let (width, height) = (pixels.width(), pixels.height());
    let mut data = pixels.into_data();
    for i in 0..data.len() / 4 {
        let alpha = u32::from(data[i * 4 + 3]);
        for c in 0..3 {
            let mixed = u32::from(data[i * 4 + c]) * alpha + u32::from(behind[c]) * (255 - alpha);
            data[i * 3 + c] = divide(mixed, 255);
        }
    }
    data.truncate(data.len() / 4 * 3);
    Pixels::known(width, height, Layout::Rgb8, data)
}

/// Porter and Duff's `over` with straight colours: α = αₛ + α_b·(1 − αₛ).
fn over(px: [u8; 4], behind: Color) -> [u8; 4] {
    let front = u32::from(px[3]) * 255;
    let back = u32::from(behind.a) * (255 - u32::from(px[3]));
    let alpha = front + back;
    if alpha == 0 {
        return [0; 4];
    }
    let mix = |s: u8, b: u8| divide(u32::from(s) * front + u32::from(b) * back, alpha);
    [mix(px[0], behind.r), mix(px[1], behind.g), mix(px[2], behind.b), divide(alpha, 255)]
}

/// The nearest integer to `a / b`; callers keep it below 256.
fn divide(a: u32, b: u32) -> u8 {
    ((a + b / 2) / b) as u8
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rgba(data: &[u8]) -> Pixels {
        Pixels::known(data.len() as u32 / 4, 1, Layout::Rgba8, data.to_vec())
    }

    fn gray(data: &[u8]) -> Pixels {
        Pixels::known(data.len() as u32, 1, Layout::Gray8, data.to_vec())
    }

    #[test]
    fn the_mask_becomes_alpha_and_the_background_leaves_no_trace() {
        let rgb = Pixels::known(3, 1, Layout::Rgb8, vec![1, 2, 3, 4, 5, 6, 7, 8, 9]);
        let cut = cut_out(rgb.clone(), &gray(&[255, 0, 128]), false);
        assert_eq!(cut, rgba(&[1, 2, 3, 255, 0, 0, 0, 0, 7, 8, 9, 128]));
        assert_eq!(alpha_of(&cut), gray(&[255, 0, 128]));
        let cut = cut_out(rgba(&[1, 2, 3, 9, 4, 5, 6, 255]), &gray(&[0, 77]), false);
        assert_eq!(cut, rgba(&[0, 0, 0, 0, 4, 5, 6, 77]));
        let kept = cut_out(rgb, &gray(&[255, 0, 128]), true);
        assert_eq!(kept, rgba(&[1, 2, 3, 255, 4, 5, 6, 0, 7, 8, 9, 128]));
    }

    #[test]
    fn what_was_transparent_stays_transparent() {
        let source = rgba(&[9, 9, 9, 0, 9, 9, 9, 100, 9, 9, 9, 255]);
        assert_eq!(limit_alpha(gray(&[200, 200, 200]), &source), gray(&[0, 100, 200]));
        let opaque = Pixels::known(3, 1, Layout::Rgb8, vec![0; 9]);
        assert_eq!(limit_alpha(gray(&[200, 0, 1]), &opaque), gray(&[200, 0, 1]));
    }

    #[test]
    fn an_opaque_fill_mixes_by_alpha_and_drops_the_channel() {
        let filled = fill(rgba(&[255, 0, 0, 255, 255, 0, 0, 128, 255, 0, 0, 0]), Color { r: 0, g: 0, b: 255, a: 255 });
        assert_eq!(filled, Pixels::known(3, 1, Layout::Rgb8, vec![255, 0, 0, 128, 0, 127, 0, 0, 255]));
    }

    #[test]
    fn a_half_clear_fill_shows_through() {
        let green = Color { r: 0, g: 255, b: 0, a: 128 };
        let filled = fill(rgba(&[255, 0, 0, 255, 255, 0, 0, 0, 255, 0, 0, 128]), green);
        // 128 + 128·127/255 = 191.7; red's share of that is 128 / 191.7.
        assert_eq!(filled, rgba(&[255, 0, 0, 255, 0, 255, 0, 128, 170, 85, 0, 192]));
        let clear = Color { r: 9, g: 9, b: 9, a: 0 };
        assert_eq!(fill(rgba(&[5, 6, 7, 0, 5, 6, 7, 30]), clear), rgba(&[0, 0, 0, 0, 5, 6, 7, 30]));
    }

    #[test]
    fn every_mix_is_the_nearest_integer() {
        for alpha in 0..=255u8 {
            for back in [0, 1, 127, 254, 255u8] {
                let got = fill(rgba(&[200, 3, 255, alpha]), Color { r: 10, g: 250, b: 0, a: back });
                let (front, behind) =
                    (f64::from(alpha) / 255.0, f64::from(back) / 255.0 * (1.0 - f64::from(alpha) / 255.0));
                let total = front + behind;
                let share = |s: f64, b: f64| if total == 0.0 { 0.0 } else { (s * front + b * behind) / total };
                let exact = [share(200.0, 10.0), share(3.0, 250.0), share(255.0, 0.0), total * 255.0];
                for (&got, exact) in got.data().iter().zip(exact) {
                    assert!((f64::from(got) - exact).abs() <= 0.5 + 1e-9, "{alpha} {back}: {got} {exact}");
                }
            }
        }
    }

    #[test]
    fn a_mask_and_an_opaque_picture_are_left_alone() {
        let white = Color { r: 255, g: 255, b: 255, a: 255 };
        assert_eq!(fill(gray(&[1, 2]), white), gray(&[1, 2]));
        let rgb = Pixels::known(1, 1, Layout::Rgb8, vec![1, 2, 3]);
        assert_eq!(fill(rgb.clone(), white), rgb);
    }
}
