//! `--sql`: a script instead of a run, to be read, kept, and piped into `psql` or `sqlite3`.
//!
//! It leaves the same database behind as a run would, version rows and history included.

use sea_orm::DbBackend;
use serde::Serialize;

use super::state::State;
use super::upgrade::close;
use super::{CommandError, Project};
use crate::environment::Environment;
use crate::graph::{Applied, Plan, StampPlan, Step, Target};
use crate::ledger::{Entry, Kind, Moment};
use crate::revision::{Direction, Header, RevisionId, Stage};
use crate::script::Script;
use crate::session::{Actor, dialect_of};

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
    project.script(&plan, Kind::Upgrade).await
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
    project.script(&plan, Kind::Downgrade).await
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
        let reader = self.reader().await?;
        let state = self.state(reader.as_ref()).await?;
        close(reader).await;
        state.refuse_unknown()?;
        Ok(state)
    }

    async fn script(&self, plan: &Plan, kind: Kind) -> Result<OfflineScript, CommandError> {
        let backend = self.url()?.backend();
        let mut text = self.opening(backend, kind.word());
        let run = super::new_run();
        for step in &plan.steps {
            let (header, _) = self.resolve(step);
            let script = Script::clone(&*self.script_of(step, dialect_of(backend)).await);
            if let Some(reason) = &script.incomplete {
                let (revision, reason) = (step.revision.clone(), reason.clone());
                return Err(CommandError::NotRecordable { revision, reason });
            }
            let entry = self.scripted(&run, kind, step.direction, header, script.checksum());
            let script = with_portable_backfills(script);
            text.push_str(&self.step_text(step, header, &script, &entry, backend));
        }
        Ok(OfflineScript {
            sql: text,
            revisions: plan.revisions().cloned().collect(),
            notes: plan.notes.iter().map(ToString::to_string).collect(),
        })
    }

    fn stamp_script(&self, applied: &Applied, plan: &StampPlan) -> Result<OfflineScript, CommandError> {
        let backend = self.url()?.backend();
        let run = super::new_run();
        let (from, to) = (applied.heads(&self.graph), plan.after.heads(&self.graph));
        let mut text = self.opening(backend, "stamp");
        text.push_str(&format!(
            "\n-- Running stamp_revision {} -> {}\nBEGIN;\n",
            listed(&from),
            listed(&to)
        ));
        let removed = plan.removed.iter().map(|id| (id, Direction::Down));
        let added = plan.added.iter().map(|id| (id, Direction::Up));
        for (id, direction) in removed.chain(added) {
            let header = self
                .graph
                .header(id)
                .expect("a stamp holds revisions of its graph");
            text.push_str(&self.ledger.record_sql(
                backend,
                &self.scripted(&run, Kind::Stamp, direction, header, None),
            ));
        }
        text.push_str("COMMIT;\n");
        Ok(OfflineScript {
            sql: text,
            revisions: plan.added.clone(),
            notes: Vec::new(),
        })
    }

    fn opening(&self, backend: DbBackend, verb: &str) -> String {
        let pipe = match backend {
            DbBackend::Postgres => "psql -v ON_ERROR_STOP=1",
            _ => "sqlite3 -bail",
        };
        let version = &self.environment.actor.tool_version;
        format!(
            "-- seaworthy {version}: {verb}. Feed it to: {pipe}\n{}{}",
            self.ledger.create_tables(backend),
            crate::heartbeat::create_table(backend)
        )
    }

    fn step_text(
        &self,
        step: &Step,
        header: &Header,
        script: &Script,
        entry: &Entry,
        backend: DbBackend,
    ) -> String {
        let (from, to) = (listed(&header.revises), header.id.as_str().to_owned());
        let title = match step.direction {
            Direction::Up => format!("upgrade {from} -> {to}"),
            Direction::Down => format!("downgrade {to} -> {from}"),
        };
        let mut text = format!("\n-- Running {title}");
        if !header.message.is_empty() {
            text.push_str(&format!(", {}", one_line(&header.message)));
        }
        text.push('\n');
        for read in &script.reads {
            text.push_str(&format!(
                "-- asks the database, answered as by an empty one: {}\n",
                one_line(read)
            ));
        }
        let begin = if backend == DbBackend::Sqlite {
            "BEGIN IMMEDIATE;\n"
        } else {
            "BEGIN;\n"
        };
        let without_keys = script.transaction && script.switches_foreign_keys_off();
        if without_keys {
            // Inside the transaction it would have no effect.
            text.push_str("PRAGMA foreign_keys = OFF;\n");
        }
        if script.transaction {
            text.push_str(begin);
        }
        for statement in &script.sent {
            text.push_str(statement);
            text.push_str(";\n");
        }
        if !script.transaction {
            text.push_str(begin);
        }
        text.push_str(&self.ledger.record_sql(backend, entry));
        text.push_str("COMMIT;\n");
        if without_keys {
            text.push_str("PRAGMA foreign_keys = ON;\n");
        }
        text
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

/// Gives backfills a form that needs no runner.
fn with_portable_backfills(mut script: Script) -> Script {
    for (place, portable) in std::mem::take(&mut script.portable) {
        if let Some(statement) = script.sent.get_mut(place) {
            *statement = format!("{statement}\n{}", portable.trim_end().trim_end_matches(';'));
        }
    }
    script
}

fn listed(revisions: &[RevisionId]) -> String {
    revisions
        .iter()
        .map(RevisionId::as_str)
        .collect::<Vec<_>>()
        .join(", ")
}

fn one_line(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}
