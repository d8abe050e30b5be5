//! Who owns what and who may do what with it; PostgreSQL.

use super::{NeedKind, Object, ObjectKind};

/// Owners and grants of a schema. A schema does not depend on them, so they are compared on request only; and whatever is made again for
/// a change gets those back that it had.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Roles {
    /// The role that read them: it owns what it makes. Quoted where needed.
    pub own: String,
    /// One entry for the owner and one for the grants of each thing, in which the thing is what it needs.
    pub entries: Vec<Object>,
}

impl Roles {
    /// Returns the statements that give a thing that is made again its owner and grants back.
    #[must_use]
    pub fn of(&self, kind: NeedKind, name: &str) -> Vec<String> {
        let own = format!(" OWNER TO {}", self.own);
        self.entries
            .iter()
            .filter(|entry| {
                entry
                    .needs
                    .iter()
                    .any(|need| need.kind == kind && need.name == name)
            })
            .flat_map(|entry| &entry.sql)
            .filter(|statement| !statement.ends_with(&own))
            .cloned()
            .collect()
    }

    /// Owners come first: they may grant.
    pub(super) fn sort(&mut self) {
        self.entries
            .sort_by(|one, other| (one.kind, &one.name).cmp(&(other.kind, &other.name)));
    }

    /// Returns the entries of some kinds.
    #[must_use]
    pub fn entries_of(&self, kinds: &[ObjectKind]) -> Vec<Object> {
        let chosen = self.entries.iter().filter(|entry| kinds.contains(&entry.kind));
        chosen.cloned().collect()
    }
}
