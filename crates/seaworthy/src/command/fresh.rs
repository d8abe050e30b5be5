//! SeaORM's `fresh`, `reset` and `refresh`, which take a database back to nothing.

use sea_orm::{ConnectionTrait, DbBackend, DbErr, TransactionTrait};

use super::downgrade::down;
use super::upgrade::{OutOfOrder, up};
use super::{CommandError, Conduct, Outcome, Project, Stakes};
use crate::environment::Environment;
use crate::graph::Target;
use crate::ledger::Kind;
use crate::revision::Direction;
use crate::script::Losses;
use crate::session::{Locked, Session};
use crate::sql::joined_name;

/// Undoes everything, and drops the table that holds the applied set. The history stays.
///
/// # Errors
///
/// As for [`down`].
pub async fn reset(environment: &Environment, conduct: &Conduct<'_>) -> Result<Outcome, CommandError> {
    let outcome = down(environment, None, conduct).await?;
    let project = Project::of(environment)?;
    if let Some(session) = conduct.unless_stopped(project.reader()).await? {
        let locked = project.lock(&session, "reset", conduct).await?;
        project.ledger.uninstall(&locked).await?;
        locked.release().await;
        session.close().await;
    }
    Ok(outcome)
}

/// Undoes everything, and applies it again.
///
/// # Errors
///
/// As for [`down`] and [`up`].
pub async fn refresh(environment: &Environment, conduct: &Conduct<'_>) -> Result<Outcome, CommandError> {
    down(environment, None, conduct).await?;
    up(environment, None, OutOfOrder::Refuse, conduct).await
}

/// Drops every table, view and type of the schema, and applies everything. The history stays.
///
/// # Errors
///
/// Fails when what would be lost is not given up, the lock is not obtained, or a step fails.
pub async fn fresh(environment: &Environment, conduct: &Conduct<'_>) -> Result<Outcome, CommandError> {
    let project = Project::of(environment)?;
    // Revisions that make no sense must be found before anything is dropped.
    project
        .graph
        .upgrade(&crate::graph::Applied::default(), &Target::heads())?;
    if let Some(session) = conduct.unless_stopped(project.reader()).await? {
        let dropped = project.drop_everything(&session, conduct).await;
        session.close().await;
        dropped?;
    }
    up(environment, None, OutOfOrder::Refuse, conduct).await
}

impl Project<'_> {
    async fn drop_everything(&self, session: &Session, conduct: &Conduct<'_>) -> Result<(), CommandError> {
        let failed = |source: DbErr| CommandError::Query {
            action: "drop everything",
            source: source.into(),
        };
        let own = [
            self.ledger.version_table(),
            self.ledger.history_table(),
            crate::heartbeat::TABLE,
            crate::backfill::TABLE,
        ];
        let objects = objects(session).await.map_err(failed)?;
        let tables = objects
            .iter()
            .filter(|object| object.kind == "TABLE" && !own.contains(&object.name.as_str()))
            .map(|object| joined_name(std::slice::from_ref(&object.name)));
        let stakes = Stakes::count(session, Losses::of_tables(tables)).await?;
        if !stakes.is_nothing() && !(conduct.consent)(&stakes) {
            return Err(CommandError::Refused {
                stakes: Box::new(stakes),
            });
        }
        let locked = self.lock(session, "fresh", conduct).await?;
        let state = self.state(Some(session)).await?;
        self.install(&locked, &state, conduct).await?;
        let run = super::new_run();
        let mut sql = String::new();
        for object in objects
            .iter()
            .filter(|object| !own.contains(&object.name.as_str()))
        {
            sql.push_str(&object.drop_statement(session.backend()));
        }
        for id in state.order.iter().rev() {
            let entry = self.declared_revision(&run, Kind::Downgrade, Direction::Down, id);
            sql.push_str(&self.ledger.record_sql(session.backend(), &entry));
        }
        for row in &state.unknown {
            let at = crate::ledger::Moment::At(crate::ledger::now());
            let entry = self.declared(&run, Kind::Downgrade, Direction::Down, &row.name, &row.name, at);
            sql.push_str(&self.ledger.record_sql(session.backend(), &entry));
        }
        let dropped = in_one_transaction(&locked, &sql).await.map_err(failed);
        locked.release().await;
        dropped
    }
}

struct Object {
    kind: String,
    name: String,
}

impl Object {
    fn drop_statement(&self, backend: DbBackend) -> String {
        let name = self.name.replace('"', "\"\"");
        let cascade = if backend == DbBackend::Postgres {
            " CASCADE"
        } else {
            ""
        };
        format!("DROP {} IF EXISTS \"{name}\"{cascade};\n", self.kind)
    }
}

/// Returns the tables, views and types of the current schema, without those of an extension.
async fn objects(session: &Session) -> Result<Vec<Object>, DbErr> {
    let sql = match session.backend() {
        DbBackend::Postgres => {
            "SELECT CASE c.relkind WHEN 'v' THEN 'VIEW' WHEN 'm' THEN 'MATERIALIZED VIEW' WHEN 'f' THEN 'FOREIGN TABLE' \
             ELSE 'TABLE' END AS kind, c.relname::text AS name, 1 AS place FROM pg_class c \
             WHERE c.relnamespace = current_schema()::regnamespace AND c.relkind IN ('r', 'p', 'v', 'm', 'f') \
             AND NOT EXISTS (SELECT 1 FROM pg_depend d WHERE d.classid = 'pg_class'::regclass AND d.objid = c.oid \
             AND d.deptype = 'e') \
             UNION ALL SELECT CASE t.typtype WHEN 'd' THEN 'DOMAIN' ELSE 'TYPE' END, t.typname::text, 2 FROM pg_type t \
             LEFT JOIN pg_class c ON c.oid = t.typrelid \
             WHERE t.typnamespace = current_schema()::regnamespace AND t.typelem = 0 \
             AND (t.typtype IN ('e', 'd', 'r') OR c.relkind = 'c') \
             AND NOT EXISTS (SELECT 1 FROM pg_depend d WHERE d.classid = 'pg_type'::regclass AND d.objid = t.oid \
             AND d.deptype = 'e') ORDER BY place, name"
        }
        _ => {
            "SELECT upper(type) AS kind, name, CASE type WHEN 'view' THEN 1 ELSE 2 END AS place FROM sqlite_master \
             WHERE type IN ('table', 'view') AND name NOT LIKE 'sqlite\\_%' ESCAPE '\\' ORDER BY place, name"
        }
    };
    let rows = session.rows(sql).await?;
    rows.iter()
        .map(|row| {
            Ok(Object {
                kind: row.try_get("", "kind")?,
                name: row.try_get("", "name")?,
            })
        })
        .collect()
}

async fn in_one_transaction(locked: &Locked<'_>, sql: &str) -> Result<(), DbErr> {
    let session = locked.session();
    let sqlite = session.backend() == DbBackend::Sqlite;
    if sqlite {
        // Inside a transaction this setting has no effect (SQLite manual, "PRAGMA foreign_keys").
        session.send("PRAGMA foreign_keys = OFF").await?;
    }
    let dropped = async {
        let transaction = session.connection().begin().await?;
        transaction.execute_unprepared(sql).await?;
        transaction.commit().await
    };
    let dropped = dropped.await;
    if sqlite {
        session.send("PRAGMA foreign_keys = ON").await?;
    }
    dropped
}
