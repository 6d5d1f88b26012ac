//! What is wrong with a manifest, where, and what to do about it.

use serde::Serialize;
use std::fmt;

/// One fault of a manifest. Faults are collected, so that a user sees all of them at once.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Fault {
    /// The object: `PrivateJob default/hospitals`; `document 2` where it has no name; empty for the file itself.
    pub object: String,
    /// The field: `spec.statistics[2].weight`; empty for the object itself.
    pub path: String,
    /// What is wrong.
    pub problem: String,
    /// What to do.
    pub remedy: String,
    /// The line in the file, from 1, where it is known.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub line: Option<u32>,
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(line) = self.line {
            write!(f, "line {line}: ")?;
        }
        for part in [&self.object, &self.path] {
            if !part.is_empty() {
                write!(f, "{part}: ")?;
            }
        }
        write!(f, "{}; {}", self.problem, self.remedy)
    }
}

/// A text of a manifest as a message shows it: in quotes, escaped, cut where it is long.
pub(crate) fn quoted(text: &str) -> String {
    const SHOWN: usize = 60;
    match text.char_indices().nth(SHOWN) {
        Some((end, _)) => format!("{:?} and more", &text[..end]),
        None => format!("{text:?}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_as_one_line() {
        let fault = Fault {
            object: "PrivateJob default/a".into(),
            path: "spec.privacy.epsilon".into(),
            problem: "is 0".into(),
            remedy: "write more than 0".into(),
            line: Some(7),
        };
        let text = "line 7: PrivateJob default/a: spec.privacy.epsilon: is 0; write more than 0";
        assert_eq!(fault.to_string(), text);
        assert_eq!(quoted("a\nb"), "\"a\\nb\"");
        assert!(quoted(&"é".repeat(1000)).len() < 200);
    }
}
