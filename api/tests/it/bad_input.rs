//! What no client should send: each is refused by name, and none of it is a fault of ours.

use std::time::Duration;

use reqwest::Method;
use serde_json::{Value, json};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::time::timeout;

use crate::site::{Site, on_each};

/// Bodies of a task, the code that refuses each, and where in the body the fault is.
#[rustfmt::skip]
fn bad_tasks() -> Vec<(Value, &'static str, &'static str)> {
    vec![
        (json!({}), "TASK_TITLE_INVALID", "/title"),
        (json!({"title": null}), "TASK_TITLE_INVALID", "/title"),
        (json!({"title": 5}), "TASK_TITLE_INVALID", "/title"),
        (json!({"title": " \t"}), "TASK_TITLE_INVALID", "/title"),
        (json!({"title": "a\u{0}b"}), "TASK_TITLE_INVALID", "/title"),
        (json!({"title": "a\nb"}), "TASK_TITLE_INVALID", "/title"),
        (json!({"title": "x".repeat(201)}), "TASK_TITLE_INVALID", "/title"),
        (json!({"title": "t", "description": "x".repeat(1001)}), "TASK_DESCRIPTION_TOO_LONG", "/description"),
        (json!({"title": "t", "description": "\u{0}"}), "VALIDATION_ERROR", "/description"),
        (json!({"title": "t", "priority": "urgent"}), "TASK_INVALID_PRIORITY", "/priority"),
        (json!({"title": "t", "priority": null}), "TASK_INVALID_PRIORITY", "/priority"),
        (json!({"title": "t", "due_date": "tomorrow"}), "TASK_INVALID_DUE_DATE", "/due_date"),
        (json!({"title": "t", "due_date": "2026-02-30"}), "TASK_INVALID_DUE_DATE", "/due_date"),
        (json!({"title": "t", "remind_at": "2026-01-01T10:00:00"}), "TASK_INVALID_DUE_DATE", "/remind_at"),
        (json!({"title": "t", "due_date": 1}), "TASK_INVALID_DUE_DATE", "/due_date"),
        (json!({"title": "t", "recurrence_pattern": "sometimes"}), "RECURRENCE_INVALID", "/recurrence_pattern"),
        (json!({"title": "t", "tags": ["a", "A"]}), "VALIDATION_ERROR", "/tags"),
        // Clients take these out of a path, and what is left names the task.
        (json!({"title": "t", "tags": [".."]}), "VALIDATION_ERROR", "/tags"),
        (json!({"title": "t", "tags": ["keep", " . "]}), "VALIDATION_ERROR", "/tags"),
        // A proxy that undoes escapes takes these out.
        (json!({"title": "t", "tags": ["a/../b"]}), "VALIDATION_ERROR", "/tags"),
        (json!({"title": "t", "tags": ["a\\.."]}), "VALIDATION_ERROR", "/tags"),
        (json!({"title": "t", "tags": ["a b", "\u{200b}A\u{a0}b"]}), "VALIDATION_ERROR", "/tags"),
        (json!({"title": "t", "tags": ["\u{200b}"]}), "VALIDATION_ERROR", "/tags"),
        (json!({"title": "\u{feff}\u{2060}"}), "TASK_TITLE_INVALID", "/title"),
        (json!({"title": "a\u{2028}b"}), "TASK_TITLE_INVALID", "/title"),
        (json!({"title": "t", "tags": ["x".repeat(51)]}), "VALIDATION_ERROR", "/tags"),
        (json!({"title": "t", "tags": vec!["x"; 10_000]}), "VALIDATION_ERROR", "/tags"),
        (json!({"title": "t", "completed": "yes"}), "VALIDATION_ERROR", "/completed"),
        (json!({"title": "t", "id": 7}), "VALIDATION_ERROR", "/id"),
        (json!({"title": "t", "user_id": "usr_bob"}), "VALIDATION_ERROR", "/user_id"),
        (json!({"title": "t", "created_at": "2020-01-01"}), "VALIDATION_ERROR", "/created_at"),
        (json!({"title": "t", "a/b~c": 1}), "VALIDATION_ERROR", "/a~1b~0c"),
        (json!([]), "VALIDATION_ERROR", ""),
        (json!("t"), "VALIDATION_ERROR", ""),
    ]
}

