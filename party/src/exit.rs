//! What a process's exit code says.

/// How a run ended, as the exit code of its process.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[repr(u8)]
pub enum Exit {
    /// The result is written.
    Success = 0,
    /// A fault of this program.
    Internal = 1,
    /// The command line, the configuration or the manifest is wrong.
    Usage = 2,
    /// A budget does not allow the run. No ledger changed.
    BudgetRefused = 3,
    /// The rows are not as the manifest says.
    Input = 4,
    /// A peer is absent, silent, gave up or broke the rules.
    Peer = 5,
    /// The parties' plans or identities do not match.
    Agreement = 6,
    /// The device that was asked for is absent or fails.
    Device = 7,
    /// The state folder, the output folder or the disk.
    State = 8,
    /// Interrupted before anything was opened: the reservation is released.
    Interrupted = 9,
    /// The charge is spent and the result is not everywhere yet: resume the run.
    Unfinished = 10,
    /// A cluster cannot be reached, or does not allow what is asked of it. Of commands only: no party ends so.
    Cluster = 11,
    /// A job in a cluster has no result: it failed, is gone, or has not ended. Of commands only.
    NoResult = 12,
}

impl Exit {
    /// Every code.
    pub const ALL: [Self; 13] = [
        Self::Success,
        Self::Internal,
        Self::Usage,
        Self::BudgetRefused,
        Self::Input,
        Self::Peer,
        Self::Agreement,
        Self::Device,
        Self::State,
        Self::Interrupted,
        Self::Unfinished,
        Self::Cluster,
        Self::NoResult,
    ];

    /// The number.
    pub fn code(self) -> u8 {
        self as u8
    }

    /// The code of this number.
    pub fn of(code: i32) -> Option<Self> {
        Self::ALL.into_iter().find(|exit| i32::from(exit.code()) == code)
    }

    /// What it says, in a few words.
    pub fn meaning(self) -> &'static str {
        match self {
            Self::Success => "the result is written",
            Self::Internal => "a fault of this program; please report it",
            Self::Usage => "the command line, the configuration or the manifest is wrong",
            Self::BudgetRefused => "a budget does not allow the run; nothing was charged",
            Self::Input => "the rows are not as the manifest says; nothing was charged",
            Self::Peer => "a peer is absent, silent, gave up or broke the rules; nothing was charged",
            Self::Agreement => "the parties' plans or identities do not match; nothing was charged",
            Self::Device => "the device that was asked for is absent or fails; nothing was charged",
            Self::State => "the state folder, the output folder or the disk cannot be used",
            Self::Interrupted => "interrupted before anything was opened; nothing was charged",
            Self::Unfinished => "the charge is spent and the result is not everywhere yet; resume the run",
            Self::Cluster => "the cluster cannot be reached, or does not allow what was asked of it",
            Self::NoResult => "the job in the cluster has no result: it failed, is gone, or has not ended",
        }
    }
}
