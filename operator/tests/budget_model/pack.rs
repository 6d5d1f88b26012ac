//! Hashes many small fields by a few words.

use std::hash::{Hash, Hasher};

/// What is larger than this takes nine bytes, and all else one: so no two values pack alike.
const LARGEST: u64 = 254;

/// Hands small values on as whole words.
struct Pack<'a, H> {
    into: &'a mut H,
    word: u64,
    /// Bits of the word that are taken.
    taken: u32,
}

/// Hashes a value as it is written to a hasher that costs as much for a byte as for a word.
pub(crate) fn hash<H: Hasher>(value: &impl Hash, into: &mut H) {
    let mut pack = Pack { into, word: 0, taken: 0 };
    value.hash(&mut pack);
    let (word, taken) = (pack.word, pack.taken);
    into.write_u64(word);
    into.write_u32(taken);
}

impl<H: Hasher> Pack<'_, H> {
    #[inline]
    fn number(&mut self, value: u64) {
        if value <= LARGEST {
            return self.write_u8(value as u8);
        }
        self.write_u8(u8::MAX);
        self.write(&value.to_le_bytes());
    }
}

impl<H: Hasher> Hasher for Pack<'_, H> {
    fn finish(&self) -> u64 {
        unreachable!("it only hands on")
    }

    fn write(&mut self, bytes: &[u8]) {
        bytes.iter().for_each(|byte| self.write_u8(*byte));
    }

    #[inline]
    fn write_u8(&mut self, value: u8) {
        self.word |= u64::from(value) << self.taken;
        self.taken += 8;
        if self.taken == u64::BITS {
            self.into.write_u64(self.word);
            (self.word, self.taken) = (0, 0);
        }
    }

    fn write_u16(&mut self, value: u16) {
        let [low, high] = value.to_le_bytes();
        self.write_u8(low);
        self.write_u8(high);
    }

    /// An array's length.
    #[inline]
    fn write_usize(&mut self, value: usize) {
        self.number(value as u64);
    }

    /// Which of an enum's.
    #[inline]
    fn write_isize(&mut self, value: isize) {
        self.number(value as u64);
    }
}

#[test]
fn what_differs_packs_differently() {
    #[derive(Hash)]
    enum Small {
        A(u8),
        B(Option<u16>),
    }
    let of = |value: &(Small, [u8; 2], usize)| {
        let mut words = Words::default();
        hash(value, &mut words);
        words.0
    };
    let values = [0, 1, 254, 255, 256, usize::MAX].into_iter().flat_map(|large| {
        let small = |small| [(small, [0, 1], large)];
        small(Small::A(0)).into_iter().chain(small(Small::B(None))).chain(small(Small::B(Some(0)))).chain([
            (Small::A(1), [0, 1], large),
            (Small::A(1), [1, 0], large),
            (Small::B(Some(256)), [0, 1], large),
        ])
    });
    let all: Vec<Vec<u64>> = values.map(|value| of(&value)).collect();
    let distinct: std::collections::HashSet<_> = all.iter().collect();
    assert_eq!((all.len(), distinct.len()), (36, 36));
}

/// Keeps what it is given.
#[derive(Default)]
struct Words(Vec<u64>);

impl Hasher for Words {
    fn finish(&self) -> u64 {
        0
    }

    fn write(&mut self, _: &[u8]) {
        unreachable!("only words come")
    }

    fn write_u64(&mut self, word: u64) {
        self.0.push(word);
    }

    fn write_u32(&mut self, word: u32) {
        self.0.push(word.into());
    }
}
