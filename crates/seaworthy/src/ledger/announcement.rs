//! What other sessions are told the moment a revision is applied or undone, on PostgreSQL.
//!
//! A notification is sent when the transaction commits that writes the ledger's rows, and never when it does not (manual,
//! "NOTIFY"), so it arrives exactly when the step has happened.

use sea_orm::sea_query::{Expr, ExprTrait, Func, FunctionCall};
use serde::Deserialize;

use crate::revision::Direction;

/// The channel to listen on.
pub const CHANNEL: &str = "seaworthy";

/// The version of the payload that this build writes; members are added without a new one.
const VERSION: i32 = 1;

/// A revision was applied, undone, or declared to be.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
pub struct Announcement {
    /// The version of the payload.
    #[serde(rename = "v")]
    pub version: i32,
    /// The schema that was migrated.
    pub schema: Option<String>,
    /// The revision.
    pub revision: String,
    /// Which way.
    pub direction: Direction,
}

impl Announcement {
    /// Reads the payload of a notification; nothing when this build does not understand it, which is reason enough to look
    /// at the database.
    #[must_use]
    pub fn parse(payload: &str) -> Option<Self> {
        serde_json::from_str(payload)
            .ok()
            .filter(|announcement: &Self| announcement.version == VERSION)
    }
}

/// Returns the call that announces a revision when the transaction commits.
pub(super) fn announcement(revision: &str, direction: Direction) -> FunctionCall {
    let members = Func::cust("json_build_object")
        .arg("v")
        .arg(VERSION)
        .arg("schema")
        // Inside a script the schema is the one that it will be fed to.
        .arg(Expr::cust("current_schema()"))
        .arg("revision")
        .arg(revision)
        .arg("direction")
        .arg(direction.word());
    Func::cust("pg_notify")
        .arg(CHANNEL)
        .arg(Expr::expr(members).cast_as("text"))
}
