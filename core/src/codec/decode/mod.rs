//! Bytes to pixels: the format by its signature, the limits by the header, the
//! first frame as 8-bit RGB or RGBA, and what the metadata says of it.
//!
//! Sizes and the memory that decoding will take are read from the header by
//! code of our own, before a decoder sees the file. The decoder then runs
//! behind the guard, and its word on the size must be the same.
//!
//! A file that ends before its picture does is refused where that shows: PNG,
//! BMP, GIF and TIFF by their decoders, WebP by its RIFF size, JPEG by its missing end
//! marker. Data that is wrong but complete gives whatever picture it gives.

mod bmp;
mod bytes;
mod cmyk;
mod convert;
mod exif;
mod gif;
mod icc;
mod jpeg;
mod meter;
mod png;
mod reason;
mod tables;
mod tiff;
mod vp8l;
mod webp;

use std::io::Cursor;

pub(crate) use icc::fits_rgb;
use image::codecs::bmp::BmpDecoder;
use image::codecs::gif::GifDecoder;
use image::codecs::jpeg::JpegDecoder;
use image::codecs::png::PngDecoder;
use image::codecs::tiff::TiffDecoder;
use image::codecs::webp::WebPDecoder;
use image::{AnimationDecoder, ColorType, ImageDecoder, ImageError, ImageResult};

use crate::codec::limits::Limits;
use crate::codec::profile;
use crate::error::{Code, Error, Problem, Result};
use crate::exec::control::Control;
use crate::exec::guard::guard;
use crate::image::pixels::{Orientation, Pixels};
use meter::{Meter, Watch};
use png::Colors;

/// The formats that are read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum SourceFormat {
    WebP,
    Bmp,
    Png,
    Jpeg,
    Gif,
    Tiff,
}

/// What a file says of itself before it is decoded.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Header {
    pub(crate) format: SourceFormat,
    /// As stored, before the EXIF orientation.
    pub(crate) width: u32,
    pub(crate) height: u32,
    /// Bytes that the output and the decoder's planes will take at their peak.
    pub(crate) memory: u64,
    /// How the pixels are to be turned for display.
    pub(crate) orientation: Orientation,
}

/// A decoded file: its first frame or page, as stored.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Decoded {
    /// RGB, or RGBA when a pixel is not opaque.
    pub pixels: Pixels,
    /// How the pixels are to be turned for display.
    pub orientation: Orientation,
    /// What the numbers of the picture mean, where they are not those of sRGB: the ICC profile of the file, when it is
    /// one for RGB, or one made of what a PNG says in cICP, gAMA and cHRM.
    pub icc: Option<Vec<u8>>,
}

/// Tells the format by the signature and tests the header against the limits.
pub(crate) fn read_header(bytes: &[u8], limits: &Limits) -> Result<Header, Problem> {
    let corrupt = || Problem::new(Problem::IMAGE, Code::CorruptImage).with_reason(reason::HEADER);
    let format = sniff(bytes, limits).ok_or_else(|| Problem {
        reason: reason::of_other(bytes).map(str::to_owned),
        ..Problem::new(Problem::IMAGE, Code::CorruptImage)
    })?;
    let size = match format {
        SourceFormat::WebP => webp::size(bytes),
        SourceFormat::Bmp => bmp::size(bytes),
        SourceFormat::Png => png::size(bytes),
        SourceFormat::Jpeg => jpeg::size(bytes),
        SourceFormat::Gif => gif::size(bytes),
        SourceFormat::Tiff => tiff::size(bytes),
    };
    let (width, height) = size.filter(|&(width, height)| width > 0 && height > 0).ok_or_else(corrupt)?;
    check_sides((width, height), limits)?;
    let memory = match format {
        SourceFormat::WebP => webp::memory(bytes),
        SourceFormat::Bmp => bmp::memory(bytes),
        SourceFormat::Png => png::memory(bytes),
        SourceFormat::Jpeg => jpeg::memory(bytes),
        SourceFormat::Gif => gif::memory(bytes),
        SourceFormat::Tiff => tiff::memory(bytes),
    };
    let memory = memory.ok_or_else(corrupt)?;
    if memory > limits.decode_memory {
        return Err(too_much_memory(limits));
    }
    Ok(Header { format, width, height, memory, orientation: orientation(bytes, format) })
}

