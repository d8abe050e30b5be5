//! Filters as conditions, where a missing column behaves as its default.

use entity::task::{Column, Entity};
use sea_orm::sea_query::extension::postgres::PgBinOper;
use sea_orm::sea_query::{BinOper, Expr, ExprTrait, Func, LikeExpr, Query};
use sea_orm::{ColumnTrait, Condition};
use seaworthy::sql::Dialect;

use super::Shape;
use super::list::rank;
use super::row::{column, owned_by};
use super::tags::folded_name;
use crate::domain::{Feature, Instant, TagName, TagsMatch, TaskFilter, UserId};

/// Whose tasks are looked for, and which of them.
pub(super) struct Search<'a> {
    pub(super) shape: &'a Shape,
    pub(super) dialect: Dialect,
    pub(super) owner: &'a UserId,
    pub(super) filter: &'a TaskFilter,
    pub(super) now: Instant,
    /// Whether a list is in the order of the ids, which PostgreSQL has an index for that knows of no owner.
    pub(super) is_by_id: bool,
}

/// So many letters in a row are what PostgreSQL's index knows a text by.
const INDEXED_LETTERS: usize = 3;

impl Search<'_> {
    /// Returns what makes a task one of those looked for, when it is known to be completed or not.
    pub(super) fn condition(&self, completed: bool) -> Condition {
        self.whatever_the_status(&[completed])
            .add(Column::Completed.eq(completed))
    }

    /// Returns what makes a task one of those looked for.
    pub(super) fn any_condition(&self) -> Condition {
        match self.filter.completed {
            Some(completed) => self.condition(completed),
            None => self.whatever_the_status(&[false, true]),
        }
    }

    fn whatever_the_status(&self, statuses: &[bool]) -> Condition {
        let mut all = conditions(self.shape, self.dialect, self.filter, self.now).add(self.is_owned());
        if let Some(words) = self.words(statuses) {
            all = all.add(words);
        }
        all
    }

    /// Returns what makes a task the owner's.
    ///
    /// What equals one value has no place in PostgreSQL's idea of an order. With one of an array it has, and the primary key,
    /// which holds everybody's tasks, is none that gives the order.
    fn is_owned(&self) -> Expr {
        match self.has_owners_in_an_array() {
            // Not `ARRAY[$1]`: sea-query takes brackets for quotes and what is in them for a name.
            true => Expr::cust_with_values(
                "tasks.user_id = ANY (array_append(NULL, $1))",
                [self.owner.as_str()],
            ),
            false => owned_by(self.owner),
        }
    }

    /// Whether the owner is compared as one of an array.
    pub(super) fn has_owners_in_an_array(&self) -> bool {
        self.is_by_id && self.dialect == Dialect::Postgresql
    }

    /// Returns the condition that a task's text has every word, whatever its case.
    ///
    /// The text is spelled as in the index of phase VIII. A word has no white space in it, so none is found across the line
    /// between title and description.
    fn words(&self, statuses: &[bool]) -> Option<Condition> {
        if self.filter.words.is_empty() {
            return None;
        }
        let words = self.filter.words.iter();
        Some(match self.dialect {
            Dialect::Postgresql => words.fold(Condition::all(), |all, word| all.add(has_on_postgres(word))),
            Dialect::Sqlite => self.words_on_sqlite(statuses),
        })
    }

    /// By their ids, because the index has those and the text, and is read without the rows. LIKE takes ASCII letters of either
    /// case for the same.
    fn words_on_sqlite(&self, statuses: &[bool]) -> Condition {
        let mut found = Query::select();
        found
            .column(Column::Id)
            .from(Entity)
            .and_where(owned_by(self.owner))
            .and_where(Column::Completed.is_in(statuses.iter().copied()));
        for word in &self.filter.words {
            let text = Expr::cust("(tasks.title || char(10) || coalesce(tasks.description, ''))");
            found.and_where(text.like(LikeExpr::new(pattern(word)).escape('\\')));
        }
        Condition::all().add(Column::Id.in_subquery(found))
    }
}

