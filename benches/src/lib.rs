//! Measuring two things beside each other, and saying so in a line that `report.py` makes a table of.

use rustix::time::{ClockId, clock_gettime};
use std::time::Instant;
use veilgrid_kernels::{Device, Level};

/// Seconds of processor time that this thread has used: what other processes do meanwhile does not count.
fn thread_seconds() -> f64 {
    let now = clock_gettime(ClockId::ThreadCPUTime);
    now.tv_sec as f64 + now.tv_nsec as f64 * 1e-9
}

/// Seconds of this thread's processor time that `work` takes.
pub fn seconds(work: impl FnOnce()) -> f64 {
    let start = thread_seconds();
    work();
    thread_seconds() - start
}

/// Seconds by the clock on the wall.
fn wall(work: &mut dyn FnMut()) -> f64 {
    let start = Instant::now();
    work();
    start.elapsed().as_secs_f64()
}

fn sorted(mut figures: Vec<f64>) -> Vec<f64> {
    figures.sort_by(f64::total_cmp);
    figures
}

/// The middle of some figures.
pub fn median(figures: Vec<f64>) -> f64 {
    let figures = sorted(figures);
    figures[figures.len() / 2]
}

/// Seconds of two things, taken in turns so that both see the same machine.
pub struct Beside {
    ours: Vec<f64>,
    peer: Vec<f64>,
}

impl Beside {
    fn of(
        rounds: usize,
        clock: fn(&mut dyn FnMut()) -> f64,
        ours: &mut dyn FnMut(),
        peer: &mut dyn FnMut(),
    ) -> Beside {
        // One round of each to warm up.
        ours();
        peer();
        let (ours, peer) = (0..rounds).map(|_| (clock(&mut *ours), clock(&mut *peer))).unzip();
        Beside { ours, peer }
    }

    /// A thread's processor time of each.
    pub fn processor(rounds: usize, mut ours: impl FnMut(), mut peer: impl FnMut()) -> Beside {
        Beside::of(rounds, |work| seconds(work), &mut ours, &mut peer)
    }

    /// The time of each by the clock on the wall.
    pub fn wall(rounds: usize, mut ours: impl FnMut(), mut peer: impl FnMut()) -> Beside {
        Beside::of(rounds, wall, &mut ours, &mut peer)
    }

    /// With the peer's seconds from elsewhere.
    #[must_use]
    pub fn with_peer(self, seconds: f64) -> Beside {
        Beside { peer: vec![seconds; self.ours.len()], ours: self.ours }
    }

    /// The median seconds of the peer.
    pub fn peer_seconds(&self) -> f64 {
        median(self.peer.clone())
    }
}

/// What a rate counts, and how many of it are one.
#[derive(Clone, Copy)]
pub struct Unit(&'static str, f64);

/// Bytes read and written.
pub const BYTES: Unit = Unit("GB/s", 1e9);
/// Bytes of a secret.
pub const SECRET: Unit = Unit("MB/s", 1e6);
/// Elements of a result.
pub const ELEMENTS: Unit = Unit("G/s", 1e9);
/// Products that are summed.
pub const PRODUCTS: Unit = Unit("G products/s", 1e9);
/// Draws of a law.
pub const SAMPLES: Unit = Unit("M samples/s", 1e6);

/// The ratio that is asked for at a level, of AVX-512 and all above it or of AVX2.
#[derive(Clone, Copy, Default)]
pub struct Wanted {
    /// From AVX-512 on.
    pub avx512: Option<f64>,
    /// By AVX2.
    pub avx2: Option<f64>,
}

impl Wanted {
    /// One of each.
    pub fn of(avx512: f64, avx2: f64) -> Wanted {
        Wanted { avx512: Some(avx512), avx2: Some(avx2) }
    }

    /// The same of both.
    pub fn both(ratio: f64) -> Wanted {
        Wanted::of(ratio, ratio)
    }
}

/// A line: what is done, to how much, beside whom.
#[derive(Clone, Copy)]
pub struct Row<'a> {
    /// The table that it belongs to.
    pub table: &'a str,
    /// What is done.
    pub work: &'a str,
    /// How much at once.
    pub size: &'a str,
    /// The other one, with its version; empty where there is none.
    pub peer: &'a str,
    /// What the rates count.
    pub unit: Unit,
    /// The ratio that is asked for.
    pub wanted: Wanted,
}

