//! Conditions: what an operator says of an object, one statement of each type.

use crate::limits::GENERATION;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// The most characters of a message; a longer one is cut.
pub const MESSAGE: usize = 2048;

/// One statement about an object, in the form of Kubernetes' own conditions.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Condition {
    /// What is stated, such as `Accepted`.
    #[schemars(length(min = 1, max = 64))]
    #[serde(rename = "type")]
    pub kind: String,
    /// Whether it is so.
    pub status: Truth,
    /// The generation of the spec that it was seen for.
    #[schemars(range(min = 0, max = GENERATION))]
    pub observed_generation: i64,
    /// When the status last changed.
    #[schemars(length(max = 64))]
    pub last_transition_time: String,
    /// Why, as one word of a closed list.
    #[schemars(length(min = 1, max = 64))]
    pub reason: String,
    /// Why, for people.
    #[schemars(length(max = MESSAGE))]
    pub message: String,
}

/// What is known of a statement.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub enum Truth {
    /// It holds.
    True,
    /// It does not hold.
    False,
    /// Not known yet.
    Unknown,
}

/// Puts a condition in place of the one of its type. The time of change stays where the status does; says whether
/// anything changed.
pub fn set(conditions: &mut Vec<Condition>, mut desired: Condition) -> bool {
    if let Some((end, _)) = desired.message.char_indices().nth(MESSAGE) {
        desired.message.truncate(end);
    }
    match conditions.iter_mut().find(|condition| condition.kind == desired.kind) {
        None => {
            conditions.push(desired);
            true
        }
        Some(present) => {
            if present.status == desired.status {
                desired.last_transition_time.clone_from(&present.last_transition_time);
            }
            let changed = *present != desired;
            *present = desired;
            changed
        }
    }
}

/// The condition of a type.
pub fn find<'a>(conditions: &'a [Condition], kind: &str) -> Option<&'a Condition> {
    conditions.iter().find(|condition| condition.kind == kind)
}

/// The condition of a type, where it holds.
pub fn holds<'a>(conditions: &'a [Condition], kind: &str) -> Option<&'a Condition> {
    find(conditions, kind).filter(|condition| condition.status == Truth::True)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn condition(status: Truth, time: &str, reason: &str) -> Condition {
        Condition {
            kind: "Accepted".into(),
            status,
            observed_generation: 1,
            last_transition_time: time.into(),
            reason: reason.into(),
            message: String::new(),
        }
    }

    #[test]
    fn time_changes_with_the_status_only() {
        let mut conditions = Vec::new();
        assert!(set(&mut conditions, condition(Truth::False, "t1", "A")));
        assert!(!set(&mut conditions, condition(Truth::False, "t2", "A")));
        assert!(set(&mut conditions, condition(Truth::False, "t2", "B")));
        assert_eq!(conditions[0].last_transition_time, "t1");
        assert!(set(&mut conditions, condition(Truth::True, "t3", "C")));
        assert_eq!((conditions.len(), conditions[0].last_transition_time.as_str()), (1, "t3"));
        assert!(holds(&conditions, "Accepted").is_some() && holds(&conditions, "Failed").is_none());
    }

    #[test]
    fn long_messages_are_cut_at_a_character() {
        let mut conditions = Vec::new();
        let message = "é".repeat(MESSAGE + 1);
        set(&mut conditions, Condition { message, ..condition(Truth::True, "t", "A") });
        assert_eq!(conditions[0].message.chars().count(), MESSAGE);
    }
}
