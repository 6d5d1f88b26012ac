//! One look at a job: what is there, what is next.
//!
//! The order keeps the promises. Claims are made before anything else and held by every budget before a pod exists. The
//! status says that pods were made only when all were; from then on a party that is gone is lost, never made anew. An attempt's
//! claims are settled before the status says that it is over.

use super::{
    apply, build,
    claims::{self, Standing, finalizers},
    dereference::dereference,
    observe::Sight,
    result,
    status::{Draft, now},
    table::{Table, key},
    validate::{Accepted, Refused, validate},
};
use crate::{
    context::Context,
    error::Error,
    names::{self, FINALIZER},
    reason::Reason,
};
use k8s_openapi::jiff::Timestamp;
use kube::{
    Api, ResourceExt,
    api::{DeleteParams, Patch, PatchParams},
    runtime::controller::Action,
};
use std::{sync::Arc, time::Duration};
use veilgrid_api::{
    claim::PrivacyClaim,
    condition::Truth,
    job::PrivateJob,
    status::{PartyPhase, Phase, PrivateJobStatus},
};

/// How soon to look again at what no watch tells.
const SOON: Duration = Duration::from_secs(5);

/// Takes a job one step further.
///
/// # Errors
/// [`Error`]; the next try starts from what is there.
pub async fn reconcile(job: Arc<PrivateJob>, ctx: Arc<Context>) -> Result<Action, Error> {
    let status = job.status.clone().unwrap_or_default();
    let attempt = status.attempt.max(1);
    let table = Table::of(&job, attempt)?;
    if job.metadata.deletion_timestamp.is_some() {
        return delete(&job, &table, &status, &ctx).await;
    }
    if status.phase.has_ended() {
        table.forget(&ctx.cache);
        if status.phase == Phase::Succeeded && table.has_jobs(&ctx.cache) {
            apply::remove(&table, &ctx).await?;
        }
        return expire(&job, &status, &ctx).await;
    }
    if !job.finalizers().iter().any(|name| name == FINALIZER) {
        // The change brings the job back here.
        put_finalizer(&job, true, &ctx).await?;
        return Ok(Action::await_change());
    }
    let claims = table.claims(&ctx.cache);
    let sights = table.sights(&ctx.cache);
    if status.phase == Phase::Running {
        return watch(&job, &table, &claims, &sights, &ctx).await;
    }
    match validate(dereference(&job, &ctx.cache), &names::run(table.seats[0].uid, attempt)) {
        Err(refused) => refuse(&job, &table, &claims, &sights, refused, &ctx).await,
        Ok(accepted) => start(&job, &table, &claims, &sights, accepted, &ctx).await,
    }
}

/// The spec is bad, or something that it names. Nothing that was claimed before stays held.
async fn refuse(
    job: &PrivateJob,
    table: &Table<'_>,
    claims: &[Option<Arc<PrivacyClaim>>],
    sights: &[Sight],
    refused: Refused,
    ctx: &Context,
) -> Result<Action, Error> {
    if claims.iter().any(Option::is_some) {
        let message = format!("what the job asks for is not there any more: {}", refused.message);
        return fail(job, table, claims, sights, false, Reason::Changed, message, ctx).await;
    }
    let mut draft = Draft::of(job);
    draft.state("Accepted", Truth::False, refused.reason, &refused.message);
    draft.phase(Phase::Pending, refused.message);
    draft.write(ctx).await?;
    Ok(Action::await_change())
}

