//! Writes revision files, and registers them in the migrator's list as `sea-orm-cli migrate generate` does.
//!
//! Nothing is left half done: the list is checked before the file is written, and replaced in one move afterwards.

use std::fs;
use std::io::Write;
use std::path::{Path, PathBuf};

use chrono::NaiveDateTime;
use thiserror::Error;

use crate::revision::Header;
use crate::sql::Dialect;

use self::list::MigratorSource;

pub use dual_column::{DualColumnPart, DualColumnText, write_dual_column};

mod dual_column;
mod list;
mod render;

/// A revision that is to be written.
#[derive(Clone, Debug)]
pub struct Draft {
    /// What it says about itself; its name is made from the message and the time.
    pub header: Header,
    /// When it is made, in UTC.
    pub created: NaiveDateTime,
    /// What it does; nothing yet when absent.
    pub body: Option<Body>,
}

/// The statements of a revision.
#[derive(Clone, Debug, Default)]
pub struct Body {
    /// Those of `up`, indented for a method.
    pub up: String,
    /// Those of `down`.
    pub down: String,
    /// The helpers of `sea_orm_migration::schema` that they call.
    pub helpers: Vec<&'static str>,
    /// Whose SQL they send by `execute(manager, sql)`.
    pub sql_of: Option<Dialect>,
    /// Whether each statement is a transaction of its own.
    pub is_split: bool,
    /// What the file says about itself beside its message.
    pub advice: &'static str,
    /// What the file uses of this crate.
    pub uses: Vec<&'static str>,
    /// Functions that it has.
    pub functions: String,
    /// Its backfills as an expression; only a revision with a header can say which they are.
    pub backfills: String,
}

/// What was written.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize)]
pub struct Written {
    /// SeaORM's name for the new revision.
    pub name: String,
    /// The new file.
    pub file: PathBuf,
    /// The file whose list names it now.
    pub migrator: PathBuf,
    /// Whether its header was written; without one its name is its id.
    #[serde(skip)]
    pub has_header: bool,
}

/// A revision file could not be written; nothing was changed.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum SourceError {
    /// There is no migrator in the folder.
    #[error("there is no migrator in {folder}: neither src/lib.rs, nor lib.rs, nor mod.rs")]
    NoMigrator {
        /// The folder.
        folder: String,
    },
    /// The migrator's file has no list that can be read.
    #[error("{path} has no list `vec![...]` of migrations to add to")]
    NoList {
        /// The file.
        path: String,
    },
    /// The list names migrations that this program was not built with.
    #[error("{path} lists {name}, which this program does not know: it is older than the file")]
    Stale {
        /// The file.
        path: String,
        /// The first unknown migration.
        name: String,
    },
    /// The migrator keeps no headers, so a place in the graph cannot be written down.
    #[error("the migrations in {path} have no headers, so {what} cannot be written down")]
    NoHeaders {
        /// The file.
        path: String,
        /// What was asked for.
        what: &'static str,
    },
    /// A file could not be read or written.
    #[error("could not {action} {path}")]
    File {
        /// What was tried.
        action: &'static str,
        /// On which file.
        path: String,
        /// Why it failed.
        source: std::io::Error,
    },
}

impl SourceError {
    /// Returns the way out in one line.
    #[must_use]
    pub fn hint(&self) -> Option<&'static str> {
        match self {
            Self::NoMigrator { .. } => Some("name the migration crate's folder with --dir or MIGRATION_DIR"),
            Self::NoList { .. } => Some("list the migrations in one vec![...] or revision_vec![...]"),
            Self::Stale { .. } => Some("build the program again and repeat the command"),
            Self::NoHeaders { .. } => {
                Some("list the migrations in seaworthy::revision_vec![...] to give them headers")
            }
            Self::File { .. } => None,
        }
    }
}

/// Writes a revision into the migration crate in `folder` and registers it.
///
/// `known` are SeaORM's names of all revisions that the program was built with.
///
/// # Errors
///
/// Fails, with nothing changed, when the crate has no list that the revision could be added to, when the list has entries
/// that the program does not know, or when a file cannot be written.
pub fn write(folder: &Path, draft: &Draft, known: &[&str]) -> Result<Written, SourceError> {
    write_as(
        folder,
        draft,
        known,
        |name, created, has_header| match has_header {
            true => render::with_header(draft, name, created),
            false => render::without_header(draft, name),
        },
    )
}

/// Writes a revision whose text somebody else makes of its name, its time and whether it has a header.
fn write_as(
    folder: &Path,
    draft: &Draft,
    known: &[&str],
    text: impl FnOnce(&str, NaiveDateTime, bool) -> String,
) -> Result<Written, SourceError> {
    let migrator = MigratorSource::read(folder)?;
    if let Some(name) = migrator.modules().find(|module| !known.contains(module)) {
        return Err(SourceError::Stale {
            path: migrator.shown(),
            name: name.to_owned(),
        });
    }
    if !migrator.has_headers() {
        refuse_what_needs_headers(draft, &migrator, known)?;
    }
    let mut created = draft.created;
    let mut name = render::name(&draft.header.message, created);
    while migrator.folder.join(format!("{name}.rs")).exists() || known.contains(&name.as_str()) {
        created += chrono::TimeDelta::seconds(1);
        name = render::name(&draft.header.message, created);
    }
    let listed = migrator.with(&name)?;
    let file = migrator.folder.join(format!("{name}.rs"));
    create(&file, &text(&name, created, migrator.has_headers()))?;
    if let Err(error) = replace(&migrator.path, &listed) {
        // The revision is worth nothing without its entry, and must not be in the way of the next try.
        drop(fs::remove_file(&file));
        return Err(error);
    }
    Ok(Written {
        name,
        file,
        has_header: migrator.has_headers(),
        migrator: migrator.path,
    })
}

fn refuse_what_needs_headers(
    draft: &Draft,
    migrator: &MigratorSource,
    known: &[&str],
) -> Result<(), SourceError> {
    let header = &draft.header;
    let follows_last = match (header.revises.as_slice(), known.last()) {
        ([], None) => true,
        ([parent], Some(last)) => parent.as_str() == *last,
        _ => false,
    };
    let what = if !follows_last {
        "a parent that is not the last one"
    } else if !header.labels.is_empty() {
        "a branch label"
    } else if !header.depends_on.is_empty() {
        "a dependency"
    } else {
        return Ok(());
    };
    Err(SourceError::NoHeaders {
        path: migrator.shown(),
        what,
    })
}

fn create(path: &Path, text: &str) -> Result<(), SourceError> {
    let failed = |source| SourceError::File {
        action: "write",
        path: path.display().to_string(),
        source,
    };
    let mut file = fs::File::create_new(path).map_err(failed)?;
    file.write_all(text.as_bytes()).map_err(failed)
}

fn replace(path: &Path, text: &str) -> Result<(), SourceError> {
    let failed = |source| SourceError::File {
        action: "write",
        path: path.display().to_string(),
        source,
    };
    let temporary = path.with_extension("rs.new");
    fs::write(&temporary, text).map_err(failed)?;
    fs::rename(&temporary, path).map_err(failed)
}
