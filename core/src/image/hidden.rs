//! Colours under fully transparent pixels. Nobody sees them, so they must not steer what is made of a picture.

use super::pixels::{Layout, Pixels};

/// What transparent pixels are taken for: on mid grey a black and a white subject both stay visible.
pub(crate) const BACKDROP: u8 = 128;

/// Gives hidden pixels the colour of the backdrop. With `keep`, the picture as it was comes too, if there were any.
pub(crate) fn neutral(mut pixels: Pixels, keep: bool) -> (Pixels, Option<Pixels>) {
    let has_any = pixels.layout() == Layout::Rgba8 && pixels.data().as_chunks::<4>().0.iter().any(|px| px[3] == 0);
    if !has_any {
        return (pixels, None);
    }
    let own = keep.then(|| pixels.clone());
    for px in pixels.data_mut().as_chunks_mut::<4>().0 {
        if px[3] == 0 {
            px[..3].fill(BACKDROP);
        }
    }
    (pixels, own)
}

/// Puts the hidden colours of `own` back into what was made of it.
pub(crate) fn put_back(mut made: Pixels, own: Option<Pixels>) -> Pixels {
    if let Some(own) = own.filter(|_| made.layout() == Layout::Rgba8) {
        for (px, own) in made.data_mut().as_chunks_mut::<4>().0.iter_mut().zip(own.data().as_chunks::<4>().0) {
            if own[3] == 0 {
                px[..3].copy_from_slice(&own[..3]);
            }
        }
    }
    made
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hidden_colours_are_grey_until_they_are_put_back_and_no_others_change() {
        let picture = Pixels::known(3, 1, Layout::Rgba8, vec![1, 2, 3, 0, 4, 5, 6, 1, 7, 8, 9, 255]);
        let (grey, own) = neutral(picture.clone(), true);
        assert_eq!(grey.data(), [128, 128, 128, 0, 4, 5, 6, 1, 7, 8, 9, 255]);
        let made = Pixels::known(3, 1, Layout::Rgba8, vec![128, 128, 128, 0, 40, 50, 60, 0, 7, 8, 9, 20]);
        assert_eq!(put_back(made, own).data(), [1, 2, 3, 0, 40, 50, 60, 0, 7, 8, 9, 20]);
        assert_eq!(neutral(picture, false), (grey, None));
        let opaque = Pixels::known(1, 1, Layout::Rgb8, vec![0; 3]);
        assert_eq!(neutral(opaque.clone(), true), (opaque, None));
    }
}
