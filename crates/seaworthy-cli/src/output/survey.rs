//! What a plan meets in the live database, for people.

use seaworthy::command::{EffectSurvey, JudgedHazard, PlanReport, StepSurvey, Verdict};
use seaworthy::lint::Work;
use seaworthy::session::TableWeight;

use super::locks::session;
use super::{Screen, counted, duration};

/// Shows what only the live database knows.
pub(crate) fn show(screen: &Screen, answer: &PlanReport) {
    let Some(survey) = &answer.survey else { return };
    for (planned, found) in answer.steps.iter().zip(&survey.steps) {
        // Of small tables their sizes say enough.
        let is_large = |table: &str| {
            survey
                .tables
                .iter()
                .any(|weight| weight.table == table && !weight.is_small())
        };
        let locks = found.effects.iter().flat_map(|one| &one.effect.locks);
        let is_of_weight = locks.into_iter().any(|lock| is_large(&lock.table));
        if !is_of_weight && !found.hazards.iter().any(is_worth_a_line) {
            continue;
        }
        screen.line("");
        screen.line(&format!(
            "On this database, {} {}:",
            planned.direction.word(),
            planned.revision.revision
        ));
        step(screen, found);
    }
    if !survey.tables.is_empty() {
        screen.line("");
        survey
            .tables
            .iter()
            .for_each(|weight| screen.line(&format!("Table:    {}", table(weight))));
    }
    for one in &survey.oldest_transactions {
        screen.line(&format!(
            "Waits:    for {}, if it has used a table of the plan",
            session(one)
        ));
    }
    if survey.is_pooled {
        screen.line(
            "Pooler:   it shares server connections among sessions; a run is refused, name the server itself",
        );
    }
    for index in &survey.invalid_indexes {
        screen.line(&format!(
            "Invalid:  {index} is left from a build that failed; a revision that builds it again replaces it"
        ));
    }
}

/// Returns whether a run would be refused.
pub(crate) fn is_refused(answer: &PlanReport) -> bool {
    let is_pooled = answer.survey.as_ref().is_some_and(|survey| survey.is_pooled);
    let mut hazards = answer
        .survey
        .iter()
        .flat_map(|survey| &survey.steps)
        .flat_map(|step| &step.hazards);
    is_pooled || hazards.any(|hazard| hazard.verdict == Verdict::Refused)
}

fn step(screen: &Screen, found: &StepSurvey) {
    for one in &found.effects {
        screen.line(&format!("    {}", effect(one)));
    }
    hazards(&found.hazards)
        .iter()
        .for_each(|line| screen.line(&format!("    {line}")));
    if found.hold_ms > 0 {
        let time = duration(u128::try_from(found.hold_ms).unwrap_or_default());
        screen.line(&format!("    others are held up for about {time}"));
    }
}

/// Returns whether somebody decides, or has decided, about a hazard, or the table is one to think of.
fn is_worth_a_line(judged: &JudgedHazard) -> bool {
    let is_of_weight = judged.weight.as_ref().is_some_and(|weight| !weight.is_small());
    matches!(judged.verdict, Verdict::Refused | Verdict::Accepted) || is_of_weight
}

fn effect(survey: &EffectSurvey) -> String {
    let effect = &survey.effect;
    let statement: String = effect
        .sql
        .split_whitespace()
        .collect::<Vec<_>>()
        .join(" ")
        .chars()
        .take(60)
        .collect();
    let locks: Vec<String> = effect
        .locks
        .iter()
        .map(|lock| format!("{} on {}", lock.mode, lock.table))
        .collect();
    let mut text = format!("{statement}: {}", locks.join(", "));
    if let Some(work) = effect.work {
        let what = match work {
            Work::Scan => "reads every row",
            Work::Build => "builds an index",
            Work::Rewrite => "copies the table",
            Work::Rows => "changes rows",
        };
        let time = duration(u128::try_from(survey.work_ms).unwrap_or_default());
        text.push_str(&format!("; {what}, about {time}"));
    }
    text
}

/// Returns a line for each hazard; one for all statements of which the same is true.
fn hazards(judged: &[JudgedHazard]) -> Vec<String> {
    let mut lines: Vec<(String, String, usize)> = Vec::new();
    for (said, verdict) in judged.iter().map(hazard) {
        match lines
            .iter_mut()
            .find(|(one, other, _)| *one == said && *other == verdict)
        {
            Some((.., more)) => *more += 1,
            None => lines.push((said, verdict, 0)),
        }
    }
    let lines = lines.into_iter().map(|(said, verdict, more)| match more {
        0 => format!("{said} ({verdict})"),
        more => format!("{said}, and {} ({verdict})", counted(more, "more statement")),
    });
    lines.collect()
}

/// Returns what a hazard is, and what it comes to.
fn hazard(judged: &JudgedHazard) -> (String, String) {
    let hazard = &judged.hazard;
    let verdict = match judged.verdict {
        Verdict::Refused => "a run is refused".to_owned(),
        Verdict::Warned => "warning".to_owned(),
        Verdict::Accepted => format!("accepted: {}", hazard.accepted.as_deref().unwrap_or_default()),
        Verdict::Small => "no hazard here: the table is small".to_owned(),
        Verdict::AskedOfTheLiving => "asked of the running applications".to_owned(),
    };
    (format!("[{}] {}", hazard.category, hazard.message), verdict)
}

fn table(weight: &TableWeight) -> String {
    let size = |bytes: i64| match bytes {
        ..1_048_576 => format!("{} kB", bytes / 1024),
        _ => format!("{} MB", bytes / 1_048_576),
    };
    format!(
        "{} has about {} rows, {} and {} of indexes",
        weight.table,
        weight.rows,
        size(weight.bytes),
        size(weight.index_bytes)
    )
}

#[cfg(test)]
mod tests {
    use seaworthy::lint::{Context, lint};

    use super::*;

    #[test]
    fn what_is_true_of_several_statements_is_one_line() {
        let script = "ALTER TABLE crew ADD COLUMN rank text; UPDATE crew SET rank = ''; UPDATE crew SET rank = 'mate'; \
                      CREATE INDEX crew_rank ON crew (rank)";
        let judged: Vec<JudgedHazard> = lint(script, &Context::default())
            .into_iter()
            .map(|hazard| JudgedHazard {
                hazard,
                verdict: Verdict::Refused,
                weight: None,
            })
            .collect();
        let held = |lines: &[String]| {
            lines
                .iter()
                .filter(|line| line.starts_with("[lock-held-long]"))
                .count()
        };
        let each: Vec<String> = judged.iter().map(|judged| hazard(judged).0).collect();
        assert_eq!(held(&each), 3);
        let lines = hazards(&judged);
        assert_eq!(held(&lines), 1, "{lines:?}");
        assert!(
            lines
                .iter()
                .any(|line| line.ends_with(", and 2 more statements (a run is refused)")),
            "{lines:?}"
        );
    }
}
