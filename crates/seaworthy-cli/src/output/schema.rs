//! How schemas differ, as text and as JSON.

use seaworthy::autogenerate::{Note, Operation, Risk};
use seaworthy::command::{CommandError, Counted, DriftReport, Generated, Stake};
use seaworthy::environment::Environment;

use super::{Screen, counted, hazards, reports};

/// Shows what would make two schemas equal.
pub(crate) fn drift(screen: &Screen, report: &DriftReport) {
    if screen.is_json() {
        return screen.json(report);
    }
    if report.difference.is_empty() {
        return screen.note("no differences");
    }
    found(screen, report);
    screen.note(&counted(report.difference.operations.len(), "difference"));
}

/// Shows the script that would make two schemas equal, as JSON the plain statements.
pub(crate) fn sql(
    screen: &Screen,
    report: &DriftReport,
    environment: &Environment,
) -> Result<(), CommandError> {
    if screen.is_json() {
        screen.json(report);
        return Ok(());
    }
    let script = report.script(environment)?;
    if !script.is_empty() {
        screen.line(script.trim_end());
    }
    Ok(())
}

/// Shows what was found and written.
pub(crate) fn generated(screen: &Screen, generated: &Generated) {
    if screen.is_json() {
        return screen.json(generated);
    }
    found(screen, &generated.found);
    let Some(revision) = &generated.revision else {
        return screen.note("nothing to do: the database is what the entities declare");
    };
    reports::written(screen, revision);
    generated
        .followed_by
        .iter()
        .for_each(|revision| reports::written(screen, revision));
    if !generated.hazards.is_empty() {
        hazards::script(screen, &revision.written.name, &generated.hazards);
    }
}

fn found(screen: &Screen, report: &DriftReport) {
    for (place, operation) in report.difference.operations.iter().enumerate() {
        screen.line(&line(operation));
        for stake in report.stakes.iter().filter(|stake| stake.operation == place) {
            screen.line(&format!("    {}", stake_words(stake)));
        }
    }
    for note in &report.difference.notes {
        screen.line(&match note {
            Note::MissingView { name } => format!("missing view {name}"),
            Note::MissingTrigger { table, name } => format!("missing trigger {name} on {table}"),
        });
    }
    for suggestion in &report.difference.suggestions {
        screen.note(&format!(
            "perhaps {} ({} of 100); say --rename if so",
            suggestion.rename, suggestion.score
        ));
    }
}

fn line(operation: &Operation) -> String {
    match operation.risk() {
        Risk::Loses => format!("{operation}  [destructive]"),
        _ => operation.to_string(),
    }
}

fn stake_words(stake: &Stake) -> String {
    let noun = match stake.counted {
        Counted::Duplicates => "group",
        _ => "row",
    };
    // More were not counted.
    let count = match usize::try_from(stake.rows) {
        Ok(rows) if rows <= 100_000 => counted(rows, noun),
        _ => format!("more than 100,000 {noun}s"),
    };
    let what = match stake.counted {
        Counted::RowsLost => "would be lost",
        Counted::ValuesLost => "with something that would be lost",
        Counted::Nulls => "without a value",
        Counted::Duplicates => "of rows that agree",
        Counted::RowsWithoutValue => "would have no value",
    };
    format!("{count} {what}")
}
