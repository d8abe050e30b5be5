//! `--sql`: a script instead of a run, to be read, kept, and piped into `psql` or `sqlite3`.
//!
//! It leaves the same database behind as a run would, version rows and history included. It stops at the first error, with
//! nothing half done and nothing recorded that was not done.

use std::collections::BTreeSet;

use sea_orm::DbBackend;
use serde::Serialize;

use super::state::State;
use super::upgrade::close;
use super::{CommandError, Project};
use crate::environment::Environment;
use crate::graph::{Applied, Plan, StampPlan, Step, Target};
use crate::ledger::{Entry, Kind, Moment};
use crate::revision::{Direction, Header, RevisionId, Stage};
use crate::script::{Kept, Losses, PossibleLoss, Script};
use crate::session::{Actor, dialect_of, search_path};
use crate::sql::RowVerb;
pub(super) use client::Client;
pub use client::FeedError;
use frame::Frame;
pub(super) use frame::Group;

mod client;
mod facts;
mod frame;
mod spans;

/// A script, ready to be written to a file.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct OfflineScript {
    /// The text.
    pub sql: String,
    /// The revisions in the order in which the script runs them.
    pub revisions: Vec<RevisionId>,
    /// What is worth knowing, above all when there is nothing to do.
    pub notes: Vec<String>,
}

/// Returns the script of an upgrade.
///
/// It ends before the first revision of a later stage than `through`. With a `from` no database is asked; without one the script starts where the database stands.
///
/// # Errors
///
/// Fails when a target makes no sense, or when the SQL of a revision is not known beforehand.
pub async fn upgrade_sql(
    environment: &Environment,
    from: Option<&Target>,
    to: &Target,
    through: Stage,
) -> Result<OfflineScript, CommandError> {
    let project = Project::of(environment)?;
    let plan = match from {
        Some(from) => project.graph.upgrade_range(from, to)?,
        None => {
            let state = project.live_state().await?;
            project.graph.upgrade(&state.applied, to)?
        }
    };
    let plan = project.graph.through(plan, through);
    project.script(&plan, Kind::Upgrade, from).await
}

/// Returns the script of a downgrade.
///
/// # Errors
///
/// As for [`upgrade_sql`].
pub async fn downgrade_sql(
    environment: &Environment,
    from: Option<&Target>,
    to: &Target,
) -> Result<OfflineScript, CommandError> {
    let project = Project::of(environment)?;
    let plan = match from {
        Some(from) => project.graph.downgrade_range(from, to)?,
        None => project.plan_down(&project.live_state().await?, to)?,
    };
    project.script(&plan, Kind::Downgrade, from).await
}

/// Returns the script of a stamp.
///
/// # Errors
///
/// As for [`upgrade_sql`].
pub async fn stamp_sql(
    environment: &Environment,
    from: Option<&Target>,
    targets: &[Target],
) -> Result<OfflineScript, CommandError> {
    let project = Project::of(environment)?;
    let applied = match from {
        Some(from) => project.graph.applied_at(from)?,
        None => project.live_state().await?.applied,
    };
    let plan = project.graph.stamp(&applied, targets)?;
    project.stamp_script(&applied, &plan)
}

impl Project<'_> {
    async fn live_state(&self) -> Result<State, CommandError> {
        if self.environment.database.is_none() {
            return Err(CommandError::NowhereToBegin);
        }
        let reader = self.reader().await?;
        let state = self.state(reader.as_ref()).await?;
        close(reader).await;
        state.refuse_unknown()?;
        Ok(state)
    }

    /// Returns what stands around the statements of a script.
    pub(super) fn frame(&self, client: Client) -> Frame {
        let schema = self.environment.settings.schema.as_deref();
        Frame::new(client, schema.map(search_path).as_deref())
    }

    /// Returns the script of a plan; what its revisions ask is answered by the live database, or by what the revisions up to the
    /// beginning of a range make of an empty one.
    async fn script(
        &self,
        plan: &Plan,
        kind: Kind,
        from: Option<&Target>,
    ) -> Result<OfflineScript, CommandError> {
        let backend = self.url()?.backend();
        let dialect = dialect_of(backend);
        let known = match from {
            Some(from) => {
                let applied = self.graph.applied_at(from)?;
                self.known_after(&applied, dialect).await?
            }
            None => self.known_live(dialect)?,
        };
        self.record_script(plan, dialect, &known).await?;
        let frame = self.frame(Client::of_backend(backend));
        let mut text = self.opening(&frame, backend, kind.word());
        let run = super::new_run();
        for step in &plan.steps {
            let (header, _) = self.resolve(step);
            let script = self.script_of(step, dialect).await;
            let entry = self.scripted(&run, kind, step.direction, header, script.checksum());
            text.push_str(&heading(step, header, &script));
            let precondition = match (step.direction, script.transaction) {
                // A second version row fails by itself.
                (Direction::Up, true) => String::new(),
                _ => self.ledger.precondition_sql(backend, &entry),
            };
            let record = self.ledger.record_sql(backend, &entry);
            let written = frame.step(&script, &precondition, &record);
            text.push_str(&written.map_err(|source| CommandError::NotFeedable {
                subject: format!("revision {}", step.revision),
                source: Box::new(source),
            })?);
        }
        Ok(OfflineScript {
            sql: text,
            revisions: plan.revisions().cloned().collect(),
            notes: plan.notes.iter().map(ToString::to_string).collect(),
        })
    }

    fn stamp_script(&self, applied: &Applied, plan: &StampPlan) -> Result<OfflineScript, CommandError> {
        let backend = self.url()?.backend();
        let frame = self.frame(Client::of_backend(backend));
        let run = super::new_run();
        let (from, to) = (applied.heads(&self.graph), plan.after.heads(&self.graph));
        let removed = plan.removed.iter().map(|id| (id, Direction::Down));
        let added = plan.added.iter().map(|id| (id, Direction::Up));
        let mut rows = String::new();
        for (id, direction) in removed.chain(added) {
            let header = self
                .graph
                .header(id)
                .expect("a stamp holds revisions of its graph");
            rows.push_str(&self.ledger.record_sql(
                backend,
                &self.scripted(&run, Kind::Stamp, direction, header, None),
            ));
        }
        Ok(OfflineScript {
            sql: format!(
                "{}\n-- Running stamp_revision {} -> {}\n{}",
                self.opening(&frame, backend, "stamp"),
                listed(&from),
                listed(&to),
                frame.transaction(&rows)
            ),
            revisions: plan.added.clone(),
            notes: Vec::new(),
        })
    }

    fn opening(&self, frame: &Frame, backend: DbBackend, verb: &str) -> String {
        let opening = frame.opening(&self.environment.actor.tool_version, verb);
        let tables = format!(
            "{}{}",
            self.ledger.create_tables(backend),
            crate::heartbeat::create_table(backend)
        );
        format!("{opening}{}", frame.transaction(&tables))
    }

    fn scripted(
        &self,
        run: &str,
        kind: Kind,
        direction: Direction,
        header: &Header,
        checksum: Option<String>,
    ) -> Entry {
        let mut entry = self.declared(
            run,
            kind,
            direction,
            header.id.as_str(),
            &header.name,
            Moment::Execution,
        );
        entry.checksum = checksum;
        // Who will feed the script to the database, and where, is not known.
        entry.actor = Actor {
            user: None,
            host: None,
            ..entry.actor
        };
        entry
    }
}

