//! Finding weights on this machine.

use std::fs;
use std::path::Path;

use remrembg::models::{MODELS, Store, find, models_markdown};
use remrembg::{Code, Recipe};

use crate::{spec, weights};

#[test]
fn weights_are_found_offline_first_then_fetched_then_in_rembgs_folders() {
    let dir = tempfile::tempdir().unwrap();
    let [offline, fetched, rembg] = ["offline", "fetched", "rembg"].map(|name| dir.path().join(name));
    let newer = rembg.join("models").join("made");
    for folder in [&offline, &fetched, &newer] {
        fs::create_dir_all(folder).unwrap();
    }
    let store = Store::new(&fetched).with_offline(&offline).with_rembg(&rembg);
    for place in
        [rembg.join("made.onnx"), newer.join("made.onnx"), fetched.join("made.onnx"), offline.join("made-v1.onnx")]
    {
        fs::write(&place, weights()).unwrap();
        assert_eq!(store.locate_spec(&spec()).unwrap(), place);
        assert_eq!(store.verify(&spec()).unwrap(), place);
    }
}

#[test]
fn the_environment_names_the_folders_and_the_mirror() {
    let store = Store::from_vars(|key| match key {
        "REMREMBG_MODELS" => Some("/weights".into()),
        "REMREMBG_OFFLINE_MODELS" => Some("/offline".into()),
        "U2NET_HOME" => Some("/u2net".into()),
        "REMREMBG_MODEL_MIRROR" => Some("https://mirror.example/m".into()),
        _ => None,
    });
    assert_eq!(store.folder().unwrap(), Path::new("/weights"));
    assert_eq!(store.path(&spec()).unwrap(), Path::new("/weights/made.onnx"));
    assert_eq!(store.mirror(), Some("https://mirror.example/m"));
    let by_hand = Store::new("/weights").with_offline("/offline").with_rembg("/u2net");
    assert_eq!(format!("{by_hand:?}"), format!("{store:?}").replace("Some(\"https://mirror.example/m\")", "None"));
}

#[test]
fn without_a_home_weights_can_be_found_but_not_fetched() {
    let dir = tempfile::tempdir().unwrap();
    fs::write(dir.path().join("made.onnx"), weights()).unwrap();
    let store = Store::from_vars(|key| (key == "REMREMBG_OFFLINE_MODELS").then(|| dir.path().into()));
    assert!(store.locate_spec(&spec()).is_ok());
    let error = store.folder().unwrap_err();
    assert!(error.code() == Code::CannotWrite && error.message().contains("REMREMBG_MODELS"), "{error}");
}

#[test]
fn absent_weights_are_answered_with_the_command_that_fetches_them() {
    let dir = tempfile::tempdir().unwrap();
    let error = Store::new(dir.path()).locate("silueta").unwrap_err();
    assert_eq!(error.code(), Code::ModelNotFetched);
    let says = "The model 'silueta' is not on this machine. Fetch it (44 MB): remrembg models fetch silueta";
    assert_eq!(error.message(), says);
    assert_eq!(Store::new(dir.path()).locate("siluetta").unwrap_err().code(), Code::UnknownModel);
}

#[test]
fn a_file_of_another_size_is_passed_over_and_named_when_there_is_no_other() {
    let dir = tempfile::tempdir().unwrap();
    let [offline, fetched] = ["offline", "fetched"].map(|name| dir.path().join(name));
    for folder in [&offline, &fetched] {
        fs::create_dir(folder).unwrap();
    }
    let store = Store::new(&fetched).with_offline(&offline);
    fs::write(offline.join("made.onnx"), b"half").unwrap();
    let error = store.locate_spec(&spec()).unwrap_err();
    assert_eq!(error.code(), Code::ModelDamaged);
    assert!(error.message().contains("made.onnx") && error.message().contains("4 bytes instead of 1000000"), "{error}");
    fs::write(fetched.join("made.onnx"), weights()).unwrap();
    assert_eq!(store.locate_spec(&spec()).unwrap(), fetched.join("made.onnx"));
}

#[test]
fn one_flipped_bit_is_found_by_verify() {
    let dir = tempfile::tempdir().unwrap();
    let mut bytes = weights();
    bytes[777_777] ^= 1;
    fs::write(dir.path().join("made.onnx"), bytes).unwrap();
    let error = Store::new(dir.path()).verify(&spec()).unwrap_err();
    assert!(error.code() == Code::ModelDamaged && error.message().contains("SHA-256"), "{error}");
}

#[test]
fn the_bundled_weights_have_the_published_checksums() {
    let models = Path::new(env!("CARGO_MANIFEST_DIR")).join("../models");
    let found = Store::new(models.join("nowhere")).with_offline(&models).verify(find("u2netp").unwrap());
    assert_eq!(found.unwrap(), models.join("u2netp.onnx"));
}

#[test]
fn the_first_model_is_the_bundled_one_and_recipes_are_those_of_rembg() {
    assert_eq!((MODELS[0].name, MODELS[0].recipe), ("u2netp", Recipe::U2NET));
    let anime = find("isnet-anime").unwrap().recipe;
    assert_eq!((anime.width, anime.mean, anime.std), (1024, Recipe::U2NET.mean, [1.0; 3]));
    let general = find("isnet-general-use").unwrap().recipe;
    assert_eq!((general.height, general.mean, general.std), (1024, [0.5; 3], [1.0; 3]));
}

#[test]
fn the_markdown_table_has_a_row_a_model_and_marks_what_may_not_earn_money() {
    let table = models_markdown();
    assert_eq!(table.lines().count(), 2 + MODELS.len());
    let row = |name: &str| table.lines().find(|line| line.starts_with(&format!("| `{name}` |"))).unwrap();
    assert!(
        row("silueta").contains("| 320×320 | 44 MB | [Apache-2.0](https://") && row("silueta").ends_with("| allowed |")
    );
    assert!(row("bria-rmbg").ends_with("| **forbidden** |"));
    assert!(table.lines().all(|line| line.matches('|').count() == 7), "seven bars make six columns");
}
