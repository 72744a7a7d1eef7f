//! The one table of options. Readers of text, the command line's flags and the
//! README all take them from here, so that a new option is one row.

use super::{Color, Format, Options, checks, python};
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
    /// What it does: one or two plain sentences.
    pub help: &'static str,
    pub(super) read: fn(&mut Options, &str) -> Result<(), Problem>,
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
}

impl OptionKind {
    /// Its name, as the README shows it.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Integer => "integer",
            Self::Number => "number",
            Self::Boolean => "boolean",
            Self::Choice => "choice",
            Self::Color => "color",
        }
    }
}

const BOOLEAN: &str = "true, 1, yes or on is true, anything else false";

/// Every option. Errors are reported in the order of these rows.
pub const OPTIONS: &[OptionSpec] = &[
    OptionSpec {
        key: "w",
        kind: OptionKind::Integer,
        default: "unset",
        range: "1 to 10000; 0 is unset",
        help: "Width of the result in pixels, before rotation. Alone it keeps the aspect ratio; \
               with h the result fits inside w × h.",
        read: |options, text| side("w", text).map(|w| options.w = w),
    },
    OptionSpec {
        key: "h",
        kind: OptionKind::Integer,
        default: "unset",
        range: "1 to 10000; 0 is unset",
        help: "Height of the result in pixels, before rotation. Alone it keeps the aspect ratio; \
               with w the result fits inside w × h.",
        read: |options, text| side("h", text).map(|h| options.h = h),
    },
    OptionSpec {
        key: "exact_resize",
        kind: OptionKind::Boolean,
        default: "false",
        range: BOOLEAN,
        help: "With both w and h, make the result exactly w × h, even where that distorts it.",
        read: |options, text| boolean(text, false).map(|on| options.exact_resize = on),
    },
    OptionSpec {
        key: "angle",
        kind: OptionKind::Number,
        default: "0",
        range: "-360 to 360",
        help: "Turn the result by this many degrees, counter-clockwise, after resizing it.",
        read: |options, text| angle(text).map(|angle| options.angle = angle),
    },
    OptionSpec {
        key: "expand",
        kind: OptionKind::Boolean,
        default: "true",
        range: BOOLEAN,
        help: "Let a turned result grow until nothing of it is cropped. \
               Without it the size stays and the corners are cut off.",
        read: |options, text| boolean(text, true).map(|on| options.expand = on),
    },
    OptionSpec {
        key: "format",
        kind: OptionKind::Choice,
        default: "webp",
        range: "webp, png, jpeg (or jpg), bmp",
        help: "Format of the result. JPEG has no transparency and is put on white unless bg_color is given.",
        read: |options, text| Format::read(text).map(|format| options.format = format),
    },
    OptionSpec {
        key: "mask",
        kind: OptionKind::Boolean,
        default: "false",
        range: BOOLEAN,
        help: "Return only the mask: white subject, black background, soft edges. Not together with bg_color.",
        read: |options, text| boolean(text, false).map(|on| options.mask = on),
    },
    OptionSpec {
        key: "bg_color",
        kind: OptionKind::Color,
        default: "unset",
        range: "#RGB, #RGBA, #RRGGBB, #RRGGBBAA or a CSS colour name",
        help: "Fill the background with this colour, the corners that rotation opened too. Not together with mask.",
        read: |options, text| background(text).map(|color| options.bg_color = color),
    },
];

/// The table as Markdown, for the README.
#[must_use]
pub fn options_markdown() -> String {
    let head = "| Option | Type | Default | Accepted | Meaning |\n|---|---|---|---|---|\n";
    let row = |spec: &OptionSpec| {
        let (key, kind, default) = (spec.key, spec.kind.name(), spec.default);
        format!("| `{key}` | {kind} | {default} | {} | {} |\n", spec.range, spec.help)
    };
    OPTIONS.iter().map(row).fold(head.to_owned(), |table, row| table + &row)
}

fn side(key: &str, text: &str) -> Result<Option<u32>, Problem> {
    if text.is_empty() {
        return Ok(None);
    }
    let number = python::int(text).ok_or_else(|| checks::not_an_integer(key, text))?;
    checks::side_in_range(key, &number)
}

/// No text is refused, so a row reads the same whatever its type.
fn boolean(text: &str, default: bool) -> Result<bool, Problem> {
    let word = text.trim();
    if word.is_empty() {
        return Ok(default);
    }
    Ok(["true", "1", "yes", "on"].iter().any(|yes| word.eq_ignore_ascii_case(yes)))
}

fn angle(text: &str) -> Result<f64, Problem> {
    let degrees = python::float(text).ok_or_else(|| checks::not_a_number("angle", text))?;
    checks::angle_in_range(degrees)
}

fn background(text: &str) -> Result<Option<Color>, Problem> {
    if text.is_empty() { Ok(None) } else { Color::read(text).map(Some) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::options::{MAX_ANGLE, MAX_SIDE};

    fn row(key: &str) -> &'static OptionSpec {
        OPTIONS.iter().find(|spec| spec.key == key).expect("the table has this option")
    }

    #[test]
    fn the_default_column_tells_what_an_absent_option_means() {
        for spec in OPTIONS {
            let text = if spec.default == "unset" { "" } else { spec.default };
            let read = Options::from_pairs([(spec.key, text)]).expect("a default is accepted");
            assert_eq!(read, Options::default(), "{}", spec.key);
        }
    }

    #[test]
    fn the_range_column_tells_the_bounds() {
        let side = format!("1 to {MAX_SIDE}; 0 is unset");
        let angle = format!("-{MAX_ANGLE} to {MAX_ANGLE}");
        assert_eq!([row("w").range, row("h").range, row("angle").range], [&side, &side, &angle]);
    }

    #[test]
    fn the_range_column_lists_every_format() {
        let words: Vec<&str> = row("format").range.split([' ', ',', '(', ')']).collect();
        for name in Format::ALL.iter().flat_map(|format| [format.name(), format.extension()]) {
            assert!(words.contains(&name), "{name}");
        }
    }

    #[test]
    fn markdown_has_a_row_of_five_cells_for_every_option() {
        let table = options_markdown();
        let rows: Vec<&str> = table.lines().skip(2).collect();
        assert_eq!(rows.len(), OPTIONS.len());
        for (row, spec) in rows.iter().zip(OPTIONS) {
            assert!(row.starts_with(&format!("| `{}` | ", spec.key)), "{row}");
            assert_eq!(row.matches('|').count(), 6, "{row}");
        }
    }
}
