//! What the API server holds, and what really happens on the nodes. Small numbers stand for the objects.
//!
//! A resource version is left out where each write changes the object for good: then an old copy differs from the present
//! object, and a guarded write compares the two.

use crate::arithmetic::Booked;

/// Jobs of scientists.
pub(crate) const JOBS: usize = 2;
/// Parties of each job; each has a budget of its own.
pub(crate) const PARTIES: usize = 2;
/// Attempts of a job, at most.
pub(crate) const ATTEMPTS: usize = 2;
/// Parties of all attempts of all jobs.
pub(crate) const SEATS: usize = JOBS * PARTIES * ATTEMPTS;

/// Seats of one job: `attempt * PARTIES + party`.
pub(crate) const LOCAL: usize = ATTEMPTS * PARTIES;

/// One party in one attempt of a job.
pub(crate) fn seat(job: usize, party: usize, attempt: usize) -> usize {
    (job * ATTEMPTS + attempt) * PARTIES + party
}

/// The job, the attempt and the party of a seat.
pub(crate) fn parts(seat: usize) -> (usize, usize, usize) {
    (seat / (PARTIES * ATTEMPTS), seat / PARTIES % ATTEMPTS, seat % PARTIES)
}

/// How far a job's status says it has come. What comes before the pods is one phase.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub(crate) enum Phase {
    #[default]
    Begun,
    /// Its scientist holds it. No pod of the present attempt was made.
    Suspended,
    /// Its attempt is taken up again: new Jobs are being made.
    Launching,
    /// All Jobs were made, and are named; one that is gone is lost.
    Running,
    Succeeded,
    Failed,
}

impl Phase {
    pub(crate) fn has_ended(self) -> bool {
        matches!(self, Self::Succeeded | Self::Failed)
    }
}

/// `spec.suspend`: set and taken back once.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub(crate) enum Hold {
    #[default]
    Never,
    Now,
    Past,
}

/// A `PrivateJob`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub(crate) struct Job {
    pub(crate) there: bool,
    pub(crate) finalizer: bool,
    pub(crate) deleting: bool,
    /// Its scientist holds it, or did.
    pub(crate) hold: Hold,
    pub(crate) phase: Phase,
    pub(crate) attempt: u8,
    /// How often the attempt was taken up again.
    pub(crate) round: u8,
    /// Uids of the parties' Jobs, once they are named; none is 0.
    pub(crate) pins: [u8; PARTIES],
}

/// What is on the lasting volume of a party: docs/protocol.md, what is durable.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) enum Disk {
    #[default]
    Empty,
    /// The run began here.
    Begun,
    Sealed,
    /// The charge is spent.
    Opened,
}

/// The pods of an attempt that was taken up again have the places of a second attempt, and the claims of the first. This is the claim of a
/// place.
pub(crate) fn claim_of(seat: usize, lasting: bool) -> usize {
    let (job, attempt, party) = parts(seat);
    self::seat(job, party, if lasting { 0 } else { attempt })
}

/// The other place of a party whose attempt may be taken up.
pub(crate) fn other_round(seat: usize) -> usize {
    let (job, attempt, party) = parts(seat);
    self::seat(job, party, 1 - attempt)
}

/// A `PrivacyClaim`'s outcome.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub(crate) enum Fate {
    #[default]
    Open,
    Spent,
    Released,
    Refused,
}

/// A `PrivacyClaim`. `again` says that it was deleted once: another of the same name has another uid.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub(crate) struct Claim {
    pub(crate) there: bool,
    pub(crate) again: bool,
    pub(crate) approved: bool,
    pub(crate) fate: Fate,
}

/// The bit of a claim's uid.
pub(crate) fn uid(seat: usize, again: bool) -> u16 {
    1 << (2 * seat + usize::from(again))
}

/// A `PrivacyBudget`'s status, and for the properties what was ever written to it. Sets of uids.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub(crate) struct Budget {
    pub(crate) held: u16,
    pub(crate) spent: u8,
    /// Were ever held.
    pub(crate) reserved: u16,
    /// Were taken out of the reservations.
    pub(crate) booked: u16,
    /// Were taken out and counted as spent.
    pub(crate) paid: u16,
    /// Some uid was held or booked twice.
    pub(crate) twice: bool,
    /// At some reservation there was not enough.
    pub(crate) overdrawn: bool,
}

