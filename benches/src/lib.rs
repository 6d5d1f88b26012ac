//! Measuring two things beside each other, and saying so in a table.

use rustix::time::{ClockId, clock_gettime};

/// Seconds of processor time that this thread has used: what other processes do meanwhile does not count.
fn thread_seconds() -> f64 {
    let now = clock_gettime(ClockId::ThreadCPUTime);
    now.tv_sec as f64 + now.tv_nsec as f64 * 1e-9
}

fn seconds(work: &mut dyn FnMut()) -> f64 {
    let start = thread_seconds();
    work();
    thread_seconds() - start
}

fn median(mut times: Vec<f64>) -> f64 {
    times.sort_by(f64::total_cmp);
    times[times.len() / 2]
}

/// The median seconds of `ours` and of `peer`, taken in turns so that both see the same machine, after one
/// round of each to warm up.
pub fn side_by_side(rounds: usize, mut ours: impl FnMut(), mut peer: impl FnMut()) -> (f64, f64) {
    ours();
    peer();
    let pairs = (0..rounds).map(|_| (seconds(&mut ours), seconds(&mut peer)));
    let (ours, peer) = pairs.unzip();
    (median(ours), median(peer))
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
    let mut sorted = figures.to_vec();
    sorted.sort_by(f64::total_cmp);
    let (least, greatest) = (sorted[0], sorted[sorted.len() - 1]);
    format!("{:.digits$} ({least:.digits$} to {greatest:.digits$})", median(sorted))
}
