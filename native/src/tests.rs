//! Every way of computing beside its formula, and the bundled network.

use std::cmp::Ordering;
use std::sync::atomic::AtomicBool;

use super::*;
use crate::kernels::numbers;
use crate::network::Prepared;
use crate::onnx::{Attribute, Graph, Node, Value};
use crate::plan::{Convolution, Plan, Target};
use crate::waves::{SLIDE, WAVE};

/// A convolution by its formula, in double precision; `added` is added after the ReLU.
fn by_formula(convolution: &Convolution, inputs: &[(Shape, &[f32])], added: Option<&[f32]>) -> Vec<f64> {
    let Convolution { kernel, dilation, outputs, weights, bias, has_relu, .. } = convolution;
    let (Shape { height, width, .. }, all) = (inputs[0].0, inputs.iter().map(|input| input.0.channels).sum::<usize>());
    let reach = |place: usize, step: usize, size: usize| {
        let place = (place + step * dilation).checked_sub(kernel / 2 * dilation);
        place.filter(|place| *place < size)
    };
    let mut right = Vec::new();
    for (place, output) in (0..height * width).flat_map(|place| (0..*outputs).map(move |output| (place, output))) {
        let (mut sum, mut before) = (f64::from(bias[output]), 0);
        for (shape, data) in inputs {
            for tap in 0..kernel * kernel {
                let row = reach(place / width, tap / kernel, height);
                let (Some(row), Some(column)) = (row, reach(place % width, tap % kernel, width)) else {
                    continue;
                };
                for channel in 0..shape.channels {
                    let weight = weights[(output * all + before + channel) * kernel * kernel + tap];
                    sum += f64::from(weight) * f64::from(data[(row * width + column) * shape.channels + channel]);
                }
            }
            before += shape.channels;
        }
        let sum = if *has_relu { sum.max(0.0) } else { sum };
        right.push(sum + added.map_or(0.0, |added| f64::from(added[place * outputs + output])));
    }
    right
}

/// Numbers as matrices have them: rounded to the upper half of their bits, of two that are as near the even one.
fn halves(numbers: &[f32]) -> Vec<f32> {
    let half = |value: &f32| {
        let (below, step) = (value.to_bits() & 0xffff_0000, 0x1_0000);
        let (below, above) = (f32::from_bits(below), f32::from_bits(below + step));
        match (value - below).abs().total_cmp(&(above - value).abs()) {
            Ordering::Less => below,
            Ordering::Equal if below.to_bits() & step == 0 => below,
            _ => above,
        }
    };
    numbers.iter().map(half).collect()
}

#[test]
fn every_way_of_a_convolution_gives_what_its_formula_says() {
    // Height, width, channels of each source, outputs, kernel and dilation: with rests in every direction.
    let cases = [
        (5, 83, &[16, 32][..], 16, 3, 1),
        (9, 80, &[16], 64, 3, 1),
        (4, 81, &[80], 48, 3, 1),
        (7, 50, &[3], 64, 3, 1),
        (6, 11, &[16, 16], 16, 3, 2),
        (3, 3, &[16], 24, 3, 8),
        (33, 13, &[64], 1, 3, 1),
        (9, 7, &[1, 1, 1], 1, 1, 1),
        (5, 5, &[300], 70, 1, 1),
        (1, 1, &[2], 5, 3, 1),
        (4, 167, &[16, 32], 16, 3, 1),
        (3, 160, &[64], 48, 3, 1),
    ];
    for kernels in Kernels::all().filter(Kernels::may_run) {
        for (height, width, channels, outputs, kernel, dilation) in cases {
            for (has_relu, adds) in [(true, true), (false, false)] {
                let shapes: Vec<_> =
                    channels.iter().map(|channels| Shape { height, width, channels: *channels }).collect();
                let data: Vec<_> = shapes.iter().map(|shape| numbers(shape.count(), shape.channels as u64)).collect();
                let weights = outputs * channels.iter().sum::<usize>() * kernel * kernel;
                let (weights, bias) = (numbers(weights, 3), numbers(outputs, 4));
                let convolution =
                    Convolution { kernel, dilation, outputs, weights, bias, has_relu, adds, slides: None };
                let inputs: Vec<_> = shapes.iter().copied().zip(data.iter().map(Vec::as_slice)).collect();
                let added = numbers(height * width * outputs, 5);
                let prepared = Prepared::new(&convolution, channels, width, kernels);
                let right = match &prepared {
                    Prepared::Matrix(_) => {
                        let halves: Vec<_> = data.iter().map(|data| halves(data)).collect();
                        let inputs: Vec<_> = shapes.iter().copied().zip(halves.iter().map(Vec::as_slice)).collect();
                        let weights = self::halves(&convolution.weights);
                        by_formula(&Convolution { weights, ..convolution }, &inputs, adds.then_some(&added))
                    }
                    _ => by_formula(&convolution, &inputs, adds.then_some(&added)),
                };
                let shape = Shape { height, width, channels: outputs };
                let mut output = if adds { added } else { vec![f32::NAN; shape.count()] };
                prepared.run(&inputs, Target { shape, data: &mut output, pooled: None }, &Pool::of(2));
                for (output, right) in output.iter().zip(right) {
                    let difference = (f64::from(*output) - right).abs();
                    assert!(
                        difference < 1e-3,
                        "{} {width}x{height} {channels:?} {outputs}: {output} {right}",
                        kernels.name
                    );
                }
            }
        }
    }
}

