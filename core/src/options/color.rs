//! Background colours: hex as in CSS, and the names of CSS.

use std::str::FromStr;

use super::{checks, named_colors::NAMED_COLORS};
use crate::error::{Error, Problem};

/// A colour in sRGB with straight (not premultiplied) alpha, 0 ..= 255 each.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Color {
    /// Red.
    pub r: u8,
    /// Green.
    pub g: u8,
    /// Blue.
    pub b: u8,
    /// Opacity: 0 is transparent, 255 opaque.
    pub a: u8,
}

impl Color {
    /// Opaque white.
    pub const WHITE: Self = Self { r: 255, g: 255, b: 255, a: 255 };

    pub(super) fn read(text: &str) -> Result<Self, Problem> {
        let color = match text.strip_prefix('#') {
            Some(digits) => from_hex(digits),
            None => from_name(text),
        };
        color.ok_or_else(|| checks::invalid_color(text))
    }
}

/// Reads `#RGB`, `#RGBA`, `#RRGGBB`, `#RRGGBBAA` or a CSS name, any case,
/// without space around it. Fails with
/// [`Code::InvalidColor`](crate::Code::InvalidColor).
impl FromStr for Color {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self, Error> {
        Self::read(text).map_err(Error::from)
    }
}

fn from_hex(digits: &str) -> Option<Color> {
    let digits: Vec<u8> = digits.chars().map(hex_digit).collect::<Option<_>>()?;
    match digits[..] {
        // One digit stands for two equal ones, so #f80 is #ff8800.
        [r, g, b] => Some(Color { r: r * 17, g: g * 17, b: b * 17, a: 255 }),
        [r, g, b, a] => Some(Color { r: r * 17, g: g * 17, b: b * 17, a: a * 17 }),
        [r, s, g, h, b, c] => Some(Color { r: r * 16 + s, g: g * 16 + h, b: b * 16 + c, a: 255 }),
        [r, s, g, h, b, c, a, d] => Some(Color { r: r * 16 + s, g: g * 16 + h, b: b * 16 + c, a: a * 16 + d }),
        _ => None,
    }
}

fn hex_digit(digit: char) -> Option<u8> {
    digit.to_digit(16).and_then(|value| u8::try_from(value).ok())
}

fn from_name(name: &str) -> Option<Color> {
    if name.eq_ignore_ascii_case("transparent") {
        return Some(Color { r: 0, g: 0, b: 0, a: 0 });
    }
    let (_, rgb) = NAMED_COLORS.iter().find(|(known, _)| name.eq_ignore_ascii_case(known))?;
    let [_, r, g, b] = rgb.to_be_bytes();
    Some(Color { r, g, b, a: 255 })
}
