//! Databases and revisions for tests: the same test on both databases, revisions made of plain SQL.

use std::sync::Mutex;
use std::time::Duration;

use futures_util::future::BoxFuture;
use sea_orm_migration::prelude::*;
use seaworthy::backfill::Backfill;
use seaworthy::command::{self, CommandError, Conduct, Living, OutOfOrder, Outcome, Stakes};
use seaworthy::environment::Environment;
use seaworthy::revision::{Accepted, Header, Revision, Stage};
use seaworthy::runner::Observer;
use seaworthy::session::{Access, Session, Settings};
use seaworthy::verify::ScratchDatabase;
use tokio_util::sync::CancellationToken;

/// A revision made of SQL text.
#[derive(Clone, Debug)]
pub(crate) struct Sql {
    header: Header,
    up: Vec<String>,
    down: Vec<String>,
    transaction: Option<bool>,
    backfills: Vec<Backfill>,
}

impl Sql {
    /// A revision that makes a table of its own name, on top of `parent`.
    pub(crate) fn table(id: &str, parent: Option<&str>) -> Self {
        let create = format!("CREATE TABLE t_{id} (id integer PRIMARY KEY, note text)");
        Self::new(id, parent, &[&create], &[&format!("DROP TABLE t_{id}")])
    }

    pub(crate) fn new(id: &str, parent: Option<&str>, up: &[&str], down: &[&str]) -> Self {
        let header = Header::new(id)
            .name(format!("m_{id}"))
            .message(format!("make {id}"));
        let header = match parent {
            Some(parent) => header.revises(parent),
            None => header,
        };
        let owned = |lines: &[&str]| lines.iter().map(|&line| line.to_owned()).collect();
        Self {
            header,
            up: owned(up),
            down: owned(down),
            transaction: None,
            backfills: Vec::new(),
        }
    }

    /// A revision that works a backfill off.
    pub(crate) fn backfill(id: &str, parent: &str, backfill: Backfill) -> Self {
        let mut revision = Self::new(id, Some(parent), &[], &[]).without_transaction();
        revision.backfills.push(backfill);
        revision
    }

    /// The same, needing a backfill.
    pub(crate) fn requires_backfill(mut self, name: &str) -> Self {
        self.header = self.header.requires_backfill(name);
        self
    }

    /// The same in a stage.
    pub(crate) fn stage(mut self, stage: Stage) -> Self {
        self.header = self.header.stage(stage);
        self
    }

    /// The same with a hazard that is taken knowingly.
    pub(crate) fn accepts(mut self, accepted: Accepted) -> Self {
        self.header = self.header.accepts(accepted);
        self
    }

    /// The same with a declaration of what it removes.
    pub(crate) fn removes(mut self, what: &str) -> Self {
        self.header = self.header.removes(what);
        self
    }

    /// The same that cannot be undone.
    pub(crate) fn irreversible(mut self, reason: &str) -> Self {
        self.header = self.header.irreversible(reason);
        self
    }

    /// The same without a transaction around it.
    pub(crate) fn without_transaction(mut self) -> Self {
        self.transaction = Some(false);
        self
    }
}

impl MigrationName for Sql {
    fn name(&self) -> &str {
        &self.header.name
    }
}

impl Revision for Sql {
    fn header(&self) -> Option<Header> {
        Some(self.header.clone())
    }

    fn backfills(&self) -> Vec<Backfill> {
        self.backfills.clone()
    }
}

#[async_trait::async_trait]
impl MigrationTrait for Sql {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        for statement in &self.up {
            manager.get_connection().execute_unprepared(statement).await?;
        }
        for backfill in &self.backfills {
            backfill.run(manager).await?;
        }
        Ok(())
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        for statement in &self.down {
            manager.get_connection().execute_unprepared(statement).await?;
        }
        Ok(())
    }

    fn use_transaction(&self) -> Option<bool> {
        self.transaction
    }
}

/// What a revision of code does.
pub(crate) type Act = for<'a> fn(&'a SchemaManager<'a>) -> BoxFuture<'a, Result<(), DbErr>>;

