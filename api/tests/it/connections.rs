//! Connections: slow heads, idle ones, slow bodies. Time is told by a connection that is known to be closed after a while.

use std::time::{Duration, Instant};

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
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
        let token = site.token("usr_ada");
        let body = "{\"title\": \"Caulk the hull\"}";
        let head = format!(
            "POST /api/v1/tasks HTTP/1.1\r\nHost: todo\r\nAuthorization: Bearer {token}\r\n\
             Content-Type: application/json\r\nContent-Length: {}\r\n\r\n",
            body.len()
        );
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
