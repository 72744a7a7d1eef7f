//! The kernels of x86, written once for registers of every width.

/// Makes `tile`, `forward` and `back` of the intrinsics of one width.
macro_rules! vectors {
    (
        $feature:literal, $lanes:literal, $vector:ty,
        $load:ident, $store:ident, $zero:ident, $same:ident,
        $add:ident, $subtract:ident, $multiply_add:ident, $max:ident
    ) => {
        #[target_feature(enable = $feature)]
        #[inline]
        #[expect(unsafe_code, reason = "registers are loaded from pointers, whose bounds are checked before")]
        fn load(from: &[f32]) -> $vector {
            assert!(from.len() == $lanes, "a register full");
            // SAFETY: so many numbers are there.
            unsafe { $load(from.as_ptr()) }
        }

        #[target_feature(enable = $feature)]
        #[inline]
        #[expect(unsafe_code, reason = "as above")]
        fn store(to: &mut [f32], all: $vector) {
            assert!(to.len() == $lanes, "a register full");
            // SAFETY: there is room for so many numbers.
            unsafe { $store(to.as_mut_ptr(), all) }
        }

        #[target_feature(enable = $feature)]
        #[inline]
        fn add(one: $vector, other: $vector) -> $vector {
            $add(one, other)
        }

        #[target_feature(enable = $feature)]
        #[inline]
        fn subtract(one: $vector, other: $vector) -> $vector {
            $subtract(one, other)
        }

        #[target_feature(enable = $feature)]
        #[inline]
        fn scaled(factor: f32, one: $vector, other: $vector) -> $vector {
            $multiply_add($same(factor), one, other)
        }

        #[target_feature(enable = $feature)]
        #[inline]
        fn at_least(lowest: f32, all: $vector) -> $vector {
            $max(all, $same(lowest))
        }

        transforms!($lanes, $vector, #[target_feature(enable = $feature)]);

        /// Its sums, the weights of one channel and one input are all in registers.
        #[target_feature(enable = $feature)]
        #[expect(unsafe_code, reason = "registers are loaded from pointers, whose bounds are checked before")]
        fn tile<const PIXELS: usize, const VECTORS: usize>(inputs: &[&[f32]], weights: &[f32], sums: &mut [f32]) {
            let channels = check(inputs, weights, sums, (PIXELS, VECTORS * $lanes));
            let mut starts = [std::ptr::null::<f32>(); PIXELS];
            for (start, input) in starts.iter_mut().zip(inputs) {
                *start = input.as_ptr();
            }
            let (weights, sums) = (weights.as_ptr(), sums.as_mut_ptr());
            let mut totals = [[$zero(); VECTORS]; PIXELS];
            // SAFETY: `check` saw that there are `channels` inputs at each start, `channels * VECTORS * lanes` weights
            // and `PIXELS * VECTORS * lanes` sums.
            unsafe {
                for (pixel, totals) in totals.iter_mut().enumerate() {
                    for (vector, total) in totals.iter_mut().enumerate() {
                        *total = $load(sums.add((pixel * VECTORS + vector) * $lanes));
                    }
                }
                for channel in 0..channels {
                    let mut factors = [$zero(); VECTORS];
                    for (vector, factor) in factors.iter_mut().enumerate() {
                        *factor = $load(weights.add((channel * VECTORS + vector) * $lanes));
                    }
                    for pixel in 0..PIXELS {
                        let value = $same(*starts[pixel].add(channel));
                        for vector in 0..VECTORS {
                            totals[pixel][vector] = $multiply_add(value, factors[vector], totals[pixel][vector]);
                        }
                    }
                }
                for (pixel, totals) in totals.iter().enumerate() {
                    for (vector, total) in totals.iter().enumerate() {
                        $store(sums.add((pixel * VECTORS + vector) * $lanes), *total);
                    }
                }
            }
        }
    };
}

pub(super) use vectors;
