//! Shamir with a lost party, and with one that lies.

use veilgrid_kernels::shamir::Scheme;
use veilgrid_kernels::{Device, Field, M61, Seed};

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let device = Device::cpu()?;
    let secret: Vec<M61> = (0..1000).filter_map(M61::new).collect();

    // Five parties, of which two learn nothing and three can reconstruct.
    let scheme = Scheme::<M61>::new(5, 2)?;
    let mut shares = vec![M61::ZERO; 5 * secret.len()];
    scheme.split(&device, &secret, &mut Seed::random()?.stream(0), &mut shares)?;
    let share = |party: usize| &shares[(party - 1) * secret.len()..party * secret.len()];

    // Party 2 is lost: parties 1, 4 and 5 give it its share back.
    let mut lost = vec![M61::ZERO; secret.len()];
    let weights = scheme.share_from(2, &[1, 4, 5])?;
    weights.reconstruct(&device, &[share(1), share(4), share(5)], &mut lost)?;
    assert!(lost == share(2));

    // Party 4 lies about one element. With two shares more than are needed that is found, named and corrected.
    let mut lie = share(4).to_vec();
    lie[123] = M61::ONE;
    let everyone = [share(1), &lost, share(3), &lie, share(5)];
    let decoder = scheme.decoder(&[1, 2, 3, 4, 5])?;
    assert_eq!(decoder.misfits(&device, &everyone)?, [123]);
    let mut opened = vec![M61::ZERO; secret.len()];
    assert_eq!(decoder.correct(&device, &everyone, &mut opened)?, [4]);
    assert!(opened == secret);
    Ok(())
}
