//! Where each party stands in a run, and what follows for all of them.

use crate::{
    checkpoint::Stage,
    protocol::{self, ProtocolError},
    transport::links::{Kind, Links},
};
use serde::{Deserialize, Serialize};

/// A standing is far smaller than this.
const MAX_BYTES: usize = 256;

/// What a party knows of a run when it starts or takes it up.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(crate) struct Standing {
    /// The latest attempt; 0 before the first.
    pub(crate) attempt: u64,
    /// How far that came; `None` where nothing is known.
    pub(crate) stage: Option<Stage>,
}

/// What all parties do next. Each finds the same from the same standings.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Decision {
    /// Draw shares and noise afresh, as this attempt.
    Share(u64),
    /// Open what this attempt sealed.
    Open(u64),
    /// A party may have opened this attempt, and the party of this index no longer has its sum.
    Lost {
        /// The attempt.
        attempt: u64,
        /// The party's index.
        party: usize,
    },
}

/// The one rule. What may have been opened is opened again, the same bytes, or never; otherwise what all have sealed is
/// opened; otherwise the next attempt begins.
pub(crate) fn decide(standings: &[Standing]) -> Decision {
    let latest = standings.iter().map(|standing| standing.attempt).max().unwrap_or(0);
    let opened = standings.iter().find(|standing| standing.stage >= Some(Stage::Opening));
    let attempt = opened.map_or(latest, |standing| standing.attempt);
    let without = standings
        .iter()
        .position(|standing| standing.attempt != attempt || standing.stage < Some(Stage::Sealed));
    match (without, opened) {
        (None, _) => Decision::Open(attempt),
        (Some(party), Some(_)) => Decision::Lost { attempt, party },
        (Some(_), None) => Decision::Share(latest.saturating_add(1)),
    }
}

/// Tells all peers this party's standing, and returns everyone's, by index.
pub(crate) async fn exchange(links: &impl Links, mine: Standing) -> Result<Vec<Standing>, ProtocolError> {
    let body = serde_json::to_vec(&mine).expect("a standing is JSON");
    let say = async {
        for peer in (0..links.parties()).filter(|peer| *peer != links.me()) {
            links.send(peer, Kind::Standing, body.clone()).await?;
        }
        Ok::<_, ProtocolError>(())
    };
    let hear = async {
        let mut all = Vec::with_capacity(links.parties());
        for peer in 0..links.parties() {
            if peer == links.me() {
                all.push(mine);
                continue;
            }
            let body = protocol::receive(links, peer, Kind::Standing).await?;
            let standing = if body.len() <= MAX_BYTES { serde_json::from_slice(&body).ok() } else { None };
            all.push(
                standing.ok_or_else(|| {
                    protocol::unexpected(links, peer, "a standing that cannot be read".into())
                })?,
            );
        }
        Ok(all)
    };
    tokio::try_join!(say, hear).map(|((), all)| all)
}

#[cfg(test)]
mod tests {
    use super::*;
    use Stage::*;
    use proptest::prelude::*;

    fn at(attempt: u64, stage: impl Into<Option<Stage>>) -> Standing {
        Standing { attempt, stage: stage.into() }
    }

    #[test]
    fn the_rule() {
        let cases = [
            (vec![at(0, None), at(0, None)], Decision::Share(1)),
            (vec![at(1, Sharing), at(1, Sealed)], Decision::Share(2)),
            (vec![at(1, Sealed), at(1, Sealed)], Decision::Open(1)),
            (vec![at(1, Sealed), at(2, Sealed)], Decision::Share(3)),
            (vec![at(2, Opening), at(2, Sealed), at(2, Done)], Decision::Open(2)),
            (vec![at(2, Sealed), at(0, None), at(2, Opening)], Decision::Lost { attempt: 2, party: 1 }),
            (vec![at(2, Opening), at(3, Sharing)], Decision::Lost { attempt: 2, party: 1 }),
            (vec![at(1, Done), at(1, Done)], Decision::Open(1)),
        ];
        for (standings, decision) in cases {
            assert_eq!(decide(&standings), decision, "{standings:?}");
        }
    }

    fn standing() -> impl Strategy<Value = Standing> {
        let stage = prop_oneof![
            Just(None),
            Just(Some(Sharing)),
            Just(Some(Sealed)),
            Just(Some(Opening)),
            Just(Some(Done))
        ];
        (0u64..4, stage).prop_map(|(attempt, stage)| Standing { attempt, stage })
    }

    proptest! {
        /// Whatever the others say: a party that may have opened an attempt never draws again, and one that lacks the sum of
        /// an attempt never opens it.
        #[test]
        fn no_second_draw_and_nothing_opened_unsealed(standings in prop::collection::vec(standing(), 2..6)) {
            let decision = decide(&standings);
            for standing in &standings {
                if standing.stage >= Some(Opening) {
                    prop_assert!(!matches!(decision, Decision::Share(_)));
                }
                match decision {
                    Decision::Open(attempt) => {
                        prop_assert!(standing.attempt == attempt && standing.stage >= Some(Sealed));
                    }
                    Decision::Share(attempt) => prop_assert!(attempt > standing.attempt),
                    Decision::Lost { .. } => {}
                }
            }
        }
    }
}
