//! Signing up: whom the service takes, and what it says to whom it does not.

use std::io::Write;
use std::process::{Command, Stdio};

use api::Clock;
use reqwest::Method;
use serde_json::{Value, json};

use crate::forge::shared;
use crate::site::{Answer, NOW, PASSWORD, SECRET, Site, databases, on_each};

async fn register(site: &Site, body: Value) -> Answer {
    site.post_unsigned("/api/v1/auth/register", body).await
}

async fn count(site: &Site, table: &str) -> i64 {
    use seaworthy::session::{Access, Session};
    let session = Session::open(site.database.url(), &Default::default(), Access::Read)
        .await
        .unwrap();
    let rows = session
        .rows(&format!("SELECT count(*) AS n FROM {table}"))
        .await
        .unwrap();
    let count = rows[0].try_get("", "n").unwrap();
    session.close().await;
    count
}

#[tokio::test]
async fn an_account_is_made_and_its_token_is_good() {
    on_each("head", async |site| {
        let body = json!({"email": "Ada@Example.org", "password": PASSWORD, "name": " Ada "});
        let made = register(site, body).await.expect(201);
        assert_eq!(made.header("cache-control"), "no-store");
        let made = made.json();
        let mut members: Vec<&String> = made.as_object().unwrap().keys().collect();
        members.sort();
        let wanted = [
            "created_at",
            "email",
            "name",
            "token",
            "token_expires_at",
            "user_id",
        ];
        assert_eq!(members, wanted);
        assert_eq!(made["email"], "Ada@Example.org");
        assert_eq!(made["name"], "Ada");
        assert_eq!(made["created_at"], "2026-03-01T12:00:00Z");
        assert_eq!(made["token_expires_at"], "2026-03-08T12:00:00Z");
        let id = made["user_id"].as_str().unwrap();
        assert!(id.starts_with("usr_") && id.len() == 30, "{id}");
        let token = made["token"].as_str().unwrap();
        let me = site
            .with_token(token, Method::GET, "/api/v1/me", None)
            .await
            .expect(200)
            .json();
        assert_eq!(me["id"], *id);
        assert_eq!(me["email"], "Ada@Example.org");
        let body = json!({"email": "ada@EXAMPLE.org", "password": PASSWORD});
        let signed_in = site.post_unsigned("/api/v1/auth/login", body).await.expect(200);
        assert_eq!(signed_in.header("cache-control"), "no-store");
        let signed_in = signed_in.json();
        assert_eq!(signed_in.as_object().unwrap().len(), 5);
        assert_eq!(signed_in["user_id"], *id);
        assert_ne!(signed_in["token"], made["token"]);
    })
    .await;
}

#[tokio::test]
async fn an_answer_with_a_secret_is_not_compressed() {
    on_each("head", async |site| {
        let body =
            json!({"email": "ada@example.org", "password": PASSWORD, "name": "a".repeat(255)}).to_string();
        let packed = [("accept-encoding", "gzip")];
        let body = Some((body, "application/json"));
        let made = site
            .send_raw(None, Method::POST, "/api/v1/auth/register", body, &packed)
            .await
            .expect(201);
        assert_eq!(made.header("content-encoding"), "");
        let token = made.json()["token"].as_str().unwrap().to_owned();
        let url = site.url("/api/v1/me");
        let request = reqwest::Client::new()
            .get(url)
            .bearer_auth(&token)
            .header("accept-encoding", "gzip");
        let me = request.send().await.unwrap();
        assert_eq!(me.headers()["content-encoding"], "gzip", "others are");
    })
    .await;
}

