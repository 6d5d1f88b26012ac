//! Rows from files, streamed in batches.
