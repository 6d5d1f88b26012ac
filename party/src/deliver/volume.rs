//! A file of a volume, written whole or not at all.

use super::DeliveryFault;
use crate::receipt::hex::hex;
use sha2::{Digest, Sha256};
use std::{
    fs::{self, File},
    io::{self, ErrorKind, Read, Write},
    path::{Path, PathBuf},
};

/// Writes a file that is not there yet, with the folders above it. One that has the same bytes already is left as it is.
pub(super) fn write(root: &Path, folder: &str, file: &str, bytes: &[u8]) -> Result<(), DeliveryFault> {
    let volume = |error: io::Error| DeliveryFault::Volume(error.kind());
    let place = make_folder(root, folder).map_err(volume)?;
    let path = place.join(file);
    // Of another content: another draft. That of a try that was cut short is in nobody's way.
    let draft = place.join(format!(".{file}.{}.draft", hex(&Sha256::digest(bytes)[..8])));
    if !is_there(&path).map_err(volume)? {
        let written = write_new(&draft, bytes).and_then(|()| name(&draft, &path, bytes));
        let _ = fs::remove_file(&draft);
        match written {
            Err(error) if error.kind() != ErrorKind::AlreadyExists => return Err(volume(error)),
            _ => sync(&place).map_err(volume)?,
        }
    }
    match same(&path, bytes).map_err(volume)? {
        true => Ok(()),
        false => Err(DeliveryFault::Taken),
    }
}

/// Whether the name is taken, by whatever.
fn is_there(path: &Path) -> io::Result<bool> {
    match fs::symlink_metadata(path) {
        Ok(_) => Ok(true),
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(false),
        Err(error) => Err(error),
    }
}

fn write_new(path: &Path, bytes: &[u8]) -> io::Result<()> {
    let _ = fs::remove_file(path);
    let mut file = File::create_new(path)?;
    file.write_all(bytes)?;
    file.sync_all()
}

/// Gives the draft its name, where nothing has it: a link, unlike a renaming, replaces nothing.
fn name(draft: &Path, path: &Path, bytes: &[u8]) -> io::Result<()> {
    let linked = fs::hard_link(draft, path);
    let unknown =
        |error: &io::Error| [ErrorKind::PermissionDenied, ErrorKind::Unsupported].contains(&error.kind());
    if !linked.as_ref().is_err_and(unknown) {
        return linked;
    }
    // Some file systems know no links: there the file is written under its name, which a crash may leave half done.
    let mut file = File::create_new(path)?;
    let written = file.write_all(bytes).and_then(|()| file.sync_all());
    written.inspect_err(|_| drop(fs::remove_file(path)))
}

/// Whether a file has these bytes. What is no file has not.
fn same(path: &Path, bytes: &[u8]) -> io::Result<bool> {
    if !fs::symlink_metadata(path)?.is_file() {
        return Ok(false);
    }
    let mut found = Vec::new();
    File::open(path)?.take(bytes.len() as u64 + 1).read_to_end(&mut found)?;
    Ok(found == bytes)
}

/// The folder below the root; each that is missing is made, and lasts.
fn make_folder(root: &Path, folder: &str) -> io::Result<PathBuf> {
    let mut place = root.to_owned();
    for name in folder.split('/').filter(|name| !name.is_empty()) {
        let above = place.clone();
        place.push(name);
        match fs::create_dir(&place) {
            Ok(()) => sync(&above)?,
            Err(error) if error.kind() == ErrorKind::AlreadyExists => {}
            Err(error) => return Err(error),
        }
    }
    Ok(place)
}

/// Makes what is in a folder last, where the file system knows how.
fn sync(folder: &Path) -> io::Result<()> {
    match File::open(folder)?.sync_all() {
        Err(error) if [ErrorKind::InvalidInput, ErrorKind::Unsupported].contains(&error.kind()) => Ok(()),
        synced => synced,
    }
}
