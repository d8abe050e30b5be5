//! The reader of SQL of the toolkit, compiled from the same files but without the rest of the toolkit.

pub use toolkit::sql;

#[path = "../../../../crates/seaworthy/src"]
mod toolkit {
    pub mod sql;
}
