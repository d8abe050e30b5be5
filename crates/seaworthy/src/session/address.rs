//! The address of a database: what kind it is, and how to show it without its password.
//!
//! What cannot be taken apart for sure is refused and never shown: where a password ends is then anybody's guess.

use std::fmt;
use std::path::PathBuf;
use std::str::FromStr;

use sea_orm::DbBackend;
use sea_orm::sqlx::sqlite::SqliteConnectOptions;
use thiserror::Error;
use url::Url;

/// The address of a database; shown without its password.
#[derive(Clone, PartialEq, Eq)]
pub struct DatabaseUrl {
    text: String,
    shown: String,
    backend: DbBackend,
}

/// A text is no database address. No part of it is in the message: any may be a password.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum AddressError {
    /// The scheme is that of a database that this build cannot talk to.
    #[error("{scheme} databases are not supported, only those of PostgreSQL and SQLite")]
    Scheme {
        /// The scheme.
        scheme: &'static str,
    },
    /// What stands before the first colon is no database's scheme.
    #[error("it begins with no scheme of a database")]
    UnknownScheme,
    /// There is no scheme at all.
    #[error("the database address has no scheme")]
    NoScheme,
    /// The scheme of a server is not followed by two slashes.
    #[error("its scheme is not followed by //")]
    NoHost,
    /// User, password, host and port cannot be told apart.
    #[error("its user, password, host and port cannot be told apart")]
    Malformed {
        /// Why not.
        source: url::ParseError,
    },
    /// There is an `@` or a `#` where the host has ended, or an `@` in the user.
    #[error("a #, ?, / or @ in its user or password is not encoded")]
    NotEncoded,
    /// A parameter after the `?` has no value.
    #[error("a parameter after its ? has no value")]
    Parameters,
}

/// Schemes that are named in a message: what else stands before a colon may be anything.
const OTHER_DATABASES: [&str; 12] = [
    "cockroachdb",
    "db2",
    "duckdb",
    "libsql",
    "mariadb",
    "mongodb",
    "mssql",
    "mysql",
    "oracle",
    "redis",
    "snowflake",
    "sqlserver",
];

/// The parameters that sqlx 0.9 knows, besides `options[NAME]`. It logs any other with its value, which may be a password
/// under a misspelled name.
const PARAMETERS: [&str; 18] = [
    "application_name",
    "dbname",
    "host",
    "hostaddr",
    "options",
    "password",
    "port",
    "ssl-ca",
    "ssl-cert",
    "ssl-key",
    "ssl-mode",
    "ssl-root-cert",
    "sslcert",
    "sslkey",
    "sslmode",
    "sslrootcert",
    "statement-cache-capacity",
    "user",
];

impl AddressError {
    /// Returns the way out in one line.
    #[must_use]
    pub fn hint(&self) -> &'static str {
        match self {
            Self::Malformed { .. } | Self::NotEncoded | Self::Parameters => {
                "in a user or a password write # as %23, ? as %3F, / as %2F and @ as %40"
            }
            _ => "write postgres://user:password@host:5432/name or sqlite://file.db",
        }
    }
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

    /// Returns whether it names a SQLite database.
    #[must_use]
    pub fn is_sqlite(&self) -> bool {
        self.backend == DbBackend::Sqlite
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
            "postgres" | "postgresql" => Self::postgres(rest),
            "sqlite" => {
                let text = format!("sqlite:{rest}");
                Ok(Self {
                    shown: text.split('?').next().unwrap_or(&text).to_owned(),
                    text,
                    backend: DbBackend::Sqlite,
                })
            }
            other => Err(OTHER_DATABASES
                .into_iter()
                .find(|known| *known == other)
                .map_or(AddressError::UnknownScheme, |scheme| AddressError::Scheme {
                    scheme,
                })),
        }
    }
}

