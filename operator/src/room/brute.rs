//! [`fits`](super::fits) against a packer that tries everything, and its words.

use super::{
    cluster::{Cluster, Node},
    fits::fits,
    gang::{Devices, Gang, Need},
};
use proptest::{collection::vec, prelude::*};
use serde_json::{Value, from_value, json};
use std::collections::BTreeMap;
use veilgrid_api::cluster::Placement;

const RESOURCE: &str = "a.b/c";

/// A node as plain numbers: free resources and devices, its zone, and whether it is tainted.
type Plain = (i128, u32, Option<u8>, bool);

fn cluster(nodes: &[Plain]) -> Cluster {
    let node = |(index, (free, devices, zone, tainted)): (usize, &Plain)| {
        let mut labels = BTreeMap::from([("host".to_owned(), index.to_string())]);
        labels.extend(zone.map(|zone| ("zone".to_owned(), zone.to_string())));
        let taints = if *tainted { json!([{"key": "t", "effect": "NoSchedule"}]) } else { json!([]) };
        Node {
            name: index.to_string(),
            labels,
            taints: from_value(taints).unwrap(),
            free: [(RESOURCE.to_owned(), free * 1000), ("pods".to_owned(), 110_000)].into(),
            devices: [("d".to_owned(), *devices)].into(),
        }
    };
    Cluster { nodes: nodes.iter().enumerate().map(node).collect(), ..Cluster::default() }
}

fn gang(parties: usize, resources: u32, devices: u32, placement: Value) -> Gang {
    let mut requests = BTreeMap::from([("pods".to_owned(), "1".to_owned())]);
    if resources > 0 {
        requests.insert(RESOURCE.into(), resources.to_string());
    }
    let class = Devices { class: "k".into(), count: devices, selectors: vec![], of_class: Some(vec![]) };
    let need = Need {
        requests,
        resource: (resources > 0).then(|| RESOURCE.to_owned()),
        devices: (devices > 0).then_some(class),
        placement: from_value::<Placement>(placement).unwrap(),
    };
    Gang { parties: (0..parties).map(|party| format!("p{party}")).collect(), need }
}

/// A distance that parties keep.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Distance {
    None,
    Apart,
    Spread(u32),
}

impl Distance {
    fn placement(self) -> Value {
        match self {
            Self::None => json!({}),
            Self::Apart => {
                let apart =
                    json!({"requiredDuringSchedulingIgnoredDuringExecution": [{"topologyKey": "zone"}]});
                json!({"affinity": {"podAntiAffinity": apart}})
            }
            Self::Spread(skew) => json!({"topologySpread": [{"maxSkew": skew, "topologyKey": "zone"}]}),
        }
    }

    /// Whether parties on these nodes keep it.
    fn is_kept(self, nodes: &[Plain], places: &[usize]) -> bool {
        let zones: Vec<Option<u8>> = places.iter().map(|place| nodes[*place].2).collect();
        let count = |zone: u8| zones.iter().filter(|of| **of == Some(zone)).count() as u32;
        match self {
            Self::None => true,
            Self::Apart => zones.iter().flatten().all(|zone| count(*zone) == 1),
            Self::Spread(skew) => {
                let least = nodes.iter().filter_map(|node| node.2).map(count).min().unwrap_or_default();
                zones.iter().all(|zone| zone.is_some_and(|zone| count(zone) <= least + skew))
            }
        }
    }
}

/// All ways to place `parties`, as the node of each.
fn ways(nodes: usize, parties: usize) -> Vec<Vec<usize>> {
    (0..parties).fold(vec![vec![]], |ways, _| {
        let longer = |way: Vec<usize>| (0..nodes).map(move |node| [&way[..], &[node]].concat());
        ways.into_iter().flat_map(longer).collect()
    })
}

/// What is left of the nodes with the parties on them; nothing where that is too little.
fn left(nodes: &[Plain], way: &[usize], resources: u32, devices: u32) -> Option<Vec<Plain>> {
    let mut nodes = nodes.to_vec();
    for place in way {
        let node = &mut nodes[*place];
        node.0 -= i128::from(resources);
        node.1 = node.1.checked_sub(devices)?;
        if node.3 || resources > 0 && node.0 < 0 {
            return None;
        }
    }
    Some(nodes)
}

fn packs(nodes: &[Plain], parties: usize, resources: u32, devices: u32, distance: Distance) -> bool {
    ways(nodes.len(), parties)
        .iter()
        .any(|way| left(nodes, way, resources, devices).is_some() && distance.is_kept(nodes, way))
}

fn plain() -> impl Strategy<Value = Plain> {
    (-1i128..6, 0u32..4, prop::option::weighted(0.8, 0u8..3), prop::bool::weighted(0.2))
}

