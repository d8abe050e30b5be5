//! An operation in a few words: what a list shows, and what a machine sorts and counts by.

use std::fmt;

use serde::Serialize;

use super::Operation;
use crate::catalog::ddl;
use crate::catalog::{
    Check, Column, ColumnStorage, ForeignKey, Generated, Index, IndexKey, Numbering, Object, ObjectKind,
    PrimaryKey, Sequence, TableOptions, TableStorage,
};

/// An operation in a few words. Everything is text; a field that does not apply is absent.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Summary {
    /// The kind: `add_column`.
    pub op: &'static str,
    /// The kind of an object that no table holds.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub object: Option<ObjectKind>,
    /// The table.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub table: Option<String>,
    /// The column.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub column: Option<String>,
    /// The constraint, index, sequence or enum type; absent when it has no name.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// The columns of a table, key or index, expressions among them; the labels of an enum type.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub columns: Vec<String>,
    /// What it is about: a type, a condition, a label, the table that is referred to.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub value: Option<String>,
    /// What was.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub from: Option<String>,
    /// What will be.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub to: Option<String>,
}

impl Operation {
    /// Returns the operation in a few words.
    #[must_use]
    pub fn summary(&self) -> Summary {
        let summary = Summary {
            op: self.kind(),
            table: self.table().map(str::to_owned),
            ..Summary::default()
        };
        let changed = |from: Option<String>, to: Option<String>| Summary {
            from,
            to,
            ..summary.clone()
        };
        let of_column = |column: &str, from: Option<String>, to: Option<String>| Summary {
            column: Some(column.to_owned()),
            ..changed(from, to)
        };
        match self {
            Self::RenameTable { from, to }
            | Self::RenameColumn { from, to, .. }
            | Self::RenameIndex { from, to, .. }
            | Self::RenameConstraint { from, to, .. } => changed(Some(from.clone()), Some(to.clone())),
            Self::AlterTableComment { from, to, .. } => changed(from.clone(), to.clone()),
            Self::AlterType { column, from, to, .. } => {
                of_column(column, Some(from.clone()), Some(to.clone()))
            }
            Self::AlterNullable { column, from, to, .. } => {
                of_column(column, Some(from.to_string()), Some(to.to_string()))
            }
            Self::AlterOnNull { column, from, to, .. } => {
                of_column(column, Some(from.to_string()), Some(to.to_string()))
            }
            Self::AlterDefault { column, from, to, .. }
            | Self::AlterCollation { column, from, to, .. }
            | Self::AlterComment { column, from, to, .. } => of_column(column, from.clone(), to.clone()),
            Self::AlterIdentity {
                column,
                from,
                to,
                from_sequence,
                to_sequence,
                ..
            } => of_column(
                column,
                numbering_words(*from, from_sequence.as_ref()),
                numbering_words(*to, to_sequence.as_ref()),
            ),
            Self::AlterGenerated { column, from, to, .. } => {
                let expression = |of: &Option<Generated>| of.as_ref().map(|generated| generated.expr.clone());
                let is_moved = expression(from) == expression(to);
                let word = |generated: &Option<Generated>| match generated {
                    Some(Generated { expr, stored }) if is_moved => {
                        let place = if *stored { "stored" } else { "virtual" };
                        Some(format!("{expr} ({place})"))
                    }
                    generated => expression(generated),
                };
                of_column(column, word(from), word(to))
            }
            _ => self.summary_of_table(summary),
        }
    }

