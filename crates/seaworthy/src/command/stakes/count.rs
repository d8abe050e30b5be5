//! Counts what may be lost in the live database, and leaves out what holds nothing.

use std::collections::BTreeSet;

use sea_orm::DbErr;

use super::catalog::{Called, Dependent, called, children, has_tables, is_there, left_out, taken};
use super::{COUNTED, CommandError, CountedLoss, Loss, Stakes};
use crate::script::{Kept, Losses, PossibleLoss};
use crate::session::{Fault, Session, dialect_of};
use crate::sql::{DEEPEST_CALL, Dialect, Object, Removal, RowVerb, Which, quoted, quoted_name};

mod values;

pub(super) struct Counter<'a> {
    session: &'a Session,
    losses: BTreeSet<Loss>,
    stakes: Stakes,
    /// What is to go and is not there now.
    missing: Vec<String>,
    /// Functions that have been read.
    seen: BTreeSet<String>,
}

impl<'a> Counter<'a> {
    pub(super) fn new(session: &'a Session) -> Self {
        Self {
            session,
            losses: BTreeSet::new(),
            stakes: Stakes::default(),
            missing: Vec::new(),
            seen: BTreeSet::new(),
        }
    }

    pub(super) async fn count(mut self, losses: Losses) -> Result<Stakes, CommandError> {
        let failed = |source: DbErr| CommandError::Query {
            action: "count the rows at stake",
            source: source.into(),
        };
        self.add(losses).await.map_err(failed)?;
        // Where there is no table at all, whatever it is called, there is nothing to lose.
        if !self.missing.is_empty() && has_tables(self.session).await.map_err(failed)? {
            self.stakes.unclear.append(&mut self.missing);
        }
        // What a table holds goes with it.
        let tables: BTreeSet<String> = self
            .losses
            .iter()
            .filter_map(|loss| match loss {
                Loss::Table { table } => Some(table.clone()),
                _ => None,
            })
            .collect();
        self.stakes.losses.retain(|counted| match &counted.loss {
            Loss::Table { .. } => true,
            Loss::Column { table, .. }
            | Loss::Rows { table, .. }
            | Loss::Values { table, .. }
            | Loss::Type { table, .. }
            | Loss::Form { table, .. } => !tables.contains(table),
        });
        self.name_once();
        let counted = &self.stakes.losses;
        let loses_rows = |table: &String| {
            counted
                .iter()
                .any(|one| matches!(&one.loss, Loss::Rows { table: of, .. } if of == table))
        };
        self.stakes.found_empty.retain(|table| !loses_rows(table));
        self.stakes
            .losses
            .sort_by(|left, right| left.loss.cmp(&right.loss));
        Ok(self.stakes)
    }

    /// Names each table once of which rows go, and once of which values are overwritten, whichever statements do it.
    fn name_once(&mut self) {
        let mut named: Vec<CountedLoss> = Vec::new();
        for counted in std::mem::take(&mut self.stakes.losses) {
            let is_same = |one: &&mut CountedLoss| match (&one.loss, &counted.loss) {
                (Loss::Rows { table, .. }, Loss::Rows { table: other, .. })
                | (Loss::Values { table, .. }, Loss::Values { table: other, .. }) => table == other,
                _ => false,
            };
            match named.iter_mut().find(is_same) {
                Some(one) => one.take_in(counted),
                None => named.push(counted),
            }
        }
        self.stakes.losses = named;
    }

