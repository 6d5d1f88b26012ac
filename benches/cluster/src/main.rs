//! Measures the operator on the control plane of KUBECONFIG: a fake kubelet plays the parties, everything else is real.
//! `make bench-cluster` prepares both. Prints Markdown; writes the same as JSON to the path that it is given.

mod bare;
mod bench;
mod figures;
mod kubelet;
mod load;
mod objects;
mod party;

use bench::Bench;
use std::{env, error::Error};

type Fallible<T> = Result<T, Box<dyn Error + Send + Sync>>;

#[tokio::main]
async fn main() -> Fallible<()> {
    let arguments: Vec<String> = env::args().skip(1).collect();
    let [operator, seed, port, out] = &arguments[..] else {
        return Err("usage: veilgrid-bench-cluster OPERATOR SEED-FILE PORT JSON".into());
    };
    let list = |name: &str, default: &str| -> Fallible<Vec<usize>> {
        let text = env::var(name).unwrap_or_else(|_| default.into());
        let numbers = text
            .split_whitespace()
            .map(|word| word.parse().map_err(|_| format!("{name}: {word:?} is no number")));
        Ok(numbers.collect::<Result<_, _>>()?)
    };
    let one = |name: &str, default: &str| -> Fallible<usize> {
        Ok(list(name, default)?.first().copied().unwrap_or(0))
    };
    let (sizes, waiting) = (list("JOBS", "1 100 1000")?, list("WAITING", "1000 2000 3000 4000 5000")?);
    let (idle, groups) = (one("IDLE_SECONDS", "60")?, one("GROUPS_BESIDE", "200")?);
    let mut bench = Bench::start(operator, seed, port.parse()?, out).await?;
    bench.alone().await?;
    bench.finish(&sizes).await?;
    bench.idle(idle).await?;
    match env::var("JOBSET") {
        Ok(peer) if !peer.is_empty() => bench.beside(&peer, port.parse::<u16>()? + 1, groups).await?,
        _ => println!("\nJobSet: skipped, JOBSET names no program."),
    }
    bench.wait(&waiting).await?;
    Ok(())
}
