//! What the bodies of accounts, sign-ins and API tokens look like, and how they are read.

use serde::Serialize;
use utoipa::ToSchema;

use super::fields::{Fields, list, text, whole};
use super::problem::Problem;
use crate::domain::{
    ApiToken, Email, NewApiToken, Password, Permission, Permissions, Rule, Session, SessionId, Violation,
};
use crate::service::{Registration, SignedIn};

/// Somebody who wants an account.
#[derive(ToSchema)]
#[schema(as = Registration, example = json!({"email": "ada@example.org", "password": "Sturdy7hull", "name": "Ada"}))]
#[expect(dead_code, reason = "for the document alone")]
pub(super) struct RegistrationBody {
    /// In ASCII; upper and lower case are the same.
    #[schema(
        max_length = 254,
        pattern = r"^[A-Za-z0-9!#$%&'*+/=?^_`{|}~.-]{1,64}@[A-Za-z0-9-]{1,63}(\.[A-Za-z0-9-]{1,63})*$"
    )]
    email: String,
    /// With a lower-case letter, an upper-case letter and a digit, and none of the commonest.
    // A pattern that every reader knows has no classes of letters: any that is not ASCII may be of either case here.
    #[schema(
        min_length = 8,
        max_length = 128,
        format = Password,
        write_only,
        pattern = r"^[^\x00-\x1f\x7f-\x9f]*([^\x00-`{-\x9f][^\x00-\x1f\x7f-\x9f]*[^\x00-@\[-\x9f][^\x00-\x1f\x7f-\x9f]*[0-9]|[^\x00-`{-\x9f][^\x00-\x1f\x7f-\x9f]*[0-9][^\x00-\x1f\x7f-\x9f]*[^\x00-@\[-\x9f]|[^\x00-@\[-\x9f][^\x00-\x1f\x7f-\x9f]*[^\x00-`{-\x9f][^\x00-\x1f\x7f-\x9f]*[0-9]|[^\x00-@\[-\x9f][^\x00-\x1f\x7f-\x9f]*[0-9][^\x00-\x1f\x7f-\x9f]*[^\x00-`{-\x9f]|[0-9][^\x00-\x1f\x7f-\x9f]*[^\x00-`{-\x9f][^\x00-\x1f\x7f-\x9f]*[^\x00-@\[-\x9f]|[0-9][^\x00-\x1f\x7f-\x9f]*[^\x00-@\[-\x9f][^\x00-\x1f\x7f-\x9f]*[^\x00-`{-\x9f])[^\x00-\x1f\x7f-\x9f]*$"
    )]
    password: String,
    /// What to call them.
    #[schema(
        min_length = 1,
        max_length = 255,
        pattern = r"^[^\x00-\x1f\x7f-\x9f]*[^\s\x00-\x1f\x7f-\x9f][^\x00-\x1f\x7f-\x9f]*$"
    )]
    name: Option<String>,
}

/// Somebody who has an account.
#[derive(ToSchema)]
#[schema(as = Login, example = json!({"email": "ada@example.org", "password": "Sturdy7hull"}))]
#[expect(dead_code, reason = "for the document alone")]
pub(super) struct LoginBody {
    /// As in the registration, in any case.
    #[schema(
        max_length = 254,
        pattern = r"^[A-Za-z0-9!#$%&'*+/=?^_`{|}~.-]{1,64}@[A-Za-z0-9-]{1,63}(\.[A-Za-z0-9-]{1,63})*$"
    )]
    email: String,
    /// The password.
    #[schema(max_length = 1024, format = Password, write_only)]
    password: String,
}

