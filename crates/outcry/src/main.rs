//! Outcry: a spot exchange in one binary.
//!
//! This file is the table of contents: it parses the command line and calls the command.
#![forbid(unsafe_code)]

mod cli;
mod config;
mod demo;
mod exit;
mod explain;
mod inspect;
mod keys;
mod load_run;
mod logging;
mod progress;
mod record;
mod replay;
mod run;
mod session;
mod snapshot;
mod verify;

use std::process::ExitCode;

use clap::Parser;
use cli::{Cli, Command, ConfigCommand, ExplainCommand, KeysCommand};
use exit::{Failure, Status};

#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> ExitCode {
    // Orders, balances and keys are nobody else's business: what is created is its owner's alone.
    rustix::process::umask(rustix::fs::Mode::from_raw_mode(0o077));
    let command = Cli::parse().command;
    if !matches!(command, Command::Run(_)) {
        logging::quiet();
    }
    match call(command) {
        Ok(status) => status.into(),
        Err(failure) => {
            eprintln!("outcry: {failure}");
            failure.status.into()
        }
    }
}

fn call(command: Command) -> Result<Status, Failure> {
    match command {
        Command::Run(args) => run::run(&args),
        Command::Replay(args) => replay::run(&args),
        Command::Verify(args) => verify::run(&args),
        Command::Inspect(args) => inspect::run(&args),
        Command::Explain(ExplainCommand::Order { market, order, data, json }) => {
            explain::order(&data, &market, order, json)
        }
        Command::Load(command) => load_run::run(&command),
        Command::Keys(KeysCommand::ResetAdmin { data }) => keys::reset_admin(&data),
        Command::Keys(KeysCommand::AddOperator { name, data }) => keys::add_operator(&data, name),
        Command::Config(ConfigCommand::Check { file }) => config::check(&file),
        Command::Config(ConfigCommand::Default { markdown }) => config::print_default(markdown),
        Command::Snapshot(args) => snapshot::run(&args),
    }
}
