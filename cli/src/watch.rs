//! `--watch`: looks through the folders again and again. Looking beats being
//! told: whether a picture has stopped changing can only be seen by looking
//! twice, and network drives and containers tell of nothing.

use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use crate::failure::Failure;
use crate::order::Order;
use crate::plan::{Plan, Task};
use crate::shop::Shop;
use crate::stamp::{Stamp, stamp};

/// Between two looks, and how long a picture has to stay the same.
const PAUSE: Duration = Duration::from_millis(500);

/// Looking takes at most one part in so many of the time.
const PAUSE_PER_LOOK: u32 = 20;

#[derive(Clone, Copy, PartialEq, Eq)]
struct Seen {
    stamp: Stamp,
    handled: bool,
}

/// How many pictures that are gone are remembered.
const MOST_GONE: usize = 100_000;

#[derive(Default)]
struct Watch {
    /// What the last look saw.
    seen: HashMap<PathBuf, Seen>,
    /// What earlier ones saw and handled: a network drive may be away for a while.
    gone: HashMap<PathBuf, Stamp>,
    /// Results, and the pictures that they are from: another of the same name does not replace one.
    results: HashMap<PathBuf, PathBuf>,
}

/// Does pictures as they come, until a stop.
pub(crate) fn run(order: &Order, shop: &Shop) -> Result<(), Failure> {
    let mut watch = Watch::default();
    watch.pass_over_finished(order.plan(shop.options, &watch.results).tasks);
    shop.report.say("Watching for pictures; Ctrl-C ends it");
    loop {
        let start = Instant::now();
        let plan = order.plan(shop.options, &watch.results);
        let pause = PAUSE.max(start.elapsed() * PAUSE_PER_LOOK);
        let (ready, troubles) = watch.look(plan);
        troubles.iter().for_each(|(path, failure)| shop.report.failed(path, failure));
        shop.work(&ready)?;
        if shop.report.is_pointless() || shop.stop.sleep(pause) {
            return Ok(());
        }
    }
}

impl Watch {
    fn pass_over_finished(&mut self, tasks: Vec<Task>) {
        for task in tasks.into_iter().filter(is_finished) {
            self.seen.insert(task.input.clone(), Seen { stamp: stamp(&task.input), handled: true });
            self.results.insert(task.output, task.input);
        }
    }

    /// Gives what has not changed since the last look and was not handled yet.
    fn look(&mut self, plan: Plan) -> (Vec<Task>, Vec<(PathBuf, Failure)>) {
        let mut now = HashMap::new();
        let mut is_ready = |path: &Path, task: Option<&Task>| self.is_ready(path, task, &mut now);
        let ready: Vec<_> = plan.tasks.into_iter().filter(|task| is_ready(&task.input, Some(task))).collect();
        let clashes = plan.clashes.into_iter().map(|(task, failure)| (task.input, failure));
        let troubles = clashes.chain(plan.unread).filter(|(path, _)| is_ready(path, None)).collect();
        now.keys().for_each(|path| _ = self.gone.remove(path));
        if self.gone.len() > MOST_GONE {
            self.gone.clear();
        }
        let before = std::mem::take(&mut self.seen).into_iter();
        let gone = before.filter(|(path, seen)| seen.handled && !now.contains_key(path));
        self.gone.extend(gone.map(|(path, seen)| (path, seen.stamp)));
        self.seen = now;
        self.results.extend(ready.iter().map(|task| (task.output.clone(), task.input.clone())));
        (ready, troubles)
    }

    fn is_ready(&self, path: &Path, task: Option<&Task>, now: &mut HashMap<PathBuf, Seen>) -> bool {
        let stamp = stamp(path);
        let before = self.seen.get(path).filter(|before| before.stamp == stamp);
        let is_back = self.gone.get(path) == Some(&stamp) && task.is_some_and(is_finished);
        now.insert(path.into(), Seen { stamp, handled: before.is_some() || is_back });
        before.is_some_and(|before| !before.handled)
    }
}

fn is_finished(task: &Task) -> bool {
    let time = |path: &Path| path.metadata().and_then(|data| data.modified()).ok();
    time(&task.output).zip(time(&task.input)).is_some_and(|(output, input)| output >= input)
}
