//! Every level gives the frozen answers: those of RFC 8439 for ChaCha20, our own for the rest.

#[path = "vectors/format.rs"]
#[allow(dead_code, unreachable_pub, reason = "the example that writes the vectors uses the rest")]
mod format;

#[path = "vectors/fields.rs"]
mod fields;

#[path = "vectors/kit.rs"]
mod kit;
mod levels;

use format::{
    Bits, Chacha, Drawn, Fixed, Mask, Matmul, Noise, Replicated, Ring, Share, Truncation, hex, unwords, word,
    words,
};
use kit::{elements, stream, vectors};
use levels::devices;
use veilgrid_kernels::fixed::Role;
use veilgrid_kernels::noise::{self, Law};
use veilgrid_kernels::replicated::{self, Pair};
use veilgrid_kernels::{
    Bernoulli, Binomial, Device, Gaussian, Laplace, Skellam, Stream, Word, bits, chacha, fixed, mask, matmul,
    ring, share,
};

#[test]
fn keystream() {
    for vector in vectors!(Chacha, "chacha.json") {
        for device in devices() {
            let mut out = vec![0; vector.keystream.len() / 2];
            chacha::keystream(&device, &mut stream(&vector.at), &mut out).unwrap();
            assert_eq!(hex(&out), vector.keystream, "{} on {}", vector.source, device.describe());
        }
    }
}

#[test]
fn arithmetic() {
    for vector in vectors!(Ring, "ring.json") {
        for device in devices() {
            match vector.bits {
                32 => ring_of::<u32>(&device, &vector),
                _ => ring_of::<u64>(&device, &vector),
            }
        }
    }
}

fn ring_of<T: Word>(device: &Device, vector: &Ring) {
    let (a, b) = (elements::<T>(&vector.a), elements::<T>(&vector.b));
    let mut acc = a.clone();
    ring::add(device, &mut acc, &b).unwrap();
    assert_eq!(acc, elements(&vector.add));
    acc.clone_from(&a);
    ring::sub(device, &mut acc, &b).unwrap();
    assert_eq!(acc, elements(&vector.sub));
    acc.clone_from(&a);
    ring::mul(device, &mut acc, &b).unwrap();
    assert_eq!(acc, elements(&vector.mul));
    assert_eq!(vec![ring::sum(device, &a).unwrap()], elements(std::slice::from_ref(&vector.sum_of_a)));
}

#[test]
fn masks() {
    for vector in vectors!(Mask, "mask.json") {
        for device in devices() {
            match vector.bits {
                32 => mask_of::<u32>(&device, &vector),
                _ => mask_of::<u64>(&device, &vector),
            }
        }
    }
}

fn mask_of<T: Word>(device: &Device, vector: &Mask) {
    let mut data = elements::<T>(&vector.data);
    mask::add(device, &mut data, &mut stream(&vector.at)).unwrap();
    assert_eq!(data, elements(&vector.add));
    let mut data = elements::<T>(&vector.data);
    mask::sub(device, &mut data, &mut stream(&vector.at)).unwrap();
    assert_eq!(data, elements(&vector.sub));
}

#[test]
fn shares() {
    for vector in vectors!(Share, "share.json") {
        for device in devices() {
            let mut streams: Vec<Stream> = vector.streams.iter().map(stream).collect();
            let mut acc = unwords(&vector.secret);
            share::split(&device, &mut acc, &mut streams).unwrap();
            assert_eq!(words(&acc), vector.correction);
            let shares: Vec<Vec<u64>> = vector.shares.iter().map(|share| unwords(share)).collect();
            for (at, share) in vector.streams.iter().zip(&shares) {
                let mut out = vec![0; share.len()];
                share::expand(&device, &mut out, &mut stream(at)).unwrap();
                assert_eq!(&out, share);
            }
            let shares: Vec<&[u64]> = shares.iter().map(Vec::as_slice).collect();
            share::reconstruct(&device, &mut acc, &shares).unwrap();
            assert_eq!(words(&acc), vector.secret);
        }
    }
}

#[test]
fn fixed_point() {
    for vector in vectors!(Fixed, "fixed.json") {
        for device in devices() {
            let format = veilgrid_kernels::Fixed::new(vector.fraction_bits, vector.min, vector.max).unwrap();
            let values: Vec<f64> = unwords(&vector.values).into_iter().map(f64::from_bits).collect();
            let mut encoded = vec![0; values.len()];
            fixed::encode(&device, &values, format, &mut encoded).unwrap();
            assert_eq!(words(&encoded.iter().map(|x| *x as u64).collect::<Vec<_>>()), vector.encoded);
            for i in 0..=values.len() {
                let next = vector.out_of_range.iter().find(|index| **index >= i).map(|index| index - i);
                assert_eq!(fixed::out_of_range(&device, &values[i..], format), next);
            }
            let units: Vec<i64> = unwords(&vector.units).into_iter().map(|x| x as i64).collect();
            let mut decoded = vec![0.0; units.len()];
            fixed::decode(&device, &units, vector.fraction_bits, &mut decoded).unwrap();
            assert_eq!(words(&decoded.iter().map(|x| x.to_bits()).collect::<Vec<_>>()), vector.decoded);
        }
    }
}

#[test]
fn laplace() {
    for vector in vectors!(Noise, "noise.json") {
        let law = Laplace::new(vector.numerator, vector.denominator).unwrap();
        assert_eq!(law.zero_threshold(), word(&vector.zero));
        assert_eq!(words(law.digits().as_flattened()), vector.thresholds);
        assert_eq!(law.total_variation(), vector.total_variation);
        for device in devices() {
            let mut samples = vec![0; vector.samples.len()];
            noise::laplace_fill(&device, &law, &mut stream(&vector.at), &mut samples).unwrap();
            assert_eq!(samples, vector.samples);
        }
    }
}

