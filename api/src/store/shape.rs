//! What the live schema has: columns and tables, not a number.

use std::collections::{HashMap, HashSet};
use std::time::{Duration, Instant};

use sea_orm::{DbErr, EntityName, IdenStatic};

use seaworthy::ledger::Ledger;
use seaworthy::sql::Dialect;

use super::StoreError;
use super::needs::lacking;
use super::runner::Runner;
use super::written::Written;
use crate::domain::{Feature, Missing};

/// A snapshot of what the live schema has.
#[derive(Debug)]
pub(crate) struct Shape {
    /// Indexed like [`Feature::ALL`].
    features: [bool; Feature::ALL.len()],
    /// Whether a task also says in a column of its own that it recurs, which nothing here reads.
    pub(super) marks_recurring: bool,
    /// What the rule of a recurring task is called, see [`RULES`]: two names while it gets the other one.
    pub(super) rule_names: Vec<&'static str>,
    /// The newest applied revisions in words: `002`, `base` when there are none.
    revision: String,
    /// SeaORM's names of what is applied.
    applied: HashSet<String>,
    /// What is applied without this build knowing it.
    unknown: Vec<UnknownRevision>,
    /// What no request can do without and is not there.
    lacking: Vec<String>,
    /// What is sent to this schema all the time.
    pub(super) written: Written,
    asked: Instant,
}

/// A revision that this build knows.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct KnownRevision {
    /// Its id.
    pub(crate) id: String,
    /// SeaORM's name for it.
    pub(crate) name: String,
    /// The ids of its parents.
    pub(crate) revises: Vec<String>,
    /// What it does.
    pub(crate) message: String,
    /// The phase of the product that it stands for.
    pub(crate) phase: Option<String>,
    /// Where in a zero-downtime change it belongs.
    pub(crate) stage: String,
}

/// A revision that is applied and that this build does not know.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct UnknownRevision {
    /// SeaORM's name for it.
    pub(crate) name: String,
    /// Where in a zero-downtime change it belongs, if whoever applied it has said so.
    pub(crate) stage: Option<&'static str>,
}

/// How the live schema stands to what this build knows.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct SchemaStatus {
    pub(crate) current: Vec<String>,
    pub(crate) head: Vec<String>,
    pub(crate) in_sync: bool,
    pub(crate) features: Vec<(Feature, bool)>,
    pub(crate) pending: Vec<KnownRevision>,
    /// Applied revisions that this build does not know.
    pub(crate) unknown: Vec<UnknownRevision>,
    /// What no request can do without and is not there: tables, or `table.column`.
    pub(crate) missing: Vec<String>,
}

const POSTGRES: &str = "SELECT c.relname::text AS t, a.attname::text AS c FROM pg_catalog.pg_class c \
    JOIN pg_catalog.pg_attribute a ON a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped \
    WHERE c.oid IN (SELECT to_regclass(n) FROM unnest(ARRAY['users', 'tasks', 'tags', 'task_tags', 'conversations', \
    'messages', 'password_credentials', 'sessions', 'api_tokens', 'idempotency_keys', 'task_events', 'seaql_migrations']) AS n) \
    UNION ALL SELECT 'tags', 'name is unique' FROM pg_catalog.pg_index i JOIN pg_catalog.pg_attribute a \
    ON a.attrelid = i.indrelid AND a.attnum = i.indkey[0] AND a.attname = 'name' \
    WHERE i.indrelid = to_regclass('tags') AND i.indisunique AND i.indnkeyatts = 1";
/// Which of the tables the role may not work with. It looks into the catalog alone: a lock on a table is no reason to be unready.
pub(super) const DENIED_POSTGRES: &str = "SELECT n AS t FROM unnest(ARRAY['users', 'tasks', 'tags', 'task_tags', 'conversations', \
    'messages', 'password_credentials', 'sessions', 'api_tokens', 'idempotency_keys', 'task_events']) AS n \
    WHERE NOT (has_table_privilege(to_regclass(n), 'SELECT') AND has_table_privilege(to_regclass(n), 'INSERT') \
    AND has_table_privilege(to_regclass(n), 'UPDATE') AND has_table_privilege(to_regclass(n), 'DELETE'))";
const SQLITE: &str = "SELECT m.name AS t, p.name AS c FROM sqlite_schema m, pragma_table_info(m.name) p \
    WHERE m.type = 'table' AND m.name IN ('users', 'tasks', 'tags', 'task_tags', 'conversations', 'messages', \
    'password_credentials', 'sessions', 'api_tokens', 'idempotency_keys', 'task_events', 'seaql_migrations') \
    UNION ALL SELECT 'tags', 'name is unique' FROM pragma_index_list('tags') l WHERE l.\"unique\" \
    AND (SELECT group_concat(i.name) FROM pragma_index_info(l.name) i) = 'name'";

