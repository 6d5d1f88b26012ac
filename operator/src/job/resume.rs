//! Takes an attempt up again whose pods were lost: new pods, the same run and the same claims (docs/budget.md).
//!
//! What each party must find again, its ledger, its share and how far it came, is on a volume that outlives its pod. A party that does
//! not find it ends the run, and draws nothing anew.

use super::{attempt::Attempt, status::Draft, validate::Accepted};
use crate::{error::Error, reason::Reason};
use kube::runtime::controller::Action;
use veilgrid_api::{condition::Truth, status::Phase};

/// How often an attempt is taken up: what kills its pods each time will not pass.
const ROUNDS: u32 = 3;

impl Attempt<'_> {
    /// Whether the attempt is to be taken up where its pods left it, none of which can do anything more: something of it may have been
    /// opened, nothing says that the same would come of it, and all that every party must find again is on a lasting volume.
    pub(super) fn may_be_taken_up(&self, reason: Reason) -> bool {
        let round = self.seats[0].round;
        if !matches!(reason, Reason::PartyFailed | Reason::PartyLost) || round >= ROUNDS {
            return false;
        }
        let lasts = |accepted: &Accepted| accepted.parties.iter().all(|party| party.state.is_some());
        self.is_charged()
            && self.sights.iter().all(|sight| sight.may_be_taken_up())
            && self.accept().is_ok_and(|accepted| lasts(&accepted) && self.is_claimed(&accepted))
    }

    /// Lets the parties be made again, once all have room. The status says so first, so that nobody takes the Jobs of the round before for these.
    pub(super) async fn take_up(&self, reason: Reason, message: String) -> Result<Action, Error> {
        let mut draft = Draft::of(self);
        draft.parties();
        draft.next_round();
        let message =
            format!("attempt {} is taken up again, for the same charge: {message}", draft.status.attempt);
        // Where it needs accelerators, others may have them by now.
        draft.unsay("Scheduled");
        draft.state("PartiesReady", Truth::False, reason, &message);
        draft.phase(Phase::Launching, reason, message);
        draft.write().await?;
        self.ctx.stages.forget(self.seats[0].uid);
        Ok(Action::await_change())
    }
}
