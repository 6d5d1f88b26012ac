//! An object from its first byte to its last, for formats that are read in order.

use super::object::{Coming, Object};
use bytes::{Buf, Bytes};
use std::{
    io::{self, Read},
    sync::Arc,
};

/// Bytes of a request. While one block is used the next is on its way, so two are in memory.
const BLOCK: u64 = 4 << 20;

/// The bytes of an object.
pub(super) struct Stream {
    object: Arc<Object>,
    block: Bytes,
    coming: Option<Coming>,
    /// Where the block after the one that is coming begins.
    next: u64,
}

impl Stream {
    pub(super) fn new(object: Arc<Object>) -> Self {
        let mut stream = Self { object, block: Bytes::new(), coming: None, next: 0 };
        stream.ask();
        stream
    }

    fn ask(&mut self) {
        let end = self.next.saturating_add(BLOCK).min(self.object.size());
        if self.next < end {
            self.coming = Some(self.object.ask(self.next..end));
            self.next = end;
        }
    }
}

impl Read for Stream {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        if self.block.is_empty() {
            let Some(coming) = self.coming.take() else { return Ok(0) };
            self.block = self.object.wait(coming)?;
            self.ask();
        }
        let count = buffer.len().min(self.block.len());
        self.block.copy_to_slice(&mut buffer[..count]);
        Ok(count)
    }
}
