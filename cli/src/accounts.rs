//! `remrembg users`, `keys`, `tokens` and `usage`: the accounts that `serve --data` or `--redis` lets in.

use std::path::PathBuf;

use clap::{Arg, ArgAction, ArgGroup, ArgMatches, Command, ValueHint, value_parser};
use remrembg::{Code, Error};
use remrembg_server::accounts::{
    Change, Counted, Credential, Period, Place, Query, Report, Store, Trouble, Url, User, Via, now, open,
};
use serde::Serialize;
use serde_json::json;

use crate::failure::Failure;
use crate::settings::or_variable;
use crate::terminal;

const USERS: &str = "\
Manages who may remove backgrounds through the HTTP service, and how many: the users in the folder, or \
the Redis, that `remrembg serve` has too, also while it runs.

A user removes as many backgrounds as its plan includes in each period, then as many as it paid for beyond. A period \
is the calendar month in UTC, or the billing period where one was set.";

const SHOWN_ONCE: &str = "It is shown this once; only its digest is kept.";

pub(crate) fn commands() -> [Command; 4] {
    [users(), keys(), tokens(), usage()]
}

fn users() -> Command {
    let add = command("add", "Add a user: with the plan Free and no credits, where nothing else is said")
        .arg(name())
        .args(properties().map(|arg| if arg.get_id() == "email" { arg.required(true) } else { arg }))
        .arg(flag("unverified", "The address was not shown to be the user's: it may not remove backgrounds"));
    let verified = flag("verified", "The address was shown to be the user's").conflicts_with("unverified");
    let more = Arg::new("add-prepaid")
        .long("add-prepaid")
        .value_name("N")
        .value_parser(value_parser!(i64).range(0..))
        .help("Removals to add to the prepaid ones");
    let set = command("set", "Change a user; what is not named stays")
        .arg(name())
        .args(properties())
        .args([verified, flag("unverified", "The address was not shown to be the user's")])
        .arg(more);
    Command::new("users")
        .about("Manage the users of the HTTP service")
        .long_about(USERS)
        .subcommand_required(true)
        .subcommands([add, command("list", "List the users"), set])
        .subcommand(command("remove", "Remove a user with its keys, tokens and counters").arg(name()))
}

fn keys() -> Command {
    let label = Arg::new("label").long("label").value_name("LABEL").default_value("").help("What it is for");
    let create = command("create", "Make a key and print it").long_about(SHOWN_ONCE).arg(name()).arg(label);
    let list = command("list", "List the keys, without their secrets").arg(name().required(false));
    let revoke = command("revoke", "End a key").arg(id());
    Command::new("keys").about("Manage API keys").subcommand_required(true).subcommands([create, list, revoke])
}

fn tokens() -> Command {
    let create = command("create", "Make a user token and print it").long_about(SHOWN_ONCE).arg(name());
    let list = command("list", "List the tokens, without their secrets").arg(name().required(false));
    let revoke = command("revoke", "End a token").arg(id());
    Command::new("tokens")
        .about("Manage user tokens, whose use counts as that of an app")
        .subcommand_required(true)
        .subcommands([create, list, revoke])
}

fn usage() -> Command {
    command("usage", "Show the credits of a user and their use").arg(name())
}

fn command(name: &'static str, about: &'static str) -> Command {
    let data = Arg::new("data")
        .long("data")
        .value_name("FOLDER")
        .value_parser(value_parser!(PathBuf))
        .value_hint(ValueHint::DirPath)
        .help("The folder of the accounts");
    let redis = Arg::new("redis")
        .long("redis")
        .value_name("URL")
        .hide_env_values(true)
        .help("The Redis of the accounts, as redis://127.0.0.1:6379/0");
    let place = ArgGroup::new("place").args(["data", "redis"]).required(true);
    let json = flag("json", "Print one JSON object a line");
    Command::new(name)
        .about(about)
        .args([or_variable(data, "REMREMBG_DATA"), or_variable(redis, "REMREMBG_REDIS")])
        .group(place)
        .arg(json)
}

