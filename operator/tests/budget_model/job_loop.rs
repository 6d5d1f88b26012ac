//! The job loop: one look at a job, as `operator/src/job/reconcile.rs` takes it. A look works upon what the cache has, which
//! may be old, and writes one thing after another; a failed write ends it.

use crate::{
    config::{Broken, Config},
    sight::{Memory, Stand, stand},
    world::{ATTEMPTS, Claim, Fate, Hold, Job, PARTIES, PartyJob, Phase, World, uid},
};

/// Seats of one job: `attempt * PARTIES + party`.
const LOCAL: usize = ATTEMPTS * PARTIES;

/// A cache that lags by itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Kind {
    Job,
    Claims,
    Budgets,
    PartyJobs,
    Pods,
}

pub(crate) const KINDS: [Kind; 5] = [Kind::Job, Kind::Claims, Kind::Budgets, Kind::PartyJobs, Kind::Pods];

/// What the loop has seen of one job, and how far its present look has come.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub(crate) struct JobLoop {
    job: Job,
    changed: bool,
    claims: [Claim; LOCAL],
    /// Uids held by the budgets.
    held: u16,
    party_jobs: [PartyJob; LOCAL],
    pods: [Memory; LOCAL],
    /// Writes of the look that are done, a bit for each.
    done: u16,
    /// Only what was under way arrives: the next write, and those that are done together with it.
    late: bool,
}

/// A write to the API server.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Write {
    PutFinalizer,
    DropFinalizer,
    /// `make_claim`
    CreateClaim(usize),
    /// `apply::make`
    CreateJob(usize),
    /// `remove_job`
    DeleteJob(usize),
    /// `settle`: the outcome by what was seen of the party, where pods were made.
    Settle {
        seat: usize,
        launched: bool,
        seen: Fate,
    },
    /// The same for a claim that the cache has not: the API server is asked.
    SettleUnseen {
        seat: usize,
        seen: Fate,
    },
    /// Nobody will say any more what became of it. The API server is asked whether the job is gone.
    Orphan(usize),
    /// `Draft::write`
    Status(Phase, u8),
    /// `take_up`
    TakeUp,
}

impl Write {
    /// Whether the operator does both at once: `together`.
    fn is_together_with(self, other: Self) -> bool {
        use Write::{CreateClaim, CreateJob, DeleteJob, Settle};
        matches!(
            (self, other),
            (CreateClaim(_), CreateClaim(_))
                | (CreateJob(_), CreateJob(_))
                | (DeleteJob(_), DeleteJob(_))
                | (Settle { .. }, Settle { .. })
        )
    }
}

impl JobLoop {
    /// What a new process sees.
    pub(crate) fn fresh(world: &World, job: usize) -> Self {
        let mut new = Self::default();
        new.see(world, job, None);
        new
    }

    /// The cache of a kind, or all, catches up. The look under way, if any, ended with an error: its last answer was lost.
    pub(crate) fn see(&mut self, world: &World, job: usize, kind: Option<Kind>) -> bool {
        let before = *self;
        match kind {
            Some(kind) => self.see_kind(world, job, kind),
            None => KINDS.into_iter().for_each(|kind| self.see_kind(world, job, kind)),
        }
        self.done = 0;
        *self != before
    }

    fn see_kind(&mut self, world: &World, job: usize, kind: Kind) {
        let first = job * LOCAL;
        match kind {
            Kind::Job => (self.job, self.changed) = (world.jobs[job], world.changed),
            Kind::Claims => self.claims.copy_from_slice(&world.claims[first..first + LOCAL]),
            Kind::Budgets => {
                let mine = (0..LOCAL).fold(0, |set, s| set | uid(first + s, false) | uid(first + s, true));
                self.held = world.budgets.iter().fold(0, |held, budget| held | budget.held) & mine;
            }
            Kind::PartyJobs => self.party_jobs.copy_from_slice(&world.party_jobs[first..first + LOCAL]),
            Kind::Pods => {
                for (memory, pod) in self.pods.iter_mut().zip(&world.pods[first..first + LOCAL]) {
                    *memory = memory.seeing(pod.shown);
                }
            }
        }
    }

    /// Takes the next write of a look, or the one after it where both are under way together. False where there is none.
    pub(crate) fn step(&mut self, world: &mut World, job: usize, second: bool, config: &Config) -> bool {
        let plan = self.plan(job, config);
        let Some(at) = self.next(&plan, second) else { return false };
        let done = self.write(world, job, plan[at], config);
        self.done = if done || self.late { self.done | 1 << at } else { 0 };
        if self.done.count_ones() as usize == plan.len() {
            self.done = 0;
        }
        true
    }

