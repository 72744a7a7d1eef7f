//! What is made from the argument tree: completions and the manual page.

use clap::{ArgMatches, Command};
use clap_complete::Shell;
use clap_mangen::Man;

use crate::command;
use crate::failure::Failure;
use crate::terminal;

const NAME: &str = "remrembg";

pub(crate) fn completions(matches: &ArgMatches) -> Result<u8, Failure> {
    let mut script = Vec::new();
    if let Some(&shell) = matches.get_one::<Shell>("shell") {
        clap_complete::generate(shell, &mut command::command(), NAME, &mut script);
    }
    print(script)
}

/// One page for all: each command is a section of it.
pub(crate) fn man() -> Result<u8, Failure> {
    let mut command = command::command().disable_help_subcommand(true);
    command.build();
    let page = page(&command).map_err(Failure::stdout)?;
    print(page)
}

fn page(command: &Command) -> std::io::Result<Vec<u8>> {
    let mut page = Vec::new();
    let man = Man::new(command.clone());
    man.render_title(&mut page)?;
    man.render_name_section(&mut page)?;
    man.render_synopsis_section(&mut page)?;
    man.render_options_section(&mut page)?;
    for sub in command.get_subcommands() {
        add(sub, &mut page)?;
    }
    man.render_extra_section(&mut page)?;
    man.render_version_section(&mut page)?;
    Ok(page)
}

/// A command's own page, its sections one level down.
fn add(command: &Command, page: &mut Vec<u8>) -> std::io::Result<()> {
    let name = command.get_bin_name().unwrap_or(command.get_name()).to_uppercase();
    page.extend(format!(".SH \"{name}\"\n").bytes());
    let man = Man::new(command.clone());
    let mut own = Vec::new();
    man.render_synopsis_section(&mut own)?;
    man.render_description_section(&mut own)?;
    man.render_options_section(&mut own)?;
    page.extend(String::from_utf8_lossy(&own).replace(".SH ", ".SS ").bytes());
    command.get_subcommands().try_for_each(|sub| add(sub, page))
}

fn print(text: Vec<u8>) -> Result<u8, Failure> {
    terminal::print(&String::from_utf8_lossy(&text)).map(|()| 0)
}
