//! Where two plans differ, for the party that has to find out why they do.

use super::Plan;
use serde_json::Value;
use std::collections::BTreeSet;

/// Paths told at most.
const MOST: usize = 32;

/// The field paths in which two plans differ, `statistics[2].epsilon`, without their values; at most 32 of them, the
/// last being `...` where there are more. Empty for equal plans.
pub fn differences(a: &Plan, b: &Plan) -> Vec<String> {
    let mut paths = Vec::new();
    if a != b {
        let value = |plan: &Plan| serde_json::to_value(plan).unwrap_or_default();
        walk(&value(a), &value(b), "", &mut paths);
    }
    if paths.len() > MOST {
        paths.truncate(MOST - 1);
        paths.push("...".into());
    }
    paths
}

fn walk(a: &Value, b: &Value, path: &str, paths: &mut Vec<String>) {
    if a == b || paths.len() > MOST {
        return;
    }
    match (a, b) {
        (Value::Object(a), Value::Object(b)) => {
            let names: BTreeSet<&String> = a.keys().chain(b.keys()).collect();
            for name in names {
                let inner = if path.is_empty() { name.clone() } else { format!("{path}.{name}") };
                walk(a.get(name).unwrap_or(&Value::Null), b.get(name).unwrap_or(&Value::Null), &inner, paths);
            }
        }
        (Value::Array(a), Value::Array(b)) => {
            for index in 0..a.len().max(b.len()) {
                let (a, b) = (a.get(index).unwrap_or(&Value::Null), b.get(index).unwrap_or(&Value::Null));
                walk(a, b, &format!("{path}[{index}]"), paths);
            }
        }
        _ => paths.push(path.to_owned()),
    }
}
