//! A party's rows from a real S3 server: the same as from files, in streams, and what goes wrong is told. Results that are brought to it.
#![cfg(feature = "object-store")]

mod deliver;
#[path = "../rows/mod.rs"]
mod jobs;
mod relay;
mod server;

use jobs::{Job, drain};
use parquet::{
    data_type::{ByteArray, ByteArrayType, DoubleType},
    file::{properties::WriterProperties, writer::SerializedFileWriter},
    schema::parser::parse_message_type,
};
use rcgen::{CertificateParams, CertifiedIssuer, KeyPair};
use relay::{Relay, Trouble};
use server::World;
use std::{fmt::Write as _, fs, net::SocketAddr, sync::Arc, time::Duration};
use tokio::task::spawn_blocking;
use tokio_rustls::{TlsAcceptor, rustls};
use veilgrid_kernels::{Choice, Device};
use veilgrid_party::{
    aggregate::aggregate,
    config::StoreConfig,
    input::{self, InputError, RowReader, Rows},
};

/// A job over ages and wards.
fn job(path: &str, endpoint: &str) -> Job {
    let source = format!(
        "{{path: {path}, objectStore: {{url: \"s3://north/2026\", endpoint: \"{endpoint}\", secret: store}}}}"
    );
    let mut job = Job::new(
        &source,
        &["{name: age, number: {min: 0, max: 120}}", "{name: ward, category: {values: [a, b]}}"],
        &["{name: s, sum: {column: age}}", "{name: c, count: {}, groupBy: ward}"],
    );
    job.more = "maxRows: 10000000".to_owned();
    job
}

fn http(address: SocketAddr) -> String {
    format!("http://{address}")
}

/// A CSV of so many rows.
fn csv(rows: usize) -> Vec<u8> {
    let mut text = String::from("note,age,ward\n");
    for row in 0..rows {
        let ward = if row % 3 == 0 { "a" } else { "b" };
        writeln!(text, "{},{}.{},{ward}", "x".repeat(row % 64), row % 100, row % 10).unwrap();
    }
    text.into_bytes()
}

/// A Parquet file of so many row groups with 50,000 rows each, whose first column is never read.
fn parquet(groups: usize) -> Vec<u8> {
    let schema = "message rows { required double note; required double age; required binary ward (UTF8); }";
    let schema = Arc::new(parse_message_type(schema).unwrap());
    let properties = WriterProperties::builder().set_dictionary_enabled(false).build();
    let mut writer = SerializedFileWriter::new(Vec::new(), schema, Arc::new(properties)).unwrap();
    for group in 0..groups {
        let numbers: Vec<f64> = (0..50_000).map(|row| ((row * 7 + group) % 1000) as f64 / 10.0).collect();
        let wards: Vec<ByteArray> =
            (0..50_000).map(|row| ByteArray::from(if (row + group) % 5 == 0 { "a" } else { "b" })).collect();
        let mut group = writer.next_row_group().unwrap();
        for _ in 0..2 {
            let mut column = group.next_column().unwrap().unwrap();
            column.typed::<DoubleType>().write_batch(&numbers, None, None).unwrap();
            column.close().unwrap();
        }
        let mut column = group.next_column().unwrap().unwrap();
        column.typed::<ByteArrayType>().write_batch(&wards, None, None).unwrap();
        column.close().unwrap();
        group.close().unwrap();
    }
    writer.into_inner().unwrap()
}

async fn open(job: Job, config: StoreConfig) -> Result<Box<dyn RowReader>, InputError> {
    spawn_blocking(move || {
        let (plan, spec) = job.plan();
        input::open_store(&spec, &config, &plan, 0)
    })
    .await
    .unwrap()
}

async fn rows(job: Job, config: StoreConfig) -> Result<Rows, InputError> {
    let mut reader = open(job, config).await?;
    spawn_blocking(move || drain(&mut *reader)).await.unwrap()
}

/// What the party says, which must hold no credential.
async fn error(world: &World, job: Job, config: StoreConfig) -> String {
    let error = match rows(job, config).await {
        Ok(rows) => panic!("{} rows were read", rows.len),
        Err(error) => format!("{error}\n{error:?}"),
    };
    for secret in [&*world.secret, &*world.id, "Authorization", "Signature="] {
        assert!(!error.contains(secret), "{error}");
    }
    error
}

