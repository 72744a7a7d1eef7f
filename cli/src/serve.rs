//! The HTTP service: its flags, which are those of the tables, and its start and end.

use std::fs;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use clap::{Arg, ArgMatches, Command, ValueHint, value_parser};
use remrembg::{Code, Error, Remover};
use remrembg_server::settings::{MEMORY, SPECS, from_toml, read};

use crate::Host;
use crate::failure::{FAILED, Failure};
use crate::settings;
use crate::stop::Stop;
use crate::terminal;

const SERVE: &str = "\
Answers the requests that the hosted API answers, on this machine: POST /rmbg, a page at / for people, and a reference \
at /api/docs.

Each setting is a flag, an environment variable, or a line of the file that --config names (TOML: queue = 64); a flag \
counts before a variable, and that before the file. SIGINT or SIGTERM ends the service once what it accepted is answered.";

const AS_S: &str = "\
As s, which takes the words of rembg's command (--port, --host, --log_level, --threads, --no-ui): it listens on 0.0.0.0:7000, lets \
everyone in and the pages of every site, and answers rembg's own requests too, unless flags, environment or file say otherwise.";

const HEALTH: &str = "\
Asks a running service whether it takes requests, for the checks of containers and supervisors.

Exit status: 0 when it does, 1 when it does not or nobody answers.";

/// How long the answer to a health check may take.
const PATIENCE: Duration = Duration::from_secs(5);

pub(crate) fn serve() -> Command {
    let config = Arg::new("config")
        .long("config")
        .value_name("FILE")
        .value_parser(value_parser!(PathBuf))
        .value_hint(ValueHint::FilePath)
        .help("A file of settings");
    Command::new("serve")
        .about("Answer HTTP requests as the hosted API does")
        .long_about(SERVE)
        .after_help(AS_S)
        .args_override_self(true)
        .arg(settings::or_variable(config, "REMREMBG_CONFIG"))
        .args(SPECS.iter().map(|spec| settings::of(spec.key, spec.help, spec.range, spec.default)))
        .args(settings::flags(&[], &[("memory", MEMORY)]))
}

pub(crate) fn health() -> Command {
    let address =
        Arg::new("address").value_name("ADDRESS:PORT").default_value("127.0.0.1:7000").help("Where it listens");
    let address = settings::or_variable(address, "REMREMBG_LISTEN");
    Command::new("health").about("Ask a running service whether it takes requests").long_about(HEALTH).arg(address)
}

/// Serves until a signal comes.
pub(crate) fn run(matches: &ArgMatches, host: &Host) -> Result<u8, Failure> {
    let (settings, mut config) = read(&pairs(matches)?).map_err(|refused| Failure::usage(refused.to_string()))?;
    config.onnxruntime_hints.clone_from(&host.onnxruntime_hints);
    remrembg_server::log_to_stderr(settings.log);
    let stop = Stop::listen();
    let remover = Remover::new(config)?;
    let ready = |listening: remrembg_server::Listening| {
        // Whoever wanted to know where it listens may have gone.
        let _ = terminal::print(&format!("Listening on http://{}\n", listening.service));
    };
    let served = remrembg_server::run(Arc::new(remover), settings, || stop.token().is_cancelled(), ready);
    served.map_err(|error| Error::with_message(Code::CannotRead, error.to_string()).because(error))?;
    Ok(0)
}

/// What the file says, then what environment and flags say.
fn pairs(matches: &ArgMatches) -> Result<Vec<(String, String)>, Failure> {
    let mut pairs = Vec::new();
    if let Some(path) = matches.get_one::<PathBuf>("config") {
        let told = |why: &dyn std::fmt::Display| Failure::usage(format!("Cannot read '{}': {why}", path.display()));
        let text = fs::read_to_string(path).map_err(|error| told(&error))?;
        pairs = from_toml(&text).map_err(|error| told(&error))?;
    }
    let own = SPECS.iter().filter_map(|spec| Some((spec.key.to_owned(), matches.get_one::<String>(spec.key)?.clone())));
    pairs.extend(own.filter(|(_, text)| !text.is_empty()));
    for (key, value) in settings::pairs(matches) {
        let text = value.to_str().ok_or_else(|| Failure::usage(format!("'{key}' has to be text here")))?;
        pairs.push((key.to_owned(), text.to_owned()));
    }
    Ok(pairs)
}

/// Asks `/health/ready`, and nobody but the address.
pub(crate) fn check(matches: &ArgMatches) -> Result<u8, Failure> {
    let address = matches.get_one::<String>("address").map(String::as_str).unwrap_or_default();
    let agent: ureq::Agent = ureq::Agent::config_builder().timeout_global(Some(PATIENCE)).proxy(None).build().into();
    match agent.get(format!("http://{address}/health/ready")).call() {
        Ok(_) => terminal::print("ready\n").map(|()| 0),
        Err(error) => {
            terminal::note(None, &format!("{address} is not ready: {error}"));
            Ok(FAILED)
        }
    }
}
