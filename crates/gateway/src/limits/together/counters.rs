//! The dialect's counts at Redis, and its bans.

use tokio::runtime::Handle;

use super::{Ask, Away, Together, epoch, time_for_redis};
use crate::limits::tally::{Limit, Tally};

/// When whoever goes on after refusals is banned, and for how long, in nanoseconds.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Bans {
    /// Refusals in a minute.
    pub(crate) patience: u32,
    pub(crate) first: u64,
    pub(crate) longest: u64,
}

/// What is to be counted.
pub(crate) struct Question<'a, const N: usize> {
    /// Whose it is.
    pub(crate) name: String,
    pub(crate) limits: &'a [Limit; N],
    /// So much more, or less.
    pub(crate) adds: [i64; N],
    /// The epoch that is known, and what was counted without Redis.
    pub(crate) told: (i64, [u32; N]),
    /// Whether limits hold.
    pub(crate) refuses: bool,
    pub(crate) bans: Option<Bans>,
}

/// What Redis says.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Counted<const N: usize> {
    pub(crate) verdict: Verdict,
    /// Nanoseconds until it may be tried again.
    pub(crate) wait: u64,
    pub(crate) epoch: i64,
    /// The sums of all gateways.
    pub(crate) counts: [u32; N],
}

/// What came of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Verdict {
    /// It is counted.
    Counted,
    /// This limit would be exceeded.
    Exceeded(usize),
    Banned,
    /// Redis has forgotten what it was told: it is to be told all.
    Forgotten,
}

impl Together {
    /// Counts.
    ///
    /// # Errors
    /// [`Away`]: nothing was counted.
    pub(crate) async fn count<const N: usize>(
        &self,
        question: &Question<'_, N>,
    ) -> Result<Counted<N>, Away> {
        self.runtime.get_or_init(Handle::current);
        let Question { name, limits, adds, told: (known, untold), refuses, bans } = question;
        let micros = |nanos: u64| (nanos / 1_000) as i64;
        let no_bans = Bans { patience: 0, first: 0, longest: 0 };
        let bans = bans.unwrap_or(no_bans);
        let head = [time_for_redis(&self.clock), *known, epoch(), i64::from(*refuses)];
        let mut args = head.to_vec();
        args.extend([bans.patience.into(), micros(bans.first), micros(bans.longest)]);
        for (at, limit) in limits.iter().enumerate() {
            let counted = [micros(limit.length), limit.most.into(), adds[at], untold[at].into()];
            args.extend(counted);
        }
        let answer = self.link.ask(Ask::Fixed, name, &args).await?;
        let [verdict, wait, epoch, ref counts @ ..] = answer[..] else { return Err(Away) };
        let counts: &[i64; N] = counts.try_into().map_err(|_| Away)?;
        let verdict = match verdict {
            0 => Verdict::Counted,
            -1 => Verdict::Banned,
            -2 => Verdict::Forgotten,
            number => Verdict::Exceeded((number as usize).clamp(1, N) - 1),
        };
        let counts = counts.map(|count| u32::try_from(count).unwrap_or(u32::MAX));
        Ok(Counted { verdict, wait: wait.max(0) as u64 * 1_000, epoch, counts })
    }

    /// Takes back what was counted, some time soon.
    pub(crate) fn take_back<const N: usize>(
        self: &std::sync::Arc<Self>,
        name: String,
        limits: &'static [Limit; N],
        tally: &Tally<N>,
        adds: [u32; N],
    ) {
        let (together, adds) = (std::sync::Arc::clone(self), adds.map(|count| -i64::from(count)));
        let told = (tally.epoch(), [0; N]);
        let give = async move {
            let bans = None;
            let question = Question { name, limits, adds, told, refuses: false, bans };
            // What Redis does not hear of it only costs the client a little for the rest of the window.
            let _ = together.count(&question).await;
        };
        // Fills are heard of on other threads than those of requests.
        if let Some(runtime) = self.runtime.get() {
            runtime.spawn(give);
        }
    }

    /// The part of a limit that holds without Redis.
    pub(crate) fn share(&self) -> crate::limits::tally::Hold {
        crate::limits::tally::Hold::Part(self.gateways)
    }
}