/// Tests the width, then the height.
pub(crate) fn check_sides((width, height): (u32, u32), limits: &Limits) -> Result<(), Problem> {
    let most = limits.max_side;
    let refuse = |code, message| Err(Problem::with_message(Problem::IMAGE, code, message));
    if width > most {
        let message = format!("Image width ({width}px) exceeds the maximum allowed width of {most}px.");
        return refuse(Code::ImageTooWide, message);
    }
    if height > most {
        let message = format!("Image height ({height}px) exceeds the maximum allowed height of {most}px.");
        return refuse(Code::ImageTooTall, message);
    }
    Ok(())
}

/// What the numbers of a grey picture say.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Grey {
    /// Brightness, which becomes that of sRGB.
    Brightness,
    /// How much of a pixel is subject, which is no light and stays as stored.
    Share,
}

/// Decodes a file whose header was read and found good.
///
/// Progress and cancellation follow the bytes that the decoder has read; a
/// JPEG is one step, as its decoder takes the file whole.
pub(crate) fn decode(
    bytes: &[u8],
    header: &Header,
    grey: Grey,
    limits: &Limits,
    control: &Control<'_>,
) -> Result<Decoded> {
    control.check()?;
    let watch = Watch::new(control, bytes.len());
    let decoded = guard(corrupt, || decode_as(bytes, header, grey, limits, &watch));
    watch.let_panic_go_on();
    // A stop reaches the decoder as a failed read, and is no fault of the file.
    control.check()?;
    let decoded = decoded?;
    Ok(decoded)
}

fn sniff(bytes: &[u8], limits: &Limits) -> Option<SourceFormat> {
    match bytes {
        [b'R', b'I', b'F', b'F', _, _, _, _, b'W', b'E', b'B', b'P', ..] => Some(SourceFormat::WebP),
        [0x89, b'P', b'N', b'G', b'\r', b'\n', 0x1a, b'\n', ..] => Some(SourceFormat::Png),
        [0xff, 0xd8, 0xff, ..] => Some(SourceFormat::Jpeg),
        [b'B', b'M', ..] => Some(SourceFormat::Bmp),
        [b'G', b'I', b'F', b'8', b'7' | b'9', b'a', ..] if limits.more_formats => Some(SourceFormat::Gif),
        [b'I', b'I', b'*', 0, ..] | [b'M', b'M', 0, b'*', ..] if limits.more_formats => Some(SourceFormat::Tiff),
        _ => None,
    }
}

/// A decoder's output and the metadata that it alone can read.
struct Raw {
    color: ColorType,
    /// Whether the file has grey alone, whatever the decoder makes of it.
    is_grey: bool,
    data: Vec<u8>,
    icc: Option<Vec<u8>>,
}

fn decode_as(bytes: &[u8], header: &Header, grey: Grey, limits: &Limits, watch: &Watch<'_>) -> Result<Decoded> {
    let raw = match header.format {
        SourceFormat::Jpeg => decode_jpeg(bytes, header),
        SourceFormat::Png => decode_png(bytes, header, limits, watch),
        SourceFormat::WebP => decode_webp(bytes, header, watch),
        SourceFormat::Bmp => decode_bmp(bytes, header, watch),
        SourceFormat::Gif => decode_gif(bytes, header, limits, watch),
        SourceFormat::Tiff => decode_tiff(bytes, header, limits, watch),
    };
    let raw = raw.map_err(|error| refusal(error, bytes, limits))?;
    let Raw { color, mut data, .. } = raw;
    if let Some(profile) = raw.icc.as_deref().filter(|_| raw.is_grey && grey == Grey::Brightness) {
        convert::lighten(color, &mut data, profile);
    }
    if header.format == SourceFormat::Tiff && tiff::is_multiplied(bytes) {
        convert::divide(color, &mut data);
    }
    Ok(Decoded {
        pixels: convert::to_pixels(color, data, header.width, header.height)?,
        orientation: header.orientation,
        icc: raw.icc.filter(|profile| fits_rgb(profile)),
    })
}

