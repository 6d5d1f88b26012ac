//! `count`: rows, with the exact law of their noise.

use super::{CONFIDENCE, Laws, Noisy, Span, Value};

pub(super) fn answer(rows: &Noisy<'_>, laws: &mut Laws) -> Value {
    let half_width = laws.half_width(rows.scale, 1, CONFIDENCE);
    Value::new(rows.sum(), Span::around(rows.sum(), half_width))
}
