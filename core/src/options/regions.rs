//! Points and boxes of what to keep and what to drop: their types, their way from text, and what can be told of them
//! without the picture.

use std::fmt;
use std::ops::Range;

use super::python;
use crate::error::{Code, Problem};

/// A part of a side, in pixels.
pub(crate) type Span = Range<u64>;

/// The most regions that each of `keep` and `drop` may have.
pub(crate) const MAX_REGIONS: usize = 1000;

/// A place in the upright picture, in its pixels from the top left.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Region {
    /// One pixel on a thing, which stands for the thing.
    Point {
        /// Pixels left of it.
        x: u32,
        /// Pixels above it.
        y: u32,
    },
    /// A rectangle around a thing. What of it is outside the picture does not count.
    Box {
        /// Pixels left of it.
        left: u32,
        /// Pixels above it.
        top: u32,
        /// The first column right of it.
        right: u32,
        /// The first row below it.
        bottom: u32,
    },
}

impl Region {
    /// The columns and rows that it takes, of a picture without end.
    pub(crate) fn spans(self) -> (Span, Span) {
        match self {
            Self::Point { x, y } => (u64::from(x)..u64::from(x) + 1, u64::from(y)..u64::from(y) + 1),
            Self::Box { left, top, right, bottom } => {
                (u64::from(left)..u64::from(right), u64::from(top)..u64::from(bottom))
            }
        }
    }

    pub(crate) fn is_box(self) -> bool {
        matches!(self, Self::Box { .. })
    }

    pub(crate) fn is_empty(self) -> bool {
        let (across, down) = self.spans();
        across.is_empty() || down.is_empty()
    }

    pub(crate) fn meets(self, (width, height): (u32, u32)) -> bool {
        let (across, down) = self.spans();
        across.start < u64::from(width) && down.start < u64::from(height)
    }
}

/// As it is read: `x,y` or `left,top,right,bottom`.
impl fmt::Display for Region {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Point { x, y } => write!(f, "{x},{y}"),
            Self::Box { left, top, right, bottom } => write!(f, "{left},{top},{right},{bottom}"),
        }
    }
}

/// What the caller says of the subject. The default says nothing.
///
/// | `keep` | `drop` | result |
/// |---|---|---|
/// | point on what was found, or at its edge | | that stays, and nothing else that was found |
/// | point on background | | a thing of the picture's colours around the point becomes subject |
/// | box | | what was found in it stays, and nothing outside it |
/// | | point on what was found | that goes |
/// | | box | all in it becomes background |
/// | point where a thing was found faintly | | the thing stays, and is subject there |
/// | point | point on the same thing | the thing is divided halfway between them, along edges in the picture that are there; more points make the cut surer |
///
/// Where they contradict each other, `drop` wins. A point in `keep` outside the boxes
/// there keeps what it is on all the same.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Prompts {
    /// What is subject. Default: empty, which is all that is found.
    pub keep: Vec<Region>,
    /// What is background. Default: empty.
    pub drop: Vec<Region>,
}

impl Prompts {
    /// Whether nothing is said.
    pub(crate) fn is_empty(&self) -> bool {
        self.keep.is_empty() && self.drop.is_empty()
    }

    /// What is wrong whatever the picture, one problem a field.
    pub(crate) fn validate(&self) -> Vec<Problem> {
        self.fields().filter_map(|(key, regions)| check_regions(key, regions).err()).collect()
    }

    /// What they say of a part of the picture that [`crop`](Self::crop) gave.
    pub(crate) fn within(&self, (left, top, width, height): (u32, u32, u32, u32)) -> Self {
        let moved = |region: &Region| match *region {
            Region::Point { x, y } => Some(Region::Point { x: x.checked_sub(left)?, y: y.checked_sub(top)? }),
            Region::Box { left: l, top: t, right, bottom } => Some(Region::Box {
                left: l.saturating_sub(left),
                top: t.saturating_sub(top),
                right: right.saturating_sub(left),
                bottom: bottom.saturating_sub(top),
            }),
        };
        let inside = |region: &Region| region.meets((width, height)) && !region.is_empty();
        let all = |regions: &[Region]| regions.iter().filter_map(moved).filter(inside).collect();
        Self { keep: all(&self.keep), drop: all(&self.drop) }
    }

    /// What is wrong with them for a picture of this size, one problem a field: each
    /// region must have a pixel of it.
    pub(crate) fn check(&self, size: (u32, u32)) -> Vec<Problem> {
        let outside = |(key, regions): (&str, &[Region])| {
            let region = regions.iter().find(|region| !region.meets(size))?;
            let message = format!("'{key}' must lie in the picture of {}×{} pixels, got: '{region}'", size.0, size.1);
            Some(Problem::with_message(key, Code::InvalidRegion, message))
        };
        self.fields().filter_map(outside).collect()
    }

