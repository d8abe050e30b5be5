//! Tags: a tag is somebody's while one of their tasks carries it.

use super::{Answer, Failure, Posted, Principal, Seen, Services};
use crate::domain::{Cursor, Page, Precondition, Tag, TagName};

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

    pub(crate) async fn create_tag(
        &self,
        principal: &Principal,
        name: &TagName,
        tasks: &[i32],
        posted: Posted<'_, Tag>,
    ) -> Result<Answer, Failure> {
        let now = self.now();
        self.post(principal, posted, |scope| async move {
            scope.create_tag(name, tasks, now).await
        })
        .await
    }

    pub(crate) async fn rename_tag(
        &self,
        principal: &Principal,
        id: i32,
        precondition: &Precondition,
        name: &TagName,
    ) -> Result<Seen<Tag>, Failure> {
        let now = self.now();
        self.run(principal, |scope| async move {
            scope.rename_tag(id, precondition, name, now).await
        })
        .await
    }

    pub(crate) async fn delete_tag(
        &self,
        principal: &Principal,
        id: i32,
        precondition: &Precondition,
    ) -> Result<Seen<()>, Failure> {
        let now = self.now();
        self.run(principal, |scope| async move {
            scope.delete_tag(id, precondition, now).await
        })
        .await
    }
}
