//! How a catalog may be written by hand: the shorthands and aliases that its JSON understands beside what it writes.
//!
//! A key may stand at its columns (`"pk": true`), a default or a condition may be `null`, and types may be spelled as
//! neither engine does (`string(40)`, `enum(mood)`). What is read becomes the plain values of the room at once.

use serde::{Deserialize, Deserializer};

use super::{
    Action, Check, Column, ColumnStorage, Conflict, Dialect, Exclusion, ForeignKey, Generated, Index,
    Numbering, Opaque, PrimaryKey, Printed, Sequence, Table, TablePart, TableStorage, Unique,
};

/// Reads a value that may be `null` where it may be absent.
pub(super) fn or_default<'de, T, D>(deserializer: D) -> Result<T, D::Error>
where
    T: Default + Deserialize<'de>,
    D: Deserializer<'de>,
{
    Ok(Option::deserialize(deserializer)?.unwrap_or_default())
}

/// Reads a condition that holds when nothing is said.
pub(super) fn or_true<'de, D: Deserializer<'de>>(deserializer: D) -> Result<bool, D::Error> {
    Ok(Option::deserialize(deserializer)?.unwrap_or(true))
}

/// Reads whether a constraint waits for the end of a transaction, which SQL says as `INITIALLY DEFERRED`.
pub(super) fn deferred<'de, D: Deserializer<'de>>(deserializer: D) -> Result<bool, D::Error> {
    Ok(match Option::deserialize(deserializer)? {
        None => false,
        Some(Switch::Set(is_set)) => is_set,
        Some(Switch::Word(word)) => word.eq_ignore_ascii_case("deferred"),
    })
}

#[derive(Deserialize)]
#[serde(untagged)]
enum Switch {
    Set(bool),
    Word(String),
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct WrittenTable {
    name: String,
    #[serde(default, deserialize_with = "or_default")]
    columns: Vec<WrittenColumn>,
    #[serde(default, alias = "pk")]
    primary_key: Option<WrittenKey>,
    #[serde(default)]
    pk_name: Option<String>,
    #[serde(default, deserialize_with = "or_default")]
    uniques: Vec<Unique>,
    #[serde(default, deserialize_with = "or_default")]
    checks: Vec<Check>,
    #[serde(default, deserialize_with = "or_default")]
    foreign_keys: Vec<ForeignKey>,
    #[serde(default, deserialize_with = "or_default")]
    indexes: Vec<Index>,
    #[serde(default, deserialize_with = "or_default")]
    exclusions: Vec<Exclusion>,
    #[serde(default, deserialize_with = "or_default")]
    triggers: Vec<Opaque>,
    #[serde(default)]
    comment: Option<String>,
    #[serde(default, deserialize_with = "or_default")]
    inherits: Vec<String>,
    #[serde(default)]
    partitioned_by: Option<String>,
    #[serde(default, deserialize_with = "or_default")]
    partitions: Vec<TablePart>,
    #[serde(default, deserialize_with = "or_default")]
    storage: TableStorage,
    #[serde(default, deserialize_with = "or_default")]
    strict: bool,
    #[serde(default, deserialize_with = "or_default")]
    without_rowid: bool,
    #[serde(default)]
    renamed_from: Option<String>,
}

#[derive(Deserialize)]
#[serde(untagged)]
enum WrittenKey {
    Columns(Vec<String>),
    Whole(PrimaryKey),
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct WrittenColumn {
    name: String,
    #[serde(rename = "type", alias = "data_type")]
    data_type: String,
    #[serde(default)]
    nullable: Option<bool>,
    #[serde(default)]
    on_null: Conflict,
    #[serde(default)]
    default: Option<WrittenDefault>,
    #[serde(default, alias = "primary_key", deserialize_with = "or_default")]
    pk: bool,
    #[serde(default)]
    auto: Option<WrittenNumbering>,
    #[serde(default)]
    identity: Option<WrittenNumbering>,
    #[serde(default)]
    sequence: Option<Sequence>,
    #[serde(default, deserialize_with = "or_default")]
    inherited: bool,
    #[serde(default, deserialize_with = "or_default")]
    storage: ColumnStorage,
    #[serde(default)]
    generated: Option<WrittenGenerated>,
    #[serde(default)]
    collation: Option<String>,
    #[serde(default)]
    comment: Option<String>,
    #[serde(default)]
    renamed_from: Option<String>,
}

#[derive(Deserialize)]
#[serde(untagged)]
enum WrittenDefault {
    Sql(String),
    Bool(bool),
    Number(serde_json::Number),
}

#[derive(Deserialize)]
#[serde(untagged)]
enum WrittenNumbering {
    Set(bool),
    Named(Numbering),
    Word(String),
}

#[derive(Deserialize)]
#[serde(untagged)]
enum WrittenGenerated {
    Stored(String),
    Whole(Generated),
}

#[derive(Deserialize)]
#[serde(untagged)]
enum WrittenSequence {
    Name(String),
    Whole(Sequence),
}

/// Reads sequences, of which a name may be all that is said.
pub(super) fn sequences<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Vec<Sequence>, D::Error> {
    let written: Option<Vec<WrittenSequence>> = Option::deserialize(deserializer)?;
    let sequences = written.into_iter().flatten().map(|sequence| match sequence {
        WrittenSequence::Name(name) => Sequence::new(name),
        WrittenSequence::Whole(sequence) => sequence,
    });
    Ok(sequences.collect())
}

impl TryFrom<WrittenTable> for Table {
    type Error = String;

