//! One logical link to a peer: the state that outlives its connections.

use super::{
    frame::{Ack, Hello},
    links::{Kind, LinkError, MAX_BODY, Message},
    outbox::{Body, LAG, MAX_REASON, Outbox, WINDOW_MESSAGES, window_bytes},
    spares::Spares,
};
use crate::receipt::hex::hex;
use std::{
    collections::VecDeque,
    pin::pin,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::{Duration, Instant},
};
use tokio::sync::Notify;

/// What all links of a mesh share.
pub(super) struct Party {
    pub(super) names: Vec<String>,
    pub(super) me: usize,
    pub(super) run: [u8; 16],
    pub(super) epoch: u64,
    pub(super) patience: Duration,
    pub(super) spares: Arc<Spares>,
    /// Rings at each change of a link's life.
    pub(super) news: Notify,
}

impl Party {
    /// How long one step of making a connection may take.
    pub(super) fn step(&self) -> Duration {
        (self.patience / 2).min(Duration::from_secs(10))
    }
}

/// A link.
pub(super) struct Link {
    pub(super) party: Arc<Party>,
    pub(super) peer: usize,
    state: Mutex<State>,
    /// Rings for the connection that writes.
    pub(super) to_write: Notify,
    /// Rings for those who wait for room in the queue, or for its end.
    pub(super) room: Notify,
    /// Rings for those who wait for a message.
    arrived: Notify,
}

pub(super) struct State {
    pub(super) outbox: Outbox,
    inbox: VecDeque<Message>,
    inbox_bytes: usize,
    /// What this party has had and taken.
    pub(super) had: Ack,
    /// Messages and bytes taken since the writer was last rung for it.
    taken: (usize, usize),
    /// The peer has said `Bye` or `Abort`.
    pub(super) peer_is_done: bool,
    /// The other process, once met.
    epoch: Option<u64>,
    pub(super) fingerprint: Option<[u8; 32]>,
    /// When the peer was last heard, once met.
    pub(super) heard: Option<Instant>,
    /// When the peer last took a message in, or had nothing to take in.
    progress: Instant,
    /// What went wrong with the latest try or connection.
    pub(super) trouble: Option<String>,
    pub(super) tries: u64,
    end: Option<LinkError>,
    /// Nothing moves any more on this link.
    pub(super) over: bool,
}

impl Link {
    pub(super) fn new(party: Arc<Party>, peer: usize) -> Self {
        let state = State {
            outbox: Outbox::new(window_bytes(party.names.len()), Arc::clone(&party.spares)),
            inbox: VecDeque::new(),
            inbox_bytes: 0,
            had: Ack { received: 0, taken: 0 },
            taken: (0, 0),
            peer_is_done: false,
            epoch: None,
            fingerprint: None,
            heard: None,
            progress: Instant::now(),
            trouble: None,
            tries: 0,
            end: None,
            over: false,
        };
        Self {
            party,
            peer,
            state: Mutex::new(state),
            to_write: Notify::new(),
            room: Notify::new(),
            arrived: Notify::new(),
        }
    }

    pub(super) fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn name(&self) -> &str {
        &self.party.names[self.peer]
    }

    pub(super) fn refused(&self, reason: impl Into<String>) -> LinkError {
        LinkError::Refused { peer: self.name().to_owned(), reason: reason.into() }
    }

    fn unreachable(&self, reason: impl Into<String>) -> LinkError {
        LinkError::Unreachable { peer: self.name().to_owned(), reason: reason.into() }
    }

    /// Names the peer in a violation.
    pub(super) fn accuse(&self, error: LinkError) -> LinkError {
        match error {
            LinkError::Violation(what) => LinkError::Violation(format!("{what} (peer {})", self.name())),
            other => other,
        }
    }

    // For the protocol.

    pub(super) async fn send(&self, body: Arc<Body>) -> Result<(), LinkError> {
        let length = body.bytes.len();
        if length > MAX_BODY {
            return Err(LinkError::Local(format!("a body of {length} bytes; at most {MAX_BODY} fit")));
        }
        let mut body = Some(body);
        wait(&self.room, || {
            let mut state = self.lock();
            if let Some(end) = &state.end {
                return Some(Err(end.clone()));
            }
            if state.outbox.is_closed() {
                return Some(Err(LinkError::Local("a message after the last one of a link".into())));
            }
            let last = body.as_ref().is_some_and(|body| body.is_last());
            if !last && !state.outbox.has_room(length) {
                return None;
            }
            if state.outbox.unreceived() == 0 {
                state.progress = Instant::now();
            }
            state.outbox.push(body.take()?);
            drop(state);
            self.to_write.notify_one();
            Some(Ok(()))
        })
        .await
    }

