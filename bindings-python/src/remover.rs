//! A model on an engine, as `remrembg.Remover` wraps it.

use std::path::PathBuf;

use pyo3::prelude::*;
use pyo3::types::{PyBytes, PyDict};
use remrembg::{Config, CutOut, EngineInfo, Job, Matting, Pixels};

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

    /// Remove, and encode.
    fn encode<'py>(&self, py: Python<'py>, task: Task) -> PyResult<Bound<'py, PyBytes>> {
        let output = exit::detached(py, || self.run(task, |job| job.run()))??;
        Ok(PyBytes::new(py, &output.data))
    }

    /// Remove, and give pixels.
    fn pixels(&self, py: Python<'_>, task: Task) -> PyResult<Picture> {
        let output = exit::detached(py, || self.run(task, |job| job.run_to_pixels()))??;
        Ok(Picture::new(output.pixels))
    }
}

/// Smooth the mask; thresholds and erosion of matting; true colours; keep colours; keep alpha.
type Finish = (bool, Option<(i64, i64, i64)>, bool, bool, bool);

/// What one removal is asked to do.
#[derive(FromPyObject)]
struct Task {
    picture: Option<Given>,
    options: Pairs,
    cut_out: Finish,
    progress: Option<Py<PyAny>>,
    cancel: Option<Py<CancelToken>>,
}

impl Remover {
    fn core(&self) -> &remrembg::Remover {
        self.remover.as_ref().expect("it is there until it is dropped")
    }

    fn run<T>(&self, task: Task, run: impl FnOnce(Job<'_>) -> remrembg::Result<T>) -> Result<T, Failure> {
        let held = Held::new(task.picture);
        let made = held.input().map_err(Failure::from).and_then(|input| {
            let job = self.core().job(input).pairs(task.options).cut_out(cut_out(task.cut_out));
            Follower::new(task.progress, task.cancel).run(job, run)
        });
        match held.raised() {
            Some(error) => Err(error.into()),
            None => made,
        }
    }
}

fn cut_out((smooth_mask, thresholds, decontaminate, keep_colors, keep_alpha): Finish) -> CutOut {
    let matting = thresholds.map(|(foreground_threshold, background_threshold, erode_size)| Matting {
        foreground_threshold,
        background_threshold,
        erode_size,
    });
    CutOut { smooth_mask, matting, decontaminate, keep_colors, keep_alpha, ..CutOut::default() }
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
