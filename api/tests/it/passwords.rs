//! Signing in with a password: what is told, what it costs, what slows down, and that no secret gets out.

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};

use api::{Clock, Server};
use reqwest::{Client, Method};
use seaworthy::verify::ScratchDatabase;
use serde_json::{Value, json};

use crate::process::Process;
use crate::site::{Answer, NOW, PASSWORD, Site, databases, migrate, on_each, settings};

async fn login(site: &Site, email: &str, password: &str) -> Answer {
    site.post_unsigned(
        "/api/v1/auth/login",
        json!({"email": email, "password": password}),
    )
    .await
}

/// An answer without what differs in every answer.
fn lasting(answer: &Answer) -> Value {
    let mut body = answer.json();
    for member in ["instance", "request_id"] {
        body.as_object_mut().unwrap().remove(member);
    }
    body
}

#[tokio::test]
async fn an_unknown_address_gets_the_answer_and_the_work_of_a_wrong_password() {
    on_each("head", async |site| {
        site.register("ada@example.org").await;
        let cost = async |email: &str| {
            let before = site.server.password_hashes();
            let answer = login(site, email, "Wrong7password").await.expect(401);
            assert_eq!(answer.code(), "AUTH_INVALID_CREDENTIALS");
            assert_eq!(answer.header("www-authenticate"), "Bearer");
            (lasting(&answer), site.server.password_hashes() - before)
        };
        let known = cost("ada@example.org").await;
        assert_eq!(known, cost("nobody@example.org").await);
        assert_eq!(known.1, 1);
        // Somebody of an issuer has no password, which is not told either.
        site.get("usr_bob", "/api/v1/me").await.expect(200);
        assert_eq!(known, cost("usr_bob@example.org").await);
    })
    .await;
}

#[tokio::test]
async fn what_is_no_sign_in_is_refused_before_any_work() {
    on_each("head", async |site| {
        for body in [
            json!({"email": "ada@example.org"}),
            json!({"password": PASSWORD}),
            json!({"email": "a\u{0}@example.org", "password": PASSWORD}),
            json!({"email": "ada@example.org", "password": "x".repeat(1025)}),
            json!({"email": "ada@example.org", "password": ["x"]}),
            json!({"email": "ada@example.org", "password": PASSWORD, "remember": true}),
        ] {
            let refused = site.post_unsigned("/api/v1/auth/login", body).await.expect(422);
            assert_eq!(refused.code(), "VALIDATION_ERROR");
        }
        assert_eq!(site.server.password_hashes(), 0);
        // Any text may be somebody's password, even one with a NUL: it is wrong, and that is all.
        login(site, "ada@example.org", "a\u{0}b").await.expect(401);
    })
    .await;
}

#[tokio::test]
async fn guessing_is_slowed_down_and_the_right_password_gets_in_afterwards() {
    for database in databases().await {
        let now = Arc::new(AtomicI64::new(NOW));
        let site = Site::open_by(database, "head", &[], Clock::set_by(Arc::clone(&now))).await;
        site.register("ada@example.org").await;
        site.register("bob@example.org").await;
        for _ in 0..5 {
            login(&site, "ada@example.org", "Wrong7password")
                .await
                .expect(401);
        }
        let before = site.server.password_hashes();
        for (email, password) in [
            ("ada@example.org", "Wrong7password"),
            ("ADA@example.org", PASSWORD),
        ] {
            let slowed = login(&site, email, password).await.expect(429);
            assert_eq!(slowed.code(), "LOGIN_THROTTLED");
            assert_eq!(slowed.header("retry-after"), "1");
            assert_eq!(slowed.json()["retry_after"], 1);
        }
        assert_eq!(
            site.server.password_hashes(),
            before,
            "no work for whoever has to wait"
        );
        login(&site, "bob@example.org", PASSWORD).await.expect(200);
        now.store(NOW + 1, Ordering::Relaxed);
        login(&site, "ada@example.org", "Wrong7password")
            .await
            .expect(401);
        assert_eq!(
            login(&site, "ada@example.org", PASSWORD)
                .await
                .expect(429)
                .header("retry-after"),
            "2"
        );
        now.store(NOW + 3, Ordering::Relaxed);
        login(&site, "ada@example.org", PASSWORD).await.expect(200);
        login(&site, "ada@example.org", "Wrong7password")
            .await
            .expect(401);
        site.close().await;
    }
}

