//! Whom a request speaks for, and the tokens that are not taken.

use api::settings::Settings;
use api::{Clock, development_token};
use reqwest::Method;
use serde_json::{Value, json};

use crate::forge::{Signature, shared, token};
use crate::site::{NOW, SECRET, Site, databases, on_each, settings};

/// Far away, by any clock.
const LATER: i64 = 4_000_000_000;

fn claims() -> Value {
    json!({"sub": "usr_ada", "email": "ada@example.org", "exp": LATER})
}

fn without(name: &str) -> Value {
    let mut claims = claims();
    claims.as_object_mut().unwrap().remove(name);
    claims
}

fn with(name: &str, value: Value) -> Value {
    let mut claims = claims();
    claims[name] = value;
    claims
}

/// A token whose header says that it needs no signature.
fn unsigned(algorithm: &str) -> String {
    token(
        &json!({"alg": algorithm, "typ": "JWT"}),
        &claims(),
        &Signature::None,
    )
}

async fn ask(site: &Site, token: &str) -> crate::site::Answer {
    site.send_raw(Some(token), Method::GET, "/api/v1/me", None, &[])
        .await
}

#[tokio::test]
async fn tokens_that_are_not_what_they_should_be_are_refused() {
    on_each("003", async |site| {
        let hs256 = |claims: &Value| shared(SECRET, claims);
        let key = SECRET.as_bytes();
        let header = |name: &str, value: Value| {
            let mut header = json!({"alg": "HS256"});
            header[name] = value;
            token(&header, &claims(), &Signature::Hs256(key))
        };
        let good = hs256(&claims());
        let (head, signature) = good.rsplit_once('.').unwrap();
        let other = hs256(&with("sub", json!("usr_bob")));
        let mixed = format!("{}.{signature}", other.rsplit_once('.').unwrap().0);
        for (token, code) in [
            (unsigned("none"), "AUTH_TOKEN_INVALID"),
            (unsigned("None"), "AUTH_TOKEN_INVALID"),
            (unsigned("HS256"), "AUTH_TOKEN_INVALID"),
            (
                token(&json!({"alg": "HS384"}), &claims(), &Signature::Hs384(key)),
                "AUTH_TOKEN_INVALID",
            ),
            (
                token(&json!({"alg": "HS512"}), &claims(), &Signature::Hs512(key)),
                "AUTH_TOKEN_INVALID",
            ),
            (
                token(&json!({"alg": "HS256"}), &claims(), &Signature::Hs512(key)),
                "AUTH_TOKEN_INVALID",
            ),
            (
                shared("another key that is long enough", &claims()),
                "AUTH_TOKEN_INVALID",
            ),
            (header("crit", json!(["exp"])), "AUTH_TOKEN_INVALID"),
            (header("crit", json!([])), "AUTH_TOKEN_INVALID"),
            (header("alg", json!("EdDSA")), "AUTH_TOKEN_INVALID"),
            (header("alg", json!("RS256")), "AUTH_TOKEN_INVALID"),
            (header("alg", json!(["HS256"])), "AUTH_TOKEN_INVALID"),
            (mixed, "AUTH_TOKEN_INVALID"),
            (format!("{head}."), "AUTH_TOKEN_INVALID"),
            (head.to_owned(), "AUTH_TOKEN_INVALID"),
            (hs256(&with("exp", json!(1_000_000_000))), "AUTH_TOKEN_EXPIRED"),
            (hs256(&with("exp", json!("never"))), "AUTH_TOKEN_INVALID"),
            (hs256(&with("nbf", json!(LATER))), "AUTH_TOKEN_INVALID"),
            (hs256(&without("exp")), "AUTH_TOKEN_INVALID"),
            (hs256(&without("sub")), "AUTH_TOKEN_INVALID"),
            (hs256(&without("email")), "AUTH_TOKEN_INVALID"),
            (hs256(&with("sub", json!("me"))), "AUTH_TOKEN_INVALID"),
            (hs256(&with("sub", json!("TASKS"))), "AUTH_TOKEN_INVALID"),
            (hs256(&with("sub", json!("."))), "AUTH_TOKEN_INVALID"),
            (hs256(&with("sub", json!(".."))), "AUTH_TOKEN_INVALID"),
            (hs256(&with("sub", json!(""))), "AUTH_TOKEN_INVALID"),
            (hs256(&with("sub", json!("a\u{0}b"))), "AUTH_TOKEN_INVALID"),
            (hs256(&with("sub", json!(7))), "AUTH_TOKEN_INVALID"),
            (
                hs256(&with("name", json!("x".repeat(9000)))),
                "AUTH_TOKEN_INVALID",
            ),
            ("x".repeat(7000), "AUTH_TOKEN_INVALID"),
            ("a.b.c".to_owned(), "AUTH_TOKEN_INVALID"),
        ] {
            let answer = ask(site, &token).await.expect(401);
            assert_eq!(answer.code(), code, "{token}");
            assert!(answer.header("www-authenticate").starts_with("Bearer"));
            assert!(!answer.text.contains(&token));
        }
        ask(site, &good).await.expect(200);
    })
    .await;
}

