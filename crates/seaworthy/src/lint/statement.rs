//! What a statement does, as far as hazards depend on it: facts read from its tokens, tolerant of everything else.

pub(super) use column::{Column, Type};
pub(super) use constraint::{Constraint, ConstraintKind};
pub(super) use data::{ComparisonKind, DataChange};

use super::cursor::Cursor;
use super::token::Token;

mod alter;
mod column;
mod constraint;
mod create;
mod data;
mod drop;
mod session;

/// One statement.
#[derive(Clone, Debug)]
pub(super) enum Statement {
    CreateTable(CreateTable),
    CreateIndex(CreateIndex),
    CreateView(CreateView),
    CreateType {
        name: String,
        definition: TypeDefinition,
    },
    CreateFunction {
        name: String,
        is_volatile: bool,
        body: String,
    },
    CreateTrigger {
        table: String,
    },
    CreatePolicy {
        table: String,
    },
    AlterTable {
        table: String,
        if_exists: bool,
        actions: Vec<Action>,
    },
    /// `ALTER VIEW`, `ALTER MATERIALIZED VIEW`.
    AlterView {
        name: String,
        action: ObjectAction,
    },
    AlterIndex {
        name: String,
        action: IndexAction,
    },
    AlterType {
        name: String,
        action: TypeAction,
    },
    AlterDomain {
        name: String,
        action: DomainAction,
    },
    AlterSchema {
        name: String,
    },
    DropIndex {
        names: Vec<String>,
        concurrently: bool,
        if_exists: bool,
    },
    Drop(Drop),
    Data(Vec<DataChange>),
    Truncate {
        tables: Vec<String>,
        cascade: bool,
    },
    Lock {
        tables: Vec<String>,
        mode: Mode,
    },
    Set {
        name: String,
        value: Vec<Token>,
        is_local: bool,
    },
    Transaction(TransactionVerb),
    Maintenance(Maintenance),
    /// `REVOKE`, `DROP OWNED` and their like.
    Restrict {
        what: String,
        tables: Vec<String>,
    },
    /// Calls functions and reads.
    Select {
        functions: Vec<String>,
    },
    /// Hides what it does.
    Opaque {
        what: String,
    },
    /// A server-wide statement that no transaction may hold.
    Outside {
        what: String,
    },
    Harmless,
}

#[derive(Clone, Debug, Default)]
pub(super) struct CreateTable {
    pub(super) name: String,
    pub(super) if_not_exists: bool,
    pub(super) columns: Vec<Column>,
    pub(super) constraints: Vec<Constraint>,
    /// Tables whose columns it takes over.
    pub(super) like: Vec<String>,
    pub(super) partition_of: Option<(String, Bound)>,
    /// The columns of `PARTITION BY`; an expression counts as the empty name.
    pub(super) partitioned_by: Option<Vec<String>>,
    /// The rows that it is filled with.
    pub(super) filled: Option<DataChange>,
}

#[derive(Clone, Debug)]
pub(super) struct CreateIndex {
    /// Empty when the server chooses the name.
    pub(super) name: String,
    pub(super) table: String,
    pub(super) only: bool,
    pub(super) concurrently: bool,
    pub(super) unique: bool,
    pub(super) if_not_exists: bool,
    pub(super) columns: Vec<String>,
    pub(super) is_partial: bool,
}

#[derive(Clone, Debug)]
pub(super) struct CreateView {
    pub(super) name: String,
    pub(super) is_filled: bool,
    pub(super) body: Vec<Token>,
}

#[derive(Clone, Debug)]
pub(super) enum TypeDefinition {
    Enum,
    Domain { base: Type, is_constrained: bool },
    Other,
}

#[derive(Clone, Debug)]
pub(super) enum ObjectAction {
    Rename(String),
    SetSchema(String),
    Other,
    RenameColumn(String),
}

#[derive(Clone, Debug)]
pub(super) enum IndexAction {
    Rename(String),
    Attach,
    SetTablespace,
    Other,
}

#[derive(Clone, Debug)]
pub(super) enum TypeAction {
    AddValue(String),
    RenameValue,
    Rename(String),
    SetSchema,
    RenameAttribute,
    DropAttribute,
    Other,
}

