//! Outcry: a spot exchange in one binary.
//!
//! This file is the table of contents: it parses the command line and calls the command.
#![forbid(unsafe_code)]

mod cli;
mod config;
mod exit;
mod progress;
mod replay;
mod session;

use std::process::ExitCode;

use clap::Parser;
use cli::{Cli, Command, ConfigCommand};
use exit::{Failure, Status};

fn main() -> ExitCode {
    match run(Cli::parse().command) {
        Ok(status) => status.into(),
        Err(failure) => {
            eprintln!("outcry: {failure}");
            failure.status.into()
        }
    }
}

fn run(command: Command) -> Result<Status, Failure> {
    match command {
        Command::Replay(args) => replay::run(&args),
        Command::Config(ConfigCommand::Check { file }) => {
            config::Config::read(&file)?;
            println!("{}: valid", file.display());
            Ok(Status::Ok)
        }
        Command::Config(ConfigCommand::Default { markdown }) => {
            print!("{}", if markdown { config::markdown() } else { config::default_file() });
            Ok(Status::Ok)
        }
        _ => Ok(Status::Ok),
    }
}
