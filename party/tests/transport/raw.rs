//! A peer with a good certificate whose every byte a test writes.

use rustls::{
    ClientConfig, RootCertStore,
    crypto::ring,
    pki_types::{CertificateDer, PrivateKeyDer, ServerName, pem::PemObject},
};
use std::{io, sync::Arc};
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
