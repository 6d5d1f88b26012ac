//! A million elements masked by one party, and unmasked by the one that shares its key.

use veilgrid_kernels::{Device, Seed, mask};

fn main() -> Result<(), Box<dyn std::error::Error>> {
    // The best vector level of this CPU; `Device::open` takes a GPU where there is one.
    let device = Device::cpu()?;
    let seed = Seed::random()?;
    let copy = Seed::from_bytes(*seed.expose());

    let mut data: Vec<u64> = (0..1_000_000).collect();
    mask::add(&device, &mut data, &mut seed.stream(1))?;
    assert_ne!(data[..4], [0, 1, 2, 3]);
    mask::sub(&device, &mut data, &mut copy.stream(1))?;
    assert!(data.into_iter().eq(0..1_000_000));
    Ok(())
}
