//! What the benchmarks and their report have in common: the photo, its sizes, and the
//! removers that are compared.

use std::error::Error;
use std::path::PathBuf;

use remrembg::{Config, Control, EngineChoice, Format, Layout, Limits, Pixels, Remover, bench, decode_input};

/// Sizes of the photo, in millions of pixels.
pub const MEGAPIXELS: [f64; 5] = [0.3, 1.0, 3.0, 12.0, 50.0];

/// Engines and numbers of threads.
pub const SETUPS: [(EngineChoice, usize); 4] =
    [(EngineChoice::OnnxRuntime, 2), (EngineChoice::OnnxRuntime, 1), (EngineChoice::Rten, 2), (EngineChoice::Rten, 1)];

/// How far grain goes from the photo's values. An enlarged photo has less of it than
/// those of cameras, and would be easier to encode.
const GRAIN: i32 = 4;

/// The folder of the workspace.
#[must_use]
pub fn root() -> PathBuf {
    PathBuf::from(concat!(env!("CARGO_MANIFEST_DIR"), "/.."))
}

/// The photo in `REMREMBG_BENCH_PHOTO`, or the demo's.
///
/// # Errors
/// When it cannot be read or is no photo.
pub fn photo() -> Result<Pixels, Box<dyn Error>> {
    let path = std::env::var_os("REMREMBG_BENCH_PHOTO").map_or_else(|| root().join("demo/photo.png"), PathBuf::from);
    let bytes =
        std::fs::read(&path).map_err(|error| format!("{}: {error}. `make setup` fetches it", path.display()))?;
    let photo = decode_input(&bytes, &Limits::default(), &Control::default())?.pixels;
    if photo.layout() == Layout::Rgb8 { Ok(photo) } else { Err(format!("{} is no photo", path.display()).into()) }
}

/// The photo with so many millions of pixels, with grain where it is enlarged.
///
/// # Errors
/// [`remrembg::Code::Cancelled`], which does not happen.
pub fn sized(photo: &Pixels, megapixels: f64) -> Result<Pixels, Box<dyn Error>> {
    let ratio = f64::from(photo.width()) / f64::from(photo.height());
    let height = (megapixels * 1e6 / ratio).sqrt();
    let side = |length: f64| length.round() as u32;
    let enlarged = side(height) > photo.height();
    let mut sized = bench::resize(photo.clone(), (side(height * ratio), side(height)))?;
    if enlarged {
        let mut state = 1_u32;
        for value in sized.data_mut() {
            // Numerical Recipes' linear congruential generator; its high bits are random enough to see.
            state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            let grain = (state >> 16) as i32 % (2 * GRAIN + 1) - GRAIN;
            *value = (i32::from(*value) + grain).clamp(0, 255) as u8;
        }
    }
    Ok(sized)
}

/// A picture as a JPEG file.
///
/// # Errors
/// What encoding fails with.
pub fn jpeg(picture: &Pixels) -> Result<Vec<u8>, Box<dyn Error>> {
    debug_assert_eq!(picture.layout(), Layout::Rgb8);
    Ok(bench::encode(picture, Format::Jpeg, &bench::Pool::of(1))?)
}

/// A remover with this engine and as many threads, without a bound on pixels.
///
/// # Errors
/// [`remrembg::Code::EngineUnavailable`] without ONNX Runtime.
pub fn remover((engine, threads): (EngineChoice, usize)) -> remrembg::Result<Remover> {
    let pairs = [("engine", engine.name()), ("threads", &threads.to_string())];
    Remover::new(Config::from_pairs(pairs)?)
}

/// What a size is called.
#[must_use]
pub fn name(megapixels: f64) -> String {
    format!("{megapixels} MP")
}
