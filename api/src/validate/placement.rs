//! Where the parties' pods may run.

use crate::{
    affinity::{Affinity, NodeExpression, NodeOperator, NodeTerm},
    cluster::Placement,
    fault::{Fault, quoted},
    job::PrivateJobSpec,
    manifest::Object,
};

type Job = Object<PrivateJobSpec>;

pub(super) fn check(job: &Job, faults: &mut Vec<Fault>) {
    if let Some(placement) = &job.spec.placement {
        if let Some(asked) = &placement.affinity {
            affinity(job, asked, faults);
        }
        spread(job, placement, faults);
    }
}

fn affinity(job: &Job, affinity: &Affinity, faults: &mut Vec<Fault>) {
    let path = "spec.placement.affinity.podAntiAffinity";
    let apart = affinity.pod_anti_affinity.clone().unwrap_or_default();
    for (index, apart) in apart.required_during_scheduling_ignored_during_execution.iter().enumerate() {
        let terms = "requiredDuringSchedulingIgnoredDuringExecution";
        key(job, &apart.topology_key, &format!("{path}.{terms}[{index}].topologyKey"), faults);
    }
    for (index, apart) in apart.preferred_during_scheduling_ignored_during_execution.iter().enumerate() {
        let term = format!("preferredDuringSchedulingIgnoredDuringExecution[{index}].podAffinityTerm");
        key(job, &apart.pod_affinity_term.topology_key, &format!("{path}.{term}.topologyKey"), faults);
    }
    let path = "spec.placement.affinity.nodeAffinity";
    let Some(nodes) = &affinity.node_affinity else { return };
    let required = nodes.required_during_scheduling_ignored_during_execution.iter();
    for (index, node) in required.flat_map(|terms| &terms.node_selector_terms).enumerate() {
        let terms = "requiredDuringSchedulingIgnoredDuringExecution.nodeSelectorTerms";
        term(job, node, &format!("{path}.{terms}[{index}]"), faults);
    }
    for (index, node) in nodes.preferred_during_scheduling_ignored_during_execution.iter().enumerate() {
        let terms = "preferredDuringSchedulingIgnoredDuringExecution";
        term(job, &node.preference, &format!("{path}.{terms}[{index}].preference"), faults);
    }
}

fn term(job: &Job, term: &NodeTerm, path: &str, faults: &mut Vec<Fault>) {
    for (index, expression) in term.match_expressions.iter().enumerate() {
        key(job, &expression.key, &format!("{path}.matchExpressions[{index}].key"), faults);
        if let Some((problem, remedy)) = odd(expression) {
            let path = format!("{path}.matchExpressions[{index}].values");
            faults.push(job.fault(&path, problem, remedy));
        }
    }
}

/// What is wrong with an expression's values, and what to do.
fn odd(expression: &NodeExpression) -> Option<(String, &'static str)> {
    let (operator, count) = (expression.operator, expression.values.len());
    let takes = !matches!(operator, NodeOperator::Exists | NodeOperator::DoesNotExist);
    if takes != (count > 0) {
        let remedy = "write values for In, NotIn, Gt and Lt, and none for Exists and DoesNotExist";
        return Some((format!("has {count} items"), remedy));
    }
    if matches!(operator, NodeOperator::Gt | NodeOperator::Lt) {
        let remedy = "write one whole number for Gt and Lt";
        let digits = |text: &str| (1..=18).contains(&text.len()) && text.bytes().all(|b| b.is_ascii_digit());
        match &expression.values[..] {
            [one] if digits(one.strip_prefix('-').unwrap_or(one)) => {}
            [one] => return Some((format!("{} is none", quoted(one)), remedy)),
            _ => return Some((format!("has {count} items"), remedy)),
        }
    }
    None
}

fn spread(job: &Job, placement: &Placement, faults: &mut Vec<Fault>) {
    for (index, spread) in placement.topology_spread.iter().enumerate() {
        let path = format!("spec.placement.topologySpread[{index}].topologyKey");
        key(job, &spread.topology_key, &path, faults);
    }
    let mut homes = job.spec.parties.iter().map(|party| &party.dataset.namespace);
    let first = homes.next();
    if !placement.topology_spread.is_empty() && homes.any(|home| Some(home) != first) {
        let problem = "topologySpread needs all datasets in one namespace, written alike";
        let remedy = "Kubernetes counts the pods of one only; use affinity.podAntiAffinity";
        faults.push(job.fault("spec.placement.topologySpread", problem, remedy));
    }
}

/// Tells what is not the key of a label. Its length is the schema's matter.
fn key(job: &Job, key: &str, path: &str, faults: &mut Vec<Fault>) {
    let ends = |text: &str| {
        let end = |b: Option<u8>| b.is_some_and(|b| b.is_ascii_alphanumeric());
        end(text.bytes().next()) && end(text.bytes().last())
    };
    let name =
        |text: &str| ends(text) && text.bytes().all(|b| b.is_ascii_alphanumeric() || b"-_.".contains(&b));
    let lower = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit() || b"-.".contains(&b);
    let good = match key.split_once('/') {
        Some((prefix, rest)) => ends(prefix) && prefix.bytes().all(lower) && name(rest),
        None => name(key),
    };
    if !key.is_empty() && !good {
        let problem = format!("{} is not the key of a label", quoted(key));
        faults.push(job.fault(path, problem, "write one such as kubernetes.io/hostname"));
    }
}
