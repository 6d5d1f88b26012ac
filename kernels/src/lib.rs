//! Batched share arithmetic, masking and noise: the same bits on every device.
//!
//! A [`Device`] is a CPU at one vector level, or a GPU. Every batch function takes one and gives the bits that
//! [`spec`] defines, whatever the device: never a tolerance. The repository's `docs/kernels.md` says the same in words,
//! for those who write another implementation.
//!
//! # Masks
//! ```
#![doc = include_str!("../examples/mask.rs")]
//! ```
//! # Shamir's shares
//! ```
#![doc = include_str!("../examples/shamir.rs")]
//! ```
//! # Noise
//! ```
#![doc = include_str!("../examples/noise.rs")]
//! ```
//!
//! Long batches use all cores ([`Device::with_threads`]). Batch functions take host memory and leave it there; vectors
//! that stay on a device are [`Buffer`]s, and a [`Plan`] runs a chain of steps over them at once.

#[cfg(target_endian = "big")]
compile_error!("the kernels read keystream in place and need a little-endian machine");

pub mod bits;
mod buffer;
pub mod chacha;
mod chain;
#[doc(hidden)]
pub mod conformance;
mod cpu;
mod device;
mod error;
pub mod field;
pub mod fixed;
#[cfg(feature = "gpu")]
mod gpu;
pub mod mask;
pub mod matmul;
pub mod noise;
pub mod plan;
mod rates;
pub mod replicated;
pub mod ring;
mod selftest;
pub mod shamir;
pub mod share;
pub mod spec;
mod stream;
mod thresholds;
mod word;

pub use buffer::Buffer;
pub use cpu::Level;
pub use device::{Choice, Device, DeviceError, DeviceInfo, GpuMode, LEVEL_VARIABLE};
pub use error::KernelError;
pub use field::{Field, Field64, M61};
pub use fixed::Fixed;
pub use noise::{Bernoulli, Binomial, Gaussian, Laplace, Skellam};
pub use plan::Plan;
pub use rates::Rates;
pub use stream::{Seed, Stream};
pub use word::Word;
