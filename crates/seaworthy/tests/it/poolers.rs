//! Migrating through `PgBouncer`: refused in transaction mode before anything is locked or set, fine in session mode.

use std::fs::{self, Permissions};
use std::io::{BufRead, BufReader, ErrorKind};
use std::os::unix::fs::{MetadataExt, PermissionsExt};
use std::process::{Child, ChildStderr, Command, Stdio};
use std::time::Duration;

use seaworthy::command::{self, OutOfOrder, Purge};
use seaworthy::environment::Environment;
use seaworthy::revision::Stage;
use seaworthy::session::{Access, DatabaseUrl, Session, Settings};
use seaworthy::verify::ScratchDatabase;
use tempfile::TempDir;
use tokio_util::sync::CancellationToken;
use url::Url;

use crate::databases::{
    Person, Sql, current, downgrade, environment, postgres, postgres_server, session, tables, upgrade,
};

/// Where the pooler listens in its folder; the number is only a part of the socket's name.
const SOCKET: u16 = 6432;

/// A `PgBouncer` in front of the server for tests; it ends when this is dropped.
struct Pooler {
    process: Child,
    folder: TempDir,
    /// Kept open: a program that cannot log ends.
    _log: BufReader<ChildStderr>,
}

impl Pooler {
    /// Starts one with these settings and waits until it listens.
    fn start(settings: &str) -> Self {
        let folder = tempfile::tempdir().unwrap();
        fs::set_permissions(folder.path(), Permissions::from_mode(0o777)).unwrap();
        let file = folder.path().join("pgbouncer.ini");
        // It refuses to work as root, and becomes somebody else by itself.
        let user = match fs::metadata(folder.path()).unwrap().uid() {
            0 => "user = nobody",
            _ => "",
        };
        let text = format!(
            "[databases]\n* = {}\n[pgbouncer]\nlisten_port = {SOCKET}\nunix_socket_dir = {}\nauth_type = any\n{user}\n\
             log_connections = 0\nlog_disconnections = 0\nlog_stats = 0\n{settings}\n",
            server(),
            folder.path().display()
        );
        fs::write(&file, text).unwrap();
        let spawn = |program: &str| Command::new(program).arg(&file).stderr(Stdio::piped()).spawn();
        let mut process = match spawn("pgbouncer") {
            // Debian keeps it where only root looks.
            Err(error) if error.kind() == ErrorKind::NotFound => spawn("/usr/sbin/pgbouncer"),
            spawned => spawned,
        }
        .expect("pgbouncer is installed; scripts/test installs it");
        let mut log = BufReader::new(process.stderr.take().unwrap());
        let mut said = String::new();
        while !said.contains("process up") {
            let read = log.read_line(&mut said).unwrap();
            assert_ne!(read, 0, "pgbouncer ended: {said}");
        }
        Self {
            process,
            folder,
            _log: log,
        }
    }

    /// Returns the address of a database by way of the pooler.
    fn url(&self, database: &ScratchDatabase) -> DatabaseUrl {
        let folder = self.folder.path().to_str().unwrap().replace('/', "%2F");
        let own = Url::parse(database.address()).unwrap();
        format!("postgres://somebody@{folder}:{SOCKET}{}", own.path())
            .parse()
            .unwrap()
    }

    async fn session(&self, database: &ScratchDatabase) -> Session {
        Session::open(&self.url(database), &Settings::default(), Access::Read)
            .await
            .unwrap()
    }
}

impl Drop for Pooler {
    fn drop(&mut self) {
        self.process.kill().unwrap();
        self.process.wait().unwrap();
    }
}

/// Returns how the pooler reaches the server, in the words of its file.
fn server() -> String {
    let url = Url::parse(&postgres_server().unwrap()).unwrap();
    let quoted = |text: &str| {
        let text = percent_encoding::percent_decode_str(text).decode_utf8().unwrap();
        format!("'{}'", text.replace('\'', "''"))
    };
    let mut words = vec![
        format!("host={}", quoted(url.host_str().unwrap())),
        format!("port={}", url.port().unwrap_or(5432)),
        format!("user={}", quoted(url.username())),
    ];
    words.extend(
        url.password()
            .map(|password| format!("password={}", quoted(password))),
    );
    words.join(" ")
}

