//! The opened vector, read as answers with intervals of their noise.
