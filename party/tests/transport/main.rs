//! The mesh over real TLS on loopback: order, cuts, back-pressure, and every kind of bad peer.

mod agree;
mod bad;
#[path = "../common/certificates.rs"]
mod certificates;
mod cuts;
mod good;
mod raw;

use certificates::Authority;
use std::time::Duration;
use tokio::task::JoinSet;
use veilgrid_party::{
    config::TlsConfig,
    transport::{Binding, Mesh, MeshConfig, links::LinkError},
};

const RUN: &str = "000102030405060708090a0b0c0d0e0f";
/// Long enough for a busy machine where a test wants no time-out at all.
const LONG: Duration = Duration::from_secs(30);

fn names(parties: usize) -> Vec<String> {
    (0..parties).map(|i| format!("party-{i}")).collect()
}

async fn bind() -> Binding {
    Mesh::bind("127.0.0.1:0".parse().unwrap()).await.unwrap()
}

fn config(
    names: &[String],
    me: usize,
    addresses: &[String],
    tls: TlsConfig,
    patience: Duration,
) -> MeshConfig {
    MeshConfig { names: names.to_vec(), me, run: RUN.into(), addresses: addresses.to_vec(), tls, patience }
}

/// Meshes of so many parties; `route` may put something between the parties and the address that one listens on.
async fn meshes(
    parties: usize,
    patience: Duration,
    mut route: impl FnMut(usize, String) -> String,
) -> Vec<Result<Mesh, LinkError>> {
    let authority = Authority::new();
    let names = names(parties);
    let mut bindings = Vec::new();
    for _ in 0..parties {
        bindings.push(bind().await);
    }
    let addresses: Vec<String> =
        bindings.iter().enumerate().map(|(i, b)| route(i, b.local_addr().to_string())).collect();
    let mut tasks = JoinSet::new();
    for (me, binding) in bindings.into_iter().enumerate() {
        let config = config(&names, me, &addresses, authority.issue(&names[me], |_| {}), patience);
        tasks.spawn(async move { (me, binding.connect(config).await) });
    }
    let mut meshes = tasks.join_all().await;
    meshes.sort_by_key(|(me, _)| *me);
    meshes.into_iter().map(|(_, mesh)| mesh).collect()
}

/// Meshes that are all up.
async fn connected(parties: usize) -> Vec<Mesh> {
    meshes(parties, LONG, |_, address| address).await.into_iter().map(Result::unwrap).collect()
}