/// Claims, waits for the budgets, and makes the parties.
async fn start(
    job: &PrivateJob,
    table: &Table<'_>,
    claims: &[Option<Arc<PrivacyClaim>>],
    sights: &[Sight],
    accepted: Accepted,
    ctx: &Context,
) -> Result<Action, Error> {
    let standing = claims::claim(&accepted, table, claims, ctx).await?;
    let mut draft = Draft::of(job);
    draft.status.run.clone_from(&accepted.run);
    draft.state("Accepted", Truth::True, Reason::Valid, "");
    match standing {
        Standing::AwaitingApproval(claims) => {
            let message = format!("waits for the approval of {}", claims.join(", "));
            draft.state("BudgetReserved", Truth::False, Reason::AwaitingApproval, &message);
            draft.phase(Phase::AwaitingApproval, message);
        }
        // Budgets answer in a moment: saying so first would be a write for nothing.
        Standing::Reserving => return Ok(Action::requeue(SOON)),
        Standing::Refused(message) => {
            return fail(job, table, claims, sights, false, Reason::BudgetRefused, message, ctx).await;
        }
        Standing::Changed => {
            let message =
                "a dataset or the job changed after its claims were made; apply the job anew".into();
            return fail(job, table, claims, sights, false, Reason::Changed, message, ctx).await;
        }
        Standing::Settled => {
            let message = "the claims of this attempt are settled".into();
            return fail(job, table, claims, sights, false, Reason::Changed, message, ctx).await;
        }
        Standing::Reserved => {
            let day = claims[0].as_ref().and_then(|claim| claim.metadata.creation_timestamp.as_ref());
            let day = day.map_or(0, |time| time.0.as_second().div_euclid(86400));
            for namespace in &table.namespaces {
                apply::prepare(namespace, ctx).await?;
            }
            for objects in build::parties(job, &accepted, &table.seats, &ctx.seed, day, &ctx.pods)? {
                apply::party(objects, ctx).await?;
            }
            draft.state("BudgetReserved", Truth::True, Reason::Reserved, "");
            draft.state("PartiesReady", Truth::False, Reason::Waiting, "");
            draft.phase(Phase::Running, "the parties' pods are made");
            draft.parties(table, sights);
        }
    }
    draft.write(ctx).await?;
    Ok(Action::await_change())
}

/// Follows the parties' pods to their end.
async fn watch(
    job: &PrivateJob,
    table: &Table<'_>,
    claims: &[Option<Arc<PrivacyClaim>>],
    sights: &[Sight],
    ctx: &Context,
) -> Result<Action, Error> {
    if sights.iter().all(|sight| sight.phase == PartyPhase::Succeeded) {
        return finish(job, table, claims, sights, ctx).await;
    }
    let trouble =
        sights.iter().position(|sight| sight.phase == PartyPhase::Failed || sight.stuck || sight.lost);
    if let Some(first) = trouble {
        return collapse(job, table, claims, sights, first, ctx).await;
    }
    let ready = sights.iter().all(|sight| sight.phase != PartyPhase::Pending);
    let waiting: Vec<String> = table
        .iter()
        .zip(sights)
        .filter(|(_, sight)| sight.phase == PartyPhase::Pending)
        .map(|((seat, _), sight)| format!("{}: {}", seat.party, sight.message))
        .collect();
    let mut draft = Draft::of(job);
    if ready {
        draft.state("PartiesReady", Truth::True, Reason::Ready, "");
        draft.phase(Phase::Running, "all parties run");
        draft.parties(table, sights);
        draft.write(ctx).await?;
        return Ok(Action::await_change());
    }
    // A pod passes through several states in its first seconds; what stays is worth a word.
    let changed =
        draft.status.conditions.iter().find(|c| c.kind == "PartiesReady").map(|c| &c.last_transition_time);
    let since = changed.and_then(|time| time.parse::<Timestamp>().ok());
    if since.is_some_and(|since| now().as_second() - since.as_second() < SOON.as_secs() as i64) {
        return Ok(Action::requeue(SOON));
    }
    let message = format!("waits for {}", waiting.join("; "));
    draft.state("PartiesReady", Truth::False, Reason::Waiting, &message);
    draft.phase(Phase::Running, message);
    draft.parties(table, sights);
    draft.write(ctx).await?;
    Ok(Action::await_change())
}

