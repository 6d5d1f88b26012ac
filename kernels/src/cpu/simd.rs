//! What the kernels need of a vector level beyond `pulp`: bit rotation, and the order of ChaCha20's output.
//! (`pulp`'s own `rotate_*` functions rotate lanes.)

use super::Lanes64;
use crate::Word;
use std::ops::{BitAnd, BitXor};

/// Sixteen vectors of 32-bit words, aligned so that they can be read as words of any size.
#[derive(Clone, Copy)]
#[repr(C, align(64))]
pub struct Row16<V>(pub [V; 16]);

impl<V: bytemuck::Pod> Row16<V> {
    /// The words in memory order.
    #[inline(always)]
    pub(crate) fn words<T: bytemuck::Pod>(&self) -> &[T] {
        bytemuck::cast_slice(&self.0)
    }
}

/// A vector level.
pub trait IntSimd: Lanes64 {
    /// What rotations by whole bytes need, made once before a loop.
    type Turns: Copy;
    /// Makes it.
    fn turns(self) -> Self::Turns;
    /// Rotates the bits of each lane to the left by 16.
    fn rotate_16(self, turns: Self::Turns, x: Self::u32s) -> Self::u32s;
    /// By 8.
    fn rotate_8(self, turns: Self::Turns, x: Self::u32s) -> Self::u32s;
    /// By 12.
    fn rotate_12(self, x: Self::u32s) -> Self::u32s;
    /// By 7.
    fn rotate_7(self, x: Self::u32s) -> Self::u32s;
    /// All bits of a lane set where `a < b`, none elsewhere; never by a branch.
    fn below(self, a: Self::u64s, b: Self::u64s) -> Self::u64s;
    /// Sums of products of 64-bit lanes, before the last step.
    type Sum64: Copy;
    /// No products.
    fn sum_none(self) -> Self::Sum64;
    /// `sum + a b`; `turned` is `a` with its halves swapped, and `a` is the same in every lane.
    fn sum_product(self, sum: Self::Sum64, a: Self::u64s, turned: Self::u64s, b: Self::u64s) -> Self::Sum64;
    /// The sum, modulo 2^64.
    fn sum_total(self, sum: Self::Sum64) -> Self::u64s;
    /// Moves the bits of each lane to the left by less than 64.
    fn left_u64s(self, x: Self::u64s, by: u32) -> Self::u64s;
    /// To the right; zeros come in.
    fn right_u64s(self, x: Self::u64s, by: u32) -> Self::u64s;
    /// Transposes as many vectors as a vector has lanes.
    fn turn_u64s(self, square: &mut [Self::u64s]);
    /// From sixteen rows (word `i` of one block in each lane) to the blocks one after the other.
    fn blocks_of_rows(self, rows: Row16<Self::u32s>) -> Row16<Self::u32s>;
    /// The same to memory, to `out`, which is as long.
    #[inline(always)]
    fn write_blocks(self, rows: Row16<Self::u32s>, out: &mut [u8]) {
        out.copy_from_slice(self.blocks_of_rows(rows).words());
    }
}

/// An element with a vector form at every level.
pub trait Lane:
    bytemuck::Pod + Eq + Send + Sync + std::fmt::Debug + BitAnd<Output = Self> + BitXor<Output = Self>
{
    /// As many elements as a vector holds.
    type Vector<S: IntSimd>: bytemuck::Pod;
    /// The slice as vectors, and the rest.
    fn vectors<S: IntSimd>(slice: &[Self]) -> (&[Self::Vector<S>], &[Self]);
    /// The slice as vectors, and the rest.
    fn vectors_mut<S: IntSimd>(slice: &mut [Self]) -> (&mut [Self::Vector<S>], &mut [Self]);
    /// Lane by lane, wrapping.
    fn vector_add<S: IntSimd>(simd: S, a: Self::Vector<S>, b: Self::Vector<S>) -> Self::Vector<S>;
    /// Lane by lane, wrapping.
    fn vector_sub<S: IntSimd>(simd: S, a: Self::Vector<S>, b: Self::Vector<S>) -> Self::Vector<S>;
    /// Lane by lane, wrapping.
    fn vector_mul<S: IntSimd>(simd: S, a: Self::Vector<S>, b: Self::Vector<S>) -> Self::Vector<S>;
    /// Bit by bit.
    fn vector_and<S: IntSimd>(simd: S, a: Self::Vector<S>, b: Self::Vector<S>) -> Self::Vector<S>;
    /// Bit by bit.
    fn vector_xor<S: IntSimd>(simd: S, a: Self::Vector<S>, b: Self::Vector<S>) -> Self::Vector<S>;
}

