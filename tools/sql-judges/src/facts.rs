//! What a statement does, in words that belong to no parser: the judges and the reader are all translated into these.

use std::collections::BTreeSet;
use std::fmt;

/// What one statement is and does.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Facts {
    pub(crate) kind: Kind,
    pub(crate) facts: BTreeSet<Fact>,
}

impl Facts {
    pub(crate) fn new(kind: Kind) -> Self {
        Self {
            kind,
            facts: BTreeSet::new(),
        }
    }

    pub(crate) fn add(&mut self, fact: Fact) {
        self.facts.insert(fact);
    }

    pub(crate) fn flag(&mut self, flag: Flag, is_set: bool) {
        if is_set {
            self.add(Fact::Flag(flag));
        }
    }
}

/// The kind of a statement, as coarse as a gate needs it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Kind {
    Drop(ObjectKind),
    DropOwned,
    Truncate,
    Delete,
    Update,
    Merge,
    Alter(ObjectKind),
    Create(ObjectKind),
    Do,
    Call,
    Copy,
    Insert,
    Transaction,
    Set,
    Lock,
    /// `VACUUM`, `ANALYZE`, `CLUSTER`, `REINDEX`, `REFRESH`.
    Maintenance,
    /// `GRANT`, `REVOKE` and the defaults of both.
    Privileges,
    Select,
    Explain,
    /// `PREPARE`, `EXECUTE`, `DEALLOCATE`.
    Prepared,
    Comment,
    Other,
}

impl fmt::Display for Kind {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Drop(kind) => write!(formatter, "drop {kind}"),
            Self::Alter(kind) => write!(formatter, "alter {kind}"),
            Self::Create(kind) => write!(formatter, "create {kind}"),
            other => write!(formatter, "{}", format!("{other:?}").to_lowercase()),
        }
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum ObjectKind {
    Schema,
    Database,
    /// Foreign tables, too.
    Table,
    MaterializedView,
    Type,
    Domain,
    Sequence,
    View,
    Index,
    /// Procedures and aggregates, too.
    Function,
    Trigger,
    Policy,
    Rule,
    Extension,
    Role,
    Other,
}

impl fmt::Display for ObjectKind {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::MaterializedView => formatter.write_str("materialized view"),
            other => write!(formatter, "{}", format!("{other:?}").to_lowercase()),
        }
    }
}

/// A thing of the schema, named as the server folds what was written.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Object {
    pub(crate) kind: ObjectKind,
    pub(crate) name: String,
}

impl fmt::Display for Object {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{} {}", self.kind, self.name)
    }
}

