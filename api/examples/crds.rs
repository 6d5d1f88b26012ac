//! Writes the custom resource definitions to `crds/`.

use std::{fs, io, path::Path};

fn main() -> io::Result<()> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("crds");
    fs::create_dir_all(&folder)?;
    for (_, file, text) in veilgrid_api::crd::generate() {
        fs::write(folder.join(file), text)?;
    }
    Ok(())
}
