//! The reader that is judged, the toolkit's own: its facts in neutral words, and what of the truth it speaks of.

use std::collections::BTreeSet;

use seaworthy_sql::sql::{
    self, Dialect, Naming, Object as Named, RowVerb, Rows, Statement, TransactionControl,
};

use crate::compare::Reading;
use crate::facts::{Fact, Facts, Flag, Kind, Object, ObjectKind, join};

/// The schema that the reader leaves out of names, because it is searched first.
const HOME: &str = "public.";

pub(crate) fn read(text: &str) -> Reading {
    let mut reading = Reading::default();
    for statement in sql::read(text, Dialect::Postgresql) {
        let mut facts = Facts::new(Kind::Other);
        for (index, part) in statement.flattened(0).into_iter().enumerate() {
            let mut found = Facts::new(Kind::Other);
            reading.not_understood.extend(add(&part, &mut found));
            let of_block = |fact: &Fact| index == 0 || is_lasting(fact);
            facts.facts.extend(found.facts.into_iter().filter(of_block));
        }
        reading.statements.push(facts);
    }
    reading
}

/// Reads what the body of a function does, as one statement.
pub(crate) fn read_body(text: &str) -> Reading {
    let mut reading = Reading::default();
    let mut facts = Facts::new(Kind::Do);
    for statement in sql::read(text, Dialect::Postgresql) {
        for part in statement.body().into_iter().flatten() {
            let mut found = Facts::new(Kind::Do);
            reading.not_understood.extend(add(&part, &mut found));
            facts.facts.extend(found.facts.into_iter().filter(is_lasting));
        }
    }
    reading.statements.push(facts);
    reading
}

/// Returns whether a fact of a statement in a block is one of the block: it is not itself concurrent or conditional.
fn is_lasting(fact: &Fact) -> bool {
    !matches!(fact, Fact::Flag(flag) if *flag != Flag::Cascade)
}

/// Returns what the reader can say of facts, and in its coarser kinds; leaves out what it never speaks of.
pub(crate) fn common(facts: &BTreeSet<Fact>) -> BTreeSet<Fact> {
    let plain: BTreeSet<Fact> = facts
        .iter()
        .filter_map(|fact| common_fact(fact.clone()))
        .collect();
    let removes = |fact: &Fact| matches!(fact, Fact::Removes(_) | Fact::DropsColumn { .. });
    let empties = |fact: &Fact| matches!(fact, Fact::Empties { .. });
    let index = |fact: &Fact| matches!(fact, Fact::Removes(object) | Fact::Makes(object) if object.kind == ObjectKind::Index);
    // What is replaced and what is left alone when it is there are one to it.
    let makes = |fact: &Fact| match fact {
        Fact::Makes(object) => !matches!(object.kind, ObjectKind::View | ObjectKind::Function),
        Fact::AddsColumn { .. } => true,
        _ => false,
    };
    // It knows flags only of what they belong to.
    let is_spoken_of = |fact: &Fact| match fact {
        Fact::Flag(Flag::Cascade) => plain.iter().any(|it| removes(it) || empties(it)),
        Fact::Flag(Flag::IfExists) => plain.iter().any(removes),
        Fact::Flag(Flag::IfNotExists) => plain.iter().any(makes),
        Fact::Flag(Flag::Concurrently) => plain.iter().any(index),
        _ => true,
    };
    plain.iter().filter(|fact| is_spoken_of(fact)).cloned().collect()
}

