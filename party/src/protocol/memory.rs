//! Links among parties of one process, with everything they say written down: for tests and benches.

use crate::transport::links::{Kind, LinkError, Links, MAX_BODY, Message};
use std::sync::{Arc, Mutex};
use tokio::sync::{Mutex as AsyncMutex, mpsc};

/// Messages that wait in one direction before a sender waits too.
const QUEUE: usize = 4;

/// What was sent from one party to another.
#[derive(Clone, PartialEq, Eq)]
pub struct Sent {
    /// The sender.
    pub from: usize,
    /// The receiver.
    pub to: usize,
    /// What the receiver gets.
    pub message: Message,
}

/// Turns a message of (from, to, place among that pair's messages) into those that arrive.
pub type Tamper = Arc<dyn Fn(usize, usize, usize, Message) -> Vec<Message> + Send + Sync>;

/// One party's end.
pub struct MemoryLinks {
    me: usize,
    names: Arc<Vec<String>>,
    outgoing: Vec<mpsc::Sender<Message>>,
    incoming: Vec<AsyncMutex<mpsc::Receiver<Message>>>,
    sent: Vec<AsyncMutex<usize>>,
    transcript: Arc<Mutex<Vec<Sent>>>,
    tamper: Option<Tamper>,
}

/// A network of parties with these names, and the transcript of all that arrives.
pub fn network(names: &[&str], tamper: Option<Tamper>) -> (Vec<MemoryLinks>, Arc<Mutex<Vec<Sent>>>) {
    let parties = names.len();
    let names = Arc::new(names.iter().map(ToString::to_string).collect::<Vec<_>>());
    let transcript = Arc::new(Mutex::new(Vec::new()));
    let mut links: Vec<MemoryLinks> = (0..parties)
        .map(|me| MemoryLinks {
            me,
            names: names.clone(),
            outgoing: Vec::new(),
            incoming: Vec::new(),
            sent: (0..parties).map(|_| AsyncMutex::new(0)).collect(),
            transcript: transcript.clone(),
            tamper: tamper.clone(),
        })
        .collect();
    // One queue for each ordered pair; `incoming` of a receiver fills by rising sender.
    for from in 0..parties {
        for to in 0..parties {
            let (sender, receiver) = mpsc::channel(QUEUE);
            links[from].outgoing.push(sender);
            links[to].incoming.push(AsyncMutex::new(receiver));
        }
    }
    (links, transcript)
}

impl MemoryLinks {
    fn gone(&self, peer: usize) -> LinkError {
        LinkError::Unreachable { peer: self.names[peer].clone(), reason: "it has ended".into() }
    }
}

impl Links for MemoryLinks {
    fn parties(&self) -> usize {
        self.names.len()
    }

    fn me(&self) -> usize {
        self.me
    }

    fn name(&self, party: usize) -> &str {
        &self.names[party]
    }

    async fn send(&self, to: usize, kind: Kind, body: Vec<u8>) -> Result<(), LinkError> {
        assert!(body.len() <= MAX_BODY && to != self.me);
        let mut place = self.sent[to].lock().await;
        let message = Message { kind, body };
        let arriving = match &self.tamper {
            Some(tamper) => tamper(self.me, to, *place, message),
            None => vec![message],
        };
        *place += 1;
        for message in arriving {
            let sent = Sent { from: self.me, to, message: message.clone() };
            self.transcript.lock().unwrap_or_else(|poison| poison.into_inner()).push(sent);
            // As on a network, what is sent to a peer that has ended is lost; that it has ended shows when one listens.
            let _ = self.outgoing[to].send(message).await;
        }
        Ok(())
    }

    async fn receive(&self, from: usize) -> Result<Message, LinkError> {
        let message = self.incoming[from].lock().await.recv().await.ok_or_else(|| self.gone(from))?;
        if message.kind == Kind::Abort {
            let reason = String::from_utf8_lossy(&message.body).into_owned();
            return Err(LinkError::Aborted { peer: self.names[from].clone(), reason });
        }
        Ok(message)
    }
}
