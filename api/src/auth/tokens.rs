//! Signed tokens (JWT): ours, and those of an issuer with the same secret or with public keys.
//!
//! Which algorithm a key is for is ours to say and never the token's header's (RFC 8725, 3.1): the shared secret is for HS256
//! alone, a public key for the one algorithm of its kind. Headers that point at keys (`jku`, `jwk`, `x5u`) are not followed.

use jsonwebtoken::{Algorithm, DecodingKey, EncodingKey, Header, Validation};
use serde::{Deserialize, Serialize};
use thiserror::Error;

use super::issuer::Issuer;
use super::provider;
use super::random::random_id;
use super::verified::Verified;
use crate::domain::{Instant, SessionId, UserId};

/// Checks and makes tokens.
pub(crate) struct Tokens {
    decoding: DecodingKey,
    encoding: EncodingKey,
    /// For HS256; another algorithm takes the place of that.
    validation: Validation,
    issuer: Option<String>,
    audience: Option<String>,
    external: Option<Issuer>,
    verified: Verified<Claims>,
}

/// Who a token speaks for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Identity {
    pub(crate) id: UserId,
    pub(crate) email: String,
    pub(crate) name: Option<String>,
    /// The sign-in that the token belongs to, if it was made here.
    pub(crate) session: Option<SessionId>,
    pub(crate) issued_at: Option<Instant>,
}

/// A token is not taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
pub(crate) enum TokenError {
    /// It was good until it ended.
    #[error("the token has expired")]
    Expired,
    /// Anything else; what exactly is nobody's business.
    #[error("the token is not valid")]
    Invalid,
    /// Nobody can tell: the issuer's keys cannot be had.
    #[error("the keys of the issuer cannot be had")]
    Unavailable,
}

/// What a token says. Moments may have fractions (RFC 7519, section 2).
#[derive(Deserialize)]
struct Claims {
    sub: String,
    email: String,
    exp: f64,
    nbf: Option<f64>,
    iat: Option<f64>,
    name: Option<String>,
    sid: Option<String>,
}

/// What we say.
#[derive(Serialize)]
struct Said<'a> {
    sub: &'a str,
    email: &'a str,
    iat: i64,
    exp: i64,
    jti: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    sid: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    iss: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    aud: Option<&'a str>,
}

/// Longest token that is looked at.
const MOST_BYTES: usize = 8 * 1024;
/// How far two clocks may be apart.
const SKEW_SECONDS: f64 = 60.0;

impl Tokens {
    pub(crate) fn new(
        secret: &[u8],
        issuer: Option<&str>,
        audience: Option<&str>,
        external: Option<Issuer>,
    ) -> Self {
        provider::install();
        Self {
            decoding: DecodingKey::from_secret(secret),
            encoding: EncodingKey::from_secret(secret),
            validation: validation(issuer, audience),
            issuer: issuer.map(str::to_owned),
            audience: audience.map(str::to_owned),
            external,
            verified: Verified::default(),
        }
    }

    /// Returns whom a token speaks for, whoever signed it.
    pub(crate) async fn verify(&self, token: &str, now: Instant) -> Result<Identity, TokenError> {
        if let Some(claims) = self.verified.get(token) {
            return own_identity(&claims, now);
        }
        let header = header(token)?;
        if header.alg == Algorithm::HS256 {
            return self.own(token, now);
        }
        let (Some(external), Some(kid)) = (&self.external, &header.kid) else {
            return Err(TokenError::Invalid);
        };
        let key = Box::pin(external.key(kid, now));
        let key = key.await.map_err(|_| TokenError::Unavailable)?;
        let key = key
            .filter(|key| key.algorithm == header.alg)
            .ok_or(TokenError::Invalid)?;
        let mut validation = self.validation.clone();
        validation.algorithms = vec![key.algorithm];
        let claims = claims(token, &key.decoding, &validation)?;
        // A session is one of ours only in a token of ours.
        identity(&claims, None, now)
    }

