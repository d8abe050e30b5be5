//! Clients of two replicas, and an old build that writes rows by itself.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use reqwest::{Client, Method};
use serde_json::{Value, json};
use tokio::task::JoinHandle;
use tokio_postgres::NoTls;

use crate::chaos::UNLIMITED;
use crate::process::Process;
use crate::site::Site;

/// A request that takes longer has been in somebody's way: far longer than the longest wait for a lock (2 s), and than
/// what a busy machine does to a request.
pub(super) const STALL: Duration = Duration::from_secs(7);

/// Clients of each replica.
const CLIENTS: usize = 2;

/// What is wrong; nothing by default.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Verdict {
    /// Requests that failed, and how.
    failed: Vec<String>,
    /// Requests that took longer than [`STALL`].
    stalled: Vec<String>,
    /// Titles that should be there and are not, or not as often.
    lost: Vec<String>,
    /// Titles that should not be there, or not as often.
    doubled: Vec<String>,
}

/// What somebody did.
#[derive(Default)]
struct Deeds {
    user: String,
    titles: Vec<String>,
    requests: usize,
    verdict: Verdict,
}

pub(super) struct Load {
    stop: Arc<AtomicBool>,
    begun: Arc<AtomicUsize>,
    clients: Vec<JoinHandle<Deeds>>,
    replica: Process,
}

impl Load {
    pub(super) async fn start(site: &Site) -> Self {
        let stop = Arc::new(AtomicBool::new(false));
        let begun = Arc::new(AtomicUsize::new(0));
        let replica = Process::start(&site.database, &UNLIMITED);
        let own = site.url("");
        let other = format!("http://{}", replica.address);
        let mut clients = Vec::new();
        // Nobody who was there before, in an earlier control.
        let run = fastrand::u32(..);
        for number in 0..2 * CLIENTS {
            let user = format!("usr_{run}_{number}");
            let asking = Asking {
                client: Client::builder()
                    .timeout(Duration::from_secs(30))
                    .build()
                    .unwrap(),
                token: site.token(&user),
                base: if number % 2 == 0 {
                    own.clone()
                } else {
                    other.clone()
                },
                deeds: Deeds {
                    user,
                    ..Deeds::default()
                },
            };
            clients.push(tokio::spawn(
                asking.keep_asking(Arc::clone(&begun), Arc::clone(&stop)),
            ));
        }
        if site.is_postgres() {
            let address = site.database.address().to_owned();
            clients.push(tokio::spawn(old_build(
                address,
                format!("usr_{run}_old"),
                Arc::clone(&stop),
            )));
        }
        Self {
            stop,
            begun,
            clients,
            replica,
        }
    }

    /// Waits until every client has a task.
    pub(super) async fn has_begun(&self) {
        while self.begun.load(Ordering::Relaxed) < 2 * CLIENTS {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    }

    /// Ends the load and compares what is there with what was done.
    pub(super) async fn end(self, site: &Site) -> Verdict {
        // Everybody has been asking for a while, before and after.
        tokio::time::sleep(Duration::from_millis(500)).await;
        self.stop.store(true, Ordering::Relaxed);
        let mut verdict = Verdict::default();
        for client in self.clients {
            let mut deeds = client.await.unwrap();
            assert!(deeds.requests > 0, "{} could not ask", deeds.user);
            verdict.failed.append(&mut deeds.verdict.failed);
            verdict.stalled.append(&mut deeds.verdict.stalled);
            let mut kept = crate::revisions::all_titles(site, &deeds.user).await;
            for title in deeds.titles {
                match kept.iter().position(|other| *other == title) {
                    Some(position) => drop(kept.swap_remove(position)),
                    None => verdict.lost.push(title),
                }
            }
            verdict.doubled.append(&mut kept);
        }
        self.replica.stop();
        verdict
    }
}

struct Asking {
    client: Client,
    token: String,
    base: String,
    deeds: Deeds,
}

impl Asking {
    /// Makes, reads, changes, completes and removes tasks, with what phase II has.
    async fn keep_asking(mut self, begun: Arc<AtomicUsize>, stop: Arc<AtomicBool>) -> Deeds {
        let title = format!("{} first", self.deeds.user);
        let first = self
            .ask(Method::POST, "/api/v1/tasks", Some(json!({"title": title})), 201)
            .await
            .expect("nothing has begun yet");
        self.deeds.titles.push(title);
        let first = format!("/api/v1/tasks/{}", first["id"]);
        begun.fetch_add(1, Ordering::Relaxed);
        let mut round = 0_u32;
        while !stop.load(Ordering::Relaxed) {
            round += 1;
            self.live(round).await;
            // A row that was there before everything.
            let change = json!({"description": round.to_string()});
            self.ask(Method::PATCH, &first, Some(change), 200).await;
        }
        self.deeds
    }

