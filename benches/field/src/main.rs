//! Products and transforms in the prime fields on one core beside `prio` and Plonky3's crates, built for this CPU. Prints
//! rows of `docs/performance.md`.

#[allow(dead_code, unreachable_pub, reason = "the other benches use the rest")]
#[path = "../../src/lib.rs"]
mod measure;
mod ntt;

use measure::{cpu_name, side_by_side};
use p3_field::{PackedValue, PrimeCharacteristicRing};
use p3_goldilocks::Goldilocks;
use std::error::Error;
use std::hint::black_box;
use veilgrid_kernels::{Device, Field, Field64, M61, Seed, chacha, field};

type Packed = <Goldilocks as p3_field::Field>::Packing;

/// Products of one timing.
const PRODUCTS: usize = 1 << 22;
const ROUNDS: usize = 31;

fn main() -> Result<(), Box<dyn Error>> {
    let device = Device::cpu()?.with_threads(1);
    println!("{}, {}, p3 in vectors of {}", cpu_name(), device.describe(), Packed::WIDTH);
    println!("| work | level | Veilgrid, G/s | peer, G/s | ratio |\n|---|---|---|---|---|");
    // Two vectors that fill half of a first-level cache, a second-level cache, and none.
    for len in [1 << 10, 1 << 14, 1 << 22] {
        against_prio::<M61>(&device, len)?;
        against_prio::<Field64>(&device, len)?;
        against_p3(&device, len)?;
    }
    ntt::rows(&device)
}

fn elements<F: Field>(device: &Device, id: u64, len: usize) -> Result<Vec<F>, Box<dyn Error>> {
    let mut bytes = vec![0; 8 * len];
    chacha::keystream(device, &mut Seed::from_bytes([1; 32]).stream(id), &mut bytes)?;
    let words = bytes.as_chunks::<8>().0.iter().map(|word| u64::from_le_bytes(*word) % F::MODULUS);
    Ok(field::elements(&words.collect::<Vec<_>>())?.to_vec())
}

fn row(device: &Device, work: &str, len: usize, (ours, peer): (f64, f64)) {
    let rate = |seconds: f64| PRODUCTS as f64 / seconds / 1e9;
    let (ours, peer) = (rate(ours), rate(peer));
    println!(
        "| {work}, {len} elements | {} | {ours:.3} | {peer:.3} | {:.2} |",
        device.describe(),
        ours / peer
    );
}

/// Multiplies `acc` by `other` until there are enough products.
fn ours<F: Field>(device: &Device, acc: &mut [F], other: &[F]) {
    for _ in 0..PRODUCTS / acc.len() {
        field::mul(device, black_box(acc), black_box(other)).expect("products");
    }
}

fn against_prio<F: Field>(device: &Device, len: usize) -> Result<(), Box<dyn Error>> {
    let (mut acc, other) = (elements::<F>(device, 1, len)?, elements::<F>(device, 2, len)?);
    let of_peer = |words: &[u64]| words.iter().map(|x| prio::field::Field64::from(*x)).collect::<Vec<_>>();
    let (mut peer, peer_other) = (of_peer(field::words(&acc)), of_peer(field::words(&other)));
    let times = side_by_side(
        ROUNDS,
        || ours(device, &mut acc, &other),
        || {
            for _ in 0..PRODUCTS / len {
                for (a, b) in black_box(&mut peer).iter_mut().zip(black_box(&peer_other)) {
                    *a *= *b;
                }
            }
        },
    );
    row(device, &format!("mul {} (`prio` Field64)", F::NAME), len, times);
    Ok(())
}

fn against_p3(device: &Device, len: usize) -> Result<(), Box<dyn Error>> {
    let (mut acc, other) = (elements::<Field64>(device, 1, len)?, elements::<Field64>(device, 2, len)?);
    let of_peer = |words: &[u64]| words.iter().map(|x| Goldilocks::from_u64(*x)).collect::<Vec<_>>();
    let (mut peer, peer_other) = (of_peer(field::words(&acc)), of_peer(field::words(&other)));
    let times = side_by_side(
        ROUNDS,
        || ours(device, &mut acc, &other),
        || {
            for _ in 0..PRODUCTS / len {
                let other = Packed::pack_slice(black_box(&peer_other));
                for (a, b) in Packed::pack_slice_mut(black_box(&mut peer)).iter_mut().zip(other) {
                    *a *= *b;
                }
            }
        },
    );
    row(device, "mul Field64 (`p3-goldilocks`)", len, times);
    Ok(())
}
