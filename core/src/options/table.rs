//! The one table of options. Readers of text, the command line's flags and the
//! documentation all take them from here, so that a new option is one row.

use super::{Color, Format, MAX_ANGLE, MAX_SIDE, Options, checks, python, regions};
use crate::error::Problem;
use crate::options::cutout::{Flat, Matting, Quality};

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
    /// A word, a whole number, or both.
    Quality,
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
            Self::Quality => "choice, integer",
            Self::Regions => "points, boxes",
        }
    }
}

const REGIONS: &str = "points as x,y and boxes as left,top,right,bottom, in pixels of the upright picture, \
                       with spaces between them";
const BOOLEAN: &str = "true, 1, yes or on is true, anything else false";

/// Every option. Errors are reported in the order of these rows.
pub const OPTIONS: &[OptionSpec] = &[
    OptionSpec {
        key: "w",
        kind: OptionKind::Integer,
        default: "unset",
        range: "1 to 10000; 0 is unset",
        bounds: Some((0.0, MAX_SIDE as f64)),
        help: "Width of the result in pixels, before rotation. Alone it keeps the aspect ratio; \
               with h the result fits inside w × h.",
        read: |options, text| side("w", text).map(|w| options.w = w),
    },
    OptionSpec {
        key: "h",
        kind: OptionKind::Integer,
        default: "unset",
        range: "1 to 10000; 0 is unset",
        bounds: Some((0.0, MAX_SIDE as f64)),
        help: "Height of the result in pixels, before rotation. Alone it keeps the aspect ratio; \
               with w the result fits inside w × h.",
        read: |options, text| side("h", text).map(|h| options.h = h),
    },
    OptionSpec {
        key: "exact_resize",
        kind: OptionKind::Boolean,
        default: "false",
        range: BOOLEAN,
        bounds: None,
        help: "With both w and h, make the result exactly w × h, even where that distorts it.",
        read: |options, text| boolean(text, false).map(|on| options.exact_resize = on),
    },
    OptionSpec {
        key: "angle",
        kind: OptionKind::Number,
        default: "0",
        range: "-360 to 360",
        bounds: Some((-MAX_ANGLE, MAX_ANGLE)),
        help: "Turn the result by this many degrees, counter-clockwise, after resizing it.",
        read: |options, text| angle(text).map(|angle| options.angle = angle),
    },
    OptionSpec {
        key: "expand",
        kind: OptionKind::Boolean,
        default: "true",
        range: BOOLEAN,
        bounds: None,
        help: "Let a turned result grow until nothing of it is cropped. \
               Without it the size stays and the corners are cut off.",
        read: |options, text| boolean(text, true).map(|on| options.expand = on),
    },
    OptionSpec {
        key: "format",
        kind: OptionKind::Choice,
        default: "webp",
        range: "webp, png, jpeg (or jpg), bmp",
        bounds: None,
        help: "Format of the result. JPEG has no transparency and is put on white unless bg_color is given.",
        read: |options, text| Format::read(text).map(|format| options.format = format),
    },
    OptionSpec {
        key: "mask",
        kind: OptionKind::Boolean,
        default: "false",
        range: BOOLEAN,
        bounds: None,
        help: "Return only the mask: white subject, black background, soft edges. Not together with bg_color.",
        read: |options, text| boolean(text, false).map(|on| options.mask = on),
    },
    OptionSpec {
        key: "bg_color",
        kind: OptionKind::Color,
        default: "unset",
        range: "#RGB, #RGBA, #RRGGBB, #RRGGBBAA or a CSS colour name",
        bounds: None,
        help: "Fill the background with this colour, the corners that rotation opened too. Not together with mask.",
        read: |options, text| background(text).map(|color| options.bg_color = color),
    },
    OptionSpec {
        key: "quality",
        kind: OptionKind::Quality,
        default: "balanced",
        range: "fast, balanced, best; a number from 1 to 100; or both, as best,80",
        bounds: None,
        help: "The word is how much work goes into the subject and its edges, where refine is on; fast is one look of \
               the model, balanced three of the bundled one, best five of any. The number is how true JPEG and WebP are to the colours: 90 and 80 without it.",
        read: quality,
    },
    OptionSpec {
        key: "refine",
        kind: OptionKind::Boolean,
        default: "true",
        range: BOOLEAN,
        bounds: None,
        help: "Lay the mask's edge onto the picture's own. Without it the mask is the model's, as rembg has it, \
               and a mask that is brought is taken as it is.",
        read: |options, text| boolean(text, true).map(|on| options.cut_out.refine = on),
    },
    OptionSpec {
        key: "flat",
        kind: OptionKind::Choice,
        default: "auto",
        range: "auto, on, off",
        bounds: None,
        help: "Where the picture's border has one colour, let the alpha follow from the distance to that colour, and \
               cut out holes. auto does so for logos, icons and line drawings, on for any picture, such as a product \
               on white. Not of a mask that is brought, or without refine.",
        read: |options, text| flat(text).map(|flat| options.cut_out.flat = flat),
    },
    OptionSpec {
        key: "decontaminate",
        kind: OptionKind::Boolean,
        default: "true",
        range: BOOLEAN,
        bounds: None,
        help: "Take the old background's colour out of soft edges, so that no fringe of it shows on a new one.",
        read: |options, text| boolean(text, true).map(|on| options.cut_out.decontaminate = on),
    },
    OptionSpec {
        key: "matting",
        kind: OptionKind::Boolean,
        default: "false",
        range: BOOLEAN,
        bounds: None,
        help: "Solve for the alpha and the subject's colours along the edge (closed-form matting): \
               seconds for a large picture.",
        read: |options, text| boolean(text, false).map(|on| options.cut_out.matting = on.then(Matting::default)),
    },
    OptionSpec {
        key: "matting_foreground_threshold",
        kind: OptionKind::Integer,
        default: "240",
        range: "a whole number; 0 to 254 is useful",
        bounds: None,
        help: "With matting, surely subject is where the mask is greater than this.",
        read: |options, text| {
            threshold(options, "matting_foreground_threshold", text, |matting| &mut matting.foreground_threshold)
        },
    },
    OptionSpec {
        key: "matting_background_threshold",
        kind: OptionKind::Integer,
        default: "10",
        range: "a whole number; 1 to 255 is useful",
        bounds: None,
        help: "With matting, surely background is where the mask is less than this.",
        read: |options, text| {
            threshold(options, "matting_background_threshold", text, |matting| &mut matting.background_threshold)
        },
    },
    OptionSpec {
        key: "matting_erode_size",
        kind: OptionKind::Integer,
        default: "10",
        range: "a whole number",
        bounds: None,
        help: "With matting, side in pixels of the square by which both are eroded; what lies between is solved.",
        read: |options, text| threshold(options, "matting_erode_size", text, |matting| &mut matting.erode_size),
    },
    OptionSpec {
        key: "trimap",
        kind: OptionKind::Boolean,
        default: "false",
        range: BOOLEAN,
        bounds: None,
        help: "The mask that is brought is a trimap: black is background, white is subject, and between them \
               the alpha is solved as by matting.",
        read: |options, text| boolean(text, false).map(|on| options.cut_out.trimap = on),
    },
    OptionSpec {
        key: "clean_mask",
        kind: OptionKind::Boolean,
        default: "false",
        range: BOOLEAN,
        bounds: None,
        help: "Remove small stray islands from the mask and fill its pinholes. A second subject stays, \
               and so does a hole through which the background is seen.",
        read: |options, text| boolean(text, false).map(|on| options.cut_out.clean_mask = on),
    },
    OptionSpec {
        key: "keep",
        kind: OptionKind::Regions,
        default: "unset",
        range: REGIONS,
        bounds: None,
        help: "What to keep. Of what is found the things at points and in boxes stay; a point on background, \
               or where a thing is found but faintly, makes the thing around it subject. With boxes the model looks at what is around them alone.",
        read: |options, text| regions::read("keep", text).map(|keep| options.cut_out.hints.keep = keep),
    },
    OptionSpec {
        key: "drop",
        kind: OptionKind::Regions,
        default: "unset",
        range: REGIONS,
        bounds: None,
        help: "What to drop: things at points, and all in boxes. A thing with points of both kinds is divided \
               halfway between them, along edges where there are any; more points make the cut surer.",
        read: |options, text| regions::read("drop", text).map(|drop| options.cut_out.hints.drop = drop),
    },
    OptionSpec {
        key: "smooth_mask",
        kind: OptionKind::Boolean,
        default: "false",
        range: BOOLEAN,
        bounds: None,
        help: "Make the mask hard with smooth outlines: every pixel subject or background.",
        read: |options, text| boolean(text, false).map(|on| options.cut_out.smooth_mask = on),
    },
    OptionSpec {
        key: "invert_mask",
        kind: OptionKind::Boolean,
        default: "false",
        range: BOOLEAN,
        bounds: None,
        help: "Keep the background, and cut the subject out of it.",
        read: |options, text| boolean(text, false).map(|on| options.cut_out.invert_mask = on),
    },
    OptionSpec {
        key: "keep_colors",
        kind: OptionKind::Boolean,
        default: "false",
        range: BOOLEAN,
        bounds: None,
        help: "Keep the picture's colours also where the result is fully transparent. Without it they are black there.",
        read: |options, text| boolean(text, false).map(|on| options.cut_out.keep_colors = on),
    },
    OptionSpec {
        key: "keep_alpha",
        kind: OptionKind::Boolean,
        default: "false",
        range: BOOLEAN,
        bounds: None,
        help: "Keep an alpha channel, 255 throughout, also on an opaque bg_color.",
        read: |options, text| boolean(text, false).map(|on| options.cut_out.keep_alpha = on),
    },
];