/// All parties did their part.
async fn finish(
    job: &PrivateJob,
    table: &Table<'_>,
    claims: &[Option<Arc<PrivacyClaim>>],
    sights: &[Sight],
    ctx: &Context,
) -> Result<Action, Error> {
    let hash = match result::agreed(job, sights) {
        Ok(hash) => hash,
        Err(message) => {
            return fail(job, table, claims, sights, true, Reason::ResultLost, message, ctx).await;
        }
    };
    if let Some(place) = &job.spec.result
        && let Err(message) = result::place(job, place, &hash, table, sights, ctx).await?
    {
        return fail(job, table, claims, sights, true, Reason::ResultLost, message, ctx).await;
    }
    claims::settle(table, claims, sights, true, ctx).await?;
    let mut draft = Draft::of(job);
    draft.state("PartiesReady", Truth::True, Reason::Ready, "");
    draft.state("Succeeded", Truth::True, Reason::Done, "");
    draft.phase(Phase::Succeeded, "the result is there");
    draft.status.result_hash = Some(hash);
    draft.parties(table, sights);
    // What the parties said is in the status before their Jobs go.
    draft.write(ctx).await?;
    Ok(Action::await_change())
}

/// A party failed, cannot start, or is gone. The others are asked to end; when they have, the attempt is over.
async fn collapse(
    job: &PrivateJob,
    table: &Table<'_>,
    claims: &[Option<Arc<PrivacyClaim>>],
    sights: &[Sight],
    first: usize,
    ctx: &Context,
) -> Result<Action, Error> {
    let (reason, message) = cause(table, sights, first);
    let mut draft = Draft::of(job);
    if !interrupted(table, sights, ctx).await? {
        // Said before the pods that show it are gone.
        if !draft
            .status
            .conditions
            .iter()
            .any(|c| c.kind == "PartiesReady" && c.reason == Reason::PodFailed.word())
        {
            draft.state("PartiesReady", Truth::False, reason, &message);
            draft.phase(Phase::Running, format!("the others are asked to end: {message}"));
            draft.write(ctx).await?;
        }
        return Ok(Action::requeue(SOON));
    }
    let said = draft
        .status
        .conditions
        .iter()
        .find(|c| c.kind == "PartiesReady" && c.reason == Reason::PodFailed.word());
    let (reason, message) = said.map_or((reason, message), |said| (Reason::PodFailed, said.message.clone()));
    fail(job, table, claims, sights, true, reason, message, ctx).await
}

/// Why the attempt is over. A party that merely lost its peers is not the cause.
fn cause(table: &Table<'_>, sights: &[Sight], first: usize) -> (Reason, String) {
    let cause =
        sights.iter().position(|sight| sight.exit_code.is_some_and(|code| ![0, 5, 9].contains(&code)));
    let cause = cause.or_else(|| sights.iter().position(|sight| sight.stuck || sight.lost)).unwrap_or(first);
    let (sight, party) = (&sights[cause], table.seats[cause].party);
    let reason = match sight {
        Sight { stuck: true, .. } => Reason::PodFailed,
        Sight { lost: true, message, .. } if message.contains("deadline") => Reason::DeadlineExceeded,
        Sight { exit_code: None, .. } => Reason::PartyLost,
        _ => Reason::PartyFailed,
    };
    let said = if sight.message.is_empty() { "it ended without a word" } else { &sight.message };
    let message = match sight.exit_code {
        Some(code) => format!("{party} ended with exit code {code}: {said}"),
        None => format!("{party}: {said}"),
    };
    (reason, message)
}

/// Ends the pods that have not ended; true when none is left that could still do something.
async fn interrupted(table: &Table<'_>, sights: &[Sight], ctx: &Context) -> Result<bool, Error> {
    let alive = |sight: &Sight| !sight.has_ended() && !sight.lost;
    let pods: Vec<Option<String>> =
        sights.iter().map(|sight| sight.pod.clone().filter(|_| alive(sight))).collect();
    apply::interrupt(table, &pods, ctx).await?;
    // A Job that has no pod yet makes none any more.
    let idle: Vec<bool> = sights.iter().map(|sight| alive(sight) && sight.pod.is_none()).collect();
    apply::remove_some(table, &idle, ctx).await?;
    Ok(!sights.iter().any(alive))
}

