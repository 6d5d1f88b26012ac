//! Keystream combined with a vector, pass by pass, in registers.

use super::chacha::Passes;
use super::ring::zip;
use super::{IntSimd, Kernel, Operation};
use crate::Word;
use crate::stream::Span;

/// `data[i] = operation(data[i], word[i])`.
pub(crate) struct Mask<'a, O, T> {
    pub(crate) operation: O,
    pub(crate) span: Span<'a>,
    pub(crate) data: &'a mut [T],
}

impl<O: Operation, T: Word> Kernel for Mask<'_, O, T> {
    type Output = ();

    #[inline(always)]
    fn run<S: IntSimd>(self, simd: S) {
        let mut passes = Passes::new(simd, &self.span);
        let mut whole = self.data.chunks_exact_mut(Passes::<S>::BYTES / size_of::<T>());
        for chunk in &mut whole {
            zip(simd, self.operation, chunk, passes.next_blocks().words());
        }
        let rest = whole.into_remainder();
        if !rest.is_empty() {
            zip(simd, self.operation, rest, &passes.next_blocks().words()[..rest.len()]);
        }
    }
}
