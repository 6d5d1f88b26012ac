//! The lasting signing key of a party, and the keys of the peers it trusts.

use ed25519_dalek::{Signer, SigningKey};
use serde::{Deserialize, Serialize};
use std::{
    collections::BTreeMap,
    fs::{self, File, OpenOptions},
    io::{self, Read, Write},
    os::unix::fs::{MetadataExt, OpenOptionsExt},
    path::{Path, PathBuf},
};
use veilgrid_receipt::{
    hex::{hex, unhex},
    signature,
};
use zeroize::Zeroizing;

const KEY_FILE: &str = "identity.key";
const PEERS_FILE: &str = "known_peers.json";

/// Why an identity cannot be used or believed.
#[derive(Debug, thiserror::Error)]
pub enum IdentityError {
    /// A file cannot be read or written.
    #[error("cannot {what} {}: {error}", path.display())]
    File {
        /// What was tried.
        what: &'static str,
        /// Where.
        path: PathBuf,
        /// Why not.
        error: io::Error,
    },
    /// Others may read the key.
    #[error("{} can be read by others (mode {mode:03o}); if nobody has copied it, run: chmod 600 {}", path.display(), path.display())]
    Exposed {
        /// The key's file.
        path: PathBuf,
        /// Its permission bits.
        mode: u32,
    },
    /// The file holds no key.
    #[error(
        "{} is damaged: it should hold 64 hexadecimal digits; restore it from a backup, or remove it to get a new \
         identity, which peers must then trust anew", path.display()
    )]
    Damaged {
        /// The key's file.
        path: PathBuf,
    },
    /// The list of peers' keys cannot be understood.
    #[error("{} is damaged ({reason}); restore it from a backup, or remove it to trust peers anew", path.display())]
    DamagedPeers {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        reason: String,
    },
    /// The system gave no randomness.
    #[error("the system gives no randomness: {0}")]
    Randomness(String),
    /// A text that is no public key.
    #[error("the public key of {name} is not 64 lower-case hexadecimal digits of a sound Ed25519 key")]
    BadKey {
        /// Whose it is.
        name: String,
    },
    /// A peer's key is another than the one that is pinned.
    #[error(
        "peer {name} has the key {offered}, and the manifest pins {expected}: ask its people which is right, outside \
         this channel, and correct `publicKey` if the key was changed on purpose"
    )]
    NotPinned {
        /// The peer.
        name: String,
        /// Short fingerprint of the pinned key.
        expected: String,
        /// Short fingerprint of the offered key.
        offered: String,
    },
    /// A peer's key has changed.
    #[error(
        "the key of peer {name} has changed from {expected} to {offered}: ask its people why, outside this channel; \
         if they changed it on purpose, remove the peer from {}", path.display()
    )]
    Changed {
        /// The peer.
        name: String,
        /// Short fingerprint of the key that was trusted.
        expected: String,
        /// Short fingerprint of the offered key.
        offered: String,
        /// Where trusted keys are kept.
        path: PathBuf,
    },
}

/// The key that speaks for a party in every run: Ed25519, made once, in a file that only its owner can read.
pub struct Identity {
    key: SigningKey,
}

