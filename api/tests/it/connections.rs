//! Connections: slow heads, idle ones, slow bodies. Time is told by a connection that is known to be closed after a while.

use std::time::{Duration, Instant};

use reqwest::Method;
use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
use serde_json::json;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpSocket, TcpStream};
use tokio::time::timeout;

use crate::site::{Site, databases};

/// Longer than any of these tests should wait for anything.
const FOREVER: Duration = Duration::from_secs(15);

async fn with_limits(arguments: &[&str], test: impl AsyncFn(&Site)) {
    for database in databases().await {
        let site = Site::open(database, "head", arguments).await;
        test(&site).await;
        site.close().await;
    }
}

async fn connect(site: &Site) -> TcpStream {
    TcpStream::connect(site.server.address()).await.unwrap()
}

/// Sends text and returns the head and the body of the answer.
async fn ask(stream: &mut TcpStream, text: &str) -> (String, String) {
    stream.write_all(text.as_bytes()).await.unwrap();
    let mut received = Vec::new();
    loop {
        let count = timeout(FOREVER, stream.read_buf(&mut received))
            .await
            .unwrap()
            .unwrap();
        assert!(count > 0, "closed after {:?}", String::from_utf8_lossy(&received));
        let text = String::from_utf8(received.clone()).unwrap();
        let Some((head, body)) = text.split_once("\r\n\r\n") else {
            continue;
        };
        let length = head
            .lines()
            .find_map(|line| line.strip_prefix("content-length: "));
        if body.len() == length.unwrap().parse::<usize>().unwrap() {
            return (head.to_owned(), body.to_owned());
        }
    }
}

/// Sends a head that never ends, a byte every now and then, and returns when the server has had enough.
async fn dawdle(site: &Site) -> Duration {
    let mut stream = connect(site).await;
    let begun = Instant::now();
    stream
        .write_all(b"GET /livez HTTP/1.1\r\nHost: todo\r\nX-Slow: ")
        .await
        .unwrap();
    while begun.elapsed() < FOREVER {
        let mut byte = [0];
        match timeout(Duration::from_millis(50), stream.read(&mut byte)).await {
            // Nothing yet: go on.
            Err(_) => drop(stream.write_all(b"a").await),
            // The server may close with the last byte unread, which resets the connection.
            Ok(Ok(0) | Err(_)) => return begun.elapsed(),
            Ok(Ok(_)) => panic!("an answer to half a request"),
        }
    }
    panic!("still open after {FOREVER:?}");
}

const LIVE: &str = "GET /livez HTTP/1.1\r\nHost: todo\r\n\r\n";

#[tokio::test]
async fn the_server_as_a_whole_says_that_it_has_options() {
    with_limits(&[], async |site| {
        let mut stream = connect(site).await;
        let request = b"OPTIONS * HTTP/1.1\r\nHost: todo\r\nConnection: close\r\n\r\n";
        stream.write_all(request).await.unwrap();
        let mut answer = String::new();
        let read = timeout(FOREVER, stream.read_to_string(&mut answer)).await;
        read.unwrap().unwrap();
        assert!(answer.starts_with("HTTP/1.1 204 "), "{answer}");
    })
    .await;
}

#[tokio::test]
async fn a_head_that_never_ends_is_not_waited_for() {
    with_limits(&["--header-seconds", "1"], async |site| {
        let waited = dawdle(site).await;
        assert!(waited >= Duration::from_millis(900), "{waited:?}");
        let mut silent = connect(site).await;
        let read = timeout(FOREVER, silent.read(&mut [0])).await;
        assert_eq!(read.unwrap().unwrap(), 0, "who connects and says nothing");
    })
    .await;
}

/// After the limit for heads has passed, twice.
#[tokio::test]
async fn a_connection_may_idle_for_longer_than_a_head_may_take() {
    with_limits(&["--header-seconds", "1"], async |site| {
        let mut stream = connect(site).await;
        for _ in 0..2 {
            let (head, body) = ask(&mut stream, LIVE).await;
            assert!(head.starts_with("HTTP/1.1 200"), "{head}");
            assert_eq!(body, "{\"status\":\"alive\"}");
            dawdle(site).await;
        }
        ask(&mut stream, LIVE).await;
    })
    .await;
}

#[tokio::test]
async fn a_head_on_a_connection_that_was_used_before_is_not_waited_for_either() {
    with_limits(&["--header-seconds", "1"], async |site| {
        let mut stream = connect(site).await;
        ask(&mut stream, LIVE).await;
        stream.write_all(b"GET /livez HTTP/1.1\r\n").await.unwrap();
        let read = timeout(FOREVER, stream.read(&mut [0])).await;
        assert_eq!(read.unwrap().unwrap(), 0);
    })
    .await;
}

