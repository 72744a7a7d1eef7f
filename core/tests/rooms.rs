//! The rooms of core stand one above the other: each uses only what stands below it. Tests may use anything.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};

/// From the top floor down.
const ROOMS: [&str; 14] = [
    "lib", "remover", "pipeline", "alpha", "compose", "segment", "input", "codec", "models", "engine", "options",
    "image", "exec", "error",
];

/// A file of core: its module's path, and the code above its tests.
struct File {
    module: Vec<String>,
    code: String,
}

fn files(folder: &Path, found: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(folder).expect("a folder") {
        let path = entry.expect("an entry").path();
        let is_test = path.file_stem().is_some_and(|stem| stem.to_string_lossy().ends_with("tests"));
        if path.is_dir() && !is_test {
            files(&path, found);
        } else if path.extension().is_some_and(|kind| kind == "rs") && !is_test {
            found.push(path);
        }
    }
}

/// The sources of a crate of this workspace.
fn sources(of: &str) -> Vec<File> {
    let source = Path::new(env!("CARGO_MANIFEST_DIR")).join("..").join(of).join("src");
    let mut found = Vec::new();
    files(&source, &mut found);
    let file = |path: PathBuf| {
        let text = fs::read_to_string(&path).expect("a source");
        let code = text.split("#[cfg(test)]\nmod ").next().unwrap_or_default();
        let code = code.lines().filter(|line| !line.trim_start().starts_with("//")).collect::<Vec<_>>().join("\n");
        let place = path.strip_prefix(&source).expect("it is below").with_extension("");
        let module = place.iter().map(|part| part.to_string_lossy().into_owned());
        File { module: module.filter(|part| part != "mod").collect(), code }
    };
    found.into_iter().map(file).collect()
}

/// The benchmarks' way in stands beside `lib.rs`.
fn floor(room: &str) -> usize {
    let room = if room == "bench" { "lib" } else { room };
    ROOMS.iter().position(|name| *name == room).unwrap_or_else(|| panic!("the room {room} has no floor"))
}

/// The paths that the code names from the root.
fn named(code: &str) -> impl Iterator<Item = Vec<&str>> {
    code.split("crate::").skip(1).flat_map(paths)
}

/// The paths that the code names beside its own, from the root.
fn beside<'a>(code: &'a str, own: &'a [String]) -> impl Iterator<Item = Vec<&'a str>> {
    code.split("use super::").skip(1).flat_map(move |mut rest| {
        let mut above = own.len() - 1;
        while let Some(further) = rest.strip_prefix("super::") {
            (rest, above) = (further, above.saturating_sub(1));
        }
        let from = own[..above].iter().map(String::as_str);
        paths(rest).into_iter().map(move |path| from.clone().chain(path).collect())
    })
}

/// The path at the start of a text.
fn path(text: &str) -> Vec<&str> {
    let end = text.find(|c: char| !c.is_ascii_alphanumeric() && !matches!(c, ':' | '_')).unwrap_or(text.len());
    text[..end].split("::").filter(|part| !part.is_empty()).collect()
}

/// The path at the start of a text, or those in its braces.
fn paths(text: &str) -> Vec<Vec<&str>> {
    let Some(inside) = text.strip_prefix('{') else { return vec![path(text)] };
    let (mut found, mut depth, mut is_start) = (Vec::new(), 0, true);
    for (at, c) in inside.char_indices() {
        match c {
            '}' if depth == 0 => break,
            '{' => depth += 1,
            '}' => depth -= 1,
            ',' if depth == 0 => is_start = true,
            c if is_start && !c.is_whitespace() => {
                found.push(path(&inside[at..]));
                is_start = false;
            }
            _ => {}
        }
    }
    found
}

#[test]
fn a_room_uses_only_what_stands_below_it() {
    let mut wrong = BTreeSet::new();
    for file in sources("core") {
        let room = file.module[0].as_str();
        for path in named(&file.code) {
            // A name of the crate's own face is a type, and types are where they are defined.
            let Some(used) = path.first().filter(|name| name.starts_with(|c: char| c.is_ascii_lowercase())) else {
                continue;
            };
            if ROOMS.contains(used) && *used != room && floor(used) <= floor(room) {
                wrong.insert(format!("{} uses {used}, which stands above it", file.module.join("/")));
            }
        }
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
}

/// Which files import each other, and how many imports there are.
fn circles(of: &str) -> (Vec<String>, usize) {
    let files = sources(of);
    let modules: BTreeSet<String> = files.iter().map(|file| file.module.join("/")).collect();
    let mut imports: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
    for file in &files {
        let own = file.module.join("/");
        for mut path in beside(&file.code, &file.module).chain(named(&file.code)) {
            while !path.is_empty() && !modules.contains(&path.join("/")) {
                path.pop();
            }
            let used = path.join("/");
            // A room's own file and those in it are one.
            let is_kin = own.starts_with(&format!("{used}/")) || used.starts_with(&format!("{own}/"));
            if !used.is_empty() && used != own && !is_kin {
                imports.entry(own.clone()).or_default().insert(used);
            }
        }
    }
    let back = |from: &str, to: &String| imports.get(to).is_some_and(|used| used.contains(from));
    let circles = imports.iter().flat_map(|(from, used)| {
        used.iter().filter(move |to| from < *to && back(from, to)).map(move |to| format!("{of}: {from} and {to}"))
    });
    (circles.collect(), imports.values().map(BTreeSet::len).sum())
}

#[test]
fn no_two_files_import_each_other() {
    for (of, least) in [
        ("core", 200),
        ("cli", 50),
        ("server", 50),
        ("ffi", 20),
        ("native", 20),
        ("bindings-python", 5),
        ("bindings-node", 5),
    ] {
        let (circles, imports) = circles(of);
        assert!(imports >= least, "the imports are found: {imports} in {of}");
        assert!(circles.is_empty(), "{circles:#?}");
    }
}

#[test]
fn groups_of_imports_are_read() {
    let code = "use crate::{Host, a::{b, c}, d::e};\nuse crate::f::g;\nuse super::super::{h, i::j};\nuse super::k;";
    assert_eq!(named(code).collect::<Vec<_>>(), [vec!["Host"], vec!["a"], vec!["d", "e"], vec!["f", "g"]]);
    let own = ["x", "y", "z"].map(str::to_owned);
    let beside: Vec<_> = beside(code, &own).collect();
    assert_eq!(beside, [vec!["x", "h"], vec!["x", "i", "j"], vec!["x", "y", "k"]]);
}
