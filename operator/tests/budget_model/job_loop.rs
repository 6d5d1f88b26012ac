//! The job loop: one look at a job, as `operator/src/job/reconcile.rs` takes it. A look works upon what the cache has, which
//! may be old, and writes one thing after another; a failed write ends it.

use crate::{
    config::{Broken, Config},
    look::Look,
    sight::{Memory, stand},
    world::{Claim, Fate, Hold, Job, LOCAL, PARTIES, PartyJob, Phase, World, uid},
    writes::Write,
};

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
    pub(crate) job: Job,
    pub(crate) changed: bool,
    pub(crate) claims: [Claim; LOCAL],
    /// Uids held by the budgets.
    pub(crate) held: u16,
    pub(crate) party_jobs: [PartyJob; LOCAL],
    /// Of these Jobs, or of those that were last there.
    pub(crate) uids: [u8; LOCAL],
    /// Jobs that their queue holds, a bit for each.
    pub(crate) queued: u8,
    /// Those that it ever let go.
    pub(crate) let_go: u8,
    pub(crate) pods: [Memory; LOCAL],
    /// Jobs that this process has given their Secrets, a bit for each: `Stage::Equipped`.
    pub(crate) equipped: u8,
    /// Jobs that this look has deleted, and that their queue had held until then.
    pub(crate) freed: u8,
    /// Writes of the look that are done, a bit for each.
    done: u16,
    /// Only what was under way arrives: the next write, and those that are done together with it.
    late: bool,
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
        (self.done, self.freed) = (0, 0);
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
            Kind::PartyJobs => {
                self.party_jobs.copy_from_slice(&world.party_jobs[first..first + LOCAL]);
                self.uids.copy_from_slice(&world.uids[first..first + LOCAL]);
                (self.queued, self.let_go) = (local(world.held, job), local(world.let_go, job));
            }
            Kind::Pods => {
                for (s, memory) in self.pods.iter_mut().enumerate() {
                    *memory = memory.seeing(world.pods[first + s].shown, world.uids[first + s]);
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
        if self.done == 0 {
            self.freed = 0;
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
        let is_first = matches!(self.plan(job, config).first(), Some(Write::CreateJob(_)));
        let has_none = self.party_jobs.iter().all(|party_job| *party_job == PartyJob::Absent);
        is_first
            && has_none
            && self.done == 0
            && self.job.phase == Phase::Begun
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
        let stands = slots.map(|s| {
            // Another of the same name came late, and nobody asked for it.
            let pin = self.job.pins[s % PARTIES];
            let is_its = |uid: u8| pin == 0 || uid == pin || config.lacks(Broken::Unnamed);
            let party_job = if is_its(self.uids[s]) { self.party_jobs[s] } else { PartyJob::Absent };
            let memory = if is_its(self.pods[s].of) { self.pods[s] } else { Memory::default() };
            stand(party_job, memory, resumed)
        });
        let mut look = Look { view: self, job, config, attempt, seats, slots, stands, plan: &mut plan };
        if self.job.deleting {
            look.delete();
        } else if self.job.phase.has_ended() {
            if !config.lacks(Broken::SettledFirst) {
                look.settle(false);
            }
            if (self.job.phase == Phase::Succeeded || look.is_bare()) && look.has_jobs() {
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
            if look.has_jobs() {
                look.remove();
            }
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
}

/// Of a set of seats those of a job, as it counts them.
pub(crate) fn local(set: u8, job: usize) -> u8 {
    set >> (job * LOCAL) & ((1 << LOCAL) - 1)
}
