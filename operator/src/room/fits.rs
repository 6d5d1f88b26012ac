//! Whether all parties of a gang have room at once. Pure.
//!
//! A packing is made, party by party, so that "they fit" is never said without one. All parties ask for the same; then the order
//! does not matter, and where there is a packing one is found, as long as at most one label of nodes holds the parties apart or spreads them and
//! every device is reached from one node only.

use super::{
    admits::{is_borne, is_meant, is_reached},
    cluster::{Amounts, Cluster, Node},
    gang::{Gang, Need},
    quantity::{Round, milli},
};
use std::{
    cmp::Reverse,
    collections::{BTreeMap, BTreeSet},
};

/// What a party lacks.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Lack {
    /// The party.
    pub party: String,
    /// In words.
    pub what: String,
}

/// Packs the gang into what is free beside the gangs that were let go before and have no nodes yet: wherever those may go, room is left
/// for them.
///
/// # Errors
/// For each party that finds no place, what it lacks.
pub(super) fn fits(cluster: &Cluster, ahead: &[&Gang], gang: &Gang) -> Result<(), Vec<Lack>> {
    let need = &gang.need;
    // Those that ask for the same, keep no distance and take what is on their nodes leave as much wherever they go.
    let is_near = need.devices.is_none() || cluster.afar.is_empty();
    let is_free = is_near && need.apart().next().is_none() && need.spread().next().is_none();
    let (same, others): (Vec<&Gang>, Vec<&Gang>) =
        ahead.iter().copied().partition(|ahead| is_free && ahead.need == *need);
    let mut packing = Packing::new(cluster, &others, need);
    let before = same.iter().map(|gang| gang.parties.len()).sum::<usize>();
    (0..before).for_each(|_| _ = packing.place());
    let placed = gang.parties.iter().take_while(|_| packing.place()).count();
    if placed == gang.parties.len() {
        return Ok(());
    }
    let what = packing.lack();
    Err(gang.parties[placed..]
        .iter()
        .map(|party| Lack { party: party.clone(), what: what.clone() })
        .collect())
}

/// A node that the parties may go to.
struct Spot<'a> {
    node: &'a Node,
    /// Of what is asked for, in the order of [`Packing::asks`].
    free: Vec<i128>,
    /// Devices that may be meant, by driver.
    devices: BTreeMap<&'a str, u32>,
    /// The parties bear its taints.
    is_open: bool,
}

/// Where parties have gone so far.
struct Packing<'a> {
    need: &'a Need,
    asks: Vec<(&'a str, i128)>,
    spots: Vec<Spot<'a>>,
    /// How many of the cluster's devices afar are left.
    afar: Vec<u32>,
    cluster: &'a Cluster,
    /// Values of the labels that hold parties apart.
    apart: BTreeSet<(&'a str, &'a str)>,
    /// How many parties each value of a label that spreads them has.
    spread: Vec<BTreeMap<&'a str, u32>>,
}

