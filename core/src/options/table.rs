//! The one table of options. Readers of text, the command line's flags and the
//! documentation all take them from here, so that a new option is one row.

use super::spec::{OptionKind, OptionSpec};
use super::values::{angle, background, boolean, choice, quality, side, threshold};
use super::{Compression, Format, MAX_ANGLE, MAX_QUALITY, MAX_SIDE, regions};
use crate::options::cutout::{Flat, Matting, Preset};

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
        help: "Fill the background with this colour of sRGB, the corners that rotation opened too. Not together with mask.",
        read: |options, text| background(text).map(|color| options.bg_color = color),
    },
    OptionSpec {
        key: "quality",
        kind: OptionKind::Integer,
        default: "unset",
        range: "1 to 100",
        bounds: Some((1.0, MAX_QUALITY as f64)),
        help: "How true JPEG and WebP are to the colours: 1 is the smallest file, 100 the truest. Unset, it is 90 for \
               JPEG and 80 for WebP.",
        read: |options, text| quality(text).map(|quality| options.quality = quality),
    },
    OptionSpec {
        key: "compression",
        kind: OptionKind::Choice,
        default: "default",
        range: "fast, default, small",
        bounds: None,
        help: "How long PNG and WebP work for a smaller file.",
        read: |options, text| {
            let words = Compression::ALL.map(|each| (each, each.name()));
            choice("compression", &words, text).map(|compression| options.compression = compression)
        },
    },
    OptionSpec {
        key: "preset",
        kind: OptionKind::Choice,
        default: "balanced",
        range: "fast, balanced, best",
        bounds: None,
        help: "How much work goes into the subject and its edges, where refine is on. The model sees the picture once \
               with fast; with balanced the bundled one sees it in two ways, and a third time where the subject is \
               small or in doubt; with best any model sees it up to eight times.",
        read: |options, text| {
            let words = Preset::ALL.map(|each| (each, each.name()));
            choice("preset", &words, text).map(|preset| options.cut_out.preset = preset)
        },
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
        read: |options, text| {
            let words = Flat::ALL.map(|each| (each, each.name()));
            choice("flat", &words, text).map(|flat| options.cut_out.flat = flat)
        },
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
               or where a thing is found but faintly, makes the thing around it subject. With boxes the model sees what is around them alone.",
        read: |options, text| regions::read("keep", text).map(|keep| options.cut_out.prompts.keep = keep),
    },
    OptionSpec {
        key: "drop",
        kind: OptionKind::Regions,
        default: "unset",
        range: REGIONS,
        bounds: None,
        help: "What to drop: things at points, and all in boxes. A thing with points of both kinds is divided \
               halfway between them, along edges where there are any; more points make the cut surer.",
        read: |options, text| regions::read("drop", text).map(|drop| options.cut_out.prompts.drop = drop),
    },
    OptionSpec {
        key: "smooth_mask",
        kind: OptionKind::Boolean,
        default: "false",
        range: BOOLEAN,
        bounds: None,
        help: "Make the mask hard with smooth outlines: every pixel subject or background, before it is resized or turned.",
        read: |options, text| boolean(text, false).map(|on| options.cut_out.smooth_mask = on),
    },
    OptionSpec {
        key: "invert_mask",
        kind: OptionKind::Boolean,
        default: "false",
        range: BOOLEAN,
        bounds: None,
        help: "Keep the background, and cut the subject out of it. keep and drop tell what that subject is.",
        read: |options, text| boolean(text, false).map(|on| options.cut_out.invert_mask = on),
    },
    OptionSpec {
        key: "keep_colors",
        kind: OptionKind::Boolean,
        default: "false",
        range: BOOLEAN,
        bounds: None,
        help: "Keep the picture's colours also where the result is fully transparent. Without it they are black there, but \
               for a few pixels beyond the edge, which have the subject's colour.",
        read: |options, text| boolean(text, false).map(|on| options.cut_out.keep_colors = on),
    },
    OptionSpec {
        key: "keep_alpha",
        kind: OptionKind::Boolean,
        default: "false",
        range: BOOLEAN,
        bounds: None,
        help: "Keep an alpha channel, 255 throughout, also on an opaque bg_color. JPEG has none, and WebP leaves out one that is \
               opaque.",
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::options::Options;
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
    fn a_choice_is_a_word_of_its_range_in_any_case() {
        for spec in OPTIONS.iter().filter(|spec| spec.kind == OptionKind::Choice) {
            let read = |text: &str| Options::from_pairs([(spec.key, text)]);
            for words in spec.choices() {
                let other = read(words[0]).expect("it is accepted") != Options::default();
                assert_eq!(other, words[0] != spec.default, "{}={}", spec.key, words[0]);
                let same = |word: &&str| read(&format!(" {} ", word.to_uppercase())).ok() == read(words[0]).ok();
                assert!(words.iter().all(same), "{}={words:?}", spec.key);
            }
            let refused = read("good").expect_err("it is no such word").message().to_owned();
            assert!(refused.contains("'good'"), "{refused}");
        }
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
