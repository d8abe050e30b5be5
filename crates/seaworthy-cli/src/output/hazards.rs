//! How hazards look: text, JSON, annotations of GitHub Actions, SARIF.

use seaworthy::command::LintedStep;
use seaworthy::lint::{Hazard, RULES, Severity};
use serde::Serialize;
use serde_json::{Value, json};

use super::{Screen, counted};
use crate::args::Format;

/// Shows the hazards of a script.
pub(crate) fn script(screen: &Screen, file: &str, hazards: &[Hazard]) {
    let found: Vec<Found<'_>> = hazards
        .iter()
        .map(|hazard| Found { hazard, place: file })
        .collect();
    match screen.format() {
        Format::Json => screen.json(&ScriptAnswer { hazards }),
        _ => show(screen, &found),
    }
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
        };
        let (line, code) = (hazard.line, hazard.category);
        match &hazard.accepted {
            Some(reason) => screen.line(&format!(
                "{place}:{line}: accepted: {} [{code}]: {reason}",
                hazard.message
            )),
            None => {
                screen.line(&format!("{place}:{line}: {kind}: {} [{code}]", hazard.message));
                screen.line(&format!("    instead: {}", hazard.help));
            }
        }
    }
    let count = |is_meant: fn(&Hazard) -> bool| found.iter().filter(|found| is_meant(found.hazard)).count();
    let errors = count(Hazard::is_open_error);
    let accepted = count(|hazard| hazard.accepted.is_some());
    let warnings = found.len() - errors - accepted;
    let mut totals = match warnings + errors {
        0 => "No hazards".to_owned(),
        _ => format!("{}, {}", counted(errors, "error"), counted(warnings, "warning")),
    };
    if accepted > 0 {
        totals.push_str(&format!(", {accepted} accepted"));
    }
    screen.line(&totals);
}

/// Returns a workflow command of GitHub Actions ("Workflow commands for GitHub Actions").
fn annotation(found: &Found<'_>) -> String {
    let Found { hazard, place } = found;
    let level = match hazard.severity {
        Severity::Error => "error",
        Severity::Warn => "warning",
    };
    let message = format!("{}; instead: {}", hazard.message, hazard.help);
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
    let level = |severity| match severity {
        Severity::Error => "error",
        Severity::Warn => "warning",
    };
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
    let results: Vec<Value> = found
        .iter()
        .map(|Found { hazard, place }| {
            // A log has suppressions for this ("suppressions property" of the format).
            let suppressions: Vec<Value> = hazard
                .accepted
                .iter()
                .map(|reason| json!({ "kind": "inSource", "justification": reason }))
                .collect();
            let mut result = json!({
                "ruleId": hazard.category,
                "level": level(hazard.severity),
                "message": { "text": format!("{}; instead: {}", hazard.message, hazard.help) },
                "locations": [{
                    "physicalLocation": {
                        "artifactLocation": { "uri": place.replace(' ', "%20") },
                        "region": { "startLine": hazard.line },
                    },
                }],
            });
            if !suppressions.is_empty() {
                result["suppressions"] = Value::Array(suppressions);
            }
            result
        })
        .collect();
    json!({
        "$schema": "https://json.schemastore.org/sarif-2.1.0.json",
        "version": "2.1.0",
        "runs": [{
            "tool": { "driver": { "name": "seaworthy", "version": env!("CARGO_PKG_VERSION"), "rules": rules } },
            "results": results,
        }],
    })
}
