//! Keys and the streams of pseudo-random blocks they open.

use crate::KernelError;
use zeroize::{Zeroize, ZeroizeOnDrop};

/// Bytes of one ChaCha20 block.
pub(crate) const BLOCK: usize = 64;

/// A 256-bit key. Wiped when dropped; it can be neither cloned, compared nor printed.
#[derive(Zeroize, ZeroizeOnDrop)]
pub struct Seed([u8; 32]);

impl Seed {
    /// A fresh key from the operating system.
    ///
    /// # Errors
    /// The operating system has no randomness to give.
    pub fn random() -> Result<Seed, getrandom::Error> {
        let mut seed = Seed([0; 32]);
        getrandom::fill(&mut seed.0)?;
        Ok(seed)
    }

    /// A key that the caller got elsewhere, from a peer for example. Wipe the original.
    pub fn from_bytes(bytes: [u8; 32]) -> Seed {
        Seed(bytes)
    }

    /// The bytes, to send to the one peer that shares this key.
    pub fn expose(&self) -> &[u8; 32] {
        &self.0
    }

    /// The stream `id` of this key, from its first block on. It takes the key away: one key opens one stream
    /// here, and its other holder opens the same.
    pub fn stream(self, id: u64) -> Stream {
        Stream { key: self, id, next: 0 }
    }
}

/// A position in one keystream. Each call that takes it consumes whole blocks and moves on, so no two calls
/// share keystream: it cannot be cloned, and it never moves backwards.
pub struct Stream {
    key: Seed,
    id: u64,
    /// Next unused block, 0 to 2^64 (all used).
    next: u128,
}

/// Blocks that one call consumes.
pub(crate) struct Span<'a> {
    pub(crate) key: &'a [u8; 32],
    pub(crate) id: u64,
    pub(crate) block: u64,
}

impl<'a> Span<'a> {
    /// What is left of it after its first blocks.
    pub(crate) fn after(&self, blocks: u64) -> Span<'a> {
        Span { block: self.block.wrapping_add(blocks), ..*self }
    }
}

impl Stream {
    /// The stream id.
    pub fn id(&self) -> u64 {
        self.id
    }

    /// Number of the next unused block; 2^64 when all are used.
    pub fn position(&self) -> u128 {
        self.next
    }

    /// Leaves out `blocks` blocks of 64 bytes.
    ///
    /// # Errors
    /// [`KernelError::StreamExhausted`] if fewer are left.
    pub fn skip(&mut self, blocks: u64) -> Result<(), KernelError> {
        self.take(blocks).map(drop)
    }

    /// Consumes the blocks that hold `bytes` bytes.
    pub(crate) fn take_bytes(&mut self, bytes: usize) -> Result<Span<'_>, KernelError> {
        self.take(bytes.div_ceil(BLOCK) as u64)
    }

    /// Consumes `blocks` blocks. The span of a call for none must not be read: its block may not exist.
    pub(crate) fn take(&mut self, blocks: u64) -> Result<Span<'_>, KernelError> {
        self.check(blocks)?;
        let block = self.next as u64;
        self.next += u128::from(blocks);
        Ok(Span { key: &self.key.0, id: self.id, block })
    }

    /// Whether `blocks` blocks are left, without consuming them.
    pub(crate) fn check(&self, blocks: u64) -> Result<(), KernelError> {
        let left = (1u128 << 64) - self.next;
        if u128::from(blocks) <= left {
            return Ok(());
        }
        Err(KernelError::StreamExhausted { needed: blocks, left: u64::try_from(left).unwrap_or(u64::MAX) })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn calls_never_share_blocks_and_the_end_is_an_error() {
        let mut stream = Seed::from_bytes([1; 32]).stream(5);
        assert_eq!(stream.take_bytes(65).map(|s| s.block), Ok(0));
        assert_eq!(stream.take_bytes(64).map(|s| s.block), Ok(2));
        assert_eq!(stream.take_bytes(0).map(|s| s.block), Ok(3));
        stream.skip(u64::MAX - 3).unwrap();
        assert_eq!(stream.position(), u128::from(u64::MAX));
        assert_eq!(stream.skip(2), Err(KernelError::StreamExhausted { needed: 2, left: 1 }));
        assert_eq!(stream.take(1).map(|s| s.block), Ok(u64::MAX));
        assert_eq!(stream.position(), 1 << 64);
        assert!(stream.skip(0).is_ok());
        assert_eq!(stream.skip(1), Err(KernelError::StreamExhausted { needed: 1, left: 0 }));
    }

    #[test]
    fn random_seeds_differ() {
        assert!(Seed::random().unwrap().expose() != Seed::random().unwrap().expose());
    }
}
