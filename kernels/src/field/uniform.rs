//! Uniform elements from a stream.

use super::{Field, words_mut};
use crate::cpu::uniform::Uniform;
use crate::device::Backend;
use crate::{Device, KernelError, Stream};
use std::marker::PhantomData;

/// Elements that share a run of blocks: one for each 64-bit word of a block.
pub(crate) const GROUP: usize = 8;
/// Blocks of that run: a low word and a high word for each element.
pub(crate) const BLOCKS: u64 = 2;

/// Writes elements that are as good as uniform: each is 128 bits of keystream modulo the prime `p`, so nothing depends
/// on what is drawn and nothing is rejected. Consumes `2 ceil(n / 8)` blocks for `n` elements: the words of the first
/// block of two are the low halves of eight elements, those of the second their high halves.
///
/// An element's total variation distance from uniform is at most `p / 2^130`, if the keystream is uniform: below
/// 2^-69 for [`M61`](crate::M61), 2^-66 for [`Field64`](crate::Field64); of `n` elements at most `n` times that. For
/// with `r = 2^128 mod p`, `r` elements come up `1 / 2^128` more often than the others, and the distance is
/// `r (p - r) / (p 2^128)`.
///
/// # Errors
/// [`KernelError::StreamExhausted`], or a GPU that fails.
pub fn uniform<F: Field>(device: &Device, stream: &mut Stream, out: &mut [F]) -> Result<(), KernelError> {
    let span = stream.take(BLOCKS * out.len().div_ceil(GROUP) as u64)?;
    match device.backend() {
        Backend::Cpu(arch) => arch.spread(Uniform::<F> { span, out: words_mut(out), field: PhantomData }),
        #[cfg(feature = "gpu")]
        Backend::Gpu(gpu) => gpu.field_uniform(&span, out)?,
    }
    Ok(())
}
