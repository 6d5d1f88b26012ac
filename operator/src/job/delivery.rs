//! Brings a result to the volume or the object store that the job names, by a pod, and follows it.
//!
//! The result is opened and paid for by then, and the status has its hash and its receipt: whatever keeps it from its place, nothing is
//! computed or charged again. While the phase is `Delivering`, all objects of the delivery were made. Where they are gone, or the job names
//! another place now, or is suspended, the phase goes back to `Running` with the hash, and from there the delivery is made anew.

use super::{
    apply::{apply, make_job},
    attempt::Attempt,
    build,
    end::SOON,
    observe::STUCK,
    read::Unread,
    result::Opened,
    status::Draft,
};
use crate::{
    clock,
    error::Error,
    names::DELIVERY,
    party::{PartyJob, PartyPod},
    reason::Reason,
};
use k8s_openapi::api::{
    core::v1::{ContainerStateTerminated, Secret},
    networking::v1::NetworkPolicy,
};
use kube::{Resource, ResourceExt, runtime::controller::Action};
use serde::Deserialize;
use std::{sync::Arc, time::Duration};
use veilgrid_api::{
    cluster::ResultPlace,
    condition::Truth,
    labels::PLACE,
    status::{Phase, ReceiptStatus},
};

/// How soon to look again where no change tells of it.
const AGAIN: Duration = Duration::from_secs(30);
/// How long a pod's beginning is not worth a word.
const SETTLES: Duration = Duration::from_secs(2);
/// Characters of a pod's last words that are told.
const SHOWN: usize = 600;

