//! The protocol of docs/budget.md, model-checked: every order of everything that may happen to two jobs, two budgets and an operator
//! that sees old state and dies at any time.
//!
//! The arithmetic of budgets and the judgement of parties' pods are the operator's own functions. The order of its writes is
//! mirrored: `job_loop.rs` from `operator/src/job`, `budget_loop.rs` from `operator/src/budget/reconcile.rs`. Each protective step can be
//! taken away, and then something must go wrong.

mod arithmetic;
mod budget_loop;
mod calm;
mod config;
mod job_loop;
mod look;
mod model;
mod nodes;
mod pack;
mod properties;
mod sight;
mod world;
mod writes;

use config::{Broken, Config};
use model::Budgets;
use properties::{BOOKED_ONCE, CHARGED, ENOUGH, OPENED_ONCE, RESTS, SUMMED};
use stateright::{Checker, HasDiscoveries, Model};
use std::{
    fmt::Write,
    time::{Duration, Instant},
};

/// One job; all that its loops saw is of one moment each.
const ONE: Config = Config { jobs: 1, ..Config::PLAIN };
/// The same, with what its parties must find again on lasting volumes.
const LASTING: Config = Config { lasting: true, launched: true, ..ONE };
/// Two jobs, and one charge in each budget.
const TWO: Config = Config { total: 1, eager: true, brief: true, ..Config::PLAIN };

/// Explores everything, and fails with the way to what must not be.
fn holds(name: &str, config: Config) {
    sound(name, config, HasDiscoveries::AnyFailures);
}

/// The same for those failures that end it.
fn sound(name: &str, config: Config, failures: HasDiscoveries) {
    let start = Instant::now();
    let checker = Budgets::new(config).checker().threads(1).finish_when(failures.clone()).spawn_dfs().join();
    tell(name, &checker, start);
    let model = Budgets::new(config);
    let found = checker.discoveries();
    if failures.matches(&found.keys().copied().collect(), &model.properties()) {
        let ways =
            found.into_iter().map(|(property, path)| format!("{property}:\n{}", steps(path.into_actions())));
        panic!("{name}: not so: {}", ways.collect::<String>());
    }
    assert!(checker.is_done(), "{name}: not all was explored");
}

/// The shortest way to what must not be, where the config's steps are taken away.
fn breaks(config: Config, property: &'static str) {
    let name = format!("without {:?}", config.broken);
    let start = Instant::now();
    let checker = Budgets::only(config, property)
        .checker()
        .threads(1)
        .timeout(Duration::from_secs(300))
        .finish_when(HasDiscoveries::AnyOf([property].into()))
        .spawn_bfs()
        .join();
    tell(&name, &checker, start);
    let found = checker.discoveries();
    assert!(
        found.contains_key(property),
        "{name}: expected a breach of \"{property}\", found {:?}",
        found.keys()
    );
}

#[allow(clippy::print_stdout, reason = "the figures are what a reader of the test's output wants")]
fn tell(name: &str, checker: &impl Checker<Budgets>, start: Instant) {
    let (states, depth) = (checker.unique_state_count(), checker.max_depth());
    println!("{name}: {states} states, depth {depth}, {:.1} s", start.elapsed().as_secs_f64());
}

fn steps(actions: Vec<model::Action>) -> String {
    actions.into_iter().fold(String::new(), |mut text, action| {
        let _ = writeln!(text, "  {action:?}");
        text
    })
}

#[test]
fn a_job_with_a_second_attempt() {
    holds("attempts", Config { attempts: 2, ..ONE });
}

#[test]
fn a_job_that_is_deleted_at_any_moment() {
    holds("deletion and approval", Config { deletes: true, manual: true, ..ONE });
}

#[test]
fn a_job_that_is_suspended_at_any_moment() {
    holds("suspension", Config { suspends: true, crashes: false, ..ONE });
    holds("suspension and crashes", Config { suspends: true, brief: true, ..ONE });
}

#[test]
fn a_job_that_finds_no_room() {
    holds("no room", Config { crowded: true, ..ONE });
}

#[test]
fn two_jobs_and_a_budget_for_one() {
    holds("two jobs", TWO);
    holds("two jobs with a second attempt", Config { attempts: 2, crashes: false, ..TWO });
}

#[test]
fn a_job_in_a_queue() {
    holds("queue and deletion", Config { queued: true, deletes: true, launched: true, ..ONE });
}

#[test]
fn a_job_that_is_taken_up_where_its_pods_left_it() {
    holds("taken up", Config { vanishes: true, eager: true, crashes: false, ..LASTING });
}

