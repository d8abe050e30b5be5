//! The statements of a backfill on its own table, as text.

use sea_orm::DbBackend;
use sea_orm::sea_query::{Alias, Expr, ExprTrait, Query};
use sha2::{Digest, Sha256};

use super::key::{Key, Place, quoted};
use super::{Backfill, Needs, sql};
use crate::session::{dialect_of, inline};
use crate::sql::{Dialect, literal};

/// What a line that describes a backfill begins with.
const MARK: &str = "-- backfill ";

impl Backfill {
    /// Returns the statement that changes the rows that need it, where they also fulfil a condition.
    pub(super) fn update(&self, backend: DbBackend, condition: Option<String>) -> String {
        let mut update = Query::update();
        update.table(Alias::new(&self.table));
        for (column, value) in &self.assignments {
            update.value(Alias::new(column), value.clone());
        }
        if let Some(condition) = condition {
            update.and_where(Expr::cust(condition));
        }
        if let Some(needed) = self.needed() {
            update.and_where(needed);
        }
        inline(backend, &update)
    }

    /// Returns the condition of rows that need it, or nothing when all do.
    fn needed(&self) -> Option<Expr> {
        let needed = match &self.needs {
            Needs::Every => None,
            Needs::Rows(condition) => Some(condition.clone()),
            Needs::Unset => self
                .assignments
                .iter()
                .map(|(column, _)| Expr::col(Alias::new(column)).is_null())
                .reduce(|one, other| one.or(other)),
        };
        needed.map(in_brackets)
    }

    /// Returns the condition of rows that are wrong when all is done.
    fn wrong(&self) -> Option<Expr> {
        self.wrong.clone().map(in_brackets).or_else(|| self.needed())
    }

    /// Returns whether a row that it has changed is left alone when it is met again.
    pub(super) fn is_repeatable(&self) -> bool {
        self.needs != Needs::Every
    }

    /// Returns the query for the last place on the key.
    pub(super) fn last(&self, key: &Key) -> String {
        format!(
            "SELECT {} FROM {} ORDER BY {} LIMIT 1",
            key.selected(),
            quoted(&self.table),
            key.columns(" DESC")
        )
    }

    /// Returns the query for the place so many rows after another one; no row where fewer are left.
    pub(super) fn next(&self, key: &Key, after: Option<&Place>, until: &Place, rows: u64) -> String {
        format!(
            "SELECT {} FROM {} WHERE {} ORDER BY {} LIMIT 1 OFFSET {}",
            key.selected(),
            quoted(&self.table),
            key.between(after, until),
            key.columns(""),
            rows.saturating_sub(1)
        )
    }

    /// Returns the query that counts the rows of the last part of the key.
    pub(super) fn count(&self, key: &Key, after: Option<&Place>, until: &Place) -> String {
        format!(
            "SELECT count(*) AS rows FROM {} WHERE {}",
            quoted(&self.table),
            key.between(after, until)
        )
    }

    /// Returns the query for about how many rows there are.
    pub(super) fn size_query(&self, backend: DbBackend) -> String {
        let table = quoted(&self.table);
        match dialect_of(backend) {
            // Counting a large table takes longer than a batch may; the planner's idea of it will do.
            Dialect::Postgresql => format!(
                "SELECT CASE WHEN reltuples < 100000 THEN (SELECT count(*) FROM {table}) ELSE reltuples::bigint END AS rows \
                 FROM pg_class WHERE oid = to_regclass({})",
                literal(&table)
            ),
            Dialect::Sqlite => format!("SELECT count(*) AS rows FROM {table}"),
        }
    }

    /// Returns the query for the keys of a few rows that are wrong, or nothing where none can be.
    pub(super) fn offenders(&self, key: &Key) -> Option<String> {
        let backend = key.backend();
        let select = Query::select()
            .expr(Expr::cust(key.selected()))
            .from(Alias::new(&self.table))
            .and_where(self.wrong()?)
            .limit(5)
            .to_owned();
        Some(inline(backend, &select))
    }

