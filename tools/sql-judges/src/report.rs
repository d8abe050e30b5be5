//! Prints figures and disagreements.

use std::collections::BTreeMap;
use std::io::{self, Write};

use crate::allowed::Allowed;
use crate::compare::{Cases, Disagreement, Reader, Verdict};

/// Longest piece of a statement that is printed, in characters.
const WIDTH: usize = 300;

pub(crate) fn cases(out: &mut impl Write, cases: &Cases) -> io::Result<()> {
    writeln!(
        out,
        "{} different statements, {} bodies of functions, {} texts of several, {} pieces that the server would refuse",
        cases.statements.len(),
        cases.bodies.len(),
        cases.texts.len(),
        cases.unreadable
    )
}

pub(crate) fn lines(out: &mut impl Write, count: usize) -> io::Result<()> {
    writeln!(out, "{count} lines of code read for seaworthy")
}

/// Prints how a reader did; returns the number of disagreements that are not allowed.
pub(crate) fn verdict(
    out: &mut impl Write,
    reader: &Reader,
    verdict: &Verdict,
    allowed: &Allowed,
    show: usize,
) -> io::Result<usize> {
    let missed = verdict.missed();
    let invented = verdict.invented();
    let (known, unknown): (Vec<_>, Vec<_>) = verdict
        .disagreements
        .iter()
        .partition(|found| allowed.has(reader.name, found));
    let destructive = verdict.disagreements.iter().flat_map(|found| &found.missed);
    writeln!(out, "\n== {} ==", reader.name)?;
    let figures = [
        ("statements", verdict.statements),
        ("... bodies of functions", verdict.bodies),
        ("agreed in everything", verdict.agreed),
        ("said not to be understood", verdict.not_understood.len()),
        ("disagreements", verdict.disagreements.len()),
        ("... of these allowed", known.len()),
        (
            "... of another kind",
            verdict
                .disagreements
                .iter()
                .filter(|it| it.kinds.is_some())
                .count(),
        ),
        ("texts of several statements", verdict.texts),
        (
            "... counted otherwise",
            verdict
                .disagreements
                .iter()
                .filter(|it| it.counts.is_some())
                .count(),
        ),
        ("facts", verdict.facts),
        ("facts missed", missed.values().sum()),
        (
            "... of these destructive",
            destructive.filter(|fact| fact.is_destructive()).count(),
        ),
        ("facts invented", invented.values().sum()),
    ];
    for (what, count) in figures {
        writeln!(out, "{what:<32}{count:>8}")?;
    }
    table(out, "missed", &missed)?;
    table(out, "invented", &invented)?;
    for it in verdict.not_understood.iter().take(show) {
        writeln!(
            out,
            "\nnot understood: {}\n    {}\n  {}",
            it.origin,
            short(&it.sql),
            it.reason
        )?;
    }
    for found in unknown.iter().take(show) {
        disagreement(out, found)?;
    }
    Ok(unknown.len())
}

fn table(out: &mut impl Write, what: &str, counts: &BTreeMap<String, usize>) -> io::Result<()> {
    let mut rows: Vec<_> = counts.iter().collect();
    rows.sort_by_key(|(_, count)| std::cmp::Reverse(**count));
    for (sort, count) in rows {
        writeln!(out, "  {what}: {sort:<30}{count:>6}")?;
    }
    Ok(())
}

fn disagreement(out: &mut impl Write, found: &Disagreement) -> io::Result<()> {
    writeln!(out, "\n{}\n    {}", found.origin, short(&found.sql))?;
    if let Some((truth, read)) = found.counts {
        writeln!(out, "  counted: {read} statements instead of {truth}")?;
    }
    if let Some((truth, read)) = found.kinds {
        writeln!(out, "  kind: {read} instead of {truth}")?;
    }
    for fact in &found.missed {
        writeln!(out, "  missed: {fact}")?;
    }
    for fact in &found.invented {
        writeln!(out, "  invented: {fact}")?;
    }
    Ok(())
}

/// Returns the beginning of a statement on one line.
fn short(sql: &str) -> String {
    let words: Vec<_> = sql.split_whitespace().collect();
    let line = words.join(" ");
    match line.char_indices().nth(WIDTH) {
        Some((end, _)) => format!("{} ...", &line[..end]),
        None => line,
    }
}
