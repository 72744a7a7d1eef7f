//! Products of numbers of 16 bits, for processors that have units for matrices, and their portable twin.
//!
//! A number is a bfloat16, the upper half of an `f32`. Of each pixel `p` of a block and each of its outputs `o`,
//!
//! ```text
//! sums[p][o] = Σ line, place: lines[line][p · pixel + place] · weights[line][place][o]
//! ```
//!
//! with the sums in 32 bits. The three taps of a line and their channels lie side by side, so a block reads whole
//! stretches of memory. Weights come in steps of [`DEPTH`] places; of a step, in turn for each sixteen outputs, come pairs of
//! places, and of a pair a word for each output, whose lower half belongs to the first place.

use std::marker::PhantomData;

use super::{KINDS, Kernels};

/// Places that are multiplied at once.
pub(crate) const DEPTH: usize = 32;

/// Outputs that lie side by side.
pub(crate) const SIDE_BY_SIDE: usize = 16;

/// Lines that a block reads.
pub(crate) const LINES: usize = 3;

/// Sums of a block, whichever of the two it is.
pub(crate) const SUMS: usize = 1024;

type Multiply = unsafe fn(&[&[u16]; LINES], usize, &[u32], &mut [f32]);
type Round = unsafe fn(&[f32], usize, &mut [u16], usize);

/// The kernels. May be called on processors that have what they were made for, where the system allows it.
#[derive(Clone, Copy)]
pub(crate) struct Matrices {
    pub(super) may_run: fn() -> bool,
    /// Makes a thread ready for products.
    pub(super) begin: unsafe fn(),
    /// Gives back what `begin` took.
    pub(super) end: unsafe fn(),
    pub(super) round: Round,
    /// For 32 pixels and as many outputs. Between `begin` and `end`.
    pub(super) wide: Multiply,
    /// For 64 pixels and sixteen outputs. Between `begin` and `end`.
    pub(super) narrow: Multiply,
}

/// Some pixels and some of their outputs, which are computed together.
#[derive(Clone, Copy)]
pub(crate) struct Block {
    pub(crate) pixels: usize,
    pub(crate) outputs: usize,
}

/// The thread that it is on is ready for products; it does not go to another. Nothing that uses such units of its own may be
/// called meanwhile, and of one thread there is one at a time.
pub(crate) struct Ready {
    matrices: Matrices,
    stays: PhantomData<*const ()>,
}

impl Matrices {
    /// Asks the system, where it must allow them.
    pub(crate) fn may_run(&self) -> bool {
        (self.may_run)()
    }

    /// The block for a convolution with so many outputs.
    pub(crate) fn block(outputs: usize) -> Block {
        if outputs > SIDE_BY_SIDE { Block { pixels: 32, outputs: 32 } } else { Block { pixels: 64, outputs: 16 } }
    }

    /// Makes this thread ready.
    #[expect(unsafe_code, reason = "only the processor can tell what it can run")]
    pub(crate) fn ready(&self) -> Ready {
        // SAFETY: these come from `Kernels` alone, whose maker looked at the processor, and were allowed to run.
        unsafe { (self.begin)() };
        Ready { matrices: *self, stays: PhantomData }
    }

    /// Rounds pixels of so many channels to the nearest, each `pixel` numbers after the one before.
    #[expect(unsafe_code, reason = "only the processor can tell what it can run")]
    pub(crate) fn round(&self, from: &[f32], channels: usize, to: &mut [u16], pixel: usize) {
        // SAFETY: as above.
        unsafe { (self.round)(from, channels, to, pixel) }
    }
}

impl Ready {
    /// Fills the sums of a block. `lines` begin with its first pixel's first place.
    #[expect(unsafe_code, reason = "only the processor can tell what it can run")]
    pub(crate) fn multiply(
        &self,
        block: Block,
        lines: &[&[u16]; LINES],
        pixel: usize,
        weights: &[u32],
        sums: &mut [f32],
    ) {
        let multiply = if block.outputs > SIDE_BY_SIDE { self.matrices.wide } else { self.matrices.narrow };
        // SAFETY: as above; and these kernels made this thread ready.
        unsafe { multiply(lines, pixel, weights, sums) }
    }
}

impl Drop for Ready {
    #[expect(unsafe_code, reason = "only the processor can tell what it can run")]
    fn drop(&mut self) {
        // SAFETY: as above.
        unsafe { (self.matrices.end)() }
    }
}

