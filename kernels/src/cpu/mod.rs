//! The kernels on the CPU: one generic body for each, compiled for every vector level and chosen when run.

pub(crate) mod chacha;
pub(crate) mod fixed;
mod level;
pub(crate) mod mask;
pub(crate) mod noise;
pub(crate) mod ring;
mod simd;

pub use level::Level;
pub(crate) use level::{Arch, Kernel};
pub(crate) use simd::{IntSimd, Lane, Operation, Row16};
