//! Holds what a reader says of statements against what the server's grammar says.

use std::collections::{BTreeMap, BTreeSet};

use crate::corpus::Text;
use crate::facts::{Fact, Facts, Kind};
use crate::postgres;

/// What a reader makes of a text.
#[derive(Default)]
pub(crate) struct Reading {
    pub(crate) statements: Vec<Facts>,
    /// What the reader says it has not understood; empty when it claims to have seen all that the text does.
    pub(crate) not_understood: Vec<String>,
}

/// A reader that is judged.
pub(crate) struct Reader {
    pub(crate) name: &'static str,
    pub(crate) read: fn(&str) -> Reading,
    /// Reads what the body of a function does, as one statement.
    pub(crate) read_body: Option<fn(&str) -> Reading>,
    /// Reduces facts to what the reader speaks of, in the words that it has for it; applied to both sides.
    pub(crate) common: fn(&BTreeSet<Fact>) -> BTreeSet<Fact>,
    /// Whether it says of which kind a statement is.
    pub(crate) has_kinds: bool,
    /// Whether its disagreements are faults of ours; those of another judge are only counted.
    pub(crate) is_ours: bool,
}

/// Statements that the server can read, each once, and the texts that hold several.
#[derive(Default)]
pub(crate) struct Cases {
    pub(crate) statements: Vec<Case>,
    /// Functions in PL/pgSQL, with what the statements in them do.
    pub(crate) bodies: Vec<Case>,
    pub(crate) texts: Vec<(Text, usize)>,
    /// Pieces that the server would refuse.
    pub(crate) unreadable: usize,
}

pub(crate) struct Case {
    pub(crate) origin: String,
    pub(crate) sql: String,
    pub(crate) truth: Facts,
}

/// Where a reader and the server's grammar differ over one statement, or over the number of statements in a text.
#[derive(Debug)]
pub(crate) struct Disagreement {
    pub(crate) origin: String,
    pub(crate) sql: String,
    pub(crate) missed: BTreeSet<Fact>,
    pub(crate) invented: BTreeSet<Fact>,
    /// Truth and reading.
    pub(crate) kinds: Option<(Kind, Kind)>,
    /// Truth and reading.
    pub(crate) counts: Option<(usize, usize)>,
}

/// How a reader did.
#[derive(Default)]
pub(crate) struct Verdict {
    pub(crate) statements: usize,
    /// Bodies of functions among those.
    pub(crate) bodies: usize,
    pub(crate) agreed: usize,
    /// Statements that it says it did not understand, so that nobody relies on it.
    pub(crate) not_understood: Vec<NotUnderstood>,
    pub(crate) facts: usize,
    pub(crate) texts: usize,
    pub(crate) disagreements: Vec<Disagreement>,
}

/// A statement that a reader says it did not understand.
pub(crate) struct NotUnderstood {
    pub(crate) origin: String,
    pub(crate) sql: String,
    pub(crate) reason: String,
}

pub(crate) fn collect(texts: Vec<Text>) -> Cases {
    let mut cases = Cases::default();
    let mut seen = BTreeSet::new();
    for text in texts {
        let (pieces, unreadable) = postgres::split(&text.sql);
        cases.unreadable += unreadable;
        for piece in &pieces {
            if seen.insert((*piece).to_owned())
                && let Some(Ok([truth])) = postgres::read(piece).map(<[Facts; 1]>::try_from)
            {
                cases.bodies.extend(postgres::read_body(piece).map(|truth| Case {
                    origin: text.origin.clone(),
                    sql: (*piece).to_owned(),
                    truth,
                }));
                cases.statements.push(Case {
                    origin: text.origin.clone(),
                    sql: (*piece).to_owned(),
                    truth,
                });
            }
        }
        let count = pieces.len();
        if unreadable == 0 && count > 1 {
            cases.texts.push((text, count));
        }
    }
    cases
}

pub(crate) fn judge(reader: &Reader, cases: &Cases) -> Verdict {
    let mut verdict = Verdict::default();
    for case in &cases.statements {
        verdict.add(reader, case, &(reader.read)(&case.sql));
    }
    if let Some(read) = reader.read_body {
        for case in &cases.bodies {
            verdict.bodies += 1;
            verdict.add(reader, case, &read(&case.sql));
        }
    }
    for (text, count) in &cases.texts {
        verdict.texts += 1;
        let reading = (reader.read)(&text.sql);
        if reading.not_understood.is_empty() && reading.statements.len() != *count {
            verdict.disagreements.push(Disagreement {
                origin: text.origin.clone(),
                sql: text.sql.clone(),
                missed: BTreeSet::new(),
                invented: BTreeSet::new(),
                kinds: None,
                counts: Some((*count, reading.statements.len())),
            });
        }
    }
    verdict.disagreements.sort_by_key(Disagreement::weight);
    verdict
}

fn difference(reader: &Reader, case: &Case, truth: &BTreeSet<Fact>, read: &[Facts]) -> Option<Disagreement> {
    let seen: BTreeSet<Fact> = read.iter().flat_map(|it| it.facts.iter().cloned()).collect();
    let seen = (reader.common)(&seen);
    let kind = read.first().map_or(Kind::Other, |it| it.kind);
    let found = Disagreement {
        origin: case.origin.clone(),
        sql: case.sql.clone(),
        missed: truth.difference(&seen).cloned().collect(),
        invented: seen.difference(truth).cloned().collect(),
        kinds: (reader.has_kinds && kind != case.truth.kind).then_some((case.truth.kind, kind)),
        counts: (read.len() != 1).then_some((1, read.len())),
    };
    let is_agreed = found.missed.is_empty()
        && found.invented.is_empty()
        && found.kinds.is_none()
        && found.counts.is_none();
    (!is_agreed).then_some(found)
}

impl Disagreement {
    /// Orders what is missed before what is invented, and the destructive before the rest.
    fn weight(&self) -> (u8, Option<Fact>, String) {
        let rank = match self {
            _ if self.missed.iter().any(Fact::is_destructive) => 0,
            _ if self.counts.is_some() => 1,
            _ if !self.missed.is_empty() => 2,
            _ if self.kinds.is_some() => 3,
            _ => 4,
        };
        (rank, self.missed.first().cloned(), self.sql.clone())
    }
}

impl Verdict {
    fn add(&mut self, reader: &Reader, case: &Case, reading: &Reading) {
        self.statements += 1;
        let truth = (reader.common)(&case.truth.facts);
        self.facts += truth.len();
        if let Some(reason) = reading.not_understood.first() {
            self.not_understood.push(NotUnderstood {
                origin: case.origin.clone(),
                sql: case.sql.clone(),
                reason: reason.clone(),
            });
            return;
        }
        match difference(reader, case, &truth, &reading.statements) {
            Some(found) => self.disagreements.push(found),
            None => self.agreed += 1,
        }
    }

    pub(crate) fn missed(&self) -> BTreeMap<String, usize> {
        count(self.disagreements.iter().flat_map(|found| &found.missed))
    }

    pub(crate) fn invented(&self) -> BTreeMap<String, usize> {
        count(self.disagreements.iter().flat_map(|found| &found.invented))
    }
}

fn count<'facts>(facts: impl Iterator<Item = &'facts Fact>) -> BTreeMap<String, usize> {
    let mut counts = BTreeMap::new();
    for fact in facts {
        *counts.entry(fact.sort()).or_default() += 1;
    }
    counts
}
