//! What the table of options tells of each.

use super::Options;
use crate::error::Problem;

/// One option: what it is called, what it takes, what it does.
pub struct OptionSpec {
    /// The form field, and the key of [`Options::from_pairs`].
    pub key: &'static str,
    /// What its value is.
    pub kind: OptionKind,
    /// The default in words; `unset` when there is none.
    pub default: &'static str,
    /// The values that are accepted, in words.
    pub range: &'static str,
    /// The lowest and the highest number that is accepted, where it is one that has bounds.
    pub bounds: Option<(f64, f64)>,
    /// What it does: one or two plain sentences.
    pub help: &'static str,
    pub(super) read: fn(&mut Options, &str) -> Result<(), Problem>,
}

impl OptionSpec {
    /// The words that a choice takes, each followed by its other names: of `jpeg (or jpg)`, both.
    pub fn choices(&self) -> impl Iterator<Item = Vec<&'static str>> {
        let words = (self.kind == OptionKind::Choice).then(|| self.range.split(", "));
        let names = |word: &'static str| word.split([' ', '(', ')']).filter(|name| !matches!(*name, "" | "or"));
        words.into_iter().flatten().map(move |word| names(word).collect())
    }
}

/// What the value of an option is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum OptionKind {
    /// A whole number.
    Integer,
    /// A number.
    Number,
    /// True or false.
    Boolean,
    /// One of a few words.
    Choice,
    /// A colour.
    Color,
    /// Points and boxes.
    Regions,
}

impl OptionKind {
    /// Its name, as docs/options.md shows it.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Integer => "integer",
            Self::Number => "number",
            Self::Boolean => "boolean",
            Self::Choice => "choice",
            Self::Color => "color",
            Self::Regions => "points, boxes",
        }
    }
}
