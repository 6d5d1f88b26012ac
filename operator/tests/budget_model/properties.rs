//! What must hold.

use crate::{
    model::{Budgets, State},
    world::{Fate, PARTIES, SEATS, World, claim_of, parts, uid},
};
use stateright::Property;

pub(crate) const ENOUGH: &str = "nothing is reserved that is not there";
pub(crate) const CHARGED: &str = "what is opened is charged, and stays so";
pub(crate) const OPENED_ONCE: &str = "one draw of noise for a claim";
pub(crate) const BOOKED_ONCE: &str = "a claim is held and booked once";
pub(crate) const SUMMED: &str = "what is spent is the sum of what was booked as spent";
pub(crate) const RESTS: &str = "from here, left alone, every job ends and nothing stays reserved";

pub(crate) fn all() -> Vec<Property<Budgets>> {
    vec![
        Property::always(ENOUGH, |_, state: &State| {
            state.world.budgets.iter().all(|budget| !budget.overdrawn)
        }),
        Property::always(CHARGED, |model: &Budgets, state: &State| {
            let claim = |s: usize| claim_of(s, model.config.lasting);
            (0..SEATS).all(|s| state.world.opened & 1 << s == 0 || is_charged(&state.world, claim(s)))
        }),
        Property::always(OPENED_ONCE, |_, state: &State| !state.world.opened_twice),
        Property::always(BOOKED_ONCE, |_, state: &State| {
            state.world.budgets.iter().all(|budget| !budget.twice)
        }),
        Property::always(SUMMED, |_, state: &State| {
            state.world.budgets.iter().all(|budget| u32::from(budget.spent) == budget.paid.count_ones())
        }),
        Property::always(RESTS, |model: &Budgets, state: &State| model.rests.from(state, &model.config)),
    ]
}

/// Whether the claim of a seat is held and will be spent, or was spent.
fn is_charged(world: &World, s: usize) -> bool {
    let budget = &world.budgets[parts(s).2 % PARTIES];
    let claim = world.claims[s];
    [false, true].into_iter().any(|again| {
        let uid = uid(s, again);
        // A reservation whose claim is gone is booked as spent.
        let is_gone = !claim.there || claim.again != again;
        let will_be = is_gone || matches!(claim.fate, Fate::Open | Fate::Spent);
        budget.paid & uid != 0 || budget.held & uid != 0 && will_be
    })
}
