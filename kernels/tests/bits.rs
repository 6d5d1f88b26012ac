//! Addition and comparison of shared integers by two parties, with the secure AND made of multiplication triples.

mod levels;

use levels::devices;
use proptest::collection::vec;
use proptest::prelude::*;
use veilgrid_kernels::bits::{self, Adder, AndInputs, Carry};
use veilgrid_kernels::{Device, spec};

/// XOR shares of a vector: the first is `mask`, which the test draws.
fn share(secret: &[u64], mask: &[u64]) -> [Vec<u64>; 2] {
    let mut other = secret.to_vec();
    spec::bits::xor(&mut other, mask);
    [mask.to_vec(), other]
}

/// A source of words for shares and triples; any will do for a test of correctness.
struct Words(u64);

impl Words {
    fn take(&mut self, count: usize) -> Vec<u64> {
        self.0 += 1;
        spec::mask::words(&[7; 32], self.0, 0, count)
    }
}

/// Beaver's AND: with shares of random `u`, `v` and `u & v`, the parties open `x ^ u` and `y ^ v`, and the rest is
/// local.
fn and(words: &mut Words, left: [&[u64]; 2], right: [&[u64]; 2]) -> [Vec<u64>; 2] {
    let len = left[0].len();
    let (u, v) = (words.take(len), words.take(len));
    let w: Vec<u64> = u.iter().zip(&v).map(|(u, v)| u & v).collect();
    let [u, v, w] = [u, v, w].map(|secret| share(&secret, &words.take(len)));
    let open = |x: [&[u64]; 2], m: &[Vec<u64>; 2]| -> Vec<u64> {
        (0..len).map(|i| x[0][i] ^ m[0][i] ^ x[1][i] ^ m[1][i]).collect()
    };
    let (d, e) = (open(left, &u), open(right, &v));
    [0, 1].map(|party| {
        let product = |i: usize| {
            let own = w[party][i] ^ d[i] & v[party][i] ^ e[i] & u[party][i];
            if party == 0 { own ^ d[i] & e[i] } else { own }
        };
        (0..len).map(product).collect()
    })
}

fn and_of(words: &mut Words, inputs: [Option<AndInputs>; 2]) -> Option<[Vec<u64>; 2]> {
    let [Some(a), Some(b)] = inputs else { return None };
    Some(and(words, [&a.left, &b.left], [&a.right, &b.right]))
}

fn planes(device: &Device, values: &[u64]) -> Vec<u64> {
    let mut planes = vec![0; 64 * bits::plane_words(values.len())];
    bits::to_planes(device, values, &mut planes).unwrap();
    planes
}

proptest! {
    #[test]
    fn two_parties_add_and_compare(
        pairs in vec((any::<u64>(), any::<u64>(), 0u32..64), 1..150), seed in any::<u32>(),
    ) {
        let device = Device::cpu().unwrap();
        let words = &mut Words(u64::from(seed) << 20);
        // Small and large numbers, and pairs that are nearly equal.
        let x: Vec<u64> = pairs.iter().map(|(x, _, shift)| x >> shift).collect();
        let y: Vec<u64> = pairs.iter().zip(&x).map(|((_, y, shift), x)| if y % 3 == 0 { x ^ (y & 1) } else { y >> shift }).collect();
        let plane = bits::plane_words(x.len());
        let (a, b) = (planes(&device, &x), planes(&device, &y));
        let (a, b) = (share(&a, &words.take(a.len())), share(&b, &words.take(b.len())));

        let first = and(words, [&a[0], &a[1]], [&b[0], &b[1]]);
        let mut adders = [0, 1].map(|i| Adder::new(&device, &a[i], &b[i], &first[i], plane).unwrap());
        while let Some(products) = and_of(words, adders.each_ref().map(Adder::inputs)) {
            for (adder, products) in adders.iter_mut().zip(products) {
                adder.apply(&device, &products).unwrap();
            }
        }
        let [mut sum, other] = adders.map(|adder| adder.sum(&device).unwrap());
        bits::xor(&device, &mut sum, &other).unwrap();
        let mut got = vec![0; x.len()];
        bits::from_planes(&device, &sum, &mut got).unwrap();
        let want: Vec<u64> = x.iter().zip(&y).map(|(x, y)| x.wrapping_add(*y)).collect();
        prop_assert_eq!(got, want);

        let mut not_a = a;
        bits::not(&device, &mut not_a[0]).unwrap();
        let first = and(words, [&not_a[0], &not_a[1]], [&b[0], &b[1]]);
        let mut carries = [0, 1].map(|i| Carry::new(&device, &not_a[i], &b[i], &first[i], plane).unwrap());
        while let Some(products) = and_of(words, carries.each_ref().map(Carry::inputs)) {
            for (carry, products) in carries.iter_mut().zip(products) {
                carry.apply(&device, &products).unwrap();
            }
        }
        let [mut less, other] = carries.map(Carry::plane);
        bits::xor(&device, &mut less, &other).unwrap();
        for (i, (x, y)) in x.iter().zip(&y).enumerate() {
            prop_assert_eq!(less[i / 64] >> (i % 64) & 1 == 1, x < y);
        }
    }
}

/// From 16 MiB on results go past the caches, line by line, wherever the vectors start.
#[test]
fn planes_of_vectors_larger_than_caches() {
    for (len, start) in [((2 << 20) + 77, 3), ((2 << 20) + 509, 0), ((2 << 20) + 509, 5)] {
        let words = 64 * bits::plane_words(len);
        let values: Vec<u64> = (0..len as u64).map(|i| (i + 1).wrapping_mul(0x9e37_79b9_7f4a_7c15)).collect();
        let mut want = vec![0; words];
        spec::bits::to_planes(&values, &mut want);
        for device in devices() {
            let mut planes = vec![7; start + words];
            bits::to_planes(&device, &values, &mut planes[start..]).unwrap();
            assert!(planes[start..] == want, "{} {len} {start}", device.describe());
            let mut back = vec![7; start + len];
            bits::from_planes(&device, &want, &mut back[start..]).unwrap();
            assert!(back[start..] == values, "{} {len} {start}", device.describe());
        }
    }
}
