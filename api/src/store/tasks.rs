//! Tasks: read, made, changed and removed, each with one statement.

use std::collections::HashMap;

use entity::task::{Column, Entity};
use sea_orm::sea_query::{DynIden, Expr, IntoIden, Order, Query, UpdateStatement};
use sea_orm::{ColumnTrait, IntoSimpleExpr};
use seaworthy::sql::Dialect;

use super::due;
use super::row::owned_by;
use super::shape::{MARK, RULES};
use super::{Scope, StoreError};
use crate::domain::{
    Completion, Description, Due, DueChange, Feature, Instant, NewTask, Priority, Recurrence, Task,
    TaskPatch, Title, folded_unless_ascii,
};

impl Scope {
    /// Returns one task.
    pub(crate) async fn task_by_id(&self, id: i32) -> Result<Task, StoreError> {
        let row = self.runner().one(&self.reading(id)).await?;
        Ok(self.task(&row.ok_or(StoreError::NotFound)?)?)
    }

    /// Makes a task without tags.
    pub(crate) async fn insert_task(&self, new: &NewTask, now: Instant) -> Result<Task, StoreError> {
        let made = self.insert_tasks(&[new], now).await?;
        made.into_iter().next().ok_or(StoreError::NotFound)
    }

    /// Makes tasks without tags, in the order of the list.
    pub(crate) async fn insert_tasks(&self, new: &[&NewTask], now: Instant) -> Result<Vec<Task>, StoreError> {
        let mut insert = Query::insert();
        insert
            .into_table(Entity)
            .returning(Query::returning().expr(self.task_columns()));
        for new in new {
            let (columns, values) = self.new_row(new, now);
            insert.columns(columns).values_panic(values);
        }
        let mut tasks = self.read_tasks(&self.runner().all(&insert).await?)?;
        // Ids are given in the order of the values; what comes back may be in any order.
        tasks.sort_unstable_by_key(|task| task.id);
        Ok(tasks)
    }

    /// Returns the columns of a new task and what goes into them.
    fn new_row(&self, new: &NewTask, now: Instant) -> (Vec<DynIden>, Vec<Expr>) {
        let mut columns = [Column::UserId, Column::CreatedAt, Column::UpdatedAt]
            .map(IntoIden::into_iden)
            .to_vec();
        let mut values: Vec<Expr> = vec![
            self.owner.as_str().into(),
            now.to_utc().into(),
            now.to_utc().into(),
        ];
        let patch = TaskPatch::from(new.clone());
        let folded = self.folded(&patch).into_iter();
        let folded = folded.map(|(column, text)| (column.into_iden(), Expr::val(text)));
        let due = due::inserted(&self.shape, new.due.as_ref());
        for (column, value) in self.values(&patch).into_iter().chain(due).chain(folded) {
            columns.push(column);
            values.push(value);
        }
        (columns, values)
    }

    /// Writes what a patch names into tasks, besides their tags, and returns those that are there.
    ///
    /// # Errors
    ///
    /// Fails with [`StoreError::Outdated`] when a task is not there and it may be for what the patch sets to a default: the
    /// schema may have gained a place for it.
    pub(crate) async fn patch_tasks(
        &self,
        ids: &[i32],
        patch: &TaskPatch,
        now: Instant,
    ) -> Result<Vec<Task>, StoreError> {
        let mut update = self.update_tasks(ids);
        update
            .values(self.values(patch))
            .values(
                patch
                    .due
                    .iter()
                    .flat_map(|change| due::changed(&self.shape, change)),
            )
            .values(self.folded(patch).into_iter().map(written_anew))
            .value(Column::UpdatedAt, now.to_utc());
        let unwritten = self.unwritten(patch);
        if !unwritten.is_empty() {
            update.and_where(still_missing(self.dialect(), &unwritten));
        }
        let tasks = self.read_tasks(&self.runner().all(&update).await?)?;
        match tasks.len() < ids.len() && !unwritten.is_empty() {
            true => Err(StoreError::Outdated),
            false => Ok(tasks),
        }
    }

    /// Completes or reopens a task; one that is that way already stays as it is.
    pub(crate) async fn complete_task(
        &self,
        id: i32,
        completion: Completion,
        now: Instant,
    ) -> Result<Task, StoreError> {
        let update = match completion {
            Completion::Toggle => self.toggling(id, now),
            Completion::Is(completed) => self.completing(id, completed, now),
        };
        let row = self.runner().one(&update).await?;
        Ok(self.task(&row.ok_or(StoreError::NotFound)?)?)
    }

