//! No text makes the reader panic: random bytes, random YAML, and manifests with random damage.

use proptest::prelude::*;
use veilgrid_api::{
    manifest::{Manifest, parse_bytes},
    planner,
    validate::validate,
};

const SEEDS: [&str; 4] = [
    include_str!("manifests/hospitals.yaml"),
    "apiVersion: veilgrid.dev/v1alpha1\nkind: PrivacyBudget\nmetadata: {name: a}\nspec: {epsilon: 1}\n",
    "apiVersion: veilgrid.dev/v1alpha1\nkind: PrivateJob\nmetadata: {name: \"\\e[31m\", \"\\e\": 1}\nspec: {\"\\e\": \"\\e\"}\n",
    "a: &a [1, .inf, ~, 'x', \"\\x41\"]\nb: *a\n---\n? [x]\n: |\n  text\n...\n--- !tag {x: y}\n",
];

/// Everything that a user's file goes through.
fn digest(bytes: &[u8]) {
    match parse_bytes(bytes) {
        Ok(manifest) => plan_all(&manifest),
        Err(faults) => {
            assert!(!faults.is_empty());
            for fault in faults {
                let text = fault.to_string();
                assert!(text.len() < 20_000 && !text.contains('\u{1b}'), "{text}");
            }
        }
    }
}

fn plan_all(manifest: &Manifest) {
    let faults = validate(manifest);
    for job in &manifest.jobs {
        let plan = planner::plan(manifest, Some(&job.key()), "00000000000000000000000000000000");
        assert_eq!(plan.is_ok(), faults.is_empty());
    }
}

/// Numbers and words that tend to break things.
const SPLICES: [&str; 24] = [
    "0",
    "-1",
    "1e308",
    "-1e308",
    "1e-308",
    ".nan",
    ".inf",
    "9223372036854775807",
    "-9223372036854775808",
    "18446744073709551615",
    "2251799813685248",
    "4294967295",
    "\"\"",
    "[]",
    "{}",
    "~",
    "\u{0}",
    "\u{1b}[31m",
    "*x",
    "&x ",
    "- ",
    "\n",
    ": ",
    "é\u{202e}",
];

proptest! {
    #![proptest_config(ProptestConfig::with_cases(600))]

    #[test]
    fn bytes(bytes in prop::collection::vec(any::<u8>(), 0..300)) {
        digest(&bytes);
    }

    #[test]
    fn text_of_yaml_signs(text in "[-a:{}\\[\\],&*!|>'\"%@`#? \n\t0-9.~]{0,200}") {
        digest(text.as_bytes());
    }

    #[test]
    fn damaged_manifests(
        seed in 0..SEEDS.len(),
        edits in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>(), 0u8..5), 1..6),
    ) {
        let mut bytes = SEEDS[seed].as_bytes().to_vec();
        for (place, byte, kind) in edits {
            let at = place.index(bytes.len().max(1));
            match kind {
                0 => bytes[at] = byte,
                1 => { bytes.remove(at); }
                2 => bytes.insert(at, byte),
                3 => bytes.truncate(at.max(1)),
                _ => {
                    let end = (at + usize::from(byte)).min(bytes.len());
                    let copy = bytes[at..end].to_vec();
                    bytes.splice(at..at, copy);
                }
            }
            if bytes.is_empty() {
                bytes.push(b'a');
            }
        }
        digest(&bytes);
    }

    #[test]
    fn manifests_with_other_values(
        places in prop::collection::vec((any::<prop::sample::Index>(), 0..SPLICES.len()), 1..4),
    ) {
        // Replaces whole values: what stands after a colon or in brackets.
        let mut words: Vec<String> = SEEDS[0].split_inclusive([' ', ',', '}', ']']).map(str::to_owned).collect();
        for (place, splice) in places {
            let at = place.index(words.len());
            let end = words[at].chars().last().filter(|c| " ,}]".contains(*c));
            words[at] = format!("{}{}", SPLICES[splice], end.map(String::from).unwrap_or_default());
        }
        digest(words.concat().as_bytes());
    }
}
