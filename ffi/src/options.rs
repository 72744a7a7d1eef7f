//! `remrembg_options`: what is asked for, as text, and how a removal is followed
//! and stopped.

use std::ffi::{c_char, c_void};
use std::ptr;
use std::sync::{Arc, Mutex, PoisonError};

use remrembg::{CancelToken, Input, Limits, Options, Pixels, Progress, check_size, output_size};

use crate::argument::Slot;
use crate::boundary::answer;
use crate::codes::{remrembg_code, remrembg_stage};
use crate::error::remrembg_error;
use crate::guard::quietly;
use crate::handle::{self, Handle};
use crate::pixels::{self, remrembg_pixels};
use crate::text;

/// What to do, as pairs of text: the settings of a remover, or the fields of a
/// removal, and how to follow and to stop it.
///
/// Made by remrembg_options_new(), owned by the caller, freed by
/// remrembg_options_free(). Any number of threads may use one at once; what one
/// changes counts for calls that begin later. A removal takes a copy when it
/// begins, so changing or freeing the options does not disturb it; cancelling
/// does, even though the callee sees the options as const.
pub struct remrembg_options {
    asked: Mutex<Arc<Asked>>,
    cancel: CancelToken,
}

impl Handle for remrembg_options {
    const NAME: &'static str = "A remrembg_options";
}

/// What a call takes from the options when it begins.
#[derive(Clone, Default)]
pub(crate) struct Asked {
    pub(crate) pairs: Vec<(String, String)>,
    pub(crate) listener: Option<Listener>,
    pub(crate) mask: Option<Arc<Mask>>,
}

/// A mask that the caller brings, copied.
pub(crate) enum Mask {
    File(Vec<u8>),
    Pixels(Pixels),
}

impl Mask {
    pub(crate) fn input(&self) -> Input<'_> {
        match self {
            Self::File(bytes) => Input::Bytes(bytes),
            Self::Pixels(pixels) => Input::Pixels(pixels.view()),
        }
    }
}

/// A caller's function and what it is called with.
#[derive(Clone, Copy)]
pub(crate) struct Listener {
    call: extern "C" fn(user_data: *mut c_void, stage: remrembg_stage, fraction: f32),
    user_data: *mut c_void,
}

// SAFETY: the pointer is only handed back, and the documentation asks that it
// may be used on every thread that removes with these options.
unsafe impl Send for Listener {}
// SAFETY: as above.
unsafe impl Sync for Listener {}

impl Listener {
    pub(crate) fn tell(&self, progress: Progress) {
        (self.call)(self.user_data, remrembg_stage::of(progress.stage), progress.fraction);
    }
}

impl remrembg_options {
    /// What is asked for now, and the token that stops it. NULL asks for nothing.
    pub(crate) fn read(options: *const Self) -> remrembg::Result<(Arc<Asked>, CancelToken)> {
        if options.is_null() {
            return Ok(Default::default());
        }
        let options = handle::borrow(options)?;
        let asked = options.with_asked(|asked| Arc::clone(asked));
        Ok((asked, options.cancel.clone()))
    }

