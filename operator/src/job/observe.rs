//! What a party's Job and pod tell of it. Pure.

use k8s_openapi::api::{
    batch::v1::Job,
    core::v1::{ContainerState, Pod},
};
use serde::Deserialize;
use veilgrid_api::{claim::Outcome, status::PartyPhase};

/// The container of a party's pod.
pub(super) const CONTAINER: &str = "party";
/// Exit codes after which the party's own budget was certainly not charged: docs/exit-codes.md. What ends otherwise, or
/// without a word, counts as spent.
const NOTHING_CHARGED: [i32; 7] = [2, 3, 4, 5, 6, 7, 9];

/// How a party stands.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Sight {
    /// In one word.
    pub phase: PartyPhase,
    /// What keeps it, or why it failed.
    pub message: String,
    /// What keeps it will not pass by itself: a bad image, mount or configuration.
    pub stuck: bool,
    /// How its process ended.
    pub exit_code: Option<i32>,
    /// The device that it used.
    pub device: String,
    /// SHA-256 of the result that it opened.
    pub result: Option<String>,
    /// When its Job was let go, in seconds since 1970; its queue holds it where absent.
    pub released: Option<i64>,
    /// Its pod has a node.
    pub scheduled: bool,
    /// Its container has never started.
    pub never_started: bool,
    /// Its pod is gone, and so will not start either.
    pub gone: bool,
    /// Its pod.
    pub pod: Option<String>,
    /// Its Job has ended without leaving a pod to look at.
    pub lost: bool,
}

impl Sight {
    /// Whether its process will not run any more.
    pub fn has_ended(&self) -> bool {
        matches!(self.phase, PartyPhase::Succeeded | PartyPhase::Failed)
    }

    /// Whether it could still do something.
    pub(super) fn may_act(&self) -> bool {
        !self.has_ended() && !self.lost
    }

    /// What its claim comes to. A container that never started counts where its pod is gone or every other party has
    /// ended: nothing is opened without the word of all.
    pub fn outcome(&self, others_ended: bool) -> Outcome {
        match self.exit_code {
            Some(code) if NOTHING_CHARGED.contains(&code) => Outcome::Released,
            None if self.never_started && (self.gone || others_ended) => Outcome::Released,
            _ => Outcome::Spent,
        }
    }
}

/// The last event of a party, as its container's termination message.
#[derive(Deserialize)]
#[serde(tag = "event", rename_all = "lowercase")]
enum Last {
    Finished { result: Option<String>, device: String },
    Failed { message: String },
}

/// Reasons of a waiting container that do not pass by themselves.
const STUCK: [&str; 7] = [
    "ErrImagePull",
    "ImagePullBackOff",
    "ErrImageNeverPull",
    "InvalidImageName",
    "CreateContainerConfigError",
    "CreateContainerError",
    "RunContainerError",
];

