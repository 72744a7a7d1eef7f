//! What a removal takes of memory at its peak, reckoned from headers and options
//! before anything is decoded.
//!
//! Bytes per pixel are those of the buffers that stages hold at once, as
//! `tests/memory.rs` measures them; what the model takes is not among them.

use crate::image::pixels::Orientation;
use crate::input::Checked;
use crate::options::geometry;
use crate::options::{Format, Options};

/// What does not grow with the picture: tables, small pictures, stacks of threads.
const BASE: u64 = 16 << 20;

/// The upright picture, its alpha, and the cut-out that is made of them.
const CUT_OUT: u64 = 10;
/// A mask that is brought, made grey and stretched.
const BROUGHT: u64 = 10;
/// Trimap, alpha and colours of matting.
const MATTING: u64 = 20;
/// The system of equations of matting, for one unknown pixel.
const UNKNOWN: u64 = 600;
/// The most pixels that matting solves for at once.
const MOST_UNKNOWN: u64 = 1_300_000;
/// A picture in the hands of a stage.
const PICTURE: u64 = 4;
/// The result, and as its caller wants it laid out.
const LAID_OUT: u64 = 8;

/// What a job makes of a picture.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Made {
    File,
    Pixels,
    /// The model's mask alone.
    Matte,
}

/// Bytes that a removal takes at its peak.
pub(crate) fn of_job(input: &Checked, mask: Option<&Checked>, options: &Options, made: Made) -> u64 {
    if made == Made::Matte {
        // The picture, and the one that is upright.
        return BASE + file(input) + decoding(input).max(2 * PICTURE * area(upright(input)));
    }
    let (width, height) = upright(input);
    let pixels = area((width, height));
    let fitted = geometry::fitted_size((width, height), options);
    let output = area(geometry::rotated_size(fitted, options.angle, options.expand));
    let brought = mask.map_or(0, |mask| file(mask) + decoding(mask).max(BROUGHT * area(upright(mask)).max(pixels)));
    let matting = if options.cut_out.matting.is_some() || options.cut_out.trimap {
        MATTING * pixels + UNKNOWN * pixels.min(MOST_UNKNOWN)
    } else {
        0
    };
    let turning = if options.cut_out.keep_colors {
        // What is changed and what it becomes, and beside them the picture with all of its colours.
        let doubled = |from: u64, to: u64| PICTURE * (from + to + from.max(to));
        doubled(pixels, area(fitted)).max(doubled(area(fitted), output))
    } else {
        5 * area(fitted) + PICTURE * pixels.max(output)
    };
    let kept = if options.cut_out.keep_colors { PICTURE * pixels } else { 0 };
    let end = if made == Made::File { encoding(options) } else { LAID_OUT } * output;
    let peak = decoding(input).max(CUT_OUT * pixels + kept + matting).max(turning).max(end);
    BASE + file(input) + brought + peak
}

fn area((width, height): (u32, u32)) -> u64 {
    u64::from(width) * u64::from(height)
}

fn upright(input: &Checked) -> (u32, u32) {
    match input {
        Checked::Pixels(view) => (view.width(), view.height()),
        Checked::Encoded(_, header) => match header.orientation {
            Orientation::Transpose | Orientation::Rotate90 | Orientation::Transverse | Orientation::Rotate270 => {
                (header.height, header.width)
            }
            _ => (header.width, header.height),
        },
    }
}

/// The encoded picture, which lies in memory throughout.
fn file(input: &Checked) -> u64 {
    match input {
        Checked::Encoded(bytes, _) => bytes.len() as u64,
        Checked::Pixels(_) => 0,
    }
}

/// What the decoder takes, and its pixels beside those in 8 bits that they become.
fn decoding(input: &Checked) -> u64 {
    match input {
        Checked::Encoded(_, header) => header.memory + PICTURE * area((header.width, header.height)),
        Checked::Pixels(view) => PICTURE * area((view.width(), view.height())),
    }
}

/// The picture, what the encoder makes of it, and the file: of each pixel.
fn encoding(options: &Options) -> u64 {
    match options.format {
        // libwebp's planes, the alpha in four channels while it is compressed without loss, and both files of it,
        // which are as large as the alpha where that is noise.
        Format::Webp => 18,
        Format::Png => 10,
        Format::Jpeg => 8,
        Format::Bmp => 9,
    }
}