/// A password and the one to put in its place.
#[derive(ToSchema)]
#[schema(as = PasswordChange, example = json!({"current_password": "Sturdy7hull", "new_password": "Sturdier8hull"}))]
#[expect(dead_code, reason = "for the document alone")]
pub(super) struct PasswordChangeBody {
    /// The password.
    #[schema(max_length = 1024, format = Password, write_only)]
    current_password: String,
    /// As in the registration.
    #[schema(
        min_length = 8,
        max_length = 128,
        format = Password,
        write_only,
        pattern = r"^[^\x00-\x1f\x7f-\x9f]*([^\x00-`{-\x9f][^\x00-\x1f\x7f-\x9f]*[^\x00-@\[-\x9f][^\x00-\x1f\x7f-\x9f]*[0-9]|[^\x00-`{-\x9f][^\x00-\x1f\x7f-\x9f]*[0-9][^\x00-\x1f\x7f-\x9f]*[^\x00-@\[-\x9f]|[^\x00-@\[-\x9f][^\x00-\x1f\x7f-\x9f]*[^\x00-`{-\x9f][^\x00-\x1f\x7f-\x9f]*[0-9]|[^\x00-@\[-\x9f][^\x00-\x1f\x7f-\x9f]*[0-9][^\x00-\x1f\x7f-\x9f]*[^\x00-`{-\x9f]|[0-9][^\x00-\x1f\x7f-\x9f]*[^\x00-`{-\x9f][^\x00-\x1f\x7f-\x9f]*[^\x00-@\[-\x9f]|[0-9][^\x00-\x1f\x7f-\x9f]*[^\x00-@\[-\x9f][^\x00-\x1f\x7f-\x9f]*[^\x00-`{-\x9f])[^\x00-\x1f\x7f-\x9f]*$"
    )]
    new_password: String,
}

/// What to change of the caller.
#[derive(ToSchema)]
#[schema(as = UserPatch, example = json!({"name": "Ada"}))]
#[expect(dead_code, reason = "for the document alone")]
pub(super) struct UserPatchBody {
    /// What to call them; null for nothing.
    #[schema(
        min_length = 1,
        max_length = 255,
        pattern = r"^[^\x00-\x1f\x7f-\x9f]*[^\s\x00-\x1f\x7f-\x9f][^\x00-\x1f\x7f-\x9f]*$"
    )]
    name: Option<String>,
}

/// A token to be made for a program.
#[derive(ToSchema)]
#[schema(as = ApiTokenCreate, example = json!({"name": "backup", "scopes": ["tasks:read"], "expires_in_days": 90}))]
#[expect(dead_code, reason = "for the document alone")]
pub(super) struct NewApiTokenBody {
    /// What it is for.
    #[schema(
        min_length = 1,
        max_length = 100,
        pattern = r"^[^\x00-\x1f\x7f-\x9f]*[^\s\x00-\x1f\x7f-\x9f][^\x00-\x1f\x7f-\x9f]*$"
    )]
    name: String,
    /// What the program may do.
    #[schema(min_items = 1, max_items = 5)]
    scopes: Vec<ScopeBody>,
    /// After how many days it ends by itself; 90 when this is absent.
    #[schema(minimum = 1, maximum = 365, nullable = false)]
    expires_in_days: Option<i64>,
}

/// What a program may do.
#[derive(ToSchema)]
#[schema(as = Scope)]
#[expect(dead_code, reason = "for the document alone")]
pub(super) enum ScopeBody {
    /// See tasks and tags.
    #[schema(rename = "tasks:read")]
    TasksRead,
    /// Make, change and delete tasks and tags.
    #[schema(rename = "tasks:write")]
    TasksWrite,
    /// Everything about conversations.
    #[schema(rename = "chat")]
    Chat,
    /// See and rename the account, see and end sign-ins and tokens.
    #[schema(rename = "account")]
    Account,
    /// See where the schema stands.
    #[schema(rename = "schema:read")]
    SchemaRead,
}

/// Somebody who has just got an account.
#[derive(Serialize, ToSchema)]
#[schema(as = Registered)]
pub(super) struct RegisteredBody {
    /// The subject of their tokens.
    #[schema(example = "usr_5w1m0c3k8g2z7q4t9x6v0b2n1d")]
    user_id: String,
    /// As it was given.
    #[schema(example = "ada@example.org")]
    email: String,
    /// What to call them.
    #[schema(required = true, example = "Ada")]
    name: Option<String>,
    /// For `Authorization: Bearer`.
    #[schema(example = "eyJhbGciOiJIUzI1NiJ9.e30.c2lnbmF0dXJl")]
    token: String,
    /// When the token ends.
    #[schema(format = DateTime, example = "2026-03-08T12:00:00Z")]
    token_expires_at: String,
    /// When the account was made.
    #[schema(format = DateTime, example = "2026-03-01T12:00:00Z")]
    created_at: String,
}

