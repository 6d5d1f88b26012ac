//! Noise: integers only, the same work whatever the randomness.
//!
//! | law | drawn by |
//! |---|---|
//! | [`Laplace`], discrete | independent octal digits |
//! | [`Gaussian`], discrete | one table, whose draws are added with weights |
//! | [`Skellam`] | one table |
//! | [`Binomial`] of fair trials, centred | counting bits |
//! | [`Bernoulli`] | one comparison |
//!
//! A sample is a function of keystream blocks that no other sample has: a [`Stream`] cannot be copied, each call
//! consumes what it reads, and so no two samples are correlated.
//!
//! ```
//! use veilgrid_kernels::{Device, Gaussian, Seed, noise};
//!
//! let law = Gaussian::new(10, 1)?;
//! let mut sums = vec![1000u64; 64];
//! noise::add(&Device::cpu()?, &law, &mut Seed::random()?.stream(0), &mut sums)?;
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! ```compile_fail,E0382
//! let seed = veilgrid_kernels::Seed::random().unwrap();
//! let (ours, again) = (seed.stream(0), seed.stream(0));
//! ```
//!
//! ```compile_fail,E0599
//! let stream = veilgrid_kernels::Seed::random().unwrap().stream(0);
//! let again = stream.clone();
//! ```
//!
//! `docs/noise.md` derives each sampler and its distance from the exact law.

mod bernoulli;
mod binomial;
mod gaussian;
mod laplace;
mod sampler;
mod skellam;
mod table;

pub use bernoulli::Bernoulli;
pub use binomial::Binomial;
pub use gaussian::Gaussian;
pub use laplace::{Laplace, STEPS};
pub(crate) use sampler::{Sampled, Sampler};
pub use skellam::Skellam;
pub(crate) use table::Table;

use crate::device::Backend;
use crate::{Device, KernelError, Stream, cpu};

/// Samples that share a run of blocks: one per 64-bit word of a block.
pub(crate) const GROUP: usize = 8;

/// A law of noise that [`fill`] and [`add`] can draw from: the laws of this module, and no others.
pub trait Law: Sampled {
    /// An upper bound of the total variation distance between one sample and the exact law, in units of 2^-64. A
    /// release of `n` samples is within `n` times as much of an exact one; `docs/noise.md` turns that into delta.
    fn total_variation(&self) -> u64;
}

/// Writes one sample per element. Each eight, the last ones perhaps fewer, consume a number of blocks that the law
/// alone determines.
///
/// # Errors
/// [`KernelError::StreamExhausted`], or a GPU that fails.
pub fn fill(
    device: &Device,
    law: &impl Law,
    stream: &mut Stream,
    out: &mut [i64],
) -> Result<(), KernelError> {
    let sampler = law.sampler();
    let span = stream.take(sampler.needed(out.len())?)?;
    match device.backend() {
        Backend::Cpu(arch) => {
            arch.spread(cpu::noise::Fill { sampler, span, out: bytemuck::cast_slice_mut(out) });
        }
        #[cfg(feature = "gpu")]
        Backend::Gpu(gpu) => gpu.noise_fill(sampler, &span, out)?,
    }
    Ok(())
}

/// Adds one sample to each element, modulo 2^64. Consumes as many blocks as [`fill`].
///
/// # Errors
/// As [`fill`].
pub fn add(
    device: &Device,
    law: &impl Law,
    stream: &mut Stream,
    values: &mut [u64],
) -> Result<(), KernelError> {
    let sampler = law.sampler();
    let span = stream.take(sampler.needed(values.len())?)?;
    match device.backend() {
        Backend::Cpu(arch) => arch.spread(cpu::noise::Add { sampler, span, values }),
        #[cfg(feature = "gpu")]
        Backend::Gpu(gpu) => gpu.noise_add(sampler, &span, values)?,
    }
    Ok(())
}

/// [`fill`] of the discrete Laplace law. Consumes `ceil(len / 8) * (law.digits().len() + 1)` blocks.
///
/// # Errors
/// As [`fill`].
pub fn laplace_fill(
    device: &Device,
    law: &Laplace,
    stream: &mut Stream,
    out: &mut [i64],
) -> Result<(), KernelError> {
    fill(device, law, stream, out)
}

/// [`add`] of the discrete Laplace law. Consumes as many blocks as [`laplace_fill`].
///
/// # Errors
/// As [`fill`].
pub fn laplace_add(
    device: &Device,
    law: &Laplace,
    stream: &mut Stream,
    values: &mut [u64],
) -> Result<(), KernelError> {
    add(device, law, stream, values)
}
