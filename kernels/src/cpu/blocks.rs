//! The order of ChaCha20's output: from sixteen rows, word `i` of one block in each lane of row `i`, to the blocks one after
//! the other.

#![allow(unsafe_code)] // Parts of a vector are stored by instructions that the compiler does not choose: see `store_lanes`.

use super::Row16;
use crate::stream::BLOCK;
use pulp::x86::{V3, V4};
use pulp::{u32x8, u32x16};
use std::arch::x86_64::{__m256i, __m512i};

/// Eight blocks.
#[inline(always)]
pub(super) fn turn_256(simd: V3, rows: &Row16<u32x8>) -> Row16<u32x8> {
    let avx2 = simd.avx2;
    let mut out = *rows;
    for half in 0..2 {
        let (a, b) = (quarter_256(simd, &rows.0[8 * half..]), quarter_256(simd, &rows.0[8 * half + 4..]));
        for (j, (a, b)) in a.into_iter().zip(b).enumerate() {
            out.0[2 * j + half] = pulp::cast(avx2._mm256_permute2x128_si256::<0x20>(a, b));
            out.0[2 * (4 + j) + half] = pulp::cast(avx2._mm256_permute2x128_si256::<0x31>(a, b));
        }
    }
    out
}

/// From four rows, four words of block 4 l + j in 128-bit lane l of vector j.
#[inline(always)]
fn quarter_256(simd: V3, rows: &[u32x8]) -> [__m256i; 4] {
    let avx2 = simd.avx2;
    let (a, b) = (pulp::cast(rows[0]), pulp::cast(rows[1]));
    let (c, d) = (pulp::cast(rows[2]), pulp::cast(rows[3]));
    let (ab, cd) = (avx2._mm256_unpacklo_epi32(a, b), avx2._mm256_unpacklo_epi32(c, d));
    let (ab_high, cd_high) = (avx2._mm256_unpackhi_epi32(a, b), avx2._mm256_unpackhi_epi32(c, d));
    [
        avx2._mm256_unpacklo_epi64(ab, cd),
        avx2._mm256_unpackhi_epi64(ab, cd),
        avx2._mm256_unpacklo_epi64(ab_high, cd_high),
        avx2._mm256_unpackhi_epi64(ab_high, cd_high),
    ]
}

/// Sixteen blocks.
#[inline(always)]
pub(super) fn turn_512(simd: V4, rows: &Row16<u32x16>) -> Row16<u32x16> {
    let f = simd.avx512f;
    let [a, b, c, d] = quarters_512(simd, rows);
    let mut out = *rows;
    for (j, ((a, b), (c, d))) in a.into_iter().zip(b).zip(c.into_iter().zip(d)).enumerate() {
        let (ab, cd) = (f._mm512_shuffle_i32x4::<0x44>(a, b), f._mm512_shuffle_i32x4::<0x44>(c, d));
        out.0[j] = pulp::cast(f._mm512_shuffle_i32x4::<0x88>(ab, cd));
        out.0[4 + j] = pulp::cast(f._mm512_shuffle_i32x4::<0xdd>(ab, cd));
        let (ab, cd) = (f._mm512_shuffle_i32x4::<0xee>(a, b), f._mm512_shuffle_i32x4::<0xee>(c, d));
        out.0[8 + j] = pulp::cast(f._mm512_shuffle_i32x4::<0x88>(ab, cd));
        out.0[12 + j] = pulp::cast(f._mm512_shuffle_i32x4::<0xdd>(ab, cd));
    }
    out
}

/// Writes sixteen blocks. What is read back at once is better turned by [`turn_512`]: a line that was stored in parts is not
/// there as one yet.
#[inline(always)]
pub(super) fn write_512(simd: V4, rows: &Row16<u32x16>, out: &mut [u8]) {
    let (out, _) = out.as_chunks_mut::<{ 16 * BLOCK }>();
    let [a, b, c, d] = quarters_512(simd, rows);
    for j in 0..4 {
        // SAFETY: `simd` exists only where the CPU has AVX-512F.
        unsafe { store_lanes([a[j], b[j], c[j], d[j]], &mut out[0], j) };
    }
}

