//! The answers as a table for a terminal.

pub(crate) mod digits;

use digits::{Digits, clean, percent};
use std::{
    fmt::Write,
    io::{self, IsTerminal},
};
use unicode_width::{UnicodeWidthChar, UnicodeWidthStr};
use veilgrid_party::decode::{Answer, Answers, Group, Kind, Value};

/// Cells between columns.
const GAP: usize = 2;
/// The longest bar, in cells.
const BAR: usize = 20;
/// Below this a bar says nothing.
const SHORTEST_BAR: usize = 6;
/// Names are cut to this at the least; a terminal that is still too narrow gets a list.
const SHORTEST_NAME: usize = 10;
/// No list is narrower than this.
const NARROWEST: usize = 16;

/// The answers as they fit whatever standard output is.
pub(crate) fn shown(answers: &Answers) -> String {
    let terminal = io::stdout().is_terminal();
    let colour = terminal && std::env::var_os("NO_COLOR").is_none();
    let size = terminal.then(terminal_size::terminal_size).flatten();
    render(answers, size.map(|(width, _)| usize::from(width.0)), colour)
}

/// The answers, a line for each figure, each line ended.
///
/// A terminal of `width` cells gets names cut, then a list in place of columns; without a width nothing is cut.
pub(crate) fn render(answers: &Answers, width: Option<usize>, colour: bool) -> String {
    let paint = Paint { colour };
    let heads =
        ["statistic", "group", "value", &format!("{} interval", percent(answers.confidence)), "epsilon"];
    let table = |word| Table::new(answers, &heads, word);
    let whole = table(usize::MAX);
    let width = width.unwrap_or(whole.width() + GAP + BAR);
    let fits = |table: &Table| table.excess(width) <= table.widths[0].saturating_sub(SHORTEST_NAME);
    let tables = std::iter::once(whole).chain([24, 16, SHORTEST_NAME].map(table));
    let Some(Table { lines, mut widths }) = tables.into_iter().find(fits) else {
        return list(answers, width.max(NARROWEST), paint);
    };
    widths[0] -= total(&widths).saturating_sub(width);
    let bar = width.saturating_sub(total(&widths) + GAP).min(BAR);
    let mut text = paint.head(&columns(&heads.map(str::to_owned), &widths));
    let _ = writeln!(text, "\n{}", paint.faint(&"─".repeat(total(&widths))));
    for line in &lines {
        let columns = columns(&line.cells, &widths);
        match line.share {
            Some(share) if bar >= SHORTEST_BAR && share > 0.0 => {
                let gap = " ".repeat(total(&widths) + GAP - columns.width());
                let _ = writeln!(text, "{columns}{gap}{}", paint.bar(&blocks(share, bar)));
            }
            _ => {
                let _ = writeln!(text, "{columns}");
            }
        }
    }
    text
}

/// The cells of all lines, before names of statistics are cut.
struct Table {
    lines: Vec<Line>,
    widths: [usize; 5],
}

impl Table {
    /// Words of groups are cut to `word` cells.
    fn new(answers: &Answers, heads: &[&str; 5], word: usize) -> Self {
        let lines: Vec<Line> = answers.statistics.iter().flat_map(|answer| lines(answer, word)).collect();
        let mut widths = heads.map(UnicodeWidthStr::width);
        for line in &lines {
            for (width, cell) in widths.iter_mut().zip(&line.cells) {
                *width = (*width).max(cell.width());
            }
        }
        Self { lines, widths }
    }

    fn width(&self) -> usize {
        total(&self.widths)
    }

    /// Cells beyond the width.
    fn excess(&self, width: usize) -> usize {
        self.width().saturating_sub(width)
    }
}

/// The width of a line without its bar.
fn total(widths: &[usize; 5]) -> usize {
    widths.iter().sum::<usize>() + GAP * 4
}

/// A line of the table.
struct Line {
    cells: [String; 5],
    /// The length of its bar, of a histogram.
    share: Option<f64>,
}

fn lines(answer: &Answer, word: usize) -> Vec<Line> {
    let largest = largest(answer);
    let names = Names::of(answer, word);
    let mut lines = Vec::new();
    for group in &answer.groups {
        for (index, value) in group.values.iter().enumerate() {
            let [figure, low, high] = figures(answer.kind, value);
            let first = lines.is_empty();
            let named = |text: String| if first { text } else { String::new() };
            lines.push(Line {
                cells: [
                    named(clean(&answer.name)),
                    names.label(group, index),
                    figure,
                    format!("{low} to {high}"),
                    named(answer.epsilon.to_string()),
                ],
                share: value.bin.map(|_| (value.value / largest).clamp(0.0, 1.0)),
            });
        }
    }
    lines
}

/// The largest figure of a histogram, over all its groups.
fn largest(answer: &Answer) -> f64 {
    let values = answer.groups.iter().flat_map(|group| &group.values);
    values.fold(f64::MIN_POSITIVE, |largest, value| largest.max(value.value))
}

/// The figure and the ends of its interval.
pub(crate) fn figures(kind: Kind, value: &Value) -> [String; 3] {
    let digits = Digits::of(value.value, value.interval, matches!(kind, Kind::Count | Kind::Histogram));
    [digits.nearest(value.value), digits.low(value.interval[0]), digits.high(value.interval[1])]
}

