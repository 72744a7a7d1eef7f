//! What the README takes from the code is what the code says now.
//!
//! `make generate` writes it again.

use std::fs;
use std::path::{Path, PathBuf};

use remrembg::{Config, EngineChoice, Format, Options, Remover};

fn root(path: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..").join(path)
}

fn generating() -> bool {
    std::env::var_os("REMREMBG_GENERATE").is_some()
}

fn check(section: &str, generated: &str) {
    let path = root("README.md");
    let text = fs::read_to_string(&path).expect("the README is beside the crate");
    let (start, end) =
        (format!("<!-- {section}: generated, see CONTRIBUTING.md -->\n"), format!("<!-- end of {section} -->"));
    let (before, rest) = text.split_once(&start).expect("the README has the section");
    let (found, after) = rest.split_once(&end).expect("the section has an end");
    let fresh = format!("\n{}\n\n", generated.trim_end());
    if generating() {
        fs::write(&path, format!("{before}{start}{fresh}{end}{after}")).expect("the README can be written");
    } else {
        assert!(found == fresh, "README.md, {section}: stale, run `make generate`");
    }
}

/// One test, because all sections are in one file.
#[test]
fn the_readme_is_fresh() {
    let example = include_str!("../examples/cutout.rs");
    check("example", &format!("```rust,no_run\n{example}```"));
    check("options", &remrembg::options_markdown());
    check("settings", &remrembg::settings_markdown());
    check("models", &remrembg::models::models_markdown());
}

/// Skips where set-up has not fetched the photo.
#[test]
fn the_readmes_picture_is_what_the_demo_makes() {
    let photo = root("demo/photo.png");
    if !photo.exists() {
        return println!("SKIPPED: demo/photo.png is absent, run `make setup`");
    }
    let mut config = Config::default();
    config.engine = EngineChoice::Rten;
    let remover = Remover::new(config).expect("the engine inside always works");
    let options = Options { format: Format::Png, mask: true, ..Options::default() };
    let made = remover.remove(photo.as_path(), &options).expect("the photo is cut out").data;
    let path = root("docs/demo-mask.png");
    if generating() {
        fs::write(&path, &made).expect("the picture can be written");
    }
    let pixels = |bytes: &[u8]| image::load_from_memory(bytes).expect("a PNG").into_luma8().into_raw();
    let (made, shown) = (pixels(&made), pixels(&fs::read(&path).expect("the README's picture is there")));
    assert_eq!(made.len(), shown.len());
    let off: u64 = made.iter().zip(&shown).map(|(a, b)| u64::from(a.abs_diff(*b))).sum();
    assert!(off <= made.len() as u64 / 4, "docs/demo-mask.png is stale, run `make generate`");
}
