//! `quantiles`: values below which shares of the rows lie, read off a noisy cumulative histogram.
//!
//! The estimate makes the cumulative counts rise (least squares, by pooling adjacent violators), and interpolates
//! within the bin where they pass the share of all rows.
//!
//! The interval needs a bound on the noise at all edges at once. With `E_j` the noise of the rows below edge `j`, and `E`
//! that of all rows, rows below the edge less the share `p` of all rows carry the noise
//! `(1 - p) E_j - p (E - E_j)`. Both `E_j` and `E - E_j` are sums of symmetric independent terms, so by Lévy's inequality the
//! largest of either exceeds `t` with at most twice the probability that `|E|` does. With `P(|E| > t) <= 5 % / 4` both stay
//! within `t` at every edge with 95 %, and so does their mixture, for every share: an edge with more than `t` too few
//! rows is at or below the quantile, one with more than `t` too many is above it.

use super::{CONFIDENCE, Domain, Laws, Noisy, Span, Value};

pub(super) fn answer(
    domain: Domain,
    edges: &[i64],
    probabilities: &[u32],
    bins: &Noisy<'_>,
    laws: &mut Laws,
) -> Vec<Value> {
    let confidence = 1.0 - (1.0 - CONFIDENCE) / 4.0;
    let half_width = laws.half_width(bins.scale, bins.cells.len() as u64, confidence);
    let edges: Vec<f64> = edges.iter().map(|edge| *edge as f64).collect();
    let mut below = vec![0.0];
    for rows in &bins.cells {
        below.push(below[below.len() - 1] + rows);
    }
    let rising = rising(&below[1..]);
    probabilities
        .iter()
        .map(|millionths| {
            let share = f64::from(*millionths) / 1e6;
            let value = interpolate(&edges, &rising, share).max(domain.min).min(domain.max);
            let interval = enclose(domain, &edges, &below, share, half_width);
            let value = Value::new(value * domain.unit, interval.times(domain.unit));
            Value { probability: Some(share), ..value }
        })
        .collect()
}

/// The nearest sequence that never falls nor is negative, in least squares.
fn rising(values: &[f64]) -> Vec<f64> {
    // Blocks of equal values: their mean and how many there are.
    let mut blocks: Vec<(f64, usize)> = Vec::with_capacity(values.len());
    for value in values {
        let mut block = (*value, 1);
        while let Some((mean, count)) = blocks.pop_if(|(mean, _)| *mean >= block.0) {
            let (left, right) = (count as f64, block.1 as f64);
            block = ((mean * left + block.0 * right) / (left + right), count + block.1);
        }
        blocks.push(block);
    }
    blocks.into_iter().flat_map(|(mean, count)| std::iter::repeat_n(mean.max(0.0), count)).collect()
}

/// Where the rising counts pass the share; the middle of the edges where no rows are seen.
fn interpolate(edges: &[f64], rising: &[f64], share: f64) -> f64 {
    let all = rising.last().copied().unwrap_or(0.0);
    let (first, last) = (edges[0], edges[edges.len() - 1]);
    if all <= 0.0 {
        return first + (last - first) / 2.0;
    }
    let target = share * all;
    let bin = rising.partition_point(|rows| *rows < target).min(rising.len() - 1);
    let from = if bin == 0 { 0.0 } else { rising[bin - 1] };
    let part = if rising[bin] > from { (target - from) / (rising[bin] - from) } else { 0.0 };
    edges[bin] + part * (edges[bin + 1] - edges[bin])
}

/// Between the last edge that is surely not above the quantile and the first that surely is; the column's bounds stand
/// outside of all edges, since the outermost bins hold what lies beyond them.
fn enclose(domain: Domain, edges: &[f64], below: &[f64], share: f64, half_width: f64) -> Span {
    let target = share * below[below.len() - 1];
    let inner = 1..edges.len() - 1;
    let low = inner.clone().rev().find(|j| below[*j] + half_width < target).map_or(domain.min, |j| edges[j]);
    let high = inner.clone().find(|j| below[*j] - half_width > target).map_or(domain.max, |j| edges[j]);
    // Where both hold of crossing edges the noise is beyond its bound; the interval then stays in order.
    Span { low: low.min(high), high: high.max(low) }
}
