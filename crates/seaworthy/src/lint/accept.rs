//! Hazards that somebody takes knowingly: what a revision declares, and what a comment in a script says.

use super::rules::{opaque_sql, override_unmatched};
use super::{Hazard, Rule, rule};
use crate::revision::{Accepted, Direction};
use crate::sql::{Remark, Statement};

/// The fewest letters of a reason that says something.
const SHORTEST_REASON: usize = 15;

/// Marks the hazards of a script that a revision has accepted; one that matches none becomes a hazard itself.
///
/// `elsewhere` tells which of them match on another kind of database, where the revision sends other statements.
pub fn accept(hazards: &mut Vec<Hazard>, accepted: &[&Accepted], elsewhere: impl Fn(&Accepted) -> bool) {
    for one in accepted {
        let complaint = match complaint(&one.category, &one.reason) {
            Some(complaint) => complaint,
            None => match mark(hazards, one) {
                0 if is_asked_by_project(&one.category) || elsewhere(one) => continue,
                0 => format!(
                    "{} is accepted for \"{}\", and no statement with that text has this hazard",
                    one.category, one.statement
                ),
                1 => continue,
                several => format!(
                    "{} is accepted for \"{}\", which is in {several} statements with this hazard",
                    one.category, one.statement
                ),
            },
        };
        let place = hazards
            .iter()
            .find(|hazard| contains(&hazard.sql, &one.statement))
            .map_or((0, 1, String::new()), |hazard| {
                (hazard.statement, hazard.line, hazard.sql.clone())
            });
        hazards.push(override_unmatched::hazard(complaint, place));
    }
    hazards.sort_by_key(|hazard| hazard.statement);
}

/// Marks the hazards that comments accept.
pub(super) fn by_remarks(hazards: &mut Vec<Hazard>, statements: &[Statement], behind: &[Remark]) {
    let mut complaints = Vec::new();
    for (index, statement) in statements.iter().enumerate() {
        for remark in &statement.remarks {
            let problem = match parsed(remark) {
                Err(problem) => Some(problem),
                Ok((category, reason)) => {
                    let matching = hazards
                        .iter_mut()
                        .filter(|hazard| hazard.statement == index && hazard.category == category);
                    let marked = matching
                        .map(|hazard| hazard.accepted = Some(reason.to_owned()))
                        .count();
                    (marked == 0 && !is_asked_by_project(category))
                        .then(|| format!("{category} is accepted, and the statement has no such hazard"))
                }
            };
            complaints
                .extend(problem.map(|problem| (problem, (index, remark.line, statement.text().to_owned()))));
        }
    }
    for remark in behind {
        let problem = parsed(remark).err();
        let problem = problem.unwrap_or_else(|| "a hazard is accepted, and no statement follows".to_owned());
        let last = statements.len().saturating_sub(1);
        complaints.push((problem, (last, remark.line, String::new())));
    }
    if complaints.is_empty() {
        return;
    }
    let found = complaints.into_iter();
    hazards.extend(found.map(|(problem, place)| override_unmatched::hazard(problem, place)));
    hazards.sort_by_key(|hazard| hazard.statement);
}

/// Returns what the comments of a script accept, for the history; each with the beginning of its statement.
#[must_use]
pub fn accepted_by_remarks(statements: &[Statement], direction: Direction) -> Vec<Accepted> {
    let mut accepted = Vec::new();
    for statement in statements {
        let beginning: String = statement.text().chars().take(100).collect();
        let remarks = statement.remarks.iter().filter_map(|remark| parsed(remark).ok());
        accepted.extend(remarks.map(|(category, reason)| Accepted {
            direction,
            category: category.to_owned(),
            statement: beginning.clone(),
            reason: reason.to_owned(),
        }));
    }
    accepted
}

/// The rules about what a statement takes away: to accept one of them is to say that it may go.
const ABOUT_LOSS: [&str; 5] = [
    "data-loss",
    "column-removed",
    "table-removed",
    "type-changed",
    opaque_sql::CODE,
];

/// Returns whether what a statement destroys was taken knowingly: in the header, for this run, or by a comment before it.
#[must_use]
pub fn accepts_loss(statement: &Statement, declared: &[&Accepted]) -> bool {
    let is_about_loss = |category: &str| ABOUT_LOSS.contains(&category);
    let by_header = declared
        .iter()
        .any(|accepted| is_about_loss(&accepted.category) && contains(statement.text(), &accepted.statement));
    let remarks = statement.remarks.iter().filter_map(|remark| parsed(remark).ok());
    by_header || { remarks }.any(|(category, _)| is_about_loss(category))
}

/// Returns whether it was taken knowingly that not all statements are known beforehand: by a piece of the reason why.
#[must_use]
pub fn accepts_unknown(reason: &str, declared: &[&Accepted]) -> bool {
    let is_meant = |accepted: &&&Accepted| {
        accepted.category == opaque_sql::CODE
            && contains(reason, &accepted.statement)
            && complaint(&accepted.category, &accepted.reason).is_none()
    };
    declared.iter().any(|accepted| is_meant(&accepted))
}

/// Reads `accept <category>: <reason>`.
fn parsed(remark: &Remark) -> Result<(&str, &str), String> {
    let parts = remark
        .text
        .strip_prefix("accept ")
        .and_then(|accepted| accepted.split_once(':'));
    let Some((category, reason)) = parts else {
        return Err(format!(
            "\"{}\" is not understood: write `-- seaworthy: accept <category>: <reason>`",
            remark.text
        ));
    };
    let (category, reason) = (category.trim(), reason.trim());
    match complaint(category, reason) {
        Some(complaint) => Err(complaint),
        None => Ok((category, reason)),
    }
}

/// Returns whether a project asks for what a category is about: nobody finds such a hazard where its settings are not known, as
/// when a run looks for what it has to refuse.
fn is_asked_by_project(category: &str) -> bool {
    rule(category).is_some_and(Rule::is_asked_by_project)
}

fn complaint(category: &str, reason: &str) -> Option<String> {
    if rule(category).is_none() {
        return Some(format!("there is no category {category} to accept"));
    }
    (reason.trim().chars().count() < SHORTEST_REASON).then(|| {
        format!("{category} is accepted without a reason worth reading: at least {SHORTEST_REASON} letters are wanted")
    })
}

/// Marks the hazards of one statement; returns how many statements there would be.
fn mark(hazards: &mut [Hazard], accepted: &Accepted) -> usize {
    let is_meant =
        |hazard: &Hazard| hazard.category == accepted.category && contains(&hazard.sql, &accepted.statement);
    let mut statements: Vec<usize> = hazards
        .iter()
        .filter(|hazard| is_meant(hazard))
        .map(|hazard| hazard.statement)
        .collect();
    statements.dedup();
    if let [_] = statements.as_slice() {
        let meant = hazards.iter_mut().filter(|hazard| is_meant(hazard));
        meant.for_each(|hazard| hazard.accepted = Some(accepted.reason.clone()));
    }
    statements.len()
}

impl Hazard {
    /// Returns whether it is one that an acceptance is about.
    #[must_use]
    pub fn is_meant_by(&self, accepted: &Accepted) -> bool {
        self.category == accepted.category && contains(&self.sql, &accepted.statement)
    }
}

/// Returns whether a statement contains a text, however either is laid out.
fn contains(statement: &str, piece: &str) -> bool {
    let plain = |text: &str| {
        text.split_whitespace()
            .collect::<Vec<_>>()
            .join(" ")
            .to_lowercase()
    };
    let piece = plain(piece);
    !piece.is_empty() && plain(statement).contains(&piece)
}