fn flag(name: &'static str, help: &'static str) -> Arg {
    Arg::new(name).long(name).action(ArgAction::SetTrue).help(help)
}

fn name() -> Arg {
    Arg::new("user").value_name("USER").required(true).help("The name of the user")
}

fn id() -> Arg {
    Arg::new("id").value_name("ID").required(true).help("As `list` shows it")
}

fn properties() -> [Arg; 7] {
    let text = |name: &'static str, value: &'static str| Arg::new(name).long(name).value_name(value);
    let number =
        |name: &'static str, value: &'static str| text(name, value).value_parser(value_parser!(i64).range(0..));
    [
        text("email", "ADDRESS").help("The e-mail address"),
        text("plan", "NAME").help("The name of the plan, as Premium-20000"),
        number("credits", "N").help("Removals that each period includes"),
        number("prepaid", "N").help("Removals that were paid for beyond those"),
        number("period-start", "SECONDS").help("Unix time at which the billing period begins").requires("period-end"),
        number("period-end", "SECONDS").help("Unix time of its last second").requires("period-start"),
        text("stripe-customer", "ID").help("The customer at Stripe whose events move period, plan and credits"),
    ]
}

impl From<Trouble> for Failure {
    fn from(trouble: Trouble) -> Self {
        match trouble {
            Trouble::Failed(_) => Self::from(Error::with_message(Code::CannotWrite, trouble.to_string())),
            _ => Self::usage(trouble.to_string()),
        }
    }
}

/// Runs one of [`commands`].
pub(crate) fn run(name: &str, matches: &ArgMatches) -> Result<u8, Failure> {
    let (action, matches) = matches.subcommand().unwrap_or(("", matches));
    let place = match matches.get_one::<String>("redis") {
        Some(url) => Place::Redis(Url::new(url).map_err(|trouble| Failure::usage(format!("--redis {trouble}")))?),
        None => Place::Folder(matches.get_one::<PathBuf>("data").cloned().unwrap_or_default()),
    };
    let mut store = open(&place)?;
    let store = &mut *store;
    let text = match name {
        "users" => on_users(store, action, matches)?,
        "keys" => on_credentials(store, Via::Api, action, matches)?,
        "tokens" => on_credentials(store, Via::App, action, matches)?,
        _ => on_usage(store, matches)?,
    };
    terminal::print(&text).map(|()| 0)
}

fn text(matches: &ArgMatches, name: &str) -> Option<String> {
    matches.try_get_one::<String>(name).ok().flatten().cloned()
}

fn change(matches: &ArgMatches) -> Change {
    let number = |name: &str| matches.get_one::<i64>(name).copied();
    let on = |name: &str| matches.try_get_one::<bool>(name).ok().flatten() == Some(&true);
    let period = number("period-start").zip(number("period-end"));
    Change {
        email: text(matches, "email"),
        is_verified: if on("unverified") { Some(false) } else { on("verified").then_some(true) },
        plan: text(matches, "plan"),
        included: number("credits"),
        prepaid: number("prepaid"),
        more_prepaid: matches.try_get_one::<i64>("add-prepaid").ok().flatten().copied().unwrap_or(0),
        period: period.map(|(start, end)| Period { start, end }),
        customer: text(matches, "stripe-customer"),
    }
}

