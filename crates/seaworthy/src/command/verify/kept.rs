//! Rows of a scratch database: making some, and counting what is left of them.

use std::collections::BTreeMap;

use sea_orm::DbErr;

use super::reasons::causes;
use super::{Unfilled, Verification};
use crate::catalog::{Catalog, Column, Dialect, Table};
use crate::revision::RevisionId;
use crate::session::{DatabaseError, Session, dialect_of};
use crate::verify::{quoted, rows};

/// How many rows each table has, and how many values each of its columns.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Counts(BTreeMap<String, TableCount>);

#[derive(Clone, Debug, PartialEq, Eq)]
struct TableCount {
    rows: i64,
    values: BTreeMap<String, i64>,
    /// Tables that are parts of it.
    parts: Vec<String>,
}

impl TableCount {
    /// Adds what another table holds.
    fn add(&mut self, other: &Self) {
        self.rows += other.rows;
        for (column, values) in &mut self.values {
            *values += other.values.get(column).copied().unwrap_or_default();
        }
    }
}

impl Counts {
    /// Counts what every table of a catalog holds.
    pub(super) async fn of(session: &Session, catalog: &Catalog) -> Result<Self, DbErr> {
        let mut counts = BTreeMap::new();
        for table in &catalog.tables {
            counts.insert(table.name.clone(), count(session, table).await?);
        }
        Ok(Self(counts))
    }

    /// Returns all that several counts have together.
    pub(super) fn sum<'a>(counts: impl IntoIterator<Item = &'a Self>) -> Self {
        let mut sum = Self::default();
        for (table, count) in counts.into_iter().flat_map(|counts| &counts.0) {
            let total = sum.0.entry(table.clone()).or_insert_with(|| TableCount {
                rows: 0,
                values: BTreeMap::new(),
                parts: Vec::new(),
            });
            total.rows += count.rows;
            for (column, values) in &count.values {
                *total.values.entry(column.clone()).or_default() += values;
            }
        }
        sum
    }

    /// Returns how much more there is later, by table and column: what a revision has put in, and may take out again.
    pub(super) fn gains(&self, later: &Self) -> Self {
        let mut gains = later.clone();
        gains.0.retain(|table, _| self.0.contains_key(table));
        for (table, gained) in &mut gains.0 {
            let before = &self.0[table];
            gained.rows = (gained.rows - before.rows).max(0);
            for (column, values) in &mut gained.values {
                *values = (*values - before.values.get(column).copied().unwrap_or_default()).max(0);
            }
        }
        gains
    }

    /// Returns what is missing later beyond what may be, in words. Tables and columns that are gone are none of its business: the
    /// schema says whether they should be.
    pub(super) fn losses(&self, later: &Self, allowed: &Self) -> Vec<String> {
        let mut losses = Vec::new();
        for (table, before) in &self.0 {
            let Some(after) = later.0.get(table) else {
                continue;
            };
            let allowed = allowed.0.get(table);
            // A part that has become a table of its own took its rows along.
            let mut after = after.clone();
            let parts = before.parts.iter().filter_map(|part| later.0.get(part));
            parts.for_each(|part| after.add(part));
            let allowed_rows = allowed.map_or(0, |allowed| allowed.rows);
            if after.rows < before.rows - allowed_rows {
                losses.push(format!(
                    "{table} had {} and has {}",
                    counted(before.rows, "row"),
                    after.rows
                ));
                continue;
            }
            for (column, values) in &before.values {
                let allowed_values = allowed.and_then(|allowed| allowed.values.get(column)).copied();
                let least = values - allowed_values.unwrap_or_default().max(allowed_rows);
                if let Some(left) = after.values.get(column).filter(|left| **left < least) {
                    losses.push(format!(
                        "{table}.{column} held {} and holds {left}",
                        counted(*values, "value")
                    ));
                }
            }
        }
        losses
    }

    /// Returns the tables without rows.
    fn empty<'a>(&self, catalog: &'a Catalog) -> Vec<&'a Table> {
        let is_empty = |table: &&Table| self.0.get(&table.name).is_some_and(|count| count.rows == 0);
        catalog.tables.iter().filter(is_empty).collect()
    }

    fn total(&self) -> i64 {
        self.0.values().map(|count| count.rows).sum()
    }
}

/// Puts rows into the tables that have none, and returns how many it were.
///
/// A table that no rows can be made up for is noted and stays empty. Rows that somebody wrote must fit.
pub(super) async fn fill(
    session: &Session,
    revision: &RevisionId,
    catalog: &Catalog,
    verification: &Verification<'_>,
    unfilled: &mut Vec<Unfilled>,
) -> Result<u64, DbErr> {
    let before = Counts::of(session, catalog).await?;
    let written = verification
        .rows
        .as_ref()
        .and_then(|rows| rows(revision, catalog));
    for statement in written.into_iter().flatten() {
        session.send(&statement).await?;
    }
    let empty = Counts::of(session, catalog).await?.empty(catalog);
    for made in rows(catalog, empty) {
        let sent = match session.send(&made.sql).await {
            Ok(()) => Ok(()),
            // What it says of a row with all values is what there is to say.
            Err(error) => session.send(&made.least).await.map_err(|_| error),
        };
        match sent {
            Ok(()) => unfilled.retain(|noted| noted.table != made.table),
            Err(_) if unfilled.iter().any(|noted| noted.table == made.table) => {}
            Err(error) => unfilled.push(Unfilled {
                revision: revision.clone(),
                table: made.table,
                reason: causes(&DatabaseError::from(error)).pop().unwrap_or_default(),
            }),
        }
    }
    count_on(session).await?;
    let after = Counts::of(session, catalog).await?;
    Ok(u64::try_from(after.total() - before.total()).unwrap_or(0))
}

