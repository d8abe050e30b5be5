//! The verbs that compare schemas, and the one that writes what it found.

use std::io::{BufRead, Write};
use std::path::Path;
use std::process::{Command, Stdio};

use seaworthy::autogenerate::{Fill, Rename, Suggestion, extras};
use seaworthy::catalog::Dialect;
use seaworthy::command::{
    self, ColumnChange, CompareRequest, DriftReport, GenerateRequest, RevisionRequest, Side, WhenEmpty,
    WhenMostlyDropped,
};
use seaworthy::environment::Environment;
use seaworthy::session::DatabaseUrl;
use tokio_util::sync::CancellationToken;

use crate::args::{Check, Compare, General, Generate, Place};
use crate::exit::{Ending, Failure};
use crate::output::{Screen, reports, schema as show};
use crate::settings::folder;
use crate::signals::Signals;

pub(super) async fn check(
    environment: &Environment,
    asked: &Check,
    screen: &Screen,
) -> Result<Ending, Failure> {
    if asked.adopt_extras {
        return adopt_extras(environment, screen).await;
    }
    let (to, compare) = (&asked.to, &asked.compare);
    let (wanted, request) = (to.parse()?, compare.request()?);
    let from = environment.database.clone().map(Side::Database);
    if let Some(from) = &from
        && let Some(schemas) = several(environment, &[from, &wanted])?
    {
        return diff_schemas(
            environment,
            (from, &wanted),
            &schemas,
            (compare, &request),
            screen,
        )
        .await;
    }
    let report = checked(environment, &wanted, &request).await?;
    compared(environment, &report, compare, screen)
}

/// Prints what no entity mentions as code.
async fn adopt_extras(environment: &Environment, screen: &Screen) -> Result<Ending, Failure> {
    let undeclared = command::undeclared(environment).await?;
    if screen.is_json() {
        screen.json(&undeclared);
    } else if undeclared.is_empty() {
        screen.note("nothing to adopt: the entities mention all that their tables have");
    } else {
        screen.line(extras(&undeclared).trim_end());
    }
    Ok(Ending::Done)
}

async fn checked(
    environment: &Environment,
    wanted: &Side,
    request: &CompareRequest,
) -> Result<DriftReport, Failure> {
    let signals = Signals::listen(&request.stop);
    signals.told(command::check_to(environment, wanted, request).await)
}

/// Returns the schemas that were named, where they are several and no side describes one only.
fn several(environment: &Environment, sides: &[&Side]) -> Result<Option<Vec<String>>, Failure> {
    let schemas = environment.settings.schemas();
    let describes_one = |side: &&Side| matches!(side, Side::Entities | Side::Snapshot(_));
    if schemas.len() < 2 || sides.iter().any(describes_one) {
        return Ok(None);
    }
    let is_sqlite = |url: &DatabaseUrl| Dialect::of(url.backend()) == Some(Dialect::Sqlite);
    let databases = sides.iter().filter_map(|side| match side {
        Side::Database(url) => Some(url),
        Side::Entities | Side::Snapshot(_) | Side::Revision(_) | Side::Sql(_) => None,
    });
    let databases: Vec<&DatabaseUrl> = databases.collect();
    if databases.iter().any(|url| is_sqlite(url)) {
        return Ok(None);
    }
    // What is no database is tried out beside one.
    if databases.is_empty() && environment.database.as_ref().is_none_or(is_sqlite) {
        return Err(Failure::Usage {
            message: format!(
                "{} are schemas of PostgreSQL, and what they hold is tried out beside a database of it: pass --database-url",
                schemas.join(", ")
            ),
        });
    }
    Ok(Some(schemas))
}

