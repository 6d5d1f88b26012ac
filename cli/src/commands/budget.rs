//! `veilgrid budget`: what is spent of each dataset's privacy, and what is left.

#[cfg(feature = "cluster")]
use crate::cluster::{self, ClusterArgs, budgets};
use crate::{failure::Failure, faults, output};
use clap::Args;
use serde::Serialize;
use std::{
    collections::BTreeMap,
    fs, io,
    path::{Path, PathBuf},
};
use veilgrid_api::{
    amount::{Delta, Epsilon},
    manifest::Manifest,
};
use veilgrid_party::{
    exit::Exit,
    ledger::{self, Balance, Entry, Ledger, LedgerError},
};

/// Shows what is spent of each dataset's privacy, what is held for unfinished runs, and what is left
///
/// The ledgers know what was charged; how much there is in all stands in the manifest. Give its FILE to see both.
#[derive(Args)]
#[cfg_attr(
    not(feature = "cluster"),
    command(after_help = "Examples:
  veilgrid budget
  veilgrid budget examples/hospitals/job.yaml --state demo-state
  veilgrid budget --state .veilgrid/north --json     # one party's own folder

`reserved` is held for a run that has not ended: `veilgrid run --resume` spends
it or gives it back. Until then it counts as spent.
Exit codes: 0 done, 2 nothing to show, 8 a damaged ledger.")
)]
#[cfg_attr(
    feature = "cluster",
    command(after_help = "Examples:
  veilgrid budget
  veilgrid budget examples/hospitals/job.yaml --state demo-state
  veilgrid budget --state .veilgrid/north --json     # one party's own folder
  veilgrid budget --cluster -n north                 # the PrivacyBudgets there
  veilgrid budget --cluster -A

`reserved` is held for a run that has not ended: `veilgrid run --resume` spends
it or gives it back, and in a cluster the operator. Until then it counts as
spent. Exit codes: 0 done, 2 nothing to show, 8 a damaged ledger, 11 the
cluster.")
)]
pub(crate) struct BudgetArgs {
    /// A manifest with the PrivacyBudgets, for totals and what remains
    #[arg(value_name = "FILE")]
    file: Option<PathBuf>,
    /// The state folder of `veilgrid run`, or of one party
    #[arg(long, value_name = "DIR", default_value = ".veilgrid")]
    state: PathBuf,
    /// Prints one JSON object instead of tables
    #[arg(long)]
    json: bool,
    /// The PrivacyBudgets of a cluster instead of the ledgers here
    #[cfg(feature = "cluster")]
    #[arg(long, conflicts_with_all = ["file", "state"])]
    cluster: bool,
    /// Those of all namespaces
    #[cfg(feature = "cluster")]
    #[arg(short = 'A', long, requires = "cluster")]
    all_namespaces: bool,
    #[cfg(feature = "cluster")]
    #[command(flatten)]
    place: ClusterArgs,
}

/// A budget at a party.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Line {
    party: String,
    /// `namespace/name`.
    budget: String,
    /// Absent where no manifest tells it.
    #[serde(skip_serializing_if = "Option::is_none")]
    total: Option<Amount>,
    spent: Amount,
    reserved: Amount,
    #[serde(skip_serializing_if = "Option::is_none")]
    remaining: Option<Amount>,
    /// Oldest first.
    entries: Vec<Entry>,
}

#[derive(Clone, Copy, Serialize)]
struct Amount {
    epsilon: Epsilon,
    delta: Delta,
}

type Totals = BTreeMap<String, Amount>;

pub(crate) fn run(args: &BudgetArgs) -> Result<(), Failure> {
    #[cfg(feature = "cluster")]
    if args.cluster {
        return in_cluster(args);
    } else if args.place.is_given() {
        let message = "--kubeconfig, --context and --namespace are of a cluster: give --cluster too";
        return Err(Failure::new(Exit::Usage, message));
    }
    let manifest = args.file.as_deref().map(faults::read).transpose()?;
    let totals = manifest.as_ref().map(totals).unwrap_or_default();
    // Every party and budget of the manifest, whether or not anything was charged to it.
    let mut known = manifest.as_ref().map(pairs).unwrap_or_default();
    let ledgers = ledgers(&args.state)?;
    if ledgers.is_empty() && manifest.is_none() {
        return Err(Failure::new(
            Exit::Usage,
            format!(
                "{} holds no ledger: nothing was charged here; give the --state folder of your runs, or a manifest",
                args.state.display()
            ),
        ));
    }
    let mut lines = Vec::new();
    for (party, path) in ledgers {
        let named = known.remove(&party).unwrap_or_default();
        lines.extend(
            booked(&party, &path, named, &totals)
                .map_err(|error| Failure::new(Exit::State, error.to_string()))?,
        );
    }
    for (party, budgets) in known {
        let untouched = budgets.into_iter().map(|budget| {
            let total = totals.get(&budget).copied();
            line(party.clone(), budget, total, &Balance::default(), Vec::new())
        });
        lines.extend(untouched);
    }
    lines.sort_by(|a, b| (&a.party, &a.budget).cmp(&(&b.party, &b.budget)));
    if args.json {
        return output::json(&serde_json::json!({ "state": args.state, "budgets": lines }));
    }
    output::say(&text(&lines, manifest.is_some()))
}

