//! Pictures, because people would rather look: revisions as `git log --graph` draws commits, schemas as boxes and lines.
//!
//! Pure: values in, text out. Whatever a name is made of, it stays a name in every format.

pub use revisions::{Drawn, Link, RevisionPicture};

mod escape;
mod lanes;
mod revisions;
mod svg;
