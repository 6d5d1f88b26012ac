//! Asks the API server what is on the nodes.

use super::{
    cluster::Cluster,
    listed::{Claim, Class, Node, Pod, Slice},
};
use crate::error::is_missing;
use kube::{Client, api::ListParams, core::Request};
use serde::{Deserialize, de::DeserializeOwned};

/// Objects of one answer: few enough that a large cluster does not fill the operator's memory.
const PAGE: u32 = 250;
/// The nodes.
const NODES: &str = "/api/v1/nodes";
/// The pods of all namespaces.
const PODS: &str = "/api/v1/pods";
/// Those that take room.
const PLACED: &str = "spec.nodeName!=,status.phase!=Succeeded,status.phase!=Failed";
/// What devices there are.
const SLICES: &str = "/apis/resource.k8s.io/v1/resourceslices";
/// What devices are taken, in all namespaces.
const CLAIMS: &str = "/apis/resource.k8s.io/v1/resourceclaims";
/// Which devices are meant.
const CLASSES: &str = "/apis/resource.k8s.io/v1/deviceclasses";

#[derive(Deserialize)]
#[serde(bound(deserialize = "Item: DeserializeOwned"))]
struct Page<Item> {
    metadata: PageMetadata,
    items: Vec<Item>,
}

#[derive(Deserialize)]
struct PageMetadata {
    #[serde(rename = "continue")]
    next: Option<String>,
}

/// What is free now, and the classes of devices. Devices are looked for only where they are asked for.
pub(super) async fn cluster(
    client: &Client,
    with_devices: bool,
) -> Result<(Cluster, Vec<Class>), kube::Error> {
    let mut cluster = Cluster::default();
    each(client, NODES, None, |node: Node| cluster.add_node(node)).await?;
    each(client, PODS, Some(PLACED), |pod: Pod| cluster.add_pod(&pod.spec)).await?;
    let mut classes = Vec::new();
    // A cluster without dynamic resource allocation has none of these.
    known(each(client, CLASSES, None, |class: Class| classes.push(class)).await)?;
    if with_devices {
        let (mut slices, mut claims) = (Vec::new(), Vec::new());
        known(each(client, SLICES, None, |slice: Slice| slices.push(slice)).await)?;
        known(each(client, CLAIMS, None, |claim: Claim| claims.push(claim)).await)?;
        cluster.add_devices(&slices, &claims);
    }
    Ok((cluster, classes))
}

fn known(listed: Result<(), kube::Error>) -> Result<(), kube::Error> {
    match listed {
        Err(error) if is_missing(&error) => Ok(()),
        listed => listed,
    }
}

/// All objects of a kind, page by page.
async fn each<Item: DeserializeOwned>(
    client: &Client,
    path: &str,
    fields: Option<&str>,
    mut take: impl FnMut(Item),
) -> Result<(), kube::Error> {
    let mut params = ListParams::default().limit(PAGE);
    params.field_selector = fields.map(str::to_owned);
    loop {
        let request = Request::new(path).list(&params).map_err(kube::Error::BuildRequest)?;
        let page: Page<Item> = client.request(request).await?;
        page.items.into_iter().for_each(&mut take);
        match page.metadata.next.filter(|next| !next.is_empty()) {
            Some(next) => params.continue_token = Some(next),
            None => return Ok(()),
        }
    }
}
