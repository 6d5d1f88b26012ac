//! Shamir's secret sharing on one core beside `blahaj`, which shares bytes over GF(2^8): seconds for a byte of the secret
//! and all shares. Prints rows of `docs/performance.md`.

#[allow(dead_code, unreachable_pub, reason = "the other benches use the rest")]
#[path = "../../../src/lib.rs"]
mod measure;

use blahaj::{Share, Sharks};
use measure::{cpu_name, side_by_side};
use std::error::Error;
use std::hint::black_box;
use veilgrid_kernels::shamir::Scheme;
use veilgrid_kernels::{Device, Field, Field64, M61, Seed, field};

/// Elements of our secret.
const LEN: usize = 100_000;
/// Bytes of the peer's: its cost for a byte does not depend on how many there are.
const PEER_BYTES: usize = 800;
const PARTIES: u32 = 100;
const THRESHOLD: u32 = 51;
const ROUNDS: usize = 11;

fn main() -> Result<(), Box<dyn Error>> {
    let device = Device::cpu()?.with_threads(1);
    println!("{}, {}", cpu_name(), device.describe());
    println!("| work | level | Veilgrid, ns/byte | `blahaj`, ns/byte | ratio |\n|---|---|---|---|---|");
    both::<M61>(&device)?;
    both::<Field64>(&device)
}

fn row(device: &Device, work: &str, (ours, peer): (f64, f64)) {
    let (ours, peer) = (ours / (8 * LEN) as f64 * 1e9, peer / PEER_BYTES as f64 * 1e9);
    println!("| {work} | {} | {ours:.2} | {peer:.0} | {:.0} |", device.describe(), peer / ours);
}

fn both<F: Field>(device: &Device) -> Result<(), Box<dyn Error>> {
    let mut secret = vec![F::ZERO; LEN];
    field::uniform(device, &mut Seed::from_bytes([1; 32]).stream(0), &mut secret)?;
    let scheme = Scheme::<F>::new(PARTIES, THRESHOLD)?;
    let mut stream = Seed::from_bytes([2; 32]).stream(0);
    let mut shares = vec![F::ZERO; LEN * PARTIES as usize];
    let bytes: Vec<u8> = (0..PEER_BYTES).map(|i| (i * 37) as u8).collect();
    let peer = Sharks(THRESHOLD as u8 + 1);
    let mut peer_shares: Vec<Share> = Vec::new();
    let times = side_by_side(
        ROUNDS,
        || scheme.split(device, black_box(&secret), &mut stream, &mut shares).expect("shares"),
        || peer_shares = peer.dealer(black_box(&bytes)).take(PARTIES as usize).collect(),
    );
    let name = F::NAME;
    row(device, &format!("split {name}, {LEN} elements, n = {PARTIES}, t = {THRESHOLD}"), times);

    let parties: Vec<u32> = (0..=THRESHOLD).map(|i| 1 + i * 37 % PARTIES).collect();
    let given = |parties: &[u32]| {
        let share = |party: &u32| &shares[(*party as usize - 1) * LEN..*party as usize * LEN];
        parties.iter().map(share).collect::<Vec<&[F]>>()
    };
    let weights = scheme.secret_from(&parties)?;
    let mut out = vec![F::ZERO; LEN];
    let mut recovered = Vec::new();
    let times = side_by_side(
        ROUNDS,
        || weights.reconstruct(device, &given(&parties), black_box(&mut out)).expect("the secret"),
        || {
            let some = parties.iter().map(|party| &peer_shares[*party as usize - 1]);
            recovered = peer.recover(some).expect("the secret");
        },
    );
    assert!(out == secret && recovered == bytes, "both are right");
    row(device, &format!("reconstruct {name}, {LEN} elements, {} shares", parties.len()), times);

    let everyone: Vec<u32> = (1..=PARTIES).collect();
    let decoder = scheme.decoder(&everyone)?;
    let (ours, _) = side_by_side(
        ROUNDS,
        || assert!(decoder.misfits(device, &given(&everyone)).expect("misfits").is_empty()),
        || (),
    );
    let ours = ours / (8 * LEN) as f64 * 1e9;
    println!(
        "| check {name}, {LEN} elements, {PARTIES} shares | {} | {ours:.2} | - | - |",
        device.describe()
    );
    Ok(())
}
