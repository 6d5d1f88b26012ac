//! Every level gives the frozen answers: those of RFC 8439 for ChaCha20, our own for the rest.

#[path = "vectors/format.rs"]
#[allow(dead_code, unreachable_pub, reason = "the example that writes the vectors uses the rest")]
mod format;

use format::{At, Chacha, Fixed, Mask, Noise, Ring, Share, hex, unwords, word, words};
use veilgrid_kernels::{Device, Laplace, Level, Seed, Stream, Word, chacha, fixed, mask, noise, ring, share};

fn devices() -> Vec<Device> {
    Level::ALL.into_iter().filter_map(|level| Device::cpu_at(level).ok()).collect()
}

fn stream(at: &At) -> Stream {
    let mut stream = Seed::from_bytes(at.key()).stream(at.id());
    stream.skip(at.block()).unwrap();
    stream
}

fn elements<T: Word>(texts: &[String]) -> Vec<T> {
    unwords(texts).iter().map(|value| T::from_le(&value.to_le_bytes()[..size_of::<T>()])).collect()
}

macro_rules! vectors {
    ($type:ty, $file:literal) => {
        serde_json::from_str::<Vec<$type>>(include_str!(concat!("vectors/", $file))).unwrap()
    };
}

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
