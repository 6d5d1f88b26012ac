//! A noisy secure sum among three processes, beside its bytes alone over one TLS connection.
//!
//! Each process stands for a party: it adds noise, shares, seals and opens a vector of ten million u64 over
//! mutually authenticated TLS on loopback. The peer is two processes and one TLS 1.3 connection of the same library and
//! suite, which carries as many bytes as all parties together sent, in writes of 256 KiB.

use serde::{Deserialize, Serialize};
use std::{
    error::Error,
    io::{self, BufRead, BufReader, Read, Write},
    net::{TcpListener, TcpStream},
    process::{Child, ChildStdin, ChildStdout, Command, Stdio},
    sync::Arc,
    time::{Duration, Instant},
};
use veilgrid_benches::{cell, cpu_name};
use veilgrid_kernels::{Device, Laplace, Seed, Stream, noise};
use veilgrid_party::{
    config::TlsConfig,
    protocol::{
        ProtocolError,
        additive::{self, Seeds},
        noise::Noise,
    },
    transport::{Mesh, MeshConfig},
};
use zeroize::Zeroizing;

const PARTIES: usize = 3;
const WRITE: usize = 256 << 10;

type Result<T> = std::result::Result<T, Box<dyn Error>>;

#[derive(Serialize, Deserialize)]
struct Task {
    role: Role,
    names: Vec<String>,
    me: usize,
    cells: usize,
    tls: TlsConfig,
}

#[derive(Serialize, Deserialize, PartialEq)]
enum Role {
    Party,
    Sender,
    Receiver,
}

fn main() -> Result<()> {
    let mut arguments = std::env::args().skip(1);
    let first = arguments.next();
    if first.as_deref() == Some("work") {
        return work();
    }
    let cells: usize = first.map_or(Ok(10_000_000), |cells| cells.parse())?;
    let runs: usize = arguments.next().map_or(Ok(5), |runs| runs.parse())?;
    // Each party sends its share to each of the two other recipients; seeds are not worth counting.
    let bytes = PARTIES * (PARTIES - 1) * cells * 8;
    let (mut ours, mut alone) = (Vec::new(), Vec::new());
    for run in 0..=runs {
        let pair = (secure_sum(cells)?, bytes_alone(bytes / 8)?);
        // The first of each warms up.
        if run > 0 {
            ours.push(pair.0.as_secs_f64());
            alone.push(pair.1.as_secs_f64());
        }
    }
    let ratios: Vec<f64> = ours.iter().zip(&alone).map(|(ours, alone)| ours / alone).collect();
    println!("\n### Noisy secure sum of {cells} u64, three processes, loopback mTLS\n");
    println!(
        "{}; {runs} runs in turn, median (least to greatest); {} MB in all.\n",
        cpu_name(),
        bytes / 1_000_000
    );
    println!("| Veilgrid, s | its bytes alone over one TLS connection, s | ratio |\n|---|---|---|");
    println!("| {} | {} | {} |", cell(&ours, 2), cell(&alone, 2), cell(&ratios, 2));
    Ok(())
}

/// A process of this program: it says where it listens, is told where the others are, says when it is ready, and when it is done.
struct Worker {
    child: Child,
    input: ChildStdin,
    output: BufReader<ChildStdout>,
}

impl Worker {
    fn start(task: &Task) -> Result<Self> {
        let mut child = Command::new(std::env::current_exe()?)
            .arg("work")
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()?;
        let (input, output) = (child.stdin.take().expect("piped"), child.stdout.take().expect("piped"));
        let mut worker = Self { child, input, output: BufReader::new(output) };
        worker.tell(&serde_json::to_string(task)?)?;
        Ok(worker)
    }

    fn tell(&mut self, line: &str) -> Result<()> {
        writeln!(self.input, "{line}")?;
        Ok(self.input.flush()?)
    }

    fn hear(&mut self) -> Result<String> {
        let mut line = String::new();
        self.output.read_line(&mut line)?;
        if line.is_empty() { Err("a worker ended early".into()) } else { Ok(line.trim().to_owned()) }
    }
}

