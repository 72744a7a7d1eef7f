use super::*;

#[test]
fn every_kernel_adds_what_the_formula_says() {
    for kernels in Kernels::all().filter(Kernels::may_run) {
        for outputs in [1, 6, 16, 32, 64, 100] {
            let tile = kernels.tile(outputs);
            assert!(GROUP.is_multiple_of(tile.pixels) && tile.outputs <= OUTPUTS, "{} {outputs}", kernels.name);
            for channels in [0, 1, 3, 15, 16, 17, 64] {
                let data: Vec<_> = (0..tile.pixels).map(|pixel| numbers(channels, pixel as u64 + 5)).collect();
                let inputs: Vec<_> = data.iter().map(Vec::as_slice).collect();
                let weights = numbers(channels * tile.outputs, 77);
                let mut sums = numbers(tile.pixels * tile.outputs, 99);
                let before = sums.clone();
                tile.add(&inputs, &weights, &mut sums, false);
                for (place, (sum, before)) in sums.iter().zip(before).enumerate() {
                    let (pixel, output) = (place / tile.outputs, place % tile.outputs);
                    let product = |c: usize| f64::from(data[pixel][c]) * f64::from(weights[c * tile.outputs + output]);
                    let right = f64::from(before) + (0..channels).map(product).sum::<f64>();
                    assert!((f64::from(*sum) - right).abs() < 1e-5, "{} {outputs} {channels}", kernels.name);
                }
                for starts in [false, true] {
                    let rows = numbers(3 * tile.pixels * channels, 7);
                    let mut ours = numbers(3 * tile.pixels * tile.outputs, 8);
                    let mut right = ours.clone();
                    tile.add_rows(&rows, &weights, &mut ours, starts);
                    let row = |pixel| &rows[pixel * channels..][..channels];
                    for (number, sums) in right.chunks_exact_mut(tile.pixels * tile.outputs).enumerate() {
                        let inputs: Vec<_> = (number * tile.pixels..).take(tile.pixels).map(row).collect();
                        tile.add(&inputs, &weights, sums, starts);
                    }
                    assert_eq!(ours, right, "{} {outputs} {channels}: three tiles", kernels.name);
                }
            }
        }
    }
}

/// Sizes of no pattern, each below a bound.
struct Sizes(u64);

impl Sizes {
    fn below(&mut self, bound: usize) -> usize {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) as usize % bound
    }

    /// Numbers that begin at any alignment, and are exactly as many.
    fn numbers(&mut self, count: usize) -> (Vec<f32>, usize) {
        let before = self.below(20);
        (numbers(before + count, self.0), before)
    }
}

/// What lies before the numbers must stay, and what a kernel writes must be what its portable twin writes.
fn same(name: &str, ours: &[f32], right: &[f32]) {
    for (one, other) in ours.iter().zip(right) {
        assert!((one - other).abs() <= 2e-4 * other.abs().max(1.0), "{name}: {one} {other}");
    }
}

