//! What happens on nodes and at the controller of Jobs, one step at a time: docs/protocol.md in the few words that matter here.

use crate::{
    config::{Broken, Config},
    world::{
        Disk, PARTIES, PartyJob, Phase, Process, SEATS, Shown, World, claim_of, other_round, parts, seat,
    },
};

/// A step of a party's pod, or of those of one attempt.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Node {
    /// All parties of an attempt run, open and end. The seat is that of the first party.
    Live(usize),
    /// All of them run, and end before anything is opened.
    Die(usize),
    /// Its queue lets the Job go.
    Admit(usize),
    /// Its queue takes it back: its pod ends without a word, if it has one.
    Preempt(usize),
    /// The Job's controller makes the pod.
    Make(usize),
    /// The container starts.
    Start(usize),
    /// It cannot be made: the kubelet's last word.
    NeverMade(usize),
    /// All parties of an attempt run, and meet. The seat is that of the first party.
    Link(usize),
    /// The party's share is durable, and it says so.
    Seal(usize),
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
    /// The container starts, and the party cannot read its manifest or its configuration.
    Misread(usize),
    /// The lasting volume of a claim is emptied.
    Wipe(usize),
}

/// All steps that the config allows.
pub(crate) fn steps(config: &Config, out: &mut Vec<Node>) {
    for s in 0..SEATS {
        let (job, attempt, party) = parts(s);
        let more = usize::from(config.suspends) + usize::from(config.lasting);
        if job >= config.jobs || attempt >= usize::from(config.attempts) + more {
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
            (config.queued, Node::Admit(s)),
            (config.preempts, Node::Preempt(s)),
            (config.vanishes, Node::Vanish(s)),
            (config.vanishes, Node::NeverMade(s)),
            (config.lags, Node::Report(s)),
            (config.forces, Node::Force(s)),
            (config.removes, Node::Remove(s)),
            (config.lasting, Node::Seal(s)),
            (config.misreads, Node::Misread(s)),
            (config.wipes && attempt == 0, Node::Wipe(s)),
        ];
        out.extend(may.into_iter().filter(|(may, _)| *may).map(|(_, step)| step));
    }
}

/// Takes the step; false where it cannot be taken.
pub(crate) fn take(world: &mut World, step: Node, config: &Config) -> bool {
    let lags = config.lags;
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
        Node::Admit(s) => {
            let may = world.party_jobs[s] == PartyJob::There && world.held & 1 << s != 0;
            if may {
                world.held &= !(1 << s);
                world.let_go |= 1 << s;
                if config.lacks(Broken::LetGoOnce) {
                    world.pods[s] = Default::default();
                }
            }
            may
        }
        Node::Preempt(s) => {
            let may = world.party_jobs[s] == PartyJob::There
                && world.held & 1 << s == 0
                && world.taken_back & 1 << s == 0;
            if may {
                world.held |= 1 << s;
                world.taken_back |= 1 << s;
                let pod = &mut world.pods[s];
                if pod.shown.is_there() {
                    (pod.shown, pod.process) = (Shown::Gone, Dead);
                }
            }
            may
        }
        Node::Make(s) => {
            let is_held = world.held & 1 << s != 0;
            let pod = &mut world.pods[s];
            let may = world.party_jobs[s] == PartyJob::There && pod.shown == Shown::Never && !is_held;
            if may {
                pod.shown = Shown::Pending;
            }
            may
        }
        Node::Start(s) => {
            let pod = &world.pods[s];
            let waits =
                pod.shown == Shown::Pending && pod.process == Process::None && world.bare & 1 << s == 0;
            waits
                && if config.lasting {
                    take_folder(world, s, config)
                } else {
                    become_(world, s, Running, lags)
                }
        }
        Node::Misread(s) => {
            let pod = &mut world.pods[s];
            let may = pod.shown == Shown::Pending && pod.process == Process::None && world.bare & 1 << s == 0;
            if may {
                (pod.shown, pod.process) = (Shown::Unlooked, Dead);
            }
            may
        }
        Node::Wipe(s) => {
            let has = |s: usize| world.pods[s].process.is_alive();
            let may = world.disks[s] != Disk::Empty && !has(s) && !has(other_round(s));
            if may {
                world.disks[s] = Disk::Empty;
            }
            may
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
                if config.lasting {
                    decide(world, first);
                }
            }
            may
        }
        Node::Seal(s) => {
            let may = world.pods[s].process == Linked && world.sealed & 1 << s == 0;
            if may {
                world.sealed |= 1 << s;
                let disk = &mut world.disks[claim_of(s, true)];
                *disk = (*disk).max(Disk::Sealed);
            }
            may
        }
        Node::Open(s) => {
            let (job, attempt, _) = parts(s);
            let sealed = (0..PARTIES).all(|party| world.sealed & 1 << seat(job, party, attempt) != 0);
            let may = world.pods[s].process == Linked && (sealed || !config.lasting);
            if may {
                world.opened_twice |= world.opened & 1 << s != 0;
                if config.lasting {
                    world.opened_twice |=
                        world.opened & 1 << other_round(s) != 0 && world.same & 1 << job == 0;
                    world.disks[claim_of(s, true)] = Disk::Opened;
                }
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
            let may = matches!(world.pods[s].process, Running | Linked);
            if may && config.lasting && world.disks[claim_of(s, true)] == Disk::Opened {
                // Its ledger says that it has paid.
                end(world, s);
                return true;
            }
            may && become_(world, s, Certain, lags)
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
            // Once before it is named, and once after.
            let made = world.jobs[parts(s).0].phase == Phase::Running || world.uids[s] == 1;
            let may = made && world.party_jobs[s] != PartyJob::Absent;
            if may {
                world.party_jobs[s] = PartyJob::Absent;
            }
            may
        }
    }
}

