//! Small files of every format and variant, and bytes that no encoder here
//! writes: made once with Pillow 13, 16 × 16 quarters, quality 90 (JPEG) or
//! 80 (WebP).

use image::ExtendedColorType::{L8, La8, Rgb8, Rgb16, Rgba8};

use crate::make::{self, Png};

/// `save("JPEG", progressive=True, subsampling=0, optimize=True)`.
pub(crate) const PROGRESSIVE: &str = "\
    ffd8ffe000104a46494600010100000100010000ffdb0043000302020302020303030304030304050805050404050a070706080c0a0c0c\
    0b0a0b0b0d0e12100d0e110e0b0b1016101113141515150c0f171816141812141514ffdb00430103040405040509050509140d0b0d1414\
    141414141414141414141414141414141414141414141414141414141414141414141414141414141414141414141414ffc20011080010\
    001003011100021101031101ffc400160001010100000000000000000000000000070809ffc40018010003010100000000000000000000\
    00000608090507ffda000c0301000210031000000139056a58c2663cbd467b9e96aadb9fffc40014100100000000000000000000000000\
    000020ffda00080101000105021fffc40014110100000000000000000000000000000020ffda0008010301013f011fffc4001411010000\
    0000000000000000000000000020ffda0008010201013f011fffc40014100100000000000000000000000000000020ffda000801010006\
    3f021fffc40014100100000000000000000000000000000020ffda0008010100013f211fffda000c03010002000300000010f54fffc400\
    14110100000000000000000000000000000020ffda0008010301013f101fffc40014110100000000000000000000000000000020ffda00\
    08010201013f101fffc40014100100000000000000000000000000000020ffda0008010100013f101fffd9";
/// Converted to CMYK; Pillow writes the inverted values of Adobe, transform 0.
pub(crate) const CMYK: &str = "\
    ffd8ffee000e41646f626500640000000000ffdb0043000302020302020303030304030304050805050404050a070706080c0a0c0c0b0a\
    0b0b0d0e12100d0e110e0b0b1016101113141515150c0f171816141812141514ffc000140800100010044311004d11005911004b1100ff\
    c400160001010100000000000000000000000000000a09ffc40014100100000000000000000000000000000000ffda000e0443004d0059\
    004b00003f00d5365532a9aa6957554009575540aa855403ffd9";
/// Lossy.
pub(crate) const WEBP_LOSSY: &str = "\
    5249464642000000574542505650382036000000b001009d012a1000100001402625a00274ba0004aa0000fdb3fff93e3ffccabfffdcde\
    c7fe6c0ffee7cfff4a9bfff4b83ff91c69a000";
/// Lossy, the left half with alpha 64.
pub(crate) const WEBP_LOSSY_ALPHA: &str = "\
    524946466c00000057454250565038580a000000100000000f00000f0000414c50481000000001101210d7fc3f25c96a444c0069fe0256\
    50382036000000b001009d012a1000100001402625a00274ba0004aa0000fdb3fff93e3ffccabfffdcdec7fe6c0ffee7cfff4a9bfff4b8\
    3ff91c69a000";

/// `save("TIFF", compression="tiff_lzw")`.
pub(crate) const TIFF_LZW: &str = "\
    49492a0072000000803fc00008141207058441e150b84c1a1d0d8144219138743e291283462350b8b476371b8f472411f8bc962b2392ca\
    24326944aa312b96cb24d30994d634ff9c4e6753b9e4e66d179ed06853f8f50a8d3ba24428f4b975029946a4c329f509a4c2a743aacdea\
    f3d808000a000001030001000000100000000101030001000000100000000201030003000000f000000003010300010000000500000006\
    01030001000000020000001101040001000000080000001501030001000000030000001601030001000000100000001701040001000000\
    690000001c010300010000000100000000000000080008000800";
/// Converted to CMYK, `save("TIFF", compression="tiff_adobe_deflate")`.
pub(crate) const TIFF_CMYK: &str = "\
    49492a0028000000789c63f8ff9f81010f2604f1e91dd53ff8f513d04e108cea1fdafa012f5a7e900a0000010300010000001000000001\
    01030001000000100000000201030004000000a60000000301030001000000080000000601030001000000050000001101040001000000\
    080000001501030001000000040000001601030001000000100000001701040001000000200000001c0103000100000001000000000000\
    000800080008000800";

/// Where the transform of Adobe's segment is in [`CMYK`]: 2 makes it YCCK.
pub(crate) const ADOBE_TRANSFORM: usize = 17;

pub(crate) fn hex(text: &str) -> Vec<u8> {
    (0..text.len()).step_by(2).map(|at| u8::from_str_radix(&text[at..at + 2], 16).expect("hex")).collect()
}

/// A picture with some detail, so that every stage of a decoder has work.
fn detail(channels: u32) -> Vec<u8> {
    make::rows((40, 24), |x, y| (0..channels).map(|c| ((x * 7 + y * 13 + c * 50) ^ (x * y / 3)) as u8).collect())
}

/// Every sample with its name.
pub(crate) fn all() -> Vec<(&'static str, Vec<u8>)> {
    [png(), jpeg(), webp(), bmp(), gif(), tiff()].concat()
}

