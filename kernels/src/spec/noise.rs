//! Discrete Laplace noise from fixed thresholds: no loop, branch or index depends on the randomness.

use super::mask;
use crate::Laplace;

/// Writes one sample per element, from block `first` of the stream on.
///
/// Each group of eight samples takes `law.digits().len() + 1` blocks. Word `j` of the group's first block decides
/// whether sample `j` is zero and which sign it has; word `j` of block `1 + k` decides octal digit `k` of its size.
pub fn laplace_fill(law: &Laplace, key: &[u8; 32], id: u64, first: u64, out: &mut [i64]) {
    let blocks = 1 + law.digits().len();
    for (group, samples) in out.chunks_mut(8).enumerate() {
        let words = mask::words::<u64>(key, id, first + (group * blocks) as u64, 8 * blocks);
        for (j, sample) in samples.iter_mut().enumerate() {
            *sample = one(law, words[j], |k| words[8 * (1 + k) + j]);
        }
    }
}

/// One sample from the word that decides sign and zero and the words that decide the digits.
fn one(law: &Laplace, head: u64, digit_word: impl Fn(usize) -> u64) -> i64 {
    let mut size = 1i64;
    for (k, thresholds) in law.digits().iter().enumerate() {
        let word = digit_word(k);
        let digit: i64 = thresholds.iter().map(|threshold| i64::from(word < *threshold)).sum();
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

/// Adds one sample to each element, modulo 2^64.
pub fn laplace_add(law: &Laplace, key: &[u8; 32], id: u64, first: u64, values: &mut [u64]) {
    let mut samples = vec![0; values.len()];
    laplace_fill(law, key, id, first, &mut samples);
    for (value, sample) in values.iter_mut().zip(samples) {
        *value = value.wrapping_add(sample as u64);
    }
}
