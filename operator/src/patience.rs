//! No request waits for ever: an answer must be there in time, and a watch must say something now and then. What goes wrong is counted.
//!
//! The client itself has no such bounds: on a connection that died without a word it would wait until the process ends.

use crate::metrics::Metrics;
use http::{HeaderMap, Request, Response, StatusCode, header::RETRY_AFTER};
use http_body_util::{BodyExt, Either, Full, Limited};
use hyper::body::{Body, Bytes, Frame};
use std::{
    future::Future,
    io,
    pin::Pin,
    sync::Arc,
    task::{Context, Poll, ready},
    time::Duration,
};
use tokio::time::{Instant, Sleep, sleep, timeout};
use tower::{BoxError, Layer, Service};

/// Bytes of an answer that is no watch.
const LARGEST: usize = 256 << 20;
/// What is watched, as in a request's path.
const WATCHED: [&str; 10] = [
    "privatejobs",
    "privatedatasets",
    "privacybudgets",
    "privacyclaims",
    "jobs",
    "pods",
    "podcertificaterequests",
    "networkpolicies",
    "services",
    "serviceaccounts",
];

/// How long is waited for what.
#[derive(Clone, Copy, Debug)]
pub struct Patience {
    /// For an answer, to its last byte.
    pub answer: Duration,
    /// For the next word of a watch. An API server bookmarks each about once a minute.
    pub silence: Duration,
    /// At most, where the API server asks for a pause.
    pub pause: Duration,
}

impl Default for Patience {
    fn default() -> Self {
        Self {
            answer: Duration::from_secs(30),
            silence: Duration::from_secs(90),
            pause: Duration::from_secs(10),
        }
    }
}

/// Puts [`Patient`] under a client.
#[derive(Clone)]
pub struct PatienceLayer {
    patience: Patience,
    metrics: Arc<Metrics>,
}

impl PatienceLayer {
    /// Counts into `metrics`.
    pub fn new(patience: Patience, metrics: Arc<Metrics>) -> Self {
        Self { patience, metrics }
    }
}

impl<S> Layer<S> for PatienceLayer {
    type Service = Patient<S>;

    fn layer(&self, inner: S) -> Patient<S> {
        Patient { inner, layer: self.clone() }
    }
}

/// A service whose patience has an end.
#[derive(Clone)]
pub struct Patient<S> {
    inner: S,
    layer: PatienceLayer,
}

impl<S, B, C> Service<Request<B>> for Patient<S>
where
    S: Service<Request<B>, Response = Response<C>, Error = BoxError>,
    S::Future: Send + 'static,
    C: Body<Data = Bytes, Error = BoxError> + Send + Unpin + 'static,
{
    type Response = Response<Either<Full<Bytes>, Heard<C>>>;
    type Error = BoxError;
    type Future = Pin<Box<dyn Future<Output = Result<Self::Response, BoxError>> + Send>>;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), BoxError>> {
        self.inner.poll_ready(cx)
    }

    fn call(&mut self, request: Request<B>) -> Self::Future {
        let layer = self.layer.clone();
        let watched = watched(request.uri());
        let answer = self.inner.call(request);
        Box::pin(async move {
            let limit = layer.patience.answer;
            let answered = timeout(limit, layer.receive(answer, watched)).await.unwrap_or_else(|_| {
                let text = format!("no answer within {} s", limit.as_secs_f32());
                Err(io::Error::new(io::ErrorKind::TimedOut, text).into())
            });
            if let Some(trouble) = trouble(&answered) {
                layer.metrics.trouble(trouble);
            }
            answered
        })
    }
}

impl PatienceLayer {
    async fn receive<C>(
        &self,
        answer: impl Future<Output = Result<Response<C>, BoxError>>,
        watched: Option<&'static str>,
    ) -> Result<Response<Either<Full<Bytes>, Heard<C>>>, BoxError>
    where
        C: Body<Data = Bytes, Error = BoxError> + Send + Unpin + 'static,
    {
        let (head, body) = answer.await?.into_parts();
        if let Some(resource) = watched.filter(|_| head.status.is_success()) {
            return Ok(Response::from_parts(head, Either::Right(Heard::new(body, resource, self.clone()))));
        }
        let bytes = Limited::new(body, LARGEST).collect().await?.to_bytes();
        if let Some(pause) = asked(head.status, &head.headers) {
            sleep(pause.min(self.patience.pause)).await;
        }
        Ok(Response::from_parts(head, Either::Left(Full::new(bytes))))
    }
}