/// Bilinear resizing by its formula: pixels are squares whose middles are compared.
fn resized((shape, data): (Shape, &[f32]), to: Shape) -> Vec<f32> {
    let place = |place: usize, from: usize, to: usize| {
        let middle = ((place as f64 + 0.5) * from as f64 / to as f64 - 0.5).clamp(0.0, from as f64 - 1.0);
        (middle as usize, (middle as usize + 1).min(from - 1), middle.fract())
    };
    let mut right = Vec::new();
    for (row, column) in (0..to.height).flat_map(|row| (0..to.width).map(move |column| (row, column))) {
        let ((above, below, down), (left, beside, along)) =
            (place(row, shape.height, to.height), place(column, shape.width, to.width));
        for channel in 0..shape.channels {
            let of =
                |row: usize, column: usize| f64::from(data[(row * shape.width + column) * shape.channels + channel]);
            let line = |row| of(row, left) * (1.0 - along) + of(row, beside) * along;
            right.push((line(above) * (1.0 - down) + line(below) * down) as f32);
        }
    }
    right
}

#[test]
fn a_convolution_resizes_what_it_reads_and_pools_what_it_writes() {
    // The output's height and width, and those of the source that is resized.
    let cases = [(12, 48, 6, 24), (14, 50, 7, 25), (8, 44, 3, 11), (46, 82, 23, 41), (6, 40, 1, 1), (12, 166, 6, 83)];
    for kernels in Kernels::all().filter(Kernels::may_run) {
        for (height, width, rows, columns) in cases {
            let (to, whole) = (Shape { height, width, channels: 32 }, Shape { height, width, channels: 16 });
            let small = Shape { height: rows, width: columns, channels: 80 };
            let (one, other) = (numbers(small.count(), 1), numbers(whole.count(), 2));
            let (weights, bias, added) = (numbers(32 * 96 * 9, 3), numbers(32, 4), numbers(to.count(), 5));
            let convolution = Convolution {
                kernel: 3,
                dilation: 1,
                outputs: 32,
                weights,
                bias,
                has_relu: true,
                adds: true,
                slides: None,
            };
            let large = resized((small, &one), to);
            let prepared = Prepared::new(&convolution, &[80, 16], width, kernels);
            assert_eq!(prepared.name() == "matrix", kernels.matrices.is_some() && width >= 160, "{}", kernels.name);
            // What is resized is not the same to the last bit, and may be rounded to another half.
            let (large, other_halves, weights, most) = match &prepared {
                Prepared::Matrix(_) => (halves(&large), halves(&other), halves(&convolution.weights), 2e-2),
                _ => (large, other.clone(), convolution.weights.clone(), 1e-3),
            };
            let inputs = [(Shape { channels: 80, ..to }, &large[..]), (whole, &other_halves[..])];
            let right = by_formula(&Convolution { weights, ..convolution }, &inputs, Some(&added));
            let (mut output, mut pooled) = (added, vec![f32::NAN; to.count() / 4]);
            let target = Target { shape: to, data: &mut output, pooled: Some(&mut pooled) };
            prepared.run(&[(small, &one), (whole, &other)], target, &Pool::of(2));
            for (output, right) in output.iter().zip(right) {
                assert!((f64::from(*output) - right).abs() < most, "{} {width}: {output} {right}", kernels.name);
            }
            for (place, pooled) in pooled.into_iter().enumerate() {
                let (pixel, channel) = (place / 32, place % 32);
                let corner = (pixel / (width / 2) * 2 * width + pixel % (width / 2) * 2) * 32 + channel;
                let four = [0, 32, width * 32, width * 32 + 32].map(|step| output[corner + step]);
                assert_eq!(pooled, four.into_iter().fold(f32::NEG_INFINITY, f32::max), "{} {width}", kernels.name);
            }
        }
    }
}

