//! Arithmetic modulo a prime, element by element, by integers wide enough to hold every step.

use super::mask;
use crate::field::Field;

/// The element that an integer is.
fn element<F: Field>(value: u128) -> F {
    F::new((value % u128::from(F::MODULUS)) as u64).expect("a remainder is below the modulus")
}

fn wide<F: Field>(x: F) -> u128 {
    u128::from(x.get())
}

/// `acc[i] += other[i]`.
pub fn add<F: Field>(acc: &mut [F], other: &[F]) {
    for (a, b) in acc.iter_mut().zip(other) {
        *a = element(wide(*a) + wide(*b));
    }
}

/// `acc[i] -= other[i]`.
pub fn sub<F: Field>(acc: &mut [F], other: &[F]) {
    for (a, b) in acc.iter_mut().zip(other) {
        *a = element(wide(*a) + u128::from(F::MODULUS) - wide(*b));
    }
}

/// `acc[i] *= other[i]`.
pub fn mul<F: Field>(acc: &mut [F], other: &[F]) {
    for (a, b) in acc.iter_mut().zip(other) {
        *a = element(wide(*a) * wide(*b));
    }
}

/// `values[i] = -values[i]`.
pub fn neg<F: Field>(values: &mut [F]) {
    for value in values {
        *value = element(u128::from(F::MODULUS) - wide(*value));
    }
}

/// `acc[i] += a[i] * b[i]`.
pub fn mul_add<F: Field>(acc: &mut [F], a: &[F], b: &[F]) {
    for ((acc, a), b) in acc.iter_mut().zip(a).zip(b) {
        *acc = element(wide(*a) * wide(*b) % u128::from(F::MODULUS) + wide(*acc));
    }
}

/// `values[i]` becomes `values[i]^exponent`.
pub fn pow<F: Field>(values: &mut [F], exponent: u64) {
    for value in values {
        let mut power = F::ONE;
        for bit in (0..64).rev() {
            power = element(wide(power) * wide(power));
            if exponent >> bit & 1 == 1 {
                power = element(wide(power) * wide(*value));
            }
        }
        *value = power;
    }
}

/// `values[i]` becomes `1 / values[i]`, and 0 stays 0: Fermat's little theorem.
pub fn inverse<F: Field>(values: &mut [F]) {
    pow(values, F::MODULUS - 2);
}

/// The sum of `a[i] * b[i]`.
pub fn dot<F: Field>(a: &[F], b: &[F]) -> F {
    a.iter()
        .zip(b)
        .fold(F::ZERO, |sum, (a, b)| element(wide(*a) * wide(*b) % u128::from(F::MODULUS) + wide(sum)))
}

/// `points[i]` becomes the value there of the polynomial with these coefficients, that of `x^0` first.
pub fn evaluate<F: Field>(coefficients: &[F], points: &mut [F]) {
    for point in points {
        let powers = (0..).map(|exponent| {
            let mut power = [*point];
            pow(&mut power, exponent);
            power[0]
        });
        let powers: Vec<F> = powers.take(coefficients.len()).collect();
        *point = dot(coefficients, &powers);
    }
}

/// The product over all `m` but `j` of `(at - points[m]) / (points[j] - points[m])`, for each `j`; no two points are
/// equal.
pub fn lagrange_weights<F: Field>(points: &[F], at: F) -> Vec<F> {
    let weight = |j: usize| {
        let mut product = [F::ONE];
        for (_, point) in points.iter().enumerate().filter(|(m, _)| *m != j) {
            let (mut above, mut below) = ([at], [points[j]]);
            sub(&mut above, &[*point]);
            sub(&mut below, &[*point]);
            inverse(&mut below);
            mul(&mut product, &above);
            mul(&mut product, &below);
        }
        product[0]
    };
    (0..points.len()).map(weight).collect()
}

/// Writes elements from block `first` of the stream on, eight for each two blocks: word `j` of the first of them is
/// the low half, word `j` of the second the high half of the integer that element `j` is.
pub fn uniform<F: Field>(key: &[u8; 32], id: u64, first: u64, out: &mut [F]) {
    for (group, elements) in out.chunks_mut(8).enumerate() {
        let words = mask::words::<u64>(key, id, first.wrapping_add(2 * group as u64), 16);
        for (j, x) in elements.iter_mut().enumerate() {
            *x = element(u128::from(words[j]) | u128::from(words[8 + j]) << 64);
        }
    }
}