impl Identity {
    /// Reads the key of a state folder, which is made where it is absent; so is the key, from the system's randomness.
    /// A key is in place whole and durable, or not at all.
    pub fn open_or_create(folder: &Path) -> Result<Self, IdentityError> {
        let path = folder.join(KEY_FILE);
        match File::open(&path) {
            Ok(file) => Self::read(file, path),
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                fs::create_dir_all(folder).map_err(failed("create", folder))?;
                create(folder, &path)?;
                // Where two processes started at once, both use the one that was first.
                Self::read(File::open(&path).map_err(failed("open", &path))?, path)
            }
            Err(error) => Err(failed("open", &path)(error)),
        }
    }

    fn read(file: File, path: PathBuf) -> Result<Self, IdentityError> {
        let mode = file.metadata().map_err(failed("examine", &path))?.mode() & 0o777;
        if mode & 0o077 != 0 {
            return Err(IdentityError::Exposed { path, mode });
        }
        // One digit more than fits shows a file that is too long, without reading all of it.
        let mut text = Zeroizing::new(Vec::with_capacity(80));
        file.take(80).read_to_end(&mut text).map_err(failed("read", &path))?;
        let digits = text.strip_suffix(b"\n").unwrap_or(&text);
        let seed = Zeroizing::new(unhex::<32>(digits).ok_or(IdentityError::Damaged { path })?);
        Ok(Self { key: SigningKey::from_bytes(&seed) })
    }

    /// The public key as 64 lower-case hexadecimal digits.
    pub fn public_key_hex(&self) -> String {
        hex(self.key.verifying_key().as_bytes())
    }

    /// Signs a message of a domain; a signature of one domain is none of another.
    pub fn sign(&self, domain: &str, message: &[u8]) -> [u8; 64] {
        self.key.sign(&signature::separated(domain, message)).to_bytes()
    }
}

/// The first 16 digits of a key's SHA-256, in groups: enough to tell two keys apart by eye.
fn short(public_key: &str) -> String {
    use sha2::{Digest, Sha256};
    let digits = hex(&Sha256::digest(public_key.as_bytes())[..8]);
    [&digits[..4], &digits[4..8], &digits[8..12], &digits[12..]].join(":")
}

/// How a peer's key came to be believed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Seen {
    /// The manifest names it.
    Pinned,
    /// It is the one that was seen before.
    Known,
    /// It was seen for the first time, and is kept.
    First,
}

/// The keys of peers, trusted at first use.
pub struct KnownPeers {
    folder: PathBuf,
    path: PathBuf,
}

#[derive(Default, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct Known {
    /// Public keys by the peer's name.
    peers: BTreeMap<String, String>,
}

impl KnownPeers {
    /// The list of a state folder; an absent file is an empty list.
    pub fn open(folder: &Path) -> Result<Self, IdentityError> {
        fs::create_dir_all(folder).map_err(failed("create", folder))?;
        let known = Self { folder: folder.to_owned(), path: folder.join(PEERS_FILE) };
        known.load()?;
        Ok(known)
    }

    /// Compares the key that a peer offers, and has proved to hold, with the pinned one, or else with the one that was
    /// seen first; a first key is durable when this returns.
    pub fn check(&mut self, name: &str, pinned: Option<&str>, offered: &str) -> Result<Seen, IdentityError> {
        if !signature::is_key(offered) {
            return Err(IdentityError::BadKey { name: name.to_owned() });
        }
        let differ = |expected: &str| (name.to_owned(), short(expected), short(offered));
        if let Some(pinned) = pinned {
            if pinned == offered {
                return Ok(Seen::Pinned);
            }
            let (name, expected, offered) = differ(pinned);
            return Err(IdentityError::NotPinned { name, expected, offered });
        }
        // Another run of this party may be looking at the same file.
        let lock_path = self.folder.join("known_peers.lock");
        let lock = options().truncate(false).open(&lock_path).map_err(failed("open", &lock_path))?;
        lock.lock().map_err(failed("lock", &lock_path))?;
        let mut known = self.load()?;
        match known.peers.get(name) {
            Some(expected) if expected == offered => Ok(Seen::Known),
            Some(expected) => {
                let (name, expected, offered) = differ(expected);
                Err(IdentityError::Changed { name, expected, offered, path: self.path.clone() })
            }
            None => {
                known.peers.insert(name.to_owned(), offered.to_owned());
                self.store(&known).map_err(failed("write", &self.path))?;
                Ok(Seen::First)
            }
        }
    }

