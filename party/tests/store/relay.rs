//! What may lie between a party and a store: a connection that breaks, a server that is slow, silent or overloaded, TLS.

use std::{
    net::SocketAddr,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};
use tokio::{
    io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt, copy},
    net::{TcpListener, TcpStream},
    time::sleep,
};
use tokio_rustls::TlsAcceptor;

/// What happens to a connection.
#[derive(Clone, Default)]
pub(crate) struct Trouble {
    /// It is cut after so many bytes of answers.
    pub(crate) cut_after: Option<u64>,
    /// Nothing comes any more after so many bytes of answers.
    pub(crate) silent_after: Option<u64>,
    /// Each part of an answer comes so late.
    pub(crate) delay: Duration,
    /// So many connections are answered 503.
    pub(crate) overloaded: u64,
    /// The server side of TLS.
    pub(crate) tls: Option<TlsAcceptor>,
}

/// Stands before a server.
pub(crate) struct Relay {
    pub(crate) address: SocketAddr,
    answered: Arc<AtomicU64>,
    connections: Arc<AtomicU64>,
}

impl Relay {
    pub(crate) async fn start(target: SocketAddr, trouble: Trouble) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let (answered, connections) = (Arc::new(AtomicU64::new(0)), Arc::new(AtomicU64::new(0)));
        let (bytes, count) = (answered.clone(), connections.clone());
        tokio::spawn(async move {
            while let Ok((client, _)) = listener.accept().await {
                let before = count.fetch_add(1, Ordering::SeqCst);
                let (trouble, bytes) = (trouble.clone(), bytes.clone());
                tokio::spawn(async move {
                    match &trouble.tls {
                        Some(tls) => {
                            if let Ok(client) = tls.accept(client).await {
                                carry(client, target, &trouble, before, &bytes).await;
                            }
                        }
                        None => carry(client, target, &trouble, before, &bytes).await,
                    }
                });
            }
        });
        Self { address, answered, connections }
    }

    /// Bytes of answers so far.
    pub(crate) fn answered(&self) -> u64 {
        self.answered.load(Ordering::SeqCst)
    }

    /// Connections so far.
    pub(crate) fn connections(&self) -> u64 {
        self.connections.load(Ordering::SeqCst)
    }
}

/// `before`: how many connections came earlier.
async fn carry(
    client: impl AsyncRead + AsyncWrite,
    target: SocketAddr,
    trouble: &Trouble,
    before: u64,
    answered: &AtomicU64,
) {
    let (mut asks, mut answers) = tokio::io::split(client);
    let mut buffer = vec![0; 1 << 16];
    if before < trouble.overloaded {
        let _ = asks.read(&mut buffer).await;
        let busy = "HTTP/1.1 503 Slow Down\r\ncontent-length: 0\r\nconnection: close\r\n\r\n";
        let _ = answers.write_all(busy.as_bytes()).await;
        let _ = answers.shutdown().await;
        return;
    }
    let Ok(server) = TcpStream::connect(target).await else { return };
    let (mut answer, mut ask) = server.into_split();
    let there = async { copy(&mut asks, &mut ask).await.map(drop) };
    let back = async {
        let mut carried = 0;
        loop {
            let mut count = answer.read(&mut buffer).await?;
            if count == 0 {
                return answers.shutdown().await;
            }
            sleep(trouble.delay).await;
            let cut = trouble.cut_after.map_or(u64::MAX, |most| most.saturating_sub(carried));
            let silent = trouble.silent_after.map_or(u64::MAX, |most| most.saturating_sub(carried));
            count = count.min(cut.min(silent) as usize);
            answers.write_all(&buffer[..count]).await?;
            answers.flush().await?;
            carried += count as u64;
            answered.fetch_add(count as u64, Ordering::SeqCst);
            if trouble.silent_after.is_some_and(|most| carried >= most) {
                std::future::pending::<()>().await;
            }
            if trouble.cut_after.is_some_and(|most| carried >= most) {
                return Ok(());
            }
        }
    };
    // When one way ends, so does the connection.
    tokio::select! { _ = there => {}, _ = back => {} }
}
