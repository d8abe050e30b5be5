//! A comparison as a file has it: the DDL of a live database, a declared structure, and what is to be found.

use sea_orm::ConnectionTrait;
use seaworthy::autogenerate::{Difference, Operation, Policy};
use seaworthy::catalog::{Catalog, Scope};
use seaworthy::verify::drift;
use serde_json::Value;

/// Returns what is found when a database that was just made is compared with the declared structure of a case.
///
/// Suggested renames are agreed to, as somebody would who means them.
pub(crate) async fn compare(
    session: &sea_orm::DatabaseConnection,
    case: &Value,
    ddl: &str,
) -> Result<Difference, String> {
    let message = |error: &dyn std::error::Error| {
        let mut text = error.to_string();
        let mut cause = error.source();
        while let Some(error) = cause {
            text.push_str(&format!(": {error}"));
            cause = error.source();
        }
        text
    };
    for sql in [Some(ddl), case["rows"].as_str(), case["afterwards"].as_str()]
        .into_iter()
        .flatten()
    {
        if let Err(error) = session.execute_unprepared(sql).await {
            // A build of an index that is meant to fail.
            if case["afterwards"].as_str() != Some(sql) {
                return Err(message(&error));
            }
        }
    }
    let declared: Catalog = serde_json::from_value(case["b"].clone()).map_err(|error| message(&error))?;
    let scope = Scope::default();
    let mut policy = Policy::default();
    loop {
        let found = drift(session, &scope, &declared, &policy)
            .await
            .map_err(|error| message(&error))?;
        if found.suggestions.is_empty() {
            return Ok(found);
        }
        // Columns of a table that has another name can be asked about only after that.
        policy = policy.accept(&found.suggestions);
    }
}

/// Returns an operation in the words of a case.
pub(crate) fn words(operation: &Operation) -> String {
    operation.to_string()
}
