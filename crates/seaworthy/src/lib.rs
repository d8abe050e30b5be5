//! Migrations for SeaORM that a running service survives.
//!
//! The rooms, in reading order:
//!
//! * [`revision`]: what a revision says about itself
//! * [`graph`]: how revisions build on each other, and what a target therefore means; pure
//! * [`session`]: one server connection, its limits and the migration lock
//! * [`ledger`]: what is applied, and the history of how it came to be
//! * [`runner`]: works a plan off, step by step
//! * [`script`]: the SQL that a plan would send
//! * [`source`]: writes revision files and registers them
//! * [`verify`]: databases for tests
//! * [`environment`]: revisions, database and limits as a value
//! * [`command`]: one function per verb; the public door
//!
//! The library prints nothing, reads no environment and ends no process; `seaworthy-cli` does.
#![warn(clippy::missing_errors_doc)]

pub mod command;
pub mod environment;
pub mod graph;
pub mod ledger;
pub mod revision;
pub mod runner;
pub mod script;
pub mod session;
pub mod source;
pub mod verify;
