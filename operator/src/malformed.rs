//! An object that cannot be understood is told of, and breaks nothing but itself.

use crate::{events::Events, metrics::Metrics, reason::Reason};
use k8s_openapi::api::core::v1::ObjectReference;
use kube::{
    Resource,
    core::error_boundary::InvalidObject,
    runtime::events::{Event, EventType},
};
use std::{
    collections::HashMap,
    sync::{Arc, Mutex, PoisonError},
};

/// Objects that are remembered.
const MOST: usize = 1000;

/// Tells of malformed objects, once for each version of each.
#[derive(Clone)]
pub struct Malformed {
    events: Events,
    metrics: Arc<Metrics>,
    /// The version that was told, by uid.
    told: Arc<Mutex<HashMap<String, String>>>,
}

impl Malformed {
    /// Tells of them by events, and counts them.
    pub fn new(events: Events, metrics: Arc<Metrics>) -> Self {
        Self { events, metrics, told: Arc::default() }
    }

    /// The figures.
    pub fn metrics(&self) -> &Arc<Metrics> {
        &self.metrics
    }

    /// Tells of an object of a kind: in the log, and as an event on it.
    pub fn tell<K: Resource<DynamicType = ()>>(&self, bad: &InvalidObject) {
        let metadata = &bad.metadata;
        let (Some(uid), Some(version)) = (metadata.uid.clone(), metadata.resource_version.clone()) else {
            return;
        };
        {
            let mut told = self.told.lock().unwrap_or_else(PoisonError::into_inner);
            if told.len() >= MOST {
                told.clear();
            }
            if told.insert(uid.clone(), version.clone()).as_ref() == Some(&version) {
                return;
            }
        }
        let (kind, name, namespace) = (K::kind(&()), metadata.name.clone(), metadata.namespace.clone());
        let object =
            format!("{}/{}", namespace.as_deref().unwrap_or_default(), name.as_deref().unwrap_or_default());
        let error: String = bad.error.chars().take(500).collect();
        tracing::warn!(%kind, object, error, "an object is not understood and counts as absent");
        self.metrics.malformed::<K>();
        let event = Event {
            type_: EventType::Warning,
            reason: Reason::NotUnderstood.to_string(),
            note: Some(format!(
                "the operator cannot understand this object, and so it counts as absent: {error}"
            )),
            action: "Read".into(),
            secondary: None,
        };
        let object = ObjectReference {
            api_version: Some(K::api_version(&()).into_owned()),
            kind: Some(kind.into_owned()),
            name,
            namespace,
            uid: Some(uid),
            resource_version: Some(version),
            field_path: None,
        };
        self.events.tell(event, object, true);
    }
}