/// Checks what every kernel relies on; tells the steps of a line.
pub(super) fn check(
    lines: &[&[u16]; LINES],
    pixel: usize,
    weights: &[u32],
    sums: &[f32],
    (pixels, outputs): (usize, usize),
) -> usize {
    let of_step = DEPTH / 2 * outputs;
    let steps = weights.len() / (LINES * of_step);
    assert!(weights.len() == LINES * steps * of_step && sums.len() == pixels * outputs, "as many as the block has");
    let reach = (pixels - 1).saturating_mul(pixel).saturating_add(steps * DEPTH);
    assert!(steps > 0 && pixel > 0 && lines.iter().all(|line| line.len() >= reach), "as many as the block reads");
    steps
}

/// The twin: what processors with such units compute, on any, but slowly.
pub(super) fn kernels() -> Option<Kernels> {
    let matrices = Matrices {
        may_run: || true,
        begin: || (),
        end: || (),
        round,
        wide: multiply::<32, 32>,
        narrow: multiply::<64, 16>,
    };
    let mut others = KINDS.iter().filter_map(|kernels| kernels());
    let other = others.find(|kernels| kernels.matrices.is_none())?;
    Some(Kernels { name: "bfloat16", matrices: Some(matrices), ..other })
}

/// The nearest bfloat16, of two the even one. What is no number stays none.
pub(crate) fn rounded(value: f32) -> u16 {
    let bits = value.to_bits();
    let odd = bits >> 16 & 1;
    if value.is_nan() { (bits >> 16) as u16 | 0x40 } else { ((bits + 0x7fff + odd) >> 16) as u16 }
}

fn round(from: &[f32], channels: usize, to: &mut [u16], pixel: usize) {
    for (from, to) in from.chunks_exact(channels).zip(to.chunks_mut(pixel)) {
        for (to, from) in to[..channels].iter_mut().zip(from) {
            *to = rounded(*from);
        }
    }
}

fn multiply<const PIXELS: usize, const OUTPUTS: usize>(
    lines: &[&[u16]; LINES],
    pixel: usize,
    weights: &[u32],
    sums: &mut [f32],
) {
    let steps = check(lines, pixel, weights, sums, (PIXELS, OUTPUTS));
    crate::widened!({
        sums.fill(0.0);
        for (line, weights) in lines.iter().zip(weights.chunks_exact(steps * DEPTH / 2 * OUTPUTS)) {
            for (pixel, sums) in line.windows(steps * DEPTH).step_by(pixel).zip(sums.chunks_exact_mut(OUTPUTS)) {
                add(pixel, weights, sums);
            }
        }
    });
}