#[test]
fn every_kernel_does_what_its_portable_twin_does_whatever_sizes_strides_and_alignments() {
    let portable = portable::kernels().expect("it runs everywhere");
    for kernels in Kernels::all().filter(Kernels::may_run) {
        let mut sizes = Sizes(7);
        for _ in 0..if cfg!(miri) { 3 } else { 300 } {
            let channels = LANES * (1 + sizes.below(4));
            let (pixel, stride) = (channels + sizes.below(40), channels + sizes.below(40));
            // Squares of inputs.
            let lines: [_; ALONG] = std::array::from_fn(|_| sizes.numbers((ALONG - 1) * pixel + channels));
            let lines = std::array::from_fn(|line| &lines[line].0[lines[line].1..]);
            let (mut ours, start) = sizes.numbers((POINTS - 1) * stride + channels);
            let mut right = ours.clone();
            kernels.forward(&lines, pixel, channels, &mut ours[start..], stride);
            portable.forward(&lines, pixel, channels, &mut right[start..], stride);
            same(kernels.name, &ours, &right);
            // Squares of outputs, into lines that follow each other.
            let (products, start) = sizes.numbers((POINTS - 1) * stride + channels);
            let line = SIDE * pixel + sizes.below(9);
            let (made, bias) = (sizes.numbers(SIDE * line), sizes.numbers(channels));
            let (adds, pools) = (sizes.below(2) == 0, sizes.below(2) == 0);
            let finish = Finish { bias: &bias.0[bias.1..], lowest: -0.5, adds };
            let back = |kernels: Kernels| {
                let (mut output, mut pooled) = (made.0.clone(), made.0.clone());
                let mut lines = output[made.1..].chunks_exact_mut(line);
                let mut of_pooled = pooled[made.1..].chunks_exact_mut(line);
                let pooled_lines = std::array::from_fn(|_| of_pooled.next().expect("there are as many"));
                let mut square = Square {
                    lines: std::array::from_fn(|_| lines.next().expect("there are as many")),
                    pooled: pools.then_some(pooled_lines),
                    pixel,
                };
                kernels.back(&products[start..], stride, &finish, &mut square);
                [output, pooled].concat()
            };
            same(kernels.name, &back(kernels), &back(portable));
            // Sums.
            let (outputs, spare) = (1 + sizes.below(40), sizes.below(5));
            let (each, pixel, pixels) = (outputs + sizes.below(5), outputs + spare, sizes.below(9));
            let (sums, start) = sizes.numbers(each * pixels);
            let (bias, before) = sizes.numbers(outputs);
            let finish = Finish { bias: &bias[before..], lowest: 0.0, adds };
            let (mut ours, place) = sizes.numbers(pixel * pixels);
            let mut right = ours.clone();
            kernels.end(&sums[start..], each, &finish, &mut ours[place..], pixel);
            portable.end(&sums[start..], each, &finish, &mut right[place..], pixel);
            same(kernels.name, &ours, &right);
            // Lines that are resized.
            let (width, channels) = (1 + sizes.below(9), 1 + sizes.below(40));
            let lines = [sizes.numbers(width * channels), sizes.numbers(width * channels)];
            let column = |sizes: &mut Sizes| {
                let (first, second) = (sizes.below(width) * channels, sizes.below(width) * channels);
                Between { first, second, along: sizes.below(100) as f32 / 99.0 }
            };
            let columns: Vec<_> = (0..sizes.below(20)).map(|_| column(&mut sizes)).collect();
            let (mut ours, start) = sizes.numbers(columns.len() * channels);
            let mut right = ours.clone();
            let lines = [&lines[0].0[lines[0].1..], &lines[1].0[lines[1].1..]];
            kernels.resize(lines, 0.3, &columns, channels, &mut ours[start..]);
            portable.resize(lines, 0.3, &columns, channels, &mut right[start..]);
            same(kernels.name, &ours, &right);
        }
    }
}

