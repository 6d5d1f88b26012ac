//! Why something is as it is, in one word of a closed list: for conditions, events and the labels of metrics.

use std::fmt;

/// A reason.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Reason {
    /// The spec and all that it names are good.
    Valid,
    /// The spec, or an object that it names, has faults or is missing.
    Invalid,
    /// A dataset does not admit the job.
    AccessDenied,
    /// An owner has not approved the job yet.
    AwaitingApproval,
    /// The budgets have not answered yet.
    Reserving,
    /// All budgets hold the amount.
    Reserved,
    /// A budget cannot pay.
    BudgetRefused,
    /// What was asked for changed between the claim and the start.
    Changed,
    /// Not all parties fit at once.
    NoRoom,
    /// Not all pods run yet.
    Waiting,
    /// All pods run.
    Ready,
    /// The result is there.
    Done,
    /// A party's process ended with an error.
    PartyFailed,
    /// A party's pod cannot start.
    PodFailed,
    /// A party's pod or Job is gone.
    PartyLost,
    /// Not all parties ran in time.
    NotReady,
    /// The attempt took too long.
    DeadlineExceeded,
    /// The job's spec says `suspend`.
    Suspended,
    /// The result is in the log of a pod that cannot be read yet.
    ResultUnread,
    /// The result cannot be had from those who opened it.
    ResultLost,
    /// The result is on its way to its place.
    Delivering,
    /// The result cannot be brought to its place yet.
    DeliveryFailed,
    /// The operator cannot understand the object.
    NotUnderstood,
    /// A dataset or a budget that the job names is being deleted.
    BeingDeleted,
    /// It is being deleted, and jobs that are under way use it.
    InUse,
    /// Somebody changed or deleted a NetworkPolicy of a running job.
    PolicyRestored,
}

impl Reason {
    /// What is to be said before the pods are ended, since nothing shows it afterwards.
    pub const SAID_BEFORE: [Self; 3] = [Self::PodFailed, Self::NotReady, Self::Changed];

    /// Whether another attempt may go better.
    pub fn may_pass(self) -> bool {
        matches!(self, Self::PartyFailed | Self::PartyLost | Self::NotReady | Self::DeadlineExceeded)
    }

    /// Whether somebody should look.
    pub fn is_trouble(self) -> bool {
        !matches!(
            self,
            Self::Valid
                | Self::AwaitingApproval
                | Self::Reserving
                | Self::Reserved
                | Self::NoRoom
                | Self::Waiting
                | Self::Ready
                | Self::Done
                | Self::Delivering
                | Self::Suspended
                | Self::InUse
        )
    }
}

impl fmt::Display for Reason {
    /// The variant's name.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(self, f)
    }
}
