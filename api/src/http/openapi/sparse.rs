//! The tasks of a list: with `fields` they have only some of their members.

use utoipa::openapi::schema::{ArrayItems, Schema};
use utoipa::openapi::{OpenApi, Ref, RefOr};

/// Describes them as tasks of which nothing is required.
pub(super) fn describe(document: &mut OpenApi) {
    let components = document.components.get_or_insert_default();
    let Some(RefOr::T(Schema::Object(task))) = components.schemas.get("Task") else {
        return;
    };
    // The original's list knows no `fields`.
    if !components.schemas.contains_key("PageBody_Task") {
        return;
    }
    let mut entry = task.clone();
    entry.required.clear();
    entry.description = Some("A task, or those of its members that the parameter `fields` names.".to_owned());
    components
        .schemas
        .insert("TaskEntry".to_owned(), RefOr::T(Schema::Object(entry)));
    if let Some(RefOr::T(Schema::Object(page))) = components.schemas.get_mut("PageBody_Task")
        && let Some(RefOr::T(Schema::Array(data))) = page.properties.get_mut("data")
    {
        let entry = RefOr::Ref(Ref::from_schema_name("TaskEntry"));
        data.items = ArrayItems::RefOrSchema(Box::new(entry));
    }
}
