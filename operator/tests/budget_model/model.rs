//! The model: who may move when.

use crate::{
    budget_loop::BudgetLoop,
    calm::Rests,
    config::Config,
    job_loop::{JobLoop, KINDS, Kind},
    nodes::{self, Node},
    pack, properties,
    world::{Hold, Job, PARTIES, SEATS, World, parts},
};
use stateright::{Model, Property};
use std::hash::{Hash, Hasher};

/// One process of the operator. Each loop has seen what it has seen: no order holds between two of them.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub(crate) struct Operator {
    pub(crate) jobs: [JobLoop; 2],
    pub(crate) budgets: [BudgetLoop; PARTIES],
}

impl Operator {
    /// A new process with full caches.
    pub(crate) fn fresh(world: &World, config: &Config) -> Self {
        Self {
            jobs: std::array::from_fn(|job| {
                if config.eager { JobLoop::default() } else { JobLoop::fresh(world, job) }
            }),
            budgets: std::array::from_fn(|party| BudgetLoop::fresh(world, party)),
        }
    }
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct State {
    pub(crate) world: World,
    pub(crate) leader: Operator,
    /// One that led before, and does not know better.
    pub(crate) deposed: Option<Box<Operator>>,
}

impl Hash for State {
    fn hash<H: Hasher>(&self, hasher: &mut H) {
        pack::hash(&(&self.world, &self.leader, &self.deposed), hasher);
    }
}

/// Which process.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Who {
    Leader,
    Deposed,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Action {
    /// The job loop's cache of one kind, or of all, catches up.
    SeeForJob(Who, usize, Option<Kind>),
    /// The budget loop's cache of its claims (true), of its budget, or of both catches up.
    SeeForBudget(Who, usize, Option<bool>),
    /// The job loop's next write for a job, or (true) the one that is under way with it.
    JobLoop(Who, usize, bool),
    /// The budget loop's next step for a budget.
    BudgetLoop(Who, usize),
    /// The operator dies and starts again.
    Crash,
    /// The process dies with a write under way: of this job, or of this party's budget. Another one leads.
    Late(Option<usize>, usize),
    /// Another process leads; this one goes on.
    Depose,
    /// An owner approves a claim.
    Approve(usize),
    /// A job is deleted.
    Delete(usize),
    /// A job is held, or goes on.
    Suspend(usize),
    /// A claim is deleted.
    Forget(usize),
    /// A job has waited for room for too long.
    Tire(Who, usize),
    /// A dataset is changed, or changed back.
    Change,
    Node(Node),
}

pub(crate) struct Budgets {
    pub(crate) config: Config,
    pub(crate) rests: Rests,
    /// Only this one is looked at; where none is named, all are.
    pub(crate) property: Option<&'static str>,
}

impl Budgets {
    pub(crate) fn new(config: Config) -> Self {
        Self { config, rests: Rests::default(), property: None }
    }

    /// For who wants to know of one property alone.
    pub(crate) fn only(config: Config, property: &'static str) -> Self {
        Self { property: Some(property), ..Self::new(config) }
    }
}

impl Model for Budgets {
    type State = State;
    type Action = Action;

    fn init_states(&self) -> Vec<State> {
        let mut world = World::default();
        world.jobs[..self.config.jobs].fill(Job { there: true, ..Job::default() });
        if self.config.launched {
            world.launch(0, self.config.queued);
        }
        vec![State { world, leader: Operator::fresh(&world, &self.config), deposed: None }]
    }

    fn actions(&self, state: &State, actions: &mut Vec<Action>) {
        let config = &self.config;
        let mut loops = |who: Who, sees: bool| {
            for job in 0..config.jobs {
                actions.extend([false, true].map(|second| Action::JobLoop(who, job, second)));
                if config.crowded {
                    actions.push(Action::Tire(who, job));
                }
                if sees && config.skew {
                    actions.extend(KINDS.map(|kind| Action::SeeForJob(who, job, Some(kind))));
                } else if sees && !config.eager {
                    actions.push(Action::SeeForJob(who, job, None));
                }
            }
            for party in 0..PARTIES {
                actions.push(Action::BudgetLoop(who, party));
                if sees && config.skew {
                    actions
                        .extend([false, true].map(|claims| Action::SeeForBudget(who, party, Some(claims))));
                } else if sees {
                    actions.push(Action::SeeForBudget(who, party, None));
                }
            }
        };
        loops(Who::Leader, true);
        if state.deposed.is_some() {
            loops(Who::Deposed, false);
        }
        if config.crashes {
            actions.push(Action::Crash);
        }
        if config.late && state.deposed.is_none() {
            actions.extend((0..config.jobs).map(|job| Action::Late(Some(job), 0)));
            actions.extend((0..PARTIES).map(|party| Action::Late(None, party)));
        }
        if config.second && state.deposed.is_none() {
            actions.push(Action::Depose);
        }
        if config.manual {
            actions.extend((0..SEATS).map(Action::Approve));
        }
        if config.deletes {
            actions.extend((0..config.jobs).map(Action::Delete));
        }
        if config.suspends {
            actions.extend((0..config.jobs).map(Action::Suspend));
        }
        if config.forgets {
            actions.extend((0..SEATS).map(Action::Forget));
        }
        if config.changes {
            actions.push(Action::Change);
        }
        let mut steps = Vec::new();
        nodes::steps(config, &mut steps);
        actions.extend(steps.into_iter().map(Action::Node));
    }

