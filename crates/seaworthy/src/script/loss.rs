//! What scripts may destroy: tables, columns, rows and values that are there before the first of them runs.
//!
//! Decided from the statements alone. They are followed in their order, so that what a script itself has made is no loss, a
//! table that is renamed first is counted under the name that the database knows, and a table that is built again with all
//! its rows loses the columns that it was not given. Whether something is there, and how much of it, is counted by others.

use std::collections::BTreeSet;

use super::Script;
use crate::sql::{
    DEEPEST_CALL, Facts, Object, Removal, Retype, RowVerb, Rows, Setting, Statement, Which, bare,
};
use trace::{Origin, Trace};

pub use possible::{Form, Kept, PossibleLoss};

mod possible;
#[cfg(test)]
mod tests;
mod trace;

/// Everything that scripts may destroy.
#[derive(Clone, Debug, Default)]
pub struct Losses {
    /// What is known, in the order of the statements.
    pub possible: Vec<PossibleLoss>,
    /// What may destroy something and is not understood.
    pub unclear: Vec<String>,
    trace: Trace,
    /// Whether names without a schema are looked for elsewhere than at the beginning of the script.
    is_elsewhere: bool,
}

impl Losses {
    /// Returns the removal of whole tables, by what deletes them all.
    #[must_use]
    pub fn of_tables(names: impl IntoIterator<Item = String>) -> Self {
        let possible = names.into_iter().map(|name| PossibleLoss::Removed {
            removal: Removal {
                object: Object::Table { name },
                if_exists: true,
                cascade: true,
            },
            kept: None,
        });
        Self {
            possible: possible.collect(),
            ..Self::default()
        }
    }

    /// Adds what the next script may destroy.
    pub fn add(&mut self, script: &Script) {
        self.add_rest(script, 0, |_| false);
        if let Some(reason) = &script.incomplete {
            self.hide(reason);
        }
    }

    /// Adds that statements of a script may be hidden that destroy something.
    pub fn add_hidden(&mut self, script: &Script) {
        if let Some(reason) = script.may_hide() {
            self.hide(reason);
        }
    }

    fn hide(&mut self, reason: &str) {
        self.unclear.push(format!("not known beforehand: {reason}"));
    }

    /// Adds what the next script may destroy, without the statements that were sent already and those that somebody has taken
    /// knowingly; that not all of them are known is left to others.
    pub fn add_rest(&mut self, script: &Script, sent: usize, is_accepted: impl Fn(&Statement) -> bool) {
        for fill in &script.fills {
            for rows in fill.facts().rows {
                self.trace.write(&rows);
            }
        }
        self.follow_all(&script.statements, |index, statement| {
            index < sent || is_accepted(statement)
        });
    }

    /// Adds what further statements may destroy.
    pub fn add_statements(&mut self, statements: &[Statement]) {
        self.follow_all(statements, |_, _| false);
    }

    fn follow_all(&mut self, statements: &[Statement], is_given: impl Fn(usize, &Statement) -> bool) {
        let mut given_up = BTreeSet::new();
        for (index, statement) in statements.iter().enumerate() {
            let before = (self.possible.len(), self.unclear.len());
            let heirs = self.trace.temporary_heirs();
            self.follow(statement, 0);
            if is_given(index, statement) {
                self.possible.truncate(before.0);
                self.unclear.truncate(before.1);
                let new = self.trace.temporary_heirs().into_iter();
                given_up.extend(new.filter(|name| !heirs.contains(name)));
            }
        }
        // A temporary table goes with the session.
        for name in self.trace.temporary_heirs() {
            let removal = Removal {
                object: Object::Table { name: name.clone() },
                if_exists: true,
                cascade: false,
            };
            match given_up.contains(&name) {
                true => drop(self.trace.remove_table(&name)),
                false => self.table_removed(&name, removal),
            }
        }
        self.trace.end_session();
        self.is_elsewhere = false;
    }