/// A party's `batch/v1` Job.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub(crate) enum PartyJob {
    #[default]
    Absent,
    There,
    /// Its controller has seen that the pod is over.
    Failed,
}

/// What the API server says of a party's pod.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub(crate) enum Shown {
    #[default]
    Never,
    Pending,
    Running,
    /// Exit code 0.
    Done,
    /// An exit code that says that nothing was opened.
    Certain,
    /// One that says so of a party that has not looked at what an earlier pod of its attempt left.
    Unlooked,
    /// The kubelet's last word: the container was never made.
    NeverMade,
    /// It was there and is not any more.
    Gone,
}

impl Shown {
    pub(crate) fn is_there(self) -> bool {
        !matches!(self, Self::Never | Self::Gone)
    }
}

/// What a party's process does.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub(crate) enum Process {
    #[default]
    None,
    Running,
    /// All parties of the attempt have met and may have sealed: docs/protocol.md, steps 3 to 7.
    Linked,
    /// Its share has left: step 9.
    Opened,
    Done,
    Certain,
    Dead,
}

impl Process {
    pub(crate) fn is_alive(self) -> bool {
        matches!(self, Self::Running | Self::Linked | Self::Opened)
    }
}

/// A party's pod.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub(crate) struct Pod {
    pub(crate) shown: Shown,
    pub(crate) process: Process,
}

/// Everything outside the operator.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub(crate) struct World {
    pub(crate) jobs: [Job; JOBS],
    pub(crate) claims: [Claim; SEATS],
    pub(crate) budgets: [Budget; PARTIES],
    pub(crate) party_jobs: [PartyJob; SEATS],
    /// The uids of these, or of those that were last there: from 1, each new one has the next.
    pub(crate) uids: [u8; SEATS],
    pub(crate) pods: [Pod; SEATS],
    /// Jobs that have no Secret, a bit for each seat: their pods wait for it.
    pub(crate) bare: u8,
    /// Jobs that their queue holds, a bit for each seat.
    pub(crate) held: u8,
    /// Those that it ever let go.
    pub(crate) let_go: u8,
    /// Those that it took back.
    pub(crate) taken_back: u8,
    /// Parties whose share has left, a bit for each seat.
    pub(crate) opened: u8,
    /// Lasting volumes, by claim.
    pub(crate) disks: [Disk; SEATS],
    /// Parties that have said that their share is durable, a bit for each seat.
    pub(crate) sealed: u8,
    /// Jobs whose second round opens what the first has drawn, a bit for each.
    pub(crate) same: u8,
    /// Some seat's share has left twice: two draws of noise.
    pub(crate) opened_twice: bool,
    /// A dataset was changed or removed: jobs are not accepted any more.
    pub(crate) changed: bool,
}

impl World {
    /// The claims on a party's budget, by job and attempt.
    pub(crate) fn claims_on(&self, party: usize) -> [Claim; JOBS * ATTEMPTS] {
        std::array::from_fn(|index| self.claims[index * PARTIES + party])
    }

    /// A job whose parties' Jobs were just made: how it comes to that is the same with and without lasting volumes.
    pub(crate) fn launch(&mut self, job: usize, queued: bool) {
        let pins = [1; PARTIES];
        self.jobs[job] = Job { there: true, finalizer: true, phase: Phase::Running, pins, ..Job::default() };
        for party in 0..PARTIES {
            let s = seat(job, party, 0);
            self.claims[s] = Claim { there: true, approved: true, ..Claim::default() };
            self.budgets[party].held = uid(s, false);
            self.budgets[party].reserved = uid(s, false);
            (self.party_jobs[s], self.uids[s]) = (PartyJob::There, 1);
            self.held |= u8::from(queued) << s;
        }
    }

    /// Replaces a budget's figures, and keeps account of what that did.
    pub(crate) fn keep(&mut self, party: usize, next: &Booked, total: u8) {
        let budget = &mut self.budgets[party];
        let (added, removed) = (next.held & !budget.held, budget.held & !next.held);
        budget.twice |= added & budget.reserved != 0 || removed & budget.booked != 0;
        budget.overdrawn |= added != 0 && u32::from(next.spent) + next.held.count_ones() > u32::from(total);
        budget.reserved |= added;
        budget.booked |= removed;
        budget.paid |= next.paid;
        budget.held = next.held;
        budget.spent = next.spent;
    }
}