/// A revision made of code.
pub(crate) struct Code {
    header: Header,
    up: Act,
    down: Act,
    transaction: Option<bool>,
}

impl Code {
    /// A revision that does nothing yet, on top of `parent`.
    pub(crate) fn new(id: &str, parent: Option<&str>) -> Self {
        let header = Header::new(id).name(format!("m_{id}"));
        let nothing: Act = |_| Box::pin(async { Ok(()) });
        Self {
            header: parent.into_iter().fold(header, Header::revises),
            up: nothing,
            down: nothing,
            transaction: None,
        }
    }

    /// The same that does this on its way up.
    pub(crate) fn up(mut self, act: Act) -> Self {
        self.up = act;
        self
    }

    /// The same that does this on its way down.
    pub(crate) fn down(mut self, act: Act) -> Self {
        self.down = act;
        self
    }

    /// The same with another header.
    pub(crate) fn header(mut self, change: impl FnOnce(Header) -> Header) -> Self {
        self.header = change(self.header);
        self
    }

    /// The same without a transaction around it.
    pub(crate) fn without_transaction(mut self) -> Self {
        self.transaction = Some(false);
        self
    }
}

impl MigrationName for Code {
    fn name(&self) -> &str {
        &self.header.name
    }
}

impl Revision for Code {
    fn header(&self) -> Option<Header> {
        Some(self.header.clone())
    }
}

#[async_trait::async_trait]
impl MigrationTrait for Code {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        (self.up)(manager).await
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        (self.down)(manager).await
    }

    fn use_transaction(&self) -> Option<bool> {
        self.transaction
    }
}

/// Returns an environment for revisions of any kind on a database.
pub(crate) fn environment_of(database: &ScratchDatabase, revisions: Vec<Box<dyn Revision>>) -> Environment {
    Environment::new(revisions).database(database.url().clone())
}

/// Returns one empty database of each kind.
///
/// Without a PostgreSQL server this fails, unless leaving PostgreSQL out was asked for.
pub(crate) async fn databases() -> Vec<ScratchDatabase> {
    let mut databases = vec![ScratchDatabase::sqlite(&std::env::temp_dir()).unwrap()];
    databases.extend(postgres().await);
    databases
}

/// Returns an empty PostgreSQL database, or nothing when leaving PostgreSQL out was asked for.
pub(crate) async fn postgres() -> Option<ScratchDatabase> {
    match postgres_server() {
        Some(server) => Some(ScratchDatabase::postgres(&server).await.unwrap()),
        None => None,
    }
}

/// Returns the PostgreSQL server for tests, or nothing when leaving PostgreSQL out was asked for.
#[expect(
    clippy::disallowed_methods,
    reason = "a test has no settings but these two variables"
)]
pub(crate) fn postgres_server() -> Option<String> {
    match std::env::var("TEST_POSTGRES_URL") {
        Ok(server) => Some(server),
        Err(_) if std::env::var("SEAWORTHY_SQLITE_ONLY").is_ok() => None,
        Err(_) => panic!("TEST_POSTGRES_URL names no server; scripts/test starts one"),
    }
}

/// Returns an environment for some revisions on a database.
pub(crate) fn environment(database: &ScratchDatabase, revisions: &[Sql]) -> Environment {
    let boxed = revisions
        .iter()
        .map(|revision| Box::new(revision.clone()) as Box<dyn Revision>)
        .collect();
    let mut environment = Environment::new(boxed).database(database.url().clone());
    environment.actor.user = Some("tester".to_owned());
    environment.actor.host = Some("testhost".to_owned());
    environment
}

/// Returns a session on a database, for looking at it.
pub(crate) async fn session(database: &ScratchDatabase) -> Session {
    Session::open(database.url(), &Settings::default(), Access::Write)
        .await
        .unwrap()
}