/// Whether a task recurs, for whoever does not look at how; until phase XI.
pub(super) const MARK: &str = "is_recurring";

/// What the rule of a recurring task is called since phase XII, and what before.
///
/// Where both are there, what is read is the one that says something, and both are written. That is right however far the
/// rename has come, up or down, and whether the database keeps the two the same already or still.
pub(super) const RULES: [&str; 2] = ["recurrence_rule", FORMER_RULE];

pub(super) const FORMER_RULE: &str = "recurrence_pattern";

/// Stands among the columns of `tags` while people share them.
const NAME_IS_UNIQUE: &str = "name is unique";

/// A schema that moves this often while it is looked at will be looked at again soon anyway.
const MOST_LOOKS: usize = 5;

impl Shape {
    /// Asks the database.
    pub(super) async fn probe(runner: &Runner<'_>, revisions: &[KnownRevision]) -> Result<Self, DbErr> {
        let asked = Instant::now();
        let mut columns = columns(runner).await?;
        let mut applied = applied(runner, &columns).await?;
        // A step may have committed in between: then the two belong to different schemas.
        for _ in 0..MOST_LOOKS {
            let now = self::columns(runner).await?;
            if now == columns {
                break;
            }
            columns = now;
            applied = self::applied(runner, &columns).await?;
        }
        let unknown = unknown(runner, revisions, &applied).await;
        let lacking = lacking(&columns);
        Ok(Self {
            features: Feature::ALL.map(|feature| is_present(feature, &columns, &lacking)),
            marks_recurring: has_task_column(&columns, MARK),
            rule_names: RULES
                .into_iter()
                .filter(|name| has_task_column(&columns, name))
                .collect(),
            revision: heads(revisions, &applied),
            applied,
            unknown,
            lacking,
            written: Written::default(),
            asked,
        })
    }

    pub(crate) fn has(&self, feature: Feature) -> bool {
        Feature::ALL
            .iter()
            .position(|other| *other == feature)
            .is_some_and(|index| self.features[index])
    }

    /// Refuses to go on without it.
    pub(super) fn needs(&self, feature: Feature) -> Result<(), StoreError> {
        if self.has(feature) {
            return Ok(());
        }
        Err(StoreError::Missing(Missing {
            feature,
            current_revision: self.revision.clone(),
        }))
    }

    /// Returns the newest applied revision; `base` when there is none.
    pub(crate) fn revision(&self) -> &str {
        &self.revision
    }

    /// Whether another snapshot shows the same schema.
    pub(super) fn is_like(&self, other: &Self) -> bool {
        self.features == other.features
            && self.marks_recurring == other.marks_recurring
            && self.rule_names == other.rule_names
            && self.applied == other.applied
            && self.lacking == other.lacking
            && self.unknown == other.unknown
    }

    pub(super) fn age(&self) -> Duration {
        self.asked.elapsed()
    }

    /// Returns when the database began to be asked: what happened later may be missing.
    pub(super) fn asked(&self) -> Instant {
        self.asked
    }

    pub(super) fn status(&self, revisions: &[KnownRevision]) -> SchemaStatus {
        let is_applied = |revision: &&KnownRevision| self.applied.contains(&revision.name);
        let pending: Vec<KnownRevision> = revisions
            .iter()
            .filter(|revision| !is_applied(revision))
            .cloned()
            .collect();
        SchemaStatus {
            current: newest(&revisions.iter().filter(is_applied).collect::<Vec<_>>()),
            head: newest(&revisions.iter().collect::<Vec<_>>()),
            in_sync: pending.is_empty() && self.unknown.is_empty(),
            features: Feature::ALL.into_iter().zip(self.features).collect(),
            pending,
            unknown: self.unknown.clone(),
            missing: self.lacking.clone(),
        }
    }
}

/// Returns which columns there are, each with its table.
async fn columns(runner: &Runner<'_>) -> Result<HashSet<(String, String)>, DbErr> {
    let query = match runner.dialect() {
        Dialect::Postgresql => POSTGRES,
        Dialect::Sqlite => SQLITE,
    };
    let rows = runner.rows(query).await?;
    rows.iter()
        .map(|row| Ok((row.try_get("", "t")?, row.try_get("", "c")?)))
        .collect()
}