    /// Says what changes about a table as a whole, how it is kept, and its key.
    fn summary_of_table(&self, summary: Summary) -> Summary {
        let changed = |from: Option<String>, to: Option<String>| Summary {
            from,
            to,
            ..summary.clone()
        };
        match self {
            Self::AlterTableOptions { from, to, .. } => {
                let word = |options: &TableOptions| {
                    let words = options.words();
                    (!words.is_empty()).then(|| words.join(", "))
                };
                changed(word(from), word(to))
            }
            Self::AlterInherits { from, to, .. } => {
                let word = |parents: &Vec<String>| (!parents.is_empty()).then(|| parents.join(", "));
                changed(word(from), word(to))
            }
            Self::AlterPartition { from, to, .. } => Summary {
                name: Some(to.name.clone()),
                ..changed(Some(from.bound.clone()), Some(to.bound.clone()))
            },
            Self::AlterTableStorage { from, to, .. } => changed(storage_words(from), storage_words(to)),
            Self::AlterColumnStorage { column, from, to, .. } => {
                let word = |storage: &ColumnStorage| {
                    let statistics = storage.statistics.map(|target| format!("statistics {target}"));
                    let words = [storage.strategy.clone(), storage.compression.clone(), statistics];
                    let words = words.into_iter().flatten().chain(storage.options.clone());
                    let words: Vec<String> = words.collect();
                    (!words.is_empty()).then(|| words.join(", "))
                };
                Summary {
                    column: Some(column.clone()),
                    ..changed(word(from), word(to))
                }
            }
            Self::AlterPrimaryKey { from, to, .. } => {
                let columns = |key: &PrimaryKey| key.columns.clone();
                let is_moved = from.as_ref().map(columns) == to.as_ref().map(columns);
                let words = |key: &PrimaryKey| match is_moved && !key.options.is_plain() {
                    true => format!("{} ({})", key_words(key), key.options),
                    false => key_words(key),
                };
                changed(from.as_ref().map(words), to.as_ref().map(words))
            }
            _ => self.summary_of_parts(summary),
        }
    }

