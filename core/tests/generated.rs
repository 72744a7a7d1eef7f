//! What the documentation takes from the code is what the code says now.
//!
//! `make generate` writes it again.

use std::fs;
use std::path::{Path, PathBuf};

use image::imageops::{self, FilterType};
use image::{DynamicImage, Rgba, RgbaImage};
use remrembg::{Code, Config, EngineChoice, Error, Format, OPTIONS, OptionKind, Options, Remover, SETTINGS};

fn root(path: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..").join(path)
}

fn generating() -> bool {
    std::env::var_os("REMREMBG_GENERATE").is_some()
}

fn check(file: &str, section: &str, generated: &str) {
    let (start, end) =
        (format!("<!-- {section}: generated, see CONTRIBUTING.md -->\n"), format!("<!-- end of {section} -->"));
    check_between(file, (&start, &end), &format!("\n{}\n\n", generated.trim_end()));
}

/// Checks, or writes, what stands between two texts of a file.
fn check_between(file: &str, (start, end): (&str, &str), fresh: &str) {
    let path = root(file);
    let text = fs::read_to_string(&path).unwrap_or_else(|error| panic!("{file}: {error}"));
    let (before, rest) = text.split_once(start).unwrap_or_else(|| panic!("{file} has no {start:?}"));
    let (found, after) = rest.split_once(end).unwrap_or_else(|| panic!("{file} has no {end:?} after {start:?}"));
    if generating() {
        fs::write(&path, format!("{before}{start}{fresh}{end}{after}")).expect("the file can be written");
    } else {
        assert!(found == fresh, "{file}, after {start:?}: stale, run `make generate`");
    }
}

/// A field of a Python docstring, its lines at most 100 characters long.
fn field(key: &str, range: &str, default: &str, help: &str) -> String {
    let text = format!(":param {key}: {help} Accepted: {range}. Default: {default}.");
    let (mut lines, mut line) = (String::new(), "   ".to_owned());
    for word in text.split(' ') {
        if line.chars().count() + 1 + word.chars().count() > 100 {
            lines = lines + &line + "\n";
            line = "       ".to_owned();
        }
        line = line + " " + word;
    }
    lines + &line + "\n"
}

#[test]
fn the_table_of_errors_is_fresh() {
    let row = |code: &Code| {
        let message = Error::new(*code).message().replace('|', "\\|");
        format!("| `{}` | `{}` | {} | {message} |\n", code.name(), code.kind().name(), code.status())
    };
    let rows: String = Code::ALL.iter().map(row).collect();
    check("docs/errors.md", "errors", &format!("| Name | Kind | Status | Message |\n|---|---|---|---|\n{rows}"));
}

#[test]
fn the_docstrings_of_python_are_fresh() {
    let package = "bindings-python/python/remrembg";
    let check = |file: &str, between, fields: String| check_between(&format!("{package}/{file}"), between, &fields);
    let options = OPTIONS.iter().map(|spec| field(spec.key, spec.range, spec.default, spec.help));
    check("__init__.py", ("must end as a picture's does.\n", "    :param api_key:"), options.collect());
    let settings = SETTINGS.iter().map(|spec| field(spec.key, spec.range, spec.default, spec.help));
    let between = ("Settings are numbers or text.\n\n", "    :raises ValidationError: a setting");
    check("_remover.py", between, settings.collect());
}

/// A property of a TypeScript interface.
fn property(key: &str, kind: &str, range: &str, default: &str, help: &str) -> String {
    format!("  /** {help} Accepted: {range}. Default: {default}. */\n  {key}?: {kind} | null | undefined;\n")
}

/// What TypeScript programmers give for an option.
const fn typed(kind: OptionKind) -> &'static str {
    match kind {
        OptionKind::Integer => "Integer",
        OptionKind::Number => "number | string",
        OptionKind::Boolean => "Flag",
        OptionKind::Regions => "Region | readonly Region[] | string",
        _ => "string",
    }
}

/// As [`typed`], for a setting, by what its row says.
fn typed_setting(key: &str, range: &str) -> &'static str {
    match range.split_once(" to ") {
        Some((low, _)) if low.bytes().all(|byte| byte.is_ascii_digit()) => "Integer",
        _ if key == "providers" => "string | string[]",
        _ => "string",
    }
}

#[test]
fn the_interfaces_of_typescript_are_fresh() {
    let check = |part: &str, properties: String| {
        let (start, end) = (format!("  // {part}: generated\n"), format!("  // end of {part}\n"));
        check_between("bindings-node/ts/options.ts", (&start, &end), &properties);
    };
    let options = OPTIONS.iter().map(|spec| property(spec.key, typed(spec.kind), spec.range, spec.default, spec.help));
    check("options", options.collect());
    let settings = SETTINGS
        .iter()
        .map(|spec| property(spec.key, typed_setting(spec.key, spec.range), spec.range, spec.default, spec.help));
    check("settings", settings.collect());
}

/// One test, because two sections are in one file.
#[test]
fn the_tables_of_the_documentation_are_fresh() {
    let example = include_str!("../examples/cutout.rs");
    check("docs/rust.md", "example", &format!("```rust,no_run\n{example}```"));
    check("docs/options.md", "options", &remrembg::options_markdown());
    check("docs/options.md", "settings", &remrembg::settings_markdown());
    check("docs/models.md", "models", &remrembg::models::models_markdown());
}

/// The sides of what is shown, and of the squares behind what is cut out.
const SHOWN: u32 = 384;
const SQUARE: u32 = 16;

#[test]
fn the_readmes_picture_is_what_the_demo_makes() {
    let photo = root("demo/photo.png");
    assert!(photo.exists(), "demo/photo.png is absent: run `make setup`");
    let mut config = Config::default();
    config.engine = EngineChoice::Rten;
    let remover = Remover::new(config).expect("the engine inside always works");
    let options = Options::default().with(|o| o.format = Format::Png);
    let made = remover.remove(photo.as_path(), &options).expect("the photo is cut out").data;
    let at_size = |picture: DynamicImage| picture.resize_exact(SHOWN, SHOWN, FilterType::Lanczos3);
    let mut both = RgbaImage::from_fn(2 * SHOWN, SHOWN, |x, y| {
        let square = (x / SQUARE + y / SQUARE) % 2;
        if square == 0 { Rgba([255; 4]) } else { Rgba([204, 204, 204, 255]) }
    });
    imageops::overlay(&mut both, &at_size(image::open(&photo).expect("a photo")), 0, 0);
    imageops::overlay(&mut both, &at_size(image::load_from_memory(&made).expect("a PNG")), i64::from(SHOWN), 0);
    let both = DynamicImage::from(both).into_rgb8();
    let path = root("docs/before-and-after.jpg");
    if generating() {
        both.save(&path).expect("the picture can be written");
    }
    let shown = image::open(&path).expect("the README's picture is there").into_rgb8();
    assert_eq!(both.dimensions(), shown.dimensions());
    let off: u64 = both.as_raw().iter().zip(shown.as_raw()).map(|(a, b)| u64::from(a.abs_diff(*b))).sum();
    assert!(off <= 3 * both.as_raw().len() as u64, "docs/before-and-after.jpg is stale, run `make generate`");
}