/// Returns the comments above a step: what it is, and what a reader has to know of it.
fn heading(step: &Step, header: &Header, script: &Script) -> String {
    let (from, to) = (listed(&header.revises), header.id.as_str());
    let mut text = match step.direction {
        Direction::Up => format!("\n-- Running upgrade {from} -> {to}"),
        Direction::Down => format!("\n-- Running downgrade {to} -> {from}"),
    };
    if !header.message.is_empty() {
        text.push_str(&format!(", {}", one_line(&header.message)));
    }
    text.push('\n');
    for loss in destroyed(script) {
        text.push_str(&format!("-- destroys {}\n", one_line(&loss)));
    }
    for read in &script.reads {
        text.push_str(&format!("-- asks the database: {}\n", one_line(read)));
    }
    text
}

/// Returns what a step may destroy: a script cannot ask whether it may.
fn destroyed(script: &Script) -> Vec<String> {
    let mut losses = Losses::default();
    losses.add(script);
    let mut found: Vec<String> = losses.possible.into_iter().filter_map(in_words).collect();
    found.extend(losses.unclear.into_iter().map(|what| format!("perhaps: {what}")));
    found.dedup();
    found
}

/// Says what may be lost, as far as the statements alone tell.
fn in_words(loss: PossibleLoss) -> Option<String> {
    Some(match loss {
        PossibleLoss::PartlyKept { removal, .. } => format!("rows of {}", removal.object),
        PossibleLoss::Removed { removal, kept } => {
            let object = removal.object;
            match kept {
                None => object.to_string(),
                Some(Kept::AllBut(columns)) if columns.is_empty() => return None,
                Some(Kept::AllBut(columns)) => format!("of {object} {}", columns_in_words(columns)),
                Some(Kept::Columns(columns)) => {
                    format!("perhaps: of {object} all but {}", columns_in_words(columns))
                }
            }
        }
        PossibleLoss::Rows { verb, table, .. } => match verb {
            RowVerb::Insert | RowVerb::Upsert | RowVerb::Update => return None,
            RowVerb::Replace | RowVerb::Delete | RowVerb::Truncate | RowVerb::Merge => {
                format!("rows of table {table}")
            }
        },
        PossibleLoss::Retyped { table, column, .. } => {
            format!("values of {table}.{column} that its new type does not hold")
        }
        PossibleLoss::Reshaped {
            table, column, form, ..
        } => format!(
            "values of {table}.{column} that cannot be had back from {}",
            form.text
        ),
        // What the database alone knows: what functions do, and whether rows are told apart.
        PossibleLoss::Called { .. } | PossibleLoss::Apart { .. } | PossibleLoss::Moved { .. } => return None,
    })
}

fn columns_in_words(columns: BTreeSet<String>) -> String {
    let noun = if columns.len() == 1 { "column" } else { "columns" };
    let names: Vec<String> = columns.into_iter().collect();
    format!("{noun} {}", names.join(", "))
}

fn listed(revisions: &[RevisionId]) -> String {
    revisions
        .iter()
        .map(RevisionId::as_str)
        .collect::<Vec<_>>()
        .join(", ")
}

/// Returns a text as it may stand in a comment.
pub(super) fn one_line(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}
