//! Every fault of a manifest's form names its place, what is wrong and what to do.

mod cases;

use veilgrid_api::{
    fault::Fault,
    manifest::{MAX_BYTES, parse, parse_bytes},
};

#[test]
fn form() {
    for case in cases::read(include_str!("manifests/bad_form.json")) {
        let faults = parse(&case.text()).unwrap_err();
        let meant =
            |f: &&Fault| f.path == case.path && f.to_string().contains(&case.says) && f.line.is_some();
        assert!(faults.len() > case.others && faults.iter().any(|f| meant(&f)), "{case:?}: {faults:#?}");
        assert_eq!(faults.len(), faults.iter().filter(|f| f.path == case.path || f.line.is_some()).count());
    }
}

#[test]
fn files_that_are_no_manifest_are_refused_at_once() {
    let refuse = |bytes: &[u8], words: &str| {
        let faults = parse_bytes(bytes).unwrap_err();
        assert!(faults[0].to_string().contains(words), "{}", faults[0]);
    };
    refuse(b"", "holds no objects");
    refuse(b"# only a comment\n---\n", "holds no objects");
    refuse(b"\x89PNG\r\n\x1a\n", "not text in UTF-8");
    refuse(b"id;name\n1;\"x\n", "not an object");
    refuse(b"a: [1, 2\n", "not YAML");
    refuse(b"\t- x: 1", "not");
    refuse(&vec![b' '; MAX_BYTES + 1], "more than the 1048576");
    refuse(&vec![b'['; 100_000], "not YAML");
    refuse("{a: ".repeat(10_000).as_bytes(), "not YAML");
    refuse("- ".repeat(10_000).as_bytes(), "not YAML");
    refuse("? ".repeat(10_000).as_bytes(), "not YAML");
    refuse("a: *nothing".as_bytes(), "not YAML");
    refuse("a: &a [*a]".as_bytes(), "");
}

#[test]
fn alias_bombs_are_refused() {
    let mut laughs = String::from("a0: &a0 [[], [], [], [], [], [], [], [], []]\n");
    for i in 1..12 {
        let alias = format!("*a{}", i - 1);
        laughs += &format!("a{i}: &a{i} [{}]\n", [alias.as_str(); 9].join(", "));
    }
    let faults = parse(&laughs).unwrap_err();
    assert!(faults[0].to_string().contains("too many values"), "{}", faults[0]);
    let text = format!("a: &a {}\nb: [{}]\n", "x".repeat(500_000), "*a, ".repeat(100_000));
    let faults = parse(&text).unwrap_err();
    assert!(faults[0].to_string().contains("aliases"), "{}", faults[0]);
}
