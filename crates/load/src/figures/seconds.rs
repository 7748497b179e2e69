//! The course of a run, second by second. Latencies are those of requests that were due in the second; a second is
//! closed when none of these can be under way any more, so that memory does not grow with their histograms.

use std::collections::VecDeque;
use std::time::Duration;

use hdrhistogram::Histogram;

use super::{End, histogram};
use crate::report::Second;
use crate::request::{CLASSES, Class};

/// A second whose requests may be under way.
struct Open {
    second: Second,
    latencies: [Histogram<u64>; CLASSES.len()],
}

/// All seconds of a run.
pub(crate) struct Seconds {
    closed: Vec<Second>,
    open: VecDeque<Open>,
}

impl Seconds {
    pub(crate) fn new() -> Self {
        Self { closed: Vec::new(), open: VecDeque::new() }
    }

    /// The second in which something happens, `at` after the begin. One that is closed takes nothing more.
    fn at(&mut self, at: Duration) -> Option<&mut Open> {
        let place = usize::try_from(at.as_secs()).ok()?.checked_sub(self.closed.len())?;
        while self.open.len() <= place {
            let t = self.closed.len() + self.open.len();
            self.open.push_back(Open {
                second: Second { t: t as u64, ..Second::default() },
                latencies: std::array::from_fn(|_| histogram()),
            });
        }
        self.open.get_mut(place)
    }

    /// A request came due, and was made so much later because the generator was busy.
    pub(crate) fn due(&mut self, at: Duration, late: Duration) {
        if let Some(open) = self.at(at) {
            open.second.due += 1;
            open.second.generator_late_ms = open.second.generator_late_ms.max(millis(late));
        }
    }

    /// A request that was due at one time ended at another.
    pub(crate) fn ended(&mut self, class: Class, end: &End, due: Duration, now: Duration) {
        if let Some(open) = self.at(due) {
            let took = now.saturating_sub(due).as_micros();
            if !matches!(end, End::Shed(_)) {
                open.latencies[class as usize]
                    .saturating_record(u64::try_from(took).unwrap_or(u64::MAX));
            }
        }
        if let Some(open) = self.at(now) {
            match end {
                End::Done | End::Refused(_) => open.second.answered += 1,
                End::Shed(_) => open.second.shed += 1,
                End::Failed(_) => open.second.failed += 1,
            }
        }
    }

    /// Lets something else be written down in a second.
    pub(crate) fn note(&mut self, at: Duration, write: impl FnOnce(&mut Second)) {
        if let Some(open) = self.at(at) {
            write(&mut open.second);
        }
    }

    /// Closes all seconds before this time.
    pub(crate) fn close_before(&mut self, at: Duration) {
        while self.closed.len() < at.as_secs() as usize
            && let Some(open) = self.open.pop_front()
        {
            self.closed.push(closed(&open));
        }
    }

    /// All, the last ones as far as they are.
    pub(crate) fn all(&self) -> Vec<Second> {
        self.closed.iter().cloned().chain(self.open.iter().map(closed)).collect()
    }

    /// The last whole second, as far as it is: for whoever watches.
    pub(crate) fn last_whole(&self) -> Option<Second> {
        self.open.len().checked_sub(2).and_then(|at| self.open.get(at)).map(closed)
    }
}

fn closed(open: &Open) -> Second {
    let [place, cancel, read] = &open.latencies;
    let at = |histogram: &Histogram<u64>, quantile| {
        (!histogram.is_empty()).then(|| histogram.value_at_quantile(quantile) as f64 / 1e3)
    };
    Second {
        place_p50_ms: at(place, 0.5),
        place_p99_ms: at(place, 0.99),
        place_p999_ms: at(place, 0.999),
        cancel_p99_ms: at(cancel, 0.99),
        read_p99_ms: at(read, 0.99),
        ..open.second.clone()
    }
}

fn millis(duration: Duration) -> f64 {
    duration.as_secs_f64() * 1e3
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::Seconds;
    use crate::figures::End;
    use crate::request::Class;

    #[test]
    fn latency_stands_in_the_second_in_which_a_request_was_due_throughput_where_it_was_answered() {
        let mut seconds = Seconds::new();
        let at = Duration::from_millis;
        seconds.due(at(500), at(1));
        seconds.ended(Class::Place, &End::Done, at(500), at(2_500));
        seconds.close_before(at(2_000));
        // Too late for the closed second, but not forgotten.
        seconds.ended(Class::Place, &End::Failed("x".to_owned()), at(500), at(2_900));
        let all = seconds.all();
        assert_eq!(all.len(), 3);
        assert_eq!((all[0].due, all[0].answered, all[2].answered, all[2].failed), (1, 0, 1, 1));
        let waited = all[0].place_p99_ms.unwrap();
        assert!((1_990.0..2_020.0).contains(&waited), "{waited}");
        assert!(all[2].place_p99_ms.is_none());
    }
}
