//! How the answer of `verify` looks.

use seaworthy::command::Verified;

use super::{Screen, counted};

/// Shows which promises are kept, and which are not.
pub(crate) fn verified(screen: &Screen, answer: &Verified) {
    if screen.is_json() {
        return screen.json(answer);
    }
    for database in &answer.databases {
        screen.line(&format!(
            "{}: {}, {}, {} put in",
            database.dialect,
            counted(answer.revisions, "revision"),
            counted(database.steps, "step"),
            match database.rows {
                1 => "1 row".to_owned(),
                rows => format!("{rows} rows"),
            }
        ));
        for stays in &database.irreversible {
            screen.line(&format!("cannot be undone: {}, {}", stays.revision, stays.reason));
        }
        for unfilled in &database.unfilled {
            screen.note(&format!(
                "{}: no rows could be made up for {} at {}: {}",
                database.dialect, unfilled.table, unfilled.revision, unfilled.reason
            ));
        }
    }
    for broken in &answer.broken {
        screen.line(&format!("{}: {broken}", screen.red("broken")));
    }
    for accepted in &answer.accepted {
        let reason = accepted.accepted.as_deref().unwrap_or_default();
        screen.line(&format!("accepted: {}: {reason}", accepted.summary()));
    }
    for vain in &answer.vain {
        screen.note(&format!(
            "{} accepts {} for \"{}\", which was not found here",
            vain.revision, vain.category, vain.text
        ));
    }
    screen.line(&match answer.broken.len() {
        0 if answer.without_rows => {
            "Every promise is kept but one that was not tried: to keep rows".to_owned()
        }
        0 if !answer.accepted.is_empty() => {
            let accepted = counted(answer.accepted.len(), "accepted break");
            format!("Every promise is kept but for {accepted}")
        }
        0 => "Every promise is kept".to_owned(),
        1 => "1 promise is broken".to_owned(),
        several => format!("{several} promises are broken"),
    });
}
