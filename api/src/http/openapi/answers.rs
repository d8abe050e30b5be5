//! What groups of operations may answer: a problem for each status, and what needs no body.

use std::collections::BTreeMap;

use serde_json::json;
use utoipa::IntoResponses;
use utoipa::openapi::header::HeaderBuilder;
use utoipa::openapi::{
    Content, ContentBuilder, Ref, RefOr, Response as Described, ResponseBuilder, Type, schema,
};

use crate::http::codes::Code;

/// What every operation may answer that asks for no token.
pub(in crate::http) struct Anybody;
/// What every operation with a token may answer.
pub(in crate::http) struct Everywhere;
/// What an operation without a token may answer.
pub(in crate::http) struct Unsigned;
/// What wrong passwords may lead to.
pub(in crate::http) struct Throttled;
/// What asking too often leads to.
pub(super) struct Counted;
/// What reading may answer instead of a body.
pub(in crate::http) struct Cached;
/// What sending a body may lead to.
pub(in crate::http) struct WithBody;
/// What query and path parameters may lead to.
pub(in crate::http) struct WithQuery;
/// What asking for one thing may lead to.
pub(in crate::http) struct OnOne;
/// What `If-Match` may lead to.
pub(in crate::http) struct Preconditioned;
/// What a key may lead to.
pub(in crate::http) struct Once;
/// What naming an owner may lead to.
pub(in crate::http) struct Foreign;
/// What taking a name may lead to.
pub(in crate::http) struct Conflicting;
/// What a cursor may lead to that is good for some time only.
pub(in crate::http) struct Expiring;

pub(super) type Responses = BTreeMap<String, RefOr<Described>>;

/// Describes a status by all codes that come with it.
pub(super) fn problems(statuses: &[u16]) -> Responses {
    statuses
        .iter()
        .map(|status| {
            let codes: Vec<&str> = Code::ALL
                .iter()
                .filter(|code| code.status().as_u16() == *status)
                .map(|code| code.code())
                .collect();
            let response = ResponseBuilder::new()
                .description(format!("A problem: {}", codes.join(", ")))
                .content(
                    "application/problem+json",
                    problem_content(*status, codes.first().copied().unwrap_or_default()),
                )
                .build();
            (status.to_string(), RefOr::T(response))
        })
        .collect()
}

fn problem_content(status: u16, code: &str) -> Content {
    let title = Code::ALL
        .iter()
        .find(|known| known.code() == code)
        .map_or("", |known| known.title());
    let example = json!({
        "type": format!("/errors/{code}"), "title": title, "status": status, "detail": title, "code": code,
        "instance": "urn:request:4f1c0d27b64a3c1f0d27b64a3c1f0d27", "request_id": "4f1c0d27b64a3c1f0d27b64a3c1f0d27",
    });
    ContentBuilder::new()
        .schema(Some(Ref::from_schema_name("Problem")))
        .example(Some(example))
        .build()
}

impl IntoResponses for Anybody {
    fn responses() -> Responses {
        problems(&[400, 414, 431, 500, 504])
    }
}

impl IntoResponses for Everywhere {
    fn responses() -> Responses {
        problems(&[400, 401, 403, 406, 409, 414, 431, 500, 503, 504])
    }
}

impl IntoResponses for Unsigned {
    fn responses() -> Responses {
        problems(&[400, 406, 409, 414, 431, 500, 503, 504])
    }
}

impl IntoResponses for Throttled {
    fn responses() -> Responses {
        problems(&[401, 429])
    }
}

impl IntoResponses for Counted {
    fn responses() -> Responses {
        problems(&[429])
    }
}

impl IntoResponses for Cached {
    fn responses() -> Responses {
        let tag = HeaderBuilder::new()
            .schema(Some(schema::Object::with_type(Type::String)))
            .description(Some("The state that the client has"))
            .build();
        let response = ResponseBuilder::new()
            .description("The client has it already (If-None-Match)")
            .header("ETag", tag)
            .build();
        let mut responses = problems(&[400]);
        responses.insert("304".to_owned(), RefOr::T(response));
        responses
    }
}

impl IntoResponses for WithBody {
    fn responses() -> Responses {
        problems(&[400, 408, 413, 415, 422, 501])
    }
}

impl IntoResponses for WithQuery {
    fn responses() -> Responses {
        problems(&[400, 422])
    }
}

impl IntoResponses for OnOne {
    fn responses() -> Responses {
        problems(&[404])
    }
}

impl IntoResponses for Preconditioned {
    fn responses() -> Responses {
        problems(&[400, 412])
    }
}

impl IntoResponses for Once {
    fn responses() -> Responses {
        problems(&[400, 409, 422])
    }
}

impl IntoResponses for Foreign {
    fn responses() -> Responses {
        problems(&[403])
    }
}

impl IntoResponses for Expiring {
    fn responses() -> Responses {
        problems(&[410])
    }
}

impl IntoResponses for Conflicting {
    fn responses() -> Responses {
        problems(&[409])
    }
}