    /// Does to several tasks what [`Self::complete_task`] does to one, and returns those that are there.
    pub(crate) async fn complete_tasks(
        &self,
        ids: &[i32],
        completed: bool,
        now: Instant,
    ) -> Result<Vec<Task>, StoreError> {
        let unchanged = Expr::case(
            Column::Completed.eq(completed),
            Column::UpdatedAt.into_simple_expr(),
        )
        .finally(Expr::val(now.to_utc()));
        let mut update = self.update_tasks(ids);
        update
            .value(Column::Completed, completed)
            .value(Column::UpdatedAt, unchanged);
        self.read_tasks(&self.runner().all(&update).await?)
    }

    /// Removes tasks with their links to tags; returns how many there were.
    pub(crate) async fn delete_tasks(&self, ids: &[i32]) -> Result<u64, StoreError> {
        let delete = Query::delete()
            .from_table(Entity)
            .and_where(is_one_of(ids))
            .and_where(owned_by(&self.owner))
            .to_owned();
        self.runner().execute(&delete).await
    }

    fn update_tasks(&self, ids: &[i32]) -> UpdateStatement {
        Query::update()
            .table(Entity)
            .and_where(is_one_of(ids))
            .and_where(owned_by(&self.owner))
            .returning(Query::returning().expr(self.task_columns()))
            .to_owned()
    }

    /// Returns a task that nobody else can change until the transaction ends.
    pub(crate) async fn locked_task(&self, id: i32) -> Result<Task, StoreError> {
        self.lock_tasks(Column::Id.eq(id)).await?;
        self.task_by_id(id).await
    }

    /// Returns tasks by their ids; nobody else can change them until the transaction ends.
    pub(crate) async fn locked_tasks(&self, ids: &[i32]) -> Result<HashMap<i32, Task>, StoreError> {
        if ids.is_empty() {
            return Ok(HashMap::new());
        }
        self.lock_tasks(is_one_of(ids)).await?;
        self.tasks_by_ids(ids).await
    }

    /// Returns those of the owner's tasks that are there.
    pub(crate) async fn tasks_by_ids(&self, ids: &[i32]) -> Result<HashMap<i32, Task>, StoreError> {
        if ids.is_empty() {
            return Ok(HashMap::new());
        }
        let select = Query::select()
            .expr(self.task_columns())
            .from(Entity)
            .and_where(is_one_of(ids))
            .and_where(owned_by(&self.owner))
            .to_owned();
        let tasks = self.read_tasks(&self.runner().all(&select).await?)?;
        Ok(tasks.into_iter().map(|task| (task.id, task)).collect())
    }

    /// Keeps everybody else from changing some of the owner's tasks, and what they carry, until the transaction ends.
    ///
    /// A statement that waits for a row sees the other tables as they were before it waited: what a task carries is read with
    /// the next one.
    pub(super) async fn lock_tasks(&self, which: Expr) -> Result<(), StoreError> {
        let select = Query::select()
            .column(Column::Id)
            .from(Entity)
            .and_where(which)
            .and_where(owned_by(&self.owner))
            .order_by(Column::Id, Order::Asc)
            .to_owned();
        self.lock_rows(select).await
    }

    /// Refuses what the schema cannot keep; a default needs no column.
    pub(crate) fn supports(&self, patch: &TaskPatch) -> Result<(), StoreError> {
        patch
            .features()
            .into_iter()
            .try_for_each(|feature| self.needs(feature))
    }

    /// Returns the columns that a patch writes and the schema has, besides when a task is due.
    fn values(&self, patch: &TaskPatch) -> Vec<(DynIden, Expr)> {
        let moment = |moment: Option<Instant>| Expr::val(moment.map(Instant::to_utc));
        let mut values: Vec<(DynIden, Expr)> = Vec::new();
        if let Some(title) = &patch.title {
            values.push((Column::Title.into_iden(), Title::as_str(title).into()));
        }
        if let Some(description) = &patch.description {
            let text = description.as_ref().map(Description::as_str);
            values.push((
                Column::Description.into_iden(),
                Expr::val(text.map(str::to_owned)),
            ));
        }
        if let Some(completed) = patch.completed {
            values.push((Column::Completed.into_iden(), completed.into()));
        }
        if let Some(priority) = patch.priority.filter(|_| self.shape.has(Feature::Priority)) {
            values.push((Column::Priority.into_iden(), Priority::word(priority).into()));
        }
        if let Some(remind) = patch.remind_at.filter(|_| self.shape.has(Feature::RemindAt)) {
            values.push((Column::RemindAt.into_iden(), moment(remind)));
        }
        if let Some(recurrence) = patch
            .recurrence
            .as_ref()
            .filter(|_| self.shape.has(Feature::Recurrence))
        {
            let text = recurrence.as_ref().map(|it| Recurrence::as_str(it).to_owned());
            if self.shape.marks_recurring {
                values.push((MARK.into_iden(), text.is_some().into()));
            }
            for name in &self.shape.rule_names {
                values.push((name.into_iden(), Expr::val(text.clone())));
            }
        }
        values
    }

