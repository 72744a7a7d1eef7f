//! What goes wrong on a command line: an error of core, or a command that
//! contradicts itself.

use std::io;
use std::path::Path;

use remrembg::{Code, Error, ErrorKind, Problem};
use serde_json::json;

/// The exit status of a refused request.
pub(crate) const REFUSED: u8 = 2;
/// The exit status of any other failure.
pub(crate) const FAILED: u8 = 1;
/// What help says of them.
pub(crate) const EXIT: &str = "Exit status: 0 when all is done; 2 when every failure is a refused request (an option, a picture, \
                               the command line itself); 1 for any other failure; 130 after SIGINT, 143 after SIGTERM, 129 after SIGHUP.";

#[derive(Debug)]
pub(crate) enum Failure {
    /// The command line itself asks for something that cannot be.
    Usage(String),
    /// Core refused or failed.
    Core(Error),
    /// Whoever read standard output has gone. There is nobody to tell.
    ReaderGone,
}

impl Failure {
    pub(crate) fn usage(message: impl Into<String>) -> Self {
        Self::Usage(message.into())
    }

    pub(crate) fn cannot_write(path: &Path, error: io::Error) -> Self {
        let message = format!("Cannot write '{}': {error}", path.display());
        Self::Core(Error::with_message(Code::CannotWrite, message).because(error))
    }

    pub(crate) fn cannot_delete(path: &Path, error: io::Error) -> Self {
        let message = format!("Cannot delete '{}', of which the result is written: {error}", path.display());
        Self::Core(Error::with_message(Code::CannotWrite, message).because(error))
    }

    pub(crate) fn cannot_read(path: &Path, error: io::Error) -> Self {
        let message = format!("Cannot read '{}': {error}", path.display());
        Self::Core(Error::with_message(Code::CannotRead, message).because(error))
    }

    pub(crate) fn stdout(error: io::Error) -> Self {
        if error.kind() == io::ErrorKind::BrokenPipe {
            return Self::ReaderGone;
        }
        let message = format!("Cannot write to standard output: {error}");
        Self::Core(Error::with_message(Code::CannotWrite, message).because(error))
    }

    pub(crate) fn status(&self) -> u8 {
        match self {
            Self::Usage(_) => REFUSED,
            Self::Core(error) if error.kind() == ErrorKind::Validation => REFUSED,
            Self::Core(_) | Self::ReaderGone => FAILED,
        }
    }

    pub(crate) fn is_cancelled(&self) -> bool {
        matches!(self, Self::Core(error) if error.code() == Code::Cancelled)
    }

    /// The body that the hosted API answers.
    pub(crate) fn to_json(&self) -> String {
        match self {
            Self::Usage(message) => json!({"error": message, "status": 400}).to_string(),
            Self::Core(error) => error.to_json(),
            Self::ReaderGone => String::new(),
        }
    }

    /// Why, where the message is the same for many causes.
    pub(crate) fn reason(&self) -> Option<&str> {
        match self {
            Self::Core(error) => error.reason(),
            Self::Usage(_) | Self::ReaderGone => None,
        }
    }

    /// One message for each problem.
    pub(crate) fn messages(&self) -> Vec<String> {
        match self {
            Self::Usage(message) => vec![message.clone()],
            Self::Core(error) if !error.details().is_empty() => error.details().iter().map(told).collect(),
            Self::Core(error) => vec![error.message().to_owned()],
            Self::ReaderGone => Vec::new(),
        }
    }
}

fn told(problem: &Problem) -> String {
    let reason = problem.reason.as_ref().map(|reason| format!(": {reason}"));
    problem.message.clone() + &reason.unwrap_or_default()
}

impl From<Error> for Failure {
    fn from(error: Error) -> Self {
        Self::Core(error)
    }
}
