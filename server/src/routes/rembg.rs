//! `POST /api/remove`: what rembg's own service answers, for programs written for that.

use std::ffi::OsStr;
use std::path::Path;
use std::sync::Arc;

use axum::Router;
use axum::extract::{Extension, Request, State};
use axum::response::Response;
use axum::routing::get;
use remrembg::Input;

use super::docs::to_reference;
use super::rmbg;
use crate::App;
use crate::caller::{Address, Caller};
use crate::error::Refusal;
use crate::form::{Fields, Form};

/// rembg's fields, and the options that they are here.
const OPTIONS: [(&str, &str); 9] = [
    ("a", MATTING),
    // There is no ViTMatte here: closed-form matting takes its place.
    ("vm", MATTING),
    ("af", "matting_foreground_threshold"),
    ("ab", "matting_background_threshold"),
    ("ae", "matting_erode_size"),
    ("om", "mask"),
    ("ppm", "smooth_mask"),
    ("dc", "decontaminate"),
    ("bgc", "bg_color"),
];
const MATTING: &str = "matting";
const BOOLEANS: [&str; 3] = ["mask", "smooth_mask", "decontaminate"];
const MODEL: &str = "model";
const EXTRAS: &str = "extras";

const FIELDS: Fields = Fields { pictures: &["file"], names_count: false, option: field };

fn field(name: &str) -> Option<&'static str> {
    OPTIONS.iter().map(|(theirs, _)| *theirs).chain([MODEL, EXTRAS]).find(|field| *field == name)
}

pub(super) fn routes() -> Router<Arc<App>> {
    // Where rembg's service has its reference.
    Router::new().route("/api/remove", get(fetch).post(remove)).route("/api", get(to_reference))
}

/// Of GET, rembg's service fetches the address in `url`.
async fn fetch() -> Refusal {
    Refusal::Form("This service fetches no addresses. Send the picture itself: POST, as the field 'file'.".to_owned())
}

async fn remove(
    State(app): State<Arc<App>>,
    Extension(caller): Extension<Caller>,
    Extension(address): Extension<Address>,
    request: Request,
) -> Result<Response, Refusal> {
    let query = request.uri().query().unwrap_or_default();
    let asked: Vec<_> = form_urlencoded::parse(query.as_bytes()).into_owned().collect();
    let understood = |form| understood(form, asked, name_of(app.jobs.remover().model()));
    rmbg::answered(&app, (&caller, address), request, &FIELDS, understood).await
}

/// What clients call a model: of a file its name alone.
fn name_of(model: &str) -> &str {
    let name = Path::new(model).file_name().and_then(OsStr::to_str).unwrap_or_default();
    name.strip_suffix(".onnx").unwrap_or(name)
}