/// `RunFolder::take`, and what a party makes of what it finds: `prepare.rs`.
fn take_folder(world: &mut World, s: usize, config: &Config) -> bool {
    if world.pods[other_round(s)].process.is_alive() && !config.lacks(Broken::Lock) {
        return false;
    }
    let (_, round, _) = parts(s);
    let disk = &mut world.disks[claim_of(s, true)];
    match (round, *disk) {
        (0, Disk::Empty) => {}
        (0, _) => return become_(world, s, Process::Certain, config.lags),
        (_, Disk::Empty) if !config.lacks(Broken::Begun) => {
            end(world, s);
            return true;
        }
        _ => {}
    }
    *disk = (*disk).max(Disk::Begun);
    become_(world, s, Process::Running, config.lags)
}

/// `standing::decide`, for parties that have just met.
fn decide(world: &mut World, first: usize) {
    let (job, attempt, _) = parts(first);
    let all = || (0..PARTIES).map(|party| seat(job, party, attempt));
    let disks = || all().map(|s| claim_of(s, true));
    let is_sealed = disks().all(|claim| world.disks[claim] >= Disk::Sealed);
    if is_sealed {
        world.same |= 1 << job;
    } else if disks().any(|claim| world.disks[claim] == Disk::Opened) {
        all().for_each(|s| end(world, s));
    } else {
        disks().for_each(|claim| world.disks[claim] = Disk::Begun);
    }
}

/// A process ends with a code that says as little as none.
fn end(world: &mut World, s: usize) {
    (world.pods[s].shown, world.pods[s].process) = (Shown::Gone, Process::Dead);
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
    let faults = Config {
        vanishes: false,
        preempts: false,
        forces: false,
        removes: false,
        misreads: false,
        wipes: false,
        ..*config
    };
    let (all, told) = (Config { lags: true, ..faults }, Config { lags: false, ..faults });
    loop {
        let mut steps = Vec::new();
        self::steps(&all, &mut steps);
        // A party gives up only when nothing else is left to do.
        let (hopeless, good): (Vec<Node>, Vec<Node>) =
            steps.into_iter().partition(|step| matches!(step, Node::Fail(_)));
        // Each step is taken, whatever the others did.
        let moved = good.into_iter().filter(|step| take(world, *step, &told)).count() > 0;
        if moved {
            continue;
        }
        // Each step is taken, whatever the others did.
        let moved = hopeless.into_iter().filter(|step| take(world, *step, &told)).count() > 0;
        // One that opened for a peer that is dead ends without a certain word, and pods go with their Jobs.
        let stuck = (0..SEATS).fold(false, |moved, s| {
            let orphan = world.party_jobs[s] == PartyJob::Absent && world.pods[s].shown.is_there();
            // What waits for a Secret that nobody makes is asked to end.
            let bare = world.bare & 1 << s != 0 && take(world, Node::NeverMade(s), &told);
            bare || (orphan || world.pods[s].process == Process::Opened)
                && take(world, Node::Vanish(s), &told)
                || moved
        });
        if !moved && !stuck {
            return;
        }
    }
}
