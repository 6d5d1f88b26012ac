//! Measures one link on loopback: bytes one way, and both ways at once.
//!
//! `cargo run --release -p veilgrid-party --example link_speed -- 512` moves 512 MiB.
#![allow(clippy::print_stdout, clippy::unwrap_used)]

#[path = "../tests/common/certificates.rs"]
mod certificates;

use std::time::{Duration, Instant};
use veilgrid_party::transport::{
    Mesh, MeshConfig,
    links::{Kind, Links, MAX_BODY},
};

#[tokio::main(flavor = "multi_thread")]
async fn main() {
    let mebibytes: usize = std::env::args().nth(1).map_or(512, |text| text.parse().unwrap());
    let authority = certificates::Authority::new();
    let names = vec!["a".to_owned(), "b".to_owned()];
    let any = "127.0.0.1:0".parse().unwrap();
    let bindings = [Mesh::bind(any).await.unwrap(), Mesh::bind(any).await.unwrap()];
    let addresses: Vec<String> = bindings.iter().map(|b| b.local_addr().to_string()).collect();
    let [a, b] = bindings;
    let config = |me: usize| MeshConfig {
        names: names.clone(),
        me,
        run: "00".repeat(16),
        addresses: addresses.clone(),
        tls: authority.issue(&names[me], |_| {}),
        patience: Duration::from_secs(10),
    };
    let (a, b) = tokio::try_join!(a.connect(config(0)), b.connect(config(1))).unwrap();
    let send = |mesh: &'static Mesh, to: usize| async move {
        for _ in 0..mebibytes {
            mesh.send(to, Kind::Opened, vec![7; MAX_BODY]).await.unwrap();
        }
    };
    let receive = |mesh: &'static Mesh, from: usize| async move {
        for _ in 0..mebibytes {
            assert_eq!(mesh.receive(from).await.unwrap().body.len(), MAX_BODY);
        }
    };
    let (a, b): (&'static Mesh, &'static Mesh) = (Box::leak(Box::new(a)), Box::leak(Box::new(b)));
    let speed = |bytes: usize, start: Instant| bytes as f64 / 1e6 / start.elapsed().as_secs_f64();
    let start = Instant::now();
    let sending = tokio::spawn(send(a, 1));
    tokio::spawn(receive(b, 0)).await.unwrap();
    sending.await.unwrap();
    println!("one way: {:.0} MB/s", speed(mebibytes * MAX_BODY, start));
    let start = Instant::now();
    let tasks = [
        tokio::spawn(send(a, 1)),
        tokio::spawn(send(b, 0)),
        tokio::spawn(receive(a, 1)),
        tokio::spawn(receive(b, 0)),
    ];
    for task in tasks {
        task.await.unwrap();
    }
    println!("both ways: {:.0} MB/s in all", speed(2 * mebibytes * MAX_BODY, start));
}
