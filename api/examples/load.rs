//! Measures the service beside the floor, in turns, and prints the tables of `docs/performance.md`.
//!
//! `load API FLOOR [SECONDS] [ROUNDS]`, with `TEST_POSTGRES_URL`; `scripts/bench api` builds and starts it. Both servers are
//! pinned to the first core. CPU seconds are those of the server's process, as the kernel counts them.
#![expect(clippy::unwrap_used, reason = "whoever measures wants to see what went wrong")]
#![expect(
    clippy::disallowed_methods,
    reason = "there are no settings but this variable"
)]
#![expect(clippy::print_stdout, reason = "the tables are what it is for")]

use std::fs;
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::{Duration, Instant};

use migration::Migrator;
use sea_orm::{ConnectionTrait, Database};
use sea_orm_migration::MigratorTrait;
use seaworthy::verify::ScratchDatabase;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

const SECRET: &str = "Vq0k3ZpW7sYtR1mC9xLbN5hJ8uGfD2aE";
const PORTS: [u16; 2] = [18_431, 18_432];
/// Connections that ask as fast as they are answered.
const CLIENTS: usize = 16;
/// Requests a second of the open loop.
const RATE: u32 = 200;
const OPERATIONS: [&str; 5] = ["list", "get", "create", "merge-patch", "complete"];

struct Server {
    child: Child,
    port: u16,
    started_in: Duration,
    token: String,
}

#[derive(Default, Clone)]
struct Measured {
    /// Milliseconds of CPU for a thousand requests.
    cpu: f64,
    rate: f64,
    p50: f64,
    p99: f64,
}

#[tokio::main(flavor = "current_thread")]
async fn main() {
    let arguments: Vec<String> = std::env::args().collect();
    let number =
        |index: usize, default: u64| arguments.get(index).map_or(default, |text| text.parse().unwrap());
    let length = Duration::from_secs(number(3, 2));
    let rounds = usize::try_from(number(4, 3)).unwrap();
    let postgres = std::env::var("TEST_POSTGRES_URL").unwrap();
    let folder = std::env::temp_dir();
    for (name, scratch) in [
        ("PostgreSQL", ScratchDatabase::postgres(&postgres).await.unwrap()),
        ("SQLite", ScratchDatabase::sqlite(&folder).unwrap()),
    ] {
        fill(&scratch).await;
        let servers = [&arguments[1], &arguments[2]]
            .into_iter()
            .zip(PORTS)
            .map(|(program, port)| start(program, &arguments[1], scratch.address(), port))
            .collect::<Vec<_>>();
        let mut ready = Vec::new();
        for server in servers {
            ready.push(until_ready(server).await);
        }
        compare(name, &ready, length, rounds).await;
        growth(name, &ready[0]).await;
        for mut server in ready {
            server.child.kill().unwrap();
            server.child.wait().unwrap();
        }
        scratch.remove().await.unwrap();
    }
}

/// Twenty people with 100 tasks, one with 1,000, and one with 100,000.
async fn fill(scratch: &ScratchDatabase) {
    let is_postgres = scratch.address().starts_with("postgres");
    let mode = if is_postgres { "" } else { "?mode=rwc" };
    let connection = Database::connect(format!("{}{mode}", scratch.address()))
        .await
        .unwrap();
    Migrator::up(&connection, None).await.unwrap();
    let (series, date) = match is_postgres {
        true => (
            "SELECT generate_series(1, 103000)",
            "timestamp '2026-01-01' + (g % 977) * interval '1 hour'",
        ),
        false => (
            "WITH RECURSIVE n(g) AS (SELECT 1 UNION ALL SELECT g + 1 FROM n WHERE g < 103000) SELECT g FROM n",
            "datetime('2026-01-01', (g % 977) || ' hours')",
        ),
    };
    let users: Vec<String> = (0..20)
        .map(|number| format!("usr_{number}"))
        .chain(["usr_ada".to_owned(), "usr_much".to_owned()])
        .map(|user| format!("('{user}', '{user}@example.org')"))
        .collect();
    let users = format!("INSERT INTO users (id, email) VALUES {}", users.join(", "));
    let tasks = format!(
        "WITH numbers (g) AS ({series}) INSERT INTO tasks \
         (user_id, title, description, completed, priority, due_date, created_at, updated_at) \
         SELECT CASE WHEN g <= 1000 THEN 'usr_ada' WHEN g <= 3000 THEN 'usr_' || (g % 20) ELSE 'usr_much' END, \
         'Caulk the hull of boat ' || g, 'With oakum, and pitch it afterwards', g % 4 = 0, \
         CASE g % 3 WHEN 0 THEN 'low' WHEN 1 THEN 'medium' ELSE 'high' END, CASE WHEN g % 5 > 0 THEN {date} END, \
         {date}, {date} FROM numbers"
    );
    for sql in [&users, &tasks] {
        connection.execute_unprepared(sql).await.unwrap();
    }
    if is_postgres {
        connection
            .execute_unprepared("VACUUM ANALYZE tasks")
            .await
            .unwrap();
    }
    connection.close().await.unwrap();
}

