//! Elements as tiles of 8-bit limbs, and sums of products of limbs as elements.
//!
//! Bytes are brought into place by unpacking alone: with the registers' number and a byte's place in its 128-bit lane
//! written as bits, unpacking two registers turns the highest bit of the place into the highest of the number and the
//! lowest of the number into one of the place's.

use super::tiles::{Bytes, Shaped, Sums};
use crate::cpu::matmul::Entry;
use crate::cpu::{IntSimd, Lanes64, Prime};
use crate::field::{Field, M61};
use pulp::Simd;
use pulp::x86::V4;
use std::arch::x86_64::__m512i;

/// Elements of a row of a tile of limbs of `a`, and of a column of one of `b`.
pub(super) const DEEP: usize = 64;
/// Rows and columns of a tile of sums.
pub(super) const SIDE: usize = 16;

/// An element whose products can be summed in tiles.
pub trait Limbs: Entry {
    /// Bytes of an element.
    const LIMBS: usize;
    /// The column of `a`, of [`DEEP`], of which the limbs lie at `at` in a row of their tiles.
    fn place(at: usize) -> usize;
    /// The limbs of [`DEEP`] elements as row `row` of as many tiles.
    fn split_left(simd: V4, elements: &[Self::Raw], row: usize, tiles: &mut [Bytes]);
    /// The limbs of four rows of [`SIDE`] elements as row `row` of as many tiles.
    fn split_right(simd: V4, rows: [&[Self::Raw]; 4], row: usize, tiles: &mut [Bytes]);
    /// The sums, by weight, of products of panels.
    fn multiply(tiles: &Shaped, a: &[Bytes], b: &[Bytes], sums: &mut ByWeight);
    /// Adds the elements that row `row` of the sums makes to `acc`, of at most [`SIDE`] elements.
    fn add(simd: V4, sums: &ByWeight, row: usize, acc: &mut [Self::Raw]);
}

/// Sums of products of limbs: of weight 4 i + j in tile j of i.
pub(crate) type ByWeight = [[Sums; 4]; 4];

/// Unpacks pairs of registers by units of `BYTES`.
#[inline(always)]
fn unpack<const N: usize, const BYTES: usize>(simd: V4, from: [__m512i; N]) -> [__m512i; N] {
    let (bw, f) = (simd.avx512bw, simd.avx512f);
    let mut to = from;
    for i in 0..N / 2 {
        let (a, b) = (from[2 * i], from[2 * i + 1]);
        [to[i], to[i + N / 2]] = match BYTES {
            1 => [bw._mm512_unpacklo_epi8(a, b), bw._mm512_unpackhi_epi8(a, b)],
            2 => [bw._mm512_unpacklo_epi16(a, b), bw._mm512_unpackhi_epi16(a, b)],
            _ => [f._mm512_unpacklo_epi32(a, b), f._mm512_unpackhi_epi32(a, b)],
        };
    }
    to
}

#[inline(always)]
fn left<const N: usize>(simd: V4, registers: [__m512i; N]) -> [__m512i; N] {
    let twice = unpack::<N, 1>(simd, unpack::<N, 1>(simd, registers));
    unpack::<N, 1>(simd, unpack::<N, 1>(simd, twice))
}

#[inline(always)]
fn right<const N: usize>(simd: V4, registers: [__m512i; N]) -> [__m512i; N] {
    let rows = unpack::<N, 2>(simd, unpack::<N, 1>(simd, registers));
    unpack::<N, 4>(simd, unpack::<N, 4>(simd, rows))
}

#[inline(always)]
fn row(sums: &Sums, row: usize) -> __m512i {
    pulp::cast(sums.0[row])
}

#[inline(always)]
fn store(register: __m512i, row: usize, tile: &mut Bytes) {
    tile.0[row] = pulp::cast(register);
}

impl Limbs for u32 {
    const LIMBS: usize = 4;

