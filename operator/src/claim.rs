//! A claim's outcome.

use crate::{context::Context, error::Error};
use kube::{
    ResourceExt,
    api::{Patch, PatchParams},
};
use serde_json::json;
use veilgrid_api::claim::{Outcome, PrivacyClaim};

/// Whether the claim has no outcome.
pub fn is_open(claim: &PrivacyClaim) -> bool {
    claim.status.as_ref().is_none_or(|status| status.outcome.is_none())
}

/// Says what a claim has come to: once, under the resource version at which it had no outcome.
///
/// # Errors
/// The API server's; a conflict means that the claim has changed.
pub async fn write_outcome(
    ctx: &Context,
    claim: &PrivacyClaim,
    outcome: Outcome,
    message: &str,
) -> Result<(), Error> {
    let status = json!({
        "metadata": {"resourceVersion": claim.metadata.resource_version},
        "status": {"outcome": outcome, "message": message},
    });
    let claims = ctx.api::<PrivacyClaim>(&claim.namespace().unwrap_or_default());
    let patched =
        claims.patch_status(&claim.name_any(), &PatchParams::default(), &Patch::Merge(&status)).await?;
    ctx.cache.claims.wrote(&patched.metadata);
    Ok(())
}
