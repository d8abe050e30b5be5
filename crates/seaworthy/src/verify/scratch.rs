//! A database that exists for one test.

use std::io::ErrorKind;
use std::path::{Path, PathBuf};
use std::time::Duration;

use thiserror::Error;

use crate::session::{Access, AddressError, DatabaseError, DatabaseUrl, Session, SessionError, Settings};

/// An empty database of its own; [`ScratchDatabase::remove`] takes it away again.
#[derive(Debug)]
pub struct ScratchDatabase {
    url: DatabaseUrl,
    text: String,
    place: Place,
}

#[derive(Debug)]
enum Place {
    Server { server: DatabaseUrl, name: String },
    Folder(PathBuf),
}

const MOST_REMOVALS: usize = 40;
const REMOVAL_PAUSE: Duration = Duration::from_millis(25);

/// A scratch database could not be made or removed.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum ScratchError {
    /// The server's address makes no sense.
    #[error("the address of the server cannot be read")]
    Address {
        /// Why not.
        source: AddressError,
    },
    /// The server cannot be reached.
    #[error("the server for scratch databases cannot be reached")]
    Session {
        /// Why not.
        source: SessionError,
    },
    /// The server refused.
    #[error("could not {action} the database {name}")]
    Server {
        /// What was tried.
        action: &'static str,
        /// The database.
        name: String,
        /// What the server said.
        source: DatabaseError,
    },
    /// The folder could not be made or removed.
    #[error("could not {action} the folder {path}")]
    Folder {
        /// What was tried.
        action: &'static str,
        /// The folder.
        path: String,
        /// Why it failed.
        source: std::io::Error,
    },
}

impl ScratchDatabase {
    /// Makes an empty SQLite database in a folder of its own under `parent`; the file appears when it is first written.
    ///
    /// # Errors
    ///
    /// Fails when the folder cannot be made.
    pub fn sqlite(parent: &Path) -> Result<Self, ScratchError> {
        let folder = parent.join(format!("seaworthy_{:016x}", fastrand::u64(..)));
        std::fs::create_dir_all(&folder).map_err(|source| folder_error("make", &folder, source))?;
        let text = format!("sqlite://{}", folder.join("scratch.db").display());
        Ok(Self {
            url: address(&text)?,
            text,
            place: Place::Folder(folder),
        })
    }

    /// Makes an empty database on a PostgreSQL server, whose address names any database to connect to first.
    ///
    /// # Errors
    ///
    /// Fails when the server cannot be reached or the role may not create databases.
    pub async fn postgres(server: &str) -> Result<Self, ScratchError> {
        let name = format!("seaworthy_{:016x}", fastrand::u64(..));
        let server_url = address(server)?;
        // PostgreSQL 15 takes milliseconds for a small copy; several at once wait for each other.
        on_server(
            &server_url,
            "create",
            &name,
            &format!("CREATE DATABASE {name} TEMPLATE template0"),
        )
        .await?;
        let (before_query, query) = server
            .split_once('?')
            .map_or((server, None), |(url, query)| (url, Some(query)));
        let base = before_query
            .rfind('/')
            .map_or(before_query, |slash| &before_query[..slash]);
        let text = query.map_or_else(
            || format!("{base}/{name}"),
            |query| format!("{base}/{name}?{query}"),
        );
        Ok(Self {
            url: address(&text)?,
            text,
            place: Place::Server {
                server: server_url,
                name,
            },
        })
    }

    /// Returns the address.
    #[must_use]
    pub fn url(&self) -> &DatabaseUrl {
        &self.url
    }

    /// Returns the address as text with its password, for a program that is started with it.
    #[must_use]
    pub fn address(&self) -> &str {
        &self.text
    }

    /// Removes the database, even when something is still connected to it.
    ///
    /// # Errors
    ///
    /// Fails when the server or the file system refuses.
    pub async fn remove(self) -> Result<(), ScratchError> {
        match &self.place {
            Place::Server { server, name } => {
                on_server(
                    server,
                    "drop",
                    name,
                    &format!("DROP DATABASE IF EXISTS {name} WITH (FORCE)"),
                )
                .await
            }
            Place::Folder(folder) => removed(folder)
                .await
                .map_err(|source| folder_error("remove", folder, source)),
        }
    }
}

/// Removes a folder with what is in it.
///
/// A connection that somebody stopped waiting for is still opened by a thread of the driver, which makes files beside the
/// database while the folder is being emptied; it closes them a moment later.
async fn removed(folder: &Path) -> std::io::Result<()> {
    for _ in 0..MOST_REMOVALS {
        match std::fs::remove_dir_all(folder) {
            Err(error) if error.kind() == ErrorKind::DirectoryNotEmpty => {
                tokio::time::sleep(REMOVAL_PAUSE).await;
            }
            done => return done,
        }
    }
    std::fs::remove_dir_all(folder)
}

async fn on_server(
    server: &DatabaseUrl,
    action: &'static str,
    name: &str,
    sql: &str,
) -> Result<(), ScratchError> {
    let session = Session::open(server, &Settings::default(), Access::Read)
        .await
        .map_err(|source| ScratchError::Session { source })?;
    let done = session.send(sql).await;
    session.close().await;
    done.map_err(|source| ScratchError::Server {
        action,
        name: name.to_owned(),
        source: source.into(),
    })
}

fn address(text: &str) -> Result<DatabaseUrl, ScratchError> {
    text.parse().map_err(|source| ScratchError::Address { source })
}

fn folder_error(action: &'static str, folder: &Path, source: std::io::Error) -> ScratchError {
    ScratchError::Folder {
        action,
        path: folder.display().to_string(),
        source,
    }
}
