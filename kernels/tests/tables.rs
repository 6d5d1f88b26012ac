//! The tables of the noise against an exact computation that shares nothing with theirs: exponentials as the limit of
//! compound interest where the library sums a series, and Skellam's law as the difference of two Poisson variables
//! where the library goes down ratios of Bessel functions. And the law that is drawn against the law that is meant:
//! their total variation distance, computed exactly, is within what is stated.

use num_bigint::BigUint;
use std::collections::BTreeMap;
use veilgrid_kernels::noise::Law;
use veilgrid_kernels::{Bernoulli, Binomial, Gaussian, KernelError, Skellam};

/// Fixed-point bits.
const BITS: u64 = 512;

/// `low <= value <= high`, in units of 2^-BITS.
#[derive(Clone)]
struct Bounds {
    low: BigUint,
    high: BigUint,
}

fn big(value: u64) -> BigUint {
    BigUint::from(value)
}

fn one() -> BigUint {
    big(1) << BITS
}

fn sum<'a>(values: impl IntoIterator<Item = &'a Bounds>) -> Bounds {
    let start = Bounds { low: BigUint::ZERO, high: BigUint::ZERO };
    values
        .into_iter()
        .fold(start, |sum, value| Bounds { low: sum.low + &value.low, high: sum.high + &value.high })
}

/// exp(-n / d) for n / d < 2^9: above (1 - x / N)^N and below (1 - x / N)^N / (1 - x^2 / N) with N = 2^180.
fn compound(n: &BigUint, d: &BigUint) -> Bounds {
    const DOUBLINGS: u64 = 180;
    assert!(*n < d << 9u32);
    // x / N, rounded down and up.
    let part = (n << (BITS - DOUBLINGS)) / d;
    let (mut low, mut high) = (one() - &part - 1u32, one() - &part);
    for _ in 0..DOUBLINGS {
        low = (&low * &low) >> BITS;
        high = ((&high * &high) >> BITS) + 1u32;
    }
    let high = &high + (&high >> (DOUBLINGS - 20)) + 1u32;
    Bounds { low, high }
}

/// exp(-x^2 / 2 v) for x = 0, 1, ... with v = n / d, until that is below exp(-200).
fn gaussian_weights(n: &BigUint, d: &BigUint) -> Vec<Bounds> {
    let exponent = |x: u64| big(x) * x * d;
    (0..).take_while(|x| exponent(*x) <= n * 400u32).map(|x| compound(&exponent(x), &(n * 2u32))).collect()
}

/// The sum over j of p_j p_(j + x) for x = 0, 1, ..., where p_j = (m / 2)^j / j! and m = n / d.
fn skellam_weights(n: u64, d: u64) -> Vec<Bounds> {
    // From 2 m on, each p is at most a quarter of the one before.
    let values = 2 * n / d + 400;
    let (n, d) = (big(n), big(d) * 2u32);
    let mut poisson = vec![Bounds { low: one(), high: one() }];
    for j in 1..values {
        let last = &poisson[poisson.len() - 1];
        let by = &d * j;
        poisson.push(Bounds { low: &last.low * &n / &by, high: &last.high * &n / &by + 1u32 });
    }
    let all = sum(&poisson);
    let last = &poisson[poisson.len() - 1];
    let missing = ((&last.high * &all.high) >> BITS) + 1u32;
    let weight = |x: usize| {
        let mut weight = Bounds { low: BigUint::ZERO, high: BigUint::ZERO };
        for (a, b) in poisson.iter().zip(&poisson[x..]) {
            weight.low += &a.low * &b.low;
            weight.high += &a.high * &b.high;
        }
        Bounds { low: weight.low >> BITS, high: (weight.high >> BITS) + 1u32 + &missing }
    };
    (0..poisson.len()).map(weight).collect()
}

