//! The three ways in: encoded bytes, a path, pixels.

use std::ffi::c_char;
use std::path::Path;

use remrembg::{Input, Progress, Result};

use crate::argument::Slot;
use crate::boundary::answer;
use crate::codes::remrembg_code;
use crate::error::remrembg_error;
use crate::handle;
use crate::options::remrembg_options;
use crate::output::remrembg_output;
use crate::pixels::{self, Target, bytes, remrembg_pixels, remrembg_target};
use crate::remover::remrembg_remover;
use crate::text;

/// Removes the background of an encoded picture: WebP, PNG, JPEG or BMP, told
/// apart by its bytes.
///
/// @param remover  A live remover.
/// @param data  The file; kept unchanged by the caller until this returns. NULL
///     with size 0 is a request without a picture, which is refused.
/// @param size  Its bytes.
/// @param file_name  NULL, or the name that an upload came with: its suffix is
///     then checked as the hosted API does. Nothing is opened.
/// @param options  NULL for the defaults, which give WebP of the picture's size.
///     The mask alone comes with the field mask.
/// @param target  NULL for an encoded file. Otherwise the result is not encoded
///     and the pixels go there: the field format then counts for nothing,
///     but has to be one.
///     Untouched on failure.
/// @param output  Where the output goes; untouched on failure. NULL only with a
///     target that has memory, for a caller who wants no sizes and no times.
///     Free it with remrembg_output_free().
/// @param error  NULL, or where the error goes; NULL is put there on success.
///     Free it with remrembg_error_free().
/// @return #REMREMBG_OK; a code of #REMREMBG_KIND_VALIDATION for what is wrong
///     with the picture and the options, all at once, or with the target;
///     #REMREMBG_CANCELLED; #REMREMBG_ENGINE_FAILED; #REMREMBG_MISUSE.
///
/// Any thread with 256 KiB of stack or more; returns when the work is done.
/// Running out of memory ends the process, as it does for all Rust code: the
/// settings memory, in_flight, max_bytes, max_side and decode_memory bound what is taken.
#[unsafe(no_mangle)]
#[allow(clippy::too_many_arguments)]
pub extern "C" fn remrembg_remove_bytes(
    remover: *const remrembg_remover,
    data: *const u8,
    size: usize,
    file_name: *const c_char,
    options: *const remrembg_options,
    target: *const remrembg_target,
    output: *mut *mut remrembg_output,
    error: *mut *mut remrembg_error,
) -> remrembg_code {
    answer(error, || {
        let name = text::read_optional(file_name);
        // SAFETY: asked of the caller by the documentation of `data` and `size`.
        let file = unsafe { bytes(data, size, "data") }?;
        let input = match &name {
            Some(name) => Input::Upload { name, bytes: file },
            None if data.is_null() => Input::Missing,
            None => Input::Bytes(file),
        };
        remove(remover, input, options, target, output)
    })
}

/// Removes the background of a picture on disk.
///
/// @param path  The file's path as the system takes it; on Unix any bytes. It
///     has to be a regular file; its bytes tell what it is, not its name.
///     NULL is a request without a picture, which is refused.
/// @return As remrembg_remove_bytes(), and #REMREMBG_CANNOT_READ.
///
/// All else is as for remrembg_remove_bytes().
#[unsafe(no_mangle)]
pub extern "C" fn remrembg_remove_path(
    remover: *const remrembg_remover,
    path: *const c_char,
    options: *const remrembg_options,
    target: *const remrembg_target,
    output: *mut *mut remrembg_output,
    error: *mut *mut remrembg_error,
) -> remrembg_code {
    answer(error, || {
        let path = text::read_path(path);
        let input = path.as_deref().map_or(Input::Missing, |path: &Path| Input::Path(path));
        remove(remover, input, options, target, output)
    })
}

/// Removes the background of a decoded picture.
///
/// @param pixels  The picture; read, and not kept. A target may be in the same
///     memory. NULL is a request without a picture, which is refused.
/// @return As remrembg_remove_bytes(); #REMREMBG_BAD_PIXELS for a picture whose
///     members contradict each other.
///
/// All else is as for remrembg_remove_bytes().
#[unsafe(no_mangle)]
pub extern "C" fn remrembg_remove_pixels(
    remover: *const remrembg_remover,
    pixels: *const remrembg_pixels,
    options: *const remrembg_options,
    target: *const remrembg_target,
    output: *mut *mut remrembg_output,
    error: *mut *mut remrembg_error,
) -> remrembg_code {
    answer(error, || {
        let input = match pixels::read(pixels, "pixels")? {
            // SAFETY: asked of the caller by the documentation of the struct.
            Some(pixels) => Input::Pixels(unsafe { pixels.view() }?),
            None => Input::Missing,
        };
        remove(remover, input, options, target, output)
    })
}

fn remove(
    remover: *const remrembg_remover,
    input: Input<'_>,
    options: *const remrembg_options,
    target: *const remrembg_target,
    output: *mut *mut remrembg_output,
) -> Result<()> {
    let remover = handle::borrow(remover)?;
    let (asked, token) = remrembg_options::read(options)?;
    let target = pixels::read(target, "target")?;
    let matte = target.as_ref().map_or(Ok(false), Target::asks_for_matte)?;
    let target = target.filter(|_| !matte).map(Target::read).transpose()?;
    let slot = match &target {
        Some(target) if target.is_callers() => Slot::optional(output, "output")?,
        _ => Slot::new(output, "output")?,
    };
    let tell = asked.listener.map(|listener| move |progress: Progress| listener.tell(progress));
    let mut job = remover.remover.job(input).pairs(asked.pairs.iter().map(|(key, value)| (key, value))).cancel(&token);
    if let Some(tell) = &tell {
        job = job.progress(tell);
    }
    if let Some(mask) = &asked.mask {
        job = job.mask_from(mask.input());
    }
    let made = match target {
        None if matte => remrembg_output::matte(job.run_to_matte()?),
        None => remrembg_output::encoded(job.run()?),
        Some(target) => {
            // SAFETY: asked of the caller by the documentation of the struct.
            let (made, data) = unsafe { target.run(job) }?;
            remrembg_output::pixels(&made, data)
        }
    };
    slot.put_with(|| handle::give(made));
    Ok(())
}
