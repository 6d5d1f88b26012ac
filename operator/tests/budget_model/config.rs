//! What may happen in a model, and which protective step is taken away.

/// What may happen beside the operator's own work. The operator always sees old state, for as long as it may.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Config {
    /// 1 or 2.
    pub(crate) jobs: usize,
    /// 1 or 2: `backoffLimit` is one less.
    pub(crate) attempts: u8,
    /// Of each budget, in charges of a job.
    pub(crate) total: u8,
    /// The owner of the second party's dataset is asked.
    pub(crate) manual: bool,
    /// The operator dies and starts again, between any two of its writes.
    pub(crate) crashes: bool,
    /// It is deposed or dies, and a write that was under way arrives at some time later.
    pub(crate) late: bool,
    /// It is deposed and does not know: it goes on with what it saw last, beside its successor.
    pub(crate) second: bool,
    /// Jobs are deleted.
    pub(crate) deletes: bool,
    /// Pods vanish with all that they would have said.
    pub(crate) vanishes: bool,
    /// A kubelet tells later what has happened.
    pub(crate) lags: bool,
    /// A pod's object is removed by force while its process goes on.
    pub(crate) forces: bool,
    /// A party's Job is deleted by somebody.
    pub(crate) removes: bool,
    /// A claim is deleted by somebody, once each.
    pub(crate) forgets: bool,
    /// Jobs are suspended and go on.
    pub(crate) suspends: bool,
    /// The parties' Jobs wait in a queue, which lets each go once.
    pub(crate) queued: bool,
    /// It takes one back that it let go, once.
    pub(crate) preempts: bool,
    /// Of the one job the first attempt is launched already, and its pods wait for nothing but their turn.
    pub(crate) launched: bool,
    /// What each party must find again is on a lasting volume: an attempt is taken up again, once. With one job and one attempt that are
    /// launched, and no suspension.
    pub(crate) lasting: bool,
    /// A lasting volume is emptied while no process has it.
    pub(crate) wipes: bool,
    /// A party ends before it has looked at its state.
    pub(crate) misreads: bool,
    /// There is no room for a job's pods when its budgets hold the amounts, for so long that it gives up.
    pub(crate) crowded: bool,
    /// A dataset is changed, so that jobs are not accepted any more, and changed back.
    pub(crate) changes: bool,
    /// Each kind of object lags by itself; else a loop sees all of one moment, be it long ago.
    pub(crate) skew: bool,
    /// A look at a job begins with what is there; only budgets lag.
    pub(crate) eager: bool,
    /// All pods of an attempt live their lives in one step.
    pub(crate) brief: bool,
    /// What is taken away.
    pub(crate) broken: &'static [Broken],
}

/// A protective step that is taken away.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Broken {
    /// A budget is replaced whatever its resource version is.
    NoVersion,
    /// Pods are made before every budget holds its amount.
    EarlyPods,
    /// A party that is gone without a word is released.
    SilentRelease,
    /// A party's Job that is gone is made again.
    Remake,
    /// What is spent is added up in another write than the one that takes the reservation out.
    BookTwice,
    /// A pod that was last seen waiting and is gone counts as one that never ran.
    WaitingGone,
    /// The status names the Jobs only when they have their Secrets.
    LateWord,
    /// A Job of the right name is as good as the one that was named.
    Unnamed,
    /// A job that fails or is held before its pods may be made settles its claims before its status says so.
    SettledFirst,
    /// A claim's outcome is written whatever its resource version is.
    OutcomeTwice,
    /// A deleted job settles the claims that its cache has.
    SeenClaims,
    /// What its queue holds is deleted whatever its resource version is.
    HeldByLook,
    /// What its queue let go and took back counts as never let go.
    HeldNow,
    /// What a queue took back it lets go again, and the Job's controller makes another pod.
    LetGoOnce,
    /// An open claim whose job is gone is left alone.
    Orphans,
    /// Two processes may work in one state folder.
    Lock,
    /// A party that is taken up begins anew where its state folder is empty.
    Begun,
    /// A party that is taken up is judged as if no pod had been there before.
    Resumed,
}

impl Config {
    /// Two jobs, and nothing but old state and crashes.
    pub(crate) const PLAIN: Self = Self {
        jobs: 2,
        attempts: 1,
        total: 2,
        manual: false,
        crashes: true,
        late: false,
        second: false,
        deletes: false,
        vanishes: false,
        lags: false,
        forces: false,
        removes: false,
        forgets: false,
        suspends: false,
        queued: false,
        preempts: false,
        launched: false,
        lasting: false,
        wipes: false,
        misreads: false,
        crowded: false,
        changes: false,
        skew: false,
        eager: false,
        brief: false,
        broken: &[],
    };

    pub(crate) fn lacks(&self, step: Broken) -> bool {
        self.broken.contains(&step)
    }
}
