//! Indexes, built and dropped beside running reads and writes.

use std::sync::LazyLock;

use regex::Regex;
use sea_orm::sea_query::{IndexCreateStatement, IntoIden, PostgresQueryBuilder, SqliteQueryBuilder};
use sea_orm::{DbBackend, DbErr};
use sea_orm_migration::SchemaManager;

use super::OnlineError;
use super::name::{name, text};
use super::partitions::{self, Kind};
use super::site::Site;
use crate::session::dialect_of;
use crate::session::{Fault, pause_before};
use crate::sql::Dialect;

/// How often an index is built before it counts as one that cannot be.
pub(super) const BUILDS: u32 = 3;

/// An index to be built: a statement of sea-query's, or `CREATE INDEX` as text, which knows expressions on both databases.
#[derive(Clone, Debug)]
pub struct NewIndex {
    postgres: String,
    sqlite: String,
}

/// The parts of `CREATE INDEX`.
pub(super) struct Parts<'a> {
    is_unique: bool,
    index: &'a str,
    table: &'a str,
    /// From the method or the opening parenthesis to the end.
    rest: &'a str,
}

/// What there is of an index.
pub(super) struct Built {
    table: String,
    is_unique: bool,
    is_valid: bool,
    is_being_built: bool,
}

/// Builds an index while the table is read and written, unless it is there.
///
/// On PostgreSQL it is built `CONCURRENTLY`: what an earlier build left INVALID is dropped before, and values that a unique
/// index finds twice are named. On a partitioned table that is done for each partition, and the indexes are put together. On
/// SQLite writers wait for the build.
///
/// ```
/// # use sea_orm_migration::prelude::*;
/// # use seaworthy::online;
/// # async fn up(manager: &SchemaManager<'_>) -> Result<(), DbErr> {
/// let by_owner = Index::create().name("idx_tasks_user_id").table("tasks").col("user_id").to_owned();
/// online::create_index(manager, by_owner).await?;
/// online::create_index(manager, "CREATE UNIQUE INDEX users_email_key ON users (lower(email))").await
/// # }
/// ```
///
/// # Errors
///
/// Fails inside of a transaction on PostgreSQL, when values are there twice, and when the database refuses.
pub async fn create_index(manager: &SchemaManager<'_>, index: impl Into<NewIndex>) -> Result<(), DbErr> {
    build(&Site::of(manager), "online::create_index", &index.into()).await
}

/// Drops an index while the table is read and written; nothing happens when it is not there.
///
/// # Errors
///
/// Fails inside of a transaction on PostgreSQL, when the index belongs to a constraint, and when the database refuses.
pub async fn drop_index(manager: &SchemaManager<'_>, index: impl IntoIden) -> Result<(), DbErr> {
    let site = Site::of(manager);
    let index = name(&index.into_iden().inner());
    match dialect_of(site.backend()) {
        Dialect::Postgresql => {
            site.outside_of_transactions("online::drop_index")?;
            // The server knows no concurrent way there; it takes an instant.
            match partitions::is_partitioned_index(&site, &index).await? {
                true => site.briefly(&format!("DROP INDEX IF EXISTS {index}")).await,
                false => drop_concurrently(&site, &index).await,
            }
        }
        Dialect::Sqlite => site.send(&format!("DROP INDEX IF EXISTS {index}")).await,
    }
}

async fn drop_concurrently(site: &Site<'_>, index: &str) -> Result<(), DbErr> {
    let statement = drop_statement(index);
    let mut turn = site.turn().await?;
    loop {
        let dropped = site.concurrently(&statement).await;
        if !turn.comes_again(&dropped).await {
            return dropped;
        }
    }
}

fn drop_statement(index: &str) -> String {
    format!("DROP INDEX CONCURRENTLY IF EXISTS {index}")
}

/// Builds an index for an operation.
pub(super) async fn build(site: &Site<'_>, operation: &'static str, index: &NewIndex) -> Result<(), DbErr> {
    let statement = index.statement(site.backend());
    let parts = Parts::read(statement)?;
    if dialect_of(site.backend()) != Dialect::Postgresql {
        return match site.send(&parts.written("")).await {
            Err(error) if !site.is_recording() => Err(on_sqlite(site, &parts, error).await),
            other => other,
        };
    }
    site.outside_of_transactions(operation)?;
    match partitions::is_partitioned(site, parts.table).await? {
        true => partitions::build(site, Kind::Index, &parts).await,
        false => build_beside(site, &parts).await,
    }
}

