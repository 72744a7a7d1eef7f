//! `remrembg_output`: what a removal made.

use std::ffi::{CString, c_char, c_int};
use std::ptr;
use std::time::Duration;

use remrembg::{Found, Matte, Output, PixelOutput, Stage};

use crate::argument::Slot;
use crate::codes::remrembg_stage;
use crate::guard::quietly;
use crate::handle::{self, Handle};
use crate::text::for_c;

/// What a removal made.
///
/// Made by the functions that remove; the caller owns it and frees it with
/// remrembg_output_free(). Never changes: any number of threads may read one at
/// once. Depends on nothing: it outlives the remover and the options.
pub struct remrembg_output {
    data: Data,
    mime: Option<CString>,
    size: (u32, u32),
    times: Vec<(Stage, Duration)>,
    /// `None` for a matte.
    found: Option<Found>,
}

/// What was made, where the output has it.
pub(crate) enum Data {
    None,
    Bytes(Vec<u8>),
    Matte(Vec<f32>),
}

impl Data {
    /// Where it begins, and how many bytes it is.
    fn memory(&self) -> (*const u8, usize) {
        match self {
            Self::None => (ptr::null(), 0),
            Self::Bytes(bytes) => (bytes.as_ptr(), bytes.len()),
            Self::Matte(values) => (values.as_ptr().cast(), size_of_val(values.as_slice())),
        }
    }
}

impl Handle for remrembg_output {
    const NAME: &'static str = "A remrembg_output";
}

impl remrembg_output {
    pub(crate) fn encoded(output: Output) -> Self {
        let (mime, size) = (for_c(output.mime()), (output.width, output.height));
        Self { data: Data::Bytes(output.data), mime: Some(mime), size, times: output.times, found: Some(output.found) }
    }

    pub(crate) fn pixels(output: &PixelOutput, data: Option<Vec<u8>>) -> Self {
        let size = (output.pixels.width(), output.pixels.height());
        let data = data.map_or(Data::None, Data::Bytes);
        Self { data, mime: None, size, times: output.times.clone(), found: Some(output.found) }
    }

    pub(crate) fn matte(matte: Matte) -> Self {
        let size = (matte.width, matte.height);
        Self { data: Data::Matte(matte.data), mime: None, size, times: Vec::new(), found: None }
    }
}

/// The encoded file, or the rows of pixels of a target without memory of its
/// own, for #REMREMBG_LAYOUT_MATTE of floats. NULL where the caller's memory was filled instead, for NULL and for what
/// is no live output.
///
/// @param size  NULL, or where the number of bytes goes; 0 with NULL.
///
/// Any thread. The bytes belong to the output and go with it.
#[unsafe(no_mangle)]
pub extern "C" fn remrembg_output_data(output: *const remrembg_output, size: *mut usize) -> *const u8 {
    let found = quietly(None, || handle::find(output).map(Some));
    let (data, bytes) = found.as_ref().map_or((ptr::null(), 0), |output| output.data.memory());
    put(size, bytes);
    data
}

/// Width and height of the result in pixels, each 1 to 10000 before a rotation
/// lets it grow.
///
/// @param width  NULL, or where the width goes; 0 for NULL and for what is no
///     live output.
/// @param height  The same for the height.
///
/// Any thread.
#[unsafe(no_mangle)]
pub extern "C" fn remrembg_output_size(output: *const remrembg_output, width: *mut u32, height: *mut u32) {
    let size = quietly((0, 0), || Some(handle::find(output)?.size));
    put(width, size.0);
    put(height, size.1);
}

/// The MIME type of an encoded file, as `"image/webp"`; NULL for pixels, for NULL
/// and for what is no live output.
///
/// Any thread. The text belongs to the output and goes with it.
#[unsafe(no_mangle)]
pub extern "C" fn remrembg_output_mime(output: *const remrembg_output) -> *const c_char {
    quietly(ptr::null(), || Some(handle::find(output)?.mime.as_ref()?.as_ptr()))
}

/// How long a stage took, in seconds; 0 for a stage that did not run, for a
/// number that is no #remrembg_stage, for a matte, for NULL and for what is no live
/// output.
///
/// Any thread.
#[unsafe(no_mangle)]
pub extern "C" fn remrembg_output_time(output: *const remrembg_output, stage: i32) -> f64 {
    quietly(0.0, || {
        let output = handle::find(output)?;
        let times = output.times.iter().filter(|(ran, _)| remrembg_stage::of(*ran) as i32 == stage);
        Some(times.map(|(_, time)| time.as_secs_f64()).sum())
    })
}

/// How much of the picture the subject is: the mean of the alpha, 0 to 1. 0 for a matte, for NULL and for what is no
/// live output.
///
/// Any thread.
#[unsafe(no_mangle)]
pub extern "C" fn remrembg_output_coverage(output: *const remrembg_output) -> f64 {
    quietly(0.0, || Some(handle::find(output)?.found?.coverage.into()))
}

/// How sure the model is of the subject, 0 to 1: the mean of its mask, each pixel counted as often as it is subject. 0
/// where nothing was found, for a matte, for NULL and for what is no live output.
///
/// Any thread.
#[unsafe(no_mangle)]
pub extern "C" fn remrembg_output_confidence(output: *const remrembg_output) -> f64 {
    quietly(0.0, || Some(handle::find(output)?.found?.confidence.into()))
}

/// Where the subject is in the upright picture, before it is resized and turned.
///
/// @param box  NULL, or where four numbers go: left, top, right and bottom in pixels, around all that is more than
///     faint; right and bottom lie beyond the last pixel. Left as it is where the answer is 0.
/// @return 1 where something was found, else 0; 0 for a matte, for NULL and for what is no live output.
///
/// Any thread.
#[unsafe(no_mangle)]
pub extern "C" fn remrembg_output_bounds(output: *const remrembg_output, r#box: *mut u32) -> c_int {
    let found = quietly(None, || Some(handle::find(output)?.found?.bounds));
    if let Some((left, top, right, bottom)) = found {
        put(r#box.cast(), [left, top, right, bottom]);
    }
    found.is_some().into()
}

/// Frees an output, and with it the bytes and texts that it gave. NULL, and what
/// is no live output, is left alone.
///
/// Any thread, once no other reads the output or its bytes.
#[unsafe(no_mangle)]
pub extern "C" fn remrembg_output_free(output: *mut remrembg_output) {
    handle::free(output);
}

/// Fills in a number where there is somewhere to put it.
fn put<T>(place: *mut T, value: T) {
    if let Ok(slot) = Slot::optional(place, "") {
        slot.put(value);
    }
}
