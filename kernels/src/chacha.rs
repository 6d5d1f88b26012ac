//! The ChaCha20 keystream of a stream.

use crate::device::Backend;
use crate::{Device, KernelError, Stream, cpu};

/// Fills `out` with the next keystream bytes. Consumes `ceil(len / 64)` blocks.
///
/// # Errors
/// [`KernelError::StreamExhausted`], or a GPU that fails.
pub fn keystream(device: &Device, stream: &mut Stream, out: &mut [u8]) -> Result<(), KernelError> {
    let span = stream.take_bytes(out.len())?;
    match device.backend() {
        Backend::Cpu(arch) => arch.spread(cpu::chacha::Keystream { span, out }),
        #[cfg(feature = "gpu")]
        Backend::Gpu(gpu) => gpu.keystream(&span, out)?,
    }
    Ok(())
}
