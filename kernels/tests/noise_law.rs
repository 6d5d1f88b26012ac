//! The noise against its law: 10^8 samples of each of several laws, with fixed seeds; 10^9 where a test is `long`.
//!
//! Each assertion fails by chance, for a right sampler, with probability at most 10^-10 (and, the seeds being
//! fixed, either always or never); all of them together with less than 10^-8. An error of 4 in 1000 in the scale
//! fails the chi-square test of every law here.

use veilgrid_kernels::noise::{self, Law};
use veilgrid_kernels::{Bernoulli, Binomial, Device, Gaussian, Laplace, Seed, Skellam};

const SAMPLES: usize = 100_000_000;
const LONG: usize = 1_000_000_000;
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

/// Of a value of the discrete Laplace law.
fn laplace(scale: f64) -> impl Fn(i64) -> f64 {
    // (1 - q) / (1 + q) = tanh(1 / 2 scale).
    move |value| (0.5 / scale).tanh() * (-(value.abs() as f64) / scale).exp()
}

fn gaussian(scale: f64) -> impl Fn(i64) -> f64 {
    let weight = move |value: i64| (-(value as f64 / scale).powi(2) / 2.0).exp();
    let most = (40.0 * scale) as i64 + 2;
    let whole: f64 = (-most..=most).map(weight).sum();
    move |value| weight(value) / whole
}

/// Logarithms of the factorials of numbers below `most`.
fn log_factorials(most: usize) -> Vec<f64> {
    let mut logs = vec![0.0];
    for number in 1..most {
        logs.push(logs[number - 1] + (number as f64).ln());
    }
    logs
}

/// The difference of two Poisson variables.
fn skellam(variance: f64) -> impl Fn(i64) -> f64 {
    let mean = variance / 2.0;
    let most = (mean + 40.0 * mean.sqrt()) as usize + 60;
    let factorials = log_factorials(most);
    let poisson: Vec<f64> =
        (0..most).map(|count| (count as f64 * mean.ln() - mean - factorials[count]).exp()).collect();
    move |value| {
        let apart = value.unsigned_abs() as usize;
        poisson.iter().skip(apart).zip(&poisson).map(|(more, less)| more * less).sum()
    }
}

fn binomial(trials: usize) -> impl Fn(i64) -> f64 {
    let logs = log_factorials(trials + 1);
    move |value| {
        let heads = trials as i64 / 2 + value;
        if !(0..=trials as i64).contains(&heads) {
            return 0.0;
        }
        let ways = logs[trials] - logs[heads as usize] - logs[trials - heads as usize];
        (ways - trials as f64 * 2f64.ln()).exp()
    }
}

