//! The discrete Gaussian law.

use super::{Law, Sampled, Sampler, Table};
use crate::KernelError;
use crate::thresholds;
use num_bigint::BigUint;

/// The greatest variance that one draw has.
const WIDEST: u32 = 144;
/// A table whose draws are added has a variance of at least `16 * 7 / 3`: each draw multiplies the variance of those
/// before it by 16 at most, and 7/3 is what then suffices for the lattice to be smooth.
const SMOOTH: (u32, u32) = (112, 3);

/// The discrete Gaussian law: `P(x)` is proportional to `exp(-x^2 / 2 s^2)` for every integer `x`, where `s` is its scale
/// (Canonne, Kamath and Steinke 2020).
///
/// Up to scale 12 a sample is one draw from a table. Beyond, it is the sum of several, each times a weight, from the
/// table of a narrower Gaussian: convolution, as in Micciancio and Walter 2017.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Gaussian(Table);

impl Gaussian {
    /// The law of scale `numerator / denominator`, from 1/8 to 2^40.
    ///
    /// # Errors
    /// [`KernelError::Scale`].
    pub fn new(numerator: u64, denominator: u64) -> Result<Gaussian, KernelError> {
        let (n, d) = (u128::from(numerator), u128::from(denominator));
        if d == 0 || 8 * n < d || n > d << 40 {
            return Err(KernelError::Scale { numerator, denominator });
        }
        let squared = |x: u64| BigUint::from(x) * x;
        let (n, d) = (squared(numerator), squared(denominator));
        let weights = weights(&n, &d);
        let squares: BigUint = weights.iter().map(|weight| squared(*weight)).sum();
        let thresholds = thresholds::gaussian(&n, &(d * squares));
        Ok(Gaussian(Table::new(thresholds, true, weights)))
    }

    /// A draw's size is the number of these that its word is below; the one at `j - 1` is `2 floor(2^63 P(|X| >= j))`,
    /// where `X` is discrete Gaussian with the square of the scale divided by the sum of the squares of the weights.
    /// An odd word makes it negative.
    pub fn thresholds(&self) -> &[u64] {
        self.0.thresholds()
    }

    /// A sample is the sum of as many draws, each times its weight.
    pub fn weights(&self) -> &[u64] {
        self.0.weights()
    }
}

/// The weights for variance n / d: 1, 3, 12, 48, ..., as few as leave the draws a variance of 144 or less, the last one
/// smaller where it would leave less than 112/3.
fn weights(n: &BigUint, d: &BigUint) -> Vec<u64> {
    let (mut weights, mut squares) = (vec![1u64], BigUint::from(1u32));
    while *n > d * WIDEST * &squares {
        let most = 3u64 << (2 * (weights.len() - 1));
        // squares + weight^2 <= 3 n / 112 d.
        let room = n * SMOOTH.1 / (d * SMOOTH.0) - &squares;
        let weight = u64::try_from(room.sqrt()).map_or(most, |weight| weight.min(most));
        squares += BigUint::from(weight) * weight;
        weights.push(weight);
    }
    weights
}

impl Sampled for Gaussian {
    fn sampler(&self) -> Sampler<'_> {
        Sampler::Table(&self.0)
    }
}

impl Law for Gaussian {
    /// Each draw's, and one for each addition.
    fn total_variation(&self) -> u64 {
        let draws = self.0.weights().len() as u64;
        draws * self.0.folded_variation() + draws - 1
    }
}
