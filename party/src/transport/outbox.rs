//! Messages that wait to be sent, acknowledged or taken at the other end.

use super::{
    frame::{Ack, FrameKind, HEADER, Header},
    links::{Kind, LinkError},
    spares::Spares,
};
use std::{collections::VecDeque, sync::Arc};
use zeroize::Zeroize;

/// The most messages that may be on their way, whatever their size.
pub(super) const WINDOW_MESSAGES: usize = 1024;

/// The most bytes of bodies on their way over one link. Sixteen parties hold 15 links, so more parties get less each:
/// about 64 MiB in all each way.
pub(super) fn window_bytes(parties: usize) -> usize {
    ((64 << 20) / parties.saturating_sub(1).max(1)).clamp(2 << 20, 16 << 20)
}

/// The bytes of bodies that wait to be written, or to be taken by a peer that has received them, from which on no more are
/// queued. The window is for what a long line holds; a queue that somebody is slow to empty gains nothing by being
/// long, and costs the processors' caches.
pub(super) const LAG: usize = 2 << 20;

/// The most bytes of a reason that is told to a peer.
pub(super) const MAX_REASON: usize = 4096;

/// What is sent: shared among the links that carry it and the connections that write it.
pub(super) struct Body {
    kind: Kind,
    pub(super) bytes: Vec<u8>,
}

impl Body {
    pub(super) fn new(kind: Kind, mut bytes: Vec<u8>) -> Arc<Self> {
        match kind {
            Kind::Bye => bytes.clear(),
            Kind::Abort => bytes.truncate(MAX_REASON),
            _ => {}
        }
        Arc::new(Self { kind, bytes })
    }

    /// `Abort` and `Bye` are the last of a link.
    pub(super) fn is_last(&self) -> bool {
        matches!(self.kind, Kind::Abort | Kind::Bye)
    }
}

impl Drop for Body {
    fn drop(&mut self) {
        if self.kind == Kind::Seed {
            self.bytes.zeroize();
        }
    }
}

/// A message that the peer has not taken yet; the body is gone once the peer has it.
struct Waiting {
    length: usize,
    body: Option<Arc<Body>>,
}

/// The sending half of a link's state: message numbers `taken <= received <= cursor <= next`.
pub(super) struct Outbox {
    window: usize,
    spares: Arc<Spares>,
    waiting: VecDeque<Waiting>,
    bytes: usize,
    /// Of those, the bytes that the peer has received, and those that this connection has not written.
    untaken: usize,
    unwritten: usize,
    taken: u64,
    received: u64,
    cursor: u64,
    /// The greatest cursor of any connection.
    sent: u64,
    last: bool,
}

impl Outbox {
    pub(super) fn new(window: usize, spares: Arc<Spares>) -> Self {
        Self {
            window,
            spares,
            waiting: VecDeque::new(),
            bytes: 0,
            untaken: 0,
            unwritten: 0,
            taken: 0,
            received: 0,
            cursor: 0,
            sent: 0,
            last: false,
        }
    }

    fn next(&self) -> u64 {
        self.taken + self.waiting.len() as u64
    }

    /// Whether a body of this length may be queued. One body always fits into an empty queue.
    pub(super) fn has_room(&self, length: usize) -> bool {
        self.waiting.is_empty()
            || (self.waiting.len() < WINDOW_MESSAGES
                && self.bytes + length <= self.window
                && self.untaken < LAG
                && self.unwritten < LAG)
    }

    /// Queues a message. The last of a link needs no room.
    pub(super) fn push(&mut self, body: Arc<Body>) {
        let length = body.bytes.len();
        self.last |= body.is_last();
        self.bytes += length;
        self.unwritten += length;
        self.waiting.push_back(Waiting { length, body: Some(body) });
    }

    /// Whether nothing can be queued any more.
    pub(super) fn is_closed(&self) -> bool {
        self.last
    }

    /// How many messages the peer has not had.
    pub(super) fn unreceived(&self) -> u64 {
        self.next() - self.received
    }

    /// The number of the next message that the present connection writes.
    pub(super) fn next_to_write(&self) -> u64 {
        self.cursor
    }

