//! SQLite: columns and indexes from the pragmas, and from the text of the statements what no pragma says.

use std::collections::{BTreeMap, HashMap};

use sea_orm::{ConnectionTrait, DbBackend, DbErr, Statement};
use serde::Deserialize;

use self::index::IndexStatement;
use self::table::TableStatement;
use super::InspectError;
use crate::catalog::token::{Kind, tokens};
use crate::catalog::{
    Catalog, Column, Dialect, ForeignKey, Generated, Index, IndexPart, KeyOptions, Numbering, Object,
    ObjectKind, PrimaryKey, Table, ddl,
};

mod cursor;
mod index;
mod table;

const QUERY: &str = include_str!("sqlite.sql");

/// What the query returns; numbers are SQLite's booleans.
#[derive(Deserialize)]
struct Answer {
    tables: Vec<(String, u8, u8)>,
    columns: Vec<ColumnRow>,
    indexes: Vec<IndexRow>,
    statements: Vec<(String, String, String, String)>,
    virtual_tables: u64,
}

/// Table, name, type, whether it is NOT NULL, default, place in the primary key, and whether it is computed: 2 when it is
/// read, 3 when it is written.
type ColumnRow = (String, String, String, u8, Option<String>, u32, u8);

/// One part of an index: table, index, whether it is unique, column, whether it descends, collation.
type IndexRow = (String, String, u8, Option<String>, u8, Option<String>);

pub(in crate::catalog) async fn inspect<C: ConnectionTrait>(connection: &C) -> Result<Catalog, InspectError> {
    let statement = Statement::from_string(DbBackend::Sqlite, QUERY);
    let row = connection.query_one_raw(statement).await?;
    let row = row.ok_or_else(|| DbErr::RecordNotFound("the answer to a query without a table".to_owned()))?;
    let text: String = row.try_get("", "catalog")?;
    let answer = serde_json::from_str(&text).map_err(|source| InspectError::Unclear { source })?;
    assemble(answer)
}

fn assemble(answer: Answer) -> Result<Catalog, InspectError> {
    let mut catalog = Catalog::new(Dialect::Sqlite);
    let mut tables: HashMap<String, Table> = HashMap::new();
    for (name, without_rowid, strict) in answer.tables {
        let table = Table {
            strict: strict != 0,
            without_rowid: without_rowid != 0,
            ..Table::new(name.as_str())
        };
        tables.insert(name, table);
    }
    let mut keys: HashMap<String, Vec<(u32, String)>> = HashMap::new();
    for row in answer.columns {
        if row.5 > 0 {
            keys.entry(row.0.clone())
                .or_default()
                .push((row.5, row.1.clone()));
        }
        if let Some(table) = tables.get_mut(&row.0) {
            table.columns.push(column(row));
        }
    }
    for (name, mut columns) in keys {
        columns.sort();
        if let Some(table) = tables.get_mut(&name) {
            table.primary_key = Some(PrimaryKey::new(columns.into_iter().map(|(_, column)| column)));
        }
    }
    let mut index_statements = HashMap::new();
    let mut objects = Vec::new();
    for (kind, name, table_name, sql) in answer.statements {
        match kind.as_str() {
            "table" => {
                if let Some(table) = tables.get_mut(&name) {
                    let statement = TableStatement::read(&sql).ok_or(InspectError::Statement { name })?;
                    statement.complete(table);
                }
            }
            "index" => {
                let statement = IndexStatement::read(&sql);
                index_statements.insert(name.clone(), statement.ok_or(InspectError::Statement { name })?);
            }
            "trigger" => {
                objects.push(Object::new(ObjectKind::Trigger, name, Some(&table_name), sql));
            }
            _ => objects.push(Object::new(ObjectKind::View, name, None, sql)),
        }
    }
    for (table_name, name, unique, column, descending, collation) in answer.indexes {
        let (Some(table), Some(statement)) = (tables.get_mut(&table_name), index_statements.get(&name))
        else {
            continue;
        };
        add_part(
            table,
            statement,
            name,
            unique != 0,
            column,
            descending != 0,
            collation,
        );
    }
    catalog.tables = tables.into_values().collect();
    objects
        .iter_mut()
        .for_each(|object| name_relation_as_made(object, &catalog.tables));
    catalog.objects = Some(objects);
    catalog.not_compared = not_compared(answer.virtual_tables);
    resolve_references(&mut catalog);
    Ok(catalog)
}

