//! What a cluster refuses, or cannot be asked, in words that help.

use crate::{failure::Failure, table::digits::clean};
use kube::core::Status;
use std::error::Error;
use veilgrid_party::exit::Exit;

/// The failure of a request. `doing` says what it was for: "get the PrivateJob research/hospitals".
pub(crate) fn failure(error: &kube::Error, doing: &str) -> Failure {
    Failure::new(Exit::Cluster, words(error, doing))
}

/// The words of [`failure`].
pub(crate) fn words(error: &kube::Error, doing: &str) -> String {
    let kube::Error::Api(status) = error else {
        return format!(
            "the cluster cannot be reached to {doing}: {}; check --context, and whether it runs",
            root(error)
        );
    };
    let said = clean(&status.message);
    match status.code {
        401 => format!(
            "the cluster does not know you, to {doing}: {said}; renew the credentials of this context"
        ),
        403 => {
            format!("you may not {doing}: {said}; `veilgrid doctor` says what you may and who gives the rest")
        }
        404 if is_unknown_kind(status) => format!(
            "cannot {doing}: the cluster does not know the kinds of veilgrid.dev; `veilgrid doctor` says what is missing"
        ),
        404 => format!("cannot {doing}: {said}"),
        429 | 500..=599 => format!("the cluster cannot {doing} now: {said}; try again"),
        _ => format!("the cluster refuses to {doing}: {said}"),
    }
}

/// Whether the API server says that there is no such object.
pub(crate) fn is_missing(error: &kube::Error) -> bool {
    matches!(error, kube::Error::Api(status) if status.code == 404 && !is_unknown_kind(status))
}

/// Whether the API server says that this user may not.
pub(crate) fn is_forbidden(error: &kube::Error) -> bool {
    matches!(error, kube::Error::Api(status) if status.code == 403)
}

/// The path of a kind that is not served answers with plain text, so without a word on any object.
pub(crate) fn is_unknown_kind(status: &Status) -> bool {
    status.code == 404 && status.details.as_ref().is_none_or(|details| details.name.is_empty())
}

/// The innermost reason: what lies around it says no more.
pub(crate) fn root(error: &dyn Error) -> String {
    let mut inner = error;
    while let Some(source) = inner.source() {
        inner = source;
    }
    clean(&inner.to_string())
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;
    use serde_json::json;

    /// An answer of an API server.
    pub(crate) fn answer(code: u16, message: &str, name: Option<&str>) -> kube::Error {
        let details = name.map(|name| json!({"name": name, "kind": "privatejobs"}));
        let status = json!({"status": "Failure", "code": code, "message": message, "details": details});
        kube::Error::Api(Box::new(serde_json::from_value(status).unwrap()))
    }

    #[test]
    fn each_refusal_says_what_to_do() {
        let of = |code, name| words(&answer(code, "the server's\u{1b} words", name), "get the job");
        assert!(
            of(403, Some("x"))
                .starts_with("you may not get the job: the server's\u{fffd} words; `veilgrid doctor`")
        );
        assert!(of(401, None).contains("renew"));
        assert!(of(404, None).contains("kinds of veilgrid.dev"));
        assert_eq!(of(404, Some("x")), "cannot get the job: the server's\u{fffd} words");
        assert!(of(422, None).starts_with("the cluster refuses to get the job"));
        assert!(of(503, None).ends_with("try again"));
        assert!(is_missing(&answer(404, "", Some("x"))) && !is_missing(&answer(404, "", None)));
        assert!(is_forbidden(&answer(403, "", None)) && !is_forbidden(&answer(404, "", None)));
    }
}