proptest! {
    #[test]
    fn a_packing_is_found_where_there_is_one(
        nodes in vec(plain(), 0..5),
        parties in 1usize..5,
        resources in 0u32..4,
        devices in 0u32..3,
        distance in prop_oneof![Just(Distance::None), Just(Distance::Apart), (1u32..3).prop_map(Distance::Spread)],
    ) {
        let gang = gang(parties, resources, devices, distance.placement());
        let found = fits(&cluster(&nodes), &[], &gang);
        prop_assert_eq!(found.is_ok(), packs(&nodes, parties, resources, devices, distance), "{:?}", found);
    }

    #[test]
    fn there_is_room_wherever_those_before_go(
        nodes in vec(plain(), 1..4),
        ahead in (1usize..4, 0u32..3, 0u32..3),
        mine in (1usize..4, 0u32..3, 0u32..3),
        distance in prop_oneof![Just(Distance::None), Just(Distance::Apart)],
    ) {
        let before = gang(ahead.0, ahead.1, ahead.2, json!({}));
        let gang = gang(mine.0, mine.1, mine.2, distance.placement());
        let found = fits(&cluster(&nodes), &[&before], &gang);
        let lefts: Vec<_> =
            ways(nodes.len(), ahead.0).iter().filter_map(|way| left(&nodes, way, ahead.1, ahead.2)).collect();
        if found.is_ok() && !lefts.is_empty() {
            for left in &lefts {
                prop_assert!(packs(left, mine.0, mine.1, mine.2, distance), "{:?}", left);
            }
        }
        // Those that ask for the same are in nobody's way but their own.
        if (ahead.1, ahead.2, distance) == (mine.1, mine.2, Distance::None) {
            let all = packs(&nodes, ahead.0 + mine.0, mine.1, mine.2, distance);
            prop_assert!(found.is_ok() || !all, "{:?}", found);
        }
    }
}

#[test]
fn what_is_lacking() {
    let lacks = |nodes: &[Plain], gang: &Gang| {
        let lacks = fits(&cluster(nodes), &[], gang).unwrap_err();
        let parties: Vec<String> = lacks.iter().map(|lack| lack.party.clone()).collect();
        (parties.join(" "), lacks[0].what.clone())
    };
    let said = |parties: &str, what: &str| (parties.to_owned(), what.to_owned());
    let two = gang(3, 2, 0, json!({}));
    let free = |resources: i128| (resources, 0, Some(0), false);
    assert_eq!(lacks(&[free(2), free(3)], &two), said("p2", "no node has 2 a.b/c free; 1 is free at most"));
    assert_eq!(lacks(&[free(0)], &two), said("p0 p1 p2", "no node has 2 a.b/c free; 0 are free at most"));
    assert_eq!(lacks(&[], &two).1, "the cluster has no nodes");
    assert_eq!(
        lacks(&[(9, 0, None, true)], &two).1,
        "each node that it may run on has a taint that it does not tolerate"
    );
    let picky = gang(1, 1, 0, json!({"nodeSelector": {"zone": "7"}}));
    assert_eq!(lacks(&[free(9)], &picky).1, "no node has the labels that spec.placement asks for");
    let apart = gang(2, 1, 0, Distance::Apart.placement());
    assert_eq!(
        lacks(&[free(9), free(9)], &apart),
        said("p1", "spec.placement keeps it from all nodes that have room, by zone")
    );
    let devices = gang(1, 0, 2, json!({}));
    assert_eq!(
        lacks(&[(0, 1, None, false)], &devices).1,
        "no node has 2 devices of the class k free; 1 is free at most"
    );
    assert_eq!(
        lacks(&[(0, 0, None, false)], &gang(1, 0, 1, json!({}))).1,
        "no node has 1 device of the class k free; 0 are free at most"
    );
    let mut unknown = devices.clone();
    unknown.need.devices.as_mut().unwrap().of_class = None;
    assert_eq!(lacks(&[(0, 1, None, false)], &unknown).1, "there is no DeviceClass k");
    let mut hungry = gang(1, 1, 0, json!({}));
    hungry.need.requests.insert("cpu".into(), "100m".into());
    assert_eq!(lacks(&[free(9)], &hungry).1, "no node that has 1 a.b/c free has 100m of cpu free too");
    let mut full = cluster(&[free(9)]);
    full.nodes[0].free.insert("pods".into(), 0);
    let lack = fits(&full, &[], &gang(1, 1, 0, json!({}))).unwrap_err();
    assert_eq!(lack[0].what, "no node that has 1 a.b/c free takes another pod");
}
