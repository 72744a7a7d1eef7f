//! A model on an engine, as `remrembg.Remover` wraps it.

use std::path::PathBuf;

use pyo3::prelude::*;
use pyo3::types::PyDict;
use remrembg::{Config, EngineInfo, Job};

use crate::errors::raised;
use crate::input::Given;
use crate::job::{CancelToken, Encoded, Follower, Picture};

/// A model on an engine. `remrembg.Remover` is its face.
#[pyclass(module = "remrembg._remrembg", frozen)]
pub(crate) struct Remover {
    remover: remrembg::Remover,
}

type Pairs = Vec<(String, String)>;

#[pymethods]
impl Remover {
    /// Settings as text, and places where ONNX Runtime may be.
    #[new]
    fn new(py: Python<'_>, settings: Pairs, hints: Vec<PathBuf>) -> PyResult<Self> {
        let made = py.detach(|| {
            let mut config = Config::from_pairs(settings)?;
            config.onnxruntime_hints = hints;
            remrembg::Remover::new(config)
        });
        made.map(|remover| Self { remover }).map_err(|error| raised(py, &error))
    }

    /// The model's name, or the path of its file.
    #[getter]
    fn model(&self) -> &str {
        self.remover.model()
    }

    /// What the model runs on.
    #[getter]
    fn engine<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyDict>> {
        let EngineInfo { name, version, provider, library, threads, fallback, .. } = self.remover.engine();
        let told = PyDict::new(py);
        told.set_item("name", name)?;
        told.set_item("version", version)?;
        told.set_item("provider", provider)?;
        told.set_item("threads", threads)?;
        told.set_item("library", library.as_ref().map(|path| path.to_string_lossy()))?;
        told.set_item("fallback", fallback)?;
        Ok(told)
    }

    /// Removes, and encodes.
    #[pyo3(signature = (picture, options, progress=None, cancel=None))]
    fn encode(
        &self,
        py: Python<'_>,
        picture: Given,
        options: Pairs,
        progress: Option<Py<PyAny>>,
        cancel: Option<Py<CancelToken>>,
    ) -> PyResult<Encoded> {
        let output = self.run(py, &picture, options, progress, cancel, Job::run)?;
        Ok(Encoded::new(py, &output))
    }

    /// Removes, and gives pixels.
    #[pyo3(signature = (picture, options, progress=None, cancel=None))]
    fn pixels(
        &self,
        py: Python<'_>,
        picture: Given,
        options: Pairs,
        progress: Option<Py<PyAny>>,
        cancel: Option<Py<CancelToken>>,
    ) -> PyResult<Picture> {
        let output = self.run(py, &picture, options, progress, cancel, Job::run_to_pixels)?;
        Ok(Picture::new(py, &output))
    }
}

impl Remover {
    fn run<T: Send>(
        &self,
        py: Python<'_>,
        picture: &Given,
        options: Pairs,
        progress: Option<Py<PyAny>>,
        cancel: Option<Py<CancelToken>>,
        run: fn(Job<'_>) -> remrembg::Result<T>,
    ) -> PyResult<T> {
        let token = cancel.as_ref().map(|cancel| &cancel.get().token);
        py.detach(|| {
            let input = picture.input().map_err(|error| Python::attach(|py| raised(py, &error)))?;
            let job = self.remover.job(input).pairs(options);
            let job = if let Some(token) = token { job.cancel(token) } else { job };
            Follower::new(progress).run(job, run)
        })
    }
}
