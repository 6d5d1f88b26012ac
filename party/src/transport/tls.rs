//! TLS 1.3 with certificates both ways. A certificate speaks for the party that its one DNS name names.

use super::links::LinkError;
use crate::config::TlsConfig;
use rustls::{
    AlertDescription, CertificateError, ClientConfig, DigitallySignedStruct, DistinguishedName, Error,
    RootCertStore, ServerConfig, SignatureScheme,
    client::{Resumption, danger::HandshakeSignatureValid},
    crypto::{CryptoProvider, ring},
    pki_types::{CertificateDer, PrivateKeyDer, UnixTime, pem::PemObject},
    server::{
        NoServerSessionStorage, WebPkiClientVerifier,
        danger::{ClientCertVerified, ClientCertVerifier},
    },
    version::TLS13,
};
use sha2::{Digest, Sha256};
use std::{
    cell::Cell,
    collections::BTreeMap,
    fs,
    path::Path,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};
use x509_parser::{extensions::GeneralName, parse_x509_certificate};
use zeroize::Zeroizing;

/// Both roles' configurations.
pub(super) struct Tls {
    pub(super) client: Arc<ClientConfig>,
    pub(super) server: Arc<ServerConfig>,
    /// SHA-256 of this party's certificate.
    pub(super) fingerprint: [u8; 32],
}

impl Tls {
    /// `callers` are the parties that may dial this one; refusals of their certificates are noted in `refusals`.
    pub(super) fn new(
        config: &TlsConfig,
        callers: Vec<String>,
        refusals: Arc<Refusals>,
    ) -> Result<Self, LinkError> {
        let local = |what: &str, error: &dyn std::fmt::Display| LinkError::Local(format!("{what}: {error}"));
        let mut roots = RootCertStore::empty();
        for authority in certificates(&config.authority, "authority")? {
            roots.add(authority).map_err(|e| local("the authority's certificate", &e))?;
        }
        let roots = Arc::new(roots);
        let bundle = config.bundle.as_deref().map(read).transpose()?;
        let (certificate, key) = match &bundle {
            Some(bundle) => (bundle.as_str(), bundle.as_str()),
            None => (config.certificate.as_str(), config.key.as_str()),
        };
        let chain = certificates(certificate, "certificate")?;
        let fingerprint = fingerprint(&chain[0]);
        let key = PrivateKeyDer::from_pem_slice(key.as_bytes())
            .map_err(|e| local("the PEM text of the private key", &e))?;
        let provider = Arc::new(provider());
        let inner = WebPkiClientVerifier::builder_with_provider(Arc::clone(&roots), Arc::clone(&provider))
            .build()
            .map_err(|e| local("the authority's certificate", &e))?;
        let verifier = Arc::new(PartyVerifier { inner, callers, refusals });
        let mut server = ServerConfig::builder_with_provider(Arc::clone(&provider))
            .with_protocol_versions(&[&TLS13])
            .map_err(|e| local("TLS 1.3", &e))?
            .with_client_cert_verifier(verifier)
            .with_single_cert(chain.clone(), key.clone_key())
            .map_err(|e| local("the certificate and its key", &e))?;
        // Every connection proves both identities anew.
        server.session_storage = Arc::new(NoServerSessionStorage {});
        server.send_tls13_tickets = 0;
        let mut client = ClientConfig::builder_with_provider(provider)
            .with_protocol_versions(&[&TLS13])
            .map_err(|e| local("TLS 1.3", &e))?
            .with_root_certificates(roots)
            .with_client_auth_cert(chain, key)
            .map_err(|e| local("the certificate and its key", &e))?;
        client.resumption = Resumption::disabled();
        Ok(Self { client: Arc::new(client), server: Arc::new(server), fingerprint })
    }
}

/// A bundle of certificate and key.
fn read(path: &Path) -> Result<Zeroizing<String>, LinkError> {
    let text = fs::read_to_string(path).map(Zeroizing::new);
    text.map_err(|error| {
        LinkError::Local(format!("the bundle of certificate and key {}: {error}", path.display()))
    })
}

/// The `ring` provider with its suites in the order of their speed here: AES-GCM needs the CPU's help.
fn provider() -> CryptoProvider {
    use ring::cipher_suite::{
        TLS13_AES_128_GCM_SHA256 as AES_128, TLS13_AES_256_GCM_SHA384 as AES_256,
        TLS13_CHACHA20_POLY1305_SHA256 as CHACHA20,
    };
    #[cfg(target_arch = "x86_64")]
    let aes = std::arch::is_x86_feature_detected!("aes");
    #[cfg(target_arch = "aarch64")]
    let aes = std::arch::is_aarch64_feature_detected!("aes");
    #[cfg(not(any(target_arch = "x86_64", target_arch = "aarch64")))]
    let aes = false;
    let cipher_suites = if aes { vec![AES_128, AES_256, CHACHA20] } else { vec![CHACHA20, AES_128, AES_256] };
    CryptoProvider { cipher_suites, ..ring::default_provider() }
}

fn certificates(pem: &str, what: &str) -> Result<Vec<CertificateDer<'static>>, LinkError> {
    let found: Vec<_> = CertificateDer::pem_slice_iter(pem.as_bytes())
        .collect::<Result<_, _>>()
        .map_err(|e| LinkError::Local(format!("the PEM text of `{what}`: {e}")))?;
    if found.is_empty() {
        return Err(LinkError::Local(format!("the PEM text of `{what}` holds no certificate")));
    }
    Ok(found)
}

