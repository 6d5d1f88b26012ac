//! Accelerators: extended resources of nodes, and devices of DRA drivers.

use super::{Cluster, Finding};
use k8s_openapi::api::{
    core::v1::Node,
    resource::v1::{DeviceClass, ResourceSlice},
};
use kube::{Api, ResourceExt, api::ListParams};
use std::collections::{BTreeMap, BTreeSet};

const RESOURCES: &str = "accelerators, as resources";
const CLASSES: &str = "accelerators, by device class";

/// Extended resources of all nodes.
pub(super) async fn resources(cluster: &Cluster) -> Finding {
    let api: Api<Node> = Api::all(cluster.client.clone());
    match api.list(&ListParams::default()).await {
        Ok(list) => extended(&list.items),
        Err(error) => Finding::unseen(RESOURCES, &error, "list nodes"),
    }
}

/// An extended resource is one with a domain that is not Kubernetes' own.
fn is_extended(name: &str) -> bool {
    name.split_once('/').is_some_and(|(domain, _)| !domain.ends_with("kubernetes.io"))
        && !name.starts_with("hugepages-")
}

fn extended(nodes: &[Node]) -> Finding {
    let mut found: BTreeMap<String, (u64, BTreeSet<String>)> = BTreeMap::new();
    let mut broken = Vec::new();
    for node in nodes {
        let Some(status) = &node.status else { continue };
        let count = |quantity: &k8s_openapi::apimachinery::pkg::api::resource::Quantity| {
            quantity.0.parse::<u64>().unwrap_or(0)
        };
        for (name, capacity) in status.capacity.iter().flatten().filter(|(name, _)| is_extended(name)) {
            let usable = status.allocatable.as_ref().and_then(|all| all.get(name)).map_or(0, count);
            let entry = found.entry(name.clone()).or_default();
            entry.0 += usable;
            entry.1.insert(node.name_any());
            if usable < count(capacity) {
                broken.push(format!(
                    "{} of {} {name} of node {}",
                    count(capacity) - usable,
                    count(capacity),
                    node.name_any()
                ));
            }
        }
    }
    if found.is_empty() {
        return Finding::ok(RESOURCES, "no node has one: parties compute on CPUs, with the same bits");
    }
    let all: Vec<String> = found
        .iter()
        .map(|(name, (count, nodes))| format!("{count} {name} on nodes: {}", nodes.len()))
        .collect();
    if !broken.is_empty() {
        let remedy = "see the device plugin's log on that node, and the driver there";
        return Finding::warning(
            RESOURCES,
            format!("{}; not usable: {}", all.join(", "), broken.join(", ")),
            remedy,
        );
    }
    let name = found.keys().next().map_or("", String::as_str);
    Finding::ok(RESOURCES, format!("{}; in a job: accelerator: {{resource: {name}}}", all.join(", ")))
}

/// Device classes, and the devices that drivers offer.
pub(super) async fn classes(cluster: &Cluster) -> Finding {
    let (classes, slices): (Api<DeviceClass>, Api<ResourceSlice>) =
        (Api::all(cluster.client.clone()), Api::all(cluster.client.clone()));
    let params = ListParams::default();
    let classes = match classes.list(&params).await {
        Ok(list) => list.items,
        Err(kube::Error::Api(status)) if status.code == 404 => {
            return Finding::ok(
                CLASSES,
                "the cluster has no resource.k8s.io/v1 (Kubernetes 1.34); not needed",
            );
        }
        Err(error) => return Finding::unseen(CLASSES, &error, "list device classes"),
    };
    match slices.list(&params).await {
        Ok(list) => offered(&classes, &list.items),
        Err(error) => Finding::unseen(CLASSES, &error, "list resource slices"),
    }
}

fn offered(classes: &[DeviceClass], slices: &[ResourceSlice]) -> Finding {
    let mut drivers: BTreeMap<&str, usize> = BTreeMap::new();
    for slice in slices {
        *drivers.entry(&slice.spec.driver).or_default() += slice.spec.devices.as_ref().map_or(0, Vec::len);
    }
    let names: Vec<String> = classes.iter().map(ResourceExt::name_any).collect();
    let devices: Vec<String> =
        drivers.iter().map(|(driver, count)| format!("{count} of driver {driver}")).collect();
    match (names.is_empty(), drivers.values().sum::<usize>()) {
        (true, 0) => Finding::ok(CLASSES, "no device class and no device; not needed"),
        (true, _) => Finding::warning(
            CLASSES,
            format!("devices: {}, and no device class that jobs could name", devices.join(", ")),
            "apply the driver's DeviceClass",
        ),
        (false, 0) => Finding::warning(
            CLASSES,
            format!("classes: {}, and no driver that offers a device", names.join(", ")),
            "install the driver of the class, and see its log on the nodes that have devices",
        ),
        (false, _) => Finding::ok(
            CLASSES,
            format!(
                "classes: {}; devices: {}; in a job: accelerator: {{deviceClass: {}}}",
                names.join(", "),
                devices.join(", "),
                names[0]
            ),
        ),
    }
}

#[cfg(test)]
mod tests {
    use super::super::Verdict;
    use super::*;
    use serde_json::json;

    fn node(name: &str, capacity: &str, usable: &str) -> Node {
        let of = |count: &str| json!({"cpu": "2", "hugepages-1Gi": "0", "x.kubernetes.io/y": "4", "nvidia.com/gpu": count});
        serde_json::from_value(json!({"metadata": {"name": name}, "status": {"capacity": of(capacity), "allocatable": of(usable)}})).unwrap()
    }

    #[test]
    fn extended_resources_are_added_up() {
        let good = extended(&[node("a", "2", "2"), node("b", "1", "1"), Node::default()]);
        assert_eq!(good.verdict, Verdict::Ok);
        assert_eq!(
            good.detail,
            "3 nvidia.com/gpu on nodes: 2; in a job: accelerator: {resource: nvidia.com/gpu}"
        );
        let broken = extended(&[node("a", "2", "1")]);
        assert!(
            broken.verdict == Verdict::Warning && broken.detail.contains("1 of 2 nvidia.com/gpu of node a"),
            "{broken:?}"
        );
        assert!(extended(&[]).detail.contains("CPUs"));
    }

    #[test]
    fn a_class_without_a_driver_is_told() {
        let class: DeviceClass =
            serde_json::from_value(json!({"metadata": {"name": "gpu.fake"}, "spec": {}})).unwrap();
        let slice = json!({"metadata": {"name": "s"}, "spec": {"driver": "gpu.fake", "pool": {"name": "p", "generation": 1, "resourceSliceCount": 1}, "devices": [{"name": "d0"}, {"name": "d1"}]}});
        let slice: ResourceSlice = serde_json::from_value(slice).unwrap();
        let of = |classes: &[DeviceClass], slices: &[ResourceSlice]| offered(classes, slices).verdict;
        let (class, slice) = (std::slice::from_ref(&class), std::slice::from_ref(&slice));
        assert_eq!((of(&[], &[]), of(class, slice)), (Verdict::Ok, Verdict::Ok));
        assert_eq!((of(class, &[]), of(&[], slice)), (Verdict::Warning, Verdict::Warning));
        assert!(offered(class, slice).detail.contains("2 of driver gpu.fake"));
    }
}
