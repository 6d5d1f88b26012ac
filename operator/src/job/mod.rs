//! A `PrivateJob`, from its spec to its settled end: dereference, validate, build, apply, update the status.

mod apply;
mod attempt;
pub mod build;
mod claims;
mod dereference;
pub mod observe;
mod reconcile;
mod result;
mod status;
mod validate;

pub use reconcile::reconcile;
