//! Reconciles `PrivateJob`s into party pods, and settles what they cost.
//!
//! A job goes through *dereference, validate, build, apply, update the status*; `validate` and `build` are pure. A budget's
//! status is kept by a second loop, which alone reserves and books.

pub mod backoff;
pub mod budget;
pub mod cache;
pub mod census;
pub mod claim;
pub mod client;
pub mod clock;
pub mod context;
pub mod error;
pub mod events;
pub mod identity;
pub mod index;
pub mod job;
pub mod keeper;
pub mod lease;
pub mod lives;
pub mod look;
pub mod malformed;
pub mod metrics;
pub mod names;
pub mod party;
pub mod patience;
pub mod policies;
pub mod probe;
pub mod reason;
pub mod room;
pub mod run;
pub mod server;
pub mod signer;
pub mod surroundings;
pub mod together;
pub mod watch;
pub mod watched;
pub mod writes;