/// Returns the names of the tables that begin with `t_`, sorted.
pub(crate) async fn tables(database: &ScratchDatabase) -> Vec<String> {
    let session = session(database).await;
    let sql = match session.backend() {
        sea_orm::DbBackend::Postgres => {
            "SELECT tablename::text AS name FROM pg_tables WHERE schemaname = 'public' AND tablename LIKE 't\\_%' ORDER BY 1"
        }
        _ => {
            "SELECT name FROM sqlite_master WHERE type = 'table' AND name LIKE 't\\_%' ESCAPE '\\' ORDER BY 1"
        }
    };
    let rows = session.rows(sql).await.unwrap();
    let names = rows.iter().map(|row| row.try_get("", "name").unwrap()).collect();
    session.close().await;
    names
}

/// Sends statements to a database.
pub(crate) async fn send(database: &ScratchDatabase, sql: &str) {
    let session = session(database).await;
    session.send(sql).await.unwrap();
    session.close().await;
}

/// Keeps what a command wanted to know consent for, and answers as it was told.
#[derive(Debug, Default)]
pub(crate) struct Person {
    agrees: bool,
    pub(crate) asked: Mutex<Vec<Stakes>>,
}

impl Person {
    pub(crate) fn agreeing() -> Self {
        Self {
            agrees: true,
            ..Self::default()
        }
    }

    /// Returns all that this person was asked, in small letters.
    pub(crate) fn question(&self) -> String {
        let asked = self.asked.lock().unwrap();
        let asked: Vec<String> = asked
            .iter()
            .map(|stakes| stakes.to_string().to_lowercase())
            .collect();
        asked.join("; ")
    }

    /// Runs a command as this person.
    pub(crate) async fn run<T>(&self, command: impl AsyncFnOnce(&Conduct<'_>) -> T) -> T {
        self.watch(&Silent, CancellationToken::new(), command).await
    }

    /// Runs a command as this person, with somebody who watches and somebody who may stop it.
    pub(crate) async fn watch<T>(
        &self,
        observer: &dyn Observer,
        stop: CancellationToken,
        command: impl AsyncFnOnce(&Conduct<'_>) -> T,
    ) -> T {
        let conduct = Conduct {
            wait: Duration::from_secs(5),
            retries: 2,
            stop,
            observer,
            waiting: &|_, _| {},
            through: Stage::Contract,
            living: Living::Heed,
            consent: &|stakes| {
                self.asked.lock().unwrap().push(stakes.clone());
                self.agrees
            },
        };
        command(&conduct).await
    }
}

struct Silent;

impl Observer for Silent {}

/// Upgrades to a target, agreeing to nothing special.
pub(crate) async fn upgrade(environment: &Environment, target: &str) -> Result<Outcome, CommandError> {
    let target = target.parse().unwrap();
    Person::default()
        .run(async |conduct| command::upgrade(environment, &target, OutOfOrder::Refuse, conduct).await)
        .await
}

/// Upgrades to a target, agreeing to every loss.
pub(crate) async fn upgrade_giving_up(
    environment: &Environment,
    target: &str,
) -> Result<Outcome, CommandError> {
    let target = target.parse().unwrap();
    Person::agreeing()
        .run(async |conduct| command::upgrade(environment, &target, OutOfOrder::Refuse, conduct).await)
        .await
}

/// Downgrades to a target, agreeing to every loss.
pub(crate) async fn downgrade(environment: &Environment, target: &str) -> Result<Outcome, CommandError> {
    let target = target.parse().unwrap();
    Person::agreeing()
        .run(async |conduct| command::downgrade(environment, &target, conduct).await)
        .await
}

/// Returns the applied heads as text.
pub(crate) async fn current(environment: &Environment) -> Vec<String> {
    let current = command::current(environment).await.unwrap();
    current
        .revisions
        .iter()
        .map(|line| line.revision.revision.to_string())
        .collect()
}

/// Returns the history, oldest first, as `direction revision outcome`.
pub(crate) async fn events(environment: &Environment) -> Vec<String> {
    let mut entries = command::applied_history(environment).await.unwrap();
    entries.reverse();
    let line = |entry: &seaworthy::ledger::Entry| {
        format!(
            "{} {} {}",
            entry.direction.word(),
            entry.revision,
            entry.outcome.word()
        )
    };
    entries.iter().map(line).collect()
}
