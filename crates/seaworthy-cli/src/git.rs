//! What a branch changes, as git tells it.

use std::io;
use std::path::{Path, PathBuf};
use std::process::Command;

use thiserror::Error;

/// The files of a repository that differ from where a branch began.
pub(crate) struct Changes {
    /// The folder that the repository is in, without links.
    root: PathBuf,
    /// Below it.
    files: Vec<PathBuf>,
}

/// Git does not say what a branch changes.
#[derive(Debug, Error)]
pub(crate) enum GitError {
    /// The program cannot be started.
    #[error("git cannot be run")]
    NotRun {
        /// Why not.
        source: io::Error,
    },
    /// The working folder is in no repository.
    #[error("the working folder is in no git repository")]
    NoRepository,
    /// There is no such commit.
    #[error("git knows no commit {base}")]
    NoCommit {
        /// What was asked for.
        base: String,
    },
    /// A commit and the branch have nothing in common, as far as they were fetched.
    #[error("{base} and HEAD have no commit in common")]
    NothingInCommon {
        /// The commit.
        base: String,
    },
    /// Something else.
    #[error("git {verb} failed: {said}")]
    Failed {
        /// What was asked.
        verb: String,
        /// What it said.
        said: String,
    },
}

impl GitError {
    /// Returns the way out.
    pub(crate) fn hint(&self) -> Option<String> {
        Some(match self {
            Self::NotRun { .. } => "install git, or name the revisions: lint a:b".to_owned(),
            Self::NoRepository => "run it inside of one, or name the revisions: lint a:b".to_owned(),
            Self::NoCommit { base } => match base.split_once('/') {
                Some((remote, branch)) => format!("fetch it first: git fetch {remote} {branch}"),
                None => format!("fetch it first, or is origin/{base} meant?"),
            },
            Self::NothingInCommon { .. } => {
                "fetch the whole history: git fetch --unshallow, or fetch-depth: 0 in GitHub Actions"
                    .to_owned()
            }
            Self::Failed { .. } => return None,
        })
    }
}

/// Returns the files that were added or changed since the branch left a commit, uncommitted and untracked ones included.
pub(crate) fn changes_since(base: &str) -> Result<Changes, GitError> {
    let here = Path::new(".");
    let root = git(here, &["rev-parse", "--show-toplevel"])?.ok_or(GitError::NoRepository)?;
    let root = PathBuf::from(root.trim_end());
    let root = root.canonicalize().unwrap_or(root);
    let no_commit = || GitError::NoCommit {
        base: base.to_owned(),
    };
    // What begins with a dash would be an option.
    if base.starts_with('-') {
        return Err(no_commit());
    }
    let commit = format!("{base}^{{commit}}");
    git(&root, &["rev-parse", "--verify", "--quiet", &commit])?.ok_or_else(no_commit)?;
    let start = git(&root, &["merge-base", base, "HEAD"])?.ok_or_else(|| GitError::NothingInCommon {
        base: base.to_owned(),
    })?;
    let changed = [
        "diff",
        "--name-only",
        "-z",
        "--no-relative",
        "--diff-filter=ACMR",
        start.trim_end(),
        "--",
    ];
    let untracked = ["ls-files", "-z", "--others", "--exclude-standard"];
    let mut files = Vec::new();
    for words in [&changed[..], &untracked[..]] {
        let listed = git(&root, words)?.ok_or_else(|| GitError::Failed {
            verb: words[0].to_owned(),
            said: format!("in {}", root.display()),
        })?;
        let names = listed.split('\0').filter(|name| !name.is_empty());
        files.extend(names.map(PathBuf::from));
    }
    Ok(Changes { root, files })
}

impl Changes {
    /// Returns whether a file is among them; one outside of the repository counts as one.
    pub(crate) fn has(&self, file: &Path) -> bool {
        let absolute = file.canonicalize().unwrap_or_else(|_| file.to_owned());
        match absolute.strip_prefix(&self.root) {
            Ok(inside) => self.files.iter().any(|changed| changed == inside),
            Err(_) => true,
        }
    }

    /// Returns those of these names that a changed file or one of its folders below `folder` has.
    pub(crate) fn named<'a>(&self, folder: &Path, names: impl Iterator<Item = &'a str>) -> Vec<String> {
        let folder = folder.canonicalize().unwrap_or_else(|_| folder.to_owned());
        let below: Vec<PathBuf> = self
            .files
            .iter()
            .filter_map(|file| Some(self.root.join(file).strip_prefix(&folder).ok()?.to_owned()))
            .collect();
        let is_changed = |name: &&str| {
            let mut parts = below.iter().flat_map(|file| file.iter());
            parts.any(|part| Path::new(part).file_stem().is_some_and(|stem| stem == *name))
        };
        names.filter(is_changed).map(str::to_owned).collect()
    }
}

/// Runs git in a folder; returns what it printed, or nothing where it says no.
fn git(folder: &Path, words: &[&str]) -> Result<Option<String>, GitError> {
    let output = Command::new("git")
        .args(words)
        .current_dir(folder)
        .output()
        .map_err(|source| GitError::NotRun { source })?;
    // 1 is an answer, 128 is that it could not look.
    let said = String::from_utf8_lossy(&output.stderr).trim().to_owned();
    match output.status.code() {
        Some(0) => Ok(Some(String::from_utf8_lossy(&output.stdout).into_owned())),
        _ if said.is_empty() || said.contains("not a git repository") => Ok(None),
        _ => Err(GitError::Failed {
            verb: words[0].to_owned(),
            said,
        }),
    }
}
