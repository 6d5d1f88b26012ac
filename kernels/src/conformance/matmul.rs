//! Matrix products.

use super::{compare, elements, field};
use crate::matmul::{self, Element, Shape};
use crate::{Device, KernelError, M61, spec};

/// Products of every shape around the sizes of tiles and blocks.
pub fn matrices(device: &Device) {
    matrices_of::<u32>(device, elements, spec::matmul::multiply_add);
    matrices_of::<u64>(device, elements, spec::matmul::multiply_add);
    matrices_of::<M61>(device, field::elements, spec::matmul::multiply_add_field);
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

type Defined<T> = fn(Shape, &[T], &[T], &mut [T]);

fn matrices_of<T: Element + PartialEq>(
    device: &Device,
    elements: fn(u64, usize) -> Vec<T>,
    defined: Defined<T>,
) {
    let sizes = [0, 1, 2, 3, 5, 8, 17, 33];
    let mut shapes: Vec<[usize; 3]> =
        sizes.iter().flat_map(|m| sizes.iter().flat_map(move |k| sizes.map(|n| [*m, *k, n]))).collect();
    shapes.extend([
        [49, 257, 35],
        [6, 513, 16],
        [97, 40, 32],
        [1, 600, 1],
        [3, 2, 1061],
        [128, 64, 64],
        [5, 70, 531],
        [130, 1029, 7],
    ]);
    for [rows, inner, columns] in shapes {
        let shape = Shape { rows, inner, columns };
        let (a, b) = (&elements(1, rows * inner + 1)[1..], &elements(2, inner * columns + 1)[1..]);
        compare(
            &format!("matmul::multiply_add, {rows} x {inner} x {columns}"),
            rows * columns,
            |len| elements(3, len),
            |acc| matmul::multiply_add(device, shape, a, b, acc),
            |acc| defined(shape, a, b, acc),
        );
    }
}

/// Several products in one call, and transposes.
pub fn batches(device: &Device) {
    batches_of::<u32>(device, elements, spec::matmul::multiply_add);
    batches_of::<u64>(device, elements, spec::matmul::multiply_add);
    batches_of::<M61>(device, field::elements, spec::matmul::multiply_add_field);
    let refused =
        |operation, slice, given, needed| Err(KernelError::Size { operation, slice, given, needed });
    let shape = Shape { rows: 2, inner: 1, columns: 2 };
    let batch = matmul::multiply_add_batch(device, shape, 3, &[1u32; 6], &[1; 6], &mut [1; 11]);
    assert_eq!(batch, refused("matmul::multiply_add_batch", "acc", 11, 12));
    let transposed = matmul::transpose(device, 2, 3, &[1u64; 6], &mut [1; 5]);
    assert_eq!(transposed, refused("matmul::transpose", "to", 5, 6));
}

fn batches_of<T: Element + PartialEq>(
    device: &Device,
    elements: fn(u64, usize) -> Vec<T>,
    defined: Defined<T>,
) {
    let shapes =
        [[1, 1, 1], [2, 3, 5], [4, 4, 4], [3, 70, 2], [16, 17, 18], [40, 33, 30], [0, 2, 2], [2, 0, 2]];
    for [rows, inner, columns] in shapes {
        let shape = Shape { rows, inner, columns };
        for count in [0, 1, 2, 37] {
            let (a, b) = (elements(1, count * rows * inner), elements(2, count * inner * columns));
            compare(
                &format!("matmul::multiply_add_batch, {count} of {rows} x {inner} x {columns}"),
                count * rows * columns,
                |len| elements(3, len),
                |acc| matmul::multiply_add_batch(device, shape, count, &a, &b, acc),
                |acc| {
                    for i in 0..count {
                        let (a, b) = (
                            &a[i * rows * inner..][..rows * inner],
                            &b[i * inner * columns..][..inner * columns],
                        );
                        defined(shape, a, b, &mut acc[i * rows * columns..][..rows * columns]);
                    }
                },
            );
        }
    }
    for [rows, columns] in
        [[0, 3], [3, 0], [1, 1], [1, 40], [15, 17], [16, 32], [33, 50], [200, 131], [1100, 70]]
    {
        let from = &elements(1, rows * columns + 1)[1..];
        compare(
            &format!("matmul::transpose, {rows} x {columns}"),
            rows * columns,
            |len| elements(3, len),
            |to| matmul::transpose(device, rows, columns, from, to),
            |to| spec::matmul::transpose(rows, columns, from, to),
        );
    }
}
