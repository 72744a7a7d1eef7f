//! A model on an engine, as `remrembg.Remover` wraps it.

use std::path::PathBuf;

use pyo3::prelude::*;
use pyo3::types::{PyBytes, PyDict};
use remrembg::{Config, EngineInfo, Found, Job, Matte, Pixels};

use crate::errors::Failure;
use crate::exit;
use crate::input::{Given, Held};
use crate::job::{CancelToken, Follower};

/// A model on an engine; `remrembg.Remover` is its face.
#[pyclass(module = "remrembg._remrembg", frozen)]
pub(crate) struct Remover {
    /// `None` once it is gone.
    remover: Option<remrembg::Remover>,
}

/// An engine that is still at work is waited for, but not by other threads.
impl Drop for Remover {
    fn drop(&mut self) {
        let remover = self.remover.take();
        Python::attach(|py| py.detach(|| drop(remover)));
    }
}

/// Options or settings, as text.
type Pairs = Vec<(String, String)>;

#[pymethods]
impl Remover {
    /// Settings as text, and places where ONNX Runtime may be.
    #[new]
    fn new(py: Python<'_>, settings: Pairs, hints: Vec<PathBuf>) -> PyResult<Self> {
        let made = exit::detached(py, || {
            let mut config = Config::from_pairs(settings)?;
            config.onnxruntime_hints = hints;
            remrembg::Remover::new(config)
        });
        Ok(Self { remover: Some(made?.map_err(Failure::from)?) })
    }

    /// The model's name, or the path of its file.
    #[getter]
    fn model(&self) -> &str {
        self.core().model()
    }

    /// How many removals may run at once.
    #[getter]
    fn in_flight(&self) -> usize {
        self.core().in_flight()
    }

    /// What the model runs on, as the fields of `remrembg.EngineInfo`.
    #[getter]
    fn engine<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyDict>> {
        let EngineInfo { name, version, provider, library, threads, fallback, .. } = self.core().engine();
        let told = PyDict::new(py);
        told.set_item("name", name)?;
        told.set_item("version", version)?;
        told.set_item("provider", provider)?;
        told.set_item("threads", threads)?;
        told.set_item("library", library.as_ref().map(|path| path.to_string_lossy()))?;
        told.set_item("fallback", fallback)?;
        Ok(told)
    }

    /// Remove, and encode: the file, and the fields of `remrembg.Found`.
    fn encode<'py>(&self, py: Python<'py>, task: Task) -> PyResult<(Bound<'py, PyBytes>, Told)> {
        let output = exit::detached(py, || self.run(task, |job| job.run()))??;
        Ok((PyBytes::new(py, &output.data), told(output.found)))
    }

    /// Remove, and give pixels, and the fields of `remrembg.Found`.
    fn pixels(&self, py: Python<'_>, task: Task) -> PyResult<(Picture, Told)> {
        let output = exit::detached(py, || self.run(task, |job| job.run_to_pixels()))??;
        Ok((Picture::new(output.pixels), told(output.found)))
    }

    /// Run the model alone, and give what it makes of the picture.
    fn matte(&self, py: Python<'_>, task: Task) -> PyResult<Raw> {
        Ok(Raw::new(exit::detached(py, || self.run(task, |job| job.run_to_matte()))??))
    }
}

/// The fields of `remrembg.Found`.
type Told = (f32, Option<(u32, u32, u32, u32)>, f32);

fn told(found: Found) -> Told {
    (found.coverage, found.bounds, found.confidence)
}

/// What one removal is asked to do.
#[derive(FromPyObject)]
struct Task {
    picture: Option<Given>,
    options: Pairs,
    mask: Option<Given>,
    /// Whether GIF and TIFF are read too.
    more_formats: bool,
    progress: Option<Py<PyAny>>,
    cancel: Option<Py<CancelToken>>,
}

impl Remover {
    fn core(&self) -> &remrembg::Remover {
        self.remover.as_ref().expect("it is there until it is dropped")
    }

    fn run<T>(&self, task: Task, run: impl FnOnce(Job<'_>) -> remrembg::Result<T>) -> Result<T, Failure> {
        let (held, mask) = (Held::new(task.picture), task.mask.map(|mask| Held::new(Some(mask))));
        let made = held.input().map_err(Failure::from).and_then(|input| {
            let mut job = self.core().job(input).pairs(task.options);
            if task.more_formats {
                job = job.more_formats();
            }
            if let Some(mask) = &mask {
                job = job.mask_from(mask.input()?);
            }
            Follower::new(task.progress, task.cancel).run(job, run)
        });
        match held.raised().or_else(|| mask.and_then(Held::raised)) {
            Some(error) => Err(error.into()),
            None => made,
        }
    }
}

/// Rows of pixels without gaps, for `remrembg._pictures` to look at in place.
#[pyclass(module = "remrembg._remrembg", frozen)]
pub(crate) struct Picture {
    /// Python reads and writes here.
    #[pyo3(get)]
    address: usize,
    /// Height, width, channels: 1 for grey, 3 for RGB, 4 for RGBA with straight alpha.
    #[pyo3(get)]
    shape: (u32, u32, usize),
    /// Owns the bytes and never looks at them again.
    _data: Vec<u8>,
}

impl Picture {
    fn new(pixels: Pixels) -> Self {
        let shape = (pixels.height(), pixels.width(), pixels.layout().bytes());
        let mut data = pixels.into_data();
        Self { address: data.as_mut_ptr().expose_provenance(), shape, _data: data }
    }
}

/// Rows of 32-bit floats without gaps, as [`Picture`].
#[pyclass(module = "remrembg._remrembg", frozen)]
pub(crate) struct Raw {
    #[pyo3(get)]
    address: usize,
    /// Height, width.
    #[pyo3(get)]
    shape: (u32, u32),
    _data: Vec<f32>,
}

impl Raw {
    fn new(Matte { width, height, mut data }: Matte) -> Self {
        Self { address: data.as_mut_ptr().expose_provenance(), shape: (height, width), _data: data }
    }
}
