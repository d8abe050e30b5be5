//! The Todo API: a service that answers correctly on every revision of its schema.

mod auth;
mod domain;
pub mod settings;
mod store;

pub use domain::Clock;
