//! RFC 9457 problems. A handler says what is wrong; the envelope writes it down, because it knows the request's id.

use std::any::Any;

use axum::http::{HeaderValue, Method, StatusCode, Uri, header};
use axum::response::{IntoResponse, Response};
use serde::Serialize;
use utoipa::ToSchema;

use super::codes::Code;
use crate::auth::TokenError;
use crate::domain::{Missing, Permission, Rule, Violation};
use crate::service::{Failure, Refusal};

/// What is wrong with a request, or with us.
#[derive(Clone, Debug)]
pub(super) struct Problem {
    pub(super) code: Code,
    detail: Option<String>,
    errors: Vec<FieldProblem>,
    current_etag: Option<String>,
    missing: Option<Missing>,
    required_scope: Option<Permission>,
    /// Seconds to wait, where that is not always the same.
    retry_after: Option<u32>,
}

/// One value that is not valid.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub(super) struct FieldProblem {
    /// Where in the body, as a JSON pointer.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) pointer: Option<String>,
    /// Which query or path parameter.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) parameter: Option<String>,
    /// Which rule it breaks.
    #[schema(example = "TASK_TITLE_INVALID")]
    pub(super) code: &'static str,
    /// What is wrong, for people.
    pub(super) detail: String,
}

/// What is wrong, as RFC 9457 has it.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Problem)]
pub(super) struct ProblemBody {
    /// The page that explains the code.
    #[serde(rename = "type")]
    #[schema(example = "/errors/TASK_NOT_FOUND")]
    kind: String,
    /// The code in a few words.
    title: &'static str,
    /// The status of the answer.
    #[schema(example = 404, minimum = 400, maximum = 599)]
    status: u16,
    /// What is wrong this time.
    pub(super) detail: String,
    /// This occurrence.
    #[schema(example = "urn:request:4f1c")]
    instance: String,
    /// The code; `/errors` lists all of them.
    #[schema(example = "TASK_NOT_FOUND")]
    pub(super) code: &'static str,
    /// The request's id, as in X-Request-ID.
    pub(super) request_id: String,
    /// The values that are not valid.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    #[schema(required = false)]
    pub(super) errors: Vec<FieldProblem>,
    /// The entity tag that If-Match should have had.
    #[serde(skip_serializing_if = "Option::is_none")]
    current_etag: Option<String>,
    /// The revision that brings what is missing.
    #[serde(skip_serializing_if = "Option::is_none")]
    required_revision: Option<&'static str>,
    /// Where the schema stands.
    #[serde(skip_serializing_if = "Option::is_none")]
    current_revision: Option<String>,
    /// The scope that an API token lacks.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(example = "tasks:write")]
    required_scope: Option<&'static str>,
    /// Seconds to wait before trying again.
    #[serde(skip_serializing_if = "Option::is_none")]
    retry_after: Option<u32>,
}

/// What is wrong with one of several operations.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub(super) struct ItemProblem {
    /// The page that explains the code.
    #[serde(rename = "type")]
    #[schema(example = "/errors/TASK_NOT_FOUND")]
    kind: String,
    /// The code in a few words.
    title: &'static str,
    /// The status that the operation alone would have had.
    #[schema(example = 404, minimum = 400, maximum = 599)]
    pub(super) status: u16,
    /// What is wrong this time.
    detail: String,
    /// The code.
    #[schema(example = "TASK_NOT_FOUND")]
    code: &'static str,
    /// The values that are not valid.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    #[schema(required = false)]
    pub(super) errors: Vec<FieldProblem>,
    /// The entity tag that `if_match` should have had.
    #[serde(skip_serializing_if = "Option::is_none")]
    current_etag: Option<String>,
    /// The revision that brings what is missing.
    #[serde(skip_serializing_if = "Option::is_none")]
    required_revision: Option<&'static str>,
}

/// Seconds to wait for a revision, the database or a free place.
const RETRY_AFTER: u32 = 5;

impl Problem {
    pub(super) fn new(code: Code) -> Self {
        Self {
            code,
            detail: None,
            errors: Vec::new(),
            current_etag: None,
            missing: None,
            required_scope: None,
            retry_after: None,
        }
    }

    /// Says which scope an API token lacks.
    pub(super) fn of_scope(permission: Permission) -> Self {
        Self {
            required_scope: Some(permission),
            ..Self::new(Code::ScopeInsufficient)
        }
        .detail(format!("the API token lacks the scope {}", permission.word()))
    }

    pub(super) fn detail(mut self, detail: impl Into<String>) -> Self {
        self.detail = Some(detail.into());
        self
    }

    /// Says when to try again.
    pub(super) fn retry_after(mut self, seconds: u32) -> Self {
        self.retry_after = Some(seconds);
        self
    }

