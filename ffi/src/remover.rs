//! `remrembg_remover`: a model on an engine, ready to remove.

use std::ffi::{CString, c_char};
use std::path::PathBuf;
use std::ptr;

use remrembg::{Config, Remover, hush_guarded_panics};

use crate::argument::Slot;
use crate::boundary::answer;
use crate::codes::remrembg_code;
use crate::error::remrembg_error;
use crate::guard::quietly;
use crate::handle::{self, Handle};
use crate::options::remrembg_options;
use crate::text::for_c;

/// A model on an engine: made once, used for many pictures.
///
/// Made by remrembg_remover_new(), owned by the caller, freed by
/// remrembg_remover_free(). Any number of threads may remove with one at once: a
/// few of them (the settings in_flight and memory) work on a picture at a time, one inference
/// runs at a time, and the others wait, so that
/// memory stays bounded. In the child of a fork(), where its threads are missing,
/// every removal is #REMREMBG_ENGINE_FAILED; a remover made there works.
pub struct remrembg_remover {
    pub(crate) remover: Remover,
    engine: Engine,
}

impl Handle for remrembg_remover {
    const NAME: &'static str = "A remrembg_remover";
}

/// What a remover runs on. It belongs to the remover and goes with it, never
/// changes, and may be read by any number of threads at once. Later versions may
/// add members at the end.
#[repr(C)]
pub struct remrembg_engine {
    /// `"onnxruntime"`, `"rten"` or `"native"`.
    pub name: *const c_char,
    /// The engine's version.
    pub version: *const c_char,
    /// What computes, as the engine calls it: `"CPUExecutionProvider"`,
    /// `"CUDAExecutionProvider"`, `"CPU"`.
    pub provider: *const c_char,
    /// The model's name, or the path of its file.
    pub model: *const c_char,
    /// The ONNX Runtime library that is loaded, NULL for another engine. A
    /// process loads one, the first that a remover finds, and keeps it.
    pub library: *const c_char,
    /// Why something preferred is not used, else NULL: ONNX Runtime where it was
    /// looked for in vain, or providers that come before this one in the setting providers.
    /// Of an automatic list, only those that the library offers are told.
    pub fallback: *const c_char,
    /// Threads of one inference, at least 1.
    pub threads: u32,
}

/// The description, and the texts it points to.
struct Engine {
    told: remrembg_engine,
    _texts: Vec<CString>,
}

// SAFETY: the pointers lead to the texts beside them, which never change.
unsafe impl Send for Engine {}
// SAFETY: as above.
unsafe impl Sync for Engine {}

impl Engine {
    fn of(remover: &Remover) -> Self {
        let info = remover.engine();
        let library = info.library.as_ref().map(|path| path.to_string_lossy());
        let mut texts = Vec::new();
        let mut keep = |text: &str| {
            let text = for_c(text);
            let pointer = text.as_ptr();
            texts.push(text);
            pointer
        };
        let told = remrembg_engine {
            name: keep(info.name),
            version: keep(&info.version),
            provider: keep(&info.provider),
            model: keep(remover.model()),
            library: library.as_deref().map_or(ptr::null(), &mut keep),
            fallback: info.fallback.as_deref().map_or(ptr::null(), &mut keep),
            threads: u32::try_from(info.threads).unwrap_or(u32::MAX),
        };
        Self { told, _texts: texts }
    }
}

