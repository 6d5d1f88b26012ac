//! What the job loop asks of the API server.

use crate::{
    config::{Broken, Config},
    job_loop::{JobLoop, local},
    sight::Memory,
    world::{Claim, Fate, LOCAL, PARTIES, PartyJob, Phase, World},
};

/// A write to the API server.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Write {
    PutFinalizer,
    DropFinalizer,
    /// `make_claim`
    CreateClaim(usize),
    /// `apply::make`
    CreateJob(usize),
    /// `Draft::pin` and the status with it: all are made, and these they are.
    Name([u8; PARTIES]),
    /// `apply::equip`, for a bit for each seat.
    Equip(u8),
    /// `remove_job`
    DeleteJob(usize),
    /// `remove_podless`: the same of one that its queue holds, under the resource version at which it does.
    DeleteHeld(usize),
    /// And then its claim's outcome.
    Free(usize),
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
    pub(crate) fn is_together_with(self, other: Self) -> bool {
        use Write::{CreateClaim, CreateJob, DeleteHeld, DeleteJob, Equip, Free, Settle};
        matches!(
            (self, other),
            (CreateClaim(_), CreateClaim(_))
                | (CreateJob(_), CreateJob(_))
                | (Equip(_), Equip(_))
                | (DeleteJob(_), DeleteJob(_))
                | (Settle { .. }, Settle { .. })
                | (DeleteJob(_) | DeleteHeld(_), DeleteHeld(_))
                | (Free(_), Free(_))
        ) || matches!((self, other), (DeleteJob(one) | DeleteHeld(one), Free(next)) if one != next)
    }
}

impl JobLoop {
    /// What the API server does; false where it refuses.
    pub(crate) fn write(&mut self, world: &mut World, job: usize, write: Write, config: &Config) -> bool {
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
                if attempt != world.jobs[job].attempt {
                    world.jobs[job].pins = [0; PARTIES];
                }
                (world.jobs[job].phase, world.jobs[job].attempt) = (phase, attempt);
            }
            Write::Name(uids) if is_present => {
                (world.jobs[job].phase, world.jobs[job].pins) = (Phase::Running, uids);
            }
            Write::TakeUp if is_present => {
                world.jobs[job].phase = Phase::Launching;
                world.jobs[job].pins = [0; PARTIES];
                world.jobs[job].round += 1;
            }
            Write::PutFinalizer | Write::Status(..) | Write::Name(_) | Write::TakeUp => return false,
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
                if *party_job == PartyJob::Absent && !is_seen {
                    *party_job = PartyJob::There;
                    world.uids[first + s] += 1;
                    world.bare |= 1 << (first + s);
                    world.held |= u8::from(config.queued) << (first + s);
                    world.let_go &= !(1 << (first + s));
                    // The controller makes a pod for the new Job, whatever became of one before.
                    world.pods[first + s] = Default::default();
                    if config.lacks(Broken::Remake) && self.job.phase == Phase::Running {
                        world.bare &= !(1 << (first + s));
                    }
                }
            }
            Write::Equip(seats) => {
                self.equipped |= seats;
                for s in (0..LOCAL).filter(|s| seats & 1 << s != 0) {
                    // The Secret is of use to one Job alone: its configuration bears the uid.
                    let is_its = world.uids[first + s] == self.job.pins[s % PARTIES];
                    if is_its || config.lacks(Broken::Unnamed) || config.lacks(Broken::LateWord) {
                        world.bare &= !(1 << (first + s));
                    }
                }
            }
            Write::DeleteHeld(s) => {
                let at = first + s;
                let is_seen = self.uids[s] == world.uids[at]
                    && local(world.held, job) & 1 << s != 0
                    && (local(world.let_go, job) ^ self.let_go) & 1 << s == 0;
                if world.party_jobs[at] == PartyJob::Absent {
                    // Nobody knows what became of it.
                    return true;
                }
                if !is_seen && !config.lacks(Broken::HeldByLook) {
                    return false;
                }
                world.party_jobs[at] = PartyJob::Absent;
                self.freed |= 1 << s;
            }
            Write::Free(s) => {
                if self.freed & 1 << s == 0 {
                    return true;
                }
                let claim = &mut world.claims[first + s];
                if *claim != self.claims[s] {
                    return false;
                }
                claim.fate = Fate::Released;
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
