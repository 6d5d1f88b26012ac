//! Shamir's secret sharing, element by element.

use super::field;
use super::share::Mask;
use crate::field::Field;

fn element<F: Field>(value: u32) -> F {
    F::new(u64::from(value)).expect("any prime here is larger than a party's index")
}

/// The binomial coefficients "`x` over `k`" for `k` from 0 to `last`, by Pascal's triangle.
fn binomials<F: Field>(x: u32, last: u32) -> Vec<F> {
    let mut row = vec![F::ZERO; last as usize + 1];
    row[0] = F::ONE;
    for _ in 0..x {
        for i in (1..row.len()).rev() {
            let left = row[i - 1];
            field::add(&mut row[i..=i], &[left]);
        }
    }
    row
}

/// Writes the shares one after the other, that of party 1 first. Party `x` has the secret plus the sum over `k` from 1
/// to `threshold` of `d_k` times "`x` over `k`". `d_k` is the uniform elements of the stream, each `d_k` from a new block
/// on.
pub fn split<F: Field>(secret: &[F], threshold: u32, (key, id, first): Mask<'_>, shares: &mut [F]) {
    if secret.is_empty() {
        return;
    }
    let blocks = 2 * secret.len().div_ceil(8) as u64;
    let drawn = (0..threshold).map(|k| {
        let mut drawn = vec![F::ZERO; secret.len()];
        field::uniform(key, id, first + u64::from(k) * blocks, &mut drawn);
        drawn
    });
    let drawn: Vec<Vec<F>> = drawn.collect();
    for (share, x) in shares.chunks_exact_mut(secret.len()).zip(1..) {
        share.copy_from_slice(secret);
        for (drawn, times) in drawn.iter().zip(&binomials(x, threshold)[1..]) {
            field::mul_add(share, drawn, &vec![*times; secret.len()]);
        }
    }
}

/// Writes the values at `at` (0: the secret) of the polynomials through the shares of these parties.
pub fn reconstruct<F: Field>(parties: &[u32], shares: &[&[F]], at: u32, out: &mut [F]) {
    let points: Vec<F> = parties.iter().map(|party| element(*party)).collect();
    let weights = field::lagrange_weights(&points, element(at));
    for (i, out) in out.iter_mut().enumerate() {
        let values: Vec<F> = shares.iter().map(|share| share[i]).collect();
        *out = field::dot(&weights, &values);
    }
}

/// Writes the secret that all shares but at most `(m - threshold - 1) / 2` of the `m` fit, and gives the parties whose
/// shares do not: the polynomial through some `threshold + 1` of the shares that fits most. `None` where there is none
/// for an element. By trying all choices, so for few parties.
pub fn correct<F: Field>(
    parties: &[u32],
    threshold: u32,
    shares: &[&[F]],
    out: &mut [F],
) -> Option<Vec<u32>> {
    let needed = threshold as usize + 1;
    let most = (parties.len() - needed) / 2;
    let mut wrong = Vec::new();
    for (i, out) in out.iter_mut().enumerate() {
        let choices = (0u32..1 << parties.len()).filter(|choice| choice.count_ones() as usize == needed);
        let (secret, liars) = choices
            .map(|choice| {
                let chosen = |j: &usize| choice >> j & 1 == 1;
                let base: Vec<u32> = (0..parties.len()).filter(chosen).map(|j| parties[j]).collect();
                let values: Vec<&[F]> =
                    (0..parties.len()).filter(chosen).map(|j| &shares[j][i..=i]).collect();
                let value = |at: u32| {
                    let mut value = [F::ZERO];
                    reconstruct(&base, &values, at, &mut value);
                    value[0]
                };
                let fits = |j: &usize| value(parties[*j]) == shares[*j][i];
                let liars = (0..parties.len()).filter(|j| !fits(j)).map(|j| parties[j]).collect::<Vec<u32>>();
                (value(0), liars)
            })
            .find(|(_, liars)| liars.len() <= most)?;
        *out = secret;
        wrong.extend(liars);
    }
    wrong.sort_unstable();
    wrong.dedup();
    Some(wrong)
}
