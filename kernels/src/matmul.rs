//! Products of matrices modulo 2^32, 2^64 and 2^61 - 1, the work of every linear layer and regression on shares.
//! Matrices lie row after row, any size may be 0, and what is written cannot overlap what is read: the borrow rules
//! refuse it when it is compiled.
//!
//! ```
//! use veilgrid_kernels::{Device, matmul::{self, Shape}};
//!
//! let device = Device::cpu()?;
//! let (a, b, mut share) = ([1u64, 2, 3, 4, 5, 6], [7, 8, 9], [10, 20]);
//! matmul::multiply_add(&device, Shape { rows: 2, inner: 3, columns: 1 }, &a, &b, &mut share)?;
//! assert_eq!(share, [60, 142]);
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! At level [`Amx`](crate::Level::Amx) all but small products are summed on tiles of 8-bit limbs, at
//! [`Ifma`](crate::Level::Ifma) those of integers of 96 rows and more by 52-bit multiply-adds. The instructions and
//! addresses depend on the sizes alone, at every level.

#[cfg(target_arch = "x86_64")]
use crate::cpu::Arch;
use crate::cpu::Factor;
use crate::cpu::matmul::{MultiplyAdd, ROWS};
use crate::cpu::transpose::Transpose;
use crate::device::Backend;
use crate::error::sized;
use crate::{Device, KernelError, M61};

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

/// What matrices can be made of: `u32`, `u64` and [`M61`].
pub trait Element: Factor {}
impl Element for u32 {}
impl Element for u64 {}
impl Element for M61 {}

/// `acc += a b`, into a share for example. With a public matrix on either side, the product of a share is local.
///
/// # Errors
/// [`KernelError::Size`], or a GPU that fails (then a part of `acc` may have been written).
pub fn multiply_add<T: Element>(
    device: &Device,
    shape: Shape,
    a: &[T],
    b: &[T],
    acc: &mut [T],
) -> Result<(), KernelError> {
    products("matmul::multiply_add", device, shape, 1, a, b, acc)
}

/// `count` products of one shape in one call: `acc[i] += a[i] b[i]` for matrices that lie one after the other in each
/// slice. For small products faster than a call for each, on a GPU above all.
///
/// # Errors
/// As [`multiply_add`].
pub fn multiply_add_batch<T: Element>(
    device: &Device,
    shape: Shape,
    count: usize,
    a: &[T],
    b: &[T],
    acc: &mut [T],
) -> Result<(), KernelError> {
    products("matmul::multiply_add_batch", device, shape, count, a, b, acc)
}

fn products<T: Element>(
    operation: &'static str,
    device: &Device,
    shape: Shape,
    count: usize,
    a: &[T],
    b: &[T],
    acc: &mut [T],
) -> Result<(), KernelError> {
    let Shape { rows, inner, columns } = shape;
    let slices =
        [("a", a.len(), rows, inner), ("b", b.len(), inner, columns), ("acc", acc.len(), rows, columns)];
    for (slice, given, height, width) in slices {
        // A size beyond usize fits no slice.
        sized(operation, slice, given, height.saturating_mul(width).saturating_mul(count))?;
    }
    if acc.is_empty() || inner == 0 {
        return Ok(());
    }
    match device.backend() {
        // Few and large: each by its rows.
        Backend::Cpu(cpu) if (2..cpu.threads()).contains(&count) && rows > ROWS => {
            let factors = a.chunks_exact(rows * inner).zip(b.chunks_exact(inner * columns));
            for ((a, b), acc) in factors.zip(acc.chunks_exact_mut(rows * columns)) {
                products(operation, device, shape, 1, a, b, acc)?;
            }
        }
        Backend::Cpu(cpu) => {
            let products = MultiplyAdd::<T>::new(shape, a, b, acc);
            match **cpu {
                #[cfg(target_arch = "x86_64")]
                Arch::Amx(tiles) => cpu.spread(products.by(tiles)),
                #[cfg(target_arch = "x86_64")]
                Arch::Ifma(ifma) => cpu.spread(products.by(ifma)),
                _ => cpu.spread(products),
            }
        }
        #[cfg(feature = "gpu")]
        Backend::Gpu(gpu) if count == 1 => gpu.multiply_add(shape, a, b, acc)?,
        #[cfg(feature = "gpu")]
        Backend::Gpu(gpu) => gpu.multiply_add_batch(shape, a, b, acc)?,
    }
    Ok(())
}

/// `to` becomes the transpose of `from`, a matrix of `rows` by `columns` elements.
///
/// # Errors
/// As [`multiply_add`].
pub fn transpose<T: Element>(
    device: &Device,
    rows: usize,
    columns: usize,
    from: &[T],
    to: &mut [T],
) -> Result<(), KernelError> {
    for (slice, given) in [("from", from.len()), ("to", to.len())] {
        sized("matmul::transpose", slice, given, rows.saturating_mul(columns))?;
    }
    if from.is_empty() {
        return Ok(());
    }
    match device.backend() {
        Backend::Cpu(arch) => {
            arch.spread(Transpose { columns, from: T::raw(from), first: 0, to: T::raw_mut(to) });
        }
        #[cfg(feature = "gpu")]
        Backend::Gpu(gpu) => gpu.matrix_transpose(rows, columns, T::raw(from), T::raw_mut(to))?,
    }
    Ok(())
}