    /// The next message to write on the present connection.
    pub(super) fn write_next(&mut self) -> Option<([u8; HEADER], Arc<Body>)> {
        let index = usize::try_from(self.cursor - self.taken).ok()?;
        let body = Arc::clone(self.waiting.get(index)?.body.as_ref()?);
        let header =
            Header { length: body.bytes.len(), kind: FrameKind::Message(body.kind), sequence: self.cursor };
        self.unwritten -= body.bytes.len();
        self.cursor += 1;
        self.sent = self.sent.max(self.cursor);
        Some((header.encode(), body))
    }

    /// Starts over on a fresh connection, whose peer says what it has had.
    pub(super) fn resume(&mut self, next: u64) -> Result<(), LinkError> {
        self.receive(next)?;
        self.cursor = next;
        self.unwritten = self.bytes - self.untaken;
        Ok(())
    }

    /// Takes note of an acknowledgement; says whether the peer got further.
    pub(super) fn acknowledge(&mut self, ack: Ack) -> Result<bool, LinkError> {
        let further = self.receive(ack.received)?;
        if ack.taken < self.taken {
            return Err(LinkError::Violation("an acknowledgement of less than before".into()));
        }
        while self.taken < ack.taken {
            let Some(waiting) = self.waiting.pop_front() else { break };
            self.bytes -= waiting.length;
            self.untaken -= waiting.length;
            self.taken += 1;
        }
        Ok(further)
    }

    fn receive(&mut self, received: u64) -> Result<bool, LinkError> {
        if received > self.sent {
            return Err(LinkError::Violation("an acknowledgement of a message that was never sent".into()));
        }
        if received < self.received {
            return Err(LinkError::Violation("an acknowledgement of less than before".into()));
        }
        let further = received > self.received;
        while self.received < received {
            if let Some(waiting) =
                usize::try_from(self.received - self.taken).ok().and_then(|i| self.waiting.get_mut(i))
            {
                self.untaken += waiting.length;
                // Another link or a connection that still holds it lets it go itself.
                if let Some(mut body) = waiting.body.take().and_then(Arc::into_inner)
                    && body.kind != Kind::Seed
                {
                    self.spares.give(std::mem::take(&mut body.bytes));
                }
            }
            self.received += 1;
        }
        Ok(further)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn written(outbox: &mut Outbox) -> Vec<u8> {
        std::iter::from_fn(|| outbox.write_next()).map(|(_, body)| body.bytes[0]).collect()
    }

    #[test]
    fn what_was_not_received_is_written_again() {
        let mut outbox = Outbox::new(1 << 20, Arc::default());
        (0..5).for_each(|i| outbox.push(Body::new(Kind::Opened, vec![i])));
        assert_eq!(written(&mut outbox), [0, 1, 2, 3, 4]);
        assert!(outbox.acknowledge(Ack { received: 2, taken: 1 }).unwrap());
        outbox.resume(3).unwrap();
        assert_eq!(written(&mut outbox), [3, 4]);
        assert_eq!(outbox.unreceived(), 2);
        assert!(outbox.acknowledge(Ack { received: 2, taken: 1 }).is_err());
        assert!(outbox.acknowledge(Ack { received: 6, taken: 1 }).is_err());
    }

    proptest! {
        // A lossy connection: at any time the peer has received a prefix of what was written, and says so.
        #[test]
        fn every_message_is_received_once_in_order(cuts in prop::collection::vec((1usize..8, 0u64..8, 0u64..8), 1..30)) {
            let mut outbox = Outbox::new(1 << 20, Arc::default());
            let mut pushed = 0u8;
            let (mut received, mut taken) = (Vec::new(), 0);
            for (fresh, arrive, take) in cuts {
                for _ in 0..fresh {
                    outbox.push(Body::new(Kind::Opened, vec![pushed]));
                    pushed = pushed.wrapping_add(1);
                }
                outbox.resume(received.len() as u64).unwrap();
                let sent = written(&mut outbox);
                received.extend(&sent[..sent.len().min(arrive as usize)]);
                taken = (taken + take).min(received.len() as u64);
                outbox.acknowledge(Ack { received: received.len() as u64, taken }).unwrap();
                prop_assert_eq!(outbox.bytes as u64, outbox.next() - taken);
            }
            outbox.resume(received.len() as u64).unwrap();
            received.extend(written(&mut outbox));
            prop_assert!(received.iter().enumerate().all(|(i, byte)| *byte == i as u8));
            prop_assert_eq!(received.len() as u64, outbox.next());
        }
    }
}
