//! The noise against its law: 10^8 samples at each of several scales, with fixed seeds.
//!
//! Each assertion fails by chance, for a right sampler, with probability at most 10^-10 (and, the seeds being
//! fixed, either always or never); all of them together with less than 10^-8. An error of 4 in 1000 in the scale
//! fails the chi-square test at every scale here.

use veilgrid_kernels::{Device, Laplace, Seed, noise};

const SAMPLES: usize = 100_000_000;
const BATCH: usize = 1 << 18;
/// -ln of the false-alarm rate of one chi-square test: 10^-10.
const ALARM: f64 = 23.03;
/// A normal deviate is further out with probability 8 * 10^-11.
const DEVIATE: f64 = 6.5;
/// Values expected less often than this are counted together.
const RARE: f64 = 100.0;

/// A chi-square variable of `freedom` degrees exceeds this with probability at most e^-ALARM (Laurent and
/// Massart 2000, lemma 1).
fn critical(freedom: usize) -> f64 {
    let freedom = freedom as f64;
    freedom + 2.0 * (freedom * ALARM).sqrt() + 2.0 * ALARM
}

/// Counts of the values `-most..=most`, and of all others.
struct Counts {
    most: i64,
    of: Vec<u64>,
    others: u64,
}

impl Counts {
    fn at(&self, value: i64) -> f64 {
        self.of[(value + self.most) as usize] as f64
    }
}

fn probability(scale: f64, value: i64) -> f64 {
    // (1 - q) / (1 + q) = tanh(1 / 2 scale).
    (0.5 / scale).tanh() * (-(value.abs() as f64) / scale).exp()
}

fn counts(scale: (u64, u64), seed: u8, most: i64) -> Counts {
    let device = Device::cpu().unwrap();
    let law = Laplace::new(scale.0, scale.1).unwrap();
    let mut stream = Seed::from_bytes([seed; 32]).stream(2);
    let mut counts = Counts { most, of: vec![0; 2 * most as usize + 1], others: 0 };
    let mut samples = vec![0; BATCH];
    let mut left = SAMPLES;
    while left > 0 {
        let batch = &mut samples[..left.min(BATCH)];
        noise::laplace_fill(&device, &law, &mut stream, batch).unwrap();
        for value in &*batch {
            match counts.of.get_mut((value + most) as usize) {
                Some(count) => *count += 1,
                None => counts.others += 1,
            }
        }
        left -= batch.len();
    }
    counts
}

fn follows_its_law(numerator: u64, denominator: u64, seed: u8) {
    let scale = numerator as f64 / denominator as f64;
    let expected = |value: i64| SAMPLES as f64 * probability(scale, value);
    let most = (1..).find(|value| expected(*value) < RARE).unwrap() - 1;
    let counts = counts((numerator, denominator), seed, most);

    // Chi-square over every common value, with the rest as one.
    let rest: f64 = SAMPLES as f64 - (-most..=most).map(expected).sum::<f64>();
    let term = |count: f64, expected: f64| (count - expected).powi(2) / expected;
    let statistic: f64 = (-most..=most).map(|value| term(counts.at(value), expected(value))).sum::<f64>()
        + term(counts.others as f64, rest);
    let limit = critical(2 * most as usize + 1);
    assert!(statistic < limit, "scale {scale}: chi-square {statistic}, limit {limit}");

    // Symmetry: each pair of a value and its negative.
    let pair = |value: i64| {
        let (plus, minus) = (counts.at(value), counts.at(-value));
        (plus - minus).powi(2) / (plus + minus)
    };
    let statistic: f64 = (1..=most).map(pair).sum();
    let limit = critical(most as usize);
    assert!(statistic < limit, "scale {scale}: symmetry {statistic}, limit {limit}");

    // Log-ratio: ln(count[x + 1] / count[x]) is -1 / scale, over disjoint pairs, weighted by the inverse of
    // the variance that the delta method gives.
    let (mut sum, mut weights) = (0.0, 0.0);
    for value in (0..most).step_by(2) {
        for sign in if value == 0 { &[1][..] } else { &[1, -1] } {
            let (near, far) = (counts.at(sign * value), counts.at(sign * (value + 1)));
            let weight = 1.0 / (1.0 / near + 1.0 / far);
            sum += weight * ((far / near).ln() + 1.0 / scale);
            weights += weight;
        }
    }
    let deviate = sum / weights.sqrt();
    assert!(deviate.abs() < DEVIATE, "scale {scale}: log-ratio deviate {deviate}");
}

