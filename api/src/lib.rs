//! The objects a Veilgrid user writes, the rules they obey, and the plan that parties agree on.
//!
//! Nothing here does I/O. A manifest becomes [`PrivateDataset`](dataset), [`PrivacyBudget`](budget) and
//! [`PrivateJob`](job) specs; `validate` finds every fault of them; `planner` turns valid objects into the
//! [`plan::Plan`] that parties compute.

pub mod amount;
pub mod budget;
pub mod dataset;
pub mod job;
pub mod plan;
pub mod statistics;
