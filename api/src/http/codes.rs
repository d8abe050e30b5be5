//! The registry of what can go wrong: one row per code.

use axum::http::StatusCode;

macro_rules! codes {
    ($($name:ident $code:literal $status:ident $title:literal $advice:literal;)*) => {
        /// What can go wrong.
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        pub(crate) enum Code {
            $(#[doc = $title] $name,)*
        }

        impl Code {
            /// Every code, by status.
            pub(crate) const ALL: &[Self] = &[$(Self::$name,)*];

            /// Returns its name in answers and in the path of its page.
            pub(crate) fn code(self) -> &'static str {
                match self { $(Self::$name => $code,)* }
            }

            /// Returns the status that it comes with.
            pub(crate) fn status(self) -> StatusCode {
                match self { $(Self::$name => StatusCode::$status,)* }
            }

            /// Returns what it says in a few words.
            pub(crate) fn title(self) -> &'static str {
                match self { $(Self::$name => $title,)* }
            }

            /// Returns what it means and what to do.
            pub(super) fn advice(self) -> &'static str {
                match self { $(Self::$name => $advice,)* }
            }
        }
    };
}

codes! {
    MalformedJson "MALFORMED_JSON" BAD_REQUEST "The body is not JSON"
        "The body cannot be read as JSON, or is nested more than 32 levels deep. Send valid JSON in UTF-8.";
    CursorInvalid "CURSOR_INVALID" BAD_REQUEST "The cursor is not valid"
        "A cursor belongs to one user and one list with its filter and order. Use it unchanged with the query that it came from, or begin again without one.";
    HeaderInvalid "HEADER_INVALID" BAD_REQUEST "A header makes no sense"
        "A request header has a value that cannot be understood; the detail names it.";
    KeyInvalid "IDEMPOTENCY_KEY_INVALID" BAD_REQUEST "The idempotency key is not valid"
        "Idempotency-Key is one string of 1 to 255 printable ASCII characters, in double quotes unless it is made of letters, digits, `-`, `_`, `.`, `:`, `/`, `=` and `+`. Some requests cannot do without one; the detail says so.";
    TokenMissing "AUTH_TOKEN_MISSING" UNAUTHORIZED "A token is needed"
        "Send `Authorization: Bearer <token>`.";
    TokenInvalid "AUTH_TOKEN_INVALID" UNAUTHORIZED "The token is not valid"
        "The token is malformed, signed with another key or algorithm, lacks a claim (sub, email, exp), or is meant for somebody else.";
    TokenExpired "AUTH_TOKEN_EXPIRED" UNAUTHORIZED "The token has expired"
        "Get a new token.";
    InvalidCredentials "AUTH_INVALID_CREDENTIALS" UNAUTHORIZED "The e-mail address or the password is wrong"
        "There is no account with this e-mail address, or its password is another one; which of the two is not told.";
    Forbidden "FORBIDDEN" FORBIDDEN "This is not allowed"
        "The token is good, but not for this; the detail says what is. The id in a path must be that of the token; `me` stands for it.";
    ScopeInsufficient "SCOPE_INSUFFICIENT" FORBIDDEN "The API token lacks a scope"
        "`required_scope` names the scope that the operation needs. Make a token that has it.";
    SignInTooOld "AUTH_SIGN_IN_TOO_OLD" FORBIDDEN "The sign-in is too long ago"
        "What cannot be undone needs a sign-in of the last ten minutes. Sign in again and use that token.";
    NotFound "NOT_FOUND" NOT_FOUND "There is nothing here"
        "No route has this path.";
    TaskNotFound "TASK_NOT_FOUND" NOT_FOUND "There is no such task"
        "The task does not exist or belongs to somebody else; which of the two is not told.";
    TagNotFound "TAG_NOT_FOUND" NOT_FOUND "There is no such tag"
        "None of your tasks carries this tag.";
    ConversationNotFound "CONVERSATION_NOT_FOUND" NOT_FOUND "There is no such conversation"
        "The conversation does not exist or belongs to somebody else; which of the two is not told.";
    MessageNotFound "MESSAGE_NOT_FOUND" NOT_FOUND "There is no such message"
        "The message does not exist, or its conversation is not yours.";
    SessionNotFound "SESSION_NOT_FOUND" NOT_FOUND "There is no such sign-in"
        "The sign-in does not exist, has ended, or is somebody else's; which of these is not told.";
    TokenNotFound "API_TOKEN_NOT_FOUND" NOT_FOUND "There is no such API token"
        "The token does not exist or is somebody else's; which of the two is not told.";
    UserNotFound "USER_NOT_FOUND" NOT_FOUND "There is no such user"
        "The user of the token was removed while the request was under way. Try again.";
    MethodNotAllowed "METHOD_NOT_ALLOWED" METHOD_NOT_ALLOWED "The method is not allowed here"
        "The header Allow names the methods of this path.";
    NotAcceptable "NOT_ACCEPTABLE" NOT_ACCEPTABLE "No acceptable representation"
        "The API answers in application/json and application/problem+json; the header Accept takes neither. Scripts of the pages come compressed only; Accept-Encoding refuses that.";
    BodyTooSlow "BODY_TOO_SLOW" REQUEST_TIMEOUT "The body came too slowly"
        "The first bytes of a body are waited for 10 seconds, and after them 16 kB a second have to come. The connection is closed; nothing has been done.";
    EmailExists "AUTH_EMAIL_EXISTS" CONFLICT "The e-mail address belongs to another user"
        "The e-mail address, in this or another case, is that of another user. Accounts are never linked by address. Whoever has one signs in with it.";
    NoPassword "AUTH_NO_PASSWORD" CONFLICT "The user has no password"
        "The user comes with tokens of an external issuer and has no password here.";
    TooManyApiTokens "API_TOKENS_TOO_MANY" CONFLICT "There are too many API tokens"
        "A user has at most 20 API tokens. Delete one that is not used any more.";
    TagExists "TAG_EXISTS" CONFLICT "There is a tag of this name"
        "One of your tasks carries a tag of this name already; upper and lower case are the same.";
    KeyInProgress "IDEMPOTENCY_IN_PROGRESS" CONFLICT "The same request is under way"
        "A request with this idempotency key is being carried out. Ask again in a moment: the answer will then be the one to that request.";
    ChangesExpired "CHANGES_EXPIRED" GONE "The changes are not kept that far back"
        "Changes are kept for 30 days, and not while the schema has no place for them; the cursor is from before. Ask for changes without a cursor, then read the lists again.";
    PreconditionFailed "PRECONDITION_FAILED" PRECONDITION_FAILED "The state has changed"
        "The entity tag in If-Match is not the current one, which `current_etag` shows. Read again, decide again.";
    PayloadTooLarge "PAYLOAD_TOO_LARGE" PAYLOAD_TOO_LARGE "The body is too large"
        "A body has at most 64 kB, that of a bulk request 1 MiB.";
    UriTooLong "URI_TOO_LONG" URI_TOO_LONG "The address is too long"
        "Path and query have at most 8 kB together.";
    HeadersTooLarge "HEADERS_TOO_LARGE" REQUEST_HEADER_FIELDS_TOO_LARGE "The headers are too large"
        "There are at most 100 headers, whose names and values have at most 16 kB together.";
    UnsupportedMediaType "UNSUPPORTED_MEDIA_TYPE" UNSUPPORTED_MEDIA_TYPE "The body's type is not supported"
        "Send application/json (for PATCH also application/merge-patch+json) without a content encoding.";
    Validation "VALIDATION_ERROR" UNPROCESSABLE_ENTITY "Some values are not valid"
        "`errors` says which values and why.";
    TitleInvalid "TASK_TITLE_INVALID" UNPROCESSABLE_ENTITY "The title is not valid"
        "A title has 1 to 200 characters on one line, not counting white space around it.";
    DescriptionTooLong "TASK_DESCRIPTION_TOO_LONG" UNPROCESSABLE_ENTITY "The description is too long"
        "A description has at most 1000 characters.";
    PriorityInvalid "TASK_INVALID_PRIORITY" UNPROCESSABLE_ENTITY "The priority is not valid"
        "A priority is low, medium or high.";
    DateInvalid "TASK_INVALID_DUE_DATE" UNPROCESSABLE_ENTITY "The date is not valid"
        "A date is RFC 3339 with an offset, or a bare date like 2026-03-01, between the years 1970 and 9999.";
    RecurrenceInvalid "RECURRENCE_INVALID" UNPROCESSABLE_ENTITY "The recurrence is not valid"
        "A recurrence is daily, weekdays, weekly, monthly, yearly, or the body of an RFC 5545 rule such as FREQ=WEEKLY;BYDAY=MO.";
    FilterInvalid "FILTER_INVALID" UNPROCESSABLE_ENTITY "The query is not valid"
        "`errors` says which query parameters are not known or make no sense.";
    PasswordInvalid "AUTH_INVALID_PASSWORD" UNPROCESSABLE_ENTITY "The password cannot be chosen"
        "A password has 8 to 128 characters, with a lower-case letter, an upper-case letter and a digit, no control characters, and is none of the commonest.";
    TooManyTags "TASK_TOO_MANY_TAGS" UNPROCESSABLE_ENTITY "The task carries too many tags"
        "A task carries at most 20 tags.";
    KeyReused "IDEMPOTENCY_KEY_REUSED" UNPROCESSABLE_ENTITY "The idempotency key stands for another request"
        "This key came with another path or body within the last 24 hours. A key stands for one request; take a new one for a new request.";
    ConversationTooLong "CONVERSATION_TOO_LONG" UNPROCESSABLE_ENTITY "The conversation is full"
        "A conversation has at most 100 messages. Begin another one.";
    LoginThrottled "LOGIN_THROTTLED" TOO_MANY_REQUESTS "Too many passwords were wrong"
        "After some wrong passwords an account and a client address have to wait between attempts, at most a minute. Try again after the time in Retry-After.";
    RateLimited "RATE_LIMIT_EXCEEDED" TOO_MANY_REQUESTS "Too many requests"
        "The limit that RateLimit-Policy names is used up. RateLimit tells when it is whole again; try again after the time in Retry-After.";
    TooManyStreams "EVENTS_TOO_MANY_STREAMS" TOO_MANY_REQUESTS "There are enough event streams"
        "A user has at most five event streams on a server at a time. Close one, or try again after the time in Retry-After.";
    Internal "INTERNAL_ERROR" INTERNAL_SERVER_ERROR "Something went wrong here"
        "The fault is the server's. Its log knows the request by `request_id`.";
    TransferCodingUnknown "TRANSFER_CODING_UNKNOWN" NOT_IMPLEMENTED "The transfer coding is not known"
        "A body comes as it is or in chunks: `Transfer-Encoding` names nothing but `chunked`. The connection is closed; nothing has been done.";
    Database "DATABASE_CONNECTION_FAILED" SERVICE_UNAVAILABLE "The database cannot be reached"
        "Try again after the time in Retry-After.";
    Busy "DATABASE_BUSY" SERVICE_UNAVAILABLE "The database is busy"
        "A lock was not granted in time, twice: something else changes the same rows or the schema. Try again after the time in Retry-After.";
    FeatureUnavailable "SCHEMA_FEATURE_UNAVAILABLE" SERVICE_UNAVAILABLE "The schema does not have this yet"
        "The database has not reached the revision that brings this feature: `required_revision` against `current_revision`. /api/v1/schema shows what is there. Try again after the time in Retry-After.";
    IssuerUnavailable "AUTH_ISSUER_UNAVAILABLE" SERVICE_UNAVAILABLE "The issuer of the token cannot be asked"
        "The token is one of an external issuer, whose public keys could not be fetched. Try again after the time in Retry-After.";
    Overloaded "OVERLOADED" SERVICE_UNAVAILABLE "Too many requests at a time"
        "The service works on as many requests as it can. Try again after the time in Retry-After.";
    Timeout "UPSTREAM_TIMEOUT" GATEWAY_TIMEOUT "The request took too long"
        "The request was given up after 15 seconds. A write may or may not have happened: read before trying again.";
}

/// What other documents of the original call some codes: their names lead to the same page.
const OLD_NAMES: [(&str, Code); 2] = [
    ("TASK_INVALID_TITLE", Code::TitleInvalid),
    ("AUTH_UNAUTHORIZED", Code::TokenMissing),
];

impl Code {
    /// Returns the code of a name, be it one that it had once.
    pub(super) fn named(name: &str) -> Option<Self> {
        let old = OLD_NAMES.iter().find(|(old, _)| *old == name);
        old.map(|(_, code)| *code)
            .or_else(|| Self::ALL.iter().copied().find(|known| known.code() == name))
    }

    /// Returns what it was called once.
    pub(super) fn old_names(self) -> impl Iterator<Item = &'static str> {
        OLD_NAMES
            .iter()
            .filter_map(move |(old, code)| (*code == self).then_some(*old))
    }
}