fn start(program: &str, api: &str, database: &str, port: u16) -> Server {
    let variables = [
        ("DATABASE_URL", database),
        ("BETTER_AUTH_SECRET", SECRET),
        ("PORT", &port.to_string()),
        ("LOG_LEVEL", "warn"),
    ];
    let token = Command::new(api)
        .args(["token", "--user", "usr_ada", "--email", "usr_ada@example.org"])
        .envs(variables)
        .output()
        .unwrap();
    let mut command = Command::new("taskset");
    command.args(["--cpu-list", "0", program]);
    if program == api {
        // One user asks for more than anybody is given.
        command.args(["--rate-write", "off", "--rate-read", "off", "--rate-auth", "off"]);
        command.args(["--rate-anonymous", "off"]);
    }
    let child = command.envs(variables).stdout(Stdio::null()).spawn().unwrap();
    Server {
        child,
        port,
        started_in: Duration::ZERO,
        token: String::from_utf8(token.stdout).unwrap().trim().to_owned(),
    }
}

async fn until_ready(mut server: Server) -> Server {
    let begun = Instant::now();
    while TcpStream::connect(("127.0.0.1", server.port)).await.is_err() {
        assert!(
            begun.elapsed() < Duration::from_secs(20),
            "a server does not start"
        );
        tokio::time::sleep(Duration::from_millis(1)).await;
    }
    server.started_in = begun.elapsed();
    server
}

impl Server {
    fn kernel(&self, file: &str) -> String {
        fs::read_to_string(format!("/proc/{}/{file}", self.child.id())).unwrap()
    }

    /// Returns the seconds of CPU that the process has used; the kernel counts hundredths.
    fn cpu(&self) -> f64 {
        let stat = self.kernel("stat");
        let after = stat.rsplit_once(") ").unwrap().1;
        let ticks: Vec<f64> = after.split(' ').filter_map(|word| word.parse().ok()).collect();
        // The state is no number: fields 14 and 15 of the manual are the eleventh and twelfth here.
        (ticks[10] + ticks[11]) / 100.0
    }

    /// Returns the MiB that the process has at most had in memory.
    fn memory(&self) -> f64 {
        let status = self.kernel("status");
        let line = status.lines().find(|line| line.starts_with("VmHWM")).unwrap();
        line.split_whitespace().nth(1).unwrap().parse::<f64>().unwrap() / 1024.0
    }

    fn request(&self, operation: &str, number: u32) -> Vec<u8> {
        let id = number % 1000 + 1;
        let title = format!("{{\"title\":\"Caulk the hull of boat {number}\"}}");
        let new = "{\"title\":\"Caulk the hull\",\"description\":\"With oakum\",\"priority\":\"high\",\
                   \"due_date\":\"2026-12-01T09:00:00Z\"}";
        let (method, path, body) = match operation {
            "list" => (
                "GET",
                "?limit=50&status=pending&sort=-priority,due_date".to_owned(),
                "",
            ),
            "get" => ("GET", format!("/{id}"), ""),
            "create" => ("POST", String::new(), new),
            "merge-patch" => ("PATCH", format!("/{id}"), title.as_str()),
            "complete" => ("PUT", format!("/{id}/complete"), ""),
            path => ("GET", path.to_owned(), ""),
        };
        let kind = match (method, body.is_empty()) {
            (_, true) => "",
            _ => "Content-Type: application/json\r\n",
        };
        format!(
            "{method} /api/v1/tasks{path} HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer {}\r\n{kind}\
             Content-Length: {}\r\n\r\n{body}",
            self.token,
            body.len()
        )
        .into_bytes()
    }

