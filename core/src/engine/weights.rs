//! The weights that an engine is opened with.

use std::borrow::Cow;
use std::fs::{self, File};
use std::path::PathBuf;

use crate::error::{Code, Error, Result};

/// An ONNX model.
#[derive(Debug, Clone)]
pub(crate) enum Weights {
    /// Its bytes. Engines copy what they need of them.
    Bytes(Cow<'static, [u8]>),
    /// A file, which may refer to further files beside it.
    File(PathBuf),
}

impl Weights {
    /// The weights of `u2netp`, compiled into the library.
    #[cfg(feature = "bundled-model")]
    pub(crate) const BUNDLED: Self = Self::Bytes(Cow::Borrowed(remrembg_weights_u2netp::U2NETP));

    /// Whether they are [`BUNDLED`](Self::BUNDLED): only those live as long as the program.
    pub(super) fn is_bundled(&self) -> bool {
        matches!(self, Self::Bytes(Cow::Borrowed(_)))
    }

    /// Sees to it that a file can be read, so that every engine words this the
    /// same way.
    ///
    /// # Errors
    /// [`Code::CannotRead`].
    pub(super) fn check(&self) -> Result<()> {
        let Self::File(path) = self else { return Ok(()) };
        // A pipe is not opened: that would wait for who writes into it.
        let opened =
            fs::metadata(path).and_then(|about| if about.is_file() { File::open(path).map(Some) } else { Ok(None) });
        let why = match opened {
            Ok(Some(_)) => return Ok(()),
            Ok(None) => "it is not a file".to_owned(),
            Err(error) => error.to_string(),
        };
        Err(Error::with_message(Code::CannotRead, format!("Cannot read the model {}: {why}", path.display())))
    }

    /// All of an ONNX model, a file's too.
    ///
    /// # Errors
    /// [`Code::CannotRead`].
    pub(super) fn bytes(&self) -> Result<Cow<'_, [u8]>> {
        match self {
            Self::Bytes(bytes) => Ok(Cow::Borrowed(bytes)),
            Self::File(path) => fs::read(path).map(Cow::Owned).map_err(|error| {
                Error::with_message(Code::CannotRead, format!("Cannot read the model {}: {error}", path.display()))
            }),
        }
    }
}
