//! In what order statements of several schemas can be sent, where one needs what another has.

use std::collections::VecDeque;

use crate::autogenerate::Operation;
use crate::catalog::expression::name;
use crate::catalog::{NeedKind, ObjectKind};
use crate::command::offline::Group;
use crate::sql::{Dialect, Statement, bare, quoted, read};

/// Returns whether a text names something of a schema. In JSON its quotes stand behind backslashes.
pub(super) fn speaks_of(text: &str, schema: &str) -> bool {
    let plain = format!("{}.", name(schema));
    let is_alone = |place: usize| {
        !text[..place].ends_with(|letter: char| letter.is_alphanumeric() || ['_', '$', '.'].contains(&letter))
    };
    text.match_indices(&plain).any(|(place, _)| is_alone(place))
        || text.contains(&format!("{}.", quoted(schema).replace('"', "\\\"")))
        || text.contains(&format!("{}.", quoted(schema)))
}

/// Groups behind those of the schemas that they need.
pub(super) enum Order<'a> {
    Clear(Vec<Group<'a>>),
    /// Some need each other, and stay as they were named.
    Circular(Vec<Group<'a>>),
}

impl<'a> Order<'a> {
    pub(super) fn into_groups(self) -> Vec<Group<'a>> {
        match self {
            Self::Clear(groups) | Self::Circular(groups) => groups,
        }
    }
}