/// What each value of a group is of: a bin, a share of rows, or nothing where it is the only one.
pub(crate) fn parts(values: &[Value]) -> Vec<String> {
    let edges: Vec<f64> = values.iter().filter_map(|value| value.bin).flatten().collect();
    let digits = Digits::of_edges(&edges);
    let part = |value: &Value| match (value.bin, value.probability) {
        (Some([from, to]), _) => format!("{} to {}", digits.trimmed(from), digits.trimmed(to)),
        (None, Some(share)) => percent(share),
        (None, None) => String::new(),
    };
    values.iter().map(part).collect()
}

/// The group column of a statistic: words on the left, bins or shares of rows on the right.
struct Names {
    parts: Vec<String>,
    /// Longer words are cut.
    word_width: usize,
    part_width: usize,
}

impl Names {
    fn of(answer: &Answer, longest: usize) -> Self {
        let parts = answer.groups.first().map(|group| parts(&group.values)).unwrap_or_default();
        let words = answer.groups.iter().filter_map(|group| group.group.as_deref());
        let word_width = words.map(|word| clean(word).width()).max().unwrap_or(0).min(longest);
        let part_width = parts.iter().map(|part| part.width()).max().unwrap_or(0);
        Self { parts, word_width, part_width }
    }

    fn label(&self, group: &Group, index: usize) -> String {
        let word = group.group.as_deref().filter(|_| index == 0).unwrap_or_default();
        let word = cut(&clean(word), self.word_width);
        let part = self.parts.get(index).map_or("", String::as_str);
        if self.part_width == 0 {
            return word;
        }
        let gap = if self.word_width == 0 { 0 } else { self.word_width + GAP - word.width() };
        format!("{word}{}{}", " ".repeat(gap), right(part, self.part_width))
    }
}

/// Names on the left, figures on the right; without white space at the end.
fn columns(cells: &[String; 5], widths: &[usize; 5]) -> String {
    let mut text = String::new();
    for (index, (cell, width)) in cells.iter().zip(widths).enumerate() {
        let cell = cut(cell, *width);
        text += &" ".repeat(if index == 0 { 0 } else { GAP });
        text += &if index < 2 { left(&cell, *width) } else { right(&cell, *width) };
    }
    text.trim_end().to_owned()
}

/// For narrow terminals: a line for each name, and one for each figure where it fits, or else two.
fn list(answers: &Answers, width: usize, paint: Paint) -> String {
    let mut text = String::new();
    for answer in &answers.statistics {
        let _ = writeln!(text, "{}", paint.head(&cut(&clean(&answer.name), width)));
        let _ = writeln!(text, "{}", cut(&format!("  epsilon {}", answer.epsilon), width));
        let lines = lines(answer, width / 3);
        let widest = |index: usize| lines.iter().map(|line| line.cells[index].width()).max().unwrap_or(0);
        let [label, figure, interval] = [1, 2, 3].map(widest);
        let short = 3 * GAP + label + figure + interval <= width;
        for line in &lines {
            let [_, name, value, range, _] = &line.cells;
            let room = if short { label } else { width.saturating_sub(2 * GAP + figure) };
            // Without columns there is nothing to align a bin with.
            let plain = name.split_whitespace().collect::<Vec<_>>().join(" ");
            let name = left(&cut(if short { name } else { &plain }, room), room);
            let value = right(value, figure);
            let range = if short {
                format!("{}{}", " ".repeat(GAP), paint.faint(&right(range, interval)))
            } else {
                format!("\n{}", paint.faint(&right(range, width)))
            };
            let gap = " ".repeat(GAP);
            let _ = writeln!(text, "{gap}{name}{gap}{value}{range}");
        }
    }
    text
}

/// A bar of eighths of a cell; anything above zero shows.
fn blocks(share: f64, cells: usize) -> String {
    const EIGHTHS: [&str; 8] = ["", "▏", "▎", "▍", "▌", "▋", "▊", "▉"];
    let eighths = ((share * cells as f64 * 8.0).round() as usize).max(1);
    format!("{}{}", "█".repeat(eighths / 8), EIGHTHS[eighths % 8])
}

fn left(text: &str, width: usize) -> String {
    format!("{text}{}", " ".repeat(width.saturating_sub(text.width())))
}

fn right(text: &str, width: usize) -> String {
    format!("{}{text}", " ".repeat(width.saturating_sub(text.width())))
}

/// The text, or its start and an ellipsis.
fn cut(text: &str, width: usize) -> String {
    if text.width() <= width {
        return text.to_owned();
    }
    let mut kept = String::new();
    let mut used = 1;
    for c in text.chars() {
        used += c.width().unwrap_or(0);
        if used > width {
            break;
        }
        kept.push(c);
    }
    kept + "…"
}

#[derive(Clone, Copy)]
struct Paint {
    colour: bool,
}

impl Paint {
    fn head(self, text: &str) -> String {
        self.paint("1", text)
    }

    fn faint(self, text: &str) -> String {
        self.paint("2", text)
    }

    fn bar(self, text: &str) -> String {
        self.paint("36", text)
    }

    fn paint(self, code: &str, text: &str) -> String {
        if self.colour { format!("\u{1b}[{code}m{text}\u{1b}[0m") } else { text.to_owned() }
    }
}

#[cfg(test)]
mod tests;
