//! The kernels of processors that have registers of several numbers, written once for every width.

/// Makes all kernels of the intrinsics of one width.
macro_rules! vectors {
    (
        $feature:literal, $lanes:literal, $vector:ty,
        $load:ident, $store:ident, $zero:ident, $same:ident,
        $add:ident, $subtract:ident, $multiply_add:ident, $max:ident
    ) => {
        /// So many lanes must be there from that place on.
        #[target_feature(enable = $feature)]
        #[inline]
        #[expect(unsafe_code, reason = "registers are loaded from pointers, whose bounds are checked before")]
        unsafe fn load(from: &[f32], place: usize) -> $vector {
            debug_assert!(place + $lanes <= from.len());
            // SAFETY: the caller's promise.
            unsafe { $load(from.as_ptr().add(place)) }
        }

        /// As `load`.
        #[target_feature(enable = $feature)]
        #[inline]
        #[expect(unsafe_code, reason = "as above")]
        unsafe fn store(to: &mut [f32], place: usize, all: $vector) {
            debug_assert!(place + $lanes <= to.len());
            // SAFETY: the caller's promise.
            unsafe { $store(to.as_mut_ptr().add(place), all) }
        }

        #[target_feature(enable = $feature)]
        #[inline]
        fn same(value: f32) -> $vector {
            $same(value)
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
        fn largest(one: $vector, other: $vector) -> $vector {
            $max(one, other)
        }

        transforms!($lanes, $vector, #[target_feature(enable = $feature)]);

        #[target_feature(enable = $feature)]
        #[expect(unsafe_code, reason = "the lengths are checked before")]
        fn tile<const PIXELS: usize, const VECTORS: usize>(
            inputs: &[&[f32]],
            weights: &[f32],
            sums: &mut [f32],
            starts: bool,
        ) {
            let channels = check(inputs, weights, sums, (PIXELS, VECTORS * $lanes));
            let mut places = [std::ptr::null::<f32>(); PIXELS];
            for (place, input) in places.iter_mut().zip(inputs) {
                *place = input.as_ptr();
            }
            // SAFETY: `check` saw that all of it is there.
            unsafe { add_products::<PIXELS, VECTORS>(places, channels, weights.as_ptr(), sums.as_mut_ptr(), starts) }
        }

        #[target_feature(enable = $feature)]
        #[expect(unsafe_code, reason = "the lengths are checked before")]
        fn rows<const PIXELS: usize, const VECTORS: usize>(
            inputs: &[f32],
            weights: &[f32],
            sums: &mut [f32],
            starts: bool,
        ) {
            let outputs = VECTORS * $lanes;
            let (pixels, channels) = check_rows(inputs, weights, sums, (PIXELS, outputs));
            for first in (0..pixels).step_by(PIXELS) {
                let mut places = [std::ptr::null::<f32>(); PIXELS];
                // SAFETY: `check_rows` saw that there are `pixels`, a multiple of `PIXELS`, with all that belongs to them.
                unsafe {
                    for (pixel, place) in places.iter_mut().enumerate() {
                        *place = inputs.as_ptr().add((first + pixel) * channels);
                    }
                    let sums = sums.as_mut_ptr().add(first * outputs);
                    add_products::<PIXELS, VECTORS>(places, channels, weights.as_ptr(), sums, starts);
                }
            }
        }

        /// One tile. Its sums, the weights of one channel and one input are all in registers. There must be `channels`
        /// inputs at each place, `channels * VECTORS * lanes` weights and `PIXELS * VECTORS * lanes` sums.
        #[target_feature(enable = $feature)]
        #[inline]
        #[expect(unsafe_code, reason = "registers are loaded from pointers")]
        unsafe fn add_products<const PIXELS: usize, const VECTORS: usize>(
            places: [*const f32; PIXELS],
            channels: usize,
            weights: *const f32,
            sums: *mut f32,
            starts: bool,
        ) {
            let mut totals = [[$zero(); VECTORS]; PIXELS];
            // SAFETY: the caller's promise.
            unsafe {
                if !starts {
                    for (pixel, totals) in totals.iter_mut().enumerate() {
                        for (vector, total) in totals.iter_mut().enumerate() {
                            *total = $load(sums.add((pixel * VECTORS + vector) * $lanes));
                        }
                    }
                }
                for channel in 0..channels {
                    let mut factors = [$zero(); VECTORS];
                    for (vector, factor) in factors.iter_mut().enumerate() {
                        *factor = $load(weights.add((channel * VECTORS + vector) * $lanes));
                    }
                    for pixel in 0..PIXELS {
                        let value = $same(*places[pixel].add(channel));
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
