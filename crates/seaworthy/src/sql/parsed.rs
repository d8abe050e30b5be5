//! What a statement does, as far as hazards depend on it: facts read from its tokens, tolerant of everything else.

pub(crate) use column::{Column, Type, data_type};
pub(crate) use constraint::{Constraint, ConstraintKind};
pub(crate) use data::{ComparisonKind, Conflict, DataChange, called};

use super::cursor::Cursor;
use super::token::{Kind, Token};

mod alter;
mod column;
mod constraint;
mod create;
mod data;
mod drop;
mod session;
mod sources;

/// One statement.
#[derive(Clone, Debug)]
pub(crate) enum Parsed {
    CreateTable(Box<CreateTable>),
    CreateIndex(CreateIndex),
    CreateView(CreateView),
    CreateType {
        name: String,
        definition: TypeDefinition,
    },
    CreateFunction {
        name: String,
        is_volatile: bool,
        /// Its language, in lower case.
        language: String,
        /// Its code, where it is a text.
        code: Option<String>,
        /// All that follows its name.
        body: String,
    },
    /// Makes what holds no rows.
    CreateOther {
        kind: ObjectKind,
        name: String,
        if_not_exists: bool,
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
        to: String,
    },
    /// Alters what holds no rows.
    AlterOther {
        kind: ObjectKind,
        name: String,
        action: ObjectAction,
    },
    DropIndex {
        names: Vec<String>,
        concurrently: bool,
        if_exists: bool,
        cascade: bool,
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
    /// `DO` with its code.
    Block {
        body: String,
        language: String,
    },
    Call {
        name: String,
    },
    Pragma {
        name: String,
        /// What it is set to, in lower case.
        value: Option<String>,
    },
    /// `COPY table FROM`.
    Copy {
        table: String,
    },
    /// `ATTACH` and `DETACH` of SQLite.
    Attach,
    DropOwned,
    /// `REVOKE` and its like.
    Restrict {
        what: String,
        tables: Vec<String>,
        /// What else it names.
        objects: Vec<(ObjectKind, String)>,
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
pub(crate) struct CreateTable {
    pub(crate) name: String,
    pub(crate) if_not_exists: bool,
    /// Whether it is temporary, foreign or virtual: no table that the schema keeps rows in.
    pub(crate) is_special: bool,
    pub(crate) columns: Vec<Column>,
    pub(crate) constraints: Vec<Constraint>,
    /// Tables whose columns it takes over.
    pub(crate) like: Vec<String>,
    pub(crate) partition_of: Option<(String, Bound)>,
    /// The columns of `PARTITION BY`; an expression counts as the empty name.
    pub(crate) partitioned_by: Option<Vec<String>>,
    /// The rows that it is filled with.
    pub(crate) filled: Option<DataChange>,
}

#[derive(Clone, Debug)]
pub(crate) struct CreateIndex {
    /// Empty when the server chooses the name.
    pub(crate) name: String,
    pub(crate) table: String,
    pub(crate) only: bool,
    pub(crate) concurrently: bool,
    pub(crate) unique: bool,
    pub(crate) if_not_exists: bool,
    pub(crate) columns: Vec<String>,
    pub(crate) is_partial: bool,
    /// Its expressions and its condition.
    pub(crate) computed: Vec<Token>,
}

#[derive(Clone, Debug)]
pub(crate) struct CreateView {
    pub(crate) name: String,
    pub(crate) if_not_exists: bool,
    pub(crate) is_filled: bool,
    pub(crate) body: Vec<Token>,
}

#[derive(Clone, Debug)]
pub(crate) enum TypeDefinition {
    Enum,
    Domain { base: Type, is_constrained: bool },
    Other,
}

#[derive(Clone, Debug)]
pub(crate) enum ObjectAction {
    Rename(String),
    SetSchema(String),
    Other,
    RenameColumn { from: String, to: String },
}

#[derive(Clone, Debug)]
pub(crate) enum IndexAction {
    Rename(String),
    Attach,
    SetTablespace,
    Other,
}

#[derive(Clone, Debug)]
pub(crate) enum TypeAction {
    AddValue(String),
    RenameValue,
    Rename(String),
    SetSchema(String),
    RenameAttribute { from: String, to: String },
    Attributes(Vec<AttributeAction>),
    Other,
}

/// Part of an `ALTER TYPE` that changes the attributes of a composite type.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum AttributeAction {
    Add(String),
    Drop,
    ChangeType,
}

#[derive(Clone, Debug)]
pub(crate) enum DomainAction {
    AddCheck { valid: bool },
    SetNotNull,
    DropNotNull,
    Rename(String),
    SetSchema(String),
    Other,
}

#[derive(Clone, Debug)]
pub(crate) struct Drop {
    pub(crate) kind: ObjectKind,
    pub(crate) names: Vec<String>,
    pub(crate) if_exists: bool,
    pub(crate) cascade: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum ObjectKind {
    Table,
    View,
    Type,
    Schema,
    Sequence,
    Database,
    /// A trigger or policy; its table is in `names`.
    OfTable,
    Policy,
    Extension,
    Function,
    Collation,
    Other,
}

/// Part of an `ALTER TABLE`.
#[derive(Clone, Debug)]
pub(crate) enum Action {
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
    /// `GENERATED ALWAYS AS IDENTITY` of a column that is there.
    AlwaysIdentity(String),
    ChangeType {
        column: String,
        to: Type,
        using: Vec<Token>,
    },
    AddConstraint(Constraint),
    DropConstraint {
        name: String,
        if_exists: bool,
        cascade: bool,
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
pub(crate) struct Bound {
    pub(crate) is_default: bool,
    pub(crate) tokens: Vec<Token>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum TransactionVerb {
    Begin,
    End { chain: bool },
    Savepoint,
}

#[derive(Clone, Debug)]
pub(crate) struct Maintenance {
    pub(crate) what: &'static str,
    /// The table, view or index; everything when absent.
    pub(crate) name: Option<String>,
    pub(crate) is_index: bool,
    pub(crate) blocks: bool,
    pub(crate) needs_no_transaction: bool,
}

/// PostgreSQL's table locks that matter here, weakest first (manual, "Explicit Locking").
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Mode {
    RowExclusive,
    ShareUpdateExclusive,
    Share,
    ShareRowExclusive,
    Exclusive,
    AccessExclusive,
}

impl Mode {
    /// Returns whether writers or readers wait for it.
    pub(crate) fn is_strong(self) -> bool {
        self >= Self::Share
    }

    /// Returns PostgreSQL's name for it.
    pub(crate) fn words(self) -> &'static str {
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
    pub(crate) fn victims(self) -> &'static str {
        if self == Self::AccessExclusive {
            "every reader and writer"
        } else {
            "every writer"
        }
    }
}

/// Returns whether a command for the client does what cannot be read here.
pub(super) fn is_opaque_command(line: &str) -> bool {
    let word = line.split_whitespace().next().unwrap_or_default();
    [
        "\\i",
        "\\ir",
        "\\include",
        "\\include_relative",
        "\\!",
        "\\gexec",
        "\\copy",
        ".read",
        ".import",
        ".restore",
    ]
    .contains(&word)
}

/// Reads a type that stands alone.
pub(crate) fn read_type(text: &str) -> Option<Type> {
    let tokens = super::tokens(text, super::Dialect::Postgresql);
    let mut cursor = Cursor::new(&tokens);
    let read = data_type(&mut cursor);
    (cursor.is_done() && !read.name.is_empty()).then_some(read)
}

/// Reads one statement.
pub(super) fn read(tokens: &[Token]) -> Parsed {
    let mut cursor = Cursor::new(tokens);
    let Some(verb) = cursor.peek() else {
        return Parsed::Harmless;
    };
    if cursor.is_deep() {
        return Parsed::Opaque {
            what: "what stands in hundreds of parentheses is not understood".to_owned(),
        };
    }
    let read = match verb.text.as_str() {
        _ if verb.kind == Kind::Client => None,
        "create" => create::read(cursor),
        "alter" => alter::read(cursor),
        "drop" => drop::read(cursor),
        "insert" | "update" | "delete" | "merge" | "with" => data::read(cursor),
        "select" | "(" | "values" | "table" => data::read_select(cursor),
        _ => session::read(&mut cursor),
    };
    read.unwrap_or_else(|| Parsed::Opaque {
        what: format!("{} is not understood", verb.text.to_uppercase()),
    })
}