#[test]
fn a_convolution_that_slides_over_its_input_gives_what_it_gives_beside_it() {
    let sizes = [(SLIDE + 62, 41), (2 * WAVE, 40), (WAVE + 1, 43), (5, 40), (WAVE + 3, 161), (2 * WAVE, 162)];
    for ((height, width), kernels) in
        sizes.into_iter().flat_map(|size| Kernels::all().filter(Kernels::may_run).map(move |one| (size, one)))
    {
        let shape = Shape { height, width, channels: 16 };
        let input = numbers(shape.count(), 1);
        let convolution = |slides| {
            let (weights, bias) = (numbers(16 * 16 * 9, 3), numbers(16, 4));
            let (kernel, dilation, outputs) = (3, 1, 16);
            Convolution { kernel, dilation, outputs, weights, bias, has_relu: true, adds: false, slides }
        };
        let run = |slides, sources: &[(Shape, &[f32])], data: &mut [f32]| {
            let prepared = Prepared::new(&convolution(slides), &[16], width, kernels);
            let mut pooled = vec![f32::NAN; shape.count() / 4];
            let pools = height.is_multiple_of(2) && width.is_multiple_of(2);
            let target = Target { shape, data, pooled: pools.then_some(&mut pooled) };
            prepared.run(sources, target, &Pool::of(2));
            pools.then_some(pooled)
        };
        let mut beside = vec![f32::NAN; shape.count()];
        let right = run(None, &[(shape, &input)], &mut beside);
        let mut slid = [vec![f32::NAN; SLIDE * width * 16], input].concat();
        let pooled = run(Some(0), &[(shape, &[])], &mut slid);
        assert!(pooled == right, "{} {width}x{height}", kernels.name);
        assert!(slid[..shape.count()] == beside, "{} {width}x{height}", kernels.name);
    }
}

#[test]
fn weights_of_very_different_size_are_not_rounded() {
    for kernels in Kernels::all().filter(|kernels| kernels.matrices.is_some()) {
        let name = |largest: f32| {
            let mut weights = numbers(16 * 16 * 9, 3);
            weights[0] = largest;
            let (bias, kernel, dilation, outputs) = (vec![0.0; 16], 3, 1, 16);
            let convolution =
                Convolution { kernel, dilation, outputs, weights, bias, has_relu: true, adds: false, slides: None };
            Prepared::new(&convolution, &[16], 320, kernels).name()
        };
        assert_eq!([name(1.0), name(100.0)], ["matrix", "Winograd"]);
    }
}

/// The file of the bundled network, which set-up fetches.
fn bundled() -> Vec<u8> {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../models/u2netp.onnx");
    std::fs::read(path).unwrap_or_else(|error| panic!("{path}: {error}: run `make setup`"))
}

#[test]
fn masks_are_the_same_on_any_number_of_threads_and_runs_stop_between_two_layers() {
    let load = |threads| Network::load(&bundled(), &Pool::of(threads), "").expect("it is a network");
    let (one, two, input) = (load(1), load(2), numbers(3 * 320 * 320, 6));
    let run = |network: &Network| network.run(&input, &AtomicBool::new(false)).expect("it runs");
    let (shape, first) = run(&two);
    assert_eq!(shape, Shape { height: 320, width: 320, channels: 1 });
    assert!(run(&two).1 == first && run(&one).1 == first, "to the last bit");
    assert!(one.run(&input, &AtomicBool::new(true)).is_none());
}

#[test]
fn kernels_are_had_by_name_or_told() {
    let documentation = include_str!("../../docs/engine.md");
    for name in kernels() {
        Network::load(&bundled(), &Pool::of(1), name).expect("they are there");
        assert!(documentation.contains(&format!("\n| `{name}` | ")), "{name}");
    }
    let Err(Error::Kernels(name, there)) = Network::load(&bundled(), &Pool::of(1), "fast") else {
        panic!("there are none")
    };
    assert!(name == "fast" && there.contains(&"portable") && there.contains(&"bfloat16"), "{there:?}");
}

#[test]
fn what_is_no_network_that_it_knows_is_told_by_name() {
    let refused = |bytes: &[u8]| match Network::load(bytes, &Pool::of(1), "") {
        Err(Error::Model(why)) => why,
        _ => panic!("it cannot be run"),
    };
    assert_eq!(refused(b""), "there is no graph");
    assert_ne!(refused(b"no model at all"), "");
    let mut bytes = bundled();
    let places: Vec<_> = (0..bytes.len() - 7).filter(|place| bytes[*place..].starts_with(b"Sigmoid")).collect();
    places.into_iter().for_each(|place| bytes[place..place + 7].copy_from_slice(b"Signoid"));
    let why = refused(&bytes);
    assert!(why.starts_with("Signoid '") && why.ends_with("': it is not known"), "{why}");
}

