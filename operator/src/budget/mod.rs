//! Budgets and the claims on them.

pub mod book;
pub mod pace;
mod reconcile;

pub use reconcile::{early, reconcile};
