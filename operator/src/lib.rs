//! Reconciles `PrivateJob`s into party pods, and settles what they cost.
//!
//! A job goes through *dereference, validate, build, apply, update the status*; `validate` and `build` are pure. A budget's
//! status is kept by a second loop, which alone reserves and books.

pub mod backoff;
pub mod budget;
pub mod cache;
pub mod clock;
pub mod context;
pub mod error;
pub mod identity;
pub mod job;
pub mod lease;
pub mod metrics;
pub mod names;
pub mod probe;
pub mod reason;
pub mod run;
pub mod server;
pub mod signer;
pub mod watch;
pub mod writes;
