//! Text as Python reads and shows it: the hosted API hands form fields to
//! `int()` and `float()`, and quotes them with `repr()`.

use unicode_properties::{GeneralCategory, GeneralCategoryGroup, UnicodeGeneralCategory};

/// `int()` refuses text with more digits than this; leading zeros count.
const MAX_INT_DIGITS: usize = 4300;

/// Reads an integer of any size. The answer is what `str(int(text))` prints:
/// no leading zeros, no plus sign, no minus sign before zero.
pub(crate) fn int(text: &str) -> Option<String> {
    let text = to_ascii(text)?;
    let (sign, digits) = split_sign(text.trim());
    let digits = without_underscores(digits)?;
    if digits.is_empty() || digits.len() > MAX_INT_DIGITS || !digits.bytes().all(|b| b.is_ascii_digit()) {
        return None;
    }
    match digits.trim_start_matches('0') {
        "" => Some("0".to_owned()),
        value => Some(format!("{sign}{value}")),
    }
}

/// Reads a number, `inf` and `nan` among them. Rust's own grammar for numbers
/// equals Python's but for the space, the underscores and the digits of other
/// scripts.
pub(super) fn float(text: &str) -> Option<f64> {
    without_underscores(to_ascii(text)?.trim())?.parse().ok()
}

/// Brings space and decimal digits of any script to ASCII. `None` when any
/// other character remains: no number has one.
fn to_ascii(text: &str) -> Option<String> {
    text.chars().map(char_to_ascii).collect()
}

fn char_to_ascii(c: char) -> Option<char> {
    match c {
        _ if c.is_whitespace() => Some(' '),
        _ if c.is_ascii() => Some(c),
        _ => decimal_digit(c),
    }
}

/// Unicode lays out the decimal digits of a script as one run of ten, zero
/// first, and where runs touch (the mathematical digits) there are whole tens
/// before: so the place in the run gives the value.
fn decimal_digit(c: char) -> Option<char> {
    let is_decimal = |c: &char| c.general_category() == GeneralCategory::DecimalNumber;
    if !is_decimal(&c) {
        return None;
    }
    let before = ('\0'..c).rev().take_while(is_decimal).count();
    u32::try_from(before % 10).ok().and_then(|value| char::from_digit(value, 10))
}

fn split_sign(text: &str) -> (&'static str, &str) {
    match text.strip_prefix('-') {
        Some(rest) => ("-", rest),
        None => ("", text.strip_prefix('+').unwrap_or(text)),
    }
}

/// Drops underscores. `None` when one does not stand between two digits.
fn without_underscores(text: &str) -> Option<String> {
    let pieces: Vec<&str> = text.split('_').collect();
    let ends_in_digit = |piece: &&str| piece.ends_with(|c: char| c.is_ascii_digit());
    let starts_with_digit = |piece: &&str| piece.starts_with(|c: char| c.is_ascii_digit());
    let (_, all_but_first) = pieces.split_first()?;
    let (_, all_but_last) = pieces.split_last()?;
    (all_but_first.iter().all(starts_with_digit) && all_but_last.iter().all(ends_in_digit)).then(|| pieces.concat())
}

/// `repr(text)`: in single quotes, or in double ones where that saves escapes.
pub(crate) fn repr(text: &str) -> String {
    let quote = if text.contains('\'') && !text.contains('"') { '"' } else { '\'' };
    let inside: String = text.chars().map(|c| if c == quote { format!("\\{c}") } else { shown(c) }).collect();
    format!("{quote}{inside}{quote}")
}

fn shown(c: char) -> String {
    let number = u32::from(c);
    match c {
        '\n' => "\\n".to_owned(),
        '\r' => "\\r".to_owned(),
        '\t' => "\\t".to_owned(),
        '\\' => "\\\\".to_owned(),
        _ if is_printable(c) => c.to_string(),
        '\0'..='\u{ff}' => format!("\\x{number:02x}"),
        '\u{100}'..='\u{ffff}' => format!("\\u{number:04x}"),
        _ => format!("\\U{number:08x}"),
    }
}

/// `str.isprintable()`: all but control characters, unassigned code points and
/// separators other than the plain space.
fn is_printable(c: char) -> bool {
    let group = c.general_category_group();
    c == ' ' || !matches!(group, GeneralCategoryGroup::Other | GeneralCategoryGroup::Separator)
}

/// `repr(value)` of a float whose magnitude is at least 1, or no number.
pub(super) fn float_repr(value: f64) -> String {
    if value.is_nan() {
        return "nan".to_owned();
    }
    let shortest = format!("{value:?}");
    match shortest.split_once('.') {
        Some((_, decimals)) if !decimals.contains('e') => half_to_even(value, decimals.len()).unwrap_or(shortest),
        // Both turn to exponents at 1e16; only Python writes the plus sign.
        _ => shortest.replace('e', "e+"),
    }
}

/// Where two shortest texts are equally near to the value, Python takes the
/// even digit and Rust the greater. Rust's rounding to a number of decimals
/// takes the even one too, but may miss the value beside a power of two.
fn half_to_even(value: f64, decimals: usize) -> Option<String> {
    let text = format!("{value:.decimals$}");
    (text.parse() == Ok(value)).then_some(text)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Each value is what Python 3.11 printed for `repr(text)`. NUL cannot
    /// pass through a C string, so the shared vectors do without it.
    #[test]
    fn texts_are_shown_as_python_shows_them() {
        for (text, shown) in [
            ("\0", r"'\x00'"),
            ("\u{7f}\u{9f}\u{a0}\u{ad}", r"'\x7f\x9f\xa0\xad'"),
            ("it's", r#""it's""#),
            ("it's \"5\"", r#"'it\'s "5"'"#),
            ("\u{ffff}\u{10ffff}", r"'\uffff\U0010ffff'"),
        ] {
            assert_eq!(repr(text), shown);
        }
    }
}