/// How a party stands, by its Job and its pod. Neither may be there.
pub fn observe(job: Option<&Job>, pod: Option<&(Pod, bool)>) -> Sight {
    let condition = |kind: &str| {
        let conditions = job?.status.as_ref()?.conditions.as_ref()?;
        conditions.iter().find(|c| c.type_ == kind && c.status == "True")
    };
    let released = job.and_then(|job| {
        let held = job.spec.as_ref()?.suspend == Some(true);
        let begun = job.status.as_ref().and_then(|status| status.start_time.as_ref());
        let begun = begun.or(job.metadata.creation_timestamp.as_ref());
        begun.filter(|_| !held).map(|time| time.0.as_second())
    });
    let Some((pod, is_there)) = pod else {
        return match condition("Failed") {
            Some(failed) => Sight {
                phase: PartyPhase::Failed,
                message: failed.message.clone().unwrap_or_default(),
                lost: true,
                ..Sight::default()
            },
            None => Sight {
                message: if released.is_some() { "no pod yet" } else { "its queue holds it" }.into(),
                released,
                lost: job.is_none(),
                never_started: job.is_some(),
                ..Sight::default()
            },
        };
    };
    let seen = Sight {
        pod: pod.metadata.name.clone(),
        released,
        scheduled: pod.spec.as_ref().is_some_and(|spec| spec.node_name.is_some()),
        ..Sight::default()
    };
    let status = pod.status.clone().unwrap_or_default();
    let container = status.container_statuses.iter().flatten().find(|status| status.name == CONTAINER);
    let state = container.and_then(|container| container.state.clone()).unwrap_or_default();
    // A kubelet that ends a pod before its image was there has no more to say of the container than that.
    let never_made = state.terminated.as_ref().is_some_and(|ended| {
        let empty = |id: Option<&str>| id.is_none_or(str::is_empty);
        ended.reason.as_deref() == Some("ContainerStatusUnknown")
            && empty(container.and_then(|container| container.container_id.as_deref()))
            && empty(container.map(|container| container.image_id.as_str()))
    });
    if let Some(ended) = state.terminated.filter(|_| !never_made) {
        let last = ended.message.as_deref().and_then(|text| serde_json::from_str(text).ok());
        let (message, device, result) = match last {
            Some(Last::Finished { result, device }) => (String::new(), device, result),
            Some(Last::Failed { message }) => (message, String::new(), None),
            None => (ended.reason.unwrap_or_default(), String::new(), None),
        };
        let phase = if ended.exit_code == 0 { PartyPhase::Succeeded } else { PartyPhase::Failed };
        return Sight { phase, message, exit_code: Some(ended.exit_code), device, result, ..seen };
    }
    let never_started = state.running.is_none()
        && container.is_none_or(|container| {
            container.restart_count == 0
                && container.last_state.as_ref().is_none_or(|s| *s == ContainerState::default())
        });
    match status.phase.as_deref() {
        Some("Failed" | "Succeeded") if !never_made => Sight {
            phase: PartyPhase::Failed,
            message: status
                .reason
                .or(status.message)
                .unwrap_or_else(|| "its pod ended without a word".into()),
            ..seen
        },
        _ if never_made || !is_there => Sight {
            phase: PartyPhase::Failed,
            message: "its pod is gone".into(),
            // One that had a node may have run without a word that reached anybody.
            never_started: never_made || never_started && !seen.scheduled,
            gone: true,
            ..seen
        },
        _ if state.running.is_some() => Sight { phase: PartyPhase::Running, ..seen },
        _ => {
            let waiting = state.waiting.unwrap_or_default();
            let reason = waiting.reason.unwrap_or_default();
            let unscheduled =
                status.conditions.iter().flatten().find(|c| c.type_ == "PodScheduled" && c.status == "False");
            let message = match unscheduled {
                Some(condition) => condition.message.clone().unwrap_or_default(),
                None => [reason.as_str(), waiting.message.as_deref().unwrap_or_default()].join(": "),
            };
            let message = message.trim_matches([':', ' ']).to_owned();
            Sight { message, stuck: STUCK.contains(&reason.as_str()), never_started, ..seen }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn pod(state: serde_json::Value) -> (Pod, bool) {
        let status = json!({"name": CONTAINER, "state": state, "ready": false, "restartCount": 0, "image": "", "imageID": ""});
        let pod = json!({
            "metadata": {"name": "p"},
            "status": {"phase": "Pending", "containerStatuses": [status]},
        });
        (serde_json::from_value(pod).unwrap(), true)
    }

    fn ended(code: i32, message: &str) -> Sight {
        observe(
            Some(&Job::default()),
            Some(&pod(json!({"terminated": {"exitCode": code, "message": message}}))),
        )
    }

    #[test]
    fn only_certainty_releases() {
        for code in [2, 3, 4, 5, 6, 7, 9] {
            assert_eq!(ended(code, "").outcome(false), Outcome::Released, "{code}");
        }
        for code in [0, 1, 8, 10, 137, 143, 255] {
            assert_eq!(ended(code, "").outcome(true), Outcome::Spent, "{code}");
        }
        assert_eq!(observe(None, None).outcome(true), Outcome::Spent);
        let waiting =
            observe(Some(&Job::default()), Some(&pod(json!({"waiting": {"reason": "ErrImageNeverPull"}}))));
        assert!(waiting.stuck && waiting.never_started);
        assert_eq!((waiting.outcome(false), waiting.outcome(true)), (Outcome::Spent, Outcome::Released));
        let (last, _) = pod(json!({"waiting": {"reason": "ErrImageNeverPull"}}));
        assert_eq!(observe(None, Some(&(last, false))).outcome(false), Outcome::Released);
        let unknown = json!({"terminated": {"exitCode": 137, "reason": "ContainerStatusUnknown"}});
        assert_eq!(observe(None, Some(&pod(unknown))).outcome(false), Outcome::Released);
        let (last, _) = pod(json!({"running": {}}));
        assert_eq!(observe(None, Some(&(last, false))).outcome(true), Outcome::Spent);
        let running = observe(Some(&Job::default()), Some(&pod(json!({"running": {}}))));
        assert_eq!((running.phase, running.outcome(true)), (PartyPhase::Running, Outcome::Spent));
    }

    #[test]
    fn the_last_word_is_read() {
        let done = ended(0, r#"{"event":"finished","result":"ab","device":"cpu avx2"}"#);
        assert_eq!(
            (done.phase, done.result.as_deref(), done.device.as_str()),
            (PartyPhase::Succeeded, Some("ab"), "cpu avx2")
        );
        let failed = ended(4, r#"{"event":"failed","code":4,"message":"row 3"}"#);
        assert_eq!(
            (failed.phase, failed.message.as_str(), failed.exit_code),
            (PartyPhase::Failed, "row 3", Some(4))
        );
        assert_eq!(ended(137, "no JSON").message, "");
    }
}
