//! Why a party has no pod: what the Job's controller said when it could not make one, such as a ResourceQuota's refusal.
//!
//! A Job's status does not tell it; an event does. It is asked for only while a Job waits for its pod, and the longer that waits, the more seldom.

use super::{attempt::Attempt, observe::Sight};
use crate::names::Seat;
use futures::future::join_all;
use k8s_openapi::api::events::v1::Event;
use kube::{ResourceExt, api::ListParams};
use std::time::Duration;
use veilgrid_api::status::PartyPhase;

/// Events of one Job that are read: those that come again are one.
const FEW: u32 = 16;
/// How soon it is asked, and asked again. Where many Jobs are made at once, their controller takes seconds for each; the API server keeps no
/// events in memory, and reads all of a namespace to find those of one Job.
const SOONEST: Duration = Duration::from_secs(10);
/// And at the latest: the Job's controller does not try more often than that in the end.
const LATEST: Duration = Duration::from_secs(60);
/// How a party's message begins then.
const REFUSED: &str = "its pod cannot be made: ";

impl Attempt<'_> {
    /// Notes why the parties that were let go, so many seconds ago, have no pod. It asks where it is time; else what was said last holds. How
    /// soon it is time again, where any has none.
    pub(super) async fn ask_refusals(&mut self, waited: u64) -> Option<Duration> {
        if !self.sights.iter().any(is_podless) {
            return None;
        }
        let first = SOONEST.saturating_sub(Duration::from_secs(waited));
        if !first.is_zero() {
            return Some(first);
        }
        let pause = pause(waited);
        let early = self.ctx.refused.is_time(self.seats[0].uid, pause).err();
        let words = join_all(self.seats.iter().zip(&self.sights).map(|(seat, sight)| async {
            match early {
                _ if !is_podless(sight) => None,
                Some(_) => self.said(seat),
                None => {
                    let uid = self.ctx.cache.party_jobs.get(&seat.object())?.uid()?;
                    Some(format!("{REFUSED}{}", self.why_podless(seat.namespace, &uid).await?))
                }
            }
        }))
        .await;
        for (sight, word) in self.sights.iter_mut().zip(words) {
            if let Some(word) = word {
                sight.message = word;
            }
        }
        Some(early.unwrap_or(pause))
    }

    /// What the status says of it.
    fn said(&self, seat: &Seat<'_>) -> Option<String> {
        let parties = &self.job.status.as_ref()?.parties;
        let said = &parties.iter().find(|party| party.name == seat.party)?.message;
        said.starts_with(REFUSED).then(|| said.clone())
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

/// How long to wait for the next question, when a Job has waited so many seconds for its pod: a quarter of it.
fn pause(waited: u64) -> Duration {
    Duration::from_secs(waited / 4).clamp(SOONEST, LATEST)
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
    fn who_waits_long_is_asked_for_seldom() {
        assert_eq!([10, 80, 3600].map(|waited| pause(waited).as_secs()), [10, 20, 60]);
    }

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