    fn with_asked<T>(&self, work: impl FnOnce(&mut Arc<Asked>) -> T) -> T {
        let _no_fork = handle::no_fork();
        work(&mut self.asked.lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// For calls that begin later: what is under way keeps what it took.
    fn change(&self, change: impl FnOnce(&mut Asked)) {
        self.with_asked(|asked| change(Arc::make_mut(asked)));
    }
}

/// Called with the progress of a removal.
///
/// `stage` is running and `fraction` of it is done, 0 to 1: every stage that
/// runs reports 0 when it starts and 1 when it is done, and never falls back.
/// Some stages tell nothing in between, among them the longest,
/// #REMREMBG_STAGE_SEGMENT. A file that is refused by its first bytes reports
/// nothing.
/// `user_data` is what came with the function. Called on the thread that removes.
/// It may call any function of this header, also remove with the same remover,
/// and remrembg_options_cancel() to stop the removal it is told of. Two removers
/// whose callbacks call each other must not both be at their bound on removals
/// (in_flight): each would wait for the other. It must return: no longjmp and no
/// C++ exception may leave it.
pub type remrembg_progress = Option<extern "C" fn(user_data: *mut c_void, stage: remrembg_stage, fraction: f32)>;

/// Makes options that ask for nothing, which is the defaults everywhere.
///
/// Any thread. Free it with remrembg_options_free(). NULL only if something is
/// wrong inside.
#[unsafe(no_mangle)]
pub extern "C" fn remrembg_options_new() -> *mut remrembg_options {
    quietly(ptr::null_mut(), || {
        Some(handle::give(remrembg_options { asked: Mutex::default(), cancel: CancelToken::new() }))
    })
}

/// Sets `key` to `value`. Both are copied; neither may be NULL. Of several values
/// of a key the last one counts. An empty value is unset, but for angle, which is
/// a number.
///
/// The text is kept as it is: whoever takes the options reads all of it and tells
/// all that is wrong at once, together with what is wrong with the picture, as
/// the hosted API does. remrembg_options_size() checks a removal's beforehand.
///
/// @FIELDS@
///
/// @SETTINGS@
///
/// @param error  NULL, or where the error goes; NULL is put there on success.
/// @return #REMREMBG_OK, also for a key or a value that will be refused, or
///     #REMREMBG_MISUSE; then the options are as before.
///
/// Any thread.
#[unsafe(no_mangle)]
pub extern "C" fn remrembg_options_set(
    options: *mut remrembg_options,
    key: *const c_char,
    value: *const c_char,
    error: *mut *mut remrembg_error,
) -> remrembg_code {
    answer(error, || {
        let options = handle::borrow(options)?;
        let (key, value) = (text::read(key, "key")?, text::read(value, "value")?);
        options.change(|asked| match asked.pairs.iter_mut().find(|(known, _)| *known == key) {
            Some((_, old)) => *old = value,
            None => asked.pairs.push((key, value)),
        });
        Ok(())
    })
}

/// Brings a mask for the removals that begin with these options from now on: the
/// model does not run, and the mask stands in its place. White is subject, black is
/// background, what is between is partly transparent; of a picture whose alpha is
/// not 255 throughout, such as a cut-out, the alpha is the mask. It may have another
/// size than the picture, over which it is stretched. Its edge is laid onto the
/// picture's own unless the field refine is off; with the field trimap it tells what
/// is known, and the rest is solved for.
///
/// @param mask  The mask, copied; NULL takes back what was brought.
/// @param error  NULL, or where the error goes; NULL is put there on success.
/// @return #REMREMBG_OK; #REMREMBG_BAD_PIXELS for a mask whose members contradict
///     each other, or #REMREMBG_MISUSE; then the options are as before.
///
/// Any thread.
#[unsafe(no_mangle)]
pub extern "C" fn remrembg_options_set_mask(
    options: *mut remrembg_options,
    mask: *const remrembg_pixels,
    error: *mut *mut remrembg_error,
) -> remrembg_code {
    answer(error, || {
        let options = handle::borrow(options)?;
        let mask = match pixels::read(mask, "mask")? {
            // SAFETY: asked of the caller by the documentation of the struct.
            Some(mask) => Some(Mask::Pixels(unsafe { mask.view() }?.to_pixels())),
            None => None,
        };
        options.change(|asked| asked.mask = mask.map(Arc::new));
        Ok(())
    })
}

/// As remrembg_options_set_mask(), of an encoded picture: WebP, PNG, JPEG or BMP,
/// told apart by its bytes. Whoever takes the options decodes it and tells what is
/// wrong with it, as the field mask.
///
/// @param data  The file, copied; NULL with size 0 takes back what was brought.
/// @param size  Its bytes.
/// @param error  NULL, or where the error goes; NULL is put there on success.
/// @return #REMREMBG_OK or #REMREMBG_MISUSE; then the options are as before.
///
/// Any thread.
#[unsafe(no_mangle)]
pub extern "C" fn remrembg_options_set_mask_bytes(
    options: *mut remrembg_options,
    data: *const u8,
    size: usize,
    error: *mut *mut remrembg_error,
) -> remrembg_code {
    answer(error, || {
        let options = handle::borrow(options)?;
        // SAFETY: asked of the caller by the documentation of `data` and `size`.
        let file = unsafe { pixels::bytes(data, size, "data") }?;
        let mask = (!data.is_null()).then(|| Arc::new(Mask::File(file.to_vec())));
        options.change(|asked| asked.mask = mask);
        Ok(())
    })
}

/// Has `callback` told of the progress of each removal that begins with these
/// options from now on; NULL ends that.
///
/// @param user_data  Anything, NULL too: passed on and never looked at. It has
///     to stay valid until the last removal with these options has returned, and
///     bear use from every thread that removes with them.
/// @param error  NULL, or where the error goes; NULL is put there on success.
/// @return #REMREMBG_OK, or #REMREMBG_MISUSE for what is no live options.
///
/// Any thread.
#[unsafe(no_mangle)]
pub extern "C" fn remrembg_options_set_progress(
    options: *mut remrembg_options,
    callback: remrembg_progress,
    user_data: *mut c_void,
    error: *mut *mut remrembg_error,
) -> remrembg_code {
    answer(error, || {
        let listener = callback.map(|call| Listener { call, user_data });
        handle::borrow(options)?.change(|asked| asked.listener = listener);
        Ok(())
    })
}

/// Asks every removal with these options, running or yet to come, to stop. Each
/// returns #REMREMBG_CANCELLED at its next check, within milliseconds in most
/// stages. This cannot be taken back: make new options for further removals.
///
/// NULL, and what is no live options, is left alone. Any thread, also from a
/// progress callback; not from a signal handler.
#[unsafe(no_mangle)]
pub extern "C" fn remrembg_options_cancel(options: *mut remrembg_options) {
    quietly((), || {
        handle::find(options)?.cancel.cancel();
        None
    });
}

/// Tells the size that a removal with these options will give, without doing it;
/// also the way to check a removal's options before there is a picture.
///
/// @param options  NULL for the defaults.
/// @param width  Width of the upright picture in pixels, 1 to 10000: of one that
///     its EXIF orientation turns by a quarter, the height as stored.
/// @param height  Its height in pixels, 1 to 10000.
/// @param out_width  NULL, or where the result's width in pixels goes; untouched
///     on failure.
/// @param out_height  NULL, or where its height goes; untouched on failure.
/// @param error  NULL, or where the error goes; NULL is put there on success.
/// @return #REMREMBG_OK, or what a removal would say of such a picture or, where
///     that is accepted, of these options, but for a cancellation and for the mask
///     that is brought.
///
/// Any thread.
#[unsafe(no_mangle)]
pub extern "C" fn remrembg_options_size(
    options: *const remrembg_options,
    width: u32,
    height: u32,
    out_width: *mut u32,
    out_height: *mut u32,
    error: *mut *mut remrembg_error,
) -> remrembg_code {
    answer(error, || {
        let (wide, high) = (Slot::optional(out_width, "out_width")?, Slot::optional(out_height, "out_height")?);
        let (asked, _) = remrembg_options::read(options)?;
        check_size((width, height), &Limits::default())?;
        let options = Options::from_pairs(asked.pairs.iter().map(|(key, value)| (key, value)))?;
        options.check_for((width, height))?;
        let size = output_size((width, height), &options);
        wide.put(size.0);
        high.put(size.1);
        Ok(())
    })
}

/// Frees options. Removals that began with them go on. NULL, and what is no live
/// options, is left alone.
///
/// Any thread.
#[unsafe(no_mangle)]
pub extern "C" fn remrembg_options_free(options: *mut remrembg_options) {
    handle::free(options);
}