    /// Makes one problem of everything that is wrong; what breaks one rule only is called after that rule.
    pub(super) fn of_fields(general: Code, errors: Vec<FieldProblem>) -> Self {
        let code = match errors.as_slice() {
            [first, rest @ ..] if rest.iter().all(|other| other.code == first.code) => Code::ALL
                .iter()
                .copied()
                .find(|code| code.code() == first.code)
                .unwrap_or(general),
            _ => general,
        };
        Self {
            errors,
            ..Self::new(code)
        }
    }

    /// Makes one problem of several.
    pub(super) fn of_several(problems: Vec<Self>) -> Self {
        let errors = problems.into_iter().flat_map(|problem| problem.errors).collect();
        Self::of_fields(Code::Validation, errors)
    }

    /// Says in which of several operations this is wrong.
    pub(super) fn in_operation(mut self, index: usize) -> Self {
        if self.errors.is_empty() {
            let detail = self.explained();
            self.errors.push(FieldProblem {
                pointer: Some(String::new()),
                parameter: None,
                code: self.code.code(),
                detail,
            });
        }
        for pointer in self.errors.iter_mut().filter_map(|error| error.pointer.as_mut()) {
            pointer.insert_str(0, &format!("/operations/{index}"));
        }
        self
    }

    /// Says where inside of a member of the body this is wrong.
    pub(super) fn in_member(mut self, name: &str) -> Self {
        for pointer in self.errors.iter_mut().filter_map(|error| error.pointer.as_mut()) {
            pointer.insert_str(0, &format!("/{name}"));
        }
        self
    }

    /// Returns what to do about one of several operations.
    pub(super) fn item(self) -> ItemProblem {
        let detail = self.explained();
        ItemProblem {
            kind: format!("/errors/{}", self.code.code()),
            title: self.code.title(),
            status: self.code.status().as_u16(),
            detail,
            code: self.code.code(),
            errors: self.errors,
            current_etag: self.current_etag,
            required_revision: self.missing.as_ref().map(|missing| missing.feature.revision()),
        }
    }

    /// Says what is wrong this time.
    fn explained(&self) -> String {
        match (&self.detail, &self.missing) {
            (Some(detail), _) => detail.clone(),
            (None, Some(missing)) => format!(
                "revision {} brings {}; the schema is at {}",
                missing.feature.revision(),
                missing.feature.name(),
                missing.current_revision
            ),
            (None, None) => match self.errors.as_slice() {
                [] => self.code.title().to_owned(),
                [one] => one.detail.clone(),
                several => format!("{} values are not valid", several.len()),
            },
        }
    }

    /// Turns a failure into a problem; `not_found` says what was looked for.
    pub(super) fn of(failure: Failure, not_found: Code) -> Self {
        match failure {
            Failure::NotFound | Failure::Outdated => Self::new(not_found),
            Failure::Missing(missing) => Self {
                missing: Some(missing),
                ..Self::new(Code::FeatureUnavailable)
            },
            Failure::Gone => Self::new(Code::TokenInvalid),
            Failure::TooManyTokens => Self::new(Code::TooManyApiTokens),
            Failure::EmailTaken => Self::new(Code::EmailExists),
            Failure::Changed { current } => Self {
                current_etag: Some(format!("\"{}\"", current.as_str())),
                ..Self::new(Code::PreconditionFailed)
            },
            Failure::TagExists => Self::new(Code::TagExists),
            Failure::TooManyTags => Self::new(Code::TooManyTags),
            Failure::ConversationFull => Self::new(Code::ConversationTooLong),
            Failure::TooManyFollowers => Self::new(Code::TooManyStreams),
            Failure::ChangesExpired => Self::new(Code::ChangesExpired),
            Failure::KeyReused => Self::new(Code::KeyReused),
            Failure::KeyInProgress => Self::new(Code::KeyInProgress),
            Failure::Operation { index, failure } => Self::of(*failure, not_found).in_operation(index),
            Failure::Unreachable { source } => {
                tracing::error!(error = %source, "the database cannot be reached");
                Self::new(Code::Database)
            }
            Failure::Busy { source } => {
                tracing::warn!(error = %source, "the database is busy");
                Self::new(Code::Busy)
            }
            Failure::Database { source } => {
                tracing::error!(error = %source, "the database refused");
                Self::new(Code::Internal)
            }
        }
    }

