//! The API reference, `docs/api.md`: every kind, level and field, read off the definitions.

use super::definitions;
use k8s_openapi::apiextensions_apiserver::pkg::apis::apiextensions::v1::{
    CustomResourceDefinition, CustomResourceDefinitionVersion,
};
use serde_json::Value;
use std::fmt::{Display, Write};

const HEAD: &str = "# API reference

<!-- Generated: cargo run -p veilgrid-api --features crd --example crds -->

Every field of the four kinds of `veilgrid.dev/v1alpha1`, as the custom resource definitions have them: `kubectl explain` shows the same in a
cluster, `veilgrid schema` on one machine. [manifest.md](manifest.md) has a whole example of what people write and what it means.

There is a table for each object within a kind; what must be written comes first. *Never changes* marks a field that the API server keeps as it was
made. Rules are in CEL, after what a refusal says: those that name `oldSelf` hold when an object changes, the others whenever it is written. `veilgrid check` judges by
the same rules and by more, which need the objects that a job names. Nobody but the operator writes a status.
";

/// One object within a kind, with all the paths where it stands.
struct Level {
    paths: Vec<String>,
    schema: Value,
    description: Option<String>,
}

/// The reference as Markdown.
pub fn reference() -> String {
    let mut text = HEAD.to_owned();
    for definition in definitions() {
        for version in &definition.spec.versions {
            kind(&definition, version, &mut text);
        }
    }
    text
}

fn kind(definition: &CustomResourceDefinition, version: &CustomResourceDefinitionVersion, text: &mut String) {
    let names = &definition.spec.names;
    let schema = version.schema.as_ref().and_then(|schema| schema.open_api_v3_schema.as_ref());
    let schema = serde_json::to_value(schema).unwrap_or_default();
    let description = schema["description"].as_str().unwrap_or_default();
    line(text, format_args!("\n## {}\n\n{description}\n\n| | |\n|---|---|", names.kind));
    let list = |words: &Option<Vec<String>>| {
        words.iter().flatten().map(|word| format!("`{word}`")).collect::<Vec<_>>().join(", ")
    };
    line(text, format_args!("| `apiVersion` | `{}/{}` |", definition.spec.group, version.name));
    line(text, format_args!("| for `kubectl get` | `{}`, {} |", names.plural, list(&names.short_names)));
    line(text, format_args!("| all kinds together | {} |", list(&names.categories)));
    let status = version.subresources.as_ref().is_some_and(|served| served.status.is_some());
    line(text, format_args!("| subresources | {} |", if status { "`status`" } else { "none" }));
    line(text, format_args!("\n| column | field | |\n|---|---|---|"));
    for column in version.additional_printer_columns.iter().flatten() {
        let wide = if column.priority.unwrap_or(0) > 0 { "with `-o wide` only" } else { "" };
        let what = column.description.as_deref().unwrap_or(wide);
        line(
            text,
            format_args!("| {} | `{}` | {what} |", column.name, column.json_path.trim_start_matches('.')),
        );
    }
    let mut levels = Vec::new();
    for part in ["spec", "status"] {
        if schema["properties"][part].is_object() {
            visit(part.to_owned(), &schema["properties"][part], &mut levels);
        }
    }
    for level in &levels {
        self::level(&names.kind, level, &levels, text);
    }
}

/// Collects the objects at a path and below it. What stands in several places is one level.
fn visit(path: String, schema: &Value, levels: &mut Vec<Level>) {
    let (path, object) = within(path, schema);
    if !object["properties"].is_object() {
        return;
    }
    let bare = bare(object);
    if let Some(known) = levels.iter_mut().find(|level| level.schema == bare) {
        return known.paths.push(path);
    }
    let description = object["description"].as_str().map(str::to_owned);
    levels.push(Level { paths: vec![path.clone()], schema: bare, description });
    for (name, inner) in fields(object) {
        visit(format!("{path}.{name}"), inner, levels);
    }
}

/// The object that a list holds, or the schema itself.
fn within(mut path: String, mut schema: &Value) -> (String, &Value) {
    while schema["items"].is_object() {
        path += "[]";
        schema = &schema["items"];
    }
    (path, schema)
}