#[tokio::test]
async fn values_that_are_not_valid_are_refused_by_name() {
    on_each("003", async |site| {
        for (body, code, pointer) in bad_tasks() {
            let answer = site
                .post("usr_ada", "/api/v1/tasks", body.clone())
                .await
                .expect(422);
            assert_eq!(answer.code(), code, "{body}");
            assert_eq!(answer.json()["errors"][0]["pointer"], pointer, "{body}");
            assert_eq!(answer.json()["type"], format!("/errors/{code}"));
        }
        let several = site
            .post(
                "usr_ada",
                "/api/v1/tasks",
                json!({"title": "", "priority": "x", "foo": 1}),
            )
            .await
            .expect(422);
        assert_eq!(several.code(), "VALIDATION_ERROR");
        assert_eq!(several.json()["errors"].as_array().unwrap().len(), 3);
        assert_eq!(
            site.get("usr_ada", "/api/v1/tasks").await.json()["data"],
            json!([])
        );
    })
    .await;
}

#[tokio::test]
async fn bodies_that_cannot_be_read_are_refused() {
    on_each("003", async |site| {
        let token = site.token("usr_ada");
        let deep = format!("{}1{}", "[".repeat(40), "]".repeat(40));
        let bottomless = "[".repeat(30_000);
        let huge = format!("{{\"title\": \"{}\"}}", "x".repeat(70_000));
        for (body, kind, status, code) in [
            ("{", "application/json", 400, "MALFORMED_JSON"),
            ("", "application/json", 400, "MALFORMED_JSON"),
            (
                "{\"title\": \"\\ud800\"}",
                "application/json",
                400,
                "MALFORMED_JSON",
            ),
            (deep.as_str(), "application/json", 400, "MALFORMED_JSON"),
            (bottomless.as_str(), "application/json", 400, "MALFORMED_JSON"),
            (huge.as_str(), "application/json", 413, "PAYLOAD_TOO_LARGE"),
            ("{\"title\": \"t\"}", "text/plain", 415, "UNSUPPORTED_MEDIA_TYPE"),
            (
                "title=t",
                "application/x-www-form-urlencoded",
                415,
                "UNSUPPORTED_MEDIA_TYPE",
            ),
            (
                "{\"title\": \"t\"}",
                "application/merge-patch+json",
                415,
                "UNSUPPORTED_MEDIA_TYPE",
            ),
        ] {
            let body = Some((body.to_owned(), kind));
            let answer = site
                .send_raw(Some(&token), Method::POST, "/api/v1/tasks", body, &[])
                .await
                .expect(status);
            assert_eq!(answer.code(), code);
        }
        let packed = site
            .send_raw(
                Some(&token),
                Method::POST,
                "/api/v1/tasks",
                Some(("{}".to_owned(), "application/json")),
                &[("content-encoding", "gzip")],
            )
            .await
            .expect(415);
        assert_eq!(packed.code(), "UNSUPPORTED_MEDIA_TYPE");
        let path = site.task("usr_ada", json!({"title": "t"})).await;
        let patch = Some((
            "{\"title\": \"u\"}".to_owned(),
            "application/merge-patch+json; charset=utf-8",
        ));
        site.send_raw(Some(&token), Method::PATCH, &path, patch, &[])
            .await
            .expect(200);
    })
    .await;
}