    /// Returns what it does, in a line, for a script that is read.
    #[must_use]
    pub fn described(&self, backend: DbBackend) -> String {
        if !self.has_work_on(backend) {
            return format!("{MARK}{}: has nothing to fill on this database", self.name);
        }
        format!(
            "{MARK}{}, in batches: {}",
            self.name,
            self.update(backend, None).replace(['\n', '\r'], " ")
        )
    }

    /// Returns what it does, in a line, and below it the statement that does it without a runner; see [`taken_apart`].
    pub(crate) fn spelled_out(&self, backend: DbBackend) -> String {
        format!("{}\n{}", self.described(backend), self.in_rounds(backend))
    }

    /// Returns that it is forgotten, in a line, and below it the statements; see [`taken_apart`].
    pub(super) fn forgotten(&self, backend: DbBackend) -> String {
        format!("{MARK}{}: is forgotten\n{}", self.name, self.forgetting(backend))
    }

    /// Returns the statements that forget how far it was, also where nothing ever began.
    pub(super) fn forgetting(&self, backend: DbBackend) -> String {
        format!(
            "{}{}",
            sql::create_table(backend),
            sql::forget(backend, &self.name)
        )
    }

    /// Returns the statements that do the same without this tool: a loop on PostgreSQL, where each round commits.
    #[must_use]
    pub fn portable(&self, backend: DbBackend) -> String {
        if !self.has_work_on(backend) {
            return format!(
                "{}{};\n",
                sql::create_table(backend),
                self.done_without_work(backend)
            );
        }
        let checksum = self.checksum(backend);
        let wrong = self.wrong().map(|wrong| {
            let select = Query::select()
                .expr(Expr::val(1))
                .from(Alias::new(&self.table))
                .and_where(wrong)
                .to_owned();
            inline(backend, &select)
        });
        format!(
            "{};\n{}{};\n",
            self.in_rounds(backend),
            sql::create_table(backend),
            sql::scripted(backend, &self.name, &self.table, &checksum, wrong.as_deref())
        )
    }

    /// Returns the statement that changes all rows: a loop on PostgreSQL, where each round commits.
    fn in_rounds(&self, backend: DbBackend) -> String {
        match (dialect_of(backend), self.needed()) {
            (Dialect::Postgresql, Some(needed)) => {
                let rows = Query::select()
                    .expr(Expr::cust("ctid"))
                    .from(Alias::new(&self.table))
                    .and_where(needed)
                    .limit(1_000)
                    .to_owned();
                let rows = format!("ctid = ANY (ARRAY({}))", inline(backend, &rows));
                let (tag, table) = (self.tag(), quoted(&self.table));
                // The rounds are counted: an expression that leaves a row as it was would keep the loop going for ever.
                format!(
                    "DO {tag} BEGIN FOR round IN 0..(SELECT count(*) / 1000 + 1 FROM {table}) LOOP {}; EXIT WHEN NOT FOUND; COMMIT; END LOOP; END {tag}",
                    self.update(backend, Some(rows))
                )
            }
            (Dialect::Postgresql, None) | (Dialect::Sqlite, _) => self.update(backend, None),
        }
    }

    /// Returns the statement that says that all is done where there is nothing to do.
    pub(super) fn done_without_work(&self, backend: DbBackend) -> String {
        sql::scripted(backend, &self.name, &self.table, &self.checksum(backend), None)
    }

    /// Returns a dollar quote that the statement does not hold.
    fn tag(&self) -> String {
        let text = self.update(DbBackend::Postgres, None);
        let mut tag = "$backfill$".to_owned();
        while text.contains(&tag) {
            tag = tag.replace("backfill", "backfill_");
        }
        tag
    }

    /// Returns the SHA-256 in hex of what it does to a row.
    pub(super) fn checksum(&self, backend: DbBackend) -> String {
        let digest = Sha256::digest(self.update(backend, None).as_bytes());
        digest.iter().map(|byte| format!("{byte:02x}")).collect()
    }
}

/// Returns the line that describes a backfill and the statement below it.
pub(crate) fn taken_apart(spelled_out: &str) -> Option<(&str, &str)> {
    spelled_out
        .split_once('\n')
        .filter(|(described, _)| described.starts_with(MARK))
}

/// Keeps a condition that is given as text together when others join it.
fn in_brackets(condition: Expr) -> Expr {
    Expr::tuple([condition])
}
