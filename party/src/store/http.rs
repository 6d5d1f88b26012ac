//! HTTP for the client of a store: hyper over rustls, as the rest of Veilgrid has them.

use super::fault::StoreFault;
use async_trait::async_trait;
use bytes::Bytes;
use hyper::body::{Body, Frame, Incoming, SizeHint};
use hyper_rustls::{HttpsConnector, HttpsConnectorBuilder};
use hyper_util::{
    client::legacy::{self, connect::HttpConnector as Tcp},
    rt::TokioExecutor,
};
use object_store::{
    ClientOptions,
    client::{
        HttpClient, HttpConnector, HttpError, HttpErrorKind, HttpRequest, HttpRequestBody, HttpResponse,
        HttpResponseBody, HttpService,
    },
};
use rustls::{
    ClientConfig, RootCertStore,
    crypto::ring,
    pki_types::{CertificateDer, pem::PemObject},
};
use std::{
    pin::Pin,
    sync::Arc,
    task::{Context, Poll, ready},
    time::Duration,
};
use tokio::time::{Instant, Sleep, sleep, timeout};

/// How long the making of a connection may take, at most.
const CONNECT: Duration = Duration::from_secs(5);

/// A client with connections of its own.
#[derive(Clone, Debug)]
pub(super) struct Http {
    client: legacy::Client<HttpsConnector<Tcp>, HttpRequestBody>,
    /// How long a server may say nothing.
    silence: Duration,
}

impl Http {
    /// `tls`: nothing is said in the clear. `authority`: PEM certificates to believe beside those that the machine believes.
    pub(super) fn new(tls: bool, authority: Option<&str>, patience: Duration) -> Result<Self, StoreFault> {
        let mut roots = RootCertStore::empty();
        roots.add_parsable_certificates(rustls_native_certs::load_native_certs().certs);
        if let Some(authority) = authority {
            let bad = || StoreFault::BadCredential("ca.crt");
            for certificate in CertificateDer::pem_slice_iter(authority.as_bytes()) {
                roots.add(certificate.map_err(|_| bad())?).map_err(|_| bad())?;
            }
        }
        if tls && roots.is_empty() {
            return Err(StoreFault::NoAuthorities);
        }
        let config = ClientConfig::builder_with_provider(Arc::new(ring::default_provider()))
            .with_safe_default_protocol_versions()
            .expect("ring has the ciphers of TLS")
            .with_root_certificates(roots)
            .with_no_client_auth();
        // What is silent is asked again before the patience is spent.
        let silence = patience / 4;
        let mut tcp = Tcp::new();
        tcp.enforce_http(false);
        tcp.set_connect_timeout(Some(CONNECT.min(silence)));
        let builder = HttpsConnectorBuilder::new().with_tls_config(config);
        let builder = if tls { builder.https_only() } else { builder.https_or_http() };
        let connector = builder.enable_http1().wrap_connector(tcp);
        Ok(Self { client: legacy::Client::builder(TokioExecutor::new()).build(connector), silence })
    }
}

impl HttpConnector for Http {
    fn connect(&self, _: &ClientOptions) -> object_store::Result<HttpClient> {
        Ok(HttpClient::new(self.clone()))
    }
}

#[async_trait]
impl HttpService for Http {
    async fn call(&self, request: HttpRequest) -> Result<HttpResponse, HttpError> {
        let answer = timeout(self.silence, self.client.request(request));
        let answer = answer.await.map_err(|elapsed| HttpError::new(HttpErrorKind::Timeout, elapsed))?;
        let answer = answer.map_err(|error| {
            let kind = if error.is_connect() { HttpErrorKind::Connect } else { HttpErrorKind::Interrupted };
            HttpError::new(kind, error)
        })?;
        Ok(answer.map(|body| {
            let silence = Box::pin(sleep(self.silence));
            HttpResponseBody::new(Timed { body, allowed: self.silence, silence })
        }))
    }
}

/// A body whose next part must come in time.
struct Timed {
    body: Incoming,
    allowed: Duration,
    silence: Pin<Box<Sleep>>,
}

/// Nothing came for too long.
#[derive(Debug, thiserror::Error)]
#[error("no answer")]
struct Silent;

impl Body for Timed {
    type Data = Bytes;
    type Error = HttpError;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, HttpError>>> {
        let Poll::Ready(frame) = Pin::new(&mut self.body).poll_frame(context) else {
            ready!(self.silence.as_mut().poll(context));
            return Poll::Ready(Some(Err(HttpError::new(HttpErrorKind::Timeout, Silent))));
        };
        let next = Instant::now() + self.allowed;
        self.silence.as_mut().reset(next);
        let interrupted = |error| HttpError::new(HttpErrorKind::Interrupted, error);
        Poll::Ready(frame.map(|frame| frame.map_err(interrupted)))
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}
