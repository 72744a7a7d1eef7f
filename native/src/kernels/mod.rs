//! The innermost loops, for each kind of processor.
//!
//! A tile is some pixels of the output, and some of their channels. A kernel adds to its sums what some channels of
//! one tap contribute: for each pixel `p` and output `o`,
//!
//! ```text
//! sums[p][o] += Σ c: inputs[p][c] · weights[c][o]
//! ```
//!
//! It never leaves the slices that it is given, and checks their lengths itself.
//!
//! Besides, there are the two transforms of [Winograd's convolutions], for sixteen channels at a time.

#[cfg(target_arch = "x86_64")]
mod amx;
#[cfg(target_arch = "x86_64")]
mod avx2;
#[cfg(target_arch = "x86_64")]
mod avx512;
mod matrices;
#[cfg(target_arch = "aarch64")]
mod neon;
mod portable;
mod transforms;
#[cfg(any(target_arch = "x86_64", target_arch = "aarch64"))]
mod vectors;

pub(crate) use matrices::{Block, DEPTH, LINES, Matrices, Ready, SIDE_BY_SIDE, SUMS, rounded};
use transforms::transforms;

/// The pixels that are worked on together: a multiple of every tile's.
pub(crate) const GROUP: usize = 48;

/// The most channels that are read at once.
pub(crate) const CHANNELS: usize = 256;

/// What stands beyond the edge.
pub(crate) static ZEROS: [f32; CHANNELS] = [0.0; CHANNELS];

/// The most outputs of a tile.
pub(crate) const OUTPUTS: usize = 64;

/// Outputs along a side of a square of Winograd's.
pub(crate) const SIDE: usize = 6;

/// Inputs along a side of it.
pub(crate) const ALONG: usize = SIDE + 2;

/// All of its inputs, and what they become.
pub(crate) const POINTS: usize = ALONG * ALONG;

/// Channels that the transforms take at once: a multiple of every register's lanes.
pub(crate) const LANES: usize = 16;

/// How products or sums become outputs.
#[derive(Clone, Copy)]
pub(crate) struct Finish<'a> {
    /// Of each output, as many as there are.
    pub(crate) bias: &'a [f32],
    /// No output is below it.
    pub(crate) lowest: f32,
    /// Whether outputs are added, after that, to the numbers in whose places they go.
    pub(crate) adds: bool,
}

