//! Integers to bit planes and back: 64x64 transposes, as many at once as a vector has lanes, so that no step but the
//! first (or the last) moves anything across lanes.

use super::lines::{FAR, ahead, past_caches, settle, to_line};
use super::{Grid, IntSimd, Kernel};

/// Bits of a word, words of a block, planes.
pub(super) const SIDE: usize = 64;
/// Blocks at a time: their words of one plane are a whole cache line.
const BLOCKS: usize = 8;
/// Values at a time.
const GROUP: usize = SIDE * BLOCKS;
/// Blocks of a tile. Long planes are often a power of two apart, so that their lines fall on the same few places of the
/// caches and of the table of pages: a tile brings so many words of each together that this costs little.
const TILE: usize = 8 * BLOCKS;
/// Words from one plane of a tile to the next: not a power of two.
const APART: usize = TILE + BLOCKS;
/// Values of a tile.
pub(super) const STEP: usize = SIDE * TILE;
/// Words of a plane from which on tiles are worth it.
const LONG: usize = 1024;

/// See [`crate::bits::to_planes`].
pub(crate) struct ToPlanes<'a> {
    pub(crate) values: &'a [u64],
    /// A row for each plane.
    pub(crate) planes: Grid<'a>,
}

/// See [`crate::bits::from_planes`].
pub(crate) struct FromPlanes<'a> {
    pub(crate) planes: &'a [u64],
    /// Words from one plane to the next.
    pub(crate) stride: usize,
    pub(crate) values: &'a mut [u64],
}

/// Row `i`: word `i` of one block in each lane.
type Square<S> = [<S as pulp::Simd>::u64s; SIDE];

/// Words of each plane, plane after plane.
#[repr(C, align(64))]
struct Lines<const WORDS: usize>([u64; WORDS]);

impl Kernel for ToPlanes<'_> {
    type Output = ();

    #[inline(always)]
    fn run<S: IntSimd>(self, simd: S) {
        let ToPlanes { mut values, mut planes } = self;
        let mut square: Square<S> = [simd.splat_u64s(0); SIDE];
        let mut first = 0;
        if planes.stride() >= LONG {
            let far = planes.stride() * SIDE * size_of::<u64>() >= FAR;
            let head = to_line(planes.row(0));
            if far && planes.stride().is_multiple_of(BLOCKS) && values.len() > SIDE * head {
                // From here on the lines of all planes are whole.
                let (of_head, rest) = values.split_at(SIDE * head);
                part(simd, &mut square, of_head, &mut planes, 0);
                (values, first) = (rest, head);
            }
            let mut tile = Lines([0; SIDE * APART]);
            let mut whole = values.chunks_exact(STEP);
            for values in &mut whole {
                for (i, values) in values.chunks_exact(GROUP).enumerate() {
                    let mut lines = Grid::new(&mut tile.0, SIDE);
                    to_lines::<S, true>(simd, &mut square, values, &mut lines, i * BLOCKS);
                }
                for (plane, line) in tile.0.chunks_exact(APART).enumerate() {
                    let (line, to) = (&line[..TILE], &mut planes.row(plane)[first..first + TILE]);
                    if far { past_caches(line, to) } else { copy::<S, false>(line, to) }
                }
                first += TILE;
            }
            if far {
                settle();
            }
            values = whole.remainder();
        }
        let mut whole = values.chunks_exact(GROUP);
        for values in &mut whole {
            to_lines::<S, false>(simd, &mut square, values, &mut planes, first);
            first += BLOCKS;
        }
        if first < planes.columns() {
            part(simd, &mut square, whole.remainder(), &mut planes, first);
        }
    }
}

impl Kernel for FromPlanes<'_> {
    type Output = ();

    #[inline(always)]
    fn run<S: IntSimd>(self, simd: S) {
        let FromPlanes { planes, stride, mut values } = self;
        let words = values.len().div_ceil(SIDE);
        let mut square: Square<S> = [simd.splat_u64s(0); SIDE];
        let mut first = 0;
        if stride >= LONG {
            let far = stride * SIDE * size_of::<u64>() >= FAR;
            let (mut tile, mut group) = (Lines([0; SIDE * APART]), Lines([0; GROUP]));
            let mut whole = values.chunks_exact_mut(STEP);
            for values in &mut whole {
                for (plane, line) in tile.0.chunks_exact_mut(APART).enumerate() {
                    copy::<S, true>(&planes[plane * stride + first..][..TILE], &mut line[..TILE]);
                }
                for (i, values) in values.chunks_exact_mut(GROUP).enumerate() {
                    let lines = &tile.0[i * BLOCKS..];
                    if far {
                        from_lines(simd, &mut square, lines, APART, &mut group.0);
                        past_caches(&group.0, values);
                    } else {
                        from_lines(simd, &mut square, lines, APART, values);
                    }
                }
                first += TILE;
            }
            if far {
                settle();
            }
            values = whole.into_remainder();
        }
        let mut whole = values.chunks_exact_mut(GROUP);
        for values in &mut whole {
            from_lines(simd, &mut square, &planes[first..], stride, values);
            first += BLOCKS;
        }
        if first < words {
            let (mut padded, mut lines) = ([0; GROUP], Lines([0; GROUP]));
            for (plane, line) in lines.0.chunks_exact_mut(BLOCKS).enumerate() {
                let kept = words - first;
                line[..kept].copy_from_slice(&planes[plane * stride + first..][..kept]);
            }
            from_lines(simd, &mut square, &lines.0, BLOCKS, &mut padded);
            let rest = whole.into_remainder();
            rest.copy_from_slice(&padded[..rest.len()]);
        }
    }
}