    /// Writes the problem down for the request of this id, in the form that `write` gives its body.
    pub(super) fn render(self, request_id: &str, write: impl FnOnce(ProblemBody) -> Response) -> Response {
        let code = self.code;
        let is_passing = matches!(
            code,
            Code::Database
                | Code::Busy
                | Code::FeatureUnavailable
                | Code::IssuerUnavailable
                | Code::LoginThrottled
                | Code::TooManyStreams
                | Code::Overloaded
        );
        let retry_after = self.retry_after.or(is_passing.then_some(RETRY_AFTER));
        let detail = self.explained();
        let body = ProblemBody {
            kind: format!("/errors/{}", code.code()),
            title: code.title(),
            status: code.status().as_u16(),
            detail,
            instance: format!("urn:request:{request_id}"),
            code: code.code(),
            request_id: request_id.to_owned(),
            errors: self.errors,
            current_etag: self.current_etag,
            required_revision: self.missing.as_ref().map(|missing| missing.feature.revision()),
            current_revision: self.missing.map(|missing| missing.current_revision),
            required_scope: self.required_scope.map(Permission::word),
            retry_after,
        };
        let mut response = write(body);
        *response.status_mut() = code.status();
        let headers = response.headers_mut();
        if let Some(seconds) = retry_after {
            headers.insert(header::RETRY_AFTER, HeaderValue::from(seconds));
        }
        match code {
            Code::TokenMissing | Code::InvalidCredentials => {
                headers.insert(header::WWW_AUTHENTICATE, HeaderValue::from_static("Bearer"));
            }
            Code::TokenInvalid | Code::TokenExpired => {
                let challenge = HeaderValue::from_static("Bearer error=\"invalid_token\"");
                headers.insert(header::WWW_AUTHENTICATE, challenge);
            }
            Code::ScopeInsufficient => {
                let challenge = HeaderValue::from_static("Bearer error=\"insufficient_scope\"");
                headers.insert(header::WWW_AUTHENTICATE, challenge);
            }
            _ => {}
        }
        response
    }
}

impl IntoResponse for ProblemBody {
    fn into_response(self) -> Response {
        let kind = [(header::CONTENT_TYPE, "application/problem+json")];
        (kind, axum::Json(self)).into_response()
    }
}

impl FieldProblem {
    pub(super) fn in_body(pointer: impl Into<String>, violation: Violation) -> Self {
        Self {
            pointer: Some(pointer.into()),
            parameter: None,
            code: code_of(violation.rule).code(),
            detail: violation.detail,
        }
    }

    pub(super) fn in_query(parameter: &str, detail: impl Into<String>) -> Self {
        Self {
            pointer: None,
            parameter: Some(parameter.to_owned()),
            code: code_of(Rule::Filter).code(),
            detail: detail.into(),
        }
    }
}

/// Which code stands for a broken rule.
fn code_of(rule: Rule) -> Code {
    match rule {
        Rule::General => Code::Validation,
        Rule::Title => Code::TitleInvalid,
        Rule::Description => Code::DescriptionTooLong,
        Rule::Priority => Code::PriorityInvalid,
        Rule::Date => Code::DateInvalid,
        Rule::Recurrence => Code::RecurrenceInvalid,
        Rule::Password => Code::PasswordInvalid,
        Rule::Filter => Code::FilterInvalid,
    }
}

impl From<TokenError> for Problem {
    fn from(error: TokenError) -> Self {
        Self::new(match error {
            TokenError::Expired => Code::TokenExpired,
            TokenError::Invalid => Code::TokenInvalid,
            TokenError::Unavailable => Code::IssuerUnavailable,
        })
    }
}

impl From<Refusal> for Problem {
    fn from(refusal: Refusal) -> Self {
        match refusal {
            Refusal::Token(error) => error.into(),
            Refusal::Credentials => Self::new(Code::InvalidCredentials),
            Refusal::Throttled { seconds } => Self {
                retry_after: Some(seconds),
                ..Self::new(Code::LoginThrottled)
            },
            Refusal::Overloaded(_) => Self::new(Code::Overloaded),
            Refusal::NoSession => Self::new(Code::Forbidden)
                .detail("the token belongs to no sign-in of this service: it comes from an external issuer"),
            Refusal::NotFresh => Self::new(Code::SignInTooOld),
            Refusal::NoPassword => Self::new(Code::NoPassword),
            Refusal::Random(error) => {
                tracing::error!(error = %error, "the system has no random numbers");
                Self::new(Code::Internal)
            }
            Refusal::Store(failure) => Self::of(failure, Code::UserNotFound),
        }
    }
}

impl IntoResponse for Problem {
    /// Leaves the body to the envelope.
    fn into_response(self) -> Response {
        let mut response = self.code.status().into_response();
        response.extensions_mut().insert(self);
        response
    }
}

/// Also answers OPTIONS for the server as a whole, whose path is a star (RFC 9110, 9.3.7).
pub(super) async fn no_such_path(method: Method, uri: Uri) -> Response {
    match method == Method::OPTIONS && uri.path() == "*" {
        true => StatusCode::NO_CONTENT.into_response(),
        false => Problem::new(Code::NotFound).into_response(),
    }
}

pub(super) async fn no_such_method() -> Problem {
    Problem::new(Code::MethodNotAllowed)
}

/// The panic's own words have been written to the log by its hook; the client learns nothing of them.
pub(super) fn of_panic(_: Box<dyn Any + Send + 'static>) -> Response {
    tracing::error!("a handler panicked");
    Problem::new(Code::Internal).into_response()
}
