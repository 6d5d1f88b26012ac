//! `veilgrid run`: a whole job on this machine, a process for each party.

use crate::{
    failure::Failure,
    faults,
    launch::{self, Ended, Launch},
    progress::Progress,
    report::{self, Left},
    state::{Run, Status},
    table,
};
use clap::Args;
use std::{
    fs,
    io::{self, Write},
    path::{Path, PathBuf},
};
use veilgrid_api::{manifest::Manifest, plan::Plan, planner};
use veilgrid_party::{decode::Answers, exit::Exit, ledger::Ledger, receipt::Receipt};

/// Runs a job on this machine, one process for each party, and prints what they learn together
///
/// The budget of every dataset is charged for each run. A run that would overspend one is refused and computes nothing.
#[derive(Args)]
#[command(after_help = "Examples:
  veilgrid run examples/hospitals/job.yaml
  veilgrid run job.yaml --state /var/lib/veilgrid --out today
  veilgrid run job.yaml --resume     # after a crash: charges nothing more

Writes OUT/result.json, OUT/receipt.json and OUT/report.html.
Exit codes: 0 done, 2 manifest, 3 budget, 4 rows, 5 peer, 9 interrupted,
10 resume it; all: docs/exit-codes.md")]
pub(crate) struct RunArgs {
    /// The manifest: PrivateJob, PrivateDatasets and PrivacyBudgets
    #[arg(value_name = "FILE")]
    file: PathBuf,
    /// Which job, where the file holds several
    #[arg(long, value_name = "NAME")]
    job: Option<String>,
    /// Where result, receipt and report are written
    #[arg(long, value_name = "DIR", default_value = "out")]
    out: PathBuf,
    /// What lasts from run to run: each party's identity, ledger and unfinished runs
    #[arg(long, value_name = "DIR", default_value = ".veilgrid")]
    state: PathBuf,
    /// Takes up the job's last unfinished run instead of starting a new one
    #[arg(long)]
    resume: bool,
    /// Prints one JSON object instead of bars and a table
    #[arg(long)]
    json: bool,
}

pub(crate) fn run(args: RunArgs) -> Result<(), Failure> {
    let manifest = faults::read(&args.file)?;
    let plan_of = |run: &str| {
        planner::plan(&manifest, args.job.as_deref(), run)
            .map_err(|found| faults::failure(&args.file, &found))
    };
    // Which job it is does not depend on the run's name.
    let job = plan_of(&"0".repeat(32))?.job;
    let mut run = if args.resume { Run::last_open(&args.state, &job)? } else { Run::new(job)? };
    let plan = plan_of(&run.run)?;
    writable(&args.out)?;
    run.save(&args.state)?;

    let mut progress = Progress::new(plan.parties.len(), args.json);
    let launch = Launch {
        manifest: &args.file,
        job: &plan.job,
        run: &run.run,
        state: &args.state,
        resume: args.resume,
        names: plan.parties.iter().map(|party| party.name.as_str()).collect(),
    };
    let runtime = tokio::runtime::Runtime::new()
        .map_err(|error| Failure::new(Exit::Internal, format!("no threads can be started: {error}")))?;
    let ended = runtime.block_on(launch::launch(launch, &mut progress, interrupted()))?;
    if let Some(failure) = verdict(&ended) {
        // Only when every party says that nothing was opened is there nothing to resume.
        let released = |one: &Ended| one.code.is_some_and(|code| code != Exit::Unfinished.code());
        if ended.iter().all(released) && ended.iter().all(|one| one.code != Some(0)) {
            run.status = Status::Released;
            run.save(&args.state)?;
        }
        return Err(failure);
    }
    let files = collect(&plan, &args)?;
    run.status = Status::Finished;
    run.save(&args.state)?;
    if args.json {
        return print_json(&plan, &args, &files, &ended);
    }
    print(&plan, &args, &files, &ended, elsewhere(&manifest, &plan.job).as_deref())
}

