//! Reads manifests and says everything that is wrong with them, each fault with its line.

use crate::{failure::Failure, output};
use std::{fs::File, io::Read, path::Path};
use veilgrid_api::{
    fault::Fault,
    manifest::{self, Manifest},
};
use veilgrid_party::exit::Exit;

/// The manifest in a file.
///
/// # Errors
/// The file cannot be read, or every fault of its form.
pub(crate) fn read(path: &Path) -> Result<Manifest, Failure> {
    parse(path)?.map_err(|faults| failure(path, &faults))
}

/// The manifest in a file, or every fault of its form.
///
/// # Errors
/// The file cannot be read.
pub(crate) fn parse(path: &Path) -> Result<Result<Manifest, Vec<Fault>>, Failure> {
    let unreadable = |error: std::io::Error| {
        Failure::new(Exit::Usage, format!("{}: {error}; give the path of a manifest", path.display()))
    };
    let file = File::open(path).map_err(unreadable)?;
    let bytes = file.metadata().map_err(unreadable)?.len();
    if bytes > manifest::MAX_BYTES as u64 {
        return Ok(Err(vec![manifest::too_large(bytes)]));
    }
    let mut text = Vec::new();
    // A pipe has no size to ask for.
    file.take(manifest::MAX_BYTES as u64 + 1).read_to_end(&mut text).map_err(unreadable)?;
    Ok(manifest::parse_bytes(&text))
}

/// Prints the faults as JSON.
///
/// # Errors
/// Always one: without words, since the JSON has them.
pub(crate) fn print_json(path: &Path, faults: &[Fault]) -> Result<(), Failure> {
    output::json(&serde_json::json!({ "ok": false, "file": path, "faults": faults }))?;
    Err(Failure::new(Exit::Usage, ""))
}

/// The failure that lists these faults.
pub(crate) fn failure(path: &Path, faults: &[Fault]) -> Failure {
    let count = match faults.len() {
        1 => "1 fault".to_owned(),
        many => format!("{many} faults"),
    };
    let lines: String = faults.iter().map(|fault| line(path, fault)).collect();
    Failure::new(Exit::Usage, format!("{} has {count}\n{}", path.display(), lines.trim_end()))
}

/// `FILE:LINE: OBJECT: PATH: problem`, and the remedy below it.
fn line(path: &Path, fault: &Fault) -> String {
    let mut text = format!("  {}", path.display());
    if let Some(line) = fault.line {
        text += &format!(":{line}");
    }
    for part in [&fault.object, &fault.path, &fault.problem] {
        if !part.is_empty() {
            text += &format!(": {part}");
        }
    }
    if !fault.remedy.is_empty() {
        text += &format!("\n      {}", fault.remedy);
    }
    text + "\n"
}
