//! A running service with a database of its own, and a client to talk to it.

use std::collections::HashSet;
use std::ops::Deref;
use std::sync::Arc;
use std::time::Duration;

use api::settings::{CommandLine, Settings};
use api::{Clock, Server, development_token};
use clap::Parser;
use migration::Migrator;
use reqwest::header::{HeaderMap, HeaderName};
use reqwest::{Client, Method, StatusCode};
use seaworthy::command::{self, Conduct, Living, OutOfOrder};
use seaworthy::environment::Environment;
use seaworthy::revision::Stage;
use seaworthy::runner::Observer;
use seaworthy::session::{Access, Session};
use seaworthy::verify::ScratchDatabase;
use serde_json::Value;
use tokio_util::sync::CancellationToken;

/// What the clocks of all sites show: 2026-03-01T12:00:00Z.
pub(crate) const NOW: i64 = 1_772_366_400;
/// What tokens are signed with.
pub(crate) const SECRET: &str = "Vq0k3ZpW7sYtR1mC9xLbN5hJ8uGfD2aE";

/// What everybody's password is.
pub(crate) const PASSWORD: &str = "Sturdy7hull";

/// A running service with a database of its own.
pub(crate) struct Site {
    pub(crate) server: Server,
    pub(crate) database: Arc<ScratchDatabase>,
    pub(crate) settings: Settings,
    client: Client,
}

/// A second service on the database of a site.
pub(crate) struct Beside(Site);

impl Beside {
    pub(crate) async fn stop(self) {
        self.0.server.stop().await.unwrap();
    }
}

impl Deref for Beside {
    type Target = Site;

    fn deref(&self) -> &Site {
        &self.0
    }
}

/// An answer, read to its end.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) status: StatusCode,
    pub(crate) headers: HeaderMap,
    pub(crate) text: String,
}

impl Answer {
    pub(crate) fn json(&self) -> Value {
        serde_json::from_str(&self.text).unwrap_or_else(|_| panic!("no JSON: {} {}", self.status, self.text))
    }

    pub(crate) fn header(&self, name: &str) -> &str {
        self.headers.get(name).map_or("", |value| value.to_str().unwrap())
    }

    /// Whether the answer says that it is another one for another value of a header.
    pub(crate) fn varies_by(&self, name: &str) -> bool {
        let vary = self.headers.get_all("vary").iter();
        vary.flat_map(|value| value.to_str().unwrap().split(','))
            .any(|other| other.trim() == name)
    }

    /// Returns the code of a problem.
    pub(crate) fn code(&self) -> String {
        assert_eq!(
            self.header("content-type"),
            "application/problem+json",
            "{self:?}"
        );
        self.json()["code"].as_str().unwrap().to_owned()
    }

    /// Fails unless the status is this one.
    pub(crate) fn expect(self, status: u16) -> Self {
        assert_eq!(self.status.as_u16(), status, "{}", self.text);
        self
    }
}

/// Runs a test on a service at a revision, once for each kind of database.
pub(crate) async fn on_each(revision: &str, test: impl AsyncFn(&Site)) {
    for database in databases().await {
        let site = Site::open(database, revision, &[]).await;
        test(&site).await;
        site.close().await;
    }
}

#[expect(
    clippy::disallowed_methods,
    reason = "a test has no settings but these two variables"
)]
pub(crate) async fn databases() -> Vec<ScratchDatabase> {
    let mut databases = vec![ScratchDatabase::sqlite(&std::env::temp_dir()).unwrap()];
    match std::env::var("TEST_POSTGRES_URL") {
        Ok(server) => databases.push(ScratchDatabase::postgres(&server).await.unwrap()),
        Err(_) if std::env::var("SEAWORTHY_SQLITE_ONLY").is_ok() => {}
        Err(_) => panic!("TEST_POSTGRES_URL names no server; scripts/test starts one"),
    }
    databases
}

pub(crate) fn settings(address: &str, more: &[&str]) -> Settings {
    let arguments = [
        "api",
        "--port",
        "0",
        "--drain-seconds",
        "0",
        "--better-auth-secret",
        SECRET,
        "--database-url",
        address,
    ];
    // A test sends more than a person does; those about limits set their own.
    let unlimited = [
        "--rate-write",
        "--rate-read",
        "--rate-auth",
        "--rate-anonymous",
        "--rate-page",
    ];
    let unlimited: Vec<&str> = unlimited
        .iter()
        .filter(|name| !more.contains(*name))
        .flat_map(|name| [*name, "off"])
        .collect();
    CommandLine::try_parse_from(arguments.iter().chain(&unlimited).chain(more))
        .unwrap()
        .settings
}

