//! Tags. The inherited table shares a name between everybody who uses it, so a tag is somebody's only through their tasks,
//! and nothing here changes or removes a row of `tags` that others may use. Since phase X each belongs to one person; what
//! they share until it is split is read through the tasks as well.

use std::collections::HashMap;

use entity::{tag, task, task_tag};
use sea_orm::sea_query::{Expr, ExprTrait, Func, InsertStatement, OnConflict, Order, Query, SelectStatement};
use sea_orm::{ColumnTrait, Condition, QueryResult};
use seaworthy::sql::Dialect;

use super::row::owned_by;
use super::{Scope, StoreError};
use crate::domain::{Cursor, CursorValue, Feature, Instant, Page, Tag, TagName};

impl Scope {
    /// Returns a page of the tags on the owner's tasks, in the order of their names.
    pub(crate) async fn tags(&self, limit: u64, after: Option<&Cursor>) -> Result<Page<Tag>, StoreError> {
        if !self.shape.has(Feature::Tags) {
            return Ok(Page::of(Vec::new(), limit, |_| Cursor(Vec::new())));
        }
        let mut select = self.select_tags();
        select
            .order_by((tag::Entity, tag::Column::Name), Order::Asc)
            .limit(limit + 1);
        if let Some([CursorValue::Text(name)]) = after.map(|cursor| cursor.0.as_slice()) {
            select.and_where(tag::Column::Name.gt(name.as_str()));
        }
        let rows = self.runner().all(&select).await?;
        let tags = rows.iter().map(read).collect::<Result<Vec<_>, _>>()?;
        Ok(Page::of(tags, limit, |last| {
            Cursor(vec![CursorValue::Text(last.name.clone())])
        }))
    }

    /// Returns a tag on the owner's tasks.
    pub(crate) async fn tag_by_id(&self, id: i32) -> Result<Tag, StoreError> {
        if !self.shape.has(Feature::Tags) {
            return Err(StoreError::NotFound);
        }
        let mut select = self.select_tags();
        select.and_where(tag::Column::Id.eq(id));
        let row = self.runner().one(&select).await?.ok_or(StoreError::NotFound)?;
        read(&row)
    }

    /// Puts a tag under another name on all of the owner's tasks that carry it. A row that may be somebody else's too stays as it
    /// is: the tasks move to the row of the new name.
    pub(crate) async fn move_tag(&self, id: i32, name: &TagName, now: Instant) -> Result<(), StoreError> {
        let names = std::slice::from_ref(name);
        self.touch(self.carry(id), now).await?;
        if self.shape.has(Feature::TagOwners) {
            self.forget_unused(names).await?;
            let rename = Query::update()
                .table(tag::Entity)
                .value(tag::Column::Name, name.as_str())
                .and_where(tag::Column::Id.eq(id))
                .and_where(tag::Column::UserId.eq(self.owner.as_str()))
                .to_owned();
            if self.runner().execute(&rename).await? > 0 {
                return Ok(());
            }
        }
        self.runner().execute(&self.insert_names(names)).await?;
        let target = Query::select()
            .column(tag::Column::Id)
            .from(tag::Entity)
            .cond_where(self.named(names))
            .to_owned();
        let update = Query::update()
            .table(task_tag::Entity)
            .value(task_tag::Column::TagId, Expr::from(target))
            .cond_where(self.links(id))
            .to_owned();
        self.runner().execute(&update).await.map(drop)
    }

    /// Takes a tag off all of the owner's tasks.
    pub(crate) async fn take_tag_off(&self, id: i32, now: Instant) -> Result<(), StoreError> {
        self.touch(self.carry(id), now).await?;
        let delete = Query::delete()
            .from_table(task_tag::Entity)
            .cond_where(self.links(id))
            .to_owned();
        self.runner().execute(&delete).await.map(drop)
    }

