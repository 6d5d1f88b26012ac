//! The plots, as inline SVG. Colours come from the page's style, so they follow light, dark and paper.

use super::{
    axis::Axis,
    html::{HEADLINES, escape},
};
use crate::table::{
    digits::{Digits, percent},
    figures, parts,
};
use std::fmt::Write;
use veilgrid_party::decode::{Answer, Group, Kind, Value};

/// Width of a plot, in its own units; it shrinks with the page.
const WIDTH: f64 = 480.0;
/// About the width of a character of a label.
const CHARACTER: f64 = 6.4;
/// Bins narrower than this make all bins equally wide.
const NARROWEST_BIN: f64 = 7.0;

/// An image of the given size with a title and a description for those who do not see it.
pub(super) fn image(id: &str, size: (f64, f64), title: &str, description: &str, body: &str) -> String {
    let (width, height) = size;
    format!(
        "<svg viewBox=\"0 0 {width} {height}\" role=\"img\" aria-labelledby=\"{id}-t {id}-d\">\n\
         <title id=\"{id}-t\">{}</title><desc id=\"{id}-d\">{}</desc>\n{body}</svg>\n",
        escape(title),
        escape(description)
    )
}

/// What a plot says, in words: a figure and its interval, one after the other.
fn in_words(answer: &Answer, values: &[Value], names: &[String]) -> String {
    let one = |(value, name): (&Value, &String)| {
        let [figure, low, high] = figures(answer.kind, value);
        format!("{name}: {figure} ({low} to {high})")
    };
    values.iter().zip(names).map(one).collect::<Vec<_>>().join("; ")
}

/// The name of a plot: the statistic's, and the group's.
fn title(answer: &Answer, word: Option<&str>) -> String {
    word.map_or_else(|| answer.name.clone(), |word| format!("{}: {word}", answer.name))
}

/// Rows of bins as bars with their intervals: a plot for each group, all with the same axes.
pub(super) fn histograms(id: &str, answer: &Answer) -> Vec<String> {
    let (height, left, right, top, bottom) = (256.0, 46.0, 470.0, 10.0, 212.0);
    let all = answer.groups.iter().flat_map(|group| &group.values);
    let rows = Axis::of(all.flat_map(|value| value.interval).chain([0.0]), bottom, top).roomy();
    let plot = |(index, group): (usize, &Group)| {
        let bins: Vec<[f64; 2]> = group.values.iter().filter_map(|value| value.bin).collect();
        let mut body = horizontal_grid(&rows, left, right);
        let (places, labels) = edges(&bins, left, right);
        for ((value, name), place) in group.values.iter().zip(parts(&group.values)).zip(places.windows(2)) {
            let [figure, low, high] = figures(answer.kind, value);
            let (zero, at) = (rows.at(0.0), rows.at(value.value));
            let middle = f64::midpoint(place[0], place[1]);
            let cap = ((place[1] - place[0]) * 0.14).clamp(1.5, 5.0);
            let [low_at, high_at] = value.interval.map(|end| rows.at(end));
            let _ = writeln!(
                body,
                "<g><title>{name}: {figure} rows, {low} to {high}</title>\
                 <rect class=\"bar\" x=\"{:.1}\" y=\"{:.1}\" width=\"{:.1}\" height=\"{:.1}\"/>\
                 <path class=\"whisker\" d=\"M{middle:.1} {low_at:.1}V{high_at:.1}M{:.1} {low_at:.1}h{:.1}M{:.1} {high_at:.1}h{:.1}\"/></g>",
                place[0] + 1.0,
                zero.min(at),
                (place[1] - place[0] - 2.0).max(0.5),
                (zero - at).abs(),
                middle - cap,
                2.0 * cap,
                middle - cap,
                2.0 * cap,
            );
        }
        let zero = rows.at(0.0);
        let _ = writeln!(body, "<path class=\"base\" d=\"M{left} {zero:.1}H{right}\"/>");
        body += &edge_labels(&places, &labels, bottom);
        body += &caption(answer.column.as_deref(), f64::midpoint(left, right), height - 6.0);
        let title = title(answer, group.group.as_deref());
        let words = in_words(answer, &group.values, &parts(&group.values));
        image(&format!("{id}-{index}"), (WIDTH, height), &title, &words, &body)
    };
    answer.groups.iter().enumerate().map(plot).collect()
}

