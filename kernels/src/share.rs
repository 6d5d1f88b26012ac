//! Additive shares modulo 2^64, compressed: all shares but one are streams, one is the correction vector.

use crate::chain::{Action, Step};
use crate::cpu::chain::Change;
use crate::device::Backend;
use crate::{Device, KernelError, Stream, chacha, error::same_length};

/// Takes the mask of every stream off `secret`, which becomes the correction: it and the masks add up to the
/// secret, and all of them but one are uniform to anyone who lacks a stream.
///
/// # Errors
/// [`KernelError::StreamExhausted`] (then nothing was written or consumed), or a GPU that fails.
pub fn split(device: &Device, secret: &mut [u64], streams: &mut [Stream]) -> Result<(), KernelError> {
    let blocks = size_of_val(secret).div_ceil(64) as u64;
    streams.iter().try_for_each(|stream| stream.check(blocks))?;
    let bytes = size_of_val(secret);
    let spans = streams.iter_mut().map(|stream| stream.take_bytes(bytes));
    let steps = spans.map(|span| Ok(Step::stream(Action::Sub, span?)));
    let steps = steps.collect::<Result<_, KernelError>>()?;
    change(device, steps, secret)
}

/// Writes the share that a stream stands for. Consumes `ceil(len / 8)` blocks.
///
/// # Errors
/// [`KernelError::StreamExhausted`], or a GPU that fails.
pub fn expand(device: &Device, out: &mut [u64], stream: &mut Stream) -> Result<(), KernelError> {
    chacha::keystream(device, stream, bytemuck::cast_slice_mut(out))
}

/// Adds `shares` to the share in `acc`, which becomes the secret if those are all.
///
/// # Errors
/// [`KernelError::Length`] (then nothing was written), or a GPU that fails.
pub fn reconstruct(device: &Device, acc: &mut [u64], shares: &[&[u64]]) -> Result<(), KernelError> {
    for share in shares {
        same_length("share::reconstruct", acc.len(), share.len())?;
    }
    change(device, shares.iter().map(|share| Step::vector(Action::Add, *share)).collect(), acc)
}

/// Changes a vector by steps in one pass.
pub(crate) fn change(
    device: &Device,
    steps: Vec<Step<'_, u64, &[u64]>>,
    data: &mut [u64],
) -> Result<(), KernelError> {
    match device.backend() {
        Backend::Cpu(arch) => arch.spread(Change { steps, data }),
        #[cfg(feature = "gpu")]
        Backend::Gpu(gpu) => gpu.fused(&steps, data)?,
    }
    Ok(())
}