impl Row<'_> {
    /// Prints the line: both rates in the middle, their ratio, the quarters of the rounds' ratios, and what is asked for.
    /// `amounts` is what either does in a round.
    pub fn print(&self, level: Level, amounts: (usize, usize), times: &Beside) {
        let Row { table, work, size, peer, unit: Unit(unit, one), wanted } = *self;
        let rate = |amount: usize, seconds: f64| amount as f64 / seconds / one;
        let ours = rate(amounts.0, median(times.ours.clone()));
        let (theirs, of_peer, quarters) = if peer.is_empty() {
            Default::default()
        } else {
            let theirs = rate(amounts.1, times.peer_seconds());
            let rounds = times.ours.iter().zip(&times.peer);
            let ratios =
                sorted(rounds.map(|(ours, peer)| rate(amounts.0, *ours) / rate(amounts.1, *peer)).collect());
            let at = |quarter: usize| ratios[(ratios.len() - 1) * quarter / 4];
            let quarters = format!("{} to {}", ratio(at(1)), ratio(at(3)));
            (figure(theirs), ratio(ours / theirs), quarters)
        };
        let wanted = if level == Level::Avx2 { wanted.avx2 } else { wanted.avx512 };
        let wanted = wanted.map(|wanted| wanted.to_string()).unwrap_or_default();
        let ours = figure(ours);
        println!(
            "{table}\t{work}\t{size}\t{level}\t{unit}\t{ours}\t{peer}\t{theirs}\t{of_peer}\t{quarters}\t{wanted}"
        );
    }
}

/// A ratio, to the hundredth where that says something.
fn ratio(value: f64) -> String {
    if value < 20.0 { format!("{value:.2}") } else { figure(value) }
}

/// A figure with three digits.
pub fn figure(value: f64) -> String {
    let digits = 2 - value.abs().log10().floor().clamp(-3.0, 2.0) as i32;
    format!("{value:.0$}", digits as usize)
}

/// The CPU at its levels of `some`, each with one thread; of them the one that `VEILGRID_LEVEL` names, where it is set.
///
/// # Errors
/// A level that the CPU has fails its self-test.
pub fn levels(some: &[Level]) -> Result<Vec<(Level, Device)>, veilgrid_kernels::DeviceError> {
    let named = std::env::var("VEILGRID_LEVEL").ok();
    let mut devices = Vec::new();
    for level in some.iter().copied() {
        if named.as_ref().is_some_and(|named| *named != level.to_string()) {
            continue;
        }
        if level > Level::best() {
            eprintln!("{level} is left out: this machine lacks it, or is faster without");
            continue;
        }
        devices.push((level, Device::cpu_at(level)?.with_threads(1)));
    }
    Ok(devices)
}

/// The levels whose vectors differ: those above have instructions for products of matrices only.
pub const VECTORS: [Level; 2] = [Level::Avx2, Level::Avx512];

/// A crate's name with its version, as the lock file of this program has it.
pub fn crate_version(name: &str, lock: &str) -> String {
    let mut lines = lock.lines();
    lines.find(|line| *line == format!("name = \"{name}\""));
    let version = lines.next().and_then(|line| line.split('"').nth(1)).unwrap_or("of unknown version");
    format!("`{name}` {version}")
}

/// The CPU's name, as the system gives it.
pub fn cpu_name() -> String {
    let info = std::fs::read_to_string("/proc/cpuinfo").unwrap_or_default();
    let field = |name: &str| {
        let line = info.lines().find(|line| line.starts_with(name))?;
        Some(line.split_once(':')?.1.trim().to_owned())
    };
    let model = field("model name").unwrap_or_else(|| "unknown CPU".to_owned());
    match (field("cpu family"), field("model\t")) {
        (Some(family), Some(number)) => format!("{model} (family {family} model {number})"),
        _ => model,
    }
}

/// The median of some figures and their extremes, as a table's cell.
pub fn cell(figures: &[f64], digits: usize) -> String {
    let sorted = sorted(figures.to_vec());
    let (least, greatest) = (sorted[0], sorted[sorted.len() - 1]);
    format!("{:.digits$} ({least:.digits$} to {greatest:.digits$})", median(sorted))
}
