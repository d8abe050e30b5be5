//! The document: committed, served, and true.

mod patterns;
mod served;

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

use api::{Document, compat_document, document};
use serde_json::{Value, json};

/// The documents with the path that each is served at, the file that it is kept in, and the prefixes of its paths.
fn documents() -> [(&'static str, Document, &'static [&'static str]); 2] {
    [
        ("openapi.json", document(), &[""]),
        ("openapi-compat.json", compat_document(), &["/api/v1", "/api"]),
    ]
}

/// With `UPDATE_OPENAPI=1` the files are written anew.
#[test]
#[expect(clippy::disallowed_methods, reason = "whoever updates the files says so")]
fn the_committed_documents_are_the_ones_that_are_served() {
    for (name, document, _) in documents() {
        let path = Path::new(env!("CARGO_MANIFEST_DIR")).join(name);
        let text = format!("{}\n", document.to_pretty_json());
        if std::env::var("UPDATE_OPENAPI").is_ok() {
            fs::write(&path, &text).unwrap();
        }
        let committed = fs::read_to_string(&path).unwrap_or_default();
        assert!(
            committed == text,
            "api/{name} is not what is served: run UPDATE_OPENAPI=1 cargo test -p api document and read the diff"
        );
    }
}

/// Methods, paths and operations; what is said about a path as a whole is none.
fn operations(document: &Value) -> Vec<(String, String, &Value)> {
    let mut found = Vec::new();
    for (path, methods) in document["paths"].as_object().unwrap() {
        for (method, operation) in methods.as_object().unwrap() {
            if method == "servers" {
                continue;
            }
            found.push((method.to_uppercase(), path.clone(), operation));
        }
    }
    found
}

#[test]
fn every_operation_has_a_name_words_and_statuses() {
    let mut names = BTreeSet::new();
    for (file, document, _) in documents() {
        let document = serde_json::to_value(document).unwrap();
        assert_eq!(document["openapi"], "3.1.0");
        for (method, path, operation) in operations(&document) {
            let text = |member: &str| operation[member].as_str().unwrap_or_default().to_owned();
            assert!(
                names.insert((file, text("operationId"))),
                "{method} {path} has the name of another"
            );
            assert!(text("summary").len() > 3, "{method} {path} has no summary");
            assert!(
                text("description").len() > 3,
                "{method} {path} has no description"
            );
            let responses = operation["responses"].as_object().unwrap();
            let has = |status: &str| responses.keys().any(|known| known.starts_with(status));
            assert!(has("2"), "{method} {path}");
            if path.starts_with("/api/") || path.starts_with("/{user_id}") {
                let is_open = !operation["security"].is_null();
                assert!(is_open || has("401"), "{method} {path}");
                assert!(has("429"), "{method} {path}");
                for response in responses.values() {
                    let headers = &resolved(&document, response)["headers"];
                    let limit = resolved(&document, &headers["RateLimit"]);
                    assert!(limit["schema"].is_object(), "{method} {path}");
                }
            }
            if path.starts_with("/{user_id}") {
                assert!(has("403"), "{method} {path}");
            }
            assert_eq!(
                ["{id}", "{name}", "{code}"].iter().any(|it| path.contains(it)),
                has("404") && path.contains('{'),
                "{method} {path}"
            );
        }
    }
    assert!(names.len() >= 39, "{} operations", names.len());
}

/// Follows a reference into the components.
fn resolved<'a>(document: &'a Value, value: &'a Value) -> &'a Value {
    match value["$ref"].as_str() {
        Some(reference) => document
            .pointer(reference.trim_start_matches('#'))
            .unwrap_or_else(|| panic!("{reference} leads nowhere")),
        None => value,
    }
}

#[test]
fn every_body_of_a_request_or_a_success_has_an_example_with_the_required_members() {
    let mut bodies = 0;
    for (_, document, _) in documents() {
        bodies += bodies_with_an_example(&serde_json::to_value(document).unwrap());
    }
    assert!(bodies > 60, "{bodies} bodies");
}

fn bodies_with_an_example(document: &Value) -> usize {
    let mut bodies = 0;
    for (method, path, operation) in operations(document) {
        let successes = operation["responses"].as_object().unwrap().iter();
        let successes = successes
            .filter(|(status, _)| status.starts_with('2'))
            .map(|(_, response)| resolved(document, response));
        let request = operation.get("requestBody").into_iter();
        for (kind, content) in request
            .chain(successes)
            .filter_map(|body| body["content"].as_object())
            .flatten()
        {
            let example = &content["example"];
            assert!(!example.is_null(), "{method} {path} shows no {kind}");
            let schema = resolved(document, &content["schema"]);
            for required in schema["required"].as_array().into_iter().flatten() {
                let member = required.as_str().unwrap();
                assert!(example.get(member).is_some(), "{method} {path}: no {member}");
            }
            bodies += 1;
        }
    }
    bodies
}

/// Generators make a member with a default a required one, and cannot send one that is wrapped in a composition of one.
#[test]
fn what_is_read_has_neither_defaults_nor_compositions_of_one() {
    let document = serde_json::to_value(document()).unwrap();
    for schema in [
        "TaskCreate",
        "TaskPatch",
        "MessageCreate",
        "ConversationPatch",
        "TagCreate",
        "TagPatch",
        "BulkCreate",
        "Registration",
        "UserPatch",
        "ApiTokenCreate",
    ] {
        let properties = &document["components"]["schemas"][schema]["properties"];
        for (name, property) in properties.as_object().unwrap() {
            assert!(property.get("default").is_none(), "{schema}.{name}");
            for several in ["allOf", "oneOf", "anyOf"] {
                let count = property[several].as_array().map(Vec::len);
                assert_ne!(count, Some(1), "{schema}.{name}");
            }
        }
    }
}

#[test]
fn every_answer_names_its_headers() {
    for (_, document, _) in documents() {
        answers_name_their_headers(&serde_json::to_value(document).unwrap());
    }
}

fn answers_name_their_headers(document: &Value) {
    for (method, path, operation) in operations(document) {
        let is_keyed = operation["parameters"].as_array().is_some_and(|known| {
            known
                .iter()
                .any(|it| resolved(document, it)["name"] == "Idempotency-Key")
        });
        for (status, response) in operation["responses"].as_object().unwrap() {
            let response = resolved(document, response);
            let mut wanted = vec!["X-Request-ID", "Schema-Revision", "traceparent"];
            if is_keyed && status.starts_with('2') {
                wanted.extend(["Idempotency-Replayed", "Idempotency-Scope"]);
            }
            match status.as_str() {
                "201" => wanted.push("Location"),
                "304" => wanted.push("ETag"),
                "401" => wanted.push("WWW-Authenticate"),
                "429" => wanted.extend(["Retry-After", "RateLimit", "RateLimit-Policy"]),
                "503" if !path.ends_with('z') && path != "/health" => wanted.push("Retry-After"),
                _ => {}
            }
            for name in wanted {
                let header = &response["headers"][name];
                assert!(
                    resolved(document, header)["schema"].is_object(),
                    "{method} {path} {status}: {name}"
                );
            }
        }
    }
}

#[test]
fn links_lead_from_what_was_made_to_operations_with_these_parameters() {
    let count = |document| links(&serde_json::to_value(document).unwrap());
    let counts = documents().map(|(_, document, _)| count(document));
    assert!(counts[0] >= 17 && counts[1] >= 4, "{counts:?} links");
}

fn links(document: &Value) -> usize {
    let operations = operations(document);
    let mut links = 0;
    for (_, path, operation) in &operations {
        let Some(found) = operation["responses"]["201"]["links"].as_object() else {
            continue;
        };
        for link in found.values() {
            let target = operations
                .iter()
                .find(|(_, _, it)| it["operationId"] == link["operationId"])
                .unwrap();
            let parameters = target.2["parameters"].as_array().unwrap();
            for name in link["parameters"].as_object().unwrap().keys() {
                assert!(
                    parameters
                        .iter()
                        .any(|it| it["name"] == *name && it["in"] == "path"),
                    "{path}: {name}"
                );
            }
            links += 1;
        }
    }
    links
}

#[test]
fn a_get_has_its_head_and_nothing_comes_without_a_group() {
    for (_, document, _) in documents() {
        heads_and_groups(&serde_json::to_value(document).unwrap());
    }
}

fn heads_and_groups(document: &Value) {
    let groups: Vec<&Value> = document["tags"]
        .as_array()
        .unwrap()
        .iter()
        .map(|tag| &tag["name"])
        .collect();
    for (path, methods) in document["paths"].as_object().unwrap() {
        assert_eq!(
            methods.get("get").is_some(),
            methods.get("head").is_some(),
            "{path}"
        );
        for (_, operation) in methods
            .as_object()
            .unwrap()
            .iter()
            .filter(|(it, _)| *it != "servers")
        {
            assert!(
                groups.contains(&&operation["tags"][0]),
                "{path} {}",
                operation["tags"]
            );
        }
    }
}

#[test]
fn members_and_parameters_that_come_later_say_so() {
    for (pointer, revision) in [
        ("/components/schemas/Task/properties/priority", json!("003")),
        ("/components/schemas/TaskCreate/properties/due_date", json!("003")),
        ("/components/schemas/TaskPatch/properties/tags", json!("003")),
        ("/components/schemas/Task/properties/title", Value::Null),
        (
            "/components/schemas/Conversation/properties/title",
            json!("d8e3a05c64f1"),
        ),
    ] {
        for (file, document, _) in documents() {
            let document = serde_json::to_value(document).unwrap();
            let since = document.pointer(pointer).map(|it| it["x-since-revision"].clone());
            assert_eq!(since.as_ref(), Some(&revision), "{file} {pointer}");
        }
    }
    for (file, document, _) in documents() {
        let document = serde_json::to_value(document).unwrap();
        for (method, path, operation) in operations(&document) {
            for parameter in operation["parameters"].as_array().into_iter().flatten() {
                let parameter = resolved(&document, parameter);
                let wanted = match parameter["name"].as_str().unwrap() {
                    "Idempotency-Key" => json!("a3c1f0d27b64"),
                    "due_before" | "tags" => json!("003"),
                    "user_id" | "cursor" | "limit" => Value::Null,
                    _ => continue,
                };
                assert_eq!(parameter["x-since-revision"], wanted, "{file} {method} {path}");
            }
        }
    }
}

/// A generator would make a type of its own for the entries of each list otherwise.
#[test]
fn the_entries_of_a_list_are_the_things_themselves() {
    for (file, document, _) in documents() {
        let document = serde_json::to_value(document).unwrap();
        let mut lists = 0;
        for (name, schema) in document["components"]["schemas"].as_object().unwrap() {
            for (member, property) in schema["properties"].as_object().into_iter().flatten() {
                let items = &property["items"];
                let is_written_out = items.get("properties").is_some();
                assert!(!is_written_out, "{file} {name}.{member}");
                lists += usize::from(items.get("$ref").is_some());
            }
        }
        assert!(lists >= 4, "{file}: {lists}");
    }
}

/// What an operation says of its conditions is what it does: a state that nothing has is refused, or answered with the body.
#[test]
fn every_operation_names_the_headers_that_it_heeds() {
    for (file, document, _) in documents() {
        let document = serde_json::to_value(document).unwrap();
        for (method, path, operation) in operations(&document) {
            let parameters = operation["parameters"].as_array().unwrap();
            let takes = |name: &str| {
                let found = parameters
                    .iter()
                    .map(|it| resolved(&document, it))
                    .find(|it| it["name"] == name);
                found.is_some_and(|it| it["in"] == "header" && it["schema"]["type"] == "string")
            };
            let answers = |status: &str| operation["responses"].get(status).is_some();
            let place = format!("{file} {method} {path}");
            assert!(takes("X-Request-ID") && takes("traceparent"), "{place}");
            assert_eq!(takes("If-None-Match"), answers("304"), "{place}");
            assert_eq!(takes("If-Match"), answers("412") && method != "POST", "{place}");
        }
    }
}

#[test]
fn an_operation_of_a_bulk_request_is_one_of_five_told_apart_by_its_word() {
    let document = serde_json::to_value(document()).unwrap();
    let schemas = &document["components"]["schemas"];
    let operation = &schemas["Operation"];
    let kinds = operation["oneOf"].as_array().unwrap();
    let kinds: Vec<&Value> = kinds.iter().map(|kind| resolved(&document, kind)).collect();
    for (word, members) in [
        ("create", ["data", "op", "temp_id"].as_slice()),
        ("update", &["data", "id", "if_match", "op"]),
        ("delete", &["id", "if_match", "op"]),
        ("complete", &["id", "if_match", "op"]),
        ("uncomplete", &["id", "if_match", "op"]),
    ] {
        let words = json!([word]);
        let kind = kinds.iter().find(|it| it["properties"]["op"]["enum"] == words);
        let kind = kind.unwrap();
        assert_eq!(kind["additionalProperties"], false, "{word}");
        let names: BTreeSet<&str> = kind["properties"]
            .as_object()
            .unwrap()
            .keys()
            .map(String::as_str)
            .collect();
        assert!(names.into_iter().eq(members.iter().copied()), "{word}");
    }
    assert_eq!(kinds.len(), 5);
}
