//! The S3 server of scripts/s3-server.sh with one bucket, and a Secret's folder.

use std::{
    fs,
    io::{BufRead, BufReader, Write},
    net::SocketAddr,
    path::{Path, PathBuf},
    process::{Child, ChildStdin, ChildStdout, Command, Stdio},
    sync::Mutex,
};
use tempfile::TempDir;
use veilgrid_party::config::StoreConfig;

/// A server with the bucket `north`.
pub(crate) struct World {
    folder: TempDir,
    server: Child,
    talk: Mutex<(ChildStdin, BufReader<ChildStdout>)>,
    pub(crate) address: SocketAddr,
    pub(crate) id: String,
    pub(crate) secret: String,
}

impl Drop for World {
    fn drop(&mut self) {
        // It may have ended already.
        let _ = self.server.kill();
        let _ = self.server.wait();
    }
}

impl World {
    pub(crate) fn new() -> Self {
        let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("../scripts/s3-server.sh");
        let mut server = Command::new(script)
            .args(["127.0.0.1", "north"])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .expect("the S3 server starts");
        let ask = server.stdin.take().unwrap();
        let mut answer = BufReader::new(server.stdout.take().unwrap());
        let mut line = String::new();
        answer.read_line(&mut line).unwrap();
        let [address, id, secret] = line.split_whitespace().collect::<Vec<_>>()[..] else {
            panic!("scripts/s3-server.sh says {line:?}; run it by hand to see why");
        };
        let folder = TempDir::new().unwrap();
        for name in ["secret", "files"] {
            fs::create_dir(folder.path().join(name)).unwrap();
        }
        let (address, id, secret) = (address.parse().unwrap(), id.to_owned(), secret.to_owned());
        let world = Self { folder, server, talk: Mutex::new((ask, answer)), address, id, secret };
        world.credentials(&world.id, &world.secret);
        world
    }

    pub(crate) fn folder(&self) -> &Path {
        self.folder.path()
    }

    /// Writes the Secret.
    pub(crate) fn credentials(&self, id: &str, secret: &str) {
        let folder = self.folder().join("secret");
        fs::write(folder.join("AWS_ACCESS_KEY_ID"), format!("{id}\n")).unwrap();
        fs::write(folder.join("AWS_SECRET_ACCESS_KEY"), secret).unwrap();
    }

    /// The same bytes as objects have, in files.
    pub(crate) fn files(&self) -> PathBuf {
        self.folder().join("files")
    }

    /// Puts an object below the prefix `2026`, and a file.
    pub(crate) fn put(&self, path: &str, bytes: &[u8]) {
        let file = self.files().join(path);
        fs::write(&file, bytes).unwrap();
        let (ask, answer) = &mut *self.talk.lock().unwrap();
        writeln!(ask, "2026/{path} {}", file.display()).unwrap();
        let mut line = String::new();
        answer.read_line(&mut line).unwrap();
        assert_eq!(line, "put\n");
    }

    pub(crate) fn config(&self, patience_seconds: u64) -> StoreConfig {
        StoreConfig { credentials: Some(self.folder().join("secret")), patience_seconds }
    }
}