    async fn connect(&self) -> TcpStream {
        let stream = TcpStream::connect(("127.0.0.1", self.port)).await.unwrap();
        stream.set_nodelay(true).unwrap();
        stream
    }

    /// Asks as fast as it is answered.
    async fn saturate(&self, operation: &str, length: Duration) -> Measured {
        let number = Arc::new(AtomicU32::new(fastrand::u32(..1000)));
        let (before, begun) = (self.cpu(), Instant::now());
        let clients = (0..CLIENTS).map(|_| async {
            let mut stream = self.connect().await;
            let mut times = Vec::new();
            while begun.elapsed() < length {
                let request = self.request(operation, number.fetch_add(1, Ordering::Relaxed));
                let asked = Instant::now();
                exchange(&mut stream, &request).await;
                times.push(asked.elapsed());
            }
            times
        });
        let times = futures_util::future::join_all(clients).await.concat();
        measured(times, begun.elapsed(), self.cpu() - before)
    }

    /// Asks at a fixed rate, whether the answers come or not: a wait counts from when the request was due.
    async fn pace(&self, operation: &str, length: Duration) -> Measured {
        let total = RATE * u32::try_from(length.as_secs()).unwrap();
        let next = AtomicU32::new(0);
        let (before, begun) = (self.cpu(), Instant::now());
        let clients = (0..CLIENTS).map(|_| async {
            let mut stream = self.connect().await;
            let mut times = Vec::new();
            loop {
                let number = next.fetch_add(1, Ordering::Relaxed);
                if number >= total {
                    return times;
                }
                let due = begun + Duration::from_secs(1) / RATE * number;
                tokio::time::sleep_until(due.into()).await;
                exchange(&mut stream, &self.request(operation, number)).await;
                times.push(due.elapsed());
            }
        });
        let times = futures_util::future::join_all(clients).await.concat();
        measured(times, begun.elapsed(), self.cpu() - before)
    }
}

fn measured(mut times: Vec<Duration>, took: Duration, cpu: f64) -> Measured {
    times.sort();
    let at = |share: usize| times[(times.len() - 1) * share / 100].as_secs_f64() * 1000.0;
    let count = f64::from(u32::try_from(times.len()).unwrap());
    Measured {
        cpu: cpu / count * 1_000_000.0,
        rate: count / took.as_secs_f64(),
        p50: at(50),
        p99: at(99),
    }
}

/// Sends a request and reads its answer to the end; fails unless it went well.
async fn exchange(stream: &mut TcpStream, request: &[u8]) -> String {
    stream.write_all(request).await.unwrap();
    let mut answer = Vec::with_capacity(32 * 1024);
    loop {
        assert!(
            stream.read_buf(&mut answer).await.unwrap() > 0,
            "the server hung up"
        );
        let Some(end) = answer.windows(4).position(|window| window == b"\r\n\r\n") else {
            continue;
        };
        let head = String::from_utf8_lossy(&answer[..end]).to_lowercase();
        assert!(
            head.starts_with("http/1.1 2"),
            "{}",
            String::from_utf8_lossy(&answer)
        );
        let length = head
            .split("content-length: ")
            .nth(1)
            .and_then(|rest| rest.lines().next());
        let length: usize = length
            .expect("the answer says how long it is")
            .trim()
            .parse()
            .unwrap();
        if answer.len() >= end + 4 + length {
            return String::from_utf8_lossy(&answer[end + 4..]).into_owned();
        }
    }
}