async fn diff_schemas(
    environment: &Environment,
    (from, to): (&Side, &Side),
    schemas: &[String],
    (compare, request): (&Compare, &CompareRequest),
    screen: &Screen,
) -> Result<Ending, Failure> {
    let signals = Signals::listen(&request.stop);
    let found = command::diff_schemas(environment, from, to, schemas, request).await;
    let report = signals.told(found)?;
    if compare.sql {
        show::schemas_sql(screen, &report, environment)?;
    } else {
        show::schemas(screen, &report);
    }
    Ok(ending(report.is_empty()))
}

impl Compare {
    fn request(&self) -> Result<CompareRequest, Failure> {
        Ok(CompareRequest {
            renames: renames(&self.rename)?,
            with: self.with.clone(),
            ..CompareRequest::default()
        })
    }
}

pub(super) async fn diff(
    environment: &Environment,
    from: &str,
    to: &str,
    compare: &Compare,
    screen: &Screen,
) -> Result<Ending, Failure> {
    let request = compare.request()?;
    let (from, to) = (from.parse()?, to.parse()?);
    if let Some(schemas) = several(environment, &[&from, &to])? {
        return diff_schemas(environment, (&from, &to), &schemas, (compare, &request), screen).await;
    }
    let signals = Signals::listen(&request.stop);
    let report = signals.told(command::diff(environment, &from, &to, &request).await)?;
    compared(environment, &report, compare, screen)
}

pub(super) async fn snapshot(environment: &Environment, screen: &Screen) -> Result<Ending, Failure> {
    let catalog = command::snapshot(environment).await?;
    screen.line(catalog.to_json().trim_end());
    Ok(Ending::Done)
}

pub(super) async fn generate(
    environment: &Environment,
    general: &General,
    (revision, place): (RevisionRequest, &Place),
    generate: &Generate,
    screen: &Screen,
) -> Result<Ending, Failure> {
    let stop = CancellationToken::new();
    let signals = Signals::listen(&stop);
    let choose = |suggestions: &[Suggestion]| match screen.is_interactive() && !general.yes {
        true => suggestions
            .iter()
            .filter(|suggestion| signals.while_asking(|| is_meant(&suggestion.rename)))
            .map(|suggestion| suggestion.rename.clone())
            .collect(),
        false => Vec::new(),
    };
    let comparison = CompareRequest {
        renames: renames(&generate.rename)?,
        stop,
        ..CompareRequest::default()
    };
    let wanted = generate.from.parse()?;
    if generate.sql {
        let report = checked(environment, &wanted, &comparison).await?;
        show::sql(screen, &report, environment)?;
        return Ok(ending(!report.difference.operations.is_empty()));
    }
    let request = GenerateRequest {
        revision,
        wanted,
        comparison,
        fills: fills(&generate.fill)?,
        large: generate.large.clone(),
        when_empty: match generate.empty_ok {
            true => WhenEmpty::Write,
            false => WhenEmpty::WriteNothing,
        },
        when_mostly_dropped: match general.yes {
            true => WhenMostlyDropped::Write,
            false => WhenMostlyDropped::Refuse,
        },
        choose: &choose,
    };
    let folder = folder(place);
    let generated = signals.told(command::generate(environment, &request, &folder).await)?;
    for revision in generated.revision.iter().chain(&generated.followed_by) {
        lay_out(&folder, &revision.written.file, screen);
    }
    show::generated(screen, &generated, &request.wanted);
    Ok(ending(generated.revision.is_some()))
}

pub(super) async fn online(
    environment: &Environment,
    (revision, place): (&RevisionRequest, &Place),
    generate: &Generate,
    screen: &Screen,
) -> Result<Ending, Failure> {
    let change = column_change(generate)?;
    let folder = folder(place);
    let revisions = command::online_change(environment, revision, &change, &folder).await?;
    for revision in &revisions {
        lay_out(&folder, &revision.written.file, screen);
    }
    reports::all_written(screen, &revisions);
    Ok(Ending::Done)
}