/// The table as Markdown, for docs/options.md.
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

/// A word, a number, or both with a comma or space between them, in any order.
fn quality(options: &mut Options, text: &str) -> Result<(), Problem> {
    let (mut word, mut encoder) = (Quality::default(), None);
    for part in text.split(|c: char| c == ',' || c.is_whitespace()).filter(|part| !part.is_empty()) {
        let named = Quality::ALL.into_iter().find(|quality| part.eq_ignore_ascii_case(quality.name()));
        match (named, python::int(part)) {
            (Some(named), _) => word = named,
            (None, Some(number)) => encoder = Some(checks::encoder_quality(&number)?),
            (None, None) => return Err(checks::invalid_quality(text)),
        }
    }
    (options.cut_out.quality, options.encoder_quality) = (word, encoder);
    Ok(())
}

/// Empty text is the default.
fn flat(text: &str) -> Result<Flat, Problem> {
    let named = Flat::ALL.into_iter().find(|flat| text.trim().eq_ignore_ascii_case(flat.name()));
    if text.trim().is_empty() { Ok(Flat::Auto) } else { named.ok_or_else(|| checks::invalid_flat(text)) }
}

/// Text of a whole number, as near as 64 bits come to it; empty is unset.
fn threshold(options: &mut Options, key: &str, text: &str, of: fn(&mut Matting) -> &mut i64) -> Result<(), Problem> {
    if text.trim().is_empty() {
        return Ok(());
    }
    let number = python::int(text).ok_or_else(|| checks::not_an_integer(key, text))?;
    let bound = if number.starts_with('-') { i64::MIN } else { i64::MAX };
    if let Some(matting) = &mut options.cut_out.matting {
        *of(matting) = number.parse().unwrap_or(bound);
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::options::cutout::CutOut;

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
        for (spec, (low, high)) in OPTIONS.iter().filter_map(|spec| Some((spec, spec.bounds?))) {
            for (number, fits) in [(low - 1.0, false), (low, true), (high, true), (high + 1.0, false)] {
                let read = Options::from_pairs([(spec.key, number.to_string())]);
                assert_eq!(read.is_ok(), fits, "{}={number}", spec.key);
            }
        }
    }

    #[test]
    fn the_range_column_lists_every_format() {
        let words: Vec<&str> = row("format").range.split([' ', ',', '(', ')']).collect();
        for name in Format::ALL.iter().flat_map(|format| [format.name(), format.extension()]) {
            assert!(words.contains(&name), "{name}");
        }
    }

    fn cut_out(pairs: &[(&str, &str)]) -> CutOut {
        Options::from_pairs(pairs.iter().copied()).expect("it is accepted").cut_out
    }

    #[test]
    fn a_quality_is_a_word_a_number_or_both() {
        let read = |text: &str| {
            let options = Options::from_pairs([("quality", text)]).expect("it is accepted");
            (options.cut_out.quality, options.encoder_quality)
        };
        for quality in Quality::ALL {
            assert!(row("quality").range.contains(quality.name()));
            assert_eq!(read(quality.name()), (quality, None));
        }
        assert_eq!(read("80"), (Quality::Balanced, Some(80)));
        for both in ["best,80", " 80, Best\n", "BEST\t80"] {
            assert_eq!(read(both), (Quality::Best, Some(80)), "{both}");
        }
        let message =
            |text: &str| Options::from_pairs([("quality", text)]).expect_err("it is wrong").message().to_owned();
        assert_eq!(message("good"), "'quality' must be fast, balanced, best or a number from 1 to 100, got: 'good'");
        assert_eq!(message("best,101"), "'quality' must be at most 100, got: 101");
        assert_eq!(message("80.5"), "'quality' must be fast, balanced, best or a number from 1 to 100, got: '80.5'");
    }

    #[test]
    fn thresholds_count_with_matting_alone_and_bear_any_whole_number() {
        let sizes = [("matting_erode_size", "99999999999999999999"), ("matting_background_threshold", "-1")];
        assert_eq!(cut_out(&sizes), CutOut::default());
        let all = [sizes[0], sizes[1], ("matting", "on"), ("matting_foreground_threshold", "")];
        let expected = Matting { foreground_threshold: 240, background_threshold: -1, erode_size: i64::MAX };
        assert_eq!(cut_out(&all).matting, Some(expected));
        let wrong = Options::from_pairs([("matting_erode_size", "ten")]).expect_err("it is no number");
        assert_eq!(wrong.message(), "'matting_erode_size' must be an integer, got: 'ten'");
    }

    #[test]
    fn every_switch_is_off_or_on_as_its_row_says() {
        for spec in OPTIONS.iter().filter(|spec| spec.kind == OptionKind::Boolean) {
            let (usual, other) = (spec.default, if spec.default == "true" { "off" } else { "on" });
            let read = |text: &str| Options::from_pairs([(spec.key, text)]).expect("no text is refused");
            assert_eq!(read(usual), Options::default(), "{}", spec.key);
            assert_ne!(read(other), Options::default(), "{}", spec.key);
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
