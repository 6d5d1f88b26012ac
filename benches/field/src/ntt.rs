//! The number-theoretic transform beside every implementation of `p3-dft`.

use crate::elements;
use crate::measure::side_by_side;
use p3_dft::{Radix2Bowers, Radix2DFTSmallBatch, Radix2Dit, Radix2DitParallel, TwoAdicSubgroupDft};
use p3_field::{PrimeCharacteristicRing, PrimeField64};
use p3_goldilocks::Goldilocks;
use std::error::Error;
use std::hint::black_box;
use veilgrid_kernels::{Device, Field64, field};

/// Elements of one timing.
const ELEMENTS: usize = 1 << 21;
const ROUNDS: usize = 11;

/// One transform over and over in both libraries, and back.
pub fn rows(device: &Device) -> Result<(), Box<dyn Error>> {
    println!(
        "\n| transform of `Field64` | level | Veilgrid, M elements/s | fastest of `p3-dft` | its M elements/s | ratio |"
    );
    println!("|---|---|---|---|---|---|");
    for log in [10, 12, 14, 16, 18, 20] {
        for inverse in [false, true] {
            let peers = [
                ("Radix2DFTSmallBatch", times(device, log, inverse, &Radix2DFTSmallBatch::default())?),
                ("Radix2DitParallel", times(device, log, inverse, &Radix2DitParallel::default())?),
                ("Radix2Dit", times(device, log, inverse, &Radix2Dit::default())?),
                ("Radix2Bowers", times(device, log, inverse, &Radix2Bowers)?),
            ];
            let fastest = peers.iter().min_by(|a, b| a.1.1.total_cmp(&b.1.1)).ok_or("there are peers")?;
            let (name, (ours, peer)) = fastest;
            let rate = |seconds: &f64| ELEMENTS as f64 / seconds / 1e6;
            println!(
                "| 2^{log}{} | {} | {:.1} | `{name}` | {:.1} | {:.2} |",
                if inverse { ", inverse" } else { "" },
                device.describe(),
                rate(ours),
                rate(peer),
                peer / ours
            );
        }
    }
    Ok(())
}

/// Seconds of ours and of the peer for as many transforms as there are elements for.
fn times<D: TwoAdicSubgroupDft<Goldilocks>>(
    device: &Device,
    log: u32,
    inverse: bool,
    dft: &D,
) -> Result<(f64, f64), Box<dyn Error>> {
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
    Ok(side_by_side(
        ROUNDS,
        || (0..ELEMENTS >> log).for_each(|_| transform(black_box(&mut ours))),
        || (0..ELEMENTS >> log).for_each(|_| of_peer(black_box(&mut theirs))),
    ))
}
