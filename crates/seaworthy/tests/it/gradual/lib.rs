//! Revisions as they are generated, in order.

use seaworthy::revision::Revision;
use seaworthy::revision_vec;

pub(super) fn revisions() -> Vec<Box<dyn Revision>> {
    revision_vec![
        Box::new(m20260101_000000_say_whose_a_task_is::Migration),
        Box::new(m20260101_000001_say_whose_a_task_is_begin::Migration),
        Box::new(m20260101_000002_say_whose_a_task_is_fill::Migration),
        Box::new(m20260101_000003_say_whose_a_task_is_demand::Migration),
        Box::new(m20260101_000004_say_whose_a_task_is_clear_away::Migration),
    ]
}

mod m20260101_000000_say_whose_a_task_is;
mod m20260101_000001_say_whose_a_task_is_begin;
mod m20260101_000002_say_whose_a_task_is_fill;
mod m20260101_000003_say_whose_a_task_is_demand;
mod m20260101_000004_say_whose_a_task_is_clear_away;
