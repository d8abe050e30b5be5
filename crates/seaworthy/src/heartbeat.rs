//! Signs of life: which builds of which applications use a database at the moment, and what they cannot do without.
//!
//! An application beats through the connection that it has anyway, one statement every ten seconds, into a table that the
//! migrator makes. The migrator reads who is alive before it removes something. An application without the table, or without
//! the right to write it, goes on as if nothing were; then the migrator does not know of it.
//!
//! ```no_run
//! use sea_orm::DatabaseConnection;
//! use seaworthy::heartbeat::{Build, Heart};
//! use tokio_util::sync::CancellationToken;
//!
//! # async fn start(connection: DatabaseConnection) {
//! let build = Build::new("shop", "2.4.1").needs("orders.id").uses("orders.voucher").knows("9f2c41d07b3e");
//! let heart = Heart::new(build, "web-3");
//! let stop = CancellationToken::new();
//! tokio::spawn({
//!     let stop = stop.clone();
//!     async move { heart.beat_until(&connection, &stop).await }
//! });
//! // When the application is told to stop, its row goes:
//! stop.cancel();
//! # }
//! ```

use std::time::Duration;

use sea_orm::{ConnectionTrait, DbErr};
use serde::Serialize;
use tokio_util::sync::CancellationToken;

pub use alive::{Alive, alive};
pub use wants::{InUse, Touched, in_use};

use crate::session::DatabaseError;

mod alive;
mod sql;
mod wants;

/// How often a process gives a sign of life.
pub const EVERY: Duration = Duration::from_secs(10);

/// How long after its last sign of life a process counts as gone, by the database's clock.
pub const GONE_AFTER: Duration = Duration::from_secs(30);

/// The table of the signs of life; one for a schema, whatever its migrators are called.
pub const TABLE: &str = "seaworthy_heartbeats";

/// A build of an application: what it is, and how it stands to the schema.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Build {
    /// What it is called.
    pub name: String,
    /// Its version.
    pub version: String,
    /// The tables, and columns as `table.column`, without which it cannot serve at all.
    pub needs: Vec<String>,
    /// The tables and columns that it reads or writes where they exist. It goes on without them, but must not lose what they
    /// hold from one moment to the next.
    pub uses: Vec<String>,
    /// The newest revisions that it knows, one for each head.
    pub knows: Vec<String>,
}

/// The signs of life of one process.
#[derive(Clone, Debug)]
pub struct Heart {
    build: Build,
    instance: String,
}

impl Build {
    /// Returns a build that needs nothing and knows nothing.
    pub fn new(name: impl Into<String>, version: impl Into<String>) -> Self {
        Self {
            name: name.into(),
            version: version.into(),
            needs: Vec::new(),
            uses: Vec::new(),
            knows: Vec::new(),
        }
    }

    /// Adds a table or column without which it cannot serve.
    #[must_use]
    pub fn needs(mut self, what: impl Into<String>) -> Self {
        self.needs.push(what.into());
        self
    }

    /// Adds a table or column that it uses where it exists.
    #[must_use]
    pub fn uses(mut self, what: impl Into<String>) -> Self {
        self.uses.push(what.into());
        self
    }

    /// Adds a head of the revisions that it was built with.
    #[must_use]
    pub fn knows(mut self, revision: impl Into<String>) -> Self {
        self.knows.push(revision.into());
        self
    }
}

impl Heart {
    /// Returns the heart of one process.
    ///
    /// The place is for people: a host, a pod. Several processes may have the same.
    pub fn new(build: Build, place: impl Into<String>) -> Self {
        // Two processes on one host have one process id each, and a container's is always the same.
        let instance = format!(
            "{}-{}-{:08x}",
            place.into(),
            std::process::id(),
            fastrand::u32(..)
        );
        Self { build, instance }
    }

    /// Returns the name of the process: its place, its number there, and eight random hex digits.
    #[must_use]
    pub fn instance(&self) -> &str {
        &self.instance
    }

    /// Gives a sign of life, with one statement.
    ///
    /// # Errors
    ///
    /// Fails when the table is not there or may not be written.
    pub async fn beat(&self, connection: &impl ConnectionTrait) -> Result<(), DatabaseError> {
        let sql = sql::beat(connection.get_database_backend(), &self.build, &self.instance);
        Ok(connection.execute_unprepared(&sql).await.map(drop)?)
    }

    /// Takes the process's row away.
    ///
    /// # Errors
    ///
    /// Fails when the table is not there or may not be written.
    pub async fn end(&self, connection: &impl ConnectionTrait) -> Result<(), DatabaseError> {
        let sql = sql::end(connection.get_database_backend(), &self.instance);
        Ok(connection.execute_unprepared(&sql).await.map(drop)?)
    }

    /// Gives signs of life until it is told to stop, and takes the row away then.
    ///
    /// Failures are logged at the level `debug` and change nothing: the table may come with the next migration.
    pub async fn beat_until(&self, connection: &impl ConnectionTrait, stop: &CancellationToken) {
        let mut is_known = false;
        while !stop.is_cancelled() {
            match self.beat(connection).await {
                Ok(()) => is_known = true,
                Err(error) => tracing::debug!(%error, "no sign of life could be given"),
            }
            tokio::select! {
                () = tokio::time::sleep(EVERY) => {}
                () = stop.cancelled() => {}
            }
        }
        if !is_known {
            return;
        }
        if let Err(error) = self.end(connection).await {
            tracing::debug!(%error, "the sign of life could not be taken back");
        }
    }
}

/// Returns the statement that makes the table where it is missing.
pub(crate) use sql::create_table;

/// Makes the table where it is missing.
pub(crate) async fn install(connection: &impl ConnectionTrait) -> Result<(), DbErr> {
    let sql = create_table(connection.get_database_backend());
    connection.execute_unprepared(&sql).await.map(drop)
}
