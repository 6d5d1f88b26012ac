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
        passes.write_blocks(chunk);
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
    lane: S::u32s,
    block: u64,
    /// What blocks begin with; row 12 comes with each pass.
    start: [S::u32s; 16],
    /// `start` after the first round of columns 1 to 3, which sees no row but 12 change from pass to pass.
    first: [S::u32s; 16],
    /// Word 13 of all lanes of `first`, if it is the same in all.
    high: Option<u32>,
}

impl<S: IntSimd> Passes<S> {
    /// Bytes of one pass.
    pub(crate) const BYTES: usize = S::U32_LANES * BLOCK;

    #[inline(always)]
    pub(crate) fn new(simd: S, span: &Span<'_>) -> Self {
        let mut start = [simd.splat_u32s(0); 16];
        for (row, word) in start.iter_mut().zip([0x6170_7865, 0x3320_646e, 0x7962_2d32, 0x6b20_6574]) {
            *row = simd.splat_u32s(word);
        }
        for (row, bytes) in start[4..12].iter_mut().zip(span.key.chunks_exact(4)) {
            *row = simd.splat_u32s(u32::from_le_bytes([bytes[0], bytes[1], bytes[2], bytes[3]]));
        }
        start[14] = simd.splat_u32s(span.id as u32);
        start[15] = simd.splat_u32s((span.id >> 32) as u32);
        let mut lane = [simd.splat_u32s(0)];
        for (i, word) in bytemuck::cast_slice_mut::<_, u32>(&mut lane).iter_mut().enumerate() {
            *word = i as u32;
        }
        Passes {
            simd,
            turns: simd.turns(),
            lane: lane[0],
            block: span.block,
            start,
            first: start,
            high: None,
        }
    }

    /// Goes on with another block of the same stream.
    #[inline(always)]
    pub(crate) fn seek(&mut self, block: u64) {
        self.block = block;
    }

    /// Sets rows 12 and 13 of `start` to the numbers of the next blocks, and `first` to what follows.
    #[inline(always)]
    fn count(&mut self) {
        let simd = self.simd;
        let (base, high) = (self.block as u32, (self.block >> 32) as u32);
        let low = simd.add_u32s(simd.splat_u32s(base), self.lane);
        self.start[12] = low;
        let wraps = base.checked_add(S::U32_LANES as u32 - 1).is_none();
        if wraps || self.high != Some(high) {
            // A lane whose low word has wrapped is below the first lane's.
            let wrapped = simd.less_than_u32s(low, simd.splat_u32s(base));
            let next = simd.splat_u32s(high.wrapping_add(1));
            self.start[13] = simd.select_u32s(wrapped, next, simd.splat_u32s(high));
            self.high = (!wraps).then_some(high);
            self.first = self.start;
            quarter_rounds(
                simd,
                self.turns,
                &mut self.first,
                [[1, 5, 9, 13], [2, 6, 10, 14], [3, 7, 11, 15]],
            );
        }
        self.block = self.block.wrapping_add(S::U32_LANES as u64);
    }

    /// The next blocks, one per lane, in memory order.
    #[inline(always)]
    pub(crate) fn next_blocks(&mut self) -> Row16<S::u32s> {
        let rows = self.next_rows();
        self.simd.blocks_of_rows(rows)
    }

    /// Writes the next blocks, [`Self::BYTES`] bytes.
    #[inline(always)]
    pub(crate) fn write_blocks(&mut self, out: &mut [u8]) {
        let rows = self.next_rows();
        self.simd.write_blocks(rows, out);
    }

    #[inline(always)]
    fn next_rows(&mut self) -> Row16<S::u32s> {
        self.count();
        let (simd, turns) = (self.simd, self.turns);
        let mut x = self.first;
        x[12] = self.start[12];
        quarter_rounds(simd, turns, &mut x, [[0, 4, 8, 12]]);
        quarter_rounds(simd, turns, &mut x, DIAGONALS);
        for _ in 1..10 {
            quarter_rounds(simd, turns, &mut x, COLUMNS);
            quarter_rounds(simd, turns, &mut x, DIAGONALS);
        }
        for (row, start) in x.iter_mut().zip(&self.start) {
            *row = simd.add_u32s(*row, *start);
        }
        Row16(x)
    }
}

const COLUMNS: [[usize; 4]; 4] = [[0, 4, 8, 12], [1, 5, 9, 13], [2, 6, 10, 14], [3, 7, 11, 15]];
const DIAGONALS: [[usize; 4]; 4] = [[0, 5, 10, 15], [1, 6, 11, 12], [2, 7, 8, 13], [3, 4, 9, 14]];

/// Quarter rounds on rows `a`, `b`, `c` and `d`, known when compiled: the rows must stay in registers.
#[inline(always)]
fn quarter_rounds<S: IntSimd, const N: usize>(
    simd: S,
    turns: S::Turns,
    x: &mut [S::u32s; 16],
    rows: [[usize; 4]; N],
) {
    for [a, b, c, d] in rows {
        x[a] = simd.add_u32s(x[a], x[b]);
        x[d] = simd.rotate_16(turns, simd.xor_u32s(x[d], x[a]));
        x[c] = simd.add_u32s(x[c], x[d]);
        x[b] = simd.rotate_12(simd.xor_u32s(x[b], x[c]));
        x[a] = simd.add_u32s(x[a], x[b]);
        x[d] = simd.rotate_8(turns, simd.xor_u32s(x[d], x[a]));
        x[c] = simd.add_u32s(x[c], x[d]);
        x[b] = simd.rotate_7(simd.xor_u32s(x[b], x[c]));
    }
}
