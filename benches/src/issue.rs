//! What a core's vector units could do at most: instructions that wait for nothing, counted by what a kernel takes.

use pulp::x86::{V3, V4};
use pulp::{NullaryFnOnce, Simd};
use std::hint::black_box;
use veilgrid_kernels::Level;

/// Bits of a vector.
pub fn width(level: Level) -> usize {
    if level == Level::Avx2 { 256 } else { 512 }
}

/// As many multiplications as products of `vectors` vectors take, of u64 if `wide`, else of u32.
///
/// # Panics
/// Where the CPU lacks the level.
pub fn multiplications(level: Level, wide: bool, vectors: usize) {
    if level == Level::Avx2 {
        let simd = V3::try_new().expect("a device at the level");
        simd.vectorize(Multiplications { simd, vectors, wide });
    } else {
        let simd = V4::try_new().expect("a device at the level");
        simd.vectorize(Multiplications { simd, vectors, wide });
    }
}

/// Multiplications on twelve vectors in turn.
struct Multiplications<S> {
    simd: S,
    vectors: usize,
    wide: bool,
}

/// By AVX2 one of 32-bit lanes for each vector, and for u64 one of the lower halves besides.
impl NullaryFnOnce for Multiplications<V3> {
    type Output = ();

    #[inline(always)]
    fn call(self) {
        let avx2 = self.simd.avx2;
        let mut x = [self.simd.splat_u64s(3); 12];
        let b = black_box(self.simd.splat_u64s(5));
        for _ in 0..self.vectors / 12 {
            for x in &mut x {
                *x = pulp::cast(avx2._mm256_mullo_epi32(pulp::cast(*x), pulp::cast(b)));
                // Else the compiler multiplies by the square of `b` half as often.
                *x = self.simd.xor_u64s(*x, b);
                if self.wide {
                    *x = pulp::cast(avx2._mm256_mul_epu32(pulp::cast(*x), pulp::cast(b)));
                }
            }
        }
        black_box(x);
    }
}

/// By AVX-512 one for each vector.
impl NullaryFnOnce for Multiplications<V4> {
    type Output = ();

    #[inline(always)]
    fn call(self) {
        let Multiplications { simd, vectors, wide } = self;
        // Each with its neighbour, which changes: else the compiler does several with one.
        let mut x = black_box([simd.splat_u64s(3); 12]);
        for _ in 0..vectors / 12 {
            for i in 0..12 {
                let (a, b) = (pulp::cast(x[i]), pulp::cast(x[(i + 1) % 12]));
                x[i] = pulp::cast(match wide {
                    true => simd.avx512dq._mm512_mullo_epi64(a, b),
                    false => simd.avx512f._mm512_mullo_epi32(a, b),
                });
            }
        }
        black_box(x);
    }
}
