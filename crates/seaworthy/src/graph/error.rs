//! What can be wrong with a graph, a target, or a request for a new revision.

use thiserror::Error;

use crate::revision::RevisionId;

/// Why there is no graph, no plan or no listing.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum GraphError {
    /// An id is empty, a reserved word, or uses the characters of the target grammar.
    #[error("{}", illegal_id(id, characters))]
    IllegalId {
        /// The id.
        id: RevisionId,
        /// The characters that it must not contain; empty when the whole id is at fault.
        characters: String,
    },
    /// A label is empty, a reserved word, or contains `@` or `:`.
    #[error(
        "label '{label}' of revision {revision} cannot be used: it is empty, reserved, or contains '@' or ':'"
    )]
    IllegalLabel {
        /// The label.
        label: String,
        /// The revision that carries it.
        revision: RevisionId,
    },
    /// Two revisions have the same id.
    #[error("revision id {id} is used twice, by '{first}' and by '{second}'")]
    DuplicateId {
        /// The id.
        id: RevisionId,
        /// SeaORM's name of the first.
        first: String,
        /// SeaORM's name of the second.
        second: String,
    },
    /// Two revisions have the same SeaORM name.
    #[error("migration name '{name}' is used twice, by revision {first} and by revision {second}")]
    DuplicateName {
        /// The name.
        name: String,
        /// The first revision.
        first: RevisionId,
        /// The second revision.
        second: RevisionId,
    },
    /// A label is taken by another revision, as its label or as its id.
    #[error("label '{label}' of revision {second} is already taken by revision {first}")]
    DuplicateLabel {
        /// The label.
        label: String,
        /// Who has it.
        first: RevisionId,
        /// Who wants it too.
        second: RevisionId,
    },
    /// A parent is not among the revisions.
    #[error("revision {revision} ('{name}') revises {parent}, which does not exist")]
    MissingParent {
        /// The revision.
        revision: RevisionId,
        /// Its SeaORM name, which is its file's.
        name: String,
        /// The parent it names.
        parent: RevisionId,
    },
    /// A dependency is not among the revisions and labels.
    #[error("revision {revision} ('{name}') depends on '{dependency}', which does not exist")]
    MissingDependency {
        /// The revision.
        revision: RevisionId,
        /// Its SeaORM name, which is its file's.
        name: String,
        /// The dependency it names.
        dependency: String,
    },
    /// A revision revises itself.
    #[error("revision {revision} revises itself")]
    SelfLoop {
        /// The revision.
        revision: RevisionId,
    },
    /// A revision depends on itself.
    #[error("revision {revision} depends on itself")]
    DependencyLoop {
        /// The revision.
        revision: RevisionId,
    },
    /// Revisions revise each other in a circle.
    #[error("revisions revise each other in a circle: {}", listed(revisions))]
    Cycle {
        /// The circle: each revises the next, the last revises the first.
        revisions: Vec<RevisionId>,
    },
    /// Revisions need each other in a circle of which some links are dependencies.
    #[error("revisions need each other in a circle: {}", listed(revisions))]
    DependencyCycle {
        /// The circle: each needs the next, the last needs the first.
        revisions: Vec<RevisionId>,
    },
    /// The text is no target at all.
    #[error("'{text}' is not a target: {reason}")]
    MalformedTarget {
        /// The text.
        text: String,
        /// What is wrong with it.
        reason: &'static str,
    },
    /// The text is no range.
    #[error("'{text}' is not a range: {reason}")]
    MalformedRange {
        /// The text.
        text: String,
        /// What is wrong with it.
        reason: &'static str,
    },
    /// Nothing has this name.
    #[error("there is no revision or branch '{text}'")]
    UnknownRevision {
        /// What was asked for.
        text: String,
        /// Known names that look like it.
        nearest: Vec<String>,
    },
    /// The database holds a revision that the graph does not.
    #[error("the database is at revision '{stored}', which does not exist here")]
    UnknownStored {
        /// What is stored.
        stored: String,
    },
    /// The revision exists but not on the branch it was asked for on.
    #[error("revision {revision} is not on branch '{branch}'")]
    NotOnBranch {
        /// The revision.
        revision: RevisionId,
        /// The branch.
        branch: String,
    },
    /// `current` was used where only the graph counts.
    #[error("'current' is not a revision to {verb}: it names what is applied already")]
    CurrentNotAllowed {
        /// What was to be done.
        verb: &'static str,
    },
    /// Several names start with this text.
    #[error("'{text}' could be any of {}", candidates.join(", "))]
    AmbiguousPrefix {
        /// What was asked for.
        text: String,
        /// The names that start with it.
        candidates: Vec<String>,
    },
    /// Several revisions stand for this phase.
    #[error("phase '{phase}' is declared by several revisions: {}", listed(revisions))]
    AmbiguousPhase {
        /// The phase as it was asked for.
        phase: String,
        /// The revisions that declare it.
        revisions: Vec<RevisionId>,
    },
    /// One revision was asked for where there are several heads.
    #[error("'{target}' could be any of {} heads: {}", heads.len(), listed(heads))]
    MultipleHeads {
        /// The target.
        target: String,
        /// The heads.
        heads: Vec<RevisionId>,
    },
    /// A relative step can go several ways.
    #[error("'{target}' is ambiguous: it could go by {}", listed(choices))]
    AmbiguousRelative {
        /// The target.
        target: String,
        /// Where the steps could go or start.
        choices: Vec<RevisionId>,
    },
    /// A relative target goes further than there are revisions, or the wrong way.
    #[error("'{target}' leads to no revision: {reason}")]
    RelativeOutOfRange {
        /// The target.
        target: String,
        /// What is in the way.
        reason: &'static str,
    },
    /// The command takes no relative target.
    #[error("{verb} takes no relative target like '{target}'")]
    RelativeNotAllowed {
        /// The target.
        target: String,
        /// The command.
        verb: &'static str,
    },
    /// A downgrade aims at a revision that is not below what is applied.
    #[error("{target} is not a downgrade from {}", place(heads))]
    NotAnAncestor {
        /// The target.
        target: String,
        /// What is applied.
        heads: Vec<RevisionId>,
    },
    /// The start of a range is not below its end.
    #[error("{start} is not an ancestor of {end}")]
    RangeNotAncestor {
        /// The start.
        start: RevisionId,
        /// The end, as it was asked for.
        end: String,
    },
    /// One of the revisions is an ancestor of the other where neither may be.
    #[error("revision {upper} already includes revision {lower}")]
    Overlap {
        /// The later one.
        upper: RevisionId,
        /// The one it includes.
        lower: RevisionId,
    },
    /// A new revision was asked for on one that has successors already.
    #[error("revision {revision} is not a head: {} already revises it", listed(children))]
    NotAHead {
        /// The revision.
        revision: RevisionId,
        /// Its successors.
        children: Vec<RevisionId>,
    },
    /// The same parent was named twice.
    #[error("revision {revision} is named twice as a parent")]
    DuplicateHead {
        /// The revision.
        revision: RevisionId,
    },
    /// A merge of fewer than two revisions.
    #[error("there is nothing to merge: {}", place(revisions))]
    NothingToMerge {
        /// The revisions that were found.
        revisions: Vec<RevisionId>,
    },
}