/// Runs workers of these roles; the time from `go` until the last is done.
fn timed(roles: &[Role], cells: usize) -> Result<Duration> {
    let names: Vec<String> = (0..roles.len()).map(|i| format!("p{i}")).collect();
    let tls = certificates(&names)?;
    let mut workers = Vec::new();
    for (me, (role, tls)) in roles.iter().zip(tls).enumerate() {
        let role = match role {
            Role::Party => Role::Party,
            Role::Sender => Role::Sender,
            Role::Receiver => Role::Receiver,
        };
        workers.push(Worker::start(&Task { role, names: names.clone(), me, cells, tls })?);
    }
    let addresses = workers.iter_mut().map(Worker::hear).collect::<Result<Vec<_>>>()?;
    let addresses = serde_json::to_string(&addresses)?;
    workers.iter_mut().try_for_each(|worker| worker.tell(&addresses))?;
    workers.iter_mut().try_for_each(|worker| worker.hear().map(drop))?;
    let start = Instant::now();
    workers.iter_mut().try_for_each(|worker| worker.tell("go"))?;
    workers.iter_mut().try_for_each(|worker| worker.hear().map(drop))?;
    let took = start.elapsed();
    for mut worker in workers {
        drop(worker.input);
        worker.child.wait()?;
    }
    Ok(took)
}

fn secure_sum(cells: usize) -> Result<Duration> {
    timed(&[Role::Party, Role::Party, Role::Party], cells)
}

fn bytes_alone(cells: usize) -> Result<Duration> {
    timed(&[Role::Receiver, Role::Sender], cells)
}

fn work() -> Result<()> {
    let mut input = io::stdin().lines();
    let mut line = || -> Result<String> { Ok(input.next().ok_or("no more input")??) };
    let task: Task = serde_json::from_str(&line()?)?;
    match task.role {
        Role::Party => tokio::runtime::Runtime::new()?.block_on(party(task, &mut line)),
        Role::Receiver => receive(task, &mut line),
        Role::Sender => send(task, &mut line),
    }
}

struct Plain {
    law: Laplace,
    stream: Stream,
}

impl Noise for Plain {
    fn add(&mut self, device: &Device, _: u64, values: &mut [u64]) -> std::result::Result<(), ProtocolError> {
        Ok(noise::laplace_add(device, &self.law, &mut self.stream, values)?)
    }
}

async fn party(task: Task, line: &mut dyn FnMut() -> Result<String>) -> Result<()> {
    let binding = Mesh::bind("127.0.0.1:0".parse()?).await?;
    println!("{}", binding.local_addr());
    let addresses: Vec<String> = serde_json::from_str(&line()?)?;
    let run = "00112233445566778899aabbccddeeff".to_owned();
    let patience = Duration::from_secs(60);
    let config = MeshConfig { names: task.names, me: task.me, run, addresses, tls: task.tls, patience };
    let mesh = binding.connect(config).await?;
    let device = Device::cpu()?.with_threads(1);
    let sums = Zeroizing::new(vec![task.me as u64 + 1; task.cells]);
    println!("ready");
    line()?;
    let mut noise = Plain { law: Laplace::new(10, 1)?, stream: Seed::random()?.stream(2) };
    let seeds = Seeds::fresh(task.me, PARTIES)?;
    let held = additive::share(&mesh, &device, 0, sums, &mut noise, seeds, &|_| ()).await?;
    additive::seal(&mesh, 0).await?;
    let everyone: Vec<usize> = (0..PARTIES).collect();
    let opened =
        additive::open(&mesh, &device, 0, &everyone, held, &|_| ()).await?.ok_or("nothing was opened")?;
    mesh.close().await?;
    println!("done");
    // 1 + 2 + 3, and noise of mean zero.
    let mean = opened.iter().map(|value| *value as i64 as f64).sum::<f64>() / task.cells as f64;
    if (mean - 6.0).abs() > 1.0 { Err(format!("the mean is {mean}, not near 6").into()) } else { Ok(()) }
}

