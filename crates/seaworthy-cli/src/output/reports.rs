//! What runs have done and plans would do, for people.

use seaworthy::command::{
    Adopted, Changed, NewRevision, Outcome, PlanReport, Stamped, StatusReport, UnfinishedStep, UnknownRow,
};
use seaworthy::revision::{Direction, RevisionId};

use super::lists::{accepted, parents};
use super::{Screen, counted, survey};

/// Shows what a run has brought about; its steps were shown while they ran.
pub(crate) fn outcome(screen: &Screen, answer: &Outcome) {
    if screen.is_json() {
        return screen.json(answer);
    }
    changed(screen, &answer.changed);
    let place = place(&answer.heads);
    match &answer.report {
        Some(report) => {
            answer.notes.iter().for_each(|note| screen.note(note));
            screen.line(&format!(
                "Done: {}, the database is at {place}",
                counted(report.steps.len(), "step")
            ));
        }
        None if answer.done_elsewhere => {
            screen.line(&format!(
                "Nothing left to do: another run did it, the database is at {place}"
            ));
        }
        None => {
            let reason = answer.notes.join("; ");
            let reason = if reason.is_empty() {
                "nothing to do".to_owned()
            } else {
                reason
            };
            screen.line(&format!(
                "{}{} (the database is at {place})",
                reason[..1].to_uppercase(),
                &reason[1..]
            ));
        }
    }
}

/// Shows what a stamp has changed.
pub(crate) fn stamped(screen: &Screen, answer: &Stamped) {
    if screen.is_json() {
        return screen.json(answer);
    }
    answer
        .removed
        .iter()
        .for_each(|row| screen.line(&format!("Forgot that {row} is applied")));
    answer
        .added
        .iter()
        .for_each(|id| screen.line(&format!("Recorded that {id} is applied")));
    screen.line(&format!(
        "The database counts as being at {}",
        place(&answer.heads)
    ));
}

/// Shows what was taken over.
pub(crate) fn adopted(screen: &Screen, answer: &Adopted) {
    if screen.is_json() {
        return screen.json(answer);
    }
    let table = &answer.version_table;
    screen.line(&format!("{table} says {}", answer.alembic.join(", ")));
    answer
        .recorded
        .iter()
        .for_each(|id| screen.line(&format!("Recorded that {id} is applied")));
    if answer.recorded.is_empty() {
        screen.line("Nothing to do: all of it is recorded already");
    }
    screen.line(&format!(
        "The database is at {}; {table} stays as it is",
        place(&answer.heads)
    ));
    if let Some(reason) = &answer.not_compared {
        screen.note(&format!(
            "the schema was not compared with that of the revisions: {reason}"
        ));
    }
    if !answer.differences.is_empty() {
        let place = place(&answer.heads);
        screen.note(&format!(
            "the schema is not the one that the revisions make; it takes, to be that of {place}:"
        ));
        let differences = answer.differences.iter();
        differences.for_each(|operation| screen.note(&format!("    {operation}")));
    }
}

/// Shows a revision that was written.
pub(crate) fn written(screen: &Screen, answer: &NewRevision) {
    if screen.is_json() {
        return screen.json(answer);
    }
    screen.line(&format!("Wrote {}", answer.written.file.display()));
    screen.line(&format!("Registered it in {}", answer.written.migrator.display()));
    screen.line(&format!(
        "Revision {} revises {}",
        answer.revision,
        parents(&answer.revises)
    ));
}

/// Shows revisions that were written together.
pub(crate) fn all_written(screen: &Screen, answers: &[NewRevision]) {
    if screen.is_json() {
        return screen.json(&answers);
    }
    answers.iter().for_each(|answer| written(screen, answer));
}

