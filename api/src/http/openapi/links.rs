//! From what was made or listed to what can be done with it.

use serde_json::json;
use utoipa::openapi::link::LinkBuilder;
use utoipa::openapi::{OpenApi, RefOr};

use super::walk::{operations, responses};

/// The operation that makes something, the operations that take it, and how their parameters are found in the answer.
type From = (
    &'static str,
    &'static [&'static str],
    &'static [(&'static str, &'static str)],
);

const ID: &[(&str, &str)] = &[("id", "$response.body#/id")];
const LINKS: [From; 7] = [
    (
        "createTask",
        &[
            "getTask",
            "replaceTask",
            "patchTask",
            "completeTask",
            "reopenTask",
            "toggleTask",
            "deleteTask",
        ],
        ID,
    ),
    (
        "createOwnTask",
        &["getOwnTask", "updateOwnTask", "completeOwnTask", "deleteOwnTask"],
        &[("user_id", "$request.path.user_id"), ("id", "$response.body#/id")],
    ),
    (
        "listSessions",
        &["endSession"],
        &[("id", "$response.body#/data/0/id")],
    ),
    ("createApiToken", &["deleteApiToken"], ID),
    ("createTag", &["getTag", "renameTag", "deleteTag"], ID),
    (
        "createConversation",
        &[
            "getConversation",
            "listMessages",
            "createMessage",
            "renameConversation",
            "deleteConversation",
        ],
        ID,
    ),
    (
        "createMessage",
        &["getMessage", "deleteMessage"],
        &[
            ("id", "$response.body#/conversation_id"),
            ("message_id", "$response.body#/id"),
        ],
    ),
];

/// Adds the links to the answers of what makes something.
pub(super) fn add(document: &mut OpenApi) {
    for (_, _, operation) in operations(document) {
        let name = operation.operation_id.clone().unwrap_or_default();
        let Some((_, targets, parameters)) = LINKS.iter().find(|(from, _, _)| *from == name) else {
            continue;
        };
        for (_, response) in responses(operation).filter(|(status, _)| matches!(*status, "200" | "201")) {
            for target in *targets {
                let link = LinkBuilder::new().operation_id(*target);
                let link = parameters
                    .iter()
                    .fold(link, |link, (name, place)| link.parameter(*name, json!(place)));
                response
                    .links
                    .insert((*target).to_owned(), RefOr::T(link.build()));
            }
        }
    }
}
