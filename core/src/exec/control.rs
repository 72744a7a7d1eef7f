//! Progress and cancellation, asked of every stage.

use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use crate::error::{Code, Error, Result};

/// The stages of a removal, in the order in which they run.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Stage {
    /// Encoded bytes to pixels.
    Decode,
    /// The turn that the EXIF orientation asks for.
    Upright,
    /// The model: what is subject, what is background. Not where the caller
    /// brings a mask.
    Segment,
    /// The mask brought to the picture's size.
    Refine,
    /// The mask made the picture's alpha.
    CutOut,
    /// To the size asked for.
    Resize,
    /// By the angle asked for.
    Rotate,
    /// The fill behind the subject.
    Background,
    /// Pixels to encoded bytes.
    Encode,
}

impl Stage {
    /// Every stage, in order.
    pub const ALL: [Self; 9] = [
        Self::Decode,
        Self::Upright,
        Self::Segment,
        Self::Refine,
        Self::CutOut,
        Self::Resize,
        Self::Rotate,
        Self::Background,
        Self::Encode,
    ];

    /// A stable name in `snake_case`.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Decode => "decode",
            Self::Upright => "upright",
            Self::Segment => "segment",
            Self::Refine => "refine",
            Self::CutOut => "cut_out",
            Self::Resize => "resize",
            Self::Rotate => "rotate",
            Self::Background => "background",
            Self::Encode => "encode",
        }
    }
}

impl fmt::Display for Stage {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// How far a removal has come.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Progress {
    /// The stage that is running.
    pub stage: Stage,
    /// How much of this stage is done, 0 ..= 1. Every stage that runs reports
    /// 0 when it starts and 1 when it is done, and never falls back.
    pub fraction: f32,
}

/// Asks a removal to stop. Clones share the one request; any thread may make it.
#[derive(Debug, Clone, Default)]
pub struct CancelToken(Arc<AtomicBool>);

impl CancelToken {
    /// A token that nobody has cancelled yet.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Asks for the stop. Every removal that watches this token, now or later,
    /// ends with [`Code::Cancelled`] at its next check.
    pub fn cancel(&self) {
        self.0.store(true, Ordering::Release);
    }

    /// Whether a stop was asked for.
    #[must_use]
    pub fn is_cancelled(&self) -> bool {
        self.0.load(Ordering::Acquire)
    }
}

/// How the caller follows and stops one removal. The default does neither.
#[derive(Clone, Copy, Default)]
pub struct Control<'a> {
    /// Called on the thread that asked for the removal, between stages and inside long ones.
    pub progress: Option<&'a dyn Fn(Progress)>,
    /// Looked at between stages and inside long ones.
    pub cancel: Option<&'a CancelToken>,
    /// Asked on the thread that asked for the removal, every few milliseconds: whether to
    /// stop. So a language's own signals are heard.
    pub stop: Option<&'a dyn Fn() -> bool>,
}

impl Control<'_> {
    /// Ends the stage when a stop was asked for.
    ///
    /// # Errors
    /// [`Code::Cancelled`].
    pub fn check(&self) -> Result<()> {
        if self.is_stopped() { Err(Error::new(Code::Cancelled)) } else { Ok(()) }
    }

    pub(crate) fn is_stopped(&self) -> bool {
        self.cancel.is_some_and(CancelToken::is_cancelled) || self.stop.is_some_and(|stop| stop())
    }

    /// Whether nothing can stop it.
    pub(crate) fn runs_to_its_end(&self) -> bool {
        self.cancel.is_none() && self.stop.is_none()
    }

    /// Runs a part of a stage, whose own 0 ..= 1 is `start` ..= `end` of the whole.
    pub(crate) fn part<T>(&self, (start, end): (f32, f32), run: impl FnOnce(&Control<'_>) -> T) -> T {
        let Some(progress) = self.progress else { return run(self) };
        let told = |part: Progress| {
            progress(Progress { fraction: start + part.fraction * (end - start), ..part });
        };
        run(&Control { progress: Some(&told), ..*self })
    }

    /// Says how far `stage` has come, then checks for a stop.
    ///
    /// # Errors
    /// [`Code::Cancelled`].
    pub fn report(&self, stage: Stage, fraction: f32) -> Result<()> {
        if let Some(progress) = self.progress {
            progress(Progress { stage, fraction });
        }
        self.check()
    }
}

impl fmt::Debug for Control<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Control")
            .field("progress", &self.progress.is_some())
            .field("cancel", &self.cancel)
            .finish_non_exhaustive()
    }
}
