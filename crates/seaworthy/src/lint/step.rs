//! One statement with everything a rule may ask about it, and what a transaction carries from one statement to the next.

use std::collections::BTreeSet;

use super::locks::{TableLock, locks};
use super::rules::{Finding, Rule};
use super::timeline::Timeline;
use super::{Context, Required, Server, Surrounding};
use crate::sql::{Action, Constraint, Mode, Parsed, TransactionVerb, TypeAction};
use crate::sql::{KnownColumn, Schema, beside, name_in_schema};
use crate::sql::{Statement, Token};

/// What earlier statements of the same transaction and session have left behind.
#[derive(Clone)]
pub(super) struct State {
    pub(super) surrounding: Surrounding,
    pub(super) held: Vec<TableLock>,
    pub(super) not_valid: BTreeSet<(String, String)>,
    pub(super) enum_values: BTreeSet<String>,
    /// Whether `lock_timeout` is off, with the line that says so.
    pub(super) timeout_off: Option<usize>,
    pub(super) timeout_is_local: bool,
    pub(super) timeout_is_reported: bool,
    pub(super) is_utc: bool,
    pub(super) many_locks_are_reported: bool,
}

/// A statement in its place.
pub(super) struct Step<'a> {
    pub(super) statement: &'a Parsed,
    pub(super) tokens: &'a [Token],
    pub(super) unclosed: Option<&'static str>,
    /// Whether it is part of the code that a statement ahead of it runs.
    pub(super) is_inner: bool,
    /// The code that it runs.
    pub(super) code: Vec<&'a Parsed>,
    pub(super) before: &'a Schema,
    /// The schema as this transaction leaves it.
    pub(super) at_commit: &'a Schema,
    /// The schema as the script leaves it.
    pub(super) at_end: &'a Schema,
    pub(super) in_transaction: bool,
    pub(super) is_left_open: bool,
    pub(super) locks: Vec<TableLock>,
    pub(super) state: &'a State,
    pub(super) server: Server,
    pub(super) version: u8,
    pub(super) required: &'a Required,
    pub(super) is_strict: bool,
    /// The rules that have found something in it so far.
    pub(super) found: Vec<&'static str>,
}

impl<'a> Step<'a> {
    pub(super) fn new(
        index: usize,
        read: &'a Statement,
        timeline: &'a Timeline<'a>,
        state: &'a State,
        context: &'a Context,
    ) -> Self {
        let moment = &timeline.moments[index];
        Self {
            statement: moment.statement,
            tokens: &read.tokens,
            unclosed: read.unclosed,
            is_inner: moment.is_inner,
            code: timeline
                .code_of(index)
                .iter()
                .map(|moment| moment.statement)
                .collect(),
            before: &moment.before,
            at_commit: timeline.after_transaction(index),
            at_end: &timeline.end,
            in_transaction: moment.in_transaction,
            is_left_open: moment.is_left_open,
            locks: locks(moment.statement, &moment.before),
            state,
            server: context.server,
            version: context.server.version(),
            required: &context.settings.required,
            is_strict: context.is_strict,
            found: Vec::new(),
        }
    }

    /// Returns the table and the actions of an `ALTER TABLE` on a table in use.
    pub(super) fn alteration(&self) -> Option<(&'a str, &'a [Action])> {
        match self.statement {
            Parsed::AlterTable {
                table,
                if_exists,
                actions,
            } => {
                let is_skipped = *if_exists && self.before.lacks(table);
                (self.before.is_live(table) && !is_skipped).then_some((table.as_str(), actions.as_slice()))
            }
            _ => None,
        }
    }

    /// Returns the constraints that an `ALTER TABLE` adds to a table in use, those of added columns included.
    pub(super) fn added_constraints(&self) -> Vec<(&'a str, &'a Constraint)> {
        let Some((table, actions)) = self.alteration() else {
            return Vec::new();
        };
        let constraints = actions.iter().flat_map(|action| match action {
            Action::AddConstraint(constraint) => std::slice::from_ref(constraint),
            Action::AddColumn {
                column,
                if_not_exists,
            } if !self.is_there(table, &column.name, *if_not_exists) => column.constraints.as_slice(),
            _ => &[],
        });
        constraints.map(|constraint| (table, constraint)).collect()
    }

    /// Returns whether an added column is there already, so that nothing happens.
    pub(super) fn is_there(&self, table: &str, column: &str, if_not_exists: bool) -> bool {
        let known = self.before.column(table, column);
        if_not_exists && known.is_some_and(|known| !known.is_perhaps)
    }

    /// Returns a column that running code may use, as it is before the statement.
    pub(super) fn column(&self, table: &str, column: &str) -> Option<&KnownColumn> {
        self.before.column(table, column)
    }

