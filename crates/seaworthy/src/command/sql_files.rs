//! SQL files as a schema that is wanted: what people have who never wrote entities, and what `pg_dump` and `.schema` print.

use std::path::{Path, PathBuf};

use super::CommandError;
use crate::session::{DatabaseError, Session, dialect_of};
use crate::sql::{Dialect, Statement, read};

/// SQL files, in the order in which they are loaded.
#[derive(Debug)]
pub(super) struct SqlFiles {
    files: Vec<SqlFile>,
    roles: Roles,
}

/// What to do with statements that say whose something is and who may do what with it. Their roles have to be there.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Roles {
    /// They are no part of a schema.
    PassOver,
    /// They are to be compared.
    Load,
}

#[derive(Debug)]
struct SqlFile {
    path: PathBuf,
    text: String,
}

impl SqlFiles {
    /// Reads files; those of a folder by their names.
    pub(super) fn read(paths: &[PathBuf], roles: Roles) -> Result<Self, CommandError> {
        let mut files = Vec::new();
        for path in paths {
            for path in in_folder(path)? {
                let text =
                    std::fs::read_to_string(&path).map_err(|source| unreadable(path.clone(), source))?;
                files.push(SqlFile { path, text });
            }
        }
        Ok(Self { files, roles })
    }

    /// Returns whether one of the files makes a schema of this name.
    pub(super) fn make_schema(&self, schema: &str) -> bool {
        let mut files = self.files.iter();
        files.any(|file| {
            read(&file.text, Dialect::Postgresql)
                .iter()
                .any(|statement| statement.makes_schema(schema))
        })
    }

    /// Sends the statements, one after another. Rows of `COPY` are left out, which are no part of a schema.
    pub(super) async fn load(&self, session: &Session) -> Result<(), CommandError> {
        let dialect = dialect_of(session.backend());
        let files: Vec<(&SqlFile, Vec<Statement>)> = self
            .files
            .iter()
            .map(|file| (file, read(&file.text, dialect)))
            .collect();
        // Before the first one is sent: what reaches further than a scratch database is not gone with it.
        for (file, statements) in &files {
            statements
                .iter()
                .try_for_each(|statement| file.refuse(statement))?;
        }
        for (file, statements) in &files {
            for statement in statements {
                if self.roles == Roles::Load || !statement.is_about_roles() {
                    file.send(statement, session).await?;
                }
            }
        }
        Ok(())
    }
}

impl SqlFile {
    fn refuse(&self, statement: &Statement) -> Result<(), CommandError> {
        let (path, line) = (self.path.clone(), statement.line);
        // Not more of it: what follows may be an address with a password.
        let words = |number| {
            let words: Vec<&str> = statement.text().split_whitespace().take(number).collect();
            words.join(" ")
        };
        if statement.is_for_client() {
            let command = words(1);
            return Err(CommandError::FileForClient { path, line, command });
        }
        if statement.reaches_further() {
            let statement = words(2);
            return Err(CommandError::FileReachesFurther {
                path,
                line,
                statement,
            });
        }
        Ok(())
    }

    async fn send(&self, statement: &Statement, session: &Session) -> Result<(), CommandError> {
        let is_internal =
            statement.makes_internal_table() && dialect_of(session.backend()) == Dialect::Sqlite;
        if is_internal || statement.is_copy() {
            return Ok(());
        }
        session
            .send(statement.text())
            .await
            .map_err(|source| CommandError::FileRefused {
                path: self.path.clone(),
                line: statement.line,
                source: DatabaseError::from(source),
            })
    }
}

/// Returns a file itself, and of a folder the SQL files in it by their names.
fn in_folder(path: &Path) -> Result<Vec<PathBuf>, CommandError> {
    if !path.is_dir() {
        return Ok(vec![path.to_owned()]);
    }
    let failed = |source| unreadable(path.to_owned(), source);
    let mut files = Vec::new();
    for entry in std::fs::read_dir(path).map_err(failed)? {
        let file = entry.map_err(failed)?.path();
        if is_sql_file(&file) {
            files.push(file);
        }
    }
    if files.is_empty() {
        return Err(CommandError::NoFile {
            what: "SQL file",
            path: path.to_owned(),
        });
    }
    files.sort();
    Ok(files)
}

/// Returns whether a path looks like a file of SQL.
pub(super) fn is_sql_file(path: &Path) -> bool {
    path.extension()
        .is_some_and(|extension| extension.eq_ignore_ascii_case("sql"))
}

fn unreadable(path: PathBuf, source: std::io::Error) -> CommandError {
    CommandError::Unreadable { path, source }
}
