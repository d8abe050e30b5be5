//! Finding what a target names. Steps from there are the business of `steps`.

use crate::revision::RevisionId;

use super::reach::PositionSet;
use super::target::Symbol;
use super::{GraphError, Position, RevisionGraph, Target};

/// Alembic matches only ids and labels longer than this by prefix.
const LONGEST_WITHOUT_PREFIX: usize = 3;

/// How many suggestions an unknown name gets at most.
const SUGGESTIONS: usize = 3;

impl RevisionGraph {
    /// Returns the revision that a name means: id, SeaORM name, label, phase or unique prefix, in this order.
    pub(super) fn named(&self, text: &str) -> Result<Position, GraphError> {
        match self.named_exactly(text)? {
            Some(position) => Ok(position),
            None => self.named_by_prefix(text, None),
        }
    }

    /// Returns the revisions that a target without steps names, the empty list being the base.
    ///
    /// `current` must have been dealt with before; `verb` says what it cannot be used for.
    pub(super) fn absolute(&self, target: &Target, verb: &'static str) -> Result<Vec<Position>, GraphError> {
        let branch = match target.branch() {
            Some(branch) => Some(self.branch_of(self.named(branch)?)),
            None => None,
        };
        match target.symbol() {
            Symbol::Base => Ok(Vec::new()),
            Symbol::Current => Err(GraphError::CurrentNotAllowed { verb }),
            Symbol::Head => Ok(self.only_head(target, branch.as_ref())?.into_iter().collect()),
            Symbol::Heads => Ok(self.heads_on(branch.as_ref())),
            Symbol::Name(_) | Symbol::Here => Ok(vec![self.on_branch(target, branch.as_ref())?]),
        }
    }

    /// Returns the one revision that a target without steps names, nothing being the base.
    pub(super) fn single(&self, target: &Target, verb: &'static str) -> Result<Option<Position>, GraphError> {
        match self.absolute(target, verb)?.as_slice() {
            [] => Ok(None),
            [position] => Ok(Some(*position)),
            several => Err(self.multiple_heads(target, several)),
        }
    }

    /// Returns the branch part of a target as the set of revisions on it.
    pub(super) fn branch_part(&self, target: &Target) -> Result<Option<PositionSet>, GraphError> {
        target
            .branch()
            .map(|branch| Ok(self.branch_of(self.named(branch)?)))
            .transpose()
    }

    /// Returns whether the target counts steps and is not just a label that looks like it.
    pub(super) fn counts_steps(&self, target: &Target) -> bool {
        target.is_relative() && !matches!(self.named_exactly(target.whole()), Ok(Some(_)))
    }

    /// Returns the error for several heads where one was asked for.
    pub(super) fn multiple_heads(&self, target: &Target, heads: &[Position]) -> GraphError {
        GraphError::MultipleHeads {
            target: target.to_string(),
            heads: self.ids(heads),
        }
    }

    /// Returns the revision that exactly this text names, short of prefixes.
    pub(super) fn named_exactly(&self, text: &str) -> Result<Option<Position>, GraphError> {
        let found = self
            .names
            .get(&RevisionId::from(text))
            .or_else(|| self.labels.get(text));
        match found {
            Some(position) => Ok(Some(*position)),
            None => self.named_by_phase(text),
        }
    }

    fn on_branch(&self, target: &Target, branch: Option<&PositionSet>) -> Result<Position, GraphError> {
        let whole = target.whole();
        let name = match (self.named_exactly(whole)?, target.symbol()) {
            (None, Symbol::Name(name)) => name,
            _ => whole,
        };
        let position = match self.named_exactly(name)? {
            Some(position) => position,
            None => self.named_by_prefix(name, branch)?,
        };
        match (branch, target.branch()) {
            (Some(members), Some(branch)) if !members.contains(position) => Err(GraphError::NotOnBranch {
                revision: self.id(position),
                branch: branch.to_owned(),
            }),
            _ => Ok(position),
        }
    }

