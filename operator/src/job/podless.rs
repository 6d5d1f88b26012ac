//! Why a party has no pod: what the Job's controller said when it could not make one, such as a ResourceQuota's refusal.
//!
//! A Job's status does not tell it; an event does. It is asked for only while a Job waits for its pod.

use super::{attempt::Attempt, observe::Sight};
use k8s_openapi::api::events::v1::Event;
use kube::{ResourceExt, api::ListParams};
use veilgrid_api::status::PartyPhase;

/// Events of one Job that are read: those that come again are one.
const FEW: u32 = 16;

impl Attempt<'_> {
    /// Asks why the parties that were let go have no pod, and notes it as what keeps them.
    pub(super) async fn ask_refusals(&mut self) {
        for index in 0..self.seats.len() {
            let seat = &self.seats[index];
            if !is_podless(&self.sights[index]) {
                continue;
            }
            let Some(uid) = self.ctx.cache.party_jobs.get(&seat.object()).and_then(|job| job.uid()) else {
                continue;
            };
            if let Some(why) = self.why_podless(seat.namespace, &uid).await {
                self.sights[index].message = format!("its pod cannot be made: {why}");
            }
        }
    }

    /// Why the Job of this uid has no pod, where that was said.
    pub(super) async fn why_podless(&self, namespace: &str, uid: &str) -> Option<String> {
        let params =
            ListParams::default().fields(&format!("regarding.uid={uid},reason=FailedCreate")).limit(FEW);
        match self.ctx.api::<Event>(namespace).list(&params).await {
            Ok(events) => last(&events.items).map(|note| why(note).to_owned()),
            // Events are a help to people; that there is no pod is said without them.
            Err(error) => {
                tracing::debug!(%error, "no word why there is no pod");
                None
            }
        }
    }
}

fn is_podless(sight: &Sight) -> bool {
    sight.phase == PartyPhase::Pending && sight.pod.is_none() && sight.released.is_some() && !sight.lost
}

/// What was said last.
fn last(events: &[Event]) -> Option<&str> {
    let said = |event: &&Event| {
        let again = event.series.as_ref().map(|series| series.last_observed_time.0);
        let counted = event.deprecated_last_timestamp.as_ref().map(|time| time.0);
        again.max(event.event_time.as_ref().map(|time| time.0)).max(counted)
    };
    events.iter().max_by_key(said)?.note.as_deref()
}

/// `Error creating: pods "x-0-abcde" is forbidden: exceeded quota: ...`: what follows the pod's name, which is another at each try.
fn why(note: &str) -> &str {
    let note = note.strip_prefix("Error creating: ").unwrap_or(note);
    note.strip_prefix("pods \"").and_then(|rest| rest.split_once("\" is ")).map_or(note, |(_, why)| why)
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn the_last_refusal_is_told_without_the_name_of_a_pod() {
        let event = |seconds: u32, note: &str| -> Event {
            serde_json::from_value(json!({
                "metadata": {"name": "e", "namespace": "west"}, "note": note, "eventTime": null,
                "deprecatedLastTimestamp": format!("2026-01-01T00:00:{seconds:02}Z"),
            }))
            .unwrap()
        };
        let quota = "exceeded quota: full, requested: pods=1, used: pods=0, limited: pods=0";
        let refused = format!("Error creating: pods \"j-west-1-a1-0-x7k2p\" is forbidden: {quota}");
        let events = [event(3, "older"), event(9, &refused), event(1, "oldest")];
        assert_eq!(last(&events).map(why), Some(format!("forbidden: {quota}").as_str()));
        assert_eq!((last(&[]), why("Error creating: timeout")), (None, "timeout"));
    }
}
