//! A receipt says what happened, and any changed byte of it, of the result or of a key is seen and named.

use proptest::prelude::*;
use std::collections::BTreeMap;
use veilgrid_api::{manifest, plan::Plan, planner};
use veilgrid_party::{
    identity::Identity,
    receipt::{
        CHARGE_DOMAIN, Charged, Check, RESULT_DOMAIN, Receipt, Released, ResultSignature, VERSION,
        charge_message,
        hex::hex,
        result_hash, result_message,
        signature::{PLAN_DOMAIN, PartySignature},
        verify,
    },
};

const RESULT: &[u8] = b"{\"version\": 1}\n";

fn plan(pinned: Option<&str>) -> Plan {
    let pin = pinned.map(|key| format!(", publicKey: \"{key}\"")).unwrap_or_default();
    let mut text = format!(
        "
apiVersion: veilgrid.dev/v1alpha1
kind: PrivateJob
metadata: {{name: survey}}
spec:
  parties:
    - {{name: north, dataset: {{name: north}}{pin}}}
    - {{name: south, dataset: {{name: south}}}}
  privacy: {{epsilon: 1}}
  computation: {{statistics: [{{name: rows, count: {{}}}}]}}
"
    );
    for name in ["north", "south"] {
        text += &format!(
            "---
apiVersion: veilgrid.dev/v1alpha1
kind: PrivateDataset
metadata: {{name: {name}}}
spec:
  source: {{path: {name}.csv}}
  columns: [{{name: age, number: {{min: 0, max: 8}}}}]
  budget: {name}
---
apiVersion: veilgrid.dev/v1alpha1
kind: PrivacyBudget
metadata: {{name: {name}}}
spec: {{epsilon: 2}}
"
        );
    }
    planner::plan(&manifest::parse(&text).unwrap(), None, &"0f".repeat(16)).unwrap()
}

fn receipt(pin: bool) -> Receipt {
    let folder = tempfile::tempdir().unwrap();
    let parties: Vec<Identity> = ["north", "south"]
        .iter()
        .map(|name| Identity::open_or_create(&folder.path().join(name)).unwrap())
        .collect();
    let plan = plan(pin.then(|| parties[0].public_key_hex()).as_deref());
    let hash = plan.hash();
    let found = result_hash(RESULT);
    let signed = |party: usize, domain, message: &[u8]| hex(&parties[party].sign(domain, message));
    Receipt {
        version: VERSION,
        plan_hash: hash.to_string(),
        signatures: (0..2)
            .map(|party| PartySignature {
                party: plan.parties[party].name.clone(),
                public_key: parties[party].public_key_hex(),
                signature: signed(party, PLAN_DOMAIN, &hash.0),
            })
            .collect(),
        charges: (0..2)
            .map(|party| Charged {
                party: plan.parties[party].name.clone(),
                dataset: plan.parties[party].dataset.clone(),
                budget: plan.parties[party].budget.clone(),
                epsilon: plan.epsilon,
                delta: plan.delta,
                signature: signed(party, CHARGE_DOMAIN, &charge_message(&plan, &hash, party)),
            })
            .collect(),
        result: Released {
            hash: hex(&found),
            signatures: (0..2)
                .map(|party| ResultSignature {
                    party: plan.parties[party].name.clone(),
                    signature: signed(party, RESULT_DOMAIN, &result_message(&hash, &found)),
                })
                .collect(),
        },
        plan,
    }
}

fn keys(receipt: &Receipt) -> BTreeMap<String, String> {
    receipt.signatures.iter().map(|signed| (signed.party.clone(), signed.public_key.clone())).collect()
}

fn broken(checks: &[Check]) -> Vec<&str> {
    checks.iter().filter(|check| !check.ok).map(|check| check.what.as_str()).collect()
}

#[test]
fn a_good_receipt_holds_and_says_what_each_claim_rests_on() {
    let plain = receipt(false);
    let checks = verify(&plain.to_bytes(), Some(RESULT), None);
    assert_eq!(broken(&checks), [""; 0]);
    let signed = checks.iter().find(|check| check.what == "north signed the plan").unwrap();
    assert!(signed.detail.contains("compare it with the one it tells you itself"), "{}", signed.detail);
    let checks = verify(&plain.to_bytes(), None, Some(&keys(&plain)));
    assert_eq!(broken(&checks), [""; 0]);
    assert!(checks.iter().any(|check| check.detail.contains("with the key given for it")));
    let pinned = receipt(true);
    let checks = verify(&pinned.to_bytes(), Some(RESULT), None);
    assert_eq!(broken(&checks), [""; 0]);
    assert!(checks.iter().any(|check| check.detail.contains("with the key that the plan pins")));
}

