//! Several schemas of a PostgreSQL database, compared one after another.

use serde::Serialize;

use super::{CompareRequest, DriftReport, Side, beside, report, stakes};
use crate::autogenerate::{Operation, sql};
use crate::catalog::expression::name;
use crate::catalog::{
    Catalog, Dependent, Dialect, ForeignKey, InspectError, ObjectKind, Roles, Scope, inspect,
};
use crate::command::offline::{Client, Group, one_line};
use crate::command::scratch::Rehearsed;
use crate::command::{CommandError, Project};
use crate::environment::Environment;
use crate::session::{Access, DatabaseUrl, Session, Settings, search_path};
use crate::sql::quoted;
use crate::verify::DriftError;
use order::{Gone, Order, in_order_of_need, in_phases, interleaved, speaks_of, taken_down};

mod order;

/// How several schemas differ.
#[derive(Clone, Debug, Serialize)]
pub struct SchemasReport {
    /// One report for each schema, in the order in which they were named.
    pub schemas: Vec<SchemaReport>,
}

/// How one schema of several differs.
#[derive(Clone, Debug, Serialize)]
pub struct SchemaReport {
    /// The schema.
    pub schema: String,
    /// What happens to the schema itself, beside to what it holds.
    pub change: SchemaChange,
    /// How what it holds differs.
    #[serde(flatten)]
    pub report: DriftReport,
}

/// What happens to a schema itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum SchemaChange {
    /// It is on both sides.
    None,
    /// It is wanted and missing.
    Add,
    /// It is there and not wanted.
    Drop,
    /// It is on neither side.
    Absent,
}

/// Returns what turns the schemas of one side into those of the other; all of them are of PostgreSQL.
///
/// # Errors
///
/// As for [`diff`](super::diff); and when a side describes one schema only, as entities and snapshots do, or no schema is on any
/// side.
pub async fn diff_schemas(
    environment: &Environment,
    from: &Side,
    to: &Side,
    schemas: &[String],
    request: &CompareRequest,
) -> Result<SchemasReport, CommandError> {
    for side in [from, to] {
        if matches!(side, Side::Entities | Side::Snapshot(_)) {
            return Err(CommandError::OneSchemaOnly {
                schemas: schemas.join(", "),
            });
        }
    }
    let project = Project::of(environment)?;
    let beside = beside(environment, from, to);
    let mut rehearsed = Vec::new();
    let compared = async {
        for side in [from, to] {
            rehearsed.push(project.rehearsed(side, beside, request).await?);
        }
        let mut reports = Vec::new();
        let live = project.schemas_of(from, rehearsed[0].as_ref(), schemas).await?;
        let wanted = project.schemas_of(to, rehearsed[1].as_ref(), schemas).await?;
        let pairs = live.into_iter().zip(wanted);
        for (place, (schema, (mut live, mut wanted))) in schemas.iter().zip(pairs).enumerate() {
            // What is in another of the schemas is compared as well.
            if let Some(live) = &mut live {
                live.outside.retain(|dependent| !is_in_one_of(dependent, schemas));
            }
            if place > 0 {
                [&mut live, &mut wanted]
                    .into_iter()
                    .flatten()
                    .for_each(leave_out_extensions);
            }
            reports.push(compare_schema(schema, live, wanted, request)?);
        }
        if let Side::Database(url) = from {
            let session = project.session_outside(url).await?;
            let counted = count_stakes(&session, &mut reports).await;
            session.close().await;
            counted?;
        }
        if reports.iter().all(|report| report.change == SchemaChange::Absent) {
            let schema = schemas.join(", ");
            return Err(DriftError::from(InspectError::NoSchema { schema }).into());
        }
        Ok(SchemasReport { schemas: reports })
    };
    let compared = compared.await;
    for scratch in rehearsed.into_iter().flatten() {
        scratch.remove().await?;
    }
    compared
}

fn compare_schema(
    schema: &str,
    live: Option<Catalog>,
    wanted: Option<Catalog>,
    request: &CompareRequest,
) -> Result<SchemaReport, CommandError> {
    let change = match (&live, &wanted) {
        (Some(_), Some(_)) => SchemaChange::None,
        (None, Some(_)) => SchemaChange::Add,
        (Some(_), None) => SchemaChange::Drop,
        (None, None) => SchemaChange::Absent,
    };
    let found = report(
        &live.unwrap_or_else(empty),
        &wanted.unwrap_or_else(empty),
        request,
    )?;
    Ok(SchemaReport {
        schema: schema.to_owned(),
        change,
        report: found,
    })
}