    /// Whether two writes are under way.
    pub(crate) fn is_paired(&self, job: usize, config: &Config) -> bool {
        self.next(&self.plan(job, config), true).is_some()
    }

    fn next(&self, plan: &[Write], second: bool) -> Option<usize> {
        let mut left = (0..plan.len()).filter(|at| self.done & 1 << at == 0);
        let first = left.next()?;
        if !second {
            return Some(first);
        }
        left.next().filter(|other| plan[*other].is_together_with(plan[first]))
    }

    /// The same, when only its next write still arrives.
    pub(crate) fn last_write(self) -> Self {
        Self { late: true, ..self }
    }

    /// `await_room`: a job that could launch has no room, waits no longer and gives up.
    pub(crate) fn tire(&mut self, world: &mut World, job: usize, config: &Config) -> bool {
        let attempt = self.job.attempt;
        self.plan(job, config) == [Write::Status(Phase::Launching, attempt)]
            && self.write(world, job, Write::Status(Phase::Failed, attempt), config)
    }

    /// Whether a look would write.
    pub(crate) fn has_work(&self, job: usize, config: &Config) -> bool {
        !self.plan(job, config).is_empty()
    }

    /// Whether a look is under way.
    pub(crate) fn is_busy(&self) -> bool {
        self.done > 0
    }

    /// What this look writes, if every write succeeds: `reconcile`.
    fn plan(&self, job: usize, config: &Config) -> Vec<Write> {
        let mut plan = Vec::new();
        if !self.job.there {
            let open = |s: &usize| self.claims[*s].there && self.claims[*s].fate == Fate::Open;
            if !config.lacks(Broken::Orphans) {
                plan.extend((0..LOCAL).filter(open).map(Write::Orphan));
            }
            return plan;
        }
        let attempt = self.job.attempt;
        let seats: [usize; PARTIES] = std::array::from_fn(|party| usize::from(attempt) * PARTIES + party);
        let slots = seats.map(|s| s + usize::from(self.job.round) * PARTIES);
        let resumed = self.job.round > 0 && !config.lacks(Broken::Resumed);
        let stands = slots.map(|s| stand(self.party_jobs[s], self.pods[s], resumed));
        let mut look = Look { view: self, job, config, attempt, seats, slots, stands, plan: &mut plan };
        if self.job.deleting {
            look.delete();
        } else if self.job.phase.has_ended() {
            if !config.lacks(Broken::SettledFirst) {
                look.settle(false);
            }
            if self.job.phase == Phase::Succeeded
                && slots.iter().any(|s| self.party_jobs[*s] != PartyJob::Absent)
            {
                look.remove();
            }
        } else if !self.job.finalizer {
            look.plan.push(Write::PutFinalizer);
        } else if self.job.phase == Phase::Running {
            look.watch();
        } else if self.job.phase == Phase::Launching {
            look.launch();
        } else if self.job.hold == Hold::Now {
            look.suspend();
        } else if self.job.phase == Phase::Suspended {
            look.settle(false);
            look.plan.push(Write::Status(Phase::Begun, attempt + u8::from(look.has_claims())));
        } else if self.changed {
            if look.has_claims() {
                look.give_up();
            }
        } else {
            look.start();
        }
        plan
    }

