//! The Todo API: a service that answers correctly on every revision of its schema.
//!
//! The rooms, in reading order:
//!
//! * `http`: the route table and what translates between requests and use cases
//! * `service`: use cases, one unit of work each
//! * `store`: the only room that names the tables and the ORM; owns the shape of the live schema
//! * `domain`: the words of the product and their rules; pure
//! * `auth`: who a token speaks for
//! * `limits`: how many requests somebody may send
//! * `phases`: the revisions that this build knows, and bringing a database to head
//! * `metrics`, `trace`: what is counted, and which trace a request belongs to
//! * `settings`, `state`, `server`, `probe`, `demo`: what is set, what requests share, starting and stopping, asking
//!   whether it runs, believable data

mod auth;
mod demo;
mod domain;
mod events;
mod http;
mod limits;
mod metrics;
mod phases;
mod probe;
mod server;
mod service;
pub mod settings;
mod state;
mod store;
mod trace;

pub use domain::Clock;
pub use http::Document;
pub use probe::{ProbeError, ready};
pub use server::{Server, StartError, compat_document, demo, development_token, document, reset_password};
