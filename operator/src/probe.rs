//! Checks an installation from inside the cluster, for `helm test`.

use kube::Client;
use std::{
    error::Error,
    io::{self, Read, Write},
    net::{TcpStream, ToSocketAddrs},
    time::Duration,
};
use tokio::{task::spawn_blocking, time::sleep};
use veilgrid_api::manifest::API_VERSION;

/// What the API server must serve.
const KINDS: [&str; 4] = ["privatejobs", "privatedatasets", "privacybudgets", "privacyclaims"];
/// How often the operator is asked, a second apart: a new Service takes a moment to lead to it.
const TRIES: usize = 20;
/// For each step of an answer.
const PATIENCE: Duration = Duration::from_secs(3);

/// Whether the operator at a URL says that it is ready, and the API server knows every kind. A line for each.
///
/// # Errors
/// What is not as it should be, and what to do.
pub async fn probe(url: &str, client: Client) -> Result<Vec<String>, Box<dyn Error>> {
    let mut answer = ask(url).await;
    for _ in 1..TRIES {
        if answer.is_ok() {
            break;
        }
        sleep(Duration::from_secs(1)).await;
        answer = ask(url).await;
    }
    let answer = answer.map_err(|error| format!("{url}: {error}; see the operator's log"))?;
    let served = client.list_api_group_resources(API_VERSION).await.map_err(|error| {
        format!("{API_VERSION} is not served: {error}; kubectl apply --server-side -f charts/veilgrid/crds")
    })?;
    let is_served = |kind: &&str| served.resources.iter().any(|resource| resource.name == **kind);
    match KINDS.iter().find(|kind| !is_served(kind)) {
        Some(kind) => {
            Err(format!("{kind} are not served: kubectl apply --server-side -f charts/veilgrid/crds").into())
        }
        None => Ok(vec![
            format!("the operator answers: {answer}"),
            format!("the API server serves {}", KINDS.join(", ")),
        ]),
    }
}

/// The body of a URL's answer, which must be 200.
async fn ask(url: &str) -> Result<String, Box<dyn Error>> {
    let uri: http::Uri = url.parse()?;
    let (Some("http"), Some(host)) = (uri.scheme_str(), uri.host()) else {
        return Err("write http://HOST:PORT/PATH".into());
    };
    let (host, port) = (host.to_owned(), uri.port_u16().unwrap_or(80));
    let request = format!("GET {} HTTP/1.1\r\nHost: {host}:{port}\r\nConnection: close\r\n\r\n", uri.path());
    let exchange = move || {
        let address = (host.as_str(), port).to_socket_addrs()?.next();
        let mut tcp = TcpStream::connect_timeout(&address.ok_or(io::ErrorKind::NotFound)?, PATIENCE)?;
        tcp.set_read_timeout(Some(PATIENCE))?;
        tcp.write_all(request.as_bytes())?;
        let mut text = String::new();
        tcp.take(1 << 16).read_to_string(&mut text)?;
        io::Result::Ok(text)
    };
    let text = spawn_blocking(exchange).await??;
    let (head, body) = text.split_once("\r\n\r\n").ok_or("an answer that is not HTTP")?;
    if head.split(' ').nth(1) != Some("200") {
        return Err(format!("{}: {}", head.lines().next().unwrap_or_default(), body.trim()).into());
    }
    Ok(body.trim().to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::server::{Served, serve};
    use std::sync::{Arc, atomic::Ordering};

    #[tokio::test]
    async fn an_operator_is_asked_whether_it_is_ready() {
        let taken = std::net::TcpListener::bind("127.0.0.1:0").and_then(|listener| listener.local_addr());
        let address = taken.expect("a port");
        let served = Arc::new(Served::default());
        let serving = tokio::spawn(serve(address, Arc::clone(&served)));
        let url = format!("http://{address}/readyz");
        while ask(&url).await.is_err_and(|error| !error.to_string().contains("caches are not filled")) {
            sleep(Duration::from_millis(10)).await;
        }
        served.reconciles.store(true, Ordering::Relaxed);
        assert_eq!(ask(&url).await.expect("an answer"), "ok");
        for wrong in ["readyz", "https://localhost/readyz"] {
            assert!(ask(wrong).await.is_err(), "{wrong}");
        }
        serving.abort();
    }
}
