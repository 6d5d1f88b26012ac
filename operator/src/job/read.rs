//! Reads the result from the log of a recipient's pod; again, where that failed and may go better: it is paid for, and nowhere else.

use super::{attempt::Attempt, result::Opened, status::Draft};
use crate::{clock, error::Error, reason::Reason};
use k8s_openapi::api::core::v1::Pod;
use kube::{api::LogParams, runtime::controller::Action};
use serde::Deserialize;
use std::time::Duration;
use tokio::time::timeout;
use veilgrid_api::{
    condition::{self, Truth},
    labels::CONTAINER,
    status::Phase,
};
use veilgrid_receipt::{hex::hex, result_hash};

/// For how long a log is waited for. It has little more than the result, and a look at another job may wait for this one's end.
const ANSWER: Duration = Duration::from_secs(10);
/// The least from one try to the next.
const SOONEST: Duration = Duration::from_secs(1);
/// And the most.
const LATEST: Duration = Duration::from_secs(60);
/// For how long it is tried. A node that is started anew or cut off is there again by then, or its pods are gone.
const GIVEN: Duration = Duration::from_secs(3600);
/// Lines at the end of a log that are read: the result is one of the last.
const LINES: i64 = 16;
/// Characters of an error that are told.
const SHOWN: usize = 400;

/// What a log's line says of the end.
#[derive(Deserialize)]
#[serde(tag = "event", rename_all = "lowercase")]
enum Line {
    Result { result: String, receipt: String },
    Finished {},
}

/// A result that could not be read.
pub(super) struct Unread {
    pub(super) why: String,
    /// Another try may go better.
    pub(super) may_pass: bool,
}

impl Attempt<'_> {
    /// The result with this hash, from the log of a recipient.
    pub(super) async fn opened(&self, hash: &str) -> Result<Opened, Unread> {
        let mut unread = Unread { why: "no recipient's pod is left".into(), may_pass: false };
        for index in self.recipients() {
            let (seat, Some(pod)) = (&self.seats[index], &self.sights[index].pod) else { continue };
            let params = LogParams {
                container: Some(CONTAINER.into()),
                tail_lines: Some(LINES),
                ..LogParams::default()
            };
            let logs = self.ctx.api::<Pod>(seat.namespace);
            let (words, whole) = match timeout(ANSWER, logs.logs(pod, &params)).await {
                Ok(Ok(log)) => match find(&log, hash) {
                    Ok(opened) => return Ok(opened),
                    Err(Lack { is_whole: true }) => (format!("has no result with hash {hash}"), true),
                    Err(_) => ("is not whole".into(), false),
                },
                Ok(Err(error)) => (format!("cannot be read: {}", words(&error)), false),
                Err(_) => (format!("cannot be read: no answer within {} s", ANSWER.as_secs()), false),
            };
            // While the pod is there, so is its log, whatever API server and kubelet say meanwhile.
            let is_there = self.ctx.cache.pod(seat.namespace, &seat.name()).is_some_and(|(_, there)| there);
            let may_pass = !whole && is_there;
            if may_pass || !unread.may_pass {
                unread = Unread { why: format!("the log of {} {words}", seat.party), may_pass };
            }
        }
        Err(unread)
    }

    /// Ends the job when its result cannot be had any more; else says what keeps it, and tries again.
    pub(super) async fn read_again(&self, unread: Unread) -> Result<Action, Error> {
        let mut draft = Draft::of(self);
        draft.state("Succeeded", Truth::False, Reason::ResultUnread, &unread.why);
        let stated = condition::find(&draft.status.conditions, "Succeeded");
        let since = stated.and_then(|stated| clock::read(&stated.last_transition_time));
        let tried = Duration::from_secs(since.map_or(0, clock::since));
        let Some(pause) = pause(tried).filter(|_| unread.may_pass) else {
            return self.fail(Reason::ResultLost, unread.why).await;
        };
        draft.phase(
            Phase::Running,
            Reason::ResultUnread,
            format!("the result cannot be read yet: {}", unread.why),
        );
        if self.opened_hash().is_none() {
            draft.parties();
        }
        draft.write().await?;
        Ok(Action::requeue(pause))
    }
}

/// How long to wait for the next try, after it was tried for so long; nothing where that is over.
fn pause(tried: Duration) -> Option<Duration> {
    (tried < GIVEN).then(|| (tried / 2).clamp(SOONEST, LATEST))
}

/// An error without what changes from one try to the next.
fn words(error: &kube::Error) -> String {
    let text = match error {
        kube::Error::Api(status) => status.message.clone(),
        error => error.to_string(),
    };
    text.chars().filter(|char| !char.is_control()).take(SHOWN).collect()
}

/// A log without the result.
#[derive(Debug, PartialEq, Eq)]
struct Lack {
    /// The party's last word is there, so that nothing follows. A kubelet that cannot read a log yet puts its excuse in its place.
    is_whole: bool,
}

/// Result and receipt in a log, where the result has this hash.
fn find(log: &str, hash: &str) -> Result<Opened, Lack> {
    let mut is_whole = false;
    for line in log.lines().rev() {
        match serde_json::from_str(line) {
            Ok(Line::Result { result, receipt }) if hex(&result_hash(result.as_bytes())) == hash => {
                return Ok(Opened { result, receipt });
            }
            Ok(Line::Finished {}) => is_whole = true,
            _ => {}
        }
    }
    Err(Lack { is_whole })
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;
    use sha2::{Digest, Sha256};

    const FINISHED: &str = r#"{"event":"finished","result":"ab","device":"cpu"}"#;

    fn line(result: &str) -> String {
        json!({"event": "result", "result": result, "receipt": "r"}).to_string()
    }

    #[test]
    fn only_the_agreed_result_is_taken() {
        let log =
            format!("{{\"event\":\"notice\"}}\n{}\nno json\n{}\n{FINISHED}\n", line("right"), line("wrong"));
        let hash = |text: &str| hex(&Sha256::digest(text.as_bytes()));
        let found = find(&log, &hash("right")).unwrap();
        assert_eq!((found.result.as_str(), found.receipt.as_str()), ("right", "r"));
        assert_eq!(find(&log, &hash("other")).err(), Some(Lack { is_whole: true }));
    }

    #[test]
    fn what_is_no_whole_log_proves_nothing() {
        let excuse = "unable to retrieve container logs for containerd://0a1b";
        for log in ["", excuse, "{\"event\":\"progress\",\"phase\":\"report\",\"done\":0,\"total\":1}\n"] {
            assert_eq!(find(log, "ab").err(), Some(Lack { is_whole: false }), "{log}");
        }
        assert_eq!(find(&format!("{FINISHED}\n"), "ab").err(), Some(Lack { is_whole: true }));
    }

    #[test]
    fn it_is_tried_soon_then_seldom_and_not_for_ever() {
        let seconds = |tried| pause(Duration::from_secs(tried)).map(|pause| pause.as_secs());
        assert_eq!([0, 2, 30, 600, 3599].map(seconds), [1, 1, 15, 60, 60].map(Some));
        assert_eq!(seconds(3600), None);
    }
}
