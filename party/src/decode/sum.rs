//! `sum`: a column's values added up, with the exact law of their noise.

use super::{CONFIDENCE, Domain, Laws, Noisy, Span, Value};

pub(super) fn answer(domain: Domain, sum: &Noisy<'_>, laws: &mut Laws) -> Value {
    let half_width = laws.half_width(sum.scale, 1, CONFIDENCE);
    Value::new(sum.sum() * domain.unit, Span::around(sum.sum(), half_width).times(domain.unit))
}
