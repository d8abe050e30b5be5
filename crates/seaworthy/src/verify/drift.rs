//! Whether a live database is what was declared.

use sea_orm::{ConnectionTrait, TransactionTrait};
use thiserror::Error;

use crate::autogenerate::{DiffError, Difference, Policy, diff};
use crate::catalog::{Catalog, DeclareError, InspectError, Scope, Target, inspect, normalize};

/// A live database could not be compared with a declaration.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum DriftError {
    /// The database could not be read.
    #[error(transparent)]
    Inspect(#[from] InspectError),
    /// The declaration makes no sense.
    #[error(transparent)]
    Declare(#[from] DeclareError),
    /// The two cannot be compared.
    #[error(transparent)]
    Diff(#[from] DiffError),
}

/// Compares a live database with a declared catalog: written by hand, or a snapshot.
///
/// Returns what would turn the database into what is declared. The database is left as it is.
///
/// # Errors
///
/// Fails when the database cannot be read, the declaration makes no sense to it, or the two cannot be compared.
pub async fn drift<C>(
    connection: &C,
    scope: &Scope,
    declared: &Catalog,
    policy: &Policy,
) -> Result<Difference, DriftError>
where
    C: ConnectionTrait + TransactionTrait,
{
    let live = inspect(connection, scope).await?;
    let declared = normalize(connection, scope, declared).await?;
    Ok(diff(&live, &declared, policy)?)
}

/// Compares a live database with entities.
///
/// Returns what would turn the database into what is declared. The database is left as it is.
///
/// # Errors
///
/// Fails when the database cannot be read, the entities make no sense to it, or the two cannot be compared.
pub async fn drift_from<C>(
    connection: &C,
    scope: &Scope,
    target: &Target,
    policy: &Policy,
) -> Result<Difference, DriftError>
where
    C: ConnectionTrait + TransactionTrait,
{
    let live = inspect(connection, scope).await?;
    let declared = target.catalog(connection, scope).await?;
    Ok(diff(&live, &declared, policy)?)
}
