//! What a driver's error means: the few kinds that the tool acts on or explains.

use std::error::Error;
use std::{fmt, io};

use sea_orm::sqlx::Error as DriverError;
use sea_orm::sqlx::postgres::PgDatabaseError;
use sea_orm::{ConnAcquireErr, DbErr, RuntimeErr};

/// What a database said, in its own words and without the layers around them.
#[derive(Debug)]
pub struct DatabaseError(DbErr);

/// The kind of failure behind a database error.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Fault {
    /// A lock was not granted in time, or the transaction was chosen to end a deadlock.
    LockNotGranted,
    /// The statement was cancelled by a person or by the statement timeout.
    Cancelled,
    /// The table that a statement names does not exist.
    UndefinedTable,
    /// What a statement creates exists already, or what it drops is gone already.
    AlreadyDone,
    /// Nobody answers at the address.
    Unreachable,
    /// The connection ended while it was in use.
    ConnectionLost,
    /// The name or the password is wrong.
    Authentication,
    /// The server has no database of this name.
    NoSuchDatabase,
    /// The role may not do this.
    Permission,
    /// The role may not create anything in the schema `public`.
    NoCreateInPublic,
    /// The statement cannot run inside a transaction.
    InTransaction,
    /// The database, its file or the session is read-only.
    ReadOnly,
    /// The folder of a SQLite file is missing, or the file may not be opened.
    CannotOpenFile,
    /// The file exists and is no SQLite database.
    NotADatabase,
    /// The disk is full.
    DiskFull,
    /// The file system refused to write, as it also does at a quota or a limit.
    DiskError,
    /// The server has no connection left.
    TooManyConnections,
    /// A value is not one that its type takes, or is too large for it.
    InvalidValue,
    /// Anything else: the error's own text has to do.
    Other,
}

impl DatabaseError {
    /// Returns what lies behind the error.
    #[must_use]
    pub fn fault(&self) -> Fault {
        Fault::of(&self.0)
    }

    /// Returns whether the database, or the way to it, gave the error, rather than the code that uses it.
    #[must_use]
    pub fn is_from_database(&self) -> bool {
        matches!(
            self.0,
            DbErr::Conn(_) | DbErr::ConnectionAcquire(_) | DbErr::Exec(_) | DbErr::Query(_)
        )
    }
}

impl DatabaseError {
    /// Returns the table, quoted as SQL wants it, and the constraint that rows were found to break.
    pub(super) fn broken_constraint(&self) -> Option<(String, String)> {
        let Some(DriverError::Database(database)) = driver_error(&self.0) else {
            return None;
        };
        let error = database.try_downcast_ref::<PgDatabaseError>()?;
        if !["23514", "23503"].contains(&error.code()) {
            return None;
        }
        let quoted = |name: &str| format!("\"{}\"", name.replace('"', "\"\""));
        let table = format!("{}.{}", quoted(error.schema()?), quoted(error.table()?));
        Some((table, error.constraint()?.to_owned()))
    }
}

impl From<DbErr> for DatabaseError {
    fn from(error: DbErr) -> Self {
        Self(error)
    }
}

impl Error for DatabaseError {}

impl fmt::Display for DatabaseError {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Some(driver) = driver_error(&self.0) else {
            return write!(formatter, "{}", self.0);
        };
        let DriverError::Database(database) = driver else {
            return write!(formatter, "{driver}");
        };
        formatter.write_str(database.message())?;
        if let Some(postgres) = database.try_downcast_ref::<PgDatabaseError>() {
            if let Some(detail) = postgres.detail() {
                write!(formatter, ": {detail}")?;
            }
            write!(formatter, " (SQLSTATE {})", postgres.code())?;
        }
        Ok(())
    }
}

fn driver_error(error: &DbErr) -> Option<&DriverError> {
    match error {
        DbErr::Conn(RuntimeErr::SqlxError(error))
        | DbErr::Exec(RuntimeErr::SqlxError(error))
        | DbErr::Query(RuntimeErr::SqlxError(error)) => Some(error),
        _ => None,
    }
}

