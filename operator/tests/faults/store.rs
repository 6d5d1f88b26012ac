//! The objects of an API server that lives in memory, and what happened to them.

use http::Method;
use serde_json::{Value, json};
use std::collections::BTreeMap;

/// Where a request goes.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Target {
    /// Such as `apis/batch/v1/jobs`.
    pub(crate) resource: String,
    pub(crate) namespace: String,
    pub(crate) name: String,
    pub(crate) subresource: String,
}

impl Target {
    pub(crate) fn of(path: &str) -> Self {
        let parts: Vec<&str> = path.trim_matches('/').split('/').collect();
        let (group, rest) = parts.split_at(if parts[0] == "api" { 2 } else { 3 });
        let (namespace, rest) = match rest {
            ["namespaces", namespace, rest @ ..] => (*namespace, rest),
            rest => ("", rest),
        };
        let part = |index: usize| rest.get(index).copied().unwrap_or_default().to_owned();
        Self {
            resource: format!("{}/{}", group.join("/"), part(0)),
            namespace: namespace.to_owned(),
            name: part(1),
            subresource: part(2),
        }
    }

    pub(crate) fn plural(&self) -> &str {
        self.resource.rsplit('/').next().unwrap_or_default()
    }
}

/// Something that happened to an object.
#[derive(Clone)]
pub(crate) struct Happened {
    pub(crate) version: u64,
    pub(crate) kind: &'static str,
    pub(crate) resource: String,
    pub(crate) object: Value,
}

/// The objects, by resource, namespace and name.
#[derive(Default)]
pub(crate) struct Store {
    pub(crate) version: u64,
    /// What happened up to this version is forgotten.
    pub(crate) floor: u64,
    pub(crate) objects: BTreeMap<(String, String, String), Value>,
    pub(crate) log: Vec<Happened>,
}

fn failure(code: u16, reason: &str) -> (u16, Value) {
    let status = json!({"kind": "Status", "apiVersion": "v1", "status": "Failure", "code": code, "reason": reason, "message": reason});
    (code, status)
}

impl Store {
    /// The objects of a plural.
    pub(crate) fn all(&self, plural: &str) -> Vec<Value> {
        let end = format!("/{plural}");
        self.objects
            .iter()
            .filter(|((resource, ..), _)| resource.ends_with(&end))
            .map(|(_, o)| o.clone())
            .collect()
    }

    /// Forgets what happened: who watches from an earlier version has to list anew.
    pub(crate) fn expire(&mut self) {
        self.version += 1;
        self.floor = self.version;
        self.log.clear();
    }

    fn put(&mut self, target: &Target, kind: &'static str, mut object: Value) -> Value {
        self.version += 1;
        object["metadata"]["resourceVersion"] = json!(self.version.to_string());
        let happened = Happened {
            version: self.version,
            kind,
            resource: target.resource.clone(),
            object: object.clone(),
        };
        self.log.push(happened);
        let key = (target.resource.clone(), target.namespace.clone(), target.name.clone());
        match kind {
            "DELETED" => drop(self.objects.remove(&key)),
            _ => drop(self.objects.insert(key, object.clone())),
        }
        object
    }

    /// Creates an object.
    pub(crate) fn create(&mut self, mut target: Target, mut object: Value) -> (u16, Value) {
        target.name = object["metadata"]["name"].as_str().unwrap_or_default().to_owned();
        let key = (target.resource.clone(), target.namespace.clone(), target.name.clone());
        if self.objects.contains_key(&key) {
            return failure(409, "AlreadyExists");
        }
        let metadata = &mut object["metadata"];
        metadata["namespace"] = json!(target.namespace);
        metadata["uid"] = json!(format!("uid-{}", self.version + 1));
        metadata["generation"] = json!(1);
        if metadata["creationTimestamp"].is_null() {
            metadata["creationTimestamp"] = json!("2026-01-01T00:00:00Z");
        }
        (201, self.put(&target, "ADDED", object))
    }

    /// Answers what is neither a list nor a watch.
    pub(crate) fn answer(
        &mut self,
        method: &Method,
        target: Target,
        body: &[u8],
        applies: bool,
    ) -> (u16, Value) {
        let sent: Value = serde_json::from_slice(body).unwrap_or_default();
        if *method == Method::POST {
            return self.create(target, sent);
        }
        let key = (target.resource.clone(), target.namespace.clone(), target.name.clone());
        let Some(present) = self.objects.get(&key).cloned() else {
            return if applies { self.create(target, sent) } else { failure(404, "NotFound") };
        };
        let asked = sent["metadata"]["resourceVersion"].as_str();
        let asked = asked.or_else(|| sent["preconditions"]["resourceVersion"].as_str());
        if asked.is_some_and(|asked| present["metadata"]["resourceVersion"] != asked) {
            return failure(409, "Conflict");
        }
        let mut next = present.clone();
        match *method {
            Method::GET => return (200, present),
            Method::DELETE if present["metadata"]["finalizers"].as_array().is_none_or(Vec::is_empty) => {
                self.put(&target, "DELETED", present);
                return (200, json!({"kind": "Status", "apiVersion": "v1", "status": "Success"}));
            }
            Method::DELETE => next["metadata"]["deletionTimestamp"] = json!("2026-01-01T00:00:01Z"),
            Method::PUT if target.subresource == "status" => next["status"] = sent["status"].clone(),
            Method::PUT => next = sent,
            _ => merge(&mut next, &sent),
        }
        if next == present {
            return (200, present);
        }
        if next["spec"] != present["spec"] {
            next["metadata"]["generation"] =
                json!(present["metadata"]["generation"].as_u64().unwrap_or(1) + 1);
        }
        let is_going = !next["metadata"]["deletionTimestamp"].is_null();
        let is_free = next["metadata"]["finalizers"].as_array().is_none_or(Vec::is_empty);
        (200, self.put(&target, if is_going && is_free { "DELETED" } else { "MODIFIED" }, next))
    }
}

/// RFC 7386.
fn merge(into: &mut Value, patch: &Value) {
    let Value::Object(patch) = patch else {
        *into = patch.clone();
        return;
    };
    if !into.is_object() {
        *into = json!({});
    }
    for (name, value) in patch {
        if value.is_null() {
            into.as_object_mut().map(|into| into.remove(name));
        } else {
            merge(&mut into[name], value);
        }
    }
}