/// The pause that the API server asks for. Who is told to come again later holds its place among those who look meanwhile, so that
/// all of them together become slower.
fn asked(status: StatusCode, headers: &HeaderMap) -> Option<Duration> {
    let busy = matches!(status, StatusCode::TOO_MANY_REQUESTS | StatusCode::SERVICE_UNAVAILABLE);
    let seconds = headers.get(RETRY_AFTER).filter(|_| busy)?.to_str().ok()?.parse().ok()?;
    Some(Duration::from_secs(seconds))
}

/// What went wrong with a request, in one word; nothing where the answer is one that the operator asked for.
fn trouble<C>(answered: &Result<Response<C>, BoxError>) -> Option<&'static str> {
    match answered {
        Err(error) if is_late(&**error) => Some("timeout"),
        Err(_) => Some("connection"),
        Ok(answer) => match answer.status().as_u16() {
            409 => Some("conflict"),
            410 => Some("gone"),
            429 => Some("too_many_requests"),
            500..=599 => Some("server"),
            _ => None,
        },
    }
}

/// Whether the error says that the API server did not answer in time.
pub fn is_late(error: &(dyn std::error::Error + 'static)) -> bool {
    error.downcast_ref::<io::Error>().is_some_and(|error| error.kind() == io::ErrorKind::TimedOut)
}

/// What a request watches, if it does.
fn watched(uri: &http::Uri) -> Option<&'static str> {
    let asks = uri.query()?.split('&').any(|part| matches!(part, "watch=true" | "watch=1"));
    let named = uri.path().rsplit('/').next().filter(|_| asks)?;
    Some(WATCHED.into_iter().find(|resource| *resource == named).unwrap_or("other"))
}

/// The body of a watch, which ends when nothing comes for too long.
pub struct Heard<C> {
    body: C,
    resource: &'static str,
    layer: PatienceLayer,
    quiet: Pin<Box<Sleep>>,
    over: bool,
}

impl<C> Heard<C> {
    fn new(body: C, resource: &'static str, layer: PatienceLayer) -> Self {
        layer.metrics.heard(resource);
        Self { body, resource, quiet: Box::pin(sleep(layer.patience.silence)), layer, over: false }
    }
}

impl<C: Body<Data = Bytes, Error = BoxError> + Unpin> Body for Heard<C> {
    type Data = Bytes;
    type Error = BoxError;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, BoxError>>> {
        if self.over {
            return Poll::Ready(None);
        }
        let silence = self.layer.patience.silence;
        if let Poll::Ready(frame) = Pin::new(&mut self.body).poll_frame(cx) {
            self.quiet.as_mut().reset(Instant::now() + silence);
            self.layer.metrics.heard(self.resource);
            return Poll::Ready(frame);
        }
        ready!(self.quiet.as_mut().poll(cx));
        self.over = true;
        self.layer.metrics.trouble("silence");
        // An end, and no error: the watch goes on at once from where it was.
        tracing::info!(
            resource = self.resource,
            seconds = silence.as_secs(),
            "a watch said nothing and begins anew"
        );
        Poll::Ready(None)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn watches_are_told_from_lists() {
        let named = |text: &str| watched(&text.parse().expect("a URI"));
        assert_eq!(named("/api/v1/namespaces/a/pods?labelSelector=x&watch=true"), Some("pods"));
        assert_eq!(
            named("/apis/veilgrid.dev/v1alpha1/privatejobs?watch=true&resourceVersion=1"),
            Some("privatejobs")
        );
        assert_eq!(named("/api/v1/strange?watch=true"), Some("other"));
        assert_eq!((named("/api/v1/pods?limit=500"), named("/api/v1/pods")), (None, None));
    }

    #[test]
    fn a_pause_is_made_for_who_is_busy() {
        let mut headers = HeaderMap::new();
        assert_eq!(asked(StatusCode::TOO_MANY_REQUESTS, &headers), None);
        headers.insert(RETRY_AFTER, "7".parse().expect("a value"));
        assert_eq!(asked(StatusCode::TOO_MANY_REQUESTS, &headers), Some(Duration::from_secs(7)));
        assert_eq!(asked(StatusCode::OK, &headers), None);
        headers.insert(RETRY_AFTER, "Wed, 21 Oct 2026 07:28:00 GMT".parse().expect("a value"));
        assert_eq!(asked(StatusCode::SERVICE_UNAVAILABLE, &headers), None);
    }
}