/// One thing that a statement does. Declared, and therefore sorted, by what it costs to miss it.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Fact {
    Removes(Object),
    RemovesWhatRoleOwns,
    Empties {
        table: String,
    },
    Deletes {
        table: String,
        is_limited: bool,
    },
    DropsColumn {
        table: String,
        column: String,
    },
    RetypesColumn {
        table: String,
        column: String,
    },
    Renames {
        object: Object,
        to: String,
    },
    RenamesColumn {
        table: String,
        column: String,
        to: String,
    },
    Moves {
        object: Object,
        schema: String,
    },
    Merges {
        table: String,
    },
    Updates {
        table: String,
        is_limited: bool,
    },
    DetachesPartition {
        table: String,
        partition: String,
    },
    RunsCode,
    RunsDynamicSql,
    ControlsTransaction,
    DropsConstraint {
        table: String,
        name: String,
    },
    DemandsValue {
        table: String,
        column: String,
    },
    AddsConstraint {
        table: String,
        kind: ConstraintKind,
        references: Option<String>,
    },
    AllowsNull {
        table: String,
        column: String,
    },
    DropsDefault {
        table: String,
        column: String,
    },
    SetsDefault {
        table: String,
        column: String,
    },
    AttachesPartition {
        table: String,
        partition: String,
    },
    ValidatesConstraint {
        table: String,
        name: String,
    },
    AddsColumn {
        table: String,
        column: String,
    },
    Locks {
        table: String,
    },
    SetsParameter {
        name: String,
        is_local: bool,
    },
    Inserts {
        table: String,
    },
    Makes(Object),
    Alters(Object),
    Flag(Flag),
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum ConstraintKind {
    PrimaryKey,
    Unique,
    ForeignKey,
    Check,
    Exclusion,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Flag {
    Cascade,
    Concurrently,
    IfExists,
    IfNotExists,
    NotValid,
    Only,
    OrReplace,
    Temporary,
    Unique,
}

impl Fact {
    /// Returns whether rows, objects or the meaning of names are lost when it goes unseen.
    pub(crate) fn is_destructive(&self) -> bool {
        *self < Self::RunsCode || matches!(self, Self::Flag(Flag::Cascade))
    }

    /// Returns its name without what it is about, to count by.
    pub(crate) fn sort(&self) -> String {
        match self {
            Self::Removes(object) => format!("removes {}", object.kind),
            Self::Renames { object, .. } => format!("renames {}", object.kind),
            Self::Moves { object, .. } => format!("moves {}", object.kind),
            Self::Makes(object) => format!("makes {}", object.kind),
            Self::Alters(object) => format!("alters {}", object.kind),
            Self::Flag(flag) => format!("flag {flag:?}"),
            other => {
                let text = format!("{other:?}");
                text.split([' ', '(']).next().unwrap_or_default().to_owned()
            }
        }
    }
}

impl fmt::Display for Fact {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let limited = |is_limited: &bool| if *is_limited { "some" } else { "all" };
        match self {
            Self::Removes(object) => write!(formatter, "removes {object}"),
            Self::RemovesWhatRoleOwns => formatter.write_str("removes what a role owns"),
            Self::Empties { table } => write!(formatter, "empties {table}"),
            Self::Deletes { table, is_limited } => {
                write!(formatter, "deletes {} rows of {table}", limited(is_limited))
            }
            Self::DropsColumn { table, column } => write!(formatter, "drops column {column} of {table}"),
            Self::RetypesColumn { table, column } => write!(formatter, "retypes column {column} of {table}"),
            Self::Renames { object, to } => write!(formatter, "renames {object} to {to}"),
            Self::RenamesColumn { table, column, to } => {
                write!(formatter, "renames column {column} of {table} to {to}")
            }
            Self::Moves { object, schema } => write!(formatter, "moves {object} to schema {schema}"),
            Self::Merges { table } => write!(formatter, "merges into {table}"),
            Self::Updates { table, is_limited } => {
                write!(formatter, "updates {} rows of {table}", limited(is_limited))
            }
            Self::DetachesPartition { table, partition } => {
                write!(formatter, "detaches {partition} from {table}")
            }
            Self::RunsCode => formatter.write_str("runs code"),
            Self::RunsDynamicSql => formatter.write_str("runs SQL put together at run time"),
            Self::ControlsTransaction => formatter.write_str("controls the transaction"),
            Self::DropsConstraint { table, name } => {
                write!(formatter, "drops constraint {name} of {table}")
            }
            Self::DemandsValue { table, column } => write!(formatter, "makes {column} of {table} NOT NULL"),
            Self::AddsConstraint {
                table,
                kind,
                references,
            } => {
                write!(formatter, "adds {kind:?} to {table}")?;
                references
                    .iter()
                    .try_for_each(|other| write!(formatter, " referencing {other}"))
            }
            Self::AllowsNull { table, column } => write!(formatter, "allows NULL in {column} of {table}"),
            Self::DropsDefault { table, column } => write!(formatter, "drops default of {column} of {table}"),
            Self::SetsDefault { table, column } => write!(formatter, "sets default of {column} of {table}"),
            Self::AttachesPartition { table, partition } => {
                write!(formatter, "attaches {partition} to {table}")
            }
            Self::ValidatesConstraint { table, name } => {
                write!(formatter, "validates constraint {name} of {table}")
            }
            Self::AddsColumn { table, column } => write!(formatter, "adds column {column} to {table}"),
            Self::Locks { table } => write!(formatter, "locks {table}"),
            Self::SetsParameter { name, is_local } => {
                write!(
                    formatter,
                    "sets {name}{}",
                    if *is_local { " locally" } else { "" }
                )
            }
            Self::Inserts { table } => write!(formatter, "inserts into {table}"),
            Self::Makes(object) => write!(formatter, "makes {object}"),
            Self::Alters(object) => write!(formatter, "alters {object}"),
            Self::Flag(flag) => write!(formatter, "flag {flag:?}"),
        }
    }
}

/// Joins the parts of a qualified name; a part that could be taken for several is quoted.
pub(crate) fn join<I>(parts: I) -> String
where
    I: IntoIterator,
    I::Item: AsRef<str>,
{
    let quoted = parts
        .into_iter()
        .map(|part| part.as_ref().to_owned())
        .filter(|part| !part.is_empty())
        .map(|part| match part.contains(['.', '"', ' ']) {
            true => format!("\"{}\"", part.replace('"', "\"\"")),
            false => part,
        });
    quoted.collect::<Vec<_>>().join(".")
}

/// Names what belongs to a table and has no name without it: a trigger, a policy, a rule.
pub(crate) fn on(name: &str, table: &str) -> String {
    format!("{} on {table}", join([name]))
}