/// Somebody who has just signed in.
#[derive(Serialize, ToSchema)]
#[schema(as = SignedIn)]
pub(super) struct SignedInBody {
    /// The subject of their tokens.
    #[schema(example = "usr_5w1m0c3k8g2z7q4t9x6v0b2n1d")]
    user_id: String,
    /// As it was given at the registration.
    #[schema(example = "ada@example.org")]
    email: String,
    /// What to call them.
    #[schema(required = true, example = "Ada")]
    name: Option<String>,
    /// For `Authorization: Bearer`.
    #[schema(example = "eyJhbGciOiJIUzI1NiJ9.e30.c2lnbmF0dXJl")]
    token: String,
    /// When the token ends.
    #[schema(format = DateTime, example = "2026-03-08T12:00:00Z")]
    token_expires_at: String,
}

/// A sign-in.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Session)]
pub(super) struct SessionBody {
    /// Its name.
    #[schema(pattern = "^ses_[0-9a-z]{26}$", example = "ses_5w1m0c3k8g2z7q4t9x6v0b2n1d")]
    id: String,
    /// Whether the request belongs to it.
    current: bool,
    /// When it began.
    #[schema(format = DateTime)]
    created_at: String,
    /// When its token was last renewed.
    #[schema(format = DateTime)]
    refreshed_at: String,
    /// When it ends by itself.
    #[schema(format = DateTime)]
    expires_at: String,
}

/// A token for a program, without its secret.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = ApiToken)]
pub(super) struct ApiTokenBody {
    /// Its name.
    #[schema(pattern = "^tok_[0-9a-z]{26}$", example = "tok_5w1m0c3k8g2z7q4t9x6v0b2n1d")]
    id: String,
    /// What it is for.
    #[schema(example = "backup")]
    name: String,
    /// The end of its secret.
    #[schema(pattern = "^[0-9a-f]{4}$", example = "3f0c")]
    last_four: String,
    /// What the program may do.
    #[schema(value_type = Vec<ScopeBody>)]
    scopes: Vec<&'static str>,
    /// When it was made.
    #[schema(format = DateTime)]
    created_at: String,
    /// When it ends by itself.
    #[schema(format = DateTime)]
    expires_at: String,
    /// When it was last used, to the hour.
    #[schema(value_type = Option<String>, format = DateTime, required = true)]
    last_used_at: Option<String>,
}

/// A token for a program with its secret, which is shown this once.
#[derive(Serialize, ToSchema)]
#[schema(as = ApiTokenSecret)]
pub(super) struct ApiTokenSecretBody {
    /// The token, as it is listed from now on.
    #[serde(flatten)]
    shown: ApiTokenBody,
    /// For `Authorization: Bearer`; 32 random bytes with a checksum.
    #[schema(
        pattern = "^todo_[0-9a-f]{72}$",
        example = "todo_0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef01234567"
    )]
    token: String,
}

/// All entries of a list that is never long.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct AllBody<T: ToSchema> {
    /// The entries.
    pub(super) data: Vec<T>,
}

impl From<SignedIn> for RegisteredBody {
    fn from(made: SignedIn) -> Self {
        Self {
            user_id: made.user.id.to_string(),
            email: made.user.email,
            name: made.user.name,
            token: made.token,
            token_expires_at: made.expires_at.to_string(),
            created_at: made
                .user
                .created_at
                .map(|at| at.whole_second().to_string())
                .unwrap_or_default(),
        }
    }
}

impl From<SignedIn> for SignedInBody {
    fn from(made: SignedIn) -> Self {
        Self {
            user_id: made.user.id.to_string(),
            email: made.user.email,
            name: made.user.name,
            token: made.token,
            token_expires_at: made.expires_at.to_string(),
        }
    }
}

impl SessionBody {
    pub(super) fn of(session: &Session, current: Option<&SessionId>) -> Self {
        Self {
            current: Some(&session.id) == current,
            id: session.id.as_str().to_owned(),
            created_at: session.created_at.to_string(),
            refreshed_at: session.refreshed_at.to_string(),
            expires_at: session.expires_at.to_string(),
        }
    }
}