/// Every threshold is twice the floor of 2^63 P(|X| >= j), and after the last that would be 0.
fn assert_floors(what: &str, thresholds: &[u64], weights: &[Bounds]) {
    let mut inner = weights[0].clone();
    for (j, threshold) in (1..).zip(thresholds.iter().chain([&0])) {
        assert_eq!(threshold % 2, 0);
        let rest = sum(&weights[j..]);
        // What lies beyond all weights is less than 2^-250 of the whole.
        let outer = Bounds { low: rest.low << 1u32, high: (rest.high << 1u32) + (one() >> 200u32) };
        // t / 2^63 <= outer / (outer + inner) < (t + 1) / 2^63
        let t = threshold / 2;
        assert!(&outer.low * ((1u64 << 63) - t) >= &inner.high * t, "{what}: at least {j}: too often");
        assert!(
            &outer.high * ((1u64 << 63) - t - 1) < &inner.low * (t + 1),
            "{what}: at least {j}: too rarely"
        );
        inner = sum([&inner, &weights[j], &weights[j]]);
    }
}

/// How often each value is the sum of draws, of which each gives `k` and `-k` with probability `(T_k - T_(k + 1)) / 2^65`,
/// in units of 2^-(64 draws).
fn drawn(thresholds: &[u64], weights: &[u64]) -> BTreeMap<i64, BigUint> {
    let next = thresholds.iter().chain([&0]).map(|t| u128::from(*t));
    let sizes: Vec<u128> = [1u128 << 64]
        .into_iter()
        .chain(thresholds.iter().map(|t| u128::from(*t)))
        .zip(next)
        .map(|(at_least, more)| (at_least - more) / 2)
        .collect();
    let mut law = BTreeMap::from([(0, big(1))]);
    for weight in weights {
        let mut sums: BTreeMap<i64, BigUint> = BTreeMap::new();
        for (value, ways) in &law {
            for (size, often) in (0i64..).zip(&sizes) {
                // Both signs of 0 are 0.
                for sign in [1, -1] {
                    *sums.entry(value + sign * size * *weight as i64).or_default() += ways * *often;
                }
            }
        }
        law = sums;
    }
    law
}

/// The distance of what is drawn from the law of these weights, in units of 2^-64, rounded up.
fn distance(thresholds: &[u64], weights: &[u64], law: &[Bounds]) -> BigUint {
    let drawn = drawn(thresholds, weights);
    let bits = 64 * weights.len() as u64;
    assert_eq!(drawn.values().sum::<BigUint>(), big(1) << bits);
    let whole = sum([&sum(law), &sum(&law[1..])]).high + 1u32;
    let mut distance = BigUint::ZERO;
    for (value, ways) in drawn {
        let probability = (ways << (BITS - bits)) + 1u32;
        let due = law.get(value.unsigned_abs() as usize).map(|weight| (&weight.low << BITS) / &whole);
        let due = due.unwrap_or(BigUint::ZERO);
        if probability > due {
            distance += probability - due;
        }
    }
    (distance >> (BITS - 64)) + 1u32
}

fn square(x: u64) -> BigUint {
    big(x) * x
}

/// Of one draw: the square of the scale divided by the sum of the squares of the weights.
fn variance(law: &Gaussian, n: u64, d: u64) -> (BigUint, BigUint) {
    (square(n), square(d) * law.weights().iter().map(|weight| square(*weight)).sum::<BigUint>())
}

#[test]
fn gaussian_thresholds_are_the_floors_of_the_true_probabilities() {
    let scales =
        [(1, 8), (1, 2), (355, 113), (10, 1), (12, 1), (25, 2), (1000, 1), (1 << 40, 1), (u64::MAX, 1 << 25)];
    for (n, d) in scales {
        let law = Gaussian::new(n, d).unwrap();
        let (of, by) = variance(&law, n, d);
        assert_floors(&format!("scale {n}/{d}"), law.thresholds(), &gaussian_weights(&of, &by));
    }
}

#[test]
fn skellam_thresholds_are_the_floors_of_the_true_probabilities() {
    for (n, d) in [(1, 64), (1, 1), (10, 3), (100, 1), (3000, 7)] {
        let law = Skellam::new(n, d).unwrap();
        assert_floors(&format!("variance {n}/{d}"), law.thresholds(), &skellam_weights(n, d));
    }
}