/// SHA-256 of a certificate.
pub(super) fn fingerprint(certificate: &CertificateDer<'_>) -> [u8; 32] {
    Sha256::digest(certificate).into()
}

/// The one DNS name of a certificate. Other kinds of name, several names and wildcards speak for nobody.
pub(super) fn name_of(certificate: &CertificateDer<'_>) -> Option<String> {
    let (_, parsed) = parse_x509_certificate(certificate).ok()?;
    let names = parsed.subject_alternative_name().ok()??;
    match names.value.general_names.as_slice() {
        [GeneralName::DNSName(name)]
            if name.bytes().all(|b| b.is_ascii_alphanumeric() || b"-._".contains(&b)) =>
        {
            Some((*name).to_owned())
        }
        _ => None,
    }
}

/// Why callers were turned away: the latest reason for each party's name, and for callers that gave no such name.
#[derive(Default, Debug)]
pub(super) struct Refusals(Mutex<Noted>);

#[derive(Default, Debug)]
pub(super) struct Noted {
    /// By the name in the certificate that was offered, whether or not it was believed.
    pub(super) parties: BTreeMap<String, String>,
    /// The latest other caller that was refused or that refused this party; else the first whose connection broke.
    pub(super) stranger: Option<String>,
    /// All of them.
    pub(super) count: u64,
}

impl Refusals {
    pub(super) fn lock(&self) -> MutexGuard<'_, Noted> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn party(&self, name: &str, reason: String) {
        let mut noted = self.lock();
        noted.count += 1;
        noted.parties.insert(name.to_owned(), reason);
    }

    pub(super) fn stranger(&self, reason: String) {
        let mut noted = self.lock();
        noted.count += 1;
        noted.stranger = Some(reason);
    }

    /// A handshake that merely broke tells less than any refusal.
    pub(super) fn broken(&self, reason: String) {
        let mut noted = self.lock();
        noted.count += 1;
        noted.stranger.get_or_insert(reason);
    }
}

tokio::task_local! {
    /// Whether the refusal of the caller whom the task takes through the TLS handshake is noted under a party's name.
    pub(super) static NOTED: Cell<bool>;
}

/// Believes a caller whose certificate the authority signed and whose one name is that of a party that may call.
#[derive(Debug)]
struct PartyVerifier {
    inner: Arc<dyn ClientCertVerifier>,
    callers: Vec<String>,
    refusals: Arc<Refusals>,
}

impl ClientCertVerifier for PartyVerifier {
    fn root_hint_subjects(&self) -> &[DistinguishedName] {
        self.inner.root_hint_subjects()
    }

    fn verify_client_cert(
        &self,
        end_entity: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        now: UnixTime,
    ) -> Result<ClientCertVerified, Error> {
        let name = name_of(end_entity).filter(|name| self.callers.contains(name));
        let verified = self.inner.verify_client_cert(end_entity, intermediates, now);
        match (name, verified) {
            (Some(_), Ok(verified)) => Ok(verified),
            (Some(name), Err(error)) => {
                self.refusals.party(&name, reason(&error));
                // Outside of a handshake of the mesh nobody asks.
                let _ = NOTED.try_with(|noted| noted.set(true));
                Err(error)
            }
            (None, Err(error)) => Err(error),
            // Becomes the alert `access_denied`.
            (None, Ok(_)) => Err(CertificateError::ApplicationVerificationFailure.into()),
        }
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        self.inner.verify_tls12_signature(message, certificate, signed)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        self.inner.verify_tls13_signature(message, certificate, signed)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.inner.supported_verify_schemes()
    }
}

/// The TLS error inside an I/O error that one of the ends caused on purpose, in words; `None` for a mere broken line.
pub(super) fn refusal(error: &std::io::Error) -> Option<String> {
    let error = error.get_ref()?.downcast_ref::<Error>()?;
    match error {
        Error::InvalidCertificate(_) | Error::NoCertificatesPresented | Error::AlertReceived(_) => {
            Some(reason(error))
        }
        _ => None,
    }
}

/// What a TLS error says about certificates, seen from this end.
fn reason(error: &Error) -> String {
    use AlertDescription as Alert;
    use CertificateError as Bad;
    match error {
        Error::InvalidCertificate(bad) => match bad {
            Bad::Expired | Bad::ExpiredContext { .. } => "its certificate has expired".into(),
            Bad::NotValidYet | Bad::NotValidYetContext { .. } => {
                "its certificate is not valid yet; check the clocks".into()
            }
            Bad::UnknownIssuer | Bad::BadSignature => {
                "its certificate is not signed by the authority that this party believes".into()
            }
            Bad::NotValidForName => "its certificate is another party's".into(),
            Bad::NotValidForNameContext { presented, .. } => {
                format!("its certificate is another party's: {}", presented.join(", "))
            }
            Bad::ApplicationVerificationFailure => {
                "its certificate names no party of this job that may call here".into()
            }
            other => format!("its certificate is not acceptable: {other}"),
        },
        Error::NoCertificatesPresented => "it showed no certificate".into(),
        Error::AlertReceived(alert) => {
            let why = match alert {
                // The latter where both authorities have one name.
                Alert::UnknownCA | Alert::DecryptError => "it believes another authority",
                Alert::CertificateExpired => "it is expired or not valid yet",
                Alert::AccessDenied => "it names no party that may call there",
                Alert::BadCertificate => "it is malformed or another party's",
                other => return format!("it ended the TLS handshake with the alert {other:?}"),
            };
            format!("it does not accept this party's certificate: {why}")
        }
        other => other.to_string(),
    }
}
