//! The `veilgrid` command: private statistics over data that none may show.

mod certs;
#[cfg(feature = "cluster")]
mod cluster;
mod commands;
mod expected;
mod failure;
mod faults;
mod launch;
mod output;
mod progress;
mod report;
mod state;
mod table;

use clap::{Parser, Subcommand};
use std::{
    io::{IsTerminal, Write},
    process::ExitCode,
};

/// Organisations compute together over data that none of them may show
///
/// A job is a file: which parties, which statistics, how much privacy it may cost. Each party sums its own rows, adds noise and
/// sends secret shares; only the noised answer is ever opened.
#[derive(Parser)]
#[command(
    name = "veilgrid",
    version,
    propagate_version = true,
    max_term_width = 110,
    after_help = "Start here:
  veilgrid check job.yaml     # what it would learn and cost, or what is wrong
  veilgrid run job.yaml       # runs it, one process for each party
  veilgrid verify out/receipt.json --result out/result.json

In a cluster:
  veilgrid submit job.yaml --watch
  veilgrid result JOB

Every command explains itself: veilgrid help run"
)]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    Check(commands::check::CheckArgs),
    Run(commands::run::RunArgs),
    #[cfg(feature = "cluster")]
    Submit(commands::submit::SubmitArgs),
    #[cfg(feature = "cluster")]
    Watch(commands::watch::WatchArgs),
    #[cfg(feature = "cluster")]
    Result(commands::result::ResultArgs),
    #[cfg(feature = "cluster")]
    Logs(commands::logs::LogsArgs),
    #[cfg(feature = "cluster")]
    Cancel(commands::cancel::CancelArgs),
    #[cfg(feature = "cluster")]
    Approve(commands::approve::ApproveArgs),
    Budget(commands::budget::BudgetArgs),
    Verify(commands::verify::VerifyArgs),
    Party(commands::party::PartyArgs),
    #[cfg(feature = "cluster")]
    #[command(hide = true)]
    Deliver(commands::deliver::DeliverArgs),
    Devices(commands::devices::DevicesArgs),
    #[cfg(feature = "cluster")]
    Doctor(commands::doctor::DoctorArgs),
    Sample(commands::sample::SampleArgs),
    Schema(commands::schema::SchemaArgs),
    Completions(commands::completions::CompletionsArgs),
}

fn main() -> ExitCode {
    let done = match Cli::parse().command {
        Command::Check(args) => commands::check::run(&args),
        Command::Run(args) => commands::run::run(args),
        #[cfg(feature = "cluster")]
        Command::Submit(args) => commands::submit::run(&args),
        #[cfg(feature = "cluster")]
        Command::Watch(args) => commands::watch::run(&args),
        #[cfg(feature = "cluster")]
        Command::Result(args) => commands::result::run(&args),
        #[cfg(feature = "cluster")]
        Command::Logs(args) => commands::logs::run(&args),
        #[cfg(feature = "cluster")]
        Command::Cancel(args) => commands::cancel::run(&args),
        #[cfg(feature = "cluster")]
        Command::Approve(args) => commands::approve::run(&args),
        #[cfg(feature = "cluster")]
        Command::Doctor(args) => commands::doctor::run(&args),
        Command::Budget(args) => commands::budget::run(&args),
        Command::Verify(args) => commands::verify::run(&args),
        Command::Party(args) => commands::party::run(args),
        #[cfg(feature = "cluster")]
        Command::Deliver(args) => commands::deliver::run(&args),
        Command::Devices(args) => commands::devices::run(&args),
        Command::Sample(args) => commands::sample::run(&args),
        Command::Schema(args) => commands::schema::run(&args),
        Command::Completions(args) => commands::completions::run(&args),
    };
    let Err(failure) = done else { return ExitCode::SUCCESS };
    if !failure.message.is_empty() {
        let mut errors = std::io::stderr();
        let colour = errors.is_terminal() && std::env::var_os("NO_COLOR").is_none();
        let mark = if colour { "\u{1b}[1;31merror:\u{1b}[0m" } else { "error:" };
        // Without a standard error there is nobody left to tell; the exit code remains.
        let _ = writeln!(errors, "{mark} {}", failure.message);
    }
    ExitCode::from(failure.code)
}