/// A trigger names its table as its own statement spells it.
fn name_relation_as_made(object: &mut Object, tables: &[Table]) {
    if let Some(table) = tables.iter().find(|table| object.is_on(&table.name)) {
        object.relation = Some(table.name.clone());
    }
}

/// Returns how many things of kinds that no catalog speaks of there are. What a virtual table keeps its contents in counts
/// with it.
fn not_compared(virtual_tables: u64) -> BTreeMap<String, u64> {
    let kinds = [("virtual table", virtual_tables)].into_iter();
    kinds
        .filter(|(_, number)| *number > 0)
        .map(|(kind, number)| (kind.to_owned(), number))
        .collect()
}

fn column((_, name, data_type, not_null, default, _, hidden): ColumnRow) -> Column {
    Column {
        nullable: not_null == 0,
        default: default.map(|sql| text_default(&sql)),
        // The expression comes from the statement.
        generated: (hidden > 1).then(|| Generated {
            expr: String::new(),
            stored: hidden == 3,
        }),
        ..Column::new(name, data_type)
    }
}

/// A default in double quotes is a text all the same: there is no column that it could name.
fn text_default(sql: &str) -> String {
    match tokens(sql).as_slice() {
        [token] if token.kind == Kind::QuotedName && sql.starts_with('"') => ddl::text(&token.text),
        _ => sql.to_owned(),
    }
}

/// Adds one part of an index, and with its first part the index. The parts come in their order.
fn add_part(
    table: &mut Table,
    statement: &IndexStatement,
    name: String,
    unique: bool,
    column: Option<String>,
    descending: bool,
    collation: Option<String>,
) {
    if table.indexes.last().and_then(|index| index.name.as_deref()) != Some(name.as_str()) {
        table.indexes.push(Index {
            name: Some(name),
            unique,
            predicate: statement.predicate.clone(),
            ..Index::new(None, [""; 0])
        });
    }
    let own_collation = column
        .as_deref()
        .and_then(|name| table.column(name))
        .map(|column| column.collation.clone().unwrap_or_else(|| "BINARY".to_owned()));
    let Some(index) = table.indexes.last_mut() else {
        return;
    };
    let place = index.columns.len();
    let part = match column {
        Some(name) => IndexPart {
            collation: collation
                .filter(|name| own_collation.is_some_and(|own| !own.eq_ignore_ascii_case(name))),
            ..IndexPart::column(name)
        },
        None => IndexPart::expression(statement.parts.get(place).cloned().unwrap_or_default()),
    };
    index.columns.push(IndexPart { descending, ..part });
}