async fn count_stakes(session: &Session, reports: &mut [SchemaReport]) -> Result<(), CommandError> {
    for SchemaReport { schema, report, .. } in reports {
        let path = search_path(&quoted(schema));
        session.send(&path).await.map_err(|source| CommandError::Query {
            action: "enter a schema",
            source: source.into(),
        })?;
        report.stakes = stakes::stakes(session, &report.live, &report.difference.operations).await?;
    }
    Ok(())
}

/// Whether what the server calls something has the name of one of the schemas before its own.
fn is_in_one_of(dependent: &Dependent, schemas: &[String]) -> bool {
    let mut schemas = schemas.iter();
    schemas.any(|schema| dependent.dependent.contains(&format!(" {}.", name(schema))))
}

/// A database has its extensions once; they are compared with the first schema.
fn leave_out_extensions(catalog: &mut Catalog) {
    if let Some(objects) = &mut catalog.objects {
        objects.retain(|object| object.kind != ObjectKind::Extension);
    }
}

/// A schema that is not there.
fn empty() -> Catalog {
    Catalog {
        objects: Some(Vec::new()),
        roles: Some(Roles::default()),
        ..Catalog::new(Dialect::Postgresql)
    }
}

impl Project<'_> {
    /// Connects without entering a schema: one that is named may not be there.
    async fn session_outside(&self, url: &DatabaseUrl) -> Result<Session, CommandError> {
        let settings = Settings {
            schema: None,
            ..self.environment.settings.clone()
        };
        Ok(Session::open(url, &settings, Access::Read).await?)
    }

    /// Returns the schemas of a side, each with the number of those that nobody has named.
    async fn schemas_of(
        &self,
        side: &Side,
        rehearsed: Option<&Rehearsed>,
        schemas: &[String],
    ) -> Result<Vec<Option<Catalog>>, CommandError> {
        let mut found = Vec::with_capacity(schemas.len());
        for schema in schemas {
            found.push(self.schema_of(side, rehearsed, schema).await?);
        }
        let others = found.iter().flatten().skip(1).map(|_| 1_u64).sum();
        for catalog in found.iter_mut().flatten() {
            let unnamed = catalog.not_compared.entry("schema".to_owned()).or_default();
            *unnamed = unnamed.saturating_sub(others);
            catalog.not_compared.retain(|_, number| *number > 0);
        }
        Ok(found)
    }

    /// Returns one schema of a side, or nothing where it is not there.
    async fn schema_of(
        &self,
        side: &Side,
        rehearsed: Option<&Rehearsed>,
        schema: &str,
    ) -> Result<Option<Catalog>, CommandError> {
        let scope = Scope {
            schema: Some(schema.to_owned()),
            ..self.environment.scope()
        };
        let read = match (side, rehearsed) {
            (Side::Database(url), _) => {
                let session = self.session_outside(url).await?;
                let read = inspect(session.connection(), &scope).await;
                session.close().await;
                read.map_err(|error| DriftError::from(error).into())
            }
            (_, Some(rehearsed)) => rehearsed.catalog(&scope).await,
            (_, None) => unreachable!("a side that is no database takes a scratch database"),
        };
        match read {
            Err(CommandError::Drift(error))
                if matches!(*error, DriftError::Inspect(InspectError::NoSchema { .. })) =>
            {
                Ok(None)
            }
            read => read.map(Some),
        }
    }
}