    fn load(&self) -> Result<Known, IdentityError> {
        let text = match fs::read(&self.path) {
            Ok(text) => text,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Known::default()),
            Err(error) => return Err(failed("read", &self.path)(error)),
        };
        let damaged = |reason: String| IdentityError::DamagedPeers { path: self.path.clone(), reason };
        let known: Known = serde_json::from_slice(&text).map_err(|e| damaged(e.to_string()))?;
        match known.peers.iter().find(|(_, key)| !signature::is_key(key)) {
            Some((name, _)) => Err(damaged(format!("the key of {name} is none"))),
            None => Ok(known),
        }
    }

    fn store(&self, known: &Known) -> io::Result<()> {
        let temporary = self.folder.join(".known_peers.new");
        let mut file = options().truncate(true).open(&temporary)?;
        serde_json::to_writer_pretty(&mut file, known)?;
        file.write_all(b"\n")?;
        file.sync_all()?;
        fs::rename(&temporary, &self.path)?;
        File::open(&self.folder)?.sync_all()
    }
}

fn options() -> OpenOptions {
    let mut options = OpenOptions::new();
    options.write(true).create(true).mode(0o600);
    options
}

fn failed(what: &'static str, path: &Path) -> impl FnOnce(io::Error) -> IdentityError {
    let path = path.to_owned();
    move |error| IdentityError::File { what, path, error }
}

