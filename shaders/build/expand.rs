//! Makes plain WGSL from a family's file. Directives stand alone on a line:
//!
//! * `#kernel NAME SYMBOL KEY=VALUE ...`: the file holds this kernel; its symbols are defined while it is made.
//! * `#import NAME`: the text of `shared/NAME.wgsl`, once.
//! * `#define NAME VALUE`: from here on.
//! * `#ifdef NAME`, `#ifndef NAME`, `#else`, `#endif`.
//! * `#for NAME v1 v2 ...` to `#endfor`: the lines between, once for each value; `#for A,B a1,b1 a2,b2 ...` sets several.
//!   A defined name among the values stands for all of its own.
//!
//! A symbol is replaced wherever it stands between characters that are not ASCII letters or digits, so
//! `size_ROW` holds `ROW`. Every line of the output knows the file and line it came from.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

/// Where a line was written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Place {
    /// Path below the room, `ring.wgsl` or `shared/pair.wgsl`.
    pub(crate) file: String,
    /// From 1.
    pub(crate) line: usize,
}

/// What is wrong with a shader, and where.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Fault {
    /// The line to look at.
    pub(crate) place: Place,
    /// What is wrong with it.
    pub(crate) problem: String,
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "shaders/{}:{}: {}", self.place.file, self.place.line, self.problem)
    }
}

/// One kernel of a family.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Kernel {
    /// Unique among all kernels.
    pub(crate) name: String,
    /// Its own symbols.
    pub(crate) symbols: Symbols,
}

/// Names and what they stand for.
pub(crate) type Symbols = BTreeMap<String, String>;

/// Plain WGSL; `places[i]` is the origin of line `i`.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Expanded {
    /// The text, one `\n` a line.
    pub(crate) text: String,
    /// As many as the text has lines.
    pub(crate) places: Vec<Place>,
}

/// The kernels that a family's file declares.
pub(crate) fn kernels(file: &str, text: &str) -> Result<Vec<Kernel>, Fault> {
    let mut found = Vec::new();
    for (index, line) in text.lines().enumerate() {
        let Some(rest) = line.trim().strip_prefix("#kernel ") else { continue };
        let mut words = rest.split_whitespace();
        let Some(name) = words.next() else {
            return Err(fault(file, index + 1, "#kernel needs a name"));
        };
        let symbols = words.map(|word| match word.split_once('=') {
            Some((key, value)) => (key.to_owned(), value.to_owned()),
            None => (word.to_owned(), String::new()),
        });
        found.push(Kernel { name: name.to_owned(), symbols: symbols.collect() });
    }
    Ok(found)
}

/// Expands `file`. `read` gives the text of a path below the room.
pub(crate) fn expand(
    file: &str,
    symbols: &Symbols,
    read: &dyn Fn(&str) -> Option<String>,
) -> Result<Expanded, Fault> {
    let mut state = State { symbols: symbols.clone(), seen: BTreeSet::new(), read, out: Expanded::default() };
    let Some(text) = read(file) else { return Err(fault(file, 1, "the file cannot be read")) };
    let lines: Vec<Line<'_>> = (1..).zip(text.lines()).collect();
    state.lines(file, &lines)?;
    Ok(state.out)
}

fn fault(file: &str, line: usize, problem: impl Into<String>) -> Fault {
    Fault { place: Place { file: file.to_owned(), line }, problem: problem.into() }
}

struct State<'a> {
    symbols: Symbols,
    seen: BTreeSet<String>,
    read: &'a dyn Fn(&str) -> Option<String>,
    out: Expanded,
}

