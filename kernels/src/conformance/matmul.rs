//! Matrix products.

use super::{compare, elements};
use crate::matmul::{self, Shape};
use crate::{Device, KernelError, Word, spec};

/// Products of every shape around the sizes of tiles and blocks.
pub fn matrices(device: &Device) {
    matrices_of::<u32>(device);
    matrices_of::<u64>(device);
    let mut acc = [1u64; 6];
    let shape = Shape { rows: 2, inner: 4, columns: 3 };
    let refused = |slice, given, needed| {
        Err(KernelError::Size { operation: "matmul::multiply_add", slice, given, needed })
    };
    assert_eq!(matmul::multiply_add(device, shape, &[1; 7], &[1; 12], &mut acc), refused("a", 7, 8));
    assert_eq!(matmul::multiply_add(device, shape, &[1; 8], &[1; 13], &mut acc), refused("b", 13, 12));
    assert_eq!(matmul::multiply_add(device, shape, &[1; 8], &[1; 12], &mut acc[1..]), refused("acc", 5, 6));
    let endless = Shape { rows: usize::MAX, inner: 2, columns: 0 };
    assert_eq!(matmul::multiply_add::<u64>(device, endless, &[], &[], &mut []), refused("a", 0, usize::MAX));
    assert!(acc == [1; 6]);
}

fn matrices_of<T: Word>(device: &Device) {
    let sizes = [0, 1, 2, 3, 5, 8, 17, 33];
    let mut shapes: Vec<[usize; 3]> =
        sizes.iter().flat_map(|m| sizes.iter().flat_map(move |k| sizes.map(|n| [*m, *k, n]))).collect();
    shapes.extend([[49, 257, 35], [6, 513, 16], [97, 40, 32], [1, 600, 1], [3, 2, 1061], [128, 64, 64]]);
    for [rows, inner, columns] in shapes {
        let shape = Shape { rows, inner, columns };
        let (a, b) = (&elements::<T>(1, rows * inner + 1)[1..], &elements::<T>(2, inner * columns + 1)[1..]);
        compare(
            &format!("matmul::multiply_add, {rows} x {inner} x {columns}"),
            rows * columns,
            |len| elements::<T>(3, len),
            |acc| matmul::multiply_add(device, shape, a, b, acc),
            |acc| spec::matmul::multiply_add(shape, a, b, acc),
        );
    }
}