#[inline(always)]
fn quarters_512(simd: V4, rows: &Row16<u32x16>) -> [[__m512i; 4]; 4] {
    let [a, b] = [quarter_512(simd, &rows.0[..4]), quarter_512(simd, &rows.0[4..8])];
    let [c, d] = [quarter_512(simd, &rows.0[8..12]), quarter_512(simd, &rows.0[12..])];
    [a, b, c, d]
}

/// From four rows, four words of block 4 l + j in 128-bit lane l of vector j.
#[inline(always)]
fn quarter_512(simd: V4, rows: &[u32x16]) -> [__m512i; 4] {
    let f = simd.avx512f;
    let (a, b) = (pulp::cast(rows[0]), pulp::cast(rows[1]));
    let (c, d) = (pulp::cast(rows[2]), pulp::cast(rows[3]));
    let (ab, cd) = (f._mm512_unpacklo_epi32(a, b), f._mm512_unpacklo_epi32(c, d));
    let (ab_high, cd_high) = (f._mm512_unpackhi_epi32(a, b), f._mm512_unpackhi_epi32(c, d));
    [
        f._mm512_unpacklo_epi64(ab, cd),
        f._mm512_unpackhi_epi64(ab, cd),
        f._mm512_unpacklo_epi64(ab_high, cd_high),
        f._mm512_unpackhi_epi64(ab_high, cd_high),
    ]
}

/// Lane l of the four vectors becomes block 4 l + j. To store a lane of 128 bits takes no port that computes, where two more rounds
/// of shuffles would take 32 turns of the only one that shuffles; but a compiler that sees four lanes go to one line shuffles.
#[target_feature(enable = "avx512f")]
#[inline]
fn store_lanes([a, b, c, d]: [__m512i; 4], out: &mut [u8; 16 * BLOCK], j: usize) {
    let (blocks, _) = out.as_chunks_mut::<{ 4 * BLOCK }>();
    let [block_0, block_1, block_2, block_3] = blocks else { unreachable!("four times four blocks") };
    let to = [block_0, block_1, block_2, block_3].map(|four| four[BLOCK * j..][..BLOCK].as_mut_ptr());
    // SAFETY: each pointer is that of 64 bytes that `out` lends, and all four quarters of these are written.
    unsafe {
        std::arch::asm!(
            "vextracti32x4 [{0}], {a}, 0",
            "vextracti32x4 [{0} + 16], {b}, 0",
            "vextracti32x4 [{0} + 32], {c}, 0",
            "vextracti32x4 [{0} + 48], {d}, 0",
            "vextracti32x4 [{1}], {a}, 1",
            "vextracti32x4 [{1} + 16], {b}, 1",
            "vextracti32x4 [{1} + 32], {c}, 1",
            "vextracti32x4 [{1} + 48], {d}, 1",
            "vextracti32x4 [{2}], {a}, 2",
            "vextracti32x4 [{2} + 16], {b}, 2",
            "vextracti32x4 [{2} + 32], {c}, 2",
            "vextracti32x4 [{2} + 48], {d}, 2",
            "vextracti32x4 [{3}], {a}, 3",
            "vextracti32x4 [{3} + 16], {b}, 3",
            "vextracti32x4 [{3} + 32], {c}, 3",
            "vextracti32x4 [{3} + 48], {d}, 3",
            in(reg) to[0], in(reg) to[1], in(reg) to[2], in(reg) to[3],
            a = in(zmm_reg) a, b = in(zmm_reg) b, c = in(zmm_reg) c, d = in(zmm_reg) d,
            options(nostack, preserves_flags)
        );
    }
}
