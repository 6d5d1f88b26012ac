//! `histogram`: rows of each bin, each with the exact law of its noise.

use super::{CONFIDENCE, Domain, Laws, Noisy, Span, Value};

pub(super) fn answer(domain: Domain, edges: &[i64], bins: &Noisy<'_>, laws: &mut Laws) -> Vec<Value> {
    let half_width = laws.half_width(bins.scale, 1, CONFIDENCE);
    edges
        .windows(2)
        .zip(&bins.cells)
        .map(|(edges, rows)| {
            let bin = [edges[0] as f64 * domain.unit, edges[1] as f64 * domain.unit];
            Value { bin: Some(bin), ..Value::new(*rows, Span::around(*rows, half_width)) }
        })
        .collect()
}
