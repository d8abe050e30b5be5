//! Tokens of an external issuer: which of its keys are taken for what, and how often it is asked.

use std::sync::atomic::{AtomicI64, AtomicU64, Ordering};
use std::sync::{Arc, Mutex};

use api::{Clock, Server, StartError};
use reqwest::Method;
use serde_json::{Value, json};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpListener;

use crate::forge::{PrivateKey, Signature, shared, token};
use crate::site::{Answer, NOW, SECRET, Site, databases, settings};

const ISSUER: &str = "https://auth.example";
const MINUTE: i64 = 60;

/// An issuer that answers what a test puts in its mouth.
struct Issuer {
    address: String,
    answer: Arc<Mutex<String>>,
    asked: Arc<AtomicU64>,
}

impl Issuer {
    async fn start(keys: Value) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = format!("http://{}/jwks", listener.local_addr().unwrap());
        let answer = Arc::new(Mutex::new(ok(&keys)));
        let asked = Arc::new(AtomicU64::new(0));
        let (said, count) = (Arc::clone(&answer), Arc::clone(&asked));
        tokio::spawn(async move {
            loop {
                let (mut stream, _) = listener.accept().await.unwrap();
                count.fetch_add(1, Ordering::Relaxed);
                let said = said.lock().unwrap().clone();
                let mut request = [0; 2048];
                // Whoever hangs up in the middle of a long answer may.
                drop(stream.read(&mut request).await);
                drop(stream.write_all(said.as_bytes()).await);
            }
        });
        Self {
            address,
            answer,
            asked,
        }
    }

    fn publish(&self, keys: &Value) {
        *self.answer.lock().unwrap() = ok(keys);
    }

    fn say(&self, answer: &str) {
        answer.clone_into(&mut self.answer.lock().unwrap());
    }

    fn asked(&self) -> u64 {
        self.asked.load(Ordering::Relaxed)
    }

    async fn site(&self, database: seaworthy::verify::ScratchDatabase, now: &Arc<AtomicI64>) -> Site {
        let more = [
            "--jwks-url",
            &self.address,
            "--jwt-issuer",
            ISSUER,
            "--jwt-audience",
            "todo",
        ];
        Site::open_by(database, "003", &more, Clock::set_by(Arc::clone(now))).await
    }
}

fn ok(keys: &Value) -> String {
    response("200 OK", &json!({ "keys": keys }).to_string())
}

fn response(status: &str, body: &str) -> String {
    format!(
        "HTTP/1.1 {status}\r\ncontent-type: application/json\r\ncontent-length: {}\r\nconnection: close\r\n\r\n{body}",
        body.len()
    )
}

/// What a token of Better Auth says.
fn claims(sub: &str) -> Value {
    json!({"sub": sub, "email": format!("{sub}@example.org"), "name": "Ada", "emailVerified": true, "iat": NOW,
           "exp": NOW + 100 * 24 * 60 * MINUTE, "iss": ISSUER, "aud": "todo"})
}

fn with(name: &str, value: Value) -> Value {
    let mut claims = claims("ext_1");
    claims[name] = value;
    claims
}

fn without(name: &str) -> Value {
    let mut claims = claims("ext_1");
    claims.as_object_mut().unwrap().remove(name);
    claims
}

fn signed(key: &PrivateKey, kid: &str, claims: &Value) -> String {
    token(
        &json!({"alg": key.algorithm(), "kid": kid}),
        claims,
        &Signature::Key(key),
    )
}

async fn me(site: &Site, token: &str) -> Answer {
    site.with_token(token, Method::GET, "/api/v1/me", None).await
}

/// Runs a test on a service with an issuer that publishes three keys.
async fn with_issuer(test: impl AsyncFn(&Site, &Issuer, &[PrivateKey; 3], &AtomicI64)) {
    for database in databases().await {
        let keys = [PrivateKey::ed25519(), PrivateKey::p256(), PrivateKey::rsa()];
        let issuer = Issuer::start(json!([
            keys[0].published("a"),
            keys[1].published("b"),
            keys[2].published("c")
        ]))
        .await;
        let now = Arc::new(AtomicI64::new(NOW));
        let site = issuer.site(database, &now).await;
        test(&site, &issuer, &keys, &now).await;
        site.close().await;
    }
}

#[tokio::test]
async fn tokens_signed_with_a_published_key_are_taken_and_the_keys_are_asked_for_once() {
    with_issuer(async |site, issuer, keys, _| {
        for (number, (key, kid)) in keys.iter().zip(["a", "b", "c"]).enumerate() {
            let shown = me(site, &signed(key, kid, &claims(&format!("ext_{number}"))))
                .await
                .expect(200)
                .json();
            assert_eq!(shown["id"], format!("ext_{number}"));
            assert_eq!(shown["name"], "Ada");
        }
        assert_eq!(issuer.asked(), 1);
        // Tokens of the shared secret go on working beside them.
        me(site, &shared(SECRET, &claims("ext_7"))).await.expect(200);
    })
    .await;
}