/// Returns the one change that is asked for.
fn column_change(generate: &Generate) -> Result<ColumnChange, Failure> {
    let wrong = |message: &str| Failure::Usage {
        message: message.to_owned(),
    };
    match (renames(&generate.rename)?.as_slice(), &generate.change_type) {
        ([Rename::Column { table, from, to }], None) => Ok(ColumnChange {
            table: table.clone(),
            from: from.clone(),
            to: to.clone(),
            data_type: None,
        }),
        ([], Some(text)) => changed_type(text).ok_or_else(|| {
            wrong(&format!(
                "{text:?} is no change of a type; write table.column=TYPE, or table.column=new_name:TYPE"
            ))
        }),
        _ => Err(wrong(
            "--online changes one column: say --rename table.old=new, or --change-type table.column=new_name:TYPE",
        )),
    }
}

fn changed_type(text: &str) -> Option<ColumnChange> {
    let (place, wanted) = text.split_once('=')?;
    let (table, from) = place.split_once('.')?;
    // Both columns are there for a while, so the new one needs a name of its own.
    let (to, data_type) = match wanted.split_once(':') {
        Some((to, data_type)) => (to.to_owned(), data_type),
        None => (format!("{from}_new"), wanted),
    };
    let is_whole = ![table, from, &to, data_type]
        .iter()
        .any(|part| part.trim().is_empty());
    is_whole.then(|| ColumnChange {
        table: table.to_owned(),
        from: from.to_owned(),
        to,
        data_type: Some(data_type.to_owned()),
    })
}

fn compared(
    environment: &Environment,
    report: &DriftReport,
    compare: &Compare,
    screen: &Screen,
) -> Result<Ending, Failure> {
    if compare.sql {
        show::sql(screen, report, environment)?;
    } else {
        show::drift(screen, report);
    }
    Ok(ending(report.difference.is_empty()))
}

fn ending(is_well: bool) -> Ending {
    if is_well {
        Ending::Done
    } else {
        Ending::CheckSaysNo
    }
}

fn renames(texts: &[String]) -> Result<Vec<Rename>, Failure> {
    texts
        .iter()
        .map(|text| {
            text.parse().map_err(|error| Failure::Usage {
                message: format!("{error}"),
            })
        })
        .collect()
}

fn fills(texts: &[String]) -> Result<Vec<Fill>, Failure> {
    texts
        .iter()
        .map(|text| {
            let parts = text
                .split_once('=')
                .and_then(|(place, value)| Some((place.split_once('.')?, value)));
            let Some(((table, column), value)) = parts.filter(|(_, value)| !value.is_empty()) else {
                return Err(Failure::Usage {
                    message: format!("{text:?} fills nothing; write table.column=VALUE, the value as SQL"),
                });
            };
            Ok(Fill {
                table: table.to_owned(),
                column: column.to_owned(),
                value: value.to_owned(),
            })
        })
        .collect()
}

fn is_meant(rename: &Rename) -> bool {
    let mut stderr = anstream::stderr().lock();
    drop(write!(stderr, "Is it {rename}? Type yes if so: "));
    drop(stderr.flush());
    let mut answer = String::new();
    let read = std::io::stdin().lock().read_line(&mut answer);
    read.is_ok() && answer.trim().eq_ignore_ascii_case("yes")
}

/// Has the project's own rustfmt lay the file out, by the project's settings.
fn lay_out(folder: &Path, file: &Path, screen: &Screen) {
    let manifest = std::fs::read_to_string(folder.join("Cargo.toml")).unwrap_or_default();
    let edition = ["2018", "2021"]
        .into_iter()
        .find(|year| manifest.contains(&format!("edition = \"{year}\"")))
        .unwrap_or("2024");
    let done = Command::new("rustfmt")
        .args(["--quiet", "--edition", edition])
        .arg(file)
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .status();
    if !done.is_ok_and(|status| status.success()) {
        screen.note("rustfmt could not lay the file out; run `cargo fmt`");
    }
}
