//! The elements of the two prime fields, and slices of them as words.

#![allow(unsafe_code)] // Slices of words and of elements are seen as each other: see `elements_mut`.

use crate::KernelError;
use crate::cpu::Prime;

/// A prime field: [`M61`] or [`Field64`]. A value is one `u64` below the modulus, so equal elements are equal words.
///
/// No other type can implement it: each is a transparent `u64`.
pub trait Field:
    Prime + bytemuck::NoUninit + zeroize::Zeroize + Eq + Default + Send + Sync + std::fmt::Debug
{
    /// The prime.
    const MODULUS: u64;
    /// The field's name, for messages.
    const NAME: &'static str;
    /// The neutral element of addition.
    const ZERO: Self;
    /// The neutral element of multiplication.
    const ONE: Self;

    /// The element that `value` is; `None` if it is not below the modulus.
    fn new(value: u64) -> Option<Self>;

    /// The element as an integer below the modulus.
    fn get(self) -> u64;
}

macro_rules! field {
    ($name:ident, $modulus:expr, $text:literal) => {
        #[doc = $text]
        ///
        /// `Debug` shows the type alone: an element may be a share or a secret.
        #[derive(Clone, Copy, Default, PartialEq, Eq, Hash, bytemuck::NoUninit, zeroize::Zeroize)]
        #[repr(transparent)]
        pub struct $name(u64);

        impl Field for $name {
            const MODULUS: u64 = $modulus;
            const NAME: &'static str = stringify!($name);
            const ZERO: Self = $name(0);
            const ONE: Self = $name(1);

            fn new(value: u64) -> Option<Self> {
                (value < Self::MODULUS).then_some($name(value))
            }
            fn get(self) -> u64 {
                self.0
            }
        }

        impl std::fmt::Debug for $name {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str(concat!(stringify!($name), "(..)"))
            }
        }
    };
}
field!(M61, (1 << 61) - 1, "An integer modulo the Mersenne prime 2^61 - 1.");
field!(
    Field64,
    0xffff_ffff_0000_0001,
    "An integer modulo 2^64 - 2^32 + 1: `Field64` of VDAF (draft-irtf-cfrg-vdaf). It has roots of unity of order 2^32."
);

/// The words as elements, if all are below the modulus.
///
/// # Errors
/// [`KernelError::NotCanonical`] with the index of the first word that is not.
pub fn elements<F: Field>(words: &[u64]) -> Result<&[F], KernelError> {
    check::<F>(words)?;
    // SAFETY: `F` is a transparent `u64`, for which every bit pattern is valid memory.
    Ok(unsafe { std::slice::from_raw_parts(words.as_ptr().cast(), words.len()) })
}

/// The words as elements that are changed in place, if all are below the modulus.
///
/// # Errors
/// As [`elements`].
pub fn elements_mut<F: Field>(words: &mut [u64]) -> Result<&mut [F], KernelError> {
    check::<F>(words)?;
    // SAFETY: as in `elements`; the borrow is exclusive and as long.
    Ok(unsafe { std::slice::from_raw_parts_mut(words.as_mut_ptr().cast(), words.len()) })
}

/// The elements as integers below the modulus.
pub fn words<F: Field>(elements: &[F]) -> &[u64] {
    bytemuck::cast_slice(elements)
}

/// The words of elements, for a kernel, which leaves them below the modulus.
pub(crate) fn words_mut<F: Field>(elements: &mut [F]) -> &mut [u64] {
    // SAFETY: as in `elements_mut`.
    unsafe { std::slice::from_raw_parts_mut(elements.as_mut_ptr().cast(), elements.len()) }
}

fn check<F: Field>(words: &[u64]) -> Result<(), KernelError> {
    // Most vectors are right: whole blocks are looked at first, which is a vector loop.
    const BLOCK: usize = 256;
    for (i, block) in words.chunks(BLOCK).enumerate() {
        if block.iter().fold(false, |wrong, word| wrong | (*word >= F::MODULUS)) {
            let index = i * BLOCK + block.iter().position(|word| *word >= F::MODULUS).unwrap_or(0);
            return Err(KernelError::NotCanonical { field: F::NAME, index });
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::field::M61;

    #[test]
    fn words_are_elements_where_all_are_below_the_modulus() {
        let mut some = [0, 1, M61::MODULUS - 1];
        let cast = elements_mut::<M61>(&mut some).unwrap();
        words_mut(cast)[1] = 7;
        assert_eq!(words(cast), [0, 7, M61::MODULUS - 1]);
        assert_eq!(words(elements::<M61>(&some).unwrap()), some);
        some[2] += 1;
        assert!(elements::<M61>(&some).is_err() && elements_mut::<M61>(&mut some).is_err());
    }
}
