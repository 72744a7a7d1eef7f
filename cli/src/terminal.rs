//! Standard streams that may be closed, full or a terminal.

use std::io::{self, IsTerminal, Write};

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};

use crate::failure::Failure;

/// Writes text to standard output. A reader that has gone had enough of it.
pub(crate) fn print(text: &str) -> Result<(), Failure> {
    printed(put(text.as_bytes()))
}

/// As [`print`], when the writing itself is done elsewhere.
pub(crate) fn printed(written: io::Result<()>) -> Result<(), Failure> {
    match written.map_err(Failure::stdout) {
        Err(Failure::ReaderGone) => Ok(()),
        written => written,
    }
}

/// Lines of cells in columns, with a head.
pub(crate) fn table<const N: usize>(head: [&str; N], rows: impl Iterator<Item = [String; N]>) -> String {
    let lines: Vec<_> = std::iter::once(head.map(str::to_owned)).chain(rows).collect();
    let widths: [usize; N] =
        std::array::from_fn(|column| lines.iter().map(|cells| cells[column].chars().count()).max().unwrap_or(0));
    let line = |cells: &[String; N]| -> String {
        let padded: Vec<_> = cells.iter().zip(&widths).map(|(cell, &width)| format!("{cell:width$}")).collect();
        padded.join("  ").trim_end().to_owned() + "\n"
    };
    lines.iter().map(line).collect()
}

/// Writes bytes to standard output; all of them matter.
pub(crate) fn write(bytes: &[u8]) -> Result<(), Failure> {
    put(bytes).map_err(Failure::stdout)
}

fn put(bytes: &[u8]) -> io::Result<()> {
    let mut out = io::stdout().lock();
    out.write_all(bytes)?;
    out.flush()
}

/// Whether pictures may go to standard output.
pub(crate) fn check_stdout(json: bool) -> Result<(), Failure> {
    if json {
        return Err(Failure::usage("A picture on standard output leaves no room for --json. Give a file with -o"));
    }
    if io::stdout().is_terminal() {
        return Err(Failure::usage("Standard output is a terminal. Give a file with -o, or redirect it"));
    }
    Ok(())
}

/// Writes a line to standard error, above `bar` where there is one.
pub(crate) fn note(bar: Option<&ProgressBar>, line: &str) {
    let write = || {
        // Nobody is left to tell when standard error is closed.
        let _ = writeln!(io::stderr().lock(), "{line}");
    };
    match bar {
        Some(bar) => bar.suspend(write),
        None => write(),
    }
}

/// A bar on standard error; none where that is no terminal.
pub(crate) fn bar(length: u64, template: &str) -> Option<ProgressBar> {
    if !io::stderr().is_terminal() {
        return None;
    }
    let bar = ProgressBar::with_draw_target(Some(length), ProgressDrawTarget::stderr());
    Some(bar.with_style(ProgressStyle::with_template(template).unwrap_or_else(|_| ProgressStyle::default_bar())))
}
