//! Revisions as lines: `current`, `history`, `heads`, `branches`, `show`.

use std::collections::BTreeMap;

use seaworthy::command::{BranchPair, Current, RevisionDetails, RevisionLine};
use seaworthy::ledger::Entry;
use seaworthy::revision::{Accepted, Direction, RevisionId};

use super::{Screen, duration};

/// Which marks a list shows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Marks {
    /// All but where the database stands.
    Graph,
    /// Where the database stands as well.
    WithCurrent,
}

/// Shows where the database stands.
pub(crate) fn current(screen: &Screen, answer: &Current) {
    if screen.is_json() {
        return screen.json(answer);
    }
    for line in &answer.revisions {
        screen.line(&short(screen, line, Marks::Graph));
    }
    for row in &answer.unknown {
        screen.line(&format!("{} (unknown)", row.described()));
    }
    if answer.revisions.is_empty() && answer.unknown.is_empty() {
        screen.note("nothing is applied: the database is at base");
    }
}

/// Shows the newest revisions.
pub(crate) fn heads(screen: &Screen, answer: &[RevisionLine]) {
    if screen.is_json() {
        return screen.json(&answer);
    }
    answer
        .iter()
        .for_each(|line| screen.line(&short(screen, line, Marks::Graph)));
}

/// Shows which branches get in each other's way.
pub(crate) fn branch_pairs(screen: &Screen, answer: &[BranchPair]) {
    if screen.is_json() {
        return screen.json(&answer);
    }
    if answer.is_empty() {
        return screen.line("There is one head");
    }
    for pair in answer {
        let (one, other) = (&pair.one, &pair.other);
        if pair.collisions.is_empty() {
            screen.line(&format!(
                "{one} and {other} are heads, and either order makes the same: `merge {one} {other}` joins them"
            ));
            continue;
        }
        let objects = match pair.objects.as_slice() {
            [] => String::new(),
            objects => format!(" on {}", objects.join(", ")),
        };
        screen.line(&format!("{one} and {other} are heads, and collide{objects}"));
        for collision in &pair.collisions {
            screen.line(&format!("    {collision}"));
        }
    }
}

/// Shows revisions with what they build on.
pub(crate) fn history(screen: &Screen, answer: &[RevisionLine], marks: Marks) {
    if screen.is_json() {
        return screen.json(&answer);
    }
    for line in answer {
        let revision = &line.revision;
        let mut text = format!("{} -> {}", parents(&revision.revises), short_marks(line, marks));
        if !revision.message.is_empty() {
            text.push_str(&format!(", {}", revision.message));
        }
        screen.line(&text);
        if screen.is_verbose() {
            details(screen, line);
        }
    }
}

/// Shows where branches part.
pub(crate) fn branches(screen: &Screen, answer: &[RevisionLine]) {
    if screen.is_json() {
        return screen.json(&answer);
    }
    for line in answer {
        screen.line(&short(screen, line, Marks::Graph));
        line.branches
            .iter()
            .for_each(|branch| screen.line(&format!("     -> {branch}")));
    }
}

/// Shows everything about revisions.
pub(crate) fn show(screen: &Screen, answer: &[RevisionDetails]) {
    if screen.is_json() {
        return screen.json(&answer);
    }
    for found in answer {
        screen.line(&format!(
            "Revision: {}",
            short_marks(&found.line, Marks::WithCurrent)
        ));
        details(screen, &found.line);
        if let Some(is_applied) = found.is_applied {
            screen.line(&format!("    applied: {}", if is_applied { "yes" } else { "no" }));
        }
        for (direction, statements) in [("up", &found.up), ("down", &found.down)] {
            screen.line(&format!("    {direction}:"));
            statements
                .iter()
                .for_each(|statement| screen.line(&format!("        {statement};")));
        }
        for entry in &found.history {
            screen.line(&format!("    {}", event(entry)));
        }
        screen.line("");
    }
}

/// Shows what really happened to a database, newest first.
pub(crate) fn applied(screen: &Screen, answer: &[Entry]) {
    if screen.is_json() {
        return screen.json(&answer);
    }
    answer.iter().for_each(|entry| screen.line(&event(entry)));
    if answer.is_empty() {
        screen.note("the database has no history");
    }
}

/// Returns the parents as Alembic writes them.
pub(crate) fn parents(revises: &[RevisionId]) -> String {
    if revises.is_empty() {
        return "<base>".to_owned();
    }
    revises
        .iter()
        .map(RevisionId::as_str)
        .collect::<Vec<_>>()
        .join(", ")
}

fn short(screen: &Screen, line: &RevisionLine, marks: Marks) -> String {
    let mut text = short_marks(line, marks);
    if screen.is_verbose() && !line.revision.message.is_empty() {
        text.push_str(&format!(", {}", line.revision.message));
    }
    text
}

fn short_marks(line: &RevisionLine, marks: Marks) -> String {
    let mut text = line.revision.revision.to_string();
    if !line.place.labels.is_empty() {
        text.push_str(&format!(" ({})", line.place.labels.join(", ")));
    }
    let flags = [
        (line.place.is_effective_head, "effective head"),
        (line.place.is_head, "head"),
        (line.place.is_branch_point, "branchpoint"),
        (line.place.is_merge_point, "mergepoint"),
        (line.place.is_current && marks == Marks::WithCurrent, "current"),
    ];
    for (_, flag) in flags.into_iter().filter(|(is_set, _)| *is_set) {
        text.push_str(&format!(" ({flag})"));
    }
    text
}

fn details(screen: &Screen, line: &RevisionLine) {
    let revision = &line.revision;
    let fact = |name: &str, value: &str| {
        if !value.is_empty() {
            screen.line(&format!("    {name}: {value}"));
        }
    };
    fact("message", &revision.message);
    fact("revises", &parents(&revision.revises));
    fact("depends on", &revision.depends_on.join(", "));
    fact("phase", revision.phase.as_deref().unwrap_or_default());
    fact("created", revision.created.as_deref().unwrap_or_default());
    fact("migration", &revision.name);
    for direction in [Direction::Up, Direction::Down] {
        for hazard in accepted(&revision.accepted, direction) {
            fact(&format!("accepts {}", direction.word()), &hazard);
        }
    }
}

/// Returns the hazards that one way takes knowingly: each category with its statements, and why.
pub(crate) fn accepted(accepted: &[Accepted], direction: Direction) -> Vec<String> {
    let mut statements: BTreeMap<(&str, &str), Vec<String>> = BTreeMap::new();
    for one in accepted.iter().filter(|one| one.direction == direction) {
        statements
            .entry((&one.category, &one.reason))
            .or_default()
            .push(format!("\"{}\"", one.statement));
    }
    statements
        .into_iter()
        .map(|((category, reason), statements)| format!("{category} of {}: {reason}", statements.join(", ")))
        .collect()
}

fn event(entry: &Entry) -> String {
    let took = entry
        .duration_ms
        .and_then(|took| u128::try_from(took).ok())
        .map(duration);
    let mut text = format!(
        "{} {} {} {} {} by {}",
        entry.started_at.text().unwrap_or_default(),
        entry.kind.word(),
        entry.direction.word(),
        entry.revision,
        entry.outcome.word(),
        entry.actor.name(),
    );
    if let Some(took) = took {
        text.push_str(&format!(" in {took}"));
    }
    if let Some(error) = &entry.error {
        text.push_str(&format!(": {error}"));
    }
    for hazard in accepted(&entry.accepted, entry.direction) {
        text.push_str(&format!("\n    accepted {hazard}"));
    }
    text
}
