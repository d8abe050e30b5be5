//! Tasks and the person who has them.

use super::{Answer, BulkItem, Completion, Failure, Posted, Principal, Seen, Services};
use crate::domain::{Bulk, NewTask, Page, Precondition, Summary, TagName, Task, TaskPatch, TaskQuery, User};

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

    pub(crate) async fn summary(&self, principal: &Principal) -> Result<Seen<Summary>, Failure> {
        let now = self.now();
        self.run(principal, |scope| async move { scope.summary(now).await })
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
        posted: Posted<'_, Task>,
    ) -> Result<Answer, Failure> {
        let now = self.now();
        self.post(principal, posted, |scope| async move {
            scope.create_task(new, now).await
        })
        .await
    }

    /// Carries out several operations at once.
    pub(crate) async fn bulk(
        &self,
        principal: &Principal,
        bulk: &Bulk,
        posted: Posted<'_, Vec<(usize, BulkItem)>>,
    ) -> Result<Answer, Failure> {
        let now = self.now();
        self.post(
            principal,
            posted,
            |scope| async move { scope.bulk(bulk, now).await },
        )
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
            scope.change_task(id, precondition, patch, now).await
        })
        .await
    }

    pub(crate) async fn complete_task(
        &self,
        principal: &Principal,
        id: i32,
        precondition: &Precondition,
        completion: Completion,
    ) -> Result<Seen<Task>, Failure> {
        let now = self.now();
        self.run(principal, |scope| async move {
            scope.complete_task(id, precondition, completion, now).await
        })
        .await
    }

    pub(crate) async fn delete_task(
        &self,
        principal: &Principal,
        id: i32,
        precondition: &Precondition,
    ) -> Result<Seen<()>, Failure> {
        self.run(principal, |scope| async move {
            scope.delete_task(id, precondition).await
        })
        .await
    }

    pub(crate) async fn tag_task(
        &self,
        principal: &Principal,
        id: i32,
        name: &TagName,
    ) -> Result<Seen<()>, Failure> {
        let now = self.now();
        self.run(
            principal,
            |scope| async move { scope.tag_task(id, name, now).await },
        )
        .await
    }

    pub(crate) async fn untag_task(
        &self,
        principal: &Principal,
        id: i32,
        name: &TagName,
    ) -> Result<Seen<()>, Failure> {
        let now = self.now();
        self.run(
            principal,
            |scope| async move { scope.untag_task(id, name, now).await },
        )
        .await
    }
}
