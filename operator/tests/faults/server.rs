//! An API server over HTTP that does wrong when it is told to.

use crate::store::{Happened, Store, Target};
use futures::{StreamExt, stream};
use http::{Method, Request, Response};
use http_body_util::{BodyExt, StreamBody, combinators::UnsyncBoxBody};
use hyper::{
    body::{Bytes, Frame, Incoming},
    server::conn::http1,
    service::service_fn,
};
use hyper_util::rt::TokioIo;
use serde_json::{Value, json};
use std::{
    collections::{HashMap, VecDeque},
    io,
    net::SocketAddr,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};
use tokio::{net::TcpListener, task::JoinSet, time::sleep};

type Body = UnsyncBoxBody<Bytes, io::Error>;

/// What goes wrong.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Fault {
    /// An answer with this code, with `Retry-After` in seconds, and nothing is done.
    Code(u16, Option<u64>),
    /// No answer ever comes, and nothing is done.
    Hang,
    /// It is done, and the connection is closed without an answer.
    Close,
    /// It is done, and half of the answer comes and nothing more.
    Stall,
    /// It is done, and the connection is closed after half of the answer.
    Break,
    /// It is done, and the answer is whole for HTTP and half of its JSON.
    Truncate,
    /// It is done, and the answer is a page of a proxy.
    Page,
}

/// Which requests a fault meets: a word for the verb, and the plural.
pub(crate) type Met = dyn Fn(&str, &str) -> bool + Send;

#[derive(Default)]
struct State {
    store: Store,
    /// What goes wrong with the first requests of each verb and plural.
    each: Option<(Fault, usize)>,
    met: HashMap<(String, String), usize>,
    /// What goes wrong until it is cleared.
    rule: Option<(Fault, Box<Met>)>,
    /// Running watches of lower epochs end.
    epoch: u64,
}

/// The server.
#[derive(Clone)]
pub(crate) struct Server {
    state: Arc<Mutex<State>>,
    pub(crate) address: SocketAddr,
    running: Arc<Mutex<JoinSet<()>>>,
}

impl Server {
    pub(crate) async fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let address = listener.local_addr().expect("an address");
        let server = Self { state: Arc::default(), address, running: Arc::default() };
        server.listen(listener);
        server
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn listen(&self, listener: TcpListener) {
        let server = self.clone();
        self.running.lock().unwrap_or_else(PoisonError::into_inner).spawn(async move {
            let mut connections = JoinSet::new();
            loop {
                let Ok((tcp, _)) = listener.accept().await else { return };
                let server = server.clone();
                connections.spawn(async move {
                    let service = service_fn(|request| server.serve(request));
                    let _ = http1::Builder::new().serve_connection(TokioIo::new(tcp), service).await;
                });
            }
        });
    }

    /// Ends every connection and listens no more.
    pub(crate) async fn stop(&self) {
        let mut running = std::mem::take(&mut *self.running.lock().unwrap_or_else(PoisonError::into_inner));
        running.shutdown().await;
    }

    /// Listens again where it did.
    pub(crate) async fn restart(&self) {
        loop {
            if let Ok(listener) = TcpListener::bind(self.address).await {
                return self.listen(listener);
            }
            sleep(Duration::from_millis(50)).await;
        }
    }

    /// Does something with the objects, and nobody learns of it before it is done.
    pub(crate) fn change<T>(&self, change: impl FnOnce(&mut Store) -> T) -> T {
        change(&mut self.state().store)
    }

    /// Makes an object of a resource such as `apis/batch/v1/jobs`.
    pub(crate) fn make(&self, resource: &str, namespace: &str, object: Value) {
        let target = Target { resource: resource.into(), namespace: namespace.into(), ..Target::default() };
        let (code, answer) = self.change(|store| store.create(target, object));
        assert_eq!(code, 201, "{answer}");
    }

    /// The first requests of each verb and plural go wrong, so many of them.
    pub(crate) fn fail_each(&self, fault: Fault, times: usize) {
        self.state().each = Some((fault, times));
    }

    /// All that is met goes wrong until it is cleared.
    pub(crate) fn fail(&self, fault: Fault, met: impl Fn(&str, &str) -> bool + Send + 'static) {
        self.state().rule = Some((fault, Box::new(met)));
    }

    pub(crate) fn clear(&self) {
        let mut state = self.state();
        (state.each, state.rule) = (None, None);
    }

    /// How many requests met a fault.
    pub(crate) fn faults(&self) -> usize {
        self.state().met.values().sum()
    }

    /// Ends the watches that run.
    pub(crate) fn end_watches(&self) {
        self.state().epoch += 1;
    }

    fn fault(&self, verb: &str, plural: &str) -> Option<Fault> {
        let mut state = self.state();
        let by_rule = state.rule.as_ref().filter(|(_, met)| met(verb, plural)).map(|(fault, _)| *fault);
        let (fault, most) = by_rule.map(|fault| (fault, usize::MAX)).or(state.each)?;
        let met = state.met.entry((verb.into(), plural.into())).or_default();
        if *met >= most {
            return None;
        }
        *met += 1;
        Some(fault)
    }

