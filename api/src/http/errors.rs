//! What can go wrong, to be looked up: as data for programs, as pages for people.

use axum::http::{HeaderMap, HeaderValue, header};
use axum::response::{IntoResponse, Response};
use serde::Serialize;
use utoipa::ToSchema;

use super::accept::prefers;
use super::codes::Code;
use super::extract::Segments;
use super::openapi::{Anybody, ErrorCode, OnOne};
use super::pages::{escaped, explaining};
use super::problem::Problem;

/// What can go wrong.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct CodeList {
    /// Every code, by status.
    data: Vec<CodeRow>,
}

/// One thing that can go wrong.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct CodeRow {
    /// Its name in problems.
    #[schema(example = "TASK_NOT_FOUND")]
    code: &'static str,
    /// The status that it comes with.
    #[schema(minimum = 400, maximum = 599, example = 404)]
    status: u16,
    /// What it says in a few words.
    #[schema(example = "There is no such task")]
    title: &'static str,
    /// The path of its page.
    #[serde(rename = "type")]
    #[schema(example = "/errors/TASK_NOT_FOUND")]
    kind: String,
}

/// List what can go wrong
///
/// Every code that a problem may carry. A browser is shown a page, with what to do about each.
#[utoipa::path(get, path = "/errors", operation_id = "listErrors", tag = "operations", security(()),
    responses((status = 200, description = "Every code",
               content((CodeList = "application/json"), (String = "text/html", example = "<!doctype html>"))), Anybody))]
pub(super) async fn list(headers: HeaderMap) -> Response {
    if prefers(&headers, "text/html", "application/json") {
        let rows: String = Code::ALL.iter().copied().map(row).collect();
        let list = format!("<dl>\n{rows}      </dl>");
        return by_accept(explaining("Problems", &list));
    }
    let data = Code::ALL.iter().map(|code| CodeRow {
        code: code.code(),
        status: code.status().as_u16(),
        title: code.title(),
        kind: format!("/errors/{}", code.code()),
    });
    let data = data.collect();
    by_accept(axum::Json(CodeList { data }).into_response())
}

/// Explain what can go wrong
///
/// What a code means and what to do, for people: as text, and as a page for a browser. Names that a code had once lead to it.
#[utoipa::path(get, path = "/errors/{code}", operation_id = "getError", tag = "operations", security(()), params(ErrorCode),
    responses((status = 200, description = "The page",
               content((String = "text/plain", example = "TASK_NOT_FOUND\nThere is no such task\n"),
                       (String = "text/html", example = "<!doctype html>"))), OnOne, Anybody))]
pub(super) async fn page(Segments(name): Segments<String>, headers: HeaderMap) -> Response {
    let Some(code) = Code::named(&name) else {
        return Problem::new(Code::NotFound).into_response();
    };
    let status = code.status().as_u16();
    if prefers(&headers, "text/html", "text/plain") {
        let text = format!(
            "<p><strong>{}.</strong> {}</p>\n      <p>Status {status}.{} <a href=\"/errors\">All problems</a></p>",
            escaped(code.title()),
            advice(code),
            once_called(code)
        );
        return by_accept(explaining(code.code(), &text));
    }
    let text = format!(
        "{}\n{}\n\nStatus {status}\n\n{}\n",
        code.code(),
        code.title(),
        code.advice()
    );
    by_accept(([(header::CONTENT_TYPE, "text/plain; charset=utf-8")], text).into_response())
}

fn row(code: Code) -> String {
    format!(
        "        <dt><a href=\"/errors/{name}\"><code>{name}</code></a> {}</dt>\n        <dd><strong>{}.</strong> {}</dd>\n",
        code.status().as_u16(),
        escaped(code.title()),
        advice(code),
        name = code.code()
    )
}

/// Returns what to do, with the words of programs set apart.
fn advice(code: Code) -> String {
    let parts = escaped(code.advice());
    let parts = parts.split('`').enumerate();
    parts
        .map(|(index, part)| match index % 2 {
            0 => part.to_owned(),
            _ => format!("<code>{part}</code>"),
        })
        .collect()
}

fn once_called(code: Code) -> String {
    let names = code.old_names();
    names
        .map(|name| format!(" Once called <code>{name}</code>."))
        .collect()
}

/// Says that the answer differs by what the client wants to read.
fn by_accept(mut response: Response) -> Response {
    let headers = response.headers_mut();
    headers.append(header::VARY, HeaderValue::from_static("accept"));
    response
}
