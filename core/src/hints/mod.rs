//! What the caller says of the subject: where it is, and what is none of it.

mod case;
mod clip;
mod constrain;
mod forest;
mod missed;
mod places;
mod read;
mod regions;
mod scene;
#[cfg(test)]
mod tests;

use std::fmt;

use crate::error::{Code, Problem};
use places::{MARGIN, Span};

pub(crate) use read::read;

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
    fn spans(self) -> (Span, Span) {
        match self {
            Self::Point { x, y } => (u64::from(x)..u64::from(x) + 1, u64::from(y)..u64::from(y) + 1),
            Self::Box { left, top, right, bottom } => {
                (u64::from(left)..u64::from(right), u64::from(top)..u64::from(bottom))
            }
        }
    }

    fn is_box(self) -> bool {
        matches!(self, Self::Box { .. })
    }

    fn is_empty(self) -> bool {
        let (across, down) = self.spans();
        across.is_empty() || down.is_empty()
    }

    fn meets(self, (width, height): (u32, u32)) -> bool {
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
pub struct Hints {
    /// What is subject. Default: empty, which is all that is found.
    pub keep: Vec<Region>,
    /// What is background. Default: empty.
    pub drop: Vec<Region>,
}

impl Hints {
    /// Whether nothing is said.
    pub(crate) fn is_empty(&self) -> bool {
        self.keep.is_empty() && self.drop.is_empty()
    }

    /// What is wrong whatever the picture, one problem a field.
    pub(crate) fn validate(&self) -> Vec<Problem> {
        self.fields().filter_map(|(key, regions)| read::check_regions(key, regions).err()).collect()
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

    /// The part of a picture of this size to look at, as left, top, width and height:
    /// what is to be kept, and a margin to tell it from. `None` without a box to keep,
    /// and where that is the whole picture.
    pub(crate) fn crop(&self, size: (u32, u32)) -> Option<(u32, u32, u32, u32)> {
        if !self.keep.iter().any(|region| region.is_box()) {
            return None;
        }
        let inside = |region: &&Region| region.meets(size) && !region.is_empty();
        let spans = self.keep.iter().filter(inside).map(|region| region.spans());
        let (across, down) =
            spans.reduce(|one, other| (places::joined(&one.0, &other.0), places::joined(&one.1, &other.1)))?;
        let (left, width) = places::widened(across, size.0, MARGIN);
        let (top, height) = places::widened(down, size.1, MARGIN);
        Some((left, top, width, height)).filter(|_| (width, height) != size)
    }

    fn fields(&self) -> impl Iterator<Item = (&'static str, &[Region])> {
        [("keep", self.keep.as_slice()), ("drop", self.drop.as_slice())].into_iter()
    }
}
