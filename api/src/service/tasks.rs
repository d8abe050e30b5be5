//! Tasks and the person who has them.

use super::{Failure, Posted, Principal, Seen, Services, UnderKey, check};
use crate::domain::{
    Completion, Feature, Instant, NewTask, Page, Precondition, Summary, TagName, Task, TaskPatch, TaskQuery,
    User, Zone,
};
use crate::store::Scope;

impl Services {
    /// Returns the person themselves.
    pub(crate) async fn user(&self, principal: &Principal) -> Result<Seen<User>, Failure> {
        self.run(principal, |scope| async move { scope.user().await })
            .await
    }

    pub(crate) async fn tasks(
        &self,
        principal: &Principal,
        query: &TaskQuery,
    ) -> Result<Seen<Page<Task>>, Failure> {
        let now = self.now();
        self.run(principal, |scope| async move { scope.tasks(query, now).await })
            .await
    }

    /// Counts somebody's tasks, by the days of a zone.
    pub(crate) async fn summary(&self, principal: &Principal, zone: &Zone) -> Result<Seen<Summary>, Failure> {
        let now = self.now();
        self.run(principal, |scope| async move { scope.summary(now, zone).await })
            .await
    }

    pub(crate) async fn task(&self, principal: &Principal, id: i32) -> Result<Seen<Task>, Failure> {
        self.run(principal, |scope| async move { scope.task_by_id(id).await })
            .await
    }

    pub(crate) async fn create_task(
        &self,
        principal: &Principal,
        new: &NewTask,
        under_key: Option<UnderKey<'_, Task>>,
    ) -> Result<Posted<Task>, Failure> {
        let now = self.now();
        self.post(principal, under_key, |scope| async move {
            scope.supports(&TaskPatch::from(new.clone()))?;
            if new.tags.is_empty() {
                return scope.insert_task(new, now).await;
            }
            scope.begin().await?;
            let task = scope.insert_task(new, now).await?;
            let tags = scope.put_tags(task.id, &new.tags).await?;
            Ok(Task { tags, ..task })
        })
        .await
    }

    /// Changes what the patch names, provided that the precondition holds.
    pub(crate) async fn change_task(
        &self,
        principal: &Principal,
        id: i32,
        precondition: &Precondition,
        patch: &TaskPatch,
    ) -> Result<Seen<Task>, Failure> {
        let now = self.now();
        self.run(principal, |scope| async move {
            scope.supports(patch)?;
            let tags = patch.tags.as_ref().filter(|_| scope.has(Feature::Tags));
            let is_nothing = *patch == TaskPatch::default();
            match (tags, precondition.needs_current()) {
                (None, false) if is_nothing => scope.task_by_id(id).await,
                (None, false) => patched(&scope, id, patch, now).await,
                (tags, _) => {
                    let change = async {
                        let current = locked(&scope, id, precondition).await?;
                        if is_nothing {
                            return Ok(current);
                        }
                        let mut task = patched(&scope, id, patch, now).await?;
                        if let Some(tags) = tags {
                            task.tags = put_instead(&scope, id, tags).await?;
                        }
                        Ok(task)
                    };
                    // Larger than what most changes need.
                    Box::pin(change).await
                }
            }
        })
        .await
    }

    /// Completes or reopens a task; one that is that way already stays as it is.
    pub(crate) async fn complete_task(
        &self,
        principal: &Principal,
        id: i32,
        precondition: &Precondition,
        completion: Completion,
    ) -> Result<Seen<Task>, Failure> {
        let now = self.now();
        self.run(principal, |scope| async move {
            if precondition.needs_current() {
                locked(&scope, id, precondition).await?;
            }
            scope.complete_task(id, completion, now).await
        })
        .await
    }

    /// Removes a task with its links to tags.
    pub(crate) async fn delete_task(
        &self,
        principal: &Principal,
        id: i32,
        precondition: &Precondition,
    ) -> Result<Seen<()>, Failure> {
        self.run(principal, |scope| async move {
            if precondition.needs_current() {
                locked(&scope, id, precondition).await?;
            }
            match scope.delete_tasks(&[id]).await? {
                0 => Err(Failure::NotFound),
                _ => Ok(()),
            }
        })
        .await
    }

    /// Puts one more tag on a task.
    pub(crate) async fn tag_task(
        &self,
        principal: &Principal,
        id: i32,
        name: &TagName,
    ) -> Result<Seen<()>, Failure> {
        let now = self.now();
        self.run(principal, |scope| async move {
            let task = locked(&scope, id, &Precondition::None).await?;
            if task.carries(name) {
                return Ok(());
            }
            scope.needs(Feature::Tags)?;
            if task.tags.len() >= Task::MOST_TAGS {
                return Err(Failure::TooManyTags);
            }
            scope.put_tags(id, std::slice::from_ref(name)).await?;
            scope.touch_tasks(&[id], now).await
        })
        .await
    }

    /// Takes a tag off a task; one that it does not carry is no error.
    pub(crate) async fn untag_task(
        &self,
        principal: &Principal,
        id: i32,
        name: &TagName,
    ) -> Result<Seen<()>, Failure> {
        let now = self.now();
        self.run(principal, |scope| async move {
            let task = locked(&scope, id, &Precondition::None).await?;
            if !task.carries(name) {
                return Ok(());
            }
            scope.drop_tag(id, name).await?;
            scope.touch_tasks(&[id], now).await
        })
        .await
    }
}

/// Returns a task in the state that is wanted, which nobody else can change until the unit of work ends.
async fn locked(scope: &Scope, id: i32, precondition: &Precondition) -> Result<Task, Failure> {
    scope.begin().await?;
    let current = scope.locked_task(id).await?;
    check(scope, &current, precondition)?;
    Ok(current)
}

async fn patched(scope: &Scope, id: i32, patch: &TaskPatch, now: Instant) -> Result<Task, Failure> {
    let patched = scope.patch_tasks(&[id], patch, now).await?;
    patched.into_iter().next().ok_or(Failure::NotFound)
}

/// Puts tags on a task in place of those that it carries, and returns the names of them.
pub(super) async fn put_instead(scope: &Scope, id: i32, tags: &[TagName]) -> Result<Vec<String>, Failure> {
    scope.drop_other_tags(id, tags).await?;
    match tags.is_empty() {
        true => Ok(Vec::new()),
        false => scope.put_tags(id, tags).await,
    }
}
