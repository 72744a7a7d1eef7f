//! What is refused, in the contract's words: out of range, or at odds with
//! another option.

use std::fmt::Display;

use super::{MAX_ANGLE, MAX_QUALITY, MAX_SIDE, OPTIONS, Options, python};
use crate::error::{Code, Problem};

/// Every problem of typed values, in the order in which they are reported.
pub(crate) fn validate(options: &Options) -> Vec<Problem> {
    let sides = [("w", options.w), ("h", options.h)];
    let sides = sides.into_iter().filter_map(|(key, side)| side_in_range(key, &side?.to_string()).err());
    let angle = angle_in_range(options.angle).err();
    let quality = options.quality.and_then(|quality| quality_in_range(&quality.to_string()).err());
    sides
        .chain(angle)
        .chain(mask_with_color(options.mask, options.bg_color.is_some()))
        .chain(quality)
        .chain(options.cut_out.prompts.validate())
        .collect()
}

/// Brings the problems of a request into the order in which they are reported:
/// the options as the table lists them, then unknown keys. Problems of the same
/// field keep their order.
pub(super) fn sort_problems(problems: &mut [Problem]) {
    let row = |problem: &Problem| OPTIONS.iter().position(|spec| spec.key == problem.field);
    problems.sort_by_key(|problem| row(problem).unwrap_or(OPTIONS.len()));
}

/// Checks a side that [`python::int`] wrote out; zero is unset.
pub(super) fn side_in_range(key: &str, side: &str) -> Result<Option<u32>, Problem> {
    match side.parse() {
        Ok(0) => Ok(None),
        Ok(pixels) if pixels <= MAX_SIDE => Ok(Some(pixels)),
        _ if side.starts_with('-') => Err(too_small(key, side)),
        _ => Err(too_large(key, MAX_SIDE, side)),
    }
}

pub(super) fn angle_in_range(angle: f64) -> Result<f64, Problem> {
    if angle.abs() <= MAX_ANGLE {
        return Ok(angle);
    }
    let got = python::float_repr(angle);
    let message = format!("'angle' must be between -{MAX_ANGLE} and {MAX_ANGLE} degrees, got: {got}");
    Err(Problem::with_message("angle", Code::AngleOutOfRange, message))
}

/// Reads a whole number from 1 to `most` as the hosted API reads one.
///
/// ```
/// assert_eq!(remrembg::read_integer("month", " 12 ", 12).map_err(|problem| problem.message), Ok(12));
/// let problem = remrembg::read_integer("month", "13", 12).expect_err("there is no such month");
/// assert_eq!((&*problem.field, &*problem.message), ("month", "'month' must be at most 12, got: 13"));
/// ```
///
/// # Errors
/// What is wrong, in that API's words, with `key` as the field.
pub fn read_integer(key: &str, text: &str, most: u64) -> Result<u64, Problem> {
    let number = python::int(text).ok_or_else(|| not_an_integer(key, text))?;
    positive(key, &number, most)
}

/// Checks a number that [`python::int`] wrote out.
fn positive(key: &str, number: &str, most: u64) -> Result<u64, Problem> {
    match number.parse() {
        Ok(0) => Err(too_small(key, number)),
        Ok(value) if value <= most => Ok(value),
        _ if number.starts_with('-') => Err(too_small(key, number)),
        _ => Err(too_large(key, most, number)),
    }
}

/// Checks the quality of a lossy encoder that [`python::int`] wrote out.
pub(super) fn quality_in_range(quality: &str) -> Result<u8, Problem> {
    positive("quality", quality, MAX_QUALITY.into()).map(|quality| quality as u8)
}

pub(super) fn invalid_choice(key: &str, words: &[&str], text: &str) -> Problem {
    let message = format!("'{key}' must be one of {}, got: {}", words.join(", "), python::repr(text));
    Problem::with_message(key, Code::InvalidChoice, message)
}

/// A mask has no background to fill. A colour counts once it is given, be it
/// valid or not.
pub(super) fn mask_with_color(mask: bool, color_given: bool) -> Option<Problem> {
    (mask && color_given).then(|| Problem::new("bg_color", Code::MaskWithBgColor))
}

