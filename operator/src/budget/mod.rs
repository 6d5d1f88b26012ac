//! Budgets and the claims on them.

pub mod book;
mod reconcile;

pub use reconcile::reconcile;