fn decode_jpeg(bytes: &[u8], header: &Header) -> ImageResult<Raw> {
    if !jpeg::is_whole(bytes) {
        return Err(broken("the file ends too early"));
    }
    if jpeg::has_too_many_scans(bytes) {
        return Err(broken("it has more scans than a picture needs"));
    }
    let bytes = jpeg::with_tables(bytes);
    let mut decoder = JpegDecoder::new(Cursor::new(&*bytes))?;
    let icc = decoder.icc_profile().unwrap_or_default();
    match icc.as_deref().filter(|_| jpeg::has_inks(&bytes)).and_then(profile::Inks::new) {
        Some(inks) => cmyk::decode(&bytes, header, &inks),
        None => Ok(Raw { icc, ..read(decoder, header)? }),
    }
}

fn decode_png(bytes: &[u8], header: &Header, limits: &Limits, watch: &Watch<'_>) -> ImageResult<Raw> {
    let tables = allow(limits.decode_memory.saturating_sub(header.memory));
    let bytes = &*png::tidy(bytes);
    let mut decoder = PngDecoder::with_limits(Meter::new(bytes, watch), tables)?;
    let is_grey = is_grey(decoder.color_type());
    let icc = match png::colors(bytes, profile::is_known) {
        Colors::Profile => decoder.icc_profile().unwrap_or_default(),
        Colors::Code(code) => profile::of_code(code, is_grey),
        Colors::Measured { gamma, chromaticities } => profile::of_measures(gamma, chromaticities, is_grey),
        Colors::Srgb => None,
    };
    // The decoder composes no animation of 16-bit frames: the default image,
    // which every viewer without animation shows, stands in for the first.
    let raw = if png::hides_default_image(bytes) && !is_16_bit(decoder.color_type()) {
        decoder.set_limits(allow(limits.decode_memory))?;
        first_frame(decoder, header)
    } else {
        read(decoder, header)
    };
    Ok(Raw { icc, is_grey, ..raw? })
}

fn decode_webp(bytes: &[u8], header: &Header, watch: &Watch<'_>) -> ImageResult<Raw> {
    if !webp::is_whole(bytes) {
        return Err(broken("the file ends too early"));
    }
    let tidy = webp::without_false_flags(bytes);
    let decoder = WebPDecoder::new(Meter::new(&tidy, watch))?;
    Ok(Raw { icc: webp::icc(bytes), ..read(decoder, header)? })
}

fn decode_bmp(bytes: &[u8], header: &Header, watch: &Watch<'_>) -> ImageResult<Raw> {
    let mut raw = read(BmpDecoder::new(Meter::new(bytes, watch))?, header)?;
    if raw.color == ColorType::Rgba8 && raw.data.chunks_exact(4).all(|pixel| pixel[3] == 0) {
        // Writers that know nothing of alpha leave its bits at 0; as in browsers, the picture is opaque then.
        raw.data.chunks_exact_mut(4).for_each(|pixel| pixel[3] = 255);
    }
    Ok(Raw { icc: bmp::icc(bytes), ..raw })
}

fn decode_gif(bytes: &[u8], header: &Header, limits: &Limits, watch: &Watch<'_>) -> ImageResult<Raw> {
    let mut decoder = GifDecoder::new(Meter::new(bytes, watch))?;
    decoder.set_limits(allow(limits.decode_memory))?;
    let icc = decoder.icc_profile().unwrap_or_default();
    Ok(Raw { icc, ..read(decoder, header)? })
}

