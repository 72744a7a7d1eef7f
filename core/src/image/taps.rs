//! Resampling along a side: which pixels one is made from, and how much each counts.

/// The pixels that one pixel is made from, and how much each counts.
pub(super) struct Taps {
    pub(super) first: usize,
    pub(super) weights: Vec<f32>,
}

/// A function of the distance in pixels of the smaller picture, 0 from its reach on.
pub(super) struct Kernel {
    pub(super) reach: f64,
    pub(super) weight: fn(f64) -> f64,
}

/// The taps of every pixel along a side, as Pillow has them: their weights add up to 1.
pub(super) fn taps(kernel: &Kernel, from: usize, to: usize) -> Vec<Taps> {
    let ratio = from as f64 / to as f64;
    let scale = ratio.max(1.0);
    let tap = |at: usize| {
        let center = (at as f64 + 0.5) * ratio;
        let edge = |place: f64| (place + 0.5).max(0.0) as usize;
        let reach = kernel.reach * scale;
        let (first, end) = (edge(center - reach), edge(center + reach).min(from));
        let weight = |pixel: usize| (kernel.weight)((pixel as f64 + 0.5 - center) / scale);
        let weights: Vec<f64> = (first..end).map(weight).collect();
        let sum: f64 = weights.iter().sum();
        Taps { first, weights: weights.into_iter().map(|weight| (weight / sum) as f32).collect() }
    };
    (0..to).map(tap).collect()
}
