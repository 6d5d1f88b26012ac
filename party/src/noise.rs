//! What the noise of a plan may do to an answer.
//!
//! Every party adds discrete Laplace noise of the full scale, so an opened cell carries the sum of as many
//! independent samples as there are parties. Its law is computed here, not simulated: the probabilities of one sample,
//! `(1 - q) / (1 + q) * q^|k|` with `q = exp(-1 / scale)`, are the response of two first-order recursive filters, one
//! run forward and one backward, so a sum of n is n runs of each over a grid that starts as one point.
//!
//! Half widths enter the result that all recipients must hold byte for byte, so everything here is made of `+ - * /`
//! and `sqrt` of `f64`, which IEEE 754 defines exactly, in a fixed order.

use veilgrid_api::plan::Scale;

/// The widest grid, in points on each side of zero.
const POINTS: f64 = 65_536.0;

/// About the most filter steps of one law: a fraction of a second.
const STEPS: f64 = 134_217_728.0;

/// The least standard deviation of the sum, in grid steps, that a grid coarser than one may have.
const LEAST: f64 = 128.0;

/// Runs of a filter in one direction before as many in the other: they hide each other's latency.
const BLOCK: usize = 8;

/// The law of the absolute value of a sum of independent discrete Laplace samples.
pub struct Law {
    /// Units between points: 1, or a power of two where the scale is too large for a grid of units.
    step: f64,
    /// `tail[t]` is the probability that the absolute value is above `t` steps.
    tail: Vec<f64>,
}

impl Law {
    /// The law of a sum of `terms` samples of the scale.
    ///
    /// Probability beyond the grid, below 1e-12 in all, is lost. Where a grid of units would be too long, it is coarser:
    /// then samples have the same form and variance in steps, and the sum's standard deviation is at least 64 of them.
    pub fn new(scale: Scale, terms: u64) -> Self {
        let scale = scale.numerator as f64 / scale.denominator as f64;
        let terms = terms.max(1) as f64;
        // A sum of n is beyond this many scales with less than that probability: by Chernoff's bound, or seven standard
        // deviations of many.
        let reach = 64.0 + 10.0 * terms.sqrt();
        let least = LEAST / (2.0 * terms).sqrt();
        let finest = (POINTS / reach).min(STEPS / (4.0 * terms * reach)).max(least);
        let mut step = 1.0;
        while scale / step > finest {
            step *= 2.0;
        }
        let points = (reach * (scale / step)) as usize + 8;
        let mut grid = vec![0.0; 2 * points + 1];
        grid[points] = 1.0;
        let q = if step > 1.0 { ratio(variance(scale) / (step * step)) } else { exp_minus(1.0 / scale) };
        let mut left = terms as u64;
        while left > 0 {
            let runs = left.min(BLOCK as u64) as usize;
            run(grid.iter_mut(), q, runs);
            run(grid.iter_mut().rev(), q, runs);
            left -= runs as u64;
        }
        // From the far ends inwards, so that small terms are not lost.
        let mut tail = vec![0.0; points + 1];
        for t in (0..points).rev() {
            tail[t] = tail[t + 1] + grid[points + t + 1] + grid[points - t - 1];
        }
        Self { step, tail }
    }

    /// The least `t`, in units, with `P(|S| <= t) >= confidence`; rounded up to a whole grid step, and one more where a
    /// step is more than a unit.
    pub fn half_width(&self, confidence: f64) -> f64 {
        let allowed = 1.0 - confidence;
        // Tails fall, so this is the first that is small enough.
        let t = self.tail.partition_point(|tail| *tail > allowed);
        (if self.step > 1.0 { t + 1 } else { t }) as f64 * self.step
    }
}

/// The least `t`, in units, with `P(|S| <= t) >= confidence` for the sum `S` of one sample of each party.
pub fn half_width(scale: Scale, parties: u64, confidence: f64) -> f64 {
    Law::new(scale, parties).half_width(confidence)
}

/// The variance of a sample, `2 q / (1 - q)^2`.
fn variance(scale: f64) -> f64 {
    // Where `1 - q` would lose digits the next terms of the series are too small to count.
    if scale > 1024.0 {
        return 2.0 * scale * scale;
    }
    let q = exp_minus(1.0 / scale);
    2.0 * q / ((1.0 - q) * (1.0 - q))
}

/// The `q` whose sample has the variance.
fn ratio(variance: f64) -> f64 {
    // The root below one of `v q^2 - (2 v + 2) q + v = 0`, without cancellation.
    variance / (variance + 1.0 + (2.0 * variance + 1.0).sqrt())
}

/// Runs the filter `y = (1 - q) x + q y` over the points, `runs` times, in one pass.
fn run<'a>(points: impl Iterator<Item = &'a mut f64>, q: f64, runs: usize) {
    let gain = 1.0 - q;
    let mut states = [0.0; BLOCK];
    for point in points {
        let mut value = *point;
        for state in &mut states[..runs] {
            *state = gain * value + q * *state;
            value = *state;
        }
        *point = value;
    }
}

