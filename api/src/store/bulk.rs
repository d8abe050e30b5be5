//! Several operations on tasks in one transaction: neighbours of the same kind are one statement.

use std::collections::HashMap;

use entity::task::{Column, Entity};
use sea_orm::sea_query::{Expr, Query, UpdateStatement};
use sea_orm::{ColumnTrait, DatabaseTransaction, IntoSimpleExpr};

use super::row::owned_by;
use super::runner::Runner;
use super::tasks::still_missing;
use super::{MISSING_AGE, Scope, StoreError};
use crate::domain::{
    Bulk, Change, Feature, Instant, NewTask, Operation, Precondition, Target, Task, TaskPatch,
};

/// What became of an operation.
#[derive(Debug)]
pub(crate) enum BulkItem {
    Made(Task),
    Changed(Task),
    Removed(i32),
    Failed(StoreError),
}

/// Work that is under way.
struct Work<'a> {
    scope: &'a Scope,
    transaction: Runner<'a, DatabaseTransaction>,
    now: Instant,
    /// The tasks that the operations name, as they are by now.
    tasks: HashMap<i32, Task>,
    /// What new tasks are called.
    temp_ids: HashMap<&'a str, i32>,
    /// Operations that become one statement.
    group: Group<'a>,
    items: Vec<(usize, BulkItem)>,
}

enum Group<'a> {
    Empty,
    Creations(Vec<Creation<'a>>),
    Changes(&'a Change, Vec<(usize, i32)>),
}

struct Creation<'a> {
    index: usize,
    new: &'a NewTask,
    temp_id: Option<&'a str>,
}

impl Scope {
    /// Carries operations out; either all, or each that can be.
    pub(crate) async fn bulk(&self, bulk: &Bulk, now: Instant) -> Result<Vec<(usize, BulkItem)>, StoreError> {
        let mut refused = self.unsupported(bulk)?;
        let transaction = self.runner().begin().await?;
        let mut work = Work {
            scope: self,
            tasks: self.locked_tasks(&transaction, &named(bulk)).await?,
            transaction,
            now,
            temp_ids: HashMap::new(),
            group: Group::Empty,
            items: Vec::with_capacity(bulk.operations.len()),
        };
        for (index, operation) in &bulk.operations {
            let added = match refused.remove(index) {
                Some(missing) => Err(missing),
                None => work.add(*index, operation).await,
            };
            match added {
                Ok(()) => {}
                Err(failure) if !failure.is_of_request() => return Err(failure),
                Err(failure) if bulk.is_atomic => {
                    let failure = Box::new(failure);
                    return Err(StoreError::Operation {
                        index: *index,
                        failure,
                    });
                }
                Err(failure) => work.items.push((*index, BulkItem::Failed(failure))),
            }
        }
        work.flush().await?;
        work.transaction.commit().await?;
        work.items.sort_unstable_by_key(|(index, _)| *index);
        Ok(work.items)
    }

    /// Returns tasks that nobody else can change until the transaction ends.
    pub(super) async fn locked_tasks(
        &self,
        transaction: &Runner<'_, DatabaseTransaction>,
        ids: &[i32],
    ) -> Result<HashMap<i32, Task>, StoreError> {
        if ids.is_empty() {
            return Ok(HashMap::new());
        }
        let are_named = Column::Id.is_in(ids.iter().copied());
        self.lock_tasks(transaction, are_named.clone()).await?;
        let select = Query::select()
            .expr(self.task_columns(transaction.is_postgres()))
            .from(Entity)
            .and_where(are_named)
            .and_where(owned_by(&self.owner))
            .to_owned();
        let rows = transaction.all(&select).await?;
        let mut tasks = HashMap::with_capacity(rows.len());
        for row in &rows {
            let task = self.task(row)?;
            tasks.insert(task.id, task);
        }
        Ok(tasks)
    }

    /// Whether the schema was looked at for this unit of work, or a moment before.
    fn has_looked(&self) -> bool {
        self.shape.asked() >= self.began || self.shape.age() < MISSING_AGE
    }

