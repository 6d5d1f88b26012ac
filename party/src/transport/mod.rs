//! Messages between parties over mutually authenticated TLS.

pub mod links;
