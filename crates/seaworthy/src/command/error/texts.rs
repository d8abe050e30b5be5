//! Messages that list what an error is about.

use crate::command::{RefusedHazard, Stakes, UnknownRow};
use crate::heartbeat::InUse;
use crate::revision::{Direction, RevisionId};

pub(super) fn unknown(rows: &[UnknownRow]) -> String {
    rows.iter()
        .map(UnknownRow::described)
        .collect::<Vec<_>>()
        .join(", ")
}

pub(super) fn older(missing: &[RevisionId]) -> String {
    let verb = if missing.len() == 1 { "is" } else { "are" };
    format!("{} {verb}", listed(missing))
}

pub(super) fn still_in_use(wants: &[InUse]) -> String {
    let mut lines: Vec<String> = Vec::new();
    for (index, want) in wants.iter().enumerate() {
        if index == 0 || wants[index - 1].revision != want.revision {
            let verb = match want.direction {
                Direction::Up => "applying",
                Direction::Down => "undoing",
            };
            let effect = if want.is_changed { "changes" } else { "removes" };
            lines.push(format!("{verb} {} {effect} what is in use", want.revision));
        }
        lines.push(want.to_string());
    }
    lines.join("\n  ")
}

pub(super) fn hazardous(hazards: &[RefusedHazard]) -> String {
    let mut text = "this would stop or break what runs now".to_owned();
    let mut last = String::new();
    for refused in hazards {
        let place = refused.place();
        if place != last {
            text.push_str(&format!("\n  {place}"));
        }
        text.push_str(&format!("\n    {refused}"));
        last = place;
    }
    text
}
pub(super) fn refused(stakes: &Stakes) -> String {
    format!("this would destroy {stakes}")
}

pub(super) fn parts(done: usize) -> String {
    if done == 1 {
        "part".to_owned()
    } else {
        format!("{done} parts")
    }
}

pub(super) fn listed(revisions: &[RevisionId]) -> String {
    if revisions.is_empty() {
        return "base".to_owned();
    }
    revisions
        .iter()
        .map(RevisionId::as_str)
        .collect::<Vec<_>>()
        .join(", ")
}
