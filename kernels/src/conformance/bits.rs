//! Bit vectors and bit planes.

use super::{compare, elements, lengths};
use crate::bits::{self, Adder, AndInputs, Carry};
use crate::{Device, KernelError, spec};

/// XOR, AND, NOT, counting and shifts of bit vectors.
pub fn bit_vectors(device: &Device) {
    let start = |len| elements::<u64>(1, len);
    for len in lengths() {
        let other = &elements::<u64>(2, len + 1)[1..];
        compare(
            "bits::xor",
            len,
            start,
            |acc| bits::xor(device, acc, other),
            |acc| spec::bits::xor(acc, other),
        );
        compare(
            "bits::and",
            len,
            start,
            |acc| bits::and(device, acc, other),
            |acc| spec::bits::and(acc, other),
        );
        compare("bits::not", len, start, |acc| bits::not(device, acc), spec::bits::not);
        for words in [other, &vec![u64::MAX; len]] {
            assert_eq!(bits::ones(device, words), Ok(spec::bits::ones(words)), "bits::ones, length {len}");
        }
        for by in [len, 0, 1, 64, 64 * len, usize::MAX] {
            shifts(device, other, by);
        }
    }
    let words = elements::<u64>(3, 67);
    for by in (0..68 * 64).step_by(31).chain(0..64) {
        shifts(device, &words, by);
    }
}

fn shifts(device: &Device, words: &[u64], by: usize) {
    let start = |len| vec![0xa5a5; len];
    let left = |out: &mut [u64]| bits::shift_left(device, words, by, out);
    compare("bits::shift_left", words.len(), start, left, |out| spec::bits::shift_left(words, by, out));
    let right = |out: &mut [u64]| bits::shift_right(device, words, by, out);
    compare("bits::shift_right", words.len(), start, right, |out| spec::bits::shift_right(words, by, out));
}

/// Integers to bit planes and back.
pub fn planes(device: &Device) {
    for len in lengths().into_iter().chain([511 * 64, 512 * 64 + 1, 1024 * 64, 1065 * 64 + 17]) {
        let values = &elements::<u64>(4, len + 1)[1..];
        let words = 64 * bits::plane_words(len);
        let mut planes = vec![0; words];
        spec::bits::to_planes(values, &mut planes);
        compare(
            "bits::to_planes",
            words,
            |len| vec![0xa5a5; len],
            |out| bits::to_planes(device, values, out),
            |out| out.copy_from_slice(&planes),
        );
        // Whatever lies past the last integer of a plane does not matter.
        if len % 64 != 0 {
            for plane in planes.chunks_exact_mut(words / 64) {
                plane[words / 64 - 1] |= u64::MAX << (len % 64);
            }
        }
        compare(
            "bits::from_planes",
            len,
            |len| vec![0xa5a5; len],
            |out| bits::from_planes(device, &planes, out),
            |out| {
                spec::bits::from_planes(&planes, out);
                assert!(out == values);
            },
        );
    }
}

/// Sums and comparisons of integers of every width, by the steps that a protocol takes, with ANDs in the clear.
pub fn planes_of_sums(device: &Device) {
    for (width, len) in (0..=64).zip([1, 64, 65, 200].into_iter().cycle()) {
        let plane = bits::plane_words(len);
        let below = |id| -> Vec<u64> {
            let kept = 1u64.checked_shl(width as u32).map_or(u64::MAX, |end| end - 1);
            elements::<u64>(id, len)
                .iter()
                .enumerate()
                .map(|(i, x)| x & kept >> (i % 5 * width / 7))
                .collect()
        };
        let (x, y) = (below(5), below(6));
        let of = |values: &[u64]| {
            let mut planes = vec![0; 64 * plane];
            spec::bits::to_planes(values, &mut planes);
            planes.truncate(width * plane);
            planes
        };
        let (a, b) = (of(&x), of(&y));
        let multiply = |mut left: Vec<u64>, right: &[u64]| {
            spec::bits::and(&mut left, right);
            left
        };
        let product = |inputs: &AndInputs| multiply(inputs.left.clone(), &inputs.right);

        let mut adder = Adder::new(device, &a, &b, &multiply(a.clone(), &b), plane).expect("an adder");
        let mut rounds = 0;
        while let Some(inputs) = adder.inputs() {
            adder.apply(device, &product(&inputs)).expect("a round");
            rounds += 1;
        }
        assert_eq!(rounds, width.next_power_of_two().ilog2(), "rounds of an addition of {width} bits");
        let mut sum = adder.sum(device).expect("a sum");
        sum.resize(64 * plane, 0);
        let mut got = vec![0; len];
        spec::bits::from_planes(&sum, &mut got);
        let modulus = (1u128 << width) - 1;
        let want = x.iter().zip(&y).map(|(x, y)| ((u128::from(*x) + u128::from(*y)) & modulus) as u64);
        assert!(got.into_iter().eq(want), "sums of {width} bits");

        if width > 0 {
            let not_a: Vec<u64> = a.iter().map(|word| !word).collect();
            let mut carry =
                Carry::new(device, &not_a, &b, &multiply(not_a.clone(), &b), plane).expect("a carry");
            let mut rounds = 0;
            while let Some(inputs) = carry.inputs() {
                carry.apply(device, &product(&inputs)).expect("a round");
                rounds += 1;
            }
            assert_eq!(rounds, width.next_power_of_two().ilog2(), "rounds of a comparison of {width} bits");
            let less = carry.plane();
            for (i, (x, y)) in x.iter().zip(&y).enumerate() {
                assert_eq!(less[i / 64] >> (i % 64) & 1 == 1, x < y, "{x} < {y}, {width} bits");
            }
        }
    }
}

/// What has not the right size is refused, and nothing is written.
pub fn bits_refused(device: &Device) {
    let law = |result| matches!(result, Err(KernelError::Length { left: 3, right: 2, .. }));
    let mut words = [1u64; 3];
    assert!(law(bits::xor(device, &mut words, &[1; 2])));
    assert!(law(bits::and(device, &mut words, &[1; 2])));
    assert!(law(bits::shift_left(device, &[1; 2], 1, &mut words)));
    assert!(law(bits::shift_right(device, &[1; 2], 1, &mut words)));
    let size = |result| matches!(result, Err(KernelError::Size { given: 3, needed: 64, .. }));
    assert!(size(bits::to_planes(device, &[1; 2], &mut words)));
    assert!(size(bits::from_planes(device, &[1; 3], &mut [7; 64])));
    assert!(words == [1; 3]);
    let refused =
        |given, needed| KernelError::Size { operation: "bits::Adder", slice: "each operand", given, needed };
    assert_eq!(Adder::new(device, &words, &words, &words, 2).err(), Some(refused(3, 2)));
    assert_eq!(Adder::new(device, &words, &words, &words, 0).err(), Some(refused(3, 0)));
    assert!(Carry::new(device, &words, &words, &words, 2).is_err());
    let mut adder = Adder::new(device, &words, &words, &words, 1).expect("three planes");
    assert!(adder.apply(device, &[0; 2]).is_err() && adder.apply(device, &[0; 3]).is_ok());
}