impl Fault {
    /// Returns what lies behind an error.
    ///
    /// PostgreSQL's codes are from its manual, appendix "PostgreSQL Error Codes"; SQLite's from "Result and Error Codes",
    /// where the low byte is the primary code.
    #[must_use]
    pub fn of(error: &DbErr) -> Self {
        let Some(driver) = driver_error(error) else {
            return match error {
                DbErr::ConnectionAcquire(ConnAcquireErr::Timeout) => Self::Unreachable,
                DbErr::ConnectionAcquire(_) => Self::ConnectionLost,
                _ => Self::Other,
            };
        };
        match driver {
            DriverError::Database(database) => {
                let code = database.code().unwrap_or_default();
                match code.parse::<u32>() {
                    Ok(number) if code.len() < 5 => sqlite(number, database.message()),
                    // Two sessions that create the same thing at the same moment: the catalog's own index notices.
                    _ if code == "23505"
                        && database.constraint().is_some_and(|name| name.starts_with("pg_")) =>
                    {
                        Self::AlreadyDone
                    }
                    _ => match database.try_downcast_ref::<PgDatabaseError>() {
                        Some(error) => postgres(error),
                        None => by_code(&code),
                    },
                }
            }
            DriverError::Io(cause) => match cause.kind() {
                io::ErrorKind::UnexpectedEof | io::ErrorKind::ConnectionReset | io::ErrorKind::BrokenPipe => {
                    Self::ConnectionLost
                }
                _ => Self::Unreachable,
            },
            DriverError::PoolTimedOut => Self::Unreachable,
            DriverError::PoolClosed | DriverError::WorkerCrashed => Self::ConnectionLost,
            _ => Self::Other,
        }
    }

    /// Returns the way out in one line, where there is one to name.
    #[must_use]
    pub fn hint(self) -> Option<&'static str> {
        Some(match self {
            Self::LockNotGranted => "another session holds the lock; end it or try again when it is done",
            Self::Cancelled => {
                "if a timeout ended it, give it more with --statement-timeout, or with --hold-timeout where others wait for its locks"
            }
            Self::Unreachable => "is the server running, and are host and port in DATABASE_URL right?",
            Self::ConnectionLost => {
                "the server or the network ended the connection; run the same command again"
            }
            Self::Authentication => "check user and password in DATABASE_URL",
            Self::NoSuchDatabase => "create the database first, for example with createdb",
            Self::Permission => "migrate as the role that owns the tables",
            Self::NoCreateInPublic => {
                "since PostgreSQL 15 only the owner of the database may create in the schema public; have it run \
                 GRANT CREATE ON SCHEMA public TO role"
            }
            Self::InTransaction => {
                "return Some(false) from use_transaction in the revision, and send each statement by itself: several in one \
                 string run in one transaction"
            }
            Self::ReadOnly => "point DATABASE_URL at the primary and at a role and file that may be written",
            Self::CannotOpenFile => "check that the folder exists and may be written",
            Self::NotADatabase => {
                "the file exists but is no SQLite database; name another file in DATABASE_URL"
            }
            Self::DiskFull => "free some disk space and run the same command again",
            Self::DiskError => {
                "the file system refused to write: a full disk, a quota, or a limit? then run the same command again"
            }
            Self::TooManyConnections => {
                "a migration needs two connections; close some or raise max_connections"
            }
            Self::UndefinedTable | Self::AlreadyDone | Self::InvalidValue | Self::Other => return None,
        })
    }
}

fn postgres(error: &PgDatabaseError) -> Fault {
    match (error.code(), error.routine()) {
        // What else has this code speaks of the order of statements, such as SET TRANSACTION after the first query.
        ("25001", Some("PreventInTransactionBlock")) => Fault::InTransaction,
        // The server names the schema in its message alone; one that speaks another language gets the general hint.
        ("42501", _) if error.message() == "permission denied for schema public" => Fault::NoCreateInPublic,
        (code, _) => by_code(code),
    }
}

fn by_code(code: &str) -> Fault {
    match code {
        "55P03" | "40P01" | "40001" => Fault::LockNotGranted,
        "57014" => Fault::Cancelled,
        "42P01" => Fault::UndefinedTable,
        "42P07" | "42701" | "42710" | "42P06" | "42703" | "42704" => Fault::AlreadyDone,
        "28000" | "28P01" => Fault::Authentication,
        "3D000" => Fault::NoSuchDatabase,
        "42501" => Fault::Permission,
        "25006" => Fault::ReadOnly,
        "53100" => Fault::DiskFull,
        "58030" => Fault::DiskError,
        // Class 22, "Data Exception".
        _ if code.starts_with("22") => Fault::InvalidValue,
        "53300" => Fault::TooManyConnections,
        "57P01" | "57P02" | "57P03" | "08000" | "08003" | "08006" => Fault::ConnectionLost,
        _ => Fault::Other,
    }
}

fn sqlite(code: u32, message: &str) -> Fault {
    match code & 0xff {
        5 | 6 => Fault::LockNotGranted,
        8 => Fault::ReadOnly,
        9 => Fault::Cancelled,
        10 => Fault::DiskError,
        13 => Fault::DiskFull,
        14 => Fault::CannotOpenFile,
        26 => Fault::NotADatabase,
        3 | 23 => Fault::Permission,
        // The schema changed while a statement ran (17), and what it reads is not in the new one.
        1 | 17 if message.starts_with("no such table") => Fault::UndefinedTable,
        1 | 17
            if message.starts_with("no such")
                || message.starts_with("duplicate column name")
                || message.contains(" already exists") =>
        {
            Fault::AlreadyDone
        }
        _ => Fault::Other,
    }
}