/// Adds what the places of one line contribute to the outputs of one pixel.
#[inline(always)]
fn add(places: &[u16], weights: &[u32], sums: &mut [f32]) {
    let (sums, _) = sums.as_chunks_mut::<SIDE_BY_SIDE>();
    let float = |half: u32| f32::from_bits(half << 16);
    let mut of_sixteen = weights.chunks_exact(DEPTH / 2 * SIDE_BY_SIDE);
    for step in places.as_chunks::<DEPTH>().0 {
        for (sums, weights) in sums.iter_mut().zip(&mut of_sixteen) {
            let mut total = *sums;
            for ([one, other], weights) in step.as_chunks::<2>().0.iter().zip(weights.as_chunks::<SIDE_BY_SIDE>().0) {
                let (one, other) = (float(u32::from(*one)), float(u32::from(*other)));
                for (sum, word) in total.iter_mut().zip(weights) {
                    *sum += one * float(*word) + other * float(word >> 16);
                }
            }
            *sums = total;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::{Kernels, numbers};
    use super::*;

    fn all() -> impl Iterator<Item = (&'static str, Matrices)> {
        Kernels::all()
            .filter(Kernels::may_run)
            .filter_map(|kernels| kernels.matrices.map(|matrices| (kernels.name, matrices)))
    }

    fn halves(count: usize, seed: u64) -> Vec<u16> {
        numbers(count, seed).into_iter().map(rounded).collect()
    }

    #[test]
    fn every_kernel_multiplies_as_the_formula_says_whatever_sizes_and_alignments() {
        for (name, matrices) in all() {
            let ready = matrices.ready();
            let all = if cfg!(miri) { &[3, 16][..] } else { &[3, 16, 17, 32, 48, 64, 80, 128] };
            for (case, channels) in all.iter().copied().enumerate() {
                for block in [16, 64].map(Matrices::block) {
                    let (steps, start) = ((LINES * channels).div_ceil(DEPTH), case * 3);
                    let reach = (block.pixels - 1) * channels + steps * DEPTH;
                    let lines = [1, 2, 3].map(|seed| halves(start + reach, seed));
                    let lines: [_; LINES] = std::array::from_fn(|line| &lines[line][start..]);
                    let words = LINES * steps * DEPTH / 2 * block.outputs;
                    let pairs = halves(2 * (start + words), 4);
                    let weights =
                        pairs.as_chunks().0.iter().map(|[one, other]| u32::from(*one) | u32::from(*other) << 16);
                    let weights: Vec<_> = weights.collect();
                    let mut sums = vec![f32::NAN; start + SUMS];
                    ready.multiply(block, &lines, channels, &weights[start..], &mut sums[start..]);
                    let float = |half: u16| f64::from(f32::from_bits(u32::from(half) << 16));
                    for (number, sum) in sums[start..].iter().enumerate() {
                        let (pixel, output) = (number / block.outputs, number % block.outputs);
                        let mut right = 0.0;
                        for (line, place) in
                            (0..LINES).flat_map(|line| (0..steps * DEPTH).map(move |place| (line, place)))
                        {
                            let step = line * steps + place / DEPTH;
                            let sixteen = step * block.outputs / SIDE_BY_SIDE + output / SIDE_BY_SIDE;
                            let word = (sixteen * DEPTH / 2 + place % DEPTH / 2) * SIDE_BY_SIDE + output % SIDE_BY_SIDE;
                            let weight = pairs[2 * (start + word) + place % 2];
                            right += float(lines[line][pixel * channels + place]) * float(weight);
                        }
                        assert!((f64::from(*sum) - right).abs() < 1e-4, "{name} {channels} {number}: {sum} {right}");
                    }
                }
            }
        }
    }

    #[test]
    fn every_kernel_rounds_to_the_nearest_and_leaves_what_lies_between() {
        // The middle between two goes to the even one.
        let middle = [0x3f80_8000, 0x3f81_8000, 0x3f80_8001, 0xbf80_7fff].map(f32::from_bits);
        assert_eq!(middle.map(rounded), [0x3f80, 0x3f82, 0x3f81, 0xbf80]);
        assert_eq!([0.0, -2.0, f32::INFINITY, f32::MAX].map(rounded), [0, 0xc000, 0x7f80, 0x7f80]);
        assert!(f32::from_bits(u32::from(rounded(f32::NAN)) << 16).is_nan());
        for (name, matrices) in all() {
            for channels in [1, 3, 16, 33, 64] {
                let special = middle.into_iter().chain([f32::INFINITY, f32::NAN, f32::MIN]).cycle().take(3 * channels);
                let from: Vec<_> = numbers(4 * channels, 5).into_iter().chain(special).collect();
                let (start, pixel) = (channels % 5, channels + 2);
                let mut to = vec![7; start + 7 * pixel];
                matrices.round(&from, channels, &mut to[start..], pixel);
                for (from, to) in from.chunks_exact(channels).zip(to[start..].chunks_exact(pixel)) {
                    let right: Vec<_> = from.iter().map(|from| rounded(*from)).chain([7, 7]).collect();
                    assert_eq!(to, right, "{name} {channels}");
                }
            }
        }
    }

    #[test]
    fn no_kernel_takes_slices_that_do_not_fit() {
        for (name, matrices) in all() {
            let ready = matrices.ready();
            for block in [16, 64].map(Matrices::block) {
                let reach = (block.pixels - 1) * 16 + 2 * DEPTH;
                let refused = |line: usize, words: usize, sums: usize| {
                    let (line, weights, mut sums) = (vec![0; line], vec![0; words], vec![0.0; sums]);
                    let run = || ready.multiply(block, &[&line; LINES], 16, &weights, &mut sums);
                    std::panic::catch_unwind(std::panic::AssertUnwindSafe(run)).is_err()
                };
                let words = LINES * 2 * DEPTH / 2 * block.outputs;
                assert!(!refused(reach, words, SUMS), "{name}");
                assert!(refused(reach - 1, words, SUMS) && refused(reach, words - 1, SUMS));
                assert!(refused(reach, words, SUMS - 1) && refused(reach, words, SUMS + 1));
            }
        }
    }
}
