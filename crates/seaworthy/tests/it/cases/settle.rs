//! Whether what a case finds can be done, leaves nothing to find, and can be undone.

use sea_orm::{ConnectionTrait, DatabaseConnection};
use seaworthy::autogenerate::{Difference, Operation, Policy, diff, sql};
use seaworthy::catalog::{Catalog, Scope, inspect};
use seaworthy::verify::drift;
use serde_json::Value;

use super::case::words;

/// Does what was found, undoes it, and returns what does not come out as it should.
pub(crate) async fn settle(
    session: &DatabaseConnection,
    case: &Value,
    found: &Difference,
) -> Result<(), String> {
    let message = |error: &dyn std::error::Error| error.to_string();
    let (scope, policy) = (Scope::default(), Policy::default());
    let declared: Catalog = serde_json::from_value(case["b"].clone()).map_err(|error| message(&error))?;
    let before = inspect(session, &scope).await.map_err(|error| message(&error))?;
    send(session, &before, &found.operations).await?;
    let left = drift(session, &scope, &declared, &policy).await;
    let left = left.map_err(|error| message(&error))?.operations;
    if !left.is_empty() {
        return Err(format!("left {:#?}", left.iter().map(words).collect::<Vec<_>>()));
    }
    let after = inspect(session, &scope).await.map_err(|error| message(&error))?;
    send(session, &after, &found.inverse()).await?;
    let back = inspect(session, &scope).await.map_err(|error| message(&error))?;
    let left = diff(&back, &before, &policy)
        .map_err(|error| message(&error))?
        .operations;
    let left: Vec<String> = left.iter().map(words).collect();
    if left.is_empty() {
        Ok(())
    } else {
        Err(format!("after undoing {left:#?}"))
    }
}

async fn send(
    session: &DatabaseConnection,
    before: &Catalog,
    operations: &[Operation],
) -> Result<(), String> {
    for statement in sql(before, operations).map_err(|error| error.to_string())? {
        let sent = session.execute_unprepared(&statement).await;
        sent.map_err(|error| format!("{error}\n  {statement}"))?;
    }
    Ok(())
}
