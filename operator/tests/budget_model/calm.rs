//! Whether all comes to rest. From a state, faults cease: owners approve, held jobs go on, pods come to their end, caches are fresh, and one operator
//! goes on, as it is or started anew. Then every job must end, and no budget may hold anything.

use crate::{
    config::Config,
    model::{Operator, State, approve},
    nodes, pack,
    world::{Hold, PARTIES, SEATS, World},
};
use std::{
    collections::HashSet,
    hash::{BuildHasher, Hasher, RandomState},
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
        let mut way = vec![self.key(world, &operator)];
        let good = self.is_known(way[0]) || self.rests(*world, operator, config, &mut way);
        if good {
            way.into_iter().for_each(|key| self.keep(key));
        }
        good
    }

    fn key(&self, world: &World, operator: &Operator) -> u64 {
        let mut hasher = self.hashes.build_hasher();
        pack::hash(&(world, operator), &mut hasher);
        hasher.finish()
    }

    fn shard(&self, key: u64) -> &Mutex<HashSet<u64>> {
        &self.known[key as usize % self.known.len()]
    }

    fn is_known(&self, key: u64) -> bool {
        self.shard(key).lock().is_ok_and(|known| known.contains(&key))
    }

    fn keep(&self, key: u64) {
        if let Ok(mut known) = self.shard(key).lock() {
            known.insert(key);
        }
    }

    /// Turn by turn; a turn that goes on as a known one did ends as well.
    fn rests(&self, mut world: World, mut operator: Operator, config: &Config, way: &mut Vec<u64>) -> bool {
        for _ in 0..TURNS {
            let before = (world, operator);
            (0..SEATS).for_each(|s| _ = approve(&mut world, s));
            world.jobs.iter_mut().filter(|job| job.hold == Hold::Now).for_each(|job| job.hold = Hold::Past);
            nodes::settle(&mut world, config);
            see_all(&world, &mut operator, config);
            // Whoever begins here stays here so far.
            let key = self.key(&world, &operator);
            if self.is_known(key) {
                return true;
            }
            way.push(key);
            for job in 0..config.jobs {
                operator.jobs[job].step(&mut world, job, false, config);
                while operator.jobs[job].is_busy() {
                    operator.jobs[job].step(&mut world, job, false, config);
                }
            }
            see_all(&world, &mut operator, config);
            for party in 0..PARTIES {
                while operator.budgets[party].step(&mut world, party, config)
                    && operator.budgets[party].is_busy()
                {}
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
}

fn see_all(world: &World, operator: &mut Operator, config: &Config) {
    for job in 0..config.jobs {
        operator.jobs[job].see(world, job, None);
    }
    for party in 0..PARTIES {
        operator.budgets[party].see(world, party, None);
    }
}
