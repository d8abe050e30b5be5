//! The headers that operations take: described once, named wherever they are heeded.

use axum::http::Method;
use utoipa::openapi::path::{Operation, Parameter, ParameterBuilder, ParameterIn};
use utoipa::openapi::schema::{ObjectBuilder, Type};
use utoipa::openapi::{OpenApi, Ref, RefOr, Required};

use super::walk::operations;

/// Names in each operation the headers that it heeds: its answers tell which conditions it knows.
pub(super) fn name(document: &mut OpenApi) {
    for (_, method, operation) in operations(document) {
        let answers = &operation.responses.responses;
        let is_cached = answers.contains_key("304");
        let heeded = [
            ("IfNoneMatch", is_cached),
            ("IfMatch", heeds_if_match(method, operation)),
            ("RequestId", true),
            ("Traceparent", true),
        ];
        let references = heeded
            .into_iter()
            .filter(|(_, is_heeded)| *is_heeded)
            .map(|(name, _)| RefOr::Ref(Ref::new(format!("#/components/parameters/{name}"))));
        operation.parameters.get_or_insert_default().extend(references);
    }
    let components = document.components.get_or_insert_default();
    components
        .parameters
        .extend(described().map(|(name, parameter)| (name.to_owned(), RefOr::T(parameter))));
}

/// Returns the methods and routes of the operations that change something and heed no `If-Match`, below each of the prefixes.
pub(in crate::http) fn unconditional(document: &mut OpenApi, prefixes: &[&str]) -> Vec<(Method, String)> {
    routes_of(document, prefixes, |method, operation| {
        !matches!(method, "get" | "head") && !heeds_if_match(method, operation)
    })
}

/// Returns the methods and routes of the operations that heed a zone, below each of the prefixes.
pub(in crate::http) fn zoned(document: &mut OpenApi, prefixes: &[&str]) -> Vec<(Method, String)> {
    routes_of(document, prefixes, |_, operation| takes(operation, "Prefer"))
}

fn routes_of(
    document: &mut OpenApi,
    prefixes: &[&str],
    is_meant: impl Fn(&str, &Operation) -> bool,
) -> Vec<(Method, String)> {
    operations(document)
        .filter(|(_, method, operation)| is_meant(method, operation))
        .flat_map(|(path, method, _)| {
            prefixes
                .iter()
                .map(move |prefix| (method, format!("{prefix}{path}")))
        })
        .filter_map(|(method, route)| Some((method.to_uppercase().parse().ok()?, route)))
        .collect()
}

/// Whether an operation names a parameter of its own.
pub(super) fn takes(operation: &Operation, name: &str) -> bool {
    operation.parameters.iter().flatten().any(|it| match it {
        RefOr::T(parameter) => parameter.name == name,
        RefOr::Ref(_) => false,
    })
}

/// What a bulk request, a POST, wants to hold is said for each of its operations.
pub(super) fn heeds_if_match(method: &str, operation: &Operation) -> bool {
    operation.responses.responses.contains_key("412") && method != "post"
}

fn described() -> [(&'static str, Parameter); 4] {
    [
        (
            "IfNoneMatch",
            header(
                "If-None-Match",
                "The states that the client has, in quotes as ETag showed them and with commas between them, or `*` for any: when one of \
                 them is the current one, the answer is 304",
            ),
        ),
        (
            "IfMatch",
            header(
                "If-Match",
                "The states that may be changed, in quotes as ETag showed them and with commas between them, or `*` for any: when it is \
                 another one by now, nothing is changed and the answer is 412. A weak one (`W/`) never is",
            ),
        ),
        (
            "RequestId",
            header(
                // In this spelling, because readers take what ends in `Id` for the id of a resource and send one there.
                "X-Request-ID",
                "What to call the request: 1 to 64 letters, digits, `-`, `_` and `.`; with anything else it gets an id of its own",
            ),
        ),
        (
            "Traceparent",
            header(
                "traceparent",
                "The place of the caller in a trace (W3C Trace Context); anything else begins a new one",
            ),
        ),
    ]
}

/// None has an example: pages that let people try an operation would send it, and a state of somewhere else changes nothing.
fn header(name: &str, description: &str) -> Parameter {
    ParameterBuilder::new()
        .name(name)
        .parameter_in(ParameterIn::Header)
        .required(Required::False)
        .description(Some(description))
        .schema(Some(ObjectBuilder::new().schema_type(Type::String)))
        .build()
}
