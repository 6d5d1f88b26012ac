//! Peers that are absent, slow, not who they should be, or that break the rules of the wire.

use crate::{LONG, RUN, bind, certificates::Authority, config, meshes, names, raw::RawPeer};
use rcgen::date_time_ymd;
use std::time::Duration;
use tokio::{
    io::AsyncReadExt,
    net::{TcpListener, TcpStream},
    time::timeout,
};
use veilgrid_party::{
    config::TlsConfig,
    transport::{
        Mesh,
        frame::{Ack, HEADER, Hello},
        links::{Kind, LinkError, Links, MAX_BODY},
    },
};

const SHORT: Duration = Duration::from_millis(1500);

/// Two parties with these certificates; what each says.
async fn pair(tls: [TlsConfig; 2]) -> [Result<Mesh, LinkError>; 2] {
    let names = names(2);
    let bindings = [bind().await, bind().await];
    let addresses: Vec<String> = bindings.iter().map(|b| b.local_addr().to_string()).collect();
    let [a, b] = bindings;
    let [first, second] = tls;
    let (a, b) = tokio::join!(
        a.connect(config(&names, 0, &addresses, first, SHORT)),
        b.connect(config(&names, 1, &addresses, second, SHORT)),
    );
    [a, b]
}

fn error<T>(result: Result<T, LinkError>) -> LinkError {
    result.err().expect("this should have been refused")
}