fn line() -> [Sql; 2] {
    [Sql::table("start", None), Sql::table("next", Some("start"))]
}

fn through(pooler: &Pooler, database: &ScratchDatabase, revisions: &[Sql]) -> Environment {
    let mut environment = environment(database, revisions);
    environment.database = Some(pooler.url(database));
    environment
}

/// Returns how many advisory locks there are in a database.
async fn advisory_locks(session: &Session) -> i64 {
    let sql = "SELECT count(*) AS locks FROM pg_locks WHERE locktype = 'advisory' AND database = \
               (SELECT oid FROM pg_database WHERE datname = current_database())";
    session.rows(sql).await.unwrap()[0].try_get("", "locks").unwrap()
}

/// Waits until there are so many advisory locks in a database.
async fn until_locks_are(session: &Session, expected: i64) {
    let waited = tokio::time::timeout(Duration::from_secs(20), async {
        while advisory_locks(session).await != expected {
            tokio::task::yield_now().await;
        }
    });
    waited
        .await
        .unwrap_or_else(|_| panic!("there never were {expected} locks"));
}

/// Runs a verb that takes the lock, and returns the kind of its error.
async fn refusal(environment: &Environment, verb: &str) -> &'static str {
    let head = "head".parse().unwrap();
    let error = Person::agreeing()
        .run(async |conduct| match verb {
            "upgrade" => command::upgrade(environment, &head, OutOfOrder::Refuse, conduct)
                .await
                .map(drop),
            "up" => command::up(environment, None, OutOfOrder::Refuse, conduct)
                .await
                .map(drop),
            "downgrade" => {
                let base = "base".parse().unwrap();
                command::downgrade(environment, &base, conduct).await.map(drop)
            }
            "down" => command::down(environment, Some(1), conduct).await.map(drop),
            "stamp" => command::stamp(environment, &[head], Purge::Keep, conduct)
                .await
                .map(drop),
            "fresh" => command::fresh(environment, conduct).await.map(drop),
            "refresh" => command::refresh(environment, conduct).await.map(drop),
            "reset" => command::reset(environment, conduct).await.map(drop),
            other => panic!("{other} is no verb"),
        })
        .await
        .unwrap_err();
    assert_eq!(error.category(), command::Category::Refused, "{verb}: {error:#?}");
    assert!(error.hint().unwrap().contains("session mode"));
    error.kind()
}

#[tokio::test]
async fn a_pooler_is_found_before_the_lock_is_taken() {
    let Some(database) = postgres().await else { return };
    let pooler = Pooler::start("pool_mode = transaction");
    let direct = environment(&database, &line());
    upgrade(&direct, "start").await.unwrap();
    let pooled = through(&pooler, &database, &line());
    let watcher = session(&database).await;
    for verb in [
        "upgrade",
        "up",
        "downgrade",
        "down",
        "stamp",
        "fresh",
        "refresh",
        "reset",
    ] {
        assert_eq!(refusal(&pooled, verb).await, "pooled", "{verb}");
        assert_eq!(advisory_locks(&watcher).await, 0, "{verb}");
        assert_eq!(tables(&database).await, ["t_start"], "{verb}");
    }
    let plan = command::plan(&pooled, &"head".parse().unwrap(), Stage::Contract)
        .await
        .unwrap();
    assert!(plan.survey.unwrap().is_pooled);

    // Whoever gets one of these server connections next finds it as it was.
    let next = pooler.session(&database).await;
    let limits =
        "SELECT current_setting('lock_timeout') || ' ' || current_setting('statement_timeout') AS limits";
    let rows = next.rows(limits).await.unwrap();
    assert_eq!(rows[0].try_get::<String>("", "limits").unwrap(), "0 0");
    next.close().await;

    upgrade(&direct, "head").await.unwrap();
    let plan = command::plan(&direct, &"base".parse().unwrap(), Stage::Contract)
        .await
        .unwrap();
    assert!(!plan.survey.unwrap().is_pooled);
    watcher.close().await;
    drop(pooler);
    database.remove().await.unwrap();
}

