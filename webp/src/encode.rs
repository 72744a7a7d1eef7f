//! The calls into libwebp.

use std::any::Any;
use std::ffi::{c_int, c_void};
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};

use libwebp_sys as ffi;
use libwebp_sys::WebPEncodingError as Code;

use crate::{Encoder, Error, Layout, Picture, side};

/// What libwebp's callbacks work on while one picture is encoded.
struct Session<'a> {
    output: Vec<u8>,
    progress: &'a mut dyn FnMut(u8) -> bool,
    panic: Option<Box<dyn Any + Send>>,
}

/// A file has room for so much about its blocks and no more. From this method on the encoder looks at the whole picture to stay
/// within it; quicker ones look at its top, and fail where that is the calmest part.
const LOOKS_AT_ALL: u8 = 2;

/// A file with the colours, and the alpha unless it is to be without. `progress` never goes back.
pub(crate) fn encode(
    encoder: &Encoder,
    picture: &Picture<'_>,
    without_alpha: bool,
    progress: &mut dyn FnMut(u8) -> bool,
) -> Result<Vec<u8>, Error> {
    let mut most = 0;
    let mut onwards = |percent: u8| {
        most = percent.max(most);
        progress(most)
    };
    match encode_once(encoder, picture, without_alpha, &mut onwards) {
        Err(Error::Encoder(code))
            if code == Code::VP8_ENC_ERROR_PARTITION0_OVERFLOW as u32 && encoder.method < LOOKS_AT_ALL =>
        {
            let slower = Encoder { method: LOOKS_AT_ALL, ..*encoder };
            encode_once(&slower, picture, without_alpha, &mut onwards)
        }
        done => done,
    }
}

fn encode_once(
    encoder: &Encoder,
    picture: &Picture<'_>,
    without_alpha: bool,
    progress: &mut dyn FnMut(u8) -> bool,
) -> Result<Vec<u8>, Error> {
    side::install();
    let config = encoder.config()?;
    let mut canvas = Canvas::import(picture, encoder.lossless)?;
    if without_alpha {
        canvas.drop_alpha(encoder.exact);
    }
    let mut session = Session { output: Vec::new(), progress, panic: None };
    let done = canvas.encode(&config, &mut session);
    if let Some(panic) = session.panic {
        drop(canvas);
        resume_unwind(panic);
    }
    done.map(|()| session.output)
}

impl Encoder {
    fn config(&self) -> Result<ffi::WebPConfig, Error> {
        let mut config = ffi::WebPConfig::new().map_err(|()| Error::BadSettings)?;
        config.lossless = self.lossless.into();
        config.quality = self.quality;
        config.method = self.method.into();
        config.alpha_quality = self.alpha_quality.into();
        config.exact = self.exact.into();
        config.thread_level = self.threads.into();
        Ok(config)
    }
}

/// libwebp's own copy of a picture, freed on every path.
struct Canvas(ffi::WebPPicture);

impl Canvas {
    fn import(picture: &Picture<'_>, lossless: bool) -> Result<Self, Error> {
        let mut canvas = Self::new(picture)?;
        canvas.0.use_argb = lossless.into();
        let (raw, data, stride) = (&raw mut canvas.0, picture.data.as_ptr(), picture.stride as c_int);
        let imported = match picture.layout {
            // SAFETY: `Picture::check` has seen that `data` holds `height` rows of `width` RGB pixels that are
            // `stride` bytes apart, and that the numbers fit; `raw` was initialised with that width and height.
            Layout::Rgb => unsafe { ffi::WebPPictureImportRGB(raw, data, stride) != 0 },
            // SAFETY: as above, for RGBA pixels.
            Layout::Rgba => unsafe { ffi::WebPPictureImportRGBA(raw, data, stride) != 0 },
        };
        if imported { Ok(canvas) } else { Err(canvas.error()) }
    }

