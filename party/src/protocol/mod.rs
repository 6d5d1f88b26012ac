//! How parties compute on shares.
//!
//! A protocol is one file here. It speaks over any [`Links`], checks the kind, length and
//! order of each message before it uses a byte, and never holds more than a few messages beside its vectors.

pub mod additive;
pub mod chunk;
#[doc(hidden)]
pub mod memory;
pub mod noise;

use crate::transport::links::{Kind, LinkError, Links, Message};
use veilgrid_kernels::KernelError;

/// Stream ids under a seed.
pub(crate) const MASK_STREAM: u64 = 1;
pub(crate) const NOISE_STREAM: u64 = 2;

/// Why a protocol stopped.
#[derive(Debug, thiserror::Error)]
pub enum ProtocolError {
    /// A message did not travel.
    #[error(transparent)]
    Link(#[from] LinkError),
    /// A batch was not computed.
    #[error(transparent)]
    Kernel(#[from] KernelError),
    /// The operating system gave no randomness.
    #[error("the operating system gives no randomness: {0}")]
    Randomness(#[from] getrandom::Error),
    /// A peer's message is not what the protocol has at this place.
    #[error("peer {peer} sent {what}; the parties run different versions, or the peer broke the protocol")]
    Unexpected {
        /// The peer's name.
        peer: String,
        /// What it sent, and what was due.
        what: String,
    },
    /// A protocol needs peers.
    #[error("{parties} parties cannot share: two at least are needed")]
    Parties {
        /// How many there are.
        parties: usize,
    },
}

/// The next message of a peer, which must be of this kind.
pub(crate) async fn receive(links: &impl Links, from: usize, kind: Kind) -> Result<Vec<u8>, ProtocolError> {
    let Message { kind: got, body } = links.receive(from).await?;
    if got == kind {
        return Ok(body);
    }
    Err(unexpected(links, from, format!("{got:?} where {kind:?} was due")))
}

pub(crate) fn unexpected(links: &impl Links, from: usize, what: String) -> ProtocolError {
    ProtocolError::Unexpected { peer: links.name(from).to_owned(), what }
}
