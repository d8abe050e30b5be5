//! What a `CREATE TABLE` says that no pragma does: constraints with their names, collations, computed columns.

use super::cursor::{Cursor, list};
use crate::catalog::expression::without_parentheses;
use crate::catalog::{Action, Check, Conflict, ForeignKey, KeyOptions, Unique};

/// The clauses of a statement.
#[derive(Default)]
pub(super) struct TableStatement {
    pub(super) columns: Vec<ColumnClauses>,
    pub(super) key_name: Option<String>,
    pub(super) key_options: KeyOptions,
    /// Whether `DESC` stands in the clause of a column: there it keeps an integer from being the row id.
    pub(super) key_descends: bool,
    pub(super) autoincrement: bool,
    pub(super) uniques: Vec<Unique>,
    pub(super) checks: Vec<Check>,
    pub(super) foreign_keys: Vec<ForeignKey>,
}

/// The clauses of one column.
#[derive(Default)]
pub(super) struct ColumnClauses {
    pub(super) name: String,
    pub(super) collation: Option<String>,
    pub(super) generated: Option<String>,
    pub(super) on_null: Conflict,
}

impl TableStatement {
    pub(super) fn read(sql: &str) -> Option<Self> {
        let mut cursor = Cursor::new(sql);
        cursor.until_parentheses();
        let body = cursor.parentheses()?;
        let mut statement = Self::default();
        for item in list(body) {
            statement.read_item(item)?;
        }
        Some(statement)
    }

    fn read_item(&mut self, item: &str) -> Option<()> {
        const CONSTRAINTS: [&str; 5] = ["constraint", "primary", "unique", "check", "foreign"];
        let mut cursor = Cursor::new(item);
        let first = cursor.peek()?;
        if CONSTRAINTS.iter().any(|word| first.is_word(word)) {
            return self.read_constraint(&mut cursor);
        }
        self.read_column(&mut cursor)
    }

    fn read_constraint(&mut self, cursor: &mut Cursor<'_>) -> Option<()> {
        let name = if cursor.word("constraint") {
            cursor.name()
        } else {
            None
        };
        if cursor.words("primary", "key") {
            self.key_name = name;
            let parts = cursor.parentheses()?;
            // `PRIMARY KEY (id AUTOINCREMENT)` is allowed.
            let mut inside = Cursor::new(parts);
            while !inside.is_done() {
                self.autoincrement |= inside.word("autoincrement");
                inside.skip();
            }
            self.key_options = key_options(parts);
            self.key_options.on_conflict = conflict(cursor)?;
        } else if cursor.word("unique") {
            let parts = cursor.parentheses()?;
            self.uniques.push(Unique {
                name,
                options: KeyOptions {
                    on_conflict: conflict(cursor)?,
                    ..key_options(parts)
                },
                ..Unique::new(None, columns(parts))
            });
        } else if cursor.word("check") {
            self.add_check(name, cursor.parentheses()?);
        } else if cursor.words("foreign", "key") {
            let own = columns(cursor.parentheses()?);
            if cursor.word("references") {
                self.add_reference(name, own, cursor)?;
            }
        }
        Some(())
    }

    fn read_column(&mut self, cursor: &mut Cursor<'_>) -> Option<()> {
        let mut clauses = ColumnClauses {
            name: cursor.name()?,
            ..ColumnClauses::default()
        };
        let mut name = None;
        while !cursor.is_done() {
            if cursor.word("constraint") {
                name = cursor.name();
                continue;
            }
            if cursor.words("primary", "key") {
                self.key_name = name.take();
                self.key_descends = cursor.word("desc");
                cursor.word("asc");
                self.key_options.on_conflict = conflict(cursor)?;
                self.autoincrement |= cursor.word("autoincrement");
            } else if cursor.words("not", "null") {
                clauses.on_null = conflict(cursor)?;
            } else if cursor.word("unique") {
                self.uniques.push(Unique {
                    name: name.take(),
                    options: KeyOptions {
                        on_conflict: conflict(cursor)?,
                        ..KeyOptions::default()
                    },
                    ..Unique::new(None, [clauses.name.as_str()])
                });
            } else if cursor.word("check") {
                self.add_check(name.take(), cursor.parentheses()?);
            } else if cursor.word("collate") {
                clauses.collation = cursor.name();
            } else if cursor.word("references") {
                self.add_reference(name.take(), vec![clauses.name.clone()], cursor)?;
            } else if cursor.word("as") {
                clauses.generated = cursor
                    .parentheses()
                    .map(|text| without_parentheses(text).to_owned());
            } else if cursor.word("default") {
                if cursor.parentheses().is_none() {
                    cursor.skip();
                }
            } else if cursor.parentheses().is_none() {
                cursor.skip();
            }
        }
        self.columns.push(clauses);
        Some(())
    }

    fn add_check(&mut self, name: Option<String>, text: &str) {
        self.checks.push(Check {
            name,
            ..Check::new(None, without_parentheses(text))
        });
    }

    fn add_reference(
        &mut self,
        name: Option<String>,
        own: Vec<String>,
        cursor: &mut Cursor<'_>,
    ) -> Option<()> {
        let table = cursor.name()?;
        let referenced = cursor.parentheses().map(columns).unwrap_or_default();
        let mut key = ForeignKey {
            name,
            ..ForeignKey::new(own, table, referenced)
        };
        loop {
            if cursor.words("on", "delete") {
                key.on_delete = action(cursor)?;
            } else if cursor.words("on", "update") {
                key.on_update = action(cursor)?;
            } else if cursor.word("match") {
                cursor.skip();
            } else if cursor.words("not", "deferrable") {
                key.deferrable = false;
            } else if cursor.word("deferrable") {
                key.deferrable = true;
            } else if cursor.words("initially", "deferred") {
                key.initially_deferred = key.deferrable;
            } else if !cursor.words("initially", "immediate") {
                break;
            }
        }
        self.foreign_keys.push(key);
        Some(())
    }
}