    async fn add(&mut self, losses: Losses) -> Result<(), DbErr> {
        let mut pending = vec![(losses, 0)];
        while let Some((losses, depth)) = pending.pop() {
            self.stakes.unclear.extend(losses.unclear);
            for possible in losses.possible {
                match possible {
                    PossibleLoss::Removed { removal, kept } => self.removed(removal, kept).await?,
                    PossibleLoss::PartlyKept { removal, kept } => self.partly_kept(removal, kept).await?,
                    PossibleLoss::Rows {
                        verb,
                        table,
                        columns,
                        which,
                        cascade,
                    } => match verb {
                        RowVerb::Update => self.overwritten(table, columns, which).await?,
                        RowVerb::Insert => {}
                        RowVerb::Upsert => self.overwritten(table, columns, None).await?,
                        RowVerb::Replace | RowVerb::Merge => self.deleted(table, None, false).await?,
                        RowVerb::Delete => self.deleted(table, which, false).await?,
                        RowVerb::Truncate => self.truncated(table, cascade).await?,
                    },
                    PossibleLoss::Retyped {
                        table,
                        column,
                        to,
                        using,
                        is_cleaned,
                    } => {
                        self.retyped(table, column, (to, using, is_cleaned)).await?;
                    }
                    PossibleLoss::Reshaped {
                        table,
                        column,
                        form,
                        to,
                    } => self.reshaped(table, column, form, to).await?,
                    PossibleLoss::Apart { table, columns, by } => self.apart(table, columns, &by).await?,
                    PossibleLoss::Moved { table, which } => self.moved(table, which).await?,
                    PossibleLoss::Called { name, sql } => {
                        if let Some(inner) = self.called(&name, &sql, depth).await? {
                            pending.push((inner, depth + 1));
                        }
                    }
                }
            }
        }
        Ok(())
    }

    /// Counts what goes of a table of which another holds some rows: up to all of them, and what is in other columns.
    async fn partly_kept(&mut self, removal: Removal, kept: Kept) -> Result<(), DbErr> {
        let Object::Table { name } = &removal.object else {
            return self.removed(removal, None).await;
        };
        if !is_there(self.session, name, None).await? {
            self.missing(&removal);
            return Ok(());
        }
        let name = name.clone();
        self.removed(removal.clone(), Some(kept)).await?;
        self.deleted(name.clone(), None, false).await?;
        self.dependents_but(&removal, Some(&name)).await
    }

    async fn removed(&mut self, removal: Removal, kept: Option<Kept>) -> Result<(), DbErr> {
        match (&removal.object, kept) {
            (Object::Table { name }, Some(kept)) => {
                let table = name.clone();
                let is_kept = |name: &str| match &kept {
                    Kept::AllBut(columns) => !columns.contains(name),
                    Kept::Columns(columns) => columns.contains(name),
                };
                for column in left_out(self.session, &table, is_kept).await? {
                    if !column.is_computed {
                        self.column(table.clone(), column.name).await?;
                    }
                }
                Ok(())
            }
            (Object::Table { name }, None) => {
                if is_there(self.session, name, None).await? {
                    self.table(name.clone()).await?;
                    self.dependents(&removal).await
                } else {
                    self.missing(&removal);
                    Ok(())
                }
            }
            (Object::Column { table, column }, _) => {
                if is_there(self.session, table, Some(column)).await? {
                    self.column(table.clone(), column.clone()).await?;
                    self.dependents(&removal).await
                } else {
                    self.missing(&removal);
                    Ok(())
                }
            }
            (Object::Database { .. }, _) => {
                self.stakes
                    .unclear
                    .push(format!("DROP of the {}", removal.object));
                Ok(())
            }
            _ => self.dependents(&removal).await,
        }
    }

    /// Counts what PostgreSQL drops with something.
    async fn dependents(&mut self, removal: &Removal) -> Result<(), DbErr> {
        self.dependents_but(removal, None).await
    }

    /// Counts what PostgreSQL drops with something, but for a table that was counted already.
    async fn dependents_but(&mut self, removal: &Removal, counted: Option<&str>) -> Result<(), DbErr> {
        match dialect_of(self.session.backend()) {
            Dialect::Sqlite => return Ok(()),
            Dialect::Postgresql => {}
        }
        let Some(taken) = taken(self.session, &removal.object, removal.cascade).await? else {
            self.missing(removal);
            return Ok(());
        };
        for one in taken {
            match one {
                Dependent::Table(table) | Dependent::Column(table, _) if counted == Some(table.as_str()) => {}
                Dependent::Table(table) => self.table(table).await?,
                Dependent::Column(table, column) => self.column(table, column).await?,
            }
        }
        Ok(())
    }

    /// What is not there may be called otherwise, and is then not known to hold nothing.
    fn missing(&mut self, removal: &Removal) {
        if !removal.if_exists {
            let what = format!("DROP of the {}, which is not there now", removal.object);
            self.missing.push(what);
        }
    }

