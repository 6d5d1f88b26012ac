//! Clients of object stores, and what goes wrong with them.

mod connect;
mod fault;
mod http;

pub(crate) use connect::connect;
pub(crate) use fault::{Purpose, StoreFault};