    /// Says what is added or removed.
    fn summary_of_parts(&self, summary: Summary) -> Summary {
        let named = |name: &Option<String>| Summary {
            name: name.clone(),
            ..summary.clone()
        };
        match self {
            Self::AddColumn { column, .. } | Self::DropColumn { column, .. } => Summary {
                column: Some(column.name.clone()),
                value: Some(column_words(column)),
                ..summary
            },
            Self::AddTable { table } | Self::DropTable { table } => Summary {
                columns: table.columns.iter().map(|column| column.name.clone()).collect(),
                ..summary
            },
            Self::AddUnique { unique, .. } | Self::DropUnique { unique, .. } => Summary {
                columns: unique.columns.clone(),
                value: (!unique.options.is_plain()).then(|| unique.options.to_string()),
                ..named(&unique.name)
            },
            Self::AddCheck { check, .. } | Self::DropCheck { check, .. } => {
                check_words(&named(&check.name), check)
            }
            Self::AddExclude { exclusion, .. } | Self::DropExclude { exclusion, .. } => Summary {
                value: Some(exclusion.definition.clone()),
                ..named(&exclusion.name)
            },
            Self::AddForeignKey { foreign_key, .. } | Self::DropForeignKey { foreign_key, .. } => Summary {
                columns: foreign_key.columns.clone(),
                value: Some(reference_words(foreign_key)),
                ..named(&foreign_key.name)
            },
            Self::AddIndex { index, .. } | Self::DropIndex { index, .. } => Summary {
                columns: part_words(index),
                value: index.predicate.clone(),
                ..named(&index.name)
            },
            Self::AddPartition { partition, .. }
            | Self::DropPartition { partition, .. }
            | Self::AttachPartition { partition, .. }
            | Self::DetachPartition { partition, .. } => Summary {
                value: Some(partition.bound.clone()),
                ..named(&Some(partition.name.clone()))
            },
            Self::RebuildInvalidIndex { name, .. }
            | Self::ValidateForeignKey { name, .. }
            | Self::ValidateCheck { name, .. } => named(name),
            Self::AddEnum { r#enum, values } | Self::DropEnum { r#enum, values } => Summary {
                columns: values.clone(),
                ..named(&Some(r#enum.clone()))
            },
            Self::AddEnumValue { r#enum, value, .. } | Self::DropEnumValue { r#enum, value, .. } => Summary {
                value: Some(value.clone()),
                ..named(&Some(r#enum.clone()))
            },
            Self::ReorderEnum { r#enum, from, to } => Summary {
                from: Some(from.join(", ")),
                to: Some(to.join(", ")),
                ..named(&Some(r#enum.clone()))
            },
            Self::AddObject { object } | Self::DropObject { object } => object_words(summary, object),
            Self::AlterObject { from, to } => Summary {
                value: to.changed_from(from).map(|change| format!("({change})")),
                ..object_words(summary, to)
            },
            Self::AlterSequence { from, to } => Summary {
                from: owner_words(from, to),
                to: owner_words(to, from),
                ..named(&Some(to.name.clone()))
            },
            Self::AddSequence { sequence } | Self::DropSequence { sequence } => {
                named(&Some(sequence.name.clone()))
            }
            _ => summary,
        }
    }

    /// Returns the word for the kind of operation, the same as in its JSON.
    #[must_use]
    pub fn kind(&self) -> &'static str {
        match self {
            Self::RenameTable { .. } => "rename_table",
            Self::RenameColumn { .. } => "rename_column",
            Self::RenameIndex { .. } => "rename_index",
            Self::RenameConstraint { .. } => "rename_constraint",
            Self::AddEnum { .. } => "add_enum",
            Self::DropEnum { .. } => "drop_enum",
            Self::AddEnumValue { .. } => "add_enum_value",
            Self::DropEnumValue { .. } => "drop_enum_value",
            Self::ReorderEnum { .. } => "reorder_enum",
            Self::AddObject { .. } => "add_object",
            Self::DropObject { .. } => "drop_object",
            Self::AddSequence { .. } => "add_sequence",
            Self::DropSequence { .. } => "drop_sequence",
            Self::AlterSequence { .. } => "alter_sequence",
            Self::AlterObject { .. } => "alter_object",
            Self::AddTable { .. } => "add_table",
            Self::DropTable { .. } => "drop_table",
            Self::AlterTableComment { .. } => "alter_table_comment",
            Self::AlterTableOptions { .. } => "alter_table_options",
            Self::AddColumn { .. } => "add_column",
            Self::DropColumn { .. } => "drop_column",
            Self::AlterType { .. } => "alter_type",
            Self::AlterNullable { .. } => "alter_nullable",
            Self::AlterOnNull { .. } => "alter_on_null",
            Self::AlterDefault { .. } => "alter_default",
            Self::AlterIdentity { .. } => "alter_identity",
            Self::AlterGenerated { .. } => "alter_generated",
            Self::AlterCollation { .. } => "alter_collation",
            Self::AlterComment { .. } => "alter_comment",
            Self::AlterInherits { .. } => "alter_inherits",
            Self::AddPartition { .. } => "add_partition",
            Self::DropPartition { .. } => "drop_partition",
            Self::AttachPartition { .. } => "attach_partition",
            Self::DetachPartition { .. } => "detach_partition",
            Self::AlterPartition { .. } => "alter_partition",
            Self::AlterTableStorage { .. } => "alter_table_storage",
            Self::AlterColumnStorage { .. } => "alter_column_storage",
            Self::AlterPrimaryKey { .. } => "alter_primary_key",
            Self::AddUnique { .. } => "add_unique",
            Self::DropUnique { .. } => "drop_unique",
            Self::AddCheck { .. } => "add_check",
            Self::DropCheck { .. } => "drop_check",
            Self::AddExclude { .. } => "add_exclude",
            Self::DropExclude { .. } => "drop_exclude",
            Self::AddForeignKey { .. } => "add_foreign_key",
            Self::DropForeignKey { .. } => "drop_foreign_key",
            Self::AddIndex { .. } => "add_index",
            Self::DropIndex { .. } => "drop_index",
            Self::RebuildInvalidIndex { .. } => "rebuild_invalid_index",
            Self::ValidateForeignKey { .. } => "validate_foreign_key",
            Self::ValidateCheck { .. } => "validate_check",
        }
    }
}

fn column_words(column: &Column) -> String {
    let mut words = column.data_type.clone();
    if !column.nullable {
        words.push_str(" NOT NULL");
    }
    if let Some(default) = &column.default {
        words.push_str(" DEFAULT ");
        words.push_str(default);
    }
    if let Some(numbering) = column.auto {
        words.push_str(&format!(" ({numbering})"));
    }
    if let Some(generated) = &column.generated {
        words.push_str(&format!(" AS ({})", generated.expr));
    }
    words
}

fn key_words(key: &PrimaryKey) -> String {
    let mut words = key.columns.join(", ");
    if !key.include.is_empty() {
        words.push_str(&format!(" INCLUDE {}", key.include.join(", ")));
    }
    if key.deferrable {
        words.push_str(" DEFERRABLE");
    }
    if key.initially_deferred {
        words.push_str(" INITIALLY DEFERRED");
    }
    words
}

fn storage_words(storage: &TableStorage) -> Option<String> {
    let unlogged = storage.unlogged.then(|| "UNLOGGED".to_owned());
    let words: Vec<String> = unlogged.into_iter().chain(storage.options.clone()).collect();
    (!words.is_empty()).then(|| words.join(", "))
}

fn numbering_words(numbering: Option<Numbering>, sequence: Option<&Sequence>) -> Option<String> {
    let mut words = numbering?.to_string();
    if let Some(sequence) = sequence {
        let counting = ddl::counting(sequence).join(" ");
        words.push_str(&format!(
            " ({})",
            format!("{} {counting}", sequence.type_name()).trim_end()
        ));
    }
    Some(words)
}

/// Says whose a sequence is, where it becomes somebody else's.
fn owner_words(sequence: &Sequence, other: &Sequence) -> Option<String> {
    let owner = sequence.owned_by.as_ref()?;
    (sequence.owned_by != other.owned_by).then(|| format!("{}.{}", owner.table, owner.column))
}

/// Says which object it is; that rows are guarded is said of their table.
fn object_words(summary: Summary, object: &Object) -> Summary {
    let is_of_table = object.kind == ObjectKind::RowSecurity;
    Summary {
        object: Some(object.kind),
        table: object.relation.clone().filter(|_| is_of_table),
        name: Some(object.name.clone()).filter(|_| !is_of_table),
        ..summary
    }
}

fn check_words(summary: &Summary, check: &Check) -> Summary {
    Summary {
        value: Some(check.expr.clone() + enforcement(check.enforced)),
        ..summary.clone()
    }
}

fn reference_words(key: &ForeignKey) -> String {
    let columns = key.ref_columns.join(", ");
    format!("{} ({columns}){}", key.ref_table, enforcement(key.enforced))
}

fn enforcement(enforced: bool) -> &'static str {
    if enforced { "" } else { " NOT ENFORCED" }
}

fn part_words(index: &Index) -> Vec<String> {
    let words = index.columns.iter().map(|part| {
        let (IndexKey::Column(key) | IndexKey::Expression(key)) = &part.key;
        if part.descending {
            format!("{key} DESC")
        } else {
            key.clone()
        }
    });
    words.collect()
}

impl fmt::Display for Operation {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.summary().fmt(formatter)
    }
}

impl fmt::Display for Summary {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let words = self.op.replace('_', " ");
        match self.object {
            Some(kind) => formatter.write_str(&words.replace("object", &kind.to_string()))?,
            None => formatter.write_str(&words)?,
        }
        match (&self.table, &self.column) {
            (Some(table), Some(column)) => write!(formatter, " {table}.{column}")?,
            (Some(table), None) => write!(formatter, " {table}")?,
            _ => {}
        }
        if let Some(name) = &self.name {
            write!(formatter, " {name}")?;
        }
        if !self.columns.is_empty() {
            write!(formatter, " ({})", self.columns.join(", "))?;
        }
        if let Some(value) = &self.value {
            write!(formatter, " {value}")?;
        }
        if self.from.is_some() || self.to.is_some() {
            let word = |side: &Option<String>| side.clone().unwrap_or_else(|| "nothing".to_owned());
            write!(formatter, ": {} -> {}", word(&self.from), word(&self.to))?;
        }
        Ok(())
    }
}
