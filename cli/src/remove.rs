//! `remrembg remove`: reads the order, plans it and has it done.

use std::collections::HashMap;

use clap::ArgMatches;
use remrembg::Options;

use crate::failure::Failure;
use crate::order::Order;
use crate::report::{Report, Voice};
use crate::shop::Shop;
use crate::stop::Stop;
use crate::{Host, models, watch};

pub(crate) fn run(matches: &ArgMatches, host: &Host, voice: Voice) -> Result<u8, Failure> {
    let order = Order::read(matches, host, voice)?;
    let options = match Options::from_pairs(order.pairs()) {
        Ok(options) => options,
        Err(refusal) => return order.refuse(refusal),
    };
    let watched = matches.get_flag("watch");
    watched.then(|| order.check_watch()).transpose()?;
    let mut plan = order.plan(&options, &HashMap::new());
    if plan.tasks.is_empty() && plan.unread.is_empty() && plan.done == 0 && !watched {
        let first = plan.clashes.drain(..).next();
        return Err(first.map_or_else(|| nothing_to_do(plan.passed_over), |(_, failure)| failure));
    }
    if (watched || !plan.tasks.is_empty())
        && let Some(status) = models::fetch_first(matches, voice)?
    {
        return Ok(status);
    }
    let report = Report::new(voice, (!watched).then_some(plan.tasks.len()));
    // Signals are listened to afterwards: one that comes while input is waited
    // for ends the process.
    let (tasks, streams) = order.read_streams(std::mem::take(&mut plan.tasks), &report);
    let stop = Stop::listen();
    let shop = Shop::new(&order, &options, streams, &stop, &report);
    let clashes = plan.clashes.iter().map(|(task, failure)| (&task.input, failure));
    let troubles = clashes.chain(plan.unread.iter().map(|(folder, failure)| (folder, failure)));
    troubles.filter(|_| !watched).for_each(|(path, failure)| report.failed(path, failure));
    let worked = if watched { watch::run(&order, &shop) } else { shop.work(&tasks) };
    report.finish();
    if plan.passed_over > 0 && !watched {
        report.say(&passed_over(plan.passed_over));
    }
    if plan.linked > 0 && !watched {
        let folders =
            if plan.linked == 1 { "1 linked folder was" } else { &format!("{} linked folders were", plan.linked) };
        report.say(&format!("{folders} passed over"));
    }
    if plan.done > 0 && !watched {
        let results = if plan.done == 1 { "1 result was" } else { &format!("{} results were", plan.done) };
        report.say(&format!("{results} there already"));
    }
    worked?;
    Ok(stop.status().unwrap_or_else(|| report.status()))
}

fn nothing_to_do(passed_over: usize) -> Failure {
    let others = (passed_over > 0).then(|| format!(". {}", self::passed_over(passed_over)));
    Failure::usage(format!("No pictures found{}", others.unwrap_or_default()))
}

fn passed_over(count: usize) -> String {
    let files = if count == 1 { "1 file was" } else { &format!("{count} files were") };
    format!("{files} passed over: no name of a picture, or an earlier result")
}
