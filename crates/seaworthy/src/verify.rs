//! What a test of revisions needs: databases of its own.
//!
//! The tests of this toolkit use it as any application's tests can.

pub use scratch::{ScratchDatabase, ScratchError};

mod scratch;