#[derive(Clone, Debug)]
pub(super) enum DomainAction {
    AddCheck { valid: bool },
    SetNotNull,
    DropNotNull,
    Rename,
    Other,
}

#[derive(Clone, Debug)]
pub(super) struct Drop {
    pub(super) kind: ObjectKind,
    pub(super) names: Vec<String>,
    pub(super) if_exists: bool,
    pub(super) cascade: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum ObjectKind {
    Table,
    View,
    Type,
    Schema,
    Sequence,
    Database,
    /// A trigger or policy; its table is in `names`.
    OfTable,
    Policy,
    Other,
}

/// Part of an `ALTER TABLE`.
#[derive(Clone, Debug)]
pub(super) enum Action {
    AddColumn {
        column: Column,
        if_not_exists: bool,
    },
    DropColumn {
        name: String,
        if_exists: bool,
        cascade: bool,
    },
    SetNotNull(String),
    DropNotNull(String),
    SetDefault {
        column: String,
        is_null: bool,
    },
    DropDefault(String),
    DropIdentity(String),
    ChangeType {
        column: String,
        to: Type,
        using: Vec<Token>,
    },
    AddConstraint(Constraint),
    DropConstraint {
        name: String,
        if_exists: bool,
    },
    Validate(String),
    RenameColumn {
        from: String,
        to: String,
    },
    RenameConstraint {
        from: String,
        to: String,
    },
    RenameTable(String),
    SetSchema(String),
    /// Copies the table: `SET LOGGED` and its like.
    Rewrite(&'static str),
    RowSecurity {
        what: &'static str,
        is_on: Option<bool>,
    },
    Owner,
    Attach {
        child: String,
        bound: Bound,
    },
    Detach {
        child: String,
        concurrently: bool,
    },
    /// Any other that is instant, with its lock.
    Instant(Mode),
    Unknown(String),
}

/// What a partition holds.
#[derive(Clone, Debug)]
pub(super) struct Bound {
    pub(super) is_default: bool,
    pub(super) tokens: Vec<Token>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum TransactionVerb {
    Begin,
    End { chain: bool },
    Savepoint,
}

#[derive(Clone, Debug)]
pub(super) struct Maintenance {
    pub(super) what: &'static str,
    /// The table, view or index; everything when absent.
    pub(super) name: Option<String>,
    pub(super) is_index: bool,
    pub(super) blocks: bool,
    pub(super) needs_no_transaction: bool,
}

/// PostgreSQL's table locks that matter here, weakest first (manual, "Explicit Locking").
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Mode {
    RowExclusive,
    ShareUpdateExclusive,
    Share,
    ShareRowExclusive,
    Exclusive,
    AccessExclusive,
}

impl Mode {
    /// Returns whether writers or readers wait for it.
    pub(super) fn is_strong(self) -> bool {
        self >= Self::Share
    }

    /// Returns PostgreSQL's name for it.
    pub(super) fn words(self) -> &'static str {
        match self {
            Self::RowExclusive => "ROW EXCLUSIVE",
            Self::ShareUpdateExclusive => "SHARE UPDATE EXCLUSIVE",
            Self::Share => "SHARE",
            Self::ShareRowExclusive => "SHARE ROW EXCLUSIVE",
            Self::Exclusive => "EXCLUSIVE",
            Self::AccessExclusive => "ACCESS EXCLUSIVE",
        }
    }

    /// Returns who waits for it.
    pub(super) fn victims(self) -> &'static str {
        if self == Self::AccessExclusive {
            "every reader and writer"
        } else {
            "every writer"
        }
    }
}

/// Reads one statement.
pub(super) fn read(tokens: &[Token]) -> Statement {
    let mut cursor = Cursor::new(tokens);
    let Some(verb) = cursor.peek() else {
        return Statement::Harmless;
    };
    let read = match verb.text.as_str() {
        "create" => create::read(cursor),
        "alter" => alter::read(cursor),
        "drop" => drop::read(cursor),
        "insert" | "update" | "delete" | "merge" | "with" => data::read(cursor),
        "select" | "(" | "values" | "table" => data::read_select(cursor),
        _ => session::read(&mut cursor),
    };
    read.unwrap_or_else(|| Statement::Opaque {
        what: format!("{} is not understood", verb.text.to_uppercase()),
    })
}
