//! The public keys of an external issuer (JWKS), fetched when they are needed.
//!
//! A key is good for one algorithm, which its kind decides. Keys are believed for ten minutes; a key id that is not known is
//! asked for at most every half minute; while the issuer cannot be reached, the keys of the last day do.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use arc_swap::ArcSwapOption;
use http_body_util::{BodyExt, Empty, Limited};
use hyper_rustls::{HttpsConnector, HttpsConnectorBuilder};
use hyper_util::client::legacy::Client;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::rt::TokioExecutor;
use jsonwebtoken::{Algorithm, DecodingKey};
use serde::Deserialize;
use serde_json::Value;
use thiserror::Error;
use tokio::sync::Mutex;
use url::Url;

use crate::domain::Instant;

/// An issuer and the keys that it was last seen with.
pub(crate) struct Issuer {
    url: Url,
    /// It follows no redirects and knows no proxies.
    client: Client<HttpsConnector<HttpConnector>, Empty<&'static [u8]>>,
    keys: ArcSwapOption<Keys>,
    /// When the keys were last asked for; held while they are.
    asked: Mutex<Option<Instant>>,
}

/// A public key.
pub(crate) struct PublicKey {
    pub(crate) algorithm: Algorithm,
    pub(crate) decoding: DecodingKey,
}

/// The keys of an issuer cannot be used.
#[derive(Debug, Error)]
#[non_exhaustive]
pub(crate) enum IssuerError {
    /// The address is none, or one that anybody on the way could answer for.
    #[error("TODO_JWKS_URL is no https address; plain http is for loopback only")]
    Address,
    /// The system's certificates cannot be read.
    #[error("the system's certificates cannot be read")]
    Certificates { source: std::io::Error },
    /// The issuer cannot be reached.
    #[error("the issuer cannot be reached")]
    Request {
        source: hyper_util::client::legacy::Error,
    },
    /// It answers something else.
    #[error("the issuer {reason}")]
    Answer { reason: &'static str },
}

struct Keys {
    by_id: HashMap<String, Arc<PublicKey>>,
    fetched: Instant,
}

/// How long keys are believed.
const FRESH_SECONDS: i64 = 10 * 60;
/// How long they do while there are no others.
const STALE_SECONDS: i64 = 24 * 60 * 60;
/// The issuer is not asked more often than that.
const PAUSE_SECONDS: i64 = 30;
/// How long the issuer may take.
const PATIENCE: Duration = Duration::from_secs(5);
/// Largest set of keys.
const MOST_BYTES: usize = 64 * 1024;

impl Issuer {
    pub(crate) fn new(url: &str) -> Result<Self, IssuerError> {
        let url: Url = url.parse().map_err(|_| IssuerError::Address)?;
        if !is_safe(&url) {
            return Err(IssuerError::Address);
        }
        let connector = HttpsConnectorBuilder::new()
            .with_provider_and_native_roots(rustls::crypto::ring::default_provider())
            .map_err(|source| IssuerError::Certificates { source })?
            .https_or_http()
            .enable_http1()
            .build();
        let client = Client::builder(TokioExecutor::new()).build(connector);
        Ok(Self {
            url,
            client,
            keys: ArcSwapOption::empty(),
            asked: Mutex::new(None),
        })
    }

    /// Returns the key of this id, if the issuer has one.
    pub(crate) async fn key(&self, id: &str, now: Instant) -> Result<Option<Arc<PublicKey>>, IssuerError> {
        let known = self.keys.load_full();
        let find = |keys: &Keys| keys.by_id.get(id).cloned();
        if let Some(keys) = known.as_ref().filter(|keys| keys.is_younger(FRESH_SECONDS, now))
            && let Some(key) = find(keys)
        {
            return Ok(Some(key));
        }
        let failure = self.refresh(known.as_ref(), now).await.err();
        let keys = self.keys.load_full();
        match (keys.filter(|keys| keys.is_younger(STALE_SECONDS, now)), failure) {
            (Some(keys), _) => Ok(find(&keys)),
            (None, Some(failure)) => Err(failure),
            (None, None) => Err(IssuerError::Answer {
                reason: "was asked a moment ago, in vain",
            }),
        }
    }

    /// Asks for the keys, unless that was done a moment ago.
    async fn refresh(&self, known: Option<&Arc<Keys>>, now: Instant) -> Result<(), IssuerError> {
        let mut asked = match known {
            // Somebody else is asking: what is known does meanwhile.
            Some(keys) if !keys.is_younger(FRESH_SECONDS, now) => match self.asked.try_lock() {
                Ok(asked) => asked,
                Err(_) => return Ok(()),
            },
            _ => self.asked.lock().await,
        };
        let current = self.keys.load_full();
        let is_newer = current.as_ref().map(Arc::as_ptr) != known.map(Arc::as_ptr);
        let is_pausing = asked.is_some_and(|at| age(at, now).is_some_and(|age| age < PAUSE_SECONDS));
        if is_newer || is_pausing {
            return Ok(());
        }
        *asked = Some(now);
        match self.fetch().await {
            Ok(by_id) => {
                self.keys.store(Some(Arc::new(Keys { by_id, fetched: now })));
                Ok(())
            }
            Err(error) => {
                tracing::warn!(error = %error, "the issuer's keys could not be renewed");
                Err(error)
            }
        }
    }

    async fn fetch(&self) -> Result<HashMap<String, Arc<PublicKey>>, IssuerError> {
        let answer = |reason| IssuerError::Answer { reason };
        let body = tokio::time::timeout(PATIENCE, self.body())
            .await
            .map_err(|_| answer("takes more than five seconds"))??;
        keys_of(&body).ok_or(answer("sends no set of keys"))
    }