    fn new(picture: &Picture<'_>) -> Result<Self, Error> {
        let mut raw = std::mem::MaybeUninit::uninit();
        // SAFETY: the pointer is valid for a write of one `WebPPicture`, which is all that the call does.
        if !unsafe { ffi::WebPPictureInit(raw.as_mut_ptr()) } {
            return Err(Error::Encoder(Code::VP8_ENC_ERROR_INVALID_CONFIGURATION as u32));
        }
        // SAFETY: the call succeeded, so it has written every field.
        let mut canvas = Self(unsafe { raw.assume_init() });
        canvas.0.width = picture.width as c_int;
        canvas.0.height = picture.height as c_int;
        Ok(canvas)
    }

    /// Takes the alpha away, once what it hides is flat, if that need not be exact.
    fn drop_alpha(&mut self, exact: bool) {
        if !exact {
            // SAFETY: the picture owns imported planes, which the call writes to.
            unsafe { ffi::WebPCleanupTransparentArea(&raw mut self.0) }
        }
        // Its memory belongs to the plane of brightness.
        self.0.a = std::ptr::null_mut();
        self.0.colorspace = ffi::WebPEncCSP::WEBP_YUV420;
    }

    fn encode(&mut self, config: &ffi::WebPConfig, session: &mut Session<'_>) -> Result<(), Error> {
        let session = std::ptr::from_mut(session).cast::<c_void>();
        self.0.writer = Some(append);
        self.0.custom_ptr = session;
        self.0.progress_hook = Some(report);
        self.0.user_data = session;
        // SAFETY: the picture owns imported planes; both callbacks get `session`, which outlives the call, and libwebp
        // calls them on this thread alone, one at a time (it takes the hook away from what works on other threads).
        match unsafe { ffi::WebPEncode(config, &raw mut self.0) } {
            0 => Err(self.error()),
            _ => Ok(()),
        }
    }

    fn error(&self) -> Error {
        match self.0.error_code {
            Code::VP8_ENC_ERROR_USER_ABORT => Error::Cancelled,
            Code::VP8_ENC_ERROR_INVALID_CONFIGURATION => Error::BadSettings,
            Code::VP8_ENC_ERROR_FILE_TOO_BIG => Error::FileTooBig,
            // The writer refuses only when the output cannot grow.
            Code::VP8_ENC_ERROR_OUT_OF_MEMORY
            | Code::VP8_ENC_ERROR_BITSTREAM_OUT_OF_MEMORY
            | Code::VP8_ENC_ERROR_BAD_WRITE => Error::OutOfMemory,
            code => Error::Encoder(code as u32),
        }
    }
}

impl Drop for Canvas {
    fn drop(&mut self) {
        // SAFETY: the picture was initialised; freeing sets its pointers to null, and this happens once.
        unsafe { ffi::WebPPictureFree(&raw mut self.0) }
    }
}

unsafe extern "C" fn append(data: *const u8, size: usize, picture: *const ffi::WebPPicture) -> c_int {
    if size == 0 {
        return 1;
    }
    // SAFETY: `Canvas::encode` stored a live `Session` here, and no other reference to it exists during the call.
    let session = unsafe { &mut *(*picture).custom_ptr.cast::<Session<'_>>() };
    // SAFETY: libwebp hands over `size` readable bytes at `data`.
    let bytes = unsafe { std::slice::from_raw_parts(data, size) };
    if session.output.try_reserve(size).is_err() {
        return 0;
    }
    session.output.extend_from_slice(bytes);
    1
}

unsafe extern "C" fn report(percent: c_int, picture: *const ffi::WebPPicture) -> c_int {
    // SAFETY: as in `append`.
    let session = unsafe { &mut *(*picture).user_data.cast::<Session<'_>>() };
    let percent = percent.clamp(0, 100) as u8;
    match catch_unwind(AssertUnwindSafe(|| (session.progress)(percent))) {
        Ok(go_on) => go_on.into(),
        Err(panic) => {
            session.panic = Some(panic);
            0
        }
    }
}
