//! The address of a database: what kind it is, and how to show it without its password.

use std::fmt;
use std::path::PathBuf;
use std::str::FromStr;

use sea_orm::DbBackend;
use sea_orm::sqlx::sqlite::SqliteConnectOptions;
use thiserror::Error;

/// The address of a database; shown without its password.
#[derive(Clone, PartialEq, Eq)]
pub struct DatabaseUrl {
    text: String,
    backend: DbBackend,
}

/// A text is no database address.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum AddressError {
    /// The scheme names no database that this build can talk to.
    #[error("{scheme:?} is no database scheme")]
    Scheme {
        /// What stands before the first colon.
        scheme: String,
    },
    /// There is no scheme at all.
    #[error("the database address has no scheme")]
    NoScheme,
}

impl DatabaseUrl {
    /// Returns the address with its password: for the driver alone.
    pub(crate) fn as_str(&self) -> &str {
        &self.text
    }

    /// Returns the kind of database.
    #[must_use]
    pub fn backend(&self) -> DbBackend {
        self.backend
    }

    /// Returns the file of a SQLite database, or nothing when it lives in memory or is no SQLite database.
    #[must_use]
    pub fn file(&self) -> Option<PathBuf> {
        if self.backend != DbBackend::Sqlite {
            return None;
        }
        let rest = self.text.strip_prefix("sqlite:")?;
        let rest = rest.strip_prefix("//").unwrap_or(rest);
        let path = rest.split('?').next().unwrap_or(rest);
        let in_memory = path.is_empty() || path == ":memory:" || rest.contains("mode=memory");
        // The driver's own reading of the path, where `%20` is a space.
        let options: SqliteConnectOptions = self.text.parse().ok()?;
        (!in_memory).then(|| options.get_filename().to_path_buf())
    }
}

impl FromStr for DatabaseUrl {
    type Err = AddressError;

    /// Reads an address. `SQLAlchemy`'s spelling of a driver (`postgresql+psycopg://`) is understood and dropped.
    fn from_str(text: &str) -> Result<Self, AddressError> {
        let text = text.trim();
        let (scheme, rest) = text.split_once(':').ok_or(AddressError::NoScheme)?;
        match scheme.split('+').next().unwrap_or(scheme) {
            "postgres" | "postgresql" => Ok(Self {
                text: format!("postgres:{rest}"),
                backend: DbBackend::Postgres,
            }),
            "sqlite" => Ok(Self {
                text: format!("sqlite:{rest}"),
                backend: DbBackend::Sqlite,
            }),
            _ => Err(AddressError::Scheme {
                scheme: scheme.to_owned(),
            }),
        }
    }
}

impl fmt::Display for DatabaseUrl {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let without_query = self.text.split('?').next().unwrap_or(&self.text);
        let Some((scheme, rest)) = without_query.split_once("://") else {
            return formatter.write_str(without_query);
        };
        // The last `@` ends the user part: a password may hold an unescaped one.
        match rest.rsplit_once('@') {
            Some((user, place)) => {
                let name = user.split(':').next().unwrap_or(user);
                write!(formatter, "{scheme}://{name}@{place}")
            }
            None => write!(formatter, "{scheme}://{rest}"),
        }
    }
}

impl fmt::Debug for DatabaseUrl {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "DatabaseUrl({self})")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shown(text: &str) -> String {
        text.parse::<DatabaseUrl>().unwrap().to_string()
    }

    #[test]
    fn a_password_is_never_shown() {
        assert_eq!(
            shown("postgres://todo:s3cret@db.example:5432/todo"),
            "postgres://todo@db.example:5432/todo"
        );
        assert_eq!(
            shown("postgres://todo:s3@cret@db/todo"),
            "postgres://todo@db/todo"
        );
        assert_eq!(
            shown("postgresql+psycopg://u:p@h/d?password=p"),
            "postgres://u@h/d"
        );
        assert_eq!(
            format!("{:?}", "postgres://u:p@h/d".parse::<DatabaseUrl>().unwrap()),
            "DatabaseUrl(postgres://u@h/d)"
        );
    }

    #[test]
    fn a_sqlite_address_names_its_file_unless_it_is_in_memory() {
        let file = |text: &str| text.parse::<DatabaseUrl>().unwrap().file();
        assert_eq!(file("sqlite://todo.db"), Some("todo.db".into()));
        assert_eq!(
            file("sqlite:///srv/todo.db?mode=rwc"),
            Some("/srv/todo.db".into())
        );
        assert_eq!(file("sqlite:todo.db"), Some("todo.db".into()));
        assert_eq!(file("sqlite://to%20do.db"), Some("to do.db".into()));
        assert_eq!(file("sqlite::memory:"), None);
        assert_eq!(file("postgres://h/d"), None);
    }

    #[test]
    fn an_unknown_scheme_is_named() {
        let error = "oracle://h/d".parse::<DatabaseUrl>().unwrap_err();
        assert_eq!(error.to_string(), "\"oracle\" is no database scheme");
        assert!(matches!(
            "todo".parse::<DatabaseUrl>(),
            Err(AddressError::NoScheme)
        ));
    }
}
