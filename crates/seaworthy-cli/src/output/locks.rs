//! Who waits for whom, as a tree.

use seaworthy::command::{Ended, LockTree};
use seaworthy::session::{Ending, Involved};

use super::{Screen, duration};

/// Shows the tree: whoever holds up others first, those who wait below.
pub(crate) fn tree(screen: &Screen, answer: &LockTree) {
    if screen.is_json() {
        return screen.json(answer);
    }
    if answer.sessions.is_empty() {
        return screen.line("Nobody waits for a lock");
    }
    for shown in &answer.sessions {
        let indent = "  ".repeat(shown.depth);
        screen.line(&format!("{indent}{}", session(&shown.session)));
        screen.line(&format!("{indent}    {}", shown.session.query));
    }
}

/// Shows what came of ending a session.
pub(crate) fn ended(screen: &Screen, answer: &Ended) {
    if screen.is_json() {
        return screen.json(answer);
    }
    let pid = answer.session.session.pid;
    screen.line(&match (answer.was_there, answer.ending) {
        (false, _) => format!("Process {pid} was gone already"),
        (true, Ending::Cancel) => format!("What process {pid} ran was cancelled"),
        (true, Ending::Terminate) => format!("Process {pid} was ended"),
    });
}

/// Returns a session in a line.
pub(crate) fn session(one: &Involved) -> String {
    let application = match one.application.as_str() {
        "" => "no application name",
        name => name,
    };
    let time = |milliseconds: i64| duration(u128::try_from(milliseconds).unwrap_or_default());
    let mut text = format!(
        "process {} ({}, {application}): {} for {}",
        one.pid,
        one.user,
        one.state,
        time(one.state_ms)
    );
    if one.transaction_ms > 0 {
        text.push_str(&format!(", its transaction is {} old", time(one.transaction_ms)));
    }
    if let Some(wanted) = &one.wanted {
        text.push_str(&format!(", waits for {wanted}"));
    }
    text
}