    fn try_from(written: WrittenTable) -> Result<Self, Self::Error> {
        let of_columns: Vec<String> = written
            .columns
            .iter()
            .filter(|column| column.pk)
            .map(|column| column.name.clone())
            .collect();
        let primary_key = match written.primary_key {
            Some(WrittenKey::Whole(key)) => Some(key),
            Some(WrittenKey::Columns(columns)) => Some(PrimaryKey::new(columns)),
            None => (!of_columns.is_empty()).then(|| PrimaryKey::new(of_columns)),
        };
        let primary_key = primary_key.map(|key| PrimaryKey {
            name: key.name.or(written.pk_name),
            ..key
        });
        let is_key = |column: &Column| {
            let mut keys = primary_key.iter().flat_map(|key| &key.columns);
            keys.any(|name| *name == column.name)
        };
        let mut columns = Vec::with_capacity(written.columns.len());
        for column in written.columns {
            let is_open = column.nullable.is_none();
            let mut column = Column::try_from(column)?;
            // A key is never NULL; that need not be said. A row id is not either, and says so or does not.
            let is_rowid = matches!(column.auto, Some(Numbering::Rowid | Numbering::Autoincrement));
            if is_open && is_key(&column) && !is_rowid {
                column.nullable = false;
            }
            columns.push(column);
        }
        Ok(Self {
            name: written.name,
            columns,
            primary_key,
            uniques: written.uniques,
            checks: written.checks,
            foreign_keys: written.foreign_keys,
            indexes: written.indexes,
            exclusions: written.exclusions,
            triggers: written.triggers,
            comment: written.comment,
            inherits: written.inherits,
            partitioned_by: written.partitioned_by,
            partitions: written.partitions,
            storage: written.storage,
            strict: written.strict,
            without_rowid: written.without_rowid,
            renamed_from: written.renamed_from,
        })
    }
}

impl TryFrom<WrittenColumn> for Column {
    type Error = String;

    fn try_from(written: WrittenColumn) -> Result<Self, Self::Error> {
        let (data_type, serial) = without_serial(written.data_type);
        let identity = numbering(written.identity, Numbering::IdentityByDefault)?;
        let auto = numbering(written.auto, Numbering::Any)?;
        let auto = identity.or(auto).or(serial.then_some(Numbering::Serial));
        Ok(Self {
            name: written.name,
            data_type,
            nullable: written.nullable.unwrap_or(!serial),
            on_null: written.on_null,
            default: written.default.map(|default| match default {
                WrittenDefault::Sql(sql) => sql,
                WrittenDefault::Bool(value) => value.to_string(),
                WrittenDefault::Number(number) => number.to_string(),
            }),
            printed_default: Printed::default(),
            auto,
            sequence: written.sequence,
            inherited: written.inherited,
            storage: written.storage,
            generated: written.generated.map(|generated| match generated {
                WrittenGenerated::Stored(expr) => Generated { expr, stored: true },
                WrittenGenerated::Whole(generated) => generated,
            }),
            collation: written.collation,
            comment: written.comment,
            renamed_from: written.renamed_from,
        })
    }
}

impl TryFrom<String> for Action {
    type Error = String;

