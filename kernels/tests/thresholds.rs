//! The thresholds of the noise against an exact computation that shares nothing with theirs: logarithms by the
//! series of the inverse hyperbolic tangent, and exponentials as the limit of compound interest, where the library
//! sums the exponential series.
//!
//! A threshold is right if the true probability lies between it and its successor. For zero, taking logarithms of both
//! sides turns that into bounds on `1 / scale`, a rational number.

use num_bigint::BigUint;
use veilgrid_kernels::{KernelError, Laplace};

/// Fixed-point bits.
const BITS: u64 = 320;

/// `low <= value <= high`, in units of 2^-BITS.
struct Bounds {
    low: BigUint,
    high: BigUint,
}

fn big(value: u128) -> BigUint {
    BigUint::from(value)
}

/// ln((1 + z) / (1 - z)) = 2 (z + z^3 / 3 + z^5 / 5 + ...) for z = n / d <= 1 / 3.
fn log_of_ratio(n: &BigUint, d: &BigUint) -> Bounds {
    let up = |x: BigUint, by: &BigUint| (x + by - 1u32) / by;
    let one = big(1) << BITS;
    let (n2, d2) = (n * n, d * d);
    let (mut low_power, mut high_power) = (&one * n / d, up(&one * n, d));
    let (mut low, mut high) = (BigUint::ZERO, BigUint::ZERO);
    for odd in (1u32..).step_by(2) {
        low += &low_power / odd;
        high += up(high_power.clone(), &BigUint::from(odd));
        low_power = low_power * &n2 / &d2;
        high_power = up(high_power * &n2, &d2);
        if high_power <= big(1) {
            break;
        }
    }
    // All further powers together: each is at most a ninth of the one before, and the first is one unit.
    high += 2u32;
    Bounds { low: low * 2u32, high: high * 2u32 }
}

/// ln(a) = m ln 2 + ln(a / 2^m), where 2^m is the highest power of two in `a`.
fn log(a: u128) -> Bounds {
    let m = a.ilog2();
    let power = 1u128 << m;
    let two = log_of_ratio(&big(1), &big(3));
    let rest = log_of_ratio(&big(a - power), &(big(a) + big(power)));
    Bounds { low: two.low * m + rest.low, high: two.high * m + rest.high }
}

/// Fixed-point bits of exponentials.
const COMPOUND: u64 = 512;

/// exp(-n / d) for n / d < 2^9: above (1 - x / N)^N and below (1 - x / N)^N / (1 - x^2 / N) with N = 2^180.
fn compound(n: &BigUint, d: u64) -> Bounds {
    const DOUBLINGS: u64 = 180;
    let one = big(1) << COMPOUND;
    // x / N, rounded down and up.
    let part = (n << (COMPOUND - DOUBLINGS)) / d;
    let (mut low, mut high) = (&one - &part - 1u32, &one - &part);
    for _ in 0..DOUBLINGS {
        low = (&low * &low) >> COMPOUND;
        high = ((&high * &high) >> COMPOUND) + 1u32;
    }
    // (1 - x / N)^N >= exp(-x) (1 - x^2 / N), and x^2 < 2^18.
    let high = &high + (&high >> (DOUBLINGS - 20)) + 1u32;
    Bounds { low, high }
}

/// Asserts `ln(a / b) <= n / d < ln(c / e)` for the first and the second pair.
fn assert_between(what: &str, (a, b): (u128, u128), (n, d): (&BigUint, u64), (c, e): (u128, u128)) {
    // n / d compared with low - high bounds, all terms moved to where they are added.
    let left = n << BITS;
    assert!(log(a).high * d <= &left + log(b).low * d, "{what}: too far on one side");
    assert!(left + log(e).high * d < log(c).low * d, "{what}: too far on the other side");
}

#[test]
fn every_threshold_is_the_floor_of_the_true_probability() {
    let scales =
        [(7, 2), (1, 8), (10, 1), (1000, 1), (1 << 40, 1), (1, 1), (1, 2), (355, 113), (123_456_789, 1000)];
    for (numerator, denominator) in scales {
        let law = Laplace::new(numerator, denominator).unwrap();
        let what = |part: &str| format!("scale {numerator}/{denominator}, {part}");

        // Z <= 2^63 (1 - q) / (1 + q) < Z + 1, with -ln q = denominator / numerator.
        let (half, z) = (1u128 << 63, u128::from(law.zero_threshold()));
        assert_between(
            &what("zero"),
            (half + z, half - z),
            (&big(denominator.into()), numerator),
            (half + z + 1, half - z - 1),
        );

        // T <= 2^64 (t^j - t^m) / (1 - t^m) < T + 1 for a digit of m values, with -ln t = 8^k denominator / numerator.
        assert_eq!(law.digits().len() as u32, law.bits().div_ceil(3));
        for (k, thresholds) in law.digits().iter().enumerate() {
            let values = 1u32 << (law.bits() - 3 * k as u32).min(3);
            let powers: Vec<Bounds> = (0..=values)
                .map(|j| compound(&((big(denominator.into()) * j) << (3 * k)), numerator))
                .collect();
            let one = big(1) << COMPOUND;
            let last = &powers[values as usize];
            for (j, threshold) in (1u32..).zip(thresholds) {
                let digit = what(&format!("digit {k}, at least {j}"));
                if j >= values {
                    assert_eq!(*threshold, 0, "{digit}");
                    continue;
                }
                let power = &powers[j as usize];
                let t = big((*threshold).into());
                assert!(&t * (&one - &last.low) <= (&power.low - &last.high) << 64, "{digit}: too often");
                assert!(
                    (t + 1u32) * (&one - &last.high) > (&power.high - &last.low) << 64,
                    "{digit}: too rarely"
                );
            }
        }

        // The tail: q^(2^K) <= 2^-64 < q^(2^(K - 1)).
        let tail = log(1 << 64);
        let exponent = |k: u32| (big(denominator.into()) << k) << BITS;
        assert!(exponent(law.bits()) >= tail.high * numerator, "{}", what("tail"));
        assert!(exponent(law.bits() - 1) < tail.low * numerator, "{}", what("more digits than needed"));
        assert_eq!(
            law.total_variation(),
            u64::from(law.bits() / 3 * 4 + [0, 1, 2][law.bits() as usize % 3]) + 3
        );
    }
}

#[test]
fn laws_of_one_scale_are_the_same_however_it_is_written() {
    let (a, b) = (Laplace::new(7, 2).unwrap(), Laplace::new(700, 200).unwrap());
    assert_eq!((a.zero_threshold(), a.digits()), (b.zero_threshold(), b.digits()));
}

#[test]
fn the_range_of_scales_ends_where_it_says() {
    assert_eq!(Laplace::new(1, 8).unwrap().bits(), 3);
    assert_eq!(Laplace::new(1 << 40, 1).unwrap().bits(), 46);
    assert!(Laplace::new(u64::MAX, u64::MAX).is_ok());
    for (numerator, denominator) in [(0, 1), (1, 0), (0, 0), (1, 9), ((1 << 40) + 1, 1), (u64::MAX, 1)] {
        let refusal = Laplace::new(numerator, denominator);
        assert_eq!(refusal, Err(KernelError::Scale { numerator, denominator }));
    }
}