    /// Returns whether nothing may be lost.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.possible.is_empty() && self.unclear.is_empty()
    }

    fn follow(&mut self, statement: &Statement, depth: usize) {
        let facts = statement.facts();
        for what in &facts.not_understood {
            self.unclear.push(format!("{what}: {}", shown(statement.text())));
        }
        if facts.undoes && !self.trace.is_untouched() {
            let what = "what a savepoint takes back is not followed";
            self.unclear.push(format!("{what}: {}", shown(statement.text())));
        }
        if self.is_elsewhere && destroys(&facts) {
            let what = "the search path was changed before";
            self.unclear.push(format!("{what}: {}", shown(statement.text())));
        }
        let hidden = self
            .trace
            .hidden_names()
            .find(|name| statement.names_with_default_schema(name));
        if hidden.is_some() && destroys(&facts) {
            let what = "a temporary table has the name of one that is named with its schema";
            self.unclear.push(format!("{what}: {}", shown(statement.text())));
        }
        self.is_elsewhere |= facts.settings.iter().any(leads_elsewhere);
        // A column that goes and comes again in one statement goes first.
        for removal in facts.removes {
            self.removed(removal, statement);
        }
        for rename in &facts.renames {
            self.trace.rename(rename, statement.is_inner);
        }
        for (child, parent) in &facts.joined {
            self.trace.join(child, parent);
        }
        for naming in &facts.makes {
            self.trace.make(naming, statement, facts.is_temporary);
        }
        if let Some(table) = statement.made_trigger_table() {
            self.trace.distrust(table);
        }
        for retype in &facts.retypes {
            self.retyped(retype);
        }
        for mut rows in facts.rows {
            if statement.is_inner {
                rows.copy_of = None;
                rows.part_of = None;
                rows.column_copies.clear();
                rows.moved = None;
            }
            self.rows(&rows);
        }
        for name in facts.calls {
            match self.trace.function(&name) {
                Some(body) if depth < DEEPEST_CALL => {
                    for inner in &body {
                        self.follow(inner, depth + 1);
                    }
                }
                Some(_) => self
                    .unclear
                    .push(format!("{name} calls itself: {}", shown(statement.text()))),
                None if self.trace.is_unread(&name) => self.unclear.push(format!(
                    "the code of {name} cannot be read: {}",
                    shown(statement.text())
                )),
                None => self.possible.push(PossibleLoss::Called {
                    name,
                    sql: shown(statement.text()),
                }),
            }
        }
    }

    fn removed(&mut self, mut removal: Removal, statement: &Statement) {
        if let Object::View { name } = &removal.object {
            self.trace.remove_view(name);
        }
        match removal.object.clone() {
            Object::Table { name } => self.table_removed(&name, removal),
            Object::Column { table, column } => self.column_removed(&table, &column, &removal),
            Object::Schema { name } => {
                let (before, moved) = self.trace.schema(&name);
                for table in moved {
                    self.table_removed(&table, removal.clone());
                }
                removal.object = Object::Schema { name: before };
                self.possible.push(PossibleLoss::Removed { removal, kept: None });
            }
            Object::Extension { .. } | Object::Database { .. } => {
                self.possible.push(PossibleLoss::Removed { removal, kept: None });
            }
            Object::Type { .. }
            | Object::View { .. }
            | Object::Sequence { .. }
            | Object::Function { .. }
            | Object::Collation { .. }
                if removal.cascade =>
            {
                // What depends on something that the script has made is not in the catalog yet.
                if self.trace.has_made(&removal.object) {
                    self.unclear.push(shown(statement.text()));
                } else {
                    self.possible.push(PossibleLoss::Removed { removal, kept: None });
                }
            }
            Object::Type { .. }
            | Object::View { .. }
            | Object::Sequence { .. }
            | Object::Function { .. }
            | Object::Collation { .. }
            | Object::Index { .. } => {}
        }
    }

    fn retyped(&mut self, retype: &Retype) {
        let (table, column) = (&retype.table, &retype.column);
        let to = &self.trace.known_type(retype.to.clone());
        let using = retype.using.as_ref();
        for also in self.trace.also(table) {
            self.possible.push(PossibleLoss::retyped(&also, column, to));
        }
        for (live, name) in self.trace.live_columns(table, column) {
            self.possible.push(PossibleLoss::Retyped {
                table: live,
                column: name,
                to: to.clone(),
                using: using.map(|using| self.trace.form(table, column, using)),
                is_cleaned: self.trace.is_touched(table),
            });
        }
        self.trace
            .retype(table, column, &retype.to, retype.using.as_ref());
    }

    fn table_removed(&mut self, name: &str, mut removal: Removal) {
        for also in self.trace.also(name) {
            let object = Object::Table { name: also };
            let removal = Removal {
                object,
                ..removal.clone()
            };
            self.possible.push(PossibleLoss::Removed { removal, kept: None });
        }
        let Origin::Live { name, is_certain } = self.trace.remove_table(name) else {
            return;
        };
        removal.if_exists |= !is_certain;
        removal.object = Object::Table { name: name.clone() };
        let successor = self.trace.succeed(&name);
        if successor.is_none()
            && let Some(kept) = self.trace.kept_in_part(&name)
        {
            self.possible.push(PossibleLoss::PartlyKept { removal, kept });
            return;
        }
        let (kept, changed) = successor.map(|heir| (heir.kept, heir.changed)).unzip();
        self.possible.push(PossibleLoss::Removed { removal, kept });
        self.possible.extend(changed.unwrap_or_default());
    }

    fn column_removed(&mut self, table: &str, column: &str, removal: &Removal) {
        let is_certain = self.trace.is_certain_column(table, column);
        for also in self.trace.also(table) {
            let object = Object::column(&also, column);
            let removal = Removal {
                object,
                if_exists: true,
                ..removal.clone()
            };
            self.possible.push(PossibleLoss::Removed { removal, kept: None });
        }
        for gone in self.trace.remove_column(table, column) {
            if let Some(kept) = gone.kept {
                self.possible.extend(kept);
                continue;
            }
            let (table, column) = (gone.table, gone.column);
            match gone.heir {
                Some(heir) => {
                    let loss = heir.held.loss(&table, &column, heir.data_type.as_deref());
                    self.possible.extend(loss);
                }
                None => {
                    let mut removal = removal.clone();
                    removal.if_exists |= !is_certain;
                    removal.object = Object::Column { table, column };
                    self.possible.push(PossibleLoss::Removed { removal, kept: None });
                }
            }
        }
    }

    /// Follows rows that are deleted and put into another table by one statement; returns whether they are.
    fn moved(&mut self, rows: &Rows, origin: &Origin, which: Option<&Which>) -> bool {
        let (Some(moved), Origin::Live { name, .. }) = (&rows.moved, origin) else {
            return false;
        };
        if !self.trace.also(&rows.table).is_empty() {
            return false;
        }
        let Some(taken) = self.trace.take_in(name, &rows.table, moved) else {
            return false;
        };
        let removal = Removal {
            object: Object::table(name),
            if_exists: false,
            cascade: false,
        };
        let kept = Some(taken.kept);
        self.possible.push(PossibleLoss::Removed { removal, kept });
        self.possible.extend(taken.changed);
        self.possible.push(PossibleLoss::Moved {
            table: name.clone(),
            which: which.cloned(),
        });
        true
    }

    fn rows(&mut self, rows: &Rows) {
        let which = self.trace.found_now(rows);
        let live = |column: &String| self.trace.live_columns(&rows.table, column);
        let columns: Vec<String> = rows
            .columns
            .iter()
            .flat_map(live)
            .map(|(_, column)| column)
            .collect();
        let origin = self.trace.table(&rows.table);
        if self.moved(rows, &origin, which.as_ref()) {
            self.trace.write(rows);
            return;
        }
        if rows.verb != RowVerb::Insert {
            for table in self.trace.also(&rows.table) {
                self.possible.push(PossibleLoss::Rows {
                    verb: rows.verb,
                    table,
                    columns: match rows.verb {
                        RowVerb::Update => rows.columns.clone(),
                        _ => Vec::new(),
                    },
                    which: None,
                    cascade: rows.cascade,
                });
            }
        }
        self.trace.write(rows);
        let Origin::Live { name, .. } = origin else {
            return;
        };
        let columns = match rows.verb {
            RowVerb::Insert => return,
            // To change how a table is declared is no loss of rows.
            RowVerb::Update if is_schema_table(&name) && rows.columns == ["sql"] => return,
            _ if bare(&name) == COUNTERS => return,
            RowVerb::Update if columns.is_empty() && !rows.columns.is_empty() => return,
            RowVerb::Update => columns,
            RowVerb::Upsert | RowVerb::Replace | RowVerb::Delete | RowVerb::Truncate | RowVerb::Merge => {
                Vec::new()
            }
        };
        self.possible.push(PossibleLoss::Rows {
            verb: rows.verb,
            table: name,
            columns,
            which,
            cascade: rows.cascade,
        });
    }
}