/// Returns the rows of each table as texts, sorted. What a row was given by chance or by the clock is left out: numbers that the
/// database hands out, and defaults that are no constants.
pub(super) async fn texts(
    session: &Session,
    catalog: &Catalog,
) -> Result<BTreeMap<String, Vec<String>>, DbErr> {
    let mut all = BTreeMap::new();
    for table in &catalog.tables {
        let is_given = |column: &&Column| {
            let is_same_each_time = column.default.as_deref().is_none_or(is_constant);
            is_same_each_time && column.auto.is_none() && column.generated.is_none()
        };
        let columns = table.columns.iter().filter(is_given);
        let columns: Vec<String> = columns.map(|column| quoted(&column.name)).collect();
        let text = match dialect_of(session.backend()) {
            Dialect::Postgresql => format!("ROW({})::text", columns.join(", ")),
            Dialect::Sqlite => {
                let quotes: Vec<String> = columns.iter().map(|column| format!("quote({column})")).collect();
                ["''".to_owned()]
                    .into_iter()
                    .chain(quotes)
                    .collect::<Vec<_>>()
                    .join(" || ',' || ")
            }
        };
        let query = format!("SELECT {text} FROM {}", quoted(&table.name));
        let rows = session.rows(&query).await?;
        let mut texts = rows
            .iter()
            .map(|row| row.try_get_by_index(0))
            .collect::<Result<Vec<String>, _>>()?;
        texts.sort();
        all.insert(table.name.clone(), texts);
    }
    Ok(all)
}

/// Returns whether a default is a text, a number or a word that stands for itself; the time of day is none.
fn is_constant(default: &str) -> bool {
    let is_word = ["true", "false", "null"]
        .iter()
        .any(|word| default.eq_ignore_ascii_case(word));
    is_word || default.starts_with(|first: char| first == '\'' || first == '-' || first.is_ascii_digit())
}

/// Has the sequences of PostgreSQL go on behind the rows that were put in with their keys.
async fn count_on(session: &Session) -> Result<(), DbErr> {
    if dialect_of(session.backend()) == Dialect::Sqlite {
        return Ok(());
    }
    for row in session.rows(SEQUENCES_BEHIND).await? {
        session.send(&row.try_get_by_index::<String>(0)?).await?;
    }
    Ok(())
}

/// Statements that move each sequence that numbers a column, by ownership or by a default, past the greatest number in it.
const SEQUENCES_BEHIND: &str = "
    WITH numbering AS (
        SELECT pg_depend.objid AS sequence, refobjid AS relation, refobjsubid AS place
        FROM pg_depend
        WHERE classid = 'pg_class'::regclass AND refclassid = 'pg_class'::regclass AND refobjsubid > 0 AND deptype IN ('a', 'i')
        UNION
        SELECT refobjid, adrelid, adnum
        FROM pg_depend JOIN pg_attrdef ON pg_attrdef.oid = objid
        WHERE classid = 'pg_attrdef'::regclass AND refclassid = 'pg_class'::regclass
    )
    SELECT format(
        'SELECT setval(%L, greatest) FROM (SELECT max(%I)::bigint AS greatest FROM %s) AS numbered, %s WHERE greatest >= last_value',
        sequence::regclass, attname, relation::regclass, sequence::regclass
    )
    FROM numbering
    JOIN pg_class ON pg_class.oid = sequence AND relkind = 'S'
    JOIN pg_attribute ON attrelid = relation AND attnum = place";

async fn count(session: &Session, table: &Table) -> Result<TableCount, DbErr> {
    let mut counts = vec!["count(*)".to_owned()];
    counts.extend(
        table
            .columns
            .iter()
            .map(|column| format!("count({})", quoted(&column.name))),
    );
    // Rows of tables that inherit from it are theirs; those of parts are its own.
    let only = match (dialect_of(session.backend()), &table.partitioned_by) {
        (Dialect::Postgresql, None) => "ONLY ",
        (Dialect::Postgresql, Some(_)) | (Dialect::Sqlite, _) => "",
    };
    let sql = format!("SELECT {} FROM {only}{}", counts.join(", "), quoted(&table.name));
    let found = session.rows(&sql).await?;
    let row = found
        .first()
        .ok_or_else(|| DbErr::RecordNotFound("a count has one row".to_owned()))?;
    let mut values = BTreeMap::new();
    for (place, column) in table.columns.iter().enumerate() {
        values.insert(column.name.clone(), row.try_get_by_index(place + 1)?);
    }
    Ok(TableCount {
        rows: row.try_get_by_index(0)?,
        values,
        parts: table.partitions.iter().map(|part| part.name.clone()).collect(),
    })
}

fn counted(count: i64, noun: &str) -> String {
    let plural = if count == 1 { "" } else { "s" };
    format!("{count} {noun}{plural}")
}
