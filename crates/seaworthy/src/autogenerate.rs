//! Two catalogs in, what turns one into the other out.
//!
//! Pure: [`diff`] compares values. Reading a database, declaring a schema and bringing both into the same words is the
//! business of `catalog`; doing all of it in one call that of `verify`.

pub use diff::{DiffError, Difference, Note, Policy, Rename, RenameError, Suggestion, Wanted, With, diff};
pub use operation::{Operation, Risk, Summary};
pub use render::{Fill, Part, RenderError, Rendered, RenderedPart, render, render_in_parts};
pub use sql::{SqlError, sql};
pub use undeclared::{Undeclared, extras, undeclared};

mod diff;
mod object;
mod operation;
mod render;
mod sql;
mod undeclared;
