use super::*;
use crate::report::sample::hospitals;
use veilgrid_api::amount::Epsilon;

/// The widest line, escape codes left out.
fn widest(text: &str) -> usize {
    text.lines().map(UnicodeWidthStr::width).max().unwrap_or(0)
}

fn value(value: f64, half_width: f64) -> Value {
    Value { bin: None, probability: None, value, interval: [value - half_width, value + half_width] }
}

fn one(kind: Kind, name: &str, groups: Vec<Group>) -> Answers {
    let (mut answers, _) = hospitals();
    let answer = Answer {
        name: name.into(),
        kind,
        column: None,
        filter: None,
        group_by: None,
        epsilon: Epsilon::from_units(500_000_000),
        groups,
    };
    answers.statistics = vec![answer];
    answers
}

#[test]
fn the_hospitals_are_a_table() {
    let (answers, _) = hospitals();
    let text = render(&answers, None, false);
    let lines: Vec<&str> = text.lines().collect();
    let heads: Vec<&str> = lines[0].split_whitespace().collect();
    assert_eq!(heads, ["statistic", "group", "value", "95", "%", "interval", "epsilon"]);
    let figures: usize =
        answers.statistics.iter().flat_map(|one| &one.groups).map(|one| one.values.len()).sum();
    assert_eq!(lines.len(), 2 + figures);
    assert!(lines[2].starts_with("patients ") && lines[2].ends_with(" 0.2"));
    // Figures of a column end in the same cell.
    let end = lines[0].find("value").unwrap() + "value".len();
    assert!(lines[2..].iter().all(|line| !line.as_bytes()[end - 1].is_ascii_whitespace()), "{text}");
    assert!(text.contains("12 to 14") && text.contains("75 %") && text.contains('█'));
    assert!(!text.contains('\u{1b}') && lines.iter().all(|line| !line.ends_with(' ')));
}

#[test]
fn no_width_is_overrun_and_no_figure_is_lost() {
    let (answers, _) = hospitals();
    let whole = render(&answers, None, false);
    for width in 30..130 {
        let text = render(&answers, Some(width), false);
        assert!(widest(&text) <= width, "{width}:\n{text}");
        for statistic in &answers.statistics {
            for value in statistic.groups.iter().flat_map(|group| &group.values) {
                let [figure, low, high] = figures(statistic.kind, value);
                assert!(
                    text.contains(&figure) && text.contains(&format!("{low} to {high}")),
                    "{width}:\n{text}"
                );
            }
        }
        assert!(width < 100 || text.lines().count() == whole.lines().count());
    }
    for width in 0..30 {
        assert!(widest(&render(&answers, Some(width), false)) <= 30);
    }
}

#[test]
fn colour_changes_nothing_else() {
    let (answers, _) = hospitals();
    for width in [Some(100), Some(40)] {
        let mut coloured = render(&answers, width, true);
        assert!(coloured.contains("\u{1b}[1m"));
        for code in ["0", "1", "2", "36"] {
            coloured = coloured.replace(&format!("\u{1b}[{code}m"), "");
        }
        assert_eq!(coloured, render(&answers, width, false));
    }
}

#[test]
fn hostile_names_stay_in_their_cells() {
    let hostile =
        "\u{1b}]0;gone\u{7}\n\u{202e}患者患者患者患者 with a name that never ends, and then goes on";
    let group = Group { group: Some(hostile.into()), values: vec![value(3.0, 1.0)] };
    let answers = one(Kind::Count, hostile, vec![group]);
    for width in [None, Some(60), Some(20)] {
        let text = render(&answers, width, false);
        assert!(!text.chars().any(|c| (c.is_control() && c != '\n') || c == '\u{202e}'));
        assert!(width.is_none_or(|width| widest(&text) <= width), "{text}");
    }
    assert_eq!(render(&answers, None, false).lines().count(), 3);
}

#[test]
fn nothing_and_extremes_are_tables_too() {
    let none = one(Kind::Count, "none", vec![]);
    assert_eq!(render(&none, None, false).lines().count(), 2);
    let extremes = [f64::MAX, -f64::MAX, 5e-324, 0.0].map(|x| value(x, 0.0));
    let bins = extremes.map(|value| Value { bin: Some([-f64::MAX, f64::MAX]), ..value });
    let group = Group { group: None, values: bins.to_vec() };
    let text = render(&one(Kind::Histogram, "far", vec![group]), None, false);
    assert!(text.contains("1.7976931348623157e308") && widest(&text) < 200, "{text}");
}

#[test]
fn bars_grow_by_eighths() {
    assert_eq!(blocks(1.0, 4), "████");
    assert_eq!(blocks(0.5, 3), "█▌");
    assert_eq!(blocks(1e-9, 20), "▏");
}