/// Shows what a run would do.
pub(crate) fn plan(screen: &Screen, answer: &PlanReport) {
    if screen.is_json() {
        return screen.json(answer);
    }
    screen.line(&format!(
        "{} is at {}; the target is {}",
        answer.database,
        place(&answer.current),
        answer.target
    ));
    remarks(
        screen,
        &answer.unknown,
        &answer.out_of_order,
        &answer.unfinished,
        &answer.changed,
    );
    answer.notes.iter().for_each(|note| screen.note(note));
    for (index, step) in answer.steps.iter().enumerate() {
        let revision = &step.revision;
        let way = match step.direction {
            Direction::Up => format!("upgrade {} -> {}", parents(&revision.revises), revision.revision),
            Direction::Down => format!(
                "downgrade {} -> {}",
                revision.revision,
                parents(&revision.revises)
            ),
        };
        let manner = if step.transaction {
            "one transaction"
        } else {
            "no transaction"
        };
        screen.line("");
        let message = match revision.message.as_str() {
            "" => String::new(),
            message => format!(", {message}"),
        };
        screen.line(&format!("{}. {way}{message} ({manner})", index + 1));
        for hazard in accepted(&revision.accepted, step.direction) {
            screen.line(&format!("     -- accepted: {hazard}"));
        }
        step.statements
            .iter()
            .for_each(|statement| screen.line(&format!("     {statement};")));
        if let Some(reason) = &step.incomplete {
            screen.line(&format!("     -- not known beforehand from here on: {reason}"));
            if index > 0 && step.direction == Direction::Up && !step.reads.is_empty() {
                screen.line("     -- upgrade looks again when the steps before it are done, and asks then");
            }
        }
        for read in &step.reads {
            screen.line(&format!("     -- asks the database: {read}"));
        }
    }
    survey::show(screen, answer);
    for want in &answer.in_use {
        screen.line("");
        let effect = if want.is_changed { "changes" } else { "removes" };
        screen.line(&format!("In use:   {} {effect} it: {want}", want.revision));
    }
    if !answer.unknown.is_empty() {
        screen.line("");
        screen.line(
            "Refused:  the database is at revisions that this program does not know, and nothing runs until it does",
        );
    }
    screen.line("");
    let pending = answer.pending.len();
    screen.line(&format!(
        "{} to run, {pending} pending in all",
        counted(answer.steps.len(), "step")
    ));
}

/// Shows where a database stands.
pub(crate) fn status(screen: &Screen, answer: &StatusReport) {
    if screen.is_json() {
        return screen.json(answer);
    }
    let heads: Vec<RevisionId> = answer
        .current
        .iter()
        .map(|shown| shown.revision.clone())
        .collect();
    screen.line(&format!("Database: {}", answer.database));
    screen.line(&format!(
        "Current:  {} ({} applied)",
        place(&heads),
        answer.applied
    ));
    match answer.pending.as_slice() {
        [] => screen.line("Pending:  none"),
        pending => {
            screen.line(&format!("Pending:  {}", counted(pending.len(), "revision")));
            for shown in pending {
                screen.line(&format!("          {}, {}", shown.revision, shown.message));
            }
        }
    }
    remarks(
        screen,
        &answer.unknown,
        &answer.out_of_order,
        &answer.unfinished,
        &answer.changed,
    );
    for alive in &answer.alive {
        screen.line(&format!(
            "Running:  {} {} ({}), last seen {:.0} s ago",
            alive.build.name, alive.build.version, alive.instance, alive.seen_seconds_ago
        ));
    }
    match &answer.last_run {
        None => screen.line("Last run: none is recorded"),
        Some(run) => {
            screen.line(&format!(
                "Last run: {} by {} at {}: {} at {} after {}",
                run.kind.word(),
                run.by,
                run.started_at,
                run.outcome.word(),
                run.revision,
                counted(run.steps, "step")
            ));
            if let Some(error) = &run.error {
                screen.line(&format!("          {error}"));
            }
        }
    }
}

fn remarks(
    screen: &Screen,
    unknown: &[UnknownRow],
    out_of_order: &[RevisionId],
    unfinished: &[UnfinishedStep],
    edited: &[Changed],
) {
    unknown
        .iter()
        .for_each(|row| screen.line(&format!("Unknown:  {}", row.described())));
    for id in out_of_order {
        screen.line(&format!(
            "Left out: {id} is older than what is applied; it needs --allow-out-of-order"
        ));
    }
    for step in unfinished {
        let direction = if step.direction == Direction::Up {
            "upgrade"
        } else {
            "downgrade"
        };
        screen.line(&format!(
            "Halfway:  {direction} of {} began {} by {} and did not end; {} through for sure. Run it again to go on.",
            step.revision,
            step.started_at,
            step.by,
            counted(step.parts_done, "statement")
        ));
    }
    changed(screen, edited);
}

fn changed(screen: &Screen, edited: &[Changed]) {
    for one in edited {
        screen.note(&format!(
            "warning: the SQL of {} is not what {} applied at {} (seaworthy {}); `show {}` tells what it is now",
            one.revision, one.by, one.applied_at, one.tool_version, one.revision
        ));
    }
}

fn place(heads: &[RevisionId]) -> String {
    if heads.is_empty() {
        return "base".to_owned();
    }
    heads
        .iter()
        .map(RevisionId::as_str)
        .collect::<Vec<_>>()
        .join(", ")
}
