//! What a walk has found so far.

use std::collections::BTreeMap;

use super::kept::Counts;
use super::promise::{BrokenPromise, Promise};
use super::{Irreversible, VerifiedDatabase};
use crate::catalog::Dialect;
use crate::revision::RevisionId;

/// What was found so far at one place.
pub(super) struct Found {
    pub(super) database: VerifiedDatabase,
    pub(super) broken: Vec<BrokenPromise>,
    /// What revisions have put in in this walk, by revision.
    pub(super) brought: BTreeMap<RevisionId, Counts>,
}

impl Found {
    pub(super) fn on(dialect: Dialect) -> Self {
        Self {
            database: VerifiedDatabase {
                dialect,
                steps: 0,
                rows: 0,
                unfilled: Vec::new(),
                irreversible: Vec::new(),
            },
            broken: Vec::new(),
            brought: BTreeMap::new(),
        }
    }

    /// Returns whether a promise is broken.
    pub(super) fn has_broken(&self, promise: Promise) -> bool {
        self.broken.iter().any(|broken| broken.promise == promise)
    }

    /// Notes a promise that is broken, unless it was on the empty database as well, or is for the same reason.
    pub(super) fn note(
        &mut self,
        promise: Promise,
        revision: Option<&RevisionId>,
        with_rows: bool,
        details: Vec<String>,
    ) {
        let is_noted = self.broken.iter().any(|noted| {
            let is_same = (noted.promise, noted.revision.as_ref()) == (promise, revision);
            is_same && (noted.with_rows != with_rows || noted.details == details)
        });
        if !details.is_empty() && !is_noted {
            self.broken.push(BrokenPromise {
                promise,
                dialect: Some(self.database.dialect),
                revision: revision.cloned(),
                with_rows,
                details,
                accepted: None,
            });
        }
    }

    /// Notes, once, that a revision cannot be undone.
    pub(super) fn cannot_be_undone(&mut self, revision: RevisionId, reason: String) {
        let noted = &mut self.database.irreversible;
        if !noted.iter().any(|noted| noted.revision == revision) {
            noted.push(Irreversible { revision, reason });
        }
    }

    /// Returns whether a revision could not be undone, be it that it says so or that it broke its promise.
    pub(super) fn stays(&self, revision: &RevisionId) -> bool {
        let declared = self.database.irreversible.iter().map(|noted| &noted.revision);
        let failed = self
            .broken
            .iter()
            .filter(|broken| broken.promise == Promise::Undoes);
        let mut all = declared.chain(failed.filter_map(|broken| broken.revision.as_ref()));
        all.any(|noted| noted == revision)
    }
}