    async fn table(&mut self, table: String) -> Result<(), DbErr> {
        let rows = self
            .rows_of(&quoted_name(&table), None)
            .await?
            .unwrap_or_default();
        if rows == 0 {
            self.stakes.found_empty.insert(table.clone());
        }
        self.note(Loss::Table { table }, rows);
        Ok(())
    }

    async fn column(&mut self, table: String, column: String) -> Result<(), DbErr> {
        let rows = self.values_of(&quoted_name(&table), &column).await?;
        if rows == 0 {
            self.stakes.empty_columns.insert((table.clone(), column.clone()));
        }
        self.note(Loss::Column { table, column }, rows);
        Ok(())
    }

    async fn truncated(&mut self, table: String, cascade: bool) -> Result<(), DbErr> {
        if cascade {
            for child in children(self.session, &table, true).await? {
                self.deleted(child, None, true).await?;
            }
        }
        self.deleted(table, None, true).await
    }

    /// Counts deleted rows, and those that go with them; `all` where it is every row for sure.
    async fn deleted(&mut self, table: String, which: Option<Which>, all: bool) -> Result<(), DbErr> {
        let Some(total) = self.rows_of(&quoted_name(&table), None).await? else {
            self.missing
                .push(format!("rows of {table}, which is not there now"));
            return Ok(());
        };
        let found = match &which {
            Some(which) => self.rows_of_query(which, None).await?,
            None => None,
        };
        let (rows, exact) = found.map_or((total, all), |rows| (rows, true));
        if rows == 0 {
            self.stakes.found_empty.insert(table);
            return Ok(());
        }
        self.rows_that_refer_to(&table).await?;
        self.note(Loss::Rows { table, total, exact }, rows);
        Ok(())
    }

    /// Counts what goes with rows that are put into another table.
    async fn moved(&mut self, table: String, which: Option<Which>) -> Result<(), DbErr> {
        let found = match &which {
            Some(which) => self.rows_of_query(which, None).await?,
            None => None,
        };
        match found {
            Some(0) => Ok(()),
            Some(_) | None => self.rows_that_refer_to(&table).await,
        }
    }

    /// Counts the rows that go because those do which they refer to.
    async fn rows_that_refer_to(&mut self, table: &str) -> Result<(), DbErr> {
        for table in children(self.session, table, false).await? {
            let total = self.rows_of(&quoted_name(&table), None).await?;
            let (total, exact) = (total.unwrap_or_default(), false);
            self.note(Loss::Rows { table, total, exact }, total);
        }
        Ok(())
    }

    async fn overwritten(
        &mut self,
        table: String,
        columns: Vec<String>,
        which: Option<Which>,
    ) -> Result<(), DbErr> {
        let has_value: Vec<String> = columns
            .iter()
            .map(|column| format!("{} IS NOT NULL", quoted(column)))
            .collect();
        let has_value = (!has_value.is_empty()).then(|| has_value.join(" OR "));
        let found = match &which {
            Some(which) => self.rows_of_query(which, has_value.as_deref()).await?,
            None => None,
        };
        let (rows, exact) = match found {
            Some(rows) => (rows, true),
            None => {
                let most = self.rows_of(&quoted_name(&table), has_value.as_deref()).await?;
                (most.unwrap_or_default(), false)
            }
        };
        self.note(
            Loss::Values {
                table,
                columns,
                exact,
            },
            rows,
        );
        Ok(())
    }

    async fn called(&mut self, name: &str, sql: &str, depth: usize) -> Result<Option<Losses>, DbErr> {
        match dialect_of(self.session.backend()) {
            // SQLite keeps no code.
            Dialect::Sqlite => return Ok(None),
            Dialect::Postgresql => {}
        }
        if !self.seen.insert(name.to_owned()) {
            return Ok(None);
        }
        match called(self.session, name).await? {
            Called::Harmless => Ok(None),
            Called::Bodies(bodies) if depth < DEEPEST_CALL => {
                let mut losses = Losses::default();
                for body in bodies {
                    losses.add_statements(&body);
                }
                Ok(Some(losses))
            }
            Called::Bodies(_) | Called::Unknown => {
                let what = format!("{sql} (the code of {name} cannot be read)");
                self.stakes.unclear.push(what);
                Ok(None)
            }
        }
    }

