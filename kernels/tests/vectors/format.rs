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

/// Encoding and decoding.
#[derive(Serialize, Deserialize)]
pub struct Fixed {
    pub fraction_bits: u32,
    pub min: i64,
    pub max: i64,
    pub values: Vec<String>,
    pub encoded: Vec<String>,
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
