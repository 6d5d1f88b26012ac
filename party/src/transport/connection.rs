//! Frames over one TLS connection, both ways at once.

use super::{
    frame::{Ack, FrameKind, HEADER, Header, Hello},
    link::Link,
    links::{Kind, LinkError},
    outbox::Body,
};
use std::{
    io::{self, IoSlice},
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};
use tokio::{
    io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt, BufReader, ReadHalf, WriteHalf},
    net::TcpStream,
    time::timeout,
};
use tokio_rustls::TlsStream;

/// rustls reads a socket in pieces of 4 KiB; a buffer under it makes them large.
pub(super) type Stream = TlsStream<BufReader<TcpStream>>;
/// The size of that buffer.
pub(super) const READ_BUFFER: usize = 256 << 10;
/// The most ciphertext that waits for the socket.
pub(super) const WRITE_BUFFER: usize = 256 << 10;
/// Bodies up to this size are copied together, so that many small messages leave in one piece.
const SMALL: usize = 16 << 10;
/// How long the last words on a connection may take.
const LAST_WORDS: Duration = Duration::from_secs(1);

/// How a connection ended.
pub(super) enum Ended {
    /// It broke; the link goes on over another.
    Broken(String),
    /// The peer has had this party's last message.
    Finished,
    /// The peer closed it after its own last message.
    Left,
    /// The peer broke a rule.
    Wrong(LinkError),
}

/// What happened to a greeting.
pub(super) enum Greeted {
    /// Frames may flow.
    Up,
    /// It did not come through.
    Broken(String),
    /// It was not acceptable.
    Refused(LinkError),
}

/// Exchanges greetings. The end that accepted the connection speaks first: it has then believed the other's
/// certificate, and an alert that says it has not is never lost behind bytes that nobody read.
pub(super) async fn greet(link: &Link, stream: &mut Stream, speak_first: bool) -> Greeted {
    let exchange = async {
        let ours = link.hello().encode();
        if speak_first {
            stream.write_all(&ours).await?;
            stream.flush().await?;
        }
        let mut header = [0; HEADER];
        stream.read_exact(&mut header).await?;
        let header = match Header::parse(&header) {
            Ok(header) if header.kind == FrameKind::Hello => header,
            Ok(_) => return Ok(Err(LinkError::Violation("something other than a hello first".into()))),
            Err(error) => return Ok(Err(error)),
        };
        let mut body = vec![0; header.length];
        stream.read_exact(&mut body).await?;
        if !speak_first {
            stream.write_all(&ours).await?;
            stream.flush().await?;
        }
        Ok::<_, io::Error>(Hello::parse(&header, &body))
    };
    let hello = match timeout(link.party.step(), exchange).await {
        Err(_) => return Greeted::Broken("it did not greet in time".into()),
        Ok(Err(error)) => {
            return match super::tls::refusal(&error) {
                Some(reason) => Greeted::Refused(link.refused(reason)),
                None => Greeted::Broken(format!("the greeting failed: {error}")),
            };
        }
        Ok(Ok(hello)) => hello,
    };
    match hello.and_then(|hello| link.greet(&hello)) {
        Ok(true) => Greeted::Up,
        Ok(false) => Greeted::Broken("it speaks to an earlier process of this party".into()),
        Err(error) => Greeted::Refused(link.accuse(error)),
    }
}

/// Moves frames until the connection ends.
pub(super) async fn run(link: &Link, stream: Stream) -> Ended {
    let (mut reader, mut writer) = tokio::io::split(stream);
    // False while a frame is half written.
    let whole = AtomicBool::new(true);
    let ended = tokio::select! {
        ended = read(link, &mut reader) => ended,
        error = write(link, &mut writer, &whole) => Ended::Broken(format!("writing failed: {error}")),
    };
    if whole.load(Ordering::Relaxed) && !matches!(ended, Ended::Broken(_)) {
        let _ = timeout(LAST_WORDS, last_words(link, &mut writer, &ended)).await;
    }
    match ended {
        // A peer that has said its last message closes when it likes; what still comes for it makes the system break the
        // connection rather than end it.
        Ended::Broken(_) if link.lock().peer_is_done => Ended::Left,
        ended => ended,
    }
}

/// Acknowledges the last message, or says what was wrong, and closes the connection in order.
async fn last_words(link: &Link, writer: &mut WriteHalf<Stream>, ended: &Ended) -> io::Result<()> {
    let had = link.lock().had;
    writer.write_all(&had.encode()).await?;
    if let Ended::Wrong(error) = ended {
        let body = error.to_string().into_bytes();
        let kind = FrameKind::Message(Kind::Abort);
        let sequence = link.lock().outbox.next_to_write();
        writer.write_all(&Header { length: body.len(), kind, sequence }.encode()).await?;
        writer.write_all(&body).await?;
    }
    writer.shutdown().await
}

