//! Holds a document against the schema of its kind: unknown, missing and empty fields, wrong types, unknown words.
//!
//! The schema is the one that `kubectl explain` shows, so the command line and the API server refuse the same things.
//! Unlike a deserialiser this tells every fault, each with its place.

use crate::{
    fault::quoted,
    yaml::{Node, Tree},
};
use serde_json::Value;

/// A fault of the shape of a document.
pub(crate) struct ShapeFault {
    pub(crate) path: String,
    pub(crate) line: u32,
    pub(crate) problem: String,
    pub(crate) remedy: String,
}

/// Told at most for one document.
const FAULTS: usize = 200;

/// Every fault of `node` against `schema`, up to a few hundred.
pub(crate) fn check(node: &Node, schema: &Value) -> Vec<ShapeFault> {
    let mut checker = Checker { faults: Vec::new() };
    checker.node(node, schema, "");
    checker.faults
}

struct Checker {
    faults: Vec<ShapeFault>,
}

impl Checker {
    fn tell(&mut self, path: &str, line: u32, problem: impl Into<String>, remedy: impl Into<String>) {
        if self.faults.len() < FAULTS {
            self.faults.push(ShapeFault {
                path: path.into(),
                line,
                problem: problem.into(),
                remedy: remedy.into(),
            });
        }
    }

    fn node(&mut self, node: &Node, schema: &Value, path: &str) {
        if schema["x-kubernetes-int-or-string"] == Value::Bool(true) {
            return self.int_or_string(node, path);
        }
        let Some(expected) = schema["type"].as_str() else { return };
        match (&node.tree, expected) {
            (Tree::Null, _) => {
                let empty = expected == "object" && schema["required"].as_array().is_none_or(Vec::is_empty);
                let remedy = if empty {
                    "write `{}` after it, or remove the line"
                } else {
                    "write a value, or remove the line"
                };
                self.tell(path, node.line, "is empty", remedy);
            }
            (Tree::Map(_), "object") => self.map(node, schema, path),
            (Tree::List(items), "array") => {
                for (index, item) in items.iter().enumerate() {
                    self.node(item, &schema["items"], &format!("{path}[{index}]"));
                }
            }
            (Tree::Text(text), "string") => self.word(node.line, text, schema, path),
            (Tree::Bool(_), "boolean") | (Tree::Number(_), "number") => {}
            (Tree::Number(number), "integer") => self.integer(node.line, number, schema, path),
            (tree, _) => {
                let (problem, remedy) = mismatch(tree, expected);
                self.tell(path, node.line, problem, remedy);
            }
        }
    }

    fn map(&mut self, node: &Node, schema: &Value, path: &str) {
        let Tree::Map(entries) = &node.tree else { return };
        let known = schema["properties"].as_object();
        let extra = &schema["additionalProperties"];
        for entry in entries {
            let field = join(path, &entry.key);
            match known.and_then(|known| known.get(&entry.key)) {
                Some(inner) => self.node(&entry.value, inner, &field),
                None if extra.is_object() => self.node(&entry.value, extra, &field),
                None => {
                    let names: Vec<&str> =
                        known.into_iter().flatten().map(|(name, _)| name.as_str()).collect();
                    self.tell(&field, entry.line, "unknown field", advice(&entry.key, &names));
                }
            }
        }
        for name in schema["required"].as_array().into_iter().flatten().filter_map(Value::as_str) {
            if !entries.iter().any(|entry| entry.key == name) {
                self.tell(&join(path, name), node.line, "is missing", format!("write `{name}: ...`"));
            }
        }
    }

    fn word(&mut self, line: u32, text: &str, schema: &Value, path: &str) {
        let words: Vec<&str> =
            schema["enum"].as_array().into_iter().flatten().filter_map(Value::as_str).collect();
        if !words.is_empty() && !words.contains(&text) {
            self.tell(path, line, format!("{} is not known here", quoted(text)), advice(text, &words));
        }
    }

