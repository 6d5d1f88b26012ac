//! Noise on an aggregate: three parties' counts are added up, and what is released is differentially private.

use veilgrid_kernels::{Device, Laplace, Seed, noise, ring};

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let device = Device::cpu()?;
    let mut totals = vec![0u64; 1000];
    for party in 1..=3 {
        ring::add(&device, &mut totals, &vec![party; 1000])?;
    }

    // One person changes one count by one: scale 10 is epsilon 0.1.
    let law = Laplace::new(10, 1)?;
    noise::laplace_add(&device, &law, &mut Seed::random()?.stream(0), &mut totals)?;

    // Noised counts may be negative. Their mean is near 6: the noise of 1000 has a deviation of 14 / sqrt(1000).
    let mean = totals.iter().map(|total| *total as i64).sum::<i64>() as f64 / 1000.0;
    assert!((mean - 6.0).abs() < 5.0);
    Ok(())
}
