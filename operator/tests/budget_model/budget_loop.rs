//! The budget loop: one look at a budget, as `operator/src/budget/reconcile.rs` takes it.

use crate::{
    arithmetic::{Booked, Claims, book},
    config::{Broken, Config},
    world::{ATTEMPTS, Budget, Fate, JOBS, World, seat, uid},
};

/// What the loop has seen of one budget and its claims, and how far its present look has come.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub(crate) struct BudgetLoop {
    budget: Budget,
    claims: Claims,
    stage: Stage,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
enum Stage {
    #[default]
    Idle,
    /// The API server was asked for the claims that matter.
    Asked(Claims),
    /// These claims are to be told that they are refused.
    Refusing(u8),
}

impl BudgetLoop {
    /// What a new process sees.
    pub(crate) fn fresh(world: &World, party: usize) -> Self {
        Self { budget: world.budgets[party], claims: world.claims_on(party), stage: Stage::Idle }
    }

    /// The cache of its claims (true), of its budget, or both, catch up. The look under way, if any, ended with an error: its last answer was lost.
    pub(crate) fn see(&mut self, world: &World, party: usize, claims: Option<bool>) -> bool {
        let before = *self;
        if claims != Some(false) {
            self.claims = world.claims_on(party);
        }
        if claims != Some(true) {
            self.budget = world.budgets[party];
        }
        self.stage = Stage::Idle;
        *self != before
    }

    /// Takes the next step of a look. False where there is none.
    pub(crate) fn step(&mut self, world: &mut World, party: usize, config: &Config) -> bool {
        match self.stage {
            Stage::Idle => {
                let draft = book(config.total, party, &self.budget, &self.claims);
                if !self.is_change(&draft) && draft.refused == 0 {
                    return false;
                }
                self.stage = Stage::Asked(self.ask(world, party, &draft));
            }
            Stage::Asked(claims) => {
                let mut booked = book(config.total, party, &self.budget, &claims);
                if config.lacks(Broken::BookTwice) {
                    booked.held |= self.budget.held;
                }
                if self.is_change(&booked) {
                    if world.budgets[party] != self.budget && !config.lacks(Broken::NoVersion) {
                        self.stage = Stage::Idle;
                        return true;
                    }
                    world.keep(party, &booked, config.total);
                }
                self.stage = if booked.refused == 0 { Stage::Idle } else { Stage::Refusing(booked.refused) };
            }
            Stage::Refusing(refused) => {
                let index = refused.trailing_zeros() as usize;
                let claim = &mut world.claims[seat(index / ATTEMPTS, party, index % ATTEMPTS)];
                if claim.there {
                    claim.fate = Fate::Refused;
                }
                let left = refused & !(1 << index);
                self.stage = if left == 0 { Stage::Idle } else { Stage::Refusing(left) };
            }
        }
        true
    }

    /// Whether a look is under way.
    pub(crate) fn is_busy(&self) -> bool {
        self.stage != Stage::Idle
    }

    fn is_change(&self, booked: &Booked) -> bool {
        (booked.held, booked.spent) != (self.budget.held, self.budget.spent)
    }

    /// The claims, fresh where they are to be reserved or refused, or seem gone.
    fn ask(&self, world: &World, party: usize, draft: &Booked) -> Claims {
        let mut claims = self.claims;
        let present = world.claims_on(party);
        for index in 0..JOBS * ATTEMPTS {
            let s = seat(index / ATTEMPTS, party, index % ATTEMPTS);
            let named = |set: u16| set & (uid(s, false) | uid(s, true)) != 0;
            let added = named(draft.held & !self.budget.held);
            let gone = named(self.budget.held) && !self.claims[index].there;
            if added || gone || draft.refused & 1 << index != 0 {
                claims[index] = present[index];
            }
        }
        claims
    }
}
