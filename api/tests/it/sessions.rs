//! Sign-ins: how long they and their tokens last, and how they end.

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};

use api::{Clock, Server};
use reqwest::{Client, Method};
use serde_json::{Value, json};

use crate::forge::shared;
use crate::site::{Answer, NOW, SECRET, Site, databases, on_each};

const DAY: i64 = 24 * 60 * 60;

/// Runs a test on a service whose clock it may set.
async fn with_clock(test: impl AsyncFn(&Site, &AtomicI64)) {
    for database in databases().await {
        let now = Arc::new(AtomicI64::new(NOW));
        let site = Site::open_by(database, "head", &[], Clock::set_by(Arc::clone(&now))).await;
        test(&site, &now).await;
        site.close().await;
    }
}

async fn me(site: &Site, token: &str) -> Answer {
    site.with_token(token, Method::GET, "/api/v1/me", None).await
}

async fn refresh(site: &Site, token: &str) -> Answer {
    site.with_token(token, Method::POST, "/api/v1/auth/refresh", None)
        .await
}

fn token_of(answer: &Answer) -> String {
    answer.json()["token"].as_str().unwrap().to_owned()
}

#[tokio::test]
async fn signing_out_ends_one_sign_in_at_once() {
    on_each("head", async |site| {
        let one = site.register("ada@example.org").await;
        let other = site.login("ada@example.org").await;
        let renewed = token_of(&refresh(site, &one).await.expect(200));
        for token in [&one, &other, &renewed] {
            me(site, token).await.expect(200);
        }
        site.with_token(&one, Method::POST, "/api/v1/auth/logout", None)
            .await
            .expect(204);
        for token in [&one, &renewed] {
            assert_eq!(me(site, token).await.expect(401).code(), "AUTH_TOKEN_INVALID");
        }
        me(site, &other).await.expect(200);
        site.with_token(&one, Method::POST, "/api/v1/auth/logout", None)
            .await
            .expect(401);
    })
    .await;
}

#[tokio::test]
async fn a_token_is_renewed_while_its_sign_in_lasts_and_no_longer() {
    with_clock(async |site, now| {
        let first = site.register("ada@example.org").await;
        let mut token = first.clone();
        now.store(NOW + 6 * DAY, Ordering::Relaxed);
        for day in [6, 12, 18, 24, 29] {
            now.store(NOW + day * DAY, Ordering::Relaxed);
            let renewed = refresh(site, &token).await.expect(200);
            assert_eq!(renewed.header("cache-control"), "no-store");
            let end = (NOW + 30 * DAY).min(NOW + (day + 7) * DAY);
            let shown = chrono::DateTime::from_timestamp(end, 0).unwrap();
            let shown = shown.to_rfc3339_opts(chrono::SecondsFormat::AutoSi, true);
            assert_eq!(renewed.json()["token_expires_at"], shown, "day {day}");
            token = token_of(&renewed);
        }
        assert_eq!(me(site, &first).await.expect(401).code(), "AUTH_TOKEN_EXPIRED");
        me(site, &token).await.expect(200);
        now.store(NOW + 30 * DAY + 61, Ordering::Relaxed);
        assert_eq!(me(site, &token).await.expect(401).code(), "AUTH_TOKEN_EXPIRED");
        assert_eq!(
            refresh(site, &token).await.expect(401).code(),
            "AUTH_TOKEN_EXPIRED"
        );
    })
    .await;
}

#[tokio::test]
async fn a_sign_in_that_ends_elsewhere_is_believed_for_five_seconds_at_most() {
    with_clock(async |site, now| {
        let token = site.register("ada@example.org").await;
        let replica = Server::start(&site.settings, Clock::fixed(NOW)).await.unwrap();
        me(site, &token).await.expect(200);
        let ended = Client::new()
            .post(format!("http://{}/api/v1/auth/logout", replica.address()))
            .bearer_auth(&token)
            .send()
            .await
            .unwrap();
        assert_eq!(ended.status().as_u16(), 204);
        now.store(NOW + 4, Ordering::Relaxed);
        me(site, &token).await.expect(200);
        now.store(NOW + 5, Ordering::Relaxed);
        me(site, &token).await.expect(401);
        replica.stop().await.unwrap();
    })
    .await;
}

#[tokio::test]
async fn a_sign_in_is_looked_up_once_in_a_while_and_not_per_request() {
    on_each("head", async |site| {
        let token = site.register("ada@example.org").await;
        me(site, &token).await.expect(200);
        let least = site
            .least_statements(async |_| {
                me(site, &token).await.expect(200);
            })
            .await;
        assert_eq!(least, 1);
    })
    .await;
}

