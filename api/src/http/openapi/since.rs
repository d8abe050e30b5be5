//! Which revision brings what: operations by their tag, parameters and members by their name.

use utoipa::openapi::extensions::Extensions;
use utoipa::openapi::schema::{AllOfBuilder, Schema};
use utoipa::openapi::{OpenApi, RefOr};

use super::walk::operations;
use crate::domain::Feature;

/// Resources that are absent before their revision.
const RESOURCES: [(&str, Feature); 2] = [("tags", Feature::Tags), ("conversations", Feature::Conversations)];
/// Members of tasks, and the parameters that filter by them; before their revision they show and take their default.
const MEMBERS: [(&str, Feature); 12] = [
    ("priority", Feature::Priority),
    ("due_date", Feature::DueDate),
    ("due_after", Feature::DueDate),
    ("due_before", Feature::DueDate),
    ("overdue", Feature::DueDate),
    ("has_due", Feature::DueDate),
    ("remind_at", Feature::RemindAt),
    ("recurrence_pattern", Feature::Recurrence),
    ("recurring", Feature::Recurrence),
    ("is_recurring", Feature::Recurrence),
    ("tags", Feature::Tags),
    ("tags_match", Feature::Tags),
];
/// The schemas that have these members.
const SCHEMAS: [&str; 4] = ["Task", "TaskEntry", "TaskCreate", "TaskPatch"];

/// Says of everything that comes later which revision brings it.
pub(super) fn mark(document: &mut OpenApi) {
    for (_, _, operation) in operations(document) {
        let tags = operation.tags.clone().unwrap_or_default();
        let resource = RESOURCES.iter().find(|(tag, _)| tags.iter().any(|it| it == tag));
        if let Some((_, feature)) = resource {
            operation.extensions = Some(since(*feature));
        }
        for parameter in operation.parameters.iter_mut().flatten() {
            if let RefOr::T(parameter) = parameter
                && let Some(feature) = member(&parameter.name)
            {
                parameter.extensions = Some(since(feature));
            }
        }
    }
    let components = document.components.get_or_insert_default();
    for (name, schema) in &mut components.schemas {
        if let RefOr::T(Schema::Object(object)) = schema
            && SCHEMAS.contains(&name.as_str())
        {
            for (name, property) in &mut object.properties {
                if let Some(feature) = member(name) {
                    mark_property(property, since(feature));
                }
            }
        }
    }
}

fn member(name: &str) -> Option<Feature> {
    MEMBERS
        .iter()
        .find(|(member, _)| *member == name)
        .map(|(_, feature)| *feature)
}

fn since(feature: Feature) -> Extensions {
    Extensions::from_iter([("x-since-revision", feature.revision())])
}

fn mark_property(property: &mut RefOr<Schema>, since: Extensions) {
    match property {
        RefOr::T(Schema::Object(object)) => object.extensions = Some(since),
        RefOr::T(Schema::Array(array)) => array.extensions = Some(since),
        RefOr::T(Schema::OneOf(several)) => several.extensions = Some(since),
        // A reference has no room for more than words.
        RefOr::Ref(reference) => {
            let mut reference = reference.clone();
            let description = std::mem::take(&mut reference.description);
            *property = AllOfBuilder::new()
                .item(reference)
                .description((!description.is_empty()).then_some(description))
                .extensions(Some(since))
                .into();
        }
        RefOr::T(_) => {}
    }
}
