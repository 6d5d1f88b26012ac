//! The signed account of a job.
