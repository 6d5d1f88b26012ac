//! A `PrivateJob`, from its spec to its settled end: dereference, validate, build, apply, update the status.

mod apply;
mod attempt;
pub mod build;
mod claims;
mod delivery;
mod dereference;
mod drift;
mod end;
mod finish;
mod gang;
mod launch;
mod launches;
pub mod observe;
mod podless;
mod progress;
mod read;
mod reconcile;
mod result;
mod resume;
mod stages;
mod status;
mod validate;

pub(crate) use attempt::pin;
pub use launches::Launches;
pub use progress::Last;
pub use reconcile::{behind, reconcile};
pub use stages::Stages;