fn counts(law: &impl Law, seed: u8, most: i64, samples: usize) -> Counts {
    let device = Device::cpu().unwrap();
    let mut stream = Seed::from_bytes([seed; 32]).stream(2);
    let mut counts = Counts { most, of: vec![0; 2 * most as usize + 1], others: 0 };
    let mut batch = vec![0; BATCH];
    let mut left = samples;
    while left > 0 {
        let batch = &mut batch[..left.min(BATCH)];
        noise::fill(&device, law, &mut stream, batch).unwrap();
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

/// A symmetric law.
fn follows(what: &str, law: &impl Law, probability: impl Fn(i64) -> f64, seed: u8, samples: usize) {
    let expected = |value: i64| samples as f64 * probability(value);
    let most = (1..).find(|value| expected(*value) < RARE).unwrap() - 1;
    let counts = counts(law, seed, most, samples);

    // Chi-square over every common value, with the rest as one.
    let rest: f64 = samples as f64 - (-most..=most).map(expected).sum::<f64>();
    let term = |count: f64, expected: f64| (count - expected).powi(2) / expected;
    let mut statistic: f64 = (-most..=most).map(|value| term(counts.at(value), expected(value))).sum();
    let mut freedom = 2 * most as usize;
    // A law may have no rare values at all.
    if rest > 1.0 {
        statistic += term(counts.others as f64, rest);
        freedom += 1;
    }
    let limit = critical(freedom);
    assert!(statistic < limit, "{what}: chi-square {statistic}, limit {limit}");

    // Symmetry: each pair of a value and its negative.
    let pair = |value: i64| {
        let (plus, minus) = (counts.at(value), counts.at(-value));
        (plus - minus).powi(2) / (plus + minus)
    };
    let statistic: f64 = (1..=most).map(pair).sum();
    let limit = critical(most as usize);
    assert!(statistic < limit, "{what}: symmetry {statistic}, limit {limit}");

    // Log-ratio: ln(count[x + 1] / count[x]) against that of the probabilities, over disjoint pairs, weighted by the
    // inverse of the variance that the delta method gives.
    let (mut sum, mut weights) = (0.0, 0.0);
    for value in (0..most).step_by(2) {
        let due = (probability(value + 1) / probability(value)).ln();
        for sign in if value == 0 { &[1][..] } else { &[1, -1] } {
            let (near, far) = (counts.at(sign * value), counts.at(sign * (value + 1)));
            let weight = 1.0 / (1.0 / near + 1.0 / far);
            sum += weight * ((far / near).ln() - due);
            weights += weight;
        }
    }
    let deviate = sum / weights.sqrt();
    assert!(deviate.abs() < DEVIATE, "{what}: log-ratio deviate {deviate}");
}

/// Each law twice: with 10^8 samples, and with 10^9 where asked.
macro_rules! laws {
    ($($name:ident: $law:expr, $probability:expr, $seed:literal;)*) => {
        $(
            #[test]
            fn $name() {
                follows(stringify!($name), &$law.unwrap(), $probability, $seed, SAMPLES);
            }
        )*
        mod long {
            use super::*;
            $(
                #[test]
                #[ignore = "a billion samples: make test-long"]
                fn $name() {
                    follows(stringify!($name), &$law.unwrap(), $probability, 100 + $seed, LONG);
                }
            )*
        }
    };
}

laws! {
    laplace_of_scale_one_half: Laplace::new(1, 2), laplace(0.5), 11;
    laplace_of_scale_seven_halves: Laplace::new(7, 2), laplace(3.5), 12;
    laplace_of_scale_10: Laplace::new(10, 1), laplace(10.0), 13;
    laplace_of_scale_1000: Laplace::new(1000, 1), laplace(1000.0), 14;
    gaussian_of_scale_one_half: Gaussian::new(1, 2), gaussian(0.5), 21;
    gaussian_of_scale_10: Gaussian::new(10, 1), gaussian(10.0), 22;
    gaussian_of_two_draws: Gaussian::new(25, 2), gaussian(12.5), 23;
    gaussian_of_three_draws: Gaussian::new(100, 1), gaussian(100.0), 24;
    skellam_of_variance_3: Skellam::new(3, 1), skellam(3.0), 31;
    skellam_of_variance_100: Skellam::new(100, 1), skellam(100.0), 32;
    binomial_of_10_trials: Binomial::new(10), binomial(10), 41;
    binomial_of_400_trials: Binomial::new(400), binomial(400), 42;
}

#[test]
fn bernoulli_of_one_third() {
    let law = Bernoulli::new(1, 3).unwrap();
    let counts = counts(&law, 51, 1, SAMPLES);
    assert_eq!((counts.at(-1), counts.others), (0.0, 0));
    let deviate = (counts.at(1) - SAMPLES as f64 / 3.0) / (SAMPLES as f64 * 2.0 / 9.0).sqrt();
    assert!(deviate.abs() < DEVIATE, "deviate {deviate}");
}

type Power = fn(f64) -> f64;

/// Where no value is common: moments instead of counts. Each is a function of x in units of `scale`, its mean and its
/// variance.
fn has_moments(law: &impl Law, seed: u8, scale: f64, draws: usize, moments: [(Power, f64, f64); 3]) {
    let device = Device::cpu().unwrap();
    let mut samples = vec![0; draws];
    noise::fill(&device, law, &mut Seed::from_bytes([seed; 32]).stream(2), &mut samples).unwrap();
    for (f, mean, variance) in moments {
        let found = samples.iter().map(|x| f(*x as f64 / scale)).sum::<f64>() / draws as f64;
        let deviate = (found - mean) / (variance / draws as f64).sqrt();
        assert!(deviate.abs() < DEVIATE, "a mean of {found} in place of {mean}: {deviate}");
    }
}

#[test]
fn wide_laws_have_their_moments() {
    let scale = 2f64.powi(40);
    let (x, size, square): (Power, Power, Power) = (|x| x, f64::abs, |x| x * x);
    let moments = [(x, 0.0, 2.0), (size, 1.0, 1.0), (square, 2.0, 20.0)];
    has_moments(&Laplace::new(1 << 40, 1).unwrap(), 15, scale, 10_000_000, moments);
    let mean = std::f64::consts::FRAC_2_PI.sqrt();
    let moments = [(x, 0.0, 1.0), (size, mean, 1.0 - mean * mean), (square, 1.0, 2.0)];
    has_moments(&Gaussian::new(1 << 40, 1).unwrap(), 25, scale, 1_000_000, moments);
    // A Skellam law of this variance has a kurtosis of 3 + 2^-20; the other two are the normal law's as nearly.
    has_moments(&Skellam::new(1 << 20, 1).unwrap(), 35, 1024.0, 200_000, moments);
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
fn independent(what: &str, law: &impl Law, probability: impl Fn(i64) -> f64, seed: u8) {
    const DRAWS: usize = 8_000_000;
    let device = Device::cpu().unwrap();
    let mut samples = vec![0; DRAWS];
    noise::fill(&device, law, &mut Seed::from_bytes([seed; 32]).stream(2), &mut samples).unwrap();

    let mut marginal = [0.0; 5];
    for value in -2000..=2000 {
        marginal[symbol(value)] += probability(value);
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
            assert!(
                statistic < limit,
                "{what}: distance {distance}, lane {lane}: {statistic}, limit {limit}"
            );
        }
    }
}

#[test]
fn samples_are_independent_of_their_neighbours() {
    independent("Laplace", &Laplace::new(10, 1).unwrap(), laplace(10.0), 16);
    independent("Gaussian", &Gaussian::new(10, 1).unwrap(), gaussian(10.0), 26);
    independent("two draws", &Gaussian::new(25, 2).unwrap(), gaussian(12.5), 27);
    independent("Skellam", &Skellam::new(100, 1).unwrap(), skellam(100.0), 36);
    independent("binomial", &Binomial::new(400).unwrap(), binomial(400), 46);
}
