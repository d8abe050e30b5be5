//! One task: read, made, changed and removed, with one statement unless tags or a precondition need more.

use entity::task::{Column, Entity};
use sea_orm::sea_query::{DynIden, Expr, IntoIden, Order, Query, UpdateStatement};
use sea_orm::{ColumnTrait, DatabaseTransaction};

use super::row::owned_by;
use super::runner::Runner;
use super::shape::{MARK, RULES};
use super::{Scope, StoreError};
use crate::domain::{
    Description, Feature, Instant, NewTask, Precondition, Priority, Recurrence, TagName, Task, TaskPatch,
    Title,
};

/// Whether a task is to be done, not done, or the other way round.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Completion {
    Is(bool),
    Toggle,
}

impl Scope {
    /// Returns one task.
    pub(crate) async fn task_by_id(&self, id: i32) -> Result<Task, StoreError> {
        let runner = self.runner();
        let select = self.reading(id, runner.is_postgres());
        let row = runner.one(&select).await?.ok_or(StoreError::NotFound)?;
        Ok(self.task(&row)?)
    }

    /// Makes a task.
    pub(crate) async fn create_task(&self, new: &NewTask, now: Instant) -> Result<Task, StoreError> {
        self.supports(&TaskPatch::from(new.clone()))?;
        let runner = self.runner();
        let (columns, values) = self.new_row(new, now);
        let insert = Query::insert()
            .into_table(Entity)
            .columns(columns)
            .values_panic(values)
            .returning(Query::returning().expr(self.task_columns(runner.is_postgres())))
            .to_owned();
        if new.tags.is_empty() {
            let row = runner.one(&insert).await?.ok_or(StoreError::NotFound)?;
            return Ok(self.task(&row)?);
        }
        let transaction = runner.begin().await?;
        let row = transaction.one(&insert).await?.ok_or(StoreError::NotFound)?;
        let mut task = self.task(&row)?;
        task.tags = self.put_tags(&transaction, task.id, &new.tags).await?;
        transaction.commit().await?;
        Ok(task)
    }

    /// Returns the columns of a new task and what goes into them.
    pub(super) fn new_row(&self, new: &NewTask, now: Instant) -> (Vec<DynIden>, Vec<Expr>) {
        let mut columns = [Column::UserId, Column::CreatedAt, Column::UpdatedAt]
            .map(IntoIden::into_iden)
            .to_vec();
        let mut values: Vec<Expr> = vec![
            self.owner.as_str().into(),
            now.to_utc().into(),
            now.to_utc().into(),
        ];
        for (column, value) in self.values(&TaskPatch::from(new.clone())) {
            columns.push(column);
            values.push(value);
        }
        (columns, values)
    }

    /// Changes what the patch names.
    pub(crate) async fn change_task(
        &self,
        id: i32,
        precondition: &Precondition,
        patch: &TaskPatch,
        now: Instant,
    ) -> Result<Task, StoreError> {
        self.supports(patch)?;
        let is_postgres = self.runner().is_postgres();
        let tags = patch.tags.as_ref().filter(|_| self.shape.has(Feature::Tags));
        let mut update = self.update_task(id, is_postgres);
        update.values(self.values(patch));
        let unwritten = self.unwritten(patch);
        if !unwritten.is_empty() {
            update.and_where(still_missing(is_postgres, &unwritten));
        }
        // Nothing to change: there is no such task, or what the patch names has come since the snapshot.
        let nothing = || match unwritten.is_empty() {
            true => StoreError::NotFound,
            false => StoreError::Outdated,
        };
        if *patch != TaskPatch::default() {
            update.value(Column::UpdatedAt, now.to_utc());
        }
        if tags.is_none() && !precondition.needs_current() {
            if *patch == TaskPatch::default() {
                return self.task_by_id(id).await;
            }
            let row = self.runner().one(&update).await?.ok_or_else(nothing)?;
            return Ok(self.task(&row)?);
        }
        let in_transaction = async {
            let transaction = self.runner().begin().await?;
            let current = self.locked_task(&transaction, id).await?;
            self.check(&current, precondition)?;
            if *patch == TaskPatch::default() {
                return Ok(current);
            }
            let row = transaction.one(&update).await?.ok_or_else(nothing)?;
            let mut task = self.task(&row)?;
            if let Some(tags) = tags {
                self.drop_other_tags(&transaction, id, tags).await?;
                task.tags = match tags.is_empty() {
                    true => Vec::new(),
                    false => self.put_tags(&transaction, id, tags).await?,
                };
            }
            transaction.commit().await?;
            Ok(task)
        };
        Box::pin(in_transaction).await
    }

