//! Products of matrices modulo 2^32 and 2^64, the work of every linear layer and regression on shares. Matrices lie
//! row after row.

use crate::cpu::matmul::MultiplyAdd;
use crate::device::Backend;
use crate::error::sized;
use crate::{Device, KernelError, Word};

/// The sizes of a product: a matrix of `rows` by `inner` elements times one of `inner` by `columns`. Any may be 0.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Shape {
    /// Rows of the left matrix and of the product.
    pub rows: usize,
    /// Columns of the left and rows of the right matrix.
    pub inner: usize,
    /// Columns of the right matrix and of the product.
    pub columns: usize,
}

/// `acc += a b`, into a share for example. With a public matrix on either side, the product of a share is local.
///
/// # Errors
/// [`KernelError::Size`], or a GPU that fails (then a part of `acc` may have been written).
pub fn multiply_add<T: Word>(
    device: &Device,
    shape: Shape,
    a: &[T],
    b: &[T],
    acc: &mut [T],
) -> Result<(), KernelError> {
    let Shape { rows, inner, columns } = shape;
    let slices =
        [("a", a.len(), rows, inner), ("b", b.len(), inner, columns), ("acc", acc.len(), rows, columns)];
    for (slice, given, height, width) in slices {
        // A size beyond usize fits no slice.
        sized("matmul::multiply_add", slice, given, height.saturating_mul(width))?;
    }
    if acc.is_empty() || inner == 0 {
        return Ok(());
    }
    match device.backend() {
        Backend::Cpu(arch) => arch.run(MultiplyAdd { shape, a, b, acc }),
        #[cfg(feature = "gpu")]
        Backend::Gpu(gpu) => gpu.multiply_add(shape, a, b, acc)?,
    }
    Ok(())
}
