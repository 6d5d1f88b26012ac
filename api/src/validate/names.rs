//! Names of objects and of parties.

use crate::{
    fault::{Fault, quoted},
    manifest::{Kind, Object},
};

/// Tells a name that is not a DNS label. Its length is the schema's matter.
pub(super) fn label<Spec: Kind>(object: &Object<Spec>, path: &str, name: &str, faults: &mut Vec<Fault>) {
    if !name.is_empty() && !is_label(name) {
        let problem = format!("{} is not a name", quoted(name));
        faults.push(object.fault(
            path,
            problem,
            "use lower-case letters, digits and `-`, with no `-` at either end",
        ));
    }
}

/// Tells names of the object itself that Kubernetes would not take.
pub(super) fn metadata<Spec: Kind>(object: &Object<Spec>, faults: &mut Vec<Fault>) {
    for (path, name) in [("metadata.name", &object.name), ("metadata.namespace", &object.namespace)] {
        if name.is_empty() || name.len() > 63 {
            let problem = format!("has {} characters", name.chars().count());
            faults.push(object.fault(path, problem, "write 1 to 63"));
        } else {
            label(object, path, name, faults);
        }
    }
}

/// Tells text that would garble a terminal or a report.
pub(super) fn printable<Spec: Kind>(object: &Object<Spec>, path: &str, text: &str, faults: &mut Vec<Fault>) {
    if text.chars().any(char::is_control) {
        let problem = format!("{} holds control characters", quoted(text));
        faults.push(object.fault(path, problem, "remove them"));
    }
}

pub(crate) fn is_label(name: &str) -> bool {
    let inner = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-';
    !name.starts_with('-') && !name.ends_with('-') && !name.is_empty() && name.bytes().all(inner)
}

/// The first place at which each repeated item stands again, with the place it repeats.
pub(super) fn repeats<T: Ord>(items: impl IntoIterator<Item = T>) -> Vec<(usize, usize)> {
    let mut first = std::collections::BTreeMap::new();
    let mut repeats = Vec::new();
    for (index, item) in items.into_iter().enumerate() {
        match first.get(&item) {
            Some(earlier) => repeats.push((index, *earlier)),
            None => {
                first.insert(item, index);
            }
        }
    }
    repeats
}
