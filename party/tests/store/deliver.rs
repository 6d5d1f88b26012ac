//! Results that are brought to a volume and to the same S3 server: once, whole, never over something else.

use super::{World, http};
use serde_json::json;
use std::{collections::BTreeSet, fs, path::Path, sync::Barrier, thread};
use tempfile::TempDir;
use tokio::runtime::Runtime;
use veilgrid_party::deliver::{DeliveryConfig, deliver};

/// A folder with a result and its receipt, both of this text.
fn files(text: &str) -> TempDir {
    let folder = TempDir::new().unwrap();
    for name in ["result", "receipt"] {
        fs::write(folder.path().join(format!("{name}.json")), format!("{{\"{name}\": \"{text}\"}}")).unwrap();
    }
    folder
}

fn config(files: &TempDir, place: serde_json::Value, root: &Path, credentials: &Path) -> DeliveryConfig {
    let config = json!({
        "files": files.path(), "place": place, "root": root,
        "store": {"credentials": credentials, "patienceSeconds": 5},
    });
    serde_json::from_value(config).unwrap()
}

fn to_volume(files: &TempDir, root: &Path) -> DeliveryConfig {
    config(files, json!({"volume": {"claim": "results"}, "path": "2026/stays"}), root, Path::new("/nowhere"))
}

fn to_store(world: &World, files: &TempDir, path: &str) -> DeliveryConfig {
    let store = json!({"url": "s3://north/2026", "endpoint": http(world.address), "secret": "store"});
    let place = json!({"objectStore": store, "path": path});
    config(files, place, Path::new("/nowhere"), &world.folder().join("secret"))
}

/// What is said in the end: nothing where it is delivered.
async fn said(config: &DeliveryConfig) -> String {
    deliver(config).await.err().map(|error| error.to_string()).unwrap_or_default()
}

fn names(folder: &Path) -> BTreeSet<String> {
    fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect()
}

#[tokio::test]
async fn a_volume_has_both_files_once() {
    let (root, first, other) = (TempDir::new().unwrap(), files("first"), files("other"));
    let place = root.path().join("2026/stays");
    // What a try that was cut short left.
    fs::create_dir_all(&place).unwrap();
    fs::write(place.join(".result.json.half.draft"), "{\"res").unwrap();
    fs::write(root.path().join("2026/neighbour.json"), "kept").unwrap();
    assert_eq!(said(&to_volume(&first, root.path())).await, "");
    let delivered = || fs::read_to_string(place.join("result.json")).unwrap();
    assert_eq!(delivered(), "{\"result\": \"first\"}");
    assert_eq!(said(&to_volume(&first, root.path())).await, "", "again");
    let taken = said(&to_volume(&other, root.path())).await;
    assert!(
        taken.starts_with(
            "2026/stays/receipt.json of the PersistentVolumeClaim results: something else is there already"
        ),
        "{taken}"
    );
    assert_eq!(delivered(), "{\"result\": \"first\"}");
    // Only the result is another's.
    fs::copy(other.path().join("receipt.json"), place.join("receipt.json")).unwrap();
    let taken = said(&to_volume(&other, root.path())).await;
    assert!(taken.starts_with("2026/stays/result.json of the"), "{taken}");
    assert_eq!(delivered(), "{\"result\": \"first\"}");
    assert_eq!(
        names(&place),
        [".result.json.half.draft", "receipt.json", "result.json"].map(String::from).into()
    );
    assert_eq!(fs::read(root.path().join("2026/neighbour.json")).unwrap(), b"kept");
}

