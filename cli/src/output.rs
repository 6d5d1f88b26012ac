//! Standard output: plain tables, JSON, and readers who have read enough.

use crate::{failure::Failure, table::digits::clean};
use serde::Serialize;
use std::{
    io::{self, IsTerminal, Write},
    path::Path,
};
use unicode_width::UnicodeWidthStr;
use veilgrid_party::exit::Exit;

/// Writes text to standard output. A reader who went away is no error.
///
/// # Errors
/// Standard output cannot be written.
pub(crate) fn say(text: &str) -> Result<(), Failure> {
    say_bytes(&mut io::stdout().lock(), text.as_bytes()).map(drop)
}

/// [`say`] for bytes: whether anybody still reads.
///
/// # Errors
/// As [`say`].
pub(crate) fn say_bytes(out: &mut impl Write, bytes: &[u8]) -> Result<bool, Failure> {
    match out.write_all(bytes).and_then(|()| out.flush()) {
        Ok(()) => Ok(true),
        Err(error) if error.kind() == io::ErrorKind::BrokenPipe => Ok(false),
        Err(error) => Err(Failure::file(Path::new("standard output"), &error, "send it elsewhere")),
    }
}

/// Prints a value as JSON.
///
/// # Errors
/// As [`say`].
pub(crate) fn json(value: &impl Serialize) -> Result<(), Failure> {
    let text = serde_json::to_string_pretty(value)
        .map_err(|error| Failure::new(Exit::Internal, format!("the answer is no JSON: {error}")))?;
    say(&(text + "\n"))
}

/// The text in bold where a person looks at it.
pub(crate) fn bold(text: &str) -> String {
    let colour = io::stdout().is_terminal() && std::env::var_os("NO_COLOR").is_none();
    if colour { format!("\u{1b}[1m{text}\u{1b}[0m") } else { text.to_owned() }
}

/// A table of lines that are each indented by two. A head that ends in `<` stands over a column of figures, which are
/// set to the right. Characters that would steer a terminal are replaced.
pub(crate) fn columns(heads: &[&str], rows: &[Vec<String>]) -> String {
    let titles = heads.iter().map(|head| head.trim_end_matches('<').to_owned()).collect();
    let rows: Vec<Vec<String>> =
        rows.iter().map(|row| row.iter().map(|cell| clean(cell)).collect()).collect();
    let widths: Vec<usize> = (0..heads.len())
        .map(|column| {
            let cells = std::iter::once(&titles).chain(&rows);
            cells.map(|row: &Vec<String>| row[column].width()).max().unwrap_or(0)
        })
        .collect();
    let line = |row: &Vec<String>| {
        let mut line = String::new();
        for ((cell, width), head) in row.iter().zip(&widths).zip(heads) {
            let pad = " ".repeat(width - cell.width());
            line += "  ";
            line += &if head.ends_with('<') { pad + cell } else { cell.clone() + &pad };
        }
        line.trim_end().to_owned()
    };
    let mut text = bold(&line(&titles)) + "\n";
    for row in &rows {
        text += &(line(row) + "\n");
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn figures_stand_to_the_right_and_names_do_not_steer() {
        let row = |cells: [&str; 3]| cells.map(str::to_owned).to_vec();
        let rows = [row(["a\u{1b}", "1", "x"]), row(["bcd", "1,000", ""])];
        let text = columns(&["name", "rows<", "note"], &rows);
        assert_eq!(text, "  name   rows  note\n  a\u{fffd}        1  x\n  bcd   1,000\n");
    }
}
