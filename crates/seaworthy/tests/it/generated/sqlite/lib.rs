//! Revisions as they are generated, in order.

use seaworthy::revision::Revision;
use seaworthy::revision_vec;

pub(super) fn revisions() -> Vec<Box<dyn Revision>> {
    revision_vec![
        Box::new(m20231114_221320_make_tables_that_refer_to_each_other::Migration),
        Box::new(m20231114_221321_add_columns_of_every_type::Migration),
        Box::new(m20231114_221322_add_columns_with_defaults::Migration),
        Box::new(m20231114_221323_say_who_a_task_belongs_to::Migration),
        Box::new(m20231114_221324_call_the_owner_by_another_name::Migration),
        Box::new(m20231114_221325_call_labels_tags::Migration),
        Box::new(m20231114_221326_change_the_types_of_columns::Migration),
        Box::new(m20231114_221327_demand_a_note::Migration),
        Box::new(m20231114_221328_change_defaults::Migration),
        Box::new(m20231114_221329_compute_a_column::Migration),
        Box::new(m20231114_221330_compute_it_in_another_way::Migration),
        Box::new(m20231114_221331_compare_letters_in_another_way::Migration),
        Box::new(m20231114_221332_add_constraints::Migration),
        Box::new(m20231114_221333_give_constraints_other_names::Migration),
        Box::new(m20231114_221334_change_what_happens_to_rows_that_refer_t::Migration),
        Box::new(m20231114_221335_build_indexes_of_every_kind::Migration),
        Box::new(m20231114_221336_change_the_primary_key::Migration),
        Box::new(m20231114_221337_go_back_to_one_key::Migration),
        Box::new(m20231114_221338_remove_constraints::Migration),
        Box::new(m20231114_221339_remove_indexes::Migration),
        Box::new(m20231114_221340_be_strict_about_tags::Migration),
        Box::new(m20231114_221341_show_tasks_and_trim_their_titles::Migration),
        Box::new(m20231114_221342_show_notes_too::Migration),
        Box::new(m20231114_221343_remove_columns::Migration),
        Box::new(m20231114_221344_remove_tables::Migration),
    ]
}

mod m20231114_221320_make_tables_that_refer_to_each_other;
mod m20231114_221321_add_columns_of_every_type;
mod m20231114_221322_add_columns_with_defaults;
mod m20231114_221323_say_who_a_task_belongs_to;
mod m20231114_221324_call_the_owner_by_another_name;
mod m20231114_221325_call_labels_tags;
mod m20231114_221326_change_the_types_of_columns;
mod m20231114_221327_demand_a_note;
mod m20231114_221328_change_defaults;
mod m20231114_221329_compute_a_column;
mod m20231114_221330_compute_it_in_another_way;
mod m20231114_221331_compare_letters_in_another_way;
mod m20231114_221332_add_constraints;
mod m20231114_221333_give_constraints_other_names;
mod m20231114_221334_change_what_happens_to_rows_that_refer_t;
mod m20231114_221335_build_indexes_of_every_kind;
mod m20231114_221336_change_the_primary_key;
mod m20231114_221337_go_back_to_one_key;
mod m20231114_221338_remove_constraints;
mod m20231114_221339_remove_indexes;
mod m20231114_221340_be_strict_about_tags;
mod m20231114_221341_show_tasks_and_trim_their_titles;
mod m20231114_221342_show_notes_too;
mod m20231114_221343_remove_columns;
mod m20231114_221344_remove_tables;
