//! Builds trees from the parser's events, within a budget.

use super::{Entry, Node, Tree, YamlFault, scalar};
use crate::fault::quoted;
use granit_parser::{Event, Parser, ScalarStyle, Span, options};
use std::collections::HashMap;

/// Collections within collections; a manifest needs about ten.
const DEPTH: usize = 32;
/// Nodes of all documents together, copies by aliases counted. A megabyte of text cannot hold more of its own.
const NODES: usize = 600_000;
/// Bytes that aliases may copy.
const COPIED: usize = 1 << 20;
/// Bytes of a key. Paths in messages stay short.
const KEY: usize = 256;
/// Faults of the YAML that are told before the reader gives up.
const FAULTS: usize = 100;

pub(super) fn read(text: &str) -> (Vec<Node>, Vec<YamlFault>) {
    let mut limits = options! {
        disallow_directives: true,
        flow_nesting_limit: DEPTH,
        block_nesting_limit: DEPTH,
    };
    limits.set_emit_comments(false);
    let mut parser = Parser::new_from_str_with_options(text, limits);
    let mut builder = Builder::default();
    loop {
        match parser.next() {
            None => break,
            Some(Ok((event, span))) => {
                if builder.event(event, span).is_break() {
                    break;
                }
            }
            Some(Err(error)) => {
                builder.broken(line(error.marker().line()), &error.info());
                // The rest of this document is lost; the next ones are read, so that their faults are told too.
                if builder.faults.len() >= FAULTS || !matches!(parser.proceed_next_document(), Ok(true)) {
                    break;
                }
            }
        }
    }
    (builder.documents, builder.faults)
}

/// A collection that is not closed yet.
enum Open {
    List(Vec<Node>),
    /// The entries, and the key that waits for its value; `None` in it where the key is unusable.
    Map(Vec<Entry>, HashMap<String, u32>, Option<(Option<String>, u32)>),
}

/// A finished anchor: what it names, its nodes, its bytes of text.
type Anchor = (Node, usize, usize);

/// An open collection with its line, its anchor, and the nodes and bytes before it.
struct Frame {
    open: Open,
    line: u32,
    anchor: usize,
    nodes: usize,
    bytes: usize,
}

#[derive(Default)]
struct Builder {
    documents: Vec<Node>,
    faults: Vec<YamlFault>,
    stack: Vec<Frame>,
    anchors: HashMap<usize, Anchor>,
    nodes: usize,
    bytes: usize,
    copied: usize,
}

type Flow = std::ops::ControlFlow<()>;

impl Builder {
    fn event(&mut self, event: Event<'_>, span: Span) -> Flow {
        let at = line(span.start.line());
        match event {
            Event::DocumentStart(..) => {
                self.stack.clear();
                self.anchors.clear();
            }
            Event::Scalar(text, style, anchor, tag) => {
                self.bytes += text.len();
                let tree = match style {
                    _ if tag.is_some() => {
                        self.fault(at, "a YAML tag (`!...`) is not understood", "remove the tag; quote text");
                        Tree::Null
                    }
                    ScalarStyle::Plain => scalar::resolve(&text),
                    _ => Tree::Text(text.into_owned()),
                };
                return self.finish(Node { line: at, tree }, anchor, 1, 0);
            }
            Event::SequenceStart(_, anchor, tag) => {
                return self.start(Open::List(Vec::new()), at, anchor, tag.is_some());
            }
            Event::MappingStart(_, anchor, tag) => {
                return self.start(Open::Map(Vec::new(), HashMap::new(), None), at, anchor, tag.is_some());
            }
            Event::SequenceEnd | Event::MappingEnd => return self.end(),
            Event::Alias(id) => return self.alias(id, at),
            // Comments are off; the stream's and a document's end need nothing.
            _ => {}
        }
        Flow::Continue(())
    }

    fn start(&mut self, open: Open, line: u32, anchor: usize, tagged: bool) -> Flow {
        if tagged {
            self.fault(line, "a YAML tag (`!...`) is not understood", "remove the tag");
        }
        if self.stack.len() >= DEPTH {
            self.fault(line, "too deeply nested", "a manifest has about ten levels; check the indentation");
            return Flow::Break(());
        }
        self.stack.push(Frame { open, line, anchor, nodes: self.nodes, bytes: self.bytes });
        Flow::Continue(())
    }

