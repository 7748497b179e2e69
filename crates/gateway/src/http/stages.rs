//! Where the time of a command goes.
//!
//! ```text
//! gateway   read, authenticate, limit, answer: what the other stages are not
//! queue     until the partition began the batch that answers
//! match     until all of that batch was applied
//! journal   until it was durable
//! reply     until the request went on with its answer
//! ```
//!
//! They are counted for every command, and told to whoever asks with the header `X-Outcry-Timing`. The durations
//! are of the batch that answers: what other entries of it took is among them, and what a command did in
//! other partitions before counts as queue.

use std::cell::Cell;
use std::fmt::Write;
use std::time::{Duration, Instant};

use axum::http::{HeaderName, HeaderValue};
use node::BatchTimes;

use super::metrics::{Histogram, header};

/// Asks for the stages.
pub(super) const ASKS: HeaderName = HeaderName::from_static("x-outcry-timing");
/// Has them.
pub(super) const TELLS: HeaderName = HeaderName::from_static("server-timing");

/// The stages of a command, in their order; what is left of a request is the gateway's.
const NAMES: [&str; 4] = ["queue", "match", "journal", "reply"];

/// How long each stage of a command took.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Stages([Duration; NAMES.len()]);

tokio::task_local! {
    /// Those of the request that this task serves, once it has sent commands.
    static OF_REQUEST: Cell<Option<Stages>>;
}

impl Stages {
    /// Of a command that was `submitted`, and whose request went on at `woken`.
    pub(crate) fn of(submitted: Instant, batch: &BatchTimes, woken: Instant) -> Self {
        // It may have come while its batch was being formed.
        let taken = batch.begun.max(submitted);
        let reached = [submitted, taken, batch.applied, batch.durable, woken];
        Self(std::array::from_fn(|at| reached[at + 1].saturating_duration_since(reached[at])))
    }

    /// Adds these to the request that this task serves, if it serves one.
    pub(crate) fn note(self) {
        let _ = OF_REQUEST.try_with(|noted| {
            let Self(before) = noted.get().unwrap_or_default();
            noted.set(Some(Self(std::array::from_fn(|at| before[at] + self.0[at]))));
        });
    }

    /// What the gateway took of a request.
    pub(super) fn rest_of(self, took: Duration) -> Duration {
        took.saturating_sub(self.0.iter().sum())
    }

    /// As the value of `Server-Timing`, in milliseconds.
    pub(super) fn server_timing(self, gateway: Duration) -> Option<HeaderValue> {
        let millis = |duration: Duration| duration.as_secs_f64() * 1e3;
        let mut text = format!("gateway;dur={:.3}", millis(gateway));
        for (name, duration) in NAMES.into_iter().zip(self.0) {
            let _ = write!(text, ", {name};dur={:.3}", millis(duration));
        }
        HeaderValue::try_from(text).ok()
    }
}

/// Serves a request, and gives the stages of its commands with what it answers.
pub(super) async fn noting<T>(request: impl Future<Output = T>) -> (T, Option<Stages>) {
    let all = async {
        let answer = request.await;
        (answer, OF_REQUEST.with(Cell::get))
    };
    OF_REQUEST.scope(Cell::new(None), all).await
}

/// How long commands took, by stage.
#[derive(Default)]
pub(crate) struct StageMetrics {
    gateway: Histogram,
    stages: [Histogram; NAMES.len()],
}

impl StageMetrics {
    /// A command was answered.
    pub(crate) fn answered(&self, stages: Stages) {
        for (histogram, duration) in self.stages.iter().zip(stages.0) {
            histogram.observe(duration);
        }
    }

    /// A request with commands was answered.
    pub(super) fn served(&self, gateway: Duration) {
        self.gateway.observe(gateway);
    }

    /// Appends the figures.
    pub(super) fn render(&self, out: &mut String) {
        let name = "exchange_stage_seconds";
        header(out, name, "histogram", "Where the time of commands goes, by stage.");
        self.gateway.render(name, "stage=\"gateway\"", out);
        for (stage, histogram) in NAMES.into_iter().zip(&self.stages) {
            histogram.render(name, &format!("stage=\"{stage}\""), out);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const MILLI: Duration = Duration::from_millis(1);

    #[test]
    fn stages_sum_up_to_what_a_command_took() {
        let start = Instant::now();
        let batch = BatchTimes {
            begun: start + 2 * MILLI,
            applied: start + 3 * MILLI,
            durable: start + 7 * MILLI,
        };
        let early = Stages::of(start, &batch, start + 15 * MILLI);
        assert_eq!(early.0, [2 * MILLI, MILLI, 4 * MILLI, 8 * MILLI]);
        let late = Stages::of(start + 5 * MILLI / 2, &batch, start + 15 * MILLI);
        assert_eq!(late.0[..2], [Duration::ZERO, MILLI / 2]);
        assert_eq!(early.rest_of(20 * MILLI), 5 * MILLI);
        let told = early.server_timing(5 * MILLI).unwrap();
        let expected = "gateway;dur=5.000, queue;dur=2.000, match;dur=1.000, journal;dur=4.000, reply;dur=8.000";
        assert_eq!(told, expected);
    }

    #[tokio::test]
    async fn the_commands_of_a_request_are_added_up_and_outside_of_one_nothing_is_noted() {
        let one = Stages([MILLI; 4]);
        one.note();
        let serve = async {
            one.note();
            one.note();
            7
        };
        let (answer, noted) = noting(serve).await;
        assert_eq!((answer, noted), (7, Some(Stages([2 * MILLI; 4]))));
        assert_eq!(noting(async {}).await.1, None);
    }
}