    /// Completes or reopens a task; one that is that way already stays as it is.
    pub(crate) async fn complete_task(
        &self,
        id: i32,
        precondition: &Precondition,
        completion: Completion,
        now: Instant,
    ) -> Result<Task, StoreError> {
        let is_postgres = self.runner().is_postgres();
        let update = match completion {
            Completion::Toggle => self.toggling(id, now, is_postgres),
            Completion::Is(completed) => self.completing(id, completed, now, is_postgres),
        };
        if !precondition.needs_current() {
            let row = self.runner().one(&update).await?.ok_or(StoreError::NotFound)?;
            return Ok(self.task(&row)?);
        }
        let transaction = self.runner().begin().await?;
        let current = self.locked_task(&transaction, id).await?;
        self.check(&current, precondition)?;
        let row = transaction.one(&update).await?.ok_or(StoreError::NotFound)?;
        let task = self.task(&row)?;
        transaction.commit().await?;
        Ok(task)
    }

    /// Removes a task with its links to tags.
    pub(crate) async fn delete_task(&self, id: i32, precondition: &Precondition) -> Result<(), StoreError> {
        let delete = Query::delete()
            .from_table(Entity)
            .and_where(Column::Id.eq(id))
            .and_where(owned_by(&self.owner))
            .to_owned();
        let deleted = if precondition.needs_current() {
            let transaction = self.runner().begin().await?;
            let current = self.locked_task(&transaction, id).await?;
            self.check(&current, precondition)?;
            let deleted = transaction.execute(&delete).await?;
            transaction.commit().await?;
            deleted
        } else {
            self.runner().execute(&delete).await?
        };
        match deleted {
            0 => Err(StoreError::NotFound),
            _ => Ok(()),
        }
    }

    fn update_task(&self, id: i32, is_postgres: bool) -> UpdateStatement {
        Query::update()
            .table(Entity)
            .and_where(Column::Id.eq(id))
            .and_where(owned_by(&self.owner))
            .returning(Query::returning().expr(self.task_columns(is_postgres)))
            .to_owned()
    }

    /// Returns a task that nobody else can change until the transaction ends.
    pub(super) async fn locked_task(
        &self,
        transaction: &Runner<'_, DatabaseTransaction>,
        id: i32,
    ) -> Result<Task, StoreError> {
        self.lock_tasks(transaction, Column::Id.eq(id)).await?;
        self.task_within(transaction, id).await
    }

    /// Keeps everybody else from changing some of the owner's tasks, and what they carry, until the transaction ends.
    ///
    /// A statement that waits for a row sees the other tables as they were before it waited: what a task carries is read with
    /// the next one.
    pub(super) async fn lock_tasks(
        &self,
        transaction: &Runner<'_, DatabaseTransaction>,
        which: Expr,
    ) -> Result<(), StoreError> {
        if !transaction.is_postgres() {
            return Ok(());
        }
        let select = Query::select()
            .column(Column::Id)
            .from(Entity)
            .and_where(which)
            .and_where(owned_by(&self.owner))
            .order_by(Column::Id, Order::Asc)
            .lock_exclusive()
            .to_owned();
        transaction.all(&select).await.map(drop)
    }

