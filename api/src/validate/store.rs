//! The rules of an object store.

use crate::{
    fault::{Fault, quoted},
    manifest::{Kind, Object},
    store::{ObjectStore, Provider},
};

/// Tells what is wrong with the store that the object has at `path`.
pub(super) fn check<Spec: Kind>(
    object: &Object<Spec>,
    path: &str,
    store: &ObjectStore,
    faults: &mut Vec<Fault>,
) {
    let mut tell = |field: &str, problem: String, remedy: &str| {
        faults.push(object.fault(&format!("{path}.{field}"), problem, remedy));
    };
    if store.server().is_none() {
        // A password that somebody wrote there is not repeated.
        let problem = "is not the address of a server".to_owned();
        tell("endpoint", problem, "write https://host or http://host:port, with no user and no query");
    }
    let Some(bucket) = store.bucket() else {
        let problem = format!("{} is not the URL of a bucket", quoted(&store.url));
        return tell("url", problem, "write s3://bucket/prefix, gs://bucket/prefix or az://container/prefix");
    };
    if store.region.is_some() && bucket.provider != Provider::S3 {
        tell("region", "has no meaning here".to_owned(), "region belongs to s3:// only");
    }
    if bucket.provider == Provider::Azure && store.secret.is_none() {
        let remedy = "az:// needs a secret, which names the storage account";
        tell("secret", "is missing".to_owned(), remedy);
    }
}
