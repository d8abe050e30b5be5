//! What whoever runs the service relies on: health, headers, limits, time zones, stopping in good order.

use std::fs::{self, Permissions};
use std::os::unix::fs::PermissionsExt;
use std::os::unix::process::CommandExt;
use std::path::Path;
use std::process::Command;
use std::time::Duration;

use api::{Clock, Server};
use reqwest::Method;
use seaworthy::session::{Access, Session, Settings};
use serde_json::{Value, json};

use crate::process::Process;
use crate::site::{NOW, Site, databases, migrate, on_each, settings};

#[tokio::test]
async fn the_service_says_how_it_is_without_a_token() {
    on_each("003", async |site| {
        let ask = async |path: &str| {
            site.send_raw(None, Method::GET, path, None, &[])
                .await
                .expect(200)
                .json()
        };
        assert_eq!(ask("/livez").await, json!({"status": "alive"}));
        assert_eq!(
            ask("/readyz").await,
            json!({"status": "ready", "revision": "003"})
        );
        let version = env!("CARGO_PKG_VERSION");
        assert_eq!(
            ask("/health").await,
            json!({"status": "healthy", "environment": "development", "version": version})
        );
        assert_eq!(
            ask("/version").await,
            json!({"name": "todo-api", "version": version})
        );
        let codes = ask("/errors").await;
        for row in codes["data"].as_array().unwrap() {
            let page = site
                .send_raw(None, Method::GET, row["type"].as_str().unwrap(), None, &[])
                .await
                .expect(200);
            assert!(page.text.starts_with(row["code"].as_str().unwrap()));
        }
    })
    .await;
}

#[tokio::test]
async fn what_can_go_wrong_is_a_page_for_browsers_and_is_found_under_its_old_names() {
    on_each("003", async |site| {
        let ask = async |path: &str, accept: &str| {
            let answer = site
                .send_raw(None, Method::GET, path, None, &[("accept", accept)])
                .await
                .expect(200);
            assert!(answer.varies_by("accept"), "{path}");
            answer
        };
        let browser = "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8";
        let list = ask("/errors", browser).await;
        assert_eq!(list.header("content-type"), "text/html; charset=utf-8");
        let all = ask("/errors", "*/*").await;
        for row in all.json()["data"].as_array().unwrap() {
            let link = format!("href=\"{}\"", row["type"].as_str().unwrap());
            assert!(list.text.contains(&link), "{link}");
        }
        let page = ask("/errors/TASK_INVALID_TITLE", browser).await;
        assert!(page.text.contains("<h1>TASK_TITLE_INVALID</h1>"));
        assert!(page.text.contains("Once called <code>TASK_INVALID_TITLE</code>"));
        assert!(page.text.contains("href=\"/errors\""));
        let text = ask("/errors/AUTH_UNAUTHORIZED", "text/plain").await;
        assert!(text.text.starts_with("AUTH_TOKEN_MISSING\n"));
    })
    .await;
}

#[tokio::test]
async fn every_answer_carries_its_id_and_the_headers_that_protect() {
    on_each("003", async |site| {
        for (path, status) in [
            ("/api/v1/me", 200),
            ("/api/v1/tasks/9", 404),
            ("/livez", 200),
            ("/no", 404),
        ] {
            let answer = site.get("usr_ada", path).await.expect(status);
            assert_eq!(answer.header("x-request-id").len(), 32);
            assert_eq!(answer.header("schema-revision"), "003");
            assert_eq!(answer.header("x-content-type-options"), "nosniff");
            assert_eq!(answer.header("referrer-policy"), "no-referrer");
            assert!(
                answer
                    .header("content-security-policy")
                    .contains("default-src 'none'")
            );
            let caching = if path.starts_with("/api") {
                "private, no-cache"
            } else {
                "no-cache"
            };
            assert_eq!(answer.header("cache-control"), caching);
        }
        let taken = site
            .send_with(
                "usr_ada",
                Method::GET,
                "/no",
                None,
                &[("x-request-id", "a-1.b_2")],
            )
            .await;
        assert_eq!(taken.header("x-request-id"), "a-1.b_2");
        assert_eq!(taken.json()["instance"], "urn:request:a-1.b_2");
        let refused = site
            .send_with("usr_ada", Method::GET, "/no", None, &[("x-request-id", "a b\"c")])
            .await;
        assert_eq!(refused.header("x-request-id").len(), 32);
    })
    .await;
}

#[tokio::test]
async fn other_origins_are_allowed_by_name_only() {
    for database in databases().await {
        let site = Site::open(database, "003", &["--cors-origins", "https://todo.example"]).await;
        for (origin, allowed) in [
            ("https://todo.example", "https://todo.example"),
            ("https://evil.example", ""),
        ] {
            let headers = [("origin", origin)];
            let answer = site
                .send_with("usr_ada", Method::GET, "/api/v1/me", None, &headers)
                .await;
            assert_eq!(answer.header("access-control-allow-origin"), allowed);
            assert_eq!(answer.header("access-control-allow-credentials"), "");
        }
        site.close().await;
    }
}