#[tokio::test]
async fn addresses_and_headers_that_make_no_sense_are_refused() {
    on_each("003", async |site| {
        for path in [
            "/api/v1/tasks/abc",
            "/api/v1/tasks/0",
            "/api/v1/tasks/-1",
            "/api/v1/tasks/2147483648",
            "/api/v1/tasks/99999999999999999999",
            "/api/v1/tasks/%00",
            "/api/v1/tasks/%ff",
            "/api/v1/tags/x",
            "/api/v1/conversations/x/messages",
            "/api/v2/tasks",
            "/api/v1//tasks",
            "/nothing",
            "/errors/NO_SUCH_CODE",
        ] {
            let answer = site.get("usr_ada", path).await.expect(404);
            assert_eq!(answer.json()["status"], 404, "{path}");
            assert_eq!(answer.header("content-type"), "application/problem+json");
        }
        let wrong = site
            .send("usr_ada", Method::PUT, "/api/v1/tasks", None)
            .await
            .expect(405);
        assert_eq!(wrong.code(), "METHOD_NOT_ALLOWED");
        for method in ["GET", "HEAD", "POST"] {
            assert!(
                wrong.header("allow").contains(method),
                "{}",
                wrong.header("allow")
            );
        }
        let options = site
            .send("usr_ada", Method::OPTIONS, "/api/v1/tasks", None)
            .await
            .expect(204);
        assert!(options.header("allow").contains("POST"));
        let html = [("accept", "text/html")];
        let unacceptable = site
            .send_with("usr_ada", Method::GET, "/api/v1/tasks", None, &html)
            .await
            .expect(406);
        assert_eq!(unacceptable.code(), "NOT_ACCEPTABLE");
        let long = format!("/api/v1/tasks?q={}", "x".repeat(9000));
        assert_eq!(
            site.get("usr_ada", &long).await.expect(414).code(),
            "URI_TOO_LONG"
        );
        let name = site
            .send("usr_ada", Method::PUT, "/api/v1/tasks/1/tags/a%00b", None)
            .await;
        assert_eq!(name.expect(422).json()["errors"][0]["parameter"], "name");
    })
    .await;
}

#[tokio::test]
async fn a_conversation_takes_a_hundred_messages_and_a_task_twenty_tags() {
    on_each("003", async |site| {
        site.send("usr_ada", Method::POST, "/api/v1/conversations", None)
            .await
            .expect(201);
        let path = "/api/v1/conversations/1/messages";
        for content in ["", " \n", "\u{200b}", "\u{feff}\u{2060}\n\u{a0}"] {
            let refused = site.post("usr_ada", path, json!({"content": content}));
            assert_eq!(
                refused.await.expect(422).json()["errors"][0]["pointer"],
                "/content"
            );
        }
        for _ in 0..100 {
            site.post("usr_ada", path, json!({"content": "x"}))
                .await
                .expect(201);
        }
        let full = site
            .post("usr_ada", path, json!({"content": "x"}))
            .await
            .expect(422);
        assert_eq!(full.code(), "CONVERSATION_TOO_LONG");

        let tags: Vec<Value> = (0..20).map(|number| json!(format!("t{number}"))).collect();
        let path = site.task("usr_ada", json!({"title": "t", "tags": tags})).await;
        let full = site
            .send("usr_ada", Method::PUT, &format!("{path}/tags/one-more"), None)
            .await;
        assert_eq!(full.expect(422).code(), "TASK_TOO_MANY_TAGS");
    })
    .await;
}

#[tokio::test]
async fn headers_that_are_too_large_are_a_problem() {
    on_each("head", async |site| {
        let long = "x".repeat(17 * 1024);
        let refused = site
            .send_with("usr_ada", Method::GET, "/api/v1/me", None, &[("x-long", &long)])
            .await
            .expect(431);
        assert_eq!(refused.code(), "HEADERS_TOO_LARGE");
    })
    .await;
}