/// Makes the columns of an index on a partitioned table unique together.
pub(super) async fn build_constraint(site: &Site<'_>, index: &NewIndex) -> Result<(), DbErr> {
    let parts = Parts::read(index.statement(site.backend()))?;
    partitions::build(site, Kind::Unique, &parts).await
}

/// Builds an index on a table that holds its rows itself.
pub(super) async fn build_beside(site: &Site<'_>, parts: &Parts<'_>) -> Result<(), DbErr> {
    let mut turn = site.turn().await?;
    loop {
        let built = build_once(site, parts).await;
        if !turn.comes_again(&built).await {
            return built;
        }
    }
}

/// Builds an index. `IF NOT EXISTS` leaves one alone that another run has just begun, which is then waited for; where that one
/// fails, it is built here after all.
async fn build_once(site: &Site<'_>, parts: &Parts<'_>) -> Result<(), DbErr> {
    for _ in 0..BUILDS {
        if is_built(site, parts).await? {
            return Ok(());
        }
        if let Err(error) = site.concurrently(&parts.written("CONCURRENTLY ")).await {
            return Err(after_failure(site, parts, error).await);
        }
        if site.is_recording() {
            return Ok(());
        }
    }
    match is_built(site, parts).await? {
        true => Ok(()),
        false => Err(OnlineError::NotBuilt {
            index: parts.index.to_owned(),
        }
        .into()),
    }
}

/// Returns whether the index is there, and removes what a build that failed has left of it.
async fn is_built(site: &Site<'_>, parts: &Parts<'_>) -> Result<bool, DbErr> {
    let mut built = Built::find(site, parts).await?;
    // Another run builds it at this moment: to drop it would be to drop what that one is about to finish.
    while built.as_ref().is_some_and(|built| built.is_being_built) {
        tokio::time::sleep(pause_before(1)).await;
        built = Built::find(site, parts).await?;
    }
    match built {
        Some(built) => {
            built.refuse_other(parts)?;
            if built.is_valid {
                return Ok(true);
            }
            tracing::info!(
                index = parts.index,
                "an INVALID index is left from a build that failed; it is built anew"
            );
            site.concurrently(&drop_statement(&parts.full_name())).await?;
            Ok(false)
        }
        None => Ok(false),
    }
}

/// Says what was in the way of a build, and removes what it has left: an INVALID index may already refuse new rows.
async fn after_failure(site: &Site<'_>, parts: &Parts<'_>, error: DbErr) -> DbErr {
    let fault = Fault::of(&error);
    if matches!(
        fault,
        Fault::ConnectionLost | Fault::AlreadyDone | Fault::UndefinedTable | Fault::LockNotGranted
    ) {
        return error;
    }
    let duplicates = match parts.is_unique {
        true => duplicates_of_leftover(site, parts).await,
        false => None,
    };
    if let Ok(Some(built)) = Built::find(site, parts).await
        && !built.is_valid
        && let Err(left) = drop_concurrently(site, &parts.full_name()).await
    {
        tracing::warn!(error = %left, index = parts.index, "an INVALID index could not be dropped");
    }
    match duplicates {
        Some(duplicates) => OnlineError::Duplicates {
            index: parts.index.to_owned(),
            table: parts.table.to_owned(),
            duplicates,
        }
        .into(),
        None => error,
    }
}

/// Returns values that are there twice, by the keys of the index that a failed build has left.
async fn duplicates_of_leftover(site: &Site<'_>, parts: &Parts<'_>) -> Option<String> {
    let sql = format!(
        "SELECT pg_get_indexdef(i.indexrelid, k.place, true) AS key, pg_get_expr(i.indpred, i.indrelid) AS predicate \
         FROM pg_index i CROSS JOIN LATERAL generate_series(1, i.indnkeyatts) AS k (place) \
         WHERE i.indexrelid = {} ORDER BY k.place",
        parts.found()
    );
    let rows = site.rows(&sql).await.ok()?;
    let keys: Vec<String> = rows
        .iter()
        .filter_map(|row| row.try_get("", "key").ok())
        .collect();
    let predicate: Option<String> = rows.first().and_then(|row| row.try_get("", "predicate").ok()?);
    site.duplicates(parts.table, &keys, predicate.as_deref())
        .await
        .ok()?
}

