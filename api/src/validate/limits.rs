//! Lengths, counts and ranges, read off the schema: what `kubectl explain` shows is what is checked.

use crate::{
    fault::Fault,
    manifest::{Kind, Object},
    schema,
};
use serde::Serialize;
use serde_json::Value;

/// Tells each field of the spec that is too long, too short or out of range.
pub(super) fn check<Spec: Kind + Serialize>(object: &Object<Spec>, faults: &mut Vec<Fault>) {
    let Ok(value) = serde_json::to_value(&object.spec) else { return };
    walk(object, &value, schema::of::<Spec>(), "spec", faults);
}

fn walk<Spec: Kind>(
    object: &Object<Spec>,
    value: &Value,
    schema: &Value,
    path: &str,
    faults: &mut Vec<Fault>,
) {
    let count = |name: &str| schema[name].as_u64();
    let mut tell = |problem: String, remedy: String| faults.push(object.fault(path, problem, remedy));
    match value {
        Value::String(text) => {
            let length = text.chars().count() as u64;
            if let Some((problem, remedy)) =
                outside(length, count("minLength"), count("maxLength"), "characters")
            {
                tell(problem, remedy);
            }
        }
        Value::Array(items) => {
            if let Some((problem, remedy)) =
                outside(items.len() as u64, count("minItems"), count("maxItems"), "items")
            {
                tell(problem, remedy);
            }
            for (index, item) in items.iter().enumerate() {
                walk(object, item, &schema["items"], &format!("{path}[{index}]"), faults);
            }
        }
        Value::Object(fields) => {
            if let Some((problem, remedy)) =
                outside(fields.len() as u64, None, count("maxProperties"), "members")
            {
                tell(problem, remedy);
            }
            for (name, field) in fields {
                let known = schema["properties"].get(name).unwrap_or(&schema["additionalProperties"]);
                walk(object, field, known, &format!("{path}.{name}"), faults);
            }
        }
        Value::Number(number) => {
            let (min, max) = (&schema["minimum"], &schema["maximum"]);
            let value = number.as_f64().unwrap_or(f64::NAN);
            let low = min.as_f64().is_some_and(|min| value < min);
            let high = max.as_f64().is_some_and(|max| value > max);
            if low || high {
                let most = if max.is_null() { String::new() } else { format!(" to {}", shown(max)) };
                tell(
                    format!("is {}", shown(&value.into())),
                    format!("write a number from {}{most}", shown(min)),
                );
            }
        }
        // A float that JSON cannot hold.
        Value::Null if schema["type"] == "number" => {
            tell("is not a finite number".into(), "write a finite number".into());
        }
        Value::Null | Value::Bool(_) => {}
    }
}

fn outside(count: u64, min: Option<u64>, max: Option<u64>, what: &str) -> Option<(String, String)> {
    let problem = format!("has {count} {what}");
    match (min, max) {
        (Some(min), Some(max)) if min == max && count != min => Some((problem, format!("write {min}"))),
        (Some(min), _) if count < min => Some((problem, format!("write at least {min}"))),
        (_, Some(max)) if count > max => Some((problem, format!("write at most {max}"))),
        _ => None,
    }
}

/// A number without a needless point; very small and very large ones with an exponent.
fn shown(number: &Value) -> String {
    match number.as_f64() {
        Some(value) if value.fract() == 0.0 && value.abs() < 1e16 => format!("{value}"),
        Some(value) if value != 0.0 && !(1e-6..1e16).contains(&value.abs()) => format!("{value:e}"),
        Some(value) => format!("{value}"),
        None => "0".into(),
    }
}
