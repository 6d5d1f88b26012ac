//! A client of the store, with the credentials of a folder.

use super::{fault::StoreFault, http::Http};
use crate::config::StoreConfig;
use object_store::{
    BackoffConfig, ObjectStore, RetryConfig,
    aws::AmazonS3Builder,
    azure::{AzureConfigKey, MicrosoftAzureBuilder},
    gcp::GoogleCloudStorageBuilder,
};
use std::{fs::File, io::Read, path::Path, sync::Arc, time::Duration};
use veilgrid_api::store::{Bucket, ObjectStore as Place, Provider};
use zeroize::Zeroizing;

/// A credential is shorter than this many bytes.
const LONGEST: u64 = 1 << 16;

/// The client of the bucket.
pub(crate) fn connect(place: &Place, config: &StoreConfig) -> Result<Arc<dyn ObjectStore>, StoreFault> {
    let bucket = place.bucket().ok_or(StoreFault::BadUrl)?;
    let credentials = Credentials(config.credentials.as_deref());
    let server = place.server().ok_or(StoreFault::BadUrl)?;
    let authority = credentials.find("ca.crt")?;
    let http = Http::new(server.tls, authority.as_deref().map(String::as_str), config.patience())?;
    let retry = RetryConfig {
        backoff: BackoffConfig { max_backoff: Duration::from_secs(10), ..BackoffConfig::default() },
        max_retries: usize::MAX,
        retry_timeout: config.patience(),
    };
    match bucket.provider {
        Provider::S3 => s3(place, bucket, &credentials, http, retry),
        Provider::Google => google(place, bucket, &credentials, http, retry),
        Provider::Azure => azure(place, bucket, &credentials, http, retry),
    }
}

fn s3(
    place: &Place,
    bucket: Bucket<'_>,
    credentials: &Credentials<'_>,
    http: Http,
    retry: RetryConfig,
) -> Result<Arc<dyn ObjectStore>, StoreFault> {
    let mut builder = AmazonS3Builder::new()
        .with_bucket_name(bucket.name)
        .with_region(place.region.as_deref().unwrap_or("us-east-1"))
        .with_http_connector(http)
        .with_retry(retry);
    if let Some(endpoint) = &place.endpoint {
        builder = builder.with_endpoint(endpoint);
    }
    builder = match credentials.0 {
        None => builder.with_skip_signature(true),
        Some(_) => {
            let builder = builder
                .with_access_key_id(credentials.get("AWS_ACCESS_KEY_ID")?.as_str())
                .with_secret_access_key(credentials.get("AWS_SECRET_ACCESS_KEY")?.as_str());
            match credentials.find("AWS_SESSION_TOKEN")? {
                Some(token) => builder.with_token(token.as_str()),
                None => builder,
            }
        }
    };
    made(builder.build(), "AWS_SECRET_ACCESS_KEY")
}

fn google(
    place: &Place,
    bucket: Bucket<'_>,
    credentials: &Credentials<'_>,
    http: Http,
    retry: RetryConfig,
) -> Result<Arc<dyn ObjectStore>, StoreFault> {
    const KEY: &str = "GOOGLE_SERVICE_ACCOUNT_KEY";
    let mut builder = GoogleCloudStorageBuilder::new()
        .with_bucket_name(bucket.name)
        .with_http_connector(http)
        .with_retry(retry);
    if let Some(endpoint) = &place.endpoint {
        builder = builder.with_base_url(endpoint);
    }
    builder = match credentials.0 {
        None => builder.with_skip_signature(true),
        Some(_) => builder.with_service_account_key(credentials.get(KEY)?.as_str()),
    };
    made(builder.build(), KEY)
}

fn azure(
    place: &Place,
    bucket: Bucket<'_>,
    credentials: &Credentials<'_>,
    http: Http,
    retry: RetryConfig,
) -> Result<Arc<dyn ObjectStore>, StoreFault> {
    const KEY: &str = "AZURE_STORAGE_ACCOUNT_KEY";
    let mut builder = MicrosoftAzureBuilder::new()
        .with_container_name(bucket.name)
        .with_account(credentials.get("AZURE_STORAGE_ACCOUNT_NAME")?.as_str())
        .with_http_connector(http)
        .with_retry(retry);
    if let Some(endpoint) = &place.endpoint {
        builder = builder.with_endpoint(endpoint.clone());
    }
    builder = match credentials.find("AZURE_STORAGE_SAS_TOKEN")? {
        Some(token) => builder.with_config(AzureConfigKey::SasKey, token.as_str()),
        None => builder.with_access_key(credentials.get(KEY)?.as_str()),
    };
    made(builder.build(), KEY)
}

/// What keeps a client from being made is a credential, of which nothing is told.
fn made<S: ObjectStore>(
    built: object_store::Result<S>,
    key: &'static str,
) -> Result<Arc<dyn ObjectStore>, StoreFault> {
    match built {
        Ok(store) => Ok(Arc::new(store)),
        Err(_) => Err(StoreFault::BadCredential(key)),
    }
}

/// A folder with a file for each credential, such as a Secret that is mounted.
struct Credentials<'a>(Option<&'a Path>);

impl Credentials<'_> {
    /// A credential that there must be.
    fn get(&self, key: &'static str) -> Result<Zeroizing<String>, StoreFault> {
        self.find(key)?.ok_or(StoreFault::NoCredential(key))
    }

    /// A credential that there may be.
    fn find(&self, key: &'static str) -> Result<Option<Zeroizing<String>>, StoreFault> {
        let Some(folder) = self.0 else { return Ok(None) };
        let Ok(file) = File::open(folder.join(key)) else { return Ok(None) };
        let mut text = Zeroizing::new(String::new());
        file.take(LONGEST).read_to_string(&mut text).map_err(|_| StoreFault::BadCredential(key))?;
        // An editor's last line end is no part of a key.
        let trimmed = text.trim();
        if trimmed.is_empty() { Ok(None) } else { Ok(Some(Zeroizing::new(trimmed.to_owned()))) }
    }
}