impl GraphError {
    /// Returns the kind of error as one word in snake case, which stays the same when messages change.
    #[must_use]
    pub fn kind(&self) -> &'static str {
        match self {
            Self::IllegalId { .. } => "illegal_id",
            Self::IllegalLabel { .. } => "illegal_label",
            Self::DuplicateId { .. } => "duplicate_id",
            Self::DuplicateName { .. } => "duplicate_name",
            Self::DuplicateLabel { .. } => "duplicate_label",
            Self::MissingParent { .. } | Self::MissingDependency { .. } => "missing_revision_file",
            Self::SelfLoop { .. } => "self_loop",
            Self::DependencyLoop { .. } => "dependency_loop",
            Self::Cycle { .. } => "cycle",
            Self::DependencyCycle { .. } => "dependency_cycle",
            Self::MalformedTarget { .. } => "malformed_target",
            Self::MalformedRange { .. } => "malformed_range",
            Self::UnknownRevision { .. }
            | Self::UnknownStored { .. }
            | Self::NotOnBranch { .. }
            | Self::CurrentNotAllowed { .. } => "unknown_revision",
            Self::AmbiguousPrefix { .. } => "ambiguous_prefix",
            Self::AmbiguousPhase { .. } => "ambiguous_phase",
            Self::MultipleHeads { .. } => "multiple_heads",
            Self::AmbiguousRelative { .. } => "ambiguous_relative",
            Self::RelativeOutOfRange { .. } => "relative_out_of_range",
            Self::RelativeNotAllowed { .. } => "relative_not_allowed",
            Self::NotAnAncestor { .. } => "not_an_ancestor",
            Self::RangeNotAncestor { .. } => "range_not_ancestor",
            Self::Overlap { .. } => "overlap",
            Self::NotAHead { .. } => "not_a_head",
            Self::DuplicateHead { .. } => "duplicate_head",
            Self::NothingToMerge { .. } => "nothing_to_merge",
        }
    }

    /// Returns the way out in one line, where there is one.
    #[must_use]
    pub fn hint(&self) -> Option<String> {
        let hint = match self {
            Self::IllegalId { .. } => "use letters, digits and underscores".to_owned(),
            Self::IllegalLabel { .. } => "use letters, digits, underscores and hyphens".to_owned(),
            Self::DuplicateId { .. } => {
                "give one of them another id, unless it is already applied somewhere".to_owned()
            }
            Self::DuplicateName { .. } => "rename one of the two migrations".to_owned(),
            Self::DuplicateLabel { .. } => "choose another label".to_owned(),
            Self::MissingParent { .. } | Self::MissingDependency { .. } => {
                "was its file deleted, renamed, or not registered in the list of migrations?".to_owned()
            }
            Self::Cycle { .. } | Self::DependencyCycle { .. } => "remove one of these links".to_owned(),
            Self::SelfLoop { .. } | Self::DependencyLoop { .. } => {
                "name the revision before it instead".to_owned()
            }
            Self::MalformedTarget { .. } => {
                "write an id, head, heads, base, +N, -N, <id>-N, or <branch>@head".to_owned()
            }
            Self::MalformedRange { .. } => "write <from>:<to>, <from>: or :<to>".to_owned(),
            Self::UnknownRevision { nearest, .. } if nearest.is_empty() => {
                "list what there is with `history`".to_owned()
            }
            Self::UnknownRevision { nearest, .. } => format!("did you mean {}?", nearest.join(" or ")),
            Self::UnknownStored { .. } => {
                "is this an older checkout? update it, or correct the database with `stamp --purge`"
                    .to_owned()
            }
            Self::NotOnBranch { revision, .. } => format!("leave the branch out: {revision}"),
            Self::CurrentNotAllowed { .. } => "name a revision, or a relative one such as +1".to_owned(),
            Self::AmbiguousPrefix { .. } => "add a character or more".to_owned(),
            Self::AmbiguousPhase { .. } => "name the revision by its id".to_owned(),
            Self::MultipleHeads { .. } => {
                "name one of them, narrow it with <branch>@head, take all with heads, or merge them"
                    .to_owned()
            }
            Self::AmbiguousRelative { .. } => "name the revision, or the branch as in <branch>@+1".to_owned(),
            Self::RelativeOutOfRange { .. } | Self::NotAnAncestor { .. } => {
                "compare `current` with `history`".to_owned()
            }
            Self::RelativeNotAllowed { .. } => "name the revision itself".to_owned(),
            Self::RangeNotAncestor { start, end } => format!("the other way round? {end}:{start}"),
            Self::Overlap { lower, .. } => format!("leave {lower} out"),
            Self::NotAHead { .. } => "choose a head, or branch off here with --splice".to_owned(),
            Self::DuplicateHead { .. } => "name it once".to_owned(),
            Self::NothingToMerge { .. } => {
                "name two heads or more; for one, make an ordinary revision".to_owned()
            }
        };
        Some(hint)
    }
}

fn illegal_id(id: &RevisionId, characters: &str) -> String {
    if id.as_str().trim().is_empty() {
        return "a revision id is empty".to_owned();
    }
    if characters.is_empty() {
        return format!("revision id '{id}' is a reserved word");
    }
    let quoted: Vec<String> = characters
        .chars()
        .map(|character| format!("'{character}'"))
        .collect();
    format!("revision id '{id}' contains {}", quoted.join(" and "))
}

fn place(revisions: &[RevisionId]) -> String {
    if revisions.is_empty() {
        "base".to_owned()
    } else {
        listed(revisions)
    }
}

fn listed(revisions: &[RevisionId]) -> String {
    const SHOWN: usize = 8;
    let shown: Vec<&str> = revisions.iter().take(SHOWN).map(RevisionId::as_str).collect();
    let more = revisions.len().saturating_sub(SHOWN);
    if more == 0 {
        shown.join(", ")
    } else {
        format!("{} and {more} more", shown.join(", "))
    }
}
