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
        let per_group = 2 * GROUP / S::U64_LANES;
        for part in self.out.chunks_mut(GROUPS * GROUP) {
            let groups = part.len().div_ceil(GROUP);
            let words = &mut buffer.0[..2 * GROUP * groups];
            keystream(simd, &Span { block, ..self.span }, bytemuck::cast_slice_mut(words));
            let (vectors, _) = S::as_simd_u64s(words);
            let mut whole = part.chunks_exact_mut(GROUP);
            let mut vectors = vectors.chunks_exact(per_group);
            for (out, vectors) in (&mut whole).zip(&mut vectors) {
                reduce::<P, S>(simd, vectors, out);
            }
            if let Some(vectors) = vectors.next() {
                let (rest, mut elements) = (whole.into_remainder(), [0; GROUP]);
                reduce::<P, S>(simd, vectors, &mut elements);
                rest.copy_from_slice(&elements[..rest.len()]);
            }
            block = block.wrapping_add(BLOCKS * groups as u64);
        }
        buffer.0.zeroize();
    }
}

/// A group of elements from the vectors of its two blocks.
#[inline(always)]
fn reduce<P: Prime, S: IntSimd>(simd: S, vectors: &[S::u64s], out: &mut [u64]) {
    let (low, high) = vectors.split_at(vectors.len() / 2);
    for ((out, low), high) in S::as_mut_simd_u64s(out).0.iter_mut().zip(low).zip(high) {
        *out = P::reduce_any(simd, *low, *high);
    }
}
