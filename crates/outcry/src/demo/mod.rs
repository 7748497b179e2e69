//! The demonstration: assets, markets, an account for visitors, and participants that trade.
//!
//! Everything goes through the exchange's port like anybody's orders. Only a data directory that was
//! made for it has it: a file in the directory says so, since its accounts and funds are invented.

mod founding;
mod session;
mod traders;

use std::fs::File;
use std::io::{self, Write};
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::JoinHandle;

use node::Exchange;
use store::Store;
use types::AccountId;
use views::Views;

use crate::config;
use crate::exit::{Failure, Status};
use founding::Founded;
use session::Session;
use traders::Traders;

const MARK: &str = "DEMO";

/// A running demonstration; it ends when this is dropped.
pub struct Demo {
    /// The account that visitors share.
    pub visitor: AccountId,
    stop: Arc<AtomicBool>,
    thread: Option<JoinHandle<()>>,
}

impl Demo {
    /// Founds what is missing of it and lets the participants trade.
    pub fn start(
        exchange: Arc<dyn Exchange>,
        views: Arc<Views>,
        store: &Store,
        settings: &config::Demo,
    ) -> Result<Self, Failure> {
        let session = Session::open(exchange);
        let Founded { visitor, participants } = founding::found(&session, store)?;
        let stop = Arc::new(AtomicBool::new(false));
        let traders = Traders::new(session, views, participants, settings);
        let told = Arc::clone(&stop);
        let thread = std::thread::Builder::new()
            .name("demo".to_owned())
            .spawn(move || traders.run(&told))
            .map_err(Failure::of(Status::Software, "demo"))?;
        Ok(Self { visitor, stop, thread: Some(thread) })
    }
}

impl Drop for Demo {
    fn drop(&mut self) {
        self.stop.store(true, Ordering::Release);
        if let Some(thread) = self.thread.take() {
            // A panic has stopped the process.
            let _ = thread.join();
        }
    }
}

/// Declares a new data directory a demonstration, durably. May be repeated.
pub fn mark(data: &Path) -> io::Result<()> {
    let mut file = File::create(data.join(MARK))?;
    file.write_all(b"The accounts and funds of this exchange are invented.\n")?;
    file.sync_all()?;
    File::open(data)?.sync_all()
}

/// Whether the data directory was made for a demonstration.
pub fn is_marked(data: &Path) -> bool {
    data.join(MARK).exists()
}
