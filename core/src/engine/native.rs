//! The engine of our own, which the crate `remrembg-native` is.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use remrembg_native::{Network, Shape};

use super::worker::Worker;
use super::{Engine, EngineInfo, Tensor, Weights, failed, unreadable};
use crate::error::{Code, Error, Result};
use crate::exec::Pool;
use crate::exec::control::Control;

const NAME: &str = "native";

struct Native {
    info: EngineInfo,
    input: Vec<Option<usize>>,
    worker: Worker,
    network: Arc<Network>,
}

/// Takes the fastest kernels of this processor, or those that `REMREMBG_KERNEL` names.
///
/// # Errors
/// [`Code::ModelDamaged`] for a file that cannot be read or a network that this engine cannot run,
/// [`Code::EngineUnavailable`] for a name of kernels that cannot run here.
pub(super) fn open(weights: &Weights, pool: &Pool) -> Result<Box<dyn Engine>> {
    let kernels = std::env::var("REMREMBG_KERNEL").unwrap_or_default();
    let network = load(&weights.bytes()?, pool, &kernels)?;
    let Shape { height, width, channels } = network.input();
    let info = EngineInfo {
        name: NAME,
        version: env!("CARGO_PKG_VERSION").to_owned(),
        provider: "CPU".to_owned(),
        library: None,
        threads: pool.threads(),
        fallback: None,
    };
    let input = [1, channels, height, width].map(Some).to_vec();
    Ok(Box::new(Native { info, input, worker: Worker::start(NAME)?, network: Arc::new(network) }))
}

fn load(bytes: &[u8], pool: &Pool, kernels: &str) -> Result<Network> {
    Network::load(bytes, pool, kernels).map_err(|error| match error {
        remrembg_native::Error::Model(why) => unreadable(NAME, why),
        remrembg_native::Error::Kernels(wanted, there) => {
            let message = format!("REMREMBG_KERNEL is '{wanted}', but what can run here is {}", there.join(", "));
            Error::with_message(Code::EngineUnavailable, message)
        }
    })
}

impl Engine for Native {
    fn info(&self) -> &EngineInfo {
        &self.info
    }

    fn input(&self) -> &[Option<usize>] {
        &self.input
    }

    fn run(&self, input: Tensor, control: &Control<'_>) -> Result<Tensor> {
        let (network, stop) = (Arc::clone(&self.network), Arc::new(AtomicBool::new(false)));
        let stopped = Arc::clone(&stop);
        let infer = move || {
            let Shape { height, width, channels } = network.input();
            if input.shape != [1, channels, height, width] || input.data.len() != channels * height * width {
                return Err(failed(NAME, format_args!("its input has the shape {:?}", input.shape)));
            }
            let (shape, data) = network.run(&input.data, &stopped).ok_or_else(|| Error::new(Code::Cancelled))?;
            Ok(Tensor { shape: vec![1, shape.channels, shape.height, shape.width], data })
        };
        self.worker.run(control, infer, move || stop.store(true, Ordering::Relaxed))
    }
}

#[cfg(all(test, feature = "bundled-model"))]
mod tests {
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

    #[cfg(feature = "rten")]
    #[test]
    fn every_kernel_gives_the_mask_that_rten_gives() {
        let right = super::super::open_rten(&Weights::BUNDLED, 2, None).expect("it opens");
        let right = right.run(input(), &Control::default()).expect("it runs");
        assert!(right.data.iter().any(|value| *value > 0.9) && right.data.iter().any(|value| *value < 0.1));
        for kernels in remrembg_native::kernels() {
            let bytes = Weights::BUNDLED.bytes().expect("they are there");
            let network = load(&bytes, &Pool::of(2), kernels).expect("it is a network");
            let (_, mask) = network.run(&input().data, &AtomicBool::new(false)).expect("it runs");
            let differences = mask.iter().zip(&right.data).map(|(one, other)| (one - other).abs());
            let (worst, mean) = (differences.clone().fold(0.0, f32::max), differences.sum::<f32>() / mask.len() as f32);
            let most = if ["amx", "bfloat16"].contains(&kernels) { (0.1, 0.5 / 255.0) } else { (1e-3, 1e-4) };
            assert!(worst < most.0 && mean < most.1, "{kernels} differs by {worst}, {mean} on average");
        }
    }

    #[test]
    fn runs_follow_each_other_and_an_input_of_another_size_is_told() {
        let engine = open(&Weights::BUNDLED, &Pool::of(2)).expect("it opens");
        let first = engine.run(input(), &Control::default()).expect("it runs");
        assert_eq!(first.shape, [1, 1, 320, 320]);
        assert!(first == engine.run(input(), &Control::default()).expect("it runs again"), "to the last bit");
        let wrong = Tensor { shape: vec![1, 3, 10, 10], data: vec![0.0; 300] };
        let error = engine.run(wrong, &Control::default()).expect_err("it does not fit");
        assert_eq!(error.code(), Code::EngineFailed);
    }

    #[test]
    fn kernels_and_models_that_cannot_be_had_are_told() {
        let refused = |bytes: &[u8], kernels: &str| {
            let error = load(bytes, &Pool::of(1), kernels).err().expect("it cannot be had");
            (error.code(), error.message().to_owned())
        };
        let (code, message) = refused(b"", "");
        assert_eq!((code, &*message), (Code::ModelDamaged, "native cannot read the model: there is no graph"));
        let (code, message) = refused(b"", "fast");
        assert_eq!(code, Code::EngineUnavailable);
        let there = remrembg_native::kernels().join(", ");
        assert_eq!(message, format!("REMREMBG_KERNEL is 'fast', but what can run here is {there}"));
    }
}
