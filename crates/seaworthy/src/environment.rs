//! What Alembic's `env.py` was, as a value: the revisions, the database, and the limits that commands work within.

use std::collections::HashMap;
use std::sync::Arc;

use sea_orm_migration::MigratorTraitSelf;

use crate::catalog::{Ignore, Scope, Target};
use crate::ledger::HISTORY_PREFIX;
use crate::lint;
use crate::revision::{Accepted, Header, Plain, Revision, RevisionId};
use crate::session::{Access, Actor, DatabaseUrl, Session, SessionError, Settings};

/// Everything a command needs to know beforehand; a clone has the same revisions, and may be given another database.
#[derive(Clone)]
pub struct Environment {
    revisions: Arc<[Box<dyn Revision>]>,
    headers: Vec<Header>,
    by_name: HashMap<String, usize>,
    version_table: String,
    ignore: Ignore,
    /// The database to work on; `None` until somebody names one.
    pub database: Option<DatabaseUrl>,
    /// The entities that the database is compared with; `None` where nobody names any.
    pub target: Option<Target>,
    /// Limits of each session.
    pub settings: Settings,
    /// The hazards that are taken knowingly besides those that revisions accept, each with its revision.
    pub accepted: Vec<(RevisionId, Accepted)>,
    /// What the project asks of the linter; a run refuses what it refuses whatever this says.
    pub lint: Arc<lint::Settings>,
    /// Who runs the commands.
    pub actor: Actor,
}

impl Environment {
    /// Returns an environment with these revisions, whose applied set is in `seaql_migrations`.
    ///
    /// A revision without a header takes its name as its id and revises the one before it in the list.
    #[must_use]
    pub fn new(revisions: Vec<Box<dyn Revision>>) -> Self {
        let headers = headers(&revisions);
        let by_name = headers
            .iter()
            .enumerate()
            .map(|(index, header)| (header.name.clone(), index))
            .collect();
        Self {
            revisions: revisions.into(),
            headers,
            by_name,
            version_table: "seaql_migrations".to_owned(),
            ignore: Ignore::default(),
            database: None,
            target: None,
            settings: Settings::default(),
            accepted: Vec::new(),
            lint: Arc::default(),
            actor: Actor {
                tool_version: env!("CARGO_PKG_VERSION").to_owned(),
                ..Actor::default()
            },
        }
    }

    /// Keeps the applied set in another table than `seaql_migrations`, so that several migrators can share a database.
    #[must_use]
    pub fn with_version_table(mut self, table: impl Into<String>) -> Self {
        self.version_table = table.into();
        self
    }

    /// Leaves tables, views, types and sequences of this name out wherever schemas are read or compared; `*` stands for any text.
    ///
    /// For what somebody else looks after in the same schema: another migrator, an extension, a tool. `fresh` removes it all
    /// the same, and says so before it does.
    #[must_use]
    pub fn exclude(mut self, pattern: impl Into<String>) -> Self {
        self.ignore = self.ignore.and(pattern);
        self
    }

    /// Names the database to work on unless a command is given another one.
    #[must_use]
    pub fn database(mut self, url: DatabaseUrl) -> Self {
        self.database = Some(url);
        self
    }

    /// Names the entities that the database is compared with.
    #[must_use]
    pub fn target(mut self, target: Target) -> Self {
        self.target = Some(target);
        self
    }

    /// Returns the headers in the order of the list.
    #[must_use]
    pub fn headers(&self) -> &[Header] {
        &self.headers
    }

    /// Returns the table that holds the applied set.
    #[must_use]
    pub fn version_table(&self) -> &str {
        &self.version_table
    }

    /// Returns what is looked at of a database: everything but what is excluded and the tables of migration tools, this
    /// environment's own among them, and the version tables of other migrators that this toolkit has run.
    #[must_use]
    pub fn scope(&self) -> Scope {
        Scope {
            schema: None,
            ignore: self
                .ignore
                .clone()
                .and(self.version_table())
                .and_named_after(HISTORY_PREFIX),
        }
    }

    /// Returns the revision of this SeaORM name.
    #[must_use]
    pub fn revision(&self, name: &str) -> Option<&dyn Revision> {
        self.by_name
            .get(name)
            .map(|&index| self.revisions[index].as_ref())
    }

    /// Returns the place in the list of the revision with this SeaORM name.
    #[must_use]
    pub fn position(&self, name: &str) -> Option<usize> {
        self.by_name.get(name).copied()
    }

    /// Connects to the database, or returns nothing when it is a SQLite file that does not exist and only reading is
    /// intended.
    ///
    /// # Errors
    ///
    /// Fails when the connection cannot be made.
    pub async fn open(&self, url: &DatabaseUrl, access: Access) -> Result<Option<Session>, SessionError> {
        let is_missing = url.file().is_some_and(|file| !file.exists());
        if is_missing && access == Access::Read {
            return Ok(None);
        }
        Session::open(url, &self.settings, access).await.map(Some)
    }
}

impl<M: MigratorTraitSelf> From<M> for Environment {
    /// Takes a plain SeaORM migrator: a linear chain whose ids are the migrations' names.
    fn from(migrator: M) -> Self {
        let revisions = migrator
            .migrations()
            .into_iter()
            .map(|migration| Box::new(Plain(migration)) as Box<dyn Revision>)
            .collect();
        Self::new(revisions).with_version_table(migrator.migration_table_name().to_string())
    }
}

fn headers(revisions: &[Box<dyn Revision>]) -> Vec<Header> {
    let mut headers: Vec<Header> = Vec::with_capacity(revisions.len());
    for revision in revisions {
        let header = revision.header().unwrap_or_else(|| {
            let header = Header::new(revision.name()).message(message_of(revision.name()));
            match headers.last() {
                Some(previous) => header.revises(previous.id.clone()),
                None => header,
            }
        });
        headers.push(header.name(revision.name()));
    }
    headers
}

/// Returns what SeaORM's name says in words: `m20241225_100000_create_tables` becomes `create tables`.
fn message_of(name: &str) -> String {
    let is_stamp = |part: &str| {
        part.trim_start_matches('m')
            .chars()
            .all(|letter| letter.is_ascii_digit())
    };
    let words: Vec<&str> = name.split('_').skip_while(|part| is_stamp(part)).collect();
    words.join(" ")
}
