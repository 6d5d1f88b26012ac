//! `veilgrid schema`: the fields of a manifest, for people, editors and `kubectl apply`.

use crate::{failure::Failure, output};
use clap::{Args, builder::PossibleValuesParser};
use veilgrid_api::crd::CRDS;

/// Prints what a manifest may hold: each field, its meaning and its bounds
///
/// The text is a CustomResourceDefinition for each kind, so the same output teaches a cluster what the files mean.
#[derive(Args)]
#[command(after_help = "Examples:
  veilgrid schema PrivateDataset | less
  veilgrid schema | kubectl apply -f -

docs/manifest.md says the same in a page.")]
pub(crate) struct SchemaArgs {
    /// One kind only
    #[arg(value_name = "KIND", ignore_case = true, value_parser = PossibleValuesParser::new(CRDS.iter().map(|(kind, _)| *kind)))]
    kind: Option<String>,
}

pub(crate) fn run(args: &SchemaArgs) -> Result<(), Failure> {
    let asked = |kind: &str| args.kind.as_deref().is_none_or(|asked| asked.eq_ignore_ascii_case(kind));
    let texts: Vec<&str> = CRDS.iter().filter(|(kind, _)| asked(kind)).map(|(_, text)| *text).collect();
    output::say(&texts.join("---\n"))
}
