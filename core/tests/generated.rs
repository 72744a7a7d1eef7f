//! What the README takes from the code is what the code says now.
//!
//! `make generate` writes the sections again.

use std::fs;
use std::path::Path;

fn check(section: &str, generated: &str) {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../README.md");
    let text = fs::read_to_string(&path).expect("the README is beside the crate");
    let (start, end) =
        (format!("<!-- {section}: generated, see CONTRIBUTING.md -->\n"), format!("<!-- end of {section} -->"));
    let (before, rest) = text.split_once(&start).expect("the README has the section");
    let (found, after) = rest.split_once(&end).expect("the section has an end");
    let fresh = format!("\n{}\n\n", generated.trim_end());
    if std::env::var_os("REMREMBG_GENERATE").is_some() {
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
    check("models", &remrembg::models::models_markdown());
}