    fn only_head(
        &self,
        target: &Target,
        branch: Option<&PositionSet>,
    ) -> Result<Option<Position>, GraphError> {
        let heads = self.head_positions();
        let heads: Vec<Position> = heads
            .into_iter()
            .filter(|&head| branch.is_none_or(|branch| branch.contains(head)))
            .collect();
        match heads.as_slice() {
            [] => Ok(None),
            [head] => Ok(Some(*head)),
            several => match self.without_implied(several).as_slice() {
                // The other heads are dependencies of this one: going there means going to all of them.
                [head] => Ok(Some(*head)),
                _ => Err(self.multiple_heads(target, several)),
            },
        }
    }

    fn heads_on(&self, branch: Option<&PositionSet>) -> Vec<Position> {
        match branch {
            None => self.final_head_positions(),
            Some(branch) => {
                let mut heads = self.head_positions();
                heads.retain(|&head| branch.contains(head));
                self.without_implied(&heads)
            }
        }
    }

    fn without_implied(&self, heads: &[Position]) -> Vec<Position> {
        self.tips(&PositionSet::of(self.nodes.len(), heads.iter().copied()))
    }

    fn named_by_phase(&self, text: &str) -> Result<Option<Position>, GraphError> {
        let short = match text.split_at_checked("phase-".len()) {
            Some((prefix, short)) if prefix.eq_ignore_ascii_case("phase-") => short,
            _ => text,
        };
        let matches = |position: &Position| {
            let phase = self.nodes[*position].header.phase.as_deref();
            phase.is_some_and(|phase| phase.eq_ignore_ascii_case(short) || phase.eq_ignore_ascii_case(text))
        };
        let found: Vec<Position> = (0..self.nodes.len()).filter(matches).collect();
        match found.as_slice() {
            [] => Ok(None),
            [position] => Ok(Some(*position)),
            several => Err(GraphError::AmbiguousPhase {
                phase: text.to_owned(),
                revisions: self.ids(several),
            }),
        }
    }

    fn named_by_prefix(&self, text: &str, branch: Option<&PositionSet>) -> Result<Position, GraphError> {
        let mut found: Vec<(&str, Position)> = Vec::new();
        if !text.is_empty() {
            let candidates = self.stored_names().filter(|(name, position)| {
                name.starts_with(text)
                    && name.chars().count() > LONGEST_WITHOUT_PREFIX
                    && branch.is_none_or(|branch| branch.contains(*position))
            });
            found.extend(candidates);
        }
        match found.as_slice() {
            [] => Err(GraphError::UnknownRevision {
                text: text.to_owned(),
                nearest: self.nearest(text),
            }),
            [(_, position)] => Ok(*position),
            several => Err(GraphError::AmbiguousPrefix {
                text: text.to_owned(),
                candidates: several.iter().map(|(name, _)| (*name).to_owned()).collect(),
            }),
        }
    }

    /// Ids in the order of loading, then the SeaORM names that differ from them: a beginning of them is enough. Not so of a label,
    /// which stands for a whole branch.
    fn stored_names(&self) -> impl Iterator<Item = (&str, Position)> {
        let headers = || self.nodes.iter().map(|node| &node.header).enumerate();
        let ids = headers().map(|(position, header)| (header.id.as_str(), position));
        let names = headers()
            .filter(|(_, header)| header.name != header.id.as_str())
            .map(|(position, header)| (header.name.as_str(), position));
        ids.chain(names)
    }

    fn labels(&self) -> impl Iterator<Item = &str> {
        let labels = self.nodes.iter().flat_map(|node| &node.header.labels);
        labels.map(String::as_str)
    }

