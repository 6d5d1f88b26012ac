//! The API server's version, the custom resource definitions and the operator.

use super::{Cluster, Finding, trouble};
use k8s_openapi::{
    api::apps::v1::Deployment,
    apiextensions_apiserver::pkg::apis::apiextensions::v1::CustomResourceDefinition,
};
use kube::{Api, ResourceExt, api::ListParams};
use veilgrid_api::{crd, manifest::API_VERSION};

/// Pods are kept from running twice by what is complete since this version.
const OLDEST: (u32, u32) = (1, 31);
const APPLY: &str = "kubectl apply --server-side --force-conflicts -f charts/veilgrid/crds";
const INSTALL: &str =
    "helm install veilgrid charts/veilgrid --namespace veilgrid-system --create-namespace (docs/cluster.md)";

/// The version of the API server.
pub(super) fn server(url: &str, version: &str) -> Finding {
    const WHAT: &str = "API server";
    let detail = format!("{version} at {url}");
    match parsed(version) {
        Some(found) if found < OLDEST => {
            let (major, minor) = OLDEST;
            Finding::warning(
                WHAT,
                format!("{detail}; tested are {major}.{minor} and newer"),
                "upgrade the cluster",
            )
        }
        _ => Finding::ok(WHAT, detail),
    }
}

/// Of `v1.36.4+k3s1`: 1 and 36.
fn parsed(version: &str) -> Option<(u32, u32)> {
    let mut parts = version.trim_start_matches('v').split('.');
    Some((parts.next()?.parse().ok()?, parts.next()?.parse().ok()?))
}

/// The custom resource definitions and whether they are those of this command.
pub(super) async fn definitions(cluster: &Cluster) -> Finding {
    const WHAT: &str = "custom resources";
    let api: Api<CustomResourceDefinition> = Api::all(cluster.client.clone());
    let mut found = Vec::new();
    for wanted in crd::definitions() {
        match api.get(&wanted.name_any()).await {
            Ok(definition) => found.push((wanted, Some(definition))),
            Err(error) if trouble::is_missing(&error) => found.push((wanted, None)),
            Err(error) if trouble::is_forbidden(&error) => return served(cluster, WHAT).await,
            Err(error) => return Finding::unseen(WHAT, &error, "get custom resource definitions"),
        }
    }
    compare(WHAT, &found)
}

/// A definition as this command has it, and as the cluster does.
type Pair = (CustomResourceDefinition, Option<CustomResourceDefinition>);

fn compare(what: &'static str, found: &[Pair]) -> Finding {
    let kind = |definition: &CustomResourceDefinition| definition.spec.names.kind.clone();
    let of = |odd: &dyn Fn(&Pair) -> bool| {
        found.iter().filter(|pair| odd(pair)).map(|(wanted, _)| kind(wanted)).collect::<Vec<_>>()
    };
    let missing = of(&|(_, present)| present.is_none());
    if !missing.is_empty() {
        return Finding::problem(what, format!("not there: {}", missing.join(", ")), INSTALL);
    }
    let unready = of(&|(_, present)| !present.as_ref().is_some_and(is_established));
    if !unready.is_empty() {
        let remedy = "kubectl describe crd says why; another definition may have the names";
        return Finding::problem(what, format!("not served: {}", unready.join(", ")), remedy);
    }
    let differ = of(&|(wanted, present)| !present.as_ref().is_some_and(|present| is_same(wanted, present)));
    let version = env!("CARGO_PKG_VERSION");
    if !differ.is_empty() {
        let detail = format!("of another version than this command ({version}): {}", differ.join(", "));
        return Finding::warning(
            what,
            detail,
            format!("helm upgrade, or {APPLY}; or use the command of the cluster's version"),
        );
    }
    let kinds: Vec<String> = found.iter().map(|(wanted, _)| kind(wanted)).collect();
    Finding::ok(what, format!("{} as of {version}", kinds.join(", ")))
}

fn is_established(definition: &CustomResourceDefinition) -> bool {
    let conditions = definition.status.iter().flat_map(|status| status.conditions.iter().flatten());
    conditions.into_iter().any(|condition| condition.type_ == "Established" && condition.status == "True")
}