/// Writes a fresh key beside its place, makes it durable and links it there; a key that is there already stays.
fn create(folder: &Path, path: &Path) -> Result<(), IdentityError> {
    let random = |bytes: &mut [u8]| {
        getrandom::fill(bytes).map_err(|error| IdentityError::Randomness(error.to_string()))
    };
    let (mut seed, mut tag) = (Zeroizing::new([0; 32]), [0; 8]);
    random(&mut *seed)?;
    random(&mut tag)?;
    let temporary = folder.join(format!(".{KEY_FILE}.{}", hex(&tag)));
    let write = || {
        let mut file = OpenOptions::new().write(true).create_new(true).mode(0o600).open(&temporary)?;
        let digits = Zeroizing::new(hex(&*seed));
        file.write_all(digits.as_bytes())?;
        file.write_all(b"\n")?;
        file.sync_all()?;
        match fs::hard_link(&temporary, path) {
            Err(error) if error.kind() != io::ErrorKind::AlreadyExists => Err(error),
            _ => File::open(folder)?.sync_all(),
        }
    };
    let written = write();
    // What was written so far holds key material.
    let removed = fs::remove_file(&temporary);
    written.map_err(failed("create", path))?;
    removed.map_err(failed("remove", &temporary))
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::fs::PermissionsExt;
    use veilgrid_receipt::signature::verify;

    fn identity() -> (tempfile::TempDir, Identity) {
        let folder = tempfile::tempdir().unwrap();
        let identity = Identity::open_or_create(folder.path()).unwrap();
        (folder, identity)
    }

    #[test]
    fn a_key_is_made_once_and_only_its_owner_can_read_it() {
        let (folder, identity) = identity();
        let path = folder.path().join(KEY_FILE);
        assert_eq!(fs::metadata(&path).unwrap().mode() & 0o777, 0o600);
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1, "no temporary file is left");
        let again = Identity::open_or_create(folder.path()).unwrap();
        assert_eq!(again.public_key_hex(), identity.public_key_hex());
        assert_ne!(super::tests::identity().1.public_key_hex(), identity.public_key_hex());
    }

    #[test]
    fn processes_that_start_at_once_get_one_key() {
        let folder = tempfile::tempdir().unwrap();
        let keys: Vec<String> = std::thread::scope(|scope| {
            let open = || Identity::open_or_create(folder.path()).unwrap().public_key_hex();
            let threads: Vec<_> = (0..8).map(|_| scope.spawn(open)).collect();
            threads.into_iter().map(|thread| thread.join().unwrap()).collect()
        });
        assert!(keys.iter().all(|key| *key == keys[0]));
    }

    #[test]
    fn a_key_that_others_can_read_and_a_damaged_one_are_refused() {
        let (folder, _) = identity();
        let path = folder.path().join(KEY_FILE);
        let refused = || Identity::open_or_create(folder.path()).err().unwrap().to_string();
        fs::set_permissions(&path, fs::Permissions::from_mode(0o640)).unwrap();
        assert!(refused().contains("mode 640") && refused().contains("chmod 600"), "{}", refused());
        fs::set_permissions(&path, fs::Permissions::from_mode(0o600)).unwrap();
        let sound = fs::read(&path).unwrap();
        for damaged in [&sound[..40], b"", &[&sound[..], &sound[..]].concat()] {
            fs::write(&path, damaged).unwrap();
            assert!(refused().contains("damaged"), "{}", refused());
        }
    }

    #[test]
    fn a_signature_holds_for_its_key_domain_and_message_only() {
        let ((_a, one), (_b, other)) = (identity(), identity());
        let (key, signature) = (one.public_key_hex(), one.sign("plan", b"message"));
        assert!(verify(&key, "plan", b"message", &signature));
        assert!(!verify(&key, "channel", b"message", &signature));
        assert!(!verify(&key, "plan", b"massage", &signature));
        assert!(!verify(&other.public_key_hex(), "plan", b"message", &signature));
        assert!(!verify(&key.to_uppercase(), "plan", b"message", &signature));
        assert!(!verify(&key[1..], "plan", b"message", &signature));
        for bit in 0..512 {
            let mut changed = signature;
            changed[bit / 8] ^= 1 << (bit % 8);
            assert!(!verify(&key, "plan", b"message", &changed));
        }
        // The neutral element, for which a plain check would accept a signature of anything.
        let weak = format!("01{}", "00".repeat(31));
        let mut anything = [0; 64];
        anything[0] = 1;
        assert!(!verify(&weak, "plan", b"message", &anything));
    }

    #[test]
    fn peers_are_trusted_at_first_use_and_may_not_change() {
        let ((folder, one), (_b, other)) = (identity(), identity());
        let (one, other) = (one.public_key_hex(), other.public_key_hex());
        let mut known = KnownPeers::open(folder.path()).unwrap();
        assert_eq!(known.check("north", None, &one).unwrap(), Seen::First);
        assert_eq!(known.check("north", None, &one).unwrap(), Seen::Known);
        let mut known = KnownPeers::open(folder.path()).unwrap();
        assert_eq!(known.check("north", None, &one).unwrap(), Seen::Known);
        assert_eq!(known.check("south", None, &other).unwrap(), Seen::First);
        let changed = known.check("north", None, &other).unwrap_err().to_string();
        for part in ["north", &short(&one), &short(&other), PEERS_FILE] {
            assert!(changed.contains(part), "{changed}");
        }
        // A pin stands above what was seen.
        assert_eq!(known.check("north", Some(&other), &other).unwrap(), Seen::Pinned);
        let wrong = known.check("north", Some(&one), &other).unwrap_err().to_string();
        assert!(wrong.contains("north") && wrong.contains("publicKey"), "{wrong}");
        assert!(matches!(known.check("west", None, "abc"), Err(IdentityError::BadKey { .. })));
        assert_eq!(fs::metadata(folder.path().join(PEERS_FILE)).unwrap().mode() & 0o777, 0o600);
    }

    #[test]
    fn a_damaged_list_of_peers_is_refused() {
        let folder = tempfile::tempdir().unwrap();
        for damaged in ["", "{}", "[]", r#"{"peers":{"north":"00"}}"#, r#"{"peers":{},"other":1}"#] {
            fs::write(folder.path().join(PEERS_FILE), damaged).unwrap();
            let error = KnownPeers::open(folder.path()).err().unwrap().to_string();
            assert!(error.contains(PEERS_FILE) && error.contains("damaged"), "{error}");
        }
    }
}
