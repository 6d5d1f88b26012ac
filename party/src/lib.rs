//! One party of a job: rows, shares, noise, an opened result.
//!
//! Data has one way through, a module a step: [`input`] reads rows, [`aggregate`] sums them into the plan's vector,
//! [`protocol`] shares, noises and opens it, [`decode`] turns the opened vector into answers. [`run`] drives the steps,
//! with [`ledger`] and [`checkpoint`] making each durable before the next depends on it.

pub mod aggregate;
pub mod checkpoint;
pub mod config;
pub mod decode;
#[cfg(feature = "object-store")]
pub mod deliver;
mod durable;
pub mod event;
pub mod exit;
pub mod handshake;
pub mod identity;
pub mod input;
pub mod ledger;
pub mod noise;
pub mod protocol;
pub mod run;
#[cfg(feature = "object-store")]
mod store;
pub mod transport;

pub use veilgrid_receipt as receipt;