/// Whether both take the same objects. Columns and short names do not matter.
fn is_same(wanted: &CustomResourceDefinition, present: &CustomResourceDefinition) -> bool {
    wanted.spec.versions.iter().all(|version| {
        let other = present.spec.versions.iter().find(|other| other.name == version.name && other.served);
        other.is_some_and(|other| other.schema == version.schema)
    })
}

/// Which kinds are served, which everybody may ask.
async fn served(cluster: &Cluster, what: &'static str) -> Finding {
    let resources = match cluster.client.list_api_group_resources(API_VERSION).await {
        Ok(list) => list.resources,
        Err(kube::Error::Api(status)) if status.code == 404 => Vec::new(),
        Err(error) => return Finding::unseen(what, &error, "ask what the API server serves"),
    };
    let missing: Vec<&str> = crd::CRDS
        .iter()
        .map(|(kind, _)| *kind)
        .filter(|kind| !resources.iter().any(|resource| resource.kind == *kind))
        .collect();
    if !missing.is_empty() {
        return Finding::problem(what, format!("not served: {}", missing.join(", ")), INSTALL);
    }
    Finding::ok(what, format!("{API_VERSION} is served; of which version its fields are, you may not see"))
}

/// The operator.
pub(super) async fn operator(cluster: &Cluster) -> Finding {
    const WHAT: &str = "operator";
    let api: Api<Deployment> = Api::all(cluster.client.clone());
    let params = ListParams::default().labels("app.kubernetes.io/name=veilgrid-operator");
    match api.list(&params).await {
        Ok(list) => judge(WHAT, &list.items, &cluster.namespace),
        Err(error) => Finding::unseen(WHAT, &error, "list deployments of all namespaces"),
    }
}

fn judge(what: &'static str, deployments: &[Deployment], home: &str) -> Finding {
    let Some(deployment) =
        deployments.iter().find(|deployment| looks_at(deployment, home)).or(deployments.first())
    else {
        return Finding::problem(what, "no namespace has one: jobs stay as they are", INSTALL);
    };
    let (namespace, name) = (deployment.namespace().unwrap_or_default(), deployment.name_any());
    let wanted = deployment.spec.as_ref().and_then(|spec| spec.replicas).unwrap_or(1);
    let ready = deployment.status.as_ref().and_then(|status| status.ready_replicas).unwrap_or(0);
    let version = deployment.labels().get("app.kubernetes.io/version").cloned().unwrap_or_default();
    let queues = if takes_queues(deployment) { "" } else { "; it refuses jobs with spec.queueName" };
    let detail = format!("{namespace}/{name} {version}, {ready} of {wanted} ready{queues}");
    let logs = format!(
        "kubectl -n {namespace} describe deployment {name}; kubectl -n {namespace} logs deployment/{name}"
    );
    if ready == 0 {
        return Finding::problem(what, detail, logs);
    }
    if !looks_at(deployment, home) {
        let remedy =
            format!("helm upgrade with watchNamespaces that has {home} too, or another namespace with -n");
        return Finding::problem(what, format!("{detail}; it does not look at namespace {home}"), remedy);
    }
    if ready < wanted {
        return Finding::warning(what, detail, logs);
    }
    if version != env!("CARGO_PKG_VERSION") {
        let remedy = "helm upgrade, or use the command of the operator's version";
        return Finding::warning(
            what,
            format!("{detail}; this command is {}", env!("CARGO_PKG_VERSION")),
            remedy,
        );
    }
    Finding::ok(what, detail)
}

/// Whether an operator's arguments have it look at a namespace.
fn looks_at(deployment: &Deployment, home: &str) -> bool {
    let named: Vec<&str> = args(deployment).filter_map(|arg| arg.strip_prefix("--namespaces=")).collect();
    named.is_empty() || named.iter().flat_map(|list| list.split(',')).any(|namespace| namespace == home)
}

/// Whether they have it take jobs that wait in a queue.
fn takes_queues(deployment: &Deployment) -> bool {
    args(deployment).any(|arg| arg == "--queues")
}

fn args(deployment: &Deployment) -> impl Iterator<Item = &String> {
    let containers = deployment.spec.iter().filter_map(|spec| spec.template.spec.as_ref());
    containers.flat_map(|spec| &spec.containers).flat_map(|container| container.args.iter().flatten())
}