    fn note(&mut self, loss: Loss, rows: i64) {
        if rows == 0 {
            return;
        }
        if self.losses.insert(loss.clone()) {
            self.stakes.losses.push(CountedLoss { loss, rows });
            return;
        }
        // Another statement takes others of them, or the same.
        let most = match &loss {
            Loss::Rows { total, .. } => *total,
            _ => i64::MAX,
        };
        let before = self.stakes.losses.iter_mut().find(|counted| counted.loss == loss);
        if let Some(counted) = before.filter(|_| matches!(loss, Loss::Rows { .. })) {
            counted.rows = counted.rows.saturating_add(rows).min(most);
        }
    }

    /// Counts the rows that pieces of a statement find; nothing where the database cannot tell before the statements ahead of it
    /// have run.
    async fn rows_of_query(&self, which: &Which, and: Option<&str>) -> Result<Option<i64>, DbErr> {
        let conditions: Vec<String> = which
            .condition
            .iter()
            .map(String::as_str)
            .chain(and)
            .map(|one| format!("({one})"))
            .collect();
        let condition = match conditions.is_empty() {
            true => String::new(),
            false => format!(" WHERE {}", conditions.join(" AND ")),
        };
        let others = which
            .others
            .as_ref()
            .map(|others| format!(", {others}"))
            .unwrap_or_default();
        // A row that several rows of other tables match is changed once.
        let alias = which.target.split_whitespace().last().unwrap_or_default();
        let row = match (dialect_of(self.session.backend()), &which.others) {
            (_, None) => "1".to_owned(),
            (Dialect::Postgresql, Some(_)) => format!("DISTINCT {alias}.ctid"),
            (Dialect::Sqlite, Some(_)) => format!("DISTINCT {alias}.rowid"),
        };
        let sql = format!(
            "{} SELECT count(*) AS rows_at_stake FROM (SELECT {row} FROM {}{others}{condition} LIMIT {}) AS counted",
            which.with,
            which.target,
            COUNTED + 1
        );
        self.number(&sql).await
    }

    /// Counts rows; nothing where there is no such table, or the condition cannot be asked for.
    async fn rows_of(&self, table: &str, condition: Option<&str>) -> Result<Option<i64>, DbErr> {
        match (self.counted(table, condition).await, condition) {
            (Ok(rows), _) => Ok(Some(rows)),
            // What cannot be counted, by a policy for instance, is not nothing.
            (Err(error), None) if Fault::of(&error) != Fault::UndefinedTable => Err(error),
            (Err(_), None) => Ok(None),
            (Err(error), Some(_)) => unanswered(error),
        }
    }

    async fn counted(&self, table: &str, condition: Option<&str>) -> Result<i64, DbErr> {
        let rows = self.session.rows(&counting(table, condition)).await?;
        rows.first().map_or(Ok(0), |row| row.try_get("", "rows_at_stake"))
    }

    /// Returns a number; nothing where the database does not know what is asked for.
    async fn number(&self, sql: &str) -> Result<Option<i64>, DbErr> {
        match self.session.rows(sql).await {
            Ok(rows) => rows
                .first()
                .map(|row| row.try_get("", "rows_at_stake"))
                .transpose(),
            Err(error) => unanswered(error),
        }
    }
}

/// Returns nothing where the database does not understand a question, and the error where it could not answer.
fn unanswered(error: DbErr) -> Result<Option<i64>, DbErr> {
    match Fault::of(&error) {
        Fault::LockNotGranted | Fault::Cancelled | Fault::Permission | Fault::ConnectionLost => Err(error),
        _ => Ok(None),
    }
}

fn counting(table: &str, condition: Option<&str>) -> String {
    let condition = condition
        .map(|condition| format!(" WHERE {condition}"))
        .unwrap_or_default();
    let limit = COUNTED + 1;
    format!(
        "SELECT count(*) AS rows_at_stake FROM (SELECT 1 FROM {table}{condition} LIMIT {limit}) AS counted"
    )
}