#[tokio::test]
async fn a_token_is_taken_from_the_header_alone() {
    on_each("003", async |site| {
        let token = site.token("usr_ada");
        let missing = site
            .send_raw(None, Method::GET, "/api/v1/me", None, &[])
            .await
            .expect(401);
        assert_eq!(missing.code(), "AUTH_TOKEN_MISSING");
        assert_eq!(missing.header("www-authenticate"), "Bearer");
        let path = format!("/api/v1/tasks?access_token={token}");
        site.send_raw(None, Method::GET, &path, None, &[])
            .await
            .expect(401);
        let basic = [("authorization", "Basic dXNyOnB3")];
        let refused = site
            .send_raw(None, Method::GET, "/api/v1/me", None, &basic)
            .await
            .expect(401);
        assert_eq!(refused.code(), "AUTH_TOKEN_INVALID");
    })
    .await;
}

#[tokio::test]
async fn an_email_address_is_never_linked_to_another_id() {
    on_each("003", async |site| {
        ask(site, &site.token("usr_ada")).await.expect(200);
        let thief = shared(
            SECRET,
            &json!({"sub": "usr_eve", "email": "usr_ada@example.org", "exp": LATER}),
        );
        for _ in 0..2 {
            assert_eq!(ask(site, &thief).await.expect(409).code(), "AUTH_EMAIL_EXISTS");
        }
        let me = ask(site, &site.token("usr_ada")).await.expect(200).json();
        assert_eq!(me["id"], "usr_ada");
        assert_eq!(me["created_at"], "2026-03-01T12:00:00Z");
    })
    .await;
}

#[tokio::test]
async fn many_first_requests_at_once_are_one_person() {
    on_each("003", async |site| {
        let token = site.token("usr_new");
        let (a, b, c, d) = tokio::join!(
            ask(site, &token),
            ask(site, &token),
            ask(site, &token),
            ask(site, &token)
        );
        for answer in [a, b, c, d] {
            answer.expect(200);
        }
    })
    .await;
}

#[tokio::test]
async fn issuer_and_audience_are_checked_when_they_are_set() {
    for database in databases().await {
        let more = ["--jwt-issuer", "https://auth.example", "--jwt-audience", "todo"];
        let site = Site::open(database, "003", &more).await;
        ask(&site, &site.token("usr_ada")).await.expect(200);
        for claims in [
            claims(),
            json!({"sub": "usr_ada", "email": "a@b", "exp": LATER, "iss": "https://auth.example"}),
            json!({"sub": "usr_ada", "email": "a@b", "exp": LATER, "iss": "https://evil.example", "aud": "todo"}),
            json!({"sub": "usr_ada", "email": "a@b", "exp": LATER, "iss": "https://auth.example", "aud": "other"}),
        ] {
            ask(&site, &shared(SECRET, &claims)).await.expect(401);
        }
        let several = json!({"sub": "usr_eve", "email": "e@b", "exp": LATER, "iss": "https://auth.example",
                             "aud": ["other", "todo"]});
        ask(&site, &shared(SECRET, &several)).await.expect(200);
        site.close().await;
    }
}

#[test]
fn production_makes_no_tokens_and_reserved_ids_get_none() {
    let make =
        |settings: &Settings, user| development_token(settings, &Clock::fixed(NOW), user, "a@example.org");
    let production = settings("sqlite::memory:", &["--environment", "production"]);
    assert!(make(&production, "usr_ada").is_err());
    assert!(make(&settings("sqlite::memory:", &[]), "me").is_err());
}
