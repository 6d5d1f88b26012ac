//! Frozen answers of several calls: on one stream, round by round, of several matrices.

use super::format::{Adder, At, Batch, Call, Calls, words};
use super::{KEY, calls, elements, wide};
use std::error::Error;
use veilgrid_kernels::{Device, Level, Seed, Word, spec};

/// Calls from block `first` on; the last of them uses the stream up, if it is to.
pub(super) fn stream(first: u64, up: bool) -> Result<Calls, Box<dyn Error>> {
    let device = Device::cpu_at(Level::Scalar)?;
    let mut stream = Seed::from_bytes(KEY).stream(0x8000_0001_0000_0005);
    stream.skip(first)?;
    let mut calls = vec![
        ("chacha::keystream", 65),
        ("chacha::keystream", 1),
        ("mask::add u32", 17),
        ("mask::add u64", 9),
        ("mask::sub u64", 8),
        ("share::expand", 0),
        ("noise::laplace_fill 10/1", 9),
    ];
    calls.extend(if up {
        [("share::expand", 24), ("mask::add u32", 16)]
    } else {
        [("skip", 3), ("share::expand", 9)]
    });
    let calls = calls.into_iter().map(|(call, length)| {
        let output = calls::on_stream(&device, call, length, &mut stream)?;
        Ok(Call {
            call: call.to_owned(),
            length,
            output: words(&output),
            next: format!("{:x}", stream.position()),
        })
    });
    let calls = calls.collect::<Result<_, Box<dyn Error>>>()?;
    Ok(Calls { at: At::new(KEY, 0x8000_0001_0000_0005, first), calls })
}

/// Integers of `width` bits, more than one word of them where `len` is above 64.
pub(super) fn adder(width: usize, len: usize) -> Result<Adder, Box<dyn Error>> {
    let device = Device::cpu_at(Level::Scalar)?;
    let [mut a, mut b] = [31, 32].map(|id| {
        let random: Vec<u64> = spec::mask::words(&KEY, id, width as u64 * 100, len);
        random.iter().map(|word| word & ((1 << width) - 1)).collect::<Vec<_>>()
    });
    // Equal, the longest carry, and neither.
    (a[1], b[1]) = (a[0], a[0]);
    (a[2], b[2]) = ((1 << width) - 1, 1);
    let plane = len.div_ceil(64);
    let of = |values: &[u64]| {
        let mut planes = vec![0; 64 * plane];
        spec::bits::to_planes(values, &mut planes);
        planes.truncate(width * plane);
        planes
    };
    Ok(Adder {
        width,
        planes: words(&of(&a)),
        sum: calls::sum(&device, &of(&a), &of(&b), plane)?,
        less: calls::less(&device, &of(&a), &of(&b), plane)?,
        a: words(&a),
        b: words(&b),
    })
}

pub(super) fn batch<T: Word>(bits: u32) -> Batch {
    let (rows, inner, columns, count) = (2, 3, 2, 2);
    let (mut a, mut b, mut acc) = (elements::<T>(27), elements::<T>(28), elements::<T>(29));
    a.truncate(count * rows * inner);
    b.truncate(count * inner * columns);
    acc.truncate(count * rows * columns);
    let mut sums = acc.clone();
    let shape = veilgrid_kernels::matmul::Shape { rows, inner, columns };
    let matrices = a.chunks(rows * inner).zip(b.chunks(inner * columns));
    for ((a, b), sums) in matrices.zip(sums.chunks_mut(rows * columns)) {
        spec::matmul::multiply_add(shape, a, b, sums);
    }
    let mut transposed = a.clone();
    spec::matmul::transpose(count * rows, inner, &a, &mut transposed);
    let [a, b, acc, sums, transposed] = [a, b, acc, sums, transposed].map(|elements| wide(&elements));
    Batch { bits, rows, inner, columns, count, a, b, acc, sums, transposed }
}
