//! What statements take by its name: tables, columns, and rows of tables.

use std::collections::{BTreeMap, BTreeSet};

use super::{Facts, Object, RowVerb, Rows, Statement};

/// How deep functions that call functions are followed.
pub(crate) const DEEPEST_CALL: usize = 8;

/// Tables, columns, and tables rows of which are deleted, by the names that they have before the statements run.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Taken {
    /// Tables that go.
    pub tables: BTreeSet<String>,
    /// Columns that go or get another name, each behind its table.
    pub columns: BTreeSet<(String, String)>,
    /// Tables that lose rows.
    pub rows: BTreeSet<String>,
    /// What tables are called afterwards that get another name.
    pub renamed: BTreeMap<String, String>,
    /// Tables all of whose rows are put into others, with those others as far as they were there before.
    pub copied: BTreeMap<String, BTreeSet<String>>,
}

impl Taken {
    /// Returns what statements take, those of the functions among them that they make and call.
    #[must_use]
    pub fn by<'a>(statements: impl IntoIterator<Item = &'a Statement>) -> Self {
        let mut names = Names::default();
        for statement in statements {
            names.follow(statement, 0);
        }
        names.into_taken()
    }

    /// Returns whether nothing is taken.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.tables.is_empty() && self.columns.is_empty() && self.rows.is_empty()
    }

    /// Adds what something else takes.
    pub fn extend(&mut self, other: Self) {
        self.tables.extend(other.tables);
        self.columns.extend(other.columns);
        self.rows.extend(other.rows);
        self.renamed.extend(other.renamed);
        self.copied.extend(other.copied);
    }
}

/// What the names stand for, statement by statement.
#[derive(Default)]
struct Names {
    taken: Taken,
    /// What a table was called before, by its name now; nothing where the statements made it.
    tables: BTreeMap<String, Option<String>>,
    /// What a column was called before, by its table and its name now.
    columns: BTreeMap<(String, String), String>,
    functions: BTreeMap<String, Vec<Statement>>,
}

impl Names {
    fn into_taken(self) -> Taken {
        let kept = self
            .tables
            .into_iter()
            .filter_map(|(now, before)| Some((before?, now)));
        let renamed = kept.filter(|(before, now)| before != now).collect();
        Taken {
            renamed,
            ..self.taken
        }
    }

    fn follow(&mut self, statement: &Statement, depth: usize) {
        let facts = statement.facts();
        self.remove(&facts);
        for rename in &facts.renames {
            match &rename.object {
                Object::Table { name } => {
                    let before = self.table(name);
                    self.tables.insert(name.clone(), None);
                    self.tables.insert(rename.to.clone(), before);
                }
                Object::Column { table, column } => {
                    if let Some(table) = self.table(table) {
                        let before = self.column(&table, column);
                        self.taken.columns.insert((table.clone(), before.clone()));
                        self.columns.insert((table, rename.to.clone()), before);
                    }
                }
                _ => {}
            }
        }
        for naming in &facts.makes {
            match &naming.object {
                Object::Table { name } if !naming.if_not_exists && !statement.is_inner => {
                    self.tables.insert(name.clone(), None);
                }
                Object::Function { name } => {
                    let body = statement.body().unwrap_or_default();
                    self.functions.insert(name.clone(), body);
                }
                _ => {}
            }
        }
        for rows in &facts.rows {
            self.copy(rows);
            match rows.verb {
                RowVerb::Insert | RowVerb::Upsert | RowVerb::Update => {}
                RowVerb::Replace | RowVerb::Merge | RowVerb::Delete | RowVerb::Truncate => {
                    self.taken.rows.extend(self.table(&rows.table));
                }
            }
        }
        for name in &facts.calls {
            let body = self.functions.get(name).filter(|_| depth < DEEPEST_CALL).cloned();
            for inner in body.unwrap_or_default() {
                self.follow(&inner, depth + 1);
            }
        }
    }

    /// Notes which rows are put into another table.
    fn copy(&mut self, rows: &Rows) {
        // What updates or replaces what is there adds fewer rows.
        let adds = rows.verb == RowVerb::Insert;
        let copy = rows.copy_of.as_ref().filter(|_| adds);
        let copied = copy.map(|copy| (&copy.source, &rows.table));
        let moved = rows.moved.as_ref().map(|moved| (&rows.table, &moved.to));
        for (from, to) in copied.into_iter().chain(moved) {
            if let Some(from) = self.table(from) {
                let to = self.table(to);
                self.taken.copied.entry(from).or_default().extend(to);
            }
        }
    }

    fn remove(&mut self, facts: &Facts) {
        for removal in &facts.removes {
            match &removal.object {
                Object::Table { name } => self.taken.tables.extend(self.table(name)),
                Object::Column { table, column } => {
                    if let Some(table) = self.table(table) {
                        let column = self.column(&table, column);
                        self.taken.columns.insert((table, column));
                    }
                }
                _ => {}
            }
        }
    }

    fn table(&self, name: &str) -> Option<String> {
        match self.tables.get(name) {
            Some(before) => before.clone(),
            None => Some(name.to_owned()),
        }
    }

    fn column(&self, table: &str, name: &str) -> String {
        let key = (table.to_owned(), name.to_owned());
        self.columns.get(&key).cloned().unwrap_or(key.1)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sql::{Dialect, read};

    fn taken(sql: &str) -> Taken {
        Taken::by(&read(sql, Dialect::Postgresql))
    }

    fn names<const NUMBER: usize>(names: [&str; NUMBER]) -> BTreeSet<String> {
        names.map(str::to_owned).into()
    }

    #[test]
    fn what_is_taken_has_the_name_of_before() {
        let sql = "ALTER TABLE crew RENAME TO people; DELETE FROM people WHERE id = 1; ALTER TABLE people RENAME COLUMN nick TO \
                   alias; ALTER TABLE people DROP COLUMN alias; DROP TABLE people";
        let taken = taken(sql);
        assert_eq!(taken.rows, names(["crew"]));
        assert_eq!(taken.tables, names(["crew"]));
        assert_eq!(taken.columns, [("crew".to_owned(), "nick".to_owned())].into());
    }

    #[test]
    fn what_was_made_is_not_taken() {
        let sql = "CREATE TABLE crew_new (id int); DELETE FROM crew_new; DROP TABLE crew; ALTER TABLE crew_new RENAME TO crew; \
                   DELETE FROM crew; DROP TABLE crew";
        let taken = taken(sql);
        assert_eq!(taken.tables, names(["crew"]));
        assert_eq!(taken.rows, names([]));
    }

    #[test]
    fn what_may_have_been_there_is_taken() {
        assert_eq!(
            taken("CREATE TABLE IF NOT EXISTS crew (id int); DROP TABLE crew").tables,
            names(["crew"])
        );
    }

    #[test]
    fn functions_take_what_their_code_takes_when_they_are_called() {
        let made = "CREATE FUNCTION purge() RETURNS void LANGUAGE sql AS 'DELETE FROM crew'";
        assert!(taken(made).is_empty());
        assert_eq!(taken(&format!("{made}; SELECT purge()")).rows, names(["crew"]));
    }

    #[test]
    fn writing_takes_no_rows() {
        assert!(taken("INSERT INTO crew (id) VALUES (1); UPDATE crew SET id = 2").is_empty());
    }
}
