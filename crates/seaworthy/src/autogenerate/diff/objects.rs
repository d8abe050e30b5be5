//! What no table holds: what is missing, what is too many, what says something else, and what steps aside for a change of
//! tables and comes back after it.

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};

use super::Note;
use super::disturbance::Disturbance;
use crate::autogenerate::Operation;
use crate::autogenerate::object::alteration;
use crate::catalog::{Catalog, Need, NeedKind, Object, ObjectKind};

/// Operations on objects, by when they are done.
#[derive(Debug, Default)]
pub(super) struct ObjectChanges {
    /// Before anything else: what is in the way, or needed by no table.
    first: Vec<Operation>,
    /// Before tables are made and changed, which may need it.
    early: Vec<Operation>,
    /// After all that it may need.
    late: Vec<Operation>,
    /// When no table needs it any more.
    last: Vec<Operation>,
    /// What stands in the way of a change and cannot come back after it.
    pub(super) notes: Vec<Note>,
}

/// An object by what tells it apart.
type Key<'a> = (ObjectKind, &'a str);

fn key(object: &Object) -> Key<'_> {
    (object.kind, &object.name)
}

fn needed_key(need: &Need) -> Option<Key<'_>> {
    match need.kind {
        NeedKind::Object(kind) => Some((kind, &need.name)),
        NeedKind::Table | NeedKind::Enum | NeedKind::Sequence => None,
    }
}

/// Returns how many things are not compared, by kind: those of which one side says nothing, and those that no catalog speaks of.
/// Where both sides have some, the larger number.
pub(super) fn not_compared(live: &Catalog, declared: &Catalog) -> BTreeMap<String, u64> {
    let mut numbers: BTreeMap<String, u64> = BTreeMap::new();
    for catalog in [live, declared] {
        for (kind, number) in &catalog.not_compared {
            let known = numbers.entry(kind.clone()).or_default();
            *known = (*known).max(*number);
        }
    }
    if let (Some(objects), None) | (None, Some(objects)) = (&live.objects, &declared.objects) {
        // An extension is there or not, and where a table needs it the table says so.
        let is_implied =
            |object: &&Object| object.kind == ObjectKind::Extension && !object.used_by.is_empty();
        for object in objects.iter().filter(|object| !is_implied(object)) {
            *numbers.entry(object.kind.to_string()).or_default() += 1;
        }
    }
    numbers
}

/// Compares the objects of a live catalog, as it is before any operation, with those of a declared one.
///
/// A declaration that says nothing about objects wants those that are there.
pub(super) fn compare(live: &Catalog, declared: &Catalog, operations: &[Operation]) -> ObjectChanges {
    let Some(found) = &live.objects else {
        return ObjectChanges::default();
    };
    let wanted = declared.objects.as_ref().unwrap_or(found);
    let comparison = Comparison {
        live: found.iter().map(|object| (key(object), object)).collect(),
        wanted: wanted.iter().map(|object| (key(object), object)).collect(),
        is_compared: declared.objects.is_some(),
        leant_on: found
            .iter()
            .chain(wanted)
            .flat_map(|object| object.needs.iter().filter_map(needed_key))
            .collect(),
        disturbance: Disturbance::of(live, operations),
    };
    comparison.changes()
}

struct Comparison<'a> {
    live: BTreeMap<Key<'a>, &'a Object>,
    wanted: BTreeMap<Key<'a>, &'a Object>,
    is_compared: bool,
    /// Objects that other objects need, on either side.
    leant_on: HashSet<Key<'a>>,
    disturbance: Disturbance,
}

/// An object that is made, or changed in its place.
struct Made {
    /// What it is changed from; nothing where it is not there by then.
    from: Option<Object>,
    to: Object,
    /// Whether it has to wait until tables let go of one of its name.
    is_last: bool,
}