#[tokio::test]
async fn a_key_is_no_secret_and_a_header_chooses_no_key() {
    with_issuer(async |site, _, keys, _| {
        let [ed, ec, rsa] = keys;
        let good = claims("ext_1");
        let attacker = PrivateKey::ed25519();
        let mut refused = vec![
            // The public key as a shared secret.
            token(
                &json!({"alg": "HS256", "kid": "a"}),
                &good,
                &Signature::Hs256(&ed.public_bytes()),
            ),
            token(
                &json!({"alg": "HS256", "kid": "b"}),
                &good,
                &Signature::Hs256(&ec.public_bytes()),
            ),
            token(
                &json!({"alg": "HS256", "kid": "c"}),
                &good,
                &Signature::Hs256(&rsa.public_bytes()),
            ),
            // No signature, another key, another key's id, no id, another algorithm than the key's.
            token(&json!({"alg": "none", "kid": "a"}), &good, &Signature::None),
            token(&json!({"alg": "EdDSA", "kid": "a"}), &good, &Signature::None),
            signed(&attacker, "a", &good),
            signed(ed, "b", &good),
            signed(ec, "a", &good),
            signed(ed, "unheard-of", &good),
            token(&json!({"alg": "EdDSA"}), &good, &Signature::Key(ed)),
            token(&json!({"alg": "ES256", "kid": "a"}), &good, &Signature::Key(ed)),
            token(&json!({"alg": "PS256", "kid": "c"}), &good, &Signature::Key(rsa)),
            token(&json!({"alg": "RS512", "kid": "c"}), &good, &Signature::Key(rsa)),
            // The shared secret under the name of a public key.
            token(
                &json!({"alg": "EdDSA", "kid": "a"}),
                &good,
                &Signature::Hs256(SECRET.as_bytes()),
            ),
            // Whom it is from and for, and when.
            signed(ed, "a", &with("iss", json!("https://evil.example"))),
            signed(ed, "a", &with("aud", json!("another"))),
            signed(ed, "a", &with("nbf", json!(NOW + 10 * MINUTE))),
            signed(ed, "a", &with("sub", json!("me"))),
            signed(ed, "a", &with("sub", json!("v1"))),
            signed(ed, "a", &with("email", json!("none"))),
        ];
        refused.extend(["iss", "aud", "exp", "sub", "email"].map(|name| signed(ed, "a", &without(name))));
        // A key that comes along, or an address of one.
        let public = attacker.published("a");
        for (name, value) in [
            ("jwk", public),
            ("jku", json!("http://127.0.0.1:9/jwks")),
            ("x5u", json!("http://127.0.0.1:9/cert")),
            ("x5c", json!(["AAAA"])),
        ] {
            let mut header = json!({"alg": "EdDSA", "kid": "a"});
            header[name] = value;
            refused.push(token(&header, &good, &Signature::Key(&attacker)));
        }
        refused.push(token(
            &json!({"alg": "EdDSA", "kid": "a", "crit": ["b64"], "b64": true}),
            &good,
            &Signature::Key(ed),
        ));
        for token in refused {
            let answer = me(site, &token).await.expect(401);
            assert_eq!(answer.code(), "AUTH_TOKEN_INVALID", "{token}");
        }
        let late = signed(ed, "a", &with("exp", json!(NOW - 2 * MINUTE)));
        assert_eq!(me(site, &late).await.expect(401).code(), "AUTH_TOKEN_EXPIRED");
        me(site, &signed(ed, "a", &with("exp", json!(NOW - MINUTE + 1))))
            .await
            .expect(200);
        // A sign-in of ours is none in a token of theirs.
        let sid = with("sid", json!("ses_00000000000000000000000000"));
        me(site, &signed(ed, "a", &sid)).await.expect(200);
    })
    .await;
}

#[tokio::test]
async fn an_unknown_key_is_asked_for_at_most_every_half_minute() {
    with_issuer(async |site, issuer, keys, now| {
        me(site, &signed(&keys[0], "a", &claims("ext_1")))
            .await
            .expect(200);
        let new = PrivateKey::p256();
        let rotated = signed(&new, "d", &claims("ext_1"));
        now.store(NOW + 29, Ordering::Relaxed);
        for _ in 0..5 {
            me(site, &rotated).await.expect(401);
        }
        assert_eq!(issuer.asked(), 1);
        issuer.publish(&json!([new.published("d")]));
        now.store(NOW + 30, Ordering::Relaxed);
        let (a, b, c) = tokio::join!(me(site, &rotated), me(site, &rotated), me(site, &rotated));
        for answer in [a, b, c] {
            answer.expect(200);
        }
        assert_eq!(issuer.asked(), 2);
        // What is published no more is taken no more.
        assert_eq!(
            me(site, &signed(&keys[0], "a", &claims("ext_1")))
                .await
                .expect(401)
                .code(),
            "AUTH_TOKEN_INVALID"
        );
    })
    .await;
}

