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
use crate::exec::Pool;
use crate::exec::control::Control;
use crate::image::pixels::{Matte, Pixels};
use crate::models::Recipe;
pub(crate) use fit::{Fit, Plan};
use input::Small;
#[cfg(feature = "bench")]
pub(crate) use {input::tensor, output::matte};

/// Where the first views' mean is less sure than this, another view of the whole is worth its time (docs/quality.md).
const SURE: f64 = 0.9;

/// Finds the subject of a picture as planned: by the first views; then by closer ones of its box where that is small, or else
/// by more of the whole where the model is not sure. The matte is as large as the largest view, the mean of several; with
/// closer views it is up to twice as large.
///
/// # Errors
/// [`Code::ModelShape`] when the model and the recipe do not belong together,
/// [`Code::Cancelled`], and what the engine fails with.
pub(crate) fn segment(
    pixels: &Pixels,
    plan: Plan,
    recipe: &Recipe,
    engine: &dyn Engine,
    pool: &Pool,
    control: &Control<'_>,
) -> Result<Matte> {
    check_input(recipe, engine)?;
    let size = (pixels.width(), pixels.height());
    let mut views = Fit::views(size, recipe, plan.views + plan.unsure);
    let more = views.split_off(plan.views.min(views.len()));
    let all = views.len() + more.len().max(plan.closer);
    let share = views.len() as f32 / all as f32;
    let mut mattes = control.part((0.0, share), |control| seen(pixels, &views, recipe, engine, pool, control))?;
    let first = mean::of(&mattes, pool)?;
    let rest = |pixels: &Pixels, views: &[Fit]| {
        control.part((share, 1.0), |control| seen(pixels, views, recipe, engine, pool, control))
    };
    let part = if plan.closer > 0 { closer::part(&first, size) } else { None };
    if let Some(part) = part {
        let closer = rest(&pixels.part(part), &Fit::views((part.2, part.3), recipe, plan.closer))?;
        control.check()?;
        return closer::merged(&first, &mean::of(&closer, pool)?, part, size, pool);
    }
    if more.is_empty() || confidence(&first) >= SURE {
        return Ok(first);
    }
    mattes.extend(rest(pixels, &more)?);
    mean::of(&mattes, pool)
}

/// What the model makes of some views.
fn seen(
    pixels: &Pixels,
    views: &[Fit],
    recipe: &Recipe,
    engine: &dyn Engine,
    pool: &Pool,
    control: &Control<'_>,
) -> Result<Vec<Matte>> {
    let share = |at: usize| at as f32 / views.len() as f32;
    // The next view is often the same mirrored.
    let mut last: Option<Small> = None;
    let view = |(at, fit): (usize, &Fit)| {
        control.part((share(at), share(at + 1)), |control| {
            let small = match last.take().filter(|small| small.suits(*fit)) {
                Some(small) => small,
                None => Small::of(pixels, *fit, pool)?,
            };
            let output = engine.run(input::tensor_of(&small, *fit, recipe), control)?;
            last = Some(small);
            Ok(fit.taken_from(output::matte(&output, recipe)?))
        })
    };
    views.iter().enumerate().map(view).collect()
}

/// How sure a matte is, 0 to 1, as [`Found::confidence`](crate::Found::confidence) tells it: Σm² ÷ Σm. 0 for an empty one.
fn confidence(matte: &Matte) -> f64 {
    let values = matte.data.iter().map(|value| f64::from(value.clamp(0.0, 1.0)));
    let (sum, squares) = values.fold((0.0, 0.0), |(sum, squares), value| (sum + value, squares + value * value));
    if sum > 0.0 { squares / sum } else { 0.0 }
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
