//! Whether parties can find each other by name, and whether others are kept away from them.

use super::{ADMINISTRATOR, Cluster, Finding, trouble};
use k8s_openapi::api::{apps::v1::DaemonSet, core::v1::Service, discovery::v1::EndpointSlice};
use kube::{Api, ResourceExt, api::ListParams};
use veilgrid_api::{job::PrivateJob, status::Phase};

const NAMES: &str = "DNS";
const POLICIES: &str = "NetworkPolicy";

/// DaemonSets of network plugins that enforce NetworkPolicy.
const ENFORCE: [&str; 10] = [
    "calico-node",
    "cilium",
    "antrea-agent",
    "kube-router",
    "ovnkube-node",
    "weave-net",
    "azure-npm",
    "anetd",
    "kindnet",
    "canal",
];
/// DaemonSets of those that do not by themselves.
const IGNORE: [&str; 3] = ["kube-flannel-ds", "kube-flannel", "kube-bridge"];

/// Whether pods' names are answered.
pub(super) async fn names(cluster: &Cluster) -> Finding {
    let services: Api<Service> = Api::namespaced(cluster.client.clone(), "kube-system");
    let slices: Api<EndpointSlice> = Api::namespaced(cluster.client.clone(), "kube-system");
    let found = match services.list(&ListParams::default().labels("k8s-app=kube-dns")).await {
        Ok(list) => list.items,
        Err(error) => {
            return proved(cluster, || Finding::unseen(NAMES, &error, "list services of kube-system")).await;
        }
    };
    let Some(service) = found.first().map(ResourceExt::name_any) else {
        let unknown = || {
            Finding::warning(
                NAMES,
                "kube-system has no Service k8s-app=kube-dns: whether pods' names are answered cannot be told from here",
                "run a job: `veilgrid doctor` takes one that succeeded as the proof",
            )
        };
        return proved(cluster, unknown).await;
    };
    let labels = format!("kubernetes.io/service-name={service}");
    match slices.list(&ListParams::default().labels(&labels)).await {
        Ok(list) => answering(&service, &list.items),
        Err(error) => {
            proved(cluster, || Finding::unseen(NAMES, &error, "list endpoints of kube-system")).await
        }
    }
}

fn answering(service: &str, slices: &[EndpointSlice]) -> Finding {
    let endpoints = slices.iter().flat_map(|slice| slice.endpoints.iter().flatten());
    let ready = endpoints
        .filter(|endpoint| {
            endpoint.conditions.as_ref().and_then(|conditions| conditions.ready).unwrap_or(true)
        })
        .count();
    match ready {
        0 => Finding::problem(
            NAMES,
            format!(
                "the Service kube-system/{service} has no server that is ready: parties cannot find each other"
            ),
            "kubectl -n kube-system get pods -l k8s-app=kube-dns",
        ),
        ready => Finding::ok(NAMES, format!("kube-system/{service}, servers ready: {ready}")),
    }
}

/// A job that succeeded shows that its parties found each other.
async fn proved(cluster: &Cluster, otherwise: impl FnOnce() -> Finding) -> Finding {
    let everywhere: Api<PrivateJob> = Api::all(cluster.client.clone());
    let params = ListParams::default().limit(500);
    let jobs = match everywhere.list(&params).await {
        Err(error) if trouble::is_forbidden(&error) => {
            cluster.api::<PrivateJob>(&cluster.namespace).list(&params).await
        }
        listed => listed,
    };
    let proof = jobs.ok().and_then(|jobs| jobs.items.into_iter().find(succeeded));
    match proof {
        Some(job) => Finding::ok(
            NAMES,
            format!(
                "the parties of {}/{} found each other",
                job.namespace().unwrap_or_default(),
                job.name_any()
            ),
        ),
        None => otherwise(),
    }
}

fn succeeded(job: &PrivateJob) -> bool {
    job.status.as_ref().is_some_and(|status| status.phase == Phase::Succeeded)
}

