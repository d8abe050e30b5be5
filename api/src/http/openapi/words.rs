//! What parameters of queries may say, where that is one of a few words or a moment.

use utoipa::openapi::schema::{Object, ObjectBuilder, Type};

/// A date, or a moment with its offset, from 1970 to 9999. RE2, which some generators check with, takes it as well.
const DAY_OR_MOMENT: &str = r"((19[7-9][0-9]|[2-9][0-9]{3})-((0[13578]|1[02])-(0[1-9]|[12][0-9]|3[01])|(0[469]|11)-(0[1-9]|[12][0-9]|30)|02-(0[1-9]|1[0-9]|2[0-8]))|(19(7[26]|8[048]|9[26])|[2-9][0-9](0[48]|[2468][048]|[13579][26])|([2468][048]|[3579][26])00)-02-29)(T([01][0-9]|2[0-3]):[0-5][0-9]:[0-5][0-9](\.[0-9]{1,6})?(Z|[+-]([01][0-9]|2[0-3]):[0-5][0-9]))?";

pub(super) fn status() -> Object {
    one_of(&["all", "pending", "completed"])
}

pub(super) fn tags_match() -> Object {
    one_of(&["all", "any"])
}

pub(super) fn include() -> Object {
    one_of(&["total"])
}

pub(super) fn day_or_moment() -> Object {
    matching(format!("^{DAY_OR_MOMENT}$"))
}

// The original takes an empty parameter for none.

pub(super) fn status_or_nothing() -> Object {
    one_of(&["", "all", "pending", "completed"])
}

pub(super) fn order_or_nothing() -> Object {
    one_of(&["", "asc", "desc"])
}

pub(super) fn sort_or_nothing() -> Object {
    one_of(&[
        "",
        "due_date",
        "priority",
        "created_at",
        "updated_at",
        "title",
        "completed",
        "id",
    ])
}

pub(super) fn day_moment_or_nothing() -> Object {
    matching(format!("^({DAY_OR_MOMENT})?$"))
}

fn one_of(words: &[&str]) -> Object {
    ObjectBuilder::new()
        .schema_type(Type::String)
        .enum_values(Some(words.iter().copied()))
        .build()
}

fn matching(pattern: String) -> Object {
    ObjectBuilder::new()
        .schema_type(Type::String)
        .pattern(Some(pattern))
        .build()
}