impl<'a> Comparison<'a> {
    fn changes(&self) -> ObjectChanges {
        let mut changes = ObjectChanges::default();
        let mut removed = self.with_dependents(
            self.live
                .values()
                .filter(|object| self.has_to_go(object))
                .copied(),
        );
        let stuck: HashSet<Key<'_>> = removed
            .iter()
            .copied()
            .filter(|key| self.note_if_stuck(*key, &mut changes.notes))
            .collect();
        removed.retain(|key| !stuck.contains(key));

        let mut made: Vec<Made> = Vec::new();
        for (key, wanted) in &self.wanted {
            let found = self.live.get(key).copied();
            let is_removed = removed.contains(key);
            let is_open = match found {
                _ if stuck.contains(key) => false,
                None => true,
                Some(_) if is_removed => self.is_compared || self.disturbance.lost(wanted).is_none(),
                Some(found) => found.sql != wanted.sql,
            };
            if is_open {
                made.push(Made {
                    from: found.filter(|_| !is_removed).cloned(),
                    to: (*wanted).clone(),
                    is_last: found.is_some_and(|found| is_removed && !found.used_by.is_empty()),
                });
            }
        }
        self.place_removals(&removed, &mut changes);
        self.place_additions(made, &mut changes);
        changes
    }

    /// Whether an object of the live side is not wanted, cannot become what is wanted, or is in the way.
    fn has_to_go(&self, object: &Object) -> bool {
        let is_changed = || {
            let Some(wanted) = self.wanted.get(&key(object)) else {
                return true;
            };
            wanted.sql != object.sql
                && (self.disturbance.renames(object) || !self.is_altered_in_place(object, wanted))
        };
        self.is_compared && is_changed() || self.disturbance.hits(object)
    }

    /// Whether it can be changed without being removed; also backwards, unless something leans on it.
    fn is_altered_in_place(&self, from: &Object, to: &Object) -> bool {
        alteration(from, to).is_some()
            && (alteration(to, from).is_some()
                || !from.used_by.is_empty()
                || !self.leant_on.contains(&key(from)))
    }

    /// Returns objects with all that need them.
    fn with_dependents(&self, roots: impl Iterator<Item = &'a Object>) -> HashSet<Key<'a>> {
        let mut dependents: HashMap<Key<'a>, Vec<Key<'a>>> = HashMap::new();
        for object in self.live.values() {
            for needed in object.needs.iter().filter_map(needed_key) {
                dependents.entry(needed).or_default().push(key(object));
            }
        }
        let mut found: HashSet<Key<'a>> = HashSet::new();
        let mut open: Vec<Key<'a>> = roots.map(key).collect();
        while let Some(next) = open.pop() {
            if found.insert(next) {
                open.extend(dependents.get(&next).into_iter().flatten());
            }
        }
        found
    }

    /// Says why an object that has to go for a change cannot come back, although somebody wants it, or cannot go.
    fn note_if_stuck(&self, key: Key<'a>, notes: &mut Vec<Note>) -> bool {
        let (Some(found), Some(wanted)) = (self.live.get(&key), self.wanted.get(&key)) else {
            return false;
        };
        let goes_along = wanted
            .relation
            .as_ref()
            .is_some_and(|table| self.disturbance.tables.contains(table));
        let reason = match self.disturbance.lost(wanted) {
            Some(_) if self.is_compared || goes_along => None,
            Some(reason) => Some(reason),
            None => found
                .used_by
                .iter()
                .find(|table| wanted.used_by.contains(table) && !self.disturbance.tables.contains(*table))
                .map(|table| format!("{table}, which needs it as it is")),
        };
        let Some(reason) = reason else { return false };
        notes.push(Note::InTheWay {
            object: found.to_string(),
            reason,
        });
        true
    }

    fn place_removals(&self, removed: &HashSet<Key<'a>>, changes: &mut ObjectChanges) {
        let objects = removed
            .iter()
            .filter_map(|key| self.live.get(key))
            .copied()
            .collect();
        let mut is_late: HashSet<Key<'_>> = HashSet::new();
        for object in in_order(objects, |object| object).into_iter().rev() {
            let operation = Operation::DropObject {
                object: object.clone(),
            };
            if self.goes_along(object, removed) {
                continue;
            }
            if object.used_by.is_empty() && !is_late.contains(&key(object)) {
                changes.first.push(operation);
                continue;
            }
            is_late.extend(object.needs.iter().filter_map(needed_key));
            changes.last.push(operation);
        }
    }

    /// Whether it goes with what it is about: what nobody has needs no owner, and nobody to use it.
    fn goes_along(&self, object: &Object, removed: &HashSet<Key<'_>>) -> bool {
        let is_about_roles = matches!(object.kind, ObjectKind::Owner | ObjectKind::Grants);
        let is_gone = |need: &Need| match needed_key(need) {
            Some(key) => removed.contains(&key),
            None => self.disturbance.tables.contains(&need.name),
        };
        is_about_roles && (object.kind == ObjectKind::Owner || object.needs.iter().any(is_gone))
    }

    fn place_additions(&self, made: Vec<Made>, changes: &mut ObjectChanges) {
        let mut places: HashMap<(ObjectKind, String), Place> = HashMap::new();
        for made in in_order(made, |made| &made.to) {
            let object = &made.to;
            let needed = object.needs.iter().map(|need| match need.kind {
                NeedKind::Table if self.disturbance.touched.contains(&need.name) => Place::Late,
                NeedKind::Object(kind) => places
                    .get(&(kind, need.name.clone()))
                    .copied()
                    .unwrap_or(Place::Early),
                NeedKind::Table | NeedKind::Enum | NeedKind::Sequence => Place::Early,
            });
            let is_relation = matches!(object.kind, ObjectKind::View | ObjectKind::MaterializedView);
            let own = match made.is_last {
                true => Place::Last,
                false if is_relation || object.relation.is_some() => Place::Late,
                false => Place::Early,
            };
            let place = needed.max().unwrap_or(own).max(own);
            places.insert((object.kind, object.name.clone()), place);
            let operation = match made.from {
                Some(from) => Operation::AlterObject { from, to: made.to },
                None => Operation::AddObject { object: made.to },
            };
            match place {
                Place::Early => changes.early.push(operation),
                Place::Late => changes.late.push(operation),
                Place::Last => changes.last.push(operation),
            }
        }
    }
}

/// When an object is made.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Place {
    Early,
    Late,
    Last,
}