impl Attempt<'_> {
    /// The hash of the result, once it was opened and checked, where it is still to be delivered.
    pub(super) fn opened_hash(&self) -> Option<&str> {
        self.job.status.as_ref()?.result_hash.as_deref()
    }

    /// The place, where a pod has to bring the result there.
    fn place_to_reach(&self) -> Option<&ResultPlace> {
        self.job.spec.result.as_ref().filter(|place| place.needs_delivery())
    }

    /// The Job of the delivery, where there is one.
    pub(super) fn delivery_job(&self) -> Option<Arc<PartyJob>> {
        self.ctx.cache.party_jobs.get(&self.seats[0].delivery())
    }

    /// Makes the delivery of a result that was checked, as often as it takes until the status says that it is made.
    pub(super) async fn send(
        &self,
        opened: Opened,
        place: &ResultPlace,
        hash: String,
        receipt: ReceiptStatus,
    ) -> Result<Action, Error> {
        // One that is on its way still has the name.
        if self.delivery_job().is_some_and(|job| job.metadata.deletion_timestamp.is_some()) {
            return Ok(Action::requeue(SOON));
        }
        // It is paid for, whatever becomes of the delivery.
        self.settle(true).await?;
        let owner = self.job.controller_owner_ref(&()).ok_or(Error::Incomplete("a uid"))?;
        let (seat, pods) = (&self.seats[0], &self.ctx.pods);
        let delivery = build::delivery(owner, seat, place, opened.result, opened.receipt, pods);
        let mut draft = Draft::of(self);
        if self.opened_hash().is_none() {
            // What the parties said: later it may not be known any more.
            draft.parties();
        }
        (draft.status.result_hash, draft.status.receipt) = (Some(hash), Some(receipt));
        // It was read: the next time that it cannot be is another.
        draft.unsay("Succeeded");
        let job = match make_job(&delivery.job, seat.job_namespace, self.ctx).await {
            // Such as a quota's word.
            Err(Error::Api(kube::Error::Api(status))) if status.code == 403 => {
                return self.unmade(draft, format!("its Job cannot be made: {}", status.message)).await;
            }
            made => made?,
        };
        if !self.owns(&job) || job.labels().get(PLACE) != delivery.job.labels().get(PLACE) {
            let (home, name) = (seat.job_namespace, seat.delivery_name());
            let message = format!("the Job {home}/{name} is there already and is not this job's: delete it");
            return self.unmade(draft, message).await;
        }
        let delivery = delivery.owned_by(job.uid().ok_or(Error::Incomplete("a uid"))?);
        apply::<NetworkPolicy>(&delivery.policy, self.ctx).await?;
        // The pod waits for it, and so for the policy.
        apply::<Secret>(&delivery.secret, self.ctx).await?;
        draft.state("Scheduled", Truth::True, Reason::Ready, "");
        draft.state("PartiesReady", Truth::True, Reason::Ready, "");
        draft.state("Delivered", Truth::False, Reason::Delivering, "");
        let message = format!("the result is being brought to {}", place.title());
        draft.phase(Phase::Delivering, Reason::Delivering, message);
        draft.write().await
    }

    /// A delivery that cannot be made now. Nothing tells when it can.
    async fn unmade(&self, mut draft: Draft<'_>, message: String) -> Result<Action, Error> {
        draft.state("Delivered", Truth::False, Reason::DeliveryFailed, &message);
        draft.phase(
            Phase::Running,
            Reason::DeliveryFailed,
            format!("the result is not delivered: {message}"),
        );
        draft.write().await?;
        Ok(Action::requeue(AGAIN))
    }

    /// Follows the delivery to its end.
    pub(super) async fn follow(&self) -> Result<Action, Error> {
        let job = self.delivery_job().filter(|job| job.metadata.deletion_timestamp.is_none());
        let Some(job) = job else { return self.send_anew().await };
        let made_for = job.metadata.labels.as_ref().and_then(|labels| labels.get(PLACE));
        let place = self.place_to_reach().filter(|place| made_for == Some(&build::place_hash(place)));
        let mut draft = Draft::of(self);
        let Some(place) = place else { return self.replace(draft).await };
        if job.condition("Complete").is_some() {
            draft.state("Delivered", Truth::True, Reason::Done, "");
            draft.state("Succeeded", Truth::True, Reason::Done, "");
            draft.phase(Phase::Succeeded, Reason::Done, self.found());
            return draft.write().await;
        }
        if self.job.spec.suspend {
            return self.replace(draft).await;
        }
        let uid = job.metadata.uid.clone().unwrap_or_default();
        let seat = &self.seats[0];
        let owner = build::owner(seat.delivery_name(), uid.clone());
        self.put_back(build::delivery_policy(seat, place), vec![owner]).await?;
        let pod = self.ctx.cache.pod(&self.home(), &seat.delivery_name());
        let pod = pod.filter(|(_, is_there)| *is_there).map(|(pod, _)| pod);
        let made =
            job.metadata.creation_timestamp.as_ref().map_or(0, |time| clock::since(time.0.as_second()));
        let mut again = None;
        let trouble = match &pod {
            Some(pod) => trouble(pod),
            None if made < SETTLES.as_secs() => {
                again = Some(SETTLES);
                None
            }
            None => {
                again = Some(AGAIN);
                let why = self.why_podless(&self.home(), &uid).await;
                let failed = job.condition("Failed").map(|why| format!("its Job failed: {why}"));
                failed.or(why.map(|why| format!("its pod cannot be made: {why}")))
            }
        };
        // What was said before holds until it is known to be over.
        if let Some(trouble) = trouble {
            let message = format!("the result cannot be brought to {} yet: {trouble}", place.title());
            draft.state("Delivered", Truth::False, Reason::DeliveryFailed, &trouble);
            draft.phase(Phase::Delivering, Reason::DeliveryFailed, message);
        }
        draft.write().await?;
        Ok(again.map_or_else(Action::await_change, Action::requeue))
    }

    /// The job asks for another delivery than the one that is made, or for none now. That one has the result too, and is kept where it has
    /// the only one.
    async fn replace(&self, mut draft: Draft<'_>) -> Result<Action, Error> {
        let Err(unread) = self.opened(self.opened_hash().unwrap_or_default()).await else {
            return self.send_anew().await;
        };
        let message = match unread {
            Unread { why, may_pass: true } => format!("the result cannot be read yet: {why}"),
            Unread { why, .. } => format!(
                "only the delivery to the earlier place has the result still ({why}): write that place again, and lift suspend"
            ),
        };
        draft.state("Delivered", Truth::False, Reason::DeliveryFailed, &message);
        draft.phase(Phase::Delivering, Reason::DeliveryFailed, message);
        draft.write().await?;
        Ok(Action::requeue(AGAIN))
    }

    /// Takes back a delivery that is not what the job asks for, or is gone; it is made anew from the parties' logs.
    async fn send_anew(&self) -> Result<Action, Error> {
        self.remove_delivery().await?;
        let mut draft = Draft::of(self);
        draft.state("Delivered", Truth::False, Reason::Delivering, "");
        draft.phase(Phase::Running, Reason::Delivering, "the result is to be delivered anew");
        draft.write().await
    }

    /// A job that was suspended when its result was opened already: nothing but the delivery is left to wait.
    pub(super) async fn hold(&self) -> Result<Action, Error> {
        self.remove_delivery().await?;
        let mut draft = Draft::of(self);
        draft.state("Delivered", Truth::False, Reason::Suspended, "");
        draft.phase(Phase::Running, Reason::Suspended, "spec.suspend is true: the result is not delivered");
        draft.write().await
    }
}

