//! The measurements.

mod alone;

use crate::{
    bare::Life,
    figures::{self, Figures, since},
    kubelet::Kubelet,
    load::{self, Followed},
    objects,
};
use kube::{Api, Client};
use serde_json::{Map, Value, json};
use std::{
    collections::BTreeMap,
    env,
    error::Error,
    fs,
    path::Path,
    process::{Child, Command},
    time::{Duration, Instant},
};
use veilgrid_api::{job::PrivateJob, status::Phase};

type Fallible<T> = Result<T, Box<dyn Error + Send + Sync>>;

/// How long a bare client writes, before and after what is measured.
const RAW: Duration = Duration::from_secs(5);

/// Times that are told while jobs wait: the operator's histogram, a label and its value, and what they are.
const LOOKS: [(&str, &str, &str, &str); 6] = [
    ("reconcile_seconds", "kind", "PrivateJob", "looks, PrivateJob"),
    ("reconcile_waited_seconds", "kind", "PrivateJob", "of it until the API server answered, PrivateJob"),
    ("reconcile_seconds", "kind", "PrivacyBudget", "looks, PrivacyBudget"),
    ("api_seconds", "verb", "read", "answers of the API server, read"),
    ("api_seconds", "verb", "create", "answers of the API server, create"),
    ("api_seconds", "verb", "patch", "answers of the API server, patch"),
];

/// A program, ended with the bench.
struct Program(Child);

