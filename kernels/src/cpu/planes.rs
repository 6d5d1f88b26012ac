//! Integers to bit planes and back: 64x64 transposes, as many at once as a vector has lanes, so that no step but the
//! first (or the last) moves anything across lanes.

use super::{IntSimd, Kernel};

/// Bits of a word, words of a block, planes.
const SIDE: usize = 64;
/// Blocks at a time: their words of one plane are a whole cache line, which is written once.
const BLOCKS: usize = 8;

/// See [`crate::bits::to_planes`].
pub(crate) struct ToPlanes<'a> {
    pub(crate) values: &'a [u64],
    pub(crate) planes: &'a mut [u64],
}

/// See [`crate::bits::from_planes`].
pub(crate) struct FromPlanes<'a> {
    pub(crate) planes: &'a [u64],
    pub(crate) values: &'a mut [u64],
}

/// Word `i` of one block in each lane of row `i`; as many of these as eight blocks take.
type Squares<S> = [[<S as pulp::Simd>::u64s; SIDE]; BLOCKS];

impl Kernel for ToPlanes<'_> {
    type Output = ();

    #[inline(always)]
    fn run<S: IntSimd>(self, simd: S) {
        let plane = self.values.len().div_ceil(SIDE);
        let mut squares: Squares<S> = [[simd.splat_u64s(0); SIDE]; BLOCKS];
        let mut first = 0;
        let mut whole = self.values.chunks_exact(SIDE * BLOCKS);
        for values in &mut whole {
            load(simd, &mut squares, values);
            store_planes(simd, &mut squares, &mut self.planes[first..], plane, BLOCKS);
            first += BLOCKS;
        }
        if first < plane {
            let mut padded = [0; SIDE * BLOCKS];
            padded[..whole.remainder().len()].copy_from_slice(whole.remainder());
            load(simd, &mut squares, &padded);
            store_planes(simd, &mut squares, &mut self.planes[first..], plane, plane - first);
        }
    }
}

/// Eight blocks of values.
#[inline(always)]
fn load<S: IntSimd>(simd: S, squares: &mut Squares<S>, values: &[u64]) {
    let (vectors, _) = S::as_simd_u64s(values);
    for (square, vectors) in squares.iter_mut().zip(vectors.chunks_exact(SIDE)) {
        for (i, rows) in square.chunks_exact_mut(S::U64_LANES).enumerate() {
            for (lane, row) in rows.iter_mut().enumerate() {
                *row = vectors[lane * SIDE / S::U64_LANES + i];
            }
            simd.turn_u64s(rows);
        }
    }
}

/// Transposes the blocks and writes `blocks` words of each plane.
#[inline(always)]
fn store_planes<S: IntSimd>(
    simd: S,
    squares: &mut Squares<S>,
    planes: &mut [u64],
    plane: usize,
    blocks: usize,
) {
    let used = &mut squares[..BLOCKS / S::U64_LANES];
    for square in &mut *used {
        transpose(simd, square);
    }
    for j in 0..SIDE {
        let line = &mut planes[j * plane..][..blocks];
        if blocks == BLOCKS {
            let (line, _) = S::as_mut_simd_u64s(line);
            for (word, square) in line.iter_mut().zip(&*used) {
                *word = square[j];
            }
        } else {
            for (line, square) in line.chunks_mut(S::U64_LANES).zip(&*used) {
                line.copy_from_slice(&bytemuck::cast_slice(&square[j..=j])[..line.len()]);
            }
        }
    }
}

impl Kernel for FromPlanes<'_> {
    type Output = ();

    #[inline(always)]
    fn run<S: IntSimd>(self, simd: S) {
        let plane = self.values.len().div_ceil(SIDE);
        let mut squares: Squares<S> = [[simd.splat_u64s(0); SIDE]; BLOCKS];
        let mut first = 0;
        let mut whole = self.values.chunks_exact_mut(SIDE * BLOCKS);
        for values in &mut whole {
            load_planes(simd, &mut squares, &self.planes[first..], plane, BLOCKS);
            store(simd, &mut squares, values);
            first += BLOCKS;
        }
        let rest = whole.into_remainder();
        if first < plane {
            let mut padded = [0; SIDE * BLOCKS];
            load_planes(simd, &mut squares, &self.planes[first..], plane, plane - first);
            store(simd, &mut squares, &mut padded);
            rest.copy_from_slice(&padded[..rest.len()]);
        }
    }
}