fn common_fact(mut fact: Fact) -> Option<Fact> {
    match &mut fact {
        Fact::Removes(object) => coarse(object, true)?,
        Fact::Makes(object) => coarse(object, false)?,
        Fact::Renames { object, .. } | Fact::Moves { object, .. } => coarse(object, true)?,
        Fact::Empties { table }
        | Fact::Deletes { table, .. }
        | Fact::DropsColumn { table, .. }
        | Fact::RetypesColumn { table, .. }
        | Fact::RenamesColumn { table, .. }
        | Fact::Merges { table }
        | Fact::Updates { table, .. }
        | Fact::AddsColumn { table, .. }
        | Fact::Inserts { table } => without_home(table),
        // It holds for the transaction alone.
        Fact::SetsParameter { name, .. } => {
            let is_mild = matches!(name.as_str(), "transaction" | "transaction snapshot");
            return (!is_mild).then_some(fact);
        }
        Fact::ControlsTransaction
        | Fact::Flag(Flag::Cascade | Flag::IfExists | Flag::IfNotExists | Flag::Concurrently) => {}
        Fact::RemovesWhatRoleOwns
        | Fact::DetachesPartition { .. }
        | Fact::RunsCode
        | Fact::RunsDynamicSql
        | Fact::DropsConstraint { .. }
        | Fact::DemandsValue { .. }
        | Fact::AddsConstraint { .. }
        | Fact::AllowsNull { .. }
        | Fact::DropsDefault { .. }
        | Fact::SetsDefault { .. }
        | Fact::AttachesPartition { .. }
        | Fact::ValidatesConstraint { .. }
        | Fact::Locks { .. }
        | Fact::Alters(_)
        | Fact::Flag(_) => return None,
    }
    Some(fact)
}

/// Turns an object into one of the kinds that the reader tells apart; nothing when it knows none like it.
fn coarse(object: &mut Object, is_there_already: bool) -> Option<()> {
    object.kind = match object.kind {
        ObjectKind::View | ObjectKind::MaterializedView => ObjectKind::View,
        ObjectKind::Type | ObjectKind::Domain => ObjectKind::Type,
        ObjectKind::Database if is_there_already => ObjectKind::Database,
        known @ (ObjectKind::Table
        | ObjectKind::Index
        | ObjectKind::Schema
        | ObjectKind::Sequence
        | ObjectKind::Function
        | ObjectKind::Extension) => known,
        ObjectKind::Database
        | ObjectKind::Trigger
        | ObjectKind::Policy
        | ObjectKind::Rule
        | ObjectKind::Role
        | ObjectKind::Other => return None,
    };
    without_home(&mut object.name);
    Some(())
}

fn without_home(name: &mut String) {
    if let Some(rest) = name.strip_prefix(HOME) {
        *name = rest.to_owned();
    }
}

/// Adds what a statement does by itself; returns what of it was not understood.
fn add(statement: &Statement, facts: &mut Facts) -> Vec<String> {
    let found = statement.facts();
    for naming in &found.makes {
        make(naming, facts);
    }
    if let Some(table) = found.makes.iter().find_map(|it| table_of(&it.object)) {
        for column in statement.made_columns() {
            let table = table.clone();
            facts.add(Fact::AddsColumn { table, column });
        }
    }
    for removal in &found.removes {
        facts.flag(Flag::IfExists, removal.if_exists);
        facts.flag(Flag::Cascade, removal.cascade);
        let is_index = matches!(removal.object, Named::Index { .. });
        facts.flag(Flag::Concurrently, is_index && found.needs_no_transaction);
        match column_of(&removal.object) {
            Some((table, column)) => facts.add(Fact::DropsColumn { table, column }),
            None => facts.facts.extend(object(&removal.object).map(Fact::Removes)),
        }
    }
    for rename in &found.renames {
        renames(&rename.object, &rename.to, facts);
    }
    for retype in &found.retypes {
        facts.add(Fact::RetypesColumn {
            table: name(&retype.table),
            column: retype.column.clone(),
        });
    }
    for rows in &found.rows {
        // That a new table is filled says nothing of rows that are there.
        let is_new = found.makes.iter().any(|it| table_of(&it.object).is_some());
        if !is_new || rows.verb != RowVerb::Insert {
            change(rows, facts);
        }
    }
    facts.flag(Flag::Concurrently, found.builds_concurrently.is_some());
    // Calls of `set_config` are settings to it, and calls to the grammar.
    let verb = statement.text().get(..3).unwrap_or_default().to_lowercase();
    if matches!(verb.as_str(), "set" | "res") {
        for setting in &found.settings {
            facts.add(Fact::SetsParameter {
                name: setting.name.replace('"', ""),
                is_local: setting.is_local,
            });
        }
    }
    if matches!(
        found.transaction,
        Some(TransactionControl::Begin | TransactionControl::End)
    ) {
        facts.add(Fact::ControlsTransaction);
    }
    found.not_understood
}