    fn integer(&mut self, line: u32, number: &serde_json::Number, schema: &Value, path: &str) {
        let value = number.as_i64().map(i128::from).or(number.as_u64().map(i128::from));
        let Some(value) = value else {
            return self.tell(path, line, format!("{number} is not a whole number"), "write digits only");
        };
        let bound = |name: &str| schema[name].as_i64().map(i128::from);
        let (min, max) =
            (bound("minimum").unwrap_or(i64::MIN.into()), bound("maximum").unwrap_or(i64::MAX.into()));
        if value < min || value > max {
            self.tell(path, line, format!("is {value}"), format!("write a whole number from {min} to {max}"));
        }
    }

    fn int_or_string(&mut self, node: &Node, path: &str) {
        match &node.tree {
            Tree::Text(_) => {}
            Tree::Number(number) if number.is_i64() => {}
            Tree::Number(number) => {
                let problem = format!("{number} is not a whole number");
                self.tell(path, node.line, problem, format!("write it in quotes: \"{number}\""));
            }
            tree => {
                let (_, remedy) = mismatch(tree, "string");
                self.tell(path, node.line, format!("is {}, not a whole number or text", name(tree)), remedy);
            }
        }
    }
}

/// `path.field`, or `field` at the top. A field that nobody knows may hold any character.
fn join(path: &str, field: &str) -> String {
    let field = field.escape_debug();
    if path.is_empty() { field.to_string() } else { format!("{path}.{field}") }
}

fn name(tree: &Tree) -> &'static str {
    match tree {
        Tree::Null => "empty",
        Tree::Bool(_) => "true or false",
        Tree::Number(_) => "a number",
        Tree::NotFinite => "not a finite number",
        Tree::Odd(_) => "a word that is read in different ways",
        Tree::Text(_) => "text",
        Tree::List(_) => "a list",
        Tree::Map(_) => "a mapping",
    }
}

fn mismatch(tree: &Tree, expected: &str) -> (String, String) {
    let wanted = match expected {
        "object" => "a mapping",
        "array" => "a list",
        "string" => "text",
        "boolean" => "true or false",
        "integer" => "a whole number",
        _ => "a number",
    };
    let problem = format!("is {}, not {wanted}", name(tree));
    let remedy = match (tree, expected) {
        (Tree::Odd(word), "string") => {
            format!("write it in quotes, \"{word}\": Kubernetes reads the bare word as something else")
        }
        (Tree::Number(_) | Tree::Bool(_) | Tree::NotFinite, "string") => "write it in quotes".into(),
        (Tree::NotFinite, _) => "write a finite number".into(),
        (Tree::Odd(_), "number" | "integer") => "write plain decimal digits".into(),
        (Tree::Odd(_), "boolean") => "write true or false".into(),
        (Tree::Text(text), "number" | "integer") if text.parse::<f64>().is_ok() => "remove the quotes".into(),
        (_, "object") => "write `field: value` lines below it, indented".into(),
        (_, "array") => "write `- item` lines below it, or `[item, item]`".into(),
        _ => format!("write {wanted}"),
    };
    (problem, remedy)
}

/// Names the word that was meant, or all that there are.
pub(crate) fn advice(word: &str, known: &[&str]) -> String {
    let near = known.iter().map(|name| (distance(word, name), *name)).min();
    match near {
        Some((distance, name)) if distance <= name.len().min(word.len()) / 3 => {
            format!("did you mean `{name}`?")
        }
        _ if known.is_empty() => "remove it".into(),
        _ => format!("known are {}", known.join(", ")),
    }
}

/// Edits between two words, letter case counted as nothing.
fn distance(a: &str, b: &str) -> usize {
    let fold = |text: &str| text.chars().take(64).flat_map(char::to_lowercase).collect::<Vec<_>>();
    let (a, b) = (fold(a), fold(b));
    let mut row: Vec<usize> = (0..=b.len()).collect();
    for (i, x) in a.iter().enumerate() {
        let mut diagonal = row[0];
        row[0] = i + 1;
        for (j, y) in b.iter().enumerate() {
            let substituted = diagonal + usize::from(x != y);
            diagonal = row[j + 1];
            row[j + 1] = substituted.min(row[j] + 1).min(diagonal + 1);
        }
    }
    row[b.len()]
}
