//! SQL as values: what a text says, without asking a database.
//!
//! [`read`] is the one reader of statements; whoever needs to know what SQL does asks a [`Statement`]. What the reader does
//! not understand is a fact as well, and never passed over. Names are folded as the server folds them, and a name in the
//! schema that is searched first stands without it. This room knows nothing of the others.

pub use block::body_of;
pub use dialect::Dialect;
pub use facts::{
    Check, ColumnCopy, CopiedValue, Expression, Facts, Filled, Moved, Naming, Object, Removal, Rename,
    Retype, RowVerb, Rows, Setting, Template, TransactionControl, Which, WholeCopy,
};
pub use name::{bare, joined as joined_name, parts as name_parts, quoted_name};
pub use quote::{literal, now, quoted};
pub use statement::{Reading, Statement, read};
pub(crate) use taken::DEEPEST_CALL;
pub use taken::Taken;

pub(crate) use name::{beside, name_in_schema};
pub(crate) use parsed::{
    Action, AttributeAction, Column, ComparisonKind, Constraint, ConstraintKind, CreateIndex, CreateTable,
    DataChange, DomainAction, Drop, IndexAction, Mode, ObjectAction, ObjectKind, Parsed, TransactionVerb,
    Type, TypeAction, read_type,
};
pub(crate) use schema::{Index, KnownColumn, Schema, Table, Volatility};
pub(crate) use shared_map::SharedMap;
pub(crate) use statement::read_with_remarks;
pub(crate) use token::{Kind, LONGEST_NAME, Remark, Token, tokens};

mod block;
mod cursor;
mod dialect;
mod facts;
mod name;
mod parsed;
mod quote;
mod schema;
mod shared_map;
mod statement;
mod taken;
mod token;