impl TableStatement {
    /// Adds to a table what the pragmas do not say.
    fn complete(self, table: &mut Table) {
        for clauses in self.columns {
            let Some(column) = table
                .columns
                .iter_mut()
                .find(|column| column.name.eq_ignore_ascii_case(&clauses.name))
            else {
                continue;
            };
            column.collation = clauses
                .collation
                .filter(|name| !name.eq_ignore_ascii_case("binary"));
            column.on_null = clauses.on_null;
            if let (Some(generated), Some(expr)) = (&mut column.generated, clauses.generated) {
                generated.expr = expr;
                // The pragma counts "GENERATED ALWAYS" to the type.
                let lower = column.data_type.to_lowercase();
                let length = lower
                    .strip_suffix("generated always")
                    .unwrap_or(&lower)
                    .trim_end()
                    .len();
                column.data_type.truncate(length);
            }
        }
        let rowid = |numbering| {
            let key = table.primary_key.as_ref()?;
            let [name] = key.columns.as_slice() else {
                return None;
            };
            let is_integer =
                |column: &Column| column.name == *name && column.data_type.eq_ignore_ascii_case("integer");
            let place = table.columns.iter().position(is_integer)?;
            Some((place, numbering))
        };
        let numbering = if self.autoincrement {
            Numbering::Autoincrement
        } else {
            Numbering::Rowid
        };
        let mut key_options = self.key_options;
        if !table.without_rowid
            && !self.key_descends
            && let Some((place, numbering)) = rowid(numbering)
        {
            table.columns[place].auto = Some(numbering);
            // A row id is compared and sorted in one way only.
            key_options = KeyOptions {
                on_conflict: key_options.on_conflict,
                ..KeyOptions::default()
            };
        }
        if let Some(key) = &mut table.primary_key {
            if self.key_descends {
                key_options.descending.clone_from(&key.columns);
            }
            key.name = self.key_name;
            key.options = key_options;
        }
        table.uniques = self.uniques;
        table.checks = self.checks;
        table.foreign_keys = self.foreign_keys;
        let names: Vec<String> = table.columns.iter().map(|column| column.name.clone()).collect();
        let options = table.uniques.iter_mut().map(|unique| &mut unique.options);
        for options in options.chain(table.primary_key.iter_mut().map(|key| &mut key.options)) {
            settle(options, &table.columns);
        }
        let own_columns = table.uniques.iter_mut().map(|unique| &mut unique.columns);
        for columns in own_columns.chain(table.foreign_keys.iter_mut().map(|key| &mut key.columns)) {
            as_spelled(columns, &names);
        }
    }
}

/// Names columns in the options of a key as the table spells them, and leaves out collations that are their own.
fn settle(options: &mut KeyOptions, columns: &[Column]) {
    let named = |name: &str| {
        let mut columns = columns.iter();
        columns.find(|column| column.name.eq_ignore_ascii_case(name))
    };
    for name in &mut options.descending {
        if let Some(column) = named(name) {
            name.clone_from(&column.name);
        }
    }
    options.descending.sort();
    let collations = std::mem::take(&mut options.collations);
    options.collations = collations
        .into_iter()
        .filter_map(|(name, collation)| Some((named(&name)?, collation)))
        .filter(|(column, collation)| {
            let own = column.collation.as_deref().unwrap_or("BINARY");
            !own.eq_ignore_ascii_case(collation)
        })
        .map(|(column, collation)| (column.name.clone(), collation))
        .collect();
}

/// Gives tables and columns that are referred to the spelling that they were made with, and names the columns of
/// `REFERENCES users`.
fn resolve_references(catalog: &mut Catalog) {
    let known: HashMap<String, (String, Vec<String>, Vec<String>)> = catalog
        .tables
        .iter()
        .map(|table| {
            let key = table
                .primary_key
                .as_ref()
                .map_or_else(Vec::new, |key| key.columns.clone());
            let columns = table.columns.iter().map(|column| column.name.clone()).collect();
            (table.name.to_lowercase(), (table.name.clone(), key, columns))
        })
        .collect();
    let foreign_keys = catalog
        .tables
        .iter_mut()
        .flat_map(|table| &mut table.foreign_keys);
    for ForeignKey {
        ref_table,
        ref_columns,
        ..
    } in foreign_keys
    {
        let Some((name, key, columns)) = known.get(&ref_table.to_lowercase()) else {
            continue;
        };
        ref_table.clone_from(name);
        if ref_columns.is_empty() {
            ref_columns.clone_from(key);
        }
        as_spelled(ref_columns, columns);
    }
}

fn as_spelled(names: &mut [String], spelled: &[String]) {
    for name in names {
        if let Some(found) = spelled.iter().find(|other| other.eq_ignore_ascii_case(name)) {
            name.clone_from(found);
        }
    }
}