    fn nearest(&self, text: &str) -> Vec<String> {
        let length = text.chars().count();
        let furthest = (length / 3).max(1);
        let mut near: Vec<(usize, &str)> = self
            .stored_names()
            .map(|(name, _)| name)
            .chain(self.labels())
            .filter(|name| name.chars().count().abs_diff(length) <= furthest)
            .map(|name| (edit_distance(&name.to_lowercase(), &text.to_lowercase()), name))
            .filter(|(distance, _)| *distance <= furthest)
            .collect();
        near.sort_by_key(|(distance, _)| *distance);
        let mut nearest: Vec<String> = near
            .into_iter()
            .take(SUGGESTIONS)
            .map(|(_, name)| name.to_owned())
            .collect();
        if nearest.is_empty() && !text.is_empty() {
            let begun = self.labels().filter(|label| label.starts_with(text));
            nearest.extend(begun.take(SUGGESTIONS).map(str::to_owned));
        }
        if nearest.is_empty() && length > LONGEST_WITHOUT_PREFIX {
            let stored = self.nodes.iter().map(|node| node.header.name.as_str());
            nearest.extend(
                stored
                    .filter(|name| name.contains(text))
                    .take(SUGGESTIONS)
                    .map(str::to_owned),
            );
        }
        nearest
    }
}

/// Returns how many characters must be inserted, removed or replaced to get from one text to the other.
fn edit_distance(left: &str, right: &str) -> usize {
    let right: Vec<char> = right.chars().collect();
    let mut row: Vec<usize> = (0..=right.len()).collect();
    for (index, left_char) in left.chars().enumerate() {
        let mut diagonal = row[0];
        row[0] = index + 1;
        for (column, right_char) in right.iter().enumerate() {
            let replaced = diagonal + usize::from(left_char != *right_char);
            diagonal = row[column + 1];
            row[column + 1] = replaced.min(diagonal + 1).min(row[column] + 1);
        }
    }
    row[right.len()]
}

#[cfg(test)]
mod tests {
    use super::super::{GraphError, RevisionGraph};
    use super::edit_distance;
    use crate::revision::Header;

    fn graph() -> RevisionGraph {
        RevisionGraph::build([
            Header::new("1975ea83").name("m2024_tasks").phase("II"),
            Header::new("ae1027a6")
                .revises("1975ea83")
                .phase("III")
                .label("release-2"),
            Header::new("ae10c2f3").revises("ae1027a6").phase("2"),
        ])
        .unwrap()
    }

    fn resolved(text: &str) -> Result<String, GraphError> {
        let graph = graph();
        let position = graph.single(&text.parse()?, "show")?;
        Ok(position.map_or_else(|| "base".to_owned(), |position| graph.id(position).to_string()))
    }

    #[test]
    fn a_name_may_be_an_id_a_migration_a_label_a_phase_or_a_prefix() {
        for text in ["1975ea83", "m2024_tasks", "II", "phase-ii", "PHASE-II", "1"] {
            assert_eq!(resolved(text).as_deref(), Ok("1975ea83"), "{text}");
        }
    }

    #[test]
    fn a_label_or_phase_may_look_like_steps() {
        assert_eq!(resolved("release-2").as_deref(), Ok("ae1027a6"));
        assert_eq!(resolved("phase-2").as_deref(), Ok("ae10c2f3"));
    }

    #[test]
    fn an_ambiguous_prefix_lists_the_candidates() {
        let message = "'ae10' could be any of ae1027a6, ae10c2f3";
        assert_eq!(resolved("ae10").unwrap_err().to_string(), message);
    }

    #[test]
    fn an_unknown_name_gets_the_nearest_known_ones() {
        let error = resolved("1975ea38").unwrap_err();
        assert_eq!(error.hint().as_deref(), Some("did you mean 1975ea83?"));
    }

    #[test]
    fn ids_of_three_characters_have_no_prefixes() {
        let graph = RevisionGraph::build([Header::new("001")]).unwrap();
        assert_eq!(
            graph.single(&"00".parse().unwrap(), "show").unwrap_err().kind(),
            "unknown_revision"
        );
    }

    #[test]
    fn edit_distance_counts_single_character_changes() {
        assert_eq!(edit_distance("", "abc"), 3);
        assert_eq!(edit_distance("kitten", "sitting"), 3);
        assert_eq!(edit_distance("same", "same"), 0);
    }
}