fn conditions(shape: &Shape, dialect: Dialect, filter: &TaskFilter, now: Instant) -> Condition {
    let due = || column(shape, Column::DueDate);
    let mut all = Condition::all();
    if !filter.priorities.is_empty() {
        // By rank, because that is what the index has.
        all = all.add(rank(shape).is_in(filter.priorities.iter().map(|priority| priority.rank())));
    }
    if !filter.tags.is_empty() {
        all = all.add(tags(shape, dialect, &filter.tags, filter.tags_match));
    }
    if let Some(moment) = filter.due_after {
        all = all.add(due().gte(moment.to_utc()));
    }
    if let Some(moment) = filter.due_before {
        all = all.add(due().lt(moment.to_utc()));
    }
    match filter.overdue {
        Some(true) => all = all.add(Column::Completed.eq(false)).add(due().lt(now.to_utc())),
        Some(false) => {
            all = all.add(
                Condition::any()
                    .add(Column::Completed.eq(true))
                    .add(due().is_null())
                    .add(due().gte(now.to_utc())),
            );
        }
        None => {}
    }
    for (wanted, column) in [
        (filter.has_due, due()),
        (filter.recurring, column(shape, Column::RecurrenceRule)),
    ] {
        match wanted {
            Some(true) => all = all.add(column.is_not_null()),
            Some(false) => all = all.add(column.is_null()),
            None => {}
        }
    }
    if let Some(moment) = filter.updated_since {
        all = all.add(Column::UpdatedAt.gte(moment.to_utc()));
    }
    all
}

/// Returns the condition that a task's text has a word, on PostgreSQL.
fn has_on_postgres(word: &str) -> Condition {
    let text = || Expr::cust("(tasks.title || chr(10) || coalesce(tasks.description, ''))");
    // A literal, because whether an index helps depends on the word, and a plan that is kept for any word cannot know.
    let pattern = || Expr::Constant(pattern(word).into());
    let is_like = text().binary(PgBinOper::ILike, pattern());
    if word.chars().count() >= INDEXED_LETTERS {
        return Condition::all().add(is_like);
    }
    // All texts have to be read. ILIKE puts the pattern into lower case for each of them, LIKE is given it once. ILIKE is still
    // asked of those that are left, because the planner knows from it how many they are, and as a question for the truth,
    // so that it does not take the index for a help.
    let lower_pattern = Expr::from(Func::lower(pattern()));
    Condition::all()
        .add(Expr::from(Func::lower(text())).binary(BinOper::Like, lower_pattern))
        .add(is_like.is(Expr::Constant(true.into())))
}

/// Returns what a text must be like to contain a word.
fn pattern(word: &str) -> String {
    let escaped = word.replace('\\', "\\\\").replace('%', "\\%").replace('_', "\\_");
    format!("%{escaped}%")
}

fn tags(shape: &Shape, dialect: Dialect, names: &[TagName], matching: TagsMatch) -> Condition {
    if !shape.has(Feature::Tags) {
        return Condition::all().add(Expr::cust("1 = 0"));
    }
    let carries = |names: Vec<String>| {
        Expr::exists(
            Query::select()
                .expr(Expr::val(1))
                .from(entity::task_tag::Entity)
                .inner_join(
                    entity::tag::Entity,
                    Expr::col((entity::tag::Entity, entity::tag::Column::Id))
                        .equals((entity::task_tag::Entity, entity::task_tag::Column::TagId)),
                )
                .and_where(
                    Expr::col((entity::task_tag::Entity, entity::task_tag::Column::TaskId))
                        .equals((Entity, Column::Id)),
                )
                .and_where(folded_name(dialect).is_in(names))
                .to_owned(),
        )
    };
    let folded: Vec<String> = names.iter().map(TagName::folded).collect();
    match matching {
        TagsMatch::Any => Condition::all().add(carries(folded)),
        TagsMatch::All => folded
            .into_iter()
            .fold(Condition::all(), |all, name| all.add(carries(vec![name]))),
    }
}
