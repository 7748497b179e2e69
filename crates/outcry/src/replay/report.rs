//! What a replay found: a verdict with counts, or the first difference with its surroundings.

use std::time::Duration;

use serde::Serialize;

/// What was compared and found equal.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Counts {
    /// Orders of the opening auction, and cancels before it ended.
    pub auction_inputs: u64,
    /// Trades of the opening auction.
    pub auction_trades: u64,
    /// Orders that rested before the first input.
    pub seeds: u64,
    /// Inputs, or LOBSTER messages.
    pub inputs: u64,
    /// Trades.
    pub trades: u64,
    /// Cancels with their remainders.
    pub cancels: u64,
    /// Amendments.
    pub amends: u64,
    /// Reductions.
    pub reduces: u64,
    /// Post-only orders that were rejected.
    pub post_only_rejected: u64,
    /// Books.
    pub books: u64,
    /// Orders of the final book.
    pub final_orders: u64,
}

impl Counts {
    fn fields(&self) -> [(&'static str, u64); 11] {
        [
            ("auction_inputs", self.auction_inputs),
            ("auction_trades", self.auction_trades),
            ("seeds", self.seeds),
            ("inputs", self.inputs),
            ("trades", self.trades),
            ("cancels", self.cancels),
            ("amends", self.amends),
            ("reduces", self.reduces),
            ("post_only_rejected", self.post_only_rejected),
            ("books", self.books),
            ("final_orders", self.final_orders),
        ]
    }
}

/// Zeros are left out.
impl std::fmt::Display for Counts {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let met = self.fields().into_iter().filter(|&(_, count)| count > 0);
        let texts: Vec<String> = met.map(|(name, count)| format!("{name}: {count}")).collect();
        write!(f, "{{{}}}", texts.join(", "))
    }
}

/// Where recording and exchange first part.
#[derive(Clone, Debug, Serialize)]
pub struct Difference {
    /// What was compared, and where.
    pub what: String,
    /// The last inputs, the one in question at the end.
    pub inputs: Vec<String>,
    /// What the recording says.
    pub expected: Vec<String>,
    /// What the exchange says.
    pub got: Vec<String>,
    /// The exchange's book there, asks from above.
    pub book: Vec<String>,
}

/// The end of a replay.
#[derive(Debug, Serialize)]
pub struct Verdict {
    /// Name of the session.
    pub session: String,
    /// Whether all was equal.
    pub exact: bool,
    /// What was compared until then.
    pub counts: Counts,
    /// The first difference, if there is one.
    pub difference: Option<Difference>,
    /// How long the inputs took, in seconds.
    pub seconds: f64,
    /// Inputs a second.
    pub inputs_per_second: f64,
}

impl Verdict {
    /// A verdict over `counts` after `elapsed` of trading.
    pub fn new(
        session: &str,
        counts: Counts,
        difference: Option<Difference>,
        elapsed: Duration,
    ) -> Self {
        let seconds = elapsed.as_secs_f64();
        Self {
            session: session.to_owned(),
            exact: difference.is_none(),
            counts,
            difference,
            seconds,
            inputs_per_second: counts.inputs as f64 / seconds.max(1e-9),
        }
    }
}

impl std::fmt::Display for Verdict {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let verdict = if self.exact { "EXACT" } else { "DIFFERS" };
        writeln!(f, "{verdict} {} {}", self.session, self.counts)?;
        if let Some(difference) = &self.difference {
            write!(f, "{difference}")?;
        }
        write!(
            f,
            "throughput: {:.0} inputs/s, {} in {:.2} s through ledger, book, durable journal and views",
            self.inputs_per_second, self.counts.inputs, self.seconds
        )
    }
}

impl std::fmt::Display for Difference {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        writeln!(f, "first difference: {}", self.what)?;
        for (title, lines) in [
            ("last inputs", &self.inputs),
            ("expected", &self.expected),
            ("got", &self.got),
            ("book of the exchange there", &self.book),
        ] {
            writeln!(f, "  {title}:")?;
            if lines.is_empty() {
                writeln!(f, "    (nothing)")?;
            }
            for line in lines {
                writeln!(f, "    {line}")?;
            }
        }
        Ok(())
    }
}
