//! Parties agree on one plan and on who they are.
//!
//! Each party sends every other its plan and two signatures by its lasting key: one of the plan's hash, which goes into
//! the receipt, and one that also names both ends and their certificates, so that nobody can pass a peer's signature on
//! over a channel of its own. Plans are compared byte for byte in their canonical form. A last, empty message says that its
//! sender is content.

use crate::{
    identity::{Identity, IdentityError, KnownPeers, Seen},
    transport::links::{Kind, LinkError, Links, MAX_BODY},
};
use serde::{Deserialize, Serialize};
use veilgrid_api::{
    limits::PLAN_BYTES,
    plan::{Plan, PlanHash, differences},
};
use veilgrid_receipt::{
    hex::{hex, unhex},
    signature::{PLAN_DOMAIN, PartySignature, verify},
};

const CHANNEL_DOMAIN: &str = "channel";

/// What parties agreed on.
#[derive(Debug)]
pub struct Agreement {
    /// One signature of each party, by index.
    pub signatures: Vec<PartySignature>,
    /// The names of the peers whose keys were seen for the first time.
    pub first_seen: Vec<String>,
}

/// Why parties do not compute together.
#[derive(Debug, thiserror::Error)]
pub enum HandshakeError {
    /// A message did not travel.
    #[error(transparent)]
    Link(#[from] LinkError),
    /// The peer's key is not to be believed.
    #[error(transparent)]
    Identity(#[from] IdentityError),
    /// This party's own key is another than the pinned one.
    #[error(
        "the manifest pins the key {pinned} for this party, {name}, whose key is {own}: correct `publicKey` in the \
         manifest, or give this party the state folder that holds the pinned key"
    )]
    OwnKey {
        /// This party's name.
        name: String,
        /// The pinned public key.
        pinned: String,
        /// The public key of its identity.
        own: String,
    },
    /// The peer computes from another plan.
    #[error(
        "peer {peer} has another plan, which differs in {}: give every party the same manifest and release", differences.join(", ")
    )]
    OtherPlan {
        /// The peer's name.
        peer: String,
        /// The paths of the fields that differ.
        differences: Vec<String>,
    },
    /// The plan is larger than peers take.
    #[error("the plan has {length} bytes of canonical JSON; at most {PLAN_BYTES} can be agreed on")]
    TooLarge {
        /// Bytes.
        length: usize,
    },
    /// The peer's words cannot be understood.
    #[error("peer {peer} sent {what} while agreeing on the plan")]
    Malformed {
        /// The peer's name.
        peer: String,
        /// What was wrong.
        what: String,
    },
    /// A signature does not hold.
    #[error(
        "the signature of peer {peer} on {what} does not hold: its messages were changed or passed on by somebody else"
    )]
    BadSignature {
        /// The peer's name.
        peer: String,
        /// What it should have signed.
        what: &'static str,
    },
}

impl HandshakeError {
    /// What peers are told: no place on this party's disk.
    fn told(&self) -> String {
        match self {
            Self::Identity(IdentityError::Changed { name, expected, offered, .. }) => {
                format!("the key of peer {name} has changed from {expected} to {offered}")
            }
            Self::Identity(IdentityError::NotPinned { .. } | IdentityError::BadKey { .. }) => {
                self.to_string()
            }
            Self::Identity(_) => "its state folder or its disk failed".into(),
            _ => self.to_string(),
        }
    }
}

/// The first message of each party; its plan follows in pieces of at most [`MAX_BODY`] bytes.
#[derive(Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct Offer {
    plan_bytes: usize,
    public_key: String,
    plan_signature: String,
    channel_signature: String,
}

/// Agrees with every peer: on success all have found the same. `fingerprints` are those of the parties' TLS certificates, by index. On an error every peer
/// is told why (closing the links lets the words arrive), and nothing may be computed.
pub async fn agree(
    links: &impl Links,
    fingerprints: &[[u8; 32]],
    plan: &Plan,
    identity: &Identity,
    known: &mut KnownPeers,
) -> Result<Agreement, HandshakeError> {
    let agreed = try_agree(links, fingerprints, plan, identity, known).await;
    if let Err(error) = &agreed {
        for peer in peers(links) {
            // A peer that cannot be told finds out by itself.
            let _ = links.send(peer, Kind::Abort, error.told().into_bytes()).await;
        }
    }
    agreed
}

