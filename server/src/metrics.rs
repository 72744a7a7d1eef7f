//! What Prometheus reads: requests, stages, errors, queue and memory.

use std::time::Duration;

use prometheus_client::encoding::{EncodeLabelSet, text};
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::metrics::histogram::Histogram;
use prometheus_client::registry::{Registry, Unit};
use remrembg::Stage;

use crate::error::Told;
use crate::jobs::Jobs;
use crate::transfers::Transfers;

/// Bounds in seconds: a removal takes tenths of a second, matting or a long queue half a minute.
const BUCKETS: [f64; 12] = [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0];

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct Answer {
    route: String,
    status: u16,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct Problem {
    error: &'static str,
    kind: &'static str,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct Part {
    stage: &'static str,
}

pub(crate) struct Metrics {
    registry: Registry,
    answers: Family<Answer, Counter>,
    errors: Family<Problem, Counter>,
    seconds: Histogram,
    stages: Family<Part, Histogram>,
    running: Gauge,
    waiting: Gauge,
    charged: Gauge,
    transfers: Gauge,
    connections: Gauge,
}

fn histogram() -> Histogram {
    Histogram::new(BUCKETS)
}

impl Metrics {
    pub(crate) fn new() -> Self {
        let mut registry = Registry::with_prefix("remrembg");
        let (answers, errors, seconds) = (Family::default(), Family::default(), histogram());
        let stages = Family::new_with_constructor(histogram as fn() -> Histogram);
        let [running, waiting, charged, transfers, connections] = std::array::from_fn(|_| Gauge::default());
        registry.register("requests", "Requests by route and status", Family::clone(&answers));
        registry.register("errors", "Answers that are no success, by error and kind", Family::clone(&errors));
        registry.register_with_unit("removal", "Whole removals, waiting included", Unit::Seconds, seconds.clone());
        registry.register_with_unit("stage", "Stages of removals", Unit::Seconds, Family::clone(&stages));
        registry.register("removals_running", "Removals that run", Gauge::clone(&running));
        registry.register("removals_waiting", "Removals that wait for their turn", Gauge::clone(&waiting));
        let help = "Memory that running removals are charged";
        registry.register_with_unit("memory_charged", help, Unit::Bytes, Gauge::clone(&charged));
        registry.register_with_unit(
            "transfers",
            "Memory of uploads and answers under way",
            Unit::Bytes,
            Gauge::clone(&transfers),
        );
        registry.register("connections", "Open connections", Gauge::clone(&connections));
        Self { registry, answers, errors, seconds, stages, running, waiting, charged, transfers, connections }
    }

    pub(crate) fn answered(&self, route: &str, status: u16, told: Option<&Told>) {
        self.answers.get_or_create(&Answer { route: route.to_owned(), status }).inc();
        if let Some(&Told { name: error, kind, .. }) = told {
            self.errors.get_or_create(&Problem { error, kind }).inc();
        }
    }

    pub(crate) fn removed(&self, whole: Duration, stages: &[(Stage, Duration)]) {
        self.seconds.observe(whole.as_secs_f64());
        for (stage, time) in stages {
            self.stages.get_or_create(&Part { stage: stage.name() }).observe(time.as_secs_f64());
        }
    }

    pub(crate) fn connections(&self) -> &Gauge {
        &self.connections
    }

    /// The text that Prometheus reads.
    pub(crate) fn render(&self, jobs: &Jobs, transfers: &Transfers) -> String {
        let (running, waiting) = jobs.load();
        self.running.set(running as i64);
        self.waiting.set(waiting as i64);
        self.charged.set(i64::try_from(jobs.remover().load().bytes).unwrap_or(i64::MAX));
        self.transfers.set(i64::try_from(transfers.taken()).unwrap_or(i64::MAX));
        let mut page = String::new();
        // Writing to memory does not fail.
        let _ = text::encode(&mut page, &self.registry);
        page
    }
}
