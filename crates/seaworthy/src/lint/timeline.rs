//! The schema before each statement, after its transaction, and after everything; and which transaction it is in.

use super::{Context, Surrounding};
use crate::sql::Schema;
use crate::sql::{Parsed, Statement, TransactionVerb};

/// The moments of a script.
pub(super) struct Timeline<'a> {
    pub(super) moments: Vec<Moment<'a>>,
    pub(super) end: Schema,
}

/// One statement in its place.
pub(super) struct Moment<'a> {
    pub(super) statement: &'a Parsed,
    pub(super) before: Schema,
    /// Which transaction it is in; statements that commit by themselves have one each.
    pub(super) transaction: usize,
    pub(super) in_transaction: bool,
    /// Whether the transaction that it begins is never ended.
    pub(super) is_left_open: bool,
    /// Whether it is part of the code that a statement ahead of it runs.
    pub(super) is_inner: bool,
}

impl<'a> Timeline<'a> {
    pub(super) fn new(statements: &'a [Statement], context: &Context) -> Self {
        let mut moments: Vec<Moment<'a>> = Vec::new();
        let mut schema = context.before.clone();
        let mut is_open = context.transaction == Surrounding::Transaction;
        let (mut transaction, mut begun) = (0, None);
        for (index, read) in statements.iter().enumerate() {
            let statement = &read.parsed;
            if !is_open {
                transaction += 1;
            }
            let verb = match statement {
                Parsed::Transaction(verb) => Some(*verb),
                _ => None,
            };
            let before = schema.clone();
            schema.apply_whole(read);
            moments.push(Moment {
                statement,
                before,
                transaction,
                in_transaction: is_open,
                is_left_open: false,
                is_inner: read.is_inner,
            });
            match verb {
                Some(TransactionVerb::Begin) if !is_open => {
                    is_open = true;
                    begun = Some(index);
                }
                Some(TransactionVerb::End { chain }) => {
                    is_open = chain;
                    begun = chain.then_some(index);
                    transaction += 1;
                }
                _ => {}
            }
        }
        if let Some(index) = begun {
            moments[index].is_left_open = true;
        }
        Self { moments, end: schema }
    }

    /// Returns the code that a statement runs.
    pub(super) fn code_of(&self, index: usize) -> &[Moment<'a>] {
        let behind = &self.moments[index + 1..];
        let end = behind.iter().position(|moment| !moment.is_inner);
        &behind[..end.unwrap_or(behind.len())]
    }

    /// Returns the schema as the transaction of a statement leaves it.
    pub(super) fn after_transaction(&self, index: usize) -> &Schema {
        let transaction = self.moments[index].transaction;
        self.moments[index..]
            .iter()
            .find(|moment| moment.transaction != transaction)
            .map_or(&self.end, |moment| &moment.before)
    }
}