async fn compare(name: &str, servers: &[Server], length: Duration, rounds: usize) {
    println!(
        "\n| {name} | CPU at saturation, ms per 1,000 | floor | ratio | CPU at {RATE}/s | floor | most per s | floor | p50 / p99 at {RATE}/s, ms | floor |"
    );
    println!("|---|--:|--:|--:|--:|--:|--:|--:|--:|--:|");
    for operation in OPERATIONS {
        let mut full = vec![Vec::new(); 2];
        let mut paced = vec![Vec::new(); 2];
        for _ in 0..rounds {
            for (index, server) in servers.iter().enumerate() {
                full[index].push(server.saturate(operation, length).await);
                paced[index].push(server.pace(operation, length).await);
            }
        }
        let middle = |runs: &[Measured], of: fn(&Measured) -> f64| {
            let mut values: Vec<f64> = runs.iter().map(of).collect();
            values.sort_by(f64::total_cmp);
            values[values.len() / 2]
        };
        let cpu = |index: usize| middle(&full[index], |run| run.cpu);
        let slow = |index: usize| middle(&paced[index], |run| run.cpu);
        let rate = |index: usize| middle(&full[index], |run| run.rate);
        let times = |index: usize| {
            let (p50, p99) = (
                middle(&paced[index], |run| run.p50),
                middle(&paced[index], |run| run.p99),
            );
            format!("{p50:.2} / {p99:.2}")
        };
        println!(
            "| {operation} | {:.0} | {:.0} | {:.2} | {:.0} | {:.0} | {:.0} | {:.0} | {} | {} |",
            cpu(0),
            cpu(1),
            cpu(0) / cpu(1),
            slow(0),
            slow(1),
            rate(0),
            rate(1),
            times(0),
            times(1)
        );
    }
    println!(
        "\nStart: {:.0} ms (floor {:.0}). Memory at most: {:.0} MiB (floor {:.0}).",
        servers[0].started_in.as_secs_f64() * 1000.0,
        servers[1].started_in.as_secs_f64() * 1000.0,
        servers[0].memory(),
        servers[1].memory()
    );
}

/// Compares somebody with a hundred tasks and somebody with a hundred thousand.
async fn growth(name: &str, server: &Server) {
    let token = |user: &str| api_token(server, user);
    let mut rows: Vec<(String, [f64; 2])> = Vec::new();
    for (about, path) in [
        ("first page", "?limit=50"),
        (
            "first page, filtered and sorted",
            "?limit=50&status=pending&sort=-priority,due_date",
        ),
        (
            "page far behind",
            "?limit=25&status=pending&sort=-priority,due_date",
        ),
        ("a word that is in no task", "?q=zzqy"),
        ("a word that is in all tasks", "?q=hull"),
        ("a word of two letters", "?q=zq"),
    ] {
        let mut both = [0.0; 2];
        for (index, user) in ["usr_7", "usr_much"].into_iter().enumerate() {
            let server = Server {
                child: Command::new("true").spawn().unwrap(),
                port: server.port,
                started_in: Duration::ZERO,
                token: token(user),
            };
            let mut stream = server.connect().await;
            let mut path = path.to_owned();
            if about == "page far behind" {
                // Far for each: the last of two pages, and the one behind two hundred.
                for _ in 0..[1, 200][index] {
                    let page = exchange(&mut stream, &server.request(&path, 0)).await;
                    let page: serde_json::Value = serde_json::from_str(&page).unwrap();
                    let cursor = page["next_cursor"].as_str().unwrap();
                    path = format!("?limit=25&status=pending&sort=-priority,due_date&cursor={cursor}");
                }
            }
            let mut times = Vec::new();
            for _ in 0..60 {
                let asked = Instant::now();
                exchange(&mut stream, &server.request(&path, 0)).await;
                times.push(asked.elapsed());
            }
            both[index] = measured(times, Duration::from_secs(1), 0.0).p50;
        }
        rows.push((about.to_owned(), both));
    }
    println!("\n| {name}: p50, ms | 100 tasks | 100,000 tasks |\n|---|--:|--:|");
    for (about, [few, many]) in rows {
        println!("| {about} | {few:.2} | {many:.2} |");
    }
}

fn api_token(server: &Server, user: &str) -> String {
    let program = fs::read_link(format!("/proc/{}/exe", server.child.id())).unwrap();
    let token = Command::new(program)
        .args(["token", "--user", user, "--email", &format!("{user}@example.org")])
        .env("BETTER_AUTH_SECRET", SECRET)
        .output()
        .unwrap();
    String::from_utf8(token.stdout).unwrap().trim().to_owned()
}
