//! What is free on the nodes of a cluster. Pure.

use super::{
    listed::{self, Claim, Reach, Slice, Taint, Terms, Written},
    quantity::{Round, milli},
};
use std::collections::{BTreeMap, HashMap, HashSet};

/// Amounts by resource, in thousandths.
pub(super) type Amounts = BTreeMap<String, i128>;

/// What is free.
#[derive(Clone, Debug, Default)]
pub(super) struct Cluster {
    /// The nodes.
    pub nodes: Vec<Node>,
    /// Devices that more than one node reaches.
    pub afar: Vec<Afar>,
    /// Where each is, by its name.
    pub(super) places: HashMap<String, usize>,
}

/// What is free on a node.
#[derive(Clone, Debug, Default)]
pub(super) struct Node {
    /// Its name.
    pub name: String,
    /// Its labels.
    pub labels: BTreeMap<String, String>,
    /// What keeps pods away.
    pub taints: Vec<Taint>,
    /// What pods may still ask for, `pods` among it.
    pub free: Amounts,
    /// Free devices that it alone reaches, by their driver.
    pub devices: BTreeMap<String, u32>,
}

/// Free devices that more than one node reaches.
#[derive(Clone, Debug)]
pub(super) struct Afar {
    /// Their driver.
    pub driver: String,
    /// How many.
    pub count: u32,
    /// From which nodes; from all where absent.
    pub nodes: Option<Terms>,
}

impl Cluster {
    /// Another node, with nothing on it.
    pub(super) fn add_node(&mut self, node: listed::Node) {
        let mut taints = node.spec.taints;
        if node.spec.unschedulable {
            let key = "node.kubernetes.io/unschedulable".to_owned();
            taints.push(Taint { key, value: String::new(), effect: "NoSchedule".into() });
        }
        let mut free = Amounts::new();
        add(&mut free, &node.status.allocatable, Round::Down);
        let listed::Metadata { name, labels } = node.metadata;
        self.places.insert(name.clone(), self.nodes.len());
        self.nodes.push(Node { name, labels, taints, free, devices: BTreeMap::new() });
    }

    /// Takes what a pod asks for from its node. One whose node is gone takes nothing.
    pub(super) fn add_pod(&mut self, pod: &listed::PodSpec) {
        let Some(place) = self.places.get(&pod.node_name) else { return };
        let free = &mut self.nodes[*place].free;
        for (name, amount) in asked(pod) {
            // What the node does not have is none of its pods' business.
            if let Some(left) = free.get_mut(&name) {
                *left -= amount;
            }
        }
    }

    /// Adds the devices of the slices that no claim has. Slices of an old generation, pools that are not whole and devices that
    /// keep claims away do not count. Which are of a class, its expressions say; of these only the driver is looked at.
    pub(super) fn add_devices(&mut self, slices: &[Slice], claims: &[Claim]) {
        let mut newest: HashMap<(&str, &str), i64> = HashMap::new();
        for Slice { spec } in slices {
            let pool = newest.entry((&spec.driver, &spec.pool.name)).or_insert(spec.pool.generation);
            *pool = spec.pool.generation.max(*pool);
        }
        let is_new = |slice: &&Slice| {
            newest[&(&*slice.spec.driver, &*slice.spec.pool.name)] == slice.spec.pool.generation
        };
        let mut there: HashMap<(&str, &str), i64> = HashMap::new();
        for Slice { spec } in slices.iter().filter(is_new) {
            *there.entry((&spec.driver, &spec.pool.name)).or_default() += 1;
        }
        let results = claims.iter().filter_map(|claim| claim.status.allocation.as_ref());
        let results = results.flat_map(|allocation| &allocation.devices.results);
        let taken: HashSet<(&str, &str, &str)> = results
            .filter(|device| !device.admin_access)
            .map(|device| (&*device.driver, &*device.pool, &*device.device))
            .collect();
        for Slice { spec } in slices.iter().filter(is_new) {
            if there[&(&*spec.driver, &*spec.pool.name)] != spec.pool.resource_slice_count {
                continue;
            }
            for device in &spec.devices {
                let barred = device.taints.iter().any(keeps_away);
                if barred || taken.contains(&(&spec.driver, &spec.pool.name, &device.name)) {
                    continue;
                }
                let reach = if spec.per_device_node_selection { &device.reach } else { &spec.reach };
                self.add_device(&spec.driver, reach);
            }
        }
    }

    fn add_device(&mut self, driver: &str, reach: &Reach) {
        if let Some(place) = self.places.get(&reach.node_name) {
            *self.nodes[*place].devices.entry(driver.to_owned()).or_default() += 1;
        } else if reach.all_nodes || reach.node_selector.is_some() {
            let nodes = reach.node_selector.clone().filter(|_| !reach.all_nodes);
            self.afar.push(Afar { driver: driver.to_owned(), count: 1, nodes });
        }
    }
}

/// Whether a taint keeps away what does not bear it.
pub(super) fn keeps_away(taint: &Taint) -> bool {
    matches!(taint.effect.as_str(), "NoSchedule" | "NoExecute")
}

fn add(amounts: &mut Amounts, written: &Written, round: Round) {
    for (name, text) in written {
        // The API server takes no other text.
        *amounts.entry(name.clone()).or_default() += milli(text, round).unwrap_or_default();
    }
}

