//! Signatures by parties' lasting Ed25519 keys.

use crate::hex::unhex;
use ed25519_dalek::{Signature, VerifyingKey};
use serde::{Deserialize, Serialize};

/// The domain of the signature of a plan's hash, which receipts keep.
pub const PLAN_DOMAIN: &str = "plan";
/// A party's signature of a plan's hash, in the domain [`PLAN_DOMAIN`].
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct PartySignature {
    /// The party's name.
    pub party: String,
    /// Its Ed25519 public key, 64 hexadecimal digits.
    pub public_key: String,
    /// The signature, 128 hexadecimal digits.
    pub signature: String,
}

/// Whether a signature is that of a public key (64 hexadecimal digits) over a message of a domain. Strict: one signature
/// of one key is one text, and keys of small order are refused.
pub fn verify(public_key: &str, domain: &str, message: &[u8], signature: &[u8; 64]) -> bool {
    key(public_key).is_some_and(|key| {
        key.verify_strict(&separated(domain, message), &Signature::from_bytes(signature)).is_ok()
    })
}

/// The bytes that are signed: the domain, then the message.
pub fn separated(domain: &str, message: &[u8]) -> Vec<u8> {
    [b"veilgrid/v1/", domain.as_bytes(), b"\0", message].concat()
}

/// Whether this is a public key: 64 hexadecimal digits of a point that is not weak.
pub fn is_key(text: &str) -> bool {
    key(text).is_some()
}

fn key(text: &str) -> Option<VerifyingKey> {
    VerifyingKey::from_bytes(&unhex(text.as_bytes())?).ok().filter(|key| !key.is_weak())
}
