//! Ties that an index has the other way round than they are wanted.
//!
//! Of tasks that equal each other the smallest id comes first, also where a list goes downwards. An index that is read
//! backwards has its ids backwards, too. Sorting them would read all that tie, which may be all there is. So a page is read
//! as the index has it. What ties within the page is turned round, and what ties across its end is read once more from the
//! front. The three ranks of a priority are read one by one instead: nearly everything ties there.

use sea_orm::Condition;

use super::{Part, Search};
use crate::domain::{CursorValue, Direction, Priority, SortKey, SortTerm, Task, TaskQuery};

/// Returns the sort term whose ties an index has the other way round, and where it is.
///
/// No index has several keys in the directions of a list and the id in another, so that those lists are sorted as a whole.
fn against(query: &TaskQuery) -> Option<(usize, SortTerm)> {
    let mut terms = query
        .sort
        .iter()
        .copied()
        .enumerate()
        .filter(|(_, term)| term.key != SortKey::Completed);
    let (first, (_, second)) = (terms.next()?, terms.next()?);
    let is_against = second.key == SortKey::Id && first.1.direction != second.direction;
    is_against.then_some(first)
}

/// Whether tasks are sorted by nothing but whether they are completed and their ids.
pub(super) fn is_by_id(query: &TaskQuery) -> bool {
    let mut terms = query.sort.iter().filter(|term| term.key != SortKey::Completed);
    terms.next().is_some_and(|term| term.key == SortKey::Id)
}

/// Whether an index has the ties of this key the other way round.
pub(super) fn are_against(query: &TaskQuery, key: SortKey) -> bool {
    against(query).is_some_and(|(_, term)| term.key == key)
}

/// Whether each value of this key is read for itself.
pub(super) fn are_split(query: &TaskQuery, key: SortKey) -> bool {
    key == SortKey::Priority && are_against(query, key)
}

/// Returns the ranks of priorities in a direction, all of them or those behind one.
pub(super) fn ranks(direction: Direction, behind: Option<&CursorValue>) -> Vec<CursorValue> {
    let mut ranks = Priority::ALL.map(Priority::rank).to_vec();
    ranks.sort_unstable();
    if direction == Direction::Descending {
        ranks.reverse();
    }
    let ranks = ranks.into_iter().map(CursorValue::Number);
    match behind {
        None => ranks.collect(),
        Some(behind) => ranks.skip_while(|rank| rank != behind).skip(1).collect(),
    }
}

/// Returns the order that a part is read in.
pub(super) fn sort_within(query: &TaskQuery, part: &Part) -> Vec<SortTerm> {
    let mut sort = query.sort.clone();
    let (Some((index, term)), Some(id)) = (against(query), sort.len().checked_sub(1)) else {
        return sort;
    };
    if part.is_missing {
        // There is nothing to sort by but the id, and the index has both in one direction.
        sort[index].direction = sort[id].direction;
    } else if is_turned(query) && part.fixed <= index {
        sort[id].direction = term.direction;
    }
    sort
}

/// Puts what ties within the page into order, and returns where the ties begin that have to be read once more.
pub(super) fn settle(query: &TaskQuery, tasks: &mut [Task]) -> Option<usize> {
    if !is_turned(query) {
        return None;
    }
    let id = query.sort.last()?.direction;
    for block in tasks.chunk_by_mut(|one, other| keys(query, one) == keys(query, other)) {
        block.sort_by_key(|task| task.id);
        if id == Direction::Descending {
            block.reverse();
        }
    }
    let last = usize::try_from(query.limit)
        .ok()
        .and_then(|last| tasks.get(last))?;
    let tie = keys(query, last);
    let from = tasks.iter().position(|task| keys(query, task) == tie)?;
    // What ties with the cursor, or has no value, was read in order.
    let is_read = query
        .after
        .as_ref()
        .is_some_and(|cursor| cursor.0.starts_with(&tie));
    let is_settled = from + 1 == tasks.len() || is_read || tie.contains(&CursorValue::Missing);
    (!is_settled).then_some(from)
}

/// Returns the parts in which tasks tie with one.
pub(super) fn block(search: &Search<'_>, query: &TaskQuery, one: &Task) -> Vec<Part> {
    let is_sorted_by_status = query.sort.iter().any(|term| term.key == SortKey::Completed);
    query
        .filter
        .statuses()
        .into_iter()
        .filter(|completed| !is_sorted_by_status || *completed == one.completed)
        .map(|completed| {
            let all: Condition = search.condition(completed);
            let terms = query.sort[..query.sort.len() - 1].iter();
            terms
                .filter(|term| term.key != SortKey::Completed)
                .fold(Part::fixed(all, query.sort.len() - 1), |part, term| {
                    part.with(search, term.key, &term.key.value(one))
                })
        })
        .collect()
}

/// Whether ties are turned round after they were read. Whoever leaves rows out at the beginning has them sorted by the
/// database: nobody knows how many of a tie were left out.
pub(super) fn is_turned(query: &TaskQuery) -> bool {
    query.skip == 0 && against(query).is_some_and(|(_, term)| !are_split(query, term.key))
}

/// Returns what tasks are sorted by before their ids.
fn keys(query: &TaskQuery, task: &Task) -> Vec<CursorValue> {
    let terms = query.sort.iter().take(query.sort.len() - 1);
    terms.map(|term| term.key.value(task)).collect()
}
