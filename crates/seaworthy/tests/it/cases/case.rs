//! A comparison as a file has it: the DDL of a live database, a declared structure, and what is to be found.

use sea_orm::ConnectionTrait;
use seaworthy::autogenerate::{Difference, Operation, Policy};
use seaworthy::catalog::{
    Catalog, Check, Column, Dialect, ForeignKey, Generated, Index, IndexPart, Numbering, PrimaryKey, Scope,
    Sequence, Table, Unique,
};
use seaworthy::verify::drift;
use serde_json::Value;

/// Returns what is found when a database that was just made is compared with the declared structure of a case.
///
/// Suggested renames are agreed to, as somebody would who means them.
pub(crate) async fn compare(
    session: &sea_orm::DatabaseConnection,
    case: &Value,
    ddl: &str,
) -> Result<Difference, String> {
    let message = |error: &dyn std::error::Error| {
        let mut text = error.to_string();
        let mut cause = error.source();
        while let Some(error) = cause {
            text.push_str(&format!(": {error}"));
            cause = error.source();
        }
        text
    };
    for sql in [Some(ddl), case["rows"].as_str(), case["afterwards"].as_str()]
        .into_iter()
        .flatten()
    {
        if let Err(error) = session.execute_unprepared(sql).await {
            // A build of an index that is meant to fail.
            if case["afterwards"].as_str() != Some(sql) {
                return Err(message(&error));
            }
        }
    }
    let dialect = Dialect::of(session.get_database_backend()).ok_or("no dialect")?;
    let declared = catalog(&case["b"], dialect);
    let scope = Scope::default();
    let mut policy = Policy::default();
    loop {
        let found = drift(session, &scope, &declared, &policy)
            .await
            .map_err(|error| message(&error))?;
        if found.suggestions.is_empty() {
            return Ok(found);
        }
        // Columns of a table that has another name can be asked about only after that.
        policy = policy.accept(&found.suggestions);
    }
}

/// Returns an operation in the words of a case.
pub(crate) fn words(operation: &Operation) -> String {
    operation.to_string()
}

fn catalog(declared: &Value, dialect: Dialect) -> Catalog {
    let mut catalog = Catalog {
        tables: list(&declared["tables"])
            .iter()
            .map(|value| table(value, dialect))
            .collect(),
        ..Catalog::default()
    };
    for (name, labels) in declared["enums"].as_object().into_iter().flatten() {
        catalog.enums.insert(name.clone(), names(labels));
    }
    catalog.sequences = names(&declared["sequences"])
        .into_iter()
        .map(Sequence::new)
        .collect();
    catalog
}

fn table(value: &Value, dialect: Dialect) -> Table {
    let columns = list(&value["columns"]);
    let key: Vec<String> = columns
        .iter()
        .filter(|column| column["pk"] == true)
        .filter_map(|column| text(&column["name"]))
        .collect();
    let name = text(&value["name"]).unwrap_or_default();
    let mut table = Table {
        columns: columns.iter().map(|value| column(value, dialect)).collect(),
        primary_key: (!key.is_empty()).then(|| PrimaryKey {
            name: text(&value["pk_name"]),
            ..PrimaryKey::new(key)
        }),
        comment: text(&value["comment"]),
        ..Table::new(name)
    };
    for unique in list(&value["uniques"]) {
        table.uniques.push(Unique {
            name: text(&unique["name"]),
            deferrable: unique["deferrable"] == true,
            ..Unique::new(None, names(&unique["columns"]))
        });
    }
    for check in list(&value["checks"]) {
        table.checks.push(Check {
            name: text(&check["name"]),
            ..Check::new(None, text(&check["expr"]).unwrap_or_default())
        });
    }
    for key in list(&value["foreign_keys"]) {
        table.foreign_keys.push(foreign_key(key));
    }
    for index in list(&value["indexes"]) {
        table.indexes.push(Index {
            name: text(&index["name"]),
            columns: list(&index["columns"]).iter().map(part).collect(),
            unique: index["unique"] == true,
            predicate: text(&index["where"]),
            method: text(&index["method"]),
            include: names(&index["include"]),
            ..Index::new(None, [""; 0])
        });
    }
    table
}

fn column(value: &Value, dialect: Dialect) -> Column {
    let identity = value["identity"].as_str().map(|identity| match identity {
        "always" => Numbering::IdentityAlways,
        _ => Numbering::IdentityByDefault,
    });
    Column {
        nullable: value["nullable"] != false,
        default: text(&value["default"]),
        auto: identity.or((value["auto"] == true).then_some(Numbering::Any)),
        generated: text(&value["generated"]).map(|expr| Generated { expr, stored: true }),
        collation: text(&value["collation"]),
        comment: text(&value["comment"]),
        ..Column::new(
            text(&value["name"]).unwrap_or_default(),
            data_type(value["type"].as_str().unwrap_or_default(), dialect),
        )
    }
}

/// Types are written as neither database does.
fn data_type(written: &str, dialect: Dialect) -> String {
    if let Some(length) = written.strip_prefix("string") {
        return format!("VARCHAR{length}");
    }
    if let Some(name) = written
        .strip_prefix("enum(")
        .and_then(|rest| rest.strip_suffix(')'))
    {
        return name.to_owned();
    }
    match (written, dialect) {
        ("timestamptz", Dialect::Sqlite) => "TIMESTAMP".to_owned(),
        _ => written.to_owned(),
    }
}

fn foreign_key(value: &Value) -> ForeignKey {
    let action = |word: &Value| serde_json::from_value(word.clone()).unwrap_or_default();
    ForeignKey {
        name: text(&value["name"]),
        on_delete: action(&value["on_delete"]),
        on_update: action(&value["on_update"]),
        deferrable: value["deferrable"] == true,
        initially_deferred: value["initially"] == "DEFERRED",
        ..ForeignKey::new(
            names(&value["columns"]),
            text(&value["ref_table"]).unwrap_or_default(),
            names(&value["ref_columns"]),
        )
    }
}

fn part(value: &Value) -> IndexPart {
    match value.as_str() {
        Some(column) => IndexPart::column(column),
        None => IndexPart::expression(text(&value["expr"]).unwrap_or_default()),
    }
}

fn list(value: &Value) -> &[Value] {
    value.as_array().map_or(&[], Vec::as_slice)
}

fn names(value: &Value) -> Vec<String> {
    list(value).iter().filter_map(text).collect()
}

fn text(value: &Value) -> Option<String> {
    value.as_str().map(str::to_owned)
}