/// The budgets of a cluster.
#[cfg(feature = "cluster")]
fn in_cluster(args: &BudgetArgs) -> Result<(), Failure> {
    cluster::block_on(async {
        let place = args.place.connect().await?;
        let lines = budgets::lines(&place, args.all_namespaces).await?;
        match args.json {
            true => output::json(&serde_json::json!({ "budgets": lines })),
            false => output::say(&budgets::text(&lines)),
        }
    })
}

/// The totals of a manifest's budgets.
fn totals(manifest: &Manifest) -> Totals {
    let amounts = manifest.budgets.iter().filter_map(|budget| {
        let epsilon = Epsilon::from_f64(budget.spec.epsilon)?;
        Some((budget.key(), Amount { epsilon, delta: Delta::from_f64(budget.spec.delta)? }))
    });
    amounts.collect()
}

/// The budgets of each party that the manifest's jobs name.
fn pairs(manifest: &Manifest) -> BTreeMap<String, Vec<String>> {
    let mut pairs: BTreeMap<String, Vec<String>> = BTreeMap::new();
    for (job, party) in
        manifest.jobs.iter().flat_map(|job| job.spec.parties.iter().map(move |party| (job, party)))
    {
        let Some(dataset) = manifest.dataset_of(job, party) else { continue };
        let budget = format!("{}/{}", dataset.namespace, dataset.spec.budget);
        let budgets = pairs.entry(party.name.clone()).or_default();
        if !budgets.contains(&budget) {
            budgets.push(budget);
        }
    }
    pairs
}

/// The ledgers of a state folder: its own, or one in each party's folder.
fn ledgers(state: &Path) -> Result<Vec<(String, PathBuf)>, Failure> {
    let failed = |error: io::Error| Failure::file(state, &error, "check the path and its permissions");
    let name = |path: &Path| path.file_name().unwrap_or(path.as_os_str()).to_string_lossy().into_owned();
    let own = state.join(ledger::FILE);
    if own.is_file() {
        let path = state.canonicalize().map_err(failed)?;
        return Ok(vec![(name(&path), own)]);
    }
    let folders = match fs::read_dir(state) {
        Ok(folders) => folders,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
        Err(error) => return Err(failed(error)),
    };
    let mut ledgers = Vec::new();
    for folder in folders {
        let folder = folder.map_err(failed)?.path();
        let path = folder.join(ledger::FILE);
        // Looking must not make a ledger where there is none.
        if path.is_file() {
            ledgers.push((name(&folder), path));
        }
    }
    Ok(ledgers)
}

/// A line for each budget that the ledger has or the manifest names.
fn booked(party: &str, path: &Path, named: Vec<String>, totals: &Totals) -> Result<Vec<Line>, LedgerError> {
    let ledger = Ledger::open(path)?;
    let mut of: BTreeMap<String, Vec<Entry>> = named.into_iter().map(|budget| (budget, Vec::new())).collect();
    for entry in ledger.entries()? {
        of.entry(entry.budget.clone()).or_default().push(entry);
    }
    of.into_iter()
        .map(|(budget, entries)| {
            let balance = ledger.balance(&budget)?;
            let total = totals.get(&budget).copied();
            Ok(line(party.to_owned(), budget, total, &balance, entries))
        })
        .collect()
}

fn line(
    party: String,
    budget: String,
    total: Option<Amount>,
    balance: &Balance,
    entries: Vec<Entry>,
) -> Line {
    let spent = Amount { epsilon: balance.spent_epsilon, delta: balance.spent_delta };
    let reserved = Amount { epsilon: balance.reserved_epsilon, delta: balance.reserved_delta };
    let remaining = total.map(|total| Amount {
        epsilon: total.epsilon.saturating_sub(spent.epsilon).saturating_sub(reserved.epsilon),
        delta: total.delta.saturating_sub(spent.delta).saturating_sub(reserved.delta),
    });
    Line { party, budget, total, spent, reserved, remaining, entries }
}

fn text(lines: &[Line], totals_known: bool) -> String {
    let shown = |amount: Option<Amount>| {
        amount.map_or(["?".to_owned(), "?".to_owned()], |amount| {
            [amount.epsilon.to_string(), amount.delta.to_string()]
        })
    };
    let rows: Vec<Vec<String>> = lines
        .iter()
        .flat_map(|line| {
            let amounts = [line.total, Some(line.spent), Some(line.reserved), line.remaining].map(shown);
            ["epsilon", "delta"].into_iter().enumerate().map(move |(index, what)| {
                let first = |text: &str| if index == 0 { text.to_owned() } else { String::new() };
                let mut row = vec![first(&line.party), first(&line.budget), what.to_owned()];
                row.extend(amounts.iter().map(|pair| pair[index].clone()));
                row
            })
        })
        .collect();
    let mut text =
        output::columns(&["party", "budget", "", "total<", "spent<", "reserved<", "remaining<"], &rows);
    let entries: Vec<Vec<String>> = lines
        .iter()
        .flat_map(|line| line.entries.iter().map(move |entry| (line, entry)))
        .map(|(line, entry)| {
            vec![
                entry.since.clone(),
                line.party.clone(),
                entry.run.clone(),
                entry.job.clone(),
                entry.epsilon.to_string(),
                entry.delta.to_string(),
                entry.state.to_string(),
            ]
        })
        .collect();
    if !entries.is_empty() {
        let heads = ["time", "party", "run", "job", "epsilon<", "delta<", "state"];
        text += &format!("\n{}", output::columns(&heads, &entries));
    }
    if !totals_known {
        text += "\ntotals stand in the manifest: veilgrid budget FILE\n";
    }
    text
}