    #[inline(always)]
    fn place(at: usize) -> usize {
        let (lane, in_lane, element) = (at / 16, at / 4 % 4, at % 4);
        16 * [0, 2, 1, 3][in_lane] + 4 * lane + element
    }
    #[inline(always)]
    fn split_left(simd: V4, elements: &[u32], row: usize, tiles: &mut [Bytes]) {
        let (vectors, _) = V4::as_simd_u32s(elements);
        let limbs = left(simd, std::array::from_fn::<_, 4, _>(|i| pulp::cast(vectors[i])));
        for (limb, reversed) in limbs.into_iter().zip([0, 2, 1, 3]) {
            store(limb, row, &mut tiles[reversed]);
        }
    }
    #[inline(always)]
    fn split_right(simd: V4, rows: [&[u32]; 4], row: usize, tiles: &mut [Bytes]) {
        let limbs = right(simd, rows.map(|row| pulp::cast(V4::as_simd_u32s(row).0[0])));
        for (limb, reversed) in limbs.into_iter().zip([0, 2, 1, 3]) {
            store(limb, row, &mut tiles[reversed]);
        }
    }
    /// All sums are modulo 2^32, so none is too long.
    #[inline(always)]
    fn multiply(tiles: &Shaped, a: &[Bytes], b: &[Bytes], [low, ..]: &mut ByWeight) {
        tiles.weights_0(a, b, Self::LIMBS, low);
    }
    #[inline(always)]
    fn add(simd: V4, [low, ..]: &ByWeight, at: usize, acc: &mut [u32]) {
        let f = simd.avx512f;
        let mut sum = row(&low[3], at);
        for weight in (0..3).rev() {
            sum = f._mm512_add_epi32(f._mm512_slli_epi32::<8>(sum), row(&low[weight], at));
        }
        if let (&mut [ref mut acc], []) = V4::as_mut_simd_u32s(acc) {
            *acc = simd.add_u32s(*acc, pulp::cast(sum));
            return;
        }
        let sums: [u32; SIDE] = pulp::cast(sum);
        for (acc, sum) in acc.iter_mut().zip(sums) {
            *acc = acc.wrapping_add(sum);
        }
    }
}

impl Limbs for u64 {
    const LIMBS: usize = 8;

    #[inline(always)]
    fn place(at: usize) -> usize {
        let (lane, in_lane, element) = (at / 16, at / 2 % 8, at % 2);
        8 * [0, 4, 2, 6, 1, 5, 3, 7][in_lane] + 2 * lane + element
    }
    #[inline(always)]
    fn split_left(simd: V4, elements: &[u64], row: usize, tiles: &mut [Bytes]) {
        let (vectors, _) = V4::as_simd_u64s(elements);
        let limbs = left(simd, std::array::from_fn::<_, 8, _>(|i| pulp::cast(vectors[i])));
        for (limb, reversed) in limbs.into_iter().zip([0, 4, 2, 6, 1, 5, 3, 7]) {
            store(limb, row, &mut tiles[reversed]);
        }
    }
    /// Columns 2 l, 2 l + 1, 8 + 2 l and 9 + 2 l lie in 128-bit lane l.
    #[inline(always)]
    fn split_right(simd: V4, rows: [&[u64]; 4], row: usize, tiles: &mut [Bytes]) {
        let half = |i: usize| pulp::cast(V4::as_simd_u64s(rows[i % 4]).0[i / 4]);
        let limbs = right(simd, std::array::from_fn::<_, 8, _>(half));
        for (limb, reversed) in limbs.into_iter().zip([0, 4, 2, 6, 1, 5, 3, 7]) {
            store(limb, row, &mut tiles[reversed]);
        }
    }
    #[inline(always)]
    fn multiply(tiles: &Shaped, a: &[Bytes], b: &[Bytes], [low, high, ..]: &mut ByWeight) {
        tiles.weights_0(a, b, Self::LIMBS, low);
        tiles.weights_4(a, b, high);
    }
    /// Weights 4 to 7 are needed modulo 2^32, so they may have wrapped: those of 32 bits more are put above each.
    #[inline(always)]
    fn add(simd: V4, [low, high, ..]: &ByWeight, at: usize, acc: &mut [u64]) {
        let f = simd.avx512f;
        let mut sums = [pulp::cast([0u64; 8]); 2];
        for weight in (0..4).rev() {
            let (low, high) = (row(&low[weight], at), row(&high[weight], at));
            let both = [f._mm512_unpacklo_epi32(low, high), f._mm512_unpackhi_epi32(low, high)];
            for (sum, both) in sums.iter_mut().zip(both) {
                *sum = f._mm512_add_epi64(f._mm512_slli_epi64::<8>(*sum), both);
            }
        }
        if let (&mut [ref mut first, ref mut second], []) = V4::as_mut_simd_u64s(acc) {
            *first = simd.add_u64s(*first, pulp::cast(sums[0]));
            *second = simd.add_u64s(*second, pulp::cast(sums[1]));
            return;
        }
        let sums: [u64; SIDE] = pulp::cast(sums);
        for (acc, sum) in acc.iter_mut().zip(sums) {
            *acc = acc.wrapping_add(sum);
        }
    }
}