#[tokio::test]
async fn a_volume_that_cannot_take_it_is_told() {
    let (root, files) = (TempDir::new().unwrap(), files("x"));
    let told = said(&to_volume(&files, &root.path().join("absent"))).await;
    assert!(
        told.contains("the volume cannot be written (entity not found); check that user or group 65532"),
        "{told}"
    );
    fs::write(root.path().join("2026"), "a file").unwrap();
    let told = said(&to_volume(&files, root.path())).await;
    assert!(told.contains("the volume cannot be written (not a directory)"), "{told}");
    fs::remove_file(root.path().join("2026")).unwrap();
    fs::create_dir_all(root.path().join("2026/stays")).unwrap();
    // Whatever it is that has the name, it is not followed and not replaced.
    std::os::unix::fs::symlink("/nowhere/at/all", root.path().join("2026/stays/receipt.json")).unwrap();
    assert!(said(&to_volume(&files, root.path())).await.contains("something else is there already"));
    fs::remove_file(files.path().join("receipt.json")).unwrap();
    let told = said(&to_volume(&files, root.path())).await;
    assert!(told.contains("what is to be delivered cannot be read (entity not found)"), "{told}");
}

#[test]
fn of_many_at_once_one_is_delivered() {
    let (world, root) = (World::new(), TempDir::new().unwrap());
    let all: Vec<TempDir> = (0..8).map(|number| files(&number.to_string())).collect();
    for volume in [true, false] {
        let barrier = Barrier::new(all.len());
        let config =
            |files| if volume { to_volume(files, root.path()) } else { to_store(&world, files, "race") };
        let configs: Vec<_> = all.iter().map(config).collect();
        let words: Vec<String> = thread::scope(|scope| {
            let one = |config| {
                let barrier = &barrier;
                scope.spawn(move || {
                    let runtime = Runtime::new().unwrap();
                    barrier.wait();
                    runtime.block_on(said(config))
                })
            };
            let running: Vec<_> = configs.iter().map(one).collect();
            running.into_iter().map(|one| one.join().unwrap()).collect()
        });
        let won = words.iter().filter(|said| said.is_empty()).count();
        let lost = words.iter().filter(|said| said.contains("something else is there already")).count();
        assert_eq!((won, lost), (1, all.len() - 1), "{words:?}");
        // Who won has won for good.
        let runtime = Runtime::new().unwrap();
        for (config, before) in configs.iter().zip(&words) {
            assert_eq!(runtime.block_on(said(config)), *before);
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_store_has_both_objects_once_and_what_keeps_it_is_told() {
    let world = World::new();
    let (first, other) = (files("first"), files("other"));
    assert_eq!(said(&to_store(&world, &first, "stays")).await, "");
    assert_eq!(said(&to_store(&world, &first, "stays")).await, "", "again");
    let taken = said(&to_store(&world, &other, "stays")).await;
    assert!(
        taken.starts_with(
            "s3://north/2026/stays/receipt.json: something else is there already, and a result never"
        ),
        "{taken}"
    );
    // The receipt was delivered by a try that was cut short: the result follows.
    fs::create_dir(world.files().join("half")).unwrap();
    world.put("half/receipt.json", &fs::read(first.path().join("receipt.json")).unwrap());
    assert_eq!(said(&to_store(&world, &first, "half")).await, "");
    fs::create_dir(world.files().join("half2")).unwrap();
    world.put("half2/result.json", b"{\"result\": \"fir5t\"}");
    let taken = said(&to_store(&world, &first, "half2")).await;
    assert!(taken.starts_with("s3://north/2026/half2/result.json: something else"), "{taken}");

    let mut nowhere = to_store(&world, &first, "stays");
    nowhere.place.object_store.as_mut().unwrap().url = "s3://south".into();
    let told = said(&nowhere).await;
    assert!(
        told.contains(
            "s3://south/stays/receipt.json: there is no such bucket; check `spec.result.objectStore`"
        ),
        "{told}"
    );
    world.credentials(&world.id, "another key");
    let told = said(&to_store(&world, &first, "stays")).await;
    assert!(told.contains("refuses the credentials (SignatureDoesNotMatch); check the Secret \"store\", and that they may write and read this object"), "{told}");
    assert!(!told.contains(&world.id) && !told.contains("another key"), "{told}");
    fs::remove_file(world.folder().join("secret/AWS_SECRET_ACCESS_KEY")).unwrap();
    let told = said(&to_store(&world, &first, "stays")).await;
    assert!(
        told.contains("has no key AWS_SECRET_ACCESS_KEY, or there is no such Secret in the job's namespace"),
        "{told}"
    );
}
