//! The thresholds of the noise against an exact computation that shares nothing with theirs: logarithms by the
//! series of the inverse hyperbolic tangent, where the library sums and squares exponentials.
//!
//! A threshold is right if the true probability lies between it and its successor; taking logarithms of both
//! sides turns that into bounds on `2^k / scale`, a rational number.

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

        // T <= 2^64 t / (1 + t) < T + 1, with -ln t = 2^k denominator / numerator.
        for (k, threshold) in law.thresholds().iter().enumerate() {
            let (whole, t) = (1u128 << 64, u128::from(*threshold));
            let exponent = big(denominator.into()) << k;
            assert!(t > 0, "{}", what("a digit that is never drawn"));
            assert!(t < whole / 2, "{}", what("a digit that is mostly one"));
            // ln((2^64 - T - 1) / (T + 1)) < exponent / numerator <= ln((2^64 - T) / T).
            let left = exponent << BITS;
            let digit = what(&format!("digit {k}"));
            assert!(
                &left + log(t).high * numerator <= log(whole - t).low * numerator,
                "{digit}: too many ones"
            );
            assert!(
                left + log(t + 1).low * numerator > log(whole - t - 1).high * numerator,
                "{digit}: too few ones"
            );
        }

        // The tail: q^(2^K) <= 2^-64 < q^(2^(K - 1)).
        let tail = log(1 << 64);
        let exponent = |k: u32| (big(denominator.into()) << k) << BITS;
        assert!(exponent(law.bits()) >= tail.high * numerator, "{}", what("tail"));
        assert!(exponent(law.bits() - 1) < tail.low * numerator, "{}", what("more digits than needed"));
        assert_eq!(law.total_variation(), u64::from(law.bits()) + 3);
    }
}

#[test]
fn laws_of_one_scale_are_the_same_however_it_is_written() {
    let (a, b) = (Laplace::new(7, 2).unwrap(), Laplace::new(700, 200).unwrap());
    assert_eq!((a.zero_threshold(), a.thresholds()), (b.zero_threshold(), b.thresholds()));
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
