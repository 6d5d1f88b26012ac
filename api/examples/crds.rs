//! Writes the custom resource definitions to `crds/` and to the chart, and their reference to `docs/api.md`.

use std::{fs, io, path::Path};
use veilgrid_api::crd;

fn main() -> io::Result<()> {
    let here = Path::new(env!("CARGO_MANIFEST_DIR"));
    for (_, file, text) in crd::generate() {
        for folder in ["crds", "../charts/veilgrid/crds"] {
            fs::write(here.join(folder).join(&file), &text)?;
        }
    }
    fs::write(here.join("../docs/api.md"), crd::reference())
}
