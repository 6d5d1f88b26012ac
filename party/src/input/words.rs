//! Declared words, found by their bytes.

use std::collections::HashMap;

/// Up to this many words are compared one by one, which beats hashing.
const FEW: usize = 8;

/// The words of a category, in the declared order.
pub(super) enum Words {
    Few(Vec<Box<[u8]>>),
    Many(HashMap<Box<[u8]>, u32>),
}

impl Words {
    pub(super) fn new(words: &[String]) -> Self {
        let bytes = words.iter().map(|word| Box::from(word.as_bytes()));
        if words.len() <= FEW { Self::Few(bytes.collect()) } else { Self::Many(bytes.zip(0..).collect()) }
    }

    /// The index of a word.
    pub(super) fn find(&self, word: &[u8]) -> Option<u32> {
        match self {
            Self::Few(words) => {
                (0..).zip(words).find(|(_, candidate)| ***candidate == *word).map(|(index, _)| index)
            }
            Self::Many(words) => words.get(word).copied(),
        }
    }
}