    /// What the API server does; false where it refuses.
    fn write(&mut self, world: &mut World, job: usize, write: Write, config: &Config) -> bool {
        let first = job * LOCAL;
        let is_present = world.jobs[job] == self.job;
        match write {
            Write::PutFinalizer if is_present => world.jobs[job].finalizer = true,
            Write::DropFinalizer => {
                // `table.forget` comes before it.
                let attempt = usize::from(self.job.attempt) * PARTIES;
                let rounds = (1 + usize::from(self.job.round)) * PARTIES;
                self.pods[attempt..attempt + rounds].fill(Memory::default());
                if !is_present {
                    return false;
                }
                world.jobs[job].finalizer = false;
                world.jobs[job].there = false;
            }
            Write::Status(phase, attempt) if is_present => {
                (world.jobs[job].phase, world.jobs[job].attempt) = (phase, attempt);
            }
            Write::TakeUp if is_present => {
                world.jobs[job].phase = Phase::Launching;
                world.jobs[job].round += 1;
            }
            Write::PutFinalizer | Write::Status(..) | Write::TakeUp => return false,
            Write::CreateClaim(s) => {
                let claim = &mut world.claims[first + s];
                if !claim.there {
                    let again = claim.again;
                    // The owner of the second party is asked, in a model where anybody is.
                    *claim = Claim {
                        there: true,
                        again,
                        approved: !(config.manual && s % PARTIES == 1),
                        fate: Fate::Open,
                    };
                }
            }
            Write::CreateJob(s) => {
                // One that the cache has is not made again.
                let is_seen = self.party_jobs[s] != PartyJob::Absent && !config.lacks(Broken::Remake);
                let party_job = &mut world.party_jobs[first + s];
                // The Secret comes after the Job, and is no other Job's.
                let bit = 1 << (first + s);
                if !self.late {
                    world.bare &= !bit;
                } else if *party_job == PartyJob::Absent {
                    world.bare |= bit;
                }
                if *party_job == PartyJob::Absent && !is_seen {
                    *party_job = PartyJob::There;
                    // The controller makes a pod for the new Job, whatever became of one before.
                    world.pods[first + s] = Default::default();
                }
            }
            Write::DeleteJob(s) => world.party_jobs[first + s] = PartyJob::Absent,
            Write::Settle { seat, launched, seen } => {
                let claim = &mut world.claims[first + seat];
                let may = *claim == self.claims[seat] || config.lacks(Broken::OutcomeTwice);
                if !claim.there || !may {
                    return false;
                }
                claim.fate = if launched { seen } else { Fate::Released };
            }
            Write::Orphan(seat) => {
                let claim = &mut world.claims[first + seat];
                if world.jobs[job].there || *claim != self.claims[seat] {
                    return false;
                }
                claim.fate = Fate::Spent;
            }
            Write::SettleUnseen { seat, seen } => {
                let claim = &mut world.claims[first + seat];
                if claim.there && claim.fate == Fate::Open {
                    claim.fate = seen;
                }
            }
        }
        true
    }
}

/// One look.
struct Look<'a> {
    view: &'a JobLoop,
    job: usize,
    config: &'a Config,
    attempt: u8,
    /// Of the claims.
    seats: [usize; PARTIES],
    /// Of Jobs and pods.
    slots: [usize; PARTIES],
    stands: [Stand; PARTIES],
    plan: &'a mut Vec<Write>,
}

