//! One process for each party: started, introduced to each other, listened to, and stopped together.

use crate::{certs, failure::Failure, progress::Progress};
use std::{
    collections::BTreeMap,
    net::SocketAddr,
    path::{Path, PathBuf},
    process::Stdio,
    time::Duration,
};
use tokio::{
    io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader},
    process::{Child, ChildStdin, Command},
    sync::mpsc,
    time::{Instant, timeout},
};
use veilgrid_party::{config::PartyConfig, event::Event, exit::Exit};

/// How long parties may take to settle their ledgers when they are told to stop.
const GRACE: Duration = Duration::from_secs(20);
/// The most bytes of a party's standard error that are kept.
const LAST_WORDS: u64 = 16 << 10;

/// What to start.
pub(crate) struct Launch<'a> {
    pub(crate) manifest: &'a Path,
    pub(crate) job: &'a str,
    pub(crate) run: &'a str,
    pub(crate) state: &'a Path,
    pub(crate) resume: bool,
    pub(crate) names: Vec<&'a str>,
}

/// How a party's process ended.
#[derive(Debug)]
pub(crate) struct Ended {
    pub(crate) name: String,
    /// `None`: it was killed, or ended without a word.
    pub(crate) code: Option<u8>,
    /// What it said last, where it failed.
    pub(crate) message: String,
    /// The device it used, where it finished.
    pub(crate) device: String,
    /// How many had ended before it.
    pub(crate) place: usize,
}

/// The folder of a party's own files of a run.
pub(crate) fn party_out(state: &Path, name: &str, run: &str) -> PathBuf {
    state.join(name).join("results").join(run)
}

enum News {
    Said(usize, Event),
    Ended(usize, Option<u8>, String),
}

