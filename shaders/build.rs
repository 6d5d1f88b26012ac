//! Expands every kernel in both modes, validates each and writes the table that the library includes.

#[path = "build/check.rs"]
mod check;
#[path = "build/expand.rs"]
mod expand;

use expand::Fault;
use std::fmt::Write;
use std::path::{Path, PathBuf};
use std::{env, fs, io};

const FAMILIES: [&str; 13] = [
    "ring", "chacha", "mask", "fixed", "noise", "bits", "field", "uniform", "ntt", "shamir", "matmul",
    "matrix", "chain",
];
const MODES: [(&str, &str); 2] = [("Limb", "LIMB"), ("Native", "NATIVE")];

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let room = PathBuf::from(env::var("CARGO_MANIFEST_DIR")?);
    let out = PathBuf::from(env::var("OUT_DIR")?);
    for path in ["build", "shared"] {
        println!("cargo::rerun-if-changed={path}");
    }
    let mut table = String::new();
    let mut faults = Vec::new();
    for family in FAMILIES {
        let file = format!("{family}.wgsl");
        println!("cargo::rerun-if-changed={file}");
        if let Err(fault) = make(&room, &out, &file, &mut table)? {
            faults.push(fault);
        }
    }
    for fault in &faults {
        println!("cargo::error={}", fault.to_string().replace('\n', "\ncargo::error="));
    }
    fs::write(out.join("table.rs"), format!("&[\n{table}]\n"))?;
    Ok(())
}

/// Writes every kernel of one family; the first fault ends it.
fn make(room: &Path, out: &Path, file: &str, table: &mut String) -> io::Result<Result<(), Fault>> {
    let text = fs::read_to_string(room.join(file))?;
    let kernels = match expand::kernels(file, &text) {
        Ok(kernels) => kernels,
        Err(fault) => return Ok(Err(fault)),
    };
    for kernel in kernels {
        for (mode, symbol) in MODES {
            let mut symbols = kernel.symbols.clone();
            symbols.insert(symbol.to_owned(), String::new());
            let expanded = expand::expand(file, &symbols, &|path| fs::read_to_string(room.join(path)).ok());
            let checked = expanded.and_then(|source| Ok((check::check(&source, mode == "Native")?, source)));
            let (facts, source) = match checked {
                Ok(checked) => checked,
                Err(fault) => return Ok(Err(fault)),
            };
            let name = &kernel.name;
            let path = out.join(format!("{name}.{symbol}.wgsl"));
            fs::write(&path, &source.text)?;
            let bindings: Vec<String> =
                facts.bindings.iter().map(|kind| format!("Binding::{kind}")).collect();
            let entry = format!(
                "    Shader {{ name: {name:?}, mode: Mode::{mode}, source: include_str!({path:?}), \
                 workgroup_size: {}, bindings: &[{}] }},",
                facts.workgroup_size,
                bindings.join(", ")
            );
            writeln!(table, "{entry}").map_err(io::Error::other)?;
        }
    }
    Ok(Ok(()))
}
