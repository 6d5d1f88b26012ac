//! Measures one link on loopback against the same bytes over one bare TLS connection, in turns.
//!
//! `cargo run --release -p veilgrid-party --example link_speed -- 512` moves 512 MiB each time.
#![allow(clippy::print_stdout)]

#[path = "../tests/common/certificates.rs"]
mod certificates;

use rustls::{
    ClientConfig, RootCertStore, ServerConfig,
    crypto::ring,
    pki_types::{CertificateDer, PrivateKeyDer, ServerName, pem::PemObject},
    server::WebPkiClientVerifier,
};
use std::{
    sync::Arc,
    time::{Duration, Instant},
};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpListener, TcpStream},
};
use tokio_rustls::{TlsAcceptor, TlsConnector};
use veilgrid_party::{
    config::TlsConfig,
    transport::{
        Mesh, MeshConfig,
        links::{Kind, Links, MAX_BODY},
    },
};

#[tokio::main(flavor = "multi_thread")]
async fn main() {
    let mebibytes = std::env::args().nth(1).map_or(512, |text| text.parse().expect("a number of MiB"));
    let authority = certificates::Authority::new();
    let names = vec!["a".to_owned(), "b".to_owned()];
    let certificate = |party: usize| authority.issue(&names[party], |_| {});
    let any = "127.0.0.1:0".parse().expect("an address");
    let bindings = [Mesh::bind(any).await.expect("a port"), Mesh::bind(any).await.expect("a port")];
    let addresses: Vec<String> = bindings.iter().map(|b| b.local_addr().to_string()).collect();
    let [a, b] = bindings;
    let config = |me: usize| MeshConfig {
        names: names.clone(),
        me,
        run: "00".repeat(16),
        addresses: addresses.clone(),
        tls: certificate(me),
        patience: Duration::from_secs(10),
    };
    let (a, b) = tokio::try_join!(a.connect(config(0)), b.connect(config(1))).expect("a link");
    let (a, b) = (Arc::new(a), Arc::new(b));
    for _ in 0..5 {
        let bare = bare(mebibytes, certificate(0), certificate(1)).await;
        let one = timed(mebibytes, async { tokio::join!(send(&a, mebibytes), receive(&b, mebibytes)) }).await;
        let both = timed(2 * mebibytes, async {
            let flow = |mesh: Arc<Mesh>| async move {
                tokio::join!(send(&mesh, mebibytes), receive(&mesh, mebibytes));
            };
            let (a, b) = (tokio::spawn(flow(Arc::clone(&a))), tokio::spawn(flow(Arc::clone(&b))));
            a.await.and(b.await).expect("a flow");
        });
        let both = both.await;
        println!("MB/s: bare TLS {bare}, link one way {one}, both ways {both}");
    }
}

/// Megabytes a second of the clock, and of the CPU (both ends together): the latter holds on a busy machine too.
struct Speed {
    clock: f64,
    cpu: f64,
}

impl std::fmt::Display for Speed {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{:.0} ({:.0} a CPU second)", self.clock, self.cpu)
    }
}

async fn timed<T>(mebibytes: usize, work: impl Future<Output = T>) -> Speed {
    let (start, cpu) = (Instant::now(), cpu_seconds());
    work.await;
    let megabytes = (mebibytes * MAX_BODY) as f64 / 1e6;
    Speed { clock: megabytes / start.elapsed().as_secs_f64(), cpu: megabytes / (cpu_seconds() - cpu) }
}

/// What this process has used so far, in steps of 10 ms; the 14th and 15th field of its `stat`.
fn cpu_seconds() -> f64 {
    let stat = std::fs::read_to_string("/proc/self/stat").unwrap_or_default();
    let fields = stat.rsplit(')').next().unwrap_or_default().split_whitespace();
    fields.skip(11).take(2).filter_map(|ticks| ticks.parse::<f64>().ok()).sum::<f64>() / 100.0
}

async fn send(mesh: &Mesh, mebibytes: usize) {
    for _ in 0..mebibytes {
        mesh.send(1 - mesh.me(), Kind::Opened, vec![7; MAX_BODY]).await.expect("room");
    }
}

async fn receive(mesh: &Mesh, mebibytes: usize) {
    for _ in 0..mebibytes {
        assert_eq!(mesh.receive(1 - mesh.me()).await.expect("a message").body.len(), MAX_BODY);
    }
}

/// One way over a TLS connection of the library's own settings.
async fn bare(mebibytes: usize, server: TlsConfig, client: TlsConfig) -> Speed {
    let provider = Arc::new(ring::default_provider());
    let parts = |tls: &TlsConfig| {
        let chain = vec![CertificateDer::from_pem_slice(tls.certificate.as_bytes()).expect("a certificate")];
        (chain, PrivateKeyDer::from_pem_slice(tls.key.as_bytes()).expect("a key"))
    };
    let mut roots = RootCertStore::empty();
    let authority = CertificateDer::from_pem_slice(client.authority.as_bytes()).expect("an authority");
    roots.add(authority).expect("an authority");
    let roots = Arc::new(roots);
    let verifier = WebPkiClientVerifier::builder_with_provider(Arc::clone(&roots), Arc::clone(&provider));
    let (chain, key) = parts(&server);
    let server = ServerConfig::builder_with_provider(Arc::clone(&provider))
        .with_protocol_versions(&[&rustls::version::TLS13])
        .expect("TLS 1.3")
        .with_client_cert_verifier(verifier.build().expect("a verifier"))
        .with_single_cert(chain, key)
        .expect("a key that fits");
    let (chain, key) = parts(&client);
    let client = ClientConfig::builder_with_provider(provider)
        .with_protocol_versions(&[&rustls::version::TLS13])
        .expect("TLS 1.3")
        .with_root_certificates(roots)
        .with_client_auth_cert(chain, key)
        .expect("a key that fits");
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let address = listener.local_addr().expect("an address");
    let reading = tokio::spawn(async move {
        let (tcp, _) = listener.accept().await.expect("a caller");
        let mut stream = TlsAcceptor::from(Arc::new(server)).accept(tcp).await.expect("a handshake");
        let mut buffer = vec![0; MAX_BODY];
        for _ in 0..mebibytes {
            stream.read_exact(&mut buffer).await.expect("bytes");
        }
    });
    let tcp = TcpStream::connect(address).await.expect("a connection");
    let name = ServerName::try_from("a").expect("a name");
    let connector = TlsConnector::from(Arc::new(client));
    let mut stream = connector.connect(name, tcp).await.expect("a handshake");
    let body = vec![7; MAX_BODY];
    timed(mebibytes, async {
        for _ in 0..mebibytes {
            stream.write_all(&body).await.expect("room");
        }
        stream.flush().await.expect("room");
        reading.await.expect("the reader");
    })
    .await
}