fn bare(schema: &Value) -> Value {
    let mut bare = schema.clone();
    if let Some(fields) = bare.as_object_mut() {
        fields.retain(|name, _| name != "description" && name != "default");
    }
    bare
}

/// The fields of an object, those that must be written first.
fn fields(schema: &Value) -> Vec<(&String, &Value)> {
    let mut fields: Vec<(&String, &Value)> = schema["properties"].as_object().into_iter().flatten().collect();
    fields.sort_by_key(|(name, _)| !is_required(schema, name));
    fields
}

fn is_required(schema: &Value, name: &str) -> bool {
    schema["required"].as_array().is_some_and(|required| required.iter().any(|field| field == name))
}

fn level(kind: &str, level: &Level, levels: &[Level], text: &mut String) {
    line(text, format_args!("\n### `{kind}.{}`\n", level.paths[0]));
    if let Some(description) = &level.description {
        line(text, format_args!("{}\n", prose(kind, description)));
    }
    if level.paths.len() > 1 {
        let others: Vec<String> = level.paths[1..].iter().map(|path| format!("`{path}`")).collect();
        line(text, format_args!("The same: {}.\n", others.join(", ")));
    }
    line(text, format_args!("| field | type | where absent | bounds | meaning |\n|---|---|---|---|---|"));
    let mut rules: Vec<(String, &Value)> =
        validations(&level.schema).map(|rule| (String::new(), rule)).collect();
    for (name, schema) in fields(&level.schema) {
        let absent = match &schema["default"] {
            _ if is_required(&level.schema, name) => "**required**".to_owned(),
            Value::Null => String::new(),
            default => format!("`{default}`"),
        };
        let path = format!("{}.{name}", level.paths[0]);
        let frozen = validations(&level.schema).any(|rule| freezes(rule, name));
        let meaning = meaning(kind, schema, if frozen { " *Never changes.*" } else { "" });
        let (kind_of, bounds) = (type_of(kind, path, schema, levels), cell(&bounds(schema)));
        line(text, format_args!("| `{name}` | {kind_of} | {absent} | {bounds} | {} |", cell(&meaning)));
        if !schema["properties"].is_object() {
            rules.extend(validations(schema).map(|rule| (format!("`{name}`: "), rule)));
        }
    }
    for (index, (field, rule)) in rules.iter().enumerate() {
        let (says, cel) = (says(rule), rule["rule"].as_str().unwrap_or_default());
        let first = if index == 0 { "\n" } else { "" };
        line(text, format_args!("{first}* {field}{says}: `{cel}`"));
    }
}

/// What a refusal says, after the field that it names; in CEL where the words depend on the object.
fn says(rule: &Value) -> String {
    let field = rule["fieldPath"].as_str().map(|path| format!("`{}`: ", path.trim_start_matches('.')));
    let expression = || format!("`{}`", rule["messageExpression"].as_str().unwrap_or_default());
    field.unwrap_or_default() + &rule["message"].as_str().map_or_else(expression, str::to_owned)
}

fn validations(schema: &Value) -> impl Iterator<Item = &Value> {
    schema["x-kubernetes-validations"].as_array().into_iter().flatten()
}

/// Whether the rule says that the field stays what it is.
fn freezes(rule: &Value, name: &str) -> bool {
    let rule = rule["rule"].as_str().unwrap_or_default();
    rule.match_indices(&format!("self.{name} == oldSelf.{name}")).any(|(at, found)| {
        !rule[at + found.len()..].starts_with(|next: char| next.is_ascii_alphanumeric() || next == '.')
    })
}

/// A type in words, with a link to the table of an object.
fn type_of(kind: &str, path: String, schema: &Value, levels: &[Level]) -> String {
    if schema["items"].is_object() {
        return format!("list of {}", type_of(kind, format!("{path}[]"), &schema["items"], levels));
    }
    let level = levels.iter().find(|level| level.paths.contains(&path));
    match (level, schema["type"].as_str()) {
        (Some(level), _) => format!("[object](#{})", anchor(&format!("{kind}.{}", level.paths[0]))),
        (None, Some("object")) if schema["additionalProperties"].is_object() => "map of strings".into(),
        (None, Some("object")) => "`{}`".into(),
        (None, Some(name)) => name.into(),
        (None, None) => "string or integer".into(),
    }
}

