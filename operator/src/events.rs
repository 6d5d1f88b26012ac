//! Events on objects, published beside the looks that they come from: none waits for one. Every status says the same, so that a lost event
//! is no loss.

use crate::writes;
use futures::{StreamExt, stream};
use k8s_openapi::api::core::v1::ObjectReference;
use kube::{
    Client,
    runtime::events::{Event, Recorder, Reporter},
};
use tokio::sync::mpsc::{Receiver, Sender, channel};

/// Events that wait to be published. What comes when there are as many is lost.
const MOST: usize = 1000;
/// Events that are published together.
const TOGETHER: usize = 4;

/// What happened to an object.
struct Said {
    event: Event,
    object: ObjectReference,
    /// Such events come again, and are then counted.
    again: bool,
}

/// Takes events.
#[derive(Clone)]
pub struct Events(Sender<Said>);

/// Publishes them.
pub struct Publisher {
    client: Client,
    said: Receiver<Said>,
}

/// What takes events, and what publishes them.
pub fn events(client: Client) -> (Events, Publisher) {
    let (sender, said) = channel(MOST);
    (Events(sender), Publisher { client, said })
}

impl Events {
    /// Takes an event on an object; `again` says that such events come again. It counts as a write of who takes a look.
    pub fn tell(&self, event: Event, object: ObjectReference, again: bool) {
        match self.0.try_send(Said { event, object, again }) {
            Ok(()) => writes::asked_for(),
            Err(error) => tracing::warn!(%error, "an event is lost"),
        }
    }
}

impl Publisher {
    /// Publishes what is told, for as long as it is polled.
    pub async fn publish(self) {
        let Self { client, said } = self;
        let remembers = recorder(client.clone());
        stream::unfold(said, |mut said| async { said.recv().await.map(|next| (next, said)) })
            .for_each_concurrent(TOGETHER, |Said { event, object, again }| {
                // A recorder remembers events to count those that come again.
                let recorder = if again { remembers.clone() } else { recorder(client.clone()) };
                async move {
                    if let Err(error) = recorder.publish(&event, &object).await {
                        tracing::warn!(%error, "an event is lost");
                    }
                }
            })
            .await;
    }
}

fn recorder(client: Client) -> Recorder {
    Recorder::new(client, Reporter { controller: "veilgrid-operator".into(), instance: None })
}
