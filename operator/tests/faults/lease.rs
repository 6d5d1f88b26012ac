//! The lease among clocks that differ and requests that hang.

use crate::{
    scene::until,
    server::{Fault, Server},
};
use kube::Config;
use serde_json::json;
use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};
use tokio::time::{sleep, timeout};
use veilgrid_operator::{client, lease::Election, patience::Patience};

const LEASES: &str = "apis/coordination.k8s.io/v1/leases";

fn election(server: &Server) -> Election {
    let place = "system/operator".parse().expect("a place");
    let config = Config::new(format!("http://{}", server.address).parse().expect("a URI"));
    // As in earnest: longer than a lease.
    let client = client::build(config, Patience::default(), Arc::default(), None).expect("a client");
    Election::new(client, place, "me".into())
}

/// A lease of another holder whose clock is off by years.
fn held_by_another(server: &Server, year: u32) {
    let lease = json!({
        "apiVersion": "coordination.k8s.io/v1", "kind": "Lease", "metadata": {"name": "operator"},
        "spec": {"holderIdentity": "other", "leaseDurationSeconds": 2, "renewTime": format!("{year}-01-01T00:00:00.000000Z")},
    });
    server.make(LEASES, "system", lease);
}

#[tokio::test]
async fn a_holder_that_renews_keeps_the_lease_whatever_its_clock_says() {
    for year in [1999, 2099] {
        let server = Server::start().await;
        held_by_another(&server, year);
        let renews = AtomicBool::new(true);
        let renewing = async {
            for second in 0.. {
                if renews.load(Ordering::Relaxed) {
                    server.change(|store| {
                        let target = crate::store::Target::of("/apis/coordination.k8s.io/v1/namespaces/system/leases/operator");
                        let renewed = json!({"spec": {"renewTime": format!("{year}-01-01T00:{:02}:00.000000Z", second % 60)}});
                        store.answer(&http::Method::PATCH, target, renewed.to_string().as_bytes(), false)
                    });
                }
                sleep(Duration::from_millis(300)).await;
            }
        };
        let trying = async {
            let mut election = election(&server);
            assert!(
                timeout(Duration::from_secs(6), election.lead()).await.is_err(),
                "taken from who renews it"
            );
            renews.store(false, Ordering::Relaxed);
            assert!(
                timeout(Duration::from_secs(10), election.lead()).await.is_ok(),
                "not taken from who is gone"
            );
        };
        tokio::select! {
            () = renewing => {}
            () = trying => {}
        }
    }
}

#[tokio::test]
async fn a_renewal_that_hangs_does_not_cost_the_lease() {
    let server = Server::start().await;
    let mut election = election(&server);
    election.lead().await;
    let keeping = election.keep();
    let faults = async {
        server.fail(Fault::Hang, |_, plural| plural == "leases");
        until("a renewal hangs", || server.faults() > 0).await;
        sleep(Duration::from_secs(1)).await;
        server.clear();
        sleep(Duration::from_secs(11)).await;
    };
    tokio::select! {
        () = keeping => panic!("the lease was lost"),
        () = faults => {}
    }
    let holder = server.change(|store| store.all("leases")[0]["spec"]["holderIdentity"].clone());
    assert_eq!(holder, "me");
}

#[tokio::test]
async fn who_cannot_renew_stops_before_others_may_begin() {
    let server = Server::start().await;
    let mut election = election(&server);
    election.lead().await;
    server.fail(Fault::Code(500, None), |_, plural| plural == "leases");
    assert!(timeout(Duration::from_secs(14), election.keep()).await.is_ok(), "leads without a lease");
}
