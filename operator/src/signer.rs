//! Signs for parties whose keys are born on their nodes (`certificates.k8s.io` PodCertificateRequest): no API object ever holds
//! such a key.
//!
//! A kubelet may ask only for pods of its own node, which the API server checks. This signer answers only for the pods of the Jobs that the
//! job's status names, with the name of the party that the pod stands for. Before that word they wait.

use crate::{
    clock,
    context::Context,
    error::{Error, is_missing},
    job::pin,
    names,
};
use k8s_openapi::{
    api::certificates::v1beta1::PodCertificateRequest,
    jiff::{SignedDuration, Timestamp},
};
use kube::{
    Client, Resource, ResourceExt,
    api::{Patch, PatchParams},
    runtime::{controller::Action, reflector::ObjectRef},
};
use serde_json::{Value, json};
use std::{sync::Arc, time::Duration};

/// What pods call this signer.
pub const SIGNER: &str = "veilgrid.dev/party";
/// A cache may be behind the kubelet's request.
const AGAIN: Duration = Duration::from_millis(200);
/// A request that nobody can vouch for is refused when it is this old: the caches have caught up.
const PATIENCE: SignedDuration = SignedDuration::from_secs(20);
/// How soon to look again at an older one whose time has not come.
const LATER: Duration = Duration::from_secs(2);

/// Whether the cluster has such requests.
pub async fn is_offered(client: &Client) -> Result<bool, kube::Error> {
    match client.list_api_group_resources(&PodCertificateRequest::api_version(&())).await {
        Ok(kinds) => Ok(kinds.resources.iter().any(|kind| kind.kind == PodCertificateRequest::kind(&()))),
        Err(error) if is_missing(&error) => Ok(false),
        Err(error) => Err(error),
    }
}

/// What a pod is.
enum Standing {
    /// A party, in a run.
    Party { run: String, party: String },
    /// It is to be one: the status does not name its Job yet.
    Early,
    /// Nobody whom a certificate is due: in one word, and why.
    Stranger(&'static str, &'static str),
}

const NOT_A_PARTY: Standing = Standing::Stranger("NotAParty", "this pod is no party of a running PrivateJob");
const NOT_NAMED: Standing = Standing::Stranger(
    "NotNamed",
    "the Job of this pod is not the one that the PrivateJob's status names for the party",
);

/// Whose certificate a request asks for.
fn standing(request: &PodCertificateRequest, ctx: &Context) -> Standing {
    find(request, ctx).unwrap_or(NOT_A_PARTY)
}

/// The same; nothing where something is missing.
fn find(request: &PodCertificateRequest, ctx: &Context) -> Option<Standing> {
    let namespace = request.namespace()?;
    let pod = ctx.cache.pods_listed.get(&ObjectRef::new(&request.spec.pod_name).within(&namespace))?;
    let label = |name: &str| pod.labels().get(name).map(String::as_str);
    if pod.metadata.uid.as_ref() != Some(&request.spec.pod_uid) {
        return None;
    }
    let job = ObjectRef::new(label(names::JOB)?).within(label(names::JOB_NAMESPACE)?);
    let job = ctx.cache.jobs.get(&job)?;
    if job.status.as_ref().is_some_and(|status| status.phase.has_ended()) {
        return None;
    }
    let party = label(names::PARTY)?;
    let seat = names::seats(&job).ok()?.into_iter().find(|seat| seat.party == party)?;
    // The labels say whose it is; that the operator made it, its Job says, and which Job that is, the status.
    let owner = pod.owner_references().iter().find(|owner| owner.controller == Some(true))?;
    let made = ctx.cache.party_jobs.get(&seat.object())?;
    let ours = seat.namespace == namespace
        && label(names::JOB_UID) == Some(seat.uid)
        && made.metadata.uid.as_ref() == Some(&owner.uid)
        && made.labels().get(names::JOB_UID).map(String::as_str) == Some(seat.uid);
    ours.then(|| match pin(&job, &seat) {
        None => Standing::Early,
        Some(named) if named == owner.uid => {
            Standing::Party { run: seat.run(), party: seat.party.to_owned() }
        }
        Some(_) => NOT_NAMED,
    })
}

/// Answers one request.
///
/// # Errors
/// The API server's.
pub async fn reconcile(request: Arc<PodCertificateRequest>, ctx: Arc<Context>) -> Result<Action, Error> {
    let answered = request.status.as_ref().and_then(|status| status.conditions.as_ref());
    if request.spec.signer_name != SIGNER || answered.is_some_and(|conditions| !conditions.is_empty()) {
        return Ok(Action::await_change());
    }
    let now = clock::now();
    let made = request.metadata.creation_timestamp.as_ref().map_or(now, |time| time.0);
    let is_young = now.duration_since(made) < PATIENCE;
    let status = match standing(&request, &ctx) {
        Standing::Party { run, party } => match issue(&request, &run, &party, now, &ctx) {
            Ok(status) => status,
            Err(error) => refusal("Failed", "BadRequest", &error.to_string(), now),
        },
        _ if is_young => return Ok(Action::requeue(AGAIN)),
        Standing::Early => return Ok(Action::requeue(LATER)),
        Standing::Stranger(reason, message) => refusal("Denied", reason, message, now),
    };
    let api = ctx.api::<PodCertificateRequest>(&request.namespace().unwrap_or_default());
    let patch = json!({"status": status});
    api.patch_status(&request.name_any(), &PatchParams::default(), &Patch::Merge(&patch)).await?;
    Ok(Action::await_change())
}

fn issue(
    request: &PodCertificateRequest,
    run: &str,
    party: &str,
    now: Timestamp,
    ctx: &Context,
) -> Result<Value, Error> {
    let seconds = request.spec.max_expiration_seconds.unwrap_or(86400).max(3600);
    let from = now.as_second();
    let at = |second: i64| Timestamp::from_second(second).unwrap_or(now).to_string();
    let csr = &request.spec.stub_pkc_s10_request.0;
    let chain = ctx.seed.sign(run, party, csr, from as u64, seconds as u64)?;
    let seconds = i64::from(seconds);
    Ok(json!({
        "certificateChain": chain,
        "notBefore": at(from),
        "notAfter": at(from + seconds),
        // A party reads its certificate once; it is good for longer than the party may live.
        "beginRefreshAt": at(from + seconds - 600),
        "conditions": [condition("Issued", "Signed", "", now)],
    }))
}

fn refusal(kind: &str, reason: &str, message: &str, now: Timestamp) -> Value {
    json!({"conditions": [condition(kind, reason, message, now)]})
}

fn condition(kind: &str, reason: &str, message: &str, now: Timestamp) -> Value {
    json!({"type": kind, "status": "True", "reason": reason, "message": message, "lastTransitionTime": now.to_string()})
}