    pub(super) async fn receive(&self) -> Result<Message, LinkError> {
        wait(&self.arrived, || {
            let mut state = self.lock();
            let Some(message) = state.inbox.pop_front() else {
                return state.end.clone().map(Err);
            };
            state.inbox_bytes -= message.body.len();
            state.had.taken += 1;
            state.taken.0 += 1;
            state.taken.1 += message.body.len();
            // Each arrival is acknowledged, and tells what was taken too: by itself, that is worth a frame now and then.
            let is_due = state.taken.0 >= WINDOW_MESSAGES / 4 || state.taken.1 >= LAG / 4;
            if is_due {
                state.taken = (0, 0);
            }
            drop(state);
            if is_due {
                self.to_write.notify_one();
            }
            Some(Ok(message))
        })
        .await
    }

    /// Waits until the peer has had everything, says `Bye`, and waits a little until the peer has had that too.
    pub(super) async fn close(&self) -> Result<(), LinkError> {
        let flushed = wait(&self.room, || {
            let state = self.lock();
            if state.outbox.unreceived() == 0 || (state.outbox.is_closed() && state.end.is_none()) {
                return Some(Ok(()));
            }
            state.end.clone().map(Err)
        })
        .await;
        // An error here says that the link is closed or has ended already.
        let _ = self.send(Body::new(Kind::Bye, Vec::new())).await;
        self.ended(self.party.patience.min(Duration::from_secs(2))).await;
        flushed
    }

    /// Waits until nothing moves on the link any more.
    pub(super) async fn ended(&self, grace: Duration) {
        let over = wait(&self.room, || self.lock().over.then_some(()));
        let _ = tokio::time::timeout(grace, over).await;
    }

    // For the life of the link.

    /// `Some` once the link is up or has ended.
    pub(super) fn standing(&self) -> Option<Result<(), LinkError>> {
        let state = self.lock();
        match &state.end {
            Some(end) => Some(Err(end.clone())),
            None => state.heard.map(|_| Ok(())),
        }
    }

    /// What the peer said when it gave up.
    pub(super) fn given_up(&self) -> Option<LinkError> {
        self.lock().end.clone().filter(|end| matches!(end, LinkError::Aborted { .. }))
    }

    pub(super) fn end(&self, error: LinkError) {
        self.lock().end.get_or_insert(error);
        self.wake();
    }

    pub(super) fn over(&self) {
        let mut state = self.lock();
        state.over = true;
        let left = self.unreachable("it has left the job");
        state.end.get_or_insert(left);
        drop(state);
        self.wake();
    }

    fn wake(&self) {
        self.room.notify_waiters();
        self.arrived.notify_waiters();
        self.party.news.notify_waiters();
        self.to_write.notify_one();
    }

    pub(super) fn trouble(&self, what: impl Into<String>) {
        let mut state = self.lock();
        state.trouble = Some(what.into());
        state.tries += 1;
    }

    /// Resolves once the peer, having been met, was silent or idle for too long.
    pub(super) async fn watch(&self) -> LinkError {
        let patience = self.party.patience;
        let seconds = patience.as_secs_f64();
        loop {
            tokio::time::sleep((patience / 16).max(Duration::from_millis(5))).await;
            let mut state = self.lock();
            let Some(heard) = state.heard else { continue };
            let pending = state.outbox.unreceived();
            if pending == 0 {
                state.progress = Instant::now();
            }
            let trouble =
                state.trouble.as_ref().map_or(String::new(), |t| format!("; the latest trouble: {t}"));
            if heard.elapsed() > patience {
                let reason = format!("nothing was heard of it for {seconds:.1} s{trouble}");
                return self.unreachable(reason);
            }
            if state.progress.elapsed() > patience {
                let reason =
                    format!("it took in none of {pending} waiting messages for {seconds:.1} s{trouble}");
                return self.unreachable(reason);
            }
        }
    }

