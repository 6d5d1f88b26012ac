//! All links of a party.

use super::{
    dial::{self, Door, Source},
    link::{Link, Party, wait},
    links::{Kind, LinkError, Links, Message},
    outbox::Body,
    tls::{Refusals, Tls},
};
use crate::{config::TlsConfig, receipt::hex::unhex};
use rustls::pki_types::ServerName;
use std::{
    net::SocketAddr,
    sync::Arc,
    time::{Duration, Instant},
};
use tokio::{
    net::TcpListener,
    sync::{Notify, mpsc},
    task::JoinSet,
    time::timeout,
};

/// Callers that may be in the TLS handshake at once, beside one for each peer.
const HALF_OPEN: usize = 16;
/// How long peers get to hear why a mesh gives up.
const FAREWELL: Duration = Duration::from_secs(2);

/// What a mesh is made of.
pub struct MeshConfig {
    /// The parties' names, by index.
    pub names: Vec<String>,
    /// The index of this party.
    pub me: usize,
    /// Names the run: 32 hexadecimal digits.
    pub run: String,
    /// Where parties listen (`host:port`), by index; this party's own is not looked at.
    pub addresses: Vec<String>,
    /// This party's certificate and whom it believes.
    pub tls: TlsConfig,
    /// How long a peer may be absent or silent.
    pub patience: Duration,
}

/// A bound socket: other parties may be told its address before anything connects.
pub struct Binding {
    listener: TcpListener,
    address: SocketAddr,
}

/// Links to all peers, kept up by tasks that end with it.
pub struct Mesh {
    party: Arc<Party>,
    links: Vec<Option<Arc<Link>>>,
    fingerprints: Vec<[u8; 32]>,
    refusals: Arc<Refusals>,
    _tasks: JoinSet<()>,
}

impl Mesh {
    /// Listens on an address; port 0 takes a free one.
    pub async fn bind(listen: SocketAddr) -> Result<Binding, LinkError> {
        let local = |e| LinkError::Local(format!("cannot listen on {listen}: {e}"));
        let listener = TcpListener::bind(listen).await.map_err(local)?;
        let address = listener.local_addr().map_err(local)?;
        Ok(Binding { listener, address })
    }

    /// SHA-256 of the certificate that a party shows, this one or a peer: the same for the whole life of the mesh.
    pub fn certificate_fingerprint(&self, party: usize) -> [u8; 32] {
        self.fingerprints[party]
    }

    /// How many callers were turned away.
    pub fn refused_callers(&self) -> u64 {
        self.refusals.lock().count
    }

    /// Waits until every peer has had every message, and tells them that nothing more comes. The first error is
    /// returned after all links have closed.
    pub async fn close(&self) -> Result<(), LinkError> {
        let mut closing = JoinSet::new();
        for link in self.links.iter().flatten().map(Arc::clone) {
            closing.spawn(async move { link.close().await });
        }
        closing.join_all().await.into_iter().collect()
    }

    /// Tells every peer that this party gives up, and why; waits at most two seconds until they have heard it.
    pub async fn abort(&self, reason: &str) {
        farewell(&self.links, reason).await;
    }

    fn link(&self, party: usize) -> Result<&Link, LinkError> {
        let link = self.links.get(party).and_then(Option::as_deref);
        link.ok_or_else(|| LinkError::Local(format!("there is no link to party {party}")))
    }
}

impl Links for Mesh {
    fn parties(&self) -> usize {
        self.links.len()
    }

    fn me(&self) -> usize {
        self.party.me
    }

    fn name(&self, party: usize) -> &str {
        &self.party.names[party]
    }

    async fn send(&self, to: usize, kind: Kind, body: Vec<u8>) -> Result<(), LinkError> {
        self.link(to)?.send(Body::new(kind, body)).await
    }

    async fn send_each(&self, to: &[usize], kind: Kind, body: Vec<u8>) -> Result<(), LinkError> {
        let body = Body::new(kind, body);
        for peer in to {
            self.link(*peer)?.send(Arc::clone(&body)).await?;
        }
        Ok(())
    }

    /// Also ends when any peer gives up: nobody can finish then, and `from` may have gone without a word to this party.
    async fn receive(&self, from: usize) -> Result<Message, LinkError> {
        let link = self.link(from)?;
        let given_up =
            wait(&self.party.news, || self.links.iter().flatten().find_map(|link| link.given_up()));
        tokio::select! {
            biased;
            received = link.receive() => received,
            error = given_up => Err(error),
        }
    }

    fn buffer(&self, length: usize) -> Vec<u8> {
        self.party.spares.take(length)
    }

    fn recycle(&self, body: Vec<u8>) {
        self.party.spares.give(body);
    }
}

async fn farewell(links: &[Option<Arc<Link>>], reason: &str) {
    let mut leaving = JoinSet::new();
    for link in links.iter().flatten() {
        let (link, reason) = (Arc::clone(link), reason.as_bytes().to_vec());
        leaving.spawn(async move {
            if matches!(link.standing(), Some(Ok(()))) {
                // Where the last word has been said already, the peer still needs time to hear it.
                let _ = link.send(Body::new(Kind::Abort, reason)).await;
                link.ended(FAREWELL).await;
            }
        });
    }
    leaving.join_all().await;
}

impl Binding {
    /// Where it listens.
    pub fn local_addr(&self) -> SocketAddr {
        self.address
    }