pub(super) fn not_an_integer(key: &str, text: &str) -> Problem {
    let message = format!("'{key}' must be an integer, got: {}", python::repr(text));
    Problem::with_message(key, Code::NotAnInteger, message)
}

pub(super) fn not_a_number(key: &str, text: &str) -> Problem {
    let message = format!("'{key}' must be a number, got: {}", python::repr(text));
    Problem::with_message(key, Code::NotANumber, message)
}

pub(super) fn invalid_format(text: &str) -> Problem {
    let message = format!("Invalid format '{text}'. Allowed formats: PNG, JPEG, WEBP, BMP");
    Problem::with_message("format", Code::InvalidFormat, message)
}

pub(super) fn invalid_color(text: &str) -> Problem {
    let message = format!("Invalid color format '{text}'. Use hex format: #RGB, #RGBA, #RRGGBB, or #RRGGBBAA");
    Problem::with_message("bg_color", Code::InvalidColor, message)
}

pub(super) fn unknown_option(key: &str) -> Problem {
    let known: Vec<&str> = OPTIONS.iter().map(|spec| spec.key).collect();
    let message = format!("Unknown option {}. Known options: {}", python::repr(key), known.join(", "));
    Problem::with_message(key, Code::UnknownOption, message)
}

fn too_small(key: &str, got: impl Display) -> Problem {
    Problem::with_message(key, Code::TooSmall, format!("'{key}' must be at least 1, got: {got}"))
}

fn too_large(key: &str, most: impl Display, got: impl Display) -> Problem {
    Problem::with_message(key, Code::TooLarge, format!("'{key}' must be at most {most}, got: {got}"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::options::Color;

    fn messages(options: &Options) -> Vec<String> {
        validate(options).into_iter().map(|problem| problem.message).collect()
    }

    #[test]
    fn typed_values_are_refused_in_the_words_of_text() {
        let options = Options {
            w: Some(20_000),
            h: Some(10_001),
            angle: f64::NAN,
            mask: true,
            bg_color: Some(Color::WHITE),
            ..Options::default()
        };
        let expected = [
            "'w' must be at most 10000, got: 20000",
            "'h' must be at most 10000, got: 10001",
            "'angle' must be between -360 and 360 degrees, got: nan",
            "Cannot use 'mask=true' together with 'bg_color'. Choose one or the other.",
        ];
        assert_eq!(messages(&options), expected);
    }

    #[test]
    fn typed_values_at_the_ends_of_their_ranges_are_fine() {
        for (side, angle) in [(0, -360.0), (1, 360.0), (10_000, -0.0)] {
            let options = Options { w: Some(side), h: Some(side), angle, ..Options::default() };
            assert_eq!(messages(&options), Vec::<String>::new());
        }
    }

    #[test]
    fn an_encoders_quality_is_1_to_100_whatever_number_comes() {
        let refused = |quality| quality_in_range(quality).expect_err("out of range").message;
        assert_eq!(["1", "100"].map(|quality| quality_in_range(quality).ok()), [Some(1), Some(100)]);
        assert_eq!(refused("101"), "'quality' must be at most 100, got: 101");
        assert_eq!(refused("9223372036854775808"), "'quality' must be at most 100, got: 9223372036854775808");
        assert_eq!(refused("0"), "'quality' must be at least 1, got: 0");
        assert_eq!(refused("-300"), "'quality' must be at least 1, got: -300");
        let typed = Options { quality: Some(101), ..Options::default() };
        assert_eq!(messages(&typed), ["'quality' must be at most 100, got: 101"]);
    }

    #[test]
    fn options_come_as_in_the_table_and_unknown_ones_last() {
        let fields = ["zoom", "quality", "bg_color", "format", "angle", "h", "w"];
        let problem = |field| match field {
            "zoom" => unknown_option(field),
            _ => Problem::new(field, Code::CorruptImage),
        };
        let mut problems: Vec<Problem> = fields.into_iter().map(problem).collect();
        sort_problems(&mut problems);
        let sorted: Vec<&str> = problems.iter().map(|problem| problem.field.as_str()).collect();
        assert_eq!(sorted, ["w", "h", "angle", "format", "bg_color", "quality", "zoom"]);
    }
}