async fn on_sqlite(site: &Site<'_>, parts: &Parts<'_>, error: DbErr) -> DbErr {
    let keys = match (parts.is_unique, parts.keys()) {
        (true, Some(keys)) => [keys.to_owned()],
        _ => return error,
    };
    // A list of keys cannot be shown as one value; then the database's own words have to do.
    match site.duplicates(parts.table, &keys, None).await {
        Ok(Some(duplicates)) => OnlineError::Duplicates {
            index: parts.index.to_owned(),
            table: parts.table.to_owned(),
            duplicates,
        }
        .into(),
        _ => error,
    }
}

impl NewIndex {
    fn statement(&self, backend: DbBackend) -> &str {
        match dialect_of(backend) {
            Dialect::Postgresql => &self.postgres,
            Dialect::Sqlite => &self.sqlite,
        }
    }
}

impl From<IndexCreateStatement> for NewIndex {
    fn from(statement: IndexCreateStatement) -> Self {
        Self {
            postgres: statement.to_string(PostgresQueryBuilder),
            sqlite: statement.to_string(SqliteQueryBuilder),
        }
    }
}

impl From<&mut IndexCreateStatement> for NewIndex {
    fn from(statement: &mut IndexCreateStatement) -> Self {
        Self::from(statement.to_owned())
    }
}

impl From<String> for NewIndex {
    fn from(statement: String) -> Self {
        Self {
            postgres: statement.clone(),
            sqlite: statement,
        }
    }
}

impl From<&str> for NewIndex {
    fn from(statement: &str) -> Self {
        Self::from(statement.to_owned())
    }
}

/// `CREATE UNIQUE INDEX CONCURRENTLY IF NOT EXISTS name ON ONLY table`, most of it optional.
static STATEMENT: LazyLock<Regex> = LazyLock::new(|| {
    let word = r#"(?:"(?:[^"]|"")+"|[\w$]+)"#;
    // The parts in which case does not matter are of ASCII letters; more would want a table of all letters.
    let pattern = format!(
        r"(?s)^\s*(?i-u:CREATE)\s+(?<unique>(?i-u:UNIQUE)\s+)?(?i-u:INDEX)\s+(?:(?i-u:CONCURRENTLY)\s+)?(?:(?i-u:IF)\s+(?i-u:NOT)\s+(?i-u:EXISTS)\s+)?(?<index>{word})\s+(?i-u:ON)\s+(?<table>(?:{word}\.)?{word})\s*(?<rest>(?:(?i-u:USING)\b.*|\().*)$"
    );
    Regex::new(&pattern).expect("the pattern is constant, and a test uses it")
});

impl<'a> Parts<'a> {
    pub(super) fn read(statement: &'a str) -> Result<Self, OnlineError> {
        let found = STATEMENT
            .captures(statement)
            .ok_or_else(|| OnlineError::NoIndexStatement {
                statement: statement.to_owned(),
            })?;
        let part = |name: &str| found.name(name).map_or("", |part| part.as_str());
        Ok(Self {
            is_unique: !part("unique").is_empty(),
            index: part("index"),
            table: part("table"),
            rest: part("rest").trim_end().trim_end_matches(';'),
        })
    }

    fn written(&self, concurrently: &str) -> String {
        format!(
            "CREATE {}INDEX {concurrently}IF NOT EXISTS {} ON {} {}",
            self.unique(),
            self.index,
            self.table,
            self.rest
        )
    }

    /// Returns the statement that makes the index of a partitioned table without those of its partitions.
    pub(super) fn on_parent_alone(&self) -> String {
        format!(
            "CREATE {}INDEX IF NOT EXISTS {} ON ONLY {} {}",
            self.unique(),
            self.index,
            self.table,
            self.rest
        )
    }

    /// Returns the statement that makes such an index on another table.
    pub(super) fn on_table(&self, index: &str, table: &str) -> String {
        format!("CREATE {}INDEX {index} ON {table} {}", self.unique(), self.rest)
    }

    /// Returns the statement that makes a table's columns unique together, but not those of its partitions.
    pub(super) fn unique_on_parent_alone(&self) -> String {
        format!(
            "ALTER TABLE ONLY {} ADD CONSTRAINT {} UNIQUE {}",
            self.table, self.index, self.rest
        )
    }

    /// Returns the statement that removes the constraint which the index belongs to.
    pub(super) fn without_constraint(&self) -> String {
        format!(
            "ALTER TABLE {} DROP CONSTRAINT IF EXISTS {}",
            self.table, self.index
        )
    }

    pub(super) fn is_unique(&self) -> bool {
        self.is_unique
    }

