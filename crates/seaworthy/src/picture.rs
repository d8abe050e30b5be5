//! Pictures, because people would rather look: revisions as `git log --graph` draws commits, schemas as boxes and lines.
//!
//! Pure: values in, text out. Whatever a name is made of, it stays a name in every format.

pub use revisions::{Drawn, Link, RevisionPicture};
pub use schema::{Change, DrawnColumn, DrawnTable, Mark, Reference, SchemaPicture};

mod escape;
mod lanes;
mod revisions;
mod schema;
mod svg;