impl Site {
    /// Returns the least number of statements that a request costs, sent several times with the number of the attempt.
    ///
    /// A look at the schema, which is made every second, counts too: there are more attempts than it has statements.
    pub(crate) async fn least_statements(&self, mut request: impl AsyncFnMut(usize)) -> u64 {
        let mut least = u64::MAX;
        for attempt in 0..8 {
            let before = self.server.statements();
            request(attempt).await;
            least = least.min(self.server.statements() - before);
        }
        least
    }

    pub(crate) async fn open(database: ScratchDatabase, revision: &str, more: &[&str]) -> Self {
        Self::open_by(database, revision, more, Clock::fixed(NOW)).await
    }

    /// The same with a clock of one's own.
    pub(crate) async fn open_by(
        database: ScratchDatabase,
        revision: &str,
        more: &[&str],
        clock: Clock,
    ) -> Self {
        // What the service calls an error belongs into the report of a test that fails; only the first site can say so.
        drop(
            tracing_subscriber::fmt()
                .with_max_level(tracing::Level::ERROR)
                .with_test_writer()
                .try_init(),
        );
        migrate(&database, revision).await;
        let settings = settings(database.address(), more);
        let server = Server::start(&settings, clock).await.unwrap();
        Self {
            server,
            database: Arc::new(database),
            settings,
            client: Client::builder()
                .timeout(Duration::from_secs(20))
                .build()
                .unwrap(),
        }
    }

    /// Returns a second service on the same database; whoever takes it stops it.
    pub(crate) fn beside(&self, server: Server) -> Beside {
        Beside(Self {
            server,
            database: Arc::clone(&self.database),
            settings: self.settings.clone(),
            client: self.client.clone(),
        })
    }

    pub(crate) async fn close(self) {
        self.server.stop().await.unwrap();
        Arc::into_inner(self.database).unwrap().remove().await.unwrap();
    }

    pub(crate) fn is_postgres(&self) -> bool {
        self.database.address().starts_with("postgres")
    }

    pub(crate) fn url(&self, path: &str) -> String {
        format!("http://{}{path}", self.server.address())
    }

    pub(crate) fn token(&self, user: &str) -> String {
        development_token(
            &self.settings,
            &Clock::system(),
            user,
            &format!("{user}@example.org"),
        )
        .unwrap()
    }

    /// Sends a request as somebody.
    pub(crate) async fn send(&self, user: &str, method: Method, path: &str, body: Option<Value>) -> Answer {
        self.send_with(user, method, path, body, &[]).await
    }

    /// The same with further headers.
    pub(crate) async fn send_with(
        &self,
        user: &str,
        method: Method,
        path: &str,
        body: Option<Value>,
        headers: &[(&str, &str)],
    ) -> Answer {
        let body = body.map(|body| (body.to_string(), "application/json"));
        self.send_raw(Some(&self.token(user)), method, path, body, headers)
            .await
    }

    /// Sends a request with any token and any body.
    pub(crate) async fn send_raw(
        &self,
        token: Option<&str>,
        method: Method,
        path: &str,
        body: Option<(String, &str)>,
        headers: &[(&str, &str)],
    ) -> Answer {
        let mut request = self.client.request(method, self.url(path));
        if let Some(token) = token {
            request = request.header("authorization", format!("Bearer {token}"));
        }
        if let Some((body, kind)) = body {
            request = request.header("content-type", kind).body(body);
        }
        for (name, value) in headers {
            request = request.header(HeaderName::from_bytes(name.as_bytes()).unwrap(), *value);
        }
        let response = request.send().await.unwrap();
        Answer {
            status: response.status(),
            headers: response.headers().clone(),
            text: response.text().await.unwrap(),
        }
    }

    /// Sends a request with any token.
    pub(crate) async fn with_token(
        &self,
        token: &str,
        method: Method,
        path: &str,
        body: Option<Value>,
    ) -> Answer {
        let body = body.map(|body| (body.to_string(), "application/json"));
        self.send_raw(Some(token), method, path, body, &[]).await
    }

    /// Sends a body without a token.
    pub(crate) async fn post_unsigned(&self, path: &str, body: Value) -> Answer {
        let body = Some((body.to_string(), "application/json"));
        self.send_raw(None, Method::POST, path, body, &[]).await
    }

    /// Makes an account and returns its token.
    pub(crate) async fn register(&self, email: &str) -> String {
        let body = serde_json::json!({"email": email, "password": PASSWORD});
        let made = self
            .post_unsigned("/api/v1/auth/register", body)
            .await
            .expect(201);
        made.json()["token"].as_str().unwrap().to_owned()
    }

