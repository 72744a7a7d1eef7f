//! EXIF orientation and ICC profiles: found where they are, and never a reason
//! to refuse a picture.

use image::ExtendedColorType::Rgb8;
use remrembg::{Control, Decoded, Limits, Orientation, decode_input};

use crate::make::{self, Png};

const SIZE: (u32, u32) = (16, 16);

fn decoded(file: &[u8]) -> Decoded {
    decode_input(file, &Limits::default(), &Control::default()).expect("decodes")
}

fn jpeg_with_exif(tiff: &[u8]) -> Vec<u8> {
    let plain = make::jpeg(SIZE, &make::quarters(), Rgb8);
    make::jpeg_with(&plain, 0xe1, &[b"Exif\0\0", tiff].concat())
}

fn png_with(before: Vec<Vec<u8>>, behind: Vec<Vec<u8>>) -> Vec<u8> {
    let pixel = |x, y| make::quarter(x, y).to_vec();
    Png { chunks: [before, behind], ..Png::plain(SIZE, 8, 2, &pixel) }.file()
}

fn webp_with(flag: u8, kind: &[u8; 4], data: &[u8]) -> Vec<u8> {
    let plain = make::webp(SIZE, &make::quarters(), Rgb8);
    let extra = make::riff_chunk(kind, data);
    let picture = plain[12..].to_vec();
    // The container wants ICCP before the picture and EXIF behind it.
    let order = if kind == b"ICCP" { [extra, picture] } else { [picture, extra] };
    make::riff(&[vec![make::vp8x(flag, SIZE)], order.to_vec()].concat())
}

fn bmp_with_icc(profile: &[u8]) -> Vec<u8> {
    let pixels = make::quarters();
    let mut header = vec![0; 84];
    header[16..20].copy_from_slice(b"DEBM");
    header[72..76].copy_from_slice(&(124 + u32::try_from(pixels.len()).expect("short")).to_le_bytes());
    header[76..80].copy_from_slice(&u32::try_from(profile.len()).expect("short").to_le_bytes());
    [make::bmp_raw((16, 16), 24, &header, &[], &pixels), profile.to_vec()].concat()
}

fn every_carrier_of_exif(tiff: &[u8]) -> [Vec<u8>; 5] {
    let chunk = make::chunk(b"eXIf", tiff);
    [
        jpeg_with_exif(tiff),
        png_with(vec![chunk.clone()], vec![]),
        png_with(vec![], vec![chunk]),
        webp_with(0x08, b"EXIF", tiff),
        webp_with(0x08, b"EXIF", &[b"Exif\0\0", tiff].concat()),
    ]
}

#[test]
fn orientations_1_to_8_are_read_from_jpeg_png_and_webp() {
    use Orientation::{FlipH, FlipV, Normal, Rotate90, Rotate180, Rotate270, Transpose, Transverse};
    let expected = [Normal, Normal, FlipH, Rotate180, FlipV, Transpose, Rotate90, Transverse, Rotate270, Normal];
    for (value, expected) in (0..).zip(expected) {
        for big_endian in [false, true] {
            for (carrier, file) in every_carrier_of_exif(&make::exif(value, big_endian)).iter().enumerate() {
                assert_eq!(decoded(file).orientation, expected, "value {value} in carrier {carrier}");
            }
        }
    }
}

#[test]
fn pixels_stay_as_stored_whatever_the_orientation() {
    let [_, turned, ..] = every_carrier_of_exif(&make::exif(6, false));
    assert_eq!(decoded(&turned).pixels.data(), make::quarters());
}

#[test]
fn broken_exif_refuses_no_picture() {
    let good = make::exif(6, false);
    let mut far = good.clone();
    far[4..8].copy_from_slice(&[0xff; 4]);
    let mut many = good.clone();
    many[8..10].copy_from_slice(&[0xff; 2]);
    many[10] = 0;
    for broken in [&[][..], b"II", &good[..12], &far, &many, &[0xff; 40]] {
        for (carrier, file) in every_carrier_of_exif(broken).iter().enumerate() {
            assert_eq!(decoded(file).orientation, Orientation::Normal, "{broken:?} in carrier {carrier}");
        }
    }
}

fn every_carrier_of_icc(profile: &[u8]) -> [Vec<u8>; 4] {
    let jpeg = make::jpeg(SIZE, &make::quarters(), Rgb8);
    let iccp = make::chunk(b"iCCP", &[b"name\0\0", &make::zlib_stored(profile)[..]].concat());
    [
        make::jpeg_with(&jpeg, 0xe2, &[b"ICC_PROFILE\0\x01\x01", profile].concat()),
        png_with(vec![iccp], vec![]),
        webp_with(0x20, b"ICCP", profile),
        bmp_with_icc(profile),
    ]
}

#[test]
fn rgb_profile_is_kept_byte_for_byte() {
    let profile = make::icc(b"RGB ");
    for (carrier, file) in every_carrier_of_icc(&profile).iter().enumerate() {
        assert_eq!(decoded(file).icc.as_ref(), Some(&profile), "carrier {carrier}");
    }
}

#[test]
fn profile_that_does_not_fit_rgb_is_dropped_and_the_picture_is_not() {
    let mut cut = make::icc(b"RGB ");
    cut.truncate(131);
    let mut unsigned = make::icc(b"RGB ");
    unsigned[36] = b'?';
    let mut longer = make::icc(b"RGB ");
    longer[..4].copy_from_slice(&133u32.to_be_bytes());
    for wrong in [make::icc(b"CMYK"), make::icc(b"GRAY"), cut, unsigned, longer, vec![], vec![0; 200]] {
        for (carrier, file) in every_carrier_of_icc(&wrong).iter().enumerate() {
            assert_eq!(decoded(file).icc, None, "{:?} in carrier {carrier}", wrong.get(16..20));
        }
    }
}

#[test]
fn webp_that_announces_absent_chunks_is_still_a_picture() {
    // Alpha, EXIF and XMP are announced, and only a lossy picture is there.
    let lossy = crate::samples::hex(crate::samples::WEBP_LOSSY);
    let file = make::riff(&[make::vp8x(0x1c, SIZE), lossy[12..].to_vec()]);
    assert_eq!(decoded(&file).pixels, decoded(&lossy).pixels);
}

#[test]
fn an_orientation_of_another_type_of_number_is_read_too() {
    let tiff = |kind: u16, value: [u8; 4]| {
        [&b"II*\0\x08\0\0\0\x01\0\x12\x01"[..], &kind.to_le_bytes(), &[1, 0, 0, 0], &value, &[0; 4]].concat()
    };
    for (kind, value) in [(1, [6, 0, 0, 0]), (3, [6, 0, 0, 0]), (4, [6, 0, 0, 0])] {
        for (carrier, file) in every_carrier_of_exif(&tiff(kind, value)).iter().enumerate() {
            assert_eq!(decoded(file).orientation, Orientation::Rotate90, "type {kind}, carrier {carrier}");
        }
    }
    assert_eq!(decoded(&jpeg_with_exif(&tiff(2, [6, 0, 0, 0]))).orientation, Orientation::Normal);
}
