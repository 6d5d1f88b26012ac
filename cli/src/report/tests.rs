use super::*;
use crate::report::sample::hospitals;
use veilgrid_party::decode::{Group, Value};

fn left(total: u64, left: u64) -> Left {
    Left { total: Epsilon::from_units(total * Epsilon::ONE), left: Epsilon::from_units(left * Epsilon::ONE) }
}

/// Fails where tags do not close in the order in which they opened, or an attribute is not quoted.
fn assert_well_formed(page: &str) {
    let mut open: Vec<&str> = Vec::new();
    let mut rest = page.strip_prefix("<!DOCTYPE html>").unwrap();
    while let Some(start) = rest.find('<') {
        assert!(
            !rest[..start].contains('>') || open.last() == Some(&"style"),
            "a stray > in {}",
            &rest[..start]
        );
        let end = start + rest[start..].find('>').expect("a tag ends");
        let tag = &rest[start + 1..end];
        assert_eq!(tag.matches('"').count() % 2, 0, "{tag}");
        let name = tag.split([' ', '/']).find(|part| !part.is_empty()).unwrap();
        if tag.starts_with('/') {
            assert_eq!(open.pop(), Some(name), "</{name}> closes another");
        } else if !tag.ends_with('/') && name != "meta" {
            open.push(name);
        }
        rest = &rest[end + 1..];
    }
    assert!(open.is_empty(), "{open:?}");
}

fn assert_offline(page: &str) {
    for loads in
        ["http://", "https://", "<script", "<link", "<img", "<iframe", "url(", "@import", " src=", " href="]
    {
        assert!(!page.contains(loads), "{loads}");
    }
}

#[test]
fn the_hospitals_are_a_page() {
    let (answers, receipt) = hospitals();
    let page = render(&answers, &receipt, &[left(10, 7), left(10, 4), left(10, 0)]);
    assert_well_formed(&page);
    assert_offline(&page);
    assert_eq!(page, render(&answers, &receipt, &[left(10, 7), left(10, 4), left(10, 0)]));
    for text in [
        "<h1>hospitals</h1>",
        "<b>north</b>, <b>south</b> and <b>west</b> asked 8 questions",
        "rows where <b>worst_radius &gt;= 16.",
        "3 used before, 3 now, 4 of 10 left",
        &receipt.plan_hash,
        &receipt.result.hash,
        &receipt.signatures[1].public_key,
        &receipt.charges[2].signature,
        &receipt.result.signatures[0].signature,
    ] {
        assert!(page.contains(text), "{text}");
    }
    // One for each group of the histogram, one for each other statistic, the split, the budgets.
    assert_eq!(page.matches("role=\"img\"").count(), 9 + 1 + 3);
    assert_eq!(page.matches("class=\"whisker\"").count(), 18);
    let mut ids: Vec<&str> = page.split(" id=\"").skip(1).filter_map(|rest| rest.split('"').next()).collect();
    let count = ids.len();
    ids.sort_unstable();
    ids.dedup();
    assert_eq!(ids.len(), count, "an id is used twice");
    for figure in
        answers.statistics.iter().flat_map(|one| one.groups.iter().map(move |group| (one.kind, group)))
    {
        for value in &figure.1.values {
            let [text, low, high] = crate::table::figures(figure.0, value);
            assert!(
                page.contains(&format!("<td class=\"n\">{text}</td><td class=\"n\">{low} to {high}</td>"))
            );
        }
    }
}

/// For looking at: `report-sample.html` in the build folder.
#[test]
fn a_sample_is_written() {
    let (answers, receipt) = hospitals();
    let page = render(&answers, &receipt, &[left(10, 7), left(10, 4), left(10, 0)]);
    let program = std::env::current_exe().unwrap();
    let path = program.ancestors().nth(2).unwrap().join("report-sample.html");
    std::fs::write(&path, &page).unwrap();
    assert_eq!(std::fs::read_to_string(&path).unwrap(), page);
}

#[test]
fn bins_too_narrow_to_see_are_drawn_equally_wide() {
    let (answers, _) = hospitals();
    let mut answer = answers.statistics.iter().find(|answer| answer.kind == Kind::Histogram).unwrap().clone();
    let widths = |answer: &Answer| {
        let plots = svg::histograms("s", answer).concat();
        let bars = plots.split("class=\"bar\"").skip(1).map(|bar| bar.split('"').nth(5).unwrap().to_owned());
        bars.collect::<std::collections::BTreeSet<_>>().len()
    };
    assert_eq!(widths(&answer), 2, "bins of 2 and of 3");
    for group in &mut answer.groups {
        for (power, value) in (0..).zip(&mut group.values) {
            value.bin = Some([10f64.powi(power), 10f64.powi(power + 1)]);
        }
    }
    assert_eq!(widths(&answer), 1);
}

#[test]
fn hostile_names_are_only_text() {
    let hostile = "</title></style><script>alert('x')</script>\"'><img src=x onerror=y>&\u{202e}\u{0}";
    let (mut answers, mut receipt) = hospitals();
    answers.job = hostile.into();
    answers.parties = vec![hostile.into(); 3];
    for answer in &mut answers.statistics {
        answer.name = hostile.into();
        answer.column = Some(hostile.into());
        answer.filter = Some(hostile.into());
        answer.group_by = Some(hostile.into());
        answer.groups.iter_mut().for_each(|group| group.group = Some(hostile.into()));
    }
    receipt.plan_hash = hostile.into();
    receipt.plan.run = hostile.into();
    receipt.result.hash = hostile.into();
    for (party, signed) in receipt.plan.parties.iter_mut().zip(&mut receipt.signatures) {
        party.name = hostile.into();
        party.dataset = hostile.into();
        party.person = Some(veilgrid_api::plan::PlanPerson { column: hostile.into(), max_rows: 3 });
        signed.party = hostile.into();
        signed.public_key = hostile.into();
        signed.signature = hostile.into();
    }
    let page = render(&answers, &receipt, &[left(10, 7)]);
    assert_well_formed(&page);
    assert!(!page.contains("<script") && !page.contains("<img") && !page.contains(['\u{202e}', '\u{0}']));
}

#[test]
fn nothing_and_extremes_are_pages_too() {
    let (mut answers, mut receipt) = hospitals();
    for answer in &mut answers.statistics {
        for value in answer.groups.iter_mut().flat_map(|group| &mut group.values) {
            let far = Value { value: f64::MAX, interval: [-f64::MAX, f64::MAX], ..value.clone() };
            *value = far;
        }
    }
    let page = render(&answers, &receipt, &[]);
    assert_well_formed(&page);
    let drawn = page.split(" d=\"").skip(1).filter_map(|rest| rest.split('"').next());
    assert!(drawn.into_iter().all(|path| !path.contains("NaN") && !path.contains("inf")), "{page}");

    answers.statistics.iter_mut().for_each(|answer| answer.groups.clear());
    assert_well_formed(&render(&answers, &receipt, &[]));
    let empty = Group { group: None, values: vec![] };
    answers.statistics.iter_mut().for_each(|answer| answer.groups = vec![empty.clone()]);
    assert_well_formed(&render(&answers, &receipt, &[]));
    answers.statistics.clear();
    answers.epsilon = Epsilon::ZERO;
    receipt.plan.recipients.clear();
    receipt.signatures.clear();
    receipt.charges.clear();
    let page = render(&answers, &receipt, &[left(0, 0)]);
    assert_well_formed(&page);
    assert!(!page.contains("NaN"));
}