    async fn body(&self) -> Result<Vec<u8>, IssuerError> {
        let answer = |reason| IssuerError::Answer { reason };
        let address = self.url.as_str().parse().map_err(|_| IssuerError::Address)?;
        let response = self
            .client
            .get(address)
            .await
            .map_err(|source| IssuerError::Request { source })?;
        if response.status().as_u16() != 200 {
            return Err(answer("answers with another status than 200"));
        }
        let body = Limited::new(response.into_body(), MOST_BYTES).collect().await;
        let body = body.map_err(|_| answer("sends more than 64 KiB, or breaks off"))?;
        Ok(body.to_bytes().to_vec())
    }
}

impl Keys {
    fn is_younger(&self, seconds: i64, now: Instant) -> bool {
        age(self.fetched, now).is_some_and(|age| age < seconds)
    }
}

/// Nothing when the clock was set back: whatever it is then, it is not fresh.
fn age(then: Instant, now: Instant) -> Option<i64> {
    let age = now.seconds() - then.seconds();
    (age >= 0).then_some(age)
}

fn is_safe(url: &Url) -> bool {
    let is_loopback = match url.host_str() {
        Some("localhost") => true,
        Some(host) => host
            .trim_matches(['[', ']'])
            .parse::<std::net::IpAddr>()
            .is_ok_and(|address| address.is_loopback()),
        None => false,
    };
    url.scheme() == "https" || (url.scheme() == "http" && is_loopback)
}

#[derive(Deserialize)]
struct KeySet {
    keys: Vec<Value>,
}

/// One key as the issuer describes it (RFC 7517); `use` and `alg` are often left out.
#[derive(Deserialize)]
struct Described {
    kid: String,
    kty: String,
    alg: Option<String>,
    r#use: Option<String>,
    crv: Option<String>,
    n: Option<String>,
    e: Option<String>,
    x: Option<String>,
    y: Option<String>,
}

/// Reads a set; keys of other kinds are for somebody else.
fn keys_of(body: &[u8]) -> Option<HashMap<String, Arc<PublicKey>>> {
    let set: KeySet = serde_json::from_slice(body).ok()?;
    let keys = set.keys.into_iter().filter_map(|value| {
        let described: Described = serde_json::from_value(value).ok()?;
        let key = public_key(&described)?;
        Some((described.kid, Arc::new(key)))
    });
    Some(keys.collect())
}

fn public_key(described: &Described) -> Option<PublicKey> {
    let Described { n, e, x, y, .. } = described;
    let (algorithm, name, decoding) = match (described.kty.as_str(), described.crv.as_deref()) {
        ("OKP", Some("Ed25519")) => {
            let key = DecodingKey::from_ed_components(x.as_deref()?);
            (Algorithm::EdDSA, "EdDSA", key)
        }
        ("EC", Some("P-256")) => {
            let key = DecodingKey::from_ec_components(x.as_deref()?, y.as_deref()?);
            (Algorithm::ES256, "ES256", key)
        }
        ("RSA", _) => {
            let key = DecodingKey::from_rsa_components(n.as_deref()?, e.as_deref()?);
            (Algorithm::RS256, "RS256", key)
        }
        _ => return None,
    };
    // RFC 9864 gives EdDSA with this curve a name of its own.
    let is_named = |alg: &str| alg == name || (alg == "Ed25519" && name == "EdDSA");
    let is_for_us = described.alg.as_deref().is_none_or(is_named)
        && described.r#use.as_deref().is_none_or(|usage| usage == "sig");
    Some(PublicKey {
        algorithm,
        decoding: decoding.ok()?,
    })
    .filter(|_| is_for_us)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_addresses_that_cannot_be_answered_for_by_others_are_taken() {
        for url in [
            "https://auth.example/jwks",
            "http://127.0.0.1:1/k",
            "http://[::1]/k",
            "http://localhost/k",
        ] {
            assert!(Issuer::new(url).is_ok(), "{url}");
        }
        for url in [
            "http://auth.example/jwks",
            "ftp://127.0.0.1/k",
            "file:///etc/passwd",
            "jwks",
            "http://127.evil.example",
        ] {
            assert!(Issuer::new(url).is_err(), "{url}");
        }
    }

    #[test]
    fn a_key_is_for_the_algorithm_of_its_kind_alone() {
        let body = br#"{"keys": [
            {"kid": "a", "kty": "OKP", "crv": "Ed25519", "x": "11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"},
            {"kid": "b", "kty": "OKP", "crv": "Ed25519", "x": "11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo", "alg": "HS256"},
            {"kid": "c", "kty": "oct", "k": "c2VjcmV0"},
            {"kid": "d", "kty": "RSA", "n": "AQAB", "e": "AQAB", "use": "enc"},
            {"kid": "e", "kty": "RSA", "n": "AQAB", "e": "AQAB", "use": "sig"},
            {"kty": "RSA", "n": "AQAB", "e": "AQAB"},
            {"kid": "f", "kty": "EC", "crv": "P-384", "x": "AA", "y": "AA"},
            7
        ]}"#;
        let keys = keys_of(body).unwrap();
        let mut found: Vec<_> = keys
            .iter()
            .map(|(id, key)| (id.as_str(), key.algorithm))
            .collect();
        found.sort_by_key(|(id, _)| *id);
        assert_eq!(found, [("a", Algorithm::EdDSA), ("e", Algorithm::RS256)]);
        assert!(keys_of(b"[]").is_none());
        assert!(keys_of(b"<html>").is_none());
    }
}
