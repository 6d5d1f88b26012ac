//! Uniform elements of the prime fields: keystream, reduced.

use super::chacha::keystream;
use super::{IntSimd, Kernel, Prime};
use crate::field::uniform::{BLOCKS, GROUP};
use crate::stream::Span;
use std::marker::PhantomData;
use zeroize::Zeroize;

/// Groups at a time: their keystream is half of a first-level cache, in whole passes of any level.
const GROUPS: usize = 128;

/// Writes one element for each two words of the stream.
pub(crate) struct Uniform<'a, P> {
    pub(crate) span: Span<'a>,
    pub(crate) out: &'a mut [u64],
    pub(crate) field: PhantomData<P>,
}

#[repr(C, align(64))]
struct Buffer([u64; GROUPS * GROUP * BLOCKS as usize]);

impl<P: Prime> Kernel for Uniform<'_, P> {
    type Output = ();

    #[inline(always)]
    fn run<S: IntSimd>(self, simd: S) {
        let mut buffer = Buffer([0; GROUPS * GROUP * BLOCKS as usize]);
        let mut block = self.span.block;
        let per_block = GROUP / S::U64_LANES;
        for part in self.out.chunks_mut(GROUPS * GROUP) {
            let groups = part.len().div_ceil(GROUP);
            let words = &mut buffer.0[..2 * GROUP * groups];
            keystream(simd, &Span { block, ..self.span }, bytemuck::cast_slice_mut(words));
            let (vectors, _) = S::as_simd_u64s(words);
            for (vectors, out) in vectors.chunks_exact(2 * per_block).zip(part.chunks_mut(GROUP)) {
                let mut elements = [0; GROUP];
                let (reduced, _) = S::as_mut_simd_u64s(&mut elements);
                for (i, reduced) in reduced.iter_mut().enumerate() {
                    *reduced = P::reduce_any(simd, vectors[i], vectors[per_block + i]);
                }
                match out.as_mut_array::<GROUP>() {
                    Some(out) => *out = elements,
                    None => out.copy_from_slice(&elements[..out.len()]),
                }
            }
            block = block.wrapping_add(BLOCKS * groups as u64);
        }
        buffer.0.zeroize();
    }
}
