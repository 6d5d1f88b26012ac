//! How a command ends badly: what is said, and the exit code.

use veilgrid_party::exit::Exit;

/// An error that ends the process.
#[derive(Debug)]
pub(crate) struct Failure {
    /// The exit code.
    pub(crate) code: u8,
    /// What is wrong, where, and what to do. Empty where all has been said.
    pub(crate) message: String,
}

impl Failure {
    /// A failure with one of the documented codes.
    pub(crate) fn new(exit: Exit, message: impl Into<String>) -> Self {
        Self { code: exit.code(), message: message.into() }
    }

    /// A file or folder that cannot be read or written.
    pub(crate) fn file(path: &std::path::Path, error: &std::io::Error, remedy: &str) -> Self {
        Self::new(Exit::State, format!("{}: {error}; {remedy}", path.display()))
    }
}
