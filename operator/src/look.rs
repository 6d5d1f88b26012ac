//! One look at an object: under a trace id of its own, timed, its writes counted, a failure logged and followed by a pause.

use crate::{
    context::Context,
    error::Error,
    writes::{self, Tally},
};
use kube::runtime::controller::Action;
use std::{
    future::Future,
    hash::{BuildHasher, RandomState},
    sync::{
        LazyLock,
        atomic::{AtomicU64, Ordering},
    },
    time::{Duration, Instant},
};
use tracing::Instrument;

/// The pause after a conflict.
const CONFLICT: Duration = Duration::from_millis(200);

/// Takes a look at an object, `namespace/name`. What comes next, and how often the API server was written to.
pub async fn look(
    kind: &'static str,
    object: &str,
    ctx: &Context,
    looking: impl Future<Output = Result<Action, Error>>,
) -> (Action, u64) {
    let span = tracing::info_span!("look", trace_id = trace_id(), kind, object);
    async {
        let start = Instant::now();
        let (looked, Tally { writes, waited, .. }) = writes::tallied(looking).await;
        let took = start.elapsed();
        ctx.metrics.reconciled(kind, took, waited);
        let (took_ms, waited_ms) = (took.as_millis() as u64, waited.as_millis() as u64);
        tracing::debug!(took_ms, waited_ms, writes, "looked");
        let title = title(kind, object);
        let error = match looked {
            Ok(action) => {
                ctx.backoff.succeeded(&title);
                return (action, writes);
            }
            // Seen before its own last change came back, which is on its way.
            Err(error) if error.word() == "conflict" => return (Action::requeue(CONFLICT), writes),
            Err(error) => error,
        };
        let pause = ctx.backoff.failed(&title);
        ctx.metrics.failed(kind, error.word());
        tracing::warn!(%error, pause_ms = pause.as_millis() as u64, "a look failed");
        (Action::requeue(pause), writes)
    }
    .instrument(span)
    .await
}

/// An object among those of all kinds.
pub fn title(kind: &str, object: &str) -> String {
    format!("{kind} {object}")
}

/// 32 hexadecimal digits that no other look has, as of a W3C trace.
fn trace_id() -> String {
    static KEYS: LazyLock<[RandomState; 2]> = LazyLock::new(Default::default);
    static COUNT: AtomicU64 = AtomicU64::new(0);
    let number = COUNT.fetch_add(1, Ordering::Relaxed);
    KEYS.iter().map(|key| format!("{:016x}", key.hash_one(number))).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn trace_ids_are_hexadecimal_and_differ() {
        let (one, two) = (trace_id(), trace_id());
        assert!(one.len() == 32 && one.bytes().all(|b| b.is_ascii_hexdigit()), "{one}");
        assert_ne!(one, two);
        assert_ne!(one[..16], one[16..]);
    }
}