    fn end(&mut self) -> Flow {
        let Some(Frame { open, line, anchor, nodes, bytes }) = self.stack.pop() else {
            return Flow::Continue(());
        };
        let tree = match open {
            Open::List(items) => Tree::List(items),
            Open::Map(entries, ..) => Tree::Map(entries),
        };
        let (size, text) = (self.nodes - nodes + 1, self.bytes - bytes);
        self.finish(Node { line, tree }, anchor, size, text)
    }

    fn alias(&mut self, id: usize, at: u32) -> Flow {
        let Some((node, size, text)) = self.anchors.get(&id) else {
            self.fault(at, "an alias (`*...`) refers to a value that it is part of", "write the value out");
            return self.finish(Node { line: at, tree: Tree::Null }, 0, 1, 0);
        };
        let (mut node, size, text) = (node.clone(), *size, *text);
        node.line = at;
        self.copied += text;
        // The copy's own root is counted by `finish`.
        self.nodes += size - 1;
        self.bytes += text;
        if self.copied > COPIED {
            self.fault(at, "aliases (`*...`) copy more than 1 MiB", "write the values out");
            return Flow::Break(());
        }
        self.finish(node, 0, size, text)
    }

    /// Takes a whole node of `size` nodes to where it belongs.
    fn finish(&mut self, node: Node, anchor: usize, size: usize, text: usize) -> Flow {
        self.nodes += 1;
        if self.nodes > NODES {
            self.fault(node.line, "too many values", "use fewer values; aliases (`*...`) count in full");
            return Flow::Break(());
        }
        if anchor != 0 {
            let text = match &node.tree {
                Tree::Text(own) | Tree::Odd(own) => own.len(),
                _ => text,
            };
            self.anchors.insert(anchor, (node.clone(), size, text));
            // The anchor's own copy counts, so that anchors on anchors stay within the budget.
            self.nodes += size;
        }
        let mut complaint = None;
        match self.stack.last_mut().map(|frame| &mut frame.open) {
            None if node.tree == Tree::Null => {}
            None => self.documents.push(node),
            Some(Open::List(items)) => items.push(node),
            Some(Open::Map(entries, seen, pending)) => match pending.take() {
                None => {
                    let at = node.line;
                    let key = match node.tree {
                        Tree::Text(key) | Tree::Odd(key) if key.len() <= KEY => Some(key),
                        _ => None,
                    };
                    match &key {
                        None => {
                            complaint =
                                Some((at, "a key is not a short word".to_owned(), "write `field: value`"));
                        }
                        Some(key) => {
                            if let Some(first) = seen.insert(key.clone(), at) {
                                let key = quoted(key);
                                let problem = format!("the field {key} is set again; line {first} sets it");
                                complaint = Some((at, problem, "keep one of the two"));
                            }
                        }
                    }
                    let key = key.filter(|_| complaint.is_none());
                    *pending = Some((key, at));
                }
                Some((Some(key), line)) => entries.push(Entry { key, line, value: node }),
                Some((None, _)) => {}
            },
        }
        if let Some((line, problem, remedy)) = complaint {
            self.fault(line, &problem, remedy);
        }
        if self.faults.len() >= FAULTS { Flow::Break(()) } else { Flow::Continue(()) }
    }

    fn broken(&mut self, line: u32, problem: &str) {
        self.stack.clear();
        let problem = problem.replace(char::is_control, "?");
        self.fault(
            line,
            &format!("not YAML: {problem}"),
            "check indentation, quotes and brackets just before it",
        );
    }

    fn fault(&mut self, line: u32, problem: &str, remedy: &str) {
        self.faults.push(YamlFault { line: Some(line), problem: problem.into(), remedy: remedy.into() });
    }
}

fn line(number: usize) -> u32 {
    u32::try_from(number).unwrap_or(u32::MAX)
}