/// Returns SeaORM's names of what is applied: nothing where there is no table for them.
async fn applied(runner: &Runner<'_>, columns: &HashSet<(String, String)>) -> Result<HashSet<String>, DbErr> {
    if !columns.iter().any(|(table, _)| table == "seaql_migrations") {
        return Ok(HashSet::new());
    }
    let rows = runner.rows("SELECT version FROM seaql_migrations").await?;
    rows.iter().map(|row| row.try_get("", "version")).collect()
}

/// Returns what is applied without this build knowing it, with the stages that the history has.
async fn unknown(
    runner: &Runner<'_>,
    revisions: &[KnownRevision],
    applied: &HashSet<String>,
) -> Vec<UnknownRevision> {
    let known: HashSet<&str> = revisions.iter().map(|revision| revision.name.as_str()).collect();
    let mut names: Vec<&str> = applied
        .iter()
        .map(String::as_str)
        .filter(|name| !known.contains(name))
        .collect();
    if names.is_empty() {
        return Vec::new();
    }
    names.sort_unstable();
    let ledger = Ledger::new("seaql_migrations");
    let stages = ledger.stages(runner.connection(), &names).await;
    let stages = stages.unwrap_or_else(|error| {
        tracing::debug!(%error, "the stages of unknown revisions cannot be read");
        HashMap::new()
    });
    names
        .into_iter()
        .map(|name| UnknownRevision {
            name: name.to_owned(),
            stage: stages.get(name).map(|stage| stage.word()),
        })
        .collect()
}

/// Which columns make a feature; the names are those of the entities.
fn is_present(feature: Feature, columns: &HashSet<(String, String)>, lacking: &[String]) -> bool {
    let has = |table: &str, column: &str| columns.contains(&(table.to_owned(), column.to_owned()));
    let task = |column: entity::task::Column| has_task_column(columns, column.as_str());
    match feature {
        Feature::Tasks => lacking.is_empty(),
        Feature::Conversations => {
            has(entity::conversation::Entity.table_name(), "id")
                && has(entity::message::Entity.table_name(), "id")
        }
        Feature::Priority => task(entity::task::Column::Priority),
        Feature::Tags => {
            has(entity::tag::Entity.table_name(), "id")
                && has(entity::task_tag::Entity.table_name(), "task_id")
        }
        Feature::DueDate => task(entity::task::Column::DueDate),
        Feature::RemindAt => task(entity::task::Column::RemindAt),
        Feature::Recurrence => RULES.iter().any(|name| has_task_column(columns, name)),
        Feature::Accounts => {
            has(entity::password_credential::Entity.table_name(), "user_id")
                && has(entity::session::Entity.table_name(), "id")
        }
        Feature::ApiTokens => has(entity::api_token::Entity.table_name(), "id"),
        Feature::IdempotencyKeys => has(entity::idempotency_key::Entity.table_name(), "key"),
        Feature::Changes => has(
            entity::task_event::Entity.table_name(),
            entity::task_event::Column::Position.as_str(),
        ),
        // The column comes first; whether it is heeded shows in what is unique.
        Feature::TagOwners => {
            let tags = entity::tag::Entity.table_name();
            has(tags, entity::tag::Column::UserId.as_str()) && !has(tags, NAME_IS_UNIQUE)
        }
        Feature::DueDays => task(entity::task::Column::DueOn) && task(entity::task::Column::DueZone),
        Feature::TimeZones => has(
            entity::user::Entity.table_name(),
            entity::user::Column::TimeZone.as_str(),
        ),
        Feature::FoldedText => {
            task(entity::task::Column::TitleFolded) && task(entity::task::Column::DescriptionFolded)
        }
        Feature::ConversationTitles => has(
            entity::conversation::Entity.table_name(),
            entity::conversation::Column::Title.as_str(),
        ),
    }
}

fn has_task_column(columns: &HashSet<(String, String)>, name: &str) -> bool {
    let table = entity::task::Entity.table_name().to_owned();
    columns.contains(&(table, name.to_owned()))
}

fn heads(revisions: &[KnownRevision], applied: &HashSet<String>) -> String {
    let known: Vec<&KnownRevision> = revisions
        .iter()
        .filter(|revision| applied.contains(&revision.name))
        .collect();
    match newest(&known) {
        heads if heads.is_empty() => "base".to_owned(),
        heads => heads.join("+"),
    }
}

/// Returns the ids of those that none of the others revises.
pub(super) fn newest(revisions: &[&KnownRevision]) -> Vec<String> {
    revisions
        .iter()
        .filter(|revision| !revisions.iter().any(|other| other.revises.contains(&revision.id)))
        .map(|revision| revision.id.clone())
        .collect()
}