    /// Returns whom a token speaks for that is signed with the shared secret.
    pub(crate) fn verify_own(&self, token: &str, now: Instant) -> Result<Identity, TokenError> {
        header(token)?;
        self.own(token, now)
    }

    fn own(&self, token: &str, now: Instant) -> Result<Identity, TokenError> {
        let claims = claims(token, &self.decoding, &self.validation)?;
        let identity = own_identity(&claims, now)?;
        // The secret holds as long as the process; the keys of an issuer may be withdrawn.
        self.verified.remember(token, claims);
        Ok(identity)
    }

    /// Makes a token that is good until then.
    pub(crate) fn mint(
        &self,
        id: &UserId,
        email: &str,
        session: Option<&SessionId>,
        now: Instant,
        until: Instant,
    ) -> Result<String, TokenError> {
        let said = Said {
            sub: id.as_str(),
            email,
            iat: now.seconds(),
            exp: until.seconds(),
            jti: random_id("jwt_").map_err(|_| TokenError::Unavailable)?,
            sid: session.map(SessionId::as_str),
            iss: self.issuer.as_deref(),
            aud: self.audience.as_deref(),
        };
        jsonwebtoken::encode(&Header::new(Algorithm::HS256), &said, &self.encoding)
            .map_err(|_| TokenError::Invalid)
    }
}

/// Whom a token is from and for; what time it is comes after, because the service has a clock of its own.
fn validation(issuer: Option<&str>, audience: Option<&str>) -> Validation {
    let mut validation = Validation::new(Algorithm::HS256);
    validation.validate_exp = false;
    validation.validate_aud = audience.is_some();
    let mut required = vec!["sub", "exp"];
    if let Some(issuer) = issuer {
        validation.set_issuer(&[issuer]);
        required.push("iss");
    }
    if let Some(audience) = audience {
        validation.set_audience(&[audience]);
        required.push("aud");
    }
    validation.set_required_spec_claims(&required);
    validation
}

fn claims(token: &str, key: &DecodingKey, validation: &Validation) -> Result<Claims, TokenError> {
    jsonwebtoken::decode::<Claims>(token, key, validation)
        .map(|decoded| decoded.claims)
        .map_err(|_| TokenError::Invalid)
}

fn header(token: &str) -> Result<Header, TokenError> {
    if token.len() > MOST_BYTES {
        return Err(TokenError::Invalid);
    }
    let header = jsonwebtoken::decode_header(token).map_err(|_| TokenError::Invalid)?;
    // What must be understood is not (RFC 7515, 4.1.11).
    match header.crit {
        None => Ok(header),
        Some(_) => Err(TokenError::Invalid),
    }
}

fn own_identity(claims: &Claims, now: Instant) -> Result<Identity, TokenError> {
    let session = claims.sid.as_deref().and_then(SessionId::parse);
    identity(claims, session, now)
}

fn identity(claims: &Claims, session: Option<SessionId>, now: Instant) -> Result<Identity, TokenError> {
    let is_text = |text: &str| text.chars().count() <= 255 && !text.chars().any(char::is_control);
    if !is_text(&claims.email) || !claims.email.contains('@') {
        return Err(TokenError::Invalid);
    }
    let id = UserId::parse(&claims.sub).ok_or(TokenError::Invalid)?;
    #[expect(
        clippy::cast_precision_loss,
        reason = "seconds since 1970 are exact for millions of years"
    )]
    let seconds = now.seconds() as f64;
    if claims.nbf.is_some_and(|nbf| nbf > seconds + SKEW_SECONDS) {
        return Err(TokenError::Invalid);
    }
    // Last, so that this is the answer only when nothing else is wrong.
    if claims.exp < seconds - SKEW_SECONDS {
        return Err(TokenError::Expired);
    }
    Ok(Identity {
        id,
        email: claims.email.clone(),
        name: claims
            .name
            .clone()
            .filter(|name| is_text(name) && !name.trim().is_empty()),
        session,
        issued_at: claims.iat.and_then(Instant::at_second),
    })
}