async fn read(link: &Link, reader: &mut ReadHalf<Stream>) -> Ended {
    // Half of the patience is for this connection, the other half for another try.
    let idle = link.party.patience / 2;
    loop {
        match timeout(idle, read_frame(link, reader)).await {
            Ok(Ok(None)) => {}
            Ok(Ok(Some(ended))) => return ended,
            Ok(Err(error)) => return Ended::Broken(format!("reading failed: {error}")),
            Err(_) => return Ended::Broken(format!("it was silent for {:.1} s", idle.as_secs_f64())),
        }
    }
}

/// Reads one frame; `Some` where it is the last.
async fn read_frame(link: &Link, reader: &mut (impl AsyncRead + Unpin)) -> io::Result<Option<Ended>> {
    let mut header = [0; HEADER];
    let first = reader.read(&mut header).await?;
    if first == 0 {
        return Ok(Some(if link.lock().peer_is_done {
            Ended::Left
        } else {
            Ended::Broken("it closed the connection".into())
        }));
    }
    reader.read_exact(&mut header[first..]).await?;
    let header = match Header::parse(&header) {
        Ok(header) => header,
        Err(error) => return Ok(Some(wrong(link, error))),
    };
    match header.kind {
        FrameKind::Hello => Ok(Some(wrong(link, LinkError::Violation("a second hello".into())))),
        FrameKind::Ack => {
            let mut body = [0; 8];
            reader.read_exact(&mut body).await?;
            Ok(match Ack::parse(&header, &body).and_then(|ack| link.acknowledged(ack)) {
                Ok(true) => Some(Ended::Finished),
                Ok(false) => None,
                Err(error) => Some(wrong(link, error)),
            })
        }
        FrameKind::Message(kind) => {
            if let Err(error) = link.expect(kind, header.sequence, header.length) {
                return Ok(Some(wrong(link, error)));
            }
            let mut body = link.party.spares.take(header.length);
            while body.len() < header.length {
                let left = (header.length - body.len()) as u64;
                if (&mut *reader).take(left).read_buf(&mut body).await? == 0 {
                    return Err(io::ErrorKind::UnexpectedEof.into());
                }
            }
            link.arrive(kind, body);
            Ok((kind == Kind::Abort).then_some(Ended::Finished))
        }
    }
}

fn wrong(link: &Link, error: LinkError) -> Ended {
    Ended::Wrong(link.accuse(error))
}

async fn write(link: &Link, writer: &mut WriteHalf<Stream>, whole: &AtomicBool) -> io::Error {
    // Several signs of life within the time that the other end waits for one; its patience may be the shorter.
    let keep_alive = (link.party.patience / 8).min(Duration::from_secs(1));
    let mut staged = Vec::with_capacity(2 * SMALL);
    let mut told: Option<Ack> = None;
    let mut alive = false;
    loop {
        staged.clear();
        let large = stage(link, &mut staged, &mut told, alive);
        link.room.notify_waiters();
        alive = false;
        if staged.is_empty() {
            if let Err(error) = writer.flush().await {
                return error;
            }
            alive = timeout(keep_alive, link.to_write.notified()).await.is_err();
            continue;
        }
        whole.store(false, Ordering::Relaxed);
        if let Err(error) = write_both(writer, &staged, large.as_ref().map_or(&[], |body| &body.bytes)).await
        {
            return error;
        }
        whole.store(true, Ordering::Relaxed);
    }
}

/// Gathers what is to be written: an acknowledgement where there is news (or a sign of life is due), then small
/// messages, or the header of a large one whose body is returned.
fn stage(link: &Link, staged: &mut Vec<u8>, told: &mut Option<Ack>, alive: bool) -> Option<Arc<Body>> {
    let mut state = link.lock();
    if alive || *told != Some(state.had) {
        staged.extend(state.had.encode());
        *told = Some(state.had);
    }
    while staged.len() < SMALL {
        let (header, body) = state.outbox.write_next()?;
        staged.extend(header);
        if body.bytes.len() > SMALL {
            return Some(body);
        }
        staged.extend(&body.bytes);
    }
    None
}

async fn write_both(writer: &mut (impl AsyncWrite + Unpin), first: &[u8], second: &[u8]) -> io::Result<()> {
    let mut done = 0;
    while done < first.len() {
        let pieces = [IoSlice::new(&first[done..]), IoSlice::new(second)];
        match writer.write_vectored(&pieces).await? {
            0 => return Err(io::ErrorKind::WriteZero.into()),
            count => done += count,
        }
    }
    writer.write_all(&second[done - first.len()..]).await
}
