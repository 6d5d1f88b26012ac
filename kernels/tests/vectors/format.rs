//! The form of the frozen answers, shared by the test that checks them and the example that writes them.
//! 64-bit numbers are hexadecimal strings, since JSON readers round large numbers; doubles are their bits.

use serde::{Deserialize, Serialize};

/// A position in a keystream.
#[derive(Clone, Serialize, Deserialize)]
pub struct At {
    pub key: String,
    pub id: String,
    pub block: String,
}

/// Keystream bytes.
#[derive(Serialize, Deserialize)]
pub struct Chacha {
    pub source: String,
    pub at: At,
    pub keystream: String,
}

/// Calls on one stream, one after the other.
#[derive(Serialize, Deserialize)]
pub struct Calls {
    pub at: At,
    pub calls: Vec<Call>,
}

/// A call, what it wrote over zeros, and the stream's position afterwards.
#[derive(Serialize, Deserialize)]
pub struct Call {
    pub call: String,
    pub length: usize,
    pub output: Vec<String>,
    pub next: String,
}

/// Arithmetic on `bits`-bit elements.
#[derive(Serialize, Deserialize)]
pub struct Ring {
    pub bits: u32,
    pub a: Vec<String>,
    pub b: Vec<String>,
    pub add: Vec<String>,
    pub sub: Vec<String>,
    pub mul: Vec<String>,
    pub sum_of_a: String,
}

/// Arithmetic modulo a prime, and words that are no elements.
#[derive(Serialize, Deserialize)]
pub struct Field {
    pub name: String,
    pub modulus: String,
    pub a: Vec<String>,
    pub b: Vec<String>,
    pub add: Vec<String>,
    pub sub: Vec<String>,
    pub mul: Vec<String>,
    pub neg_of_a: Vec<String>,
    pub a_plus_a_times_b: Vec<String>,
    pub inverse_of_a: Vec<String>,
    pub exponent: String,
    pub power_of_a: Vec<String>,
    pub dot: String,
    /// Values at the elements of `b` of the polynomial whose coefficients are the first five of `a`.
    pub values: Vec<String>,
    pub points: Vec<String>,
    pub at: String,
    pub lagrange_weights: Vec<String>,
    pub refused: Vec<String>,
    pub refused_index: usize,
}

/// A transform of `values`, and the inverse one of the same.
#[derive(Serialize, Deserialize)]
pub struct Ntt {
    pub root: String,
    pub values: Vec<String>,
    pub forward: Vec<String>,
    pub inverse: Vec<String>,
}

/// Uniform elements from a stream.
#[derive(Serialize, Deserialize)]
pub struct Uniform {
    pub name: String,
    pub at: At,
    pub elements: Vec<String>,
}

/// Shares of `Field64` elements of somebody else's test vectors, and what is said of their sums.
#[derive(Serialize, Deserialize)]
pub struct Vdaf {
    pub source: String,
    pub shares: Vec<Vec<String>>,
    pub sums: Vec<String>,
    /// Coefficients of a polynomial whose value at the second sum is the last one; none: the sums are all.
    pub polynomial: Vec<String>,
    /// Whether the product of the second and the third sum is the last one; absent where that is not claimed.
    pub product: Option<bool>,
}

/// A mask on `bits`-bit elements.
#[derive(Serialize, Deserialize)]
pub struct Mask {
    pub bits: u32,
    pub at: At,
    pub data: Vec<String>,
    pub add: Vec<String>,
    pub sub: Vec<String>,
}

/// A secret split by streams.
#[derive(Serialize, Deserialize)]
pub struct Share {
    pub secret: Vec<String>,
    pub streams: Vec<At>,
    pub shares: Vec<Vec<String>>,
    pub correction: Vec<String>,
}

/// A secret that is split, wrong shares of some parties that are found and corrected, and what is refused.
#[derive(Serialize, Deserialize)]
pub struct Shamir {
    pub name: String,
    pub parties: u32,
    pub threshold: u32,
    pub secret: Vec<String>,
    pub at: At,
    /// Of party 1, 2, ...
    pub shares: Vec<Vec<String>>,
    /// Parties that reconstruct.
    pub given: Vec<u32>,
    /// The shares of all parties in `decoded`, in that order, some of them wrong.
    pub decoded: Vec<u32>,
    pub wrong: Vec<Vec<String>>,
    /// The elements whose shares do not fit, and the parties whose shares they are.
    pub misfits: Vec<usize>,
    pub liars: Vec<u32>,
    /// The same with more wrong shares of one element than can be corrected.
    pub hopeless: Vec<Vec<String>>,
    pub hopeless_element: usize,
    /// Sets of parties that cannot reconstruct: too few of them, one that there is not, one twice.
    pub too_few: Vec<u32>,
    pub nobody: Vec<u32>,
    pub twice: Vec<u32>,
}

/// Encoding and decoding.
#[derive(Serialize, Deserialize)]
pub struct Fixed {
    pub fraction_bits: u32,
    pub min: i64,
    pub max: i64,
    pub values: Vec<String>,
    pub encoded: Vec<String>,
    /// Indexes of the values that encoding clamps.
    pub out_of_range: Vec<usize>,
    pub units: Vec<String>,
    pub decoded: Vec<String>,
}