/// Where the edges of bins stand, and how they are written.
fn edges(bins: &[[f64; 2]], left: f64, right: f64) -> (Vec<f64>, Vec<String>) {
    let edges: Vec<f64> = bins.iter().map(|bin| bin[0]).chain(bins.last().map(|bin| bin[1])).collect();
    let digits = Digits::of_edges(&edges);
    let labels = edges.iter().map(|edge| digits.trimmed(*edge)).collect();
    let axis = Axis::of(edges.iter().copied(), left, right);
    let places: Vec<f64> = edges.iter().map(|edge| axis.at(*edge)).collect();
    if places.windows(2).all(|pair| pair[1] - pair[0] >= NARROWEST_BIN) {
        return (places, labels);
    }
    let wide = (right - left) / bins.len().max(1) as f64;
    ((0..edges.len()).map(|index| left + index as f64 * wide).collect(), labels)
}

/// The edges below the bars, as many as have room.
fn edge_labels(places: &[f64], labels: &[String], bottom: f64) -> String {
    let mut text = String::new();
    let mut free = f64::NEG_INFINITY;
    for (at, label) in places.iter().zip(labels) {
        let half = label.len() as f64 * CHARACTER / 2.0;
        let _ = write!(text, "<path class=\"base\" d=\"M{at:.1} {bottom}v4\"/>");
        if at - half >= free {
            free = at + half + CHARACTER;
            let _ =
                writeln!(text, "<text x=\"{at:.1}\" y=\"{}\" class=\"mid\">{label}</text>", bottom + 17.0);
        }
    }
    text
}

/// Figures as points with intervals, a line for each group.
pub(super) fn points(id: &str, answer: &Answer) -> String {
    let (row, top) = (30.0, 6.0);
    let left = if answer.group_by.is_some() { 118.0 } else { 14.0 };
    let told = answer.groups.len() > HEADLINES;
    let right = if told { 384.0 } else { 466.0 };
    let bottom = top + row * answer.groups.len() as f64;
    let height = bottom + 24.0;
    let values: Vec<(&str, &Value)> = answer
        .groups
        .iter()
        .flat_map(|group| {
            group.values.iter().map(|value| (group.group.as_deref().unwrap_or("all rows"), value))
        })
        .collect();
    let zero = matches!(answer.kind, Kind::Count | Kind::Sum).then_some(0.0);
    let axis = Axis::of(values.iter().flat_map(|(_, value)| value.interval).chain(zero), left, right).roomy();
    let mut body = vertical_grid(&axis, top, bottom);
    for (index, (word, value)) in values.iter().enumerate() {
        let [figure, low, high] = figures(answer.kind, value);
        let y = top + row * (index as f64 + 0.5);
        if answer.group_by.is_some() {
            let _ = write!(
                body,
                "<text x=\"{}\" y=\"{}\" class=\"end name\">{}</text>",
                left - 12.0,
                y + 4.0,
                shortened(word, 16)
            );
        }
        if told {
            let _ = write!(body, "<text x=\"468\" y=\"{}\" class=\"end name\">{figure}</text>", y + 4.0);
        }
        let [low_at, high_at] = value.interval.map(|end| axis.at(end));
        let _ = writeln!(
            body,
            "<g><title>{}: {figure}, {low} to {high}</title>\
             <path class=\"range\" d=\"M{low_at:.1} {y}H{high_at:.1}\"/>\
             <circle class=\"dot\" cx=\"{:.1}\" cy=\"{y}\" r=\"4.5\"/></g>",
            escape(word),
            axis.at(value.value),
        );
    }
    let names: Vec<String> = values.iter().map(|(word, _)| (*word).to_owned()).collect();
    let values: Vec<Value> = values.into_iter().map(|(_, value)| value.clone()).collect();
    image(id, (WIDTH, height), &answer.name, &in_words(answer, &values, &names), &body)
}