#[test]
fn scale_one_half_follows_its_law() {
    follows_its_law(1, 2, 11);
}

#[test]
fn scale_seven_halves_follows_its_law() {
    follows_its_law(7, 2, 12);
}

#[test]
fn scale_10_follows_its_law() {
    follows_its_law(10, 1, 13);
}

#[test]
fn scale_1000_follows_its_law() {
    follows_its_law(1000, 1, 14);
}

/// At a scale where no value is common: moments instead of counts.
#[test]
fn a_wide_law_has_its_moments() {
    const DRAWS: usize = 10_000_000;
    let device = Device::cpu().unwrap();
    let scale = 2f64.powi(40);
    let law = Laplace::new(1 << 40, 1).unwrap();
    let mut samples = vec![0; DRAWS];
    noise::laplace_fill(&device, &law, &mut Seed::from_bytes([15; 32]).stream(2), &mut samples).unwrap();
    let mean =
        |f: &dyn Fn(f64) -> f64| samples.iter().map(|x| f(*x as f64 / scale)).sum::<f64>() / DRAWS as f64;
    let error = 1.0 / (DRAWS as f64).sqrt();
    // In units of the scale: E x = 0, E |x| = 1, E x^2 = 2, with variances 2, 1 and 20.
    assert!(mean(&|x| x).abs() < DEVIATE * 2f64.sqrt() * error);
    assert!((mean(&|x| x.abs()) - 1.0).abs() < DEVIATE * error);
    assert!((mean(&|x| x * x) - 2.0).abs() < DEVIATE * 20f64.sqrt() * error);
}

/// Zero, small or large, and the sign, as one of five symbols.
fn symbol(value: i64) -> usize {
    match value {
        ..=-8 => 0,
        -7..=-1 => 1,
        0 => 2,
        1..=7 => 3,
        8.. => 4,
    }
}

/// Neighbouring samples, and samples eight apart in neighbouring groups, are independent; and so every lane of
/// every level has the same law.
#[test]
fn samples_are_independent_of_their_neighbours() {
    const DRAWS: usize = 8_000_000;
    let device = Device::cpu().unwrap();
    let law = Laplace::new(10, 1).unwrap();
    let mut samples = vec![0; DRAWS];
    noise::laplace_fill(&device, &law, &mut Seed::from_bytes([16; 32]).stream(2), &mut samples).unwrap();

    let mut marginal = [0.0; 5];
    for value in -2000..=2000 {
        marginal[symbol(value)] += probability(10.0, value);
    }
    for distance in [1, 2, 4, 8, 16] {
        // Disjoint pairs, by lane of the first sample.
        let mut counts = [[[0u64; 5]; 5]; 8];
        for pairs in samples.chunks_exact(2 * distance) {
            let (first, second) = pairs.split_at(distance);
            for (i, (a, b)) in first.iter().zip(second).enumerate() {
                counts[i % 8][symbol(*a)][symbol(*b)] += 1;
            }
        }
        for (lane, table) in counts.iter().enumerate() {
            let total = table.iter().flatten().sum::<u64>() as f64;
            if total == 0.0 {
                continue;
            }
            let mut statistic = 0.0;
            for (row, p) in table.iter().zip(marginal) {
                for (count, q) in row.iter().zip(marginal) {
                    let expected = total * p * q;
                    statistic += (*count as f64 - expected).powi(2) / expected;
                }
            }
            let limit = critical(24);
            assert!(statistic < limit, "distance {distance}, lane {lane}: {statistic}, limit {limit}");
        }
    }
}
