//! The two ring elements.

use crate::cpu::Lane;
use crate::cpu::matmul::Entry;
use crate::matmul::Element;

/// An element of the integers modulo 2^32 or 2^64: `u32` or `u64`.
pub trait Word: Element + Entry<Raw = Self> + Lane + zeroize::Zeroize {
    /// The neutral element of addition.
    const ZERO: Self;
    /// Sum modulo 2^bits.
    #[must_use]
    fn wrapping_add(self, other: Self) -> Self;
    /// Difference modulo 2^bits.
    #[must_use]
    fn wrapping_sub(self, other: Self) -> Self;
    /// Product modulo 2^bits.
    #[must_use]
    fn wrapping_mul(self, other: Self) -> Self;
    /// Reads a little-endian element from exactly as many bytes as it has.
    fn from_le(bytes: &[u8]) -> Self;
}

macro_rules! word {
    ($type:ident) => {
        impl Word for $type {
            const ZERO: Self = 0;
            #[inline(always)]
            fn wrapping_add(self, other: Self) -> Self {
                $type::wrapping_add(self, other)
            }
            #[inline(always)]
            fn wrapping_sub(self, other: Self) -> Self {
                $type::wrapping_sub(self, other)
            }
            #[inline(always)]
            fn wrapping_mul(self, other: Self) -> Self {
                $type::wrapping_mul(self, other)
            }
            fn from_le(bytes: &[u8]) -> Self {
                bytes.iter().rev().fold(0, |word, byte| word << 8 | $type::from(*byte))
            }
        }
    };
}
word!(u32);
word!(u64);
