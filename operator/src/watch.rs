//! What happens to the objects of a kind, in the whole cluster or in some namespaces.

use futures::{StreamExt, stream, stream::BoxStream};
use k8s_openapi::NamespaceResourceScope;
use kube::{
    Api, Client, Resource, ResourceExt,
    runtime::{
        WatchStreamExt,
        reflector::{ObjectRef, Store},
        watcher::{self, Event},
    },
};
use serde::de::DeserializeOwned;
use std::{
    collections::{HashMap, HashSet},
    fmt::Debug,
};

/// A kind that lives in namespaces, as every one here does.
pub trait Namespaced:
    Resource<DynamicType = (), Scope = NamespaceResourceScope>
    + Clone
    + Debug
    + DeserializeOwned
    + Send
    + Sync
    + 'static
{
}

impl<K> Namespaced for K where
    K: Resource<DynamicType = (), Scope = NamespaceResourceScope>
        + Clone
        + Debug
        + DeserializeOwned
        + Send
        + Sync
        + 'static
{
}

type Seen<K> = Result<Event<K>, watcher::Error>;

/// The events of one kind in the namespaces that are named, or in all where none is. `store` is what they are kept in.
pub fn events<K: Namespaced>(
    client: &Client,
    namespaces: &[String],
    config: &watcher::Config,
    store: Store<K>,
) -> BoxStream<'static, Seen<K>> {
    let watch = |api: Api<K>| watcher::watcher(api, config.clone()).default_backoff().boxed();
    match namespaces {
        [] => watch(Api::all(client.clone())),
        [one] => watch(Api::namespaced(client.clone(), one)),
        several => {
            let of = |namespace: &String| watch(Api::namespaced(client.clone(), namespace));
            merge(several.iter().map(|namespace| (namespace.clone(), of(namespace))).collect(), store)
        }
    }
}

/// The events of several watches as if they were those of one: its first list is complete when all of theirs are.
fn merge<K: Namespaced>(
    watches: Vec<(String, BoxStream<'static, Seen<K>>)>,
    store: Store<K>,
) -> BoxStream<'static, Seen<K>> {
    let mut merge = Merge { opening: HashSet::new(), opened: HashMap::new(), listed: HashMap::new(), store };
    let watches: Vec<_> = watches
        .into_iter()
        .map(|(namespace, watch)| {
            merge.opening.insert(namespace.clone());
            watch.map(move |seen| (namespace.clone(), seen))
        })
        .collect();
    let step = move |(namespace, seen)| {
        stream::iter(match seen {
            Ok(event) => merge.step(namespace, event).into_iter().map(Ok).collect(),
            Err(error) => vec![Err(error)],
        })
    };
    stream::select_all(watches).flat_map(step).boxed()
}

struct Merge<K: Resource<DynamicType = ()> + 'static> {
    /// Namespaces whose first list is not complete.
    opening: HashSet<String>,
    /// What was seen before all were.
    opened: HashMap<ObjectRef<K>, K>,
    /// What a namespace's present list had so far.
    listed: HashMap<String, HashSet<ObjectRef<K>>>,
    store: Store<K>,
}

