//! Products and transforms in the prime fields on one core beside `prio` and Plonky3's crates, built for this CPU. A line each
//! for `report.py`.

#[allow(dead_code, unreachable_pub, reason = "the other benches use the rest")]
#[path = "../../src/lib.rs"]
mod measure;
mod ntt;

use measure::{Beside, ELEMENTS, Row, VECTORS, Wanted, crate_version, levels};
use p3_field::{PackedValue, PrimeCharacteristicRing};
use p3_goldilocks::Goldilocks;
use std::error::Error;
use std::hint::black_box;
use veilgrid_kernels::{Device, Field, Field64, Level, M61, Seed, chacha, field};

type Packed = <Goldilocks as p3_field::Field>::Packing;

const LOCK: &str = include_str!("../Cargo.lock");
/// Products of one timing.
const PRODUCTS: usize = 1 << 22;
const ROUNDS: usize = 31;

fn main() -> Result<(), Box<dyn Error>> {
    // The peers are built for one level: beside them ours is measured there.
    let built = if Packed::WIDTH == 8 { Level::Avx512 } else { Level::Avx2 };
    eprintln!("the peers are built for {built}");
    for (level, device) in levels(&VECTORS)?.iter().filter(|(level, _)| *level == built) {
        // Two vectors that fill half of a first-level cache, a second-level cache, and none.
        for len in [1 << 10, 1 << 14, 1 << 22] {
            against_prio::<M61>((*level, device), len, Wanted::both(3.5))?;
            against_prio::<Field64>((*level, device), len, Wanted::of(3.0, 2.4))?;
            against_p3((*level, device), len)?;
        }
        ntt::rows(*level, device)?;
    }
    Ok(())
}

fn elements<F: Field>(device: &Device, id: u64, len: usize) -> Result<Vec<F>, Box<dyn Error>> {
    let mut bytes = vec![0; 8 * len];
    chacha::keystream(device, &mut Seed::from_bytes([1; 32]).stream(id), &mut bytes)?;
    let words = bytes.as_chunks::<8>().0.iter().map(|word| u64::from_le_bytes(*word) % F::MODULUS);
    Ok(field::elements(&words.collect::<Vec<_>>())?.to_vec())
}

fn row(level: Level, field: &str, peer: &str, len: usize, wanted: Wanted, times: &Beside) {
    let (work, size) = (&format!("{field} product"), &format!("{len} elements"));
    let row = Row { table: "fields", work, size, peer, unit: ELEMENTS, wanted };
    row.print(level, (PRODUCTS, PRODUCTS), times);
}

/// Multiplies `acc` by `other` until there are enough products.
fn ours<F: Field>(device: &Device, acc: &mut [F], other: &[F]) {
    for _ in 0..PRODUCTS / acc.len() {
        field::mul(device, black_box(acc), black_box(other)).expect("products");
    }
}

fn against_prio<F: Field>(
    (level, device): (Level, &Device),
    len: usize,
    wanted: Wanted,
) -> Result<(), Box<dyn Error>> {
    let (mut acc, other) = (elements::<F>(device, 1, len)?, elements::<F>(device, 2, len)?);
    let of_peer = |words: &[u64]| words.iter().map(|x| prio::field::Field64::from(*x)).collect::<Vec<_>>();
    let (mut peer, peer_other) = (of_peer(field::words(&acc)), of_peer(field::words(&other)));
    let times = Beside::processor(
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
    let peer = format!("{}, its `Field64`", crate_version("prio", LOCK));
    row(level, F::NAME, &peer, len, wanted, &times);
    Ok(())
}

fn against_p3((level, device): (Level, &Device), len: usize) -> Result<(), Box<dyn Error>> {
    let (mut acc, other) = (elements::<Field64>(device, 1, len)?, elements::<Field64>(device, 2, len)?);
    let of_peer = |words: &[u64]| words.iter().map(|x| Goldilocks::from_u64(*x)).collect::<Vec<_>>();
    let (mut peer, peer_other) = (of_peer(field::words(&acc)), of_peer(field::words(&other)));
    let times = Beside::processor(
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
    row(level, "Field64", &crate_version("p3-goldilocks", LOCK), len, Wanted::both(1.0), &times);
    Ok(())
}
