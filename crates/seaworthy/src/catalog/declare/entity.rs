//! What SeaORM makes of entities.

use std::collections::BTreeMap;

use sea_orm::sea_query::{
    Alias, ColumnType, ForeignKeyAction, ForeignKeyCreateStatement, IndexCreateStatement,
    PostgresQueryBuilder, SqliteQueryBuilder, Table as TableStatement, TableCreateStatement, TableName,
    TableRef,
};
use sea_orm::{ColumnTrait, ConnectionTrait, DbBackend, EntityTrait, Iterable, Schema, TransactionTrait};

use super::shadow::{self, Part, Sketch};
use super::{DeclareError, check};
use crate::catalog::expression::quoted;
use crate::catalog::inspect::postgres;
use crate::catalog::{Action, Catalog, Dialect, ForeignKey, Numbering, Scope, Table};

/// The labels of enum types, by name.
type Enums = BTreeMap<String, Vec<String>>;

/// One entity: the statements of its table, and what these do not carry.
#[derive(Debug)]
pub(super) struct Declared {
    table: String,
    schema: Option<String>,
    statements: Vec<String>,
    enums: Enums,
    foreign_keys: Vec<ForeignKey>,
    comment: Option<String>,
    columns: Vec<ColumnNotes>,
}

/// What the statement of a table does not carry of a column.
#[derive(Debug)]
struct ColumnNotes {
    name: String,
    is_numbered: bool,
    comment: Option<String>,
    renamed_from: Option<String>,
}

impl Declared {
    pub(super) fn of<E: EntityTrait>(dialect: Dialect) -> Self {
        let backend = match dialect {
            Dialect::Postgresql => DbBackend::Postgres,
            Dialect::Sqlite => DbBackend::Sqlite,
        };
        let schema = Schema::new(backend);
        let entity = E::default();
        let full = schema.create_table_from_entity(entity);
        let name = E::default().table_name().to_owned();
        let enums: Enums = E::Column::iter()
            .filter_map(|column| labels(column.def().get_column_type()))
            .collect();
        let mut statements = vec![text_of_table(dialect, &bare(dialect, &full, &name, &enums))];
        for mut index in schema.create_index_from_entity(E::default()) {
            statements.push(text_of_index(dialect, index.table(Alias::new(&name))));
        }
        Self {
            schema: E::default().schema_name().map(str::to_owned),
            statements,
            enums,
            foreign_keys: full
                .get_foreign_key_create_stmts()
                .iter()
                .map(foreign_key)
                .collect(),
            comment: full.get_comment().cloned(),
            columns: full.get_columns().iter().map(ColumnNotes::of).collect(),
            table: name,
        }
    }
}

impl Declared {
    /// Cuts names off where PostgreSQL does when it is sent the statements.
    fn cut_names(&mut self) {
        check::cut(&mut self.table);
        self.columns
            .iter_mut()
            .for_each(|column| check::cut(&mut column.name));
        for key in &mut self.foreign_keys {
            let columns = key.columns.iter_mut().chain(&mut key.ref_columns);
            let names = columns.chain(&mut key.name);
            names.for_each(check::cut);
            check::cut_table(&mut key.ref_table);
        }
    }
}

/// Makes the tables of entities, and reads them.
pub(super) async fn read<C>(
    connection: &C,
    scope: &Scope,
    dialect: Dialect,
    entities: Vec<Declared>,
) -> Result<Catalog, DeclareError>
where
    C: ConnectionTrait + TransactionTrait,
{
    check_schemas(connection, scope, dialect, &entities).await?;
    let mut entities = entities;
    if dialect == Dialect::Postgresql {
        entities.iter_mut().for_each(Declared::cut_names);
    }
    let mut sketch = Sketch::default();
    let mut named = Catalog::new(dialect);
    for entity in &entities {
        named.tables.push(Table::new(entity.table.as_str()));
        named.enums.extend(entity.enums.clone());
        sketch
            .tables
            .push(Part::table(&entity.table, entity.statements.clone()));
    }
    check::check(dialect, &named)?;
    sketch.prelude = Sketch::of(
        dialect,
        &Catalog {
            tables: Vec::new(),
            ..named.clone()
        },
    )
    .prelude;
    let mut catalog = shadow::read(connection, scope, dialect, &sketch).await?;
    if dialect == Dialect::Postgresql {
        catalog.enums = named.enums;
    }
    for entity in entities {
        if let Some(table) = catalog.tables.iter_mut().find(|table| table.name == entity.table) {
            complete(dialect, table, entity);
        }
    }
    check::check(dialect, &catalog)?;
    Ok(catalog)
}

async fn check_schemas<C: ConnectionTrait>(
    connection: &C,
    scope: &Scope,
    dialect: Dialect,
    entities: &[Declared],
) -> Result<(), DeclareError> {
    if dialect != Dialect::Postgresql || entities.iter().all(|entity| entity.schema.is_none()) {
        return Ok(());
    }
    let looked_at = postgres::find_schema(connection, scope.schema.as_deref()).await?;
    for entity in entities {
        if let Some(schema) = &entity.schema
            && *schema != looked_at
        {
            return Err(DeclareError::OtherSchema {
                table: entity.table.clone(),
                entity: schema.clone(),
                looked_at,
            });
        }
    }
    Ok(())
}

