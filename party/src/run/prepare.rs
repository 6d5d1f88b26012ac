//! What a party finds out by itself before it meets the others.

use super::{
    error::RunError,
    session::{NoFaults, Session, SumRows},
};
use crate::{
    aggregate,
    checkpoint::{CheckpointError, RunFolder, Stage},
    config::PartyConfig,
    durable,
    event::{Event, Events},
    identity::{Identity, KnownPeers},
    input::{self, InputError, Position, RowReader, Rows},
    ledger::{self, Charge, Ledger, State},
};
use std::{
    fs,
    path::Path,
    thread,
    time::{Duration, Instant},
};
use tokio::sync::watch;
use veilgrid_api::{
    amount::{Delta, Epsilon},
    job::DeviceChoice,
    manifest::{self, Manifest},
    plan::Plan,
    planner,
};
use veilgrid_kernels::{Choice, Device};
use zeroize::Zeroizing;

/// How long a run that is taken up elsewhere waits for the process that had it: without its peers that ends soon.
const PARTING: Duration = Duration::from_secs(20);
/// How often it looks.
const GLANCE: Duration = Duration::from_millis(200);

/// A party before it meets the others.
pub(super) struct Prepared<'a> {
    pub(super) session: Session<'a>,
    pub(super) known: KnownPeers,
    /// What keeps it from taking part, to be told to the others.
    pub(super) ready: Result<(), RunError>,
    /// Opens its rows, where they are needed.
    pub(super) opening: Option<Opening>,
}

/// Opens a party's rows, which may take long, and returns how to sum them.
pub(super) type Opening = Box<dyn FnOnce() -> Result<SumRows, RunError> + Send>;

/// Reads the manifest and opens the state. Nothing is booked.
///
/// # Errors
/// What cannot be told to peers, since without it there is no plan or no identity; and a run that was started before.
pub(super) fn prepare<'a>(config: &PartyConfig, events: &'a dyn Events) -> Result<Prepared<'a>, RunError> {
    let manifest = read_manifest(&config.manifest)?;
    let plan = planner::plan(&manifest, config.job.as_deref(), &config.run).map_err(RunError::Manifest)?;
    let names = || plan.parties.iter().map(|party| party.name.as_str()).collect::<Vec<_>>().join(", ");
    let me = plan.parties.iter().position(|party| party.name == config.party).ok_or_else(|| {
        RunError::Usage(format!("the job has no party {:?}; its parties are {}", config.party, names()))
    })?;
    let hash = plan.hash();
    // Looked for before anything is made there: what is made must not be taken for it the next time.
    // A ledger was there before the run's folder was.
    let began = || config.state.join(ledger::FILE).is_file() && RunFolder::is_in(&config.state, &plan.run);
    if config.begun && !began() {
        return Err(RunError::Lost(format!(
            "{} lacks the ledger or the folder of run {}, which began there",
            config.state.display(),
            plan.run
        )));
    }
    for folder in [&config.state, &config.out] {
        durable::folder(folder).map_err(|error| RunError::Output { path: folder.clone(), error })?;
    }
    let identity = Identity::open_or_create(&config.state)?;
    let known = KnownPeers::open(&config.state)?;
    let mut ledger = Ledger::open(&config.state.join(ledger::FILE))?;
    let take = || RunFolder::take(&config.state, &plan.run, &hash.to_string(), &config.party, plan.cells);
    let mut folder = take();
    let since = Instant::now();
    while config.begun && since.elapsed() < PARTING && matches!(folder, Err(CheckpointError::InUse { .. })) {
        thread::sleep(GLANCE);
        folder = take();
    }
    let folder = folder?;
    let party = &plan.parties[me];
    let charge = Charge {
        run: plan.run.clone(),
        job: plan.job.clone(),
        dataset: party.dataset.clone(),
        budget: party.budget.clone(),
        plan: hash.to_string(),
        epsilon: plan.epsilon,
        delta: plan.delta,
    };
    let total = total(&manifest, &party.budget)
        .ok_or_else(|| RunError::Internal(format!("the plan names budget {}", party.budget)))?;
    let booked = ledger.entry(&plan.run)?.map(|entry| entry.state);
    let found = match folder.load() {
        Ok(found) => found,
        // What was never opened here may be drawn again; what was cannot.
        Err(error @ CheckpointError::Damaged { .. }) if booked != Some(State::Spent) => {
            let message = format!("{error}; nothing of the run was opened, so its shares are drawn again");
            events.emit(Event::Notice { message });
            None
        }
        Err(CheckpointError::Damaged { path, reason }) => {
            return Err(RunError::Lost(format!("{} is damaged: {reason}", path.display())));
        }
        Err(error) => return Err(error.into()),
    };
    if !config.resume && (booked.is_some() || found.is_some()) {
        return Err(RunError::Usage(format!(
            "run {} was started before; add --resume to take it up, or give a new run another name",
            plan.run
        )));
    }
    let mut checkpoint = found;
    let mut sum = None;
    if let Some(found) = checkpoint.as_mut().filter(|found| found.stage >= Stage::Sealed) {
        match folder.sum(found) {
            Ok(sealed) => sum = Some(sealed),
            Err(error) => events.emit(Event::Notice { message: error.to_string() }),
        }
        // The ledger is written first: what it has as spent may be opened.
        if booked == Some(State::Spent) && found.stage == Stage::Sealed {
            found.stage = Stage::Opening;
        }
    }
    let spent = booked == Some(State::Spent)
        || checkpoint.as_ref().is_some_and(|found| found.stage >= Stage::Opening);
    let mut ready = if spent && sum.is_none() {
        Err(RunError::Lost(format!(
            "run {} is spent in this party's ledger, and its share of the noised sum is gone",
            plan.run
        )))
    } else {
        ledger.check(&charge, total).map(drop).map_err(RunError::from)
    };
    let device = ready.is_ok().then(|| open_device(&plan)).transpose();
    let device = device.unwrap_or_else(|error| {
        ready = Err(error);
        None
    });
    let opening = match &device {
        Some(device) if !spent => Some(opening(&manifest, &plan, me, config, device.clone())?),
        _ => None,
    };
    let session = Session {
        plan,
        hash,
        me,
        identity,
        ledger,
        folder,
        checkpoint,
        sum,
        charge,
        total,
        device,
        rows: None,
        out: config.out.clone(),
        events,
        faults: &NoFaults,
    };
    Ok(Prepared { session, known, ready, opening })
}

