//! Where a database stands, seen with the eyes of the graph.

use chrono::DateTime;
use serde::Serialize;

use super::{CommandError, Project};
use crate::graph::Applied;
use crate::ledger::{AppliedRow, Entry, Kind, Moment, Outcome, Records};
use crate::revision::{Direction, RevisionId};
use crate::session::Session;

/// Where a database stands.
pub(super) struct State {
    /// The applied revisions that the graph knows.
    pub(super) applied: Applied,
    /// The same in the order in which they were applied.
    pub(super) order: Vec<RevisionId>,
    /// Applied names that no revision has.
    pub(super) unknown: Vec<UnknownRow>,
    /// Steps without a transaction that began and did not end.
    pub(super) unfinished: Vec<UnfinishedStep>,
    /// What the ledger says.
    pub(super) records: Records,
    /// Whether each row was put in by the run that is under way, which may therefore remove it.
    pub(super) owns_rows: bool,
}

/// A row of the applied set that no revision knows.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct UnknownRow {
    /// The name in the row.
    pub name: String,
    /// When it was applied, in UTC.
    pub applied_at: String,
    /// Who applied it, where the history knows.
    pub by: Option<String>,
}

/// A step without a transaction that began and did not end.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct UnfinishedStep {
    /// The revision.
    pub revision: RevisionId,
    /// Which way it was run.
    pub direction: Direction,
    /// When it began, in UTC.
    pub started_at: String,
    /// Who ran it.
    pub by: String,
    /// How many of its parts are through for sure.
    pub parts_done: usize,
    /// The checksum of those parts.
    #[serde(skip)]
    pub checksum: Option<String>,
    /// Whether something it builds on was undone since, and what its parts made may be gone with that.
    pub is_stale: bool,
    /// Whether its next part was put back, since nobody had agreed to what it destroys.
    #[serde(skip)]
    pub was_refused: bool,
}

impl State {
    /// Refuses to go on when the database is at revisions that the graph does not know.
    pub(super) fn refuse_unknown(&self) -> Result<(), CommandError> {
        if self.unknown.is_empty() {
            return Ok(());
        }
        Err(CommandError::UnknownRows {
            rows: self.unknown.clone(),
        })
    }

    /// Returns the run of a step that began and did not end.
    pub(super) fn begun(&self, revision: &RevisionId, direction: Direction) -> Option<&UnfinishedStep> {
        self.unfinished
            .iter()
            .find(|step| step.revision == *revision && step.direction == direction)
    }

    /// Returns the applied revisions whose undoing began and did not end, newest first.
    pub(super) fn half_undone(&self) -> Vec<RevisionId> {
        let is_half_undone = |revision: &&RevisionId| self.begun(revision, Direction::Down).is_some();
        self.order.iter().rev().filter(is_half_undone).cloned().collect()
    }
}

impl Project<'_> {
    /// Reads where the database stands; a missing one stands at base.
    pub(super) async fn state(&self, session: Option<&Session>) -> Result<State, CommandError> {
        let records = match session {
            Some(session) => self.ledger.read(session).await?,
            None => Records::default(),
        };
        self.state_of(records)
    }

    fn state_of(&self, records: Records) -> Result<State, CommandError> {
        let mut known: Vec<(&AppliedRow, usize, RevisionId)> = Vec::new();
        let mut unknown = Vec::new();
        for row in &records.applied {
            match self.environment.position(&row.name) {
                Some(position) => {
                    let id = self.environment.headers()[position].id.clone();
                    known.push((row, position, id));
                }
                None => unknown.push(UnknownRow::new(row, records.latest.get(&row.name))),
            }
        }
        // Clocks of several machines differ and SeaORM stores whole seconds: where the history has seen every row, its order
        // counts alone. Where another tool applied some, the times have to do, and within a second the order of the list:
        // undoing a revision before the ones that build on it would destroy more than was asked for.
        let has_history = known.iter().all(|(row, ..)| row.sequence > 0);
        known.sort_by_key(|(row, position, _)| match has_history {
            true => (0, row.sequence, *position),
            false => (row.applied_at, 0, *position),
        });
        let order: Vec<RevisionId> = known.into_iter().map(|(.., id)| id).collect();
        let applied = self.graph.applied(&order)?;
        let unfinished = self.unfinished(&records);
        Ok(State {
            applied,
            order,
            unknown,
            unfinished,
            records,
            owns_rows: false,
        })
    }
}

impl Project<'_> {
    fn unfinished(&self, records: &Records) -> Vec<UnfinishedStep> {
        let mut steps: Vec<UnfinishedStep> = records
            .latest
            .values()
            .filter(|entry| entry.is_unfinished())
            .map(|entry| UnfinishedStep {
                is_stale: entry.direction == Direction::Up && self.was_undone_below(entry, records),
                ..UnfinishedStep::new(entry)
            })
            .collect();
        steps.sort_by(|one, other| one.started_at.cmp(&other.started_at));
        steps
    }

    /// Returns whether a revision that an entry's revision builds on was undone after the entry was written, applied again
    /// or not.
    fn was_undone_below(&self, entry: &Entry, records: &Records) -> bool {
        let Ok(below) = self.graph.applied_from_heads([&entry.revision]) else {
            return false;
        };
        let mut later = records.latest.values().filter(|other| {
            other.id > entry.id
                && other.outcome == Outcome::Done
                && matches!(other.kind, Kind::Upgrade | Kind::Downgrade)
        });
        later.any(|other| {
            let id = RevisionId::from(other.revision.as_str());
            other.name != entry.name && self.graph.header(&id).is_some() && below.contains(&self.graph, &id)
        })
    }
}

impl UnknownRow {
    fn new(row: &AppliedRow, entry: Option<&Entry>) -> Self {
        let at = DateTime::from_timestamp(row.applied_at, 0).unwrap_or_default();
        let by = entry
            .filter(|entry| entry.direction == Direction::Up)
            .map(|entry| entry.actor.name());
        Self {
            name: row.name.clone(),
            applied_at: at.format("%Y-%m-%dT%H:%M:%SZ").to_string(),
            by,
        }
    }

    /// Returns the row in words: its name, when and by whom it was applied.
    #[must_use]
    pub fn described(&self) -> String {
        match &self.by {
            Some(by) => format!("{} (applied {} by {by})", self.name, self.applied_at),
            None => format!(
                "{} (applied {} by a tool that keeps no history)",
                self.name, self.applied_at
            ),
        }
    }
}

impl UnfinishedStep {
    fn new(entry: &Entry) -> Self {
        Self {
            revision: entry.revision.as_str().into(),
            direction: entry.direction,
            started_at: text(entry.started_at),
            by: entry.actor.name(),
            parts_done: entry
                .parts_done
                .and_then(|done| usize::try_from(done).ok())
                .unwrap_or_default(),
            checksum: entry.checksum.clone(),
            is_stale: false,
            was_refused: entry.error.is_some(),
        }
    }
}

/// Returns a moment as text; the history never stores one that is not known.
pub(super) fn text(moment: Moment) -> String {
    moment.text().unwrap_or_default()
}
