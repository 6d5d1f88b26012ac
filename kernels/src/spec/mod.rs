//! What every kernel computes, slow and obvious: these functions define the bits, and every device gives the same.
//!
//! Nothing here is meant to be fast, or to be called outside tests and self-tests.

pub mod chacha;
pub mod fixed;
pub mod mask;
pub mod noise;
pub mod ring;
pub mod share;