/// Twenty networks behind a proxy that is believed, which never stop, and the owner, who waits as they are told.
#[tokio::test]
async fn an_owner_gets_in_within_fifteen_seconds_whatever_others_try() {
    const OTHERS: u8 = 20;
    for database in databases().await {
        let now = Arc::new(AtomicI64::new(NOW));
        let proxied = ["--trusted-proxies", "127.0.0.1"];
        let site = Site::open_by(database, "head", &proxied, Clock::set_by(Arc::clone(&now))).await;
        site.register("ada@example.org").await;
        let login = async |address: String, password: &str| {
            let body = json!({"email": "ada@example.org", "password": password}).to_string();
            let forwarded = [("x-forwarded-for", address.as_str())];
            let body = Some((body, "application/json"));
            site.send_raw(None, Method::POST, "/api/v1/auth/login", body, &forwarded)
                .await
        };
        let guess = async |number: u8| {
            let answer = login(format!("192.0.2.{number}"), "Wrong7password").await;
            answer.status.as_u16() == 401
        };
        let guesses = async || {
            let all = futures_util::future::join_all((0..OTHERS).map(guess)).await;
            all.into_iter().filter(|is_looked_at| *is_looked_at).count()
        };
        let mut tried = 0;
        for _ in 0..3 {
            tried += guesses().await;
        }
        assert!(tried >= 50, "the account is under attack: {tried}");
        // From a network that the account does not know; then from one that it knows.
        for (address, most) in [("198.51.100.7", 15), ("198.51.100.7", 0)] {
            let begun = now.load(Ordering::Relaxed);
            let mut waits_until = begun;
            for second in begun..=begun + most {
                now.store(second, Ordering::Relaxed);
                guesses().await;
                if second < waits_until {
                    continue;
                }
                let answer = login(address.to_owned(), PASSWORD).await;
                match answer.status.as_u16() {
                    200 => {
                        waits_until = 0;
                        break;
                    }
                    429 => waits_until = second + answer.header("retry-after").parse::<i64>().unwrap(),
                    _ => panic!("{answer:?}"),
                }
            }
            assert_eq!(waits_until, 0, "not in after {most} seconds");
        }
        site.close().await;
    }
}

#[tokio::test]
async fn many_guesses_at_once_get_no_further_than_one_after_another() {
    on_each("head", async |site| {
        site.register("ada@example.org").await;
        let before = site.server.password_hashes();
        let guesses = (0..20).map(|_| login(site, "ada@example.org", "Wrong7password"));
        let answers = futures_util::future::join_all(guesses).await;
        let wrong = answers
            .iter()
            .filter(|answer| answer.status.as_u16() == 401)
            .count();
        assert_eq!(wrong, 5);
        assert_eq!(site.server.password_hashes() - before, 5);
    })
    .await;
}

#[tokio::test]
async fn trying_one_password_on_many_accounts_is_slowed_down_by_address() {
    on_each("head", async |site| {
        let guesses = (0..40).map(|number| async move {
            let email = format!("user{number}@example.org");
            login(site, &email, "Wrong7password").await.status.as_u16()
        });
        let statuses = futures_util::future::join_all(guesses).await;
        assert_eq!(statuses.iter().filter(|status| **status == 401).count(), 30);
        assert_eq!(statuses.iter().filter(|status| **status == 429).count(), 10);
    })
    .await;
}

#[tokio::test]
async fn another_password_ends_the_other_sign_ins() {
    on_each("head", async |site| {
        let here = site.register("ada@example.org").await;
        let there = site.login("ada@example.org").await;
        let program = json!({"name": "n", "scopes": ["account"]});
        let program = site
            .with_token(&here, Method::POST, "/api/v1/me/tokens", Some(program))
            .await
            .expect(201);
        let program = program.json()["token"].as_str().unwrap().to_owned();
        let change = async |token: &str, current: &str, new: &str| {
            let body = json!({"current_password": current, "new_password": new});
            site.with_token(token, Method::POST, "/api/v1/me/password", Some(body))
                .await
        };
        assert_eq!(
            change(&here, "Wrong7password", "Sturdier8hull")
                .await
                .expect(401)
                .code(),
            "AUTH_INVALID_CREDENTIALS"
        );
        let weak = change(&here, PASSWORD, "password").await.expect(422);
        assert_eq!(weak.code(), "AUTH_INVALID_PASSWORD");
        assert_eq!(weak.json()["errors"][0]["pointer"], "/new_password");
        assert_eq!(
            change(&program, PASSWORD, "Sturdier8hull")
                .await
                .expect(403)
                .code(),
            "FORBIDDEN"
        );
        change(&here, PASSWORD, "Sturdier8hull").await.expect(204);
        let me = async |token: &str| {
            site.with_token(token, Method::GET, "/api/v1/me", None)
                .await
                .status
                .as_u16()
        };
        assert_eq!(
            (me(&here).await, me(&there).await, me(&program).await),
            (200, 401, 200)
        );
        login(site, "ada@example.org", PASSWORD).await.expect(401);
        login(site, "ada@example.org", "Sturdier8hull").await.expect(200);
        // Whoever comes with tokens of an issuer has none to change.
        let body = json!({"current_password": PASSWORD, "new_password": "Sturdier8hull"});
        let none = site
            .post("usr_bob", "/api/v1/me/password", body)
            .await
            .expect(409);
        assert_eq!(none.code(), "AUTH_NO_PASSWORD");
        // A stolen token does not help guessing either.
        for _ in 0..5 {
            change(&here, "Wrong7password", "Sturdier9hull").await.expect(401);
        }
        assert_eq!(
            change(&here, "Sturdier8hull", "Sturdier9hull")
                .await
                .expect(429)
                .code(),
            "LOGIN_THROTTLED"
        );
    })
    .await;
}

