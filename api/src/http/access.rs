//! Who may call what: one table for every operation. What it does not name, no API token may call.

use axum::http::Method;

use super::codes::Code;
use super::problem::Problem;
use crate::domain::{Credential, Permission};
use crate::service::Principal;

/// Who may call an operation.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Access {
    /// Whoever has a token; an API token needs this scope.
    Scope(Permission),
    /// A person with a token that is no API token.
    Person,
}

/// Path templates with what reading and what writing needs. The first that fits counts; `*` stands for any further segments,
/// and only at the end.
const TABLE: [(&str, Access, Access); 18] = [
    ("/api/v1/auth/*", Access::Person, Access::Person),
    (
        "/api/v1/me",
        Access::Scope(Permission::Account),
        Access::Scope(Permission::Account),
    ),
    ("/api/v1/me/password", Access::Person, Access::Person),
    (
        "/api/v1/me/sessions*",
        Access::Scope(Permission::Account),
        Access::Scope(Permission::Account),
    ),
    (
        "/api/v1/me/tokens",
        Access::Scope(Permission::Account),
        Access::Person,
    ),
    (
        "/api/v1/me/tokens/*",
        Access::Scope(Permission::Account),
        Access::Scope(Permission::Account),
    ),
    (
        "/api/v1/tasks*",
        Access::Scope(Permission::TasksRead),
        Access::Scope(Permission::TasksWrite),
    ),
    (
        "/api/v1/tags*",
        Access::Scope(Permission::TasksRead),
        Access::Scope(Permission::TasksWrite),
    ),
    (
        "/api/v1/changes",
        Access::Scope(Permission::TasksRead),
        Access::Person,
    ),
    (
        "/api/v1/events",
        Access::Scope(Permission::TasksRead),
        Access::Person,
    ),
    (
        "/api/v1/conversations*",
        Access::Scope(Permission::Chat),
        Access::Scope(Permission::Chat),
    ),
    (
        "/api/v1/schema*",
        Access::Scope(Permission::SchemaRead),
        Access::Person,
    ),
    // The original's routes.
    (
        "/api/v1/{user_id}/tasks*",
        Access::Scope(Permission::TasksRead),
        Access::Scope(Permission::TasksWrite),
    ),
    (
        "/api/v1/{user_id}/tags*",
        Access::Scope(Permission::TasksRead),
        Access::Scope(Permission::TasksWrite),
    ),
    (
        "/api/v1/{user_id}/conversations*",
        Access::Scope(Permission::Chat),
        Access::Scope(Permission::Chat),
    ),
    (
        "/api/{user_id}/tasks*",
        Access::Scope(Permission::TasksRead),
        Access::Scope(Permission::TasksWrite),
    ),
    (
        "/api/{user_id}/tags*",
        Access::Scope(Permission::TasksRead),
        Access::Scope(Permission::TasksWrite),
    ),
    (
        "/api/{user_id}/conversations*",
        Access::Scope(Permission::Chat),
        Access::Scope(Permission::Chat),
    ),
];

impl Access {
    /// Returns who may call the operation of a method and a path template.
    pub(super) fn of(method: &Method, template: &str) -> Self {
        let is_reading = matches!(*method, Method::GET | Method::HEAD);
        // Ending an account is for its owner alone.
        if template == "/api/v1/me" && *method == Method::DELETE {
            return Self::Person;
        }
        TABLE.iter().find(|(pattern, ..)| fits(pattern, template)).map_or(
            Self::Person,
            |(_, reading, writing)| match is_reading {
                true => *reading,
                false => *writing,
            },
        )
    }

    /// Refuses a principal that may not call it.
    pub(super) fn check(self, principal: &Principal) -> Result<(), Problem> {
        let Credential::ApiToken(_, permissions) = &principal.credential else {
            return Ok(());
        };
        match self {
            Self::Scope(permission) if permissions.contains(permission) => Ok(()),
            Self::Scope(permission) => Err(Problem::of_scope(permission)),
            Self::Person => {
                Err(Problem::new(Code::Forbidden)
                    .detail("no API token may do this: use the token of a sign-in"))
            }
        }
    }

    /// Returns what the document says of it.
    pub(super) fn word(self) -> &'static str {
        match self {
            Self::Scope(permission) => permission.word(),
            Self::Person => "none",
        }
    }
}

fn fits(pattern: &str, template: &str) -> bool {
    match pattern.strip_suffix('*') {
        Some(start) => template
            .strip_prefix(start)
            .is_some_and(|rest| start.ends_with('/') || rest.is_empty() || rest.starts_with('/')),
        None => pattern == template,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_the_table_does_not_name_is_for_persons() {
        for template in [
            "/api/v1/tasksandmore",
            "/api/v1/webhooks",
            "/api/v2/tasks",
            "/api/v1/me/anything",
        ] {
            assert_eq!(Access::of(&Method::GET, template), Access::Person, "{template}");
        }
    }
}