    async fn live(&mut self, round: u32) {
        let title = format!("{} {round}", self.deeds.user);
        let Some(task) = self
            .ask(Method::POST, "/api/v1/tasks", Some(json!({"title": title})), 201)
            .await
        else {
            return;
        };
        let path = format!("/api/v1/tasks/{}", task["id"]);
        self.deeds.titles.push(title);
        self.ask(Method::GET, "/api/v1/tasks?sort=-created_at&limit=5", None, 200)
            .await;
        let changed = format!("{} {round}, changed", self.deeds.user);
        if self
            .ask(Method::PATCH, &path, Some(json!({"title": changed})), 200)
            .await
            .is_some()
        {
            self.deeds.titles.pop();
            self.deeds.titles.push(changed);
        }
        self.ask(Method::PUT, &format!("{path}/complete"), None, 200)
            .await;
        if round.is_multiple_of(3) && self.ask(Method::DELETE, &path, None, 204).await.is_some() {
            self.deeds.titles.pop();
        }
    }

    /// Sends a request once; whoever gets anything but the wanted answer has been failed.
    async fn ask(&mut self, method: Method, path: &str, body: Option<Value>, wanted: u16) -> Option<Value> {
        let mut request = self
            .client
            .request(method.clone(), format!("{}{path}", self.base))
            .bearer_auth(&self.token);
        if let Some(body) = body {
            request = request
                .header("content-type", "application/json")
                .body(body.to_string());
        }
        self.deeds.requests += 1;
        let began = Instant::now();
        let answer = request.send().await;
        let text = match answer {
            Ok(answer) => {
                let status = answer.status().as_u16();
                answer.text().await.map(|text| (status, text))
            }
            Err(error) => Err(error),
        };
        if began.elapsed() > STALL {
            let stalled = format!("{method} {path}: {:?}", began.elapsed());
            self.deeds.verdict.stalled.push(stalled);
        }
        match text {
            Ok((status, text)) if status == wanted => Some(serde_json::from_str(&text).unwrap_or_default()),
            Ok((status, text)) => {
                self.deeds
                    .verdict
                    .failed
                    .push(format!("{method} {path}: {status} {text}"));
                None
            }
            Err(error) => {
                self.deeds
                    .verdict
                    .failed
                    .push(format!("{method} {path}: {error:?}"));
                None
            }
        }
    }
}

/// A build of phase II: it names its columns, prepares its statements once and knows nothing of revisions.
async fn old_build(address: String, user: String, stop: Arc<AtomicBool>) -> Deeds {
    let mut deeds = Deeds {
        user: user.clone(),
        ..Deeds::default()
    };
    let (client, connection) = tokio_postgres::connect(&address, NoTls).await.unwrap();
    let connection = tokio::spawn(connection);
    client
        .execute(
            "INSERT INTO users (id, email) VALUES ($1, $2)",
            &[&user, &format!("{user}@example.org")],
        )
        .await
        .unwrap();
    let insert = client
        .prepare("INSERT INTO tasks (user_id, title, description, completed) VALUES ($1, $2, NULL, false) RETURNING id")
        .await
        .unwrap();
    let read = client
        .prepare("SELECT title FROM tasks WHERE id = $1")
        .await
        .unwrap();
    let change = client
        .prepare("UPDATE tasks SET completed = true WHERE id = $1")
        .await
        .unwrap();
    let mut round = 0_u32;
    while !stop.load(Ordering::Relaxed) {
        round += 1;
        let title = format!("{user} {round}");
        let began = Instant::now();
        let done: Result<String, tokio_postgres::Error> = async {
            let id: i32 = client.query_one(&insert, &[&user, &title]).await?.get(0);
            deeds.titles.push(title);
            client.execute(&change, &[&id]).await?;
            Ok(client.query_one(&read, &[&id]).await?.get(0))
        }
        .await;
        deeds.requests += 3;
        if began.elapsed() > STALL {
            deeds
                .verdict
                .stalled
                .push(format!("the old build: {:?}", began.elapsed()));
        }
        if let Err(error) = done {
            deeds.verdict.failed.push(format!("the old build: {error:?}"));
        }
    }
    drop(client);
    connection.await.unwrap().unwrap();
    deeds
}
