//! The kernels on the CPU: one generic body for each, compiled for every vector level and chosen when run.

pub(crate) mod bits;
pub(crate) mod chacha;
pub(crate) mod field;
pub(crate) mod fixed;
mod lanes64;
mod level;
pub(crate) mod mask;
pub(crate) mod matmul;
pub(crate) mod noise;
pub(crate) mod planes;
pub(crate) mod power;
mod prime;
pub(crate) mod ring;
mod simd;

pub(crate) use lanes64::Lanes64;
pub use level::Level;
pub(crate) use level::{Arch, Kernel};
pub(crate) use prime::Prime;
pub(crate) use simd::{IntSimd, Lane, Operation, Row16};
