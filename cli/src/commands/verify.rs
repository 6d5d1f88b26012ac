//! `veilgrid verify`: whether a receipt, and the result beside it, are what the parties signed.

use crate::{failure::Failure, output, table::digits::clean};
use clap::Args;
use std::{
    collections::BTreeMap,
    fs::File,
    io::Read,
    path::{Path, PathBuf},
};
use veilgrid_party::{
    exit::Exit,
    receipt::{Check, verify},
};

/// The most bytes of a receipt that are read; one more tells that there are more.
const MAX_RECEIPT: u64 = 64 << 20;
/// The most bytes of a result.
const MAX_RESULT: u64 = 1 << 30;

/// Checks a receipt: the plan, every party's signature, the charges, the result
///
/// Each line is a claim, whether it holds, and what that rests on. A signature proves who signed only as far as you know whose
/// key it is: give the parties' keys, as each tells you itself, where the manifest does not pin them.
#[derive(Args)]
#[command(after_help = "Examples:
  veilgrid verify out/receipt.json --result out/result.json
  veilgrid verify receipt.json --key north=$(cat north.pub) \\
    --key south=$(cat south.pub)

A party's own key, to give to an auditor: veilgrid party identity --state DIR

Exit codes: 0 every check holds, 6 one fails, 2 a file cannot be read.")]
pub(crate) struct VerifyArgs {
    /// receipt.json
    #[arg(value_name = "RECEIPT")]
    receipt: PathBuf,
    /// result.json, to check that it is the one that was signed
    #[arg(long, value_name = "FILE")]
    result: Option<PathBuf>,
    /// A party's public key; give one for each party, or none
    #[arg(long = "key", value_name = "PARTY=HEX", value_parser = key)]
    keys: Vec<(String, String)>,
    /// Prints one JSON object instead of lines
    #[arg(long)]
    json: bool,
}

pub(crate) fn run(args: &VerifyArgs) -> Result<(), Failure> {
    let receipt = read(&args.receipt, MAX_RECEIPT, "the path of a receipt.json")?;
    let result = args.result.as_deref().map(|path| read(path, MAX_RESULT, "the path of a result.json"));
    let result = result.transpose()?;
    let mut keys = BTreeMap::new();
    for (party, key) in &args.keys {
        if keys.insert(party.clone(), key.clone()).is_some() {
            return Err(Failure::new(
                Exit::Usage,
                format!("--key names {party} twice; give one key for each party"),
            ));
        }
    }
    let keys = (!keys.is_empty()).then_some(keys);
    let checks = verify(&receipt, result.as_deref(), keys.as_ref());
    let failed = checks.iter().filter(|check| !check.ok).count();
    if args.json {
        output::json(&serde_json::json!({ "ok": failed == 0, "checks": checks }))?;
    } else {
        output::say(&text(&checks, args.result.is_none()))?;
    }
    match failed {
        0 => Ok(()),
        // The JSON has said it all.
        _ if args.json => Err(Failure::new(Exit::Agreement, "")),
        _ => Err(broken(&args.receipt.display(), &checks)),
    }
}

/// The failure of a receipt of which not every check holds.
pub(crate) fn broken(receipt: &dyn std::fmt::Display, checks: &[Check]) -> Failure {
    let failed = checks.iter().filter(|check| !check.ok).count();
    let message = format!(
        "{receipt}: {failed} of {} checks failed; do not rely on it, and ask the parties for their own copies",
        checks.len()
    );
    Failure::new(Exit::Agreement, message)
}

/// The checks, two lines for each.
pub(crate) fn text(checks: &[Check], no_result: bool) -> String {
    let mut text = String::new();
    for check in checks {
        let verdict = if check.ok { "ok    " } else { "FAILED" };
        text += &format!("{verdict}  {}\n          {}\n", clean(&check.what), clean(&check.detail));
    }
    if checks.iter().all(|check| check.ok) {
        text += &format!("all {} checks hold\n", checks.len());
        if no_result {
            text += "the result itself was not looked at: give it with --result result.json\n";
        }
    }
    text
}

/// `north=5f..`.
fn key(text: &str) -> Result<(String, String), String> {
    let (party, key) = text.split_once('=').ok_or("write PARTY=KEY, such as north=5f0c...")?;
    if key.len() != 64 || !key.bytes().all(|byte| byte.is_ascii_hexdigit()) {
        return Err(
            "a key has 64 hexadecimal digits; `veilgrid party identity` prints a party's own".to_owned()
        );
    }
    Ok((party.to_owned(), key.to_ascii_lowercase()))
}

/// A file's bytes, no more than `most`.
fn read(path: &Path, most: u64, what: &str) -> Result<Vec<u8>, Failure> {
    let usage =
        |problem: String| Failure::new(Exit::Usage, format!("{}: {problem}; give {what}", path.display()));
    let mut bytes = Vec::new();
    File::open(path)
        .and_then(|file| file.take(most + 1).read_to_end(&mut bytes))
        .map_err(|error| usage(error.to_string()))?;
    if bytes.len() as u64 > most {
        return Err(usage(format!("it is larger than {} MiB", most >> 20)));
    }
    Ok(bytes)
}
