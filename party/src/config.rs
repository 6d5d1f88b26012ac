//! What a party process is told when it starts.

use serde::{Deserialize, Serialize};
use std::{collections::BTreeMap, net::SocketAddr, path::PathBuf, time::Duration};
use zeroize::Zeroizing;

/// The configuration of one party in one run, as JSON in a file or on standard input.
#[derive(Clone, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct PartyConfig {
    /// The manifest; paths in it are relative to its folder.
    pub manifest: PathBuf,
    /// The job's name, where the manifest holds several.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub job: Option<String>,
    /// This party's name in the job.
    pub party: String,
    /// Names the charge: 32 hexadecimal digits, the same at every party.
    pub run: String,
    /// This party's lasting folder: identity, known peers, ledger, checkpoints.
    pub state: PathBuf,
    /// Where result and receipt are written.
    pub out: PathBuf,
    /// Take up the run where a crash left it.
    #[serde(default)]
    pub resume: bool,
    /// Of a run that is taken up: its state folder must hold it. Where that is gone the run is lost, since what was opened of it
    /// nobody knows.
    #[serde(default)]
    pub begun: bool,
    /// Where to listen; port 0 takes a free one.
    pub listen: SocketAddr,
    /// Peers' addresses (`host:port`) by name. Where empty, they are read as one JSON line from standard input after
    /// this party has said where it listens.
    #[serde(default)]
    pub peers: BTreeMap<String, String>,
    /// This party's certificate and whom it believes.
    pub tls: TlsConfig,
    /// Seconds to wait for an absent or silent peer.
    #[serde(default = "default_patience")]
    pub patience_seconds: u64,
    /// Where the last event is written too, such as a container's termination message.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub termination: Option<PathBuf>,
    /// A recipient prints the result and its receipt as an event, for whoever collects them.
    #[serde(default)]
    pub print_result: bool,
    /// How this party's rows are read from the object store that its dataset names; they are in the file of `source.path`
    /// where absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub store: Option<StoreConfig>,
}

/// How an object store is used.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct StoreConfig {
    /// A folder with a file for each credential, such as a Secret that is mounted; requests are not signed where absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub credentials: Option<PathBuf>,
    /// Seconds for which a request that the store does not answer, or answers with errors of its own, is tried again.
    #[serde(default = "default_patience")]
    pub patience_seconds: u64,
}

impl StoreConfig {
    /// For how long a request is tried again.
    pub fn patience(&self) -> Duration {
        Duration::from_secs(self.patience_seconds.max(1))
    }
}

fn default_patience() -> u64 {
    60
}

/// PEM texts. A certificate's DNS name is the party's name.
#[derive(Clone, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct TlsConfig {
    /// Who signs the parties' certificates.
    pub authority: String,
    /// This party's certificate. Absent where `bundle` is given.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub certificate: String,
    /// Its private key. Absent where `bundle` is given.
    #[serde(default, skip_serializing_if = "no_text")]
    pub key: Zeroizing<String>,
    /// A file with both, such as one that a Kubernetes node makes for a pod.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub bundle: Option<PathBuf>,
}

fn no_text(text: &Zeroizing<String>) -> bool {
    text.is_empty()
}