#[test]
fn drawn_noise() {
    for vector in vectors!(Drawn, "drawn.json") {
        let [n, d] = vector.parameter;
        let trials = |[n, _]: [u64; 2]| Binomial::new(n.try_into().unwrap());
        let refused = vector.refused.iter().all(|[n, d]| match vector.law.as_str() {
            "bernoulli" => Bernoulli::new(*n, *d).is_err(),
            "gaussian" => Gaussian::new(*n, *d).is_err(),
            "skellam" => Skellam::new(*n, *d).is_err(),
            _ => trials([*n, *d]).is_err(),
        });
        assert!(refused, "{}", vector.law);
        match vector.law.as_str() {
            "bernoulli" => {
                let law = Bernoulli::new(n, d).unwrap();
                assert_eq!(words(&[law.threshold()]), vector.thresholds);
                assert_drawn(&law, &vector);
            }
            "gaussian" => {
                let law = Gaussian::new(n, d).unwrap();
                assert_eq!(words(law.thresholds()), vector.thresholds);
                assert_eq!(words(law.weights()), vector.weights);
                assert_drawn(&law, &vector);
            }
            "skellam" => {
                let law = Skellam::new(n, d).unwrap();
                assert_eq!(words(law.thresholds()), vector.thresholds);
                assert_drawn(&law, &vector);
            }
            "binomial" => assert_drawn(&trials([n, d]).unwrap(), &vector),
            law => panic!("no law {law}"),
        }
    }
}

fn assert_drawn(law: &impl Law, vector: &Drawn) {
    assert_eq!(law.total_variation(), vector.total_variation);
    for device in devices() {
        let mut samples = vec![0; vector.samples.len()];
        noise::fill(&device, law, &mut stream(&vector.at), &mut samples).unwrap();
        assert_eq!(samples, vector.samples, "{} of {:?}", vector.law, vector.parameter);
    }
}

#[test]
fn bit_vectors() {
    for vector in vectors!(Bits, "bits.json") {
        let (a, b) = (unwords(&vector.a), unwords(&vector.b));
        for device in devices() {
            let mut acc = a.clone();
            bits::xor(&device, &mut acc, &b).unwrap();
            assert_eq!(words(&acc), vector.xor);
            acc.clone_from(&a);
            bits::and(&device, &mut acc, &b).unwrap();
            assert_eq!(words(&acc), vector.and);
            acc.clone_from(&a);
            bits::not(&device, &mut acc).unwrap();
            assert_eq!(words(&acc), vector.not_a);
            assert_eq!(bits::ones(&device, &a), Ok(vector.ones_of_a));
            bits::shift_left(&device, &a, vector.by, &mut acc).unwrap();
            assert_eq!(words(&acc), vector.left);
            bits::shift_right(&device, &a, vector.by, &mut acc).unwrap();
            assert_eq!(words(&acc), vector.right);
            let mut planes = vec![0; vector.planes.len()];
            bits::to_planes(&device, &a, &mut planes).unwrap();
            assert_eq!(words(&planes), vector.planes);
            bits::from_planes(&device, &planes, &mut acc).unwrap();
            assert_eq!(acc, a);
        }
    }
}

#[test]
fn truncation() {
    for vector in vectors!(Truncation, "truncation.json") {
        let (start, high) = (unwords(&vector.share), unwords(&vector.mask_high));
        let roles = [
            (Role::First, &vector.first, &vector.opened_first),
            (Role::Other, &vector.other, &vector.opened_other),
        ];
        for device in devices() {
            for (role, share, opened) in roles {
                let mut acc = start.clone();
                fixed::truncate(&device, &mut acc, vector.bits, role).unwrap();
                assert_eq!(&words(&acc), share);
                acc.clone_from(&start);
                fixed::truncate_opened(&device, &mut acc, &high, vector.bits, role).unwrap();
                assert_eq!(&words(&acc), opened);
            }
        }
    }
}

#[test]
fn replicated_products() {
    for vector in vectors!(Replicated, "replicated.json") {
        let [x, y] = [&vector.x, &vector.y].map(|pair| pair.each_ref().map(|part| unwords(part)));
        for device in devices() {
            let (x, y) = (Pair { own: &x[0], next: &x[1] }, Pair { own: &y[0], next: &y[1] });
            let [mut own, mut next] = vector.zero.each_ref().map(stream);
            let mut out = vec![0; vector.product.len()];
            replicated::multiply(&device, x, y, &mut own, &mut next, &mut out).unwrap();
            assert_eq!(words(&out), vector.product);
        }
    }
}

#[test]
fn matrices() {
    for vector in vectors!(Matmul, "matmul.json") {
        for device in devices() {
            match vector.bits {
                32 => matrices_of::<u32>(&device, &vector),
                _ => matrices_of::<u64>(&device, &vector),
            }
        }
    }
}

fn matrices_of<T: Word>(device: &Device, vector: &Matmul) {
    let shape = matmul::Shape { rows: vector.rows, inner: vector.inner, columns: vector.columns };
    let mut acc = elements::<T>(&vector.acc);
    matmul::multiply_add(device, shape, &elements(&vector.a), &elements(&vector.b), &mut acc).unwrap();
    assert_eq!(acc, elements(&vector.sums));
}