    fn try_from(word: String) -> Result<Self, Self::Error> {
        let upper = word.to_uppercase().replace('_', " ");
        [
            Self::NoAction,
            Self::Restrict,
            Self::Cascade,
            Self::SetNull,
            Self::SetDefault,
        ]
        .into_iter()
        .find(|action| action.sql() == upper)
        .ok_or_else(|| format!("{word:?} is nothing that a foreign key does"))
    }
}

fn numbering(written: Option<WrittenNumbering>, set: Numbering) -> Result<Option<Numbering>, String> {
    Ok(match written {
        None | Some(WrittenNumbering::Set(false)) => None,
        Some(WrittenNumbering::Set(true)) => Some(set),
        Some(WrittenNumbering::Named(numbering)) => Some(numbering),
        Some(WrittenNumbering::Word(word)) => match word.to_lowercase().as_str() {
            "always" => Some(Numbering::IdentityAlways),
            "by default" | "identity" => Some(Numbering::IdentityByDefault),
            _ => return Err(format!("{word:?} is no way to number a column")),
        },
    })
}

/// PostgreSQL's `serial` is no type but a short way to say what numbers a column (manual, "Numeric Types").
fn without_serial(written: String) -> (String, bool) {
    let plain = match written.to_lowercase().as_str() {
        "serial" | "serial4" => "integer",
        "bigserial" | "serial8" => "bigint",
        "smallserial" | "serial2" => "smallint",
        _ => return (written, false),
    };
    (plain.to_owned(), true)
}

/// Returns a type that is spelled as neither engine does in the words of one of them, all others as they are.
///
/// `neutral` says that nobody has said which engine's words they are: a name that could be one of a type of the database's
/// own is then taken for a word of no engine.
pub(super) fn data_type(dialect: Dialect, written: &str, neutral: bool) -> String {
    let lower = written.trim().to_lowercase();
    if let Some(name) = lower
        .strip_prefix("enum(")
        .and_then(|rest| rest.strip_suffix(')'))
    {
        let start = "enum(".len();
        let name = &written.trim()[start..start + name.len()];
        return match dialect {
            Dialect::Postgresql => super::expression::name(name),
            Dialect::Sqlite => "text".to_owned(),
        };
    }
    if let Some(length) = lower.strip_prefix("string(") {
        return format!("VARCHAR({length}");
    }
    if !neutral {
        return written.to_owned();
    }
    if let Some(element) = lower
        .strip_prefix("array(")
        .and_then(|rest| rest.strip_suffix(')'))
    {
        return format!("{}[]", data_type(dialect, element, neutral));
    }
    let (word, array) = lower
        .strip_suffix("[]")
        .map_or((lower.as_str(), ""), |word| (word, "[]"));
    let known = match (dialect, word) {
        (Dialect::Postgresql | Dialect::Sqlite, "string") => "varchar",
        (Dialect::Postgresql, "datetime" | "date_time") => "timestamp",
        (Dialect::Postgresql, "timestamp_with_time_zone") => "timestamptz",
        (Dialect::Postgresql, "double") => "double precision",
        (Dialect::Postgresql, "blob" | "binary" | "varbinary" | "bytes" | "large_binary") => "bytea",
        (Dialect::Sqlite, "bytea" | "binary" | "varbinary" | "bytes" | "large_binary") => "blob",
        (Dialect::Postgresql, "json_binary") => "jsonb",
        (Dialect::Postgresql, "big_integer") | (Dialect::Sqlite, "big_integer") => "bigint",
        (Dialect::Postgresql, "small_integer" | "tinyint") | (Dialect::Sqlite, "small_integer") => "smallint",
        (Dialect::Sqlite, "timestamp_with_time_zone" | "date_time") => "timestamp",
        (Dialect::Postgresql | Dialect::Sqlite, _) => return written.to_owned(),
    };
    format!("{known}{array}")
}

#[cfg(test)]
mod tests {
    use insta::assert_snapshot;