#[tokio::test]
async fn what_is_wrong_with_a_registration_is_named() {
    on_each("head", async |site| {
        let long = format!("aB1{}", "x".repeat(126));
        for (body, pointer, code) in [
            (json!({"password": PASSWORD}), "/email", "VALIDATION_ERROR"),
            (
                json!({"email": "a@b.example"}),
                "/password",
                "AUTH_INVALID_PASSWORD",
            ),
            (
                json!({"email": "nobody", "password": PASSWORD}),
                "/email",
                "VALIDATION_ERROR",
            ),
            (
                json!({"email": "a\u{0}@b.example", "password": PASSWORD}),
                "/email",
                "VALIDATION_ERROR",
            ),
            (
                json!({"email": "a@b.example\r\nBcc: c", "password": PASSWORD}),
                "/email",
                "VALIDATION_ERROR",
            ),
            (
                json!({"email": 7, "password": PASSWORD}),
                "/email",
                "VALIDATION_ERROR",
            ),
            (
                json!({"email": "a@b.example", "password": "Short7x"}),
                "/password",
                "AUTH_INVALID_PASSWORD",
            ),
            (
                json!({"email": "a@b.example", "password": "nouppercase7"}),
                "/password",
                "AUTH_INVALID_PASSWORD",
            ),
            (
                json!({"email": "a@b.example", "password": "Password123"}),
                "/password",
                "AUTH_INVALID_PASSWORD",
            ),
            (
                json!({"email": "a@b.example", "password": "Sturdy7\u{0}hull"}),
                "/password",
                "AUTH_INVALID_PASSWORD",
            ),
            (
                json!({"email": "a@b.example", "password": long}),
                "/password",
                "AUTH_INVALID_PASSWORD",
            ),
            (
                json!({"email": "a@b.example", "password": 12_345_678}),
                "/password",
                "AUTH_INVALID_PASSWORD",
            ),
            (
                json!({"email": "a@b.example", "password": PASSWORD, "name": "a\u{7}b"}),
                "/name",
                "VALIDATION_ERROR",
            ),
            (
                json!({"email": "a@b.example", "password": PASSWORD, "name": "x".repeat(256)}),
                "/name",
                "VALIDATION_ERROR",
            ),
        ] {
            let refused = register(site, body.clone()).await.expect(422);
            assert_eq!(refused.code(), code, "{body}");
            assert_eq!(refused.json()["errors"][0]["pointer"], pointer, "{body}");
            assert!(!refused.text.contains(PASSWORD) && !refused.text.contains("Password123"));
        }
        assert_eq!(count(site, "users").await, 0);
        assert_eq!(site.server.password_hashes(), 0, "nothing was hashed in vain");
    })
    .await;
}

#[tokio::test]
async fn long_and_foreign_passwords_work() {
    on_each("head", async |site| {
        let longest = format!("aB1{}", "ß".repeat(125));
        for (number, password) in [longest, "Пароль7и море".to_owned(), "Aa1 😀 😀 😀".to_owned()]
            .into_iter()
            .enumerate()
        {
            let email = format!("user{number}@example.org");
            let body = json!({"email": email, "password": password});
            register(site, body.clone()).await.expect(201);
            site.post_unsigned("/api/v1/auth/login", body).await.expect(200);
        }
    })
    .await;
}

#[tokio::test]
async fn members_that_are_the_servers_to_set_are_refused() {
    on_each("head", async |site| {
        for member in [
            "id",
            "user_id",
            "created_at",
            "scopes",
            "role",
            "is_admin",
            "password_hash",
            "sid",
        ] {
            let mut body = json!({"email": "a@b.example", "password": PASSWORD});
            body[member] = json!("usr_root");
            let refused = register(site, body).await.expect(422);
            assert_eq!(refused.json()["errors"][0]["pointer"], format!("/{member}"));
        }
        assert_eq!(count(site, "users").await, 0);
    })
    .await;
}

#[tokio::test]
async fn an_address_is_taken_once_in_any_case_before_and_after_the_index() {
    for revision in ["a3c1f0d27b64", "5e9b84d0c2f7"] {
        on_each(revision, async |site| {
            site.register("ada@example.org").await;
            // Known here by the token of an issuer, in another case than they then sign up with.
            let claims = json!({"sub": "ext_1", "email": "Bob@Example.org", "exp": NOW + 600});
            let external = shared(SECRET, &claims);
            site.with_token(&external, Method::GET, "/api/v1/me", None)
                .await
                .expect(200);
            for email in ["ada@example.org", "ADA@example.ORG", "bob@example.org"] {
                let refused = register(site, json!({"email": email, "password": PASSWORD}))
                    .await
                    .expect(409);
                assert_eq!(refused.code(), "AUTH_EMAIL_EXISTS");
            }
            // Nor does an issuer's token take a local account over.
            let claims = json!({"sub": "ext_2", "email": "ADA@EXAMPLE.ORG", "exp": NOW + 600});
            let thief = shared(SECRET, &claims);
            let refused = site
                .with_token(&thief, Method::GET, "/api/v1/me", None)
                .await
                .expect(409);
            assert_eq!(refused.code(), "AUTH_EMAIL_EXISTS");
            assert_eq!(count(site, "users").await, 2);
            site.login("Ada@example.org").await;
        })
        .await;
    }
}

