//! What a test of revisions needs: databases of its own, and whether one is what was declared.
//!
//! The tests of this toolkit use it as any application's tests can.

pub use drift::{DriftError, drift, drift_from};
pub use scratch::{ScratchDatabase, ScratchError};

mod drift;
mod scratch;
