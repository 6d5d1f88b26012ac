//! Noise from fixed thresholds: no loop, branch or index depends on the randomness.

use super::mask;
use crate::Laplace;
use crate::noise::{GROUP, Law, Sampler, Table};

/// Writes one sample per element, from block `first` of the stream on. Each group of eight samples takes as many blocks
/// as the law asks for; word `j` of each is sample `j`'s.
pub fn fill(law: &impl Law, key: &[u8; 32], id: u64, first: u64, out: &mut [i64]) {
    let sampler = law.sampler();
    let blocks = sampler.blocks();
    for (group, samples) in out.chunks_mut(GROUP).enumerate() {
        let words = mask::words::<u64>(key, id, first + (group * blocks) as u64, GROUP * blocks);
        for (j, sample) in samples.iter_mut().enumerate() {
            let own: Vec<u64> = words.iter().skip(j).step_by(GROUP).copied().collect();
            *sample = match sampler {
                Sampler::Digits(law) => digits(law, own[0], &own[1..]),
                Sampler::Table(table) => draws(table, &own),
                Sampler::Trials(trials) => ones(trials, &own) - i64::from(trials / 2),
            };
        }
    }
}

/// From the word that decides sign and zero and the words that decide the octal digits of the size.
fn digits(law: &Laplace, head: u64, words: &[u64]) -> i64 {
    let mut size = 1i64;
    for (k, (thresholds, word)) in law.digits().iter().zip(words).enumerate() {
        let digit: i64 = thresholds.iter().map(|threshold| i64::from(word < threshold)).sum();
        size += digit << (3 * k);
    }
    let is_zero = head >> 1 < law.zero_threshold();
    let is_negative = head & 1 == 1;
    match (is_zero, is_negative) {
        (true, _) => 0,
        (false, true) => -size,
        (false, false) => size,
    }
}

/// The sum of the draws, each times its weight.
fn draws(table: &Table, words: &[u64]) -> i64 {
    words.iter().zip(table.weights()).map(|(word, weight)| draw(table, *word) * *weight as i64).sum()
}

/// How many thresholds the word is below; where the table is signed, the word's lowest bit says which sign.
fn draw(table: &Table, word: u64) -> i64 {
    let size: i64 = table.thresholds().iter().map(|threshold| i64::from(word < *threshold)).sum();
    if table.signed() && word & 1 == 1 { -size } else { size }
}

/// How many of the first `trials` bits are set: bit `i` is bit `i mod 64` of word `i / 64`.
fn ones(trials: u32, words: &[u64]) -> i64 {
    (0..trials).map(|i| (words[i as usize / 64] >> (i % 64) & 1) as i64).sum()
}

/// Adds one sample to each element, modulo 2^64.
pub fn add(law: &impl Law, key: &[u8; 32], id: u64, first: u64, values: &mut [u64]) {
    let mut samples = vec![0; values.len()];
    fill(law, key, id, first, &mut samples);
    for (value, sample) in values.iter_mut().zip(samples) {
        *value = value.wrapping_add(sample as u64);
    }
}

/// [`fill`] of the discrete Laplace law.
pub fn laplace_fill(law: &Laplace, key: &[u8; 32], id: u64, first: u64, out: &mut [i64]) {
    fill(law, key, id, first, out);
}

/// [`add`] of the discrete Laplace law.
pub fn laplace_add(law: &Laplace, key: &[u8; 32], id: u64, first: u64, values: &mut [u64]) {
    add(law, key, id, first, values);
}
