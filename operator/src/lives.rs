//! What the figures remember of each job that is under way: since when it is in its phase, and how often it was written.

use kube::ResourceExt;
use std::{
    collections::HashMap,
    sync::{Mutex, PoisonError},
    time::{Duration, Instant},
};
use veilgrid_api::{job::PrivateJob, status::Phase};

/// Jobs under way, by namespace and name.
#[derive(Default)]
pub struct Lives(Mutex<HashMap<(String, String), Life>>);

struct Life {
    uid: Option<String>,
    phase: Phase,
    /// When the phase began; unknown where this process found the job in it.
    since: Option<Instant>,
    /// Writes since the job was new; unknown where it was not new when this process found it.
    writes: Option<u64>,
}

/// What a look brought to light.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Seen {
    /// A phase that is over, and how long it was.
    pub phase: Option<(Phase, Duration)>,
    /// The job has ended and is settled: how many writes it took.
    pub writes: Option<u64>,
}

impl Lives {
    /// A look at a job is over. `job` is what it saw at its begin.
    pub fn looked(&self, job: &PrivateJob, writes: u64) -> Seen {
        let key = (job.namespace().unwrap_or_default(), job.name_any());
        let phase = job.status.as_ref().map(|status| status.phase);
        let (is_new, phase) = (phase.is_none(), phase.unwrap_or_default());
        let mut lives = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if lives.get(&key).is_some_and(|life| life.uid != job.metadata.uid) {
            lives.remove(&key);
        }
        if phase.has_ended() && !lives.contains_key(&key) {
            return Seen::default();
        }
        let mut seen = Seen::default();
        let life = lives.entry(key.clone()).or_insert_with(|| Life {
            uid: job.metadata.uid.clone(),
            phase,
            since: is_new.then(Instant::now),
            writes: is_new.then_some(0),
        });
        if life.phase != phase {
            seen.phase = life.since.map(|since| (life.phase, since.elapsed()));
            (life.phase, life.since) = (phase, Some(Instant::now()));
        }
        life.writes = life.writes.map(|before| before + writes);
        // The look that finds nothing to do any more is the last one that counts.
        if phase.has_ended() && writes == 0 {
            seen.writes = life.writes;
            lives.remove(&key);
        }
        seen
    }

    /// A job is gone.
    pub fn forget(&self, namespace: &str, name: &str) {
        let key = (namespace.to_owned(), name.to_owned());
        self.0.lock().unwrap_or_else(PoisonError::into_inner).remove(&key);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn job(uid: &str, phase: Option<&str>) -> PrivateJob {
        let party = json!({"name": "north", "dataset": {"name": "d"}});
        let mut job = json!({
            "metadata": {"name": "j", "namespace": "a", "uid": uid},
            "spec": {"parties": [party], "computation": {"statistics": []}, "privacy": {"epsilon": 1.0}},
        });
        if let Some(phase) = phase {
            job["status"] = json!({"phase": phase});
        }
        serde_json::from_value(job).expect("a job")
    }

    #[test]
    fn phases_and_writes_are_told_once() {
        let lives = Lives::default();
        assert_eq!(lives.looked(&job("u", None), 3), Seen::default());
        assert_eq!(lives.looked(&job("u", None), 1), Seen::default());
        let seen = lives.looked(&job("u", Some("Launching")), 10);
        assert!(matches!(seen, Seen { phase: Some((Phase::Pending, _)), writes: None }), "{seen:?}");
        assert_eq!(lives.looked(&job("u", Some("Launching")), 0), Seen::default());
        let seen = lives.looked(&job("u", Some("Succeeded")), 2);
        assert!(matches!(seen, Seen { phase: Some((Phase::Launching, _)), writes: None }), "{seen:?}");
        assert_eq!(lives.looked(&job("u", Some("Succeeded")), 0).writes, Some(16));
        assert_eq!(lives.looked(&job("u", Some("Succeeded")), 0), Seen::default());
    }

    #[test]
    fn what_was_not_seen_from_its_begin_is_not_told() {
        let lives = Lives::default();
        assert_eq!(lives.looked(&job("u", Some("Running")), 1), Seen::default());
        assert_eq!(lives.looked(&job("u", Some("Failed")), 0), Seen::default());
        // Another job of the same name, and one that is gone.
        lives.looked(&job("u", None), 5);
        assert_eq!(lives.looked(&job("v", None), 1), Seen::default());
        lives.looked(&job("v", Some("Failed")), 1);
        assert_eq!(lives.looked(&job("v", Some("Failed")), 0).writes, Some(2));
        lives.looked(&job("w", None), 5);
        lives.forget("a", "j");
        assert_eq!(lives.looked(&job("w", Some("Failed")), 0), Seen::default());
    }
}
