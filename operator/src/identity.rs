//! Parties' certificates for one attempt, by an authority that is derived from the operator's seed.
//!
//! The same job and attempt give the same bytes whenever they are asked for, so that a restarted operator repairs what it
//! made before, and needs no right to read a Secret. Each attempt has an authority of its own: a certificate is worth
//! nothing in any other.

use rcgen::{
    BasicConstraints, CertificateParams, CertificateSigningRequestParams, DistinguishedName, DnType, IsCa,
    Issuer, KeyPair, PKCS_ED25519, SerialNumber,
};
use sha2::{Digest, Sha256};
use std::time::Duration;
use zeroize::{Zeroize, ZeroizeOnDrop, Zeroizing};

/// RFC 8410, section 7: what precedes the 32 bytes of an Ed25519 private key in PKCS #8.
const PKCS8: [u8; 16] =
    [0x30, 0x2e, 0x02, 0x01, 0x00, 0x30, 0x05, 0x06, 0x03, 0x2b, 0x65, 0x70, 0x04, 0x22, 0x04, 0x20];
/// How long a certificate is good for: far longer than an attempt may take.
const DAYS: i64 = 60;

/// The operator's secret: 32 random bytes that never change.
#[derive(Zeroize, ZeroizeOnDrop)]
pub struct OperatorSeed([u8; 32]);

/// A certificate and its key, in PEM.
pub struct Identity {
    /// The certificate. Its one name is the party's.
    pub certificate: String,
    /// Its private key.
    pub key: Zeroizing<String>,
}

/// A certificate that cannot be made.
#[derive(Debug, thiserror::Error)]
#[error("a party's certificate cannot be made: {0}")]
pub struct IdentityError(#[from] rcgen::Error);

impl OperatorSeed {
    /// A seed from its bytes.
    pub fn new(bytes: [u8; 32]) -> Self {
        Self(bytes)
    }

    /// SHA-256 over the seed, the purpose and the attempt. The seed has a fixed length and the message is never told, so
    /// that a bare hash is a good key derivation.
    fn derive(&self, run: &str, purpose: &str) -> Zeroizing<[u8; 32]> {
        let mut hash = Sha256::new();
        hash.update(self.0);
        hash.update(run.as_bytes());
        hash.update([0]);
        hash.update(purpose.as_bytes());
        Zeroizing::new(hash.finalize().into())
    }

    fn key(&self, run: &str, purpose: &str) -> Result<KeyPair, IdentityError> {
        let mut der = Zeroizing::new(Vec::with_capacity(48));
        der.extend_from_slice(&PKCS8);
        der.extend_from_slice(&*self.derive(run, purpose));
        Ok(KeyPair::from_pkcs8_der_and_sign_algo(&der.as_slice().into(), &PKCS_ED25519)?)
    }

    /// The identity of a party in a run that began at `day`, counted from 1970-01-01.
    ///
    /// # Errors
    /// [`IdentityError`]; never for a party whose name is a DNS label.
    pub fn issue(&self, run: &str, party: &str, day: i64) -> Result<Identity, IdentityError> {
        let key = self.key(run, &format!("party {party}"))?;
        let mut params = params(vec![party.to_owned()], party, run, party)?;
        last(&mut params, day);
        let certificate = params.signed_by(&key, &self.issuer(run, day)?)?;
        Ok(Identity { certificate: certificate.pem(), key: Zeroizing::new(key.serialize_pem()) })
    }

    /// The certificate of a run's authority, in PEM.
    ///
    /// # Errors
    /// [`IdentityError`].
    pub fn authority(&self, run: &str, day: i64) -> Result<String, IdentityError> {
        Ok(authority(run, day)?.self_signed(&self.key(run, "authority")?)?.pem())
    }

    /// A certificate for the key of a signing request, whose own wishes are ignored: good for `seconds` from `from`, in seconds
    /// since 1970. Its one name is the party's.
    ///
    /// # Errors
    /// [`IdentityError`], where the request is malformed or not signed by its key.
    pub fn sign(
        &self,
        run: &str,
        party: &str,
        request: &[u8],
        from: u64,
        seconds: u64,
    ) -> Result<String, IdentityError> {
        let mut request = CertificateSigningRequestParams::from_der(&request.to_vec().into())?;
        request.params = params(vec![party.to_owned()], party, run, party)?;
        let epoch = rcgen::date_time_ymd(1970, 1, 1);
        request.params.not_before = epoch + Duration::from_secs(from);
        request.params.not_after = epoch + Duration::from_secs(from + seconds);
        Ok(request.signed_by(&self.issuer(run, (from / 86400) as i64)?)?.pem())
    }

    fn issuer(&self, run: &str, day: i64) -> Result<Issuer<'static, KeyPair>, IdentityError> {
        Ok(Issuer::new(authority(run, day)?, self.key(run, "authority")?))
    }
}

fn params(
    names: Vec<String>,
    common_name: &str,
    run: &str,
    purpose: &str,
) -> Result<CertificateParams, IdentityError> {
    let mut params = CertificateParams::new(names)?;
    params.distinguished_name = DistinguishedName::new();
    params.distinguished_name.push(DnType::CommonName, common_name);
    let serial = Sha256::digest(format!("{run} {purpose}").as_bytes());
    params.serial_number = Some(SerialNumber::from_slice(&serial[..16]));
    Ok(params)
}

fn authority(run: &str, day: i64) -> Result<CertificateParams, IdentityError> {
    let mut params = params(Vec::new(), &format!("veilgrid run {run}"), run, "authority")?;
    params.is_ca = IsCa::Ca(BasicConstraints::Constrained(0));
    last(&mut params, day);
    Ok(params)
}

/// Makes a certificate good from a day to [`DAYS`] later, with a day of grace for clocks that are wrong.
fn last(params: &mut CertificateParams, day: i64) {
    let midnight =
        |day: i64| rcgen::date_time_ymd(1970, 1, 1) + Duration::from_secs(86400 * day.max(0) as u64);
    (params.not_before, params.not_after) = (midnight(day - 1), midnight(day + DAYS));
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_same_attempt_has_the_same_identity_and_no_other_has() {
        let seed = OperatorSeed::new([7; 32]);
        let issue = |run: &str, party: &str| seed.issue(run, party, 20_000).unwrap();
        let (first, again) = (issue("aa", "north"), issue("aa", "north"));
        assert_eq!(first.certificate, again.certificate);
        assert_eq!(*first.key, *again.key);
        let (peer, other) = (issue("aa", "south"), issue("ab", "north"));
        assert_ne!(*first.key, *peer.key);
        assert_ne!(*first.key, *other.key);
        assert_ne!(seed.authority("aa", 20_000).unwrap(), seed.authority("ab", 20_000).unwrap());
        let stranger = OperatorSeed::new([8; 32]).issue("aa", "north", 20_000).unwrap();
        assert_ne!(*first.key, *stranger.key);
    }
}
