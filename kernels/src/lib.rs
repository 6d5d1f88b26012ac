//! Batched share arithmetic, masking and noise: the same bits on every device.
