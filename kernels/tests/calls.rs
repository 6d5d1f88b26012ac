//! Every level gives the frozen answers of several calls: on one stream, round by round, of several matrices.

#[path = "vectors/format.rs"]
#[allow(dead_code, unreachable_pub, reason = "the example that writes the vectors uses the rest")]
mod format;

#[path = "vectors/calls.rs"]
#[allow(unreachable_pub, reason = "the example that writes the vectors shares it")]
mod calls;

#[path = "vectors/kit.rs"]
mod kit;
mod levels;

use format::{Adder, Batch, Calls, unwords, words};
use kit::{elements, stream, vectors};
use levels::devices;
use veilgrid_kernels::{Device, Word, bits, matmul};

#[test]
fn streams() {
    for vector in vectors!(Calls, "stream.json") {
        for device in devices() {
            let mut stream = stream(&vector.at);
            for call in &vector.calls {
                let output = calls::on_stream(&device, &call.call, call.length, &mut stream).unwrap();
                assert_eq!(words(&output), call.output, "{} on {}", call.call, device.describe());
                assert_eq!(format!("{:x}", stream.position()), call.next, "{}", call.call);
            }
        }
    }
}

#[test]
fn sums_in_planes() {
    for vector in vectors!(Adder, "adder.json") {
        for device in devices() {
            let plane = bits::plane_words(vector.a.len());
            let [a, b] = [&vector.a, &vector.b].map(|texts| {
                let mut planes = vec![0; 64 * plane];
                bits::to_planes(&device, &unwords(texts), &mut planes).unwrap();
                planes.truncate(vector.width * plane);
                planes
            });
            assert_eq!(words(&a), vector.planes);
            assert_eq!(calls::sum(&device, &a, &b, plane).unwrap(), vector.sum);
            assert_eq!(calls::less(&device, &a, &b, plane).unwrap(), vector.less);
        }
    }
}

#[test]
fn batches_of_matrices() {
    for vector in vectors!(Batch, "batch.json") {
        for device in devices() {
            match vector.bits {
                32 => batches_of::<u32>(&device, &vector),
                _ => batches_of::<u64>(&device, &vector),
            }
        }
    }
}

fn batches_of<T: Word + matmul::Element>(device: &Device, vector: &Batch) {
    let shape = matmul::Shape { rows: vector.rows, inner: vector.inner, columns: vector.columns };
    let (a, mut acc) = (elements::<T>(&vector.a), elements::<T>(&vector.acc));
    matmul::multiply_add_batch(device, shape, vector.count, &a, &elements(&vector.b), &mut acc).unwrap();
    assert_eq!(acc, elements(&vector.sums));
    let mut transposed = a.clone();
    matmul::transpose(device, vector.count * vector.rows, vector.inner, &a, &mut transposed).unwrap();
    assert_eq!(transposed, elements(&vector.transposed));
}