#[tokio::test]
async fn keys_are_believed_for_ten_minutes_and_for_a_day_while_the_issuer_fails() {
    with_issuer(async |site, issuer, keys, now| {
        let token = signed(&keys[0], "a", &claims("ext_1"));
        me(site, &token).await.expect(200);
        now.store(NOW + 10 * MINUTE - 1, Ordering::Relaxed);
        me(site, &token).await.expect(200);
        assert_eq!(issuer.asked(), 1);
        now.store(NOW + 10 * MINUTE, Ordering::Relaxed);
        me(site, &token).await.expect(200);
        assert_eq!(issuer.asked(), 2);
        let renewed = NOW + 10 * MINUTE;
        issuer.say(&response("500 Internal Server Error", "{}"));
        for minutes in [10, 60, 24 * 60 - 1] {
            now.store(renewed + minutes * MINUTE, Ordering::Relaxed);
            me(site, &token).await.expect(200);
            me(site, &token).await.expect(200);
        }
        assert_eq!(issuer.asked(), 5, "once per look, whatever it said");
        now.store(renewed + 24 * 60 * MINUTE, Ordering::Relaxed);
        let unavailable = me(site, &token).await.expect(503);
        assert_eq!(unavailable.code(), "AUTH_ISSUER_UNAVAILABLE");
        assert_eq!(unavailable.header("retry-after"), "5");
        me(site, &shared(SECRET, &claims("ext_1"))).await.expect(200);
    })
    .await;
}

#[tokio::test]
async fn an_issuer_that_answers_nonsense_is_no_issuer() {
    with_issuer(async |site, issuer, keys, now| {
        let token = signed(&keys[0], "a", &claims("ext_1"));
        let padding = " ".repeat(65 * 1024);
        let padded = format!("{{\"keys\": [{}]{padding}}}", keys[0].published("a"));
        let redirect = format!(
            "HTTP/1.1 302 Found\r\nlocation: {}\r\ncontent-length: 0\r\nconnection: close\r\n\r\n",
            issuer.address
        );
        for (number, answer) in [
            response("404 Not Found", "{}"),
            response("200 OK", "<html>"),
            response("200 OK", "[]"),
            response("200 OK", &padded),
            redirect,
            String::new(),
        ]
        .iter()
        .enumerate()
        {
            issuer.say(answer);
            now.store(NOW + MINUTE * i64::try_from(number).unwrap(), Ordering::Relaxed);
            assert_eq!(
                me(site, &token).await.expect(503).code(),
                "AUTH_ISSUER_UNAVAILABLE",
                "answer {number}"
            );
            assert_eq!(issuer.asked(), u64::try_from(number).unwrap() + 1);
        }
        issuer.publish(&json!([keys[0].published("a")]));
        // Asked a moment ago: not again yet.
        assert_eq!(
            me(site, &token).await.expect(503).code(),
            "AUTH_ISSUER_UNAVAILABLE"
        );
        now.fetch_add(30, Ordering::Relaxed);
        me(site, &token).await.expect(200);
    })
    .await;
}

#[tokio::test]
async fn an_issuer_that_is_not_wholly_named_or_not_safe_stops_the_start() {
    let url = "https://auth.example/jwks";
    let start = async |more: &[&str]| {
        let settings = settings("sqlite::memory:", more);
        Server::start(&settings, Clock::fixed(NOW)).await.err().unwrap()
    };
    for more in [
        vec!["--jwks-url", url],
        vec!["--jwks-url", url, "--jwt-issuer", ISSUER],
        vec!["--jwks-url", url, "--jwt-audience", "todo", "--jwt-issuer", ""],
    ] {
        let error = start(&more).await;
        assert!(matches!(error, StartError::IncompleteIssuer), "{error}");
    }
    for unsafe_url in ["http://auth.example/jwks", "file:///etc/passwd", "nonsense"] {
        let more = [
            "--jwks-url",
            unsafe_url,
            "--jwt-issuer",
            ISSUER,
            "--jwt-audience",
            "todo",
        ];
        assert!(
            matches!(start(&more).await, StartError::Issuer { .. }),
            "{unsafe_url}"
        );
    }
}