/// Shares of rows against values: a plot for each group, all with the same axes.
pub(super) fn quantiles(id: &str, answer: &Answer) -> Vec<String> {
    let (height, left, right, top, bottom) = (230.0, 56.0, 466.0, 14.0, 188.0);
    let all = answer.groups.iter().flat_map(|group| &group.values);
    let values = Axis::of(all.flat_map(|value| value.interval), left, right).roomy();
    let shares = Axis::of([0.0, 1.0].into_iter(), bottom, top);
    let plot = |(index, group): (usize, &Group)| {
        let mut body = vertical_grid(&values, top, bottom);
        let mut line = String::new();
        let mut marks = String::new();
        for value in &group.values {
            let [figure, low, high] = figures(answer.kind, value);
            let share = value.probability.unwrap_or_default();
            let (x, y) = (values.at(value.value), shares.at(share));
            let [low_at, high_at] = value.interval.map(|end| values.at(end));
            let _ = write!(line, "{}{x:.1} {y:.1}", if line.is_empty() { 'M' } else { 'L' });
            let _ = writeln!(
                marks,
                "<g><title>{}: {figure}, {low} to {high}</title><path class=\"range\" d=\"M{low_at:.1} {y:.1}H{high_at:.1}\"/>\
                 <circle class=\"dot\" cx=\"{x:.1}\" cy=\"{y:.1}\" r=\"4.5\"/></g>",
                percent(share),
            );
        }
        for share in [0.0, 0.25, 0.5, 0.75, 1.0] {
            let y = shares.at(share);
            let _ = writeln!(
                body,
                "<path class=\"grid\" d=\"M{left} {y:.1}H{right}\"/><text x=\"{}\" y=\"{:.1}\" class=\"end\">{}</text>",
                left - 8.0,
                y + 4.0,
                percent(share)
            );
        }
        let _ = writeln!(body, "<path class=\"thread\" d=\"{line}\"/>");
        body += &marks;
        body += &caption(answer.column.as_deref(), f64::midpoint(left, right), height - 4.0);
        let title = title(answer, group.group.as_deref());
        let words = in_words(answer, &group.values, &parts(&group.values));
        image(&format!("{id}-{index}"), (WIDTH, height), &title, &words, &body)
    };
    answer.groups.iter().enumerate().map(plot).collect()
}

/// Parts of a whole in one bar, numbered from one where they have room. Each has its share of the bar, a class and a name.
pub(super) fn split(id: &str, title: &str, parts: &[(f64, String, String)], whole: f64) -> String {
    let (width, height) = (1000.0, 44.0);
    let mut body =
        format!("<rect class=\"rest\" x=\"0\" y=\"0\" width=\"{width}\" height=\"{height}\" rx=\"4\"/>");
    let mut from = 0.0;
    for (index, (part, class, name)) in parts.iter().enumerate() {
        let wide = if whole > 0.0 { part / whole * width } else { 0.0 };
        let _ = write!(
            body,
            "<g><title>{}</title><rect class=\"{class}\" x=\"{from:.2}\" y=\"0\" width=\"{:.2}\" height=\"{height}\"/>",
            escape(name),
            (wide - 2.0).max(wide * 0.5),
        );
        if wide >= 30.0 && parts.len() > 1 {
            let _ = write!(
                body,
                "<text class=\"on mid\" x=\"{:.2}\" y=\"28\">{}</text>",
                from + wide / 2.0 - 1.0,
                index + 1
            );
        }
        body += "</g>\n";
        from += wide;
    }
    let words = parts.iter().map(|(_, _, name)| name.as_str()).collect::<Vec<_>>().join("; ");
    image(id, (width, height), title, &words, &body)
}

fn horizontal_grid(axis: &Axis, left: f64, right: f64) -> String {
    let line = |(y, label): (f64, String)| {
        format!(
            "<path class=\"grid\" d=\"M{left} {y:.1}H{right}\"/><text x=\"{}\" y=\"{:.1}\" class=\"end\">{label}</text>\n",
            left - 8.0,
            y + 4.0
        )
    };
    axis.ticks(4).into_iter().map(line).collect()
}

fn vertical_grid(axis: &Axis, top: f64, bottom: f64) -> String {
    let ticks = axis.ticks(5);
    let (places, labels): (Vec<f64>, Vec<String>) = ticks.into_iter().unzip();
    let lines: String =
        places.iter().map(|x| format!("<path class=\"grid\" d=\"M{x:.1} {top}V{bottom}\"/>")).collect();
    lines + &edge_labels(&places, &labels, bottom)
}

/// The column's name below the axis.
fn caption(column: Option<&str>, x: f64, y: f64) -> String {
    column.map_or_else(String::new, |name| {
        format!("<text x=\"{x}\" y=\"{y}\" class=\"mid\">{}</text>\n", shortened(name, 48))
    })
}

/// A name of at most so many characters, escaped.
fn shortened(name: &str, most: usize) -> String {
    if name.chars().count() <= most {
        return escape(name);
    }
    escape(&name.chars().take(most - 1).chain(['…']).collect::<String>())
}