fn make(naming: &Naming, facts: &mut Facts) {
    facts.flag(Flag::IfNotExists, naming.if_not_exists);
    match column_of(&naming.object) {
        Some((table, column)) => facts.add(Fact::AddsColumn { table, column }),
        None => facts.facts.extend(object(&naming.object).map(Fact::Makes)),
    }
}

fn renames(old: &Named, to: &str, facts: &mut Facts) {
    if let Some((table, column)) = column_of(old) {
        let to = to.to_owned();
        return facts.add(Fact::RenamesColumn { table, column, to });
    }
    let Some(object) = object(old) else { return };
    let (mut before, mut after) = (sql::name_parts(&object.name), sql::name_parts(to));
    let (own, new) = (before.pop(), after.pop().unwrap_or_default());
    facts.add(match own.is_some_and(|own| own == new) && !after.is_empty() {
        true => Fact::Moves {
            object,
            schema: join(after),
        },
        false => Fact::Renames {
            object,
            to: join([new]),
        },
    });
}

fn change(rows: &Rows, facts: &mut Facts) {
    facts.flag(Flag::Cascade, rows.cascade);
    let table = name(&rows.table);
    let is_limited = rows.which.as_ref().is_some_and(|which| which.condition.is_some());
    match rows.verb {
        RowVerb::Insert | RowVerb::Replace => facts.add(Fact::Inserts { table }),
        RowVerb::Upsert => {
            facts.add(Fact::Updates {
                table: table.clone(),
                is_limited: true,
            });
            facts.add(Fact::Inserts { table });
        }
        RowVerb::Update => facts.add(Fact::Updates { table, is_limited }),
        RowVerb::Delete => facts.add(Fact::Deletes { table, is_limited }),
        RowVerb::Truncate => facts.add(Fact::Empties { table }),
        RowVerb::Merge => facts.add(Fact::Merges { table }),
    }
}

fn object(named: &Named) -> Option<Object> {
    let (kind, text) = match named {
        Named::Table { name } => (ObjectKind::Table, name),
        Named::View { name } => (ObjectKind::View, name),
        Named::Index { name } => (ObjectKind::Index, name),
        Named::Type { name } => (ObjectKind::Type, name),
        Named::Schema { name } => (ObjectKind::Schema, name),
        Named::Sequence { name } => (ObjectKind::Sequence, name),
        Named::Function { name } => (ObjectKind::Function, name),
        Named::Extension { name } => (ObjectKind::Extension, name),
        Named::Database { name } => (ObjectKind::Database, name),
        Named::Column { .. } | Named::Collation { .. } => return None,
    };
    let name = name(text);
    (!name.is_empty()).then_some(Object { kind, name })
}

fn column_of(named: &Named) -> Option<(String, String)> {
    match named {
        Named::Column { table, column } => Some((name(table), column.clone())),
        _ => None,
    }
}

fn table_of(named: &Named) -> Option<String> {
    match named {
        Named::Table { name: text } => Some(name(text)),
        _ => None,
    }
}

/// Writes a name of the reader as the judges write it.
fn name(text: &str) -> String {
    join(sql::name_parts(text))
}

#[cfg(test)]
mod tests {
    use super::{common, read};

    fn lines(sql: &str) -> Vec<String> {
        let statements = read(sql).statements;
        let facts = statements.iter().flat_map(|it| common(&it.facts));
        facts.map(|fact| fact.to_string()).collect()
    }

    #[test]
    fn facts_of_the_reader_are_translated_into_those_of_the_judges() {
        let cases = [
            ("DROP TABLE IF EXISTS public.a", "removes table a, flag IfExists"),
            ("ALTER TABLE a SET SCHEMA b", "moves table a to schema b"),
            ("ALTER TABLE b.a RENAME TO c", "renames table b.a to c"),
            ("CREATE TABLE a AS SELECT 1", "makes table a"),
            ("DO $$ BEGIN DROP INDEX IF EXISTS a; END $$", "removes index a"),
            (
                "INSERT INTO a VALUES (1) ON CONFLICT (b) DO UPDATE SET b = 2",
                "updates some rows of a, inserts into a",
            ),
        ];
        for (sql, expected) in cases {
            assert_eq!(lines(sql).join(", "), expected, "{sql}");
        }
    }
}
