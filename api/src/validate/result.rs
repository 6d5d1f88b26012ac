//! The rules of where a result goes.

use super::store;
use crate::{
    cluster::ResultPlace,
    fault::{Fault, quoted},
    job::PrivateJobSpec,
    manifest::Object,
};

pub(super) fn check(job: &Object<PrivateJobSpec>, faults: &mut Vec<Fault>) {
    let Some(result) = &job.spec.result else { return };
    let ResultPlace { config_map, volume, object_store, path } = result;
    let places = [config_map.is_some(), volume.is_some(), object_store.is_some()];
    let count = places.into_iter().filter(|is_there| *is_there).count();
    if count != 1 {
        let problem = if count == 0 { "names no place" } else { "names more than one place" };
        let remedy = "write exactly one of configMap, volume and objectStore";
        return faults.push(job.fault("spec.result", problem, remedy));
    }
    if let Some(found) = object_store {
        store::check(job, "spec.result.objectStore", found, faults);
    }
    let field = "spec.result.path";
    match path {
        None if result.needs_delivery() => {
            let remedy = "write the folder that result.json and receipt.json are to be in";
            faults.push(job.fault(field, "is missing", remedy));
        }
        Some(_) if !result.needs_delivery() => {
            let remedy = "path belongs to volume and objectStore only";
            faults.push(job.fault(field, "has no meaning here", remedy));
        }
        // An empty one is told by the limits.
        Some(path) if !path.is_empty() && !path.split('/').all(is_folder) => {
            let problem = format!("{} is not the path of a folder", quoted(path));
            let remedy = "write names of letters, digits and `-_.=` with `/` between them, none of which begins with `-`, `.` or `=`";
            faults.push(job.fault(field, problem, remedy));
        }
        _ => {}
    }
}

fn is_folder(name: &str) -> bool {
    let first = |b: u8| b.is_ascii_alphanumeric() || b == b'_';
    let inner = |b: u8| first(b) || b"-.=".contains(&b);
    name.bytes().next().is_some_and(first) && name.bytes().all(inner)
}
