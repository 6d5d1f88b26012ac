//! Buffers of message bodies that are used again: faulting in fresh memory costs more than filling it.

use std::sync::{Mutex, MutexGuard, PoisonError};

/// Smaller bodies are not worth keeping.
const LEAST: usize = 64 << 10;
/// The most bytes that are kept.
const KEPT: usize = 8 << 20;

/// Buffers without content. What was in them was on the wire, so it need not be erased.
#[derive(Default)]
pub(super) struct Spares(Mutex<Vec<Vec<u8>>>);

impl Spares {
    fn lock(&self) -> MutexGuard<'_, Vec<Vec<u8>>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// An empty buffer with room for `length` bytes: the one used last, which is still in the cache.
    pub(super) fn take(&self, length: usize) -> Vec<u8> {
        let spare = if length >= LEAST { self.lock().pop() } else { None };
        let mut buffer = spare.unwrap_or_default();
        buffer.reserve_exact(length);
        buffer
    }

    /// Keeps a buffer for another body.
    pub(super) fn give(&self, mut buffer: Vec<u8>) {
        if buffer.capacity() < LEAST {
            return;
        }
        buffer.clear();
        let mut spares = self.lock();
        let kept: usize = spares.iter().map(Vec::capacity).sum();
        if kept + buffer.capacity() <= KEPT {
            spares.push(buffer);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn large_buffers_come_back_empty_and_no_more_than_a_few() {
        let spares = Spares::default();
        spares.give(vec![7; LEAST - 1]);
        assert!(spares.lock().is_empty());
        (0..KEPT / LEAST + 3).for_each(|_| spares.give(vec![7; LEAST]));
        assert_eq!(spares.lock().len(), KEPT / LEAST);
        let buffer = spares.take(2 * LEAST);
        assert!(buffer.is_empty() && buffer.capacity() >= 2 * LEAST);
        assert_eq!(spares.lock().len(), KEPT / LEAST - 1);
        assert_eq!(spares.take(1).capacity(), 1);
    }
}
