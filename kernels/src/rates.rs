//! A quick measure of a device, for a listing. Not a benchmark: `benches/` has those.

use crate::{Device, KernelError, Laplace, Seed, chacha, noise, ring};
use std::time::Instant;

/// How fast a device did a small, fixed amount of work, transfers included.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Rates {
    /// Keystream, 10^9 bytes a second.
    pub keystream_gb_s: f64,
    /// Addition modulo 2^64, 10^9 bytes of the result a second.
    pub add_gb_s: f64,
    /// Discrete Laplace samples of scale 10, 10^6 a second.
    pub laplace_m_s: f64,
}

const BYTES: usize = 4 << 20;
const ROUNDS: usize = 3;

impl Device {
    /// Works for a few milliseconds on a CPU and says how fast.
    ///
    /// # Errors
    /// A GPU that fails.
    pub fn quick_rate(&self) -> Result<Rates, KernelError> {
        let mut words = vec![1u64; BYTES / 8];
        let other = vec![1u64; BYTES / 8];
        let mut samples = vec![0i64; BYTES / 64];
        let law = Laplace::new(10, 1)?;
        let mut stream = Seed::from_bytes([0; 32]).stream(0);
        let keystream =
            seconds(|| chacha::keystream(self, &mut stream, bytemuck::cast_slice_mut(&mut words)))?;
        let add = seconds(|| ring::add(self, &mut words, &other))?;
        let laplace = seconds(|| noise::laplace_fill(self, &law, &mut stream, &mut samples))?;
        Ok(Rates {
            keystream_gb_s: BYTES as f64 / keystream / 1e9,
            add_gb_s: BYTES as f64 / add / 1e9,
            laplace_m_s: samples.len() as f64 / laplace / 1e6,
        })
    }
}

/// The least time of a few rounds, after one to warm up.
fn seconds(mut work: impl FnMut() -> Result<(), KernelError>) -> Result<f64, KernelError> {
    work()?;
    let mut least = f64::INFINITY;
    for _ in 0..ROUNDS {
        let start = Instant::now();
        work()?;
        least = least.min(start.elapsed().as_secs_f64());
    }
    Ok(least)
}