/// Makes the output folder and tries it, before anything is charged for what could not be written there.
fn writable(out: &Path) -> Result<(), Failure> {
    let probe = out.join(".writable");
    fs::create_dir_all(out)
        .and_then(|()| fs::write(&probe, []))
        .and_then(|()| fs::remove_file(&probe))
        .map_err(|error| Failure::file(out, &error, "give another --out; the run was not started"))
}

/// Done at Ctrl-C or at a request to terminate.
async fn interrupted() {
    use tokio::signal::unix::{SignalKind, signal};
    match (signal(SignalKind::interrupt()), signal(SignalKind::terminate())) {
        (Ok(mut interrupt), Ok(mut terminate)) => {
            tokio::select! { _ = interrupt.recv() => {}, _ = terminate.recv() => {} }
        }
        // Without handlers the signals end this process, and the parties stop when they notice.
        _ => std::future::pending().await,
    }
}

/// The failure of a run in which not every party finished: the cause first, then what the others say.
fn verdict(ended: &[Ended]) -> Option<Failure> {
    let mut failed: Vec<&Ended> = ended.iter().filter(|one| one.code != Some(0)).collect();
    failed.sort_by_key(|one| one.place);
    // A party that lost its peers or was told to stop only tells of another's trouble.
    let follows = |one: &&&Ended| {
        [Some(Exit::Peer.code()), Some(Exit::Interrupted.code()), Some(Exit::Unfinished.code())]
            .contains(&one.code)
    };
    let cause = failed.iter().find(|one| !follows(one)).or_else(|| {
        let unfinished = |one: &&&Ended| one.code == Some(Exit::Unfinished.code());
        failed.iter().find(unfinished).or_else(|| failed.first())
    })?;
    let words = |one: &Ended| match (one.code, one.message.is_empty()) {
        (_, false) => format!("{}: {}", one.name, one.message),
        (Some(code), true) => format!("{}: ended with exit code {code} and no word", one.name),
        (None, true) => {
            format!("{}: was killed; run again with --resume to finish or to settle its ledger", one.name)
        }
    };
    let mut message = words(cause);
    for other in failed.iter().filter(|one| one.name != cause.name) {
        message += &format!("\n  {}", words(other));
    }
    // A death without a word may have happened after the opening.
    let code = cause.code.unwrap_or(Exit::Unfinished.code());
    Some(Failure { code, message })
}

struct Files {
    answers: Answers,
    left: Vec<Left>,
}

/// Brings the recipients' result, which must be the same bytes at each, and the receipt to `out`, and draws the report.
fn collect(plan: &Plan, args: &RunArgs) -> Result<Files, Failure> {
    let read = |party: &str, name: &str| {
        let path = launch::party_out(&args.state, party, &plan.run).join(name);
        fs::read(&path).map_err(|error| Failure::file(&path, &error, "run again with --resume"))
    };
    let internal = |what: String| Failure::new(Exit::Internal, what);
    let recipients: Vec<&str> =
        plan.recipients.iter().map(|index| plan.parties[*index as usize].name.as_str()).collect();
    let first = *recipients.first().ok_or_else(|| internal("the plan has no recipient".into()))?;
    let result = read(first, "result.json")?;
    for recipient in &recipients[1..] {
        if read(recipient, "result.json")? != result {
            return Err(internal(format!(
                "{first} and {recipient} hold different results; please report it"
            )));
        }
    }
    let receipt = read(first, "receipt.json")?;
    let answers: Answers = serde_json::from_slice(&result)
        .map_err(|error| internal(format!("the result cannot be read back: {error}")))?;
    let signed: Receipt = serde_json::from_slice(&receipt)
        .map_err(|error| internal(format!("the receipt cannot be read back: {error}")))?;
    let write = |name: &str, bytes: &[u8]| {
        let path = args.out.join(name);
        fs::create_dir_all(&args.out)
            .and_then(|()| fs::write(&path, bytes))
            .map_err(|error| Failure::file(&path, &error, "give another --out; the parties keep the result"))
    };
    write("result.json", &result)?;
    write("receipt.json", &receipt)?;
    let left = left(plan, args)?;
    write("report.html", report::render(&answers, &signed, &left).as_bytes())?;
    Ok(Files { answers, left })
}

