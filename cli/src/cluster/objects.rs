//! The objects of a manifest, applied to a cluster: all of them, or none where one is refused.

use super::{Cluster, MANAGER, trouble};
use kube::{
    Api,
    api::{ApiResource, DynamicObject, Patch, PatchParams},
};
use serde::Serialize;
use serde_json::{Value, json};
use veilgrid_api::{
    budget::PrivacyBudget,
    dataset::PrivateDataset,
    fault::Fault,
    job::PrivateJob,
    manifest::{Kind, Lines, Manifest, Object},
};
use veilgrid_party::exit::Exit;

/// An object as it is sent.
pub(crate) struct Item {
    kind: ApiResource,
    namespace: String,
    name: String,
    /// As it is written, without a status.
    body: Value,
    lines: Lines,
}

/// What became of an object.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) enum Became {
    /// It was not there.
    Created,
    /// It was there and differed.
    Changed,
    /// It was there as it is written.
    Unchanged,
    /// `veilgrid cancel` had stopped it, and it goes on.
    Resumed,
    /// It is as it is written; what it was before, this user may not see.
    Applied,
}

/// An object, and what became of it.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Applied {
    pub(crate) kind: String,
    pub(crate) namespace: String,
    pub(crate) name: String,
    pub(crate) became: Became,
}

/// What the cluster refused, and the exit code for it.
pub(crate) struct Refused {
    pub(crate) exit: Exit,
    pub(crate) faults: Vec<Fault>,
}

impl Item {
    /// `PrivateJob research/hospitals`.
    fn title(&self) -> String {
        format!("{} {}/{}", self.kind.kind, self.namespace, self.name)
    }

    fn api(&self, cluster: &Cluster) -> Api<DynamicObject> {
        Api::namespaced_with(cluster.client.clone(), &self.namespace, &self.kind)
    }
}

/// The objects of a manifest, those first that others name. Objects that name no namespace are in `home`.
pub(crate) fn items(manifest: &Manifest, home: &str) -> Vec<Item> {
    let budgets =
        manifest.budgets.iter().map(|object| item(object, ApiResource::erase::<PrivacyBudget>(&()), home));
    let datasets =
        manifest.datasets.iter().map(|object| item(object, ApiResource::erase::<PrivateDataset>(&()), home));
    let jobs = manifest.jobs.iter().map(|object| item(object, ApiResource::erase::<PrivateJob>(&()), home));
    budgets.chain(datasets).chain(jobs).collect()
}

fn item<Spec: Kind>(object: &Object<Spec>, kind: ApiResource, home: &str) -> Item {
    let mut body = object.lines.document().unwrap_or_default();
    let metadata = &mut body["metadata"];
    let namespace = metadata["namespace"].as_str().unwrap_or(home).to_owned();
    metadata["namespace"] = json!(namespace);
    if let Some(fields) = body.as_object_mut() {
        fields.remove("status");
    }
    Item { kind, namespace, name: object.name.clone(), body, lines: object.lines.clone() }
}

/// Applies the items, after the cluster has said of each that it would take it. With `dry_run` nothing changes.
///
/// # Errors
/// Everything that is refused. Nothing was changed, unless the cluster itself changed in between.
pub(crate) async fn apply(cluster: &Cluster, items: &[Item], dry_run: bool) -> Result<Vec<Applied>, Refused> {
    let tried = each(cluster, items, true).await?;
    if dry_run { Ok(tried) } else { each(cluster, items, false).await }
}

async fn each(cluster: &Cluster, items: &[Item], dry_run: bool) -> Result<Vec<Applied>, Refused> {
    let mut applied = Vec::new();
    let mut refused = Refused { exit: Exit::Usage, faults: Vec::new() };
    for item in items {
        match one(cluster, item, dry_run).await {
            Ok(became) => applied.push(Applied {
                kind: item.kind.kind.clone(),
                namespace: item.namespace.clone(),
                name: item.name.clone(),
                became,
            }),
            Err(error) => {
                if !matches!(&error, kube::Error::Api(status) if status.code == 422 || status.code == 400) {
                    refused.exit = Exit::Cluster;
                }
                refused.faults.extend(faults(item, &error));
                // Where nothing can be reached, each of them would wait for as long.
                if !matches!(error, kube::Error::Api(_)) {
                    break;
                }
            }
        }
    }
    if refused.faults.is_empty() { Ok(applied) } else { Err(refused) }
}

async fn one(cluster: &Cluster, item: &Item, dry_run: bool) -> Result<Became, kube::Error> {
    let api = item.api(cluster);
    let before = match api.get(&item.name).await {
        Ok(found) => Some(Some(found)),
        Err(error) if trouble::is_missing(&error) => Some(None),
        Err(error) if trouble::is_forbidden(&error) => None,
        Err(error) => return Err(error),
    };
    let params = PatchParams { dry_run, field_manager: Some(MANAGER.into()), ..PatchParams::default() };
    let after = api.patch(&item.name, &params, &Patch::Apply(&item.body)).await?;
    if is_stopped(&after) && item.body["spec"].get("suspend").is_none() {
        let patch = json!({"spec": {"suspend": false}});
        api.patch(&item.name, &params, &Patch::Merge(&patch)).await?;
        return Ok(Became::Resumed);
    }
    Ok(match before {
        None => Became::Applied,
        Some(None) => Became::Created,
        Some(Some(before)) if is_same(&before, &after) => Became::Unchanged,
        Some(Some(_)) => Became::Changed,
    })
}