#[test]
#[ignore = "takes longer than a test of every change may: scripts/test-long.sh runs it"]
fn wide() {
    holds("suspension, crashes and each step of a pod", Config { suspends: true, ..ONE });
    holds("pods vanish", Config { vanishes: true, ..ONE });
    holds("a changed dataset", Config { deletes: true, changes: true, ..ONE });
    holds("no room, and a late write", Config { crowded: true, late: true, crashes: false, ..ONE });
    holds("a late write", Config { late: true, ..ONE });
    holds("a late write and suspension", Config { late: true, suspends: true, crashes: false, ..ONE });
    holds(
        "a late word of the kubelet, and force",
        Config { vanishes: true, lags: true, forces: true, ..ONE },
    );
    holds("removed Jobs", Config { removes: true, ..ONE });
    let queued = Config { queued: true, deletes: true, crashes: false, ..ONE };
    holds("queue, deletion and suspension", Config { suspends: true, ..queued });
    holds("queue that takes back", Config { preempts: true, crashes: true, launched: true, ..queued });
    holds("each kind lags", Config { skew: true, crashes: false, ..ONE });
    holds("two jobs and deletion", Config { deletes: true, ..TWO });
    breaks(Config { broken: &[Broken::OutcomeTwice], vanishes: true, late: true, ..ONE }, CHARGED);
    // A second operator that never learns makes pods that nobody waits for; it can not break a budget.
    let figures = [ENOUGH, BOOKED_ONCE, SUMMED].into();
    sound("a second operator", Config { second: true, ..ONE }, HasDiscoveries::AnyOf(figures));
}

#[test]
#[ignore = "takes longer than a test of every change may: scripts/test-long.sh runs it"]
fn wide_taken_up() {
    let seen = Config { eager: true, crashes: false, ..LASTING };
    holds("taken up, and force", Config { forces: true, ..seen });
    holds("taken up, and crashes", Config { vanishes: true, crashes: true, ..seen });
    holds("taken up, and emptied volumes", Config { wipes: true, vanishes: true, misreads: true, ..seen });
    holds("taken up, and deletion", Config { vanishes: true, deletes: true, changes: true, ..seen });
}

#[test]
fn without_a_protective_step_something_goes_wrong() {
    let launched = Config { launched: true, crashes: false, ..ONE };
    breaks(Config { broken: &[Broken::NoVersion], ..TWO }, CHARGED);
    breaks(Config { broken: &[Broken::EarlyPods], ..ONE }, CHARGED);
    breaks(Config { broken: &[Broken::SilentRelease], vanishes: true, ..launched }, CHARGED);
    breaks(
        Config { broken: &[Broken::Remake, Broken::Unnamed], removes: true, eager: true, ..launched },
        CHARGED,
    );
    breaks(Config { broken: &[Broken::WaitingGone], vanishes: true, ..launched }, CHARGED);
    breaks(Config { broken: &[Broken::BookTwice], ..ONE }, SUMMED);
    breaks(Config { broken: &[Broken::LateWord], deletes: true, ..ONE }, CHARGED);
    breaks(
        Config { broken: &[Broken::SeenClaims, Broken::Orphans], deletes: true, skew: true, ..ONE },
        RESTS,
    );
    breaks(Config { broken: &[Broken::Orphans], deletes: true, late: true, ..ONE }, RESTS);
    // All pods live at once: what happens between them does not matter here.
    let brief = Config { brief: true, crashes: false, ..ONE };
    breaks(Config { broken: &[Broken::SettledFirst], suspends: true, late: true, ..brief }, CHARGED);
    let queued = Config { queued: true, deletes: true, ..launched };
    breaks(Config { broken: &[Broken::HeldByLook], ..queued }, CHARGED);
    breaks(Config { broken: &[Broken::HeldNow], preempts: true, ..queued }, CHARGED);
    let taken_back = Config { queued: true, preempts: true, eager: true, ..launched };
    breaks(Config { broken: &[Broken::LetGoOnce], ..taken_back }, OPENED_ONCE);
}

#[test]
fn without_a_protective_step_of_what_is_taken_up_something_goes_wrong() {
    let seen = Config { eager: true, crashes: false, ..LASTING };
    breaks(Config { broken: &[Broken::Lock], forces: true, ..seen }, OPENED_ONCE);
    breaks(Config { broken: &[Broken::Begun], vanishes: true, wipes: true, ..seen }, OPENED_ONCE);
    breaks(Config { broken: &[Broken::Resumed], vanishes: true, misreads: true, ..seen }, CHARGED);
}
