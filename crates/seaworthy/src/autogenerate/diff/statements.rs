//! Views and triggers of SQLite: compared by the statements that make them.
//!
//! What goes, and what says something else, goes before everything else; what is new comes after everything else. So nothing
//! stands in the way in between.

use crate::autogenerate::Operation;
use crate::catalog::{Catalog, Ignore, Object, ObjectKind};

/// Compares what there was before any operation with what is declared. `renamed` is the same schema after tables and columns
/// have got other names: what the database writes anew meanwhile has no statement there, and is made anew instead.
///
/// A declaration that says nothing about objects wants those that are there, apart from triggers whose tables go.
pub(super) fn compare(
    before: &Catalog,
    renamed: &Catalog,
    declared: &Catalog,
    ignore: &Ignore,
    operations: &mut Vec<Operation>,
) {
    let is_compared = |object: &&Object| !ignore.covers(&object.name);
    let found: Vec<&Object> = before.objects.iter().flatten().filter(is_compared).collect();
    let comparison = Comparison { renamed, declared };
    let mut gone: Vec<&Object> = found
        .iter()
        .copied()
        .filter(|object| !comparison.stays(object))
        .collect();
    // A trigger goes with the view that it is on.
    let with_views: Vec<&Object> = found
        .iter()
        .copied()
        .filter(|object| !gone.iter().any(|other| other.is_named_as(object)))
        .filter(|object| {
            let mut views = gone.iter().filter(|other| other.kind == ObjectKind::View);
            views.any(|view| object.is_on(&view.name))
        })
        .collect();
    gone.extend(with_views);
    if !operations.is_empty() {
        extend_by_readers(&mut gone, &found);
    }
    let mut made: Vec<&Object> = declared
        .objects
        .iter()
        .flatten()
        .filter(is_compared)
        .filter(|object| {
            let is_it = |other: &&Object| other.is_named_as(object);
            gone.iter().any(is_it) || !found.iter().any(is_it)
        })
        .collect();
    gone.sort_by_key(|object| std::cmp::Reverse(object.kind));
    made.sort_by_key(|object| object.kind);
    operations.extend(gone.into_iter().map(|object| Operation::DropObject {
        object: object.clone(),
    }));
    operations.extend(made.into_iter().map(|object| Operation::AddObject {
        object: object.clone(),
    }));
}

/// Adds what reads a view that goes: SQLite looks at all views and triggers whenever it alters a table, and stops at one that reads
/// what is not there.
fn extend_by_readers<'a>(gone: &mut Vec<&'a Object>, found: &[&'a Object]) {
    let mut next = 0;
    while let Some(&view) = gone.get(next) {
        next += 1;
        if view.kind != ObjectKind::View {
            continue;
        }
        let readers: Vec<&Object> = found
            .iter()
            .copied()
            .filter(|object| {
                object.reads_table(&view.name) && !gone.iter().any(|other| other.is_named_as(object))
            })
            .collect();
        gone.extend(readers);
    }
}

struct Comparison<'a> {
    renamed: &'a Catalog,
    declared: &'a Catalog,
}

impl Comparison<'_> {
    /// Whether an object may be left as it is.
    fn stays(&self, object: &Object) -> bool {
        let is_it = |other: &&Object| other.is_named_as(object);
        let renamed = self.renamed.objects.iter().flatten().find(is_it);
        match &self.declared.objects {
            Some(wanted) => {
                let wanted = wanted.iter().find(is_it);
                wanted.is_some_and(|wanted| {
                    renamed.is_some_and(|renamed| {
                        renamed.says_the_same(wanted) && renamed.is_on_the_same(wanted)
                    })
                })
            }
            None => renamed
                .and_then(|renamed| renamed.relation.as_deref())
                .is_none_or(|relation| {
                    self.renamed.has_view(relation) || self.declared.table(relation).is_some()
                }),
        }
    }
}
