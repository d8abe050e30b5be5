//! Tokens of any kind, also such as nobody should take: header, claims and key as a test likes.

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use ring::hmac;
use ring::rand::SystemRandom;
use ring::signature::{
    ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair, Ed25519KeyPair, KeyPair, RSA_PKCS1_SHA256, RsaKeyPair,
    RsaPublicKeyComponents,
};
use serde_json::{Value, json};

/// What a token is signed with.
pub(crate) enum Signature<'a> {
    None,
    Hs256(&'a [u8]),
    Hs384(&'a [u8]),
    Hs512(&'a [u8]),
    Key(&'a PrivateKey),
}

/// A private key of an issuer.
pub(crate) enum PrivateKey {
    Ed25519(Ed25519KeyPair),
    P256(EcdsaKeyPair),
    Rsa(Box<RsaKeyPair>),
}

/// Writes a token down.
pub(crate) fn token(header: &Value, claims: &Value, signature: &Signature<'_>) -> String {
    let message = format!("{}.{}", encoded(header.to_string()), encoded(claims.to_string()));
    let shared = |algorithm, key: &[u8]| {
        hmac::sign(&hmac::Key::new(algorithm, key), message.as_bytes())
            .as_ref()
            .to_vec()
    };
    let signature = match signature {
        Signature::None => Vec::new(),
        Signature::Hs256(key) => shared(hmac::HMAC_SHA256, key),
        Signature::Hs384(key) => shared(hmac::HMAC_SHA384, key),
        Signature::Hs512(key) => shared(hmac::HMAC_SHA512, key),
        Signature::Key(key) => key.sign(message.as_bytes()),
    };
    format!("{message}.{}", encoded(signature))
}

/// The same with the header that goes with a shared secret.
pub(crate) fn shared(secret: &str, claims: &Value) -> String {
    token(
        &json!({"alg": "HS256", "typ": "JWT"}),
        claims,
        &Signature::Hs256(secret.as_bytes()),
    )
}

impl PrivateKey {
    pub(crate) fn ed25519() -> Self {
        let document = Ed25519KeyPair::generate_pkcs8(&SystemRandom::new()).unwrap();
        Self::Ed25519(Ed25519KeyPair::from_pkcs8(document.as_ref()).unwrap())
    }

    pub(crate) fn p256() -> Self {
        let random = SystemRandom::new();
        let algorithm = &ECDSA_P256_SHA256_FIXED_SIGNING;
        let document = EcdsaKeyPair::generate_pkcs8(algorithm, &random).unwrap();
        Self::P256(EcdsaKeyPair::from_pkcs8(algorithm, document.as_ref(), &random).unwrap())
    }

    /// Nothing here makes RSA keys: this one was made for the tests alone.
    pub(crate) fn rsa() -> Self {
        let document = base64::engine::general_purpose::STANDARD
            .decode(include_str!("forge/rsa_2048.pkcs8.base64").replace('\n', ""))
            .unwrap();
        Self::Rsa(Box::new(RsaKeyPair::from_pkcs8(&document).unwrap()))
    }

    pub(crate) fn algorithm(&self) -> &'static str {
        match self {
            Self::Ed25519(_) => "EdDSA",
            Self::P256(_) => "ES256",
            Self::Rsa(_) => "RS256",
        }
    }

    /// Returns the public key as bytes, as somebody would use them for a shared secret.
    pub(crate) fn public_bytes(&self) -> Vec<u8> {
        match self {
            Self::Ed25519(pair) => pair.public_key().as_ref().to_vec(),
            Self::P256(pair) => pair.public_key().as_ref().to_vec(),
            Self::Rsa(pair) => pair.public_key().as_ref().to_vec(),
        }
    }

    /// Returns the public key as an issuer publishes it: without `use`, and with `alg` as Better Auth has it.
    pub(crate) fn published(&self, kid: &str) -> Value {
        match self {
            Self::Ed25519(pair) => json!({"kid": kid, "kty": "OKP", "crv": "Ed25519", "alg": "EdDSA",
                                          "x": encoded(pair.public_key().as_ref())}),
            Self::P256(pair) => {
                let point = pair.public_key().as_ref();
                json!({"kid": kid, "kty": "EC", "crv": "P-256", "x": encoded(&point[1..33]),
                       "y": encoded(&point[33..])})
            }
            Self::Rsa(pair) => {
                let RsaPublicKeyComponents { n, e } = RsaPublicKeyComponents::<Vec<u8>>::from(pair.public());
                json!({"kid": kid, "kty": "RSA", "n": encoded(n), "e": encoded(e)})
            }
        }
    }

    fn sign(&self, message: &[u8]) -> Vec<u8> {
        let random = SystemRandom::new();
        match self {
            Self::Ed25519(pair) => pair.sign(message).as_ref().to_vec(),
            Self::P256(pair) => pair.sign(&random, message).unwrap().as_ref().to_vec(),
            Self::Rsa(pair) => {
                let mut signature = vec![0; pair.public().modulus_len()];
                pair.sign(&RSA_PKCS1_SHA256, &random, message, &mut signature)
                    .unwrap();
                signature
            }
        }
    }
}

fn encoded(bytes: impl AsRef<[u8]>) -> String {
    URL_SAFE_NO_PAD.encode(bytes)
}
