//! The kernels on the CPU: one generic body for each, compiled for every vector level and chosen when run.

#[cfg(target_arch = "x86_64")]
pub(crate) mod amx;
pub(crate) mod bits;
#[cfg(target_arch = "x86_64")]
mod blocks;
pub(crate) mod chacha;
pub(crate) mod chain;
mod cores;
mod divide;
pub(crate) mod field;
pub(crate) mod fixed;
mod grid;
mod lanes64;
mod level;
mod lines;
pub(crate) mod mask;
pub(crate) mod matmul;
pub(crate) mod noise;
pub(crate) mod ntt;
pub(crate) mod planes;
mod pool;
pub(crate) mod power;
mod prime;
pub(crate) mod ring;
pub(crate) mod shamir;
mod simd;
pub(crate) mod transpose;
pub(crate) mod uniform;

pub(crate) use cores::{Cpu, Divide};
pub(crate) use grid::Grid;
pub(crate) use lanes64::Lanes64;
pub use level::Level;
pub(crate) use level::{Arch, Kernel};
pub(crate) use prime::Prime;
pub(crate) use simd::{IntSimd, Lane, Operation, Row16};

/// All that products of matrices of an element need.
#[cfg(target_arch = "x86_64")]
pub trait Factor: matmul::Product + amx::Limbs {}
#[cfg(target_arch = "x86_64")]
impl<T: matmul::Product + amx::Limbs> Factor for T {}

/// All that products of matrices of an element need.
#[cfg(not(target_arch = "x86_64"))]
pub trait Factor: matmul::Product {}
#[cfg(not(target_arch = "x86_64"))]
impl<T: matmul::Product> Factor for T {}