    use super::data_type;
    use crate::catalog::{Catalog, Dialect};

    #[test]
    fn what_is_written_by_hand_may_be_short() {
        let catalog = Catalog::from_json(
            r#"{
                "tables": [{
                    "name": "tasks",
                    "columns": [
                        {"name": "id", "type": "bigserial", "pk": true},
                        {"name": "owner", "type": "string(40)", "nullable": null, "default": null},
                        {"name": "done", "type": "bool", "nullable": false, "default": false},
                        {"name": "place", "type": "int4", "identity": "always"},
                        {"name": "size", "type": "int", "generated": "place * 2"}
                    ],
                    "pk_name": "tasks_key",
                    "uniques": [{"columns": ["owner"], "name": null, "deferrable": true, "initially": "DEFERRED"}],
                    "indexes": [{"columns": ["done", {"expr": "lower(owner)"}], "unique": null, "where": null, "include": null}],
                    "foreign_keys": [{"columns": ["owner"], "ref_table": "users", "on_delete": "cascade", "on_update": null}],
                    "checks": null
                }],
                "sequences": ["order_no"]
            }"#,
        )
        .unwrap();
        let table = &catalog.tables[0];
        let mut lines: Vec<String> = table.columns.iter().map(json).collect();
        lines.extend([
            json(&table.primary_key),
            json(&table.uniques),
            json(&table.indexes),
        ]);
        lines.extend([json(&table.foreign_keys), json(&catalog.sequences)]);
        assert_snapshot!(lines.join("\n"), @r#"
        {"name":"id","type":"bigint","nullable":false,"auto":"serial"}
        {"name":"owner","type":"string(40)"}
        {"name":"done","type":"bool","nullable":false,"default":"false"}
        {"name":"place","type":"int4","auto":"identity always"}
        {"name":"size","type":"int","generated":{"expr":"place * 2","stored":true}}
        {"name":"tasks_key","columns":["id"]}
        [{"name":null,"columns":["owner"],"deferrable":true,"initially_deferred":true}]
        [{"name":null,"columns":["done",{"expr":"lower(owner)"}],"unique":false}]
        [{"name":null,"columns":["owner"],"ref_table":"users","ref_columns":[],"on_delete":"CASCADE"}]
        [{"name":"order_no"}]
        "#);
    }

    fn json<T: serde::Serialize>(value: &T) -> String {
        serde_json::to_string(value).unwrap()
    }

    #[test]
    fn a_word_of_nobody_is_refused() {
        let refused = |column: &str| {
            let text = format!(r#"{{"tables": [{{"name": "t", "columns": [{column}]}}]}}"#);
            std::error::Error::source(&Catalog::from_json(&text).unwrap_err())
                .unwrap()
                .to_string()
        };
        assert_snapshot!(refused(r#"{"name": "a", "type": "int", "auto": "sometimes"}"#), @r#""sometimes" is no way to number a column at line 1 column 90"#);
        assert_snapshot!(refused(r#"{"name": "a", "type": "int", "nulable": true}"#), @"unknown field `nulable`, expected one of `name`, `data_type`, `type`, `nullable`, `on_null`, `default`, `pk`, `primary_key`, `auto`, `identity`, `sequence`, `inherited`, `storage`, `generated`, `collation`, `comment`, `renamed_from` at line 1 column 76");
    }

    #[test]
    fn types_that_no_engine_knows_are_put_into_its_words() {
        let of = |written: &str, neutral| {
            format!(
                "{} | {}",
                data_type(Dialect::Postgresql, written, neutral),
                data_type(Dialect::Sqlite, written, neutral)
            )
        };
        assert_eq!(of("string(40)", false), "VARCHAR(40) | VARCHAR(40)");
        assert_eq!(of("enum(Mood)", true), "\"Mood\" | text");
        assert_eq!(of("datetime", true), "timestamp | datetime");
        assert_eq!(of("datetime", false), "datetime | datetime");
        assert_eq!(of("string[]", true), "varchar[] | varchar[]");
        assert_eq!(of("array(string(9))", true), "VARCHAR(9)[] | VARCHAR(9)[]");
        assert_eq!(of("bytes", true), "bytea | blob");
        assert_eq!(of("float", true), "float | float");
    }
}
