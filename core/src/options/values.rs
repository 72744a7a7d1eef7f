//! Values of options out of text. Empty text is an option that is not set.

use super::{Color, Options, checks, python};
use crate::error::Problem;
use crate::options::cutout::Matting;

pub(super) fn side(key: &str, text: &str) -> Result<Option<u32>, Problem> {
    if text.is_empty() {
        return Ok(None);
    }
    let number = python::int(text).ok_or_else(|| checks::not_an_integer(key, text))?;
    checks::side_in_range(key, &number)
}

/// No text is refused, so a row reads the same whatever its type.
pub(super) fn boolean(text: &str, default: bool) -> Result<bool, Problem> {
    let word = text.trim();
    if word.is_empty() {
        return Ok(default);
    }
    Ok(["true", "1", "yes", "on"].iter().any(|yes| word.eq_ignore_ascii_case(yes)))
}

pub(super) fn angle(text: &str) -> Result<f64, Problem> {
    let degrees = python::float(text).ok_or_else(|| checks::not_a_number("angle", text))?;
    checks::angle_in_range(degrees)
}

pub(super) fn background(text: &str) -> Result<Option<Color>, Problem> {
    if text.is_empty() { Ok(None) } else { Color::read(text).map(Some) }
}

/// Empty text is unset.
pub(super) fn quality(text: &str) -> Result<Option<u8>, Problem> {
    if text.trim().is_empty() {
        return Ok(None);
    }
    let number = python::int(text).ok_or_else(|| checks::not_an_integer("quality", text))?;
    checks::quality_in_range(&number).map(Some)
}

/// One of these words, in any case. Empty text is the default.
pub(super) fn choice<T: Copy + Default>(key: &str, words: &[(T, &str)], text: &str) -> Result<T, Problem> {
    let text_is = |word: &str| text.trim().eq_ignore_ascii_case(word);
    if text_is("") {
        return Ok(T::default());
    }
    let names = || words.iter().map(|(_, word)| *word).collect::<Vec<_>>();
    let named = words.iter().find(|(_, word)| text_is(word));
    named.map(|(value, _)| *value).ok_or_else(|| checks::invalid_choice(key, &names(), text))
}

/// Text of a whole number, as near as 64 bits come to it; empty is unset.
pub(super) fn threshold(
    options: &mut Options,
    key: &str,
    text: &str,
    of: fn(&mut Matting) -> &mut i64,
) -> Result<(), Problem> {
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
