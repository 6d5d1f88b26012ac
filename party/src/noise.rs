//! What the noise of a plan may do to an answer.
