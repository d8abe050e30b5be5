//! Migrations for SeaORM that a running service survives.
//!
//! A revision is a SeaORM migration that may say more about itself: its id, what it builds on, labels, dependencies. From
//! that comes a graph, and from the graph a plan. Running a plan takes a lock, one transaction for each step, and leaves a
//! history behind. A plain `MigratorTrait` needs no change: it is a chain whose ids are the migrations' names.
//!
//! ```
//! use seaworthy::graph::{Applied, RevisionGraph};
//! use seaworthy::revision::Header;
//!
//! # fn main() -> Result<(), seaworthy::graph::GraphError> {
//! let graph = RevisionGraph::build([
//!     Header::new("001").message("create tasks"),
//!     Header::new("002").revises("001").message("add tags"),
//! ])?;
//! let plan = graph.upgrade(&Applied::default(), &"head".parse()?)?;
//! let order: Vec<&str> = plan.revisions().map(|revision| revision.as_str()).collect();
//! assert_eq!(order, ["001", "002"]);
//! # Ok(())
//! # }
//! ```
//!
//! To run one, fill an [`Environment`](environment::Environment) and call a function of [`command`]; the example
//! `quickstart` does. For a command line, see `seaworthy-cli`.
//!
//! The rooms, in reading order:
//!
//! * [`sql`]: SQL as values, and the one reader of statements; pure
//! * [`revision`]: what a revision says about itself
//! * [`graph`]: how revisions build on each other, and what a target therefore means; pure
//! * [`session`]: one server connection, its limits and the migration lock
//! * [`ledger`]: what is applied, and the history of how it came to be
//! * [`heartbeat`]: which builds use the database at the moment, and what they cannot do without
//! * [`backfill`]: fills columns of live rows, in batches
//! * [`runner`]: works a plan off, step by step
//! * [`script`]: the SQL that a plan would send, and what it would destroy
//! * [`lint`]: what a script would do to a running application; pure
//! * [`source`]: writes revision files and registers them
//! * [`catalog`]: a schema as a value, read from a database or declared by entities
//! * [`autogenerate`]: what turns one schema into another; pure
//! * [`online`]: operations that keep the application up, to be called by revisions
//! * [`picture`]: revisions and schemas as text, Mermaid, DOT and SVG; pure
//! * [`verify`]: databases for tests, and whether a database is what was declared
//! * [`environment`]: revisions, database and limits as a value
//! * [`command`]: one function per verb; the public door
//!
//! The library prints nothing, reads no environment and ends no process; `seaworthy-cli` does.
#![warn(clippy::missing_errors_doc)]

pub mod autogenerate;
pub mod backfill;
pub mod catalog;
pub mod command;
pub mod environment;
pub mod graph;
pub mod heartbeat;
pub mod ledger;
pub mod lint;
pub mod online;
pub mod picture;
pub mod revision;
pub mod runner;
pub mod script;
pub mod session;
pub mod source;
pub mod sql;
pub mod verify;
