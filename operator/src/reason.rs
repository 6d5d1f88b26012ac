//! Why something is as it is, in one word of a closed list: for conditions, events and the labels of metrics.

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
    /// The attempt took too long.
    DeadlineExceeded,
    /// The result cannot be had from those who opened it.
    ResultLost,
    /// The job was deleted.
    Deleted,
}

impl Reason {
    /// The word.
    pub fn word(self) -> &'static str {
        match self {
            Self::Valid => "Valid",
            Self::Invalid => "Invalid",
            Self::AccessDenied => "AccessDenied",
            Self::AwaitingApproval => "AwaitingApproval",
            Self::Reserving => "Reserving",
            Self::Reserved => "Reserved",
            Self::BudgetRefused => "BudgetRefused",
            Self::Changed => "Changed",
            Self::Waiting => "Waiting",
            Self::Ready => "Ready",
            Self::Done => "Done",
            Self::PartyFailed => "PartyFailed",
            Self::PodFailed => "PodFailed",
            Self::PartyLost => "PartyLost",
            Self::DeadlineExceeded => "DeadlineExceeded",
            Self::ResultLost => "ResultLost",
            Self::Deleted => "Deleted",
        }
    }
}