impl ObjectChanges {
    /// Puts the operations on objects among those on tables.
    pub(super) fn among(self, operations: Vec<Operation>) -> Vec<Operation> {
        let drops_type = |operation: &Operation| {
            matches!(
                operation,
                Operation::DropEnum { .. } | Operation::DropSequence { .. }
            )
        };
        let early = operations
            .iter()
            .position(Operation::builds_on_objects)
            .unwrap_or(operations.len());
        let trailing = operations
            .iter()
            .rev()
            .take_while(|operation| drops_type(operation))
            .count();
        let late = operations.len() - trailing;
        let mut tables = operations.into_iter();
        let mut all = self.first;
        all.extend(tables.by_ref().take(early.min(late)));
        all.extend(self.early);
        all.extend(tables.by_ref().take(late.saturating_sub(early)));
        all.extend(self.late);
        all.extend(self.last);
        all.extend(tables);
        all
    }
}

/// Returns things in an order in which each comes after those whose objects its object needs, and otherwise by kind and name.
fn in_order<T>(things: Vec<T>, object: impl Fn(&T) -> &Object) -> Vec<T> {
    let mut places: BTreeMap<(ObjectKind, String), usize> = BTreeMap::new();
    for (place, thing) in things.iter().enumerate() {
        let object = object(thing);
        places.insert((object.kind, object.name.clone()), place);
    }
    let needed: Vec<BTreeSet<usize>> = things
        .iter()
        .map(|thing| {
            let needs = object(thing).needs.iter().filter_map(needed_key);
            needs
                .filter_map(|(kind, name)| places.get(&(kind, name.to_owned())).copied())
                .collect()
        })
        .collect();
    let mut order: Vec<usize> = Vec::with_capacity(things.len());
    let mut seen = vec![false; things.len()];
    for &start in places.values() {
        // Depth first without recursion: a chain may be as long as there are objects.
        let mut path = vec![(start, false)];
        while let Some((place, is_done)) = path.pop() {
            if is_done {
                order.push(place);
            } else if !std::mem::replace(&mut seen[place], true) {
                path.push((place, true));
                path.extend(needed[place].iter().rev().map(|&next| (next, false)));
            }
        }
    }
    let mut things: Vec<Option<T>> = things.into_iter().map(Some).collect();
    order
        .into_iter()
        .filter_map(|place| things[place].take())
        .collect()
}
