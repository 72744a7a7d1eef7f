//! The tree of commands and their arguments.

use std::ffi::{OsStr, OsString};
use std::path::{Path, PathBuf};

use clap::{Arg, Command, ValueHint, value_parser};
use clap_complete::Shell;

use crate::args::{extras, fetching, jobs, path, running, short, switch, telling};
use crate::failure::EXIT;
use crate::plan::{Pattern, is_named_as_picture};
use crate::{accounts, flags, frames, rembg, serve};

const REMOVE: &str = "\
Finds the subject of each picture, cuts it out, and writes the cut-out.

Pictures are WebP, PNG, JPEG, BMP, GIF and TIFF, told apart by their bytes; of GIF and TIFF the first frame or page is \
read. A folder stands for all files in it and in its folders whose names end as those of pictures do (.webp, .bmp, .png, \
.jpg, .jpeg, .jpe, .jfif, .gif, .tif, .tiff); hidden files and folders, and folders that links lead to, are passed over. The result goes into a new file that takes \
its final name when it is whole, and replaces an older result; a result never replaces an input. One picture that fails \
is reported and the others are done.";

const OUT: &str = "\
Where the result goes: a file, a folder, or - for standard output.

OUT is a folder when it is one already, ends in a slash, or several pictures may come; it is made when it is not there. \
In it, a result has the name of its picture with the suffix of the format, and folders are as they were beneath INPUT. \
Without OUT, photo.jpg becomes photo-cutout.webp beside it (photo-mask.webp with --mask), standard input goes to \
standard output, and folders are refused.

The format is that of --format, else that of OUT's suffix, else WebP.";

const MASK: &str = "\
Take the mask from this picture instead of from the model. For one INPUT.

White is subject, black is background; of a picture with transparency its alpha counts. It is stretched to INPUT's size, \
and its edge is laid onto the picture's own unless --refine=false. With --trimap it tells what is known, and the rest is \
solved for.";

const WATCH: &str = "\
Go on: do pictures as they come into the folders or change there, until Ctrl-C.

A picture is done when it has not changed for half a second. At the start, pictures whose result is newer than they are \
are passed over. The folders are looked through again and again, which works on network drives and in containers too.";

const DELETE: &str = "\
Delete each picture once its result is written.

A picture stays where nothing is found in it, where it has changed meanwhile, and where it comes from a stream or goes into one. No \
result replaces an older one then, as of that the picture may be gone. Of an animation, and of several pages, the first \
is all that is kept.";

const SHORT: &str = "remrembg photo.jpg -o cutout.webp is short for remrembg remove photo.jpg -o cutout.webp.";

const AS_REMBG: &str = "\
i, p, b, d and s take the words of rembg's commands of those names. s is serve on port 7000 of every address, open to everyone, \
unless its flags say otherwise.";

/// Puts in the `remove` that may be left out before a picture, a folder or a flag, and the `=` before a boolean;
/// rembg's commands become those here.
pub(crate) fn completed(words: Vec<OsString>) -> Vec<OsString> {
    let mut words = flags::joined(rembg::translated(words, &command()));
    if words.get(1).is_some_and(|word| means_removal(word)) {
        words.insert(1, "remove".into());
    }
    words
}

fn means_removal(word: &OsStr) -> bool {
    let (command, path) = (command(), Path::new(word));
    let is_command = word == "help" || command.get_subcommands().any(|known| word == known.get_name());
    let is_flag = word.as_encoded_bytes().starts_with(b"-") && !ABOUT_ALL.iter().any(|flag| word == *flag);
    !is_command && (is_flag || is_named_as_picture(path) || path.exists())
}

/// The flags that no command need precede.
const ABOUT_ALL: [&str; 4] = ["-h", "--help", "-V", "--version"];