#[cfg(test)]
mod tests {
    use super::super::Verdict;
    use super::*;
    use serde_json::json;

    #[test]
    fn an_old_api_server_is_told() {
        assert_eq!(parsed("v1.36.4+k3s1"), Some((1, 36)));
        assert_eq!(server("u", "v1.30.1").verdict, Verdict::Warning);
        assert_eq!((server("u", "v1.31.0").verdict, server("u", "odd").verdict), (Verdict::Ok, Verdict::Ok));
    }

    fn established(definition: &CustomResourceDefinition) -> CustomResourceDefinition {
        let mut definition = definition.clone();
        let status = json!({"conditions": [{"type": "Established", "status": "True"}], "acceptedNames": {"kind": "", "plural": ""}, "storedVersions": []});
        definition.status = Some(serde_json::from_value(status).unwrap());
        definition
    }

    #[test]
    fn definitions_are_compared_with_those_of_this_command() {
        let all = crd::definitions();
        let pairs = |change: fn(usize, &CustomResourceDefinition) -> Option<CustomResourceDefinition>| {
            all.iter().enumerate().map(|(index, one)| (one.clone(), change(index, one))).collect::<Vec<_>>()
        };
        let good = compare("c", &pairs(|_, one| Some(established(one))));
        assert_eq!(good.verdict, Verdict::Ok, "{good:?}");
        let missing = compare("c", &pairs(|index, one| (index > 0).then(|| established(one))));
        assert_eq!((missing.verdict, missing.detail.as_str()), (Verdict::Problem, "not there: PrivateJob"));
        let unready =
            compare("c", &pairs(|index, one| Some(if index == 1 { one.clone() } else { established(one) })));
        assert_eq!(
            (unready.verdict, unready.detail.as_str()),
            (Verdict::Problem, "not served: PrivateDataset")
        );
        let other = compare(
            "c",
            &pairs(|index, one| {
                let mut one = established(one);
                if index == 2 {
                    one.spec.versions[0].schema = None;
                }
                Some(one)
            }),
        );
        assert_eq!(other.verdict, Verdict::Warning);
        assert!(other.detail.ends_with("PrivacyBudget"), "{other:?}");
    }

    fn deployment(version: &str, ready: u32, args: &[&str]) -> Deployment {
        let object = json!({
            "metadata": {"name": "veilgrid-operator", "namespace": "veilgrid-system", "labels": {"app.kubernetes.io/version": version}},
            "spec": {"replicas": 2, "selector": {}, "template": {"spec": {"containers": [{"name": "operator", "args": args}]}}},
            "status": {"readyReplicas": ready},
        });
        serde_json::from_value(object).unwrap()
    }

    #[test]
    fn an_operator_must_be_ready_and_look_at_the_namespace() {
        let version = env!("CARGO_PKG_VERSION");
        let of = |deployments: &[Deployment]| judge("o", deployments, "research");
        let whole = of(&[deployment(version, 2, &["run", "--queues"])]);
        assert!(whole.verdict == Verdict::Ok && !whole.detail.contains("queueName"), "{whole:?}");
        let unqueued = of(&[deployment(version, 2, &["run"])]);
        assert!(
            unqueued.verdict == Verdict::Ok && unqueued.detail.contains("refuses jobs with spec.queueName")
        );
        assert_eq!(
            of(&[deployment(version, 2, &["run", "--namespaces=north,research"])]).verdict,
            Verdict::Ok
        );
        assert_eq!(of(&[]).verdict, Verdict::Problem);
        assert_eq!(of(&[deployment(version, 0, &[])]).verdict, Verdict::Problem);
        assert_eq!(of(&[deployment(version, 1, &[])]).verdict, Verdict::Warning);
        assert_eq!(of(&[deployment("9.9.9", 2, &[])]).verdict, Verdict::Warning);
        let elsewhere = of(&[deployment(version, 2, &["--namespaces=north"])]);
        assert!(
            elsewhere.verdict == Verdict::Problem
                && elsewhere.detail.contains("does not look at namespace research")
        );
        assert_eq!(
            of(&[
                deployment(version, 2, &["--namespaces=north"]),
                deployment(version, 2, &["--namespaces=research"])
            ])
            .verdict,
            Verdict::Ok
        );
    }
}