/// Loads a model and an engine: tens to hundreds of milliseconds.
///
/// @param settings  NULL for the defaults: the bundled model, on the engine of
///     our own. Otherwise options
///     with the keys that remrembg_options_set() lists as settings; they are
///     read and not kept.
/// @param remover  Where the remover goes; not NULL; untouched on failure. Free
///     it with remrembg_remover_free().
/// @param error  NULL, or where the error goes; NULL is put there on success.
/// @return #REMREMBG_OK, or what is wrong: with the settings, the model
///     (#REMREMBG_UNKNOWN_MODEL, #REMREMBG_MODEL_NOT_FETCHED,
///     #REMREMBG_MODEL_DAMAGED, #REMREMBG_MODEL_SHAPE, #REMREMBG_CANNOT_READ) or
///     the engine (#REMREMBG_ENGINE_UNAVAILABLE, #REMREMBG_ENGINE_FAILED).
///
/// ONNX Runtime: the setting onnxruntime is the only place where it is looked
/// for, if it is set, and an error if there is none. Otherwise these are tried in
/// order: the environment's REMREMBG_ONNXRUNTIME, then ORT_DYLIB_PATH; the folder
/// of libremrembg; that of the program, and `../lib` beside it; the system's
/// loader. None of it counts once the process has loaded one for a remover.
///
/// A model by another name than the default's is looked for in the folders that
/// the environment's REMREMBG_OFFLINE_MODELS and REMREMBG_MODELS name, else in the
/// user's cache; `remrembg models fetch NAME` on the command line puts it there,
/// and `remrembg models list` tells the names.
///
/// Any thread, while no other changes the environment.
#[unsafe(no_mangle)]
pub extern "C" fn remrembg_remover_new(
    settings: *const remrembg_options,
    remover: *mut *mut remrembg_remover,
    error: *mut *mut remrembg_error,
) -> remrembg_code {
    answer(error, || {
        // Panics that become errors have nothing to say on a program's standard error.
        hush_guarded_panics();
        let slot = Slot::new(remover, "remover")?;
        let (asked, _) = remrembg_options::read(settings)?;
        let mut config = Config::from_pairs(asked.pairs.iter().map(|(key, value)| (key, value)))?;
        config.onnxruntime_hints.extend(own_folder());
        let remover = Remover::new(config)?;
        let engine = Engine::of(&remover);
        slot.put_with(|| handle::give(remrembg_remover { remover, engine }));
        Ok(())
    })
}

/// What the remover runs on; NULL for NULL and for what is no live remover.
///
/// Any thread. The answer belongs to the remover and goes with it.
#[unsafe(no_mangle)]
pub extern "C" fn remrembg_remover_engine(remover: *const remrembg_remover) -> *const remrembg_engine {
    quietly(ptr::null(), || Some(ptr::from_ref(&handle::find(remover)?.engine.told)))
}

/// Frees a remover, its model and its threads. Removals that are running end as
/// they would have; the last of them takes the remover down. Outputs and errors
/// stay. NULL, and what is no live remover, is left alone.
///
/// Any thread. Waits for an inference that a cancellation left behind.
#[unsafe(no_mangle)]
pub extern "C" fn remrembg_remover_free(remover: *mut remrembg_remover) {
    handle::free(remover);
}

/// The folder of this library, or of the program that it is part of.
#[cfg(unix)]
fn own_folder() -> Option<PathBuf> {
    use std::ffi::{CStr, OsStr};
    use std::mem::MaybeUninit;
    use std::os::unix::ffi::OsStrExt;

    let inside = remrembg_remover_free as *const std::ffi::c_void;
    let mut info = MaybeUninit::<libc::Dl_info>::uninit();
    // SAFETY: any address may be asked for, and `info` has room for the answer.
    if unsafe { libc::dladdr(inside, info.as_mut_ptr()) } == 0 {
        return None;
    }
    // SAFETY: dladdr succeeded, so it filled the answer.
    let file = unsafe { info.assume_init() }.dli_fname;
    // SAFETY: a text of the loader's, which stays for as long as this library.
    let file = (!file.is_null()).then(|| OsStr::from_bytes(unsafe { CStr::from_ptr(file) }.to_bytes()))?;
    std::path::absolute(file).ok()?.parent().map(PathBuf::from)
}

#[cfg(not(unix))]
fn own_folder() -> Option<PathBuf> {
    None
}
