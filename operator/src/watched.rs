//! A cache of one kind that knows what this process wrote last. A look that began from something older would write the same again or
//! be refused, so it waits until the cache has caught up; not for ever, as a watch may be broken.

use kube::{
    Resource, ResourceExt,
    core::ObjectMeta,
    runtime::{
        reflector::{ObjectRef, Store},
        watcher::Event,
    },
};
use std::{
    collections::HashMap,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::{Duration, Instant},
};

/// How long a look waits for the watch to deliver the operator's own last write.
const PATIENCE: Duration = Duration::from_secs(5);

/// A cache, and the writes of this process that it does not show yet.
pub struct Watched<K: Resource<DynamicType = ()> + 'static> {
    store: Store<K>,
    awaited: Mutex<HashMap<ObjectRef<K>, Awaited>>,
}

struct Awaited {
    since: Instant,
    what: What,
}

enum What {
    /// The object as of this resource version, or a later one: those of one kind compare as numbers.
    Version(u64),
    /// The end of the object with this uid, or that it is on its way.
    End(Option<String>),
}

impl<K: Resource<DynamicType = ()> + Clone + 'static> Watched<K> {
    /// Knows of no write yet.
    pub fn new(store: Store<K>) -> Self {
        Self { store, awaited: Mutex::default() }
    }

    /// The cache by itself.
    pub fn store(&self) -> &Store<K> {
        &self.store
    }

    /// An object, as it was seen last.
    pub fn get(&self, name: &ObjectRef<K>) -> Option<Arc<K>> {
        self.store.get(name)
    }

    /// This process made the object or changed it: `metadata` is what the API server answered.
    pub fn wrote(&self, metadata: &ObjectMeta) {
        let (Some(name), Some(version)) = (&metadata.name, number(metadata)) else { return };
        let key = ObjectRef::new(name).within(metadata.namespace.as_deref().unwrap_or_default());
        self.expect(key, What::Version(version));
    }

    /// This process asked for the object's end, or was told that it has come.
    pub fn ended(&self, name: &ObjectRef<K>) {
        if let Some(object) = self.get(name) {
            let key = ObjectRef::new(&name.name).within(name.namespace.as_deref().unwrap_or_default());
            self.expect(key, What::End(object.uid()));
        }
    }

    /// For how long a look that needs this object is to wait; it may be woken earlier, when the cache has what was written.
    pub fn behind(&self, name: &ObjectRef<K>) -> Option<Duration> {
        let mut awaited = self.lock();
        let since = awaited.get(name)?.since.elapsed();
        if since < PATIENCE {
            return Some(PATIENCE - since);
        }
        awaited.remove(name);
        None
    }

    /// The cache has followed an event of the watch.
    pub fn follow(&self, event: &Event<K>) {
        match event {
            Event::Apply(object) | Event::Delete(object) => {
                let name = ObjectRef::from_obj(object);
                let mut awaited = self.lock();
                if awaited.get(&name).is_some_and(|awaited| self.shows(&name, &awaited.what, false)) {
                    awaited.remove(&name);
                }
            }
            // What this list does not show came after it, or is gone: no event tells of that.
            Event::InitDone => self.lock().clear(),
            Event::Init | Event::InitApply(_) => {}
        }
    }

    fn expect(&self, name: ObjectRef<K>, what: What) {
        let mut awaited = self.lock();
        // The watch may have been faster than the answer.
        if !self.shows(&name, &what, true) {
            awaited.insert(name, Awaited { since: Instant::now(), what });
        }
    }

    /// Whether the cache has what is awaited. An object that it has not is one that it has not yet, or had.
    fn shows(&self, name: &ObjectRef<K>, what: &What, is_new: bool) -> bool {
        let object = self.store.get(name);
        match (what, object) {
            (What::Version(_), None) => !is_new,
            (What::Version(version), Some(object)) => {
                number(object.meta()).is_none_or(|number| number >= *version)
            }
            (What::End(_), None) => true,
            (What::End(uid), Some(object)) => {
                object.meta().uid != *uid || object.meta().deletion_timestamp.is_some()
            }
        }
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<ObjectRef<K>, Awaited>> {
        self.awaited.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn number(metadata: &ObjectMeta) -> Option<u64> {
    metadata.resource_version.as_ref()?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;
    use k8s_openapi::{api::core::v1::ConfigMap, apimachinery::pkg::apis::meta::v1::Time, jiff::Timestamp};
    use kube::runtime::reflector::{self, store::Writer};

    fn object(version: u64) -> ConfigMap {
        let mut object = ConfigMap::default();
        object.metadata.namespace = Some("a".into());
        object.metadata.name = Some("x".into());
        object.metadata.uid = Some("1".into());
        object.metadata.resource_version = Some(version.to_string());
        object
    }

    fn empty() -> (Watched<ConfigMap>, Writer<ConfigMap>, ObjectRef<ConfigMap>) {
        let (store, writer) = reflector::store();
        (Watched::new(store), writer, ObjectRef::new("x").within("a"))
    }

    fn happens(event: Event<ConfigMap>, cache: &Watched<ConfigMap>, writer: &mut Writer<ConfigMap>) {
        writer.apply_watcher_event(&event);
        cache.follow(&event);
    }

    #[test]
    fn a_look_waits_for_the_own_last_write() {
        let (cache, mut writer, name) = empty();
        assert_eq!(cache.behind(&name), None);
        cache.wrote(&object(9).metadata);
        assert!(cache.behind(&name).is_some_and(|wait| wait <= PATIENCE), "made and not seen");
        happens(Event::Apply(object(9)), &cache, &mut writer);
        assert_eq!(cache.behind(&name), None);
        cache.wrote(&object(12).metadata);
        happens(Event::Apply(object(10)), &cache, &mut writer);
        assert!(cache.behind(&name).is_some(), "10 is older than 12, as a number");
        happens(Event::Apply(object(13)), &cache, &mut writer);
        assert_eq!(cache.behind(&name), None);
        cache.wrote(&object(13).metadata);
        assert_eq!(cache.behind(&name), None, "the watch was faster than the answer");
    }

    #[test]
    fn an_end_is_seen_and_frees_what_was_awaited() {
        let (cache, mut writer, name) = empty();
        cache.ended(&name);
        assert_eq!(cache.behind(&name), None, "what is not there needs no end");
        happens(Event::Apply(object(1)), &cache, &mut writer);
        cache.ended(&name);
        happens(Event::Apply(object(2)), &cache, &mut writer);
        assert!(cache.behind(&name).is_some());
        let mut ending = object(3);
        ending.metadata.deletion_timestamp = Some(Time(Timestamp::UNIX_EPOCH));
        happens(Event::Apply(ending), &cache, &mut writer);
        assert_eq!(cache.behind(&name), None, "it is on its way");
        cache.wrote(&object(7).metadata);
        happens(Event::Delete(object(3)), &cache, &mut writer);
        assert_eq!(cache.behind(&name), None, "gone before its last version was seen");
    }

    #[test]
    fn no_look_waits_for_ever() {
        let (cache, mut writer, name) = empty();
        cache.wrote(&object(9).metadata);
        [Event::Init, Event::InitDone].into_iter().for_each(|event| happens(event, &cache, &mut writer));
        assert_eq!(cache.behind(&name), None, "a new list has what there is");
        cache.wrote(&object(9).metadata);
        cache.lock().values_mut().for_each(|awaited| awaited.since -= PATIENCE);
        assert_eq!(cache.behind(&name), None, "patience has its end");
        assert!(cache.lock().is_empty());
    }
}