    /// Puts tags on a task beside those that it carries, and returns the names of all of them.
    ///
    /// A name that the owner writes in another case already keeps that spelling.
    pub(crate) async fn put_tags(&self, task_id: i32, names: &[TagName]) -> Result<Vec<String>, StoreError> {
        let spelled = self.settled(names).await?;
        let wanted = Query::select()
            .expr(Expr::val(task_id))
            .column(tag::Column::Id)
            .from(tag::Entity)
            .cond_where(self.named(&spelled))
            .to_owned();
        let mut link = Query::insert();
        link.into_table(task_tag::Entity)
            .columns([task_tag::Column::TaskId, task_tag::Column::TagId])
            .on_conflict(OnConflict::new().do_nothing().to_owned());
        link.select_from(wanted)
            .expect("two columns are selected for two columns");
        self.runner().execute(&link).await?;
        let tags = self.task_by_id(task_id).await?.tags;
        match spelled
            .iter()
            .all(|name| tags.iter().any(|tag| tag == name.as_str()))
        {
            true => Ok(tags),
            false => Err(StoreError::Outdated),
        }
    }

    /// Puts tags on tasks that carry none of them yet, and returns their names.
    pub(crate) async fn tag_tasks(
        &self,
        wanted: &[(i32, &[TagName])],
    ) -> Result<HashMap<i32, Vec<String>>, StoreError> {
        let mut names: Vec<TagName> = wanted.iter().flat_map(|(_, names)| *names).cloned().collect();
        names.sort_by_key(TagName::folded);
        names.dedup_by_key(|name| name.folded());
        if names.is_empty() {
            return Ok(HashMap::new());
        }
        let spelled = self.settled(&names).await?;
        let select = Query::select()
            .columns([tag::Column::Id, tag::Column::Name])
            .from(tag::Entity)
            .cond_where(self.named(&spelled))
            .to_owned();
        let mut known: HashMap<String, (i32, String)> = HashMap::new();
        for row in self.runner().all(&select).await? {
            let name: String = row.try_get_by_index(1)?;
            known.insert(TagName::stored(&name).folded(), (row.try_get_by_index(0)?, name));
        }
        if known.len() < spelled.len() {
            return Err(StoreError::Outdated);
        }
        let mut link = Query::insert();
        link.into_table(task_tag::Entity)
            .columns([task_tag::Column::TaskId, task_tag::Column::TagId]);
        let mut put: HashMap<i32, Vec<String>> = HashMap::new();
        for (task, names) in wanted {
            for (id, name) in names.iter().filter_map(|name| known.get(&name.folded())) {
                link.values_panic([(*task).into(), (*id).into()]);
                put.entry(*task).or_default().push(name.clone());
            }
        }
        self.runner().execute(&link).await?;
        put.values_mut().for_each(|names| names.sort());
        Ok(put)
    }

    /// Returns names as the owner writes them already, with a row for each.
    async fn settled(&self, names: &[TagName]) -> Result<Vec<TagName>, StoreError> {
        let (mut spelled, mut are_known) = self.spelled(names).await?;
        if !are_known && self.lock_tag_names().await? {
            (spelled, are_known) = self.spelled(names).await?;
        }
        if !are_known && self.shape.has(Feature::TagOwners) {
            self.forget_unused(&spelled).await?;
        }
        // One that they write may be a row of somebody else's still.
        self.runner().execute(&self.insert_names(&spelled)).await?;
        Ok(spelled)
    }

    /// Keeps everybody else from giving the owner's tasks a name that none of them carries, in any case, until the transaction ends.
    /// Comes after the locks of tasks and before those of tags. Returns whether somebody may have done so until now: then what was
    /// read of names before has to be read again.
    pub(crate) async fn lock_tag_names(&self) -> Result<bool, StoreError> {
        match self.dialect() {
            Dialect::Postgresql if !self.unit.mark_tag_names_locked() => {
                let lock = Query::select()
                    .expr(Expr::cust_with_values(
                        "pg_advisory_xact_lock(hashtextextended($1, 0))",
                        [format!("todo tags {}", self.owner.as_str())],
                    ))
                    .to_owned();
                self.runner().one(&lock).await?;
                Ok(true)
            }
            // Nobody could any more; SQLite has one writer at a time anyway.
            Dialect::Postgresql | Dialect::Sqlite => Ok(false),
        }
    }