    /// Returns the operations that need what the schema does not have, going by a recent look at it.
    fn unsupported(&self, bulk: &Bulk) -> Result<HashMap<usize, StoreError>, StoreError> {
        let mut refused = HashMap::new();
        for (index, operation) in &bulk.operations {
            let supported = match operation {
                Operation::Create { new, .. } => self.supports(&TaskPatch::from(new.clone())),
                Operation::Change {
                    change: Change::Update(patch),
                    ..
                } => self.supports(patch),
                Operation::Change { .. } => Ok(()),
            };
            match supported {
                // Everything is done once more after another look.
                Err(missing) if !self.has_looked() => return Err(missing),
                Err(missing) => drop(refused.insert(*index, missing)),
                Ok(()) => {}
            }
        }
        Ok(refused)
    }
}

impl<'a> Work<'a> {
    /// Adds an operation to the group, which is carried out first when the operation does not go with it.
    async fn add(&mut self, index: usize, operation: &'a Operation) -> Result<(), StoreError> {
        match operation {
            Operation::Create { new, temp_id } => {
                let creation = Creation {
                    index,
                    new,
                    temp_id: temp_id.as_deref(),
                };
                if let Group::Creations(group) = &mut self.group {
                    group.push(creation);
                    return Ok(());
                }
                self.flush().await?;
                self.group = Group::Creations(vec![creation]);
            }
            Operation::Change {
                target,
                precondition,
                change,
            } => {
                if !self.group.takes(change, target) {
                    self.flush().await?;
                }
                let id = self.check(target, precondition)?;
                match &mut self.group {
                    Group::Changes(_, group) => group.push((index, id)),
                    group => *group = Group::Changes(change, vec![(index, id)]),
                }
            }
        }
        Ok(())
    }

    /// Returns the id of a task that is there and in the state that is wanted.
    fn check(&self, target: &Target, precondition: &Precondition) -> Result<i32, StoreError> {
        let id = match target {
            Target::Id(id) => Some(id),
            Target::Temp(name) => self.temp_ids.get(name.as_str()),
        };
        let task = id.and_then(|id| self.tasks.get(id)).ok_or(StoreError::NotFound)?;
        self.scope.check(task, precondition)?;
        Ok(task.id)
    }

    /// Carries the group out.
    async fn flush(&mut self) -> Result<(), StoreError> {
        match std::mem::replace(&mut self.group, Group::Empty) {
            Group::Empty => Ok(()),
            Group::Creations(creations) => self.create(creations).await,
            Group::Changes(Change::Delete, group) => self.delete(&group).await,
            Group::Changes(Change::Complete(completed), group) => {
                let mut update = self.update(&group);
                set_completed(&mut update, *completed, self.now);
                self.change(&group, &update).await
            }
            Group::Changes(Change::Update(patch), group) => self.patch(patch, &group).await,
        }
    }

    async fn create(&mut self, creations: Vec<Creation<'a>>) -> Result<(), StoreError> {
        let is_postgres = self.transaction.is_postgres();
        let mut insert = Query::insert();
        insert
            .into_table(Entity)
            .returning(Query::returning().expr(self.scope.task_columns(is_postgres)));
        for creation in &creations {
            let (columns, values) = self.scope.new_row(creation.new, self.now);
            insert.columns(columns).values_panic(values);
        }
        let rows = self.transaction.all(&insert).await?;
        let mut tasks = Vec::with_capacity(rows.len());
        for row in &rows {
            tasks.push(self.scope.task(row)?);
        }
        // Ids are given in the order of the values; what comes back may be in any order.
        tasks.sort_unstable_by_key(|task| task.id);
        let wanted: Vec<_> = tasks
            .iter()
            .zip(&creations)
            .filter(|(_, creation)| !creation.new.tags.is_empty())
            .map(|(task, creation)| (task.id, creation.new.tags.as_slice()))
            .collect();
        let mut tags = self.scope.tag_tasks(&self.transaction, &wanted).await?;
        for (mut task, creation) in tasks.into_iter().zip(creations) {
            task.tags = tags.remove(&task.id).unwrap_or_default();
            if let Some(name) = creation.temp_id {
                self.temp_ids.insert(name, task.id);
            }
            self.tasks.insert(task.id, task.clone());
            self.items.push((creation.index, BulkItem::Made(task)));
        }
        Ok(())
    }

