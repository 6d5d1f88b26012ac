//! Connections that are cut at random points while messages flow both ways.

use crate::{LONG, meshes};
use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicU64, Ordering},
    },
    time::Duration,
};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpListener, TcpStream},
    task::JoinSet,
};
use veilgrid_party::transport::{
    Mesh,
    links::{Kind, Links, MAX_BODY},
};

/// A small generator of test choices (splitmix64); nothing here is secret.
struct Choices(u64);

impl Choices {
    fn below(&mut self, bound: u64) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        (z ^ (z >> 31)) % bound
    }
}

/// Stands before a party and cuts each connection after a random number of bytes, until it is told to stop.
struct Cutter {
    cutting: AtomicBool,
    cuts: AtomicU64,
}

impl Cutter {
    async fn serve(self: Arc<Self>, listener: TcpListener, to: String, seed: u64, most: u64) {
        let mut choices = Choices(seed);
        let mut connections = JoinSet::new();
        while let Ok((near, _)) = listener.accept().await {
            let limits = [choices.below(most), choices.below(most)];
            let (this, to) = (Arc::clone(&self), to.clone());
            connections.spawn(async move {
                let Ok(far) = TcpStream::connect(&to).await else { return };
                let (near_in, near_out) = near.into_split();
                let (far_in, far_out) = far.into_split();
                // Both directions end with the first that reaches its limit; what is under way is lost.
                tokio::select! {
                    () = this.copy(near_in, far_out, limits[0]) => {}
                    () = this.copy(far_in, near_out, limits[1]) => {}
                }
            });
        }
    }

    async fn copy(
        &self,
        mut from: impl AsyncReadExt + Unpin,
        mut to: impl AsyncWriteExt + Unpin,
        limit: u64,
    ) {
        let mut buffer = vec![0; 64 << 10];
        let mut passed = 0;
        while let Ok(count @ 1..) = from.read(&mut buffer).await {
            let left = limit.saturating_sub(passed) as usize;
            if self.cutting.load(Ordering::Relaxed) && count > left {
                let _ = to.write_all(&buffer[..left]).await;
                self.cuts.fetch_add(1, Ordering::Relaxed);
                return;
            }
            if to.write_all(&buffer[..count]).await.is_err() {
                return;
            }
            passed += count as u64;
        }
    }
}

/// Message `i` of a stream: its number, then bytes that follow from it.
fn body(stream: u64, i: u64, choices: &mut Choices) -> Vec<u8> {
    let length = match choices.below(4) {
        0 => 0,
        1 => choices.below(40),
        2 => choices.below(20_000),
        _ => choices.below(MAX_BODY as u64 - 7),
    };
    let mut body = (stream << 32 | i).to_le_bytes().to_vec();
    body.resize(8 + length as usize, (i as u8) ^ (stream as u8));
    body
}

async fn flow(mesh: Arc<Mesh>, messages: u64, seed: u64) {
    let (me, peer) = (mesh.me(), 1 - mesh.me());
    let sending = async {
        let mut choices = Choices(seed + me as u64);
        for i in 0..messages {
            mesh.send(peer, Kind::Opened, body(me as u64, i, &mut choices)).await.unwrap();
        }
    };
    let receiving = async {
        let mut choices = Choices(seed + peer as u64);
        for i in 0..messages {
            let message = mesh.receive(peer).await.unwrap();
            assert!(message.kind == Kind::Opened);
            assert!(message.body == body(peer as u64, i, &mut choices), "message {i} of seed {seed}");
        }
    };
    tokio::join!(sending, receiving);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn cut_connections_lose_and_repeat_nothing() {
    let mut cuts = 0;
    for seed in 0..4 {
        // From cuts inside the TLS handshake to cuts every few MiB.
        let most = [6_000, 50_000, 400_000, 3_000_000][seed as usize];
        let cutter = Arc::new(Cutter { cutting: AtomicBool::new(false), cuts: AtomicU64::new(0) });
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let front = listener.local_addr().unwrap().to_string();
        let mut listener = Some(listener);
        let mut proxy = JoinSet::new();
        let ends = meshes(2, LONG, |party, address| {
            if party != 0 {
                return address;
            }
            proxy.spawn(Arc::clone(&cutter).serve(listener.take().unwrap(), address, seed, most));
            front.clone()
        })
        .await;
        cutter.cutting.store(true, Ordering::Relaxed);
        let ends: Vec<Arc<Mesh>> = ends.into_iter().map(|mesh| Arc::new(mesh.unwrap())).collect();
        let mut flows = JoinSet::new();
        for mesh in &ends {
            flows.spawn(flow(Arc::clone(mesh), 30, seed));
        }
        // Small limits would cut for ever: after a while the line holds.
        let calm = async {
            tokio::time::sleep(Duration::from_millis(500)).await;
            cutter.cutting.store(false, Ordering::Relaxed);
            std::future::pending::<()>().await;
        };
        tokio::select! {
            _ = async { while let Some(done) = flows.join_next().await { done.unwrap(); } } => {}
            () = calm => {}
        }
        let (a, b) = tokio::join!(ends[0].close(), ends[1].close());
        a.unwrap();
        b.unwrap();
        cuts += cutter.cuts.load(Ordering::Relaxed);
    }
    assert!(cuts >= 8, "only {cuts} cuts");
}
