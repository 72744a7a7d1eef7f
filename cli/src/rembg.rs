//! The commands of rembg's own command line, so that scripts keep running: `i`, `p` and `d`.

use std::ffi::{OsStr, OsString};
use std::path::Path;

use crate::plan::STREAM;

/// rembg's flags of `i` and `p`, short and long, the flag that means the same here, and how many words follow.
const FLAGS: [(&str, &str, &str, usize); 10] = [
    ("-m", "--model", "--model", 1),
    ("-a", "--alpha-matting", "--matting", 0),
    ("-af", "--alpha-matting-foreground-threshold", "--matting-foreground-threshold", 1),
    ("-ab", "--alpha-matting-background-threshold", "--matting-background-threshold", 1),
    ("-ae", "--alpha-matting-erode-size", "--matting-erode-size", 1),
    ("-om", "--only-mask", "--mask", 0),
    ("-ppm", "--post-process-mask", "--smooth-mask", 0),
    ("-dc", "--decontaminate", "--decontaminate", 0),
    ("-bgc", "--bgcolor", "--bg-color", 4),
    ("-w", "--watch", "--watch", 0),
];

/// A command of rembg's in words of this one; any other command as it is.
pub(crate) fn translated(mut words: Vec<OsString>) -> Vec<OsString> {
    let Some(command) = words.get(1).filter(|word| !Path::new(word).exists()).and_then(|word| word.to_str()) else {
        return words;
    };
    match command {
        "i" | "p" => removal(words),
        "d" => {
            words.splice(1..2, ["models".into(), "fetch".into()]);
            words
        }
        _ => words,
    }
}

/// `i IN OUT` and `p IN OUT`: always PNG, and standard streams where a name is left out.
fn removal(words: Vec<OsString>) -> Vec<OsString> {
    let mut words = words.into_iter();
    let mut made: Vec<OsString> = words.next().into_iter().collect();
    words.next();
    made.extend(["remove", "--format", "png"].map(OsString::from));
    let mut names = Vec::new();
    while let Some(word) = words.next() {
        if let Some((flag, value)) = valued(&word) {
            made.push(format!("{flag}={value}").into());
            continue;
        }
        match known(&word) {
            Some((flag, 0)) => made.push(flag.into()),
            Some((flag, 1)) => made.extend([Some(flag.into()), words.next()].into_iter().flatten()),
            Some((flag, count)) => made.push(format!("{flag}={}", color(words.by_ref().take(count))).into()),
            None if is_flag(&word) => made.push(word),
            None => names.push(word),
        }
    }
    let mut names = names.into_iter();
    let input = names.next().unwrap_or_else(|| STREAM.into());
    made.extend([input, "-o".into(), names.next().unwrap_or_else(|| STREAM.into())]);
    made.extend(names);
    made
}

fn known(word: &OsStr) -> Option<(&'static str, usize)> {
    FLAGS.iter().find(|(short, long, ..)| word == *short || word == *long).map(|(_, _, flag, count)| (*flag, *count))
}

/// A long flag with its value after `=`.
fn valued(word: &OsStr) -> Option<(&'static str, &str)> {
    let (name, value) = word.to_str().filter(|word| word.starts_with("--"))?.split_once('=')?;
    let (flag, count) = known(OsStr::new(name))?;
    (count == 1).then_some((flag, value))
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
        let words = translated(words.split(' ').map(OsString::from).collect());
        words.iter().map(|word| word.to_string_lossy()).collect::<Vec<_>>().join(" ")
    }

    #[test]
    fn words_of_rembg_become_those_of_remrembg() {
        for (theirs, ours) in [
            ("remrembg i a.jpg b.png", "remrembg remove --format png a.jpg -o b.png"),
            ("remrembg i", "remrembg remove --format png - -o -"),
            ("remrembg i - b.png -m silueta", "remrembg remove --format png --model silueta - -o b.png"),
            ("remrembg i -bgc 255 0 16 128 a b", "remrembg remove --format png --bg-color=#ff001080 a -o b"),
            ("remrembg i -bgc red 0 0 0 a b", "remrembg remove --format png --bg-color=#red000000 a -o b"),
            (
                "remrembg i --model=a --alpha-matting-erode-size=5 a b",
                "remrembg remove --format png --model=a --matting-erode-size=5 a -o b",
            ),
            ("remrembg p -w -om in out", "remrembg remove --format png --watch --mask in -o out"),
            ("remrembg d silueta u2net", "remrembg models fetch silueta u2net"),
            ("remrembg i -vm a b", "remrembg remove --format png -vm a -o b"),
            ("remrembg engine", "remrembg engine"),
            ("remrembg", "remrembg"),
        ] {
            assert_eq!(said(theirs), ours);
        }
    }
}
