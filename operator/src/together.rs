//! Several requests at once.

use crate::error::Error;
use futures::{
    FutureExt,
    future::{JoinAll, Map, join_all},
};

/// What becomes of requests that are done together.
pub type Together<T, F> = Map<JoinAll<F>, fn(Vec<Result<T, Error>>) -> Result<Vec<T>, Error>>;

/// Does all of it together. What one of them comes to does not end the others: a request that is dropped may still arrive. It resolves
/// when all are over, to the first error in their order if there is one.
pub fn together<T, F>(tasks: impl IntoIterator<Item = F>) -> Together<T, F>
where
    F: Future<Output = Result<T, Error>>,
{
    join_all(tasks).map(|done| done.into_iter().collect())
}
