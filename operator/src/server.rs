//! Health and figures over HTTP: `/healthz`, `/readyz`, `/metrics`.

use crate::context::Context;
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
    sync::{Arc, OnceLock},
    time::Duration,
};
use tokio::{net::TcpListener, sync::Semaphore, time::timeout};

/// Callers at once.
const CALLERS: usize = 32;
/// How long one caller may take.
const PATIENCE: Duration = Duration::from_secs(10);

/// What is served: nothing but its life until the loops have started.
pub type Shared = Arc<OnceLock<Arc<Context>>>;

/// Serves until it is dropped.
///
/// # Errors
/// The address cannot be listened on.
pub async fn serve(address: SocketAddr, context: Shared) -> io::Result<()> {
    let listener = TcpListener::bind(address).await?;
    let callers = Arc::new(Semaphore::new(CALLERS));
    loop {
        let Ok(caller) = Arc::clone(&callers).acquire_owned().await else { return Ok(()) };
        let Ok((tcp, _)) = listener.accept().await else {
            tokio::time::sleep(Duration::from_millis(50)).await;
            continue;
        };
        let context = Arc::clone(&context);
        tokio::spawn(async move {
            let service = service_fn(|request| {
                let answer = answer(&request, &context);
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

fn answer(request: &Request<Incoming>, context: &Shared) -> Response<Full<Bytes>> {
    let (status, text) = match (request.uri().path(), context.get()) {
        ("/healthz", _) => (StatusCode::OK, "ok\n".to_owned()),
        ("/readyz", Some(_)) => (StatusCode::OK, "ok\n".to_owned()),
        ("/readyz", None) => (StatusCode::SERVICE_UNAVAILABLE, "the caches are not filled yet\n".to_owned()),
        ("/metrics", Some(context)) => (StatusCode::OK, context.metrics.text()),
        ("/metrics", None) => (StatusCode::OK, "# EOF\n".to_owned()),
        _ => (StatusCode::NOT_FOUND, "try /healthz, /readyz or /metrics\n".to_owned()),
    };
    let mut response = Response::new(Full::new(Bytes::from(text)));
    *response.status_mut() = status;
    response
}
