//! How schemas differ, as text and as JSON.

use seaworthy::autogenerate::{Difference, Operation, Risk};
use seaworthy::command::{
    CommandError, Counted, DriftReport, Generated, SchemaChange, SchemaReport, SchemasReport, Side, Stake,
};
use seaworthy::environment::Environment;
use seaworthy::lint::merge_repeats;

use super::{Screen, counted, hazards, reports};

/// Shows what would make two schemas equal.
pub(crate) fn drift(screen: &Screen, report: &DriftReport) {
    if screen.is_json() {
        return screen.json(report);
    }
    found(screen, report);
    let is_whole = report.difference.not_compared.is_empty();
    number_line(screen, number_of_differences(report), is_whole);
    not_compared_line(screen, report);
}

fn number_of_differences(report: &DriftReport) -> usize {
    let Difference {
        operations, notes, ..
    } = &report.difference;
    operations.len() + notes.len()
}

fn number_line(screen: &Screen, number: usize, is_whole: bool) {
    match (number, is_whole) {
        (0, true) => screen.note("no differences"),
        (0, false) => screen.note("what is compared is the same"),
        (number, _) => screen.note(&counted(number, "difference")),
    }
}

/// Shows what would make several schemas equal: those that differ below their names.
pub(crate) fn schemas(screen: &Screen, report: &SchemasReport) {
    if screen.is_json() {
        return screen.json(report);
    }
    let mut number = 0;
    for SchemaReport {
        schema,
        change,
        report,
    } in &report.schemas
    {
        let own = number_of_differences(report);
        let change = match change {
            SchemaChange::None if own == 0 => continue,
            SchemaChange::Absent => {
                screen.note(&format!("schema {schema} is on neither side"));
                continue;
            }
            SchemaChange::None => format!("schema {schema}:"),
            SchemaChange::Add => format!("add schema {schema}:"),
            SchemaChange::Drop => format!("drop schema {schema}:"),
        };
        screen.line(&change);
        found(screen, report);
        number += own;
    }
    number += report.made_or_dropped().count();
    let is_whole = report
        .schemas
        .iter()
        .all(|schema| schema.report.difference.not_compared.is_empty());
    number_line(screen, number, is_whole);
    for schema in &report.schemas {
        not_compared_line(screen, &schema.report);
    }
}

/// Shows the script that would make several schemas equal, as JSON the plain statements.
pub(crate) fn schemas_sql(
    screen: &Screen,
    report: &SchemasReport,
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
    for schema in &report.schemas {
        not_compared_line(screen, &schema.report);
    }
    Ok(())
}

/// Says what neither side was asked about.
fn not_compared_line(screen: &Screen, report: &DriftReport) {
    let kinds = &report.difference.not_compared;
    if kinds.is_empty() {
        return;
    }
    let words: Vec<String> = kinds
        .iter()
        .map(|(kind, number)| number_of(*number, kind))
        .collect();
    screen.note(&format!("not compared: {}", words.join(", ")));
    if kinds.keys().any(|kind| kind.starts_with("undeclared ")) {
        screen.note("`check --adopt-extras` writes what is undeclared as `extra` of the target");
    }
}

fn number_of(number: u64, kind: &str) -> String {
    if kind == "row security" {
        return format!("row security of {}", number_of(number, "table"));
    }
    let end = [" of ", " in "].iter().filter_map(|word| kind.find(word)).min();
    let (noun, rest) = kind.split_at(end.unwrap_or(kind.len()));
    let nouns = match noun {
        "statistics" | "grants" => noun.to_owned(),
        _ if number == 1 => noun.to_owned(),
        _ if noun.ends_with(['s', 'x']) => format!("{noun}es"),
        _ => noun
            .strip_suffix('y')
            .map_or_else(|| format!("{noun}s"), |stem| format!("{stem}ies")),
    };
    format!("{number} {nouns}{rest}")
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
    not_compared_line(screen, report);
    Ok(())
}

/// Shows what was found of what is wanted, and written for it.
pub(crate) fn generated(screen: &Screen, generated: &Generated, wanted: &Side) {
    if screen.is_json() {
        return screen.json(generated);
    }
    found(screen, &generated.found);
    let Some(revision) = &generated.revision else {
        let wanted = match wanted {
            Side::Entities => "what the entities declare",
            Side::Sql(_) => "what the SQL files make",
            Side::Revision(_) => "what the revisions make",
            Side::Snapshot(_) => "what the snapshot says",
            Side::Database(_) => "what the other one is",
        };
        screen.note(&format!("nothing to do: the database is {wanted}"));
        return not_compared_line(screen, &generated.found);
    };
    not_compared_line(screen, &generated.found);
    reports::written(screen, revision);
    generated
        .followed_by
        .iter()
        .for_each(|revision| reports::written(screen, revision));
    if !generated.hazards.is_empty() {
        let script = hazards::Script {
            file: revision.written.name.clone(),
            hazards: merge_repeats(generated.hazards.clone()),
        };
        hazards::script(screen, &script, &[]);
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
        screen.line(&note.to_string());
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

#[cfg(test)]
mod tests {
    use super::number_of;

    #[test]
    fn what_is_counted_reads_as_english() {
        for (number, kind, words) in [
            (1, "view", "1 view"),
            (2, "policy", "2 policies"),
            (3, "operator class", "3 operator classes"),
            (3, "undeclared index", "3 undeclared indexes"),
            (2, "index of a partition alone", "2 indexes of a partition alone"),
            (2, "persistence of a sequence", "2 persistences of a sequence"),
            (1, "row security", "row security of 1 table"),
            (2, "statistics", "2 statistics"),
        ] {
            assert_eq!(number_of(number, kind), words);
        }
    }
}
