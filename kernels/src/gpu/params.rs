//! The parameters of a dispatch, laid out as `struct Params` in `shaders/shared/params.wgsl`.

use crate::noise::Table;
use crate::{Fixed, Laplace};
use zeroize::{Zeroize, ZeroizeOnDrop};

const BITS: usize = 1;
const BLOCK: usize = 2;
const STREAM: usize = 4;
const LOWER: usize = 6;
const UPPER: usize = 8;
/// Vectors of four words start at a multiple of four.
const KEY: usize = 12;
const THRESHOLDS: usize = 20;
const MOST_THRESHOLDS: usize = 112;
const WORDS: usize = THRESHOLDS + 4 * MOST_THRESHOLDS;

/// Words of the uniform buffer; wiped when dropped, since the key is in it.
#[derive(Zeroize, ZeroizeOnDrop)]
pub(super) struct Params([u32; WORDS]);

impl Params {
    /// Bytes of the uniform buffer.
    pub(super) const SIZE: u64 = 4 * WORDS as u64;

    /// For kernels that need only a count.
    pub(super) fn new() -> Params {
        Params([0; WORDS])
    }

    /// For kernels that expand a stream from `block` on.
    pub(super) fn stream(key: &[u8; 32], id: u64, block: u64) -> Params {
        let mut params = Params::new();
        for (word, bytes) in params.0[KEY..].iter_mut().zip(key.chunks_exact(4)) {
            *word = u32::from_le_bytes([bytes[0], bytes[1], bytes[2], bytes[3]]);
        }
        params.wide(STREAM, id);
        params.wide(BLOCK, block);
        params
    }

    /// For encoding.
    pub(super) fn format(format: Fixed) -> Params {
        let mut params = Params::new();
        params.0[BITS] = format.fraction_bits();
        params.wide(LOWER, format.min() as u64);
        params.wide(UPPER, format.max() as u64);
        params
    }

    /// For decoding, its fraction bits; for shifts, how far.
    pub(super) fn bits(bits: u32) -> Params {
        let mut params = Params::new();
        params.0[BITS] = bits;
        params
    }

    /// For truncation: how far, and 0 or all bits set, which say what is negative, or what is kept.
    pub(super) fn truncation(bits: u32, sign: u64) -> Params {
        let mut params = Params::bits(bits);
        params.wide(LOWER, sign);
        params
    }

    /// For polynomials: how many coefficients, and whether there are values of higher ones.
    pub(super) fn polynomial(coefficients: usize, later: bool) -> Params {
        let mut params = Params::bits(coefficients as u32);
        params.wide(LOWER, later.into());
        params
    }

    /// For products of matrices, in vectors: a row of the left one and of the sums, and where the right one begins.
    pub(super) fn matrices(deep: usize, across: usize, right: usize) -> Params {
        let mut params = Params::bits(deep as u32);
        params.wide(LOWER, across as u64 | (right as u64) << 32);
        params
    }

    /// Adds the rows of a product, and the vectors of a row of its left matrix.
    pub(super) fn rows(mut self, rows: usize, deep: usize) -> Params {
        self.wide(UPPER, rows as u64 | (deep as u64) << 32);
        self
    }

    /// Adds how many vectors of a row of the left matrix are a share, and the vectors of the sums.
    pub(super) fn shares(self, deep: usize, sums: usize) -> Params {
        self.rows(deep, sums)
    }

    /// For linear combinations: how many terms, vectors of a result, and where the terms begin.
    pub(super) fn combination(terms: usize, across: usize, first: usize) -> Params {
        Params::matrices(terms, across, first)
    }

    /// For powers.
    pub(super) fn exponent(exponent: u64) -> Params {
        let mut params = Params::new();
        params.0[BITS] = 64 - exponent.leading_zeros();
        params.wide(LOWER, exponent);
        params
    }

    /// For transforms of `2^log` elements in passes of `most` levels, whose results are multiplied by `scale`.
    pub(super) fn transform(log: u32, most: u32, scale: u64) -> Params {
        let mut params = Params::new();
        params.wide(LOWER, scale);
        params.wide(STREAM, u64::from(log) << 32);
        params.wide(UPPER, u64::from(log) | u64::from(most) << 32);
        params
    }

    /// The same of a transform of which `2^bound` elements are bound, of columns from `first` on.
    pub(super) fn columns(mut self, bound: u32, first: usize) -> Params {
        self.0[STREAM] = first as u32;
        self.0[UPPER] = bound;
        self
    }

    /// Adds the rows of uniform elements: groups of each, and blocks from one to the next.
    pub(super) fn uniform_rows(mut self, groups: u32, blocks: u32) -> Params {
        self.0[BITS] = groups;
        self.wide(LOWER, blocks.into());
        self
    }

    /// Adds the thresholds of `law`.
    pub(super) fn law(mut self, law: &Laplace) -> Params {
        self.0[BITS] = law.digits().len() as u32;
        self.wide(LOWER, law.zero_threshold());
        for (k, threshold) in law.digits().as_flattened().iter().enumerate() {
            self.wide(THRESHOLDS + 4 * k, *threshold);
        }
        self
    }

    /// Adds the shape of `table`: draws, `thresholds`, and whether a word's lowest bit is a sign.
    pub(super) fn table(mut self, table: &Table, thresholds: usize) -> Params {
        self.0[BITS] = table.weights().len() as u32;
        self.wide(LOWER, thresholds as u64 | u64::from(table.signed()) << 32);
        self
    }

    /// Adds a number of trials: words, those bits of the last one that are trials, and the mean.
    pub(super) fn trials(mut self, trials: u32) -> Params {
        self.0[BITS] = trials.div_ceil(64);
        self.wide(LOWER, u64::MAX >> (trials.wrapping_neg() % 64));
        self.wide(UPPER, u64::from(trials / 2));
        self
    }

    /// The same for a later pass over the vector.
    pub(super) fn pass(mut self, pass: u32) -> Params {
        self.0[BITS] += pass;
        self
    }

    /// The same for a part of the vector: `count` units of work, after `blocks` blocks of the stream.
    pub(super) fn part(&self, count: u32, blocks: u64) -> Params {
        let mut params = Params(self.0);
        params.0[0] = count;
        let first = u64::from(self.0[BLOCK]) | u64::from(self.0[BLOCK + 1]) << 32;
        params.wide(BLOCK, first.wrapping_add(blocks));
        params
    }

    fn wide(&mut self, at: usize, value: u64) {
        self.0[at] = value as u32;
        self.0[at + 1] = (value >> 32) as u32;
    }
}

impl AsRef<[u8]> for Params {
    fn as_ref(&self) -> &[u8] {
        bytemuck::cast_slice(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_part_starts_where_its_blocks_do() {
        let params = Params::stream(&[1; 32], 2 << 32 | 3, u64::from(u32::MAX)).part(7, 2);
        assert_eq!(params.0[..6], [7, 0, 1, 1, 3, 2]);
        assert_eq!(params.0[KEY..THRESHOLDS], [0x0101_0101; 8]);
        assert_eq!(params.as_ref().len() as u64, Params::SIZE);
    }

    #[test]
    fn the_widest_law_fits() {
        let law = Laplace::new(1 << 40, 1).unwrap();
        let thresholds = law.digits().as_flattened();
        assert!(thresholds.len() <= MOST_THRESHOLDS);
        let params = Params::new().law(&law);
        for (k, threshold) in thresholds.iter().enumerate() {
            assert_eq!(params.0[THRESHOLDS + 4 * k], *threshold as u32);
        }
    }
}