#[tokio::test]
async fn no_sign_in_with_the_old_password_outlives_its_change() {
    on_each("head", async |site| {
        const NEW: &str = "Sturdier8hull";
        for round in 0..4 {
            let email = format!("ada{round}@example.org");
            let here = site.register(&email).await;
            let body = json!({"current_password": PASSWORD, "new_password": NEW});
            let change = site.with_token(&here, Method::POST, "/api/v1/me/password", Some(body));
            // The last ones are compared when the new password counts already. More at once would be too many guesses.
            let logins = (0..4).map(|_| login(site, &email, PASSWORD));
            let (changed, logins) = futures_util::join!(change, futures_util::future::join_all(logins));
            changed.expect(204);
            for answer in logins {
                if answer.status.as_u16() == 200 {
                    let token = answer.json()["token"].as_str().unwrap().to_owned();
                    site.with_token(&token, Method::GET, "/api/v1/me", None)
                        .await
                        .expect(401);
                } else {
                    answer.expect(401);
                }
            }
            login(site, &email, NEW).await.expect(200);
        }
    })
    .await;
}

async fn kept_hash(database: &ScratchDatabase) -> String {
    use seaworthy::session::{Access, Session};
    let session = Session::open(database.url(), &Default::default(), Access::Read)
        .await
        .unwrap();
    let rows = session
        .rows("SELECT password_hash FROM password_credentials")
        .await
        .unwrap();
    let hash = rows[0].try_get("", "password_hash").unwrap();
    session.close().await;
    hash
}

#[tokio::test]
async fn a_hash_of_less_work_is_made_anew_at_the_next_sign_in() {
    for database in databases().await {
        let site = Site::open(database, "head", &[]).await;
        site.register("ada@example.org").await;
        assert!(
            kept_hash(&site.database)
                .await
                .starts_with("$argon2id$v=19$m=19456,t=2,p=1$")
        );
        let settings = settings(site.database.address(), &["--password-iterations", "3"]);
        let stronger = Server::start(&settings, Clock::fixed(NOW)).await.unwrap();
        for wanted in [2, 1] {
            let before = stronger.password_hashes();
            let answer = Client::new()
                .post(format!("http://{}/api/v1/auth/login", stronger.address()))
                .header("content-type", "application/json")
                .body(json!({"email": "ada@example.org", "password": PASSWORD}).to_string())
                .send()
                .await
                .unwrap();
            assert_eq!(answer.status().as_u16(), 200);
            assert_eq!(stronger.password_hashes() - before, wanted);
            assert!(
                kept_hash(&site.database)
                    .await
                    .starts_with("$argon2id$v=19$m=19456,t=3,p=1$")
            );
        }
        stronger.stop().await.unwrap();
        site.close().await;
    }
}

#[tokio::test]
async fn no_secret_is_in_the_log_however_much_is_logged() {
    let database = ScratchDatabase::sqlite(&std::env::temp_dir()).unwrap();
    migrate(&database, "head").await;
    let process = Process::start(&database, &["--log-level", "trace"]);
    let address = &process.address;
    let client = Client::new();
    let send = async |method: Method, path: &str, token: &str, body: Value| {
        let request = client
            .request(method, format!("http://{address}{path}"))
            .header("content-type", "application/json")
            .bearer_auth(token)
            .body(body.to_string());
        request.send().await.unwrap().text().await.unwrap()
    };
    let body = json!({"email": "ada@example.org", "password": PASSWORD});
    let made = send(Method::POST, "/api/v1/auth/register", "none", body.clone()).await;
    let token = serde_json::from_str::<Value>(&made).unwrap()["token"]
        .as_str()
        .unwrap()
        .to_owned();
    let wrong = json!({"email": "ada@example.org", "password": "Wrong7password"});
    send(Method::POST, "/api/v1/auth/login", "none", wrong).await;
    send(Method::POST, "/api/v1/auth/login", "none", body).await;
    let scopes = json!({"name": "n", "scopes": ["tasks:read"]});
    let program = send(Method::POST, "/api/v1/me/tokens", &token, scopes).await;
    let program = serde_json::from_str::<Value>(&program).unwrap()["token"]
        .as_str()
        .unwrap()
        .to_owned();
    send(Method::GET, "/api/v1/tasks", &program, json!({})).await;
    let change = json!({"current_password": PASSWORD, "new_password": "Sturdier8hull"});
    send(Method::POST, "/api/v1/me/password", &token, change).await;
    send(Method::GET, "/api/v1/tasks", &token[..token.len() - 2], json!({})).await;
    let log = process.kill();
    assert!(log.contains("/api/v1/auth/login"), "{log}");
    let hash = kept_hash(&database).await;
    let signature = token.rsplit_once('.').unwrap().1;
    for secret in [
        PASSWORD,
        "Wrong7password",
        "Sturdier8hull",
        &token[..40],
        signature,
        &program[..20],
        &hash,
        "$argon2id",
        crate::site::SECRET,
    ] {
        assert!(!log.contains(secret), "{secret} is in the log");
    }
    database.remove().await.unwrap();
}