impl State<'_> {
    fn lines(&mut self, file: &str, lines: &[Line<'_>]) -> Result<(), Fault> {
        let mut at = 0;
        while let Some(&(number, line)) = lines.get(at) {
            at += 1;
            let Some(directive) = line.trim().strip_prefix('#') else {
                self.plain(file, number, line);
                continue;
            };
            let mut words = directive.split_whitespace();
            let name = words.next().unwrap_or_default();
            let argument = words.next();
            let needed = || argument.ok_or_else(|| fault(file, number, format!("#{name} needs a name")));
            match name {
                "kernel" => {}
                "import" => self.import(file, number, needed()?)?,
                "define" => {
                    let value = words.collect::<Vec<_>>().join(" ");
                    self.symbols.insert(needed()?.to_owned(), value);
                }
                "ifdef" | "ifndef" => {
                    let defined = self.symbols.contains_key(needed()?);
                    let block = Block::find(file, lines, at - 1, "endif")?;
                    let (yes, no) = block.halves(lines);
                    self.lines(file, if defined == (name == "ifdef") { yes } else { no })?;
                    at = block.after;
                }
                "for" => {
                    let block = Block::find(file, lines, at - 1, "endfor")?;
                    let names: Vec<&str> = needed()?.split(',').collect();
                    let outer = self.symbols.clone();
                    let listed =
                        words.flat_map(|word| outer.get(word).map_or(word, String::as_str).split(' '));
                    for value in listed {
                        let values: Vec<&str> = value.split(',').collect();
                        if values.len() != names.len() {
                            return Err(fault(
                                file,
                                number,
                                format!("`{value}` has not one value for each name"),
                            ));
                        }
                        let set = names.iter().zip(values).map(|(n, v)| ((*n).to_owned(), v.to_owned()));
                        self.symbols.extend(set);
                        self.lines(file, &lines[at..block.after - 1])?;
                        self.symbols.clone_from(&outer);
                    }
                    at = block.after;
                }
                _ => return Err(fault(file, number, format!("#{name} does not belong here"))),
            }
        }
        Ok(())
    }

    fn import(&mut self, file: &str, number: usize, name: &str) -> Result<(), Fault> {
        let path = format!("shared/{name}.wgsl");
        if !self.seen.insert(path.clone()) {
            return Ok(());
        }
        let Some(text) = (self.read)(&path) else {
            return Err(fault(file, number, format!("there is no {path}")));
        };
        let lines: Vec<Line<'_>> = (1..).zip(text.lines()).collect();
        self.lines(&path, &lines)
    }

    /// Comments and empty lines stay behind: the text ends up in the program.
    fn plain(&mut self, file: &str, number: usize, line: &str) {
        let trimmed = line.trim_start();
        if trimmed.is_empty() || trimmed.starts_with("//") {
            return;
        }
        let mut rest = line;
        while !rest.is_empty() {
            let word = rest.find(|c: char| !c.is_ascii_alphanumeric()).unwrap_or(rest.len());
            let (word, tail) = rest.split_at(word);
            self.out.text.push_str(self.symbols.get(word).map_or(word, String::as_str));
            let other = tail.find(|c: char| c.is_ascii_alphanumeric()).unwrap_or(tail.len());
            self.out.text.push_str(&tail[..other]);
            rest = &tail[other..];
        }
        self.out.text.push('\n');
        self.out.places.push(Place { file: file.to_owned(), line: number });
    }
}

/// Its number in the file, from 1, and its text.
type Line<'a> = (usize, &'a str);

/// A directive and the one that closes it, as indices of lines.
struct Block {
    open: usize,
    middle: Option<usize>,
    after: usize,
}

impl Block {
    fn find(file: &str, lines: &[Line<'_>], open: usize, end: &str) -> Result<Block, Fault> {
        let mut inner = Vec::new();
        let mut middle = None;
        for (index, (number, line)) in lines.iter().enumerate().skip(open + 1) {
            let directive = line.trim().strip_prefix('#').and_then(|rest| rest.split_whitespace().next());
            match directive {
                Some("ifdef" | "ifndef") => inner.push("endif"),
                Some("for") => inner.push("endfor"),
                Some("else") if inner.is_empty() && end == "endif" && middle.is_none() => {
                    middle = Some(index);
                }
                Some("else") if inner.is_empty() => {
                    return Err(fault(file, *number, "#else does not belong here"));
                }
                Some(close @ ("endif" | "endfor")) => {
                    let expected = inner.pop();
                    if close != expected.unwrap_or(end) {
                        let due = expected.unwrap_or(end);
                        return Err(fault(file, *number, format!("#{close} where #{due} is due")));
                    }
                    if expected.is_none() {
                        return Ok(Block { open, middle, after: index + 1 });
                    }
                }
                _ => {}
            }
        }
        Err(fault(file, lines[open].0, format!("no #{end} closes this")))
    }

    fn halves<'l, 't>(&self, lines: &'l [Line<'t>]) -> (&'l [Line<'t>], &'l [Line<'t>]) {
        let end = self.after - 1;
        let middle = self.middle.unwrap_or(end);
        (&lines[self.open + 1..middle], &lines[(middle + 1).min(end)..end])
    }
}