/// Runs all parties to their end. `stop` ends them early: each then releases or keeps its charge as its rules say.
///
/// # Errors
/// A process cannot be started. How those that started ended is no error here.
pub(crate) async fn launch(
    plan: Launch<'_>,
    progress: &mut Progress,
    stop: impl Future<Output = ()>,
) -> Result<Vec<Ended>, Failure> {
    let internal = |error: &dyn std::fmt::Display| {
        Failure::new(Exit::Internal, format!("a party's process cannot be started: {error}"))
    };
    let program = std::env::current_exe().map_err(|e| internal(&e))?;
    let credentials = certs::issue(&plan.names).map_err(|e| internal(&e))?;
    let (sender, mut news) = mpsc::unbounded_channel();
    let mut inputs = Vec::new();
    for (index, (name, tls)) in plan.names.iter().zip(credentials).enumerate() {
        let config = PartyConfig {
            manifest: plan.manifest.to_owned(),
            job: Some(plan.job.to_owned()),
            party: (*name).to_owned(),
            run: plan.run.to_owned(),
            state: plan.state.join(name),
            out: party_out(plan.state, name, plan.run),
            resume: plan.resume,
            begun: false,
            listen: SocketAddr::from(([127, 0, 0, 1], 0)),
            peers: BTreeMap::new(),
            tls,
            patience_seconds: 60,
            termination: None,
            print_result: false,
            store: None,
        };
        let mut child = Command::new(&program)
            .args(["party", "--config", "-"])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            // Ctrl-C at the terminal reaches this process alone, which then stops the parties in order.
            .process_group(0)
            .kill_on_drop(true)
            .spawn()
            .map_err(|e| internal(&e))?;
        let mut input = child.stdin.take().expect("it is piped");
        let text = zeroize::Zeroizing::new(serde_json::to_string(&config).map_err(|e| internal(&e))? + "\n");
        // A process that has died already says so when it is heard.
        let _ = input.write_all(text.as_bytes()).await;
        inputs.push(Some(input));
        tokio::spawn(listen(index, child, sender.clone()));
    }
    drop(sender);

    let mut ended: Vec<Option<Ended>> = plan.names.iter().map(|_| None).collect();
    let mut failures = vec![String::new(); plan.names.len()];
    let mut devices = failures.clone();
    let mut addresses = BTreeMap::new();
    tokio::pin!(stop);
    // When parties that were told to stop are waited for no longer.
    let mut patience: Option<Instant> = None;
    while ended.iter().any(Option::is_none) {
        let next = tokio::select! {
            next = news.recv() => next,
            () = &mut stop, if patience.is_none() => {
                progress.line("stopping: each party settles its ledger first");
                patience = Some(Instant::now() + GRACE);
                inputs.iter_mut().for_each(|input| *input = None);
                continue;
            }
            () = tokio::time::sleep_until(patience.unwrap_or_else(Instant::now)), if patience.is_some() => None,
        };
        let Some(next) = next else { break };
        match next {
            News::Said(party, Event::Listening { address }) => {
                addresses.insert(plan.names[party].to_owned(), address.to_string());
                if addresses.len() == plan.names.len() {
                    introduce(&addresses, &mut inputs).await;
                }
            }
            News::Said(party, Event::Progress { phase, done, total }) => {
                progress.update(party, phase, done, total);
            }
            News::Said(party, Event::Notice { message }) => {
                progress.line(&format!("{}: {message}", plan.names[party]));
            }
            // Asked for by nobody here: the files are at hand.
            News::Said(_, Event::Result { .. }) => {}
            News::Said(party, Event::Finished { device, .. }) => devices[party] = device,
            News::Said(party, Event::Failed { message, .. }) => failures[party] = message,
            News::Ended(party, code, words) => {
                let name = plan.names[party].to_owned();
                let said = std::mem::take(&mut failures[party]);
                let message = if said.is_empty() { words } else { said };
                let device = std::mem::take(&mut devices[party]);
                let place = ended.iter().flatten().count();
                ended[party] = Some(Ended { name, code, message, device, place });
                // A party that ends before it was introduced, or is killed, leaves the others nobody to wait for.
                if addresses.len() < plan.names.len() || code.is_none() {
                    inputs.iter_mut().for_each(|input| *input = None);
                }
            }
        }
    }
    progress.finish();
    let silent = |name: &&str| Ended {
        name: (*name).to_owned(),
        code: None,
        message: "did not stop in time and was killed".to_owned(),
        device: String::new(),
        place: plan.names.len(),
    };
    Ok(ended.into_iter().zip(&plan.names).map(|(one, name)| one.unwrap_or_else(|| silent(name))).collect())
}

/// Tells every party where all of them listen.
async fn introduce(addresses: &BTreeMap<String, String>, inputs: &mut [Option<ChildStdin>]) {
    let line = serde_json::to_string(addresses).expect("addresses are JSON") + "\n";
    for input in inputs.iter_mut().flatten() {
        // A process that has died already says so when it is heard.
        let _ = input.write_all(line.as_bytes()).await;
    }
}

/// Passes on what a party says until it ends, and how it ended.
async fn listen(party: usize, mut child: Child, sender: mpsc::UnboundedSender<News>) {
    let output = child.stdout.take().expect("it is piped");
    let errors = child.stderr.take().expect("it is piped");
    let words = tokio::spawn(async move {
        let mut kept = Vec::new();
        let mut errors = errors;
        // What cannot be read is not passed on; the exit code still says how it ended.
        let _ = (&mut errors).take(LAST_WORDS).read_to_end(&mut kept).await;
        let _ = tokio::io::copy(&mut errors, &mut tokio::io::sink()).await;
        String::from_utf8_lossy(&kept).trim().to_owned()
    });
    let mut lines = BufReader::new(output).lines();
    while let Ok(Some(line)) = lines.next_line().await {
        if let Ok(event) = serde_json::from_str(&line) {
            // The receiver is gone only when everything ends.
            let _ = sender.send(News::Said(party, event));
        }
    }
    let status = child.wait().await.ok();
    let code = status.and_then(|status| status.code()).and_then(|code| u8::try_from(code).ok());
    let words = timeout(Duration::from_secs(1), words).await.ok().and_then(Result::ok).unwrap_or_default();
    let _ = sender.send(News::Ended(party, code, words));
}