#[tokio::test]
async fn many_registrations_at_once_make_one_account() {
    for revision in ["a3c1f0d27b64", "5e9b84d0c2f7"] {
        on_each(revision, async |site| {
            let ask = |email| register(site, json!({"email": email, "password": PASSWORD}));
            let (a, b, c, d) = tokio::join!(
                ask("x@y.example"),
                ask("X@y.example"),
                ask("x@Y.example"),
                ask("X@Y.example")
            );
            let mut statuses = [a, b, c, d].map(|answer| answer.status.as_u16());
            statuses.sort_unstable();
            assert_eq!(statuses, [201, 409, 409, 409]);
            assert_eq!(count(site, "users").await, 1);
        })
        .await;
    }
}

#[tokio::test]
async fn rows_that_were_doubled_before_the_index_do_not_keep_the_owner_out() {
    on_each("a3c1f0d27b64", async |site| {
        let claims = json!({"sub": "ext_1", "email": "other@example.org", "exp": NOW + 600});
        site.with_token(&shared(SECRET, &claims), Method::GET, "/api/v1/me", None)
            .await
            .expect(200);
        let token = site.register("ada@example.org").await;
        site.sql("UPDATE users SET email = 'ADA@example.org' WHERE id = 'ext_1'")
            .await;
        let again = site.login("ada@example.org").await;
        let me = async |token: &str| {
            site.with_token(token, Method::GET, "/api/v1/me", None)
                .await
                .expect(200)
                .json()
        };
        assert_eq!(me(&token).await["id"], me(&again).await["id"]);
    })
    .await;
}

#[tokio::test]
async fn the_caller_is_renamed_and_nothing_else_of_them_changes() {
    on_each("head", async |site| {
        let token = site.register("ada@example.org").await;
        let patch = async |body| {
            site.with_token(&token, Method::PATCH, "/api/v1/me", Some(body))
                .await
        };
        assert_eq!(
            patch(json!({"name": "Ada L."})).await.expect(200).json()["name"],
            "Ada L."
        );
        assert_eq!(patch(json!({})).await.expect(200).json()["name"], "Ada L.");
        assert_eq!(
            patch(json!({"name": null})).await.expect(200).json()["name"],
            Value::Null
        );
        for body in [
            json!({"email": "b@c.example"}),
            json!({"id": "usr_x"}),
            json!({"name": ""}),
            json!({"name": 1}),
        ] {
            patch(body).await.expect(422);
        }
    })
    .await;
}

/// On the system's clock, which tells microseconds.
#[tokio::test]
async fn what_an_account_is_told_of_moments_has_whole_seconds() {
    for database in databases().await {
        let site = Site::open_by(database, "head", &[], Clock::system()).await;
        let body = json!({"email": "ada@example.org", "password": PASSWORD});
        let made = site
            .post_unsigned("/api/v1/auth/register", body.clone())
            .await
            .expect(201)
            .json();
        let signed_in = site
            .post_unsigned("/api/v1/auth/login", body)
            .await
            .expect(200)
            .json();
        for moment in [
            &made["created_at"],
            &made["token_expires_at"],
            &signed_in["token_expires_at"],
        ] {
            let text = moment.as_str().unwrap();
            assert!(
                text.len() == 20 && text.ends_with('Z') && !text.contains('.'),
                "{text}"
            );
        }
        site.close().await;
    }
}