macro_rules! lane {
    ($type:ident, $vector:ident, $split:ident, $split_mut:ident, $add:ident, $sub:ident, $mul:ident, $and:ident, $xor:ident) => {
        impl Lane for $type {
            type Vector<S: IntSimd> = S::$vector;
            #[inline(always)]
            fn vectors<S: IntSimd>(slice: &[Self]) -> (&[S::$vector], &[Self]) {
                S::$split(slice)
            }
            #[inline(always)]
            fn vectors_mut<S: IntSimd>(slice: &mut [Self]) -> (&mut [S::$vector], &mut [Self]) {
                S::$split_mut(slice)
            }
            #[inline(always)]
            fn vector_add<S: IntSimd>(simd: S, a: S::$vector, b: S::$vector) -> S::$vector {
                simd.$add(a, b)
            }
            #[inline(always)]
            fn vector_sub<S: IntSimd>(simd: S, a: S::$vector, b: S::$vector) -> S::$vector {
                simd.$sub(a, b)
            }
            #[inline(always)]
            fn vector_mul<S: IntSimd>(simd: S, a: S::$vector, b: S::$vector) -> S::$vector {
                simd.$mul(a, b)
            }
            #[inline(always)]
            fn vector_and<S: IntSimd>(simd: S, a: S::$vector, b: S::$vector) -> S::$vector {
                simd.$and(a, b)
            }
            #[inline(always)]
            fn vector_xor<S: IntSimd>(simd: S, a: S::$vector, b: S::$vector) -> S::$vector {
                simd.$xor(a, b)
            }
        }
    };
}
lane!(u32, u32s, as_simd_u32s, as_mut_simd_u32s, add_u32s, sub_u32s, mul_u32s, and_u32s, xor_u32s);
lane!(u64, u64s, as_simd_u64s, as_mut_simd_u64s, add_u64s, sub_u64s, mul_u64s, and_u64s, xor_u64s);

/// An operation on two elements, the same on vectors of them.
pub(crate) trait Operation: Copy {
    fn vectors<T: Word, S: IntSimd>(self, simd: S, a: T::Vector<S>, b: T::Vector<S>) -> T::Vector<S>;
    fn words<T: Word>(self, a: T, b: T) -> T;
}

impl IntSimd for pulp::Scalar {
    type Turns = ();
    #[inline(always)]
    fn turns(self) {}
    #[inline(always)]
    fn rotate_16(self, (): (), x: u32) -> u32 {
        x.rotate_left(16)
    }
    #[inline(always)]
    fn rotate_12(self, x: u32) -> u32 {
        x.rotate_left(12)
    }
    #[inline(always)]
    fn rotate_8(self, (): (), x: u32) -> u32 {
        x.rotate_left(8)
    }
    #[inline(always)]
    fn rotate_7(self, x: u32) -> u32 {
        x.rotate_left(7)
    }
    /// The borrow of `a - b` out of the highest bit, in Boolean terms: a comparison is sometimes made a branch.
    #[inline(always)]
    fn below(self, a: u64, b: u64) -> u64 {
        let borrow = (!a & b) | ((!a | b) & a.wrapping_sub(b));
        0u64.wrapping_sub(borrow >> 63)
    }
    type Sum64 = u64;
    #[inline(always)]
    fn sum_none(self) -> u64 {
        0
    }
    #[inline(always)]
    fn sum_product(self, sum: u64, a: u64, _: u64, b: u64) -> u64 {
        sum.wrapping_add(a.wrapping_mul(b))
    }
    #[inline(always)]
    fn sum_total(self, sum: u64) -> u64 {
        sum
    }
    #[inline(always)]
    fn left_u64s(self, x: u64, by: u32) -> u64 {
        x << by
    }
    #[inline(always)]
    fn right_u64s(self, x: u64, by: u32) -> u64 {
        x >> by
    }
    #[inline(always)]
    fn turn_u64s(self, _: &mut [u64]) {}
    #[inline(always)]
    fn blocks_of_rows(self, rows: Row16<u32>) -> Row16<u32> {
        rows
    }
}

#[cfg(target_arch = "x86_64")]
mod x86 {
    use super::{IntSimd, Row16};
    use crate::cpu::blocks;
    use pulp::x86::{V3, V4};
    use pulp::{Simd, u32x8, u32x16, u64x4, u64x8};
    use std::arch::x86_64::__m256i;

