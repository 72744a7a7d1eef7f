//! What is subject, what is background: picture → tensor → model → matte.
//!
//! Knows how a model sees a picture. Knows nothing of the full-size alpha.

mod closer;
mod fit;
mod input;
mod mean;
mod odds;
mod output;
#[cfg(test)]
mod recipe_tests;

use crate::engine::Engine;
use crate::error::{Code, Error, Result};
use crate::exec::control::Control;
use crate::image::pixels::{Matte, Pixels};
use crate::models::Recipe;
pub(crate) use fit::{Fit, Plan};
use input::Small;
#[cfg(feature = "bench")]
pub(crate) use {input::tensor, output::matte};

/// Finds the subject of a picture as planned. The matte is as large as the largest view, the mean of several; with
/// closer views of the subject's box it is up to twice as large.
///
/// # Errors
/// [`Code::ModelShape`] when the model and the recipe do not belong together,
/// [`Code::Cancelled`], and what the engine fails with.
pub(crate) fn segment(
    pixels: &Pixels,
    plan: Plan,
    recipe: &Recipe,
    engine: &dyn Engine,
    control: &Control<'_>,
) -> Result<Matte> {
    check_input(recipe, engine)?;
    let size = (pixels.width(), pixels.height());
    let views = Fit::views(size, recipe, plan.views);
    if plan.closer == 0 {
        return seen(pixels, &views, recipe, engine, control);
    }
    let share = views.len() as f32 / (views.len() + plan.closer) as f32;
    let first = control.part((0.0, share), |control| seen(pixels, &views, recipe, engine, control))?;
    let Some(part) = closer::part(&first, size) else { return Ok(first) };
    let views = Fit::views((part.2, part.3), recipe, plan.closer);
    let subject = pixels.part(part);
    let closer = control.part((share, 1.0), |control| seen(&subject, &views, recipe, engine, control))?;
    control.check()?;
    closer::merged(&first, &closer, part, size, engine.info().threads)
}

/// The mean of some views.
fn seen(pixels: &Pixels, views: &[Fit], recipe: &Recipe, engine: &dyn Engine, control: &Control<'_>) -> Result<Matte> {
    let (threads, share) = (engine.info().threads, |at: usize| at as f32 / views.len() as f32);
    // The next view is often the same mirrored.
    let mut last: Option<Small> = None;
    let view = |(at, fit): (usize, &Fit)| {
        control.part((share(at), share(at + 1)), |control| {
            let small = match last.take().filter(|small| small.suits(*fit)) {
                Some(small) => small,
                None => Small::of(pixels, *fit, threads)?,
            };
            let output = engine.run(input::tensor_of(&small, *fit, recipe), control)?;
            last = Some(small);
            Ok(fit.taken_from(output::matte(&output, recipe)?))
        })
    };
    mean::of(views.iter().enumerate().map(view).collect::<Result<_>>()?, threads)
}

/// Whether the model takes what the recipe makes.
///
/// # Errors
/// [`Code::ModelShape`], naming both shapes.
pub(crate) fn check_input(recipe: &Recipe, engine: &dyn Engine) -> Result<()> {
    let (takes, makes) = (engine.input(), input::shape(recipe));
    let fits =
        takes.len() == makes.len() && takes.iter().zip(makes).all(|(takes, makes)| takes.is_none_or(|n| n == makes));
    if fits || takes.is_empty() {
        return Ok(());
    }
    let takes = by(takes.iter().map(|size| size.map_or_else(|| "any".to_owned(), |size| size.to_string())));
    Err(other_shape("takes", &takes, &by(makes.iter().map(ToString::to_string))))
}

fn by(sizes: impl Iterator<Item = String>) -> String {
    sizes.collect::<Vec<_>>().join("×")
}

fn other_shape(does: &str, model: &str, recipe: &str) -> Error {
    Error::with_message(Code::ModelShape, format!("The model {does} {model}, but its description says {recipe}"))
}

#[cfg(test)]
mod tests;