#[tokio::test]
async fn a_pooler_that_is_busy_or_takes_turns_is_found() {
    for settings in [
        "pool_mode = transaction\ndefault_pool_size = 4",
        "pool_mode = transaction\ndefault_pool_size = 3\nserver_round_robin = 1",
        "pool_mode = transaction\ndefault_pool_size = 1",
        "pool_mode = transaction\nserver_reset_query_always = 1",
        "pool_mode = statement",
    ] {
        let Some(database) = postgres().await else { return };
        let pooler = Pooler::start(settings);
        let pooled = through(&pooler, &database, &line());
        let done = CancellationToken::new();
        let mut clients = Vec::new();
        for _ in 0..6 {
            let (client, done) = (pooler.session(&database).await, done.clone());
            clients.push(tokio::spawn(async move {
                while !done.is_cancelled() {
                    client.send("SELECT pg_sleep(0.003)").await.unwrap();
                }
                client.close().await;
            }));
        }
        for _ in 0..5 {
            assert_eq!(refusal(&pooled, "upgrade").await, "pooled", "{settings}");
        }
        done.cancel();
        for client in clients {
            client.await.unwrap();
        }
        let watcher = session(&database).await;
        assert_eq!(advisory_locks(&watcher).await, 0, "{settings}");
        watcher.close().await;
        drop(pooler);
        database.remove().await.unwrap();
    }
}

#[tokio::test]
async fn a_pooler_in_session_mode_is_as_good_as_the_server() {
    let Some(database) = postgres().await else { return };
    let pooler = Pooler::start("pool_mode = session");
    let pooled = through(&pooler, &database, &line());
    upgrade(&pooled, "head").await.unwrap();
    assert_eq!(tables(&database).await, ["t_next", "t_start"]);
    downgrade(&pooled, "-1").await.unwrap();
    Person::agreeing()
        .run(async |conduct| command::stamp(&pooled, &["head".parse().unwrap()], Purge::Keep, conduct).await)
        .await
        .unwrap();
    assert_eq!(current(&pooled).await, ["next"]);
    let watcher = session(&database).await;
    assert_eq!(advisory_locks(&watcher).await, 0);
    watcher.close().await;
    drop(pooler);
    database.remove().await.unwrap();
}

/// Here the server's connection goes on when ours ends: only giving the lock back by its name frees it.
#[tokio::test]
async fn the_lock_is_given_back_by_its_name_however_a_run_ends() {
    let Some(database) = postgres().await else { return };
    let pooler = Pooler::start("pool_mode = session\nserver_reset_query =");
    let watcher = session(&database).await;

    let fails = Sql::new("fails", None, &["SELECT 1 / 0"], &[]);
    let error = upgrade(&through(&pooler, &database, &[fails]), "head")
        .await
        .unwrap_err();
    assert_eq!(error.kind(), "step_failed");
    assert_eq!(advisory_locks(&watcher).await, 0, "after an error");

    let sleeps = through(
        &pooler,
        &database,
        &[Sql::new("sleeps", None, &["SELECT pg_sleep(60)"], &[])],
    );
    let stop = CancellationToken::new();
    let stopping = async {
        until_locks_are(&watcher, 1).await;
        stop.cancel();
    };
    let head = "head".parse().unwrap();
    let person = Person::default();
    let running = person.watch(&Silent, stop.clone(), async |conduct| {
        command::upgrade(&sleeps, &head, OutOfOrder::Refuse, conduct).await
    });
    let (stopped, ()) = tokio::join!(running, stopping);
    assert_eq!(stopped.unwrap_err().kind(), "stopped");
    // One that was stopped while it was still taking the lock gives it back in the background.
    until_locks_are(&watcher, 0).await;

    tokio::select! {
        ended = upgrade(&sleeps, "head") => panic!("it did not sleep: {ended:?}"),
        () = until_locks_are(&watcher, 1) => {}
    }
    until_locks_are(&watcher, 0).await;

    let worker = pooler.session(&database).await;
    let locked = worker
        .lock("versions", "test", "tester", Duration::ZERO, &|_, _| {})
        .await
        .unwrap();
    assert_eq!(advisory_locks(&watcher).await, 1);
    drop(locked);
    until_locks_are(&watcher, 0).await;
    worker.close().await;
    watcher.close().await;
    drop(pooler);
    database.remove().await.unwrap();
}

struct Silent;

impl seaworthy::runner::Observer for Silent {}