/// Puts groups behind those of the schemas that their texts speak of.
pub(super) fn in_order_of_need<'a>(groups: Vec<Group<'a>>, text: impl Fn(&Group<'a>) -> String) -> Order<'a> {
    let mut open: Vec<(String, Group<'a>)> = groups.into_iter().map(|group| (text(&group), group)).collect();
    let mut ordered = Vec::with_capacity(open.len());
    let mut is_clear = true;
    while !open.is_empty() {
        let is_free = |(text, own): &(String, Group<'a>)| {
            let mut others = open.iter().map(|(_, other)| other.schema);
            !others.any(|other| other != own.schema && speaks_of(text, other))
        };
        let next = open.iter().position(is_free);
        is_clear &= next.is_some();
        ordered.push(open.remove(next.unwrap_or(0)).1);
    }
    match is_clear {
        true => Order::Clear(ordered),
        false => Order::Circular(ordered),
    }
}

/// What is sent to a schema at once, needs others and is needed by others.
struct Waiting {
    statements: Vec<String>,
    /// What it names.
    text: String,
    /// What it makes or changes, without a schema.
    made: Option<String>,
    /// What it drops, without a schema.
    dropped: Vec<String>,
    /// What that refers to in other schemas.
    held: Vec<String>,
    /// How late it would come if the schemas were made part by part.
    phase: usize,
}

/// Puts statements of schemas that need each other behind what they name in other schemas, and drops of tables behind those of what
/// refers to them; those of one schema stay in order.
///
/// `phases` are the parts of what is to be done, each with one group for each schema; `held` tells what tables of other schemas a
/// table refers to.
pub(super) fn interleaved<'a>(
    phases: &[&[Group<'a>]],
    held: impl Fn(&str, &str) -> Vec<String>,
) -> Vec<Group<'a>> {
    let mut queues: Vec<(&'a str, VecDeque<Waiting>)> = Vec::new();
    for (phase, groups) in phases.iter().enumerate() {
        for group in *groups {
            let waiting = group.statements.iter().map(|text| {
                let mut waiting = waiting(text, phase);
                let dropped = waiting.dropped.iter();
                waiting.held = dropped.flat_map(|table| held(group.schema, table)).collect();
                waiting
            });
            match queues.iter_mut().find(|(schema, _)| *schema == group.schema) {
                Some((_, queue)) => queue.extend(waiting),
                None => queues.push((group.schema, waiting.collect())),
            }
        }
    }
    grouped(merged(queues))
}

/// What goes of one schema, with its statements.
pub(super) struct Gone<'a> {
    pub(super) schema: &'a str,
    pub(super) operations: Vec<(Operation, Vec<String>)>,
}

/// Puts what goes behind what needs it in other schemas: the other way round than it would be made.
pub(super) fn taken_down(schemas: Vec<Gone<'_>>) -> Vec<Group<'_>> {
    let queues = schemas.into_iter().rev().map(|Gone { schema, operations }| {
        let made = operations.into_iter().rev().map(|(operation, statements)| {
            let (made, text) = made_before(&operation);
            Waiting {
                statements,
                text,
                made,
                dropped: Vec::new(),
                held: Vec::new(),
                phase: 0,
            }
        });
        (schema, made.collect())
    });
    let mut ordered = merged(queues.collect());
    ordered.reverse();
    grouped(ordered)
}

/// Returns the name of what goes, without its arguments, and what it was made by.
fn made_before(operation: &Operation) -> (Option<String>, String) {
    match operation {
        Operation::DropObject { object } => (Some(object.plain_name()), object.sql.join(" ")),
        Operation::DropSequence { sequence } => (Some(sequence.name.clone()), String::new()),
        Operation::DropEnum { r#enum, .. } => (Some(r#enum.clone()), String::new()),
        _ => (None, String::new()),
    }
}

/// Returns what is sent, each with its schema, in an order in which all of it finds what it needs.
fn merged(mut queues: Vec<(&str, VecDeque<Waiting>)>) -> Vec<(&str, Vec<String>)> {
    let mut ordered = Vec::new();
    while let Some(next) = next_of(&queues) {
        let (schema, queue) = &mut queues[next];
        ordered.extend(queue.pop_front().map(|waiting| (*schema, waiting.statements)));
    }
    ordered
}

fn grouped(ordered: Vec<(&str, Vec<String>)>) -> Vec<Group<'_>> {
    let mut groups: Vec<Group<'_>> = Vec::new();
    for (schema, statements) in ordered {
        match groups.last_mut() {
            Some(group) if group.schema == schema => group.statements.extend(statements),
            _ => groups.push(Group { schema, statements }),
        }
    }
    groups
}

fn waiting(text: &str, phase: usize) -> Waiting {
    let statements = read(text, Dialect::Postgresql);
    let dropped = statements.iter().flat_map(Statement::dropped_names);
    Waiting {
        statements: vec![text.to_owned()],
        text: text.to_owned(),
        made: statements
            .first()
            .and_then(Statement::made_or_altered_name)
            .map(bare),
        dropped: dropped.map(|name| bare(name)).collect(),
        held: Vec::new(),
        phase,
    }
}

/// Returns the first queue whose next statement needs nothing that others have yet to make; where there is none, the one whose next
/// statement would come first part by part.
fn next_of(queues: &[(&str, VecDeque<Waiting>)]) -> Option<usize> {
    let is_free = |(schema, queue): &(&str, VecDeque<Waiting>)| {
        let Some(next) = queue.front() else { return false };
        let plain = next.text.replace('"', "");
        let mut others = queues.iter().filter(|(other, _)| other != schema);
        !others.any(|(other, pending)| {
            let is_needed = |object: &str| has_word(&plain, &format!("{other}.{object}"));
            let is_held = |table: &String| {
                next.dropped
                    .iter()
                    .any(|name| *table == format!("{schema}.{name}"))
            };
            pending.iter().any(|waiting| {
                waiting.made.as_deref().is_some_and(is_needed) || waiting.held.iter().any(is_held)
            })
        })
    };
    queues.iter().position(is_free).or_else(|| {
        let open = queues.iter().enumerate();
        let open = open.filter_map(|(place, (_, queue))| Some((queue.front()?.phase, place)));
        open.min().map(|(_, place)| place)
    })
}

fn has_word(text: &str, word: &str) -> bool {
    let continues = |letter: char| letter.is_alphanumeric() || ['_', '$'].contains(&letter);
    text.match_indices(word).any(|(place, _)| {
        !text[..place].ends_with(continues) && !text[place + word.len()..].starts_with(continues)
    })
}

/// Divides operations of a schema, into which others may look: those that let go of something, those that make what tables may need,
/// those on tables, those that reach for what others have made, and those that remove what somebody else may need until then.
pub(super) fn in_phases(operations: &[Operation], is_looked_into: bool) -> [Vec<Operation>; 5] {
    let (kept, operations): (Vec<Operation>, Vec<Operation>) = operations
        .iter()
        .cloned()
        .partition(|operation| is_looked_into && may_be_needed_to_the_end(operation, operations));
    let lets_go = |operation: &&Operation| {
        matches!(
            operation,
            Operation::DropObject { .. } | Operation::DropForeignKey { .. }
        )
    };
    let reaches = |operation: &&Operation| {
        matches!(
            operation,
            Operation::AddForeignKey { .. }
                | Operation::ValidateForeignKey { .. }
                | Operation::AddObject { .. }
                | Operation::AlterObject { .. }
        )
    };
    let is_last = |operation: &&Operation| {
        matches!(
            operation,
            Operation::DropEnum { .. } | Operation::DropSequence { .. } | Operation::DropObject { .. }
        )
    };
    let first = operations.iter().take_while(lets_go).count();
    let (first, rest) = operations.split_at(first);
    let end = rest.iter().rev().take_while(is_last).count();
    let (rest, end) = rest.split_at(rest.len() - end);
    let last = rest.iter().rev().take_while(reaches).count();
    let (rest, last) = rest.split_at(rest.len() - last);
    let early = rest.iter().position(Operation::builds_on_objects);
    let (early, between) = rest.split_at(early.unwrap_or(rest.len()));
    let end = kept.into_iter().chain(end.iter().cloned()).collect();
    [
        first.to_vec(),
        early.to_vec(),
        between.to_vec(),
        last.to_vec(),
        end,
    ]
}

/// Whether it drops what tables of other schemas may have, for good, and what needs no table itself.
fn may_be_needed_to_the_end(operation: &Operation, all: &[Operation]) -> bool {
    let Operation::DropObject { object } = operation else {
        return false;
    };
    let is_needed_by_tables = matches!(
        object.kind,
        ObjectKind::Function
            | ObjectKind::Domain
            | ObjectKind::Type
            | ObjectKind::Collation
            | ObjectKind::Extension
    );
    let comes_back = |other: &Operation| match other {
        Operation::AddObject { object: again } => {
            (again.kind, again.name.as_str()) == (object.kind, object.name.as_str())
        }
        _ => false,
    };
    let needs_table = object.needs.iter().any(|need| need.kind == NeedKind::Table);
    is_needed_by_tables && !needs_table && !all.iter().any(comes_back)
}