/// Settles the attempt's claims, and ends the job or begins another attempt.
#[allow(clippy::too_many_arguments, reason = "what is known of the attempt, and why it is over")]
async fn fail(
    job: &PrivateJob,
    table: &Table<'_>,
    claims: &[Option<Arc<PrivacyClaim>>],
    sights: &[Sight],
    launched: bool,
    reason: Reason,
    message: String,
    ctx: &Context,
) -> Result<Action, Error> {
    claims::settle(table, claims, sights, launched, ctx).await?;
    let mut draft = Draft::of(job);
    let may_pass = matches!(reason, Reason::PartyFailed | Reason::PartyLost | Reason::DeadlineExceeded);
    draft.parties(table, sights);
    if may_pass && draft.status.attempt <= job.spec.backoff_limit.unwrap_or(0) {
        apply::remove(table, ctx).await?;
        draft.status.attempt += 1;
        draft.state("BudgetReserved", Truth::False, Reason::Reserving, "");
        draft.state("PartiesReady", Truth::False, reason, &message);
        draft.phase(Phase::Reserving, format!("attempt {} failed: {message}", draft.status.attempt - 1));
    } else {
        draft.state("Failed", Truth::True, reason, &message);
        draft.phase(Phase::Failed, message);
    }
    draft.write(ctx).await?;
    Ok(Action::await_change())
}

/// Deletes an ended job when its time has come.
async fn expire(job: &PrivateJob, status: &PrivateJobStatus, ctx: &Context) -> Result<Action, Error> {
    let Some(stays) = job.spec.ttl_seconds_after_finished else { return Ok(Action::await_change()) };
    let ended = status.completed_at.as_ref().and_then(|time| time.parse::<Timestamp>().ok());
    let since = ended.map_or(0, |ended| (now().as_second() - ended.as_second()).max(0)) as u64;
    if since < u64::from(stays) {
        return Ok(Action::requeue(Duration::from_secs(u64::from(stays) - since)));
    }
    let api: Api<PrivateJob> = Api::namespaced(ctx.client.clone(), &job.namespace().unwrap_or_default());
    api.delete(&job.name_any(), &DeleteParams::default()).await?;
    Ok(Action::await_change())
}

/// Ends the pods of a deleted job, settles its claims, and lets it go.
async fn delete(
    job: &PrivateJob,
    table: &Table<'_>,
    status: &PrivateJobStatus,
    ctx: &Context,
) -> Result<Action, Error> {
    if !job.finalizers().iter().any(|name| name == FINALIZER) {
        return Ok(Action::await_change());
    }
    let (claims, sights) = (table.claims(&ctx.cache), table.sights(&ctx.cache));
    if !status.phase.has_ended() {
        if !interrupted(table, &sights, ctx).await? {
            return Ok(Action::requeue(SOON));
        }
        claims::settle(table, &claims, &sights, status.phase == Phase::Running, ctx).await?;
    }
    apply::remove(table, ctx).await?;
    table.forget(&ctx.cache);
    tracing::info!(job = key(job), "deleted");
    put_finalizer(job, false, ctx).await?;
    Ok(Action::await_change())
}

async fn put_finalizer(job: &PrivateJob, wanted: bool, ctx: &Context) -> Result<(), Error> {
    let api: Api<PrivateJob> = Api::namespaced(ctx.client.clone(), &job.namespace().unwrap_or_default());
    let patch = finalizers(job.finalizers(), wanted, job.metadata.resource_version.as_deref());
    api.patch_metadata(&job.name_any(), &PatchParams::default(), &Patch::Merge(&patch)).await?;
    Ok(())
}