async fn try_agree(
    links: &impl Links,
    fingerprints: &[[u8; 32]],
    plan: &Plan,
    identity: &Identity,
    known: &mut KnownPeers,
) -> Result<Agreement, HandshakeError> {
    let me = links.me();
    let own = identity.public_key_hex();
    if let Some(pinned) = plan.parties[me].public_key.as_ref().filter(|pinned| **pinned != own) {
        return Err(HandshakeError::OwnKey { name: links.name(me).to_owned(), pinned: pinned.clone(), own });
    }
    let canonical = plan.canonical();
    if canonical.len() > PLAN_BYTES {
        return Err(HandshakeError::TooLarge { length: canonical.len() });
    }
    let talk = Talk { links, fingerprints, plan, canonical: &canonical, hash: plan.hash() };
    let signature = identity.sign(PLAN_DOMAIN, &talk.hash.0);
    let ours = PartySignature {
        party: links.name(me).to_owned(),
        public_key: own.clone(),
        signature: hex(&signature),
    };
    let sending = async {
        for peer in peers(links) {
            talk.offer(peer, identity, &ours).await?;
        }
        Ok::<_, HandshakeError>(())
    };
    // Every party receives in the order of indices, as every party sends: no circle of waiting can close.
    let receiving = async {
        let mut agreement = Agreement { signatures: Vec::new(), first_seen: Vec::new() };
        for party in 0..links.parties() {
            if party == me {
                agreement.signatures.push(ours.clone());
                continue;
            }
            let theirs = talk.hear(party).await?;
            let pinned = plan.parties[party].public_key.as_deref();
            if known.check(&theirs.party, pinned, &theirs.public_key)? == Seen::First {
                agreement.first_seen.push(theirs.party.clone());
            }
            agreement.signatures.push(theirs);
        }
        Ok(agreement)
    };
    let ((), agreement) = tokio::try_join!(sending, receiving)?;
    // Nobody goes on before all have found all to be well.
    for peer in peers(links) {
        links.send(peer, Kind::Agree, Vec::new()).await?;
    }
    for peer in peers(links) {
        if !talk.body(peer).await?.is_empty() {
            let what = "more than its plan".to_owned();
            return Err(HandshakeError::Malformed { peer: links.name(peer).to_owned(), what });
        }
    }
    Ok(agreement)
}

fn peers(links: &impl Links) -> impl Iterator<Item = usize> {
    let me = links.me();
    (0..links.parties()).filter(move |party| *party != me)
}

struct Talk<'a, L> {
    links: &'a L,
    fingerprints: &'a [[u8; 32]],
    plan: &'a Plan,
    canonical: &'a str,
    hash: PlanHash,
}

impl<L: Links> Talk<'_, L> {
    /// What the second signature is of: the hash, and the two ends as the sender sees them. Names are preceded by their
    /// lengths, so that no two pairs give the same bytes.
    fn channel(&self, from: usize, to: usize) -> Vec<u8> {
        let mut message = self.hash.0.to_vec();
        for party in [from, to] {
            let name = self.links.name(party).as_bytes();
            message.extend((name.len() as u64).to_le_bytes());
            message.extend(name);
            message.extend(self.fingerprints[party]);
        }
        message
    }

    async fn offer(
        &self,
        to: usize,
        identity: &Identity,
        ours: &PartySignature,
    ) -> Result<(), HandshakeError> {
        let channel_signature = identity.sign(CHANNEL_DOMAIN, &self.channel(self.links.me(), to));
        let offer = Offer {
            plan_bytes: self.canonical.len(),
            public_key: ours.public_key.clone(),
            plan_signature: ours.signature.clone(),
            channel_signature: hex(&channel_signature),
        };
        let offer = serde_json::to_vec(&offer).expect("an offer is JSON");
        self.links.send(to, Kind::Agree, offer).await?;
        for piece in self.canonical.as_bytes().chunks(MAX_BODY) {
            self.links.send(to, Kind::Agree, piece.to_vec()).await?;
        }
        Ok(())
    }

    async fn hear(&self, from: usize) -> Result<PartySignature, HandshakeError> {
        let peer = || self.links.name(from).to_owned();
        let malformed = |what: &str| HandshakeError::Malformed { peer: peer(), what: what.to_owned() };
        let body = self.body(from).await?;
        let offer: Offer =
            serde_json::from_slice(&body).map_err(|_| malformed("an offer that cannot be understood"))?;
        if offer.plan_bytes > PLAN_BYTES {
            return Err(malformed(&format!("a plan of {} bytes", offer.plan_bytes)));
        }
        let mut plan = Vec::with_capacity(offer.plan_bytes);
        while plan.len() < offer.plan_bytes {
            let piece = self.body(from).await?;
            if piece.is_empty() || plan.len() + piece.len() > offer.plan_bytes {
                return Err(malformed("a plan of another length than it said"));
            }
            plan.extend(piece);
        }
        if plan != self.canonical.as_bytes() {
            let theirs = Plan::from_json_bounded(&plan).map_err(|error| malformed(&error.to_string()))?;
            return Err(HandshakeError::OtherPlan {
                peer: peer(),
                differences: differences(self.plan, &theirs),
            });
        }
        let holds = |domain, message: &[u8], signature: &str| {
            unhex(signature.as_bytes()).is_some_and(|s| verify(&offer.public_key, domain, message, &s))
        };
        if !holds(PLAN_DOMAIN, &self.hash.0, &offer.plan_signature) {
            return Err(HandshakeError::BadSignature { peer: peer(), what: "the plan" });
        }
        if !holds(CHANNEL_DOMAIN, &self.channel(from, self.links.me()), &offer.channel_signature) {
            return Err(HandshakeError::BadSignature { peer: peer(), what: "the channel" });
        }
        Ok(PartySignature {
            party: peer(),
            public_key: offer.public_key.clone(),
            signature: offer.plan_signature.clone(),
        })
    }

    async fn body(&self, from: usize) -> Result<Vec<u8>, HandshakeError> {
        let message = self.links.receive(from).await?;
        if message.kind == Kind::Agree {
            return Ok(message.body);
        }
        let what = format!("a message of kind {:?}", message.kind);
        Err(HandshakeError::Malformed { peer: self.links.name(from).to_owned(), what })
    }
}