fn receive(task: Task, line: &mut dyn FnMut() -> Result<String>) -> Result<()> {
    let listener = TcpListener::bind("127.0.0.1:0")?;
    println!("{}", listener.local_addr()?);
    line()?;
    let (tcp, _) = listener.accept()?;
    let (chain, key, roots) = pem(&task.tls)?;
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let clients =
        rustls::server::WebPkiClientVerifier::builder_with_provider(roots, provider.clone()).build()?;
    let config = rustls::ServerConfig::builder_with_provider(provider)
        .with_protocol_versions(&[&rustls::version::TLS13])?
        .with_client_cert_verifier(clients)
        .with_single_cert(chain, key)?;
    let mut connection = rustls::ServerConnection::new(Arc::new(config))?;
    let mut reader = BufReader::with_capacity(2 * WRITE, tcp.try_clone()?);
    let mut both = Both { reader: &mut reader, writer: tcp };
    connection.complete_io(&mut both)?;
    println!("ready");
    line()?;
    let mut stream = rustls::Stream::new(&mut connection, &mut both);
    let mut buffer = vec![0; WRITE];
    let mut left = task.cells * 8;
    while left > 0 {
        left -= stream.read(&mut buffer)?;
    }
    println!("done");
    Ok(())
}

fn send(task: Task, line: &mut dyn FnMut() -> Result<String>) -> Result<()> {
    println!("-");
    let addresses: Vec<String> = serde_json::from_str(&line()?)?;
    let (chain, key, roots) = pem(&task.tls)?;
    let config =
        rustls::ClientConfig::builder_with_provider(Arc::new(rustls::crypto::ring::default_provider()))
            .with_protocol_versions(&[&rustls::version::TLS13])?
            .with_root_certificates(roots)
            .with_client_auth_cert(chain, key)?;
    let name = rustls::pki_types::ServerName::try_from(task.names[0].clone())?;
    let mut connection = rustls::ClientConnection::new(Arc::new(config), name)?;
    let mut tcp = TcpStream::connect(&addresses[0])?;
    tcp.set_nodelay(true)?;
    connection.complete_io(&mut tcp)?;
    println!("ready");
    line()?;
    let mut stream = rustls::Stream::new(&mut connection, &mut tcp);
    let buffer = vec![7; WRITE];
    let mut left = task.cells * 8;
    while left > 0 {
        let part = left.min(WRITE);
        stream.write_all(&buffer[..part])?;
        left -= part;
    }
    stream.flush()?;
    println!("done");
    // Closing with session tickets unread would reset the connection under the receiver: wait to be let go.
    let _ = line();
    Ok(())
}

struct Both<'a> {
    reader: &'a mut BufReader<TcpStream>,
    writer: TcpStream,
}

impl Read for Both<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        self.reader.read(buffer)
    }
}

impl Write for Both<'_> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.writer.write(bytes)
    }
    fn flush(&mut self) -> io::Result<()> {
        self.writer.flush()
    }
}

type Pem = (
    Vec<rustls::pki_types::CertificateDer<'static>>,
    rustls::pki_types::PrivateKeyDer<'static>,
    Arc<rustls::RootCertStore>,
);

fn pem(tls: &TlsConfig) -> Result<Pem> {
    use rustls::pki_types::{CertificateDer, PrivateKeyDer, pem::PemObject};
    let mut roots = rustls::RootCertStore::empty();
    roots.add(CertificateDer::from_pem_slice(tls.authority.as_bytes())?)?;
    let chain = vec![CertificateDer::from_pem_slice(tls.certificate.as_bytes())?];
    Ok((chain, PrivateKeyDer::from_pem_slice(tls.key.as_bytes())?, Arc::new(roots)))
}

fn certificates(names: &[String]) -> Result<Vec<TlsConfig>> {
    use rcgen::{BasicConstraints, CertificateParams, IsCa, Issuer, KeyPair};
    let authority_key = KeyPair::generate()?;
    let mut authority = CertificateParams::new(Vec::new())?;
    authority.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    let pem = authority.self_signed(&authority_key)?.pem();
    let issuer = Issuer::new(authority, authority_key);
    let one = |name: &String| {
        let key = KeyPair::generate()?;
        let certificate = CertificateParams::new(vec![name.clone()])?.signed_by(&key, &issuer)?.pem();
        Ok(TlsConfig {
            authority: pem.clone(),
            certificate,
            key: Zeroizing::new(key.serialize_pem()),
            bundle: None,
        })
    };
    names.iter().map(one).collect()
}