#[test]
fn no_transform_takes_slices_that_do_not_fit() {
    let refused = |run: &dyn Fn()| std::panic::catch_unwind(std::panic::AssertUnwindSafe(run)).is_err();
    let (long, short) = (numbers(POINTS * LANES, 1), numbers((ALONG - 1) * LANES + LANES - 1, 2));
    for kernels in Kernels::all().filter(Kernels::may_run) {
        let forward = |line: &[f32], channels: usize, room: usize| {
            kernels.forward(
                &[&long, &long, &long, line, &long, &long, &long, &long],
                LANES,
                channels,
                &mut vec![0.0; room],
                LANES,
            );
        };
        assert!(!refused(&|| forward(&long, LANES, POINTS * LANES)), "{}", kernels.name);
        assert!(refused(&|| forward(&short, LANES, POINTS * LANES)), "{}", kernels.name);
        assert!(refused(&|| forward(&long, LANES, POINTS * LANES - 1)), "{}", kernels.name);
        assert!(refused(&|| forward(&long, LANES - 1, POINTS * LANES)), "{}", kernels.name);
        let back = |products: usize, bias: usize, line: usize, pooled: usize| {
            let (mut lines, mut rest) = (vec![0.0; SIDE * line], vec![0.0; SIDE / 2 * pooled]);
            let mut lines = lines.chunks_exact_mut(line);
            let mut rest = rest.chunks_exact_mut(pooled);
            let mut square = Square {
                lines: std::array::from_fn(|_| lines.next().expect("there are as many")),
                pooled: Some(std::array::from_fn(|_| rest.next().expect("there are as many"))),
                pixel: LANES,
            };
            let finish = Finish { bias: &long[..bias], lowest: 0.0, adds: false };
            kernels.back(&long[..products], LANES, &finish, &mut square);
        };
        let (all, line, pooled) = (POINTS * LANES, SIDE * LANES, SIDE / 2 * LANES);
        assert!(!refused(&|| back(all, LANES, line, pooled)), "{}", kernels.name);
        assert!(refused(&|| back(all - 1, LANES, line, pooled)), "{}", kernels.name);
        assert!(refused(&|| back(all, LANES - 1, line, pooled)), "{}", kernels.name);
        assert!(refused(&|| back(all, LANES, line - 1, pooled)), "{}", kernels.name);
        assert!(refused(&|| back(all, LANES, line, pooled - 1)), "{}", kernels.name);
        let end = |each: usize, bias: usize, room: usize| {
            let finish = Finish { bias: &long[..bias], lowest: 0.0, adds: true };
            kernels.end(&long[..each], each, &finish, &mut vec![0.0; room], room);
        };
        assert!(!refused(&|| end(20, 19, 19)) && refused(&|| end(20, 21, 21)) && refused(&|| end(20, 20, 19)));
        let resize = |first: usize, second: usize, room: usize| {
            let columns = [Between { first, second, along: 0.5 }];
            kernels.resize([&long[..20], &long[..19]], 0.5, &columns, 16, &mut vec![0.0; room]);
        };
        assert!(!refused(&|| resize(3, 0, 16)), "{}", kernels.name);
        assert!(refused(&|| resize(4, 0, 16)) && refused(&|| resize(0, 4, 16)) && refused(&|| resize(0, 0, 15)));
    }
}

#[test]
fn no_kernel_takes_slices_that_do_not_fit() {
    for kernels in Kernels::all().filter(Kernels::may_run) {
        let tile = kernels.tile(64);
        let (input, longer) = (numbers(4, 1), numbers(5, 1));
        let refused = |inputs: &[&[f32]], weights: usize, sums: usize| {
            let (weights, mut sums) = (vec![0.0; weights], vec![0.0; sums]);
            std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| tile.add(inputs, &weights, &mut sums, false)))
                .is_err()
        };
        let inputs = vec![&input[..]; tile.pixels];
        let (weights, sums) = (4 * tile.outputs, tile.pixels * tile.outputs);
        assert!(!refused(&inputs, weights, sums), "{}", kernels.name);
        assert!(refused(&inputs[1..], weights, sums) && refused(&inputs, weights - 1, sums));
        assert!(refused(&inputs, weights, sums - 1));
        let uneven = [&inputs[1..], &[&longer[..]]].concat();
        assert!(refused(&uneven, weights, sums));
        let refused = |pixels: usize, inputs: usize, weights: usize, sums: usize| {
            let (inputs, weights) = (vec![0.0; inputs], vec![0.0; weights]);
            let mut sums = vec![0.0; pixels * tile.outputs + sums];
            std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| {
                tile.add_rows(&inputs, &weights, &mut sums, false)
            }))
            .is_err()
        };
        let (two, one_more) = (2 * tile.pixels, 2 * tile.pixels + 1);
        assert!(!refused(two, 4 * two, weights, 0), "{}", kernels.name);
        assert!(refused(two, 4 * two - 1, weights, 0) && refused(two, 4 * two, weights - 1, 0));
        assert!(refused(two, 4 * two, weights, 1) && refused(one_more, 4 * one_more, weights, 0));
    }
}
