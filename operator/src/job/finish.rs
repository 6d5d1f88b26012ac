//! How a job ends well: the result is checked, put in its place and paid for, and then the status says so.

use super::{attempt::Attempt, stages::Stage, status::Draft};
use crate::{error::Error, reason::Reason};
use kube::runtime::controller::Action;
use std::time::Duration;
use veilgrid_api::{
    condition::{self, Truth},
    status::{Phase, ReceiptStatus},
};

impl Attempt<'_> {
    /// All parties did their part.
    pub(super) async fn finish(&self) -> Result<Action, Error> {
        if let Some(Stage::Placed { hash, receipt }) = self.stage() {
            return self.succeed(hash, receipt).await;
        }
        let hash = match self.opened_hash().map_or_else(|| self.agreed(), |hash| Ok(hash.to_owned())) {
            Ok(hash) => hash,
            Err(message) => return self.fail(Reason::ResultLost, message).await,
        };
        let opened = match self.opened(&hash).await {
            Ok(opened) => opened,
            Err(unread) => return self.read_again(unread).await,
        };
        let receipt = match self.check(&opened) {
            Ok(receipt) => receipt,
            Err(message) => return self.fail(Reason::ResultLost, message).await,
        };
        let place = self.job.spec.result.as_ref();
        if let Some(bytes) = place.and_then(|_| opened.too_large()) {
            return self.fail(Reason::ResultLost, bytes).await;
        }
        if let Some(place) = place.filter(|place| place.needs_delivery()) {
            return self.send(opened, place, hash, receipt).await;
        }
        let put = async {
            match place.and_then(|place| place.config_map.as_deref()) {
                Some(name) => self.place(&opened, name).await,
                None => Ok(Ok(())),
            }
        };
        // It is paid for, wherever it can be.
        let (put, settled) = tokio::join!(put, self.settle(true));
        settled?;
        if let Err(message) = put? {
            return self.fail(Reason::ResultLost, message).await;
        }
        self.reach(Stage::Placed { hash, receipt });
        Ok(Action::requeue(Duration::ZERO))
    }

    /// The result is in its place, and paid for.
    async fn succeed(&self, hash: String, receipt: ReceiptStatus) -> Result<Action, Error> {
        let mut draft = Draft::of(self);
        draft.state("Scheduled", Truth::True, Reason::Ready, "");
        draft.state("PartiesReady", Truth::True, Reason::Ready, "");
        if condition::find(&draft.status.conditions, "Delivered").is_some() {
            draft.state("Delivered", Truth::True, Reason::Done, "");
        }
        draft.state("Succeeded", Truth::True, Reason::Done, "");
        draft.phase(Phase::Succeeded, Reason::Done, self.found());
        if self.opened_hash().is_none() {
            // What the parties said is in the status before their Jobs go.
            draft.parties();
        }
        draft.status.result_hash = Some(hash);
        draft.status.receipt = Some(receipt);
        draft.write().await
    }
}
