//! The budget's arithmetic is the operator's own: [`veilgrid_operator::budget::book::book`].

use crate::world::{ATTEMPTS, Budget, Claim, Fate, JOBS, seat, uid};
use std::{cell::RefCell, collections::HashMap};
use veilgrid_api::{
    amount::{Delta, Epsilon},
    budget::{Amounts, PrivacyBudgetStatus, Reservation},
    claim::{JobRef, Outcome, PrivacyClaim, PrivacyClaimSpec, PrivacyClaimStatus},
};
use veilgrid_operator::budget::book::book as real;

/// The claims on one budget, by job and attempt.
pub(crate) type Claims = [Claim; JOBS * ATTEMPTS];

/// What a budget's figures become. Sets of uids, and of indices into [`Claims`] for `refused`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Booked {
    pub(crate) held: u16,
    pub(crate) spent: u8,
    pub(crate) paid: u16,
    pub(crate) refused: u8,
}

type Key = (u16, u8, u8, usize, Claims);

thread_local! {
    // The same question comes up many thousand times.
    static KNOWN: RefCell<HashMap<Key, Booked>> = RefCell::default();
}

/// What the operator's function makes of these figures and claims.
pub(crate) fn book(total: u8, party: usize, budget: &Budget, claims: &Claims) -> Booked {
    let key = (budget.held, budget.spent, total, party, *claims);
    KNOWN.with_borrow_mut(|known| *known.entry(key).or_insert_with(|| ask(total, party, budget, claims)))
}

fn ask(total: u8, party: usize, budget: &Budget, claims: &Claims) -> Booked {
    let amounts = |units: u8| Amounts {
        epsilon: Epsilon::from_units(units.into()),
        delta: Delta::from_units(units.into()),
    };
    let bits = |set: u16| (0..16).filter(move |bit| set & 1 << bit != 0);
    let reservation =
        |bit: u32| Reservation { uid: bit.to_string(), claim: bit.to_string(), amounts: amounts(1) };
    let present = PrivacyBudgetStatus {
        spent: amounts(budget.spent),
        reservations: bits(budget.held).map(reservation).collect(),
        ..PrivacyBudgetStatus::default()
    };
    let all: Vec<PrivacyClaim> = claims
        .iter()
        .enumerate()
        .filter(|(_, claim)| claim.there)
        .map(|(index, claim)| object(bit(party, index, claim), claim, amounts(1)))
        .collect();
    let booked = real(amounts(total), 1, &present, &all.iter().collect::<Vec<_>>());
    let number = |text: &str| text.parse::<u16>().expect("a bit's number");
    let settled = booked.status.recent.iter().filter(|settled| settled.outcome == Outcome::Spent);
    Booked {
        held: booked.status.reservations.iter().fold(0, |set, one| set | 1 << number(&one.uid)),
        spent: u8::try_from(booked.status.spent.epsilon.units()).expect("few units"),
        paid: settled.fold(0, |set, one| set | 1 << number(&one.claim)),
        // The number of a claim's bit is twice its seat, and one where it was made again.
        refused: booked.refused.iter().fold(0, |set, one| set | 1 << (number(&one.claim) / 4)),
    }
}

fn bit(party: usize, index: usize, claim: &Claim) -> u32 {
    uid(seat(index / ATTEMPTS, party, index % ATTEMPTS), claim.again).trailing_zeros()
}

fn object(bit: u32, claim: &Claim, amounts: Amounts) -> PrivacyClaim {
    let mut object = PrivacyClaim::new(
        &bit.to_string(),
        PrivacyClaimSpec {
            job: JobRef { namespace: "research".into(), name: "job".into(), uid: "uid".into() },
            party: "party".into(),
            dataset: "dataset".into(),
            budget: "budget".into(),
            run: "0".repeat(32),
            plan: "0".repeat(64),
            epsilon: amounts.epsilon,
            delta: amounts.delta,
            approved: claim.approved,
        },
    );
    object.metadata.uid = Some(bit.to_string());
    let outcome = match claim.fate {
        Fate::Open => None,
        Fate::Spent => Some(Outcome::Spent),
        Fate::Released => Some(Outcome::Released),
        Fate::Refused => Some(Outcome::Refused),
    };
    object.status =
        outcome.map(|outcome| PrivacyClaimStatus { outcome: Some(outcome), message: String::new() });
    object
}
