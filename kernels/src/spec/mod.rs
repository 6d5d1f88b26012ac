//! What every kernel computes, slow and obvious: these functions define the bits, and every device gives the same.
//!
//! `docs/kernels.md` says the same in words, and `tests/reading` once more in Python.
//!
//! Nothing here is meant to be fast, or to be called outside tests and self-tests.

pub mod bits;
pub mod chacha;
pub mod field;
pub mod fixed;
pub mod mask;
pub mod matmul;
pub mod noise;
pub mod ntt;
pub mod replicated;
pub mod ring;
pub mod shamir;
pub mod share;