impl Look<'_> {
    fn job(&self) -> Job {
        self.view.job
    }

    fn has_claims(&self) -> bool {
        self.seats.iter().any(|s| self.view.claims[*s].there)
    }

    /// `start` and `claim`
    fn start(&mut self) {
        let claims = self.seats.map(|s| self.view.claims[s]);
        if claims.iter().any(|claim| claim.there && claim.fate != Fate::Open) {
            return self.give_up();
        }
        let manual = |party: usize| self.config.manual && party == 1;
        let waits: Vec<usize> = (0..PARTIES)
            .filter(|p| if claims[*p].there { !claims[*p].approved } else { manual(*p) })
            .collect();
        let missing: Vec<usize> = (0..PARTIES).filter(|p| !claims[*p].there).collect();
        for party in &missing {
            if waits.is_empty() || waits.contains(party) {
                self.plan.push(Write::CreateClaim(self.seats[*party]));
            }
        }
        if !waits.is_empty() || !missing.is_empty() {
            return;
        }
        let is_held = |party: usize| {
            let claim = claims[party];
            self.view.held & uid(self.job * LOCAL + self.seats[party], claim.again) != 0
        };
        if (0..PARTIES).all(is_held) || self.config.lacks(Broken::EarlyPods) {
            if self.config.lacks(Broken::LateWord) {
                return self.make();
            }
            self.plan.push(Write::Status(Phase::Launching, self.attempt));
        }
    }

    fn launch(&mut self) {
        let is_claimed = |s: &usize| self.view.claims[*s].there && self.view.claims[*s].fate == Fate::Open;
        if !self.view.changed && self.seats.iter().all(is_claimed) {
            self.remove_earlier();
            return self.make();
        }
        // `withdraw`
        self.plan.push(Write::Status(Phase::Running, self.attempt));
    }

    /// Makes the parties' Jobs, and says so.
    fn make(&mut self) {
        self.plan.extend(self.slots.map(Write::CreateJob));
        self.plan.push(Write::Status(Phase::Running, self.attempt));
    }

    /// `watch`, `finish` and `collapse`
    fn watch(&mut self) {
        if self.config.lacks(Broken::Remake) && self.stands.iter().any(|stand| stand.is_lost()) {
            return self.plan.extend(self.slots.map(Write::CreateJob));
        }
        if self.stands.iter().all(|stand| stand.has_succeeded()) {
            self.settle(true);
            self.plan.push(Write::Status(Phase::Succeeded, self.attempt));
        } else if self.job().hold == Hold::Now {
            self.suspend();
        } else if self.stands.iter().any(|stand| stand.is_trouble()) && self.interrupted() {
            self.fail();
        }
    }

    /// Asks what is alive to end, and says whether nothing is. A request to a pod changes nothing here: every process may end
    /// at any time.
    fn interrupted(&mut self) -> bool {
        for party in 0..PARTIES {
            if self.stands[party].is_alive() && !self.stands[party].has_pod() {
                self.plan.push(Write::DeleteJob(self.slots[party]));
            }
        }
        !self.stands.iter().any(|stand| stand.is_alive())
    }

    fn give_up(&mut self) {
        if self.config.lacks(Broken::SettledFirst) {
            self.settle(false);
        }
        self.plan.push(Write::Status(Phase::Failed, self.attempt));
    }

    fn suspend(&mut self) {
        let phase = self.job().phase;
        let settled_first = self.config.lacks(Broken::SettledFirst) && self.has_claims();
        if phase == Phase::Running {
            if self.interrupted() {
                self.settle(true);
                self.remove();
                self.plan.push(Write::Status(Phase::Suspended, self.attempt + 1));
            }
        } else if phase == Phase::Suspended {
            self.settle(false);
        } else if settled_first {
            self.settle(false);
            self.plan.push(Write::Status(Phase::Suspended, self.attempt + 1));
        } else {
            self.plan.push(Write::Status(Phase::Suspended, self.attempt));
        }
    }

    fn fail(&mut self) {
        if self.may_be_taken_up() {
            return self.plan.push(Write::TakeUp);
        }
        self.settle(true);
        if self.attempt + 1 < self.config.attempts {
            self.remove();
            self.plan.push(Write::Status(Phase::Begun, self.attempt + 1));
        } else {
            self.plan.push(Write::Status(Phase::Failed, self.attempt));
        }
    }

    /// `may_be_taken_up`
    fn may_be_taken_up(&self) -> bool {
        let is_claimed = |s: &usize| self.view.claims[*s].there && self.view.claims[*s].fate == Fate::Open;
        self.config.lasting
            && self.job().round == 0
            && (0..PARTIES).any(|party| self.fate(party) == Fate::Spent)
            && self.stands.iter().all(|stand| stand.may_be_taken_up())
            && !self.view.changed
            && self.seats.iter().all(is_claimed)
    }

    /// What a party's claim comes to, where pods were made.
    fn fate(&self, party: usize) -> Fate {
        let others_ended = (0..PARTIES).all(|other| other == party || self.stands[other].has_ended());
        self.stands[party].fate(others_ended, self.config)
    }

    /// `settle`
    fn settle(&mut self, launched: bool) {
        for (party, seat) in self.seats.into_iter().enumerate() {
            let claim = self.view.claims[seat];
            if claim.there && claim.fate == Fate::Open {
                let seen = self.fate(party);
                self.plan.push(Write::Settle { seat, launched, seen });
            }
        }
    }

    /// `remove`
    fn remove(&mut self) {
        self.remove_earlier();
        self.plan.extend(self.slots.map(Write::DeleteJob));
    }

    /// `remove_earlier`
    fn remove_earlier(&mut self) {
        let earlier = self.seats.into_iter().filter(|s| !self.slots.contains(s));
        let left = earlier.filter(|s| self.view.party_jobs[*s] != PartyJob::Absent);
        self.plan.extend(left.map(Write::DeleteJob));
    }

    /// `delete`
    fn delete(&mut self) {
        if !self.view.job.finalizer {
            return;
        }
        let launched = matches!(self.view.job.phase, Phase::Launching | Phase::Running);
        if !self.view.job.phase.has_ended() && !self.interrupted() {
            return;
        }
        if !self.view.job.phase.has_ended() || !self.config.lacks(Broken::SettledFirst) {
            self.settle(launched);
        }
        if !self.config.lacks(Broken::SeenClaims) {
            let seen = if launched { Fate::Spent } else { Fate::Released };
            let unseen = self.seats.into_iter().filter(|s| !self.view.claims[*s].there);
            self.plan.extend(unseen.map(|seat| Write::SettleUnseen { seat, seen }));
        }
        self.remove();
        self.plan.push(Write::DropFinalizer);
    }
}
