//! Convolutions whose output takes the place of an input, line after line.
//!
//! Lines are finished in waves. The input lies [`SLIDE`] lines behind the output in the same slot, so what a wave writes
//! was read by the one before.

use crate::kernels::SIDE;
use crate::plan::{Shape, Source, Target};

/// Lines that are finished before the next are begun, where the output slides over an input: whole squares of Winograd's,
/// of an even number of lines.
pub(crate) const WAVE: usize = 8 * SIDE;

/// How many lines such an input lies behind the output: a wave reads one line above its own.
pub(crate) const SLIDE: usize = WAVE + 1;

/// A tensor from some row on.
#[derive(Clone, Copy)]
pub(crate) struct Seen<'a> {
    pub(crate) shape: Shape,
    /// From this row on.
    pub(crate) above: usize,
    pub(crate) data: &'a [f32],
}

/// Runs a convolution from its first row on, or wave after wave where it slides over the input of that number. `rows` is
/// told the first row, what it sees of each source, and where its outputs go.
pub(crate) fn in_waves(
    slides: Option<usize>,
    sources: &[Source<'_>],
    target: Target<'_>,
    rows: impl Fn(usize, &[Seen<'_>], Target<'_>),
) {
    let seen: Vec<_> = sources.iter().map(|(shape, data)| Seen { shape: *shape, above: 0, data }).collect();
    let Target { shape: to, data, mut pooled } = target;
    let Some(slides) = slides else { return rows(0, &seen, Target { shape: to, data, pooled }) };
    let line = to.width * to.channels;
    for first in (0..to.height).step_by(WAVE) {
        let (above, end) = (first.saturating_sub(1), to.height.min(first + WAVE));
        let (output, source) = data.split_at_mut((SLIDE + above) * line);
        let mut seen = seen.clone();
        seen[slides] = Seen { shape: to, above, data: source };
        let pooled = pooled.as_deref_mut().map(|pooled| &mut pooled[first / 2 * (line / 2)..end / 2 * (line / 2)]);
        rows(first, &seen, Target { shape: to, data: &mut output[first * line..end * line], pooled });
    }
}
