//! What a party's Job and pod tell of it. Pure.

use crate::party::{Container, PartyJob, PartyPod};
use k8s_openapi::api::core::v1::ContainerState;
use serde::Deserialize;
use veilgrid_api::{
    claim::Outcome,
    labels::CONTAINER,
    status::{PartyPhase, Progress},
};

/// Exit codes after which the party's own budget was certainly not charged: docs/exit-codes.md. What ends otherwise, or
/// without a word, counts as spent.
const NOTHING_CHARGED: [i32; 7] = [2, 3, 4, 5, 6, 7, 9];
/// Those of them that it may end with before it has looked at what an earlier pod left.
const UNLOOKED: [i32; 2] = [2, 6];
/// Exit codes of a party that another pod may take up where it was: it did its part, lost its peers, was interrupted, or opened. So it is with a signal.
const TAKEN_UP: [i32; 4] = [0, 5, 9, 10];
/// The exit code of the first signal.
const SIGNAL: i32 = 128;
/// The exit code of a party whose rows are not as its dataset says.
const BAD_ROWS: i32 = 4;

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
    /// When its process ended, in seconds since 1970, where that was told.
    pub ended_at: Option<i64>,
    /// Its Job has ended without leaving a pod to look at.
    pub lost: bool,
    /// How far it said it is, where it was asked.
    pub progress: Option<Progress>,
    /// An earlier pod of the same attempt did something too.
    pub resumed: bool,
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

    /// Whether its process is still to begin.
    pub(super) fn waits(&self) -> bool {
        self.may_act() && self.never_started
    }

    /// What its claim comes to. A container that never started counts where its pod is gone or every other party has
    /// ended: nothing is opened without the word of all.
    pub fn outcome(&self, others_ended: bool) -> Outcome {
        match self.exit_code {
            Some(code) if self.resumed && UNLOOKED.contains(&code) => Outcome::Spent,
            Some(code) if NOTHING_CHARGED.contains(&code) => Outcome::Released,
            None if self.never_started && !self.resumed && (self.gone || others_ended) => Outcome::Released,
            _ => Outcome::Spent,
        }
    }

    /// Whether another pod may go on from what it left on a volume that is there still.
    pub fn may_be_taken_up(&self) -> bool {
        match self.exit_code {
            Some(code) => TAKEN_UP.contains(&code) || code > SIGNAL,
            // One that never started left nothing.
            None => !self.stuck && (self.resumed || !self.never_started),
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
pub(super) const STUCK: [&str; 7] = [
    "ErrImagePull",
    "ImagePullBackOff",
    "ErrImageNeverPull",
    "InvalidImageName",
    "CreateContainerConfigError",
    "CreateContainerError",
    "RunContainerError",
];

/// How a party stands, by its Job and its pod. Neither may be there.
pub fn observe(job: Option<&PartyJob>, pod: Option<(&PartyPod, bool)>) -> Sight {
    let released = job.and_then(|job| {
        let begun = job.status.start_time.as_ref().or(job.metadata.creation_timestamp.as_ref());
        begun.filter(|_| !job.spec.suspend).map(|time| time.0.as_second())
    });
    let Some((pod, is_there)) = pod else {
        return match job.and_then(|job| job.condition("Failed")) {
            Some(message) => Sight {
                phase: PartyPhase::Failed,
                message: message.to_owned(),
                lost: true,
                ..Sight::default()
            },
            None => Sight {
                message: match (job, released) {
                    (None, _) => "its Job is gone",
                    (Some(_), None) => "its queue holds it",
                    (Some(_), Some(_)) => "no pod yet",
                }
                .into(),
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
        scheduled: pod.spec.node_name.is_some(),
        ..Sight::default()
    };
    let status = &pod.status;
    let container = status.container_statuses.iter().find(|status| status.name == CONTAINER);
    let nothing = ContainerState::default();
    let state = container.map_or(&nothing, |container| &container.state);
    // A kubelet that ends a pod before its image was there has no more to say of the container than that.
    let never_made = state.terminated.as_ref().is_some_and(|ended| {
        let empty =
            |text: fn(&Container) -> &String| container.is_none_or(|container| text(container).is_empty());
        ended.reason.as_deref() == Some("ContainerStatusUnknown")
            && empty(|c| &c.container_id)
            && empty(|c| &c.image_id)
    });
    if let Some(ended) = state.terminated.as_ref().filter(|_| !never_made) {
        let last = ended.message.as_deref().and_then(|text| serde_json::from_str(text).ok());
        let (message, device, result) = match last {
            Some(Last::Finished { result, device }) => (String::new(), device, result),
            // File, line and columns are for the owner alone, and a job's status is not the owner's.
            Some(Last::Failed { .. }) if ended.exit_code == BAD_ROWS => {
                ("its rows are not as its dataset says; its pod's log says where".into(), String::new(), None)
            }
            Some(Last::Failed { message }) => (message, String::new(), None),
            None => (ended.reason.clone().unwrap_or_default(), String::new(), None),
        };
        let phase = if ended.exit_code == 0 { PartyPhase::Succeeded } else { PartyPhase::Failed };
        let ended_at = ended.finished_at.as_ref().map(|time| time.0.as_second());
        return Sight { phase, message, exit_code: Some(ended.exit_code), ended_at, device, result, ..seen };
    }
    let never_started = state.running.is_none()
        && container.is_none_or(|container| container.restart_count == 0 && container.last_state == nothing);
    match status.phase.as_str() {
        "Failed" | "Succeeded" if !never_made => Sight {
            phase: PartyPhase::Failed,
            message: status
                .reason
                .clone()
                .or_else(|| status.message.clone())
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
            let waiting = state.waiting.clone().unwrap_or_default();
            let reason = waiting.reason.unwrap_or_default();
            let unscheduled =
                status.conditions.iter().find(|c| c.kind == "PodScheduled" && c.status == "False");
            let message = match unscheduled {
                Some(condition) => condition.message.clone(),
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
    use crate::party::PartyJobSpec;
    use serde_json::json;

    fn pod(state: serde_json::Value) -> PartyPod {
        let status = json!({"name": CONTAINER, "state": state, "ready": false, "restartCount": 0, "image": "", "imageID": ""});
        let pod = json!({
            "metadata": {"name": "p"},
            "status": {"phase": "Pending", "containerStatuses": [status]},
        });
        serde_json::from_value(pod).unwrap()
    }

    fn ended(code: i32, message: &str) -> Sight {
        observe(
            Some(&PartyJob::default()),
            Some((&pod(json!({"terminated": {"exitCode": code, "message": message}})), true)),
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
        let held = PartyJob { spec: PartyJobSpec { suspend: true }, ..PartyJob::default() };
        let why = |job: Option<&PartyJob>| observe(job, None).message;
        assert_eq!([why(None), why(Some(&held))], ["its Job is gone", "its queue holds it"]);
        let waiting = observe(
            Some(&PartyJob::default()),
            Some((&pod(json!({"waiting": {"reason": "ErrImageNeverPull"}})), true)),
        );
        assert!(waiting.stuck && waiting.never_started);
        assert_eq!((waiting.outcome(false), waiting.outcome(true)), (Outcome::Spent, Outcome::Released));
        let last = pod(json!({"waiting": {"reason": "ErrImageNeverPull"}}));
        assert_eq!(observe(None, Some((&last, false))).outcome(false), Outcome::Released);
        let unknown = json!({"terminated": {"exitCode": 137, "reason": "ContainerStatusUnknown"}});
        assert_eq!(observe(None, Some((&pod(unknown), true))).outcome(false), Outcome::Released);
        let last = pod(json!({"running": {}}));
        assert_eq!(observe(None, Some((&last, false))).outcome(true), Outcome::Spent);
        let running = observe(Some(&PartyJob::default()), Some((&pod(json!({"running": {}})), true)));
        assert_eq!((running.phase, running.outcome(true)), (PartyPhase::Running, Outcome::Spent));
    }

    #[test]
    fn an_earlier_pod_of_the_attempt_is_not_forgotten() {
        let again = |seen: Sight| Sight { resumed: true, ..seen };
        // What a party says after it has looked at what is left is as certain as ever; what it says before is not.
        for code in [3, 4, 5, 7, 9] {
            assert_eq!(again(ended(code, "")).outcome(true), Outcome::Released, "{code}");
        }
        for code in [0, 1, 2, 6, 8, 10, 137] {
            assert_eq!(again(ended(code, "")).outcome(true), Outcome::Spent, "{code}");
        }
        let waiting = observe(Some(&PartyJob::default()), None);
        assert_eq!(
            (waiting.outcome(true), again(waiting.clone()).outcome(true)),
            (Outcome::Released, Outcome::Spent)
        );
        assert!(!waiting.may_be_taken_up() && again(waiting).may_be_taken_up());
        let may = |code: i32| ended(code, "").may_be_taken_up();
        assert!([0, 5, 9, 10, 137, 143].into_iter().all(may));
        assert!(![1, 2, 3, 4, 6, 7, 8].into_iter().any(may));
        assert!(observe(None, None).may_be_taken_up(), "its Job is gone, and what it did nobody knows");
    }

    #[test]
    fn the_last_word_is_read() {
        let done = ended(0, r#"{"event":"finished","result":"ab","device":"cpu avx2"}"#);
        assert_eq!(
            (done.phase, done.result.as_deref(), done.device.as_str()),
            (PartyPhase::Succeeded, Some("ab"), "cpu avx2")
        );
        let failed = ended(5, r#"{"event":"failed","code":5,"message":"south is silent"}"#);
        assert_eq!(
            (failed.phase, failed.message.as_str(), failed.exit_code),
            (PartyPhase::Failed, "south is silent", Some(5))
        );
        let private = ended(4, r#"{"event":"failed","code":4,"message":"north.csv, line 3, column `age`"}"#);
        assert!(private.exit_code == Some(4) && !private.message.contains("age"), "{}", private.message);
        assert_eq!(ended(137, "no JSON").message, "");
    }
}
