//! What ONNX Runtime computes on.

use std::fmt;
use std::str::FromStr;

use crate::error::{Code, Error, Result};

/// An execution provider of ONNX Runtime. Which of them there are is up to the
/// library that is loaded: Python's `onnxruntime-gpu` brings CUDA, and
/// `onnxruntime-openvino` OpenVINO.
///
/// Each is asked for 32-bit arithmetic, so that a mask is that of the CPU within
/// about 1/255. This is measured for OpenVINO on processors, and not for the others.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Provider {
    /// The processor: always there.
    Cpu,
    /// NVIDIA's graphics cards, through CUDA and cuDNN, which the system's loader
    /// has to find. Needs ONNX Runtime 1.18 or newer.
    Cuda,
    /// AMD's graphics cards, up to ONNX Runtime 1.22.
    Rocm,
    /// Intel's processors and graphics, whichever the library was built for. An
    /// inference on it cannot be stopped and goes on unheard.
    OpenVino,
    /// Apple's graphics. Needs ONNX Runtime 1.20 or newer.
    CoreMl,
    /// Graphics cards on Windows.
    DirectMl,
}

impl Provider {
    /// Every provider.
    pub const ALL: [Self; 6] = [Self::Cpu, Self::Cuda, Self::Rocm, Self::OpenVino, Self::CoreMl, Self::DirectMl];

    /// Its name as ONNX Runtime spells it: `CUDAExecutionProvider` and so on.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Cpu => "CPUExecutionProvider",
            Self::Cuda => "CUDAExecutionProvider",
            Self::Rocm => "ROCMExecutionProvider",
            Self::OpenVino => "OpenVINOExecutionProvider",
            Self::CoreMl => "CoreMLExecutionProvider",
            Self::DirectMl => "DmlExecutionProvider",
        }
    }

    /// A short name: `cpu`, `cuda`, `rocm`, `openvino`, `coreml` or `directml`.
    #[must_use]
    pub const fn short_name(self) -> &'static str {
        match self {
            Self::Cpu => "cpu",
            Self::Cuda => "cuda",
            Self::Rocm => "rocm",
            Self::OpenVino => "openvino",
            Self::CoreMl => "coreml",
            Self::DirectMl => "directml",
        }
    }

    /// Reads a list for [`Config::providers`](crate::Config::providers): names with
    /// commas between them, or `auto` alone, which is the empty list.
    ///
    /// # Errors
    /// As for a single name.
    ///
    /// ```
    /// use remrembg::Provider;
    /// assert_eq!(Provider::list("cuda, CPUExecutionProvider")?, [Provider::Cuda, Provider::Cpu]);
    /// assert_eq!(Provider::list("auto")?, []);
    /// # Ok::<(), remrembg::Error>(())
    /// ```
    pub fn list(text: &str) -> Result<Vec<Self>> {
        if text.trim().eq_ignore_ascii_case("auto") {
            return Ok(Vec::new());
        }
        text.split(',').map(str::parse).collect()
    }
}

impl fmt::Display for Provider {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

impl FromStr for Provider {
    type Err = Error;

    /// Reads a [`name`](Self::name) or a [`short_name`](Self::short_name), in
    /// upper or lower case.
    ///
    /// # Errors
    /// [`Code::EngineUnavailable`] with a message that lists the names.
    fn from_str(text: &str) -> Result<Self> {
        let text = text.trim();
        let is_called = |provider: &Self| {
            [provider.name(), provider.short_name()].iter().any(|name| name.eq_ignore_ascii_case(text))
        };
        Self::ALL.into_iter().find(is_called).ok_or_else(|| {
            let names = Self::ALL.map(|provider| format!("{} ({provider})", provider.short_name())).join(", ");
            Error::with_message(Code::EngineUnavailable, format!("Unknown provider '{text}'. Providers: {names}"))
        })
    }
}