#[tokio::test]
async fn a_person_sees_and_ends_their_own_sign_ins_alone() {
    on_each("head", async |site| {
        let here = site.register("ada@example.org").await;
        let there = site.login("ada@example.org").await;
        let stranger = site.register("eve@example.org").await;
        let list = async |token: &str| {
            let page = site
                .with_token(token, Method::GET, "/api/v1/me/sessions", None)
                .await
                .expect(200);
            page.json()["data"].as_array().unwrap().clone()
        };
        let own = list(&here).await;
        assert_eq!(own.len(), 2);
        let is_current = |session: &&Value| session["current"] == true;
        assert_eq!(own.iter().filter(is_current).count(), 1);
        assert_eq!(own[0]["expires_at"], "2026-03-31T12:00:00Z");
        let other = own.iter().find(|session| session["current"] == false).unwrap();
        let path = format!("/api/v1/me/sessions/{}", other["id"].as_str().unwrap());
        let headers = [("x-request-id", "same")];
        let end = async |token: &str, path: &str| {
            site.send_raw(Some(token), Method::DELETE, path, None, &headers)
                .await
        };
        let foreign = end(&stranger, &path).await.expect(404);
        let missing = end(&stranger, "/api/v1/me/sessions/ses_00000000000000000000000000")
            .await
            .expect(404);
        assert_eq!(foreign.text, missing.text);
        assert_eq!(foreign.code(), "SESSION_NOT_FOUND");
        me(site, &there).await.expect(200);
        end(&here, &path).await.expect(204);
        me(site, &there).await.expect(401);
        end(&here, &path).await.expect(404);
        assert_eq!(list(&here).await.len(), 1);
        assert_eq!(list(&stranger).await.len(), 1);
    })
    .await;
}

#[tokio::test]
async fn tokens_that_claim_a_sign_in_that_is_not_theirs_are_refused() {
    on_each("head", async |site| {
        let token = site.register("ada@example.org").await;
        let me_body = me(site, &token).await.expect(200).json();
        let sessions = site.with_token(&token, Method::GET, "/api/v1/me/sessions", None).await.json();
        let sid = sessions["data"][0]["id"].clone();
        let claims = |sub: &Value, sid: &Value| json!({"sub": sub, "email": "ada@example.org", "exp": NOW + 600, "sid": sid});
        me(site, &shared(SECRET, &claims(&me_body["id"], &sid))).await.expect(200);
        let unknown = json!("ses_00000000000000000000000000");
        for forged in [claims(&json!("usr_eve"), &sid), claims(&me_body["id"], &unknown)] {
            assert_eq!(me(site, &shared(SECRET, &forged)).await.expect(401).code(), "AUTH_TOKEN_INVALID");
        }
        // Without a sign-in there is nothing to end or to renew.
        for path in ["/api/v1/auth/logout", "/api/v1/auth/refresh"] {
            let refused = site.send("usr_bob", Method::POST, path, None).await.expect(403);
            assert_eq!(refused.code(), "FORBIDDEN");
        }
    })
    .await;
}

#[tokio::test]
async fn the_token_of_somebody_who_was_removed_makes_nobody_known_again() {
    with_clock(async |site, now| {
        let token = site.register("ada@example.org").await;
        me(site, &token).await.expect(200);
        site.sql("DELETE FROM users").await;
        // Still believed, but there is nobody to have a task.
        let body = Some(json!({"title": "t"}));
        let refused = site.with_token(&token, Method::POST, "/api/v1/tasks", body).await;
        assert_eq!(refused.expect(401).code(), "AUTH_TOKEN_INVALID");
        now.store(NOW + 5, Ordering::Relaxed);
        assert_eq!(me(site, &token).await.expect(401).code(), "AUTH_TOKEN_INVALID");
    })
    .await;
}

#[tokio::test]
async fn leaving_needs_a_sign_in_of_the_last_minutes() {
    with_clock(async |site, now| {
        let token = site.register("ada@example.org").await;
        now.store(NOW + 601, Ordering::Relaxed);
        let leave = async |token: &str| site.with_token(token, Method::DELETE, "/api/v1/me", None).await;
        assert_eq!(leave(&token).await.expect(403).code(), "AUTH_SIGN_IN_TOO_OLD");
        // A renewed token is no new sign-in.
        let renewed = token_of(&refresh(site, &token).await.expect(200));
        assert_eq!(leave(&renewed).await.expect(403).code(), "AUTH_SIGN_IN_TOO_OLD");
        let claims = json!({"sub": "ext_1", "email": "e@x.example", "exp": NOW + DAY, "iat": NOW});
        assert_eq!(
            leave(&shared(SECRET, &claims)).await.expect(403).code(),
            "AUTH_SIGN_IN_TOO_OLD"
        );
        leave(&site.login("ada@example.org").await).await.expect(204);
    })
    .await;
}

#[tokio::test]
async fn the_oldest_of_too_many_sign_ins_ends_and_those_that_are_over_go() {
    with_clock(async |site, now| {
        let first = site.register("ada@example.org").await;
        let rows = (0..100).map(|number| {
            format!(
                "INSERT INTO sessions (id, user_id, created_at, refreshed_at, expires_at) \
                 SELECT 'ses_{number:026}', user_id, '2026-03-01T12:00:01+00:00', refreshed_at, expires_at FROM sessions \
                 ORDER BY created_at LIMIT 1;"
            )
        });
        site.sql(&rows.collect::<String>()).await;
        now.store(NOW + 10, Ordering::Relaxed);
        let token = site.login("ada@example.org").await;
        me(site, &first).await.expect(401);
        let count = async |token: &str| {
            let page = site.with_token(token, Method::GET, "/api/v1/me/sessions", None).await;
            page.expect(200).json()["data"].as_array().unwrap().len()
        };
        assert_eq!(count(&token).await, 100);
        now.store(NOW + 31 * DAY, Ordering::Relaxed);
        let token = site.login("ada@example.org").await;
        assert_eq!(count(&token).await, 1);
    })
    .await;
}
