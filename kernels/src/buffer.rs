//! Vectors that stay on a device between calls.

use crate::device::Backend;
use crate::error::sized;
#[cfg(feature = "gpu")]
use crate::gpu::Resident;
use crate::{Device, KernelError, Word};
use zeroize::Zeroizing;

/// A vector of `u32` or `u64` elements in a device's memory: of a GPU, its own; of a CPU, the host's. It stays there
/// until it is dropped, and is wiped then. What goes in and out does so by the methods here and by nothing else.
///
/// On a GPU a vector longer than what one binding takes is kept in several parts, which no caller sees.
///
/// ```
/// use veilgrid_kernels::{Device, Plan};
///
/// let device = Device::cpu()?;
/// let prices = device.upload(&[3u64, 5, 7])?;
/// let amounts = device.upload(&[10u64, 20, 30])?;
/// let mut paid = device.buffer(3)?;
/// Plan::new(&device, 3).load(&prices).mul(&amounts).store(&mut paid)?;
/// assert_eq!(paid.download()?, [30, 100, 210]);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
///
/// It has no `Debug`, since it may hold secrets:
///
/// ```compile_fail
/// let device = veilgrid_kernels::Device::cpu().unwrap();
/// println!("{:?}", device.upload(&[1u64]).unwrap());
/// ```
pub struct Buffer<T: Word> {
    device: Device,
    len: usize,
    memory: Memory<T>,
}

pub(crate) enum Memory<T: Word> {
    Host(Zeroizing<Vec<T>>),
    #[cfg(feature = "gpu")]
    Gpu(Resident),
}

impl Device {
    /// A vector of `len` zeros on this device.
    ///
    /// # Errors
    /// A GPU that has not the memory, or fails.
    pub fn buffer<T: Word>(&self, len: usize) -> Result<Buffer<T>, KernelError> {
        let memory = match self.backend() {
            Backend::Cpu(_) => Memory::Host(Zeroizing::new(vec![T::ZERO; len])),
            #[cfg(feature = "gpu")]
            Backend::Gpu(gpu) => Memory::Gpu(Resident::new(gpu, len * size_of::<T>())?),
        };
        Ok(Buffer { device: self.clone(), len, memory })
    }

    /// A copy of `values` on this device.
    ///
    /// # Errors
    /// As [`Device::buffer`].
    pub fn upload<T: Word>(&self, values: &[T]) -> Result<Buffer<T>, KernelError> {
        let mut buffer = self.buffer(values.len())?;
        buffer.write(values)?;
        Ok(buffer)
    }
}

impl<T: Word> Buffer<T> {
    /// Elements.
    pub fn len(&self) -> usize {
        self.len
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.len == 0
    }

    /// Where it is.
    pub fn device(&self) -> &Device {
        &self.device
    }

    /// Copies all of `values` here.
    ///
    /// # Errors
    /// [`KernelError::Size`], or a GPU that fails (then the buffer may hold a part of both).
    pub fn write(&mut self, values: &[T]) -> Result<(), KernelError> {
        sized("Buffer::write", "values", values.len(), self.len)?;
        match &mut self.memory {
            Memory::Host(own) => own.copy_from_slice(values),
            #[cfg(feature = "gpu")]
            Memory::Gpu(own) => own.write(bytemuck::cast_slice(values))?,
        }
        Ok(())
    }

    /// Copies all of it to `out`.
    ///
    /// # Errors
    /// [`KernelError::Size`], or a GPU that fails; then nothing was written.
    pub fn read(&self, out: &mut [T]) -> Result<(), KernelError> {
        sized("Buffer::read", "out", out.len(), self.len)?;
        match &self.memory {
            Memory::Host(own) => out.copy_from_slice(own),
            #[cfg(feature = "gpu")]
            Memory::Gpu(own) => own.read(bytemuck::cast_slice_mut(out))?,
        }
        Ok(())
    }

    /// A copy of it in host memory, which the caller wipes where it is secret.
    ///
    /// # Errors
    /// A GPU that fails.
    pub fn download(&self) -> Result<Vec<T>, KernelError> {
        let mut values = vec![T::ZERO; self.len];
        self.read(&mut values)?;
        Ok(values)
    }

    pub(crate) fn memory(&self) -> &Memory<T> {
        &self.memory
    }

    pub(crate) fn memory_mut(&mut self) -> &mut Memory<T> {
        &mut self.memory
    }
}
