//! The shell examples of the documentation, run as they stand.

use std::process::{Command, Stdio};

use crate::bench::{Bench, finished};

/// The commands of the documentation that call remrembg.
fn examples() -> Vec<&'static str> {
    let texts = [include_str!("../../../README.md"), include_str!("../../../docs/command-line.md")];
    let blocks = texts.iter().flat_map(|text| text.split("```sh\n").skip(1).filter_map(|rest| rest.split_once("```")));
    blocks.flat_map(|(block, _)| block.lines()).filter(|line| line.contains("remrembg ")).collect()
}

#[test]
#[cfg(unix)]
fn the_documentations_commands_make_what_they_say() {
    let bench = Bench::new(&["photo.jpg", "photos/a.png", "photos/more/b.jpg"]);
    bench.put("frames.raw", &vec![9; 2 * 64 * 48 * 3]);
    let binary = std::path::Path::new(env!("CARGO_BIN_EXE_remrembg"));
    let folder = binary.parent().expect("the binary is in a folder").display();
    let path = format!("{folder}:{}", std::env::var("PATH").unwrap_or_default());
    let examples = examples();
    assert!(examples.len() >= 5, "{examples:?}");
    for example in examples {
        // Other programs stand before a pipe, and what they would write is here.
        let example =
            example.find("| remrembg ").map_or(example.to_owned(), |at| format!("cat frames.raw {}", &example[at..]));
        let mut shell = Command::new("sh");
        shell.args(["-ec", &example]).current_dir(bench.path("")).env("PATH", &path);
        let ran = finished(shell.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().expect("there is a shell"));
        assert_eq!(ran.status, Some(0), "{example}: {}", ran.stderr);
    }
    assert_eq!(bench.open("mask.png").color(), image::ColorType::L8);
    assert_eq!(bench.open("small.jpg").width(), 300);
    assert!(bench.open("cutout.png").color().has_alpha() && bench.open("cutout.webp").color().has_alpha());
    for name in ["best.png", "one.png", "hair.png", "again.png", "as-rembg.png"] {
        assert!(bench.open(name).into_rgba8().get_pixel(30, 20).0[3] > 240, "{name}");
    }
    assert!(bench.has("frames/000.png") && bench.has("frames/001.png"));
    assert!(bench.has("cutouts/a.png") && bench.has("cutouts/more/b.png"));
}