/// What a scheduler reckons a pod at: what runs together, or the greatest of what runs before it.
fn asked(pod: &listed::PodSpec) -> Amounts {
    let mut together = Amounts::new();
    pod.containers.iter().for_each(|container| add(&mut together, &container.resources.requests, Round::Up));
    let mut beside = Amounts::new();
    let mut before = Amounts::new();
    for container in &pod.init_containers {
        let mut now = beside.clone();
        add(&mut now, &container.resources.requests, Round::Up);
        if container.restart_policy == "Always" {
            add(&mut together, &container.resources.requests, Round::Up);
            beside.clone_from(&now);
        }
        for (name, amount) in now {
            let most = before.entry(name).or_default();
            *most = amount.max(*most);
        }
    }
    for (name, amount) in before {
        let most = together.entry(name).or_default();
        *most = amount.max(*most);
    }
    if let Some(whole) = &pod.resources {
        together.retain(|name, _| !whole.requests.contains_key(name));
        add(&mut together, &whole.requests, Round::Up);
    }
    add(&mut together, &pod.overhead, Round::Up);
    together.insert("pods".into(), 1000);
    together
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde::de::DeserializeOwned;
    use serde_json::{Value, json};

    fn of<T: DeserializeOwned>(value: Value) -> T {
        serde_json::from_value(value).unwrap()
    }

    fn one_node() -> Cluster {
        let mut cluster = Cluster::default();
        cluster.add_node(of(json!({
            "metadata": {"name": "n", "labels": {"zone": "a"}, "uid": "x"},
            "spec": {"unschedulable": true, "podCIDR": "10.0.0.0/24"},
            "status": {"allocatable": {"cpu": "4", "memory": "1Gi", "pods": "3", "a.b/c": "8"}, "images": []},
        })));
        cluster
    }

    #[test]
    fn pods_take_what_a_scheduler_reckons() {
        let mut cluster = one_node();
        assert_eq!(cluster.nodes[0].taints[0].key, "node.kubernetes.io/unschedulable");
        let ask = |cpu: &str| json!({"resources": {"requests": {"cpu": cpu}}});
        let beside = json!({"resources": {"requests": {"cpu": "100m"}}, "restartPolicy": "Always"});
        cluster.add_pod(&of(json!({
            "nodeName": "n",
            "containers": [ask("500m"), {"resources": {"requests": {"a.b/c": "2", "x.y/z": "1"}}}],
            "initContainers": [beside, ask("1")],
            "overhead": {"memory": "1Mi"},
        })));
        let free = |cluster: &Cluster, name: &str| cluster.nodes[0].free[name];
        // The second step of the beginning takes more than all that runs later.
        assert_eq!(free(&cluster, "cpu"), 4000 - 1100);
        assert_eq!((free(&cluster, "a.b/c"), free(&cluster, "pods")), (6000, 2000));
        assert_eq!(free(&cluster, "memory"), 1000 * ((1 << 30) - (1 << 20)));
        cluster.add_pod(&of(json!({
            "nodeName": "n", "containers": [ask("3")], "resources": {"requests": {"cpu": "200m"}},
        })));
        assert_eq!(free(&cluster, "cpu"), 4000 - 1100 - 200);
        cluster.add_pod(&of(json!({"nodeName": "gone", "containers": [ask("3")]})));
        assert_eq!(free(&cluster, "pods"), 1000);
    }

    #[test]
    fn devices_count_where_nobody_has_them() {
        let slice = |pool: &str, generation: i64, devices: Value, more: Value| -> Slice {
            let mut spec = json!({
                "driver": "d", "pool": {"name": pool, "generation": generation, "resourceSliceCount": 1},
                "devices": devices,
            });
            spec.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
            of(json!({"spec": spec}))
        };
        let here = || json!({"nodeName": "n"});
        let three = json!([{"name": "0"}, {"name": "1"}, {"name": "2", "taints": [{"key": "k", "effect": "NoExecute"}]}]);
        let mut half = slice("half", 1, three.clone(), here());
        half.spec.pool.resource_slice_count = 2;
        let slices = [
            slice("p", 1, json!([{"name": "old"}]), here()),
            slice("p", 2, three.clone(), here()),
            half,
            slice("far", 1, json!([{"name": "0"}]), json!({"allNodes": true})),
            slice(
                "mixed",
                1,
                json!([{"name": "0", "nodeName": "n"}, {"name": "1", "allNodes": true}]),
                json!({"perDeviceNodeSelection": true}),
            ),
            slice("elsewhere", 1, three, json!({"nodeName": "gone"})),
        ];
        let claim = |result: Value| of(json!({"status": {"allocation": {"devices": {"results": [result]}}}}));
        let claims: [Claim; 3] = [
            claim(json!({"driver": "d", "pool": "p", "device": "0", "request": "r"})),
            claim(json!({"driver": "d", "pool": "p", "device": "1", "adminAccess": true})),
            of(json!({"spec": {}})),
        ];
        let mut cluster = one_node();
        cluster.add_devices(&slices, &claims);
        assert_eq!(cluster.nodes[0].devices["d"], 2);
        assert_eq!(cluster.afar.len(), 2);
    }
}
