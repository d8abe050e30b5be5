//! Several operations on tasks in one unit of work: neighbours of the same kind are one statement.

use std::collections::HashMap;

use super::tasks::put_instead;
use super::{Failure, Posted, Principal, Services, UnderKey, check};
use crate::domain::{
    Bulk, Change, Feature, Instant, NewTask, Operation, Precondition, Target, Task, TaskPatch,
};
use crate::store::Scope;

/// What became of an operation.
#[derive(Debug)]
pub(crate) enum BulkItem {
    Made(Task),
    Changed(Task),
    Removed(i32),
    Failed(Failure),
}

/// Work that is under way.
struct Work<'a> {
    scope: &'a Scope,
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
    /// One change of several tasks, each with the place of its operation.
    Changes(&'a Change, Vec<(usize, i32)>),
}

struct Creation<'a> {
    index: usize,
    new: &'a NewTask,
    temp_id: Option<&'a str>,
}

impl Services {
    /// Carries several operations out; either all, or each that can be.
    pub(crate) async fn bulk(
        &self,
        principal: &Principal,
        bulk: &Bulk,
        under_key: Option<UnderKey<'_, Vec<(usize, BulkItem)>>>,
    ) -> Result<Posted<Vec<(usize, BulkItem)>>, Failure> {
        let now = self.now();
        self.post(principal, under_key, |scope| async move {
            carry_out(&scope, bulk, now).await
        })
        .await
    }
}

async fn carry_out(scope: &Scope, bulk: &Bulk, now: Instant) -> Result<Vec<(usize, BulkItem)>, Failure> {
    let mut refused = unsupported(scope, bulk)?;
    scope.begin().await?;
    let mut work = Work {
        scope,
        now,
        tasks: locked(scope, bulk).await?,
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
                return Err(Failure::Operation {
                    index: *index,
                    failure,
                });
            }
            Err(failure) => work.items.push((*index, BulkItem::Failed(failure))),
        }
    }
    work.flush().await?;
    work.items.sort_unstable_by_key(|(index, _)| *index);
    Ok(work.items)
}

/// Returns the tasks that operations name, and locks what they will change, in the order in which everybody locks it.
async fn locked(scope: &Scope, bulk: &Bulk) -> Result<HashMap<i32, Task>, Failure> {
    let tasks = scope.locked_tasks(&named(bulk)).await?;
    let names_tags = |operation: &Operation| match operation {
        Operation::Create { new, .. } => !new.tags.is_empty(),
        Operation::Change {
            change: Change::Update(patch),
            ..
        } => patch.tags.as_ref().is_some_and(|tags| !tags.is_empty()),
        Operation::Change { .. } => false,
    };
    if bulk.operations.iter().any(|(_, operation)| names_tags(operation)) {
        scope.lock_tag_names().await?;
    }
    Ok(tasks)
}

/// Returns the operations that need what the schema does not have, going by a recent look at it.
fn unsupported(scope: &Scope, bulk: &Bulk) -> Result<HashMap<usize, Failure>, Failure> {
    let mut refused = HashMap::new();
    for (index, operation) in &bulk.operations {
        let supported = match operation {
            Operation::Create { new, .. } => scope.supports(&TaskPatch::from(new.clone())),
            Operation::Change {
                change: Change::Update(patch),
                ..
            } => scope.supports(patch),
            Operation::Change { .. } => Ok(()),
        };
        match supported {
            // Everything is done once more after another look.
            Err(missing) if !scope.has_looked() => return Err(missing),
            Err(missing) => drop(refused.insert(*index, missing)),
            Ok(()) => {}
        }
    }
    Ok(refused)
}

impl<'a> Work<'a> {
    /// Adds an operation to the group, which is carried out first when the operation does not go with it.
    async fn add(&mut self, index: usize, operation: &'a Operation) -> Result<(), Failure> {
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
                let id = self.find(target, precondition)?;
                match &mut self.group {
                    Group::Changes(_, group) => group.push((index, id)),
                    group => *group = Group::Changes(change, vec![(index, id)]),
                }
            }
        }
        Ok(())
    }

    /// Returns the id of a task that is there and in the state that is wanted.
    fn find(&self, target: &Target, precondition: &Precondition) -> Result<i32, Failure> {
        let id = match target {
            Target::Id(id) => Some(id),
            Target::Temp(name) => self.temp_ids.get(name.as_str()),
        };
        let task = id.and_then(|id| self.tasks.get(id)).ok_or(Failure::NotFound)?;
        check(self.scope, task, precondition)?;
        Ok(task.id)
    }

    /// Carries the group out.
    async fn flush(&mut self) -> Result<(), Failure> {
        match std::mem::replace(&mut self.group, Group::Empty) {
            Group::Empty => Ok(()),
            Group::Creations(creations) => self.create(creations).await,
            Group::Changes(Change::Delete, group) => self.delete(&group).await,
            Group::Changes(Change::Complete(completed), group) => {
                let ids = ids(&group);
                let changed = self.scope.complete_tasks(&ids, *completed, self.now).await?;
                self.note_changed(&group, changed)
            }
            Group::Changes(Change::Update(patch), group) => self.patch(patch, &group).await,
        }
    }

    async fn create(&mut self, creations: Vec<Creation<'a>>) -> Result<(), Failure> {
        let new: Vec<&NewTask> = creations.iter().map(|creation| creation.new).collect();
        let tasks = self.scope.insert_tasks(&new, self.now).await?;
        let wanted: Vec<_> = tasks
            .iter()
            .zip(&creations)
            .filter(|(_, creation)| !creation.new.tags.is_empty())
            .map(|(task, creation)| (task.id, creation.new.tags.as_slice()))
            .collect();
        let mut tags = self.scope.tag_tasks(&wanted).await?;
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

    async fn delete(&mut self, group: &[(usize, i32)]) -> Result<(), Failure> {
        self.scope.delete_tasks(&ids(group)).await?;
        for (index, id) in group {
            self.tasks.remove(id);
            self.items.push((*index, BulkItem::Removed(*id)));
        }
        Ok(())
    }

    async fn patch(&mut self, patch: &TaskPatch, group: &[(usize, i32)]) -> Result<(), Failure> {
        if *patch == TaskPatch::default() {
            for (index, id) in group {
                let task = self.tasks.get(id).cloned().ok_or(Failure::NotFound)?;
                self.items.push((*index, BulkItem::Changed(task)));
            }
            return Ok(());
        }
        // Before the tasks are written, because what is written comes back with the tags that are there by then.
        if let Some(tags) = patch.tags.as_ref().filter(|_| self.scope.has(Feature::Tags)) {
            for (_, id) in group {
                put_instead(self.scope, *id, tags).await?;
            }
        }
        let changed = self.scope.patch_tasks(&ids(group), patch, self.now).await?;
        self.note_changed(group, changed)
    }

    fn note_changed(&mut self, group: &[(usize, i32)], changed: Vec<Task>) -> Result<(), Failure> {
        // The tasks are locked, so the schema must have moved.
        if changed.len() < group.len() {
            return Err(Failure::Outdated);
        }
        for task in changed {
            let place = group.iter().find(|(_, id)| *id == task.id);
            let (index, _) = place.ok_or(Failure::Outdated)?;
            self.items.push((*index, BulkItem::Changed(task.clone())));
            self.tasks.insert(task.id, task);
        }
        Ok(())
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

fn ids(group: &[(usize, i32)]) -> Vec<i32> {
    group.iter().map(|(_, id)| *id).collect()
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
