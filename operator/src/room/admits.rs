//! Which nodes admit a pod by their labels and taints, as a scheduler has it. Pure.

use super::{
    cluster::{Node, keeps_away},
    listed::{Taint, Term, Terms},
};
use veilgrid_api::{
    affinity::{NodeExpression, NodeOperator},
    cluster::{Placement, Toleration},
};

/// Whether a node has the labels that a placement asks for.
pub(super) fn is_meant(node: &Node, placement: &Placement) -> bool {
    let label = |key: &str| node.labels.get(key).map(String::as_str);
    let selected = placement.node_selector.iter().all(|(key, value)| label(key) == Some(value));
    let nodes = placement.affinity.as_ref().and_then(|affinity| affinity.node_affinity.as_ref());
    let required = nodes.and_then(|nodes| nodes.required_during_scheduling_ignored_during_execution.as_ref());
    selected
        && required.is_none_or(|required| {
            required.node_selector_terms.iter().any(|term| {
                term.match_expressions.iter().all(|expression| holds(expression, label(&expression.key)))
            })
        })
}

/// Whether a pod bears all of a node's taints.
pub(super) fn is_borne(node: &Node, tolerations: &[Toleration]) -> bool {
    let borne = |taint: &Taint| tolerations.iter().any(|toleration| bears(toleration, taint));
    node.taints.iter().filter(|taint| keeps_away(taint)).all(borne)
}

fn bears(toleration: &Toleration, taint: &Taint) -> bool {
    let given = |text: &Option<String>| text.clone().filter(|text| !text.is_empty());
    let value = match toleration.operator.as_deref() {
        Some("Exists") => true,
        None | Some("" | "Equal") => toleration.value.as_deref().unwrap_or_default() == taint.value,
        Some(_) => false,
    };
    value
        && given(&toleration.key).is_none_or(|key| key == taint.key)
        && given(&toleration.effect).is_none_or(|effect| effect == taint.effect)
}

/// Whether devices that are reached from some nodes are reached from this one.
pub(super) fn is_reached(node: &Node, from: Option<&Terms>) -> bool {
    let fits = |term: &Term| {
        let label = |key: &str| node.labels.get(key).map(String::as_str);
        let is_empty = term.match_expressions.is_empty() && term.match_fields.is_empty();
        !is_empty
            && term.match_expressions.iter().all(|expression| holds(expression, label(&expression.key)))
            && term.match_fields.iter().all(|expression| holds(expression, Some(&node.name)))
    };
    from.is_none_or(|terms| terms.node_selector_terms.iter().any(fits))
}

fn holds(expression: &NodeExpression, value: Option<&str>) -> bool {
    let is_among = || expression.values.iter().any(|among| Some(among.as_str()) == value);
    let compared = || {
        let number = |text: &str| text.parse::<i64>().ok();
        Some(number(value?)?.cmp(&number(expression.values.first()?)?))
    };
    match expression.operator {
        NodeOperator::In => is_among(),
        NodeOperator::NotIn => !is_among(),
        NodeOperator::Exists => value.is_some(),
        NodeOperator::DoesNotExist => value.is_none(),
        NodeOperator::Gt => compared().is_some_and(|order| order.is_gt()),
        NodeOperator::Lt => compared().is_some_and(|order| order.is_lt()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::{Value, from_value, json};

    fn node(taints: Value) -> Node {
        let labels = json!({"zone": "a", "cores": "16"});
        let taints: Vec<Taint> = from_value(taints).unwrap();
        Node { name: "n".into(), labels: from_value(labels).unwrap(), taints, ..Node::default() }
    }

    #[test]
    fn labels() {
        let meant = |placement: Value| is_meant(&node(json!([])), &from_value(placement).unwrap());
        let term = |expressions: Value| {
            let terms = json!({"nodeSelectorTerms": [{"matchExpressions": [{"key": "no", "operator": "Exists"}]}, {"matchExpressions": expressions}]});
            meant(
                json!({"affinity": {"nodeAffinity": {"requiredDuringSchedulingIgnoredDuringExecution": terms}}}),
            )
        };
        assert!(meant(json!({})) && meant(json!({"nodeSelector": {"zone": "a"}})));
        assert!(
            !meant(json!({"nodeSelector": {"zone": "b"}})) && !meant(json!({"nodeSelector": {"no": ""}}))
        );
        for (key, operator, values, expected) in [
            ("zone", "In", json!(["b", "a"]), true),
            ("zone", "NotIn", json!(["b", "a"]), false),
            ("no", "In", json!(["a"]), false),
            ("no", "NotIn", json!(["a"]), true),
            ("zone", "Exists", json!([]), true),
            ("zone", "DoesNotExist", json!([]), false),
            ("cores", "Gt", json!(["9"]), true),
            ("cores", "Lt", json!(["16"]), false),
            ("zone", "Lt", json!(["16"]), false),
        ] {
            let expression = json!({"key": key, "operator": operator, "values": values});
            assert_eq!(term(json!([expression])), expected, "{key} {operator} {values}");
            assert!(!term(json!([expression, {"key": "no", "operator": "Exists"}])));
        }
    }

    #[test]
    fn taints() {
        let gpu = || json!([{"key": "gpu", "value": "a", "effect": "NoSchedule"}, {"key": "x", "effect": "PreferNoSchedule"}]);
        let borne = |tolerations: Value| is_borne(&node(gpu()), &from_value::<Vec<_>>(tolerations).unwrap());
        for (toleration, expected) in [
            (json!({"operator": "Exists"}), true),
            (json!({"key": "gpu", "operator": "Exists"}), true),
            (json!({"key": "gpu", "value": "a"}), true),
            (json!({"key": "gpu", "value": "b"}), false),
            (json!({"key": "gpu"}), false),
            (json!({"key": "other", "operator": "Exists"}), false),
            (json!({"key": "gpu", "operator": "Exists", "effect": "NoExecute"}), false),
            (json!({"key": "gpu", "operator": "Exists", "effect": "NoSchedule"}), true),
        ] {
            assert_eq!(borne(json!([toleration])), expected, "{toleration}");
        }
        assert!(!borne(json!([])) && is_borne(&node(json!([])), &[]));
    }

    #[test]
    fn reach() {
        let reached = |terms: Value| is_reached(&node(json!([])), Some(&from_value(terms).unwrap()));
        let name = |name: &str| json!({"nodeSelectorTerms": [{"matchFields": [{"key": "metadata.name", "operator": "In", "values": [name]}]}]});
        assert!(is_reached(&node(json!([])), None) && reached(name("n")) && !reached(name("m")));
        assert!(!reached(json!({"nodeSelectorTerms": [{}]})));
    }
}