#[tokio::test]
async fn a_connection_that_idles_for_too_long_is_closed() {
    with_limits(&["--idle-seconds", "1"], async |site| {
        let mut stream = connect(site).await;
        ask(&mut stream, LIVE).await;
        let read = timeout(FOREVER, stream.read(&mut [0])).await;
        assert_eq!(read.unwrap().unwrap(), 0);
    })
    .await;
}

#[tokio::test]
async fn a_body_may_take_longer_than_its_head() {
    with_limits(&["--header-seconds", "1", "--idle-seconds", "1"], async |site| {
        let mut stream = connect(site).await;
        let body = "{\"title\": \"Caulk the hull\"}";
        let head = post(site, "/api/v1/tasks", body.len());
        stream.write_all(head.as_bytes()).await.unwrap();
        dawdle(site).await;
        let (head, _) = ask(&mut stream, body).await;
        assert!(head.starts_with("HTTP/1.1 201"), "{head}");
    })
    .await;
}

#[tokio::test]
async fn a_service_that_stops_waits_for_no_idle_connection() {
    for database in databases().await {
        let site = Site::open(database, "head", &[]).await;
        let mut stream = connect(&site).await;
        ask(&mut stream, LIVE).await;
        timeout(FOREVER, site.close()).await.unwrap();
        assert_eq!(stream.read(&mut [0]).await.unwrap(), 0);
    }
}

/// The head of a request with a body, of somebody with a token.
fn post(site: &Site, path: &str, length: usize) -> String {
    let token = site.token("usr_ada");
    format!(
        "POST {path} HTTP/1.1\r\nHost: todo\r\nAuthorization: Bearer {token}\r\nContent-Type: application/json\r\n\
         Content-Length: {length}\r\n\r\n"
    )
}

/// Where the kernel holds little of what the client does not read.
async fn connect_narrowly(site: &Site) -> TcpStream {
    let socket = TcpSocket::new_v4().unwrap();
    socket.set_recv_buffer_size(4096).unwrap();
    socket.connect(site.server.address()).await.unwrap()
}

/// Each refusal is given before the body is looked at, and the body comes later than its head.
#[tokio::test]
async fn a_refusal_leaves_the_connection_as_it_was() {
    const ROUNDS: usize = 40;
    let body = format!("{{\"title\": \"{}\"}}", "x".repeat(30_000));
    for database in databases().await {
        let site = Site::open(database, "head", &[]).await;
        let stranger = format!(
            "POST /api/v1/tasks HTTP/1.1\r\nHost: todo\r\nContent-Type: application/json\r\nContent-Length: {}\r\n\r\n",
            body.len()
        );
        let signed = |path: &str, more: &str| {
            post(&site, path, body.len()).replacen("Host: todo\r\n", &format!("Host: todo\r\n{more}"), 1)
        };
        let refused = [
            (401, stranger),
            (403, signed("/api/usr_eve/tasks", "")),
            (404, signed("/api/v1/nothing", "")),
            (405, signed("/api/v1/schema", "")),
            (406, signed("/api/v1/tasks", "Accept: text/html\r\n")),
            (400, signed("/api/v1/tasks", "If-Match: \"abc\"\r\n")),
            (
                415,
                signed("/api/v1/tasks", "").replace("application/json", "text/plain"),
            ),
            (422, signed("/api/v1/tasks", "")),
        ];
        let mut stream = connect(&site).await;
        for round in 0..ROUNDS {
            for (status, head) in &refused {
                stream.write_all(head.as_bytes()).await.unwrap();
                tokio::time::sleep(Duration::from_millis(1)).await;
                let (head, _) = ask(&mut stream, &body).await;
                let expected = format!("HTTP/1.1 {status} ");
                assert!(head.starts_with(&expected), "{round}: {status}: {head}");
                assert!(!head.contains("connection: close"), "{head}");
            }
        }
        site.close().await;
    }
}

#[tokio::test]
async fn a_body_that_is_too_large_is_taken_in_or_the_connection_is_said_to_close() {
    with_limits(&[], async |site| {
        let mut stream = connect(site).await;
        let large = "x".repeat(100_000);
        let head = post(site, "/api/v1/tasks", large.len());
        stream.write_all(head.as_bytes()).await.unwrap();
        let (head, body) = ask(&mut stream, &large).await;
        assert!(head.starts_with("HTTP/1.1 413 "), "{head}");
        assert!(body.contains("PAYLOAD_TOO_LARGE"), "{body}");
        ask(&mut stream, LIVE).await;

        let (head, _) = ask(&mut stream, &post(site, "/api/v1/tasks", 2_000_000)).await;
        assert!(head.starts_with("HTTP/1.1 413 "), "{head}");
        assert!(head.contains("connection: close"), "{head}");
        let read = timeout(FOREVER, stream.read(&mut [0])).await;
        assert_eq!(read.unwrap().unwrap(), 0);
    })
    .await;
}