pub(crate) fn command() -> Command {
    Command::new("remrembg")
        .version(env!("CARGO_PKG_VERSION"))
        .about("Removes the background of pictures, wholly on this machine")
        .after_help(format!("{SHORT}\n\n{AS_REMBG}\n\n{EXIT}"))
        .args_override_self(true)
        .subcommand_required(true)
        .arg_required_else_help(true)
        .subcommands([remove(), frames::command(), serve::serve(), serve::health()])
        .subcommands(accounts::commands())
        .subcommands([models(), engine(), completions(), man()])
}

fn remove() -> Command {
    Command::new("remove")
        .about("Cut the subject out of pictures")
        .long_about(REMOVE)
        .after_help(EXIT)
        .args_override_self(true)
        .arg(inputs())
        .arg(path("out", "OUT").short('o').long("out").visible_alias("output").help(short(OUT)).long_help(OUT))
        .arg(
            Arg::new("name")
                .long("name")
                .value_name("PATTERN")
                .value_parser(Pattern::read)
                .help("Names results by this pattern, in which {stem} and {suffix} stand for the picture's")
                .long_help(
                    "Names results by this pattern, in which {stem} stands for the picture's name without its suffix and \
                     {suffix} for that suffix; the format's suffix is added. With '{stem}-{suffix}', a.jpg and a.png \
                     become a-jpg.webp and a-png.webp.",
                ),
        )
        .arg(switch("watch", short(WATCH)).long_help(WATCH))
        .args(flags::flags())
        .arg(path("mask-from", "MASK").long("mask-from").help(short(MASK)).long_help(MASK).help_heading(flags::HEADING))
        .args(running())
        .arg(jobs())
        .arg(switch("skip-existing", "Leave results that are there already, and do the others"))
        .arg(switch("delete-input", short(DELETE)).long_help(DELETE))
        .arg(fetching())
        .arg(extras())
        .args(telling())
        .arg(
            switch("stats", "Print sizes, the time of each stage, the model and the engine")
                .conflicts_with_all(["json", "quiet"]),
        )
}

fn inputs() -> Arg {
    Arg::new("input")
        .value_name("INPUT")
        .help("Pictures, folders of pictures, pipes, or - for standard input")
        .value_parser(value_parser!(PathBuf))
        .value_hint(ValueHint::AnyPath)
        .num_args(1..)
        .required(true)
}

fn models() -> Command {
    let dir = || {
        path("dir", "FOLDER")
            .long("dir")
            .value_hint(ValueHint::DirPath)
            .help("The folder of models [default: see `remrembg models path`]")
    };
    let json = || switch("json", "Print one JSON object a line");
    let list = Command::new("list").about("List the models there are").arg(dir()).arg(json());
    let fetch = Command::new("fetch")
        .about("Fetch models; a fetch that broke off goes on where it ended")
        .arg(Arg::new("name").value_name("NAME").num_args(1..).required(true).help("Names from `remrembg models list`"))
        .arg(
            Arg::new("mirror")
                .long("mirror")
                .value_name("URL")
                .value_hint(ValueHint::Url)
                .help("Fetch from here instead of rembg's releases; the file's name is added"),
        )
        .arg(dir())
        .args(telling());
    let path = Command::new("path")
        .about("Print the folder of fetched models, or the file of one that is on this machine")
        .arg(Arg::new("name").value_name("NAME").help("A name from `remrembg models list`"))
        .arg(dir());
    Command::new("models")
        .about("List models, fetch them, and tell where they are")
        .subcommand_required(true)
        .arg_required_else_help(true)
        .subcommands([list, fetch, path])
}

fn engine() -> Command {
    Command::new("engine")
        .about("Load the model and tell what runs it")
        .args_override_self(true)
        .args(running())
        .arg(switch("json", "Print one JSON object"))
}

fn completions() -> Command {
    let shell = Arg::new("shell").value_name("SHELL").required(true).value_parser(value_parser!(Shell));
    Command::new("completions").about("Print completions for a shell").arg(shell.help("The shell"))
}

fn man() -> Command {
    Command::new("man").about("Print the manual page")
}