/// `exp(-x)` for `x >= 0`, within a part in 1e14, from multiplications only.
fn exp_minus(x: f64) -> f64 {
    let mut halvings = 0;
    let mut x = x;
    while x > 0.25 {
        x *= 0.5;
        halvings += 1;
    }
    // 0.25^16 / 16! is far below the last bit.
    let series = (1..=16).rev().fold(1.0, |sum, k| 1.0 - x / f64::from(k) * sum);
    (0..halvings).fold(series, |power, _| power * power)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn scale(numerator: u64, denominator: u64) -> Scale {
        Scale { numerator, denominator }
    }

    /// The tails of a sum by convolving the probabilities as they are defined.
    fn brute(s: f64, terms: usize, reach: usize) -> Vec<f64> {
        let q = (-1.0 / s).exp();
        let one: Vec<f64> =
            (0..=2 * reach).map(|i| (1.0 - q) / (1.0 + q) * q.powi(i.abs_diff(reach) as i32)).collect();
        let mut sum = one.clone();
        for _ in 1..terms {
            sum = (0..=2 * reach)
                .map(|k| {
                    (0..=2 * reach)
                        .filter_map(|i| {
                            let j = (k + reach).checked_sub(i)?;
                            Some(sum[i] * one.get(j)?)
                        })
                        .sum()
                })
                .collect();
        }
        (0..reach)
            .map(|t| sum.iter().enumerate().filter(|(i, _)| i.abs_diff(reach) > t).map(|(_, p)| p).sum())
            .collect()
    }

    #[test]
    fn tails_are_those_of_repeated_convolution() {
        for (numerator, denominator, terms, reach) in
            [(1, 8, 2, 30), (1, 2, 3, 60), (7, 2, 2, 220), (7, 2, 5, 260), (10, 1, 3, 500), (3, 1, 9, 260)]
        {
            let law = Law::new(scale(numerator, denominator), terms as u64);
            let expected = brute(numerator as f64 / denominator as f64, terms, reach);
            for (t, expected) in expected.iter().enumerate().take(reach / 2) {
                let found = law.tail.get(t).copied().unwrap_or(0.0);
                assert!(
                    (found - expected).abs() < 1e-12,
                    "scale {numerator}/{denominator}, {terms} terms, beyond {t}: {found} against {expected}"
                );
            }
        }
    }

    #[test]
    fn half_widths_are_the_least_that_suffice() {
        for (s, terms) in [(scale(1, 8), 2), (scale(7, 2), 3), (scale(100, 3), 4)] {
            let law = Law::new(s, terms);
            for confidence in [0.5, 0.9, 0.95, 0.975, 0.999] {
                let t = law.half_width(confidence) as usize;
                assert!(law.tail[t] <= 1.0 - confidence);
                assert!(t == 0 || law.tail[t - 1] > 1.0 - confidence);
            }
        }
    }

    #[test]
    fn one_sample_has_the_closed_form() {
        // P(|X| > t) = 2 q^(t + 1) / (1 + q), at scales on both sides of the coarsening.
        for s in [0.125f64, 1.0, 37.0, 1e3, 1e6, 1e12] {
            let q = (-1.0 / s).exp();
            let exact = |t: f64| 2.0 * (-(t + 1.0) / s).exp() / (1.0 + q);
            let t = half_width(scale((s * 8.0) as u64, 8), 1, 0.95);
            assert!(exact(t) <= 0.05 + 1e-12, "scale {s}: {t} is too small");
            assert!(exact(t * 0.99 - 1.0) > 0.05, "scale {s}: {t} is too large");
        }
    }

    #[test]
    fn large_scales_are_a_coarse_grid_of_the_same_law() {
        for terms in [1, 2, 3, 16, 300] {
            let unit = half_width(scale(200, 1), terms, 0.95) / 200.0;
            let large = half_width(scale(1 << 40, 1), terms, 0.95) / (1u64 << 40) as f64;
            assert!((large / unit - 1.0).abs() < 0.01, "{terms} terms: {unit} against {large}");
        }
    }

    #[test]
    fn sums_of_many_are_nearly_normal() {
        for (s, terms) in
            [(scale(1, 8), 3000), (scale(1, 1), 65_536), (scale(17, 3), 12_288), (scale(1 << 30, 3), 48_000)]
        {
            let deviation = (variance(s.numerator as f64 / s.denominator as f64) * terms as f64).sqrt();
            for (confidence, normal) in [(0.95, 1.959_964), (0.9875, 2.497_705)] {
                let found = half_width(s, terms, confidence) / deviation;
                assert!(
                    (normal - 0.01..normal * 1.04 + 0.5 / deviation).contains(&found),
                    "{terms}: {found} for {normal}"
                );
            }
        }
    }

    #[test]
    fn the_ratio_has_the_variance() {
        for s in [0.125f64, 0.5, 1.0, 37.0, 900.0] {
            let q = ratio(variance(s));
            assert!((q / exp_minus(1.0 / s) - 1.0).abs() < 1e-9, "scale {s}: {q}");
        }
    }

    #[test]
    fn probabilities_sum_to_one() {
        for (s, terms) in [(scale(1, 8), 1), (scale(5, 1), 3), (scale(1000, 1), 16), (scale(17, 3), 3000)] {
            let law = Law::new(s, terms);
            let least = -1e-12;
            assert!(law.tail.iter().all(|tail| (least..=1.0 + 1e-9).contains(tail)));
            assert!(law.tail[0] < 1.0 && law.half_width(0.999_999) < law.tail.len() as f64 * law.step);
        }
    }

    #[test]
    fn the_exponential_is_right() {
        for i in 1..4000 {
            let x = f64::from(i) * 0.002;
            let relative = exp_minus(x) / (-x).exp() - 1.0;
            assert!(relative.abs() < 1e-14, "exp(-{x}) is off by {relative}");
        }
    }
}