/// An operator's command; returns whether it succeeded, and what it said.
fn reset(site: &Site, email: &str, password: &str) -> (bool, String) {
    let mut child = Command::new(env!("CARGO_BIN_EXE_api"))
        .args(["password", "--email", email])
        .args(["--database-url", site.database.address()])
        .args(["--better-auth-secret", SECRET])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let mut input = child.stdin.take().unwrap();
    writeln!(input, "{password}").unwrap();
    drop(input);
    let output = child.wait_with_output().unwrap();
    let said = [output.stdout, output.stderr].concat();
    (output.status.success(), String::from_utf8(said).unwrap())
}

#[tokio::test]
async fn an_operator_gives_a_password_to_whom_a_downgrade_has_taken_it() {
    on_each("head", async |site| {
        let token = site.register("ada@example.org").await;
        let kept = json!({"title": "kept"});
        site.with_token(&token, Method::POST, "/api/v1/tasks", Some(kept))
            .await
            .expect(201);
        // What a way down and up again leaves: the person and their tasks.
        site.sql("DELETE FROM sessions").await;
        site.sql("DELETE FROM password_credentials").await;
        let sign_in = async |password: &str| {
            let body = json!({"email": "ADA@example.org", "password": password});
            site.post_unsigned("/api/v1/auth/login", body).await
        };
        sign_in(PASSWORD).await.expect(401);
        let (is_done, said) = reset(site, "Ada@example.org", "Calm4harbor");
        assert!(is_done && !said.contains("Calm4harbor"), "{said}");
        let token = sign_in("Calm4harbor").await.expect(200).json()["token"].clone();
        let token = token.as_str().unwrap();
        let tasks = site.with_token(token, Method::GET, "/api/v1/tasks", None).await;
        assert_eq!(tasks.expect(200).json()["data"][0]["title"], "kept");
        // One who has a password gets another, and is signed in nowhere.
        assert!(reset(site, "ada@example.org", "Stern5lantern").0);
        sign_in("Calm4harbor").await.expect(401);
        sign_in("Stern5lantern").await.expect(200);
        assert_eq!(count(site, "sessions").await, 1);
        let (is_done, said) = reset(site, "eve@example.org", "Calm4harbor");
        assert!(
            !is_done && said.contains("nobody has the e-mail address eve@example.org"),
            "{said}"
        );
        let (is_done, said) = reset(site, "ada@example.org", "short");
        assert!(!is_done && said.contains("at least 8 characters"), "{said}");
        sign_in("Stern5lantern").await.expect(200);
    })
    .await;
}

#[tokio::test]
async fn whoever_leaves_takes_everything_along() {
    on_each("head", async |site| {
        let token = site.register("ada@example.org").await;
        let other = site.register("bob@example.org").await;
        let send = async |token: &str, method, path: &str, body| {
            let answer = site.with_token(token, method, path, body).await;
            assert!(answer.status.is_success(), "{}", answer.text);
            answer
        };
        for token in [&token, &other] {
            let task = json!({"title": "t", "tags": ["shared"]});
            send(token, Method::POST, "/api/v1/tasks", Some(task)).await;
            let made = send(token, Method::POST, "/api/v1/conversations", None).await;
            let messages = format!("{}/messages", made.header("location"));
            send(token, Method::POST, &messages, Some(json!({"content": "hello"}))).await;
            let program = json!({"name": "n", "scopes": ["chat"]});
            send(token, Method::POST, "/api/v1/me/tokens", Some(program)).await;
        }
        let stale = [("if-match", "\"9f86d081884c7d659a2feaa0c55ad015\"")];
        site.send_raw(Some(&token), Method::DELETE, "/api/v1/me", None, &stale)
            .await
            .expect(412);
        send(&token, Method::DELETE, "/api/v1/me", None).await;
        for table in [
            "users",
            "tasks",
            "task_tags",
            "conversations",
            "messages",
            "sessions",
            "api_tokens",
            "password_credentials",
        ] {
            assert_eq!(count(site, table).await, 1, "{table}");
        }
        site.with_token(&token, Method::GET, "/api/v1/me", None)
            .await
            .expect(401);
        send(&other, Method::GET, "/api/v1/tasks/2", None).await;
        site.register("ada@example.org").await;
    })
    .await;
}
