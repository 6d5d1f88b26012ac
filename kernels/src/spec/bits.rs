//! Bit vectors, packed into words (bit `i` is bit `i mod 64` of word `i / 64`), and the bit planes of integers.

/// `acc[i] ^= other[i]`.
pub fn xor(acc: &mut [u64], other: &[u64]) {
    for (a, b) in acc.iter_mut().zip(other) {
        *a ^= b;
    }
}

/// `acc[i] &= other[i]`.
pub fn and(acc: &mut [u64], other: &[u64]) {
    for (a, b) in acc.iter_mut().zip(other) {
        *a &= b;
    }
}

/// Inverts every bit.
pub fn not(words: &mut [u64]) {
    for word in words {
        *word = !*word;
    }
}

/// How many bits are set.
pub fn ones(words: &[u64]) -> u64 {
    words.iter().map(|word| u64::from(word.count_ones())).sum()
}

/// Bit `i` of the result is bit `i - by`, or 0 where there is none.
pub fn shift_left(words: &[u64], by: usize, out: &mut [u64]) {
    for i in 0..64 * out.len() {
        set(out, i, i >= by && bit(words, i - by));
    }
}

/// Bit `i` of the result is bit `i + by`, or 0 where there is none.
pub fn shift_right(words: &[u64], by: usize, out: &mut [u64]) {
    let bits = 64 * words.len();
    for i in 0..bits {
        set(out, i, by < bits - i && bit(words, i + by));
    }
}

/// Plane `j` is `ceil(n / 64)` words from word `j * ceil(n / 64)` on: its bit `i` is bit `j` of value `i`, and 0
/// after the last value.
pub fn to_planes(values: &[u64], planes: &mut [u64]) {
    planes.fill(0);
    let plane = 64 * values.len().div_ceil(64);
    for (i, value) in values.iter().enumerate() {
        for j in 0..64 {
            set(planes, j * plane + i, value >> j & 1 == 1);
        }
    }
}

/// The values whose planes these are.
pub fn from_planes(planes: &[u64], values: &mut [u64]) {
    let plane = 64 * values.len().div_ceil(64);
    for (i, value) in values.iter_mut().enumerate() {
        *value = (0..64).map(|j| u64::from(bit(planes, j * plane + i)) << j).sum();
    }
}

fn bit(words: &[u64], i: usize) -> bool {
    words[i / 64] >> (i % 64) & 1 == 1
}

fn set(words: &mut [u64], i: usize, to: bool) {
    let word = &mut words[i / 64];
    *word = *word & !(1 << (i % 64)) | u64::from(to) << (i % 64);
}