#[test]
fn every_changed_byte_breaks_a_claim() {
    let good = receipt(true).to_bytes();
    for place in 0..good.len() {
        let mut bad = good.clone();
        bad[place] ^= 1 << (place % 7);
        assert!(!broken(&verify(&bad, Some(RESULT), None)).is_empty(), "byte {place}");
        let mut longer = good.clone();
        longer.insert(place, b' ');
        assert!(!broken(&verify(&longer, Some(RESULT), None)).is_empty(), "a space at {place}");
    }
    for cut in [0, 1, good.len() / 2, good.len() - 1] {
        assert!(!broken(&verify(&good[..cut], Some(RESULT), None)).is_empty(), "cut to {cut}");
    }
}

#[test]
fn what_is_broken_is_named() {
    type Change = fn(&mut Receipt);
    let cases: Vec<(Change, &str)> = vec![
        (|r| r.plan.cells += 1, "the plan is the one that was agreed on"),
        (|r| r.plan_hash = "00".repeat(32), "the plan is the one that was agreed on"),
        (|r| r.version = 2, "the receipt is written in its one form"),
        (|r| drop(r.signatures.pop()), "every party signed"),
        (|r| r.signatures.swap(0, 1), "every party signed"),
        (|r| r.signatures[1].signature = "00".repeat(64), "south signed the plan"),
        (|r| r.signatures[0].public_key = r.signatures[1].public_key.clone(), "north signed the plan"),
        (|r| drop(r.charges.pop()), "every dataset was charged"),
        (
            |r| r.charges[1].epsilon = veilgrid_api::amount::Epsilon::from_units(1),
            "south charged epsilon 0.000000001 to default/south",
        ),
        (
            |r| r.charges[0].signature = r.charges[1].signature.clone(),
            "north charged epsilon 1 to default/north",
        ),
        (|r| r.result.hash = "zz".into(), "the result has a hash"),
        (|r| r.result.hash = "00".repeat(32), "the result is the one that was signed"),
        (|r| r.result.signatures.clear(), "every recipient signed the result"),
        (|r| r.result.signatures[1].signature.clear(), "south signed the result"),
        (|r| r.plan.recipients = vec![u32::MAX], "every recipient signed the result"),
        (|r| r.plan.parties.clear(), "every party signed"),
    ];
    let good = receipt(false);
    for (change, what) in cases {
        let mut bad = good.clone();
        change(&mut bad);
        let checks = verify(&bad.to_bytes(), Some(RESULT), None);
        assert!(broken(&checks).contains(&what), "{what}: {:?}", broken(&checks));
    }
    let checks = verify(&good.to_bytes(), Some(b"{}"), None);
    assert_eq!(broken(&checks), ["the result is the one that was signed"]);
}

#[test]
fn keys_that_are_given_must_be_all_and_right() {
    let good = receipt(false);
    let mut others = keys(&good);
    others.insert("west".into(), "00".repeat(32));
    assert_eq!(broken(&verify(&good.to_bytes(), None, Some(&others))), ["the key of west is a party's"]);
    let mut missing = keys(&good);
    missing.remove("south");
    assert_eq!(broken(&verify(&good.to_bytes(), None, Some(&missing))), ["south signed the plan"]);
    let mut wrong = keys(&good);
    wrong.insert("north".into(), "ab".repeat(32));
    let checks = verify(&good.to_bytes(), None, Some(&wrong));
    assert_eq!(broken(&checks), ["north signed the plan"]);
    // A receipt whose every signature was made anew with other keys is consistent, and is not of these parties.
    let forged = receipt(false);
    assert_eq!(broken(&verify(&forged.to_bytes(), None, None)), [""; 0]);
    assert_eq!(broken(&verify(&forged.to_bytes(), None, Some(&keys(&good)))).len(), 2);
}

proptest! {
    #[test]
    fn no_bytes_make_it_panic(bytes in prop::collection::vec(any::<u8>(), 0..300)) {
        prop_assert!(!broken(&verify(&bytes, Some(&bytes), None)).is_empty());
    }

    #[test]
    fn no_spliced_receipt_makes_it_panic(from in 0usize..4000, length in 0usize..400, to in 0usize..4000, text in "[0-9a-z\"{}:,\\[\\]]{0,12}") {
        let mut bytes = receipt(false).to_bytes();
        let from = from.min(bytes.len());
        let piece: Vec<u8> = bytes[from..(from + length).min(bytes.len())].to_vec();
        let to = to.min(bytes.len());
        bytes.splice(to..to, piece.into_iter().chain(text.bytes()));
        let _ = verify(&bytes, None, None);
    }
}