    async fn delete(&mut self, group: &[(usize, i32)]) -> Result<(), StoreError> {
        let delete = Query::delete()
            .from_table(Entity)
            .and_where(Column::Id.is_in(group.iter().map(|(_, id)| *id)))
            .and_where(owned_by(&self.scope.owner))
            .to_owned();
        self.transaction.execute(&delete).await?;
        for (index, id) in group {
            self.tasks.remove(id);
            self.items.push((*index, BulkItem::Removed(*id)));
        }
        Ok(())
    }

    async fn patch(&mut self, patch: &TaskPatch, group: &[(usize, i32)]) -> Result<(), StoreError> {
        if *patch == TaskPatch::default() {
            for (index, id) in group {
                let task = self.tasks.get(id).cloned().ok_or(StoreError::NotFound)?;
                self.items.push((*index, BulkItem::Changed(task)));
            }
            return Ok(());
        }
        let mut update = self.update(group);
        update
            .values(self.scope.values(patch))
            .value(Column::UpdatedAt, self.now.to_utc());
        let unwritten = self.scope.unwritten(patch);
        if !unwritten.is_empty() {
            update.and_where(still_missing(self.transaction.is_postgres(), &unwritten));
        }
        let tags = patch
            .tags
            .as_ref()
            .filter(|_| self.scope.shape.has(Feature::Tags));
        for (_, id) in group {
            let Some(tags) = tags else { break };
            self.scope.drop_other_tags(&self.transaction, *id, tags).await?;
            if !tags.is_empty() {
                self.scope.put_tags(&self.transaction, *id, tags).await?;
            }
        }
        self.change(group, &update).await
    }

    fn update(&self, group: &[(usize, i32)]) -> UpdateStatement {
        let columns = self.scope.task_columns(self.transaction.is_postgres());
        Query::update()
            .table(Entity)
            .and_where(Column::Id.is_in(group.iter().map(|(_, id)| *id)))
            .and_where(owned_by(&self.scope.owner))
            .returning(Query::returning().expr(columns))
            .to_owned()
    }

    async fn change(&mut self, group: &[(usize, i32)], update: &UpdateStatement) -> Result<(), StoreError> {
        for row in &self.transaction.all(update).await? {
            let task = self.scope.task(row)?;
            let changed = group.iter().find(|(_, id)| *id == task.id);
            let (index, _) = changed.ok_or(StoreError::Outdated)?;
            self.items.push((*index, BulkItem::Changed(task.clone())));
            self.tasks.insert(task.id, task);
        }
        let is_whole = group
            .iter()
            .all(|(index, _)| self.items.iter().any(|(done, _)| done == index));
        // The tasks are locked, so the schema must have moved.
        match is_whole {
            true => Ok(()),
            false => Err(StoreError::Outdated),
        }
    }
}

impl Group<'_> {
    /// Whether a change can be part of the same statement: the same change, of another task that is known by its id.
    fn takes(&self, change: &Change, target: &Target) -> bool {
        match (self, target) {
            (Self::Changes(same, group), Target::Id(id)) => {
                *same == change && group.iter().all(|(_, other)| other != id)
            }
            _ => false,
        }
    }
}

/// Says of many tasks what [`Scope::completing`] says of one: what is that way already was not changed.
fn set_completed(update: &mut UpdateStatement, completed: bool, now: Instant) {
    let unchanged = Expr::case(
        Column::Completed.eq(completed),
        Column::UpdatedAt.into_simple_expr(),
    )
    .finally(Expr::val(now.to_utc()));
    update
        .value(Column::Completed, completed)
        .value(Column::UpdatedAt, unchanged);
}

/// Returns the ids that operations name.
fn named(bulk: &Bulk) -> Vec<i32> {
    let mut ids: Vec<i32> = bulk
        .operations
        .iter()
        .filter_map(|(_, operation)| match operation {
            Operation::Change {
                target: Target::Id(id),
                ..
            } => Some(*id),
            _ => None,
        })
        .collect();
    ids.sort_unstable();
    ids.dedup();
    ids
}
