//! How hazards look: text, JSON, annotations of GitHub Actions, SARIF.

use std::path::Path;

use seaworthy::command::LintedStep;
use seaworthy::lint::{Hazard, RULES, Severity, UnreadSchema};
use serde::Serialize;
use serde_json::{Value, json};

use super::{Screen, counted};
use crate::args::Format;

/// A file of SQL and its hazards.
#[derive(Serialize)]
pub(crate) struct Script {
    pub(crate) file: String,
    pub(crate) hazards: Vec<Hazard>,
}

/// Warns of what could not be understood of the file of a schema; in JSON the answer says it.
pub(crate) fn unread(screen: &Screen, file: &Path, unread: &[UnreadSchema]) {
    let file = file.display();
    for UnreadSchema {
        line,
        what,
        is_all_behind,
    } in unread
    {
        let unknown = match is_all_behind {
            true => "nothing of the schema is known from this line on",
            false => "what the statement does to the schema is not known",
        };
        let warning = screen.bold("warning");
        screen.note(&format!("{file}:{line}: {warning}: {what}; {unknown}"));
    }
}

/// Shows the hazards of a script.
pub(crate) fn script(screen: &Screen, script: &Script, schema_unread: &[UnreadSchema]) {
    match screen.format() {
        Format::Json => screen.json(&ScriptAnswer {
            hazards: &script.hazards,
            schema_unread,
        }),
        _ => show(screen, &found_in(std::slice::from_ref(script))),
    }
}

/// Shows the hazards of several scripts.
pub(crate) fn scripts(screen: &Screen, scripts: &[Script], schema_unread: &[UnreadSchema]) {
    match screen.format() {
        Format::Json => screen.json(&ScriptsAnswer {
            files: scripts,
            schema_unread,
        }),
        _ => show(screen, &found_in(scripts)),
    }
}

fn found_in(scripts: &[Script]) -> Vec<Found<'_>> {
    let found = scripts.iter().flat_map(|script| {
        let place = script.file.as_str();
        script.hazards.iter().map(move |hazard| Found { hazard, place })
    });
    found.collect()
}

/// Shows the hazards of revisions.
pub(crate) fn revisions(screen: &Screen, steps: &[LintedStep]) {
    let places: Vec<String> = steps
        .iter()
        .map(|step| format!("{} {}", step.revision, step.direction.word()))
        .collect();
    let found: Vec<Found<'_>> = steps
        .iter()
        .zip(&places)
        .flat_map(|(step, place)| step.hazards.iter().map(move |hazard| Found { hazard, place }))
        .collect();
    for (step, place) in steps.iter().zip(&places) {
        if let Some(reason) = &step.incomplete {
            screen.note(&format!("{place}: not all statements are known: {reason}"));
        }
    }
    match screen.format() {
        Format::Json => screen.json(&RevisionsAnswer { revisions: steps }),
        _ => show(screen, &found),
    }
}

/// The JSON document about a script.
#[derive(Serialize)]
struct ScriptAnswer<'a> {
    hazards: &'a [Hazard],
    #[serde(skip_serializing_if = "<[UnreadSchema]>::is_empty")]
    schema_unread: &'a [UnreadSchema],
}

/// The JSON document about several scripts.
#[derive(Serialize)]
struct ScriptsAnswer<'a> {
    files: &'a [Script],
    #[serde(skip_serializing_if = "<[UnreadSchema]>::is_empty")]
    schema_unread: &'a [UnreadSchema],
}

/// The JSON document about revisions.
#[derive(Serialize)]
struct RevisionsAnswer<'a> {
    revisions: &'a [LintedStep],
}

/// A hazard and the script that it is in.
struct Found<'a> {
    hazard: &'a Hazard,
    place: &'a str,
}

