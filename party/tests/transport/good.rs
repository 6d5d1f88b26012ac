//! Parties that do as they should.

use crate::{connected, names};
use std::{sync::Arc, time::Duration};
use tokio::{task::JoinSet, time::timeout};
use veilgrid_party::transport::links::{Kind, LinkError, Links, MAX_BODY};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn five_parties_tell_each_other_everything_in_order() {
    let mut tasks = JoinSet::new();
    for mesh in connected(5).await {
        tasks.spawn(async move {
            let (me, peers) = (mesh.me(), (0..5).filter(|p| *p != mesh.me()));
            for i in 0..200u32 {
                for peer in peers.clone() {
                    mesh.send(peer, Kind::Opened, [me as u32, i].map(u32::to_le_bytes).concat())
                        .await
                        .unwrap();
                }
            }
            for peer in peers {
                for i in 0..200u32 {
                    let message = mesh.receive(peer).await.unwrap();
                    assert!(message.kind == Kind::Opened);
                    assert_eq!(message.body, [peer as u32, i].map(u32::to_le_bytes).concat());
                }
                assert_eq!(mesh.name(peer), names(5)[peer]);
            }
            mesh.close().await.unwrap();
            assert_eq!(mesh.refused_callers(), 0);
        });
    }
    tasks.join_all().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn empty_and_largest_bodies_travel_and_larger_do_not() {
    let meshes = connected(2).await;
    let largest: Vec<u8> = (0..MAX_BODY).map(|i| (i / 7) as u8).collect();
    meshes[0].send(1, Kind::Opened, Vec::new()).await.unwrap();
    meshes[0].send(1, Kind::Opened, largest.clone()).await.unwrap();
    assert!(meshes[1].receive(0).await.unwrap().body.is_empty());
    assert!(meshes[1].receive(0).await.unwrap().body == largest);
    let error = meshes[0].send(1, Kind::Opened, vec![0; MAX_BODY + 1]).await.unwrap_err();
    assert!(matches!(error, LinkError::Local(_)), "{error}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_receiver_that_does_not_read_bounds_the_sender() {
    let meshes = connected(2).await;
    let mut sent = 0;
    while let Ok(result) =
        timeout(Duration::from_millis(300), meshes[0].send(1, Kind::Opened, vec![sent as u8; MAX_BODY])).await
    {
        result.unwrap();
        sent += 1;
        assert!(sent < 100, "nothing holds the sender back");
    }
    // The other way is not held up.
    meshes[1].send(0, Kind::Standing, vec![1]).await.unwrap();
    assert!(meshes[0].receive(1).await.unwrap().kind == Kind::Standing);
    for i in 0..sent {
        let body = meshes[1].receive(0).await.unwrap().body;
        assert!(body.len() == MAX_BODY && body.iter().all(|byte| *byte == i as u8));
    }
    meshes[0].send(1, Kind::Opened, vec![9]).await.unwrap();
    assert_eq!(meshes[1].receive(0).await.unwrap().body, [9]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn closing_delivers_what_nobody_has_read_yet() {
    let mut meshes = connected(3).await;
    let last = meshes.pop().unwrap();
    for i in 0..5 {
        last.send(0, Kind::Result, vec![i]).await.unwrap();
    }
    last.close().await.unwrap();
    drop(last);
    for i in 0..5 {
        assert_eq!(meshes[0].receive(2).await.unwrap().body, [i]);
    }
    assert!(meshes[0].receive(2).await.unwrap().kind == Kind::Bye);
    let gone = meshes[0].receive(2).await.err().unwrap().to_string();
    assert!(gone.contains("party-2") && gone.contains("left"), "{gone}");
    assert!(meshes[0].send(2, Kind::Result, vec![]).await.is_err());
    // The others go on.
    meshes[0].send(1, Kind::Result, vec![3]).await.unwrap();
    assert_eq!(meshes[1].receive(0).await.unwrap().body, [3]);
    let (first, second) = (meshes.remove(0), meshes.remove(0));
    let (first, second) = tokio::join!(first.close(), second.close());
    first.unwrap();
    second.unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_party_that_gives_up_says_why_after_what_it_said_before() {
    let meshes: Vec<_> = connected(3).await.into_iter().map(Arc::new).collect();
    meshes[1].send(0, Kind::Sealed, vec![5]).await.unwrap();
    meshes[1].abort("the disk is full").await;
    assert_eq!(meshes[0].receive(1).await.unwrap().body, [5]);
    for other in [0, 2] {
        let error = meshes[other].receive(1).await.err().unwrap();
        assert!(
            matches!(&error, LinkError::Aborted { peer, reason } if peer == "party-1" && reason == "the disk is full"),
            "{error}"
        );
        assert!(meshes[other].send(1, Kind::Sealed, vec![]).await.is_err());
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn certificates_have_the_same_fingerprint_at_every_party() {
    let meshes = connected(3).await;
    for party in 0..3 {
        let seen: Vec<_> = meshes.iter().map(|mesh| mesh.certificate_fingerprint(party)).collect();
        assert!(seen.iter().all(|fingerprint| *fingerprint == seen[0]));
        assert_ne!(seen[0], meshes[0].certificate_fingerprint((party + 1) % 3));
    }
}

/// A peer that waits for one party hears at once when another gives up.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nobody_waits_for_a_silent_peer_when_another_has_given_up() {
    let meshes = connected(3).await;
    meshes[0].send(2, Kind::Standing, vec![7]).await.unwrap();
    assert_eq!(meshes[2].receive(0).await.unwrap().body, [7]);
    meshes[1].abort("its budget refused the run").await;
    let error = meshes[2].receive(0).await.err().unwrap();
    assert!(matches!(&error, LinkError::Aborted { peer, .. } if peer == "party-1"), "{error}");
}