impl SchemasReport {
    /// Returns whether there is nothing to do.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        let mut schemas = self.schemas.iter();
        self.made_or_dropped().next().is_none() && schemas.all(|schema| schema.report.difference.is_empty())
    }

    /// Returns the schemas that are made or dropped themselves.
    pub fn made_or_dropped(&self) -> impl Iterator<Item = &SchemaReport> {
        let schemas = self.schemas.iter();
        schemas.filter(|schema| matches!(schema.change, SchemaChange::Add | SchemaChange::Drop))
    }

    /// Returns the operations as a script for `psql`; it is empty where there is nothing to do.
    ///
    /// # Errors
    ///
    /// Fails when a statement cannot be fed to the client, when something that is wanted is in the way and could not come back, or
    /// when revisions make no sense.
    pub fn script(&self, environment: &Environment) -> Result<String, CommandError> {
        if self.is_empty() {
            return Ok(String::new());
        }
        let project = Project::of(environment)?;
        let frame = project.frame(Client::of_dialect(Dialect::Postgresql));
        let mut text = frame.opening(&environment.actor.tool_version, "differences");
        for SchemaReport { schema, report, .. } in &self.schemas {
            report.refuse_what_is_in_the_way()?;
            for lost in report.destructive() {
                text.push_str(&format!(
                    "-- destroys rows or values: {schema}: {}\n",
                    one_line(&lost.to_string())
                ));
            }
        }
        let written = frame.statements_of_schemas(&self.groups()?);
        text.push_str(&written.map_err(|source| CommandError::NotFeedable {
            subject: "the differences".to_owned(),
            source: Box::new(source),
        })?);
        Ok(text)
    }

    /// Returns the statements in groups of one schema each: what schemas let go of, what they are made of, what reaches from one to
    /// another, what nobody needs any more.
    fn groups(&self) -> Result<Vec<Group<'_>>, CommandError> {
        let mut phases: [Vec<Group<'_>>; 4] = Default::default();
        let mut end = Vec::new();
        for SchemaReport { schema, report, .. } in &self.schemas {
            let mut live = report.live.clone();
            let is_looked_into = self
                .schemas
                .iter()
                .any(|other| other.schema != *schema && speaks_of(&other.report.live.to_json(), schema));
            let [first, early, between, last, gone] =
                in_phases(&report.difference.operations, is_looked_into);
            for (phase, operations) in phases.iter_mut().zip([first, early, between, last]) {
                let statements = sql(&live, &operations)?;
                operations.iter().for_each(|operation| operation.apply(&mut live));
                phase.push(Group { schema, statements });
            }
            let mut operations = Vec::with_capacity(gone.len());
            for operation in gone {
                let statements = sql(&live, std::slice::from_ref(&operation))?;
                operation.apply(&mut live);
                operations.push((operation, statements));
            }
            end.push(Gone { schema, operations });
        }
        let [first, early, between, last] = phases;
        let live = |group: &Group<'_>| {
            let mut schemas = self.schemas.iter();
            let own = schemas.find(|schema| schema.schema == group.schema);
            own.map_or_else(String::new, |schema| schema.report.live.to_json())
        };
        let made = |group: &Group<'_>| group.statements.join(" ");
        let mut groups = vec![Group::outside(self.each(SchemaChange::Add, "CREATE SCHEMA"))];
        groups.extend(in_order_of_need(first, live).into_groups().into_iter().rev());
        let whole = early
            .iter()
            .zip(&between)
            .zip(&last)
            .map(|((early, between), last)| Group {
                schema: early.schema,
                statements: [&early.statements[..], &between.statements, &last.statements].concat(),
            });
        match in_order_of_need(whole.collect(), made) {
            Order::Clear(schemas) if !self.drops_across() => groups.extend(schemas),
            // Where schemas need each other, single statements do.
            Order::Clear(_) | Order::Circular(_) => {
                groups.extend(interleaved(&[&early, &between, &last], |schema, table| {
                    self.referred_to(schema, table)
                }));
            }
        }
        groups.extend(taken_down(end));
        groups.push(Group::outside(self.each(SchemaChange::Drop, "DROP SCHEMA")));
        groups.retain(|group| !group.statements.is_empty());
        Ok(groups)
    }

    /// Whether a table goes that refers to one of another schema, which may go as well.
    fn drops_across(&self) -> bool {
        let operations = self
            .schemas
            .iter()
            .flat_map(|schema| &schema.report.difference.operations);
        let is_across = |key: &ForeignKey| key.ref_table.contains('.');
        operations
            .filter_map(|operation| match operation {
                Operation::DropTable { table } => Some(&table.foreign_keys),
                _ => None,
            })
            .any(|keys| keys.iter().any(is_across))
    }

    /// Returns the tables of other schemas that a table refers to now.
    fn referred_to(&self, schema: &str, table: &str) -> Vec<String> {
        let mut schemas = self.schemas.iter();
        let own = schemas.find(|report| report.schema == schema);
        let table = own.and_then(|report| report.report.live.table(table));
        let keys = table.iter().flat_map(|table| &table.foreign_keys);
        keys.map(|key| key.ref_table.clone()).collect()
    }

    fn each(&self, change: SchemaChange, words: &str) -> Vec<String> {
        let changed = self.schemas.iter().filter(|schema| schema.change == change);
        changed
            .map(|schema| format!("{words} {}", quoted(&schema.schema)))
            .collect()
    }
}
