//! What a protocol needs of a network: ordered messages, each delivered once, to and from each peer.

use std::future::Future;

/// The most bytes of one message's body: 1 MiB. Longer vectors travel as several messages.
pub const MAX_BODY: usize = 1 << 20;

/// What a message is for. A receiver knows which kind it waits for; any other is an error.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[repr(u8)]
pub enum Kind {
    /// A peer's plan, identity and signatures.
    Agree = 1,
    /// Where a peer stands: its attempt and state.
    Standing = 2,
    /// A 32-byte seed that expands to the pad of two parties.
    Seed = 3,
    /// The sender's share of the noised total is durable.
    Sealed = 4,
    /// Part of an opened share.
    Opened = 5,
    /// A recipient's signed hash of the result.
    Result = 6,
    /// The sender gives up; the body is the reason as UTF-8, without anything of its rows.
    Abort = 7,
    /// The sender needs nothing more.
    Bye = 8,
}

impl TryFrom<u8> for Kind {
    type Error = LinkError;

    fn try_from(byte: u8) -> Result<Self, LinkError> {
        use Kind::*;
        [Agree, Standing, Seed, Sealed, Opened, Result, Abort, Bye]
            .into_iter()
            .find(|kind| *kind as u8 == byte)
            .ok_or_else(|| LinkError::Violation(format!("a message of unknown kind {byte}")))
    }
}

/// One message.
#[derive(Clone, PartialEq, Eq)]
pub struct Message {
    /// What it is for.
    pub kind: Kind,
    /// At most [`MAX_BODY`] bytes.
    pub body: Vec<u8>,
}

/// Why a message did not travel.
#[derive(Clone, Debug, thiserror::Error)]
pub enum LinkError {
    /// The peer cannot be reached, or was silent for too long.
    #[error(
        "peer {peer} is unreachable: {reason}; check that it runs and that its address and certificate are right"
    )]
    Unreachable {
        /// The peer's name.
        peer: String,
        /// What was seen.
        reason: String,
    },
    /// The peer is there and is not who or what it should be.
    #[error("peer {peer} was refused: {reason}")]
    Refused {
        /// The peer's name, or its address where it gave none.
        peer: String,
        /// What was seen.
        reason: String,
    },
    /// The peer broke the rules of the wire.
    #[error("a peer sent {0}")]
    Violation(String),
    /// The peer gave up and said why.
    #[error("peer {peer} gave up: {reason}")]
    Aborted {
        /// The peer's name.
        peer: String,
        /// Its words.
        reason: String,
    },
    /// This party's own end is wrong.
    #[error("the network of this party cannot be used: {0}")]
    Local(String),
}

/// Ordered, exactly-once messages among the parties of a job.
pub trait Links: Send + Sync {
    /// How many parties there are, this one included.
    fn parties(&self) -> usize;
    /// The index of this party.
    fn me(&self) -> usize;
    /// The name of a party.
    fn name(&self, party: usize) -> &str;
    /// Queues a message for a peer; waits while the peer's queue is full.
    fn send(
        &self,
        to: usize,
        kind: Kind,
        body: Vec<u8>,
    ) -> impl Future<Output = Result<(), LinkError>> + Send;
    /// Queues one message for several peers.
    fn send_each(
        &self,
        to: &[usize],
        kind: Kind,
        body: Vec<u8>,
    ) -> impl Future<Output = Result<(), LinkError>> + Send {
        async move {
            for peer in to {
                self.send(*peer, kind, body.clone()).await?;
            }
            Ok(())
        }
    }
    /// The next message from a peer. An [`Kind::Abort`] comes out as [`LinkError::Aborted`].
    fn receive(&self, from: usize) -> impl Future<Output = Result<Message, LinkError>> + Send;
    /// An empty buffer for a body of this length; where there is one, a used one.
    fn buffer(&self, length: usize) -> Vec<u8> {
        Vec::with_capacity(length)
    }
    /// Takes a body that nobody needs any more, for [`Links::buffer`].
    fn recycle(&self, _body: Vec<u8>) {}
}
