//! ChaCha20, one block per lane: sixteen rows of 32-bit words, turned into blocks at the end of each pass.

use super::{IntSimd, Kernel, Row16};
use crate::stream::{BLOCK, Span};

/// Fills `out` with keystream.
pub(crate) struct Keystream<'a> {
    pub(crate) span: Span<'a>,
    pub(crate) out: &'a mut [u8],
}

impl Kernel for Keystream<'_> {
    type Output = ();

    #[inline(always)]
    fn run<S: IntSimd>(self, simd: S) {
        keystream(simd, &self.span, self.out);
    }
}

/// The body of [`Keystream`], for other kernels too.
#[inline(always)]
pub(crate) fn keystream<S: IntSimd>(simd: S, span: &Span<'_>, out: &mut [u8]) {
    let mut passes = Passes::new(simd, span);
    let mut whole = out.chunks_exact_mut(Passes::<S>::BYTES);
    for chunk in &mut whole {
        chunk.copy_from_slice(passes.next_blocks().words());
    }
    let rest = whole.into_remainder();
    if !rest.is_empty() {
        rest.copy_from_slice(&passes.next_blocks().words()[..rest.len()]);
    }
}

/// Keystream in passes of one block per lane.
pub(crate) struct Passes<S: IntSimd> {
    simd: S,
    turns: S::Turns,
    /// The rows that all blocks share: constants, key and stream id.
    shared: [S::u32s; 14],
    lane: S::u32s,
    block: u64,
}

impl<S: IntSimd> Passes<S> {
    /// Bytes of one pass.
    pub(crate) const BYTES: usize = S::U32_LANES * BLOCK;

    #[inline(always)]
    pub(crate) fn new(simd: S, span: &Span<'_>) -> Self {
        let mut words = [0; 14];
        words[..4].copy_from_slice(&[0x6170_7865, 0x3320_646e, 0x7962_2d32, 0x6b20_6574]);
        for (word, bytes) in words[4..12].iter_mut().zip(span.key.chunks_exact(4)) {
            *word = u32::from_le_bytes([bytes[0], bytes[1], bytes[2], bytes[3]]);
        }
        words[12] = span.id as u32;
        words[13] = (span.id >> 32) as u32;
        let mut shared = [simd.splat_u32s(0); 14];
        for (row, word) in shared.iter_mut().zip(words) {
            *row = simd.splat_u32s(word);
        }
        let mut lane = [simd.splat_u32s(0)];
        for (i, word) in bytemuck::cast_slice_mut::<_, u32>(&mut lane).iter_mut().enumerate() {
            *word = i as u32;
        }
        Passes { simd, turns: simd.turns(), shared, lane: lane[0], block: span.block }
    }

    /// Goes on with another block of the same stream.
    #[inline(always)]
    pub(crate) fn seek(&mut self, block: u64) {
        self.block = block;
    }

    /// The next blocks, one per lane, in memory order.
    #[inline(always)]
    pub(crate) fn next_blocks(&mut self) -> Row16<S::u32s> {
        let simd = self.simd;
        let base = simd.splat_u32s(self.block as u32);
        let high = (self.block >> 32) as u32;
        let low = simd.add_u32s(base, self.lane);
        // A lane whose low word has wrapped is below the first lane's.
        let wrapped = simd.less_than_u32s(low, base);
        let high = simd.select_u32s(wrapped, simd.splat_u32s(high.wrapping_add(1)), simd.splat_u32s(high));
        self.block = self.block.wrapping_add(S::U32_LANES as u64);

        let turns = self.turns;
        let s = &self.shared;
        let start = [
            s[0], s[1], s[2], s[3], s[4], s[5], s[6], s[7], s[8], s[9], s[10], s[11], low, high, s[12], s[13],
        ];
        let mut x = start;
        for _ in 0..10 {
            quarter_round(simd, turns, &mut x, [0, 4, 8, 12]);
            quarter_round(simd, turns, &mut x, [1, 5, 9, 13]);
            quarter_round(simd, turns, &mut x, [2, 6, 10, 14]);
            quarter_round(simd, turns, &mut x, [3, 7, 11, 15]);
            quarter_round(simd, turns, &mut x, [0, 5, 10, 15]);
            quarter_round(simd, turns, &mut x, [1, 6, 11, 12]);
            quarter_round(simd, turns, &mut x, [2, 7, 8, 13]);
            quarter_round(simd, turns, &mut x, [3, 4, 9, 14]);
        }
        for (row, start) in x.iter_mut().zip(start) {
            *row = simd.add_u32s(*row, start);
        }
        simd.blocks_of_rows(Row16(x))
    }
}

/// A quarter round on rows `a`, `b`, `c` and `d`, known when compiled: the rows must stay in registers.
#[inline(always)]
fn quarter_round<S: IntSimd>(simd: S, turns: S::Turns, x: &mut [S::u32s; 16], [a, b, c, d]: [usize; 4]) {
    x[a] = simd.add_u32s(x[a], x[b]);
    x[d] = simd.rotate_16(turns, simd.xor_u32s(x[d], x[a]));
    x[c] = simd.add_u32s(x[c], x[d]);
    x[b] = simd.rotate_12(simd.xor_u32s(x[b], x[c]));
    x[a] = simd.add_u32s(x[a], x[b]);
    x[d] = simd.rotate_8(turns, simd.xor_u32s(x[d], x[a]));
    x[c] = simd.add_u32s(x[c], x[d]);
    x[b] = simd.rotate_7(simd.xor_u32s(x[b], x[c]));
}