/// Options of this service, out of the form and of the address's query, of which the form counts.
fn understood(mut form: Form, asked: Vec<(String, String)>, model: &str) -> Result<Form, Refusal> {
    if matches!(form.picture(), Input::Missing) {
        return Err(Refusal::Form("There is no picture. Send it as the field 'file'.".to_owned()));
    }
    let asked = asked.into_iter().filter_map(|(key, value)| Some((field(&key)?, value)));
    let mut options = vec![("format", "png".to_owned()), ("keep_alpha", "true".to_owned())];
    let mut said: Vec<(&'static str, String)> = Vec::new();
    for (name, value) in asked.chain(std::mem::take(&mut form.pairs)) {
        said.retain(|(other, _)| *other != name);
        said.push((name, value));
    }
    let mut is_matted = false;
    for (name, value) in said {
        match OPTIONS.iter().find(|(theirs, _)| *theirs == name) {
            Some((_, "bg_color")) => options.push(("bg_color", color(&value))),
            // Two fields ask for it, and either is enough.
            Some((_, MATTING)) => is_matted |= is_on(&value),
            Some((_, ours)) if BOOLEANS.contains(ours) => options.push((*ours, is_on(&value).to_string())),
            Some((_, ours)) => options.push((*ours, value)),
            None if name == MODEL && (value == model || value.is_empty()) => {}
            None if name == MODEL => {
                return Err(Refusal::Form(format!(
                    "The model '{value}' is not the one that this service runs: {model}."
                )));
            }
            None if name == EXTRAS && matches!(value.trim(), "" | "{}") => {}
            None => return Err(Refusal::Form(format!("This service does not have '{name}'."))),
        }
    }
    // A mask alone has no background, and is what matting would start from.
    if options.iter().rfind(|(key, _)| *key == "mask").is_some_and(|(_, value)| value == "true") {
        options.retain(|(key, _)| *key != "bg_color");
    } else if is_matted {
        options.push((MATTING, true.to_string()));
    }
    (form.pairs, form.more_formats) = (options, true);
    Ok(form)
}

/// As rembg's service reads it.
fn is_on(value: &str) -> bool {
    matches!(&*value.trim().to_lowercase(), "true" | "t" | "1" | "yes" | "y" | "on")
}

/// `255,0,0,128` as `#ff000080`; what has neither three nor four numbers stays, and is refused as a colour.
fn color(list: &str) -> String {
    let channels: Option<Vec<u8>> = list.split(',').map(|channel| channel.trim().parse().ok()).collect();
    let hex = |channels: Vec<u8>| channels.iter().map(|channel| format!("{channel:02x}")).collect::<String>();
    let channels = channels.filter(|channels| matches!(channels.len(), 3 | 4));
    channels.map_or_else(|| list.to_owned(), |channels| format!("#{}", hex(channels)))
}

#[cfg(test)]
mod tests {
    use remrembg::{Collector, Limits};

    use super::*;

    fn read(query: &[(&str, &str)], form: &[(&'static str, &str)]) -> Result<Vec<(&'static str, String)>, Refusal> {
        let query = query.iter().map(|(key, value)| ((*key).to_owned(), (*value).to_owned())).collect();
        let mut read = Form::with_picture(Collector::new(None, &Limits::default()));
        read.pairs = form.iter().map(|(key, value)| (*key, (*value).to_owned())).collect();
        understood(read, query, "u2netp").map(|form| form.pairs)
    }

    #[test]
    fn a_model_of_a_file_has_the_files_name_and_no_folder() {
        assert_eq!(["u2netp", "/secret/isnet.v2.onnx", "own"].map(name_of), ["u2netp", "isnet.v2", "own"]);
    }

    #[test]
    fn fields_of_rembg_become_options() {
        let form = [("a", "true"), ("af", "250"), ("model", "u2netp"), ("vm", "false"), ("extras", "")];
        let read = read(&[("bgc", "255, 0,0,128"), ("af", "1"), ("other", "x")], &form).expect("it is good");
        let expected = [
            ("format", "png"),
            ("keep_alpha", "true"),
            ("bg_color", "#ff000080"),
            ("matting_foreground_threshold", "250"),
            ("matting", "true"),
        ];
        assert_eq!(read, expected.map(|(key, value)| (key, value.to_owned())));
    }

    #[test]
    fn a_colour_has_three_or_four_numbers() {
        for (list, told) in [
            ("1,2,3", "#010203"),
            ("1,2,3,4", "#01020304"),
            ("1,2", "1,2"),
            ("1,2,3,4,5", "1,2,3,4,5"),
            ("1,2,256", "1,2,256"),
        ] {
            assert_eq!(color(list), told);
        }
    }

    #[test]
    fn the_forms_word_counts() {
        let read = read(&[("vm", "true"), ("model", "other")], &[("vm", "false"), ("model", "u2netp")]);
        assert!(read.is_ok_and(|read| read.iter().all(|(key, _)| *key != MATTING)));
    }

    #[test]
    fn what_is_not_there_is_refused() {
        for (field, message) in [
            (("model", "u2net"), "The model 'u2net' is not the one that this service runs: u2netp."),
            (("extras", "{\"a\":1}"), "This service does not have 'extras'."),
        ] {
            let refusal = read(&[], &[field]).expect_err("it is refused");
            assert!(refusal.json().contains(&message.replace('"', "\\\"")), "{}", refusal.json());
        }
    }

    #[test]
    fn matting_is_asked_for_by_either_of_two_fields() {
        for (a, vm, is_matted) in [("t", "f", true), ("f", "t", true), ("t", "t", true), ("f", "f", false)] {
            let read = read(&[], &[("a", a), ("vm", vm)]).expect("it is good");
            let matting: Vec<_> = read.iter().filter(|(key, _)| *key == MATTING).collect();
            assert_eq!(matting.len(), usize::from(is_matted), "a={a}, vm={vm}: {read:?}");
            assert!(matting.iter().all(|(_, value)| value == "true"));
        }
    }

    #[test]
    fn a_mask_alone_has_no_background() {
        let with =
            |om: &'static str| read(&[("bgc", "1,2,3,4"), ("om", "y")], &[("om", om), ("a", "t")]).expect("it is good");
        let has = |read: &[(&str, String)], key: &str| read.iter().any(|(other, _)| *other == key);
        let mask = with(" True ");
        assert!(!has(&mask, "bg_color") && !has(&mask, "matting"), "{mask:?}");
        let picture = with("n");
        assert!(has(&picture, "bg_color") && has(&picture, "matting"), "the last word counts: {picture:?}");
    }
}