/// Whole vectors. With `AHEAD` those after `from` are read ahead.
#[inline(always)]
fn copy<S: IntSimd, const AHEAD: bool>(from: &[u64], to: &mut [u64]) {
    let ((from, _), (to, _)) = (S::as_simd_u64s(from), S::as_mut_simd_u64s(to));
    for (from, to) in from.iter().zip(to) {
        if AHEAD {
            ahead(from);
        }
        *to = *from;
    }
}

/// Fewer values than a group: their words of each plane go to its row from column `first` on.
#[inline(always)]
fn part<S: IntSimd>(simd: S, square: &mut Square<S>, values: &[u64], planes: &mut Grid<'_>, first: usize) {
    let (mut padded, mut lines) = ([0; GROUP], Lines([0; GROUP]));
    padded[..values.len()].copy_from_slice(values);
    to_lines::<S, false>(simd, square, &padded, &mut Grid::new(&mut lines.0, SIDE), 0);
    let words = values.len().div_ceil(SIDE);
    for (plane, line) in lines.0.chunks_exact(BLOCKS).enumerate() {
        planes.row(plane)[first..first + words].copy_from_slice(&line[..words]);
    }
}

/// Transposes eight blocks, whose words of each plane go to its row from column `first` on.
///
/// Halves off the diagonal change places, then those of each half, and so on ("Hacker's Delight", section 7-3), three
/// steps at a time, on eight rows that stay in registers. The order of the six steps is free: the first three are those of
/// rows that come from memory together. With `AHEAD` the values after these are read ahead.
#[inline(always)]
fn to_lines<S: IntSimd, const AHEAD: bool>(
    simd: S,
    square: &mut Square<S>,
    values: &[u64],
    lines: &mut Grid<'_>,
    first: usize,
) {
    let per_block = SIDE / S::U64_LANES;
    let (vectors, _) = S::as_simd_u64s(values);
    for (i, vectors) in vectors.chunks_exact(SIDE).enumerate() {
        for (k, eight) in square.as_chunks_mut::<8>().0.iter_mut().enumerate() {
            let mut rows = [simd.splat_u64s(0); 8];
            for (j, rows) in rows.chunks_exact_mut(S::U64_LANES).enumerate() {
                for (lane, row) in rows.iter_mut().enumerate() {
                    let vector = &vectors[lane * per_block + k * (8 / S::U64_LANES) + j];
                    if AHEAD {
                        ahead(vector);
                    }
                    *row = *vector;
                }
                simd.turn_u64s(rows);
            }
            bits(simd, &mut rows);
            *eight = rows;
        }
        for k in 0..8 {
            let mut rows = [square[k]; 8];
            for (row, from) in rows.iter_mut().zip(square[k..].iter().step_by(8)) {
                *row = *from;
            }
            bytes(simd, &mut rows);
            for (j, row) in rows.into_iter().enumerate() {
                let line = &mut lines.row(8 * j + k)[first + i * S::U64_LANES..][..S::U64_LANES];
                S::as_mut_simd_u64s(line).0[0] = row;
            }
        }
    }
}

/// The other way, from words of which those of one plane are `stride` after those of the plane before.
#[inline(always)]
fn from_lines<S: IntSimd>(simd: S, square: &mut Square<S>, lines: &[u64], stride: usize, values: &mut [u64]) {
    let per_block = SIDE / S::U64_LANES;
    let (vectors, _) = S::as_mut_simd_u64s(values);
    for (i, vectors) in vectors.chunks_exact_mut(SIDE).enumerate() {
        for k in 0..8 {
            let mut rows = [simd.splat_u64s(0); 8];
            for (j, row) in rows.iter_mut().enumerate() {
                let line = &lines[(8 * j + k) * stride + i * S::U64_LANES..][..S::U64_LANES];
                *row = S::as_simd_u64s(line).0[0];
            }
            bytes(simd, &mut rows);
            for (row, to) in rows.into_iter().zip(square[k..].iter_mut().step_by(8)) {
                *to = row;
            }
        }
        for (k, eight) in square.as_chunks::<8>().0.iter().enumerate() {
            let mut rows = *eight;
            bits(simd, &mut rows);
            for (j, rows) in rows.chunks_exact_mut(S::U64_LANES).enumerate() {
                simd.turn_u64s(rows);
                for (lane, row) in rows.iter().enumerate() {
                    vectors[lane * per_block + k * (8 / S::U64_LANES) + j] = *row;
                }
            }
        }
    }
}

/// The steps of 32, 16 and 8 rows, on rows that are 8 apart.
#[inline(always)]
fn bytes<S: IntSimd>(simd: S, rows: &mut [S::u64s; 8]) {
    step::<S, 4, 32>(simd, rows);
    step::<S, 2, 16>(simd, rows);
    step::<S, 1, 8>(simd, rows);
}

/// The steps of 4, 2 and 1 rows.
#[inline(always)]
fn bits<S: IntSimd>(simd: S, rows: &mut [S::u64s; 8]) {
    step::<S, 4, 4>(simd, rows);
    step::<S, 2, 2>(simd, rows);
    step::<S, 1, 1>(simd, rows);
}

/// Swaps the upper halves of fields of `2 BY` bits of each row whose place has `AWAY` clear with the lower halves of the
/// row `AWAY` further on, which is `BY` rows of the block.
#[inline(always)]
fn step<S: IntSimd, const AWAY: usize, const BY: u32>(simd: S, rows: &mut [S::u64s; 8]) {
    for i in 0..8 {
        if i & AWAY == 0 {
            (rows[i], rows[i + AWAY]) = simd.swap_bits::<BY>(rows[i], rows[i + AWAY]);
        }
    }
}
