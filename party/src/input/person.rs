//! At most so many rows of one person: the first in file order.
//!
//! A person is known by a 128-bit SipHash of the identifier under a random key of this process, so that what is kept
//! is small, of one size and of no use elsewhere. Two of n persons share a hash with probability below n^2 / 2^129:
//! 2^-69 for a thousand million of them; they would then share one limit, which drops rows and never adds any.

use super::InputFault;
use siphasher::sip128::{Hasher128, SipHasher24};
use std::{
    collections::{HashMap, hash_map::Entry},
    hash::{BuildHasherDefault, Hasher},
};

/// Counts rows of persons. Takes 21 bytes for each place of its table, of which 7 in 8 to 7 in 16 are taken: 24 to 48
/// bytes a person.
pub(super) struct Persons {
    key: SipHasher24,
    max_rows: u32,
    // Words of 32 bits, since a `u128` would be padded from 20 bytes to 32.
    rows: HashMap<[u32; 4], u32, BuildHasherDefault<Already>>,
}

impl Persons {
    /// With a fresh key.
    pub(super) fn new(max_rows: u32) -> Result<Self, InputFault> {
        let mut key = [0; 16];
        getrandom::fill(&mut key).map_err(|error| InputFault::NoRandomness(error.to_string()))?;
        Ok(Self { key: SipHasher24::new_with_key(&key), max_rows, rows: HashMap::default() })
    }

    /// Whether this row of the person counts.
    pub(super) fn admit(&mut self, identifier: &[u8]) -> bool {
        let mut hasher = self.key;
        hasher.write(identifier);
        let hash = hasher.finish128();
        let words = [hash.h1 as u32, (hash.h1 >> 32) as u32, hash.h2 as u32, (hash.h2 >> 32) as u32];
        match self.rows.entry(words) {
            Entry::Vacant(entry) => {
                entry.insert(1);
                self.max_rows > 0
            }
            Entry::Occupied(mut entry) => {
                let rows = entry.get_mut();
                let admitted = *rows < self.max_rows;
                *rows += u32::from(admitted);
                admitted
            }
        }
    }
}

/// Hashes what is a hash already: takes its words as they are.
#[derive(Default)]
struct Already(u64);

impl Hasher for Already {
    fn write(&mut self, bytes: &[u8]) {
        for word in bytes.chunks_exact(8) {
            self.0 ^= u64::from_le_bytes(word.try_into().expect("eight bytes"));
        }
    }

    fn finish(&self) -> u64 {
        self.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_rows_of_each_person_count() {
        let mut persons = Persons::new(2).unwrap();
        let admitted: Vec<_> = [b"a", b"b", b"a", b"a", b"b", b"b", b"c"].map(|id| persons.admit(id)).into();
        assert_eq!(admitted, [true, true, true, false, true, false, true]);
        assert_eq!(persons.rows.len(), 3);
    }

    #[test]
    fn keys_are_fresh() {
        let hashes: std::collections::HashSet<_> = (0..8)
            .map(|_| {
                let mut persons = Persons::new(1).unwrap();
                persons.admit(b"a");
                *persons.rows.keys().next().unwrap()
            })
            .collect();
        assert_eq!(hashes.len(), 8);
    }
}
