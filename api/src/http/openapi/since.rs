//! Which revision brings what: operations by their path, parameters and members by their name.

use std::collections::BTreeMap;

use utoipa::openapi::extensions::Extensions;
use utoipa::openapi::schema::Schema;
use utoipa::openapi::{OpenApi, RefOr};

use super::walk::operations;
use crate::domain::Feature;

/// Operations that come later than what they are about.
const OPERATIONS: [(&str, Feature); 1] = [("renameConversation", Feature::ConversationTitles)];
/// Parts of paths below which everything is absent before its revision.
const RESOURCES: [(&str, Feature); 8] = [
    ("/tags", Feature::Tags),
    ("/conversations", Feature::Conversations),
    ("/changes", Feature::Changes),
    ("/events", Feature::Changes),
    ("/auth/", Feature::Accounts),
    ("/me/password", Feature::Accounts),
    ("/me/sessions", Feature::Accounts),
    ("/me/tokens", Feature::ApiTokens),
];
/// Members of tasks, and the parameters that filter by them; before their revision they show and take their default.
const OF_TASKS: &[(&str, Feature)] = &[
    ("priority", Feature::Priority),
    ("due_date", Feature::DueDate),
    ("due_after", Feature::DueDate),
    ("due_before", Feature::DueDate),
    ("overdue", Feature::DueDate),
    ("has_due", Feature::DueDate),
    ("due_on", Feature::DueDays),
    ("due_zone", Feature::DueDays),
    ("remind_at", Feature::RemindAt),
    ("recurrence_pattern", Feature::Recurrence),
    ("recurring", Feature::Recurrence),
    ("is_recurring", Feature::Recurrence),
    ("tags", Feature::Tags),
    ("tags_match", Feature::Tags),
    ("Idempotency-Key", Feature::IdempotencyKeys),
];
/// Members of conversations, likewise.
const OF_CONVERSATIONS: &[(&str, Feature)] = &[("title", Feature::ConversationTitles)];
/// Members of people, likewise.
const OF_USERS: &[(&str, Feature)] = &[("time_zone", Feature::TimeZones)];
/// The schemas that have these members.
const SCHEMAS: [(&str, &[(&str, Feature)]); 8] = [
    ("Task", OF_TASKS),
    ("TaskEntry", OF_TASKS),
    ("TaskCreate", OF_TASKS),
    ("TaskPatch", OF_TASKS),
    ("Conversation", OF_CONVERSATIONS),
    ("ConversationPatch", OF_CONVERSATIONS),
    ("User", OF_USERS),
    ("UserPatch", OF_USERS),
];

/// Says of everything that comes later which revision brings it.
pub(super) fn mark(document: &mut OpenApi) {
    for (path, _, operation) in operations(document) {
        let name = operation.operation_id.as_deref().unwrap_or_default();
        let own = OPERATIONS.iter().find(|(operation, _)| *operation == name);
        if let Some((_, feature)) = own.or_else(|| RESOURCES.iter().find(|(part, _)| path.contains(part))) {
            operation
                .extensions
                .get_or_insert_default()
                .merge(since(*feature));
        }
        for parameter in operation.parameters.iter_mut().flatten() {
            if let RefOr::T(parameter) = parameter
                && let Some(feature) = member(OF_TASKS, &parameter.name)
            {
                parameter.extensions = Some(since(feature));
            }
        }
    }
    let components = document.components.get_or_insert_default();
    let schemas = components.schemas.clone();
    for (name, schema) in &mut components.schemas {
        if let RefOr::T(Schema::Object(object)) = schema
            && let Some((_, members)) = SCHEMAS.iter().find(|(schema, _)| schema == name)
        {
            for (name, property) in &mut object.properties {
                if let Some(feature) = member(members, name) {
                    if let Some(whole) = written_out(property, &schemas) {
                        *property = whole;
                    }
                    mark_property(property, since(feature));
                }
            }
        }
    }
    drop_unused(document, "Priority");
}

fn member(members: &[(&str, Feature)], name: &str) -> Option<Feature> {
    members
        .iter()
        .find(|(member, _)| *member == name)
        .map(|(_, feature)| *feature)
}

fn since(feature: Feature) -> Extensions {
    Extensions::from_iter([("x-since-revision", feature.revision())])
}

/// Returns what a reference leads to, which some generators cannot read in a wrapper of its own.
fn written_out(property: &RefOr<Schema>, schemas: &BTreeMap<String, RefOr<Schema>>) -> Option<RefOr<Schema>> {
    let reference = match property {
        RefOr::Ref(reference) => reference,
        RefOr::T(Schema::OneOf(several)) => match several.items.as_slice() {
            [RefOr::Ref(reference)] => reference,
            _ => return None,
        },
        RefOr::T(_) => return None,
    };
    let name = reference.ref_location.rsplit('/').next()?;
    let mut whole = schemas.get(name)?.clone();
    if let RefOr::T(Schema::Object(object)) = &mut whole
        && !reference.description.is_empty()
    {
        object.description = Some(reference.description.clone());
    }
    Some(whole)
}

/// Takes a schema away that nothing refers to any more.
fn drop_unused(document: &mut OpenApi, name: &str) {
    let reference = format!("#/components/schemas/{name}\"");
    let is_used = document.to_json().is_ok_and(|text| text.contains(&reference));
    if let Some(components) = document.components.as_mut().filter(|_| !is_used) {
        components.schemas.remove(name);
    }
}

fn mark_property(property: &mut RefOr<Schema>, since: Extensions) {
    match property {
        RefOr::T(Schema::Object(object)) => object.extensions = Some(since),
        RefOr::T(Schema::Array(array)) => array.extensions = Some(since),
        RefOr::T(Schema::OneOf(several)) => several.extensions = Some(since),
        // A reference has no room for it: `written_out` has replaced those.
        RefOr::T(_) | RefOr::Ref(_) => {}
    }
}
