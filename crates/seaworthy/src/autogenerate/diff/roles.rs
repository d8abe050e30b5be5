//! Owners and grants, where somebody asks for them.

use super::With;
use crate::catalog::{Catalog, ObjectKind};

/// Puts what is asked for among the objects of two catalogs. Where one of them says nothing of roles, as a snapshot does, it stays out,
/// and is counted with what is not compared.
pub(super) fn among_objects(with: &[With], live: &mut Catalog, declared: &mut Catalog) {
    let kinds: Vec<ObjectKind> = with.iter().map(|with| kind(*with)).collect();
    if kinds.is_empty() {
        return;
    }
    let is_known = live.roles.is_some() && declared.roles.is_some();
    for catalog in [live, declared] {
        let entries = catalog
            .roles
            .as_ref()
            .map(|roles| roles.entries_of(&kinds))
            .unwrap_or_default();
        match &mut catalog.objects {
            Some(objects) if is_known => objects.extend(entries),
            _ => {
                for entry in entries {
                    *catalog.not_compared.entry(entry.kind.to_string()).or_default() += 1;
                }
            }
        }
    }
}

fn kind(with: With) -> ObjectKind {
    match with {
        With::Grants => ObjectKind::Grants,
        With::Owners => ObjectKind::Owner,
    }
}