    /// Returns whether a statement ahead of this one in the same transaction, or this one itself, has added a constraint
    /// without checking the rows.
    pub(super) fn is_just_added(&self, table: &str, constraint: &str) -> bool {
        let added = (table.to_owned(), constraint.to_owned());
        self.state.not_valid.contains(&added) || not_valid(self.statement).contains(&added)
    }
}

impl State {
    pub(super) fn new(surrounding: Surrounding) -> Self {
        Self {
            surrounding,
            held: Vec::new(),
            not_valid: BTreeSet::new(),
            enum_values: BTreeSet::new(),
            timeout_off: None,
            timeout_is_local: false,
            timeout_is_reported: false,
            is_utc: false,
            many_locks_are_reported: false,
        }
    }

    /// Returns the state after a statement.
    pub(super) fn after(&self, step: &Step<'_>, found: &[(&'static Rule, Finding)]) -> Self {
        let mut next = self.clone();
        next.advance(step, found);
        next
    }

    fn advance(&mut self, step: &Step<'_>, found: &[(&'static Rule, Finding)]) {
        for (rule, _) in found {
            self.timeout_is_reported |= rule.code == "timeout-disabled";
            self.many_locks_are_reported |= rule.code == "multi-lock";
        }
        match step.statement {
            Parsed::Transaction(TransactionVerb::End { .. }) => self.end_transaction(),
            Parsed::Set {
                name,
                value,
                is_local,
            } => self.set(name, value, *is_local),
            Parsed::Select { .. } if mentions(step.tokens, "set_config") => self.set_config(step.tokens),
            _ => {}
        }
        if !step.in_transaction {
            return;
        }
        for lock in &step.locks {
            if !self.held.contains(lock) {
                self.held.push(lock.clone());
            }
        }
        self.rename_held(step.statement);
        self.not_valid.extend(not_valid(step.statement));
        if let Parsed::AlterType {
            name,
            action: TypeAction::AddValue(value),
        } = step.statement
            && !step.before.is_new_type(name)
        {
            self.enum_values.insert(value.clone());
        }
    }

    /// Keeps the locks of a table that gets another name under that.
    fn rename_held(&mut self, statement: &Parsed) {
        let Parsed::AlterTable { table, actions, .. } = statement else {
            return;
        };
        let renamed = actions.iter().find_map(|action| match action {
            Action::RenameTable(to) => Some(beside(table, to)),
            Action::SetSchema(schema) => Some(name_in_schema(schema, table)),
            _ => None,
        });
        let of_it = self.held.iter_mut().filter(|lock| lock.table == *table);
        if let Some(to) = renamed {
            of_it.for_each(|lock| lock.table.clone_from(&to));
        }
    }

    fn end_transaction(&mut self) {
        self.held.clear();
        self.not_valid.clear();
        self.enum_values.clear();
        self.many_locks_are_reported = false;
        if self.timeout_is_local {
            self.timeout_off = None;
        }
    }

    fn set(&mut self, name: &str, value: &[Token], is_local: bool) {
        let text = value.first().map_or("", |token| token.text.as_str());
        match name {
            "lock_timeout" => {
                let digits =
                    text.trim_end_matches(|letter: char| letter.is_ascii_alphabetic() || letter == ' ');
                let is_off = !digits.is_empty() && digits.chars().all(|letter| letter == '0');
                self.timeout_off = is_off.then(|| value[0].line);
                self.timeout_is_local = is_local;
                self.timeout_is_reported = false;
            }
            "timezone" => {
                let text = text.to_lowercase();
                self.is_utc = ["utc", "etc/utc", "gmt", "0", "zulu"].contains(&text.as_str());
            }
            _ => {}
        }
    }

    fn set_config(&mut self, tokens: &[Token]) {
        let at = tokens
            .iter()
            .position(|token| token.is_word("set_config"))
            .unwrap_or_default();
        if let (Some(name), Some(value)) = (tokens.get(at + 2), tokens.get(at + 4)) {
            let is_local = tokens.get(at + 6).is_some_and(|token| token.is_word("true"));
            self.set(&name.text.clone(), std::slice::from_ref(value), is_local);
        }
    }

    /// Returns the strongest lock that is held on a table.
    pub(super) fn held_on(&self, table: &str) -> Option<Mode> {
        let held = self.held.iter().filter(|lock| lock.table == table);
        held.map(|lock| lock.mode).max()
    }
}

/// Returns the constraints that a statement adds without checking the rows.
fn not_valid(statement: &Parsed) -> BTreeSet<(String, String)> {
    let Parsed::AlterTable { table, actions, .. } = statement else {
        return BTreeSet::new();
    };
    let names = actions.iter().filter_map(|action| match action {
        Action::AddConstraint(constraint) if !constraint.is_valid => constraint.name.clone(),
        _ => None,
    });
    names.map(|name| (table.clone(), name)).collect()
}

fn mentions(tokens: &[Token], word: &str) -> bool {
    tokens.iter().any(|token| token.is_word(word))
}
