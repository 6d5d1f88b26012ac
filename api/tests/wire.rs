//! Plans that come from elsewhere: what a planner writes is taken, anything else is refused.

use proptest::prelude::*;
use serde_json::{Value, json};
use veilgrid_api::{
    manifest::parse,
    plan::{Plan, PlanError, differences},
    planner,
};

const HOSPITALS: &str = include_str!("manifests/hospitals.yaml");

fn plan() -> Plan {
    planner::plan(&parse(HOSPITALS).unwrap(), None, "0123456789abcdef0123456789abcdef").unwrap()
}

#[test]
fn what_a_planner_writes_is_taken() {
    let plan = plan();
    assert_eq!(Plan::from_json_bounded(plan.canonical().as_bytes()).unwrap(), plan);
    assert_eq!(differences(&plan, &plan), [""; 0]);
}

#[test]
fn differences_are_named_without_values() {
    let ours = plan();
    let mut theirs = plan();
    theirs.statistics[2].epsilon = "0.25".parse().unwrap();
    theirs.parties[1].public_key = None;
    theirs.recipients.push(2);
    assert_eq!(
        differences(&ours, &theirs),
        ["parties[1].publicKey", "recipients[2]", "statistics[2].epsilon"]
    );
    theirs.statistics.clear();
    theirs.columns.clear();
    assert!(differences(&ours, &theirs).contains(&"statistics[6]".to_owned()));
    let mut many = plan();
    let column = many.columns[0].clone();
    many.columns.extend(std::iter::repeat_n(column, 100));
    assert_eq!((differences(&ours, &many).len(), differences(&ours, &many)[31].as_str()), (32, "..."));
}

#[test]
fn a_plan_that_breaks_a_rule_is_refused() {
    let cases: [(&str, Value, &str); 22] = [
        ("/run", json!("0123"), "run"),
        ("/job", json!("hospitals"), "job"),
        ("/epsilon", json!("3"), "epsilon"),
        ("/delta", json!("0.000000000000000001"), "delta"),
        ("/parties/1/name", json!("north"), "parties[1].name"),
        ("/parties/1/name", json!("../x"), "parties[1].name"),
        ("/parties/1/dataset", json!("default/north"), "parties[1].dataset"),
        ("/parties/0/maxRows", json!(u64::MAX), "parties[0].maxRows"),
        ("/parties/1/publicKey", json!("AB"), "parties[1].publicKey"),
        ("/parties/1/person/maxRows", json!(4), "statistics[0].components"),
        ("/recipients", json!([1, 0]), "recipients"),
        ("/recipients", json!([3]), "recipients"),
        ("/recipients", json!([]), "recipients"),
        ("/columns/0/name", json!("zebra"), "columns"),
        ("/columns/2/kind/number/max", json!(-1), "columns[2]"),
        ("/statistics/0/name", json!("radius sum"), "statistics[2].name"),
        ("/statistics/1/groupBy", json!(0), "statistics[1].groupBy"),
        ("/statistics/2/question/sum/column", json!(9), "statistics[2].question"),
        ("/statistics/2/components/0/scale/numerator", json!(1), "statistics[2].components"),
        ("/statistics/4/filter/value", json!(2), "statistics[4].filter"),
        ("/statistics/5/question/histogram/edges", json!([5, 4]), "statistics[5].question"),
        ("/cells", json!(1), "cells"),
    ];
    for (pointer, value, field) in cases {
        let mut json = serde_json::to_value(plan()).unwrap();
        *json.pointer_mut(pointer).unwrap() = value;
        match Plan::from_json_bounded(json.to_string().as_bytes()) {
            Err(PlanError::Field { path, .. }) => assert_eq!(path, field, "{pointer}"),
            other => panic!("{pointer}: {other:?}"),
        }
    }
}

#[test]
fn bytes_that_are_no_plan_are_refused() {
    let canonical = plan().canonical();
    let refuse = |text: &str| Plan::from_json_bounded(text.as_bytes()).unwrap_err();
    assert_eq!(refuse("nonsense"), PlanError::Form { byte: 1 });
    assert_eq!(refuse(&canonical.replacen("\"version\":1", "\"version\":2", 1)), PlanError::Version(2));
    assert_eq!(refuse("{\"version\":7,\"new\":true}"), PlanError::Version(7));
    let unknown = canonical.replacen("{", "{\"secret\":1,", 1);
    assert!(matches!(refuse(&unknown), PlanError::Form { .. }));
    assert!(!refuse(&unknown).to_string().contains("secret"));
    let twice = canonical.replacen("\"cells\":", "\"cells\":1,\"cells\":", 1);
    assert!(matches!(refuse(&twice), PlanError::Form { .. }));
    assert_eq!(refuse(&" ".repeat((8 << 20) + 1)), PlanError::TooLarge((8 << 20) + 1));
}

proptest! {
    #[test]
    fn a_changed_byte_never_panics(place in any::<prop::sample::Index>(), byte in any::<u8>()) {
        let plan = plan();
        let mut bytes = plan.canonical().into_bytes();
        let place = place.index(bytes.len());
        bytes[place] = byte;
        // Where the result is a plan, it is one that this crate could have written.
        if let Ok(other) = Plan::from_json_bounded(&bytes) {
            prop_assert_eq!(differences(&plan, &other).is_empty(), plan.hash() == other.hash());
        }
    }

    #[test]
    fn any_bytes_never_panic(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
        prop_assert!(Plan::from_json_bounded(&bytes).is_err());
    }
}
