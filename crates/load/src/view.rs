//! What is seen while a run goes on: some lines that are drawn over again on a terminal, else a line a second.

use std::io::{IsTerminal, Write};
use std::time::Duration;

use crate::methods::Plan;
use crate::report::Second;
use crate::world::World;

/// Seconds whose course is drawn.
const COURSE: usize = 60;
const BARS: [char; 8] = ['▁', '▂', '▃', '▄', '▅', '▆', '▇', '█'];

/// The view.
pub(crate) struct View {
    is_quiet: bool,
    is_terminal: bool,
    shown: Option<u64>,
    lines: usize,
    answered: Vec<f64>,
    p99: Vec<f64>,
}

impl View {
    pub(crate) fn new(is_quiet: bool) -> Self {
        let is_terminal = std::io::stdout().is_terminal();
        Self { is_quiet, is_terminal, shown: None, lines: 0, answered: Vec::new(), p99: Vec::new() }
    }

    /// Shows the last whole second, once.
    pub(crate) fn show(&mut self, world: &World, plan: &Plan, at: Duration) {
        if self.is_quiet {
            return;
        }
        let Some(second) = world.seconds.borrow().last_whole() else { return };
        if self.shown.is_some_and(|shown| shown >= second.t) {
            return;
        }
        self.shown = Some(second.t);
        let head =
            format!("{} {:.0} of {:.0} s", plan.name, at.as_secs_f64(), plan.lasts().as_secs_f64());
        let under_way = world.under_way.get();
        if self.is_terminal {
            self.redraw(&head, &second, under_way);
        } else {
            let p99 = second.place_p99_ms.unwrap_or_default();
            println!(
                "{head}: {:.1} times, {} due, {} answered, {} shed, {} failed, p99 {p99:.1} ms, {under_way} under way",
                second.multiplier, second.due, second.answered, second.shed, second.failed,
            );
        }
    }

    fn redraw(&mut self, head: &str, second: &Second, under_way: u64) {
        self.answered.push(second.answered as f64);
        self.p99.push(second.place_p99_ms.unwrap_or_default());
        let show = |value: Option<f64>| value.map_or("-".to_owned(), |value| format!("{value:.1}"));
        let lines = [
            format!("{head}   {:.1} times the base rate", second.multiplier),
            format!(
                "requests/s   due {:>7}   answered {:>7}   {}",
                second.due,
                second.answered,
                course(&self.answered)
            ),
            format!(
                "errors/s     shed {:>6}   failed {:>9}   under way {under_way}",
                second.shed, second.failed
            ),
            format!(
                "orders ms    p50 {:>7}   p99 {:>12}   {}",
                show(second.place_p50_ms),
                show(second.place_p99_ms),
                course(&self.p99)
            ),
            format!(
                "p99 ms       cancels {:>3}   reads {:>10}",
                show(second.cancel_p99_ms),
                show(second.read_p99_ms)
            ),
            format!(
                "exchange     cores {}   memory {} MB   descriptors {}   queue {}",
                show(second.exchange_cpu),
                show(second.memory_mb),
                show(second.descriptors),
                show(second.queue)
            ),
            format!(
                "generator    cores {:.1}   late {:.0} ms   {} stream messages/s",
                second.generator_cpu, second.generator_late_ms, second.messages
            ),
        ];
        let mut out = std::io::stdout().lock();
        let mut text = String::new();
        if self.lines > 0 {
            text += &format!("\x1b[{}A\x1b[J", self.lines);
        }
        for line in &lines {
            text += line;
            text.push('\n');
        }
        self.lines = lines.len();
        // A terminal that is gone stops nothing.
        let _ = out.write_all(text.as_bytes()).and_then(|()| out.flush());
    }

    /// Nothing more is shown.
    pub(crate) fn end(&mut self) {
        self.lines = 0;
        if !self.is_quiet {
            println!("waiting for the last answers, then asking for everything again");
        }
    }
}

/// The last values as bars.
fn course(values: &[f64]) -> String {
    let values = &values[values.len().saturating_sub(COURSE)..];
    let most = values.iter().copied().fold(0.0, f64::max).max(1e-9);
    let bar = |value: &f64| BARS[((value / most * 7.0).round() as usize).min(7)];
    values.iter().map(bar).collect()
}