fn decode_tiff(bytes: &[u8], header: &Header, limits: &Limits, watch: &Watch<'_>) -> ImageResult<Raw> {
    if let Some(kind) = tiff::kind_that_is_not_read(bytes) {
        return Err(broken(kind));
    }
    let mut decoder = TiffDecoder::new(Meter::new(bytes, watch))?;
    decoder.set_limits(allow(limits.decode_memory))?;
    Ok(Raw { icc: tiff::icc(bytes), ..read(decoder, header)? })
}

fn read(decoder: impl ImageDecoder, header: &Header) -> ImageResult<Raw> {
    if decoder.dimensions() != (header.width, header.height) {
        return Err(broken("two headers of the file contradict each other"));
    }
    let color = decoder.color_type();
    let length =
        usize::try_from(decoder.total_bytes()).map_err(|_| broken("more bytes than this machine addresses"))?;
    let mut data = vec![0; length];
    decoder.read_image(&mut data)?;
    Ok(Raw { color, is_grey: is_grey(color), data, icc: None })
}

fn first_frame(decoder: PngDecoder<Meter<'_>>, header: &Header) -> ImageResult<Raw> {
    let frame = decoder.apng()?.into_frames().next().ok_or_else(|| broken("the animation has no frame"))??;
    let picture = frame.into_buffer();
    if picture.dimensions() != (header.width, header.height) {
        return Err(broken("two headers of the file contradict each other"));
    }
    Ok(Raw { color: ColorType::Rgba8, is_grey: false, data: picture.into_raw(), icc: None })
}

fn is_grey(color: ColorType) -> bool {
    matches!(color, ColorType::L8 | ColorType::La8 | ColorType::L16 | ColorType::La16)
}

fn is_16_bit(color: ColorType) -> bool {
    matches!(color, ColorType::L16 | ColorType::La16 | ColorType::Rgb16 | ColorType::Rgba16)
}

/// What the EXIF data asks for, where there is any.
fn orientation(bytes: &[u8], format: SourceFormat) -> Orientation {
    let exif = match format {
        SourceFormat::Jpeg => jpeg::exif(bytes),
        SourceFormat::Png => png::exif(bytes),
        SourceFormat::WebP => webp::exif(bytes),
        SourceFormat::Tiff => Some(bytes),
        SourceFormat::Bmp | SourceFormat::Gif => None,
    };
    let tiff = exif.map(|exif| exif.strip_prefix(b"Exif\0\0").unwrap_or(exif));
    tiff.and_then(exif::orientation).map(Orientation::from_exif).unwrap_or_default()
}

fn allow(bytes: u64) -> image::Limits {
    let mut limits = image::Limits::no_limits();
    limits.max_alloc = Some(bytes);
    limits
}

fn broken(what: &'static str) -> ImageError {
    ImageError::IoError(std::io::Error::new(std::io::ErrorKind::InvalidData, what))
}

fn refusal(error: ImageError, bytes: &[u8], limits: &Limits) -> Error {
    match error {
        ImageError::Limits(_) => Error::from(too_much_memory(limits)).because(error),
        _ => {
            let problem = Problem::new(Problem::IMAGE, Code::CorruptImage);
            Error::from(problem.with_reason(reason::of_failure(&error, bytes))).because(error)
        }
    }
}

fn corrupt() -> Error {
    Problem::new(Problem::IMAGE, Code::CorruptImage).into()
}

fn too_much_memory(limits: &Limits) -> Problem {
    let most = Limits::megabytes(limits.decode_memory);
    let message = format!("Image needs more memory to decode than the maximum allowed {most} MB.");
    Problem::with_message(Problem::IMAGE, Code::TooMuchMemory, message)
}