/// Goes over an `ON CONFLICT` where there is one.
fn conflict(cursor: &mut Cursor<'_>) -> Option<Conflict> {
    if !cursor.words("on", "conflict") {
        return Some(Conflict::Abort);
    }
    let conflict = Conflict::of_word(&cursor.peek()?.text);
    cursor.skip();
    conflict
}

/// Reads of `a COLLATE NOCASE, b DESC` how the columns are compared and sorted.
fn key_options(text: &str) -> KeyOptions {
    let mut options = KeyOptions::default();
    for item in list(text) {
        let mut cursor = Cursor::new(item);
        let Some(name) = cursor.name() else {
            continue;
        };
        if cursor.word("collate")
            && let Some(collation) = cursor.name()
        {
            options
                .collations
                .insert(name.clone(), collation.to_ascii_uppercase());
        }
        if cursor.word("desc") {
            options.descending.push(name);
        }
    }
    options
}

fn action(cursor: &mut Cursor<'_>) -> Option<Action> {
    if cursor.word("cascade") {
        Some(Action::Cascade)
    } else if cursor.word("restrict") {
        Some(Action::Restrict)
    } else if cursor.words("set", "null") {
        Some(Action::SetNull)
    } else if cursor.words("set", "default") {
        Some(Action::SetDefault)
    } else {
        cursor.words("no", "action").then_some(Action::NoAction)
    }
}

/// Reads `a, "b" COLLATE NOCASE ASC` as the names of columns.
fn columns(text: &str) -> Vec<String> {
    list(text)
        .into_iter()
        .filter_map(|item| Cursor::new(item).name())
        .collect()
}

#[cfg(test)]
mod tests {
    use super::TableStatement;
    use crate::catalog::{Action, Conflict};

    fn read(sql: &str) -> TableStatement {
        TableStatement::read(sql).unwrap()
    }

    #[test]
    fn constraints_of_columns_and_of_the_table_are_found_with_their_names() {
        let table = read(
            "CREATE TABLE \"t(1)\" (\n  id INTEGER NOT NULL CONSTRAINT pk PRIMARY KEY ON CONFLICT FAIL AUTOINCREMENT, -- one\n  \
             `name` VARCHAR(20) DEFAULT 'a, (b' COLLATE nocase CONSTRAINT long CHECK (length(name) > 1) UNIQUE,\n  \
             [owner id] int DEFAULT (1 + 2) REFERENCES users ON DELETE SET NULL DEFERRABLE INITIALLY DEFERRED,\n  \
             twice int GENERATED ALWAYS AS (id * 2) STORED,\n  \
             CONSTRAINT both UNIQUE (name, twice), CHECK ((id) <> 3),\n  \
             CONSTRAINT far FOREIGN KEY(id, name) REFERENCES other (a, b) ON UPDATE CASCADE ON DELETE NO ACTION)",
        );
        assert!(table.autoincrement && !table.key_descends);
        assert_eq!(table.key_options.on_conflict, Conflict::Fail);
        assert_eq!(table.key_name.as_deref(), Some("pk"));
        let names: Vec<&str> = table.columns.iter().map(|column| column.name.as_str()).collect();
        assert_eq!(names, ["id", "name", "owner id", "twice"]);
        assert_eq!(table.columns[1].collation.as_deref(), Some("nocase"));
        assert_eq!(table.columns[3].generated.as_deref(), Some("id * 2"));
        let uniques: Vec<_> = table
            .uniques
            .iter()
            .map(|unique| (unique.name.as_deref(), unique.columns.len()))
            .collect();
        assert_eq!(uniques, [(None, 1), (Some("both"), 2)]);
        let checks: Vec<_> = table
            .checks
            .iter()
            .map(|check| (check.name.as_deref(), check.expr.as_str()))
            .collect();
        assert_eq!(checks, [(Some("long"), "length(name) > 1"), (None, "(id) <> 3")]);
        let [owner, far] = table.foreign_keys.as_slice() else {
            panic!("two foreign keys");
        };
        assert_eq!(
            (owner.on_delete, owner.initially_deferred),
            (Action::SetNull, true)
        );
        assert_eq!((owner.ref_table.as_str(), owner.ref_columns.len()), ("users", 0));
        assert_eq!(
            (far.on_update, far.name.as_deref()),
            (Action::Cascade, Some("far"))
        );
    }

    #[test]
    fn what_happens_to_rows_and_how_keys_are_sorted_is_found() {
        let table = read(
            "CREATE TABLE t (a text NOT NULL ON CONFLICT REPLACE DEFAULT 'x', b int UNIQUE ON CONFLICT IGNORE, \
             PRIMARY KEY (a COLLATE nocase, b DESC) ON CONFLICT ROLLBACK, UNIQUE (b, a) ON CONFLICT fail)",
        );
        assert_eq!(table.columns[0].on_null, Conflict::Replace);
        assert_eq!(
            table.key_options.to_string(),
            "b DESC, a COLLATE NOCASE, ON CONFLICT ROLLBACK"
        );
        let uniques: Vec<Conflict> = table
            .uniques
            .iter()
            .map(|unique| unique.options.on_conflict)
            .collect();
        assert_eq!(uniques, [Conflict::Ignore, Conflict::Fail]);
    }

    #[test]
    fn columns_with_the_names_of_constraints_are_columns_when_quoted() {
        let table = read("CREATE TABLE t (\"check\" int, \"primary\" int PRIMARY KEY DESC, plain)");
        assert_eq!(table.columns.len(), 3);
        assert!(table.key_descends && table.checks.is_empty());
    }
}