    // For a connection.

    pub(super) fn hello(&self) -> Hello {
        let state = self.lock();
        Hello {
            from: self.party.me as u32,
            to: self.peer as u32,
            parties: self.party.names.len() as u32,
            run: self.party.run,
            epoch: self.party.epoch,
            known_epoch: state.epoch.unwrap_or(0),
            next: state.had.received,
        }
    }

    /// Checks the peer's greeting and takes the link up where it stopped. `Ok(false)`: the peer speaks to a process of
    /// this party that is no more, and will learn so from this party's greeting.
    pub(super) fn greet(&self, hello: &Hello) -> Result<bool, LinkError> {
        let ours = self.hello();
        if (hello.from, hello.to, hello.parties) != (ours.to, ours.from, ours.parties) {
            return Err(self.refused(format!(
                "it says that it is party {} of {} and speaks to party {}; here it is party {} of {} and this is \
                 party {}: use the same plan at every party",
                hello.from, hello.parties, hello.to, ours.to, ours.parties, ours.from
            )));
        }
        if hello.run != ours.run {
            return Err(self.refused(format!("it is in run {}, not {}", hex(&hello.run), hex(&ours.run))));
        }
        if hello.known_epoch != 0 && hello.known_epoch != ours.epoch {
            return Ok(false);
        }
        let mut state = self.lock();
        if state.epoch.is_some_and(|epoch| epoch != hello.epoch) {
            let error =
                self.refused("it was started again and has lost its place; resume the run at every party");
            drop(state);
            self.end(error.clone());
            return Err(error);
        }
        if let Err(error) = state.outbox.resume(hello.next) {
            drop(state);
            let error = self.accuse(error);
            self.end(error.clone());
            return Err(error);
        }
        state.epoch = Some(hello.epoch);
        state.heard = Some(Instant::now());
        drop(state);
        self.wake();
        Ok(true)
    }

    /// Checks the number and size of a message before its body is read.
    pub(super) fn expect(&self, kind: Kind, sequence: u64, length: usize) -> Result<(), LinkError> {
        let state = self.lock();
        let due = state.had.received;
        let what = if state.peer_is_done {
            "a message after its last one".into()
        } else if sequence < due {
            format!("message {sequence} twice")
        } else if sequence > due {
            format!("message {sequence} out of order, where {due} was due")
        } else if !matches!(kind, Kind::Abort | Kind::Bye)
            && (state.inbox.len() >= WINDOW_MESSAGES
                || state.inbox_bytes + length > window_bytes(self.party.names.len()))
        {
            "more than this party has room for".into()
        } else {
            return Ok(());
        };
        Err(LinkError::Violation(what))
    }

    /// Takes a message in.
    pub(super) fn arrive(&self, kind: Kind, body: Vec<u8>) {
        let mut state = self.lock();
        state.heard = Some(Instant::now());
        state.had.received += 1;
        state.peer_is_done = matches!(kind, Kind::Abort | Kind::Bye);
        if kind == Kind::Abort {
            let reason = String::from_utf8_lossy(&body[..body.len().min(MAX_REASON)]).into_owned();
            let peer = self.name().to_owned();
            state.end.get_or_insert(LinkError::Aborted { peer, reason });
            drop(state);
            return self.wake();
        }
        state.inbox_bytes += body.len();
        state.inbox.push_back(Message { kind, body });
        drop(state);
        self.arrived.notify_waiters();
        self.to_write.notify_one();
    }

    /// Takes an acknowledgement in; true once the peer has had this party's last message.
    pub(super) fn acknowledged(&self, ack: Ack) -> Result<bool, LinkError> {
        let mut state = self.lock();
        let now = Instant::now();
        state.heard = Some(now);
        if state.outbox.acknowledge(ack)? {
            state.progress = now;
        }
        let finished = state.outbox.is_closed() && state.outbox.unreceived() == 0;
        drop(state);
        self.room.notify_waiters();
        Ok(finished)
    }
}

/// Waits until `ready` gives something; asks again at each ring.
pub(super) async fn wait<T>(bell: &Notify, mut ready: impl FnMut() -> Option<T>) -> T {
    loop {
        let mut ring = pin!(bell.notified());
        ring.as_mut().enable();
        if let Some(value) = ready() {
            return value;
        }
        ring.await;
    }
}
