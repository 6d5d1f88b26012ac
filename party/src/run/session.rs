//! A run among parties that are linked and agreed: from standing to receipt.

use super::{
    error::RunError,
    report::{self, Outcome},
    standing::{self, Decision, Standing},
};
use crate::{
    checkpoint::{Checkpoint, RunFolder, Stage},
    decode,
    event::{Event, Events, Phase},
    identity::Identity,
    input::Position,
    ledger::{Charge, Ledger, LedgerError, State},
    protocol::{
        additive::{self, Seeds},
        noise::PlannedNoise,
    },
    receipt::signature::PartySignature,
    transport::links::Links,
};
use std::{path::PathBuf, time::Duration};
use tokio::sync::watch;
use veilgrid_api::{
    amount::{Delta, Epsilon},
    plan::{Plan, PlanHash},
};
use veilgrid_kernels::{Device, Seed};
use zeroize::Zeroizing;

/// Reads and sums this party's rows; it is told where to say how far it is, and stops when nobody listens any more.
pub(crate) type SumRows =
    Box<dyn FnOnce(watch::Sender<Position>) -> Result<Zeroizing<Vec<u64>>, RunError> + Send>;

/// How often a release that the disk refuses is tried again, and how long apart.
const RELEASES: u32 = 10;
const RELEASE_PAUSE: Duration = Duration::from_millis(200);

/// A place where a test lets a party die.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Point {
    Agreed,
    Reserved,
    Begun,
    Shared,
    Sealed,
    AllSealed,
    Spent,
    Opening,
    Opened,
    Signed,
    ResultWritten,
    ReceiptWritten,
    Done,
}

/// Decides where a party dies: in tests only.
pub(crate) trait Faults: Send + Sync {
    fn dies_at(&self, point: Point) -> bool;
}

/// Nobody dies.
pub(crate) struct NoFaults;

impl Faults for NoFaults {
    fn dies_at(&self, _: Point) -> bool {
        false
    }
}

/// Everything a party brings to a run.
pub(crate) struct Session<'a> {
    pub(crate) plan: Plan,
    pub(crate) hash: PlanHash,
    pub(crate) me: usize,
    pub(crate) identity: Identity,
    pub(crate) ledger: Ledger,
    pub(crate) folder: RunFolder,
    pub(crate) checkpoint: Option<Checkpoint>,
    /// The sum that the checkpoint has sealed, where it is sound.
    pub(crate) sum: Option<Vec<u64>>,
    pub(crate) charge: Charge,
    pub(crate) total: (Epsilon, Delta),
    /// Absent where it could not be opened; then the run never comes to need it.
    pub(crate) device: Option<Device>,
    pub(crate) rows: Option<SumRows>,
    pub(crate) out: PathBuf,
    pub(crate) events: &'a dyn Events,
    pub(crate) faults: &'a dyn Faults,
}

