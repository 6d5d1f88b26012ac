//! YAML text to trees that know their lines.
//!
//! The parser underneath only gives events; budgets on size, depth, nodes and alias copies are kept here, so that no
//! text can make the reader slow, large or deep. Scalars are resolved so that a file means here what it means to
//! `kubectl`: a plain word that only some YAML readers take for a truth value or a number is kept as [`Tree::Odd`] and
//! refused with the advice to quote it.

mod build;
mod scalar;

use serde_json::{Map, Number, Value};

/// A node of a document and the line where it starts, from 1.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Node {
    pub(crate) line: u32,
    pub(crate) tree: Tree,
}

/// What a node holds.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Tree {
    Null,
    Bool(bool),
    Number(Number),
    /// Infinity or not a number.
    NotFinite,
    /// A plain word that YAML readers do not agree on, such as `yes` or `010`.
    Odd(String),
    Text(String),
    List(Vec<Node>),
    /// Keys are unique, in file order.
    Map(Vec<Entry>),
}

/// A key, the line of the key, its value.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Entry {
    pub(crate) key: String,
    pub(crate) line: u32,
    pub(crate) value: Node,
}

/// A fault of the YAML itself.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct YamlFault {
    pub(crate) line: Option<u32>,
    pub(crate) problem: String,
    pub(crate) remedy: String,
}

/// The documents of a text that could be read, empty ones left out, and what was wrong with the others.
pub(crate) fn read(text: &str) -> (Vec<Node>, Vec<YamlFault>) {
    build::read(text)
}

impl Node {
    /// The value of a key, where this is a mapping that has it.
    pub(crate) fn get(&self, key: &str) -> Option<&Node> {
        match &self.tree {
            Tree::Map(entries) => entries.iter().find(|entry| entry.key == key).map(|entry| &entry.value),
            _ => None,
        }
    }

    /// The text, where this is one.
    pub(crate) fn text(&self) -> Option<&str> {
        match &self.tree {
            Tree::Text(text) => Some(text),
            _ => None,
        }
    }

    /// The line of a field, `spec.columns[3].name`, or of the nearest thing around it that is there.
    pub(crate) fn line_of(&self, path: &str) -> u32 {
        let (mut node, mut line) = (self, self.line);
        for step in path.split(['.', '[']).filter(|step| !step.is_empty()) {
            match (&node.tree, step.strip_suffix(']')) {
                (Tree::List(items), Some(index)) => {
                    match index.parse::<usize>().ok().and_then(|i| items.get(i)) {
                        Some(item) => (node, line) = (item, item.line),
                        None => return line,
                    }
                }
                (Tree::Map(entries), None) => match entries.iter().find(|entry| entry.key == step) {
                    Some(entry) => (node, line) = (&entry.value, entry.line),
                    None => return line,
                },
                _ => return line,
            }
        }
        line
    }

    /// As JSON; what JSON cannot hold becomes null.
    pub(crate) fn to_json(&self) -> Value {
        match &self.tree {
            Tree::Null | Tree::NotFinite | Tree::Odd(_) => Value::Null,
            Tree::Bool(value) => Value::Bool(*value),
            Tree::Number(value) => Value::Number(value.clone()),
            Tree::Text(text) => Value::String(text.clone()),
            Tree::List(items) => Value::Array(items.iter().map(Node::to_json).collect()),
            Tree::Map(entries) => Value::Object(
                entries.iter().map(|e| (e.key.clone(), e.value.to_json())).collect::<Map<_, _>>(),
            ),
        }
    }
}