/// Where a square of outputs goes.
pub(crate) struct Square<'a> {
    /// Its lines, from the first pixel on.
    pub(crate) lines: [&'a mut [f32]; SIDE],
    /// Where the largest of each 2 × 2 pixels go, if they are wanted: half as many lines.
    pub(crate) pooled: Option<[&'a mut [f32]; SIDE / 2]>,
    /// How far apart pixels stand, in both.
    pub(crate) pixel: usize,
}

/// Two pixels of a line, by the places where they begin, and how far from the first to the second.
#[derive(Clone, Copy)]
pub(crate) struct Between {
    pub(crate) first: usize,
    pub(crate) second: usize,
    pub(crate) along: f32,
}

/// A kernel, and the tile that it works on.
#[derive(Clone, Copy)]
pub(crate) struct Tile {
    /// Of the output.
    pub(crate) pixels: usize,
    /// Channels of the output.
    pub(crate) outputs: usize,
    /// May be called on processors that have what it was made for, and so may the other.
    add: Add,
    add_rows: AddRows,
}

impl Tile {
    /// `inputs` are the channels of each pixel, `weights` by input and output, `sums` by pixel and output. Sums that it
    /// `starts` are taken for zeros.
    #[expect(unsafe_code, reason = "only the processor can tell what it can run")]
    pub(crate) fn add(&self, inputs: &[&[f32]], weights: &[f32], sums: &mut [f32], starts: bool) {
        // SAFETY: tiles come from `Kernels` alone, whose maker looked at the processor.
        unsafe { (self.add)(inputs, weights, sums, starts) }
    }

    /// As [`add`](Self::add) for several tiles, whose pixels' channels follow each other.
    #[expect(unsafe_code, reason = "only the processor can tell what it can run")]
    pub(crate) fn add_rows(&self, inputs: &[f32], weights: &[f32], sums: &mut [f32], starts: bool) {
        // SAFETY: as above.
        unsafe { (self.add_rows)(inputs, weights, sums, starts) }
    }
}

type Add = unsafe fn(&[&[f32]], &[f32], &mut [f32], bool);
type AddRows = unsafe fn(&[f32], &[f32], &mut [f32], bool);
type Forward = unsafe fn(&[&[f32]; ALONG], usize, usize, &mut [f32], usize);
type Back = unsafe fn(&[f32], usize, &Finish<'_>, &mut Square<'_>);
type End = unsafe fn(&[f32], usize, &Finish<'_>, &mut [f32], usize);
type Resize = unsafe fn([&[f32]; 2], f32, &[Between], usize, &mut [f32]);

/// The fastest first; those that this processor has not are `None`.
const KINDS: &[fn() -> Option<Kernels>] = &[
    #[cfg(target_arch = "x86_64")]
    amx::kernels,
    #[cfg(target_arch = "x86_64")]
    avx512::kernels,
    #[cfg(target_arch = "x86_64")]
    avx2::kernels,
    #[cfg(target_arch = "aarch64")]
    neon::kernels,
    portable::kernels,
    matrices::kernels,
];

/// The kernels for one kind of processor.
#[derive(Clone, Copy)]
pub(crate) struct Kernels {
    pub(crate) name: &'static str,
    tiles: fn(usize) -> Tile,
    /// As [`Tile::add`].
    forward: Forward,
    back: Back,
    end: End,
    resize: Resize,
    /// Where convolutions are products of matrices of 16-bit numbers.
    pub(crate) matrices: Option<Matrices>,
}

impl Kernels {
    /// Those that this processor has, the fastest first. They run once [`may_run`](Self::may_run) says so.
    pub(crate) fn all() -> impl Iterator<Item = Self> {
        KINDS.iter().filter_map(|kernels| kernels())
    }

    /// Those of that name, or without one the fastest. The system is asked for no others.
    pub(crate) fn named(name: &str) -> Option<Self> {
        Self::all().filter(|kernels| name.is_empty() || kernels.name == name).find(Self::may_run)
    }

    /// Asks the system where it must allow them.
    pub(crate) fn may_run(&self) -> bool {
        self.matrices.is_none_or(|matrices| matrices.may_run())
    }

    /// Transforms a square of inputs, `Bᵀ d B`. Its `lines` begin with the square's first pixel; pixels stand `pixel`
    /// numbers apart, and of each so many `channels` are taken. Of each point, they stand `stride` after those of the one
    /// before.
    #[expect(unsafe_code, reason = "only the processor can tell what it can run")]
    pub(crate) fn forward(
        &self,
        lines: &[&[f32]; ALONG],
        pixel: usize,
        channels: usize,
        to: &mut [f32],
        stride: usize,
    ) {
        // SAFETY: as above.
        unsafe { (self.forward)(lines, pixel, channels, to, stride) }
    }

    /// Transforms products into a square of outputs, `Aᵀ m A`. Of each point, the products stand `stride` after those of
    /// the one before.
    #[expect(unsafe_code, reason = "only the processor can tell what it can run")]
    pub(crate) fn back(&self, products: &[f32], stride: usize, finish: &Finish<'_>, square: &mut Square<'_>) {
        // SAFETY: as above.
        unsafe { (self.back)(products, stride, finish, square) }
    }

    /// Turns sums, so many for `each` pixel, into outputs of pixels that stand `pixel` numbers apart.
    #[expect(unsafe_code, reason = "only the processor can tell what it can run")]
    pub(crate) fn end(&self, sums: &[f32], each: usize, finish: &Finish<'_>, to: &mut [f32], pixel: usize) {
        // SAFETY: as above.
        unsafe { (self.end)(sums, each, finish, to, pixel) }
    }

    /// Fills a line of pixels from two, the second of which is so far `down`: 0 is the first, 1 the second.
    #[expect(unsafe_code, reason = "only the processor can tell what it can run")]
    pub(crate) fn resize(&self, lines: [&[f32]; 2], down: f32, columns: &[Between], channels: usize, to: &mut [f32]) {
        // SAFETY: as above.
        unsafe { (self.resize)(lines, down, columns, channels, to) }
    }

    /// The tile for a convolution with so many outputs.
    pub(crate) fn tile(&self, outputs: usize) -> Tile {
        (self.tiles)(outputs)
    }
}

/// Has numbers brought to the second cache that are read later.
#[inline]
#[cfg_attr(target_arch = "x86_64", expect(unsafe_code, reason = "the hint takes a pointer"))]
pub(crate) fn prefetch(numbers: &[f32]) {
    #[cfg(target_arch = "x86_64")]
    for line in numbers.chunks(16) {
        use std::arch::x86_64::{_MM_HINT_T1, _mm_prefetch};
        // SAFETY: it is a hint, which changes nothing.
        unsafe { _mm_prefetch::<_MM_HINT_T1>(line.as_ptr().cast()) };
    }
    #[cfg(not(target_arch = "x86_64"))]
    let _ = numbers;
}

/// Checks what every kernel relies on.
fn check(inputs: &[&[f32]], weights: &[f32], sums: &[f32], (pixels, outputs): (usize, usize)) -> usize {
    let channels = inputs.first().map_or(0, |input| input.len());
    assert!(inputs.len() == pixels && inputs.iter().all(|input| input.len() == channels), "as many for each pixel");
    assert!(weights.len() == channels * outputs && sums.len() == pixels * outputs, "as many as the tile has");
    channels
}

/// The same of several tiles: how many pixels and channels there are.
fn check_rows(inputs: &[f32], weights: &[f32], sums: &[f32], (pixels, outputs): (usize, usize)) -> (usize, usize) {
    let (all, channels) = (sums.len() / outputs, weights.len() / outputs);
    assert!(all.is_multiple_of(pixels) && inputs.len() == all * channels, "as many for each pixel");
    assert!(weights.len() == channels * outputs && sums.len() == all * outputs, "as many as tiles have");
    (all, channels)
}

/// Numbers of no pattern, from -1 to 1, the same each time: for tests and measurements.
pub(crate) fn numbers(count: usize, seed: u64) -> Vec<f32> {
    let mut state = seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1;
    let next = |_| {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        (state >> 40) as f32 / (1 << 23) as f32 - 1.0
    };
    (0..count).map(next).collect()
}

#[cfg(test)]
mod tests;
