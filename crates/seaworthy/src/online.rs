//! Operations that keep the application up: each the safe sequence behind one call, to be called by `up` and `down` of a
//! revision in place of the one statement that everybody would wait for.
//!
//! On PostgreSQL a statement that locks a table waits for its lock only briefly, gives way, and is tried again; what scans
//! or builds does so beside running reads and writes. Each step is looked up in the catalog first: what is done is left
//! alone, so that a run which was killed goes on where it stopped and one that is repeated does nothing. On SQLite, which
//! has one writer at a time, the same call does it in one transaction, and builds the table again where it has to.
//!
//! All but the shortest operations take several transactions. The revision that calls them says
//! `use_transaction() = Some(false)`, under this tool's runner as under SeaORM's own:
//!
//! ```
//! use sea_orm_migration::prelude::*;
//! use seaworthy::online;
//!
//! # #[derive(DeriveMigrationName)]
//! struct Migration;
//!
//! #[async_trait::async_trait]
//! impl MigrationTrait for Migration {
//!     async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
//!         let by_owner = Index::create().name("idx_tasks_user_id").table("tasks").col("user_id").to_owned();
//!         online::create_index(manager, by_owner).await?;
//!         let is_known = Expr::col("priority").is_in(["low", "medium", "high"]);
//!         online::add_check(manager, "tasks", "tasks_priority_check", is_known).await?;
//!         online::set_not_null(manager, "tasks", "user_id").await
//!     }
//!
//!     async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
//!         online::drop_not_null(manager, "tasks", "user_id").await?;
//!         online::drop_constraint(manager, "tasks", "tasks_priority_check").await?;
//!         online::drop_index(manager, "idx_tasks_user_id").await
//!     }
//!
//!     fn use_transaction(&self) -> Option<bool> {
//!         Some(false)
//!     }
//! }
//! ```

pub use column::{add_column, drop_column};
pub use constraint::{add_check, add_foreign_key, add_unique, drop_constraint};
pub use dual_column::DualColumn;
pub use error::OnlineError;
pub use filled_column::FilledColumn;
pub use index::{NewIndex, create_index, drop_index};
pub use null::{drop_not_null, set_not_null};

mod column;
mod constraint;
mod dual_column;
mod error;
mod filled_column;
mod index;
mod name;
mod null;
mod offenders;
mod partitions;
mod rebuild;
mod site;