/// What a delivery's pod says in the end, as its container's termination message.
#[derive(Deserialize)]
#[serde(tag = "event", rename_all = "lowercase")]
enum Last {
    Failed { message: String },
}

/// What keeps a delivery; nothing while all is well, as far as it is known.
fn trouble(pod: &PartyPod) -> Option<String> {
    let status = &pod.status;
    let unscheduled = status.conditions.iter().find(|c| c.kind == "PodScheduled" && c.status == "False");
    if let Some(condition) = unscheduled {
        return Some(condition.message.clone());
    }
    let container = status.container_statuses.iter().find(|container| container.name == DELIVERY)?;
    let ended = container.state.terminated.as_ref().or(container.last_state.terminated.as_ref());
    if let Some(ended) = ended.filter(|ended| ended.exit_code != 0) {
        return Some(words(ended));
    }
    let waiting = container.state.waiting.as_ref()?;
    let reason = waiting.reason.as_deref().filter(|reason| STUCK.contains(reason))?;
    Some(match &waiting.message {
        Some(message) => format!("{reason}: {message}"),
        None => reason.to_owned(),
    })
}

/// Why the pod's process ended.
fn words(ended: &ContainerStateTerminated) -> String {
    let message = ended.message.as_deref().unwrap_or_default().trim();
    let said = match serde_json::from_str(message) {
        Ok(Last::Failed { message }) => message,
        Err(_) => {
            let why = if message.is_empty() {
                ended.reason.as_deref().unwrap_or("without a word")
            } else {
                message
            };
            format!("its pod ended with exit code {}: {why}", ended.exit_code)
        }
    };
    said.chars().filter(|char| !char.is_control()).take(SHOWN).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::{Value, json};

    fn pod(status: Value) -> PartyPod {
        serde_json::from_value(json!({"metadata": {"name": "p"}, "status": status})).unwrap()
    }

    fn container(state: Value, last: Value) -> PartyPod {
        pod(
            json!({"containerStatuses": [{"name": DELIVERY, "state": state, "lastState": last, "restartCount": 1}]}),
        )
    }

    #[test]
    fn what_keeps_a_delivery_is_told_and_stays_told_while_it_is_tried_again() {
        let missing = json!({"conditions": [{"type": "PodScheduled", "status": "False", "message": "persistentvolumeclaim \"results\" not found"}]});
        assert_eq!(trouble(&pod(missing)).as_deref(), Some("persistentvolumeclaim \"results\" not found"));
        assert_eq!(trouble(&pod(json!({}))), None);
        let said = r#"{"event":"failed","code":8,"message":"s3://a/b: there is no such bucket"}"#;
        let ended = json!({"terminated": {"exitCode": 8, "message": said}});
        let bucket = Some("s3://a/b: there is no such bucket".to_owned());
        for state in [json!({"waiting": {"reason": "CrashLoopBackOff"}}), json!({"running": {}})] {
            assert_eq!(trouble(&container(state, ended.clone())), bucket);
        }
        assert_eq!(trouble(&container(ended, json!({}))), bucket);
        let old = json!({"terminated": {"exitCode": 2, "message": "error: unrecognized subcommand\n"}});
        let told = trouble(&container(old, json!({}))).unwrap();
        assert_eq!(told, "its pod ended with exit code 2: error: unrecognized subcommand");
        let killed = json!({"terminated": {"exitCode": 137, "reason": "OOMKilled"}});
        assert_eq!(
            trouble(&container(killed, json!({}))).unwrap(),
            "its pod ended with exit code 137: OOMKilled"
        );
        let image = json!({"waiting": {"reason": "ErrImageNeverPull", "message": "no image"}});
        assert_eq!(trouble(&container(image, json!({}))).as_deref(), Some("ErrImageNeverPull: no image"));
        for calm in [json!({"waiting": {"reason": "ContainerCreating"}}), json!({"running": {}})] {
            assert_eq!(trouble(&container(calm, json!({}))), None);
        }
        assert_eq!(trouble(&container(json!({"terminated": {"exitCode": 0}}), json!({}))), None);
    }
}
