//! The lock of a SQLite database: a file beside it, locked by the operating system.
//!
//! The file says who has the lock, and is removed when the lock is given back. One that stays behind after a crash is
//! harmless: nobody holds it any more.

use std::fs::{self, File, TryLockError};
use std::io::{Seek, Write};
use std::path::{Path, PathBuf};
use std::process;
use std::time::{SystemTime, UNIX_EPOCH};

use serde::{Deserialize, Serialize};

use super::{Holder, LockError};

/// A locked file; dropping it ends the lock.
#[derive(Debug)]
pub(super) struct LockFile {
    path: PathBuf,
    file: File,
}

/// What stands in the file.
#[derive(Serialize, Deserialize)]
struct Content {
    pid: u32,
    who: String,
    doing: String,
    since_unix_ms: u64,
}

impl LockFile {
    /// Takes the lock of a database, or returns nothing when another process has it.
    pub(super) fn try_lock(database: &Path, doing: &str, who: &str) -> Result<Option<Self>, LockError> {
        let path = beside(database);
        let failed = |source| LockError::File {
            path: path.display().to_string(),
            source,
        };
        let mut file = File::options()
            .read(true)
            .write(true)
            .create(true)
            .truncate(false)
            .open(&path)
            .map_err(failed)?;
        match file.try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => return Ok(None),
            Err(TryLockError::Error(source)) => return Err(failed(source)),
        }
        // The holder before us removed the file after we had opened it: what we hold is nobody's lock.
        if !is_at(&file, &path) {
            return Ok(None);
        }
        let content = Content {
            pid: process::id(),
            who: who.to_owned(),
            doing: doing.to_owned(),
            since_unix_ms: now_ms(),
        };
        let written = serde_json::to_vec(&content)
            .map_err(std::io::Error::from)
            .and_then(|text| {
                file.set_len(0)?;
                file.rewind()?;
                file.write_all(&text)
            });
        written.map_err(failed)?;
        Ok(Some(Self { path, file }))
    }

    /// Returns who has the lock, as far as the file tells.
    pub(super) fn holder(database: &Path) -> Option<Holder> {
        let content: Content = serde_json::from_slice(&fs::read(beside(database)).ok()?).ok()?;
        Some(Holder {
            pid: content.pid.into(),
            who: content.who,
            doing: content.doing,
            held_ms: i64::try_from(now_ms().saturating_sub(content.since_unix_ms)).unwrap_or(i64::MAX),
        })
    }
}

impl Drop for LockFile {
    fn drop(&mut self) {
        // Removed while still locked: whoever opened it before finds out through `is_at`.
        if is_at(&self.file, &self.path) {
            drop(fs::remove_file(&self.path));
        }
    }
}

fn beside(database: &Path) -> PathBuf {
    let mut name = database.as_os_str().to_owned();
    name.push("-migration-lock");
    name.into()
}

#[cfg(unix)]
fn is_at(file: &File, path: &Path) -> bool {
    use std::os::unix::fs::MetadataExt;
    match (file.metadata(), fs::metadata(path)) {
        (Ok(held), Ok(there)) => held.ino() == there.ino() && held.dev() == there.dev(),
        _ => false,
    }
}

/// Elsewhere an open file cannot be removed, so it is always the one at the path.
#[cfg(not(unix))]
fn is_at(_: &File, path: &Path) -> bool {
    path.exists()
}

fn now_ms() -> u64 {
    SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |elapsed| {
        u64::try_from(elapsed.as_millis()).unwrap_or(u64::MAX)
    })
}
