//! Every way of computing beside its formula, and the bundled network beside another engine.

use super::kernels::numbers;
use super::network::Prepared;
use super::plan::{Convolution, Shape};
use super::*;
use crate::engine::tests::onnx;

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
    ];
    for kernels in Kernels::all() {
        for (height, width, channels, outputs, kernel, dilation) in cases {
            for (has_relu, adds_last) in [(true, true), (false, false)] {
                let shapes: Vec<_> =
                    channels.iter().map(|channels| Shape { height, width, channels: *channels }).collect();
                let data: Vec<_> = shapes.iter().map(|shape| numbers(shape.len(), shape.channels as u64)).collect();
                let weights = outputs * channels.iter().sum::<usize>() * kernel * kernel;
                let (weights, bias) = (numbers(weights, 3), numbers(outputs, 4));
                let convolution = Convolution { kernel, dilation, outputs, weights, bias, has_relu, adds_last };
                let inputs: Vec<_> = shapes.iter().copied().zip(data.iter().map(Vec::as_slice)).collect();
                let added = numbers(height * width * outputs, 5);
                let right = by_formula(&convolution, &inputs, adds_last.then_some(&added));
                let prepared = Prepared::new(&convolution, &shapes, kernels);
                let mut output = vec![f32::NAN; height * width * outputs];
                prepared.run(&inputs, adds_last.then_some(&added), &mut output);
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

/// A picture of no meaning, with edges and slopes.
fn input() -> Tensor {
    let value = |place: usize| {
        let (channel, row, column) = (place / 102_400, place / 320 % 320, place % 320);
        let inside = (row as f32 - 150.0).hypot(column as f32 - 170.0) < 90.0;
        if inside { 1.5 - channel as f32 * 0.4 } else { (row + column * channel) as f32 / 400.0 - 1.0 }
    };
    Tensor { shape: vec![1, 3, 320, 320], data: (0..3 * 102_400).map(value).collect() }
}

#[cfg(all(feature = "bundled-model", feature = "rten"))]
#[test]
fn every_kernel_gives_the_mask_that_rten_gives() {
    let Weights::Bytes(bytes) = Weights::BUNDLED else { panic!("they are bytes") };
    let right = super::super::rten::open(&Weights::BUNDLED, 2, None).expect("it opens");
    let right = right.run(input(), &Control::default()).expect("it runs");
    assert!(right.data.iter().any(|value| *value > 0.9) && right.data.iter().any(|value| *value < 0.1));
    for kernels in Kernels::all() {
        let network = load(&bytes, 2, kernels).expect("it is a network");
        let (_, mask) = network.run(&input().data, &AtomicBool::new(false)).expect("it runs");
        let worst = mask.iter().zip(&right.data).map(|(one, other)| (one - other).abs()).fold(0.0, f32::max);
        assert!(worst < 1e-3, "{} differs by {worst}", kernels.name);
    }
}

#[cfg(feature = "bundled-model")]
#[test]
fn runs_follow_each_other_on_any_number_of_threads_and_stop_between_two_layers() {
    let open = |threads| super::open(&Weights::BUNDLED, threads).expect("it opens");
    let (one, two) = (open(1), open(2));
    let first = two.run(input(), &Control::default()).expect("it runs");
    assert_eq!(first.shape, [1, 1, 320, 320]);
    let again = two.run(input(), &Control::default()).expect("it runs again");
    let alone = one.run(input(), &Control::default()).expect("it runs");
    assert!(first == again && first == alone, "to the last bit");
    let Weights::Bytes(bytes) = Weights::BUNDLED else { panic!("they are bytes") };
    let network = load(&bytes, 1, named("").expect("there are some")).expect("it is a network");
    assert!(network.run(&input().data, &AtomicBool::new(true)).is_none());
    let wrong = Tensor { shape: vec![1, 3, 10, 10], data: vec![0.0; 300] };
    assert_eq!(one.run(wrong, &Control::default()).expect_err("it does not fit").code(), Code::EngineFailed);
}

#[test]
fn kernels_are_had_by_name_or_told() {
    for kernels in Kernels::all() {
        assert_eq!(named(kernels.name).expect("it is there").name, kernels.name);
    }
    assert_eq!(named("").expect("there are some").name, Kernels::all().next().expect("there are some").name);
    let error = named("fast").err().expect("there is none");
    assert_eq!(error.code(), Code::EngineUnavailable);
    assert!(
        error.message().starts_with("REMREMBG_KERNEL is 'fast', but this processor has ")
            && error.message().ends_with("portable")
    );
}

#[test]
fn what_is_no_network_that_it_knows_is_told_by_name() {
    let refused = |bytes: &[u8]| {
        let error = load(bytes, 1, named("").expect("there are some")).err().expect("it cannot be run");
        assert_eq!(error.code(), Code::ModelDamaged);
        error.message().to_owned()
    };
    assert_eq!(refused(b""), "native cannot read the model: there is no graph");
    assert!(refused(b"no model at all").starts_with("native cannot read the model: "));
    let other = refused(&onnx::identity(onnx::FLOAT, &["in"], &[1, 3, 4, 4]));
    assert!(other.starts_with("native cannot read the model: ") && other.contains("it is not known"), "{other}");
}

#[cfg(feature = "bundled-model")]
#[test]
fn a_file_that_was_cut_off_or_changed_never_panics() {
    let Weights::Bytes(bytes) = Weights::BUNDLED else { panic!("they are bytes") };
    for length in (0..bytes.len()).step_by(bytes.len() / 40) {
        assert!(Graph::read(&bytes[..length]).and_then(|graph| Plan::new(&graph).map(drop)).is_err(), "{length}");
    }
    // The weights stand at the end; before them are the operators.
    for place in (0..100_000).step_by(397) {
        let mut bytes = bytes.to_vec();
        bytes[place] ^= 0x55;
        drop(Graph::read(&bytes).and_then(|graph| Plan::new(&graph)));
    }
}