    fn next_state(&self, last: &State, action: Action) -> Option<State> {
        let mut state = last.clone();
        let config = &self.config;
        // A write that was under way is one, or two that are done together.
        let is_last = match (&last.deposed, action) {
            (Some(old), Action::JobLoop(Who::Deposed, job, _)) => !old.jobs[job].is_paired(job, config),
            (_, Action::Tire(Who::Deposed, _) | Action::BudgetLoop(Who::Deposed, _)) => true,
            _ => false,
        };
        let State { world, leader, deposed } = &mut state;
        let moved = match action {
            Action::SeeForJob(who, job, kind) => {
                process(who, leader, deposed)?.jobs[job].see(world, job, kind)
            }
            Action::SeeForBudget(who, party, claims) => {
                process(who, leader, deposed)?.budgets[party].see(world, party, claims)
            }
            Action::JobLoop(who, job, second) => {
                let look = &mut process(who, leader, deposed)?.jobs[job];
                if config.eager && !look.is_busy() {
                    look.see(world, job, None);
                }
                let moved = look.step(world, job, second, config);
                if config.eager && !look.is_busy() {
                    *look = JobLoop::default();
                }
                moved
            }
            Action::Tire(who, job) => process(who, leader, deposed)?.jobs[job].tire(world, job, config),
            Action::BudgetLoop(who, party) => {
                process(who, leader, deposed)?.budgets[party].step(world, party, config)
            }
            Action::Crash => {
                *leader = Operator::fresh(world, config);
                *leader != last.leader
            }
            Action::Late(job, party) => {
                let mut old = Operator::default();
                match job {
                    Some(job) => old.jobs[job] = leader.jobs[job].last_write(),
                    None => old.budgets[party] = leader.budgets[party],
                }
                let may = job.map_or(old.budgets[party].is_busy(), |job| old.jobs[job].has_work(job, config));
                *deposed = may.then(|| Box::new(old));
                *leader = Operator::fresh(world, config);
                may
            }
            Action::Depose => {
                *deposed = Some(Box::new(*leader));
                *leader = Operator::fresh(world, config);
                true
            }
            Action::Approve(s) => approve(world, s),
            Action::Delete(job) => {
                let job = &mut world.jobs[job];
                let may = job.there && !job.deleting;
                job.deleting |= may;
                job.there &= job.finalizer || !may;
                may
            }
            Action::Suspend(job) => suspend(&mut world.jobs[job]),
            Action::Forget(s) => {
                let claim = &mut world.claims[s];
                let may = claim.there && !claim.again;
                if may {
                    (claim.there, claim.again) = (false, true);
                }
                may
            }
            Action::Change => {
                world.changed = !world.changed;
                true
            }
            Action::Node(step) => nodes::take(world, step, config),
        };
        if config.late && is_last {
            state.deposed = None;
        }
        moved.then_some(state)
    }

    fn properties(&self) -> Vec<Property<Self>> {
        let is_asked = |of: &Property<Self>| self.property.is_none_or(|asked| asked == of.name);
        properties::all().into_iter().filter(is_asked).collect()
    }
}

fn process<'a>(
    who: Who,
    leader: &'a mut Operator,
    deposed: &'a mut Option<Box<Operator>>,
) -> Option<&'a mut Operator> {
    match who {
        Who::Leader => Some(leader),
        Who::Deposed => deposed.as_deref_mut(),
    }
}

/// `spec.suspend` is set, or taken back.
fn suspend(job: &mut Job) -> bool {
    job.hold = match job.hold {
        Hold::Never if job.there => Hold::Now,
        Hold::Now => Hold::Past,
        _ => return false,
    };
    true
}

/// The owner of a claim agrees.
pub(crate) fn approve(world: &mut World, s: usize) -> bool {
    let claim = &mut world.claims[s];
    let may = claim.there && !claim.approved && parts(s).2 < PARTIES;
    claim.approved |= may;
    may
}