/// Adds what the statements did not carry, and forgets the names that the engine thought of.
fn complete(dialect: Dialect, table: &mut Table, entity: Declared) {
    table.foreign_keys = entity.foreign_keys;
    if dialect == Dialect::Postgresql {
        table.comment = entity.comment;
        // SeaORM names a key of several columns, and leaves that of one to the engine.
        table
            .primary_key
            .iter_mut()
            .filter(|key| key.columns.len() == 1)
            .for_each(|key| key.name = None);
        table.uniques.iter_mut().for_each(|unique| unique.name = None);
        for check in &mut table.checks {
            let is_made_up =
                |name: &String| name.starts_with(&format!("{}_", table.name)) && name.contains("_check");
            check.name = check.name.take().filter(|name| !is_made_up(name));
        }
    }
    for notes in entity.columns {
        let Some(column) = table.columns.iter_mut().find(|column| column.name == notes.name) else {
            continue;
        };
        column.renamed_from = notes.renamed_from;
        if dialect == Dialect::Postgresql {
            column.comment = notes.comment;
        }
        if notes.is_numbered && column.auto.is_some() {
            column.auto = Some(Numbering::Any);
        }
    }
}

/// Returns the statement without its foreign keys, comments and schema.
fn bare(dialect: Dialect, full: &TableCreateStatement, name: &str, enums: &Enums) -> TableCreateStatement {
    let mut table = TableStatement::create();
    table.table(Alias::new(name));
    for column in full.get_columns() {
        let mut column = column.clone();
        if dialect == Dialect::Postgresql
            && let Some(data_type) = column
                .get_column_type()
                .and_then(|column_type| quoted_enum(column_type, enums))
        {
            column.custom(Alias::new(data_type));
        }
        table.col(column);
    }
    for index in full.get_indexes() {
        table.primary_key(&mut index.clone());
    }
    if let Some(extra) = full.get_extra() {
        table.extra(extra.as_str());
    }
    table
}

impl ColumnNotes {
    fn of(column: &sea_orm::sea_query::ColumnDef) -> Self {
        let spec = column.get_column_spec();
        let (comment, renamed_from) = split_comment(spec.comment.as_deref());
        Self {
            name: column.get_column_name(),
            is_numbered: spec.auto_increment,
            comment,
            renamed_from,
        }
    }
}

/// SeaORM passes `renamed_from` on at the end of the comment.
fn split_comment(comment: Option<&str>) -> (Option<String>, Option<String>) {
    let Some(comment) = comment else {
        return (None, None);
    };
    let split = comment.rfind("renamed_from \"").and_then(|at| {
        let old = comment[at..].strip_prefix("renamed_from \"")?.strip_suffix('"')?;
        let before = comment[..at].trim_end().trim_end_matches(';');
        Some((before, old))
    });
    match split {
        Some((before, old)) => (
            (!before.is_empty()).then(|| before.to_owned()),
            Some(old.to_owned()),
        ),
        None => (Some(comment.to_owned()), None),
    }
}

/// Returns an enum type, or arrays of one, with its name in quotes, which SeaORM leaves out of the statement of a table: its
/// queries have them, so a name in mixed case is meant as it is.
fn quoted_enum(column_type: &ColumnType, enums: &Enums) -> Option<String> {
    match column_type {
        ColumnType::Enum { name, .. } => Some(quoted(&name.to_string())),
        // What SeaORM makes of one.
        ColumnType::Custom(name) => {
            let name = name.to_string();
            enums.contains_key(&name).then(|| quoted(&name))
        }
        ColumnType::Array(element) => quoted_enum(element, enums).map(|element| format!("{element}[]")),
        _ => None,
    }
}

fn labels(column_type: &ColumnType) -> Option<(String, Vec<String>)> {
    match column_type {
        ColumnType::Enum { name, variants } => {
            let labels = variants.iter().map(ToString::to_string).collect();
            Some((name.to_string(), labels))
        }
        ColumnType::Array(element) => labels(element),
        _ => None,
    }
}

fn foreign_key(statement: &ForeignKeyCreateStatement) -> ForeignKey {
    let key = statement.get_foreign_key();
    let ref_table = match key.get_ref_table() {
        Some(TableRef::Table(TableName(_, table), _)) => table.to_string(),
        _ => String::new(),
    };
    ForeignKey {
        name: key.get_name().map(str::to_owned),
        on_delete: action(key.get_on_delete()),
        on_update: action(key.get_on_update()),
        ..ForeignKey::new(key.get_columns(), ref_table, key.get_ref_columns())
    }
}

fn action(action: Option<ForeignKeyAction>) -> Action {
    match action {
        Some(ForeignKeyAction::Restrict) => Action::Restrict,
        Some(ForeignKeyAction::Cascade) => Action::Cascade,
        Some(ForeignKeyAction::SetNull) => Action::SetNull,
        Some(ForeignKeyAction::SetDefault) => Action::SetDefault,
        _ => Action::NoAction,
    }
}

fn text_of_table(dialect: Dialect, statement: &TableCreateStatement) -> String {
    match dialect {
        Dialect::Postgresql => statement.to_string(PostgresQueryBuilder),
        Dialect::Sqlite => statement.to_string(SqliteQueryBuilder),
    }
}

fn text_of_index(dialect: Dialect, statement: &IndexCreateStatement) -> String {
    match dialect {
        Dialect::Postgresql => statement.to_string(PostgresQueryBuilder),
        Dialect::Sqlite => statement.to_string(SqliteQueryBuilder),
    }
}

#[cfg(test)]
mod tests {
    use super::split_comment;

    #[test]
    fn the_former_name_is_taken_out_of_the_comment() {
        let split = |comment| {
            let (comment, old) = split_comment(Some(comment));
            (comment.unwrap_or_default(), old.unwrap_or_default())
        };
        assert_eq!(
            split("in UTC; renamed_from \"at\""),
            ("in UTC".to_owned(), "at".to_owned())
        );
        assert_eq!(split("renamed_from \"at\""), (String::new(), "at".to_owned()));
        assert_eq!(
            split("once renamed_from \"at\" to"),
            ("once renamed_from \"at\" to".to_owned(), String::new())
        );
    }
}
