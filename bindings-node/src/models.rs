//! Weights that are fetched by name.

use napi_derive::napi;
use remrembg::models::{FetchEvent, FetchOptions, MODELS, Store, find};

use crate::news::News;
use crate::remover::Stop;
use crate::work::Work;

/// The names of the models that can be asked for, the one inside first.
#[napi]
pub fn models() -> Vec<String> {
    MODELS.iter().map(|spec| spec.name.to_owned()).collect()
}

/// What to know of a model's licence before it is fetched.
#[napi]
pub fn notice(name: String) -> Option<String> {
    find(&name).ok().and_then(|spec| spec.notice())
}

/// Fetches a model, unless it is on this machine: its path.
#[napi]
pub fn fetch(work: &Work, task: u32, stop: &Stop, name: String) {
    let token = stop.0.clone();
    work.start(task, stop.0.clone(), move |teller| {
        let tell = |event: FetchEvent| {
            if let FetchEvent::Progress { bytes, total } = event {
                teller.step("fetch", bytes as f64, total as f64);
            }
        };
        let options = FetchOptions { on_event: Some(&tell), cancel: Some(&token), ..FetchOptions::default() };
        let path = Store::from_env().fetch(find(&name)?, &options)?;
        Ok(News::D(path.to_string_lossy().into_owned()))
    });
}