impl<K: Resource<DynamicType = ()> + Clone + 'static> Merge<K> {
    /// What an event in a namespace is in the whole.
    fn step(&mut self, namespace: String, event: Event<K>) -> Vec<Event<K>> {
        match event {
            Event::Init => {
                self.opened.retain(|key, _| key.namespace.as_ref() != Some(&namespace));
                self.listed.insert(namespace, HashSet::new());
                Vec::new()
            }
            Event::InitApply(object) => {
                self.listed.entry(namespace).or_default().insert(ObjectRef::from_obj(&object));
                self.apply(object)
            }
            Event::Apply(object) => self.apply(object),
            Event::Delete(object) if self.opening.is_empty() => vec![Event::Delete(object)],
            Event::Delete(object) => {
                self.opened.remove(&ObjectRef::from_obj(&object));
                Vec::new()
            }
            Event::InitDone if !self.opening.is_empty() => {
                self.opening.remove(&namespace);
                self.listed.remove(&namespace);
                if !self.opening.is_empty() {
                    return Vec::new();
                }
                let all = std::mem::take(&mut self.opened).into_values().map(Event::InitApply);
                [Event::Init].into_iter().chain(all).chain([Event::InitDone]).collect()
            }
            // A list that replaces an earlier one tells what is gone by leaving it out.
            Event::InitDone => {
                let listed = self.listed.remove(&namespace).unwrap_or_default();
                let is_gone = |object: &K| {
                    object.namespace().as_ref() == Some(&namespace)
                        && !listed.contains(&ObjectRef::from_obj(object))
                };
                let kept = self.store.state();
                kept.iter()
                    .filter(|object| is_gone(object))
                    .map(|gone| Event::Delete((**gone).clone()))
                    .collect()
            }
        }
    }

    fn apply(&mut self, object: K) -> Vec<Event<K>> {
        if self.opening.is_empty() {
            return vec![Event::Apply(object)];
        }
        self.opened.insert(ObjectRef::from_obj(&object), object);
        Vec::new()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use k8s_openapi::api::core::v1::ConfigMap;
    use kube::runtime::reflector;

    fn object(namespace: &str, name: &str) -> ConfigMap {
        let mut object = ConfigMap::default();
        object.metadata.namespace = Some(namespace.into());
        object.metadata.name = Some(name.into());
        object
    }

    /// What a cache holds after the events, each of a namespace; none before it is ready.
    fn cached(events: Vec<(&str, Event<ConfigMap>)>) -> Option<Vec<String>> {
        let (store, mut writer) = reflector::store();
        let opening = ["a", "b"].map(String::from).into();
        let mut merge =
            Merge { opening, opened: HashMap::new(), listed: HashMap::new(), store: store.clone() };
        let mut is_ready = false;
        for (namespace, event) in events {
            for event in merge.step(namespace.into(), event) {
                is_ready |= matches!(event, Event::InitDone);
                writer.apply_watcher_event(&event);
            }
        }
        let mut names: Vec<_> = store
            .state()
            .iter()
            .map(|object| format!("{}/{}", object.namespace().unwrap_or_default(), object.name_any()))
            .collect();
        names.sort();
        is_ready.then_some(names)
    }

    fn list(namespace: &'static str, names: &[&str]) -> Vec<(&'static str, Event<ConfigMap>)> {
        let objects = names.iter().map(|name| (namespace, Event::InitApply(object(namespace, name))));
        [(namespace, Event::Init)].into_iter().chain(objects).chain([(namespace, Event::InitDone)]).collect()
    }

    #[test]
    fn several_namespaces_are_one_cache() {
        assert_eq!(cached(list("a", &["x"])), None, "not before every namespace is listed");
        let both = [list("a", &["x"]), list("b", &["y"])].concat();
        assert_eq!(cached(both.clone()), Some(vec!["a/x".into(), "b/y".into()]));
        let later = vec![("a", Event::Delete(object("a", "x"))), ("b", Event::Apply(object("b", "z")))];
        assert_eq!(cached([both.clone(), later].concat()), Some(vec!["b/y".into(), "b/z".into()]));
        // A second list, as after a watch that expired, takes what it lacks out of its own namespace only.
        assert_eq!(cached([both, list("b", &["z"])].concat()), Some(vec!["a/x".into(), "b/z".into()]));
    }

    #[test]
    fn what_happens_while_others_are_listed_counts() {
        let early = vec![("a", Event::Delete(object("a", "x"))), ("a", Event::Apply(object("a", "y")))];
        let events = [list("a", &["x"]), early, list("b", &[])].concat();
        assert_eq!(cached(events), Some(vec!["a/y".into()]));
        // A list may break off or be taken twice.
        let broken = vec![("a", Event::Init), ("a", Event::InitApply(object("a", "old")))];
        let events = [broken, list("a", &["z"]), list("a", &["x"]), list("b", &[])].concat();
        assert_eq!(cached(events), Some(vec!["a/x".into()]));
    }
}