/// Whether the network plugin enforces policies, as far as its name tells.
pub(super) async fn policies(cluster: &Cluster, version: &str) -> Finding {
    // It has a policy controller in its one program.
    if version.contains("+k3s") || version.contains("+rke2") {
        return Finding::ok(POLICIES, format!("enforced by {version}, unless it is switched off there"));
    }
    let api: Api<DaemonSet> = Api::all(cluster.client.clone());
    match api.list(&ListParams::default()).await {
        Ok(list) => enforced(&list.items),
        Err(error) => Finding::unseen(POLICIES, &error, "list daemon sets of all namespaces"),
    }
}

fn enforced(sets: &[DaemonSet]) -> Finding {
    let names: Vec<String> = sets.iter().map(ResourceExt::name_any).collect();
    let known = |among: &[&str]| names.iter().find(|name| among.contains(&name.as_str())).cloned();
    let agent = |set: &&DaemonSet| {
        let pod = set.spec.as_ref().and_then(|spec| spec.template.spec.as_ref());
        pod.is_some_and(|pod| pod.containers.iter().any(|container| container.name == "aws-eks-nodeagent"))
    };
    let advice = "certificates still keep others out; to see it: from a pod of another namespace, connect to a waiting party's port 7443";
    if let Some(plugin) = known(&ENFORCE) {
        return Finding::ok(POLICIES, format!("the network plugin {plugin} enforces it"));
    }
    if sets.iter().any(|set| agent(&set)) {
        return Finding::ok(
            POLICIES,
            "aws-node has the agent that enforces it, where its add-on enables that",
        );
    }
    if let Some(plugin) = known(&IGNORE) {
        let remedy = format!("install a network plugin that does, such as Calico or Cilium; {advice}");
        return Finding::warning(
            POLICIES,
            format!("the network plugin {plugin} does not enforce it"),
            remedy,
        );
    }
    Finding::warning(
        POLICIES,
        "no network plugin that is known: whether it is enforced cannot be told from here",
        format!("{ADMINISTRATOR}; {advice}"),
    )
}

#[cfg(test)]
mod tests {
    use super::super::Verdict;
    use super::*;
    use serde_json::json;

    #[test]
    fn a_name_server_must_be_ready() {
        let slice = |ready: Option<bool>| -> EndpointSlice {
            serde_json::from_value(json!({"addressType": "IPv4", "endpoints": [{"addresses": ["10.0.0.1"], "conditions": {"ready": ready}}]})).unwrap()
        };
        assert_eq!(answering("kube-dns", &[]).verdict, Verdict::Problem);
        assert_eq!(answering("kube-dns", &[slice(Some(false))]).verdict, Verdict::Problem);
        let good = answering("kube-dns", &[slice(Some(true)), slice(None)]);
        assert!(good.verdict == Verdict::Ok && good.detail.ends_with("ready: 2"), "{good:?}");
    }

    #[test]
    fn network_plugins_are_known_by_their_names() {
        let set = |name: &str, container: &str| -> DaemonSet {
            let spec = json!({"selector": {}, "template": {"spec": {"containers": [{"name": container}]}}});
            serde_json::from_value(json!({"metadata": {"name": name}, "spec": spec})).unwrap()
        };
        let of = |sets: &[DaemonSet]| enforced(sets).verdict;
        assert_eq!(of(&[set("kube-proxy", "a"), set("cilium", "a")]), Verdict::Ok);
        assert_eq!(of(&[set("kube-flannel-ds", "a"), set("calico-node", "a")]), Verdict::Ok);
        assert_eq!(of(&[set("aws-node", "aws-eks-nodeagent")]), Verdict::Ok);
        assert_eq!(of(&[set("aws-node", "aws-node")]), Verdict::Warning);
        assert!(enforced(&[set("kube-flannel-ds", "a")]).detail.contains("does not enforce"));
        assert_eq!(of(&[]), Verdict::Warning);
    }
}
