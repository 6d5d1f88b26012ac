//! What can go wrong with one object. The next try starts from what is there.

use crate::{identity::IdentityError, patience::is_late};

/// An error of one reconciliation.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The API server refused or could not be reached.
    #[error("the API server: {0}")]
    Api(#[from] kube::Error),
    /// A certificate.
    #[error(transparent)]
    Identity(#[from] IdentityError),
    /// An object that the API server gave lacks what every object has.
    #[error("an object without {0}")]
    Incomplete(&'static str),
}

impl Error {
    /// A word for metrics and logs.
    pub fn word(&self) -> &'static str {
        match self {
            Self::Api(kube::Error::Api(status)) => match status.code {
                404 => "not_found",
                409 => "conflict",
                422 => "invalid",
                429 => "too_many_requests",
                403 => "forbidden",
                500..=599 => "server",
                _ => "api",
            },
            Self::Api(kube::Error::Service(error)) if is_late(&**error) => "timeout",
            Self::Api(kube::Error::SerdeError(_)) => "unreadable",
            Self::Api(_) => "connection",
            Self::Identity(_) => "identity",
            Self::Incomplete(_) => "incomplete",
        }
    }
}

/// Whether the API server says that the object is there already.
pub fn exists(error: &kube::Error) -> bool {
    matches!(error, kube::Error::Api(status) if status.code == 409 && status.reason == "AlreadyExists")
}

/// Whether the API server says that there is no such object.
pub fn is_missing(error: &kube::Error) -> bool {
    matches!(error, kube::Error::Api(status) if status.code == 404)
}