    /// Returns the texts of a patch as searches compare them, where the schema keeps them.
    fn folded(&self, patch: &TaskPatch) -> Vec<(Column, Option<String>)> {
        if !self.shape.has(Feature::FoldedText) {
            return Vec::new();
        }
        let title = patch.title.as_ref().map(Title::as_str).map(folded_unless_ascii);
        let description = patch.description.as_ref().map(|description| {
            let text = description.as_ref().map(Description::as_str);
            text.and_then(folded_unless_ascii)
        });
        let columns = [
            (Column::TitleFolded, title),
            (Column::DescriptionFolded, description),
        ];
        let written = columns
            .into_iter()
            .filter_map(|(column, text)| Some((column, text?)));
        written.collect()
    }

    /// Returns what a patch sets to its default because the schema has no place for it.
    fn unwritten(&self, patch: &TaskPatch) -> Vec<&'static str> {
        // A day, or that there is to be none. Any other change is one of the moment, and takes a day along.
        let says_day = |change: &DueChange| match change {
            DueChange::Set(Due::On(_) | Due::At(_)) | DueChange::ClearDay => true,
            DueChange::Set(Due::Then(_)) | DueChange::Clear => false,
        };
        let columns: [(bool, Feature, &[&str]); 6] = [
            (patch.priority.is_some(), Feature::Priority, &["priority"]),
            (patch.due.is_some(), Feature::DueDate, &["due_date"]),
            (
                patch.due.as_ref().is_some_and(says_day),
                Feature::DueDays,
                &["due_on"],
            ),
            (patch.remind_at.is_some(), Feature::RemindAt, &["remind_at"]),
            (patch.recurrence.is_some(), Feature::Recurrence, &RULES),
            (patch.tags.is_some(), Feature::Tags, &["task_id"]),
        ];
        columns
            .into_iter()
            .filter(|(is_set, feature, _)| *is_set && !self.shape.has(*feature))
            .flat_map(|(.., columns)| columns)
            .copied()
            .collect()
    }

    /// Says of tasks that they have changed.
    pub(crate) async fn touch_tasks(&self, ids: &[i32], now: Instant) -> Result<(), StoreError> {
        self.touch(is_one_of(ids), now).await
    }

    /// Says of tasks that they have changed.
    pub(super) async fn touch(&self, which: Expr, now: Instant) -> Result<(), StoreError> {
        let update = Query::update()
            .table(Entity)
            .value(Column::UpdatedAt, now.to_utc())
            .and_where(which)
            .and_where(owned_by(&self.owner))
            .to_owned();
        self.runner().execute(&update).await.map(drop)
    }
}

/// Returns a folded text so that the row gets another one than it had: a text that changes while its folded one stays was written
/// by somebody who does not know of it, and the database forgets it. A blank at the end is never searched for.
fn written_anew((column, text): (Column, Option<String>)) -> (DynIden, Expr) {
    let value = match text {
        Some(text) => Expr::case(column.eq(text.as_str()), format!("{text} "))
            .finally(text)
            .into(),
        None => Expr::val(None::<String>),
    };
    (column.into_iden(), value)
}

fn is_one_of(ids: &[i32]) -> Expr {
    match ids {
        [id] => Column::Id.eq(*id),
        ids => Column::Id.is_in(ids.iter().copied()),
    }
}

/// Returns the condition that columns of `tasks` and `task_tags` have not come since the snapshot: somebody may have put another
/// value than the default into them by now, and the default would not be written.
fn still_missing(dialect: Dialect, columns: &[&str]) -> Expr {
    let names = columns.join("', '");
    Expr::cust(match dialect {
        Dialect::Postgresql => format!(
            "NOT EXISTS (SELECT 1 FROM pg_catalog.pg_attribute a WHERE a.attrelid IN (to_regclass('tasks'), \
             to_regclass('task_tags')) AND a.attname IN ('{names}') AND NOT a.attisdropped)"
        ),
        Dialect::Sqlite => format!(
            "NOT EXISTS (SELECT 1 FROM pragma_table_info('tasks') WHERE name IN ('{names}') \
             UNION ALL SELECT 1 FROM pragma_table_info('task_tags') WHERE name IN ('{names}'))"
        ),
    })
}