/// Returns whether a statement takes something away.
fn destroys(facts: &Facts) -> bool {
    let takes = |rows: &Rows| !matches!(rows.verb, RowVerb::Insert);
    !facts.removes.is_empty() || !facts.retypes.is_empty() || facts.rows.iter().any(takes)
}

/// Returns whether a setting makes names without a schema stand for other tables than those that the reader takes them for.
fn leads_elsewhere(setting: &Setting) -> bool {
    let first = setting.value.as_deref().and_then(|path| path.split(',').next());
    let first = first
        .map(|first| first.trim().trim_matches(['"', '\'']))
        .unwrap_or_default();
    setting.name == "search_path" && !["", "public", "$user"].contains(&first)
}

/// SQLite's own table of the numbers that it has given: no rows of anybody.
const COUNTERS: &str = "sqlite_sequence";

/// Returns whether a name is that of SQLite's own table of declarations.
fn is_schema_table(name: &str) -> bool {
    ["sqlite_schema", "sqlite_master"].contains(&bare(name).as_str())
}

/// Returns a statement cut to a line.
fn shown(sql: &str) -> String {
    let line = sql.split_whitespace().collect::<Vec<_>>().join(" ");
    match line.char_indices().nth(160) {
        Some((end, _)) => format!("{}...", &line[..end]),
        None => line,
    }
}
