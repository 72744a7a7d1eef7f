//! `Content-Disposition` of a part of a form, by RFC 7578 and RFC 6266.
//!
//! The parser of forms reads names in UTF-8 alone and no `filename*`; a picture whose name is another would
//! pass for text.

use std::borrow::Cow;

use percent_encoding::percent_decode;

/// The field and, of a file, its name.
#[derive(Debug, PartialEq, Eq, Default)]
pub(crate) struct Disposition {
    pub(crate) name: String,
    pub(crate) file_name: Option<String>,
}

impl Disposition {
    /// Reads what can be read; of two parameters with the same name the first counts.
    pub(crate) fn read(header: &[u8]) -> Self {
        let (mut name, mut file_name, mut extended) = (None, None, None);
        let mut rest = header.iter().position(|byte| *byte == b';').map_or(&[][..], |start| &header[start + 1..]);
        while !rest.is_empty() {
            let (key, value, next) = parameter(rest);
            let slot = match key.to_ascii_lowercase().as_slice() {
                b"name" => Some(&mut name),
                b"filename" => Some(&mut file_name),
                b"filename*" => Some(&mut extended),
                _ => None,
            };
            if let Some(slot @ None) = slot {
                *slot = Some(value.into_owned());
            }
            rest = next;
        }
        // The extended one counts more, by RFC 6266: .NET sends a plain one beside it that is no name of a picture.
        let extended = extended.map(|value| decoded(&value)).filter(|name| !name.is_empty());
        let file_name = extended.or_else(|| file_name.map(text));
        Self { name: name.map(text).unwrap_or_default(), file_name }
    }
}

/// The first parameter, and what follows the semicolon behind it.
fn parameter(bytes: &[u8]) -> (&[u8], Cow<'_, [u8]>, &[u8]) {
    let end = bytes.iter().position(|byte| matches!(byte, b'=' | b';')).unwrap_or(bytes.len());
    let (key, rest) = (bytes[..end].trim_ascii(), &bytes[end..]);
    let Some(value) = rest.strip_prefix(b"=").map(<[u8]>::trim_ascii_start) else {
        return (key, Cow::default(), rest.get(1..).unwrap_or_default());
    };
    let Some(quoted) = value.strip_prefix(b"\"") else {
        let end = value.iter().position(|byte| *byte == b';').unwrap_or(value.len());
        return (key, value[..end].trim_ascii().into(), value.get(end + 1..).unwrap_or_default());
    };
    let (text, rest) = unquoted(quoted);
    let next = rest.iter().position(|byte| *byte == b';').map_or(&[][..], |semicolon| &rest[semicolon + 1..]);
    (key, text.into(), next)
}

/// The text up to the closing quote, and what follows that. Browsers leave a backslash as it is, so only one before
/// a quote is taken away.
fn unquoted(bytes: &[u8]) -> (Vec<u8>, &[u8]) {
    let mut text = Vec::new();
    let mut at = 0;
    while let Some(byte) = bytes.get(at) {
        match byte {
            b'"' => return (text, &bytes[at + 1..]),
            b'\\' if bytes.get(at + 1) == Some(&b'"') => at += 1,
            _ => {}
        }
        text.push(bytes[at]);
        at += 1;
    }
    (text, &[])
}

/// UTF-8, or else ISO 8859-1, as older clients send it.
fn text(bytes: Vec<u8>) -> String {
    String::from_utf8(bytes).unwrap_or_else(|error| error.as_bytes().iter().map(|byte| char::from(*byte)).collect())
}

/// `charset'language'text` of RFC 8187, the text percent-encoded.
fn decoded(value: &[u8]) -> String {
    let encoded = value.splitn(3, |byte| *byte == b'\'').nth(2).unwrap_or(value);
    text(percent_decode(encoded).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn field_and_file_are_found_however_they_are_written() {
        let cases: [(&[u8], &str, Option<&str>); 16] = [
            (b"form-data; name=\"image\"; filename=\"a.png\"", "image", Some("a.png")),
            (b"form-data;name=image;filename=a.png", "image", Some("a.png")),
            (b"form-data; filename=\"a.png\"; name=\"image\"", "image", Some("a.png")),
            (b"form-data; Name=\"image\" ; FileName = \"a b.png\"", "image", Some("a b.png")),
            (b"form-data; name=\"w\"", "w", None),
            (b"form-data; name=\"image\"; filename=\"\"", "image", Some("")),
            (b"form-data; name=\"image\"; filename=\"\xe4.png\"", "image", Some("\u{e4}.png")),
            ("form-data; name=\"image\"; filename=\"\u{e4}.png\"".as_bytes(), "image", Some("\u{e4}.png")),
            (b"form-data; name=\"image\"; filename*=UTF-8''%E2%82%AC%20.png", "image", Some("\u{20ac} .png")),
            (b"form-data; filename*=UTF-8''b.png; name=\"image\"; filename=\"a.png\"", "image", Some("b.png")),
            (
                b"form-data; name=image; filename=\"=?utf-8?B?w6QucG5n?=\"; filename*=utf-8''%C3%A4.png",
                "image",
                Some("\u{e4}.png"),
            ),
            (b"form-data; name=\"image\"; filename=\"a.png\"; filename*=", "image", Some("a.png")),
            (b"form-data; filename=\"; name=w;.png\"; name=\"image\"", "image", Some("; name=w;.png")),
            (b"form-data; name=\"image\"; filename=\"a\\\"b\\c.png\"", "image", Some("a\"b\\c.png")),
            (b"form-data; name=\"image\"; filename=\"a.png", "image", Some("a.png")),
            (b"form-data", "", None),
        ];
        for (header, name, file_name) in cases {
            let expected = Disposition { name: name.to_owned(), file_name: file_name.map(str::to_owned) };
            assert_eq!(Disposition::read(header), expected, "{}", String::from_utf8_lossy(header));
        }
    }
}
