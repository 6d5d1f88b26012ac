//! Parts of an object in any order, for Parquet.

use super::object::Object;
use bytes::Bytes;
use parquet::{
    errors::{ParquetError, Result},
    file::reader::{ChunkReader, Length},
};
use std::{
    collections::VecDeque,
    io::{self, Read},
    sync::{Arc, Mutex, PoisonError},
};

/// Bytes that are kept. Columns are read side by side, a page of each, and a page begins in the block where the one before it
/// ended: so there is room for two blocks a column.
const KEPT: u64 = 32 << 20;
/// Bytes of a request, at least and at most.
const BLOCK: (u64, u64) = (64 << 10, 1 << 20);

/// The object in blocks, of which those that were used last are kept.
#[derive(Clone)]
pub(super) struct Chunks {
    object: Arc<Object>,
    block: u64,
    kept: Arc<Mutex<VecDeque<(u64, Bytes)>>>,
}

impl Chunks {
    /// Of an object from which so many columns are read.
    pub(super) fn new(object: Arc<Object>, columns: usize) -> Self {
        let block = (KEPT / (2 * columns as u64)).clamp(BLOCK.0, BLOCK.1);
        Self { object, block, kept: Arc::default() }
    }

    /// What is from a place to the end of its block; nothing at the end of the object.
    fn from(&self, start: u64) -> io::Result<Bytes> {
        let size = self.object.size();
        if start >= size {
            return Ok(Bytes::new());
        }
        let (index, offset) = (start / self.block, start % self.block);
        let mut kept = self.kept.lock().unwrap_or_else(PoisonError::into_inner);
        let found = kept.iter().position(|(place, _)| *place == index).and_then(|at| kept.remove(at));
        let (_, bytes) = match found {
            Some(found) => found,
            None => {
                let begin = index * self.block;
                let coming = self.object.ask(begin..(begin + self.block).min(size));
                (index, self.object.wait(coming)?)
            }
        };
        kept.truncate((KEPT / self.block) as usize - 1);
        kept.push_front((index, bytes.clone()));
        Ok(bytes.slice(offset as usize..))
    }
}

impl Length for Chunks {
    fn len(&self) -> u64 {
        self.object.size()
    }
}

impl ChunkReader for Chunks {
    type T = Reader;

    fn get_read(&self, start: u64) -> Result<Reader> {
        Ok(Reader { chunks: self.clone(), place: start })
    }

    fn get_bytes(&self, start: u64, length: usize) -> Result<Bytes> {
        let within = start.checked_add(length as u64).is_some_and(|end| end <= self.len());
        if !within {
            return Err(ParquetError::EOF(format!("{length} bytes at {start} are not in the object")));
        }
        let first = self.from(start)?;
        if first.len() >= length {
            return Ok(first.slice(..length));
        }
        let mut bytes = Vec::with_capacity(length);
        self.get_read(start)?.take(length as u64).read_to_end(&mut bytes)?;
        Ok(bytes.into())
    }
}

/// The object from a place on.
pub(super) struct Reader {
    chunks: Chunks,
    place: u64,
}

impl Read for Reader {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let bytes = self.chunks.from(self.place)?;
        let count = buffer.len().min(bytes.len());
        buffer[..count].copy_from_slice(&bytes[..count]);
        self.place += count as u64;
        Ok(count)
    }
}