    async fn serve(&self, request: Request<Incoming>) -> io::Result<Response<Body>> {
        let (head, body) = request.into_parts();
        let body = body.collect().await.map_err(io::Error::other)?.to_bytes();
        let query = head.uri.query().unwrap_or_default().to_owned();
        let target = Target::of(head.uri.path());
        let watches = query.contains("watch=true");
        let verb = if watches { "WATCH" } else { head.method.as_str() };
        let fault = self.fault(verb, target.plural());
        match fault {
            Some(Fault::Hang) => std::future::pending().await,
            Some(Fault::Code(code, pause)) => return Ok(refuse(code, pause)),
            _ => {}
        }
        if watches {
            return match fault {
                Some(Fault::Close) => Err(io::ErrorKind::ConnectionReset.into()),
                fault => Ok(self.watch(target, &query, fault)),
            };
        }
        let is_log = target.subresource == "log";
        let (code, answer) = if head.method == Method::GET && target.name.is_empty() {
            (200, self.list(&target, &query))
        } else {
            let kind = head.headers.get(http::header::CONTENT_TYPE);
            let applies = kind.is_some_and(|kind| kind.as_bytes().starts_with(b"application/apply-patch"));
            self.change(|store| store.answer(&head.method, target, &body, applies))
        };
        let text = match answer["log"].as_str().filter(|_| is_log) {
            Some(log) => log.to_owned(),
            None => answer.to_string(),
        };
        let half = Bytes::from(text[..text.len() / 2].to_owned());
        match fault {
            Some(Fault::Close) => Err(io::ErrorKind::ConnectionReset.into()),
            Some(Fault::Stall) => Ok(respond(code, stream::iter([Ok(half)]).chain(stream::pending()))),
            Some(Fault::Break) => {
                let reset = Err(io::ErrorKind::ConnectionReset.into());
                Ok(respond(code, stream::iter([Ok(half), reset])))
            }
            Some(Fault::Truncate) => Ok(respond(code, stream::iter([Ok(half)]))),
            Some(Fault::Page) => Ok(respond(200, stream::iter([Ok(Bytes::from("<html>welcome</html>"))]))),
            _ => Ok(respond(code, stream::iter([Ok(Bytes::from(text))]))),
        }
    }

    fn list(&self, target: &Target, query: &str) -> Value {
        self.change(|store| {
            let here = |(resource, namespace, _): &(String, String, String)| {
                *resource == target.resource && (target.namespace.is_empty() || *namespace == target.namespace)
            };
            let items = store.objects.iter().filter(|(key, object)| here(key) && selected(object, query));
            let items: Vec<&Value> = items.map(|(_, object)| object).collect();
            json!({"kind": "List", "apiVersion": "v1", "metadata": {"resourceVersion": store.version.to_string()}, "items": items})
        })
    }

    fn watch(&self, target: Target, query: &str, fault: Option<Fault>) -> Response<Body> {
        let asked = parameter(query, "resourceVersion").and_then(|version| version.parse().ok()).unwrap_or(0);
        let (server, epoch, query) = (self.clone(), self.state().epoch, query.to_owned());
        let next = move |(mut version, mut ready): (u64, VecDeque<Bytes>)| {
            let (server, target, query) = (server.clone(), target.clone(), query.clone());
            async move {
                loop {
                    if let Some(line) = ready.pop_front() {
                        return Some((Ok(line), (version, ready)));
                    }
                    {
                        let state = server.state();
                        if state.epoch != epoch {
                            return None;
                        }
                        if version < state.store.floor {
                            let gone = json!({"type": "ERROR", "object": {"kind": "Status", "code": 410, "reason": "Expired", "message": "too old"}});
                            ready.push_back(line(&gone));
                            version = u64::MAX;
                            continue;
                        }
                        let seen = |happened: &&Happened| {
                            happened.version > version
                                && happened.resource == target.resource
                                && selected(&happened.object, &query)
                        };
                        ready.extend(state.store.log.iter().filter(seen).map(|happened| {
                            line(&json!({"type": happened.kind, "object": happened.object}))
                        }));
                        version = version.max(state.store.version);
                    }
                    if ready.is_empty() {
                        sleep(Duration::from_millis(10)).await;
                    }
                }
            }
        };
        let lines = stream::unfold((asked, VecDeque::new()), next);
        match fault {
            // The first event, broken in two.
            Some(Fault::Stall) => {
                respond(200, stream::iter([Ok(Bytes::from("{\"type\":"))]).chain(stream::pending()))
            }
            Some(Fault::Break) => {
                let reset = Err(io::ErrorKind::ConnectionReset.into());
                respond(200, stream::iter([Ok(Bytes::from("{\"type\":")), reset]))
            }
            Some(Fault::Truncate) => respond(200, stream::iter([Ok(Bytes::from("{\"type\":"))])),
            Some(Fault::Page) => respond(200, stream::iter([Ok(Bytes::from("<html>\n"))])),
            _ => respond(200, lines),
        }
    }
}

fn line(event: &Value) -> Bytes {
    Bytes::from(format!("{event}\n"))
}

fn respond(
    code: u16,
    body: impl stream::Stream<Item = io::Result<Bytes>> + Send + 'static,
) -> Response<Body> {
    let mut response = Response::new(StreamBody::new(body.map(|part| part.map(Frame::data))).boxed_unsync());
    *response.status_mut() = code.try_into().expect("a code");
    response
}

fn refuse(code: u16, pause: Option<u64>) -> Response<Body> {
    let mut response = respond(code, stream::iter([Ok(Bytes::from("not now"))]));
    if let Some(pause) = pause {
        response.headers_mut().insert(http::header::RETRY_AFTER, pause.into());
    }
    response
}

fn parameter(query: &str, name: &str) -> Option<String> {
    let value = query.split('&').find_map(|part| part.strip_prefix(name)?.strip_prefix('='))?;
    Some(value.replace("%3D", "=").replace("%2C", ",").replace("%2F", "/"))
}

/// Whether the object has the labels that are asked for.
fn selected(object: &Value, query: &str) -> bool {
    let Some(labels) = parameter(query, "labelSelector") else { return true };
    labels
        .split(',')
        .filter_map(|label| label.split_once('='))
        .all(|(name, value)| object["metadata"]["labels"][name] == value)
}