/// Where a cluster would have put the job's result, in words.
fn elsewhere(manifest: &Manifest, job: &str) -> Option<String> {
    let job = manifest.jobs.iter().find(|one| one.key() == job)?;
    job.spec.result.as_ref().map(|place| place.title())
}

/// `elsewhere`: where a cluster would have put the result.
fn print(
    plan: &Plan,
    args: &RunArgs,
    files: &Files,
    ended: &[Ended],
    elsewhere: Option<&str>,
) -> Result<(), Failure> {
    let mut text = format!("\n{}\n", table::shown(&files.answers));
    text += &format!(
        "epsilon {} and delta {} charged to each dataset's budget; what is left:\n",
        plan.epsilon, plan.delta
    );
    for (party, left) in plan.parties.iter().zip(&files.left) {
        text += &format!("  {:<16} {left}\n", party.name);
    }
    let devices: std::collections::BTreeSet<&str> = ended.iter().map(|one| one.device.as_str()).collect();
    text += &format!("computed on {}\n", devices.into_iter().collect::<Vec<_>>().join(", "));
    let out = args.out.display();
    text += &format!("written: {out}/result.json, {out}/receipt.json, {out}/report.html\n");
    if let Some(place) = elsewhere {
        text += &format!("spec.result is for a cluster, which would have put the result into {place}\n");
    }
    text += &format!("to check it: veilgrid verify {out}/receipt.json --result {out}/result.json\n");
    say(&text)
}

fn print_json(plan: &Plan, args: &RunArgs, files: &Files, ended: &[Ended]) -> Result<(), Failure> {
    let parties: Vec<_> = plan
        .parties
        .iter()
        .zip(&files.left)
        .zip(ended)
        .map(|((party, left), ended)| {
            serde_json::json!({ "name": party.name, "budget": party.budget, "left": left.to_string(), "device": ended.device })
        })
        .collect();
    let file = |name: &str| args.out.join(name);
    let summary = serde_json::json!({
        "run": plan.run,
        "job": plan.job,
        "plan": plan.hash().to_string(),
        "epsilon": plan.epsilon,
        "delta": plan.delta,
        "parties": parties,
        "result": file("result.json"),
        "receipt": file("receipt.json"),
        "report": file("report.html"),
    });
    say(&format!("{summary:#}\n"))
}

/// What is left of each party's budget.
fn left(plan: &Plan, args: &RunArgs) -> Result<Vec<Left>, Failure> {
    let manifest = faults::read(&args.file)?;
    let failed = |error: &dyn std::fmt::Display| Failure::new(Exit::State, error.to_string());
    let one = |party: &veilgrid_api::plan::PlanParty| {
        let path = args.state.join(&party.name).join(veilgrid_party::ledger::FILE);
        let ledger = Ledger::open(&path).map_err(|error| failed(&error))?;
        let balance = ledger.balance(&party.budget).map_err(|error| failed(&error))?;
        let total = manifest.budgets.iter().find(|budget| budget.key() == party.budget);
        let total = total.and_then(|budget| veilgrid_api::amount::Epsilon::from_f64(budget.spec.epsilon));
        let total =
            total.ok_or_else(|| failed(&format!("the manifest has lost the budget {}", party.budget)))?;
        let left = total.saturating_sub(balance.spent_epsilon).saturating_sub(balance.reserved_epsilon);
        Ok(Left { total, left })
    };
    plan.parties.iter().map(one).collect()
}

fn say(text: &str) -> Result<(), Failure> {
    match io::stdout().write_all(text.as_bytes()) {
        // Whoever reads has read enough.
        Err(error) if error.kind() == io::ErrorKind::BrokenPipe => Ok(()),
        Err(error) => {
            Err(Failure::file(Path::new("standard output"), &error, "the files are written all the same"))
        }
        Ok(()) => Ok(()),
    }
}