/// A law with its thresholds and samples.
#[derive(Serialize, Deserialize)]
pub struct Noise {
    pub numerator: u64,
    pub denominator: u64,
    pub zero: String,
    pub thresholds: Vec<String>,
    pub total_variation: u64,
    pub at: At,
    pub samples: Vec<i64>,
}

/// A law that is drawn from a table or from trials, with samples, and parameters that are refused. The parameter is a
/// fraction: a scale, a variance, a probability, or a number of trials over 1.
#[derive(Serialize, Deserialize)]
pub struct Drawn {
    pub law: String,
    pub parameter: [u64; 2],
    pub thresholds: Vec<String>,
    pub weights: Vec<String>,
    pub total_variation: u64,
    pub at: At,
    pub samples: Vec<i64>,
    pub refused: Vec<[u64; 2]>,
}

/// Bit vectors, and the 64 planes of `a`.
#[derive(Serialize, Deserialize)]
pub struct Bits {
    pub a: Vec<String>,
    pub b: Vec<String>,
    pub xor: Vec<String>,
    pub and: Vec<String>,
    pub not_a: Vec<String>,
    pub ones_of_a: u64,
    pub by: usize,
    pub left: Vec<String>,
    pub right: Vec<String>,
    pub planes: Vec<String>,
}

/// The sum of integers and their comparison, in planes: what goes into each AND after the first, and what comes out.
#[derive(Serialize, Deserialize)]
pub struct Adder {
    pub width: usize,
    pub a: Vec<String>,
    pub b: Vec<String>,
    pub planes: Vec<String>,
    pub sum: Rounds,
    pub less: Rounds,
}

/// The rounds of a protocol on planes, and its result.
#[derive(Debug, PartialEq, Serialize, Deserialize)]
pub struct Rounds {
    pub rounds: Vec<Round>,
    pub planes: Vec<String>,
}

/// What goes into an AND.
#[derive(Debug, PartialEq, Serialize, Deserialize)]
pub struct Round {
    pub left: Vec<String>,
    pub right: Vec<String>,
}

/// What a function refuses: the function, what matters of its arguments, and its answer.
#[derive(Serialize, Deserialize)]
pub struct Refused {
    pub call: String,
    pub given: serde_json::Map<String, serde_json::Value>,
    pub refusal: serde_json::Value,
}

/// Truncation of `share` by both roles, and of the same words opened, with `mask_high`.
#[derive(Serialize, Deserialize)]
pub struct Truncation {
    pub bits: u32,
    pub share: Vec<String>,
    pub first: Vec<String>,
    pub other: Vec<String>,
    pub mask_high: Vec<String>,
    pub opened_first: Vec<String>,
    pub opened_other: Vec<String>,
}

/// One party's part of a product of replicated shares. `zero` are the stream whose words are added and the one whose
/// words are taken off.
#[derive(Serialize, Deserialize)]
pub struct Replicated {
    pub x: [Vec<String>; 2],
    pub y: [Vec<String>; 2],
    pub zero: [At; 2],
    pub product: Vec<String>,
}

/// `acc` plus the product of a rows by inner and an inner by columns matrix, modulo 2^bits; modulo 2^61 - 1 in the file
/// of `M61`.
#[derive(Serialize, Deserialize)]
pub struct Matmul {
    pub bits: u32,
    pub rows: usize,
    pub inner: usize,
    pub columns: usize,
    pub a: Vec<String>,
    pub b: Vec<String>,
    pub acc: Vec<String>,
    pub sums: Vec<String>,
}

/// Several products of one shape, `acc` plus each; and the transpose of all of `a` as one matrix of count times rows by
/// inner.
#[derive(Serialize, Deserialize)]
pub struct Batch {
    pub bits: u32,
    pub rows: usize,
    pub inner: usize,
    pub columns: usize,
    pub count: usize,
    pub a: Vec<String>,
    pub b: Vec<String>,
    pub acc: Vec<String>,
    pub sums: Vec<String>,
    pub transposed: Vec<String>,
}

pub fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

pub fn unhex(text: &str) -> Vec<u8> {
    (0..text.len()).step_by(2).map(|i| u8::from_str_radix(&text[i..i + 2], 16).unwrap()).collect()
}

pub fn words(values: &[u64]) -> Vec<String> {
    values.iter().map(|value| format!("{value:x}")).collect()
}

pub fn word(text: &str) -> u64 {
    u64::from_str_radix(text, 16).unwrap()
}

pub fn unwords(texts: &[String]) -> Vec<u64> {
    texts.iter().map(|text| word(text)).collect()
}

impl At {
    pub fn new(key: [u8; 32], id: u64, block: u64) -> At {
        At { key: hex(&key), id: format!("{id:x}"), block: format!("{block:x}") }
    }

    pub fn key(&self) -> [u8; 32] {
        unhex(&self.key).try_into().unwrap()
    }

    pub fn id(&self) -> u64 {
        word(&self.id)
    }

    pub fn block(&self) -> u64 {
        word(&self.block)
    }
}