    /// Returns names as the owner writes them already, and whether they write all of them.
    async fn spelled(&self, names: &[TagName]) -> Result<(Vec<TagName>, bool), StoreError> {
        let mut own = self.select_tags();
        own.and_where(folded_name(self.dialect()).is_in(names.iter().flat_map(TagName::spellings)));
        let mut known: Vec<Tag> = Vec::new();
        for row in self.runner().all(&own).await? {
            known.push(read(&row)?);
        }
        let mut are_known = true;
        let spelled = names
            .iter()
            .map(|name| {
                let own = known.iter().find(|tag| name.is(&tag.name));
                are_known &= own.is_some();
                own.map_or_else(|| name.clone(), |tag| TagName::stored(&tag.name))
            })
            .collect();
        Ok((spelled, are_known))
    }

    /// Removes the rows of the owner's that no task carries any more and that are called like these, in any case: a name that is
    /// written anew is written as it is now.
    async fn forget_unused(&self, names: &[TagName]) -> Result<(), StoreError> {
        let carried = Query::select()
            .expr(Expr::val(1))
            .from(task_tag::Entity)
            .and_where(
                Expr::col((task_tag::Entity, task_tag::Column::TagId)).equals((tag::Entity, tag::Column::Id)),
            )
            .to_owned();
        let delete = Query::delete()
            .from_table(tag::Entity)
            .and_where(tag::Column::UserId.eq(self.owner.as_str()))
            .and_where(folded_name(self.dialect()).is_in(names.iter().flat_map(TagName::spellings)))
            .and_where(Expr::exists(carried).not())
            .to_owned();
        self.runner().execute(&delete).await.map(drop)
    }

    /// Takes every tag off a task but these.
    pub(crate) async fn drop_other_tags(&self, task_id: i32, kept: &[TagName]) -> Result<(), StoreError> {
        let mut delete = Query::delete();
        delete
            .from_table(task_tag::Entity)
            .and_where(task_tag::Column::TaskId.eq(task_id));
        if !kept.is_empty() {
            let ids = carried(task_id, kept, self.dialect());
            delete.and_where(task_tag::Column::TagId.not_in_subquery(ids));
        }
        self.runner().execute(&delete).await.map(drop)
    }

    /// Takes a tag off a task.
    pub(crate) async fn drop_tag(&self, task_id: i32, name: &TagName) -> Result<(), StoreError> {
        let ids = carried(task_id, std::slice::from_ref(name), self.dialect());
        let delete = Query::delete()
            .from_table(task_tag::Entity)
            .and_where(task_tag::Column::TaskId.eq(task_id))
            .and_where(task_tag::Column::TagId.in_subquery(ids))
            .to_owned();
        self.runner().execute(&delete).await.map(drop)
    }

    /// Selects id, name and number of tasks of the tags on the owner's tasks.
    fn select_tags(&self) -> SelectStatement {
        Query::select()
            .column((tag::Entity, tag::Column::Id))
            .column((tag::Entity, tag::Column::Name))
            .expr(Func::count(Expr::col((task::Entity, task::Column::Id))))
            .from(tag::Entity)
            .inner_join(
                task_tag::Entity,
                Expr::col((task_tag::Entity, task_tag::Column::TagId)).equals((tag::Entity, tag::Column::Id)),
            )
            .inner_join(
                task::Entity,
                Expr::col((task::Entity, task::Column::Id))
                    .equals((task_tag::Entity, task_tag::Column::TaskId)),
            )
            .and_where(owned_by(&self.owner))
            .group_by_col((tag::Entity, tag::Column::Id))
            .group_by_col((tag::Entity, tag::Column::Name))
            .to_owned()
    }

    /// Makes the rows of names that are not there yet, in the order of the names: two who do this at once do not deadlock.
    ///
    /// What is unique differs between the revisions, so no conflict is named.
    fn insert_names(&self, names: &[TagName]) -> InsertStatement {
        let mut sorted: Vec<&str> = names.iter().map(TagName::as_str).collect();
        sorted.sort_unstable();
        let is_owned = self.shape.has(Feature::TagOwners);
        let mut insert = Query::insert();
        insert
            .into_table(tag::Entity)
            .columns(match is_owned {
                true => vec![tag::Column::Name, tag::Column::UserId],
                false => vec![tag::Column::Name],
            })
            .on_conflict(OnConflict::new().do_nothing().to_owned());
        for name in sorted {
            insert.values_panic(match is_owned {
                true => vec![name.into(), self.owner.as_str().into()],
                false => vec![name.into()],
            });
        }
        insert
    }

