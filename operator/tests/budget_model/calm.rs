//! Whether all comes to rest. From a state, faults cease: owners approve, held jobs go on, pods come to their end, caches are fresh, and one operator
//! goes on, as it is or started anew. Then every job must end, and no budget may hold anything.

use crate::{
    config::Config,
    model::{Operator, State, approve},
    nodes,
    world::{Hold, PARTIES, SEATS, World},
};
use std::{
    collections::HashSet,
    hash::{BuildHasher, RandomState},
    sync::Mutex,
};

/// States that are known to come to rest.
#[derive(Default)]
pub(crate) struct Rests {
    known: [Mutex<HashSet<u64>>; 16],
    hashes: RandomState,
}

/// More turns than any way to rest takes.
const TURNS: usize = 100;

impl Rests {
    pub(crate) fn from(&self, state: &State, config: &Config) -> bool {
        let mut kept = state.leader;
        see_all(&state.world, &mut kept, config);
        self.come(&state.world, Operator::fresh(&state.world, config), config)
            && self.come(&state.world, kept, config)
    }

    fn come(&self, world: &World, operator: Operator, config: &Config) -> bool {
        let key = self.hashes.hash_one((world, operator));
        let shard = &self.known[key as usize % self.known.len()];
        if shard.lock().is_ok_and(|known| known.contains(&key)) {
            return true;
        }
        let good = rests(*world, operator, config);
        if good && let Ok(mut known) = shard.lock() {
            known.insert(key);
        }
        good
    }
}

fn see_all(world: &World, operator: &mut Operator, config: &Config) {
    for job in 0..config.jobs {
        operator.jobs[job].see(world, job, None);
    }
    for party in 0..PARTIES {
        operator.budgets[party].see(world, party, None);
    }
}

fn rests(mut world: World, mut operator: Operator, config: &Config) -> bool {
    for _ in 0..TURNS {
        let before = (world, operator);
        (0..SEATS).for_each(|s| _ = approve(&mut world, s));
        world.jobs.iter_mut().filter(|job| job.hold == Hold::Now).for_each(|job| job.hold = Hold::Past);
        nodes::settle(&mut world, config);
        see_all(&world, &mut operator, config);
        for job in 0..config.jobs {
            operator.jobs[job].step(&mut world, job, false, config);
            while operator.jobs[job].is_busy() {
                operator.jobs[job].step(&mut world, job, false, config);
            }
        }
        see_all(&world, &mut operator, config);
        for party in 0..PARTIES {
            while operator.budgets[party].step(&mut world, party, config) && operator.budgets[party].is_busy()
            {
            }
        }
        if (world, operator) == before {
            // A job that is not accepted and has claimed nothing waits for its owner.
            let waits = |job: usize| {
                world.changed && !world.claims[job * 4..job * 4 + 4].iter().any(|claim| claim.there)
            };
            let ended = (0..config.jobs).all(|at| {
                let job = world.jobs[at];
                !job.there || !job.deleting && (job.phase.has_ended() || waits(at))
            });
            return ended && world.budgets.iter().all(|budget| budget.held == 0);
        }
    }
    false
}