impl Drop for Program {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// The cluster, the operator, and what was measured.
pub struct Bench {
    client: Client,
    address: String,
    operator: Program,
    followed: Followed,
    /// Processes whose time is told, by name.
    programs: BTreeMap<String, u32>,
    out: String,
    results: Map<String, Value>,
    /// What the API server has of a job's life.
    life: Option<Life>,
}

/// All counters at one moment.
struct Snapshot {
    at: Instant,
    operator: Figures,
    server: Figures,
    reads: Figures,
    processors: Figures,
}

/// What some jobs took.
struct Spent {
    seconds: f64,
    /// The operator's writes until it rested.
    operator: Figures,
    /// Everybody's until then.
    server: Figures,
    /// Everybody's until the last job's end.
    until_end: f64,
    /// Everybody's reads until then.
    reads: Figures,
    /// Seconds of processor time by program, until the last job's end.
    processors: Figures,
}

impl Bench {
    /// Starts the fake nodes and the operator.
    pub async fn start(operator: &str, seed: &str, port: u16, out: &str) -> Fallible<Self> {
        let client = Client::try_default().await?;
        Kubelet::start(client.clone(), 3).await?;
        objects::organisations(&client).await?;
        let address = format!("127.0.0.1:{port}");
        let process = Command::new(operator)
            .args(["run", "--seed-file", seed, "--party-image", "party", "--identity-source", "secret"])
            .args(["--listen", &address])
            .stderr(fs::File::create(format!("{out}.operator.log"))?)
            .spawn()?;
        let mut programs = figures::control_plane(Path::new(&env::var("D")?))?;
        programs.insert("operator".into(), process.id());
        programs.insert("bench and fake kubelet".into(), std::process::id());
        let followed = Followed::start(&client);
        let mut bench = Self {
            client,
            address,
            operator: Program(process),
            followed,
            programs,
            out: out.to_owned(),
            results: Map::new(),
            life: None,
        };
        while bench.operator_figures().await.is_err() {
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
        println!("# The operator on a control plane\n\n{}", figures::machine());
        bench.keep("machine", figures::machine().into())?;
        Ok(bench)
    }

    /// Jobs from their creation to their end, until so many have ended in all.
    pub async fn finish(&mut self, sizes: &[usize]) -> Fallible<()> {
        println!(
            "\n| jobs | s | jobs/s | the operator's writes a job | of raw | all writes a job | of raw | raw, writes/s | of bare | bare, jobs/s | RSS, MiB | load |"
        );
        println!("|---|---|---|---|---|---|---|---|---|---|---|---|");
        let (mut made, mut rows, mut last) = (0, Vec::new(), None);
        for size in sizes {
            let count = size.saturating_sub(made).max(1);
            let load = figures::load();
            let before = (load::raw(&self.client, RAW).await?, self.bare().await?);
            let spent = self.run("load", made, count).await?;
            let raw = (before.0 + load::raw(&self.client, RAW).await?) / 2.0;
            let bare = (before.1 + self.bare().await?) / 2.0;
            made += count;
            let (ours, all) = (sum(&spent.operator) / count as f64, sum(&spent.server) / count as f64);
            let rate = count as f64 / spent.seconds;
            let (share, share_of_all) = (ours * rate / raw, spent.until_end / spent.seconds / raw);
            let resident = self.resident()?;
            println!(
                "| {count} more, {made} in all | {:.1} | {rate:.2} | {ours:.2} | {:.0} % | {all:.1} | {:.0} % | {raw:.0} | {:.0} % | {bare:.2} | {:.1} | {load} |",
                spent.seconds,
                100.0 * share,
                100.0 * share_of_all,
                100.0 * rate / bare,
                resident / 1024.0
            );
            rows.push(json!({
                "jobs": count, "all": made, "seconds": spent.seconds, "raw": raw, "bareJobs": bare, "residentKiB": resident, "load": load,
                "operatorWrites": spent.operator, "allWrites": spent.server, "writesUntilEnd": spent.until_end,
                "processorSeconds": spent.processors,
            }));
            self.keep("finished", json!(rows))?;
            last = Some((count, spent));
        }
        let Some((count, spent)) = last else { return Ok(()) };
        println!();
        table("the operator's write, in the last row", &spent.operator, count);
        println!();
        table("anybody's write, in the last row", &spent.server, count);
        println!();
        table("anybody's read, in the last row", &spent.reads, count);
        println!();
        table("processor time in the last row, s", &spent.processors, count);
        Ok(())
    }

    /// What the operator does when there is nothing to do.
    pub async fn idle(&mut self, seconds: usize) -> Fallible<()> {
        let process = self.operator.0.id();
        let (before, used) = (self.operator_figures().await?, figures::processor(process)?);
        tokio::time::sleep(Duration::from_secs(seconds as u64)).await;
        let used = figures::processor(process)? - used;
        let grown = since(&before, &self.operator_figures().await?);
        let wrote = sum(&figures::operator_writes(&grown));
        let share = 100.0 * used / seconds.max(1) as f64;
        println!("\nIdle for {seconds} s with these finished jobs: {wrote} writes, {share:.2} % of a core.");
        self.keep("idle", json!({"seconds": seconds, "writes": wrote, "corePercent": share}))
    }

    /// Groups of three pods, started by the peer and by the operator in turns.
    pub async fn beside(&mut self, peer: &str, port: u16, count: usize) -> Fallible<()> {
        let address = format!("127.0.0.1:{port}");
        let log = fs::File::create(format!("{}.jobset.log", self.out))?;
        let process =
            Command::new(peer).arg(format!("--metrics-bind-address={address}")).stderr(log).spawn()?;
        self.programs.insert("JobSet".into(), process.id());
        let _peer = Program(process);
        while figures::client_writes(&address).await.is_err() {
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
        self.followed.follow_groups(&self.client);
        println!(
            "\n| {count} groups of three pods | s | groups/s | the controller's writes a group | of raw | all writes a group | of raw | raw, writes/s |"
        );
        println!("|---|---|---|---|---|---|---|---|");
        let mut rows = Vec::new();
        let mut raw = load::raw(&self.client, RAW).await?;
        for turn in 0..2 {
            for name in ["JobSet", "Veilgrid"] {
                let before = figures::client_writes(&address).await?;
                let spent = match name {
                    "JobSet" => self.run_groups(turn * count, count).await?,
                    _ => self.run("beside", turn * count, count).await?,
                };
                let wrote = match name {
                    "JobSet" => figures::client_writes(&address).await? - before,
                    _ => sum(&spent.operator),
                };
                let after = load::raw(&self.client, RAW).await?;
                let mean = (raw + after) / 2.0;
                raw = after;
                let (own, all) = (wrote / count as f64, sum(&spent.server) / count as f64);
                let rate = count as f64 / spent.seconds;
                println!(
                    "| {name} | {:.1} | {rate:.2} | {own:.2} | {:.0} % | {all:.1} | {:.0} % | {mean:.0} |",
                    spent.seconds,
                    100.0 * own * rate / mean,
                    100.0 * spent.until_end / spent.seconds / mean,
                );
                rows.push(json!({
                    "name": name, "groups": count, "seconds": spent.seconds, "raw": mean, "ownWrites": wrote,
                    "allWrites": spent.server, "writesUntilEnd": spent.until_end, "processorSeconds": spent.processors,
                }));
                self.keep("beside", json!(rows))?;
            }
        }
        self.programs.remove("JobSet");
        Ok(())
    }

    /// Jobs that wait for approval, until there are so many; what a look takes while they come and while others run beside them.
    pub async fn wait(&mut self, sizes: &[usize]) -> Fallible<()> {
        let mut points = vec![json!([0, self.resident()?])];
        let mut waiting = 0;
        println!("\n| times | p50, ms | p99, ms | load |\n|---|---|---|---|");
        for (index, size) in sizes.iter().enumerate() {
            let before = self.operator_figures().await?;
            self.submit("wait", waiting, size.saturating_sub(waiting), "guarded").await?;
            self.followed.comes("wait", Phase::AwaitingApproval, *size).await?;
            waiting = *size;
            self.rest(&before).await?;
            points.push(json!([waiting, self.resident()?]));
            let full = self.operator_figures().await?;
            self.looks(&format!("{waiting} wait: they come"), &since(&before, &full))?;
            if index == 0 {
                // A steady stream, not a flood: eight at a time.
                for turn in 0..13 {
                    self.submit("among", 8 * turn, 8, "patients").await?;
                    self.followed.comes("among", Phase::Succeeded, 8 * (turn + 1)).await?;
                }
                self.looks(
                    &format!("{waiting} wait: others run, eight at a time"),
                    &since(&full, &self.operator_figures().await?),
                )?;
            }
        }
        println!("\n| jobs that wait | RSS, MiB | KiB for each |\n|---|---|---|");
        let first = points[0][1].as_f64().unwrap_or(0.0);
        for point in &points {
            let (count, resident) = (point[0].as_f64().unwrap_or(0.0), point[1].as_f64().unwrap_or(0.0));
            println!("| {count} | {:.1} | {:.1} |", resident / 1024.0, (resident - first) / count.max(1.0));
        }
        self.keep("waitingKiB", json!(points))
    }

    fn looks(&mut self, what: &str, grown: &Figures) -> Fallible<()> {
        let load = figures::load();
        for (name, key, value, title) in LOOKS {
            let [p50, p99] =
                [0.5, 0.99].map(|share| 1000.0 * figures::quantile(grown, name, (key, value), share));
            println!("| {title}, {what} | {p50:.0} | {p99:.0} | {load} |");
            self.keep(&format!("{title}, {what}"), json!([p50, p99]))?;
        }
        Ok(())
    }

    /// Jobs a second of a client that only writes what a job's life does.
    async fn bare(&self) -> Fallible<f64> {
        match &self.life {
            Some(life) => life.lived(&self.client, RAW).await,
            None => Err("no job's life was seen".into()),
        }
    }

    async fn submit(&self, prefix: &str, first: usize, count: usize, dataset: &str) -> Fallible<()> {
        let jobs: Api<PrivateJob> = Api::namespaced(self.client.clone(), objects::HOME);
        let names = (first..first + count).map(|number| format!("{prefix}-{number}")).collect();
        load::submit(&jobs, names, |name| objects::job(name, dataset)).await
    }

    async fn run(&self, prefix: &str, first: usize, count: usize) -> Fallible<Spent> {
        let before = self.snapshot().await?;
        let names = format!("{prefix}-");
        let (submitted, ended) = tokio::join!(
            self.submit(prefix, first, count, "patients"),
            self.followed.comes(&names, Phase::Succeeded, first + count)
        );
        submitted.and(ended)?;
        self.spent(before).await
    }

    async fn run_groups(&self, first: usize, count: usize) -> Fallible<Spent> {
        let before = self.snapshot().await?;
        let (api, names) = (
            objects::groups(&self.client),
            (first..first + count).map(|number| format!("group-{number}")).collect(),
        );
        let (submitted, ended) = tokio::join!(
            load::submit(&api, names, objects::group),
            self.followed.comes("group-", Phase::Succeeded, first + count)
        );
        submitted.and(ended)?;
        self.spent(before).await
    }

    async fn spent(&self, before: Snapshot) -> Fallible<Spent> {
        let ended = self.snapshot().await?;
        self.rest(&ended.operator).await?;
        let rested = self.snapshot().await?;
        Ok(Spent {
            seconds: ended.at.duration_since(before.at).as_secs_f64(),
            operator: figures::operator_writes(&since(&before.operator, &rested.operator)),
            server: since(&before.server, &rested.server),
            until_end: sum(&since(&before.server, &ended.server)),
            reads: since(&before.reads, &ended.reads),
            processors: since(&before.processors, &ended.processors),
        })
    }

    /// Waits until neither the operator nor anybody else writes for three seconds; two minutes at most.
    async fn rest(&self, before: &Figures) -> Fallible<()> {
        let mut last = (since(before, before), Figures::new());
        for _ in 0..40 {
            tokio::time::sleep(Duration::from_secs(3)).await;
            let operator = figures::operator_writes(&self.operator_figures().await?);
            let now = (operator, figures::server_requests(&self.client).await?.0);
            if now == last {
                return Ok(());
            }
            last = now;
        }
        Ok(())
    }

    async fn snapshot(&self) -> Fallible<Snapshot> {
        let at = Instant::now();
        let processors =
            self.programs.iter().filter_map(|(name, id)| Some((name.clone(), figures::processor(*id).ok()?)));
        let processors = processors.collect();
        let (server, reads) = figures::server_requests(&self.client).await?;
        Ok(Snapshot { at, operator: self.operator_figures().await?, server, reads, processors })
    }

    async fn operator_figures(&self) -> Fallible<Figures> {
        figures::metrics(&self.address, "veilgrid_").await
    }

    fn resident(&self) -> Fallible<f64> {
        figures::resident(self.operator.0.id())
    }

    fn keep(&mut self, name: &str, value: Value) -> Fallible<()> {
        self.results.insert(name.into(), value);
        Ok(fs::write(&self.out, serde_json::to_string_pretty(&self.results)? + "\n")?)
    }
}

fn sum(figures: &Figures) -> f64 {
    figures.values().sum::<f64>() + 0.0
}

fn table(title: &str, figures: &Figures, count: usize) {
    println!("| {title} | a job |\n|---|---|");
    for (name, value) in figures {
        println!("| {name} | {:.2} |", value / count as f64);
    }
    println!("| all | {:.2} |", sum(figures) / count as f64);
}
