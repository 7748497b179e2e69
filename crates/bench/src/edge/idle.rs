//! What the exchange takes when nobody asks for anything.

use std::path::Path;
use std::time::{Duration, Instant};

use super::founding::exchange;
use crate::process::Process;
use crate::report::Report;

const SETTLING: Duration = Duration::from_secs(5);
const MEASURED: Duration = Duration::from_secs(20);

/// Memory and share of a core, without the demonstration and with it.
pub fn idle(report: &mut Report, folder: &Path) {
    for (name, options, what) in [
        ("idle", &["--no-demo"][..], "a fresh exchange as by default, --no-demo"),
        ("demo", &[][..], "a fresh exchange as by default, with its demonstration"),
    ] {
        let folder = super::made(folder, name);
        let mut command = exchange(&folder);
        command.args(options);
        let server = Process::start(command, &folder.join("server.log"));
        std::thread::sleep(SETTLING);
        let before = (Instant::now(), server.processor_time());
        std::thread::sleep(MEASURED);
        let spent = (server.processor_time() - before.1).as_secs_f64();
        let percent = 100.0 * spent / before.0.elapsed().as_secs_f64();
        let megabytes = server.resident_bytes() as f64 / f64::from(1 << 20);
        report.add(&format!("{name}_rss_mb"), megabytes, "MB", &format!("{what}, after 25 s"));
        report.add(
            &format!("{name}_core_percent"),
            percent,
            "% of a core",
            &format!("{what}, over 20 s"),
        );
    }
}
