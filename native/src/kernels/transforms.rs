//! The two transforms of Winograd's convolutions, written once for every kind of register.
//!
//! Where the macro stands there must be `load`, `store`, `add`, `subtract`, `scaled` (a factor times the first, plus the
//! second) and `at_least`, of vectors of so many lanes.

macro_rules! transforms {
    ($lanes:literal, $vector:ty, $(#[$attribute:meta])?) => {
        /// The channels must be a multiple of sixteen.
        $(#[$attribute])?
        fn forward(read: &[&[f32]; super::POINTS], to: &mut [f32], stride: usize) {
            use super::ALONG;
            for first in (0..read[0].len()).step_by($lanes) {
                let mut points: [[$vector; ALONG]; ALONG] = [[load(&read[0][first..][..$lanes]); ALONG]; ALONG];
                for row in 0..ALONG {
                    let mut line = points[row];
                    for column in 0..ALONG {
                        line[column] = load(&read[row * ALONG + column][first..][..$lanes]);
                    }
                    points[row] = of_inputs(line);
                }
                for column in 0..ALONG {
                    let mut line = points[0];
                    for row in 0..ALONG {
                        line[row] = points[row][column];
                    }
                    let line = of_inputs(line);
                    for row in 0..ALONG {
                        store(&mut to[(row * ALONG + column) * stride + first..][..$lanes], line[row]);
                    }
                }
            }
        }

        /// Six inputs of a line become its six points.
        $(#[$attribute])?
        #[inline]
        fn of_inputs([a, b, c, d, e, f]: [$vector; super::ALONG]) -> [$vector; super::ALONG] {
            let (even, odd) = (scaled(-4.0, c, e), scaled(-4.0, b, d));
            let (half, twice) = (subtract(e, c), subtract(d, b));
            [
                scaled(4.0, a, scaled(-5.0, c, e)),
                add(even, odd),
                subtract(even, odd),
                scaled(2.0, twice, half),
                scaled(-2.0, twice, half),
                scaled(4.0, b, scaled(-5.0, d, f)),
            ]
        }

        /// The outputs must be a multiple of sixteen.
        $(#[$attribute])?
        fn back(products: &[f32], stride: usize, bias: &[f32], lowest: f32, to: &mut [f32], pixel: usize) {
            use super::{ALONG, SIDE};
            for first in (0..bias.len()).step_by($lanes) {
                let bias = load(&bias[first..][..$lanes]);
                let mut rows = [[bias; SIDE]; ALONG];
                for row in 0..ALONG {
                    let mut line = [bias; ALONG];
                    for column in 0..ALONG {
                        line[column] = load(&products[(row * ALONG + column) * stride + first..][..$lanes]);
                    }
                    rows[row] = of_points(line);
                }
                for column in 0..SIDE {
                    let mut line = [bias; ALONG];
                    for row in 0..ALONG {
                        line[row] = rows[row][column];
                    }
                    let line = of_points(line);
                    for row in 0..SIDE {
                        let output = at_least(lowest, add(line[row], bias));
                        store(&mut to[(row * SIDE + column) * pixel + first..][..$lanes], output);
                    }
                }
            }
        }

        /// Six points of a line become its four outputs.
        $(#[$attribute])?
        #[inline]
        fn of_points([a, b, c, d, e, f]: [$vector; super::ALONG]) -> [$vector; super::SIDE] {
            let (sum, difference) = (add(b, c), subtract(b, c));
            let (outer, apart) = (add(d, e), subtract(d, e));
            [
                add(a, add(sum, outer)),
                scaled(2.0, apart, difference),
                scaled(4.0, outer, sum),
                add(scaled(8.0, apart, difference), f),
            ]
        }
    };
}

pub(super) use transforms;