fn png() -> Vec<(&'static str, Vec<u8>)> {
    let size = (40, 24);
    let rgb = |x: u32, y: u32| vec![x as u8, y as u8, (x * y) as u8];
    let index = |x: u32, y: u32| vec![((x + y) % 4) as u8];
    let wide = |x: u32, y: u32| vec![x as u8, y as u8, 1, 2, 3, 4, y as u8, 200];
    let palette = make::chunk(b"PLTE", &[1, 2, 3, 40, 50, 60, 70, 80, 90, 250, 240, 230]);
    let clear = make::chunk(b"tRNS", &[0, 128]);
    let paletted = Png { chunks: [vec![palette, clear], vec![]], ..Png::plain(size, 8, 3, &index) };
    let (animated, hidden) = (animated_png(true), animated_png(false));
    vec![
        ("png rgb", make::png_compressed(size, &detail(3), Rgb8)),
        ("png rgba", make::png_compressed(size, &detail(4), Rgba8)),
        ("png grey", make::png_compressed(size, &detail(1), L8)),
        ("png grey alpha", make::png_compressed(size, &detail(2), La8)),
        ("png interlaced", Png { interlaced: true, ..Png::plain(size, 8, 2, &rgb) }.file()),
        ("png palette", paletted.file()),
        ("png 16-bit", Png::plain(size, 16, 6, &wide).file()),
        ("png animated", animated),
        ("png animated, default hidden", hidden),
    ]
}

/// Two frames of 8 × 8: red, then blue. The default image is the first frame,
/// or a green one that is not part of the animation.
pub(crate) fn animated_png(default_is_first: bool) -> Vec<u8> {
    let size = (8, 8);
    let frame = |color: [u8; 3]| [vec![0], color.repeat(8)].concat().repeat(8);
    let (red, green, blue) = ([255, 0, 0], [0, 255, 0], [0, 0, 255]);
    let default = if default_is_first { red } else { green };
    let controls = if default_is_first { vec![make::frame_control(0, size)] } else { vec![] };
    let behind = if default_is_first {
        vec![make::frame_control(1, size), make::frame_data(2, &frame(blue))]
    } else {
        let first = [make::frame_control(0, size), make::frame_data(1, &frame(red))];
        let second = [make::frame_control(2, size), make::frame_data(3, &frame(blue))];
        [first, second].concat()
    };
    let before = [vec![make::animation_control(2)], controls].concat();
    Png { chunks: [before, behind], ..Png::plain(size, 8, 2, &|_, _| default.to_vec()) }.file()
}

/// Two frames of 8 × 8: red, then blue.
pub(crate) fn animated_webp() -> Vec<u8> {
    let frame = |color: [u8; 3]| make::webp_frame((8, 8), &make::webp((8, 8), &color.repeat(64), Rgb8));
    make::riff(&[make::vp8x(0x02, (8, 8)), make::webp_animation(), frame([255, 0, 0]), frame([0, 0, 255])])
}

fn jpeg() -> Vec<(&'static str, Vec<u8>)> {
    let mut ycck = hex(CMYK);
    ycck[ADOBE_TRANSFORM] = 2;
    vec![
        ("jpeg baseline", make::jpeg((40, 24), &detail(3), Rgb8)),
        ("jpeg grey", make::jpeg((40, 24), &detail(1), L8)),
        ("jpeg progressive", hex(PROGRESSIVE)),
        ("jpeg cmyk", hex(CMYK)),
        ("jpeg ycck", ycck),
    ]
}

fn webp() -> Vec<(&'static str, Vec<u8>)> {
    vec![
        ("webp lossless", make::webp((40, 24), &detail(3), Rgb8)),
        ("webp lossless alpha", make::webp((40, 24), &detail(4), Rgba8)),
        ("webp lossy", hex(WEBP_LOSSY)),
        ("webp lossy alpha", hex(WEBP_LOSSY_ALPHA)),
        ("webp animated", animated_webp()),
    ]
}

fn gif() -> Vec<(&'static str, Vec<u8>)> {
    let (red, blue) = ([255, 0, 0, 255].repeat(64), [0, 0, 255, 255].repeat(64));
    let animated = make::gif(&[((8, 8), &red), ((8, 8), &blue)]);
    let patterned = make::rows((40, 24), |x, y| vec![(x * 6) as u8, (y * 10) as u8, 0, if x > 3 { 255 } else { 0 }]);
    vec![
        ("gif", make::gif(&[((40, 24), &patterned)])),
        ("gif on a larger canvas", make::on_canvas(make::gif(&[((40, 24), &patterned)]), (50, 60))),
        ("gif animated", animated),
    ]
}

fn tiff() -> Vec<(&'static str, Vec<u8>)> {
    let deflated = make::zlib_stored(&detail(3));
    vec![
        ("tiff rgb", make::tiff((40, 24), &detail(3), Rgb8)),
        ("tiff rgba", make::tiff((40, 24), &detail(4), Rgba8)),
        ("tiff grey", make::tiff((40, 24), &detail(1), L8)),
        ("tiff 16-bit", make::tiff((40, 24), &detail(6), Rgb16)),
        ("tiff deflated", make::tiff_with((40, 24), &deflated, &[(259, 3, 8_u16.to_le_bytes().to_vec())])),
        ("tiff lzw", hex(TIFF_LZW)),
        ("tiff cmyk", hex(TIFF_CMYK)),
    ]
}

fn bmp() -> Vec<(&'static str, Vec<u8>)> {
    let two = [[0, 0, 255, 0], [255, 0, 0, 0]];
    vec![
        ("bmp 24", make::bmp((40, 24), &detail(3), Rgb8)),
        ("bmp 32", make::bmp((40, 24), &detail(4), Rgba8)),
        ("bmp 8", make::bmp((40, 24), &detail(1), L8)),
        ("bmp 1, top down", make::bmp_raw((8, -8), 1, &[], &two, &[0xf0, 0, 0, 0].repeat(8))),
        ("bmp 16", make::bmp_raw((8, 8), 16, &[], &[], &[0x1f, 0x7c].repeat(64))),
    ]
}