fn on_users(store: &mut dyn Store, action: &str, matches: &ArgMatches) -> Result<String, Failure> {
    let name = text(matches, "user").unwrap_or_default();
    match action {
        "add" => {
            let Change { email, is_verified, plan, included, prepaid, period, customer, .. } = change(matches);
            let user = User {
                name,
                email: email.unwrap_or_default(),
                is_verified: is_verified.unwrap_or(true),
                plan: plan.unwrap_or_else(|| "Free".to_owned()),
                included: included.unwrap_or(0),
                prepaid: prepaid.unwrap_or(0),
                period,
                customer,
            };
            store.add_user(&user)?;
            Ok(told(matches, &user, format!("Added '{}'.\n", user.name)))
        }
        "set" => {
            let user = store.set_user(&name, change(matches))?;
            Ok(told(matches, &user, format!("Changed '{}'.\n", user.name)))
        }
        "remove" => {
            store.remove_user(&name)?;
            Ok(told(matches, &json!({"removed": name}), format!("Removed '{name}'.\n")))
        }
        _ => {
            let head = ["NAME", "E-MAIL", "VERIFIED", "PLAN", "CREDITS", "PREPAID"];
            let row = |user: &User| {
                let verified = if user.is_verified { "yes" } else { "no" };
                let [credits, prepaid] = [user.included, user.prepaid].map(|number| number.to_string());
                [&*user.name, &user.email, verified, &user.plan, &credits, &prepaid].map(str::to_owned)
            };
            listed(matches, &store.users()?, head, row)
        }
    }
}

fn on_credentials(store: &mut dyn Store, via: Via, action: &str, matches: &ArgMatches) -> Result<String, Failure> {
    match action {
        "create" => {
            let (user, label) = (text(matches, "user").unwrap_or_default(), text(matches, "label").unwrap_or_default());
            let (secret, Credential { id, .. }) = store.create(&user, via, &label, now())?;
            let shown = json!({"id": id, "user": user, "label": label, "secret": secret.text()});
            Ok(told(matches, &shown, format!("{}\n", secret.text())))
        }
        "revoke" => {
            let id = text(matches, "id").unwrap_or_default();
            store.revoke(via, &id)?;
            Ok(told(matches, &json!({"revoked": id}), format!("Revoked '{id}'.\n")))
        }
        _ => {
            let head = ["ID", "USER", "LABEL", "CREATED", "LAST USED"];
            let row = |credential: &Credential| {
                let used = credential.last_used.map_or("never".to_owned(), |time| time.to_string());
                let Credential { id, user, label, created, .. } = credential.clone();
                [id, user, label, created.to_string(), used]
            };
            listed(matches, &store.credentials(via, text(matches, "user").as_deref())?, head, row)
        }
    }
}

fn on_usage(store: &mut dyn Store, matches: &ArgMatches) -> Result<String, Failure> {
    let query = Query::Counters { of: Counted::Month { year: None, month: None }, with_cycle: true };
    let report = store.report(&text(matches, "user").unwrap_or_default(), &query, now())?;
    let Report::Counters { membership, credits, prepaid, app_usage, api_usage, cycle: Some(balance) } = &report else {
        return Ok(String::new());
    };
    let kind = if balance.stripe_billing_synced { "billing period" } else { "calendar month" };
    let (period, left) = (balance.cycle.period, balance.remaining_included_credits);
    let lines = [
        format!("{membership}: {credits} credits a period, {prepaid} prepaid"),
        format!("This month: {app_usage} by apps, {api_usage} by keys"),
        format!(
            "The {kind} from {} to {}: {} by apps, {} by keys, {left} left",
            period.start, period.end, balance.cycle.app, balance.cycle.api
        ),
    ];
    Ok(told(matches, &report, lines.join("\n") + "\n"))
}

fn told(matches: &ArgMatches, shown: &impl Serialize, words: String) -> String {
    if matches.get_flag("json") { line(shown) } else { words }
}

fn line(shown: &impl Serialize) -> String {
    serde_json::to_string(shown).unwrap_or_default() + "\n"
}

fn listed<T: Serialize, const N: usize>(
    matches: &ArgMatches,
    all: &[T],
    head: [&str; N],
    row: impl Fn(&T) -> [String; N],
) -> Result<String, Failure> {
    if matches.get_flag("json") {
        return Ok(all.iter().map(line).collect());
    }
    Ok(terminal::table(head, all.iter().map(row)))
}