    /// Signs in and returns the token.
    pub(crate) async fn login(&self, email: &str) -> String {
        let body = serde_json::json!({"email": email, "password": PASSWORD});
        let made = self.post_unsigned("/api/v1/auth/login", body).await.expect(200);
        made.json()["token"].as_str().unwrap().to_owned()
    }

    pub(crate) async fn get(&self, user: &str, path: &str) -> Answer {
        self.send(user, Method::GET, path, None).await
    }

    pub(crate) async fn post(&self, user: &str, path: &str, body: Value) -> Answer {
        self.send(user, Method::POST, path, Some(body)).await
    }

    pub(crate) async fn patch(&self, user: &str, path: &str, body: Value) -> Answer {
        self.send(user, Method::PATCH, path, Some(body)).await
    }

    /// Makes a task and returns its path.
    pub(crate) async fn task(&self, user: &str, body: Value) -> String {
        let made = self.post(user, "/api/v1/tasks", body).await.expect(201);
        made.header("location").to_owned()
    }

    /// Sends SQL past the service.
    pub(crate) async fn sql(&self, sql: &str) {
        let session = Session::open(self.database.url(), &Default::default(), Access::Write)
            .await
            .unwrap();
        session.send(sql).await.unwrap();
        session.close().await;
    }

    /// Returns the first column of what SQL finds past the service, with commas.
    pub(crate) async fn texts(&self, sql: &str) -> String {
        let session = Session::open(self.database.url(), &Default::default(), Access::Read)
            .await
            .unwrap();
        let rows = session.rows(sql).await.unwrap();
        session.close().await;
        let texts = rows.iter().map(|row| row.try_get_by_index::<String>(0).unwrap());
        texts.collect::<Vec<_>>().join(", ")
    }
}

/// Returns the ids of all revisions, oldest first.
pub(crate) fn ids() -> Vec<String> {
    let revisions = Migrator::revisions();
    let headers = revisions.iter().filter_map(|revision| revision.header());
    headers.map(|header| header.id.to_string()).collect()
}

/// Returns the revisions that are applied when these are the newest: `003`, or several joined by `+`.
pub(crate) fn applied(heads: &str) -> HashSet<String> {
    let mut applied = HashSet::new();
    let mut waiting: Vec<String> = match heads {
        "base" => Vec::new(),
        "head" => ids().pop().into_iter().collect(),
        heads => heads.split('+').map(str::to_owned).collect(),
    };
    let revisions = Migrator::revisions();
    while let Some(id) = waiting.pop() {
        let header = revisions
            .iter()
            .filter_map(|revision| revision.header())
            .find(|header| header.id.as_str() == id);
        waiting.extend(header.unwrap().revises.iter().map(ToString::to_string));
        applied.insert(id);
    }
    applied
}

/// Brings a database up or down to a revision, which may be `base` or `head`; returns the newest ones that it has then, joined by
/// `+`.
pub(crate) async fn migrate(database: &ScratchDatabase, revision: &str) -> String {
    let environment = Environment::new(Migrator::revisions()).database(database.url().clone());
    let before = applied(&heads(&environment).await);
    let conduct = conduct(Living::Ignore);
    let target = revision.parse().unwrap();
    if revision != "base" && !applied(revision).is_subset(&before) {
        command::upgrade(&environment, &target, OutOfOrder::Refuse, &conduct)
            .await
            .unwrap();
    } else {
        command::downgrade(&environment, &target, &conduct).await.unwrap();
    }
    heads(&environment).await
}

/// Returns the newest revisions that a database has, in the order of the list.
async fn heads(environment: &Environment) -> String {
    let current = command::current(environment).await.unwrap();
    let lines = current.revisions.iter();
    let found: Vec<String> = lines.map(|line| line.revision.revision.to_string()).collect();
    let ordered: Vec<String> = ids().into_iter().filter(|id| found.contains(id)).collect();
    match ordered.is_empty() {
        true => "base".to_owned(),
        false => ordered.join("+"),
    }
}

/// Returns how the tests migrate.
pub(crate) fn conduct(living: Living) -> Conduct<'static> {
    Conduct {
        wait: Duration::from_secs(10),
        retries: 20,
        stop: CancellationToken::new(),
        observer: &Silent,
        waiting: &|_, _| {},
        through: Stage::Contract,
        living,
        consent: &|_| true,
    }
}

struct Silent;

impl Observer for Silent {}