/// 2 pi^2 times 7/3 is more than 66 ln 2, so each addition is off by less than one unit of 2^-64.
#[test]
fn gaussian_draws_are_wide_enough_to_be_added() {
    let mut scales: Vec<(u64, u64)> = (0..=40).map(|k| (1 << k, 1)).collect();
    scales.extend((97..1600).map(|n| (n, 8)));
    scales.extend([(999_999_999_999, 7), (u64::MAX, 1 << 24), (u64::MAX, u64::MAX / 99)]);
    for (n, d) in scales {
        let law = Gaussian::new(n, d).unwrap();
        let (of, by) = variance(&law, n, d);
        let what = format!("scale {n}/{d}, weights {:?}", law.weights());
        assert!(of <= &by * 144u32, "{what}");
        assert_eq!(law.weights()[0], 1);
        let mut before = big(1);
        for weight in &law.weights()[1..] {
            // Draws of variance v before this one and with it: v before / after >= 7 / 3.
            let after = &before + square(*weight);
            assert!(&of * &before * 3u32 >= &by * &after * 7u32, "{what}");
            before = after;
        }
        let draws = law.weights().len() as u64;
        // The rests of the floors rise at most so often: those of the thresholds, and one after them.
        let rises = (law.thresholds().len() as u64 + 1).div_ceil(2);
        assert_eq!(law.total_variation(), draws * 2 * rises + draws - 1, "{what}");
        assert!(law.thresholds().len() <= 112 && draws <= 20, "{what}");
    }
}

#[test]
fn what_is_drawn_is_within_the_stated_distance() {
    for (n, d) in [(1, 8), (1, 1), (10, 1), (25, 2), (40, 1), (100, 1)] {
        let law = Gaussian::new(n, d).unwrap();
        let distance = distance(law.thresholds(), law.weights(), &gaussian_weights(&square(n), &square(d)));
        let stated = big(law.total_variation());
        // Nor is far too much stated; but where draws are added, their errors even out.
        let little = law.weights().len() == 1 && &distance * 40u32 <= stated;
        assert!(distance <= stated && !little, "scale {n}/{d}: {distance} of {stated} units");
    }
    for (n, d) in [(1, 64), (3, 1), (100, 1)] {
        let law = Skellam::new(n, d).unwrap();
        let distance = distance(law.thresholds(), &[1], &skellam_weights(n, d));
        let stated = big(law.total_variation());
        assert!(
            distance <= stated && &distance * 40u32 > stated,
            "variance {n}/{d}: {distance} of {stated} units"
        );
    }
}

#[test]
fn bernoulli_thresholds_are_floors() {
    for (p, q) in [(0, 1), (1, 3), (1, 2), (u64::MAX - 1, u64::MAX), (17, 1000)] {
        let law = Bernoulli::new(p, q).unwrap();
        assert_eq!(big(law.threshold()), (big(p) << 64u32) / q);
        assert_eq!(law.total_variation(), 1);
    }
    assert_eq!(Bernoulli::new(5, 5).unwrap().threshold(), u64::MAX);
}

#[test]
fn the_ranges_end_where_they_say() {
    for (numerator, denominator) in [(0, 1), (1, 0), (1, 9), ((1 << 40) + 1, 1), (u64::MAX, 1)] {
        let refusal = Gaussian::new(numerator, denominator);
        assert_eq!(refusal, Err(KernelError::Scale { numerator, denominator }));
    }
    assert!(Skellam::new(1 << 20, 1).is_ok() && Skellam::new(1, 64).is_ok());
    for (numerator, denominator) in [(0, 1), (1, 0), (1, 65), ((1 << 20) + 1, 1)] {
        let refusal = Skellam::new(numerator, denominator);
        assert_eq!(refusal, Err(KernelError::Variance { numerator, denominator }));
    }
    for (numerator, denominator) in [(0, 0), (1, 0), (2, 1)] {
        let refusal = Bernoulli::new(numerator, denominator);
        assert_eq!(refusal, Err(KernelError::Probability { numerator, denominator }));
    }
    assert_eq!(Binomial::new(Binomial::MOST).map(|law| law.total_variation()), Ok(0));
    for given in [0, 1, 3, 401, Binomial::MOST + 2, u32::MAX] {
        assert_eq!(Binomial::new(given), Err(KernelError::Trials { given }));
    }
}

#[test]
fn laws_of_one_scale_are_the_same_however_it_is_written() {
    assert_eq!(Gaussian::new(25, 2), Gaussian::new(2500, 200));
    assert_eq!(Skellam::new(10, 3), Skellam::new(1000, 300));
    assert_eq!(Bernoulli::new(1, 3), Bernoulli::new(5, 15));
}
