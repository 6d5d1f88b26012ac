//! Reads and writes of vectors alone: what no kernel over vectors can do without.

use pulp::x86::{V3, V4};
use pulp::{Simd, WithSimd};
use std::hint::black_box;
use veilgrid_kernels::Level;

/// Reads both slices `rounds` times, a vector at a time.
///
/// # Panics
/// Where the CPU lacks the level.
pub fn loads(level: Level, slices: [&[u64]; 2], rounds: usize) {
    on(level, Loads { slices, rounds });
}

/// Writes the slice `rounds` times, a vector at a time.
///
/// # Panics
/// Where the CPU lacks the level.
pub fn stores(level: Level, slice: &mut [u64], rounds: usize) {
    on(level, Stores { slice, rounds });
}

fn on(level: Level, work: impl WithSimd<Output = ()>) {
    if level == Level::Avx2 {
        Simd::vectorize(V3::try_new().expect("a device at the level"), work);
    } else {
        Simd::vectorize(V4::try_new().expect("a device at the level"), work);
    }
}

struct Loads<'a> {
    slices: [&'a [u64]; 2],
    rounds: usize,
}

impl WithSimd for Loads<'_> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self, simd: S) {
        let mut sums = [simd.splat_u64s(0); 8];
        for _ in 0..self.rounds {
            for slice in self.slices {
                let (vectors, _) = S::as_simd_u64s(black_box(slice));
                for eight in vectors.as_chunks::<8>().0 {
                    for (sum, vector) in sums.iter_mut().zip(eight) {
                        *sum = simd.xor_u64s(*sum, *vector);
                    }
                }
            }
        }
        black_box(sums);
    }
}

struct Stores<'a> {
    slice: &'a mut [u64],
    rounds: usize,
}

impl WithSimd for Stores<'_> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self, simd: S) {
        let value = black_box(simd.splat_u64s(0x0123_4567_89ab_cdef));
        for _ in 0..self.rounds {
            let (vectors, _) = S::as_mut_simd_u64s(black_box(&mut *self.slice));
            for vector in vectors {
                *vector = value;
            }
        }
    }
}
