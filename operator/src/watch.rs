//! What happens to the objects of a kind, in the whole cluster or in some namespaces.

use futures::{StreamExt, stream, stream::BoxStream};
use k8s_openapi::NamespaceResourceScope;
use kube::{
    Api, Client, Resource,
    core::{DeserializeGuard, error_boundary::InvalidObject},
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
///
/// The first list is told as a list. A later one, as after a watch that expired, is told as what it changes: what vanished
/// meanwhile is told as deleted, which a plain watch leaves out.
pub fn events<K: Namespaced>(
    client: &Client,
    namespaces: &[String],
    config: &watcher::Config,
    store: Store<K>,
) -> BoxStream<'static, Seen<K>> {
    let watches = apis(client, namespaces).into_iter();
    merge(watches.map(|(scope, api)| (scope, watch(api, config.clone()))).collect(), store)
}

/// The same for a kind of which an object may be there that is none: it is told to `malformed` and otherwise counts as gone.
pub fn guarded<K: Namespaced>(
    client: &Client,
    namespaces: &[String],
    config: &watcher::Config,
    store: Store<K>,
    malformed: impl Fn(&InvalidObject) + Clone + Send + 'static,
) -> BoxStream<'static, Seen<K>> {
    let understood = |api: Api<DeserializeGuard<K>>| {
        let (store, malformed) = (store.clone(), malformed.clone());
        let understand = move |seen: Seen<DeserializeGuard<K>>| {
            let seen = seen.map(|event| understood(event, &store, &malformed)).transpose();
            async { seen }
        };
        watch(api, config.clone()).filter_map(understand).boxed()
    };
    merge(apis(client, namespaces).into_iter().map(|(scope, api)| (scope, understood(api))).collect(), store)
}

/// Where objects are watched: in the whole cluster, which has no name, or in namespaces.
fn apis<K>(client: &Client, namespaces: &[String]) -> Vec<(Scope, Api<K>)>
where
    K: Resource<DynamicType = (), Scope = NamespaceResourceScope>,
{
    if namespaces.is_empty() {
        return vec![(None, Api::all(client.clone()))];
    }
    let of = |namespace: &String| (Some(namespace.clone()), Api::namespaced(client.clone(), namespace));
    namespaces.iter().map(of).collect()
}

/// A watch that lists anew whenever it may have missed something.
fn watch<K>(api: Api<K>, config: watcher::Config) -> BoxStream<'static, Seen<K>>
where
    K: Resource + Clone + Debug + DeserializeOwned + Send + 'static,
{
    let begin = move || watcher::watcher(api.clone(), config.clone()).boxed();
    let first = begin();
    let next = move |mut events: BoxStream<'static, Seen<K>>| {
        let begin = begin.clone();
        async move {
            let seen = events.next().await?;
            if seen.as_ref().is_err_and(misses) {
                events = begin();
            }
            Some((seen, events))
        }
    };
    stream::unfold(first, next).default_backoff().boxed()
}

/// Whether a watch cannot go on from where it was. `kube` itself lists anew where the API server says so in a watch that runs.
fn misses(error: &watcher::Error) -> bool {
    match error {
        // An event that cannot be read.
        watcher::Error::WatchFailed(kube::Error::SerdeError(_)) => true,
        // Too old, not a version, or newer than anything that there is.
        watcher::Error::WatchStartFailed(kube::Error::Api(status)) => matches!(status.code, 400 | 410 | 504),
        _ => false,
    }
}

/// An event without what is malformed.
fn understood<K: Namespaced>(
    event: Event<DeserializeGuard<K>>,
    store: &Store<K>,
    malformed: &impl Fn(&InvalidObject),
) -> Option<Event<K>> {
    let bad = match event {
        Event::Init => return Some(Event::Init),
        Event::InitDone => return Some(Event::InitDone),
        Event::InitApply(DeserializeGuard(Ok(object))) => return Some(Event::InitApply(object)),
        Event::Apply(DeserializeGuard(Ok(object))) => return Some(Event::Apply(object)),
        Event::Delete(DeserializeGuard(Ok(object))) => return Some(Event::Delete(object)),
        // A list leaves it out, and so it is gone.
        Event::InitApply(DeserializeGuard(Err(bad))) => {
            malformed(&bad);
            return None;
        }
        Event::Apply(DeserializeGuard(Err(bad))) => {
            malformed(&bad);
            bad
        }
        Event::Delete(DeserializeGuard(Err(bad))) => bad,
    };
    let name = ObjectRef::new(bad.metadata.name.as_deref()?).within(bad.metadata.namespace.as_deref()?);
    store.get(&name).map(|known| Event::Delete((*known).clone()))
}

/// The events of several watches as if they were those of one: its first list is complete when all of theirs are.
fn merge<K: Namespaced>(
    watches: Vec<(Scope, BoxStream<'static, Seen<K>>)>,
    store: Store<K>,
) -> BoxStream<'static, Seen<K>> {
    let mut merge = Merge { opening: HashSet::new(), opened: HashMap::new(), listed: HashMap::new(), store };
    let watches: Vec<_> = watches
        .into_iter()
        .map(|(scope, watch)| {
            merge.opening.insert(scope.clone());
            watch.map(move |seen| (scope.clone(), seen))
        })
        .collect();
    let step = move |(scope, seen)| {
        stream::iter(match seen {
            Ok(event) => merge.step(scope, event).into_iter().map(Ok).collect(),
            Err(error) => vec![Err(error)],
        })
    };
    stream::select_all(watches).flat_map(step).boxed()
}

/// A namespace, or the whole cluster.
type Scope = Option<String>;