impl Session<'_> {
    /// The run. On an error, [`Session::settle`] must follow.
    pub(crate) async fn drive(
        &mut self,
        links: &impl Links,
        signatures: Vec<PartySignature>,
    ) -> Result<Outcome, RunError> {
        let standings = standing::exchange(links, self.standing()).await?;
        self.reach(Point::Agreed).await;
        let decision = standing::decide(&standings);
        if let Decision::Lost { attempt, party } = decision {
            let name = links.name(party);
            return Err(RunError::Lost(format!(
                "attempt {attempt} may have been opened, and party {name} no longer has its checkpoint of it"
            )));
        }
        self.ledger.reserve(&self.charge, self.total)?;
        self.reach(Point::Reserved).await;
        self.progress(Phase::Agree, 1, 1);
        let (mut checkpoint, sum) = match decision {
            Decision::Share(attempt) => self.share(links, attempt).await?,
            _ => self.sealed()?,
        };
        self.checkpoint = Some(checkpoint.clone());
        self.progress(Phase::Seal, 0, 1);
        additive::seal(links, checkpoint.attempt).await?;
        self.progress(Phase::Seal, 1, 1);
        self.reach(Point::AllSealed).await;
        self.ledger.commit(&self.charge.run)?;
        self.reach(Point::Spent).await;
        self.folder.advance(&mut checkpoint, Stage::Opening)?;
        self.reach(Point::Opening).await;
        let outcome = self.open(links, signatures, checkpoint.attempt, sum).await?;
        self.folder.advance(&mut checkpoint, Stage::Done)?;
        self.reach(Point::Done).await;
        self.progress(Phase::Report, 1, 1);
        Ok(outcome)
    }

    /// What this party tells the others. What the ledger has as spent may have been opened.
    fn standing(&self) -> Standing {
        let stage = self.checkpoint.as_ref().map(|checkpoint| checkpoint.stage);
        let stage = match stage {
            // A sum that cannot be read is as good as none.
            Some(Stage::Sealed | Stage::Opening | Stage::Done) if self.sum.is_none() => Some(Stage::Sharing),
            other => other,
        };
        let attempt = self.checkpoint.as_ref().map_or(0, |checkpoint| checkpoint.attempt);
        Standing { attempt, stage }
    }

    async fn share(&mut self, links: &impl Links, attempt: u64) -> Result<(Checkpoint, Vec<u64>), RunError> {
        let sums = self.sum_rows().await?;
        let mut checkpoint = self.folder.begin(attempt)?;
        self.reach(Point::Begun).await;
        let cells = self.plan.cells;
        self.progress(Phase::Share, 0, cells);
        let mut noise =
            PlannedNoise::new(&self.plan, Seed::random().map_err(crate::protocol::ProtocolError::from)?)?;
        let seeds = Seeds::fresh(links.me(), links.parties())?;
        let events = self.events;
        let progress = |done| events.emit(Event::Progress { phase: Phase::Share, done, total: cells });
        let sum = additive::share(links, self.device()?, attempt, sums, &mut noise, seeds, &progress).await?;
        self.reach(Point::Shared).await;
        self.folder.seal(&mut checkpoint, &sum)?;
        self.reach(Point::Sealed).await;
        Ok((checkpoint, sum))
    }

    async fn sum_rows(&mut self) -> Result<Zeroizing<Vec<u64>>, RunError> {
        let rows = self.rows.take().ok_or_else(|| RunError::Internal("rows are read once".into()))?;
        let (told, mut heard) = watch::channel(Position { done: 0, total: 0 });
        let mut work = tokio::task::spawn_blocking(move || rows(told));
        loop {
            tokio::select! {
                ended = &mut work => {
                    let sums = ended.map_err(|error| RunError::Internal(error.to_string()))??;
                    let total = heard.borrow().total.max(1);
                    self.progress(Phase::Rows, total, total);
                    return Ok(sums);
                }
                Ok(()) = heard.changed() => {
                    let Position { done, total } = *heard.borrow_and_update();
                    self.progress(Phase::Rows, done, total);
                }
            }
        }
    }

    /// What was sealed before a crash.
    fn sealed(&mut self) -> Result<(Checkpoint, Vec<u64>), RunError> {
        let found = self.checkpoint.take().zip(self.sum.take());
        for phase in [Phase::Rows, Phase::Share] {
            self.progress(phase, 1, 1);
        }
        found.ok_or_else(|| RunError::Internal("what was sealed is not at hand".into()))
    }

    async fn open(
        &mut self,
        links: &impl Links,
        signatures: Vec<PartySignature>,
        attempt: u64,
        sum: Vec<u64>,
    ) -> Result<Outcome, RunError> {
        let cells = self.plan.cells;
        self.progress(Phase::Open, 0, cells);
        let events = self.events;
        let progress = |done| events.emit(Event::Progress { phase: Phase::Open, done, total: cells });
        let recipients: Vec<usize> = self.plan.recipients.iter().map(|index| *index as usize).collect();
        let total = additive::open(links, self.device()?, attempt, &recipients, sum, &progress).await?;
        self.progress(Phase::Open, cells, cells);
        self.reach(Point::Opened).await;
        self.progress(Phase::Report, 0, 1);
        let result = total.map(|total| decode::decode(&self.plan, &total).canonical());
        let receipt = report::exchange(links, self, signatures, result.as_deref()).await?;
        self.reach(Point::Signed).await;
        let mut outcome = Outcome { result: None, result_hash: None, receipt: self.out.join("receipt.json") };
        if let Some(result) = result {
            let path = self.out.join("result.json");
            report::write(&path, &result)?;
            outcome.result = Some(path);
            outcome.result_hash = Some(receipt.result.hash.clone());
        }
        self.reach(Point::ResultWritten).await;
        report::write(&outcome.receipt, &receipt.to_bytes())?;
        self.reach(Point::ReceiptWritten).await;
        Ok(outcome)
    }

    /// Ends a failed run: gives back what was reserved, unless the charge is spent; then says that the run is to be resumed.
    pub(crate) fn settle(&mut self, error: RunError) -> RunError {
        let state = match self.ledger.entry(&self.charge.run) {
            Ok(entry) => entry.map(|entry| entry.state),
            Err(unread) => return self.kept(error, &unread),
        };
        match (state, error) {
            (Some(State::Spent), error @ RunError::Lost(_)) => error,
            (Some(State::Spent), error) => RunError::Unfinished(Box::new(error)),
            (Some(State::Reserved), error) => match self.release() {
                Ok(()) => error,
                Err(unwritten) => self.kept(error, &unwritten),
            },
            (Some(State::Released) | None, error) => error,
        }
    }

    /// Gives back what was reserved. A disk that was full may have room again in a moment: drafts of this and of other runs end
    /// with them.
    fn release(&mut self) -> Result<(), LedgerError> {
        for _ in 0..RELEASES {
            match self.ledger.release(&self.charge.run) {
                Err(LedgerError::Disk { .. }) => std::thread::sleep(RELEASE_PAUSE),
                released => return released,
            }
        }
        self.ledger.release(&self.charge.run)
    }

    fn kept(&self, error: RunError, reason: &dyn std::fmt::Display) -> RunError {
        let message = format!(
            "the reservation could not be given back and counts as spent until the run is resumed: {reason}"
        );
        self.events.emit(Event::Notice { message });
        error
    }

    /// The device in words.
    pub(crate) fn device_words(&self) -> String {
        self.device.as_ref().map(Device::describe).unwrap_or_default()
    }

    fn device(&self) -> Result<&Device, RunError> {
        self.device.as_ref().ok_or_else(|| RunError::Internal("no device was opened".into()))
    }

    fn progress(&self, phase: Phase, done: u64, total: u64) {
        self.events.emit(Event::Progress { phase, done, total });
    }

    pub(super) async fn reach(&self, point: Point) {
        if self.faults.dies_at(point) {
            std::future::pending::<()>().await;
        }
    }
}
