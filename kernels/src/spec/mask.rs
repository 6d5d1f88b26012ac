//! Masks: a vector plus or minus keystream read as little-endian words.

use super::{chacha, ring};
use crate::Word;

/// The first `len` words of the keystream from block `first` on.
pub fn words<T: Word>(key: &[u8; 32], id: u64, first: u64, len: usize) -> Vec<T> {
    let mut bytes = vec![0; len * size_of::<T>()];
    chacha::keystream(key, id, first, &mut bytes);
    bytes.chunks_exact(size_of::<T>()).map(T::from_le).collect()
}

/// `data[i] += word[i]`.
pub fn add<T: Word>(data: &mut [T], key: &[u8; 32], id: u64, first: u64) {
    ring::add(data, &words(key, id, first, data.len()));
}

/// `data[i] -= word[i]`.
pub fn sub<T: Word>(data: &mut [T], key: &[u8; 32], id: u64, first: u64) {
    ring::sub(data, &words(key, id, first, data.len()));
}