fn node<'a>(operator: &str, inputs: &[&str], output: &str, attributes: Vec<(&str, Attribute<'a>)>) -> Node<'a> {
    let attributes = attributes.into_iter().map(|(name, attribute)| (name.to_owned(), attribute)).collect();
    let inputs = inputs.iter().map(|input| (*input).to_owned()).collect();
    Node { operator: operator.to_owned(), inputs, output: output.to_owned(), attributes }
}

/// What comes of these operators behind a convolution `c` of 3 × 3 of the input, whose one weight is the middle's, −1.
fn behind_a_convolution(told: Vec<(&str, Attribute<'static>)>, nodes: Vec<Node<'static>>) -> Result<Vec<f32>, String> {
    let [ones, zeros] = [(-1.0_f32).to_le_bytes(), 0.0_f32.to_le_bytes()];
    let weights: Vec<[u8; 4]> = (0..9).map(|place| if place == 4 { ones } else { zeros }).collect();
    let (bias, of) = ([zeros], |shape: &[usize], data| Value::Floats { shape: shape.to_vec(), data });
    let first = node("Conv", &["in", "weights", "bias"], "c", told);
    let graph = Graph {
        output: nodes.last().map_or("c", |node| &node.output).to_owned(),
        nodes: [first].into_iter().chain(nodes).collect(),
        weights: [("weights", of(&[1, 1, 3, 3], &weights[..])), ("bias", of(&[1], &bias[..]))]
            .map(|(name, value)| (name.to_owned(), value))
            .into(),
        input: ("in".to_owned(), vec![1, 1, 4, 4]),
    };
    let network = Network::new(Plan::new(&graph)?, Kernels::named("portable").expect("it is there"), Pool::of(1));
    let input: Vec<_> = (0..16).map(|value| value as f32 - 8.0).collect();
    Ok(network.run(&input, &AtomicBool::new(false)).expect("nobody stops it").1)
}

#[test]
fn a_convolution_pads_as_it_is_told_or_is_refused() {
    let refused = Err("Conv 'c': it is of a kind that is not known".to_owned());
    let pads = || ("pads", Attribute::Numbers(vec![1; 4]));
    assert_eq!(behind_a_convolution(vec![], vec![]), refused, "without pads it gives fewer pixels");
    for (rule, is_told) in [("NOTSET", true), ("VALID", false), ("SAME_UPPER", false)] {
        let made = behind_a_convolution(vec![pads(), ("auto_pad", Attribute::Text(rule.to_owned()))], vec![]);
        assert_eq!(made.is_ok(), is_told, "{rule}");
    }
    let made = behind_a_convolution(vec![pads()], vec![]).expect("it is known");
    assert_eq!(made, (0..16).map(|value| 8.0 - value as f32).collect::<Vec<_>>());
}

#[test]
fn a_relu_changes_nothing_for_others_who_read_what_it_reads() {
    let pads = || vec![("pads", Attribute::Numbers(vec![1; 4]))];
    let resize = || {
        let sizes =
            node("Constant", &[], "sizes", vec![("value", Attribute::Tensor(Value::Integers(vec![1, 1, 4, 4])))]);
        let how = [("mode", "linear"), ("coordinate_transformation_mode", "pytorch_half_pixel")];
        let how = how.map(|(name, text)| (name, Attribute::Text(text.to_owned())));
        [sizes, node("Resize", &["c", "", "", "sizes"], "same", how.into())]
    };
    // A resizing to the same size is no step, and its output another name of its input.
    let alone = resize().into_iter().chain([node("Relu", &["same"], "relu", vec![])]);
    let made = behind_a_convolution(pads(), alone.collect()).expect("nobody else reads it");
    assert_eq!(made, (0..16).map(|value| (8.0 - value as f32).max(0.0)).collect::<Vec<_>>());
    let both = [node("Relu", &["same"], "relu", vec![]), node("Add", &["c", "relu"], "sum", vec![])];
    let made = behind_a_convolution(pads(), resize().into_iter().chain(both).collect());
    assert_eq!(made, Err("Relu 'relu': it does not follow a convolution".to_owned()));
}

#[test]
fn a_file_that_was_cut_off_or_changed_never_panics() {
    let bytes = bundled();
    for length in (0..bytes.len()).step_by(bytes.len() / 40) {
        assert!(Graph::read(&bytes[..length]).and_then(|graph| Plan::new(&graph).map(drop)).is_err(), "{length}");
    }
    // The weights stand at the end; before them are the operators.
    for place in (0..100_000).step_by(397) {
        let mut bytes = bytes.clone();
        bytes[place] ^= 0x55;
        drop(Graph::read(&bytes).and_then(|graph| Plan::new(&graph)));
    }
}
