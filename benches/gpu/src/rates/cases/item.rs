//! What words are seen as.

use veilgrid_kernels::field::{elements, elements_mut};
use veilgrid_kernels::{Field, Field64, KernelError, M61};

/// An element of a vector.
pub(super) trait Item: Copy + 'static {
    /// Elements of a word.
    const PER: usize = 8 / size_of::<Self>();

    /// A word of elements, made of a random one.
    fn word(random: u64) -> u64 {
        random
    }

    fn of(words: &[u64]) -> Result<&[Self], KernelError>;

    fn of_mut(words: &mut [u64]) -> Result<&mut [Self], KernelError>;
}

/// Every word is one.
macro_rules! plain {
    ($($item:ident: $random:ident => $word:expr;)+) => {$(
        impl Item for $item {
            fn word($random: u64) -> u64 {
                $word
            }

            fn of(words: &[u64]) -> Result<&[Self], KernelError> {
                Ok(bytemuck::cast_slice(words))
            }

            fn of_mut(words: &mut [u64]) -> Result<&mut [Self], KernelError> {
                Ok(bytemuck::cast_slice_mut(words))
            }
        }
    )+};
}

macro_rules! field {
    ($($field:ident)+) => {$(
        impl Item for $field {
            fn word(random: u64) -> u64 {
                random % $field::MODULUS
            }

            fn of(words: &[u64]) -> Result<&[Self], KernelError> {
                elements(words)
            }

            fn of_mut(words: &mut [u64]) -> Result<&mut [Self], KernelError> {
                elements_mut(words)
            }
        }
    )+};
}

plain! {
    u8: random => random;
    u32: random => random;
    u64: random => random;
    i64: random => random;
    f64: random => (random as i64 as f64 / (1u64 << 30) as f64).to_bits();
}
field!(M61 Field64);
