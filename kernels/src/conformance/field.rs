//! Checks of the prime fields.

use super::{ID, KEY, compare, lengths, positions, stream};
use crate::field;
use crate::{Device, Field, Field64, KernelError, M61, spec};

/// Elements on which carries, borrows and reductions turn.
fn special<F: Field>() -> Vec<F> {
    let mut words = vec![0, 1, 2, F::MODULUS - 1, F::MODULUS - 2, F::MODULUS / 2, F::MODULUS / 2 + 1];
    for bit in [29, 30, 31, 32, 33, 48, 58, 60, 61, 63] {
        words.extend([(1u64 << bit) - 1, 1 << bit, (1 << bit) + 1]);
    }
    words.extend([
        0xffff_ffff_0000_0000,
        0xffff_fffe_ffff_ffff,
        0x1fff_ffff_0000_0000,
        0x8000_0000_7fff_ffff,
    ]);
    words.into_iter().filter_map(F::new).collect()
}

/// Elements that look random, with special ones strewn in.
pub(super) fn elements<F: Field>(id: u64, len: usize) -> Vec<F> {
    let special = special::<F>();
    let random = spec::mask::words::<u64>(&KEY, id, 0, len);
    let element = |(i, word): (usize, u64)| match (i as u64 + id) % 3 {
        0 => special[(i / 3 + 5 * id as usize) % special.len()],
        _ => F::new(word % F::MODULUS).expect("a remainder"),
    };
    random.into_iter().enumerate().map(element).collect()
}

/// Sums, differences, products and their combination in both fields; every pair of special elements.
pub fn fields(device: &Device) {
    fields_of::<M61>(device);
    fields_of::<Field64>(device);
}

fn fields_of<F: Field>(device: &Device) {
    type Batch<F> = fn(&Device, &mut [F], &[F]) -> Result<(), KernelError>;
    type Defined<F> = fn(&mut [F], &[F]);
    let operations: [(&str, Batch<F>, Defined<F>); 3] = [
        ("field::add", field::add, spec::field::add),
        ("field::sub", field::sub, spec::field::sub),
        ("field::mul", field::mul, spec::field::mul),
    ];
    let special = special::<F>();
    let pairs = special.iter().flat_map(|a| special.iter().map(|b| (*a, *b)));
    let (left, right): (Vec<F>, Vec<F>) = pairs.unzip();
    let start = |len| left.iter().copied().cycle().take(len).collect();
    for (name, batch, defined) in operations {
        compare(name, right.len(), start, |acc| batch(device, acc, &right), |acc| defined(acc, &right));
    }
    for len in lengths() {
        let (a, b) = (elements::<F>(2, len + 1), elements::<F>(3, len + 1));
        // The other slices too are off the alignment of a vector.
        let (a, b) = (&a[1..], &b[1..]);
        let start = |len| elements::<F>(1, len);
        for (name, batch, defined) in operations {
            compare(name, len, start, |acc| batch(device, acc, a), |acc| defined(acc, a));
        }
        compare("field::neg", len, start, |values| field::neg(device, values), spec::field::neg);
        compare(
            "field::mul_add",
            len,
            start,
            |acc| field::mul_add(device, acc, a, b),
            |acc| spec::field::mul_add(acc, a, b),
        );
    }
}

/// Powers and inverses, that of 0 among them.
pub fn field_powers(device: &Device) {
    powers_of::<M61>(device);
    powers_of::<Field64>(device);
}

fn powers_of<F: Field>(device: &Device) {
    let start = |len| elements::<F>(4, len);
    for exponent in [0, 1, 2, 3, 0x1_0000_0001, F::MODULUS - 1, u64::MAX] {
        for len in [0, 1, 3, 17, 64, 203] {
            compare(
                "field::pow",
                len,
                start,
                |values| field::pow(device, values, exponent),
                |values| spec::field::pow(values, exponent),
            );
        }
    }
    // Up to several runs of vectors that share an inversion.
    for len in lengths().into_iter().filter(|len| *len <= 4097) {
        compare("field::inverse", len, start, |values| field::inverse(device, values), spec::field::inverse);
    }
}

/// Inner products, values of polynomials, and the weights that give a polynomial back from its values.
pub fn polynomials(device: &Device) {
    polynomials_of::<M61>(device);
    polynomials_of::<Field64>(device);
}

