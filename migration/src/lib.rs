//! The phases of the Todo database, oldest first.
//!
//! One file per revision; this one only lists them. `Migrator` is an ordinary SeaORM migrator, so the stock runner and
//! `sea-orm-cli` drive it too, and the same list tells the revision graph what each one declares about itself.
#![expect(
    unreachable_pub,
    reason = "revisions keep the shape that sea-orm-cli generates: a public type in a private module"
)]

use sea_orm_migration::{MigrationTrait, MigratorTrait};
use seaworthy::revision::Revision;
use seaworthy::revision_vec;

// The Rust code on the pages of the documentation is compiled and run as tests of this crate.
#[cfg(doctest)]
#[doc = include_str!("../../README.md")]
#[doc = include_str!("../../docs/migrations.md")]
#[doc = include_str!("../../docs/alembic.md")]
struct Pages;

mod m20241225_100000_create_initial_tables;
mod m20241226_100000_add_conversations;
mod m20241227_100000_add_advanced_task_features;
mod m20241228_100000_create_accounts;
mod m20241228_110000_make_email_unique_in_any_case;
mod m20241229_100000_index_lists;
mod m20241229_110000_drop_idle_indexes;
mod m20241230_100000_index_search;
mod m20241231_100000_mend_words;
mod m20241231_110000_check_new_words;
mod m20241231_120000_check_all_words;
mod m20250101_100000_name_owners_of_tags;
mod m20250101_110000_give_tags_owners;
mod m20250101_120000_split_tags;
mod m20250102_100000_merge_words_and_tags;
mod m20250102_110000_require_owners_of_tags;
mod m20250102_120000_settle_owners_of_tags;
mod m20250103_100000_drop_is_recurring;
mod m20250104_100000_name_rules_of_recurrence;
mod m20250104_110000_copy_rules_of_recurrence;
mod m20250104_120000_drop_patterns_of_recurrence;
mod m20250105_100000_add_zoned_times;
mod m20250105_110000_copy_times;
mod m20250105_120000_index_zoned_times;
mod m20250105_130000_trade_times;
mod m20250105_140000_drop_zoneless_times;
mod m20250106_100000_add_titles;
mod m20250106_110000_title_conversations;
mod m20250107_100000_add_task_events;
mod m20250108_100000_make_tags_unique_in_any_case;
mod m20250109_100000_add_folded_texts;
mod m20250109_110000_drop_index_of_unfolded_texts;
mod m20250110_100000_add_due_days;
mod m20250110_110000_add_time_zones;
mod phase_xiii;

#[cfg(feature = "cli")]
pub mod target;

/// Every revision of the Todo database.
#[derive(Clone, Copy, Debug, Default)]
pub struct Migrator;

impl Migrator {
    /// Returns the revisions with what they declare about themselves, oldest first.
    #[must_use]
    pub fn revisions() -> Vec<Box<dyn Revision>> {
        // `sea-orm-cli migrate generate` rewrites this list: everything from its opening to the last closing bracket
        // that ends a line in this file. Keep it the only list, and let no later line end that way.
        revision_vec![
            Box::new(m20241225_100000_create_initial_tables::Migration),
            Box::new(m20241226_100000_add_conversations::Migration),
            Box::new(m20241227_100000_add_advanced_task_features::Migration),
            Box::new(m20241228_100000_create_accounts::Migration),
            Box::new(m20241228_110000_make_email_unique_in_any_case::Migration),
            Box::new(m20241229_100000_index_lists::Migration),
            Box::new(m20241229_110000_drop_idle_indexes::Migration),
            Box::new(m20241230_100000_index_search::Migration),
            Box::new(m20241231_100000_mend_words::Migration),
            Box::new(m20241231_110000_check_new_words::Migration),
            Box::new(m20241231_120000_check_all_words::Migration),
            Box::new(m20250101_100000_name_owners_of_tags::Migration),
            Box::new(m20250101_110000_give_tags_owners::Migration),
            Box::new(m20250101_120000_split_tags::Migration),
            Box::new(m20250102_100000_merge_words_and_tags::Migration),
            Box::new(m20250102_110000_require_owners_of_tags::Migration),
            Box::new(m20250102_120000_settle_owners_of_tags::Migration),
            Box::new(m20250103_100000_drop_is_recurring::Migration),
            Box::new(m20250104_100000_name_rules_of_recurrence::Migration),
            Box::new(m20250104_110000_copy_rules_of_recurrence::Migration),
            Box::new(m20250104_120000_drop_patterns_of_recurrence::Migration),
            Box::new(m20250105_100000_add_zoned_times::Migration),
            Box::new(m20250105_110000_copy_times::Migration),
            Box::new(m20250105_120000_index_zoned_times::Migration),
            Box::new(m20250105_130000_trade_times::Migration),
            Box::new(m20250105_140000_drop_zoneless_times::Migration),
            Box::new(m20250106_100000_add_titles::Migration),
            Box::new(m20250106_110000_title_conversations::Migration),
            Box::new(m20250107_100000_add_task_events::Migration),
            Box::new(m20250108_100000_make_tags_unique_in_any_case::Migration),
            Box::new(m20250109_100000_add_folded_texts::Migration),
            Box::new(m20250109_110000_drop_index_of_unfolded_texts::Migration),
            Box::new(m20250110_100000_add_due_days::Migration),
            Box::new(m20250110_110000_add_time_zones::Migration),
        ]
    }
}

impl MigratorTrait for Migrator {
    fn migrations() -> Vec<Box<dyn MigrationTrait>> {
        Self::revisions()
            .into_iter()
            .map(|revision| revision as Box<dyn MigrationTrait>)
            .collect()
    }
}