impl From<ApiToken> for ApiTokenBody {
    fn from(token: ApiToken) -> Self {
        Self {
            id: token.id.as_str().to_owned(),
            name: token.name,
            last_four: token.last_four,
            scopes: token.permissions.words(),
            created_at: token.created_at.to_string(),
            expires_at: token.expires_at.to_string(),
            last_used_at: token.last_used_at.map(|at| at.to_string()),
        }
    }
}

impl ApiTokenSecretBody {
    pub(super) fn of(token: ApiToken, secret: &str) -> Self {
        Self {
            shown: token.into(),
            token: secret.to_owned(),
        }
    }
}

/// Reads one line of 1 to `most` characters; white space around it is dropped.
fn line(most: usize) -> impl FnOnce(&str) -> Result<String, Violation> {
    move |given| {
        let trimmed = given.trim();
        let is_line = (1..=most).contains(&trimmed.chars().count()) && !trimmed.chars().any(char::is_control);
        match is_line {
            true => Ok(trimmed.to_owned()),
            false => Err(Violation::new(
                Rule::General,
                format!("one line of 1 to {most} characters without control characters is wanted here"),
            )),
        }
    }
}

/// Reads somebody who wants an account.
pub(super) fn registration(mut fields: Fields) -> Result<Registration, Problem> {
    let email = fields.required("email", Rule::General, text(Rule::General, Email::parse));
    let password = fields.required("password", Rule::Password, text(Rule::Password, Password::choose));
    let name = fields.nullable("name", text(Rule::General, line(255)));
    fields.finish()?;
    Ok(Registration {
        email: email.expect("a missing address was refused"),
        password: password.expect("a missing password was refused"),
        name: name.flatten(),
    })
}

/// Reads who somebody says they are.
pub(super) fn login(mut fields: Fields) -> Result<(Email, Password), Problem> {
    let email = fields.required("email", Rule::General, text(Rule::General, Email::parse));
    let password = fields.required("password", Rule::General, text(Rule::General, Password::claim));
    fields.finish()?;
    Ok((
        email.expect("a missing address was refused"),
        password.expect("a missing password was refused"),
    ))
}

/// Reads a password and the one to put in its place.
pub(super) fn password_change(mut fields: Fields) -> Result<(Password, Password), Problem> {
    let claimed = text(Rule::General, Password::claim);
    let current = fields.required("current_password", Rule::General, claimed);
    let chosen = text(Rule::Password, Password::choose);
    let new = fields.required("new_password", Rule::Password, chosen);
    fields.finish()?;
    Ok((
        current.expect("a missing password was refused"),
        new.expect("a missing password was refused"),
    ))
}

/// Reads what somebody is to be called; nothing when that stays.
pub(super) fn user_patch(mut fields: Fields) -> Result<Option<Option<String>>, Problem> {
    let name = fields.nullable("name", text(Rule::General, line(255)));
    fields.finish()?;
    Ok(name)
}

/// Reads what somebody wants of a token.
pub(super) fn new_api_token(mut fields: Fields) -> Result<NewApiToken, Problem> {
    let violation = |detail: String| Violation::new(Rule::General, detail);
    let name = fields.required("name", Rule::General, text(Rule::General, line(100)));
    let scopes = fields.required("scopes", Rule::General, |value| {
        let known = Permission::ALL.map(Permission::word).join(", ");
        let scope = |word: &str| {
            Permission::parse(word).ok_or_else(|| violation(format!("a scope is one of {known}")))
        };
        let scopes = list(Permission::ALL.len(), |word| text(Rule::General, scope)(word))(value)?;
        match scopes.is_empty() {
            true => Err(violation("at least one scope is wanted here".to_owned())),
            false => Ok(scopes.into_iter().collect::<Permissions>()),
        }
    });
    let days = fields.optional("expires_in_days", |value| {
        whole(value)
            .filter(|days| (1..=ApiToken::MOST_DAYS).contains(days))
            .ok_or_else(|| {
                violation(format!(
                    "a number from 1 to {} is wanted here",
                    ApiToken::MOST_DAYS
                ))
            })
    });
    fields.finish()?;
    Ok(NewApiToken {
        name: name.expect("a missing name was refused"),
        permissions: scopes.expect("missing scopes were refused"),
        days: days.unwrap_or(90),
    })
}