#[tokio::test]
async fn moments_are_utc_whatever_the_zone_of_the_server() {
    on_each("003", async |site| {
        if !site.is_postgres() {
            return;
        }
        site.sql("DO $$ BEGIN EXECUTE format('ALTER DATABASE %I SET timezone TO ''America/New_York''', current_database()); END $$")
            .await;
        let settings = settings(site.database.address(), &[]);
        let server = Server::start(&settings, Clock::system()).await.unwrap();
        let path = site.task("usr_ada", json!({"title": "t", "due_date": "2026-07-01T12:00:00Z"})).await;
        // A row whose moments come from the database's own default, as another writer on a UTC session leaves it.
        site.sql("SET timezone TO 'UTC'; INSERT INTO tasks (user_id, title) VALUES ('usr_ada', 'theirs')")
            .await;
        let url = format!("http://{}{}", server.address(), "/api/v1/tasks");
        let token = site.token("usr_ada");
        let page: Value = reqwest::Client::new()
            .get(url)
            .header("authorization", format!("Bearer {token}"))
            .send()
            .await
            .unwrap()
            .json()
            .await
            .unwrap();
        assert_eq!(page["data"][0]["due_date"], "2026-07-01T12:00:00Z");
        assert_eq!(page["data"][0]["created_at"], "2026-03-01T12:00:00Z");
        let theirs = page["data"][1]["created_at"].as_str().unwrap();
        let stored = chrono::DateTime::parse_from_rfc3339(theirs).unwrap();
        let now = std::time::SystemTime::now();
        let age = now.duration_since(stored.into()).unwrap_or_default();
        assert!(age < Duration::from_secs(60), "{theirs} is not now in UTC");
        assert_eq!(path, "/api/v1/tasks/1");
        server.stop().await.unwrap();
    })
    .await;
}

#[tokio::test]
async fn connections_that_the_server_ended_are_replaced() {
    on_each("003", async |site| {
        if !site.is_postgres() {
            return;
        }
        let path = site.task("usr_ada", json!({"title": "t"})).await;
        let read = || site.get("usr_ada", &path);
        tokio::join!(read(), read(), read(), read());
        site.sql(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity \
             WHERE datname = current_database() AND application_name = 'todo-api'",
        )
        .await;
        // Whether the server's last words are read before the end of the connection is seen is up to the network.
        let first = read().await.status.as_u16();
        assert!(matches!(first, 200 | 503), "{first}");
        for _ in 0..8 {
            read().await.expect(200);
        }
    })
    .await;
}

#[tokio::test]
async fn too_many_requests_are_turned_away_and_probes_are_not() {
    for database in databases().await {
        let site = Site::open(database, "003", &["--max-concurrency", "0"]).await;
        let refused = site.get("usr_ada", "/api/v1/me").await.expect(503);
        assert_eq!(refused.code(), "OVERLOADED");
        assert_eq!(refused.header("retry-after"), "5");
        site.get("usr_ada", "/livez").await.expect(200);
        site.get("usr_ada", "/readyz").await.expect(200);
        site.close().await;
    }
}

