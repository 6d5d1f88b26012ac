//! `quantiles`: the values below which given shares of the rows lie, read off a noisy cumulative histogram. One
//! component, a histogram's; what is read off it costs nothing more.

use crate::limits::{COLUMN_NAME, EDGES, PROBABILITIES};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Quantiles of one number column, read off a noisy cumulative histogram.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Quantiles {
    /// A `number` column of every dataset.
    #[schemars(length(min = 1, max = COLUMN_NAME))]
    pub column: String,
    /// Rising edges, as for a histogram. More edges give a finer answer with more noise.
    #[schemars(length(min = 2, max = EDGES), extend("x-kubernetes-validations" = [
        {"rule": "self.isSorted()", "message": "sort the edges, each once"},
    ]))]
    pub edges: Vec<f64>,
    /// The shares of rows, from 0.000001 to 0.999999, rising, in whole millionths.
    #[serde(default = "default_probabilities")]
    #[schemars(
        length(min = 1, max = PROBABILITIES),
        inner(range(min = 0.000001, max = 0.999999)),
        extend("x-kubernetes-validations" = [{"rule": "self.isSorted()", "message": "sort the probabilities, each once"}])
    )]
    pub probabilities: Vec<f64>,
}

fn default_probabilities() -> Vec<f64> {
    vec![0.25, 0.5, 0.75]
}

/// Millionths in one.
const MILLION: u32 = 1_000_000;

/// A probability in millionths; `None` where it is not strictly between 0 and 1 or needs more digits.
pub(crate) fn millionths(probability: f64) -> Option<u32> {
    let scaled = (probability * f64::from(MILLION)).round();
    let fits = scaled > 0.0 && scaled < f64::from(MILLION);
    // The nearest float to a decimal of six digits is what dividing gives back.
    (fits && scaled / f64::from(MILLION) == probability).then_some(scaled as u32)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn probabilities_are_whole_millionths() {
        for millionth in 1..MILLION {
            let text = format!("0.{millionth:06}");
            assert_eq!(millionths(text.parse().unwrap()), Some(millionth));
        }
        for other in [0.0, 1.0, -0.5, f64::NAN, f64::INFINITY, 1e-7, 0.1234567] {
            assert_eq!(millionths(other), None, "{other}");
        }
    }
}
