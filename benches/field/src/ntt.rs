//! The number-theoretic transform beside every implementation of `p3-dft`.

use crate::measure::{Beside, ELEMENTS as RATE, Row, Wanted, crate_version};
use crate::{LOCK, elements};
use p3_dft::{Radix2Bowers, Radix2DFTSmallBatch, Radix2Dit, Radix2DitParallel, TwoAdicSubgroupDft};
use p3_field::{PrimeCharacteristicRing, PrimeField64};
use p3_goldilocks::Goldilocks;
use std::error::Error;
use std::hint::black_box;
use veilgrid_kernels::{Device, Field64, Level, field};

/// Elements of one timing.
const ELEMENTS: usize = 1 << 21;
const ROUNDS: usize = 11;

/// One transform over and over in both libraries, and back: beside the fastest of the peer's.
pub fn rows(level: Level, device: &Device) -> Result<(), Box<dyn Error>> {
    let version = crate_version("p3-dft", LOCK);
    for log in [10, 12, 14, 16, 18, 20] {
        for inverse in [false, true] {
            let peers = [
                ("Radix2DFTSmallBatch", times(device, log, inverse, &Radix2DFTSmallBatch::default())?),
                ("Radix2DitParallel", times(device, log, inverse, &Radix2DitParallel::default())?),
                ("Radix2Dit", times(device, log, inverse, &Radix2Dit::default())?),
                ("Radix2Bowers", times(device, log, inverse, &Radix2Bowers)?),
            ];
            let fastest = peers.iter().min_by(|a, b| a.1.peer_seconds().total_cmp(&b.1.peer_seconds()));
            let (name, beside) = fastest.ok_or("there are peers")?;
            let row = Row {
                table: "fields",
                work: if inverse { "inverse transform of Field64" } else { "transform of Field64" },
                size: &format!("2^{log} elements"),
                peer: &format!("{version}, `{name}`"),
                unit: RATE,
                wanted: Wanted::both(1.0),
            };
            row.print(level, (ELEMENTS, ELEMENTS), beside);
        }
    }
    Ok(())
}

/// Ours beside a peer, as many transforms as there are elements for.
fn times<D: TwoAdicSubgroupDft<Goldilocks>>(
    device: &Device,
    log: u32,
    inverse: bool,
    dft: &D,
) -> Result<Beside, Box<dyn Error>> {
    let ntt = field::Ntt::new(log)?;
    let mut ours = elements::<Field64>(device, 1, ntt.size())?;
    let mut theirs: Vec<Goldilocks> = field::words(&ours).iter().map(|x| Goldilocks::from_u64(*x)).collect();
    let transform = |values: &mut Vec<Field64>| match inverse {
        false => ntt.forward(device, values).expect("a whole transform"),
        true => ntt.inverse(device, values).expect("a whole transform"),
    };
    let of_peer = |values: &mut Vec<Goldilocks>| {
        *values = match inverse {
            false => dft.dft(std::mem::take(values)),
            true => dft.idft(std::mem::take(values)),
        };
    };
    transform(&mut ours);
    of_peer(&mut theirs);
    assert!(theirs.iter().map(PrimeField64::as_canonical_u64).eq(field::words(&ours).iter().copied()));
    Ok(Beside::processor(
        ROUNDS,
        || (0..ELEMENTS >> log).for_each(|_| transform(black_box(&mut ours))),
        || (0..ELEMENTS >> log).for_each(|_| of_peer(black_box(&mut theirs))),
    ))
}
