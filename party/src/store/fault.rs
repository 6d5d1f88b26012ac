//! What goes wrong with a store. Its own words are not repeated: some answer with the name of a key, or with what was signed.

use object_store::{
    Error,
    client::{HttpError, HttpErrorKind},
};
use std::{error, time::Duration};
use veilgrid_api::store::ObjectStore;

/// Characters of a cause that are told.
const SHOWN: usize = 160;

/// What a store is used for.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Purpose {
    /// A dataset's rows are read from it.
    Rows,
    /// A job's result is written to it.
    Result,
}

/// How faults speak of it.
struct Words {
    /// The field of the manifest that names the store.
    field: &'static str,
    /// Whose namespace has the Secret.
    whose: &'static str,
    /// What the credentials have to allow.
    may: &'static str,
    /// Who speaks to the store.
    who: &'static str,
}

impl Purpose {
    fn words(self) -> Words {
        match self {
            Self::Rows => {
                Words { field: "source", whose: "the dataset's", may: "read this object", who: "this party" }
            }
            Self::Result => Words {
                field: "spec.result",
                whose: "the job's",
                may: "write and read this object",
                who: "the pod of the delivery",
            },
        }
    }
}

/// Why an object cannot be read or written.
#[derive(Debug)]
pub(crate) enum StoreFault {
    /// The URL is none of a bucket.
    BadUrl,
    /// No store has such a key.
    BadKey,
    /// The Secret lacks a key, or is not there.
    NoCredential(&'static str),
    /// The Secret has a key that cannot be used.
    BadCredential(&'static str),
    /// Nothing here says whom to believe who the store is.
    NoAuthorities,
    NoBucket,
    NoObject,
    /// The credentials are wrong, or may not read the object.
    Refused {
        code: String,
    },
    /// Another object has come under the key.
    Changed,
    /// Not the bytes that were asked for.
    Length,
    /// No answer for so long.
    Silent {
        cause: String,
        waited: Duration,
    },
    /// An answer that is none of the above.
    Answered {
        status: Option<u16>,
        code: String,
    },
    /// The program is ending.
    Stopped,
}

impl StoreFault {
    /// What an error of the client means. `waited` is how long it was tried.
    pub(crate) fn of(error: &Error, waited: Duration) -> Self {
        match error {
            Error::Precondition { .. } => return Self::Changed,
            Error::NotFound { .. } => {
                return match code(error).as_str() {
                    "NoSuchBucket" | "ContainerNotFound" => Self::NoBucket,
                    _ => Self::NoObject,
                };
            }
            Error::PermissionDenied { .. } | Error::Unauthenticated { .. } => {
                return Self::Refused { code: code(error) };
            }
            _ => {}
        }
        for cause in causes(error) {
            if let Some(inner) = cause.downcast_ref::<Error>()
                && !matches!(inner, Error::Generic { .. })
            {
                return Self::of(inner, waited);
            }
            if let Some(broken) = cause.downcast_ref::<HttpError>() {
                let cause = match broken.kind() {
                    HttpErrorKind::Timeout => "no answer".into(),
                    _ => innermost(broken),
                };
                return Self::Silent { cause, waited };
            }
        }
        let status = causes(error).find_map(|cause| {
            let text = cause.to_string();
            let (_, rest) = text.split_once("status code: ")?;
            rest.get(..3)?.parse().ok()
        });
        Self::Answered { status, code: code(error) }
    }

    /// In words, with what to do, for whoever wrote where the store is.
    pub(crate) fn told(&self, store: &ObjectStore, purpose: Purpose) -> String {
        let Words { field, whose, may, who } = purpose.words();
        let secret = store.secret.as_deref().unwrap_or_default();
        let detail = |code: &str| if code.is_empty() { String::new() } else { format!(" ({code})") };
        match self {
            Self::BadUrl => {
                format!("`{field}.objectStore.url` is not the URL of a bucket; write s3://bucket/prefix")
            }
            Self::BadKey => format!("this is not the key of an object; check `{field}.path`"),
            Self::NoCredential(key) => format!(
                "the Secret {secret:?} has no key {key}, or there is no such Secret in {whose} namespace; make it as docs/cluster.md says"
            ),
            Self::BadCredential(key) => {
                format!("{key} of the Secret {secret:?} cannot be used; write it as the provider gave it")
            }
            Self::NoAuthorities => {
                "this machine has no certificates of authorities by which to know the store; put them in /etc/ssl/certs, or the store's into `ca.crt` of the Secret".into()
            }
            Self::NoBucket => {
                format!("there is no such bucket; check `{field}.objectStore`: `url`, `endpoint`, `region`")
            }
            Self::NoObject => format!(
                "there is no such object; check `{field}.path`, which is the key below `{field}.objectStore.url`"
            ),
            Self::Refused { code } if secret.is_empty() => format!(
                "the store refuses a request that is not signed{}; name a Secret in `{field}.objectStore.secret`",
                detail(code)
            ),
            Self::Refused { code } => format!(
                "the store refuses the credentials{}; check the Secret {secret:?}, and that they may {may}",
                detail(code)
            ),
            Self::Changed => {
                "the object changed while it was read; run again when it is whole, and write new rows under a new key".into()
            }
            Self::Length => "the store gave other bytes than it was asked for; look at its logs, then run again".into(),
            Self::Silent { cause, waited } => format!(
                "the store cannot be reached{}, tried for {} s; check `{field}.objectStore.endpoint`, and that the network lets {who} out to it",
                detail(cause),
                waited.as_secs()
            ),
            Self::Answered { status, code } => format!(
                "the store answers {}{}; look at its logs, or run again later",
                status.map_or("something that is not understood".into(), |status| status.to_string()),
                detail(code)
            ),
            Self::Stopped => "reading was stopped; run again".into(),
        }
    }
}

/// The error and what caused it, the innermost last.
fn causes<'a>(
    error: &'a (dyn error::Error + 'static),
) -> impl Iterator<Item = &'a (dyn error::Error + 'static)> {
    std::iter::successors(Some(error), |error| error.source())
}

/// The provider's code for an error, which is the same word in the XML of all three.
fn code(error: &Error) -> String {
    let found = causes(error).find_map(|cause| {
        let text = cause.to_string();
        let (_, rest) = text.split_once("<Code>")?;
        Some(rest.split_once("</Code>")?.0.to_owned())
    });
    let word =
        |code: &String| code.len() <= 64 && code.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'.');
    found.filter(word).unwrap_or_default()
}

/// The innermost cause, on one line that no terminal minds.
fn innermost(error: &(dyn error::Error + 'static)) -> String {
    let cause = causes(error).last().map(ToString::to_string).unwrap_or_default();
    cause.chars().filter(|char| !char.is_control()).take(SHOWN).collect()
}