fn polynomials_of<F: Field>(device: &Device) {
    for len in lengths() {
        let (a, b) = (&elements::<F>(5, len + 1)[1..], elements::<F>(6, len));
        assert_eq!(field::dot(device, a, &b), Ok(spec::field::dot(a, &b)), "field::dot, length {len}");
    }
    let largest = vec![F::new(F::MODULUS - 1).expect("the largest element"); 4099];
    assert_eq!(field::dot(device, &largest, &largest), Ok(spec::field::dot(&largest, &largest)));

    let start = |len| elements::<F>(7, len);
    let short = [0, 1, 3, 4, 5, 17, 70].into_iter().flat_map(|len| [(len, 0), (len, 1), (len, 9)]);
    for (len, coefficients) in short.chain([(1100, 3), (5, 1024), (3, 2500)]) {
        let coefficients = elements::<F>(8, coefficients);
        compare(
            "field::evaluate",
            len,
            start,
            |points| field::evaluate(device, &coefficients, points),
            |points| spec::field::evaluate(&coefficients, points),
        );
    }
    for len in [0, 1, 2, 5, 20] {
        let points: Vec<F> = (0..len).filter_map(|i| F::new(3 * i + 1)).collect();
        let coefficients = elements::<F>(9, points.len());
        for at in [0, 1, 4, F::MODULUS - 1].map(|at| F::new(at).expect("a point")) {
            let weights = field::lagrange_weights(&points, at).expect("points that differ");
            assert_eq!(weights, spec::field::lagrange_weights(&points, at), "{len} points");
            let (mut values, mut value) = (points.clone(), [at]);
            field::evaluate(device, &coefficients, &mut values).expect("values");
            field::evaluate(device, &coefficients, &mut value).expect("a value");
            assert_eq!(field::dot(device, &weights, &values), Ok(value[0]), "{len} points");
        }
    }
}

/// Words that are no elements are refused by their index, slices of two lengths by their lengths.
pub fn field_errors(device: &Device) {
    errors_of::<M61>(device);
    errors_of::<Field64>(device);
}

fn errors_of<F: Field>(device: &Device) {
    for len in [1, 255, 256, 257, 600] {
        let mut words = vec![F::MODULUS - 1; len];
        assert_eq!(field::elements::<F>(&words).map(<[F]>::len), Ok(len));
        for index in [len - 1, len / 2] {
            words[index] = F::MODULUS;
            let refused = KernelError::NotCanonical { field: F::NAME, index };
            assert_eq!(field::elements::<F>(&words), Err(refused.clone()));
            assert_eq!(field::elements_mut::<F>(&mut words).err(), Some(refused));
        }
    }
    assert!(matches!(
        field::dot(device, &[F::ONE; 3], &[F::ONE; 2]),
        Err(KernelError::Length { left: 3, right: 2, .. })
    ));
    let points = [F::ZERO, F::ONE, F::ZERO];
    let same = Err(KernelError::SamePoint { first: 0, second: 2 });
    assert_eq!(field::lagrange_weights(&points, F::ONE), same);

    let mut acc = [F::ONE; 3];
    let length = |result| matches!(result, Err(KernelError::Length { left: 3, right: 2, .. }));
    assert!(length(field::add(device, &mut acc, &[F::ONE; 2])));
    assert!(length(field::sub(device, &mut acc, &[F::ONE; 2])));
    assert!(length(field::mul(device, &mut acc, &[F::ONE; 2])));
    assert!(length(field::mul_add(device, &mut acc, &[F::ONE; 2], &[F::ONE; 3])));
    assert!(length(field::mul_add(device, &mut acc, &[F::ONE; 3], &[F::ONE; 2])));
    assert_eq!(field::words(&acc), [1; 3]);
}

/// Elements from a stream at every position, and the end of one.
pub fn uniform_elements(device: &Device) {
    uniform_of::<M61>(device);
    uniform_of::<Field64>(device);
}

fn uniform_of<F: Field>(device: &Device) {
    for (len, block) in lengths().into_iter().zip(positions().into_iter().cycle()) {
        let draw = |out: &mut [F]| {
            let mut stream = stream(ID, block);
            field::uniform(device, &mut stream, out)?;
            assert_eq!(stream.position(), u128::from(block) + 2 * len.div_ceil(8) as u128);
            Ok(())
        };
        let start = |len| elements::<F>(10, len);
        compare("field::uniform", len, start, draw, |out| spec::field::uniform(&KEY, ID, block, out));
    }
    let mut at_end = stream(ID, u64::MAX - 3);
    let mut out = [F::ONE; 17];
    let refused = field::uniform(device, &mut at_end, &mut out);
    assert_eq!(refused, Err(KernelError::StreamExhausted { needed: 6, left: 4 }));
    assert!(out == [F::ONE; 17]);
    field::uniform(device, &mut at_end, &mut out[..16]).expect("just as many as are left");
    assert_eq!(at_end.position(), 1 << 64);
}