    fn unique(&self) -> &'static str {
        if self.is_unique { "UNIQUE " } else { "" }
    }

    /// Returns the name of the index without quotes.
    pub(super) fn index_name(&self) -> String {
        unquoted(self.index)
    }

    /// Returns the index in the schema of its table.
    pub(super) fn full_name(&self) -> String {
        match self.schema() {
            Some(schema) => format!("{schema}.{}", self.index),
            None => self.index.to_owned(),
        }
    }

    fn found(&self) -> String {
        super::name::found(&self.full_name())
    }

    fn schema(&self) -> Option<&'a str> {
        let end = self.table.len() - self.table_name_as_written().len();
        self.table[..end].strip_suffix('.')
    }

    fn table_name_as_written(&self) -> &'a str {
        let after = match self.table.strip_suffix('"') {
            // A dot within quotes divides nothing.
            Some(quoted) => quoted.rfind("\".\"").map(|at| at + 2).or_else(|| {
                let opening = quoted.rfind('"')?;
                (opening > 0).then_some(opening)
            }),
            None => self.table.rfind('.').map(|at| at + 1),
        };
        &self.table[after.unwrap_or(0)..]
    }

    /// Returns the name of the table without schema and quotes.
    fn table_name(&self) -> String {
        unquoted(self.table_name_as_written())
    }

    /// Returns what stands between the outer parentheses of the keys.
    fn keys(&self) -> Option<&'a str> {
        let opening = self.rest.find('(')?;
        let mut depth = 0_u32;
        for (at, letter) in self.rest.char_indices().skip_while(|(at, _)| *at < opening) {
            match letter {
                '(' => depth += 1,
                ')' => depth -= 1,
                _ => {}
            }
            if depth == 0 {
                return Some(&self.rest[opening + 1..at]);
            }
        }
        None
    }
}

/// Returns a name as the server keeps it.
fn unquoted(written: &str) -> String {
    match written.strip_prefix('"').and_then(|rest| rest.strip_suffix('"')) {
        Some(quoted) => quoted.replace("\"\"", "\""),
        None => written.to_lowercase(),
    }
}

impl Built {
    pub(super) async fn find(site: &Site<'_>, parts: &Parts<'_>) -> Result<Option<Self>, DbErr> {
        let sql = format!(
            "SELECT t.relname::text AS table_name, i.indisunique, i.indisvalid, \
             EXISTS (SELECT 1 FROM pg_stat_progress_create_index WHERE index_relid = i.indexrelid) AS is_being_built \
             FROM pg_index i \
             JOIN pg_class t ON t.oid = i.indrelid WHERE i.indexrelid = {}",
            parts.found()
        );
        let Some(row) = site.row(&sql).await? else {
            return Ok(None);
        };
        Ok(Some(Self {
            table: row.try_get("", "table_name")?,
            is_unique: row.try_get("", "indisunique")?,
            is_valid: row.try_get("", "indisvalid")?,
            is_being_built: row.try_get("", "is_being_built")?,
        }))
    }

    pub(super) fn is_valid(&self) -> bool {
        self.is_valid
    }

    /// Refuses an index that is another one than is wanted under its name.
    pub(super) fn refuse_other(&self, parts: &Parts<'_>) -> Result<(), OnlineError> {
        if self.table == parts.table_name() && self.is_unique == parts.is_unique {
            return Ok(());
        }
        Err(OnlineError::NameTaken {
            name: parts.index.to_owned(),
            found: self.described(),
        })
    }

    fn described(&self) -> String {
        let unique = if self.is_unique { "a unique" } else { "an" };
        format!("{unique} index on {}", text(&self.table))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_statement_is_read_whoever_wrote_it() {
        let statement = "create unique index if not exists \"Odd \"\"One\" ON app.\"Tasks\" USING gin ((a || ')') x) WHERE (b > 0);";
        let parts = Parts::read(statement).unwrap();
        assert_eq!(
            parts.written("CONCURRENTLY "),
            "CREATE UNIQUE INDEX CONCURRENTLY IF NOT EXISTS \"Odd \"\"One\" ON app.\"Tasks\" USING gin ((a || ')') x) WHERE (b > 0)"
        );
        assert_eq!(
            (parts.table_name().as_str(), parts.schema()),
            ("Tasks", Some("app"))
        );
        assert_eq!(parts.full_name(), "app.\"Odd \"\"One\"");
        let plain = Parts::read("CREATE INDEX i ON tasks (lower(title), id)").unwrap();
        assert_eq!((plain.table_name().as_str(), plain.schema()), ("tasks", None));
        assert_eq!(plain.keys(), Some("lower(title), id"));
        assert!(Parts::read("DROP INDEX i").is_err());
    }
}