    /// Byte shuffles that rotate each 32-bit lane: one instruction, where two shifts and an `or` are three.
    const fn rotation(bytes: usize) -> [u8; 32] {
        let mut indices = [0; 32];
        let mut i = 0;
        while i < 32 {
            indices[i] = (i % 16 / 4 * 4 + (i + 4 - bytes) % 4) as u8;
            i += 1;
        }
        indices
    }

    #[inline(always)]
    fn shift_or<const LEFT: i32, const RIGHT: i32>(simd: V3, x: u32x8) -> u32x8 {
        let x: __m256i = pulp::cast(x);
        let left = simd.avx2._mm256_slli_epi32::<LEFT>(x);
        pulp::cast(simd.avx2._mm256_or_si256(left, simd.avx2._mm256_srli_epi32::<RIGHT>(x)))
    }

    impl IntSimd for V3 {
        type Turns = [__m256i; 2];

        /// Hidden from the compiler: it splits shuffles that it knows into two, and so loses what they gain.
        #[inline(always)]
        fn turns(self) -> [__m256i; 2] {
            std::hint::black_box([pulp::cast(const { rotation(2) }), pulp::cast(const { rotation(1) })])
        }
        #[inline(always)]
        fn rotate_16(self, [by_16, _]: [__m256i; 2], x: u32x8) -> u32x8 {
            pulp::cast(self.avx2._mm256_shuffle_epi8(pulp::cast(x), by_16))
        }
        #[inline(always)]
        fn rotate_8(self, [_, by_8]: [__m256i; 2], x: u32x8) -> u32x8 {
            pulp::cast(self.avx2._mm256_shuffle_epi8(pulp::cast(x), by_8))
        }
        #[inline(always)]
        fn rotate_12(self, x: u32x8) -> u32x8 {
            shift_or::<12, 20>(self, x)
        }
        #[inline(always)]
        fn rotate_7(self, x: u32x8) -> u32x8 {
            shift_or::<7, 25>(self, x)
        }

        #[inline(always)]
        fn below(self, a: u64x4, b: u64x4) -> u64x4 {
            self.select_u64s(self.less_than_u64s(a, b), self.splat_u64s(u64::MAX), self.splat_u64s(0))
        }
        /// The products of the low halves; and, in both halves, parts of what is added to the high half.
        type Sum64 = [u64x4; 2];
        #[inline(always)]
        fn sum_none(self) -> [u64x4; 2] {
            [self.splat_u64s(0); 2]
        }
        /// Two multiplications, where a whole 64-bit product takes three and as many shifts.
        #[inline(always)]
        fn sum_product(self, [low, cross]: [u64x4; 2], a: u64x4, turned: u64x4, b: u64x4) -> [u64x4; 2] {
            let avx2 = self.avx2;
            let product = avx2._mm256_mul_epu32(pulp::cast(a), pulp::cast(b));
            let crossed = avx2._mm256_mullo_epi32(pulp::cast(turned), pulp::cast(b));
            [
                self.add_u64s(low, pulp::cast(product)),
                pulp::cast(avx2._mm256_add_epi32(pulp::cast(cross), crossed)),
            ]
        }
        #[inline(always)]
        fn sum_total(self, [low, cross]: [u64x4; 2]) -> u64x4 {
            // The lower half's sum and the upper half's, both at the upper half; what is below falls away.
            let lower = self.left_u64s(cross, 32);
            let upper = self.and_u64s(cross, self.splat_u64s(0xffff_ffff_0000_0000));
            self.add_u64s(low, self.add_u64s(lower, upper))
        }
        #[inline(always)]
        fn left_u64s(self, x: u64x4, by: u32) -> u64x4 {
            pulp::cast(self.avx2._mm256_sll_epi64(pulp::cast(x), pulp::cast([u64::from(by), 0])))
        }
        #[inline(always)]
        fn right_u64s(self, x: u64x4, by: u32) -> u64x4 {
            pulp::cast(self.avx2._mm256_srl_epi64(pulp::cast(x), pulp::cast([u64::from(by), 0])))
        }
        #[inline(always)]
        fn turn_u64s(self, square: &mut [u64x4]) {
            let avx2 = self.avx2;
            let (a, b) = (pulp::cast(square[0]), pulp::cast(square[1]));
            let (c, d) = (pulp::cast(square[2]), pulp::cast(square[3]));
            let low = [avx2._mm256_unpacklo_epi64(a, b), avx2._mm256_unpackhi_epi64(a, b)];
            let high = [avx2._mm256_unpacklo_epi64(c, d), avx2._mm256_unpackhi_epi64(c, d)];
            for i in 0..2 {
                square[i] = pulp::cast(avx2._mm256_permute2x128_si256::<0x20>(low[i], high[i]));
                square[2 + i] = pulp::cast(avx2._mm256_permute2x128_si256::<0x31>(low[i], high[i]));
            }
        }
        #[inline(always)]
        fn blocks_of_rows(self, rows: Row16<u32x8>) -> Row16<u32x8> {
            blocks::turn_256(self, &rows)
        }
    }

