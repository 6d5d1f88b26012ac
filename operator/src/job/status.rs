//! Writes a job's status, where it changes.

use super::{observe::Sight, table::Table};
use crate::{context::Context, error::Error, reason::Reason};
use k8s_openapi::jiff::Timestamp;
use kube::{
    Api, ResourceExt,
    api::{Patch, PatchParams},
};
use serde_json::json;
use veilgrid_api::{
    condition::{self, Condition, Truth},
    job::PrivateJob,
    status::{PartyStatus, Phase, PrivateJobStatus},
};

/// The next status of a job, begun from the present one.
pub(super) struct Draft<'a> {
    job: &'a PrivateJob,
    pub(super) status: PrivateJobStatus,
}

/// Now, to the second.
pub(super) fn now() -> Timestamp {
    let now = Timestamp::now();
    Timestamp::from_second(now.as_second()).unwrap_or(now)
}

impl<'a> Draft<'a> {
    pub(super) fn of(job: &'a PrivateJob) -> Self {
        let mut status = job.status.clone().unwrap_or_default();
        status.observed_generation = job.metadata.generation.unwrap_or_default();
        status.started_at.get_or_insert_with(|| now().to_string());
        status.attempt = status.attempt.max(1);
        Self { job, status }
    }

    /// States a condition.
    pub(super) fn state(&mut self, kind: &str, status: Truth, reason: Reason, message: impl Into<String>) {
        let desired = Condition {
            kind: kind.into(),
            status,
            observed_generation: self.status.observed_generation,
            last_transition_time: now().to_string(),
            reason: reason.word().into(),
            message: message.into(),
        };
        condition::set(&mut self.status.conditions, desired);
    }

    /// Says in one word and one sentence where the job is.
    pub(super) fn phase(&mut self, phase: Phase, message: impl Into<String>) {
        self.status.phase = phase;
        self.status.message = message.into().chars().take(2000).collect();
        if phase.has_ended() {
            self.status.completed_at.get_or_insert_with(|| now().to_string());
        }
    }

    /// Says how each party stands.
    pub(super) fn parties(&mut self, table: &Table<'_>, sights: &[Sight]) {
        self.status.parties = table
            .iter()
            .zip(sights)
            .map(|((seat, namespace), sight)| PartyStatus {
                name: seat.party.to_owned(),
                namespace: namespace.to_owned(),
                claim: seat.name(),
                phase: sight.phase,
                message: sight.message.chars().take(1000).collect(),
                device: sight.device.chars().take(200).collect(),
                exit_code: sight.exit_code,
            })
            .collect();
    }

    /// Whether something is to be written.
    pub(super) fn is_changed(&self) -> bool {
        self.job.status.as_ref() != Some(&self.status)
    }

    /// Writes the status where it changed, under the resource version that it was made from: of two operators that think
    /// they lead, one fails here.
    pub(super) async fn write(self, ctx: &Context) -> Result<(), Error> {
        if !self.is_changed() {
            return Ok(());
        }
        let api: Api<PrivateJob> =
            Api::namespaced(ctx.client.clone(), &self.job.namespace().unwrap_or_default());
        let patch = json!({
            "metadata": {"resourceVersion": self.job.metadata.resource_version},
            "status": self.status,
        });
        api.patch_status(&self.job.name_any(), &PatchParams::default(), &Patch::Merge(&patch)).await?;
        Ok(())
    }
}