impl<'a> Packing<'a> {
    fn new(cluster: &'a Cluster, ahead: &[&Gang], need: &'a Need) -> Self {
        let asks: Vec<(&str, i128)> =
            need.requests.iter().map(|(name, text)| (name.as_str(), amount(text))).collect();
        let meant = cluster.nodes.iter().filter(|node| is_meant(node, &need.placement));
        let spots: Vec<Spot<'_>> = meant.map(|node| spot(node, ahead, need, &asks)).collect();
        let afar = cluster.afar.iter().map(|afar| {
            let taken = ahead.iter().filter_map(|gang| Some((gang, gang.need.devices.as_ref()?)));
            let taken = taken.filter(|(_, devices)| devices.may_be(&afar.driver));
            let taken = taken.map(|(gang, devices)| gang.parties.len() as u32 * devices.count).sum();
            let is_meant = need.devices.as_ref().is_some_and(|devices| devices.may_be(&afar.driver));
            if is_meant { afar.count.saturating_sub(taken) } else { 0 }
        });
        let has_all = |spot: &&Spot<'_>| {
            need.spread().all(|spread| spot.node.labels.contains_key(&spread.topology_key))
        };
        let groups = |key: &str| {
            let values = spots.iter().filter(has_all).filter_map(|spot| spot.node.labels.get(key));
            values.map(|value| (value.as_str(), 0)).collect()
        };
        let spread = need.spread().map(|spread| groups(&spread.topology_key)).collect();
        Self { need, asks, afar: afar.collect(), spots, cluster, apart: BTreeSet::new(), spread }
    }

    /// Finds a place for one more party, the one where fewest are: false where there is none.
    fn place(&mut self) -> bool {
        let fits = |index: &usize| self.has_room(*index) && self.may(*index);
        let order = |index: &usize| {
            let spot = &self.spots[*index];
            let near: u32 = spot.devices.values().sum();
            (self.counts(spot.node), Reverse(near))
        };
        let Some(index) = (0..self.spots.len()).filter(fits).min_by_key(order) else { return false };
        let mut devices = self.need.devices.as_ref().map_or(0, |devices| devices.count);
        let spot = &mut self.spots[index];
        let node = spot.node;
        for (free, (_, asked)) in spot.free.iter_mut().zip(&self.asks) {
            *free -= asked;
        }
        let reached = self.cluster.afar.iter().map(|afar| is_reached(node, afar.nodes.as_ref()));
        let afar = self.afar.iter_mut().zip(reached).filter(|(_, reached)| *reached).map(|(left, _)| left);
        for left in spot.devices.values_mut().chain(afar) {
            let taken = devices.min(*left);
            *left -= taken;
            devices -= taken;
        }
        for key in self.need.apart() {
            if let Some(value) = node.labels.get(key) {
                self.apart.insert((key, value));
            }
        }
        for (spread, groups) in self.need.spread().zip(&mut self.spread) {
            if let Some(count) =
                node.labels.get(&spread.topology_key).and_then(|value| groups.get_mut(value.as_str()))
            {
                *count += 1;
            }
        }
        true
    }

    /// Whether a node has enough of all that a party asks for.
    fn has_room(&self, index: usize) -> bool {
        let spot = &self.spots[index];
        let amounts = spot.free.iter().zip(&self.asks).all(|(free, (_, asked))| free >= asked);
        let devices = self.need.devices.as_ref().map_or(0, |devices| devices.count);
        let is_known = self.need.devices.as_ref().is_none_or(|devices| devices.of_class.is_some());
        spot.is_open && is_known && amounts && self.devices(spot) >= devices
    }

    /// How many devices a party would find on a node.
    fn devices(&self, spot: &Spot<'_>) -> u32 {
        let near: u32 = spot.devices.values().sum();
        let afar = self.cluster.afar.iter().zip(&self.afar);
        let afar = afar.filter(|(afar, _)| is_reached(spot.node, afar.nodes.as_ref()));
        near + afar.map(|(_, left)| left).sum::<u32>()
    }

    /// How many parties are where a node is, by each label that spreads them.
    fn counts(&self, node: &Node) -> Vec<u32> {
        let count = |(key, groups): (&String, &BTreeMap<&str, u32>)| {
            node.labels.get(key).and_then(|value| groups.get(value.as_str())).copied().unwrap_or_default()
        };
        self.need.spread().map(|spread| &spread.topology_key).zip(&self.spread).map(count).collect()
    }

    /// Whether a node is far enough from the parties that have a place.
    fn may(&self, index: usize) -> bool {
        let labels = &self.spots[index].node.labels;
        let apart =
            |key: &str| labels.get(key).is_none_or(|value| !self.apart.contains(&(key, value.as_str())));
        self.need.apart().all(apart)
            && self.need.spread().zip(&self.spread).all(|(spread, groups)| {
                let count = labels.get(&spread.topology_key).and_then(|value| groups.get(value.as_str()));
                let least = groups.values().min();
                count.zip(least).is_some_and(|(count, least)| count + 1 - least <= spread.max_skew)
            })
    }

    /// What keeps the next party from having a place.
    fn lack(&self) -> String {
        let open: Vec<usize> = (0..self.spots.len()).filter(|index| self.spots[*index].is_open).collect();
        if self.cluster.nodes.is_empty() {
            return "the cluster has no nodes".into();
        }
        if self.spots.is_empty() {
            return "no node has the labels that spec.placement asks for".into();
        }
        if open.is_empty() {
            return "each node that it may run on has a taint that it does not tolerate".into();
        }
        let free = |index: usize, name: &str| {
            let place = self.asks.iter().position(|(asked, _)| *asked == name);
            place.map_or(0, |place| self.spots[index].free[place].max(0))
        };
        let (count, what, found): (u32, String, Vec<u32>) = match (&self.need.resource, &self.need.devices) {
            (Some(name), _) => {
                let count = self.need.requests.get(name).and_then(|count| count.parse().ok()).unwrap_or(1);
                let found =
                    open.iter().map(|index| u32::try_from(free(*index, name) / 1000).unwrap_or(u32::MAX));
                (count, name.clone(), found.collect())
            }
            (None, Some(devices)) => {
                if devices.of_class.is_none() {
                    return format!("there is no DeviceClass {}", devices.class);
                }
                let found = open.iter().map(|index| self.devices(&self.spots[*index]));
                let noun = if devices.count == 1 { "device" } else { "devices" };
                (devices.count, format!("{noun} of the class {}", devices.class), found.collect())
            }
            (None, None) => (0, String::new(), vec![0; open.len()]),
        };
        let most = found.iter().max().copied().unwrap_or_default();
        if most < count {
            let are = if most == 1 { "is" } else { "are" };
            return format!("no node has {count} {what} free; {most} {are} free at most");
        }
        let enough: Vec<usize> =
            open.iter().zip(&found).filter(|(_, found)| **found >= count).map(|(index, _)| *index).collect();
        if enough.iter().any(|index| self.has_room(*index)) {
            let apart =
                self.need.apart().chain(self.need.spread().map(|spread| spread.topology_key.as_str()));
            let keys: Vec<&str> = apart.collect();
            return format!(
                "spec.placement keeps it from all nodes that have room, by {}",
                keys.join(" and ")
            );
        }
        let short =
            |name: &str, asked: i128| enough.iter().filter(|index| free(**index, name) < asked).count();
        let (_, name) =
            self.asks.iter().map(|(name, asked)| (short(name, *asked), *name)).max().unwrap_or_default();
        let amount = self.need.requests.get(name).map(String::as_str).unwrap_or_default();
        match name {
            "pods" => format!("no node that has {count} {what} free takes another pod"),
            _ => format!("no node that has {count} {what} free has {amount} of {name} free too"),
        }
    }
}