    impl IntSimd for V4 {
        type Turns = ();
        #[inline(always)]
        fn turns(self) {}
        #[inline(always)]
        fn rotate_16(self, (): (), x: u32x16) -> u32x16 {
            pulp::cast(self.avx512f._mm512_rol_epi32::<16>(pulp::cast(x)))
        }
        #[inline(always)]
        fn rotate_12(self, x: u32x16) -> u32x16 {
            pulp::cast(self.avx512f._mm512_rol_epi32::<12>(pulp::cast(x)))
        }
        #[inline(always)]
        fn rotate_8(self, (): (), x: u32x16) -> u32x16 {
            pulp::cast(self.avx512f._mm512_rol_epi32::<8>(pulp::cast(x)))
        }
        #[inline(always)]
        fn rotate_7(self, x: u32x16) -> u32x16 {
            pulp::cast(self.avx512f._mm512_rol_epi32::<7>(pulp::cast(x)))
        }

        #[inline(always)]
        fn below(self, a: u64x8, b: u64x8) -> u64x8 {
            self.select_u64s(self.less_than_u64s(a, b), self.splat_u64s(u64::MAX), self.splat_u64s(0))
        }
        type Sum64 = u64x8;
        #[inline(always)]
        fn sum_none(self) -> u64x8 {
            self.splat_u64s(0)
        }
        #[inline(always)]
        fn sum_product(self, sum: u64x8, a: u64x8, _: u64x8, b: u64x8) -> u64x8 {
            self.add_u64s(sum, self.mul_u64s(a, b))
        }
        #[inline(always)]
        fn sum_total(self, sum: u64x8) -> u64x8 {
            sum
        }
        #[inline(always)]
        fn left_u64s(self, x: u64x8, by: u32) -> u64x8 {
            pulp::cast(self.avx512f._mm512_sll_epi64(pulp::cast(x), pulp::cast([u64::from(by), 0])))
        }
        #[inline(always)]
        fn right_u64s(self, x: u64x8, by: u32) -> u64x8 {
            pulp::cast(self.avx512f._mm512_srl_epi64(pulp::cast(x), pulp::cast([u64::from(by), 0])))
        }
        #[inline(always)]
        fn turn_u64s(self, square: &mut [u64x8]) {
            let f = self.avx512f;
            // Lanes 2 l and 2 l + 1 of two rows as 128-bit lane l of `pairs`.
            let mut pairs = [[pulp::cast(square[0]); 2]; 4];
            for (pair, rows) in pairs.iter_mut().zip(square.chunks_exact(2)) {
                let (a, b) = (pulp::cast(rows[0]), pulp::cast(rows[1]));
                *pair = [f._mm512_unpacklo_epi64(a, b), f._mm512_unpackhi_epi64(a, b)];
            }
            let [a, b, c, d] = pairs;
            for i in 0..2 {
                let low = f._mm512_shuffle_i64x2::<0x44>(a[i], b[i]);
                let high = f._mm512_shuffle_i64x2::<0x44>(c[i], d[i]);
                square[i] = pulp::cast(f._mm512_shuffle_i64x2::<0x88>(low, high));
                square[2 + i] = pulp::cast(f._mm512_shuffle_i64x2::<0xdd>(low, high));
                let low = f._mm512_shuffle_i64x2::<0xee>(a[i], b[i]);
                let high = f._mm512_shuffle_i64x2::<0xee>(c[i], d[i]);
                square[4 + i] = pulp::cast(f._mm512_shuffle_i64x2::<0x88>(low, high));
                square[6 + i] = pulp::cast(f._mm512_shuffle_i64x2::<0xdd>(low, high));
            }
        }
        #[inline(always)]
        fn blocks_of_rows(self, rows: Row16<u32x16>) -> Row16<u32x16> {
            blocks::turn_512(self, &rows)
        }
        #[inline(always)]
        fn write_blocks(self, rows: Row16<u32x16>, out: &mut [u8]) {
            blocks::write_512(self, &rows, out);
        }
    }
}
