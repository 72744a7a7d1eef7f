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

fn core() -> Vec<File> {
    let source = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let mut found = Vec::new();
    files(&source, &mut found);
    let file = |path: PathBuf| {
        let text = fs::read_to_string(&path).expect("a source");
        let code = text.split("#[cfg(test)]").next().unwrap_or_default();
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

/// The modules that the code names from the root.
fn named(code: &str) -> impl Iterator<Item = Vec<&str>> {
    code.split("crate::").skip(1).map(|rest| {
        let path =
            rest.split(|c: char| !c.is_ascii_alphanumeric() && !matches!(c, ':' | '_')).next().unwrap_or_default();
        path.split("::").filter(|part| !part.is_empty()).collect()
    })
}

#[test]
fn a_room_uses_only_what_stands_below_it() {
    let mut wrong = BTreeSet::new();
    for file in core() {
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

#[test]
fn no_two_files_import_each_other() {
    let files = core();
    let modules: BTreeSet<String> = files.iter().map(|file| file.module.join("/")).collect();
    let mut imports: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
    for file in &files {
        let own = file.module.join("/");
        let parent = &file.module[..file.module.len() - 1];
        let siblings = file.code.split("use super::").skip(1).map(|rest| {
            let name = rest.split(|c: char| !c.is_ascii_alphanumeric() && c != '_').next().unwrap_or_default();
            parent.iter().map(String::as_str).chain([name]).collect::<Vec<_>>()
        });
        for mut path in siblings.chain(named(&file.code)) {
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
    assert!(imports.values().map(BTreeSet::len).sum::<usize>() > 100, "the imports are found");
    let back = |from: &str, to: &String| imports.get(to).is_some_and(|used| used.contains(from));
    let circles: Vec<_> = imports
        .iter()
        .flat_map(|(from, used)| {
            used.iter().filter(move |to| from < *to && back(from, to)).map(move |to| format!("{from} and {to}"))
        })
        .collect();
    assert!(circles.is_empty(), "{circles:#?}");
}
