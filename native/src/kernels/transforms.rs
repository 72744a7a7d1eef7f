//! The two transforms of Winograd's convolutions, what becomes of sums, and resizing, written once for every kind of register.
//!
//! Where the macro stands there must be `load` and `store` (of some lanes of a slice, from a place on), `same` (a number in
//! each lane), `add`, `subtract`, `scaled` (a factor times the first, plus the second) and `largest`.

macro_rules! transforms {
    ($lanes:literal, $vector:ty, $(#[$attribute:meta])?) => {
        $(#[$attribute])?
        #[expect(unsafe_code, reason = "every place was checked before the loops")]
        fn forward(lines: &[&[f32]; super::ALONG], pixel: usize, channels: usize, to: &mut [f32], stride: usize) {
            use std::mem::MaybeUninit;

            use super::ALONG;
            let is_whole = channels.is_multiple_of(super::LANES);
            assert!(is_whole && lines.iter().all(|line| line.len() >= (ALONG - 1) * pixel + channels), "all pixels");
            assert!(to.len() >= (super::POINTS - 1) * stride + channels, "room for all points");
            for first in (0..channels).step_by($lanes) {
                // SAFETY: columns and rows are below `ALONG`, and `first` and the lanes after it below `channels`; every
                // point is written before it is read.
                unsafe {
                    let mut points = [[const { MaybeUninit::<$vector>::uninit() }; ALONG]; ALONG];
                    for (points, numbers) in points.iter_mut().zip(lines) {
                        let mut line = [same(0.0); ALONG];
                        for (column, value) in line.iter_mut().enumerate() {
                            *value = load(numbers, column * pixel + first);
                        }
                        for (point, value) in points.iter_mut().zip(of_inputs(line)) {
                            point.write(value);
                        }
                    }
                    for column in 0..ALONG {
                        let mut line = [same(0.0); ALONG];
                        for (value, points) in line.iter_mut().zip(&points) {
                            *value = points[column].assume_init();
                        }
                        for (row, value) in of_inputs(line).into_iter().enumerate() {
                            store(to, (row * ALONG + column) * stride + first, value);
                        }
                    }
                }
            }
        }

        /// Eight inputs of a line become its eight points.
        $(#[$attribute])?
        #[inline]
        fn of_inputs([a, b, c, d, e, f, g, h]: [$vector; super::ALONG]) -> [$vector; super::ALONG] {
            // Sums and differences of two points have the even inputs and the odd ones.
            let (even, odd) = (add(scaled(-4.25, e, c), g), add(scaled(-4.25, d, b), f));
            let near = (scaled(0.25, c, scaled(-1.25, e, g)), scaled(0.5, b, scaled(-2.5, d, add(f, f))));
            let far = (scaled(4.0, c, scaled(-5.0, e, g)), scaled(2.0, b, scaled(-2.5, d, scaled(0.5, f, same(0.0)))));
            [
                scaled(5.25, subtract(e, c), subtract(a, g)),
                add(even, odd),
                subtract(even, odd),
                add(near.0, near.1),
                subtract(near.0, near.1),
                add(far.0, far.1),
                subtract(far.0, far.1),
                scaled(5.25, subtract(d, f), subtract(h, b)),
            ]
        }

        $(#[$attribute])?
        #[expect(unsafe_code, reason = "every place was checked before the loops")]
        fn back(products: &[f32], stride: usize, finish: &super::Finish<'_>, square: &mut super::Square<'_>) {
            use std::mem::MaybeUninit;

            use super::{ALONG, SIDE};
            let super::Finish { bias, lowest, adds } = *finish;
            let super::Square { lines, pooled, pixel } = square;
            let (channels, pixel) = (bias.len(), *pixel);
            let room = |lines: &[&mut [f32]], pixels: usize| {
                lines.iter().all(|line| line.len() >= (pixels - 1) * pixel + channels)
            };
            let is_whole = channels.is_multiple_of(super::LANES);
            assert!(is_whole && room(lines, SIDE) && pooled.as_ref().is_none_or(|pooled| room(pooled, SIDE / 2)));
            assert!(products.len() >= (super::POINTS - 1) * stride + channels, "all points");
            for first in (0..channels).step_by($lanes) {
                // SAFETY: as above; columns and rows of outputs are below `SIDE`, those of what is pooled below half of it;
                // every row is written before it is read.
                unsafe {
                    let mut rows = [[const { MaybeUninit::<$vector>::uninit() }; SIDE]; ALONG];
                    for (row, outputs) in rows.iter_mut().enumerate() {
                        let mut line: [$vector; ALONG] = [same(0.0); ALONG];
                        for (column, value) in line.iter_mut().enumerate() {
                            *value = load(products, (row * ALONG + column) * stride + first);
                        }
                        for (output, value) in outputs.iter_mut().zip(of_points(line)) {
                            output.write(value);
                        }
                    }
                    let (bias, lowest) = (load(bias, first), same(lowest));
                    let mut before = [lowest; SIDE];
                    for column in 0..SIDE {
                        let mut line: [$vector; ALONG] = [lowest; ALONG];
                        for (value, row) in line.iter_mut().zip(&rows) {
                            *value = row[column].assume_init();
                        }
                        let mut outputs = of_points(line);
                        for (output, to) in outputs.iter_mut().zip(lines.iter_mut()) {
                            *output = largest(add(*output, bias), lowest);
                            if adds {
                                *output = add(*output, load(to, column * pixel + first));
                            }
                            store(to, column * pixel + first, *output);
                        }
                        if let (1, Some(pooled)) = (column % 2, pooled.as_mut()) {
                            for (row, to) in pooled.iter_mut().enumerate() {
                                let upper = largest(before[2 * row], outputs[2 * row]);
                                let lower = largest(before[2 * row + 1], outputs[2 * row + 1]);
                                store(to, column / 2 * pixel + first, largest(upper, lower));
                            }
                        }
                        before = outputs;
                    }
                }
            }
        }

        /// Eight points of a line become its six outputs.
        $(#[$attribute])?
        #[inline]
        fn of_points([a, b, c, d, e, f, g, h]: [$vector; super::ALONG]) -> [$vector; super::SIDE] {
            let (one, two, half) = (add(b, c), add(d, e), add(f, g));
            let (one_apart, two_apart, half_apart) = (subtract(b, c), subtract(d, e), subtract(f, g));
            [
                add(add(a, one), add(two, half)),
                scaled(2.0, two_apart, scaled(0.5, half_apart, one_apart)),
                scaled(4.0, two, scaled(0.25, half, one)),
                scaled(8.0, two_apart, scaled(0.125, half_apart, one_apart)),
                scaled(16.0, two, scaled(0.0625, half, one)),
                scaled(32.0, two_apart, scaled(0.031_25, half_apart, add(one_apart, h))),
            ]
        }

        $(#[$attribute])?
        #[expect(unsafe_code, reason = "every place is checked before it is read")]
        fn end(sums: &[f32], each: usize, finish: &super::Finish<'_>, to: &mut [f32], pixel: usize) {
            let super::Finish { bias, lowest, adds } = *finish;
            for (sums, to) in sums.chunks_exact(each).zip(to.chunks_mut(pixel)) {
                assert!(bias.len() <= each && bias.len() <= to.len(), "room for all outputs");
                let whole = bias.len() - bias.len() % $lanes;
                for first in (0..whole).step_by($lanes) {
                    // SAFETY: as just seen.
                    unsafe {
                        let mut output = largest(add(load(sums, first), load(bias, first)), same(lowest));
                        if adds {
                            output = add(output, load(to, first));
                        }
                        store(to, first, output);
                    }
                }
                for ((sum, bias), to) in sums.iter().zip(bias).zip(to.iter_mut()).skip(whole) {
                    *to = (sum + bias).max(lowest) + if adds { *to } else { 0.0 };
                }
            }
        }

        $(#[$attribute])?
        #[expect(unsafe_code, reason = "every place is checked before it is read")]
        fn resize(lines: [&[f32]; 2], down: f32, columns: &[super::Between], channels: usize, to: &mut [f32]) {
            let length = lines[0].len().min(lines[1].len());
            assert!(to.len() == columns.len() * channels, "as many pixels as columns");
            for (column, to) in columns.iter().zip(to.chunks_exact_mut(channels)) {
                let super::Between { first, second, along } = *column;
                assert!(first.max(second) + channels <= length, "both pixels");
                let whole = channels - channels % $lanes;
                for channel in (0..whole).step_by($lanes) {
                    // SAFETY: as just seen.
                    unsafe {
                        let of_line = |line: &[f32]| (load(line, first + channel), load(line, second + channel));
                        let ((a, b), (c, d)) = (of_line(lines[0]), of_line(lines[1]));
                        let upper = scaled(along, subtract(b, a), a);
                        let lower = scaled(along, subtract(d, c), c);
                        store(to, channel, scaled(down, subtract(lower, upper), upper));
                    }
                }
                for (channel, to) in to.iter_mut().enumerate().skip(whole) {
                    let [upper, lower] = lines.map(|line| {
                        let (one, other) = (line[first + channel], line[second + channel]);
                        one + (other - one) * along
                    });
                    *to = upper + (lower - upper) * down;
                }
            }
        }
    };
}

pub(super) use transforms;
