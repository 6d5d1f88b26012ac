//! Berlekamp and Welch's algorithm, for one element.

use crate::Field;
use crate::cpu::Lanes64;
use zeroize::Zeroizing;

/// The places of the shares that do not fit the one polynomial of less than `needed` coefficients that all but at most
/// `most` of them fit; `None` if there is none. There are at least `needed + 2 most` parties.
///
/// If `y_j` is the share of party `x_j`, the polynomial `f`, and `E` a monic polynomial of degree `most` that is 0 where a
/// share is wrong, then `N = f E` satisfies `N(x_j) = y_j E(x_j)` for all `j`: linear equations for the coefficients of
/// `N` and `E`. Any solution has `N = f E`, since `N - f E` is 0 at more places than its degree has.
pub(super) fn decode<F: Field>(
    parties: &[u32],
    shares: &[u64],
    needed: usize,
    most: usize,
) -> Option<Vec<usize>> {
    let numerator = needed + most;
    let unknown = numerator + most;
    let width = unknown + 1;
    let mut rows = Zeroizing::new(Vec::with_capacity(parties.len() * width));
    for (party, share) in parties.iter().zip(shares) {
        // The powers of x, as many times minus y, and y x^most on the other side.
        let powers = powers::<F>(u64::from(*party), numerator);
        let minus = F::sub(pulp::Scalar, 0, *share);
        let locator = powers[..most].iter().map(|power| mul::<F>(*power, minus));
        rows.extend(powers.iter().copied().chain(locator));
        rows.push(mul::<F>(powers[most], *share));
    }
    let solution = solve::<F>(&mut rows, width)?;
    let (numerator, locator) = solution.split_at(numerator);
    let polynomial = divide::<F>(numerator, locator)?;
    let fits = |place: &usize| value::<F>(&polynomial, u64::from(parties[*place])) == shares[*place];
    let wrong: Vec<usize> = (0..parties.len()).filter(|place| !fits(place)).collect();
    (wrong.len() <= most).then_some(wrong)
}

fn mul<F: Field>(a: u64, b: u64) -> u64 {
    pulp::Scalar.multiply::<F>(a, b)
}

/// The first `count` powers, from 1 on; at least one.
fn powers<F: Field>(x: u64, count: usize) -> Vec<u64> {
    std::iter::successors(Some(1), |power| Some(mul::<F>(*power, x))).take(count).collect()
}

/// The value at `x` of a polynomial, by Horner's rule.
fn value<F: Field>(coefficients: &[u64], x: u64) -> u64 {
    coefficients.iter().rev().fold(0, |value, next| F::add(pulp::Scalar, mul::<F>(value, x), *next))
}

/// `row -= factor * other`.
fn eliminate<F: Field>(row: &mut [u64], factor: u64, other: &[u64]) {
    for (a, b) in row.iter_mut().zip(other) {
        *a = F::sub(pulp::Scalar, *a, mul::<F>(factor, *b));
    }
}

/// `1 / x`, by Fermat's little theorem.
fn inverse<F: Field>(x: u64) -> u64 {
    let bits = (0..64).rev().map(|bit| (F::MODULUS - 2) >> bit & 1 == 1);
    bits.fold(1, |power, set| {
        let square = mul::<F>(power, power);
        if set { mul::<F>(square, x) } else { square }
    })
}

/// A solution of linear equations, each a row of `width` with what its sum is at the end; `None` if there is none. By
/// Gauss and Jordan's elimination; an unknown that the equations leave open is 0.
fn solve<F: Field>(rows: &mut [u64], width: usize) -> Option<Zeroizing<Vec<u64>>> {
    let unknown = width - 1;
    let mut pivots = Vec::new();
    for column in 0..unknown {
        let done = pivots.len() * width;
        let Some(found) = rows[done..].chunks_exact(width).position(|row| row[column] != 0) else { continue };
        for i in 0..width {
            rows.swap(done + i, done + found * width + i);
        }
        let (above, rest) = rows.split_at_mut(done);
        let (pivot, below) = rest.split_at_mut(width);
        let inverse = inverse::<F>(pivot[column]);
        pivot[column..].iter_mut().for_each(|x| *x = mul::<F>(*x, inverse));
        for row in above.chunks_exact_mut(width).chain(below.chunks_exact_mut(width)) {
            let factor = row[column];
            eliminate::<F>(&mut row[column..], factor, &pivot[column..]);
        }
        pivots.push(column);
    }
    let mut solution = Zeroizing::new(vec![0; unknown]);
    for (row, column) in rows.chunks_exact(width).zip(&pivots) {
        solution[*column] = row[unknown];
    }
    let mut open = rows.chunks_exact(width).skip(pivots.len());
    open.all(|row| row[unknown] == 0).then_some(solution)
}

/// The quotient by a monic polynomial, of which all coefficients but the highest are given, if nothing is left over.
fn divide<F: Field>(dividend: &[u64], divisor: &[u64]) -> Option<Zeroizing<Vec<u64>>> {
    let mut rest = Zeroizing::new(dividend.to_vec());
    for top in (divisor.len()..rest.len()).rev() {
        let (below, quotient) = rest.split_at_mut(top);
        eliminate::<F>(&mut below[top - divisor.len()..], quotient[0], divisor);
    }
    let (remainder, quotient) = rest.split_at(divisor.len());
    remainder.iter().all(|x| *x == 0).then(|| Zeroizing::new(quotient.to_vec()))
}
