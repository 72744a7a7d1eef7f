//! A model on an engine, as the package's `Remover` wraps it.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};

use napi::Env;
use napi::bindgen_prelude::ObjectFinalize;
use napi_derive::napi;
use remrembg::{Code, Config, EngineInfo, Error, Job, PixelOutput, Pixels};

use crate::errors::Refusal;
use crate::news::{Found, Made, News, Outcome, Ready};
use crate::picture::{Held, Picture};
use crate::work::{State, Work};

/// The remover with the default settings, which all threads of the process share.
static SHARED: Mutex<Weak<remrembg::Remover>> = Mutex::new(Weak::new());

/// Options or settings, as text.
type Pairs = Vec<(String, String)>;

/// What a model takes beside the objects of JavaScript, in bytes: what it is told
/// of, so that it looks for models that nobody uses any more.
const WEIGHT: i64 = 64 << 20;

/// A model on an engine; the package's `Remover` is its face.
#[napi(custom_finalize)]
pub struct Remover {
    config: Config,
    shared: bool,
    loaded: Slot,
    state: Arc<State>,
}

/// Empty until the model is loaded.
type Slot = Arc<Mutex<Option<Arc<remrembg::Remover>>>>;

/// What one removal is asked to do.
#[napi(object, object_to_js = false)]
pub struct Task {
    pub options: Pairs,
    /// What is made: `file`, `pixels`, or `matte`.
    pub kind: String,
    /// Whether GIF and TIFF are read too.
    pub more_formats: bool,
}

/// Asks removals to stop.
#[napi]
pub struct Stop(pub(crate) remrembg::CancelToken);

#[napi]
impl Stop {
    #[napi(constructor)]
    pub fn new() -> Self {
        Self(remrembg::CancelToken::new())
    }

    #[napi]
    pub fn stop(&self) {
        self.0.cancel();
    }
}

/// What is wrong with these settings.
#[napi]
pub fn refused_settings(settings: Pairs) -> Option<Refusal> {
    Config::from_pairs(settings).err().as_ref().map(Refusal::from)
}

#[napi]
impl Remover {
    /// Settings that are not refused, and places where ONNX Runtime may be.
    /// `shared` gives the model that all who say so share.
    #[napi(constructor)]
    pub fn new(env: Env, work: &Work, settings: Pairs, hints: Vec<String>, shared: bool) -> napi::Result<Self> {
        let mut config = Config::from_pairs(settings).map_err(|error| napi::Error::from_reason(error.to_string()))?;
        env.adjust_external_memory(WEIGHT)?;
        config.onnxruntime_hints = hints.into_iter().map(Into::into).collect();
        Ok(Self { config, shared, loaded: Slot::default(), state: work.state() })
    }

    /// The size of a file above which it is refused.
    #[napi(getter)]
    pub fn max_bytes(&self) -> f64 {
        self.config.limits.max_bytes as f64
    }

    /// Loads the model: `Ready`.
    #[napi]
    pub fn load(&self, work: &Work, task: u32, stop: &Stop) {
        let (config, shared, slot) = (self.config.clone(), self.shared, Arc::clone(&self.loaded));
        work.start(task, stop.0.clone(), move |_| {
            let remover = if shared { shared_remover(config)? } else { Arc::new(remrembg::Remover::new(config)?) };
            let ready = ready(&remover);
            *lock(&slot) = Some(remover);
            Ok(News::C(ready))
        });
    }

    /// Removes: `Made`. The model must be loaded. The pictures are used up.
    #[napi]
    pub fn remove(
        &self,
        work: &Work,
        task: u32,
        stop: &Stop,
        picture: &mut Picture,
        mask: Option<&mut Picture>,
        wanted: Task,
    ) {
        let (remover, token) = (lock(&self.loaded).clone(), stop.0.clone());
        let (picture, mask) = (picture.take(), mask.map(Picture::take));
        work.start(task, stop.0.clone(), move |teller| {
            let (picture, mask) = (picture.known()?, mask.map(Held::known).transpose()?);
            let remover = remover.ok_or_else(|| Error::new(Code::Internal))?;
            let tell = |progress| teller.progress(progress);
            let mut job = remover.job(picture.input()?).pairs(wanted.options.iter().map(|(key, text)| (key, text)));
            if let Some(mask) = &mask {
                job = job.mask_from(mask.input()?);
            }
            if wanted.more_formats {
                job = job.more_formats();
            }
            made(job.progress(&tell).cancel(&token), &wanted.kind)
        });
    }
}

impl ObjectFinalize for Remover {
    /// An engine that is still at work is waited for, but not by JavaScript.
    fn finalize(self, env: Env) -> napi::Result<()> {
        let remover = lock(&self.loaded).take();
        if remover.is_some() && !self.state.is_over() {
            // Without a thread to be had it is dropped here.
            let _ = self.state.spawn(remrembg::CancelToken::new(), move || drop(remover));
        }
        env.adjust_external_memory(-WEIGHT).map(drop)
    }
}

fn shared_remover(config: Config) -> remrembg::Result<Arc<remrembg::Remover>> {
    let mut shared = SHARED.lock().unwrap_or_else(PoisonError::into_inner);
    if let Some(remover) = shared.upgrade() {
        return Ok(remover);
    }
    let remover = Arc::new(remrembg::Remover::new(config)?);
    *shared = Arc::downgrade(&remover);
    Ok(remover)
}

fn lock(slot: &Slot) -> MutexGuard<'_, Option<Arc<remrembg::Remover>>> {
    slot.lock().unwrap_or_else(PoisonError::into_inner)
}

fn ready(remover: &remrembg::Remover) -> Ready {
    let EngineInfo { name, version, provider, library, threads, fallback, .. } = remover.engine();
    Ready {
        model: remover.model().to_owned(),
        name: (*name).to_string(),
        version: version.to_string(),
        provider: provider.to_string(),
        library: library.as_ref().map(|path| path.to_string_lossy().into_owned()),
        threads: *threads as u32,
        fallback: fallback.clone(),
        in_flight: remover.in_flight() as u32,
    }
}

fn made(job: Job<'_>, kind: &str) -> Outcome {
    let raw = |data: Vec<u8>, (width, height), channels, found: Option<remrembg::Found>| Made {
        data: data.into(),
        width,
        height,
        channels,
        mime: None,
        found: found.map(Found::from),
    };
    Ok(News::B(match kind {
        "pixels" => {
            let PixelOutput { pixels, found, .. } = job.run_to_pixels()?;
            let (size, channels) = ((pixels.width(), pixels.height()), pixels.layout().bytes() as u8);
            raw(Pixels::into_data(pixels), size, channels, Some(found))
        }
        "matte" => {
            let matte = job.run_to_matte()?;
            raw(matte.data.iter().flat_map(|value| value.to_ne_bytes()).collect(), (matte.width, matte.height), 0, None)
        }
        _ => encoded(job)?,
    }))
}

fn encoded(job: Job<'_>) -> remrembg::Result<Made> {
    let output = job.run()?;
    let (width, height, mime) = (output.width, output.height, Some(output.mime().to_owned()));
    let (mut data, found) = (output.data, Some(output.found.into()));
    // JavaScript counts the bytes that it sees, and must not hold more.
    data.shrink_to_fit();
    Ok(Made { data: data.into(), width, height, channels: 0, mime, found })
}
