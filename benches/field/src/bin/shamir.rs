//! Shamir's secret sharing on one core beside `blahaj`, which shares bytes over GF(2^8): bytes of the secret a second, with all
//! shares. A line each for `report.py`.

#[allow(dead_code, unreachable_pub, reason = "the other benches use the rest")]
#[path = "../../../src/lib.rs"]
mod measure;

use blahaj::{Share, Sharks};
use measure::{Beside, Row, SECRET, VECTORS, Wanted, crate_version, levels};
use std::error::Error;
use std::hint::black_box;
use veilgrid_kernels::shamir::Scheme;
use veilgrid_kernels::{Device, Field, Field64, Level, M61, Seed, field};

/// Elements of our secret.
const LEN: usize = 100_000;
/// Bytes of the peer's: its cost for a byte does not depend on how many there are.
const PEER_BYTES: usize = 800;
const PARTIES: u32 = 100;
const THRESHOLD: u32 = 51;
const ROUNDS: usize = 11;

fn main() -> Result<(), Box<dyn Error>> {
    for (level, device) in &levels(&VECTORS)? {
        both::<M61>(*level, device)?;
        both::<Field64>(*level, device)?;
    }
    Ok(())
}

fn row(level: Level, work: &str, size: &str, times: &Beside) {
    let peer = &crate_version("blahaj", include_str!("../../Cargo.lock"));
    let row = Row { table: "Shamir", work, size, peer, unit: SECRET, wanted: Wanted::both(20.0) };
    row.print(level, (8 * LEN, PEER_BYTES), times);
}

fn both<F: Field>(level: Level, device: &Device) -> Result<(), Box<dyn Error>> {
    let mut secret = vec![F::ZERO; LEN];
    field::uniform(device, &mut Seed::from_bytes([1; 32]).stream(0), &mut secret)?;
    let scheme = Scheme::<F>::new(PARTIES, THRESHOLD)?;
    let mut stream = Seed::from_bytes([2; 32]).stream(0);
    let mut shares = vec![F::ZERO; LEN * PARTIES as usize];
    let bytes: Vec<u8> = (0..PEER_BYTES).map(|i| (i * 37) as u8).collect();
    let peer = Sharks(THRESHOLD as u8 + 1);
    let mut peer_shares: Vec<Share> = Vec::new();
    let times = Beside::processor(
        ROUNDS,
        || scheme.split(device, black_box(&secret), &mut stream, &mut shares).expect("shares"),
        || peer_shares = peer.dealer(black_box(&bytes)).take(PARTIES as usize).collect(),
    );
    let name = F::NAME;
    let size = format!("{LEN} elements, n = {PARTIES}, t = {THRESHOLD}");
    row(level, &format!("split {name}"), &size, &times);

    let parties: Vec<u32> = (0..=THRESHOLD).map(|i| 1 + i * 37 % PARTIES).collect();
    let given = |parties: &[u32]| {
        let share = |party: &u32| &shares[(*party as usize - 1) * LEN..*party as usize * LEN];
        parties.iter().map(share).collect::<Vec<&[F]>>()
    };
    let weights = scheme.secret_from(&parties)?;
    let mut out = vec![F::ZERO; LEN];
    let mut recovered = Vec::new();
    let times = Beside::processor(
        ROUNDS,
        || weights.reconstruct(device, &given(&parties), black_box(&mut out)).expect("the secret"),
        || {
            let some = parties.iter().map(|party| &peer_shares[*party as usize - 1]);
            recovered = peer.recover(some).expect("the secret");
        },
    );
    assert!(out == secret && recovered == bytes, "both are right");
    row(level, &format!("reconstruct {name}"), &size, &times);

    let everyone: Vec<u32> = (1..=PARTIES).collect();
    let decoder = scheme.decoder(&everyone)?;
    let times = Beside::processor(
        ROUNDS,
        || assert!(decoder.misfits(device, &given(&everyone)).expect("misfits").is_empty()),
        || (),
    );
    let work = &format!("check all shares, {name}");
    let row = Row { table: "Shamir", work, size: &size, peer: "", unit: SECRET, wanted: Wanted::default() };
    row.print(level, (8 * LEN, 0), &times);
    Ok(())
}
