//! How fast the kernels run on the GPU of this machine.

mod cases;
mod gpu;
mod roof;

pub use cases::{Batch, Case, Size, cases};
pub use gpu::{Gpu, Work};
pub use roof::Roof;

/// The middle one.
fn median(mut times: Vec<f64>) -> f64 {
    times.sort_by(f64::total_cmp);
    times[times.len() / 2]
}