fn read_manifest(path: &Path) -> Result<Manifest, RunError> {
    let unreadable = |error| RunError::Unreadable { path: path.to_owned(), error };
    let length = fs::metadata(path).map_err(unreadable)?.len();
    if length > manifest::MAX_BYTES as u64 {
        return Err(RunError::Manifest(vec![manifest::too_large(length)]));
    }
    manifest::parse_bytes(&fs::read(path).map_err(unreadable)?).map_err(RunError::Manifest)
}

fn total(manifest: &Manifest, budget: &str) -> Option<(Epsilon, Delta)> {
    let total = manifest.budgets.iter().find(|object| object.key() == budget)?.spec.total()?;
    Some((total.epsilon, total.delta))
}

fn open_device(plan: &Plan) -> Result<Device, RunError> {
    Ok(Device::open(match plan.device {
        DeviceChoice::Auto => Choice::Auto,
        DeviceChoice::Cpu => Choice::Cpu,
        DeviceChoice::Gpu => Choice::Gpu,
    })?)
}

/// Opens the rows of a party that is ready so far, where that holds up nobody: the run can be interrupted meanwhile.
pub(super) async fn open(
    session: &mut Session<'_>,
    ready: Result<(), RunError>,
    opening: Option<Opening>,
) -> Result<(), RunError> {
    ready?;
    if let Some(opening) = opening {
        let opened = tokio::task::spawn_blocking(opening).await;
        let ended = || RunError::Internal("the opening of the rows ended without a word".into());
        session.rows = Some(opened.map_err(|_| ended())??);
    }
    Ok(())
}

fn opening(
    manifest: &Manifest,
    plan: &Plan,
    me: usize,
    config: &PartyConfig,
    device: Device,
) -> Result<Opening, RunError> {
    let source = planner::source(manifest, plan, me)
        .ok_or_else(|| RunError::Internal("the plan names a dataset of the manifest".into()))?
        .clone();
    let (plan, store) = (plan.clone(), config.store.clone());
    let folder = config.manifest.parent().unwrap_or(Path::new("")).to_owned();
    Ok(Box::new(move || {
        let reader = match store {
            Some(store) => input::open_store(&source, &store, &plan, me)?,
            None => input::open(&source, &folder, &plan, me)?,
        };
        Ok(Box::new(move |told| {
            let mut reader = Heard { reader, told: &told };
            let mut progress = |position| {
                let _ = told.send(position);
            };
            Ok(Zeroizing::new(aggregate::aggregate(&plan, &mut reader, &device, &mut progress)?))
        }))
    }))
}

/// Rows for as long as somebody waits for their sum. When nobody does any more the rest is left unread, so that an
/// interrupted run ends at once; the sum so far goes nowhere.
struct Heard<'a> {
    reader: Box<dyn RowReader>,
    told: &'a watch::Sender<Position>,
}

impl RowReader for Heard<'_> {
    fn next(&mut self, rows: &mut Rows) -> Result<bool, InputError> {
        Ok(!self.told.is_closed() && self.reader.next(rows)?)
    }

    fn position(&self) -> Position {
        self.reader.position()
    }
}
