//! Why a run ended, for the person in front of it, for its peers, and as an exit code.

use crate::{
    aggregate::AggregateError, checkpoint::CheckpointError, exit::Exit, handshake::HandshakeError,
    identity::IdentityError, input::InputError, ledger::LedgerError, protocol::ProtocolError,
    transport::links::LinkError,
};
use std::{io, path::PathBuf};
use veilgrid_api::fault::Fault;
use veilgrid_kernels::DeviceError;

/// Why a run ended without a result.
#[derive(Debug, thiserror::Error)]
pub enum RunError {
    /// The configuration does not fit the manifest or the state.
    #[error("{0}")]
    Usage(String),
    /// The manifest cannot be read.
    #[error("the manifest {path} cannot be read: {error}; check its path and permissions")]
    Unreadable {
        /// The file.
        path: PathBuf,
        /// What the system says.
        error: io::Error,
    },
    /// The manifest is wrong, in all these places.
    #[error("the manifest is wrong:{}", .0.iter().map(|fault| format!("\n  {fault}")).collect::<String>())]
    Manifest(Vec<Fault>),
    /// The ledger says no, or cannot be used.
    #[error(transparent)]
    Ledger(#[from] LedgerError),
    /// The checkpoint cannot be used.
    #[error(transparent)]
    Checkpoint(#[from] CheckpointError),
    /// The party's key or its peers' cannot be used.
    #[error(transparent)]
    Identity(#[from] IdentityError),
    /// The parties do not agree.
    #[error(transparent)]
    Agreement(#[from] HandshakeError),
    /// The rows are not as the manifest says.
    #[error(transparent)]
    Input(#[from] InputError),
    /// Rows could not be summed.
    #[error(transparent)]
    Aggregate(#[from] AggregateError),
    /// No device.
    #[error(transparent)]
    Device(#[from] DeviceError),
    /// The protocol stopped.
    #[error(transparent)]
    Protocol(#[from] ProtocolError),
    /// The recipients hold different results.
    #[error("{0}")]
    Results(String),
    /// The result cannot be written.
    #[error("{path} cannot be written: {error}; check free space and permissions, then resume the run")]
    Output {
        /// The file or folder.
        path: PathBuf,
        /// What the system says.
        error: io::Error,
    },
    /// Something of a run that may have been opened is gone.
    #[error(
        "{0}; the run cannot be finished and its charge stays spent, since a second draw of noise would be a second release: start a new run"
    )]
    Lost(String),
    /// Interrupted from outside.
    #[error("interrupted")]
    Interrupted,
    /// After the charge was spent.
    #[error("{0}; the charge is spent: run again with --resume to finish, which charges nothing more")]
    Unfinished(Box<RunError>),
    /// A fault of this program.
    #[error("a fault of this program: {0}; please report it")]
    Internal(String),
}

impl From<LinkError> for RunError {
    fn from(error: LinkError) -> Self {
        Self::Protocol(error.into())
    }
}

impl RunError {
    /// The exit code.
    pub fn exit(&self) -> Exit {
        match self {
            Self::Usage(_) | Self::Unreadable { .. } | Self::Manifest(_) => Exit::Usage,
            Self::Ledger(LedgerError::Refused(_)) => Exit::BudgetRefused,
            Self::Ledger(LedgerError::Conflict { .. }) => Exit::Agreement,
            Self::Checkpoint(CheckpointError::Other { .. }) => Exit::Agreement,
            Self::Checkpoint(CheckpointError::Name { .. }) => Exit::Usage,
            Self::Ledger(_) | Self::Checkpoint(_) | Self::Lost(_) | Self::Output { .. } => Exit::State,
            Self::Identity(error) | Self::Agreement(HandshakeError::Identity(error)) => identity(error),
            Self::Agreement(HandshakeError::Link(_) | HandshakeError::Malformed { .. }) => Exit::Peer,
            Self::Agreement(_) => Exit::Agreement,
            Self::Input(_) => Exit::Input,
            Self::Aggregate(AggregateError::Input(_)) => Exit::Input,
            Self::Aggregate(AggregateError::Kernel(_)) => Exit::Device,
            Self::Device(_) => Exit::Device,
            Self::Protocol(ProtocolError::Kernel(_)) => Exit::Device,
            Self::Protocol(ProtocolError::Randomness(_)) => Exit::Internal,
            Self::Protocol(_) | Self::Results(_) => Exit::Peer,
            Self::Interrupted => Exit::Interrupted,
            Self::Unfinished(_) => Exit::Unfinished,
            Self::Internal(_) => Exit::Internal,
        }
    }

    /// What peers are told: the kind of trouble and no detail of this party's rows, files or figures.
    pub(crate) fn told(&self) -> String {
        match self {
            Self::Ledger(LedgerError::Refused(_)) => "its budget refused the run".into(),
            Self::Protocol(ProtocolError::Link(error)) => format!("its network failed: {error}"),
            Self::Protocol(ProtocolError::Unexpected { .. }) | Self::Results(_) => self.to_string(),
            Self::Unfinished(error) => error.told(),
            Self::Lost(_) => "it or a peer lost what a charged run needs".into(),
            _ => match self.exit() {
                Exit::Input => "its rows are not as the manifest says".into(),
                Exit::Agreement => "plans or identities do not match".into(),
                Exit::Device => "its device failed".into(),
                Exit::State => "its state folder or its disk failed".into(),
                Exit::Interrupted => "it was interrupted".into(),
                Exit::Usage => "its configuration or its manifest is wrong".into(),
                _ => "of a fault of its program".into(),
            },
        }
    }
}

fn identity(error: &IdentityError) -> Exit {
    match error {
        IdentityError::BadKey { .. } | IdentityError::NotPinned { .. } | IdentityError::Changed { .. } => {
            Exit::Agreement
        }
        IdentityError::Randomness(_) => Exit::Internal,
        _ => Exit::State,
    }
}
