//! What the bodies of accounts, sign-ins and API tokens look like, and how they are read.

use serde::Serialize;
use serde_json::Value;
use utoipa::ToSchema;

use super::body::time_zone;
use super::fields::{Fields, list, read_body, text, whole};
use super::problem::Problem;
use crate::domain::{
    ApiToken, Email, NewApiToken, Password, Permission, Permissions, Rule, Session, SessionId, UserPatch,
    Violation, Zone,
};
use crate::service::{Registration, SignedIn};

read_body! {
    /// Somebody who wants an account.
    #[schema(as = Registration, example = json!({"email": "ada@example.org", "password": "Sturdy7hull", "name": "Ada"}))]
    RegistrationBody {
        /// In ASCII; upper and lower case are the same.
        #[schema(
            value_type = String,
            max_length = 254,
            pattern = r"^[A-Za-z0-9!#$%&'*+/=?^_`{|}~.-]{1,64}@[A-Za-z0-9-]{1,63}(\.[A-Za-z0-9-]{1,63})*$"
        )]
        email: Email = required(Rule::General, text(Rule::General, Email::parse));
        /// With a lower-case letter, an upper-case letter and a digit, and none of the commonest.
        // A pattern that every reader knows has no classes of letters: any that is not ASCII may be of either case here.
        #[schema(
            value_type = String,
            min_length = 8,
            max_length = 128,
            format = Password,
            write_only,
            pattern = r"^[^\x00-\x1f\x7f-\x9f]*([^\x00-`{-\x9f][^\x00-\x1f\x7f-\x9f]*[^\x00-@\[-\x9f][^\x00-\x1f\x7f-\x9f]*[0-9]|[^\x00-`{-\x9f][^\x00-\x1f\x7f-\x9f]*[0-9][^\x00-\x1f\x7f-\x9f]*[^\x00-@\[-\x9f]|[^\x00-@\[-\x9f][^\x00-\x1f\x7f-\x9f]*[^\x00-`{-\x9f][^\x00-\x1f\x7f-\x9f]*[0-9]|[^\x00-@\[-\x9f][^\x00-\x1f\x7f-\x9f]*[0-9][^\x00-\x1f\x7f-\x9f]*[^\x00-`{-\x9f]|[0-9][^\x00-\x1f\x7f-\x9f]*[^\x00-`{-\x9f][^\x00-\x1f\x7f-\x9f]*[^\x00-@\[-\x9f]|[0-9][^\x00-\x1f\x7f-\x9f]*[^\x00-@\[-\x9f][^\x00-\x1f\x7f-\x9f]*[^\x00-`{-\x9f])[^\x00-\x1f\x7f-\x9f]*$"
        )]
        password: Password = required(Rule::Password, text(Rule::Password, Password::choose));
        /// What to call them.
        #[schema(
            value_type = Option<String>,
            min_length = 1,
            max_length = 255,
            pattern = r"^[^\x00-\x1f\x7f-\x9f]*[^\s\x00-\x1f\x7f-\x9f][^\x00-\x1f\x7f-\x9f]*$"
        )]
        name: Option<Option<String>> = nullable(text(Rule::General, line(255)));
    }
}

read_body! {
    /// Somebody who has an account.
    #[schema(as = Login, example = json!({"email": "ada@example.org", "password": "Sturdy7hull"}))]
    LoginBody {
        /// As in the registration, in any case.
        #[schema(
            value_type = String,
            max_length = 254,
            pattern = r"^[A-Za-z0-9!#$%&'*+/=?^_`{|}~.-]{1,64}@[A-Za-z0-9-]{1,63}(\.[A-Za-z0-9-]{1,63})*$"
        )]
        email: Email = required(Rule::General, text(Rule::General, Email::parse));
        /// The password.
        #[schema(value_type = String, max_length = 1024, format = Password, write_only)]
        password: Password = required(Rule::General, text(Rule::General, Password::claim));
    }
}

read_body! {
    /// A password and the one to put in its place.
    #[schema(as = PasswordChange, example = json!({"current_password": "Sturdy7hull", "new_password": "Sturdier8hull"}))]
    PasswordChangeBody {
        /// The password.
        #[schema(value_type = String, max_length = 1024, format = Password, write_only)]
        current_password: Password = required(Rule::General, text(Rule::General, Password::claim));
        /// As in the registration.
        #[schema(
            value_type = String,
            min_length = 8,
            max_length = 128,
            format = Password,
            write_only,
            pattern = r"^[^\x00-\x1f\x7f-\x9f]*([^\x00-`{-\x9f][^\x00-\x1f\x7f-\x9f]*[^\x00-@\[-\x9f][^\x00-\x1f\x7f-\x9f]*[0-9]|[^\x00-`{-\x9f][^\x00-\x1f\x7f-\x9f]*[0-9][^\x00-\x1f\x7f-\x9f]*[^\x00-@\[-\x9f]|[^\x00-@\[-\x9f][^\x00-\x1f\x7f-\x9f]*[^\x00-`{-\x9f][^\x00-\x1f\x7f-\x9f]*[0-9]|[^\x00-@\[-\x9f][^\x00-\x1f\x7f-\x9f]*[0-9][^\x00-\x1f\x7f-\x9f]*[^\x00-`{-\x9f]|[0-9][^\x00-\x1f\x7f-\x9f]*[^\x00-`{-\x9f][^\x00-\x1f\x7f-\x9f]*[^\x00-@\[-\x9f]|[0-9][^\x00-\x1f\x7f-\x9f]*[^\x00-@\[-\x9f][^\x00-\x1f\x7f-\x9f]*[^\x00-`{-\x9f])[^\x00-\x1f\x7f-\x9f]*$"
        )]
        new_password: Password = required(Rule::Password, text(Rule::Password, Password::choose));
    }
}