/// What two readers could understand differently.
#[tokio::test]
async fn what_is_ambiguous_is_refused() {
    on_each("head", async |site| {
        let token = site.token("usr_ada");
        let post = async |body: &str, kind: &str, more: &[(&str, &str)]| {
            let body = Some((body.to_owned(), kind));
            site.send_raw(Some(&token), Method::POST, "/api/v1/tasks", body, more)
                .await
        };
        let json = "application/json";
        let twice = post(r#"{"title": "t", "title": "u"}"#, json, &[])
            .await
            .expect(400);
        assert_eq!(twice.code(), "MALFORMED_JSON");
        assert!(
            twice.json()["detail"]
                .as_str()
                .unwrap()
                .contains("\"title\" is there twice")
        );
        for kind in [
            "application/json; charset=iso-8859-1",
            "application/json; charset=\"utf-16\"",
        ] {
            let refused = post(r#"{"title": "t"}"#, kind, &[]).await.expect(415);
            assert_eq!(refused.code(), "UNSUPPORTED_MEDIA_TYPE", "{kind}");
        }
        let two = [("content-type", "text/plain")];
        post(r#"{"title": "t"}"#, json, &two).await.expect(415);
        post(r#"{"title": "t"}"#, "application/json; charset=\"UTF-8\"", &[])
            .await
            .expect(201);
        for path in ["/api/v1/tasks/+1", "/api/v1/tasks/01", "/api/v1/tags/01"] {
            site.get("usr_ada", path).await.expect(404);
        }
        for query in ["q=%ff", "q=%ed%a0%80", "status=all&tags=%c0%80"] {
            let refused = site
                .get("usr_ada", &format!("/api/v1/tasks?{query}"))
                .await
                .expect(422);
            let parameter = query.rsplit('&').next().unwrap().split('=').next().unwrap();
            assert_eq!(refused.json()["errors"][0]["parameter"], parameter, "{query}");
        }
        let leap = post(r#"{"title": "t", "due_date": "2026-12-01T12:00:60Z"}"#, json, &[]).await;
        assert_eq!(leap.expect(422).code(), "TASK_INVALID_DUE_DATE");
        site.get("usr_ada", "/api/v1/tasks/1").await.expect(200);
        let conditions = [("if-none-match", "*")];
        let body = Some(json!({"title": "u"}));
        let refused = site
            .send_with("usr_ada", Method::PATCH, "/api/v1/tasks/1", body, &conditions)
            .await;
        assert_eq!(refused.expect(400).code(), "HEADER_INVALID");
        for tags in ["", "abc", "\"abc", "*, \"a\"", "\"a\" \"b\""] {
            let body = Some(json!({"title": "u"}));
            let refused = site
                .send_with(
                    "usr_ada",
                    Method::PATCH,
                    "/api/v1/tasks/1",
                    body,
                    &[("if-match", tags)],
                )
                .await;
            assert_eq!(refused.expect(400).code(), "HEADER_INVALID", "{tags}");
        }
        let unchanged = site.get("usr_ada", "/api/v1/tasks/1").await.expect(200);
        assert_eq!(unchanged.json()["title"], "t");
    })
    .await;
}

#[tokio::test]
async fn a_request_without_its_host_or_with_a_broken_body_is_a_problem() {
    on_each("head", async |site| {
        let head = format!(
            "POST /api/v1/tasks HTTP/1.1\r\nConnection: close\r\nAuthorization: Bearer {}\r\nContent-Type: application/json\r\n",
            site.token("usr_ada")
        );
        for (rest, status, code) in [
            ("Content-Length: 2\r\n\r\n{}", 400, "HEADER_INVALID"),
            ("Host: a\r\nHost: b\r\nContent-Length: 2\r\n\r\n{}", 400, "HEADER_INVALID"),
            ("Host: todo\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n", 400, "MALFORMED_JSON"),
            ("Host: todo\r\nContent-Length: 99999999999\r\n\r\n{}", 413, "PAYLOAD_TOO_LARGE"),
        ] {
            let mut stream = TcpStream::connect(site.server.address()).await.unwrap();
            stream.write_all(format!("{head}{rest}").as_bytes()).await.unwrap();
            let mut answer = String::new();
            stream.read_to_string(&mut answer).await.unwrap();
            assert!(answer.starts_with(&format!("HTTP/1.1 {status} ")), "{rest}: {answer}");
            assert!(answer.contains("application/problem+json") && answer.contains(code), "{rest}: {answer}");
        }
    })
    .await;
}

/// Each on a connection of its own, that the server ends.
async fn raw(site: &Site, request: &str) -> String {
    let mut stream = TcpStream::connect(site.server.address()).await.unwrap();
    stream.write_all(request.as_bytes()).await.unwrap();
    let mut answer = String::new();
    let read = timeout(Duration::from_secs(15), stream.read_to_string(&mut answer)).await;
    read.unwrap().unwrap();
    answer
}

#[tokio::test]
async fn a_body_in_an_unknown_transfer_coding_is_not_read() {
    on_each("head", async |site| {
        let token = site.token("usr_ada");
        let body = "e\r\n{\"title\": \"t\"}\r\n0\r\n\r\n";
        let ask = async |more: &str, codings: &str| {
            let request = format!(
                "POST /api/v1/tasks HTTP/1.1\r\nHost: todo\r\nAuthorization: Bearer {token}\r\n{more}\
                 Content-Type: application/json\r\n{codings}\r\n\r\n{body}"
            );
            raw(site, &request).await
        };
        for codings in [
            "Transfer-Encoding: gzip, chunked",
            "Transfer-Encoding: gzip\r\nTransfer-Encoding: chunked",
            "Transfer-Encoding: chunked, chunked",
            "Transfer-Encoding: gzip;q=1 , ,CHUNKED",
        ] {
            // Not only the server closes: whoever stands between learns that what follows is no request.
            let answer = ask("", codings).await;
            assert!(answer.starts_with("HTTP/1.1 501 "), "{codings}: {answer}");
            assert!(answer.contains("connection: close"), "{codings}: {answer}");
            assert!(answer.contains("application/problem+json"), "{codings}: {answer}");
            assert!(answer.contains("TRANSFER_CODING_UNKNOWN"), "{codings}: {answer}");
        }
        // What does not end in chunks has no end that could be found; hyper refuses it by itself.
        for codings in ["Transfer-Encoding: gzip", "Transfer-Encoding: chunked, gzip"] {
            let answer = ask("", codings).await;
            assert!(answer.starts_with("HTTP/1.1 400 "), "{codings}: {answer}");
        }
        let list = site.get("usr_ada", "/api/v1/tasks").await.expect(200);
        assert_eq!(list.json()["data"], json!([]));
        for codings in ["Transfer-Encoding: chunked", "Transfer-Encoding: , Chunked"] {
            let answer = ask("Connection: close\r\n", codings).await;
            assert!(answer.starts_with("HTTP/1.1 201 "), "{codings}: {answer}");
        }
    })
    .await;
}

#[tokio::test]
async fn a_path_with_needless_escapes_is_the_one_without() {
    on_each("head", async |site| {
        let token = site.token("usr_ada");
        site.task("usr_ada", json!({"title": "t", "tags": ["a/b"]})).await;
        let ask = async |path: &str| {
            let request = format!(
                "GET {path} HTTP/1.1\r\nHost: todo\r\nConnection: close\r\nAuthorization: Bearer {token}\r\n\r\n"
            );
            let answer = raw(site, &request).await;
            answer.split(' ').nth(1).unwrap().parse::<u16>().unwrap()
        };
        for path in [
            "/api/v1/%74asks",
            "/%61pi/v1/tasks/%31?fields=%69d",
            "/a%70i/%6De/tasks",
            "/api/v1/usr%5Fada/tasks",
            "/%6c%69vez",
        ] {
            assert_eq!(ask(path).await, 200, "{path}");
        }
        for path in [
            "/api%2Fv1%2Ftasks",
            "/api/v1%2f%74asks",
            "/api/v1/tasks/%2e%2e/tasks",
            "/api/v1/%2E/tasks",
            "/api/v1/tasks/1/%2e%2E",
            "/%2e%2e/livez",
            "/api/v1/tasks/%2531",
            "/api/v1/%%37%34asks",
            "/api/v1/%2574asks",
        ] {
            assert_eq!(ask(path).await, 404, "{path}");
        }
    })
    .await;
}