struct Merge<K: Resource<DynamicType = ()> + 'static> {
    /// Scopes whose first list is not complete.
    opening: HashSet<Scope>,
    /// What was seen before all were.
    opened: HashMap<ObjectRef<K>, K>,
    /// What a scope's present list had so far.
    listed: HashMap<Scope, HashSet<ObjectRef<K>>>,
    store: Store<K>,
}

impl<K: Resource<DynamicType = ()> + Clone + 'static> Merge<K> {
    /// What an event in a scope is in the whole.
    fn step(&mut self, scope: Scope, event: Event<K>) -> Vec<Event<K>> {
        let within = |namespace: Option<&String>| scope.is_none() || namespace == scope.as_ref();
        match event {
            Event::Init => {
                self.opened.retain(|key, _| !within(key.namespace.as_ref()));
                self.listed.insert(scope, HashSet::new());
                Vec::new()
            }
            Event::InitApply(object) => {
                self.listed.entry(scope).or_default().insert(ObjectRef::from_obj(&object));
                self.apply(object)
            }
            Event::Apply(object) => self.apply(object),
            Event::Delete(object) if self.opening.is_empty() => vec![Event::Delete(object)],
            Event::Delete(object) => {
                self.opened.remove(&ObjectRef::from_obj(&object));
                Vec::new()
            }
            Event::InitDone if !self.opening.is_empty() => {
                self.opening.remove(&scope);
                self.listed.remove(&scope);
                if !self.opening.is_empty() {
                    return Vec::new();
                }
                let all = std::mem::take(&mut self.opened).into_values().map(Event::InitApply);
                [Event::Init].into_iter().chain(all).chain([Event::InitDone]).collect()
            }
            // A list that replaces an earlier one tells what is gone by leaving it out.
            Event::InitDone => {
                let listed = self.listed.remove(&scope).unwrap_or_default();
                let is_gone = |object: &K| {
                    within(object.meta().namespace.as_ref()) && !listed.contains(&ObjectRef::from_obj(object))
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
    use kube::{ResourceExt, runtime::reflector};
    use std::cell::RefCell;

    fn object(namespace: &str, name: &str) -> ConfigMap {
        let mut object = ConfigMap::default();
        object.metadata.namespace = Some(namespace.into());
        object.metadata.name = Some(name.into());
        object
    }

    /// What a cache holds after the events, each of a namespace; none before it is ready.
    fn cached(events: Vec<(&str, Event<ConfigMap>)>) -> Option<Vec<String>> {
        let events = events.into_iter().map(|(namespace, event)| (Some(namespace.to_owned()), event));
        after(&["a", "b"].map(|namespace| Some(namespace.to_owned())), events.collect())
            .map(|(names, _)| names)
    }

    /// What a cache holds after the events of these scopes, and which objects were told as deleted.
    fn after(scopes: &[Scope], events: Vec<(Scope, Event<ConfigMap>)>) -> Option<(Vec<String>, Vec<String>)> {
        let (store, mut writer) = reflector::store();
        let opening = scopes.iter().cloned().collect();
        let mut deleted = Vec::new();
        let mut merge =
            Merge { opening, opened: HashMap::new(), listed: HashMap::new(), store: store.clone() };
        let mut is_ready = false;
        for (scope, event) in events {
            for event in merge.step(scope, event) {
                is_ready |= matches!(event, Event::InitDone);
                if let Event::Delete(gone) = &event {
                    deleted.push(gone.name_any());
                }
                writer.apply_watcher_event(&event);
            }
        }
        let mut names: Vec<_> = store
            .state()
            .iter()
            .map(|object| format!("{}/{}", object.namespace().unwrap_or_default(), object.name_any()))
            .collect();
        names.sort();
        is_ready.then_some((names, deleted))
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

    #[test]
    fn what_vanished_while_the_watch_of_the_whole_cluster_was_expired_is_told() {
        let whole = |names: &[&str]| -> Vec<(Scope, Event<ConfigMap>)> {
            list("a", names).into_iter().map(|(_, event)| (None, event)).collect()
        };
        let seen = after(&[None], [whole(&["x", "y"]), whole(&["y", "z"])].concat());
        assert_eq!(seen, Some((vec!["a/y".into(), "a/z".into()], vec!["x".into()])));
    }

    #[test]
    fn a_malformed_object_is_told_and_counts_as_gone() {
        let (store, mut writer) = reflector::store::<ConfigMap>();
        writer.apply_watcher_event(&Event::Apply(object("a", "x")));
        let told = RefCell::new(Vec::new());
        let tell =
            |bad: &InvalidObject| told.borrow_mut().push(bad.metadata.name.clone().unwrap_or_default());
        let guard = |name: &str, data: serde_json::Value| -> DeserializeGuard<ConfigMap> {
            let object = serde_json::json!({"metadata": {"name": name, "namespace": "a"}, "data": data});
            serde_json::from_value(object).expect("metadata")
        };
        let good = understood(Event::Apply(guard("w", serde_json::json!({}))), &store, &tell);
        assert!(matches!(good, Some(Event::Apply(_))));
        let wrong = || serde_json::json!("no map");
        assert!(understood(Event::InitApply(guard("x", wrong())), &store, &tell).is_none());
        let gone = understood(Event::Apply(guard("x", wrong())), &store, &tell);
        assert!(matches!(gone, Some(Event::Delete(object)) if object.name_any() == "x"));
        assert!(understood(Event::Apply(guard("new", wrong())), &store, &tell).is_none());
        assert_eq!(*told.borrow(), ["x", "x", "new"]);
    }
}
