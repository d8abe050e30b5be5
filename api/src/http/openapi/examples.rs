//! An example for every body that has none: made of the examples of its members.

use serde_json::{Map, Value, json};
use utoipa::openapi::content::Content;
use utoipa::openapi::{OpenApi, RefOr};

use super::walk::{operations, responses};

/// Adds an example to each body of a request and of a success.
pub(super) fn add(document: &mut OpenApi) {
    let schemas = document
        .components
        .as_ref()
        .and_then(|components| serde_json::to_value(&components.schemas).ok())
        .unwrap_or_default();
    for (_, _, operation) in operations(document) {
        if let Some(RefOr::T(body)) = operation.request_body.as_mut() {
            for content in body.content.values_mut() {
                show(content, &schemas);
            }
        }
        for (_, response) in responses(operation).filter(|(status, _)| status.starts_with('2')) {
            for content in response.content.values_mut() {
                show(content, &schemas);
            }
        }
    }
}

fn show(content: &mut RefOr<Content>, schemas: &Value) {
    if let RefOr::T(content) = content
        && content.example.is_none()
        && content.examples.is_empty()
    {
        let schema = serde_json::to_value(&content.schema).unwrap_or_default();
        content.example = Some(of(&schema, schemas));
    }
}

/// Returns a value that a schema allows.
fn of(schema: &Value, schemas: &Value) -> Value {
    if let Some(example) = schema.get("example").or_else(|| schema["examples"].get(0)) {
        return example.clone();
    }
    if let Some(name) = schema["$ref"].as_str().and_then(|it| it.rsplit('/').next()) {
        return of(&schemas[name], schemas);
    }
    if let Some(parts) = schema["allOf"].as_array() {
        return whole(parts.iter().map(|part| of(part, schemas)));
    }
    for several in ["oneOf", "anyOf"] {
        if let Some(options) = schema[several].as_array() {
            let option = options.iter().find(|option| option["type"] != "null");
            return option.map_or(Value::Null, |option| of(option, schemas));
        }
    }
    if let Some(choice) = schema["enum"].get(0) {
        return choice.clone();
    }
    let is_a = |kind: &str| match &schema["type"] {
        Value::Array(kinds) => kinds.iter().any(|it| it == kind),
        one => one == kind,
    };
    match () {
        () if is_a("object") => object(schema, schemas),
        () if is_a("array") => json!([of(&schema["items"], schemas)]),
        () if is_a("boolean") => json!(false),
        () if is_a("integer") || is_a("number") => schema.get("minimum").cloned().unwrap_or(json!(1)),
        () if is_a("string") && schema["format"] == "date-time" => json!("2026-12-01T17:00:00Z"),
        () if is_a("null") => Value::Null,
        () if is_a("string") => json!("text"),
        () => Value::Null,
    }
}

/// Returns what all parts say together.
fn whole(parts: impl Iterator<Item = Value>) -> Value {
    let mut members = Map::new();
    for part in parts {
        match part {
            Value::Object(part) => members.extend(part),
            other => return other,
        }
    }
    Value::Object(members)
}

fn object(schema: &Value, schemas: &Value) -> Value {
    let properties = schema["properties"].as_object();
    let mut members: Map<String, Value> = properties
        .into_iter()
        .flatten()
        .map(|(name, property)| (name.clone(), of(property, schemas)))
        .collect();
    if members.is_empty() && schema["additionalProperties"].is_object() {
        members.insert("name".to_owned(), of(&schema["additionalProperties"], schemas));
    }
    Value::Object(members)
}