/// Two places for requests, and more than two whose bodies do not come.
#[tokio::test]
async fn a_body_that_does_not_come_holds_no_place_and_is_given_up() {
    with_limits(&["--max-concurrency", "2"], async |site| {
        let mut slow = Vec::new();
        for _ in 0..20 {
            let mut stream = connect(site).await;
            let head = post(site, "/api/v1/tasks", 60_000);
            stream.write_all(head.as_bytes()).await.unwrap();
            stream.write_all(b"{").await.unwrap();
            slow.push(stream);
        }
        let mut other = connect(site).await;
        let body = "{\"title\": \"Caulk the hull\"}";
        for _ in 0..5 {
            let request = post(site, "/api/v1/tasks", body.len()) + body;
            let (head, _) = ask(&mut other, &request).await;
            assert!(head.starts_with("HTTP/1.1 201 "), "{head}");
        }
        for mut stream in slow {
            let (head, body) = ask(&mut stream, "").await;
            assert!(head.starts_with("HTTP/1.1 408 "), "{head}");
            assert!(head.contains("connection: close"), "{head}");
            assert!(body.contains("BODY_TOO_SLOW"), "{body}");
        }
    })
    .await;
}

#[tokio::test]
async fn who_reads_no_answer_is_let_go() {
    with_limits(&["--idle-seconds", "1"], async |site| {
        let mut stream = connect_narrowly(site).await;
        let request = "GET /openapi.json HTTP/1.1\r\nHost: todo\r\n\r\n".repeat(30);
        stream.write_all(request.as_bytes()).await.unwrap();
        // No head comes for as long as this, either.
        tokio::time::sleep(Duration::from_secs(3)).await;
        let mut received = 0;
        let mut buffer = vec![0; 64 * 1024];
        let whole = 30 * include_str!("../../openapi.json").len();
        loop {
            match timeout(FOREVER, stream.read(&mut buffer)).await.unwrap() {
                Ok(0) | Err(_) => break,
                Ok(count) => received += count,
            }
        }
        assert!(received > 0 && received < whole, "{received} of {whole}");
    })
    .await;
}

/// Four people who make tasks for ten seconds, one after the other each; returns how long each request took.
async fn ask_meanwhile(site: &Site) -> Vec<Duration> {
    const PAUSE: Duration = Duration::from_millis(200);
    let person = async |number: usize| {
        let user = format!("usr_{number}");
        let mut waited = Vec::new();
        for _ in 0..50 {
            let begun = Instant::now();
            let task = json!({"title": "Caulk the hull"});
            let answer = site.send(&user, Method::POST, "/api/v1/tasks", Some(task)).await;
            answer.expect(201);
            waited.push(begun.elapsed());
            tokio::time::sleep(PAUSE.saturating_sub(begun.elapsed())).await;
        }
        waited
    };
    let all = futures_util::future::join_all((0..4).map(person)).await;
    all.concat()
}

/// Those who send slowly, read nothing and idle, all at once, and somebody who asks beside them.
#[tokio::test]
async fn slow_and_silent_clients_keep_nobody_out() {
    const SLOW: usize = 600;
    const SILENT: usize = 300;
    const IDLE: usize = 2000;
    /// How long a head may take, unless it is set.
    const HEAD: Duration = Duration::from_secs(10);
    let limit = getrlimit(Resource::Nofile);
    let all = Rlimit {
        current: limit.maximum,
        ..limit
    };
    setrlimit(Resource::Nofile, all).unwrap();
    for database in databases().await {
        let site = Site::open(database, "head", &[]).await;
        let mut open = Vec::new();
        for _ in 0..SLOW {
            let mut stream = connect(&site).await;
            let head = post(&site, "/api/v1/tasks", 60_000);
            stream.write_all(head.as_bytes()).await.unwrap();
            stream.write_all(b"{").await.unwrap();
            open.push(stream);
        }
        for _ in 0..SILENT {
            let mut stream = connect_narrowly(&site).await;
            let request = "GET /openapi.json HTTP/1.1\r\nHost: todo\r\n\r\n".repeat(3);
            stream.write_all(request.as_bytes()).await.unwrap();
            open.push(stream);
        }
        for _ in 0..IDLE {
            open.push(connect(&site).await);
        }
        let connected = Instant::now();
        let mut waited = ask_meanwhile(&site).await;
        waited.sort();
        // Among them those that come while six hundred bodies and two thousand heads are given up at once.
        let p99 = waited[waited.len() * 99 / 100];
        assert!(
            p99 < Duration::from_secs(5),
            "{p99:?} beside {} others",
            open.len()
        );
        // Who said nothing is let go when a head would have had to be there: that was some time ago for most.
        for mut silent in open.drain(SLOW + SILENT..) {
            let read = timeout(FOREVER, silent.read(&mut [0])).await;
            assert_eq!(read.unwrap().unwrap(), 0);
        }
        let since = connected.elapsed();
        assert!(since < HEAD + Duration::from_secs(8), "{since:?}");
        drop(open);
        site.close().await;
    }
}
