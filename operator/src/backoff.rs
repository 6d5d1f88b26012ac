//! How long a failing object waits before it is tried again: twice as long each time, with jitter, for each object by itself.

use std::{
    collections::HashMap,
    hash::{BuildHasher, RandomState},
    sync::{Mutex, MutexGuard, PoisonError},
    time::Duration,
};

const FIRST: Duration = Duration::from_millis(200);
const LONGEST: Duration = Duration::from_secs(120);

/// Failures in a row, by object.
#[derive(Default)]
pub struct Backoff {
    failures: Mutex<HashMap<String, u32>>,
    random: RandomState,
}

impl Backoff {
    fn lock(&self) -> MutexGuard<'_, HashMap<String, u32>> {
        self.failures.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The pause after another failure.
    pub fn failed(&self, object: &str) -> Duration {
        let mut failures = self.lock();
        let count = failures.entry(object.to_owned()).or_default();
        *count += 1;
        let pause = FIRST.saturating_mul(1 << (*count - 1).min(16)).min(LONGEST);
        // Between half and one and a half, so that objects that failed together do not come back together.
        let jitter = self.random.hash_one((object, *count)) as f64 / u64::MAX as f64;
        pause.mul_f64(0.5 + jitter)
    }

    /// It went well, or the object is gone.
    pub fn succeeded(&self, object: &str) {
        self.lock().remove(object);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pauses_grow_to_a_limit_and_start_over_after_success() {
        let backoff = Backoff::default();
        let pauses: Vec<Duration> = (0..30).map(|_| backoff.failed("a")).collect();
        for (index, pause) in pauses.iter().enumerate() {
            let middle = FIRST.saturating_mul(1 << index.min(16)).min(LONGEST);
            assert!(*pause >= middle / 2 && *pause <= middle * 3 / 2, "{index}: {pause:?}");
        }
        assert!(backoff.failed("b") < Duration::from_secs(1));
        backoff.succeeded("a");
        assert!(backoff.failed("a") < Duration::from_secs(1));
    }
}
