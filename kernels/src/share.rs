//! Additive shares modulo 2^64, compressed: all shares but one are streams, one is the correction vector.

use crate::chain::{Action, Step};
use crate::cpu::chain::Change;
use crate::device::Backend;
use crate::{Device, KernelError, Stream, chacha, error::same_length};
#[cfg(feature = "gpu")]
use crate::{mask, ring};

/// Takes the mask of every stream off `secret`, which becomes the correction: it and the masks add up to the
/// secret, and all of them but one are uniform to anyone who lacks a stream.
///
/// # Errors
/// [`KernelError::StreamExhausted`] (then nothing was written or consumed), or a GPU that fails.
pub fn split(device: &Device, secret: &mut [u64], streams: &mut [Stream]) -> Result<(), KernelError> {
    let blocks = size_of_val(secret).div_ceil(64) as u64;
    streams.iter().try_for_each(|stream| stream.check(blocks))?;
    match device.backend() {
        Backend::Cpu(arch) => {
            let bytes = size_of_val(secret);
            let spans = streams.iter_mut().map(|stream| stream.take_bytes(bytes));
            let steps = spans.map(|span| Ok(Step::stream(Action::Sub, span?)));
            let steps = steps.collect::<Result<_, KernelError>>()?;
            arch.spread(Change { steps, data: secret });
        }
        #[cfg(feature = "gpu")]
        Backend::Gpu(_) => {
            for part in secret.chunks_mut(device.batch_words()) {
                for stream in &mut *streams {
                    mask::sub(device, part, stream)?;
                }
            }
        }
    }
    Ok(())
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
    match device.backend() {
        Backend::Cpu(arch) => {
            let steps = shares.iter().map(|share| Step::vector(Action::Add, *share)).collect();
            arch.spread(Change { steps, data: acc });
        }
        #[cfg(feature = "gpu")]
        Backend::Gpu(_) => {
            let batch = device.batch_words();
            for (i, part) in acc.chunks_mut(batch).enumerate() {
                for share in shares {
                    ring::add(device, part, &share[i * batch..][..part.len()])?;
                }
            }
        }
    }
    Ok(())
}
