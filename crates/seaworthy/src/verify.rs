//! What a test of revisions needs: databases of its own, rows to put into them, and whether one is what was declared.
//!
//! The tests of this toolkit use it as any application's tests can. What puts all of it together is the verb
//! `verify` among the commands, which an application's test calls in one line.

pub use drift::{DriftError, drift, drift_from};
pub use rows::{TableRows, quoted, rows};
pub use scratch::{ScratchDatabase, ScratchError};

mod drift;
mod rows;
mod scratch;