fn is_same(before: &DynamicObject, after: &DynamicObject) -> bool {
    before.data.get("spec") == after.data.get("spec")
        && before.metadata.labels == after.metadata.labels
        && before.metadata.annotations == after.metadata.annotations
}

/// Whether this command stopped the job: what others suspend is theirs to let go.
fn is_stopped(object: &DynamicObject) -> bool {
    let ours = |entry: &k8s_openapi::apimachinery::pkg::apis::meta::v1::ManagedFieldsEntry| {
        let fields = serde_json::to_value(&entry.fields_v1).unwrap_or_default();
        entry.manager.as_deref() == Some(MANAGER)
            && entry.operation.as_deref() == Some("Update")
            && fields.pointer("/f:spec/f:suspend").is_some()
    };
    object.data.pointer("/spec/suspend") == Some(&Value::Bool(true))
        && object.metadata.managed_fields.iter().flatten().any(ours)
}

/// What is wrong with an object, as the cluster says it: each field with its line.
fn faults(item: &Item, error: &kube::Error) -> Vec<Fault> {
    let fault = |path: &str, problem: String, remedy: &str| Fault {
        object: item.title(),
        path: path.to_owned(),
        problem,
        remedy: remedy.to_owned(),
        line: item.lines.line(path),
    };
    if let kube::Error::Api(status) = error {
        let remedy = match status.code {
            409 => {
                "another tool keeps this field: change it with that one, or delete the object and submit it anew"
            }
            _ => "",
        };
        let causes = status.details.iter().flat_map(|details| &details.causes);
        let told: Vec<Fault> = causes
            .filter(|_| status.code == 422 || status.code == 409)
            .map(|cause| {
                fault(
                    cause.field.trim_start_matches('.'),
                    crate::table::digits::clean(&cause.message),
                    remedy,
                )
            })
            .collect();
        if !told.is_empty() {
            return told;
        }
    }
    vec![fault("", trouble::words(error, &format!("apply the {}", item.title())), "")]
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cluster::trouble::tests::answer;
    use veilgrid_api::manifest;

    const FILE: &str = "apiVersion: veilgrid.dev/v1alpha1
kind: PrivateJob
metadata: {name: wards, labels: {team: a}}
status: {phase: Succeeded}
spec:
  parties:
    - {name: north, dataset: {name: patients, namespace: north}}
    - {name: south, dataset: {name: patients, namespace: south}}
  privacy:
    epsilon: 3
  computation: {statistics: [{name: rows, count: {}}]}
---
apiVersion: veilgrid.dev/v1alpha1
kind: PrivacyBudget
metadata: {name: patients, namespace: north}
spec: {epsilon: 10}
";

    fn parsed() -> Vec<Item> {
        items(&manifest::parse(FILE).unwrap(), "research")
    }

    #[test]
    fn objects_are_sent_as_they_are_written() {
        let items = parsed();
        let titles: Vec<String> = items.iter().map(Item::title).collect();
        assert_eq!(titles, ["PrivacyBudget north/patients", "PrivateJob research/wards"]);
        let job = &items[1].body;
        assert_eq!(
            job["metadata"],
            json!({"name": "wards", "namespace": "research", "labels": {"team": "a"}})
        );
        assert_eq!((job.get("status"), job["spec"].get("device")), (None, None));
        assert_eq!(job["spec"]["privacy"], json!({"epsilon": 3}));
    }

    #[test]
    fn a_refused_field_has_its_line() {
        let items = parsed();
        let mut status = match answer(422, "no", Some("wards")) {
            kube::Error::Api(status) => status,
            _ => unreachable!(),
        };
        let details =
            json!({"name": "wards", "causes": [{"field": "spec.privacy.epsilon", "message": "too much"}]});
        status.details = Some(serde_json::from_value(details).unwrap());
        let told = faults(&items[1], &kube::Error::Api(status));
        assert_eq!(
            (told[0].line, told[0].path.as_str(), told[0].problem.as_str()),
            (Some(10), "spec.privacy.epsilon", "too much")
        );
        let told = faults(&items[1], &answer(403, "no", Some("wards")));
        assert_eq!((told.len(), told[0].path.as_str()), (1, ""));
        assert!(
            told[0].problem.starts_with("you may not apply the PrivateJob research/wards"),
            "{}",
            told[0].problem
        );
    }

    #[test]
    fn only_what_this_command_stopped_goes_on() {
        let job = |manager: &str, suspend: bool| -> DynamicObject {
            let fields = json!({"f:spec": {"f:suspend": {}}});
            let entry = json!({"manager": manager, "operation": "Update", "fieldsType": "FieldsV1", "fieldsV1": fields});
            let object =
                json!({"metadata": {"name": "a", "managedFields": [entry]}, "spec": {"suspend": suspend}});
            serde_json::from_value(object).unwrap()
        };
        assert!(is_stopped(&job(MANAGER, true)));
        assert!(!is_stopped(&job("kubectl-patch", true)) && !is_stopped(&job(MANAGER, false)));
    }
}
