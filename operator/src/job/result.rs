//! Fetches the result from a recipient and puts it where the job says.

use super::{
    observe::{CONTAINER, Sight},
    table::{Table, recipients},
};
use crate::{
    context::Context,
    error::{Error, exists},
    names::hex,
};
use k8s_openapi::api::core::v1::{ConfigMap, Pod};
use kube::{
    Api, Resource, ResourceExt,
    api::{LogParams, PostParams},
};
use serde::Deserialize;
use serde_json::json;
use sha2::{Digest, Sha256};
use veilgrid_api::{cluster::ResultPlace, job::PrivateJob};

/// Bytes that a ConfigMap may hold.
const LARGEST: usize = 1 << 20;

/// The line of a recipient's log that has the result.
#[derive(Deserialize)]
#[serde(tag = "event", rename_all = "lowercase")]
enum Line {
    Result { result: String, receipt: String },
}

/// The hash that every recipient opened, or what is wrong.
pub(super) fn agreed(job: &PrivateJob, sights: &[Sight]) -> Result<String, String> {
    let mut hashes: Vec<&str> = Vec::new();
    for index in recipients(job) {
        match &sights[index].result {
            Some(hash) => hashes.push(hash),
            None => {
                return Err(format!("{} did not say which result it opened", job.spec.parties[index].name));
            }
        }
    }
    match hashes.split_first() {
        Some((first, rest)) if rest.iter().all(|hash| hash == first) => Ok((*first).to_owned()),
        _ => Err("the recipients opened different results".into()),
    }
}

/// Writes the result with this hash into the ConfigMap. `Err` says why it cannot be had.
///
/// # Errors
/// The API server's.
pub(super) async fn place(
    job: &PrivateJob,
    place: &ResultPlace,
    hash: &str,
    table: &Table<'_>,
    sights: &[Sight],
    ctx: &Context,
) -> Result<Result<(), String>, Error> {
    let mut trouble = String::from("no recipient's pod is left");
    for index in recipients(job) {
        let Some(pod) = &sights[index].pod else { continue };
        let api: Api<Pod> = Api::namespaced(ctx.client.clone(), table.namespaces[index]);
        let params =
            LogParams { container: Some(CONTAINER.into()), tail_lines: Some(16), ..LogParams::default() };
        let log = match api.logs(pod, &params).await {
            Ok(log) => log,
            Err(error) => {
                trouble = format!("the log of {} cannot be read: {error}", table.seats[index].party);
                continue;
            }
        };
        let Some((result, receipt)) = find(&log, hash) else {
            trouble = format!("the log of {} has no result with hash {hash}", table.seats[index].party);
            continue;
        };
        if result.len() + receipt.len() > LARGEST {
            return Ok(Err(format!("the result has {} bytes, more than a ConfigMap holds", result.len())));
        }
        let map = json!({
            "apiVersion": "v1", "kind": "ConfigMap",
            "metadata": {
                "name": place.config_map,
                "labels": table.seats[index].labels(),
                "ownerReferences": [job.controller_owner_ref(&()).ok_or(Error::Incomplete("a uid"))?],
            },
            "data": {"result.json": result, "receipt.json": receipt},
        });
        let map: ConfigMap = serde_json::from_value(map).expect("the object has the form of its kind");
        let api: Api<ConfigMap> = Api::namespaced(ctx.client.clone(), table.seats[index].job_namespace);
        return match api.create(&PostParams::default(), &map).await {
            Err(error) if exists(&error) => {
                let found = api.get(&place.config_map).await?;
                let own = found
                    .owner_references()
                    .iter()
                    .any(|owner| Some(&owner.uid) == job.metadata.uid.as_ref());
                let taken =
                    || format!("the ConfigMap {} is there already and is not this job's", place.config_map);
                Ok(if own { Ok(()) } else { Err(taken()) })
            }
            made => made.map(|_| Ok(())).map_err(Error::from),
        };
    }
    Ok(Err(trouble))
}

/// Result and receipt in a log, where the result has this hash.
fn find(log: &str, hash: &str) -> Option<(String, String)> {
    log.lines().rev().find_map(|line| {
        let Line::Result { result, receipt } = serde_json::from_str(line).ok()?;
        (hex(&Sha256::digest(result.as_bytes())) == hash).then_some((result, receipt))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_agreed_result_is_taken() {
        let line = |result: &str| json!({"event": "result", "result": result, "receipt": "r"}).to_string();
        let log = format!("{{\"event\":\"notice\"}}\n{}\nno json\n{}\n", line("right"), line("wrong"));
        let hash = hex(&Sha256::digest(b"right"));
        assert_eq!(find(&log, &hash), Some(("right".into(), "r".into())));
        assert_eq!(find(&log, &hex(&Sha256::digest(b"other"))), None);
    }
}