/// A node with what is left of it wherever the gangs that were let go before may go.
fn spot<'a>(node: &'a Node, ahead: &[&Gang], need: &Need, asks: &[(&str, i128)]) -> Spot<'a> {
    let has = |name: &str| node.free.get(name).copied().unwrap_or_default();
    let mut free: Vec<i128> = asks.iter().map(|(name, _)| has(name)).collect();
    let may_be =
        |driver: &str, need: &Need| need.devices.as_ref().is_some_and(|devices| devices.may_be(driver));
    let devices = node.devices.iter().filter(|(driver, _)| may_be(driver, need));
    let mut devices: BTreeMap<&str, u32> = devices.map(|(driver, count)| (driver.as_str(), *count)).collect();
    for gang in ahead {
        let placement = &gang.need.placement;
        if !is_meant(node, placement) || !is_borne(node, &placement.tolerations) {
            continue;
        }
        let asked: Amounts =
            gang.need.requests.iter().map(|(name, text)| (name.clone(), amount(text))).collect();
        let room =
            asked.iter().filter(|(_, asked)| **asked > 0).map(|(name, asked)| has(name).max(0) / asked);
        let parties = room.min().unwrap_or(0).min(gang.parties.len() as i128);
        for (free, (name, _)) in free.iter_mut().zip(asks) {
            *free -= parties * asked.get(*name).copied().unwrap_or_default();
        }
        let count = gang.need.devices.as_ref().map_or(0, |devices| devices.count);
        let taken = devices.iter_mut().filter(|(driver, _)| may_be(driver, &gang.need));
        taken.for_each(|(_, left)| *left = left.saturating_sub(count * parties as u32));
    }
    Spot { node, free, devices, is_open: is_borne(node, &need.placement.tolerations) }
}

/// What is asked for, in thousandths. The API server takes no other text.
fn amount(text: &str) -> i128 {
    milli(text, Round::Up).unwrap_or_default()
}