read_body! {
    /// What to change of the caller.
    #[schema(as = UserPatch, example = json!({"name": "Ada"}))]
    UserPatchBody {
        /// What to call them; null for nothing.
        #[schema(
            value_type = Option<String>,
            min_length = 1,
            max_length = 255,
            pattern = r"^[^\x00-\x1f\x7f-\x9f]*[^\s\x00-\x1f\x7f-\x9f][^\x00-\x1f\x7f-\x9f]*$"
        )]
        name: Option<Option<String>> = nullable(text(Rule::General, line(255)));
        /// The time zone that the days of the caller are in, by its name in the IANA database; null for UTC. `Prefer` names another one
        /// for a request.
        #[schema(value_type = Option<String>, max_length = 64, pattern = r"^[A-Za-z0-9_+/-]{1,64}$")]
        time_zone: Option<Option<Zone>> = nullable(text(Rule::General, time_zone));
    }
}

read_body! {
    /// A token to be made for a program.
    #[schema(as = ApiTokenCreate, example = json!({"name": "backup", "scopes": ["tasks:read"], "expires_in_days": 90}))]
    NewApiTokenBody {
        /// What it is for.
        #[schema(
            min_length = 1,
            max_length = 100,
            pattern = r"^[^\x00-\x1f\x7f-\x9f]*[^\s\x00-\x1f\x7f-\x9f][^\x00-\x1f\x7f-\x9f]*$"
        )]
        name: String = required(Rule::General, text(Rule::General, line(100)));
        /// What the program may do.
        #[schema(value_type = Vec<ScopeBody>, min_items = 1, max_items = 5)]
        scopes: Permissions = required(Rule::General, scopes);
        /// After how many days it ends by itself; 90 when this is absent.
        #[schema(minimum = 1, maximum = 365, nullable = false)]
        expires_in_days: Option<i64> = optional(days);
    }
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
            token_expires_at: made.expires_at.whole_second().to_string(),
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
            token_expires_at: made.expires_at.whole_second().to_string(),
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

fn scopes(value: &Value) -> Result<Permissions, Violation> {
    let known = Permission::ALL.map(Permission::word).join(", ");
    let violation = |detail: String| Violation::new(Rule::General, detail);
    let scope =
        |word: &str| Permission::parse(word).ok_or_else(|| violation(format!("a scope is one of {known}")));
    let scopes = list(Permission::ALL.len(), |word| text(Rule::General, scope)(word))(value)?;
    match scopes.is_empty() {
        true => Err(violation("at least one scope is wanted here".to_owned())),
        false => Ok(scopes.into_iter().collect()),
    }
}

fn days(value: &Value) -> Result<i64, Violation> {
    let most = ApiToken::MOST_DAYS;
    whole(value)
        .filter(|days| (1..=most).contains(days))
        .ok_or_else(|| Violation::new(Rule::General, format!("a number from 1 to {most} is wanted here")))
}

/// Reads somebody who wants an account.
pub(super) fn registration(fields: Fields) -> Result<Registration, Problem> {
    let read = RegistrationBody::read(fields)?;
    Ok(Registration {
        email: read.email,
        password: read.password,
        name: read.name.flatten(),
    })
}

/// Reads who somebody says they are.
pub(super) fn login(fields: Fields) -> Result<(Email, Password), Problem> {
    let read = LoginBody::read(fields)?;
    Ok((read.email, read.password))
}

/// Reads a password and the one to put in its place.
pub(super) fn password_change(fields: Fields) -> Result<(Password, Password), Problem> {
    let read = PasswordChangeBody::read(fields)?;
    Ok((read.current_password, read.new_password))
}

/// Reads what to change of somebody.
pub(super) fn user_patch(fields: Fields) -> Result<UserPatch, Problem> {
    let read = UserPatchBody::read(fields)?;
    Ok(UserPatch {
        name: read.name,
        time_zone: read.time_zone,
    })
}

/// Reads what somebody wants of a token.
pub(super) fn new_api_token(fields: Fields) -> Result<NewApiToken, Problem> {
    let read = NewApiTokenBody::read(fields)?;
    Ok(NewApiToken {
        name: read.name,
        permissions: read.scopes,
        days: read.expires_in_days.unwrap_or(ApiToken::DEFAULT_DAYS),
    })
}