#[track_caller]
fn refused(error: &LinkError, peer: &str, expected: &str) {
    let LinkError::Refused { peer: named, reason } = error else { panic!("{error}") };
    assert_eq!(named, peer, "{error}");
    assert!(reason.contains(expected), "{expected:?} is not in: {reason}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn absent_peers_are_all_named() {
    let (authority, names) = (Authority::new(), names(4));
    let binding = bind().await;
    // Nobody listens at the address of a socket that is closed again.
    let closed = bind().await.local_addr().to_string();
    let addresses = vec![closed; 4];
    let error = error(
        binding
            .connect(config(
                &names,
                1,
                &addresses,
                authority.issue(&names[1], |_| {}),
                Duration::from_millis(300),
            ))
            .await,
    );
    let LinkError::Unreachable { peer, reason } = &error else { panic!("{error}") };
    assert_eq!(peer, "party-0, party-2, party-3");
    assert!(reason.contains("party-0: no connection in 0.3 s") && reason.contains("refused"), "{reason}");
    assert!(reason.contains("party-3: it did not call in 0.3 s"), "{reason}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_peer_that_never_answers_is_unreachable() {
    let (authority, names) = (Authority::new(), names(2));
    let silent = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let addresses = vec![silent.local_addr().unwrap().to_string(), String::new()];
    let connecting = bind().await.connect(config(
        &names,
        1,
        &addresses,
        authority.issue(&names[1], |_| {}),
        Duration::from_millis(400),
    ));
    let error = error(timeout(Duration::from_secs(5), connecting).await.unwrap());
    assert!(matches!(error, LinkError::Unreachable { .. }), "{error}");
    assert!(error.to_string().contains("took too long"), "{error}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_certificate_of_another_authority_is_refused_at_both_ends() {
    let (ours, other, names) = (Authority::new(), Authority::new(), names(2));
    let right = || ours.issue(&names[0], |_| {});
    let mut wrong = other.issue(&names[1], |_| {});
    wrong.authority = right().authority;
    let (neither_believes, only_the_dialled_believes) =
        tokio::join!(pair([right(), other.issue(&names[1], |_| {})]), pair([right(), wrong]));
    let (here, there) = ("its certificate is not signed by the authority", "it believes another authority");
    let [a, b] = neither_believes.map(error);
    refused(&b, "party-0", here);
    refused(&a, "party-1", there);
    let [a, b] = only_the_dialled_believes.map(error);
    refused(&a, "party-1", here);
    refused(&b, "party-0", there);
}

/// Whoever else calls and hangs up, before it, after it and meanwhile.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_refusal_is_told_beside_callers_that_hang_up() {
    let (ours, other, names) = (Authority::new(), Authority::new(), names(2));
    let bindings = [bind().await, bind().await];
    let addresses: Vec<String> = bindings.iter().map(|b| b.local_addr().to_string()).collect();
    let [a, b] = bindings;
    let callers = async {
        loop {
            drop(TcpStream::connect(&addresses[0]).await);
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
    };
    let meshes = async {
        tokio::join!(
            a.connect(config(&names, 0, &addresses, ours.issue(&names[0], |_| {}), SHORT)),
            b.connect(config(&names, 1, &addresses, other.issue(&names[1], |_| {}), SHORT)),
        )
    };
    let (here, there) = tokio::select! { meshes = meshes => meshes, () = callers => unreachable!() };
    refused(&error(here), "party-1", "it believes another authority");
    refused(&error(there), "party-0", "its certificate is not signed by the authority");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_expired_certificate_is_refused_at_both_ends() {
    let (authority, names) = (Authority::new(), names(2));
    let issue = |party: usize, expired: bool| {
        authority.issue(&names[party], |params| {
            if expired {
                params.not_before = date_time_ymd(2001, 1, 1);
                params.not_after = date_time_ymd(2002, 1, 1);
            }
        })
    };
    let pairs =
        tokio::join!(pair([issue(0, true), issue(1, false)]), pair([issue(0, false), issue(1, true)]),);
    for (wrong, ends) in [(0, pairs.0), (1, pairs.1)] {
        let mut ends = ends.map(error);
        ends.rotate_left(wrong);
        let [wrong_end, right_end] = ends;
        refused(&right_end, &names[wrong], "its certificate has expired");
        refused(&wrong_end, &names[1 - wrong], "certificate: it is expired");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn why_a_party_was_turned_away_outlives_the_despair_of_another() {
    let (authority, names) = (Authority::new(), names(3));
    let (first, second, third) = (bind().await, bind().await, bind().await);
    let addresses: Vec<String> =
        [&first, &second, &third].map(|binding| binding.local_addr().to_string()).to_vec();
    let expired = authority.issue(&names[1], |params| {
        params.not_before = date_time_ymd(2001, 1, 1);
        params.not_after = date_time_ymd(2002, 1, 1);
    });
    let sound = |party: usize| authority.issue(&names[party], |_| {});
    let (first, _, third) = tokio::join!(
        first.connect(config(&names, 0, &addresses, sound(0), LONG)),
        async {
            let refused = second.connect(config(&names, 1, &addresses, expired, LONG)).await.map(drop);
            assert!(refused.is_err());
        },
        async {
            // Comes too late to see more of the second party than its absence, and waits the least.
            tokio::time::sleep(Duration::from_millis(500)).await;
            third.connect(config(&names, 2, &addresses, sound(2), Duration::from_secs(1))).await
        },
    );
    assert!(matches!(error(third), LinkError::Unreachable { .. }));
    refused(&error(first), "party-1", "its certificate has expired");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn another_partys_certificate_is_refused_at_both_ends() {
    let (authority, names) = (Authority::new(), names(2));
    let issue = |name: &str| authority.issue(name, |_| {});
    // Two names speak for nobody.
    let two = authority.issue(&names[1], |params| {
        params.subject_alt_names.push(rcgen::SanType::DnsName("party-2".try_into().unwrap()));
    });
    let (dialled, stranger, called, two) = tokio::join!(
        pair([issue("party-7"), issue(&names[1])]),
        pair([issue(&names[0]), issue("party-7")]),
        pair([issue(&names[0]), issue(&names[0])]),
        pair([issue(&names[0]), two]),
    );
    let [a, b] = dialled.map(error);
    refused(&b, "party-0", "its certificate is another party's: ");
    refused(&a, "party-1", "another party's");
    for ends in [stranger, called, two] {
        let [a, b] = ends.map(error);
        refused(&a, "party-1", "names no party of this job that may call here");
        refused(&b, "party-0", "it names no party that may call there");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn one_party_cannot_speak_as_another() {
    // Party 2 holds the certificate of party 1.
    let (authority, names) = (Authority::new(), names(3));
    let binding = bind().await;
    let addresses = vec![binding.local_addr().to_string(); 3];
    let connecting =
        binding.connect(config(&names, 0, &addresses, authority.issue(&names[0], |_| {}), SHORT));
    let lying = async {
        let mut peer = RawPeer::dial(&addresses[0], authority.issue(&names[1], |_| {}), &names[0]).await;
        let ours = peer.hello().await;
        peer.write(&Hello { from: 2, to: 0, epoch: 5, known_epoch: 0, next: 0, ..ours }.encode()).await;
        peer.rest().await;
    };
    let (result, ()) = tokio::join!(connecting, lying);
    let LinkError::Refused { peer, reason } = error(result) else { panic!() };
    assert_eq!(peer, "party-1, party-2");
    assert!(
        reason.contains("party-1: it called and was turned away: it says that it is party 2 of 3"),
        "{reason}"
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_peer_of_another_run_is_refused_at_both_ends() {
    let (authority, names) = (Authority::new(), names(2));
    let (a, b) = (bind().await, bind().await);
    let addresses = vec![a.local_addr().to_string(), b.local_addr().to_string()];
    let mut other = config(&names, 1, &addresses, authority.issue(&names[1], |_| {}), SHORT);
    other.run = "ff".repeat(16);
    let (a, b) = tokio::join!(
        a.connect(config(&names, 0, &addresses, authority.issue(&names[0], |_| {}), SHORT)),
        b.connect(other)
    );
    refused(&error(a), "party-1", &format!("it is in run {}, not {RUN}", "ff".repeat(16)));
    refused(&error(b), "party-0", &format!("it is in run {RUN}, not"));
}

/// A mesh of party 0, and a peer in the place of party 1 whose every byte a test writes.
async fn with_raw_peer(patience: Duration) -> (Mesh, RawPeer, Hello, impl AsyncFn() -> RawPeer) {
    let (authority, names) = (Authority::new(), names(2));
    let binding = bind().await;
    let addresses = vec![binding.local_addr().to_string(), String::new()];
    let connecting =
        binding.connect(config(&names, 0, &addresses, authority.issue(&names[0], |_| {}), patience));
    let tls = authority.issue(&names[1], |_| {});
    let (address, name) = (addresses[0].clone(), names[0].clone());
    let dial = async move || RawPeer::dial(&address, tls.clone(), &name).await;
    let greeting = async {
        let mut peer = dial().await;
        let theirs = peer.hello().await;
        let hello = Hello { from: 1, to: 0, epoch: 5, known_epoch: 0, next: 0, ..theirs };
        peer.write(&hello.encode()).await;
        (peer, hello)
    };
    let (mesh, (peer, hello)) = tokio::join!(connecting, greeting);
    (mesh.unwrap(), peer, hello, dial)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_connection_that_breaks_after_the_last_message_is_not_waited_for() {
    let (mesh, mut peer, ..) = with_raw_peer(LONG).await;
    peer.message(0, Kind::Bye, b"").await;
    assert!(mesh.receive(1).await.unwrap().kind == Kind::Bye);
    // Without a word of TLS that it ends, and with bytes unread.
    drop(peer);
    let gone = timeout(LONG / 2, mesh.receive(1)).await.unwrap().err().unwrap();
    assert!(gone.to_string().contains("it has left the job"), "{gone}");
}

/// What the mesh says of a peer that, after message 0, writes these bytes.
async fn verdict(bytes: &[u8]) -> LinkError {
    let (mesh, mut peer, ..) = with_raw_peer(SHORT).await;
    peer.message(0, Kind::Standing, b"first").await;
    peer.write(bytes).await;
    // What came before the offence counts.
    assert_eq!(mesh.receive(1).await.unwrap().body, b"first");
    let error = error(mesh.receive(1).await);
    // The peer is told, and the link stays closed.
    let told = String::from_utf8_lossy(&peer.rest().await).into_owned();
    assert!(told.contains("a peer sent"), "{told}");
    assert!(mesh.send(1, Kind::Standing, vec![]).await.is_err());
    error
}

#[track_caller]
fn violation(error: &LinkError, expected: &str) {
    assert!(matches!(error, LinkError::Violation(_)), "{error}");
    let error = error.to_string();
    assert!(error.contains(expected) && error.contains("party-1"), "{expected:?} is not in: {error}");
}

fn header(length: u32, kind: u8, sequence: u64) -> [u8; HEADER] {
    let mut bytes = [0; HEADER];
    bytes[..4].copy_from_slice(&length.to_le_bytes());
    bytes[4] = kind;
    bytes[8..].copy_from_slice(&sequence.to_le_bytes());
    bytes
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn frames_that_break_the_rules_end_the_link() {
    let seed = Kind::Seed as u8;
    violation(&verdict(&header(MAX_BODY as u32 + 1, seed, 1)).await, "1048577 bytes");
    violation(&verdict(&header(u32::MAX, seed, 1)).await, "4294967295 bytes");
    violation(&verdict(&header(0, 77, 1)).await, "unknown kind 77");
    violation(&verdict(&header(0, seed, 0)).await, "message 0 twice");
    violation(&verdict(&header(0, seed, 2)).await, "message 2 out of order, where 1 was due");
    violation(&verdict(&Ack { received: 1, taken: 0 }.encode()).await, "never sent");
    let hello =
        Hello { from: 1, to: 0, parties: 2, run: [0; 16], epoch: 5, known_epoch: 0, next: 0 }.encode();
    violation(&verdict(&hello).await, "a second hello");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nothing_comes_after_the_last_message() {
    let (mesh, mut peer, ..) = with_raw_peer(SHORT).await;
    peer.message(0, Kind::Bye, b"").await;
    peer.message(1, Kind::Seed, b"").await;
    assert!(mesh.receive(1).await.unwrap().kind == Kind::Bye);
    violation(&error(mesh.receive(1).await), "a message after its last one");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_peer_that_sends_more_than_there_is_room_for_is_stopped() {
    let (mesh, mut peer, ..) = with_raw_peer(SHORT).await;
    let body = vec![0; MAX_BODY];
    let mut sent = 0;
    while sent < 64 && peer.try_message(sent, Kind::Opened, &body).await.is_ok() {
        sent += 1;
    }
    let mut taken = 0;
    let error = loop {
        match mesh.receive(1).await {
            Ok(_) => taken += 1,
            Err(error) => break error,
        }
    };
    assert_eq!(taken, 16, "the window is 16 MiB");
    violation(&error, "more than this party has room for");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_peer_that_was_started_again_is_recognised() {
    let (mesh, peer, hello, dial) = with_raw_peer(SHORT).await;
    drop(peer);
    let mut again = dial().await;
    again.hello().await;
    again.write(&Hello { epoch: 6, ..hello }.encode()).await;
    refused(&error(mesh.receive(1).await), "party-1", "it was started again");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_peer_that_resumes_elsewhere_than_it_stopped_is_refused() {
    let (mesh, peer, hello, dial) = with_raw_peer(SHORT).await;
    drop(peer);
    let mut again = dial().await;
    assert_eq!(again.hello().await.known_epoch, hello.epoch);
    again.write(&Hello { next: 3, ..hello }.encode()).await;
    violation(&error(mesh.receive(1).await), "never sent");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_peer_that_falls_silent_is_unreachable_with_the_figures() {
    let (mesh, _peer, ..) = with_raw_peer(Duration::from_millis(400)).await;
    let error = error(timeout(Duration::from_secs(5), mesh.receive(1)).await.unwrap());
    let LinkError::Unreachable { peer, reason } = &error else { panic!("{error}") };
    assert_eq!(peer, "party-1");
    assert!(reason.contains("nothing was heard of it for 0.4 s"), "{reason}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_peer_that_sends_one_byte_at_a_time_is_unreachable() {
    let (mesh, mut peer, ..) = with_raw_peer(Duration::from_millis(400)).await;
    peer.write(&header(MAX_BODY as u32, Kind::Opened as u8, 0)).await;
    let dripping = async {
        while peer.try_write(&[0]).await.is_ok() {
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    };
    let (result, _) = tokio::join!(
        timeout(Duration::from_secs(5), mesh.receive(1)),
        timeout(Duration::from_secs(2), dripping)
    );
    assert!(matches!(error(result.unwrap()), LinkError::Unreachable { .. }));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_peer_that_lives_and_takes_nothing_in_is_unreachable() {
    let (mesh, mut peer, ..) = with_raw_peer(Duration::from_millis(400)).await;
    mesh.send(1, Kind::Standing, vec![1]).await.unwrap();
    let living = async {
        while peer.try_write(&Ack { received: 0, taken: 0 }.encode()).await.is_ok() {
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    };
    let (result, _) = tokio::join!(
        timeout(Duration::from_secs(5), mesh.receive(1)),
        timeout(Duration::from_secs(2), living)
    );
    let error = error(result.unwrap());
    assert!(error.to_string().contains("it took in none of 1 waiting messages"), "{error}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn strangers_are_dropped_and_counted_and_hold_nothing_up() {
    let mut address = String::new();
    let ends = meshes(2, LONG, |party, listening| {
        if party == 0 {
            address.clone_from(&listening);
        }
        listening
    });
    let ends: Vec<Mesh> = ends.await.into_iter().map(Result::unwrap).collect();
    // More callers that say nothing than there are places for them.
    let mut callers = Vec::new();
    for _ in 0..40 {
        callers.push(tokio::net::TcpStream::connect(&address).await.unwrap());
    }
    // Those beyond the limit are closed at once.
    let mut closed = 0;
    for caller in &mut callers {
        let mut byte = [0];
        if timeout(Duration::from_millis(20), caller.read(&mut byte))
            .await
            .is_ok_and(|r| matches!(r, Ok(0) | Err(_)))
        {
            closed += 1;
        }
    }
    assert!(closed >= 20, "{closed}");
    assert!(ends[0].refused_callers() >= closed);
    ends[0].send(1, Kind::Standing, vec![1]).await.unwrap();
    assert_eq!(ends[1].receive(0).await.unwrap().body, [1]);
}
