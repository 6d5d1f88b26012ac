//! What happens on nodes and at the controller of Jobs, one step at a time: docs/protocol.md in the few words that matter here.

use crate::{
    config::Config,
    world::{PARTIES, PartyJob, Phase, Process, SEATS, Shown, World, parts, seat},
};

/// A step of a party's pod, or of those of one attempt.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Node {
    /// All parties of an attempt run, open and end. The seat is that of the first party.
    Live(usize),
    /// All of them run, and end before anything is opened.
    Die(usize),
    /// The Job's controller makes the pod.
    Make(usize),
    /// The container starts.
    Start(usize),
    /// It cannot be made: the kubelet's last word.
    NeverMade(usize),
    /// All parties of an attempt run, and meet. The seat is that of the first party.
    Link(usize),
    /// The party's share leaves.
    Open(usize),
    /// It has the result.
    Finish(usize),
    /// It ends with an exit code that says that its share never left.
    Fail(usize),
    /// The kubelet tells what has happened.
    Report(usize),
    /// Process and object are gone.
    Vanish(usize),
    /// The object is gone; the process goes on.
    Force(usize),
    /// The Job's controller says that the pod is over.
    JobFails(usize),
    /// Somebody deletes the Job.
    Remove(usize),
}

/// All steps that the config allows.
pub(crate) fn steps(config: &Config, out: &mut Vec<Node>) {
    for s in 0..SEATS {
        let (job, attempt, party) = parts(s);
        if job >= config.jobs || attempt >= usize::from(config.attempts) + usize::from(config.suspends) {
            continue;
        }
        if config.brief {
            out.extend((party == 0).then_some([Node::Live(s), Node::Die(s)]).into_iter().flatten());
            continue;
        }
        out.extend([
            Node::Make(s),
            Node::Start(s),
            Node::Open(s),
            Node::Finish(s),
            Node::Fail(s),
            Node::JobFails(s),
        ]);
        if party == 0 {
            out.push(Node::Link(s));
        }
        let may = [
            (config.vanishes, Node::Vanish(s)),
            (config.vanishes, Node::NeverMade(s)),
            (config.lags, Node::Report(s)),
            (config.forces, Node::Force(s)),
            (config.removes, Node::Remove(s)),
        ];
        out.extend(may.into_iter().filter(|(may, _)| *may).map(|(_, step)| step));
    }
}

