//! `veilgrid completions`: what a shell needs to complete the command line.

use crate::{Cli, failure::Failure, output};
use clap::{Args, CommandFactory};
use clap_complete::Shell;

/// Prints a script that lets your shell complete commands and options
#[derive(Args)]
#[command(after_help = "Examples:
  veilgrid completions bash > ~/.bash_completion.d/veilgrid
  veilgrid completions zsh > ~/.zfunc/_veilgrid     # with ~/.zfunc in fpath
  veilgrid completions fish > ~/.config/fish/completions/veilgrid.fish")]
pub(crate) struct CompletionsArgs {
    /// Which shell
    shell: Shell,
}

pub(crate) fn run(args: &CompletionsArgs) -> Result<(), Failure> {
    let mut script = Vec::new();
    clap_complete::generate(args.shell, &mut Cli::command(), "veilgrid", &mut script);
    output::say(&String::from_utf8_lossy(&script))
}
