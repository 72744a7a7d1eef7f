//! The bundled network beside another engine, and files that are none.

use super::*;

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
fn every_kernel_and_any_number_of_threads_gives_the_mask_that_rten_gives() {
    let Weights::Bytes(bytes) = Weights::BUNDLED else { panic!("they are bytes") };
    let right = super::super::rten::open(&Weights::BUNDLED, 2, None).expect("it opens");
    let right = right.run(input(), &Control::default()).expect("it runs");
    assert!(right.data.iter().any(|value| *value > 0.9) && right.data.iter().any(|value| *value < 0.1));
    for kernels in Kernels::all() {
        for threads in [1, 2] {
            let network = load(&bytes, threads, kernels).expect("it is a network");
            // The second run finds the memory as the first left it.
            for _ in 0..2 {
                let (_, mask) = network.run(&input().data, &AtomicBool::new(false)).expect("it runs");
                let worst = mask.iter().zip(&right.data).map(|(one, other)| (one - other).abs()).fold(0.0, f32::max);
                assert!(worst < 1e-3, "{} differs by {worst}", kernels.name);
            }
        }
    }
}
