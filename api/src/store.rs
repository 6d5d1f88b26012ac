//! Object stores: S3, Google Cloud Storage, Azure Blob Storage, and what speaks their protocols.

use crate::cluster::OBJECT;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// A bucket, and perhaps a prefix of its keys.
const URL: &str = "^(s3|gs|az)://[a-z0-9]([-a-z0-9._]*[a-z0-9])?(/[^/?#]+)*/?$";
/// A server without user or query.
const ENDPOINT: &str = "^https?://[^/?#@ ]+(/[^?# ]*)?$";

/// Where in an object store something is, and how the store is reached. Its credentials are in a Secret and nowhere else.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[schemars(extend("x-kubernetes-validations" = [
    {"rule": "!has(self.region) || self.url.startsWith('s3://')", "fieldPath": ".region", "message": "region belongs to s3:// only"},
    {"rule": "!self.url.startsWith('az://') || has(self.secret)", "fieldPath": ".secret", "message": "az:// needs a secret, which names the storage account"}
]))]
pub struct ObjectStore {
    /// The bucket and perhaps a prefix, which `path` continues: `s3://bucket/prefix`, `gs://bucket` or `az://container`.
    #[schemars(length(min = 6, max = 1024), regex(pattern = URL))]
    pub url: String,
    /// Where the store is reached, such as `https://minio.example:9000`; the provider's own address where absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 8, max = 512), regex(pattern = ENDPOINT))]
    pub endpoint: Option<String>,
    /// The region of an S3 bucket; `us-east-1` where absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1, max = 64), regex(pattern = OBJECT))]
    pub region: Option<String>,
    /// A Secret of the same namespace with the credentials; requests are not signed where absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1, max = 253), regex(pattern = OBJECT))]
    pub secret: Option<String>,
}

/// Whose protocol a store speaks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Provider {
    /// `s3://`
    S3,
    /// `gs://`
    Google,
    /// `az://`
    Azure,
}

/// What a store's URL says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Bucket<'a> {
    /// Whose protocol.
    pub provider: Provider,
    /// The bucket, or Azure's container.
    pub name: &'a str,
    /// What all keys begin with; neither begins nor ends with `/`.
    pub prefix: &'a str,
}

/// A server, as its URL says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Server<'a> {
    /// A name or an address, without the brackets of IPv6.
    pub host: &'a str,
    /// Its port.
    pub port: u16,
    /// Whether it is spoken to by TLS.
    pub tls: bool,
}

impl ObjectStore {
    /// The parts of the URL; `None` where it is none of a bucket.
    pub fn bucket(&self) -> Option<Bucket<'_>> {
        let (scheme, rest) = self.url.split_once("://")?;
        let provider = match scheme {
            "s3" => Provider::S3,
            "gs" => Provider::Google,
            "az" => Provider::Azure,
            _ => return None,
        };
        let (name, prefix) = rest.split_once('/').unwrap_or((rest, ""));
        let edge = |byte: &u8| byte.is_ascii_lowercase() || byte.is_ascii_digit();
        let bytes = name.as_bytes();
        let named = bytes.first().is_some_and(edge)
            && bytes.last().is_some_and(edge)
            && bytes.iter().all(|byte| edge(byte) || b"-._".contains(byte));
        let prefix = prefix.strip_suffix('/').unwrap_or(prefix);
        let good = |part: &str| !["", ".", ".."].contains(&part) && !part.contains(['?', '#']);
        (named && (prefix.is_empty() || prefix.split('/').all(good))).then_some(Bucket {
            provider,
            name,
            prefix,
        })
    }

    /// The key of the object that `path` names.
    pub fn key(&self, path: &str) -> Option<String> {
        let prefix = self.bucket()?.prefix;
        Some(if prefix.is_empty() { path.to_owned() } else { format!("{prefix}/{path}") })
    }

    /// The server that `endpoint` names, or the provider's, of which only the port is told: its host is empty. `None`
    /// where the endpoint is none.
    pub fn server(&self) -> Option<Server<'_>> {
        let Some(endpoint) = &self.endpoint else { return Some(Server { host: "", port: 443, tls: true }) };
        let (scheme, rest) = endpoint.split_once("://")?;
        let tls = match scheme {
            "https" => true,
            "http" => false,
            _ => return None,
        };
        let authority = rest.split('/').next()?;
        if rest.contains(['?', '#', ' ']) || authority.contains('@') {
            return None;
        }
        let (host, port) = match authority.strip_prefix('[') {
            Some(rest) => rest.split_once(']')?,
            None => authority.split_at(authority.find(':').unwrap_or(authority.len())),
        };
        let port = match port.strip_prefix(':') {
            Some(port) => port.parse().ok().filter(|port| *port > 0)?,
            None if port.is_empty() => 80 + 363 * u16::from(tls),
            None => return None,
        };
        (!host.is_empty()).then_some(Server { host, port, tls })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn store(url: &str, endpoint: Option<&str>) -> ObjectStore {
        ObjectStore { url: url.into(), endpoint: endpoint.map(Into::into), region: None, secret: None }
    }

    #[test]
    fn buckets() {
        let deep = store("s3://north-1/a/b c/", None);
        assert_eq!(deep.bucket(), Some(Bucket { provider: Provider::S3, name: "north-1", prefix: "a/b c" }));
        assert_eq!(deep.key("x.csv").as_deref(), Some("a/b c/x.csv"));
        assert_eq!(store("gs://n_1.x", None).key("x.csv").as_deref(), Some("x.csv"));
        assert_eq!(store("az://rows/", None).bucket().unwrap().provider, Provider::Azure);
        for bad in
            ["", "s3:/a", "s3://", "s3://-a", "s3://a-/b", "s3://A", "https://a", "s3://a//b", "s3://a/../b"]
        {
            assert_eq!(store(bad, None).bucket(), None, "{bad}");
        }
    }

    #[test]
    fn servers() {
        let server =
            |endpoint| store("s3://a", Some(endpoint)).server().map(|s| (s.host.to_owned(), s.port, s.tls));
        assert_eq!(server("https://a.b"), Some(("a.b".into(), 443, true)));
        assert_eq!(server("http://a.b/c"), Some(("a.b".into(), 80, false)));
        assert_eq!(server("http://10.0.0.1:9000"), Some(("10.0.0.1".into(), 9000, false)));
        assert_eq!(server("https://[fd00::1]:9000/"), Some(("fd00::1".into(), 9000, true)));
        assert_eq!(store("s3://a", None).server().map(|s| (s.host, s.port)), Some(("", 443)));
        for bad in [
            "a:9000",
            "ftp://a",
            "https://",
            "https://:1",
            "https://a:0",
            "https://a:70000",
            "https://[fd00::1",
            "https://u:p@a",
            "http://a?b",
        ] {
            assert_eq!(server(bad), None, "{bad}");
        }
    }
}
