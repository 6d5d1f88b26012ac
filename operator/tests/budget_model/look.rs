//! What one look at a job writes: `operator/src/job/reconcile.rs` and the files beside it.

use crate::{
    config::{Broken, Config},
    job_loop::JobLoop,
    sight::Stand,
    world::{Fate, Hold, Job, LOCAL, PARTIES, PartyJob, Phase, uid},
    writes::Write,
};

/// One look.
pub(crate) struct Look<'a> {
    pub(crate) view: &'a JobLoop,
    pub(crate) job: usize,
    pub(crate) config: &'a Config,
    pub(crate) attempt: u8,
    /// Of the claims.
    pub(crate) seats: [usize; PARTIES],
    /// Of Jobs and pods.
    pub(crate) slots: [usize; PARTIES],
    pub(crate) stands: [Stand; PARTIES],
    pub(crate) plan: &'a mut Vec<Write>,
}

impl Look<'_> {
    fn job(&self) -> Job {
        self.view.job
    }

    pub(crate) fn has_claims(&self) -> bool {
        self.seats.iter().any(|s| self.view.claims[*s].there)
    }

    /// `start` and `claim`
    pub(crate) fn start(&mut self) {
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
            self.make();
        }
    }

    pub(crate) fn launch(&mut self) {
        let is_claimed = |s: &usize| self.view.claims[*s].there && self.view.claims[*s].fate == Fate::Open;
        if !self.view.changed && self.seats.iter().all(is_claimed) {
            self.remove_earlier();
            return self.make();
        }
        // `withdraw`
        self.plan.push(Write::Status(Phase::Running, self.attempt));
    }

    /// Makes the parties' Jobs; when all are seen, says which they are.
    fn make(&mut self) {
        if self.slots.iter().any(|s| self.view.party_jobs[*s] == PartyJob::Absent) {
            return self.plan.extend(self.slots.map(Write::CreateJob));
        }
        if self.config.lacks(Broken::LateWord) {
            self.plan.extend(self.slots.map(|s| Write::Equip(1 << s)));
        }
        self.plan.push(Write::Name(self.slots.map(|s| self.view.uids[s])));
    }

    /// Whether any Job of the parties is there.
    pub(crate) fn has_jobs(&self) -> bool {
        self.slots.iter().any(|s| self.view.party_jobs[*s] != PartyJob::Absent)
    }

    /// Whether no Job was named.
    pub(crate) fn is_bare(&self) -> bool {
        self.job().pins == [0; PARTIES]
    }

    /// `watch`, `finish` and `collapse`
    pub(crate) fn watch(&mut self) {
        if self.config.lacks(Broken::Remake) && self.stands.iter().any(|stand| stand.is_lost()) {
            return self.plan.extend(self.slots.map(Write::CreateJob));
        }
        if self.stands.iter().all(|stand| stand.has_succeeded()) {
            self.settle(true);
            self.plan.push(Write::Status(Phase::Succeeded, self.attempt));
        } else if self.job().hold == Hold::Now {
            self.suspend();
        } else if self.stands.iter().any(|stand| stand.is_trouble()) {
            if self.interrupted() {
                self.fail();
            }
        } else {
            self.equip();
        }
    }

    /// `equip`, and `retract` where what was claimed is not what is asked for.
    fn equip(&mut self) {
        let waits = |party: &usize| {
            let is_done = self.view.equipped & 1 << self.slots[*party] != 0;
            self.job().pins[*party] != 0 && self.stands[*party].waits() && !is_done
        };
        let waiting: Vec<usize> = (0..PARTIES).filter(waits).collect();
        let is_claimed = |s: &usize| self.view.claims[*s].there && self.view.claims[*s].fate == Fate::Open;
        if waiting.is_empty() || !self.view.changed && self.seats.iter().all(is_claimed) {
            let bits = waiting.into_iter().map(|party| 1 << self.slots[party]);
            if self.config.brief {
                // Nothing happens before all have theirs.
                let all = bits.fold(0, |all, bit: u8| all | bit);
                return self.plan.extend((all != 0).then_some(Write::Equip(all)));
            }
            return self.plan.extend(bits.map(Write::Equip));
        }
        if self.interrupted() {
            self.fail();
        }
    }

    /// Asks what is alive to end, and says whether nothing is. A request to a pod changes nothing here: every process may end
    /// at any time.
    fn interrupted(&mut self) -> bool {
        let podless = |party: &usize| self.stands[*party].is_alive() && !self.stands[*party].has_pod();
        let (held, others): (Vec<usize>, Vec<usize>) =
            (0..PARTIES).filter(podless).partition(|party| self.was_always_held(*party));
        self.plan.extend(others.into_iter().map(|party| Write::DeleteJob(self.slots[party])));
        self.plan.extend(held.iter().map(|party| Write::DeleteHeld(self.slots[*party])));
        self.plan.extend(held.into_iter().map(|party| Write::Free(self.slots[party])));
        !self.stands.iter().any(|stand| stand.is_alive())
    }

    /// `remove_podless`: whether its claim may come to nothing with its Job.
    fn was_always_held(&self, party: usize) -> bool {
        let (slot, claim) = (self.slots[party], self.view.claims[self.seats[party]]);
        let is_held = self.view.queued & 1 << slot != 0;
        let was_let_go = self.view.let_go & 1 << slot != 0 && !self.config.lacks(Broken::HeldNow);
        is_held
            && !was_let_go
            && claim.there
            && claim.fate == Fate::Open
            && self.job().phase == Phase::Running
            && self.job().round == 0
    }

    pub(crate) fn give_up(&mut self) {
        if self.config.lacks(Broken::SettledFirst) {
            self.settle(false);
        }
        self.plan.push(Write::Status(Phase::Failed, self.attempt));
    }

    pub(crate) fn suspend(&mut self) {
        let phase = self.job().phase;
        let settled_first = self.config.lacks(Broken::SettledFirst) && self.has_claims();
        if matches!(phase, Phase::Launching | Phase::Running) {
            if self.interrupted() {
                self.settle(true);
                self.remove();
                self.plan.push(Write::Status(Phase::Suspended, self.attempt + 1));
            }
        } else if phase == Phase::Suspended {
            self.settle(false);
            if self.has_jobs() {
                self.remove();
            }
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
    pub(crate) fn settle(&mut self, launched: bool) {
        for (party, seat) in self.seats.into_iter().enumerate() {
            let claim = self.view.claims[seat];
            if claim.there && claim.fate == Fate::Open {
                let seen = self.fate(party);
                self.plan.push(Write::Settle { seat, launched, seen });
            }
        }
    }

    /// `remove`
    pub(crate) fn remove(&mut self) {
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
    pub(crate) fn delete(&mut self) {
        if !self.view.job.finalizer {
            return;
        }
        let launched = matches!(self.view.job.phase, Phase::Launching | Phase::Running);
        if launched && !self.interrupted() {
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