    fn fields(&self) -> impl Iterator<Item = (&'static str, &[Region])> {
        [("keep", self.keep.as_slice()), ("drop", self.drop.as_slice())].into_iter()
    }
}

/// Reads regions, `x,y` or `left,top,right,bottom`, separated by spaces or semicolons.
/// No text is no region.
///
/// # Errors
/// The first that is wrong, as [`Code::InvalidRegion`].
pub(crate) fn read(key: &str, text: &str) -> Result<Vec<Region>, Problem> {
    // Spaces beside a comma separate nothing.
    let joined = text.split(',').map(str::trim).collect::<Vec<_>>().join(",");
    let words = joined.split(|c: char| c == ';' || c.is_whitespace()).filter(|word| !word.is_empty());
    // One more than allowed tells as much as all of them.
    let regions = words.take(MAX_REGIONS + 1).map(|word| region(key, word)).collect::<Result<Vec<_>, _>>()?;
    check_regions(key, &regions)?;
    Ok(regions)
}

fn region(key: &str, word: &str) -> Result<Region, Problem> {
    let numbers: Option<Vec<u32>> = word.split(',').map(|number| python::int(number)?.parse().ok()).collect();
    match numbers.as_deref() {
        Some(&[x, y]) => Ok(Region::Point { x, y }),
        Some(&[left, top, right, bottom]) => Ok(Region::Box { left, top, right, bottom }),
        _ => {
            let got = python::repr(word);
            Err(invalid(key, &format!("must be 'x,y' or 'left,top,right,bottom' in whole pixels, got: {got}")))
        }
    }
}

/// What can be told of regions without the picture.
///
/// # Errors
/// The first that is wrong, as [`Code::InvalidRegion`].
fn check_regions(key: &str, regions: &[Region]) -> Result<(), Problem> {
    if regions.len() > MAX_REGIONS {
        return Err(invalid(key, &format!("must have at most {MAX_REGIONS} regions")));
    }
    let Some(region) = regions.iter().find(|region| region.is_empty()) else { return Ok(()) };
    Err(invalid(
        key,
        &format!("must have its right side beyond its left and its bottom below its top, got: '{region}'"),
    ))
}

fn invalid(key: &str, what: &str) -> Problem {
    Problem::with_message(key, Code::InvalidRegion, format!("'{key}' {what}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    const POINT: Region = Region::Point { x: 1, y: 20 };
    const BOX: Region = Region::Box { left: 3, top: 4, right: 50, bottom: 60 };

    fn message(text: &str) -> String {
        let problem = read("keep", text).expect_err(text);
        assert_eq!((problem.field.as_str(), problem.code), ("keep", Code::InvalidRegion));
        problem.message
    }

    #[test]
    fn points_and_boxes_are_read_as_people_write_them() {
        for text in ["1,20 3,4,50,60", "1,20;3,4,50,60", " 1, 20 ;\t3 ,4, 50,60;", "+01,2_0\n3,4,50,٦٠"] {
            assert_eq!(read("keep", text), Ok(vec![POINT, BOX]), "{text:?}");
        }
        for text in ["", " ", ";", " ; ;"] {
            assert_eq!(read("drop", text), Ok(Vec::new()), "{text:?}");
        }
    }

    #[test]
    fn what_is_shown_can_be_read() {
        assert_eq!(read("keep", &format!("{POINT} {BOX}")), Ok(vec![POINT, BOX]));
    }

    #[test]
    fn what_is_no_region_is_shown() {
        for word in ["a", "1", "1,2,3", "1,2,3,4,5", "-1,2", "1.5,2", "1,", ",", "4294967296,0", "1,2,b,4"] {
            let want = format!("'keep' must be 'x,y' or 'left,top,right,bottom' in whole pixels, got: '{word}'");
            assert_eq!(message(&format!("7,7; {word}; 8")), want);
        }
        assert_eq!(
            message("5,5,5,9"),
            "'keep' must have its right side beyond its left and its bottom below its top, got: '5,5,5,9'"
        );
        assert!(message("5,5,9,4").ends_with("got: '5,5,9,4'"));
    }

    #[test]
    fn a_thousand_regions_are_enough() {
        assert_eq!(read("drop", &"1,2 ".repeat(MAX_REGIONS)).expect("allowed").len(), MAX_REGIONS);
        assert_eq!(message(&"1,2;".repeat(MAX_REGIONS + 1)), "'keep' must have at most 1000 regions");
    }
}