/// The sums that a party shares, from its files and from the store.
#[tokio::test(flavor = "multi_thread")]
async fn sums_are_those_of_files() {
    let world = World::new();
    world.put("small.csv", &csv(100));
    world.put("large.csv", &csv(250_000));
    world.put("small.parquet", &parquet(1));
    world.put("large.parquet", &parquet(12));
    for path in ["small.csv", "large.csv", "small.parquet", "large.parquet"] {
        let job = job(path, &http(world.address));
        let mut store = open(job.clone(), world.config(20)).await.unwrap();
        let base = world.files();
        let (there, here) = spawn_blocking(move || {
            let (plan, _) = job.plan();
            let device = Device::open(Choice::Cpu).unwrap();
            let mut file = job.open(&base).unwrap();
            let sum = |rows: &mut dyn RowReader| aggregate(&plan, rows, &device, &mut |_| {}).unwrap();
            let (there, here) = (sum(&mut *store), sum(&mut *file));
            assert_eq!(store.position().done, store.position().total);
            (there, here)
        })
        .await
        .unwrap();
        assert!(there.iter().any(|cell| *cell != 0), "{path}");
        assert_eq!(there, here, "{path}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn no_more_is_fetched_than_a_few_blocks_ahead() {
    let world = World::new();
    let (text, table) = (csv(500_000), parquet(24));
    assert!(text.len() > 18 << 20 && table.len() > 18 << 20, "{} {}", text.len(), table.len());
    world.put("a.csv", &text);
    world.put("a.parquet", &table);
    for path in ["a.csv", "a.parquet"] {
        let relay = Relay::start(world.address, Trouble::default()).await;
        let mut reader = open(job(path, &http(relay.address)), world.config(20)).await.unwrap();
        let read = spawn_blocking(move || (reader.next(&mut Rows::default()).unwrap(), reader));
        let (more, reader) = read.await.unwrap();
        assert!(more);
        tokio::time::sleep(Duration::from_millis(500)).await;
        assert!(relay.answered() < 14 << 20, "{path}: {} bytes for one batch", relay.answered());
        drop(reader);
    }
    // Columns lie side by side in a block, and no block is fetched twice.
    let relay = Relay::start(world.address, Trouble::default()).await;
    let read = rows(job("a.parquet", &http(relay.address)), world.config(20)).await.unwrap();
    assert_eq!(read.len, 24 * 50_000);
    assert!(relay.answered() < table.len() as u64 * 11 / 10, "{} of {}", relay.answered(), table.len());
}

#[tokio::test(flavor = "multi_thread")]
async fn what_passes_is_borne() {
    let world = World::new();
    world.put("a.csv", &csv(150_000));
    world.put("a.parquet", &parquet(6));
    let cases = [
        ("cut", Trouble { cut_after: Some(1 << 20), ..Trouble::default() }),
        ("slow", Trouble { delay: Duration::from_millis(1), ..Trouble::default() }),
        ("overloaded", Trouble { overloaded: 3, ..Trouble::default() }),
        ("silent", Trouble { silent_after: Some(3 << 20), ..Trouble::default() }),
    ];
    for path in ["a.csv", "a.parquet"] {
        let expected = rows(job(path, &http(world.address)), world.config(20)).await.unwrap();
        for (name, trouble) in &cases {
            let relay = Relay::start(world.address, trouble.clone()).await;
            // What is silent is asked again after a quarter of the patience.
            let read = rows(job(path, &http(relay.address)), world.config(8)).await;
            let read = read.unwrap_or_else(|error| panic!("{path} {name}: {error}"));
            assert!(read == expected, "{path} {name}");
            assert!(*name == "slow" || relay.connections() > 1, "{path} {name}: no trouble");
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_does_not_pass_is_told() {
    let world = World::new();
    world.put("a.csv", &csv(150_000));
    world.put("empty.csv", b"");
    world.put("bad.parquet", &parquet(1)[..100_000]);
    let here = http(world.address);
    let says = |text: String, words: &str| assert!(text.contains(words), "{words}: {text}");

    let text = error(&world, job("b.csv", &here), world.config(5)).await;
    says(text.clone(), "s3://north/2026/b.csv: there is no such object; check `source.path`");
    let mut other = job("a.csv", &here);
    other.source = other.source.replace("s3://north", "s3://south");
    says(error(&world, other, world.config(5)).await, "s3://south/2026/a.csv: there is no such bucket");
    says(error(&world, job("empty.csv", &here), world.config(5)).await, "the file is empty");
    says(error(&world, job("bad.parquet", &here), world.config(5)).await, "the file is not whole Parquet");

    world.credentials(&world.id, "another key");
    let text = error(&world, job("a.csv", &here), world.config(5)).await;
    says(text, "refuses the credentials (SignatureDoesNotMatch); check the Secret \"store\"");
    world.credentials("AKIANOBODY", &world.secret);
    says(error(&world, job("a.csv", &here), world.config(5)).await, "refuses the credentials (");
    let unsigned = StoreConfig { credentials: None, patience_seconds: 5 };
    let mut nobody = job("a.csv", &here);
    nobody.source = nobody.source.replace(", secret: store", "");
    says(error(&world, nobody, unsigned).await, "refuses a request that is not signed");
    let none = StoreConfig { credentials: Some("/nowhere".into()), patience_seconds: 5 };
    says(error(&world, job("a.csv", &here), none).await, "the Secret \"store\" has no key AWS_ACCESS_KEY_ID");
    world.credentials(&world.id, &world.secret);

    // Gone from the start, and gone or silent for good after a first answer.
    let gone = error(&world, job("a.csv", "http://127.0.0.1:1"), world.config(1)).await;
    says(gone, "the store cannot be reached (Connection refused (os error 111)), tried for 1 s; check");
    let silent = Relay::start(world.address, Trouble { silent_after: Some(0), ..Trouble::default() }).await;
    says(
        error(&world, job("a.csv", &http(silent.address)), world.config(1)).await,
        "cannot be reached (no answer)",
    );
    let busy = Relay::start(world.address, Trouble { overloaded: u64::MAX, ..Trouble::default() }).await;
    says(
        error(&world, job("a.csv", &http(busy.address)), world.config(1)).await,
        "the store answers 503; look at its logs",
    );
    let cut = Relay::start(world.address, Trouble { cut_after: Some(2000), ..Trouble::default() }).await;
    says(error(&world, job("a.csv", &http(cut.address)), world.config(1)).await, "the store ");
}

#[tokio::test(flavor = "multi_thread")]
async fn an_object_that_changes_is_an_error() {
    let world = World::new();
    for path in ["a.csv", "a.parquet"] {
        let (before, after) =
            if path == "a.csv" { (csv(300_000), csv(300_001)) } else { (parquet(20), parquet(21)) };
        // With the same length and another content too.
        let mut same = before.clone();
        let last = same.len() - 2;
        same[last] ^= 1;
        for changed in [after, same] {
            world.put(path, &before);
            let mut reader = open(job(path, &http(world.address)), world.config(5)).await.unwrap();
            let first = spawn_blocking(move || (reader.next(&mut Rows::default()).unwrap(), reader));
            let (_, mut reader) = first.await.unwrap();
            world.put(path, &changed);
            let read = spawn_blocking(move || drain(&mut *reader)).await.unwrap();
            let error = read.err().expect("rows of two objects").to_string();
            assert!(
                error.contains("2026/a.") && error.contains("the object changed while it was read"),
                "{error}"
            );
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn tls_by_an_authority_of_the_secret() {
    let world = World::new();
    world.put("a.csv", &csv(1000));
    let issuer = CertifiedIssuer::self_signed(
        {
            let mut params = CertificateParams::new(Vec::new()).unwrap();
            params.is_ca = rcgen::IsCa::Ca(rcgen::BasicConstraints::Unconstrained);
            params
        },
        KeyPair::generate().unwrap(),
    )
    .unwrap();
    let key = KeyPair::generate().unwrap();
    let certificate =
        CertificateParams::new(vec!["localhost".into()]).unwrap().signed_by(&key, &issuer).unwrap();
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let server = rustls::ServerConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_no_client_auth()
        .with_single_cert(
            vec![certificate.der().clone()],
            rustls::pki_types::PrivatePkcs8KeyDer::from(key.serialize_der()).into(),
        )
        .unwrap();
    let tls = Some(TlsAcceptor::from(Arc::new(server)));
    let relay = Relay::start(world.address, Trouble { tls, ..Trouble::default() }).await;
    let job = job("a.csv", &format!("https://localhost:{}", relay.address.port()));
    let text = error(&world, job.clone(), world.config(1)).await;
    assert!(text.contains("the store cannot be reached (invalid peer certificate: UnknownIssuer"), "{text}");
    fs::write(world.folder().join("secret/ca.crt"), issuer.pem()).unwrap();
    assert_eq!(rows(job, world.config(5)).await.unwrap().len, 1000);
}
