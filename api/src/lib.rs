//! The objects a Veilgrid user writes, the rules they obey, and the plan that parties agree on.
//!
//! Nothing here does I/O. A manifest becomes [`PrivateDataset`](dataset), [`PrivacyBudget`](budget) and
//! [`PrivateJob`](job) specs; `validate` finds every fault of them; `planner` turns valid objects into the
//! [`plan::Plan`] that parties compute.

pub mod affinity;
pub mod amount;
pub mod budget;
pub mod claim;
pub mod cluster;
pub mod condition;
pub mod crd;
pub mod dataset;
pub mod fault;
pub mod job;
pub mod labels;
pub mod limits;
pub mod manifest;
pub mod plan;
pub mod planner;
mod schema;
mod sensitivity;
mod shape;
pub mod statistics;
pub mod status;
pub mod store;
mod units;
pub mod validate;
mod yaml;
