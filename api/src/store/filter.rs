//! Filters as conditions, where a missing column behaves as its default.

use entity::task::{Column, Entity};
use sea_orm::sea_query::extension::postgres::PgBinOper;
use sea_orm::sea_query::{BinOper, Expr, ExprTrait, Func, LikeExpr, Query};
use sea_orm::{ColumnTrait, Condition};
use seaworthy::sql::Dialect;

use super::Shape;
use super::due::{is_from, is_not_until, is_until};
use super::list::rank;
use super::row::{column, owned_by};
use super::tags::folded_name;
use crate::domain::{Feature, Instant, TagName, TagsMatch, TaskFilter, TextSearch, TextTerm, UserId, View};

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
        match self.filter.statuses().as_slice() {
            [] => nothing(),
            [completed] => self.condition(*completed),
            statuses => self.whatever_the_status(statuses),
        }
    }

    fn whatever_the_status(&self, statuses: &[bool]) -> Condition {
        let mut all = conditions(self.shape, self.dialect, self.filter, self.now).add(self.is_owned());
        if let Some(search) = &self.filter.text {
            all = all.add(self.text(search, statuses));
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

    /// Returns the condition that a task's text has what is looked for, whatever its case.
    ///
    /// The text is spelled as in the index of phase VIII, or of phase XVII. No term has a line end in it, so none is found across the line between
    /// title and description.
    fn text(&self, search: &TextSearch, statuses: &[bool]) -> Condition {
        let has = |term: &TextTerm| {
            let is_folded = self.shape.has(Feature::FoldedText);
            let has_text = |text: String| match self.dialect {
                Dialect::Postgresql => has_on_postgres(term, &text, text_on_postgres(is_folded)),
                Dialect::Sqlite => has_on_sqlite(term, &text, text_on_sqlite(is_folded)),
            };
            let spellings = term.spellings().map(has_text);
            let has_any = spellings
                .reduce(ExprTrait::or)
                .expect("a term is spelled in one way at least");
            if term.is_excluded { has_any.not() } else { has_any }
        };
        let group = |terms: &Vec<TextTerm>| terms.iter().map(has).fold(Condition::all(), Condition::add);
        let groups = search.any_of.iter().map(group);
        let condition = groups.fold(Condition::any(), Condition::add);
        match self.dialect {
            Dialect::Postgresql => condition,
            Dialect::Sqlite => self.by_their_ids(condition, statuses),
        }
    }

    /// The index has ids and texts, and is read without the rows.
    fn by_their_ids(&self, condition: Condition, statuses: &[bool]) -> Condition {
        let found = Query::select()
            .column(Column::Id)
            .from(Entity)
            .and_where(owned_by(self.owner))
            .and_where(Column::Completed.is_in(statuses.iter().copied()))
            .cond_where(condition)
            .to_owned();
        Condition::all().add(Column::Id.in_subquery(found))
    }
}

/// Returns what holds for no task.
pub(super) fn nothing() -> Condition {
    Condition::all().add(Expr::cust("1 = 0"))
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
    if !filter.ids.is_empty() {
        all = all.add(Column::Id.is_in(filter.ids.iter().copied()));
    }
    let (of_view, until) = filter
        .view
        .map_or((None, None), |view| view.due(now, &filter.zone));
    for from in [filter.due_after, of_view].into_iter().flatten() {
        all = all.add(is_from(shape, &from));
    }
    for until in [filter.due_before, until].into_iter().flatten() {
        all = all.add(is_until(shape, &until));
    }
    if let (Some(is_overdue), (_, Some(past))) = (filter.overdue, View::Overdue.due(now, &filter.zone)) {
        all = all.add(match is_overdue {
            true => is_until(shape, &past).add(Column::Completed.eq(false)),
            false => Condition::any()
                .add(Column::Completed.eq(true))
                .add(is_not_until(shape, &past)),
        });
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

/// Returns the text that is searched, as an index has it.
fn text_on_postgres(is_folded: bool) -> &'static str {
    match is_folded {
        true => {
            "(coalesce(tasks.title_folded, tasks.title) || chr(10) || \
             coalesce(tasks.description_folded, tasks.description, ''))"
        }
        false => "(tasks.title || chr(10) || coalesce(tasks.description, ''))",
    }
}

/// Returns the same on SQLite.
fn text_on_sqlite(is_folded: bool) -> &'static str {
    match is_folded {
        true => {
            "(coalesce(tasks.title_folded, tasks.title) || char(10) || \
             coalesce(tasks.description_folded, tasks.description, ''))"
        }
        false => "(tasks.title || char(10) || coalesce(tasks.description, ''))",
    }
}

/// Returns the condition that a task's text has the text of a term in some spelling, on PostgreSQL.
fn has_on_postgres(term: &TextTerm, spelling: &str, text: &'static str) -> Expr {
    let words = format!("(' ' || translate({text}, chr(9) || chr(10) || chr(13), '   '))");
    let text = || Expr::cust(text);
    let part = || Expr::Constant(pattern(spelling).into());
    // A literal, because whether an index helps depends on the word, and a plan that is kept for any word cannot know.
    let is_like = text().binary(PgBinOper::ILike, part());
    let mut condition = if term.is_excluded || spelling.chars().count() >= INDEXED_LETTERS {
        is_like
    } else {
        // All texts have to be read. ILIKE puts the pattern into lower case for each of them, LIKE is given it once. ILIKE is
        // still asked of those that are left, because the planner knows from it how many they are, and as a question for the
        // truth, so that it does not take the index for a help.
        let lower = |it: Expr| Expr::from(Func::lower(it));
        lower(text())
            .binary(BinOper::Like, lower(part()))
            .and(is_like.is(Expr::Constant(true.into())))
    };
    if term.begins_a_word {
        let words = Expr::cust(words);
        let beginning = Expr::Constant(format!("% {}%", escaped(spelling)).into());
        condition = condition.and(words.binary(PgBinOper::ILike, beginning));
    }
    condition
}

/// Returns the same condition on SQLite, where LIKE takes ASCII letters of either case for the same.
fn has_on_sqlite(term: &TextTerm, spelling: &str, text: &str) -> Expr {
    let mut condition = Expr::cust(text.to_owned()).like(LikeExpr::new(pattern(spelling)).escape('\\'));
    if term.begins_a_word {
        let words = Expr::cust(format!(
            "(' ' || replace(replace(replace({text}, char(9), ' '), char(10), ' '), char(13), ' '))"
        ));
        let beginning = format!("% {}%", escaped(spelling));
        condition = condition.and(words.like(LikeExpr::new(beginning).escape('\\')));
    }
    condition
}

/// Returns what a text must be like to contain a word.
fn pattern(word: &str) -> String {
    format!("%{}%", escaped(word))
}

fn escaped(word: &str) -> String {
    word.replace('\\', "\\\\").replace('%', "\\%").replace('_', "\\_")
}

fn tags(shape: &Shape, dialect: Dialect, names: &[TagName], matching: TagsMatch) -> Condition {
    if !shape.has(Feature::Tags) {
        return nothing();
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
    match matching {
        TagsMatch::Any => Condition::all().add(carries(names.iter().flat_map(TagName::spellings).collect())),
        TagsMatch::All => names.iter().fold(Condition::all(), |all, name| {
            all.add(carries(name.spellings().collect()))
        }),
    }
}