impl DatabaseUrl {
    /// Reads what follows the scheme of a PostgreSQL address.
    fn postgres(rest: &str) -> Result<Self, AddressError> {
        let from_authority = rest.strip_prefix("//").ok_or(AddressError::NoHost)?;
        let end = from_authority
            .find(['/', '?', '#'])
            .unwrap_or(from_authority.len());
        let (authority, after) = from_authority.split_at(end);
        // The last `@` ends the user part: a password may hold an unescaped one, a user may not.
        let (user, place) = match authority.rsplit_once('@') {
            Some((user_part, place)) => (Some(user_part.split(':').next().unwrap_or(user_part)), place),
            None => (None, authority),
        };
        if after.contains(['@', '#']) || user.is_some_and(|user| user.contains('@')) {
            return Err(AddressError::NotEncoded);
        }
        let mut url =
            Url::parse(&format!("postgres:{rest}")).map_err(|source| AddressError::Malformed { source })?;
        let (path, query) = after.split_once('?').unwrap_or((after, ""));
        let pairs = query.split('&').filter(|pair| !pair.is_empty());
        if !pairs.clone().all(|pair| pair.contains('=')) {
            return Err(AddressError::Parameters);
        }
        let known: Vec<(String, String)> = url
            .query_pairs()
            .into_owned()
            .filter(|(name, _)| is_parameter(name))
            .collect();
        let text = if known.len() == pairs.count() {
            format!("postgres:{rest}")
        } else {
            tracing::debug!("parameters of the database address that the driver does not know are ignored");
            url.query_pairs_mut().clear().extend_pairs(known);
            url.to_string()
        };
        let user = user.map(|user| format!("{user}@")).unwrap_or_default();
        Ok(Self {
            text,
            shown: format!("postgres://{user}{place}{path}"),
            backend: DbBackend::Postgres,
        })
    }
}

fn is_parameter(name: &str) -> bool {
    PARAMETERS.contains(&name) || name.starts_with("options[")
}

impl fmt::Display for DatabaseUrl {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.shown)
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
    fn what_cannot_be_taken_apart_is_refused_without_a_word_of_it() {
        for (address, said) in [
            (
                "postgres://ada:se?cret@host/db",
                "a #, ?, / or @ in its user or password is not encoded",
            ),
            (
                "postgres://ada:1234?cret@host/db",
                "a #, ?, / or @ in its user or password is not encoded",
            ),
            (
                "postgres://ada:12/34@host/db",
                "a #, ?, / or @ in its user or password is not encoded",
            ),
            (
                "postgres://host/db?password=se#cret",
                "a #, ?, / or @ in its user or password is not encoded",
            ),
            (
                "postgres://ada@secret@host/db",
                "a #, ?, / or @ in its user or password is not encoded",
            ),
            ("postgres:ada:secret@host", "its scheme is not followed by //"),
            ("postgres:/ada:secret@host", "its scheme is not followed by //"),
            ("ada:secret@host", "it begins with no scheme of a database"),
            (
                "mysql://ada:secret@host/db",
                "mysql databases are not supported, only those of PostgreSQL and SQLite",
            ),
            (
                "mariadb://ada:secret@host/db",
                "mariadb databases are not supported, only those of PostgreSQL and SQLite",
            ),
            (
                "postgres://ada:secret",
                "user, password, host and port cannot be told apart",
            ),
            (
                "postgres://ada:secret@",
                "user, password, host and port cannot be told apart",
            ),
            (
                "postgres://ada:1234?secret",
                "a parameter after its ? has no value",
            ),
        ] {
            let error = address.parse::<DatabaseUrl>().unwrap_err();
            assert!(error.to_string().contains(said), "{address}: {error}");
        }
        let error = "postgres://ada:sl[oer@host/db?x"
            .parse::<DatabaseUrl>()
            .unwrap_err();
        assert!(error.hint().contains("? as %3F"));
    }

    #[test]
    fn a_parameter_that_the_driver_would_log_does_not_reach_it() {
        let url: DatabaseUrl = "postgres://h/d?sslmode=disable&pasword=p&user=a%26b"
            .parse()
            .unwrap();
        assert_eq!(url.as_str(), "postgres://h/d?sslmode=disable&user=a%26b");
        let known = "postgres://h/d?options[search_path]=x&options=-c%20a=b";
        assert_eq!(known.parse::<DatabaseUrl>().unwrap().as_str(), known);
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
        assert_eq!(
            error.to_string(),
            "oracle databases are not supported, only those of PostgreSQL and SQLite"
        );
        assert!(matches!(
            "todo".parse::<DatabaseUrl>(),
            Err(AddressError::NoScheme)
        ));
    }
}