    /// Returns a task as the transaction sees it.
    pub(super) async fn task_within(
        &self,
        transaction: &Runner<'_, DatabaseTransaction>,
        id: i32,
    ) -> Result<Task, StoreError> {
        let reading = self.reading(id, transaction.is_postgres());
        let row = transaction.one(&reading).await?.ok_or(StoreError::NotFound)?;
        Ok(self.task(&row)?)
    }

    /// Refuses what the schema cannot keep; a default needs no column.
    pub(super) fn supports(&self, patch: &TaskPatch) -> Result<(), StoreError> {
        patch
            .features()
            .into_iter()
            .try_for_each(|feature| self.needs(feature))
    }

    /// Returns the columns that a patch writes and the schema has.
    pub(super) fn values(&self, patch: &TaskPatch) -> Vec<(DynIden, Expr)> {
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
        if let Some(due) = patch.due_date.filter(|_| self.shape.has(Feature::DueDate)) {
            values.push((Column::DueDate.into_iden(), moment(due)));
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

    /// Returns what a patch sets to its default because the schema has no place for it.
    pub(super) fn unwritten(&self, patch: &TaskPatch) -> Vec<&'static str> {
        let columns: [(bool, Feature, &[&str]); 5] = [
            (patch.priority.is_some(), Feature::Priority, &["priority"]),
            (patch.due_date.is_some(), Feature::DueDate, &["due_date"]),
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

    /// Puts one more tag on a task.
    pub(crate) async fn tag_task(&self, id: i32, name: &TagName, now: Instant) -> Result<(), StoreError> {
        let transaction = self.runner().begin().await?;
        let task = self.locked_task(&transaction, id).await?;
        if carries(&task, name) {
            return Ok(());
        }
        self.needs(Feature::Tags)?;
        if task.tags.len() >= Task::MOST_TAGS {
            return Err(StoreError::TooManyTags);
        }
        self.put_tags(&transaction, id, std::slice::from_ref(name))
            .await?;
        self.touch_tasks(&transaction, Column::Id.eq(id), now).await?;
        transaction.commit().await
    }

    /// Takes a tag off a task; one that it does not carry is no error.
    pub(crate) async fn untag_task(&self, id: i32, name: &TagName, now: Instant) -> Result<(), StoreError> {
        let transaction = self.runner().begin().await?;
        let task = self.locked_task(&transaction, id).await?;
        if !carries(&task, name) {
            return Ok(());
        }
        self.drop_tag(&transaction, id, name).await?;
        self.touch_tasks(&transaction, Column::Id.eq(id), now).await?;
        transaction.commit().await
    }

    /// Says of tasks that they have changed.
    pub(super) async fn touch_tasks(
        &self,
        transaction: &Runner<'_, DatabaseTransaction>,
        which: Expr,
        now: Instant,
    ) -> Result<(), StoreError> {
        let update = Query::update()
            .table(Entity)
            .value(Column::UpdatedAt, now.to_utc())
            .and_where(which)
            .and_where(owned_by(&self.owner))
            .to_owned();
        transaction.execute(&update).await.map(drop)
    }
}

fn carries(task: &Task, name: &TagName) -> bool {
    task.tags
        .iter()
        .any(|tag| tag.to_ascii_lowercase() == name.folded())
}

/// Returns the condition that columns of `tasks` and `task_tags` have not come since the snapshot: somebody may have put another
/// value than the default into them by now, and the default would not be written.
pub(super) fn still_missing(is_postgres: bool, columns: &[&str]) -> Expr {
    let names = columns.join("', '");
    Expr::cust(match is_postgres {
        true => format!(
            "NOT EXISTS (SELECT 1 FROM pg_catalog.pg_attribute a WHERE a.attrelid IN (to_regclass('tasks'), \
             to_regclass('task_tags')) AND a.attname IN ('{names}') AND NOT a.attisdropped)"
        ),
        false => format!(
            "NOT EXISTS (SELECT 1 FROM pragma_table_info('tasks') WHERE name IN ('{names}') \
             UNION ALL SELECT 1 FROM pragma_table_info('task_tags') WHERE name IN ('{names}'))"
        ),
    })
}