impl Limbs for M61 {
    const LIMBS: usize = 8;

    #[inline(always)]
    fn place(at: usize) -> usize {
        u64::place(at)
    }
    #[inline(always)]
    fn split_left(simd: V4, elements: &[u64], row: usize, tiles: &mut [Bytes]) {
        u64::split_left(simd, elements, row, tiles);
    }
    #[inline(always)]
    fn split_right(simd: V4, rows: [&[u64]; 4], row: usize, tiles: &mut [Bytes]) {
        u64::split_right(simd, rows, row, tiles);
    }
    #[inline(always)]
    fn multiply(tiles: &Shaped, a: &[Bytes], b: &[Bytes], sums: &mut ByWeight) {
        let [first, second, third, fourth] = sums;
        tiles.weights_0(a, b, Self::LIMBS, first);
        tiles.weights_4(a, b, second);
        tiles.weights_8(a, b, third);
        tiles.weights_12(a, b, fourth);
    }
    /// Four weights together are below 2^54, and 2^32, 2^64 = 8 and 2^96 = 2^35 are the weights of the four sums: in
    /// all less than 2^63.
    #[inline(always)]
    fn add(simd: V4, sums: &ByWeight, at: usize, acc: &mut [u64]) {
        let f = simd.avx512f;
        let p = simd.splat_u64s(M61::MODULUS);
        let zero = pulp::cast([0u64; 8]);
        let mut totals = [simd.splat_u64s(0); 2];
        for (tiles, weight) in sums.iter().zip([0, 32, 3, 35]) {
            let mut four = [simd.splat_u64s(0); 2];
            for tile in tiles.iter().rev() {
                let sums = row(tile, at);
                // Unpacking also puts the columns in order.
                let wide = [f._mm512_unpacklo_epi32(sums, zero), f._mm512_unpackhi_epi32(sums, zero)];
                for (four, wide) in four.iter_mut().zip(wide) {
                    *four = simd.add_u64s(simd.left_u64s(*four, 8), pulp::cast(wide));
                }
            }
            for (total, four) in totals.iter_mut().zip(four) {
                // Turned to the left by the weight, as 61 bits.
                let turned = simd.and_u64s(simd.left_u64s(four, weight), p);
                *total = simd.add_u64s(*total, simd.add_u64s(turned, simd.right_u64s(four, 61 - weight)));
            }
        }
        let folded = totals.map(|total| {
            let low = simd.and_u64s(total, p);
            simd.reduce_once(simd.add_u64s(low, simd.right_u64s(total, 61)), p)
        });
        if let (&mut [ref mut first, ref mut second], []) = V4::as_mut_simd_u64s(acc) {
            *first = <M61 as Prime>::add(simd, *first, folded[0]);
            *second = <M61 as Prime>::add(simd, *second, folded[1]);
            return;
        }
        let sums: [u64; SIDE] = pulp::cast(folded);
        for (acc, sum) in acc.iter_mut().zip(sums) {
            *acc = <M61 as Entry>::plus(pulp::Scalar, *acc, sum);
        }
    }
}