fn show(screen: &Screen, found: &[Found<'_>]) {
    match screen.format() {
        Format::Github => found
            .iter()
            .filter(|found| found.hazard.accepted.is_none())
            .for_each(|found| screen.line(&annotation(found))),
        Format::Sarif => screen.json(&sarif(found)),
        _ => text(screen, found),
    }
}

fn text(screen: &Screen, found: &[Found<'_>]) {
    for Found { hazard, place } in found {
        let kind = match hazard.severity {
            Severity::Error => screen.red("error"),
            Severity::Warn => screen.bold("warning"),
            Severity::Note => "note".to_owned(),
        };
        let (line, code, message) = (hazard.line, hazard.category, message(hazard));
        match &hazard.accepted {
            Some(reason) => screen.line(&format!("{place}:{line}: accepted: {message} [{code}]: {reason}")),
            None => {
                screen.line(&format!("{place}:{line}: {kind}: {message} [{code}]"));
                if hazard.severity > Severity::Note {
                    screen.line(&format!("    instead: {}", hazard.help));
                }
            }
        }
    }
    screen.line(&totals(found));
}

/// Counts errors, warnings, what is accepted, and notes.
fn totals(found: &[Found<'_>]) -> String {
    let open = |severity: Severity| {
        let open = found.iter().filter(|found| found.hazard.accepted.is_none());
        open.filter(|found| found.hazard.severity == severity).count()
    };
    let (errors, warnings, notes) = (open(Severity::Error), open(Severity::Warn), open(Severity::Note));
    let accepted = found.len() - errors - warnings - notes;
    let mut totals = match warnings + errors {
        0 => "No hazards".to_owned(),
        _ => format!("{}, {}", counted(errors, "error"), counted(warnings, "warning")),
    };
    if accepted > 0 {
        totals.push_str(&format!(", {accepted} accepted"));
    }
    if notes > 0 {
        totals.push_str(&format!(", {} about the way down", counted(notes, "note")));
    }
    totals
}

/// Returns what happens, and how many more statements do the same.
fn message(hazard: &Hazard) -> String {
    const SHOWN: usize = 5;
    let more = hazard.statements.get(1..).unwrap_or_default();
    let mut lines: Vec<String> = more.iter().map(|place| place.line.to_string()).collect();
    lines.dedup();
    if lines.len() > SHOWN {
        lines.truncate(SHOWN);
        lines.push("...".to_owned());
    }
    let word = if lines.len() == 1 { "line" } else { "lines" };
    match more.len() {
        0 => hazard.message.clone(),
        count => format!(
            "{}, and {} ({word} {})",
            hazard.message,
            counted(count, "more statement"),
            lines.join(", ")
        ),
    }
}

/// Returns a workflow command of GitHub Actions ("Workflow commands for GitHub Actions").
fn annotation(found: &Found<'_>) -> String {
    let Found { hazard, place } = found;
    let level = match hazard.severity {
        Severity::Error => "error",
        Severity::Warn => "warning",
        Severity::Note => "notice",
    };
    let message = format!("{}; instead: {}", message(hazard), hazard.help);
    format!(
        "::{level} file={},line={},title={}::{}",
        escaped(place).replace(':', "%3A").replace(',', "%2C"),
        hazard.line,
        hazard.category,
        escaped(&message)
    )
}

fn escaped(text: &str) -> String {
    text.replace('%', "%25").replace('\r', "%0D").replace('\n', "%0A")
}

/// Returns a log in the Static Analysis Results Interchange Format, 2.1.0.
fn sarif(found: &[Found<'_>]) -> Value {
    let rules: Vec<Value> = RULES
        .iter()
        .filter(|rule| found.iter().any(|found| found.hazard.category == rule.code))
        .map(|rule| {
            json!({
                "id": rule.code,
                "shortDescription": { "text": rule.summary },
                "help": { "text": rule.help, "markdown": rule.page },
                "defaultConfiguration": { "level": level(rule.severity) },
            })
        })
        .collect();
    let results: Vec<Value> = found.iter().map(result).collect();
    json!({
        "$schema": "https://json.schemastore.org/sarif-2.1.0.json",
        "version": "2.1.0",
        "runs": [{
            "tool": { "driver": { "name": "seaworthy", "version": env!("CARGO_PKG_VERSION"), "rules": rules } },
            "results": results,
        }],
    })
}

fn result(found: &Found<'_>) -> Value {
    let Found { hazard, place } = found;
    let location = |line: usize| {
        json!({
            "physicalLocation": {
                "artifactLocation": { "uri": place.replace(' ', "%20") },
                "region": { "startLine": line },
            },
        })
    };
    let mut result = json!({
        "ruleId": hazard.category,
        "level": level(hazard.severity),
        "message": { "text": format!("{}; instead: {}", message(hazard), hazard.help) },
        "locations": [location(hazard.line)],
    });
    // "occurrenceCount property" and "relatedLocations property" of the format.
    if let [_, more @ ..] = hazard.statements.as_slice() {
        let related: Vec<Value> = more.iter().map(|place| location(place.line)).collect();
        result["occurrenceCount"] = json!(hazard.statements.len());
        result["relatedLocations"] = Value::Array(related);
    }
    // A log has suppressions for what is accepted ("suppressions property").
    if let Some(reason) = &hazard.accepted {
        result["suppressions"] = json!([{ "kind": "inSource", "justification": reason }]);
    }
    result
}

fn level(severity: Severity) -> &'static str {
    match severity {
        Severity::Error => "error",
        Severity::Warn => "warning",
        Severity::Note => "note",
    }
}