    /// Connects to every peer: this party dials those of lower index and is dialled by the others. Fails at the first
    /// peer that is not who it should be, or after the patience with the names of all that are absent.
    pub async fn connect(self, config: MeshConfig) -> Result<Mesh, LinkError> {
        let MeshConfig { names, me, run, addresses, tls, patience } = config;
        if me >= names.len() || addresses.len() != names.len() {
            return Err(LinkError::Local(format!(
                "{} names and {} addresses for party {me}",
                names.len(),
                addresses.len()
            )));
        }
        let run = unhex(run.as_bytes()).ok_or_else(|| {
            LinkError::Local(format!("run {run:?} is not 32 lower-case hexadecimal digits"))
        })?;
        let refusals = Arc::new(Refusals::default());
        let tls = Arc::new(Tls::new(&tls, names[me + 1..].to_vec(), Arc::clone(&refusals))?);
        let epoch = getrandom::u64()
            .map_err(|e| LinkError::Local(format!("the system gives no randomness: {e}")))?
            .max(1);
        let party =
            Arc::new(Party { names, me, run, epoch, patience, spares: Arc::default(), news: Notify::new() });

        let mut tasks = JoinSet::new();
        let (mut links, mut doors) = (Vec::new(), Vec::new());
        for (peer, address) in addresses.into_iter().enumerate() {
            if peer == me {
                links.push(None);
                continue;
            }
            let link = Arc::new(Link::new(Arc::clone(&party), peer));
            let source = if peer < me {
                let name = ServerName::try_from(link.name().to_owned())
                    .map_err(|_| LinkError::Local(format!("party name {} is no DNS name", link.name())))?;
                Source::Dial(address, name, Arc::clone(&tls))
            } else {
                let (sender, receiver) = mpsc::channel(1);
                doors.push(Door { link: Arc::clone(&link), streams: sender });
                Source::Accept(receiver, Arc::clone(&refusals))
            };
            tasks.spawn(dial::drive(Arc::clone(&link), source));
            links.push(Some(link));
        }
        let (listener, doors) = (self.listener, Arc::new(doors));
        let callers = (Arc::clone(&tls), Arc::clone(&refusals), party.step());
        tasks.spawn(async move {
            let (tls, refusals, limit) = callers;
            let mut open = JoinSet::new();
            loop {
                let Ok((tcp, _)) = listener.accept().await else {
                    // Too many open files, or the like: another try at once would only spin.
                    tokio::time::sleep(Duration::from_millis(20)).await;
                    continue;
                };
                while open.try_join_next().is_some() {}
                if open.len() >= HALF_OPEN + doors.len() {
                    refusals.stranger("too many callers at once".into());
                    continue;
                }
                open.spawn(dial::welcome(
                    tcp,
                    Arc::clone(&tls),
                    Arc::clone(&doors),
                    Arc::clone(&refusals),
                    limit,
                ));
            }
        });
        if let Err(error) = all_up(&party, &links, &refusals).await {
            farewell(&links, &error.to_string()).await;
            return Err(error);
        }
        let fingerprints = links
            .iter()
            .map(|link| match link {
                None => tls.fingerprint,
                Some(link) => link.lock().fingerprint.expect("a link that is up has seen a certificate"),
            })
            .collect();
        Ok(Mesh { party, links, fingerprints, refusals, _tasks: tasks })
    }
}

async fn all_up(party: &Party, links: &[Option<Arc<Link>>], refusals: &Refusals) -> Result<(), LinkError> {
    let start = Instant::now();
    let all = wait(&party.news, || {
        let mut up = true;
        for link in links.iter().flatten() {
            match link.standing() {
                Some(Err(error)) => return Some(Err(error)),
                Some(Ok(())) => {}
                None => up = false,
            }
        }
        up.then_some(Ok(()))
    });
    let outcome = timeout(party.patience, all).await;
    let absent: Vec<&Link> =
        links.iter().flatten().map(Arc::as_ref).filter(|link| link.standing().is_none()).collect();
    match outcome {
        // Whom this party turned away, the others only miss: its own word says more than theirs.
        Ok(Err(LinkError::Aborted { .. }))
            if absent.iter().any(|link| refusals.lock().parties.contains_key(link.name())) => {}
        Ok(result) => return result,
        Err(_) => {}
    }
    Err(absence(&absent, refusals, start.elapsed()))
}

/// Names every peer that is absent, with what is known of it.
fn absence(absent: &[&Link], refusals: &Refusals, waited: Duration) -> LinkError {
    let noted = refusals.lock();
    let mut refused = false;
    let reasons: Vec<String> = absent
        .iter()
        .map(|link| {
            let state = link.lock();
            let reason = match (noted.parties.get(link.name()), &state.trouble) {
                (Some(reason), _) => {
                    refused = true;
                    format!("it called and was turned away: {reason}")
                }
                (None, Some(trouble)) => {
                    format!("no connection in {:.1} s and {} tries: {trouble}", waited.as_secs_f64(), state.tries)
                }
                (None, None) => match &noted.stranger {
                    Some(stranger) => {
                        refused = true;
                        format!(
                            "it did not call in {:.1} s; {} callers were turned away, the last from {stranger}",
                            waited.as_secs_f64(),
                            noted.count
                        )
                    }
                    None => format!("it did not call in {:.1} s", waited.as_secs_f64()),
                },
            };
            if absent.len() == 1 { reason } else { format!("{}: {reason}", link.name()) }
        })
        .collect();
    let peer = absent.iter().map(|link| link.name()).collect::<Vec<_>>().join(", ");
    let reason = reasons.join("; ");
    if refused { LinkError::Refused { peer, reason } } else { LinkError::Unreachable { peer, reason } }
}
