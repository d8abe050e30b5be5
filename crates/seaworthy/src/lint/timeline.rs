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
}

impl<'a> Timeline<'a> {
    pub(super) fn new(statements: &'a [Statement], context: &Context) -> Self {
        let mut moments: Vec<Moment<'a>> = Vec::new();
        let mut schema = context.before.clone();
        let mut is_open = context.transaction == Surrounding::Transaction;
        let (mut transaction, mut begun) = (0, None);
        for (index, statement) in statements.iter().enumerate() {
            let statement = &statement.parsed;
            if !is_open {
                transaction += 1;
            }
            let verb = match statement {
                Parsed::Transaction(verb) => Some(*verb),
                _ => None,
            };
            let before = schema.clone();
            schema.apply(statement);
            moments.push(Moment {
                statement,
                before,
                transaction,
                in_transaction: is_open,
                is_left_open: false,
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

    /// Returns the schema as the transaction of a statement leaves it.
    pub(super) fn after_transaction(&self, index: usize) -> &Schema {
        let transaction = self.moments[index].transaction;
        self.moments[index..]
            .iter()
            .find(|moment| moment.transaction != transaction)
            .map_or(&self.end, |moment| &moment.before)
    }
}