/// Reads `blocks` words of each plane and transposes the blocks.
#[inline(always)]
fn load_planes<S: IntSimd>(simd: S, squares: &mut Squares<S>, planes: &[u64], plane: usize, blocks: usize) {
    let used = &mut squares[..BLOCKS / S::U64_LANES];
    for j in 0..SIDE {
        let line = &planes[j * plane..][..blocks];
        if blocks == BLOCKS {
            let (line, _) = S::as_simd_u64s(line);
            for (word, square) in line.iter().zip(&mut *used) {
                square[j] = *word;
            }
        } else {
            for (line, square) in line.chunks(S::U64_LANES).zip(&mut *used) {
                bytemuck::cast_slice_mut(&mut square[j..=j])[..line.len()].copy_from_slice(line);
            }
        }
    }
    for square in used {
        transpose(simd, square);
    }
}

/// Eight blocks of values.
#[inline(always)]
fn store<S: IntSimd>(simd: S, squares: &mut Squares<S>, values: &mut [u64]) {
    let (vectors, _) = S::as_mut_simd_u64s(values);
    for (square, vectors) in squares.iter_mut().zip(vectors.chunks_exact_mut(SIDE)) {
        for (i, rows) in square.chunks_exact_mut(S::U64_LANES).enumerate() {
            simd.turn_u64s(rows);
            for (lane, row) in rows.iter().enumerate() {
                vectors[lane * SIDE / S::U64_LANES + i] = *row;
            }
        }
    }
}

/// Transposes one block in each lane: its halves off the diagonal change places, then those of each half, and so on
/// ("Hacker's Delight", section 7-3). Three steps at a time, on eight rows that stay in registers.
#[inline(always)]
fn transpose<S: IntSimd>(simd: S, square: &mut [S::u64s; SIDE]) {
    for i in 0..8 {
        let mut rows = [square[i]; 8];
        for (k, row) in rows.iter_mut().enumerate() {
            *row = square[8 * k + i];
        }
        step::<S, 4>(simd, &mut rows, 32, 0x0000_0000_ffff_ffff);
        step::<S, 2>(simd, &mut rows, 16, 0x0000_ffff_0000_ffff);
        step::<S, 1>(simd, &mut rows, 8, 0x00ff_00ff_00ff_00ff);
        for (k, row) in rows.into_iter().enumerate() {
            square[8 * k + i] = row;
        }
    }
    let (eights, _) = square.as_chunks_mut();
    for eight in eights {
        let mut rows = *eight;
        step::<S, 4>(simd, &mut rows, 4, 0x0f0f_0f0f_0f0f_0f0f);
        step::<S, 2>(simd, &mut rows, 2, 0x3333_3333_3333_3333);
        step::<S, 1>(simd, &mut rows, 1, 0x5555_5555_5555_5555);
        *eight = rows;
    }
}

/// Swaps the bits outside `mask` of each row whose place has `AWAY` clear with those inside it of the row `AWAY`
/// further on, which is `by` rows of the block.
#[inline(always)]
fn step<S: IntSimd, const AWAY: usize>(simd: S, rows: &mut [S::u64s; 8], by: u32, mask: u64) {
    let mask = simd.splat_u64s(mask);
    for i in 0..8 {
        if i & AWAY == 0 {
            let (a, b) = (rows[i], rows[i + AWAY]);
            let moved = simd.and_u64s(simd.xor_u64s(simd.right_u64s(a, by), b), mask);
            rows[i] = simd.xor_u64s(a, simd.left_u64s(moved, by));
            rows[i + AWAY] = simd.xor_u64s(b, moved);
        }
    }
}
