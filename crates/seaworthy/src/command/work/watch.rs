//! What may go in each step of a plan without anybody being asked again, and whether somebody has to look.

use std::collections::BTreeSet;

use crate::command::Stakes;
use crate::runner::Foreseen;
use crate::script::Losses;
use crate::sql::{Dialect, Facts, Object, RowVerb, Statement, Taken};

/// Goes through the steps of a plan in their order.
pub(super) struct Watch<'a> {
    agreed: &'a Stakes,
    dialect: Dialect,
    /// The tables that the steps so far have put rows into, which were not there when they were counted.
    filled: BTreeSet<String>,
}

impl<'a> Watch<'a> {
    pub(super) const fn new(agreed: &'a Stakes, dialect: Dialect) -> Self {
        Self {
            agreed,
            dialect,
            filled: BTreeSet::new(),
        }
    }

    /// Notes the next step or the next part of one, and returns what may go in it; nothing where nothing can go, or where whatever goes
    /// was given up.
    pub(super) fn next(
        &mut self,
        statements: &[Statement],
        is_known: bool,
        is_accepted: impl Fn(&Statement) -> bool,
    ) -> Option<Foreseen> {
        let found_empty: BTreeSet<String> = self
            .agreed
            .found_empty
            .difference(&self.filled)
            .cloned()
            .collect();
        for statement in statements {
            let rows = statement
                .facts()
                .rows
                .into_iter()
                .filter(|rows| puts_in(rows.verb));
            self.filled.extend(rows.map(|rows| rows.table));
        }
        let accepted: Vec<&Statement> = statements
            .iter()
            .filter(|statement| is_accepted(statement))
            .collect();
        let is_wide = accepted
            .iter()
            .any(|statement| takes_more_than_it_names(statement));
        let is_harmless = is_known
            && !statements
                .iter()
                .any(|statement| may_take(statement, self.dialect));
        let must_come_first = statements.iter().any(sets_transaction);
        let is_given_up = !self.agreed.unclear.is_empty() && (!is_known || is_unclear(statements));
        if is_wide || is_harmless || must_come_first || is_given_up {
            return None;
        }
        let mut named = Taken::by(statements);
        named.columns.extend(self.agreed.empty_columns.iter().cloned());
        let facts = statements.iter().map(Statement::facts);
        Some(Foreseen {
            accepted: Taken::by(accepted),
            agreed: self.agreed.taken(),
            named,
            found_empty,
            rewritten: facts.flat_map(may_be_rewritten).collect(),
            is_known,
        })
    }
}

/// Returns the tables that PostgreSQL may write anew: a column gets another type, or a default that is computed for each row.
fn may_be_rewritten(facts: Facts) -> Vec<String> {
    let added = facts.makes.into_iter().filter_map(|naming| match naming.object {
        Object::Column { table, .. } => Some(table),
        _ => None,
    });
    let retyped = facts.retypes.into_iter().map(|retype| retype.table);
    retyped.chain(added).collect()
}

/// Returns whether statements may take what nobody can name, so that somebody who agrees to them agrees to that as well.
fn is_unclear(statements: &[Statement]) -> bool {
    let mut losses = Losses::default();
    losses.add_statements(statements);
    !losses.unclear.is_empty() || statements.iter().any(takes_more_than_it_names)
}

/// Returns whether rows are there afterwards that were not there before.
const fn puts_in(verb: RowVerb) -> bool {
    match verb {
        RowVerb::Insert | RowVerb::Upsert | RowVerb::Replace | RowVerb::Merge => true,
        RowVerb::Update | RowVerb::Delete | RowVerb::Truncate => false,
    }
}

/// Returns whether a statement has to be the first of its transaction, so that nobody can look before it.
fn sets_transaction(statement: &Statement) -> bool {
    let mut words = statement.text().split_whitespace();
    let is =
        |word: Option<&str>, expected: &str| word.is_some_and(|word| word.eq_ignore_ascii_case(expected));
    is(words.next(), "set") && is(words.next(), "transaction")
}

/// Returns whether something may be gone after a statement, be it by a trigger, a function or an operator that the database has.
fn may_take(statement: &Statement, dialect: Dialect) -> bool {
    let facts = statement.facts();
    let is_index = |object: &Object| matches!(object, Object::Index { .. });
    let does_nothing_else = facts.rows.is_empty()
        && facts.calls.is_empty()
        && facts.not_understood.is_empty()
        && facts.removes.iter().all(|removal| is_index(&removal.object));
    let first = statement.text().split_whitespace().next().unwrap_or_default();
    let only_makes = match dialect {
        // What a default, a check or a conversion calls runs for each row.
        Dialect::Postgresql => first.eq_ignore_ascii_case("create"),
        Dialect::Sqlite => {
            !facts.makes.is_empty() || !facts.renames.is_empty() || first.eq_ignore_ascii_case("create")
        }
    };
    let only_drops_indexes = !facts.removes.is_empty();
    !(does_nothing_else && (only_makes || only_drops_indexes || !facts.settings.is_empty()))
}

/// Returns whether what goes with a statement is not known by its names.
fn takes_more_than_it_names(statement: &Statement) -> bool {
    let facts = statement.facts();
    let is_named = |object: &Object| {
        matches!(
            object,
            Object::Table { .. } | Object::Column { .. } | Object::Index { .. }
        )
    };
    // What a condition or a default calls is not what a statement is there for.
    let does_something_else = !facts.rows.is_empty()
        || !facts.removes.is_empty()
        || !facts.makes.is_empty()
        || !facts.retypes.is_empty();
    !(facts.calls.is_empty() || does_something_else)
        || !facts.not_understood.is_empty()
        || facts.rows.iter().any(|rows| rows.cascade)
        || facts
            .removes
            .iter()
            .any(|removal| removal.cascade || !is_named(&removal.object))
}