/// What a field's value may be, in words.
fn bounds(schema: &Value) -> String {
    let mut words = Vec::new();
    words.extend(range(schema, "minimum", "maximum", ""));
    words.extend(range(schema, "minLength", "maxLength", " characters"));
    words.extend(range(schema, "minItems", "maxItems", " items"));
    words.extend(range(schema, "minProperties", "maxProperties", " entries"));
    // Where the words have meanings, these stand beside.
    if let Some(choices) = schema["enum"].as_array()
        && split(schema, schema["description"].as_str().unwrap_or_default()).1.is_empty()
    {
        let choices: Vec<String> =
            choices.iter().map(|word| format!("`{}`", word.as_str().unwrap_or_default())).collect();
        words.push(choices.join(" or "));
    }
    words.extend(schema["pattern"].as_str().map(|pattern| format!("`{pattern}`")));
    match schema["x-kubernetes-list-type"].as_str() {
        Some("set") => words.push("no two are equal".into()),
        Some("map") => {
            let keys = schema["x-kubernetes-list-map-keys"].as_array().into_iter().flatten();
            words.push(format!(
                "each {} once",
                keys.map(|key| format!("`{}`", key.as_str().unwrap_or_default()))
                    .collect::<Vec<_>>()
                    .join(" and ")
            ));
        }
        _ => {}
    }
    for inner in
        [&schema["items"], &schema["additionalProperties"]].into_iter().filter(|inner| inner.is_object())
    {
        let inner = bounds(inner);
        if !inner.is_empty() {
            words.push(format!("each {inner}"));
        }
    }
    words.join("; ")
}

fn range(schema: &Value, low: &str, high: &str, unit: &str) -> Option<String> {
    let show = |name: &str| schema[name].as_f64().map(number);
    match (show(low), show(high)) {
        (Some(low), Some(high)) if low == high && low == "1" => {
            Some(format!("1{}", unit.trim_end_matches('s')))
        }
        (Some(low), Some(high)) if low == high => Some(format!("{low}{unit}")),
        (Some(low), Some(high)) => Some(format!("{low} to {high}{unit}")),
        (Some(low), None) => Some(format!("at least {low}{unit}")),
        (None, Some(high)) => Some(format!("at most {high}{unit}")),
        (None, None) => None,
    }
}

/// A number without the point that a whole one has in the definitions.
fn number(value: f64) -> String {
    let whole = value.fract() == 0.0 && value.abs() <= 9_007_199_254_740_992.0;
    if whole { (value as i64).to_string() } else { Value::from(value).to_string() }
}

/// What a field means, and whether it stays so. The words of a choice stand on lines of their own.
fn meaning(kind: &str, schema: &Value, stays: &str) -> String {
    let description = schema["description"].as_str().unwrap_or_default();
    let (said, words) = split(schema, description);
    let mut text = prose(kind, said) + stays;
    for line in words.lines() {
        let (word, meaning) = line.split_once(": ").unwrap_or((line, ""));
        text += &format!("<br>`{word}`: {}", prose(kind, meaning));
    }
    text
}

/// What a description says, and the lines with the words of a choice.
fn split<'a>(schema: &Value, description: &'a str) -> (&'a str, &'a str) {
    let words = schema["enum"].is_array().then(|| description.split_once("\n\n")).flatten();
    words.unwrap_or((description, ""))
}

/// A description on one line, with links to other kinds.
fn prose(kind: &str, description: &str) -> String {
    let mut text = description.replace('\n', " ");
    for (other, _) in super::CRDS.iter().filter(|(other, _)| *other != kind) {
        text = text.replace(&format!("`{other}`"), &format!("[`{other}`](#{})", anchor(other)));
    }
    text
}

/// What a link calls a heading.
fn anchor(heading: &str) -> String {
    heading
        .chars()
        .filter(|c| c.is_alphanumeric() || " -_".contains(*c))
        .collect::<String>()
        .to_lowercase()
        .replace(' ', "-")
}

/// A table's cell ends at a bar, even within code.
fn cell(text: &str) -> String {
    text.replace('|', "\\|")
}

fn line(text: &mut String, line: impl Display) {
    // A text takes whatever is written.
    let _ = writeln!(text, "{line}");
}