#[tokio::test]
async fn readiness_fails_first_and_what_is_under_way_is_finished() {
    on_each("003", async |site| {
        site.server.drain();
        let refused = site.get("usr_ada", "/readyz").await.expect(503);
        assert_eq!(refused.json()["status"], "draining");
        site.get("usr_ada", "/livez").await.expect(200);
        site.task("usr_ada", json!({"title": "t"})).await;
    })
    .await;
    for database in databases().await {
        if !database.address().starts_with("postgres") {
            database.remove().await.unwrap();
            continue;
        }
        let site = Site::open(database, "003", &[]).await;
        site.task("usr_ada", json!({"title": "t"})).await;
        let blocker = Session::open(site.database.url(), &Default::default(), Access::Write)
            .await
            .unwrap();
        blocker
            .send("BEGIN; SELECT * FROM tasks FOR UPDATE")
            .await
            .unwrap();
        let url = site.url("/api/v1/tasks/1");
        let request = reqwest::Client::new()
            .patch(url)
            .header("authorization", format!("Bearer {}", site.token("usr_ada")))
            .header("content-type", "application/json")
            .body("{\"title\": \"late\"}");
        let request = tokio::spawn(request.send());
        let waits =
            "SELECT 1 FROM pg_stat_activity WHERE wait_event_type = 'Lock' AND datname = current_database()";
        while blocker.rows(waits).await.unwrap().is_empty() {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
        let Site { server, database, .. } = site;
        let stopping = tokio::spawn(server.stop());
        tokio::time::sleep(Duration::from_millis(100)).await;
        blocker.send("COMMIT").await.unwrap();
        let answer = request.await.unwrap().unwrap();
        assert_eq!(answer.status().as_u16(), 200);
        stopping.await.unwrap().unwrap();
        blocker.close().await;
        std::sync::Arc::into_inner(database)
            .unwrap()
            .remove()
            .await
            .unwrap();
    }
}

/// A service whose role may do less than its requests need is not ready, and says what is in the way.
#[tokio::test]
async fn a_role_that_may_not_work_with_a_table_is_not_ready() {
    let role = format!("todo_{:016x}", fastrand::u64(..));
    for database in databases().await {
        if !database.address().starts_with("postgres") {
            continue;
        }
        migrate(&database, "head").await;
        let server = database.address().to_owned();
        let send = async |sql: String| {
            let url = server.parse().unwrap();
            let session = Session::open(&url, &Settings::default(), Access::Write)
                .await
                .unwrap();
            for statement in sql.split(';') {
                session.send(statement).await.unwrap();
            }
            session.close().await;
        };
        send(format!(
            "CREATE ROLE {role} LOGIN PASSWORD 's3cret'; GRANT USAGE ON SCHEMA public TO {role}; \
             GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA public TO {role}; \
             GRANT USAGE ON ALL SEQUENCES IN SCHEMA public TO {role}"
        ))
        .await;
        let (scheme, rest) = server.split_once("://").unwrap();
        let host = rest.split_once('@').map_or(rest, |(_, host)| host);
        let settings = settings(&format!("{scheme}://{role}:s3cret@{host}"), &[]);
        let service = Server::start(&settings, Clock::fixed(NOW)).await.unwrap();
        let ready = async || {
            let url = format!("http://{}/readyz", service.address());
            let answer = reqwest::get(url).await.unwrap();
            (answer.status().as_u16(), answer.json::<Value>().await.unwrap())
        };
        assert_eq!(ready().await.0, 200);
        send(format!("REVOKE INSERT ON tags FROM {role}")).await;
        let (status, body) = ready().await;
        assert_eq!(status, 503, "{body}");
        assert_eq!(body["status"], "database");
        assert_eq!(body["note"], "the service may not read and write tags");
        service.stop().await.unwrap();
        send(format!("DROP OWNED BY {role}; DROP ROLE {role}")).await;
        database.remove().await.unwrap();
    }
}

/// As somebody whom permissions bind: the superuser may write to any file.
#[tokio::test]
async fn a_file_that_may_not_be_written_is_not_ready() {
    const NOBODY: u32 = 65_534;
    let folder = tempfile::tempdir().unwrap();
    let (program, file) = (folder.path().join("api"), folder.path().join("todo.db"));
    // Others may not be allowed to go to where the program was built.
    fs::copy(env!("CARGO_BIN_EXE_api"), &program).unwrap();
    let allow = |path: &Path, mode| fs::set_permissions(path, Permissions::from_mode(mode)).unwrap();
    allow(folder.path(), 0o777);
    let mut command = Command::new(&program);
    command
        .current_dir(folder.path())
        .args(["--migrate", "--database-url"])
        .arg(format!("sqlite://{}", file.display()));
    if rustix::process::geteuid().is_root() {
        command.uid(NOBODY).gid(NOBODY);
    }
    let service = Process::run(&mut command);
    let ready = async || {
        let answer = reqwest::get(format!("http://{}/readyz", service.address))
            .await
            .unwrap();
        (answer.status().as_u16(), answer.json::<Value>().await.unwrap())
    };
    assert_eq!(ready().await.0, 200);
    allow(&file, 0o444);
    let (status, body) = ready().await;
    assert_eq!((status, &body["status"]), (503, &json!("database")));
    let note = format!("the service may not read and write {}", file.display());
    assert_eq!(body["note"], note);
    allow(&file, 0o666);
    assert_eq!(ready().await.0, 200);
    service.stop();
}

#[tokio::test]
async fn production_shows_counters_nowhere_unasked_and_asks_for_tls_where_it_is_declared() {
    for database in databases().await {
        let more = [
            "--environment",
            "production",
            "--public-url",
            "https://todo.example",
        ];
        let site = Site::open(database, "head", &more).await;
        let ask = async |path: &str| site.send_raw(None, Method::GET, path, None, &[]).await;
        ask("/metrics").await.expect(404);
        let live = ask("/livez").await.expect(200);
        assert_eq!(live.header("strict-transport-security"), "max-age=31536000");
        let start = ask("/").await.expect(200);
        assert!(
            start.text.contains("API=https://todo.example\n"),
            "{}",
            start.text
        );
        site.close().await;
    }
    on_each("head", async |site| {
        let start = site.send_raw(None, Method::GET, "/", None, &[]).await.expect(200);
        assert_eq!(start.header("strict-transport-security"), "");
        assert!(
            start.text.contains(&format!("API={}\n", site.url(""))),
            "{}",
            start.text
        );
    })
    .await;
}
