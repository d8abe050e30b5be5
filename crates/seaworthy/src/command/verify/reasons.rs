//! Why something failed or differs, in words for a report.

use std::error::Error;

use crate::autogenerate::{Note, Operation};
use crate::command::CommandError;
use crate::session::DatabaseError;

/// Returns what would be needed to make one schema the other.
pub(super) fn words(operations: &[Operation], notes: &[Note]) -> Vec<String> {
    let mut words: Vec<String> = operations
        .iter()
        .map(|operation| format!("it would take: {operation}"))
        .collect();
    words.extend(notes.iter().map(|note| match note {
        Note::MissingView { name } => format!("the view {name} is missing"),
        Note::MissingTrigger { table, name } => format!("the trigger {name} on {table} is missing"),
        Note::InTheWay { .. } => note.to_string(),
    }));
    words
}

pub(super) fn unreadable(source: sea_orm::DbErr) -> CommandError {
    CommandError::Query {
        action: "fill or count the tables of a scratch database",
        source: DatabaseError::from(source),
    }
}

/// Returns what an error says and what lies behind it, without repetitions.
pub(in crate::command) fn causes(error: &dyn Error) -> Vec<String> {
    let mut causes: Vec<String> = Vec::new();
    let mut next = Some(error);
    while let Some(error) = next {
        let text = error.to_string();
        if !causes.iter().any(|said| said.contains(&text)) {
            causes.push(text);
        }
        next = error.source();
    }
    causes
}
