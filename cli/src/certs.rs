//! A certificate authority for one run, and a certificate for each of its parties. Nothing of it touches the disk.

use rcgen::{
    BasicConstraints, CertificateParams, DistinguishedName, DnType, ExtendedKeyUsagePurpose, IsCa, Issuer,
    KeyPair, KeyUsagePurpose,
};
use std::time::{Duration, SystemTime};
use veilgrid_party::config::TlsConfig;
use zeroize::Zeroizing;

/// How long the certificates of a run are good.
const LIFE: Duration = Duration::from_secs(24 * 60 * 60);
/// Clocks may differ by so much.
const SKEW: Duration = Duration::from_secs(5 * 60);

/// A certificate and its key for each name, all signed by one authority whose key is forgotten here.
///
/// # Errors
/// The system gives no randomness, or a name cannot stand in a certificate.
pub(crate) fn issue(names: &[&str]) -> Result<Vec<TlsConfig>, rcgen::Error> {
    let key = KeyPair::generate()?;
    let mut params = params("veilgrid run", Vec::new())?;
    params.is_ca = IsCa::Ca(BasicConstraints::Constrained(0));
    params.key_usages = vec![KeyUsagePurpose::KeyCertSign];
    let authority = params.self_signed(&key)?.pem();
    let issuer = Issuer::new(params, key);
    names
        .iter()
        .map(|name| {
            let key = KeyPair::generate()?;
            let mut params = self::params(name, vec![(*name).to_owned()])?;
            params.key_usages = vec![KeyUsagePurpose::DigitalSignature];
            params.extended_key_usages =
                vec![ExtendedKeyUsagePurpose::ServerAuth, ExtendedKeyUsagePurpose::ClientAuth];
            let certificate = params.signed_by(&key, &issuer)?.pem();
            let key = Zeroizing::new(key.serialize_pem());
            Ok(TlsConfig { authority: authority.clone(), certificate, key, bundle: None })
        })
        .collect()
}

fn params(common_name: &str, names: Vec<String>) -> Result<CertificateParams, rcgen::Error> {
    let mut params = CertificateParams::new(names)?;
    params.distinguished_name = DistinguishedName::new();
    params.distinguished_name.push(DnType::CommonName, common_name);
    let now = SystemTime::now();
    params.not_before = (now - SKEW).into();
    params.not_after = (now + LIFE).into();
    Ok(params)
}
