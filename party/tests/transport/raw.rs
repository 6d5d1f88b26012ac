//! A peer with a good certificate whose every byte a test writes.

use rustls::{
    AlertDescription, ClientConfig, RootCertStore, ServerConfig, ServerConnection,
    crypto::ring,
    pki_types::{CertificateDer, PrivateKeyDer, ServerName, pem::PemObject},
};
use std::{
    io::{self, Write},
    net::TcpListener,
    sync::Arc,
    time::Duration,
};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
};
use tokio_rustls::{TlsConnector, client::TlsStream};
use veilgrid_party::{
    config::TlsConfig,
    transport::{
        frame::{Frame, FrameKind, Header, Hello, parse},
        links::Kind,
    },
};

pub(crate) struct RawPeer(TlsStream<TcpStream>);

impl RawPeer {
    /// Dials a party of this name.
    pub(crate) async fn dial(address: &str, tls: TlsConfig, name: &str) -> Self {
        let mut roots = RootCertStore::empty();
        roots.add(CertificateDer::from_pem_slice(tls.authority.as_bytes()).unwrap()).unwrap();
        let config = ClientConfig::builder_with_provider(Arc::new(ring::default_provider()))
            .with_protocol_versions(&[&rustls::version::TLS13])
            .unwrap()
            .with_root_certificates(roots)
            .with_client_auth_cert(
                vec![CertificateDer::from_pem_slice(tls.certificate.as_bytes()).unwrap()],
                PrivateKeyDer::from_pem_slice(tls.key.as_bytes()).unwrap(),
            )
            .unwrap();
        let tcp = TcpStream::connect(address).await.unwrap();
        let name = ServerName::try_from(name.to_owned()).unwrap();
        Self(TlsConnector::from(Arc::new(config)).connect(name, tcp).await.unwrap())
    }

    /// Reads the other end's greeting.
    pub(crate) async fn hello(&mut self) -> Hello {
        let mut bytes = vec![0; 72];
        self.0.read_exact(&mut bytes).await.unwrap();
        match parse(&bytes).unwrap() {
            Some((Frame::Hello(hello), [])) => hello,
            _ => panic!("no hello"),
        }
    }

    pub(crate) async fn try_write(&mut self, bytes: &[u8]) -> io::Result<()> {
        self.0.write_all(bytes).await?;
        self.0.flush().await
    }

    pub(crate) async fn write(&mut self, bytes: &[u8]) {
        self.try_write(bytes).await.unwrap();
    }

    pub(crate) async fn try_message(&mut self, sequence: u64, kind: Kind, body: &[u8]) -> io::Result<()> {
        let header = Header { length: body.len(), kind: FrameKind::Message(kind), sequence };
        self.try_write(&[&header.encode(), body].concat()).await
    }

    pub(crate) async fn message(&mut self, sequence: u64, kind: Kind, body: &[u8]) {
        self.try_message(sequence, kind, body).await.unwrap();
    }

    /// All that the other end still says.
    pub(crate) async fn rest(&mut self) -> Vec<u8> {
        let mut bytes = Vec::new();
        // However the connection ends.
        let _ = self.0.read_to_end(&mut bytes).await;
        bytes
    }
}

/// Serves one handshake with the end of its flight held back until the caller has judged the certificate; the alert that
/// the caller answers with. Panics where the connection is reset before.
pub(crate) fn alert_after_a_late_end(listener: &TcpListener, tls: &TlsConfig) -> AlertDescription {
    let config = ServerConfig::builder_with_provider(Arc::new(ring::default_provider()))
        .with_protocol_versions(&[&rustls::version::TLS13])
        .unwrap()
        .with_no_client_auth()
        .with_single_cert(
            vec![CertificateDer::from_pem_slice(tls.certificate.as_bytes()).unwrap()],
            PrivateKeyDer::from_pem_slice(tls.key.as_bytes()).unwrap(),
        )
        .unwrap();
    let mut server = ServerConnection::new(Arc::new(config)).unwrap();
    let (mut tcp, _) = listener.accept().unwrap();
    while !server.wants_write() {
        server.read_tls(&mut tcp).unwrap();
        server.process_new_packets().unwrap();
    }
    let mut flight = Vec::new();
    while server.wants_write() {
        server.write_tls(&mut flight).unwrap();
    }
    // The last record is a short one: all before it holds the certificate and its signature.
    let (first, last) = flight.split_at(flight.len() - 1);
    tcp.write_all(first).unwrap();
    let pause = Duration::from_millis(100);
    std::thread::sleep(pause);
    tcp.write_all(last).unwrap();
    std::thread::sleep(pause);
    loop {
        assert_ne!(
            server.read_tls(&mut tcp).expect("the connection was reset"),
            0,
            "it ended without an alert"
        );
        match server.process_new_packets() {
            Ok(_) => {}
            Err(rustls::Error::AlertReceived(alert)) => return alert,
            Err(error) => panic!("{error}"),
        }
    }
}
