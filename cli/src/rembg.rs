//! The commands of rembg's own command line, so that scripts keep running: `i`, `p`, `b`, `s` and `d`.

use std::ffi::{OsStr, OsString};
use std::path::Path;

use clap::Command;
use remrembg::Model;
use remrembg::models::{CUSTOM, MODELS};

use crate::failure::Failure;
use crate::plan::STREAM;
use crate::terminal;

/// rembg's flags, short and long, the flag that means the same here, and how many words follow; no flag for what has no
/// meaning here.
type Flags = [(&'static str, &'static str, &'static str, usize)];

/// Those of `i`, `p` and `b`.
const REMOVAL: &Flags = &[
    ("-m", "--model", "--model", 1),
    ("-a", "--alpha-matting", "--matting", 0),
    ("-af", "--alpha-matting-foreground-threshold", "--matting-foreground-threshold", 1),
    ("-ab", "--alpha-matting-background-threshold", "--matting-background-threshold", 1),
    ("-ae", "--alpha-matting-erode-size", "--matting-erode-size", 1),
    ("-om", "--only-mask", "--mask", 0),
    ("-ppm", "--post-process-mask", "--smooth-mask", 0),
    ("-dc", "--decontaminate", "--decontaminate", 0),
    ("-vm", VITMATTE, "--matting", 0),
    ("-bgc", "--bgcolor", "--bg-color", 4),
    ("-x", "--extras", "--extras", 1),
];

/// The one flag whose place another one takes here.
const VITMATTE: &str = "--vitmatte";
const NO_VITMATTE: &str = "remrembg: there is no ViTMatte here: closed-form matting solves for the edges";

/// What `p` has besides.
const FOLDER: &Flags = &[
    ("-w", "--watch", "--watch", 0),
    ("-d", "--delete_input", "--delete-input", 0),
    // Nothing that runs here costs anything.
    ("--accept-usage-cost", "--accept-usage-cost", "", 0),
];

/// What `b` has besides.
const OUTPUT: &Flags = &[("-o", "--output_specifier", "-o", 1)];

/// Those of `s`.
const SERVICE: &Flags = &[
    ("-p", "--port", "--port", 1),
    ("-h", "--host", "--host", 1),
    ("-l", "--log_level", "--log", 1),
    ("-t", "--threads", "--in-flight", 1),
    // The page is small and stays.
    ("--no-ui", "--no-ui", "", 0),
];

/// A command of rembg's in words of this one; any other command as it is.
pub(crate) fn translated(words: Vec<OsString>, ours: &Command) -> Vec<OsString> {
    let Some(command) = words.get(1).and_then(|word| word.to_str()) else {
        return words;
    };
    match command {
        // A picture or a folder of that name.
        "i" | "p" | "b" if words.len() == 2 && Path::new(command).exists() => words,
        "i" => removal(words, ours, &[REMOVAL]),
        "p" => {
            let mut made = removal(words, ours, &[REMOVAL, FOLDER]);
            made.insert(2, "--skip-existing".into());
            made
        }
        "b" => frames(words, ours),
        "s" => service(words, ours),
        "d" => download(words, ours),
        _ => words,
    }
}

/// `i IN OUT` and `p IN OUT`: always PNG, with a model that is fetched where it is not there, and standard streams where a name is left out.
fn removal(words: Vec<OsString>, ours: &Command, known: &[&Flags]) -> Vec<OsString> {
    let Read { program, flags, names } = read(words, ours.find_subcommand("remove"), known);
    let mut names = names.into_iter();
    let mut made = [program, "remove".into(), "--fetch".into(), "--format".into(), "png".into()].to_vec();
    made.extend(flags);
    let input = names.next().unwrap_or_else(|| STREAM.into());
    let has_out = made.iter().any(|word| word == "-o" || word == "--out" || word == "--output");
    if !has_out {
        let mut out = OsString::from("--out=");
        out.push(names.next().unwrap_or_else(|| STREAM.into()));
        made.push(out);
    }
    made.extend(["--".into(), input]);
    made.extend(names);
    made
}

/// `b WIDTH HEIGHT`: always PNG.
fn frames(words: Vec<OsString>, ours: &Command) -> Vec<OsString> {
    let Read { program, flags, names } = read(words, ours.find_subcommand("frames"), &[REMOVAL, OUTPUT]);
    [vec![program, "frames".into(), "--fetch".into(), "--format".into(), "png".into()], flags, names].concat()
}

/// `d NAME…`: all models where none is named.
fn download(words: Vec<OsString>, ours: &Command) -> Vec<OsString> {
    let fetch = ours.find_subcommand("models").and_then(|models| models.find_subcommand("fetch"));
    let Read { program, flags, mut names } = read(words, fetch, &[]);
    if names.is_empty() {
        names = MODELS.iter().map(|spec| spec.name.into()).collect();
    }
    [vec![program, "models".into(), "fetch".into()], flags, names].concat()
}

/// `s`: on port 7000 of every address and open to everyone and to the pages of every site, as rembg's is, unless flags,
/// environment or a file say where it listens and whom it lets in.
fn service(words: Vec<OsString>, ours: &Command) -> Vec<OsString> {
    let Read { program, mut flags, names } = read(words, ours.find_subcommand("serve"), &[SERVICE]);
    let said = |flags: &[OsString], keys: &[&str]| {
        keys.iter().any(|key| {
            let (flag, variable) = (format!("--{key}"), format!("REMREMBG_{}", key.to_uppercase()));
            let is_flag = |word: &OsString| word.to_str().is_some_and(|word| word.split('=').next() == Some(&flag));
            flags.iter().any(is_flag) || std::env::var_os(variable).is_some_and(|value| !value.is_empty())
        })
    };
    let mut made = vec![program, "serve".into(), "--rembg-api".into(), "true".into()];
    if !said(&flags, &["keys", "data", "redis", "config"]) {
        made.extend(["--keys".into(), "any".into()]);
    }
    if !said(&flags, &["cors", "config"]) {
        made.extend(["--cors".into(), "*".into()]);
    }
    let (port, host) = (last(&mut flags, "--port"), last(&mut flags, "--host"));
    if port.is_some() || host.is_some() || !said(&flags, &["listen", "config"]) {
        let host = match host.as_deref() {
            None => "0.0.0.0".to_owned(),
            Some("localhost") => "127.0.0.1".to_owned(),
            Some(host) if host.contains(':') => format!("[{host}]"),
            Some(host) => host.to_owned(),
        };
        made.extend(["--listen".into(), format!("{host}:{}", port.as_deref().unwrap_or("7000")).into()]);
    }
    let log = last(&mut flags, "--log").map(|level| match &*level {
        "critical" => "error".to_owned(),
        "warning" => "warn".to_owned(),
        "trace" => "debug".to_owned(),
        _ => level,
    });
    made.extend(log.into_iter().flat_map(|level| ["--log".into(), level.into()]));
    [made, flags, names].concat()
}

/// Takes a flag and its value out, each time that it comes; the last value counts. One without a value stays, and is
/// refused.
fn last(flags: &mut Vec<OsString>, flag: &str) -> Option<String> {
    let mut value = None;
    while let Some(at) = flags.iter().position(|word| word == flag).filter(|at| at + 1 < flags.len()) {
        value = flags.drain(at..at + 2).nth(1);
    }
    value.map(|value| value.to_string_lossy().into_owned())
}

/// Words of rembg, its flags already those here.
struct Read {
    program: OsString,
    flags: Vec<OsString>,
    names: Vec<OsString>,
}

/// Without the command, which is the second word and becomes `own`, whose flags stay as they are.
fn read(words: Vec<OsString>, own: Option<&Command>, known: &[&Flags]) -> Read {
    let mut words = words.into_iter();
    let program = words.next().unwrap_or_default();
    words.next();
    let mut read = Read { program, flags: Vec::new(), names: Vec::new() };
    let mut has_vitmatte = false;
    while let Some(word) = words.next() {
        if word == "--" {
            read.names.extend(words);
            break;
        }
        let (word, value) = split(&word, known);
        let flag = known.iter().copied().flatten().find(|(short, long, ..)| word == *short || word == *long);
        match flag {
            Some((_, _, "", _)) => {}
            Some((_, VITMATTE, flag, _)) => {
                has_vitmatte = true;
                read.flags.push((*flag).into());
            }
            Some((_, _, flag, 0)) => read.flags.push((*flag).into()),
            Some((_, _, flag, 1)) => {
                read.flags.extend([Some((*flag).into()), value.or_else(|| words.next())].into_iter().flatten());
            }
            Some((_, _, flag, count)) => {
                read.flags.push(format!("{flag}={}", color(words.by_ref().take(*count))).into());
            }
            None if is_flag(&word) => {
                let value = own.is_some_and(|own| takes_next(own, &word)).then(|| words.next()).flatten();
                read.flags.extend([Some(word), value].into_iter().flatten());
            }
            None => read.names.push(word),
        }
    }
    let has = |names: &[&str]| read.flags.iter().any(|flag| names.iter().any(|name| flag == name));
    if has(&["--mask"]) {
        // It is what matting would start from, and has no background.
        read.flags.retain(|flag| flag != "--matting" && !flag.as_encoded_bytes().starts_with(b"--bg-color="));
    } else if has_vitmatte && !has(&["-q", "--quiet", "--json"]) {
        terminal::note(None, NO_VITMATTE);
    }
    read
}

/// Whether the word behind a flag is its value.
fn takes_next(command: &Command, flag: &OsStr) -> bool {
    let Some(flag) = flag.to_str() else { return false };
    command.get_arguments().any(|arg| {
        let long = flag.strip_prefix("--").is_some_and(|name| {
            arg.get_long() == Some(name) || arg.get_all_aliases().is_some_and(|aliases| aliases.contains(&name))
        });
        let short = arg.get_short().is_some_and(|short| flag.strip_prefix('-') == Some(&*short.to_string()));
        (long || short) && arg.get_action().takes_values() && !arg.is_require_equals_set()
    })
}

/// A long flag and its value after `=`, or a short one of a letter and its value behind it.
fn split(word: &OsStr, known: &[&Flags]) -> (OsString, Option<OsString>) {
    let short = |name: &str| known.iter().copied().flatten().any(|(short, _, _, count)| name == *short && *count == 1);
    let is_known = known.iter().copied().flatten().any(|(short, ..)| word == *short);
    if let Some((name, value)) = word.to_str().filter(|_| !is_known).and_then(|word| word.split_at_checked(2))
        && !value.is_empty()
        && short(name)
    {
        return (name.into(), Some(value.into()));
    }
    let parts = word.to_str().filter(|word| word.starts_with("--")).and_then(|word| word.split_once('='));
    let one = |name: &str| known.iter().copied().flatten().any(|(_, long, _, count)| name == *long && *count == 1);
    match parts.filter(|(name, _)| one(name)) {
        Some((name, value)) => (name.into(), Some(value.into())),
        None => (word.into(), None),
    }
}

/// The model that `-m u2net_custom -x '{"model_path": …}'` and its kin mean; none of empty extras.
///
/// # Errors
/// The extras are no JSON, or say anything else.
pub(crate) fn model_of_extras(name: Option<&Path>, extras: &str) -> Result<Option<Model>, Failure> {
    let said: serde_json::Map<String, serde_json::Value> = serde_json::from_str(extras)
        .map_err(|error| Failure::usage(format!("--extras has to be a JSON object: {error}")))?;
    if said.is_empty() {
        return Ok(None);
    }
    if let Some(other) = said.keys().find(|key| *key != "model_path") {
        return Err(Failure::usage(format!("--extras knows model_path alone, not '{other}'")));
    }
    let custom = CUSTOM.iter().find(|(custom, _)| name.is_some_and(|name| name.as_os_str() == *custom));
    let path = said.get("model_path").and_then(serde_json::Value::as_str);
    let (Some((_, recipe)), Some(path)) = (custom, path) else {
        let names = CUSTOM.map(|(name, _)| name).join(", ");
        return Err(Failure::usage(format!("--extras names the file of a model in model_path, with --model {names}")));
    };
    // No shell sees a path within JSON.
    let home = path.strip_prefix("~/").and_then(|rest| Some(std::env::home_dir()?.join(rest)));
    Ok(Some(Model::File { path: home.unwrap_or_else(|| path.into()), recipe: recipe.parse()? }))
}

fn is_flag(word: &OsStr) -> bool {
    word != STREAM && word.as_encoded_bytes().starts_with(b"-")
}

/// `255 0 0 128` as `#ff000080`; what is no such number stays, and is refused as a colour.
fn color(channels: impl Iterator<Item = OsString>) -> String {
    let hex = |word: OsString| {
        let word = word.to_string_lossy();
        word.parse::<u8>().map_or_else(|_| word.to_string(), |value| format!("{value:02x}"))
    };
    format!("#{}", channels.map(hex).collect::<String>())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn said(words: &str) -> String {
        let words = translated(words.split(' ').map(OsString::from).collect(), &crate::command::command());
        words.iter().map(|word| word.to_string_lossy()).collect::<Vec<_>>().join(" ")
    }

    #[test]
    fn words_of_rembg_become_those_of_remrembg() {
        for (theirs, ours) in [
            ("remrembg i a.jpg b.png", "remrembg remove --fetch --format png --out=b.png -- a.jpg"),
            ("remrembg i", "remrembg remove --fetch --format png --out=- -- -"),
            ("remrembg i - b.png -m silueta", "remrembg remove --fetch --format png --model silueta --out=b.png -- -"),
            (
                "remrembg i -bgc 255 0 16 128 a b",
                "remrembg remove --fetch --format png --bg-color=#ff001080 --out=b -- a",
            ),
            (
                "remrembg i -bgc red 0 0 0 a b",
                "remrembg remove --fetch --format png --bg-color=#red000000 --out=b -- a",
            ),
            (
                "remrembg i --model=a --alpha-matting-erode-size=5 a b",
                "remrembg remove --fetch --format png --model a --matting-erode-size 5 --out=b -- a",
            ),
            (
                "remrembg p -w -om in out",
                "remrembg remove --skip-existing --fetch --format png --watch --mask --out=out -- in",
            ),
            ("remrembg d silueta u2net", "remrembg models fetch silueta u2net"),
            ("remrembg i -om -vm -a a b", "remrembg remove --fetch --format png --mask --out=b -- a"),
            ("remrembg b -vm 64 48", "remrembg frames --fetch --format png --matting 64 48"),
            ("remrembg i -vm -a a b", "remrembg remove --fetch --format png --matting --matting --out=b -- a"),
            (
                "remrembg p -d --accept-usage-cost in out",
                "remrembg remove --skip-existing --fetch --format png --delete-input --out=out -- in",
            ),
            ("remrembg i -x {} a b", "remrembg remove --fetch --format png --extras {} --out=b -- a"),
            ("remrembg i -om -bgc 1 2 3 255 a b", "remrembg remove --fetch --format png --mask --out=b -- a"),
            ("remrembg i -msilueta a b", "remrembg remove --fetch --format png --model silueta --out=b -- a"),
            ("remrembg b -om 64 48", "remrembg frames --fetch --format png --mask 64 48"),
            ("remrembg b -o x-%d.png 64 48", "remrembg frames --fetch --format png -o x-%d.png 64 48"),
            (
                "remrembg i --w 30 --refine=off a --jobs 2 b",
                "remrembg remove --fetch --format png --w 30 --refine=off --jobs 2 --out=b -- a",
            ),
            ("remrembg i -d a b", "remrembg remove --fetch --format png -d --out=b -- a"),
            ("remrembg i a.png -o b.png", "remrembg remove --fetch --format png -o b.png -- a.png"),
            ("remrembg i -- -a.png b", "remrembg remove --fetch --format png --out=b -- -a.png"),
            ("remrembg s -p 1 -p 2", "remrembg serve --rembg-api true --keys any --cors * --listen 0.0.0.0:2"),
            ("remrembg s --port", "remrembg serve --rembg-api true --keys any --cors * --listen 0.0.0.0:7000 --port"),
            (
                "remrembg s --keys=secret",
                "remrembg serve --rembg-api true --cors * --listen 0.0.0.0:7000 --keys=secret",
            ),
            ("remrembg s --config a.toml", "remrembg serve --rembg-api true --config a.toml"),
            ("remrembg s --data d -p 80", "remrembg serve --rembg-api true --cors * --listen 0.0.0.0:80 --data d"),
            (
                "remrembg s --listen 127.0.0.1:1",
                "remrembg serve --rembg-api true --keys any --cors * --listen 127.0.0.1:1",
            ),
            ("remrembg s", "remrembg serve --rembg-api true --keys any --cors * --listen 0.0.0.0:7000"),
            (
                "remrembg s -h localhost --port=5000 -l warning --no-ui -t 4",
                "remrembg serve --rembg-api true --keys any --cors * --listen 127.0.0.1:5000 --log warn --in-flight 4",
            ),
            ("remrembg engine", "remrembg engine"),
            ("remrembg", "remrembg"),
        ] {
            assert_eq!(said(theirs), ours);
        }
    }

    #[test]
    fn d_alone_fetches_every_model_with_the_flags_that_are_given() {
        let names = MODELS.iter().map(|spec| spec.name).collect::<Vec<_>>().join(" ");
        assert_eq!(said("remrembg d"), format!("remrembg models fetch {names}"));
        assert_eq!(said("remrembg d --mirror m"), format!("remrembg models fetch --mirror m {names}"));
        assert_eq!(said("remrembg d --mirror m silueta"), "remrembg models fetch --mirror m silueta");
    }
}
