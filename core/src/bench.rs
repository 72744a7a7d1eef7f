//! The stages one by one, for benchmarks. Behind the feature `bench`, and no part of the
//! interface: it changes when the stages do.

use crate::alpha::refine::{self, Maker};
use crate::codec::encode;
use crate::compose;
use crate::compose::colors;
use crate::engine;
use crate::error::Result;
use crate::exec::control::Control;
use crate::image::pixels::Pixels;
use crate::image::transform;
use crate::options::cutout::CutOut;
use crate::options::geometry;
use crate::options::{Format, Options};
use crate::remover::Remover;
use crate::segment::{self, Fit};

/// What a model takes, or what it makes.
#[derive(Clone)]
pub struct Tensor(engine::Tensor);

pub use remrembg_native::Pool;

/// The picture as a remover's model sees it, in its first view.
pub fn tensor(remover: &Remover, picture: &Pixels, pool: &Pool) -> Result<Tensor> {
    segment::tensor(picture, Fit::squeezed(remover.recipe()), remover.recipe(), pool).map(Tensor)
}

/// One inference.
pub fn infer(remover: &Remover, input: Tensor) -> Result<Tensor> {
    remover.inference().run(input.0, &Control::default()).map(Tensor)
}

/// What the model made, as a mask of its own size.
pub fn mask(remover: &Remover, output: &Tensor) -> Result<Pixels> {
    refine::mask_of(&segment::matte(&output.0, remover.recipe())?)
}

/// A mask at the picture's size, as it is.
pub fn upsample(mask: Pixels, picture: &Pixels, pool: &Pool) -> Result<Pixels> {
    let plain = CutOut { refine: false, ..CutOut::default() };
    refine::refine(mask, Maker::Model, picture, &plain, pool, &Control::default()).map(|refined| refined.alpha)
}

/// A mask at the picture's size, with its edges.
pub fn refine(mask: Pixels, picture: &Pixels, pool: &Pool) -> Result<Pixels> {
    refine::refine(mask, Maker::Model, picture, &CutOut::default(), pool, &Control::default())
        .map(|refined| refined.alpha)
}

/// The picture with the subject's own colours along soft edges.
pub fn colors(picture: Pixels, alpha: &Pixels, pool: &Pool) -> Result<Pixels> {
    colors::of_subject(picture, alpha, pool, &Control::default())
}

/// The picture with its alpha.
pub fn compose(picture: Pixels, alpha: &Pixels) -> Pixels {
    compose::cut_out(picture, alpha, false)
}

/// The cut-out at another size.
pub fn resize(cut: Pixels, size: (u32, u32)) -> Result<Pixels> {
    transform::resize(cut, size, &Control::default())
}

/// The cut-out turned by so many degrees, its corners kept.
pub fn rotate(cut: Pixels, angle: f64, pool: &Pool) -> Result<Pixels> {
    let target = geometry::rotated_size((cut.width(), cut.height()), angle, true);
    transform::rotate(cut, angle, target, pool, &Control::default())
}

/// A file's bytes. JPEG takes no alpha.
pub fn encode(picture: &Pixels, format: Format, pool: &Pool) -> Result<Vec<u8>> {
    let how = encode::How::of(&Options { format, ..Options::default() });
    encode::encode(picture, &how, None, pool, &Control::default())
}
