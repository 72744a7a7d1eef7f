//! What is surely subject, what is surely background, and the band between.

use crate::image::pixels::Pixels;
use crate::options::cutout::Matting;

/// What is known of a pixel.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Known {
    Background,
    Subject,
    Nothing,
}

/// The trimap of a mask, or `None` where it has no subject or no background.
///
/// Each side is eroded on its own. What lies outside the picture counts as
/// background, as SciPy's `binary_erosion` has it when rembg calls it.
pub(super) fn trimap(mask: &Pixels, matting: Matting) -> Option<Vec<Known>> {
    let Matting { foreground_threshold, background_threshold, erode_size } = matting;
    let size = (mask.width() as usize, mask.height() as usize);
    let values = || mask.data().iter().map(|value| i64::from(*value));
    let subject = eroded(values().map(|value| value > foreground_threshold).collect(), size, erode_size, false);
    let background = eroded(values().map(|value| value < background_threshold).collect(), size, erode_size, true);
    let trimap: Vec<Known> = subject.into_iter().zip(background).map(known).collect();
    (trimap.contains(&Known::Subject) && trimap.contains(&Known::Background)).then_some(trimap)
}

/// What a trimap of the caller's says, or `None` where it knows no subject or no background.
pub(super) fn known_in(trimap: &Pixels) -> Option<Vec<Known>> {
    let known = |value: &u8| known((*value == u8::MAX, *value == 0));
    (trimap.data().contains(&0) && trimap.data().contains(&u8::MAX)).then(|| trimap.data().iter().map(known).collect())
}

/// Thresholds that cross call a pixel both: then it is background.
fn known((subject, background): (bool, bool)) -> Known {
    match (subject, background) {
        (_, true) => Known::Background,
        (true, false) => Known::Subject,
        (false, false) => Known::Nothing,
    }
}

/// Binary erosion by a square of side `erode_size`, or by a 3×3 cross where
/// that is not positive. A square of even side reaches further up and left.
fn eroded(mut set: Vec<bool>, (width, height): (usize, usize), erode_size: i64, outside: bool) -> Vec<bool> {
    if erode_size <= 0 {
        return eroded_by_cross(&set, (width, height), outside);
    }
    let mut erode = |starts: &mut dyn Iterator<Item = usize>, step: usize, length: usize| {
        let side = usize::try_from(erode_size).unwrap_or(usize::MAX).min(2 * length + 2);
        starts.for_each(|start| erode_line(&mut set[start..], step, length, side, outside));
    };
    erode(&mut (0..height).map(|y| y * width), 1, width);
    erode(&mut (0..width), width, height);
    set
}

/// One line of pixels, `step` apart: each stays where none of the `side` pixels
/// around it, from `side / 2` before it on, is unset.
fn erode_line(set: &mut [bool], step: usize, length: usize, side: usize, outside: bool) {
    let (before, after) = (side / 2, side - 1 - side / 2);
    let line: Vec<bool> = (0..length).map(|at| set[at * step]).collect();
    let is_set = |at: isize| usize::try_from(at).ok().and_then(|at| line.get(at)).copied().unwrap_or(outside);
    let mut holes = (-(before as isize)..after as isize).filter(|at| !is_set(*at)).count();
    for at in 0..length {
        holes += usize::from(!is_set((at + after) as isize));
        set[at * step] = holes == 0;
        holes -= usize::from(!is_set(at as isize - before as isize));
    }
}

fn eroded_by_cross(set: &[bool], (width, height): (usize, usize), outside: bool) -> Vec<bool> {
    let stays = |at: usize| {
        let (x, y) = (at % width, at / width);
        let near = |inside: bool, other: usize| if inside { set[other] } else { outside };
        set[at]
            && near(x > 0, at.wrapping_sub(1))
            && near(x + 1 < width, at + 1)
            && near(y > 0, at.wrapping_sub(width))
            && near(y + 1 < height, at + width)
    };
    (0..set.len()).map(stays).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::image::pixels::Layout;

    const ALL: Matting = Matting { foreground_threshold: 240, background_threshold: 10, erode_size: 1 };

    /// `#` for subject, `.` for background, `?` for neither.
    fn drawn(mask: &[u8], width: u32, matting: Matting) -> Option<Vec<String>> {
        let mask = Pixels::known(width, mask.len() as u32 / width, Layout::Gray8, mask.to_vec());
        let draw = |known: &Known| match known {
            Known::Subject => '#',
            Known::Background => '.',
            Known::Nothing => '?',
        };
        trimap(&mask, matting)
            .map(|trimap| trimap.chunks(width as usize).map(|row| row.iter().map(draw).collect()).collect())
    }

    /// A block of 5×5 in the corner of 9×7.
    fn corner() -> Vec<u8> {
        (0..63).map(|at| if at % 9 < 5 && at / 9 < 5 { 255 } else { 0 }).collect()
    }

    #[test]
    fn thresholds_are_crossed_not_reached() {
        let drawn = |matting| drawn(&[9, 10, 240, 241], 4, matting).expect("both are there").concat();
        assert_eq!(drawn(ALL), ".??#");
        assert_eq!(drawn(Matting { foreground_threshold: 239, background_threshold: 11, ..ALL }), "..##");
        assert_eq!(drawn(Matting { foreground_threshold: -7, background_threshold: 10, ..ALL }), ".###");
    }

    #[test]
    fn the_subject_shrinks_from_the_pictures_edge_and_the_background_does_not() {
        assert_eq!(
            drawn(&corner(), 9, Matting { erode_size: 3, ..ALL }).expect("both are left"),
            ["??????...", "?###??...", "?###??...", "?###??...", "??????...", "??????...", "........."]
        );
    }

    /// Drawn from what SciPy makes of it.
    #[test]
    fn an_even_square_reaches_further_up_and_left() {
        assert_eq!(
            drawn(&corner(), 9, Matting { erode_size: 2, ..ALL }).expect("both are left"),
            ["??????...", "?####?...", "?####?...", "?####?...", "?####?...", "??????...", "........."]
        );
    }

    #[test]
    fn without_a_square_a_cross_erodes() {
        let crossed = drawn(&corner(), 9, Matting { erode_size: 0, ..ALL }).expect("both are left");
        assert_eq!(
            crossed,
            ["??????...", "?###??...", "?###??...", "?###??...", "??????...", "?????....", "........."]
        );
        assert_eq!(drawn(&corner(), 9, Matting { erode_size: i64::MIN, ..ALL }), Some(crossed));
    }

    #[test]
    fn no_trimap_without_both_sides() {
        assert_eq!(drawn(&[255; 9], 3, ALL), None);
        assert_eq!(drawn(&[0; 9], 3, ALL), None);
        assert_eq!(drawn(&corner(), 9, Matting { foreground_threshold: 270, ..ALL }), None);
        assert_eq!(drawn(&corner(), 9, Matting { background_threshold: 0, ..ALL }), None);
        assert_eq!(drawn(&corner(), 9, Matting { erode_size: i64::MAX, ..ALL }), None);
    }
}