/// Takes the step; false where it cannot be taken.
pub(crate) fn take(world: &mut World, step: Node, lags: bool) -> bool {
    use Process::{Certain, Dead, Done, Linked, Opened, Running};
    match step {
        Node::Live(first) | Node::Die(first) => {
            let (job, attempt, _) = parts(first);
            let all = (0..PARTIES).map(|party| seat(job, party, attempt));
            let may = |s: usize| {
                world.party_jobs[s] == PartyJob::There
                    && world.pods[s].shown == Shown::Never
                    && world.bare & 1 << s == 0
            };
            let may = all.clone().all(may);
            for s in all.filter(|_| may) {
                let end = if matches!(step, Node::Live(_)) { Done } else { Certain };
                world.opened |= u8::from(end == Done) << s;
                become_(world, s, end, false);
                world.pods[s].shown = word(end).unwrap_or_default();
            }
            may
        }
        Node::Make(s) => {
            let pod = &mut world.pods[s];
            let may = world.party_jobs[s] == PartyJob::There && pod.shown == Shown::Never;
            if may {
                pod.shown = Shown::Pending;
            }
            may
        }
        Node::Start(s) => {
            let pod = &world.pods[s];
            let waits =
                pod.shown == Shown::Pending && pod.process == Process::None && world.bare & 1 << s == 0;
            waits && become_(world, s, Running, lags)
        }
        Node::NeverMade(s) => {
            let pod = &mut world.pods[s];
            let may = pod.shown == Shown::Pending && pod.process == Process::None;
            if may {
                (pod.shown, pod.process) = (Shown::NeverMade, Dead);
            }
            may
        }
        Node::Link(first) => {
            let (job, attempt, _) = parts(first);
            let all = (0..PARTIES).map(|party| seat(job, party, attempt));
            let may = all.clone().all(|s| world.pods[s].process == Running);
            if may {
                all.for_each(|s| world.pods[s].process = Linked);
            }
            may
        }
        Node::Open(s) => {
            let may = world.pods[s].process == Linked;
            if may {
                world.opened_twice |= world.opened & 1 << s != 0;
                world.opened |= 1 << s;
                world.pods[s].process = Opened;
            }
            may
        }
        Node::Finish(s) => {
            let (job, attempt, _) = parts(s);
            let all = (0..PARTIES).all(|party| world.opened & 1 << seat(job, party, attempt) != 0);
            all && world.pods[s].process == Opened && become_(world, s, Done, lags)
        }
        Node::Fail(s) => {
            matches!(world.pods[s].process, Running | Linked) && become_(world, s, Certain, lags)
        }
        Node::Report(s) => {
            let pod = &mut world.pods[s];
            let word = word(pod.process);
            let may = pod.shown.is_there() && word.is_some_and(|word| word != pod.shown);
            if let (true, Some(word)) = (may, word) {
                pod.shown = word;
            }
            may
        }
        Node::Vanish(s) => {
            let pod = &mut world.pods[s];
            let may = pod.shown.is_there() || pod.process.is_alive();
            if may {
                (pod.shown, pod.process) = (Shown::Gone, Dead);
            }
            may
        }
        Node::Force(s) => {
            let pod = &mut world.pods[s];
            let may = pod.shown.is_there() && pod.process.is_alive();
            if may {
                pod.shown = Shown::Gone;
            }
            may
        }
        Node::JobFails(s) => {
            let over = matches!(world.pods[s].shown, Shown::Certain | Shown::NeverMade | Shown::Gone);
            let may = over && world.party_jobs[s] == PartyJob::There;
            if may {
                world.party_jobs[s] = PartyJob::Failed;
            }
            may
        }
        Node::Remove(s) => {
            let made = world.jobs[parts(s).0].phase == Phase::Running;
            let may = made && world.party_jobs[s] != PartyJob::Absent;
            if may {
                world.party_jobs[s] = PartyJob::Absent;
            }
            may
        }
    }
}

fn word(process: Process) -> Option<Shown> {
    match process {
        Process::Running | Process::Linked | Process::Opened => Some(Shown::Running),
        Process::Done => Some(Shown::Done),
        Process::Certain => Some(Shown::Certain),
        Process::None | Process::Dead => None,
    }
}

fn become_(world: &mut World, s: usize, process: Process, lags: bool) -> bool {
    let pod = &mut world.pods[s];
    pod.process = process;
    if !lags
        && pod.shown.is_there()
        && let Some(word) = word(process)
    {
        pod.shown = word;
    }
    true
}

/// Lets everything on the nodes come to its end, without a fault.
pub(crate) fn settle(world: &mut World, config: &Config) {
    loop {
        let mut steps = Vec::new();
        self::steps(
            &Config { vanishes: false, forces: false, removes: false, lags: true, ..*config },
            &mut steps,
        );
        // A party gives up only when nothing else is left to do.
        let (hopeless, good): (Vec<Node>, Vec<Node>) =
            steps.into_iter().partition(|step| matches!(step, Node::Fail(_)));
        // Each step is taken, whatever the others did.
        let moved = good.into_iter().filter(|step| take(world, *step, false)).count() > 0;
        if moved {
            continue;
        }
        // Each step is taken, whatever the others did.
        let moved = hopeless.into_iter().filter(|step| take(world, *step, false)).count() > 0;
        // One that opened for a peer that is dead ends without a certain word, and pods go with their Jobs.
        let stuck = (0..SEATS).fold(false, |moved, s| {
            let orphan = world.party_jobs[s] == PartyJob::Absent && world.pods[s].shown.is_there();
            // What waits for a Secret that nobody makes is asked to end.
            let bare = world.bare & 1 << s != 0 && take(world, Node::NeverMade(s), false);
            bare || (orphan || world.pods[s].process == Process::Opened)
                && take(world, Node::Vanish(s), false)
                || moved
        });
        if !moved && !stuck {
            return;
        }
    }
}
