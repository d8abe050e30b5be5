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
        Box::new(m20231114_221340_give_an_index_another_name::Migration),
        Box::new(m20231114_221341_number_rows_in_another_way::Migration),
        Box::new(m20231114_221342_say_what_tables_and_columns_are_for::Migration),
        Box::new(m20231114_221343_add_a_type_of_moods::Migration),
        Box::new(m20231114_221344_add_a_mood::Migration),
        Box::new(m20231114_221345_remove_a_mood::Migration),
        Box::new(m20231114_221346_put_moods_in_another_order::Migration),
        Box::new(m20231114_221347_count_orders::Migration),
        Box::new(m20231114_221348_count_orders_in_tens::Migration),
        Box::new(m20231114_221349_count_no_orders::Migration),
        Box::new(m20231114_221350_check_new_rows_only::Migration),
        Box::new(m20231114_221351_check_all_rows::Migration),
        Box::new(m20231114_221352_keep_bookings_apart::Migration),
        Box::new(m20231114_221353_let_bookings_overlap::Migration),
        Box::new(m20231114_221354_keep_bookings_apart_again::Migration),
        Box::new(m20231114_221355_keep_fewer_rows_on_a_page::Migration),
        Box::new(m20231114_221356_keep_events_by_day_and_in_a_table_of_the::Migration),
        Box::new(m20231114_221357_keep_events_of_another_month::Migration),
        Box::new(m20231114_221358_keep_no_events_of_that_month::Migration),
        Box::new(m20231114_221359_keep_events_of_that_month_in_a_table_of::Migration),
        Box::new(m20231114_221400_keep_events_together_again::Migration),
        Box::new(m20231114_221401_have_no_moods::Migration),
        Box::new(m20231114_221402_remove_columns::Migration),
        Box::new(m20231114_221403_remove_tables::Migration),
        Box::new(m20231114_221404_say_how_to_double::Migration),
        Box::new(m20231114_221405_double_in_another_way::Migration),
        Box::new(m20231114_221406_double_no_more::Migration),
        Box::new(m20231114_221407_measure_depths_and_find_them_by_letters::Migration),
        Box::new(m20231114_221408_show_how_deep_tasks_are_and_guard_them::Migration),
        Box::new(m20231114_221409_put_tasks_in_the_order_of_their_key::Migration),
        Box::new(m20231114_221410_show_where_tasks_are_and_guard_nothing::Migration),
        Box::new(m20231114_221411_measure_nothing::Migration),
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
mod m20231114_221340_give_an_index_another_name;
mod m20231114_221341_number_rows_in_another_way;
mod m20231114_221342_say_what_tables_and_columns_are_for;
mod m20231114_221343_add_a_type_of_moods;
mod m20231114_221344_add_a_mood;
mod m20231114_221345_remove_a_mood;
mod m20231114_221346_put_moods_in_another_order;
mod m20231114_221347_count_orders;
mod m20231114_221348_count_orders_in_tens;
mod m20231114_221349_count_no_orders;
mod m20231114_221350_check_new_rows_only;
mod m20231114_221351_check_all_rows;
mod m20231114_221352_keep_bookings_apart;
mod m20231114_221353_let_bookings_overlap;
mod m20231114_221354_keep_bookings_apart_again;
mod m20231114_221355_keep_fewer_rows_on_a_page;
mod m20231114_221356_keep_events_by_day_and_in_a_table_of_the;
mod m20231114_221357_keep_events_of_another_month;
mod m20231114_221358_keep_no_events_of_that_month;
mod m20231114_221359_keep_events_of_that_month_in_a_table_of;
mod m20231114_221400_keep_events_together_again;
mod m20231114_221401_have_no_moods;
mod m20231114_221402_remove_columns;
mod m20231114_221403_remove_tables;
mod m20231114_221404_say_how_to_double;
mod m20231114_221405_double_in_another_way;
mod m20231114_221406_double_no_more;
mod m20231114_221407_measure_depths_and_find_them_by_letters;
mod m20231114_221408_show_how_deep_tasks_are_and_guard_them;
mod m20231114_221409_put_tasks_in_the_order_of_their_key;
mod m20231114_221410_show_where_tasks_are_and_guard_nothing;
mod m20231114_221411_measure_nothing;
