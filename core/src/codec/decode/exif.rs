//! EXIF data: a TIFF file without a picture (CIPA DC-008, 4.6).

use super::tiff;

/// The tag of the orientation.
const ORIENTATION: u16 = 0x0112;

/// The number that tells how the picture is to be turned, 1 to 8. The standard has it as a SHORT; some writers
/// make it a LONG or a BYTE.
pub(super) fn orientation(exif: &[u8]) -> Option<u8> {
    let value = tiff::value(exif, ORIENTATION)?;
    u8::try_from(value).ok().filter(|value| (1..=8).contains(value))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn entry(kind: u16, value: [u8; 4]) -> Vec<u8> {
        [&b"MM\0*\0\0\0\x08\0\x01\x01\x12"[..], &kind.to_be_bytes(), &[0, 0, 0, 1], &value, &[0; 4]].concat()
    }

    #[test]
    fn the_orientation_is_read_as_whatever_number_it_is_written() {
        assert_eq!(orientation(&entry(3, [0, 6, 0, 0])), Some(6));
        assert_eq!(orientation(&entry(4, [0, 0, 0, 6])), Some(6));
        assert_eq!(orientation(&entry(1, [6, 0, 0, 0])), Some(6));
        let little = b"II*\0\x08\0\0\0\x01\0\x12\x01\x04\0\x01\0\0\0\x08\0\0\0";
        assert_eq!(orientation(little), Some(8));
    }

    #[test]
    fn nonsense_is_no_orientation() {
        for (kind, value) in [(3, [0, 0, 0, 0]), (3, [0, 9, 0, 0]), (4, [1, 0, 0, 6]), (2, [0, 6, 0, 0])] {
            assert_eq!(orientation(&entry(kind, value)), None, "{kind} {value:?}");
        }
        let whole = entry(3, [0, 6, 0, 0]);
        for end in 0..20 {
            assert_eq!(orientation(&whole[..end.min(18)]), None, "{end} bytes");
        }
        assert_eq!(orientation(b"II*\0\xff\xff\xff\xff"), None);
    }
}
