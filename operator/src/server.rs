//! Health and figures over HTTP: `/healthz`, `/readyz`, `/metrics`.

use crate::metrics::Metrics;
use http_body_util::Full;
use hyper::{
    Request, Response, StatusCode,
    body::{Bytes, Incoming},
    server::conn::http1,
    service::service_fn,
};
use hyper_util::rt::{TokioIo, TokioTimer};
use std::{
    convert::Infallible,
    io,
    net::SocketAddr,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};
use tokio::{net::TcpListener, sync::Semaphore, time::timeout};

/// Callers at once.
const CALLERS: usize = 32;
/// How long one caller may take.
const PATIENCE: Duration = Duration::from_secs(10);

/// What is known of the process.
#[derive(Default)]
pub struct Served {
    /// The loops have started.
    pub reconciles: AtomicBool,
    /// The figures.
    pub metrics: Arc<Metrics>,
    /// Another replica leads, and this one is ready to follow.
    pub stands_by: AtomicBool,
}

/// Serves until it is dropped.
///
/// # Errors
/// The address cannot be listened on.
pub async fn serve(address: SocketAddr, served: Arc<Served>) -> io::Result<()> {
    let listener = TcpListener::bind(address).await?;
    let callers = Arc::new(Semaphore::new(CALLERS));
    loop {
        let Ok(caller) = Arc::clone(&callers).acquire_owned().await else { return Ok(()) };
        let Ok((tcp, _)) = listener.accept().await else {
            tokio::time::sleep(Duration::from_millis(50)).await;
            continue;
        };
        let served = Arc::clone(&served);
        tokio::spawn(async move {
            let service = service_fn(|request| {
                let answer = answer(&request, &served);
                async move { Ok::<_, Infallible>(answer) }
            });
            let serving = http1::Builder::new()
                .timer(TokioTimer::new())
                .keep_alive(false)
                .serve_connection(TokioIo::new(tcp), service);
            // A caller that is slow or breaks off is its own matter.
            let _ = timeout(PATIENCE, serving).await;
            drop(caller);
        });
    }
}

fn answer(request: &Request<Incoming>, served: &Served) -> Response<Full<Bytes>> {
    let is_ready = served.reconciles.load(Ordering::Relaxed);
    let stands_by = served.stands_by.load(Ordering::Relaxed);
    let (status, text) = match (request.uri().path(), is_ready) {
        ("/healthz", _) => (StatusCode::OK, "ok\n".to_owned()),
        ("/readyz", true) => (StatusCode::OK, "ok\n".to_owned()),
        ("/readyz", false) if stands_by => (StatusCode::OK, "another replica leads\n".to_owned()),
        ("/readyz", false) => (StatusCode::SERVICE_UNAVAILABLE, "the caches are not filled yet\n".to_owned()),
        ("/metrics", _) => (StatusCode::OK, served.metrics.text()),
        _ => (StatusCode::NOT_FOUND, "try /healthz, /readyz or /metrics\n".to_owned()),
    };
    let mut response = Response::new(Full::new(Bytes::from(text)));
    *response.status_mut() = status;
    response
}
