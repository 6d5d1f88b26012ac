//! Makes and remakes a link's connections.

use super::{
    connection::{self, Ended, Greeted, READ_BUFFER, Stream, WRITE_BUFFER},
    link::Link,
    links::LinkError,
    tls::{self, NOTED, Refusals, Tls},
};
use rustls::pki_types::ServerName;
use std::{cell::Cell, sync::Arc, time::Duration};
use tokio::{io::BufReader, net::TcpStream, sync::mpsc, time::timeout};
use tokio_rustls::{TlsAcceptor, TlsConnector, TlsStream};

const FIRST_PAUSE: Duration = Duration::from_millis(20);
const LONGEST_PAUSE: Duration = Duration::from_secs(2);

/// Where a link's connections come from: the party of the higher index dials, the other accepts.
pub(super) enum Source {
    /// The peer's address and name.
    Dial(String, ServerName<'static>, Arc<Tls>),
    /// From those who accept, with the place to note what they did wrong.
    Accept(mpsc::Receiver<Stream>, Arc<Refusals>),
}

/// Keeps a link connected until it ends.
pub(super) async fn drive(link: Arc<Link>, source: Source) {
    let end = tokio::select! {
        end = async { match source {
            Source::Dial(address, name, tls) => dialling(&link, &address, &name, &tls).await,
            Source::Accept(streams, refusals) => accepting(&link, streams, &refusals).await,
        } } => end,
        error = link.watch() => Err(error),
    };
    if let Err(error) = end {
        link.end(error);
    }
    link.over();
}

async fn dialling(
    link: &Link,
    address: &str,
    name: &ServerName<'static>,
    tls: &Arc<Tls>,
) -> Result<(), LinkError> {
    let mut pause = FIRST_PAUSE;
    loop {
        let trouble = match timeout(link.party.step(), dial(link, address, name, tls)).await {
            Err(_) => "making a connection took too long".into(),
            Ok(Err(Trouble::Broken(trouble))) => trouble,
            Ok(Err(Trouble::Refused(error))) => return Err(error),
            Ok(Ok(mut stream)) => match connection::greet(link, &mut stream, false).await {
                Greeted::Refused(error) => return Err(error),
                Greeted::Broken(trouble) => trouble,
                Greeted::Up => {
                    let before = link.lock().had.received;
                    match connection::run(link, stream).await {
                        Ended::Finished | Ended::Left => return Ok(()),
                        Ended::Wrong(error) => return Err(error),
                        Ended::Broken(trouble) => {
                            if link.lock().had.received > before {
                                pause = FIRST_PAUSE;
                            }
                            trouble
                        }
                    }
                }
            },
        };
        link.trouble(format!("{address}: {trouble}"));
        tokio::time::sleep(jittered(pause)).await;
        pause = (pause * 2).min(LONGEST_PAUSE).min(link.party.patience / 8).max(FIRST_PAUSE);
    }
}

/// Between half of a pause and one and a half, so that parties do not dial in step.
fn jittered(pause: Duration) -> Duration {
    let random = getrandom::u32().unwrap_or(u32::MAX / 2);
    pause.mul_f64(0.5 + f64::from(random) / f64::from(u32::MAX))
}

enum Trouble {
    Broken(String),
    Refused(LinkError),
}

async fn dial(
    link: &Link,
    address: &str,
    name: &ServerName<'static>,
    tls: &Arc<Tls>,
) -> Result<Stream, Trouble> {
    let tcp = TcpStream::connect(address).await.map_err(|e| Trouble::Broken(e.to_string()))?;
    let connector = TlsConnector::from(Arc::clone(&tls.client));
    let stream = connector
        .connect_with(name.clone(), under(tcp), |c| c.set_buffer_limit(Some(WRITE_BUFFER)))
        .await
        .map_err(|error| match tls::refusal(&error) {
            Some(reason) => Trouble::Refused(link.refused(reason)),
            None => Trouble::Broken(format!("the TLS handshake failed: {error}")),
        })?;
    let stream = TlsStream::from(stream);
    match speaks_for(&stream) {
        Some((name, fingerprint)) if name == link.name() => {
            same_certificate(link, fingerprint).map_err(Trouble::Refused)?;
        }
        _ => {
            let reason = "its certificate does not have its name as the only one";
            return Err(Trouble::Refused(link.refused(reason)));
        }
    }
    Ok(stream)
}

/// A socket as it stands under TLS.
fn under(tcp: TcpStream) -> BufReader<TcpStream> {
    // Without it small frames wait for the acknowledgement of earlier ones; the socket works all the same.
    let _ = tcp.set_nodelay(true);
    BufReader::with_capacity(READ_BUFFER, tcp)
}

/// The name and the fingerprint of the other end's certificate.
fn speaks_for(stream: &Stream) -> Option<(String, [u8; 32])> {
    let certificate = stream.get_ref().1.peer_certificates()?.first()?;
    Some((tls::name_of(certificate)?, tls::fingerprint(certificate)))
}

/// A peer keeps its certificate for as long as the link lives: signatures of the handshake are bound to it.
fn same_certificate(link: &Link, fingerprint: [u8; 32]) -> Result<(), LinkError> {
    if *link.lock().fingerprint.get_or_insert(fingerprint) == fingerprint {
        return Ok(());
    }
    Err(link.refused("it came back with another certificate"))
}

async fn accepting(
    link: &Link,
    mut streams: mpsc::Receiver<Stream>,
    refusals: &Refusals,
) -> Result<(), LinkError> {
    let mut newest = None;
    loop {
        let stream = match newest.take() {
            Some(stream) => Some(stream),
            None => streams.recv().await,
        };
        // Without a sender the mesh is gone.
        let Some(mut stream) = stream else { return Ok(()) };
        match connection::greet(link, &mut stream, true).await {
            // Ends the link if it is about the link; otherwise a later caller may do better.
            Greeted::Refused(error) => match link.standing() {
                Some(Err(end)) => return Err(end),
                _ => refusals.party(link.name(), reason_of(error)),
            },
            Greeted::Broken(trouble) => link.trouble(trouble),
            Greeted::Up => tokio::select! {
                ended = connection::run(link, stream) => match ended {
                    Ended::Finished | Ended::Left => return Ok(()),
                    Ended::Wrong(error) => return Err(error),
                    Ended::Broken(trouble) => link.trouble(trouble),
                },
                // The peer dials again only when it has given up the connection before.
                stream = streams.recv() => newest = stream,
            },
        }
    }
}

fn reason_of(error: LinkError) -> String {
    match error {
        LinkError::Refused { reason, .. } => reason,
        other => other.to_string(),
    }
}

/// Where the connections of a peer that dials are handed in.
pub(super) struct Door {
    pub(super) link: Arc<Link>,
    pub(super) streams: mpsc::Sender<Stream>,
}

/// Takes one caller through the TLS handshake and hands it to the link that it speaks for.
pub(super) async fn welcome(
    tcp: TcpStream,
    tls: Arc<Tls>,
    doors: Arc<Vec<Door>>,
    refusals: Arc<Refusals>,
    limit: Duration,
) {
    let from = tcp.peer_addr().map_or_else(|_| "an unknown address".into(), |address| address.to_string());
    let acceptor = TlsAcceptor::from(tls.server.clone());
    let handshake = acceptor.accept_with(under(tcp), |c| c.set_buffer_limit(Some(WRITE_BUFFER)));
    let handshake = async { handshake.await.map_err(|error| (error, NOTED.with(Cell::get))) };
    let stream = match timeout(limit, NOTED.scope(Cell::new(false), handshake)).await {
        Err(_) => return refusals.broken(format!("{from}: the TLS handshake took too long")),
        Ok(Err((error, noted))) => {
            return match tls::refusal(&error) {
                _ if noted => {}
                Some(reason) => refusals.stranger(format!("{from}: {reason}")),
                None => refusals.broken(format!("{from}: the TLS handshake failed: {error}")),
            };
        }
        Ok(Ok(stream)) => TlsStream::from(stream),
    };
    let door = speaks_for(&stream).and_then(|(name, fingerprint)| {
        let door = doors.iter().find(|door| door.link.name() == name)?;
        Some((door, fingerprint))
    });
    let Some((Door { link, streams }, fingerprint)) = door else {
        return refusals.stranger(format!("{from}: its certificate names no party that may call here"));
    };
    if let Err(error) = same_certificate(link, fingerprint) {
        return refusals.party(link.name(), reason_of(error));
    }
    // A closed door belongs to a link that has ended.
    let _ = timeout(limit, streams.send(stream)).await;
}
