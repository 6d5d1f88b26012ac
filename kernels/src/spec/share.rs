//! Additive shares modulo 2^64. All shares but one are masks, known by their keys; one is the correction.

use super::{mask, ring};

/// A mask: key, stream id, first block.
pub type Mask<'a> = (&'a [u8; 32], u64, u64);

/// Turns the secret into the correction: takes every mask off it.
pub fn split(secret: &mut [u64], masks: &[Mask<'_>]) {
    for (key, id, first) in masks {
        mask::sub(secret, key, *id, *first);
    }
}

/// Writes the share that a mask stands for.
pub fn expand(out: &mut [u64], (key, id, first): Mask<'_>) {
    out.copy_from_slice(&mask::words(key, id, first, out.len()));
}

/// Adds the other shares to the one in `acc`.
pub fn reconstruct(acc: &mut [u64], shares: &[&[u64]]) {
    for share in shares {
        ring::add(acc, share);
    }
}
