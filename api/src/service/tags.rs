//! Tags: a tag is somebody's while one of their tasks carries it.

use super::{Failure, Posted, Principal, Seen, Services, UnderKey, check};
use crate::domain::{Cursor, Feature, Page, Precondition, Tag, TagName, Task};
use crate::store::Scope;

impl Services {
    pub(crate) async fn tags(
        &self,
        principal: &Principal,
        limit: u64,
        after: Option<&Cursor>,
    ) -> Result<Seen<Page<Tag>>, Failure> {
        self.run(principal, |scope| async move { scope.tags(limit, after).await })
            .await
    }

    pub(crate) async fn tag(&self, principal: &Principal, id: i32) -> Result<Seen<Tag>, Failure> {
        self.run(principal, |scope| async move { scope.tag_by_id(id).await })
            .await
    }

    /// Puts a new tag on some of somebody's tasks.
    pub(crate) async fn create_tag(
        &self,
        principal: &Principal,
        name: &TagName,
        tasks: &[i32],
        under_key: Option<UnderKey<'_, Tag>>,
    ) -> Result<Posted<Tag>, Failure> {
        let now = self.now();
        self.post(principal, under_key, |scope| async move {
            scope.needs(Feature::Tags)?;
            scope.begin().await?;
            let carriers = scope.locked_tasks(tasks).await?;
            scope.lock_tag_names().await?;
            if !scope.own_tags(name).await?.is_empty() {
                return Err(Failure::TagExists);
            }
            if tasks.iter().any(|id| !carriers.contains_key(id)) {
                return Err(Failure::NotFound);
            }
            if carriers.values().any(|task| task.tags.len() >= Task::MOST_TAGS) {
                return Err(Failure::TooManyTags);
            }
            let ids: Vec<i32> = carriers.into_keys().collect();
            let wanted: Vec<_> = ids.iter().map(|id| (*id, std::slice::from_ref(name))).collect();
            scope.tag_tasks(&wanted).await?;
            scope.touch_tasks(&ids, now).await?;
            named(&scope, name).await
        })
        .await
    }

    /// Gives a tag another name on all of somebody's tasks.
    pub(crate) async fn rename_tag(
        &self,
        principal: &Principal,
        id: i32,
        precondition: &Precondition,
        name: &TagName,
    ) -> Result<Seen<Tag>, Failure> {
        let now = self.now();
        self.run(principal, |scope| async move {
            let old = locked(&scope, id, precondition).await?;
            if old.name == name.as_str() {
                return Ok(old);
            }
            let same = scope.own_tags(name).await?;
            if same.iter().any(|other| other.id != id) {
                return Err(Failure::TagExists);
            }
            scope.move_tag(id, name, now).await?;
            named(&scope, name).await
        })
        .await
    }

    /// Takes a tag off all of somebody's tasks.
    pub(crate) async fn delete_tag(
        &self,
        principal: &Principal,
        id: i32,
        precondition: &Precondition,
    ) -> Result<Seen<()>, Failure> {
        let now = self.now();
        self.run(principal, |scope| async move {
            locked(&scope, id, precondition).await?;
            scope.take_tag_off(id, now).await
        })
        .await
    }
}

/// Returns a tag in the state that is wanted, which nobody else can put on somebody's tasks, or take off them, until the unit of
/// work ends.
async fn locked(scope: &Scope, id: i32, precondition: &Precondition) -> Result<Tag, Failure> {
    if !scope.has(Feature::Tags) {
        return Err(Failure::NotFound);
    }
    scope.begin().await?;
    let current = scope.locked_tag(id).await?;
    check(scope, &current, precondition)?;
    Ok(current)
}

async fn named(scope: &Scope, name: &TagName) -> Result<Tag, Failure> {
    let tags = scope.own_tags(name).await?;
    tags.into_iter().next().ok_or(Failure::NotFound)
}
