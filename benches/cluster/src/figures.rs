//! What is read off programs and the machine.

use kube::Client;
use std::{collections::BTreeMap, error::Error, fs, path::Path};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
};

type Fallible<T> = Result<T, Box<dyn Error + Send + Sync>>;

/// Values by name and labels.
pub type Figures = BTreeMap<String, f64>;

/// What a program serves at `/metrics`, as far as the name has one of the prefixes.
pub async fn metrics(address: &str, prefix: &str) -> Fallible<Figures> {
    let mut stream = TcpStream::connect(address).await?;
    let request = format!("GET /metrics HTTP/1.0\r\nHost: {address}\r\nConnection: close\r\n\r\n");
    stream.write_all(request.as_bytes()).await?;
    let mut answer = String::new();
    stream.read_to_string(&mut answer).await?;
    Ok(figures(&answer, prefix))
}

fn figures(text: &str, prefix: &str) -> Figures {
    let lines = text.lines().filter(|line| line.starts_with(prefix));
    let figure = |line: &str| {
        let (name, value) = line.rsplit_once(' ')?;
        Some((name.to_owned(), value.parse().ok()?))
    };
    lines.filter_map(figure).collect()
}

/// What has grown since, and by how much.
pub fn since(before: &Figures, after: &Figures) -> Figures {
    after
        .iter()
        .map(|(name, value)| (name.clone(), value - before.get(name).unwrap_or(&0.0)))
        .filter(|(_, grown)| *grown > 0.0)
        .collect()
}

/// A label's value in a name with labels.
fn label<'a>(name: &'a str, key: &str) -> Option<&'a str> {
    name.split(&format!("{key}=\"")).nth(1)?.split('"').next()
}

/// The writes that the operator counted: by verb and resource.
pub fn operator_writes(figures: &Figures) -> Figures {
    let writes = figures.iter().filter(|(name, _)| name.starts_with("veilgrid_operator_api_writes_total{"));
    let named = |(name, value): (&String, &f64)| {
        Some((format!("{} {}", label(name, "verb")?, label(name, "resource")?), *value))
    };
    writes.filter_map(named).collect()
}

/// What the API server has answered, whoever asked: writes and reads, by verb, resource and subresource. Renewed leases are left out, and what
/// is posted as a question.
pub async fn server_requests(client: &Client) -> Fallible<(Figures, Figures)> {
    const QUESTIONS: [&str; 3] = ["leases", "subjectaccessreviews", "tokenreviews"];
    let text = client.request_text(http::Request::get("/metrics").body(Vec::new())?).await?;
    let (mut writes, mut reads) = (Figures::new(), Figures::new());
    for (name, value) in figures(&text, "apiserver_request_total{") {
        let (Some(verb), Some(resource)) = (label(&name, "verb"), label(&name, "resource")) else { continue };
        if resource.is_empty() || QUESTIONS.contains(&resource) {
            continue;
        }
        let asked = match verb {
            "POST" | "PUT" | "PATCH" | "APPLY" | "DELETE" | "DELETECOLLECTION" => &mut writes,
            _ => &mut reads,
        };
        let name = match label(&name, "subresource") {
            Some(part) if !part.is_empty() => format!("{verb} {resource}/{part}"),
            _ => format!("{verb} {resource}"),
        };
        *asked.entry(name).or_default() += value;
    }
    Ok((writes, reads))
}

/// The writes that a client made which counts them as client-go does.
pub async fn client_writes(address: &str) -> Fallible<f64> {
    let requests = metrics(address, "rest_client_requests_total{").await?;
    let is_write = |name: &str| label(name, "method").is_some_and(|method| method != "GET");
    Ok(requests.iter().filter(|(name, _)| is_write(name)).map(|(_, value)| value).sum())
}

/// The least bucket of one of the operator's histograms that holds this share of what was observed, in seconds: `name` without prefix, where
/// the label has the value.
pub fn quantile(grown: &Figures, name: &str, (key, value): (&str, &str), share: f64) -> f64 {
    let prefix = format!("veilgrid_operator_{name}_bucket");
    let mut buckets: Vec<(f64, f64)> = grown
        .iter()
        .filter(|(name, _)| name.starts_with(&prefix) && label(name, key) == Some(value))
        .filter_map(|(name, count)| Some((label(name, "le")?.parse().unwrap_or(f64::INFINITY), *count)))
        .collect();
    buckets.sort_by(|a, b| a.0.total_cmp(&b.0));
    let all = buckets.last().map_or(0.0, |bucket| bucket.1);
    buckets.iter().find(|bucket| bucket.1 >= share * all).map_or(f64::NAN, |bucket| bucket.0)
}

/// A process's resident memory, in KiB.
pub fn resident(process: u32) -> Fallible<f64> {
    let status = fs::read_to_string(format!("/proc/{process}/status"))?;
    let line = status.lines().find(|line| line.starts_with("VmRSS:")).ok_or("no VmRSS")?;
    Ok(line.split_whitespace().nth(1).ok_or("no figure")?.parse()?)
}

/// Seconds of processor time that a process has used; the kernel counts in hundredths.
pub fn processor(process: u32) -> Fallible<f64> {
    let stat = fs::read_to_string(format!("/proc/{process}/stat"))?;
    let fields: Vec<&str> = stat.rsplit(')').next().unwrap_or_default().split_whitespace().collect();
    let ticks = |index: usize| fields.get(index).and_then(|field| field.parse::<f64>().ok()).unwrap_or(0.0);
    Ok((ticks(11) + ticks(12)) / 100.0)
}

/// The programs of the control plane in this directory, by their names.
pub fn control_plane(directory: &Path) -> Fallible<BTreeMap<String, u32>> {
    let mut programs = BTreeMap::new();
    for entry in fs::read_dir(directory.join("pid"))? {
        let path = entry?.path();
        let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
        programs.insert(name, fs::read_to_string(&path)?.trim().parse()?);
    }
    Ok(programs)
}

/// The load average of the last minute.
pub fn load() -> String {
    let load = fs::read_to_string("/proc/loadavg").unwrap_or_default();
    load.split(' ').next().unwrap_or("?").to_owned()
}

/// The CPU's name.
pub fn machine() -> String {
    let info = fs::read_to_string("/proc/cpuinfo").unwrap_or_default();
    let field = |name: &str| {
        let line = info.lines().find(|line| line.starts_with(name))?;
        line.split(':').nth(1).map(str::trim)
    };
    format!(
        "{} (family {} model {}), {} cores, load {} before",
        field("model name").unwrap_or("unknown CPU"),
        field("cpu family").unwrap_or("?"),
        field("model\t").unwrap_or("?"),
        info.lines().filter(|line| line.starts_with("processor")).count(),
        load(),
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn figures_are_read_by_name_and_label() {
        let text =
            "# HELP x\nveilgrid_operator_api_writes_total{verb=\"create\",resource=\"jobs\"} 3\nother 1\n";
        let read = figures(text, "veilgrid_");
        assert_eq!(operator_writes(&read), Figures::from([("create jobs".into(), 3.0)]));
        let bucket = |le: &str| {
            format!("veilgrid_operator_reconcile_seconds_bucket{{le=\"{le}\",kind=\"PrivateJob\"}}")
        };
        let grown = Figures::from([(bucket("0.02"), 98.0), (bucket("0.5"), 99.0), (bucket("+Inf"), 100.0)]);
        let quantiles = [0.5, 0.99, 1.0]
            .map(|share| quantile(&grown, "reconcile_seconds", ("kind", "PrivateJob"), share));
        assert_eq!(quantiles, [0.02, 0.5, f64::INFINITY]);
    }
}
