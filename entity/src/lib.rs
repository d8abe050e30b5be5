//! The tables of the Todo database at head, one SeaORM model each, and nothing else.
//!
//! A live database may stand at an older revision: who reads through these models asks first which of the columns are there.

pub mod api_token;
pub mod conversation;
pub mod idempotency_key;
pub mod message;
pub mod password_credential;
pub mod session;
pub mod tag;
pub mod task;
pub mod task_event;
pub mod task_tag;
pub mod user;