    /// Returns what makes a tag one of these names that the owner puts on tasks.
    fn named(&self, names: &[TagName]) -> Condition {
        let mut condition = Condition::all().add(tag::Column::Name.is_in(names.iter().map(TagName::as_str)));
        if self.shape.has(Feature::TagOwners) {
            condition = condition.add(tag::Column::UserId.eq(self.owner.as_str()));
        }
        condition
    }

    /// Returns the owner's tags of a name, in whatever case they write it; the one that is written just so comes first. There is one
    /// unless names have met that were different once.
    pub(crate) async fn own_tags(&self, name: &TagName) -> Result<Vec<Tag>, StoreError> {
        let mut select = self.select_tags();
        select.and_where(folded_name(self.dialect()).is_in(name.spellings()));
        let rows = self.runner().all(&select).await?;
        let mut tags = rows.iter().map(read).collect::<Result<Vec<_>, _>>()?;
        tags.sort_by_key(|tag| tag.name != name.as_str());
        Ok(tags)
    }

    /// Returns what makes a link one between a tag and a task of the owner's.
    fn links(&self, tag_id: i32) -> Condition {
        let own = Query::select()
            .column(task::Column::Id)
            .from(task::Entity)
            .and_where(owned_by(&self.owner))
            .to_owned();
        Condition::all()
            .add(task_tag::Column::TagId.eq(tag_id))
            .add(task_tag::Column::TaskId.in_subquery(own))
    }

    /// Returns a tag that nobody else can put on the owner's tasks, or take off them, until the transaction ends.
    pub(crate) async fn locked_tag(&self, id: i32) -> Result<Tag, StoreError> {
        self.lock_tasks(self.carry(id)).await?;
        self.lock_tag_names().await?;
        // Whoever puts it on another task waits for this row, having locked the task before.
        let carried = Query::select()
            .column(task_tag::Column::TagId)
            .from(task_tag::Entity)
            .cond_where(self.links(id))
            .to_owned();
        let row = Query::select()
            .column(tag::Column::Id)
            .from(tag::Entity)
            .and_where(tag::Column::Id.in_subquery(carried))
            .to_owned();
        self.lock_rows(row).await?;
        self.tag_by_id(id).await
    }

    /// Returns what makes a task one that carries a tag; there may be more of them than a statement takes values.
    fn carry(&self, tag_id: i32) -> Expr {
        let carriers = Query::select()
            .column(task_tag::Column::TaskId)
            .from(task_tag::Entity)
            .and_where(task_tag::Column::TagId.eq(tag_id))
            .to_owned();
        task::Column::Id.in_subquery(carriers)
    }
}

/// Selects the ids of the tags that a task carries under one of these names.
fn carried(task_id: i32, names: &[TagName], dialect: Dialect) -> SelectStatement {
    let on_task = Query::select()
        .column(task_tag::Column::TagId)
        .from(task_tag::Entity)
        .and_where(task_tag::Column::TaskId.eq(task_id))
        .to_owned();
    Query::select()
        .column(tag::Column::Id)
        .from(tag::Entity)
        .and_where(tag::Column::Id.in_subquery(on_task))
        .and_where(folded_name(dialect).is_in(names.iter().flat_map(TagName::spellings)))
        .to_owned()
}

/// Returns a tag's name as it is compared: only ASCII letters lose their case, whatever the server's locale knows.
pub(super) fn folded_name(dialect: Dialect) -> Expr {
    Expr::cust(match dialect {
        Dialect::Postgresql => "lower(tags.name COLLATE \"C\")",
        Dialect::Sqlite => "lower(tags.name)",
    })
}

fn read(row: &QueryResult) -> Result<Tag, StoreError> {
    Ok(Tag {
        id: row.try_get_by_index(0)?,
        name: row.try_get_by_index(1)?,
        task_count: row.try_get_by_index(2)?,
    })
}
