//! Operations as statements of SeaORM's migration DSL.

use super::column::{column, custom, default, only_type};
use super::layout::{Code, call, literal, word};
use crate::autogenerate::Operation;
use crate::autogenerate::sql::names;
use crate::catalog::ddl::is_repeated;
use crate::catalog::expression::is_literal;
use crate::catalog::{Action, Column, Dialect, ForeignKey, Index, IndexKey, Table};

/// Returns the statement for an operation, or nothing when the DSL cannot say all of it on this kind of database.
pub(super) fn statement(dialect: Dialect, operation: &Operation) -> Option<Code> {
    let of = |verb: &'static str, code: Code| Some(word("manager").then(verb, [code.then("to_owned", [])]));
    match operation {
        Operation::RenameTable { from, to } => of(
            "rename_table",
            call("Table::rename", []).then("table", [literal(from), literal(to)]),
        ),
        Operation::RenameColumn { table, from, to } => of(
            "alter_table",
            alter(table).then("rename_column", [literal(from), literal(to)]),
        ),
        Operation::AddTable { table } => of("create_table", create_table(dialect, &names::named(table))?),
        Operation::DropTable { table } => of(
            "drop_table",
            call("Table::drop", []).then("table", [literal(&table.name)]),
        ),
        Operation::AddColumn { table, column: added } => {
            // SQLite wants parentheses around an expression, which the DSL does not write.
            let added = column(dialect, added)?;
            of("alter_table", alter(table).then("add_column", [added]))
        }
        Operation::DropColumn { table, column } => of(
            "alter_table",
            alter(table).then("drop_column", [literal(&column.name)]),
        ),
        Operation::AddIndex { table, index } => of("create_index", create_index(table, index)?),
        Operation::DropIndex { table, index } => of(
            "drop_index",
            call("Index::drop", [])
                .then("name", [literal(&names::index(table, index))])
                .then("table", [literal(table)]),
        ),
        other => match dialect {
            Dialect::Postgresql => on_postgresql(other),
            Dialect::Sqlite => None,
        },
    }
}

/// What SQLite could only do by building the table again.
fn on_postgresql(operation: &Operation) -> Option<Code> {
    let of = |verb: &'static str, code: Code| Some(word("manager").then(verb, [code.then("to_owned", [])]));
    let modify = |table: &str, change: Code| of("alter_table", alter(table).then("modify_column", [change]));
    let drop_constraint = |table: &str, name: &str| {
        of(
            "alter_table",
            alter(table).then("drop_constraint", [literal(name)]),
        )
    };
    let definition = |column: &str| call("ColumnDef::new", [literal(column)]);
    match operation {
        Operation::AlterNullable {
            table, column, to, ..
        } => modify(
            table,
            definition(column).then(if *to { "null" } else { "not_null" }, []),
        ),
        Operation::AddForeignKey { table, foreign_key } if foreign_key.valid => of(
            "create_foreign_key",
            reference(table, &named_key(table, foreign_key))?,
        ),
        Operation::DropForeignKey { table, foreign_key } => of(
            "drop_foreign_key",
            call("ForeignKey::drop", [])
                .then("name", [literal(&names::foreign_key(table, foreign_key))])
                .then("table", [literal(table)]),
        ),
        Operation::DropUnique { table, unique } => drop_constraint(table, &names::unique(table, unique)),
        Operation::DropCheck { table, check } => drop_constraint(table, &names::check(table, check)),
        _ => None,
    }
}

/// Returns the statement that gives the rows a value where they have none.
pub(super) fn fill(table: &str, column: &str, value: &str) -> Code {
    let update = call("Query::update", [])
        .then("table", [literal(table)])
        .then("value", [literal(column), custom(value)])
        .then(
            "and_where",
            [call("Expr::col", [literal(column)]).then("is_null", [])],
        );
    word("manager").then("execute", [update.then("to_owned", [])])
}

/// Returns the statement that gives a column its type.
pub(super) fn set_type(dialect: Dialect, table: &str, column: &Column) -> Code {
    let alter = alter(table).then("modify_column", [only_type(dialect, column)]);
    word("manager").then("alter_table", [alter.then("to_owned", [])])
}

/// Returns the statement that gives a column a default.
pub(super) fn set_default(table: &str, column: &Column, sql: &str) -> Code {
    let change =
        call("ColumnDef::new", [literal(&column.name)]).then("default", [default(&column.data_type, sql)]);
    let alter = alter(table).then("modify_column", [change]).then("to_owned", []);
    word("manager").then("alter_table", [alter])
}

fn alter(table: &str) -> Code {
    call("Table::alter", []).then("table", [literal(table)])
}

fn create_table(dialect: Dialect, table: &Table) -> Option<Code> {
    let has_plain_key = table
        .primary_key
        .as_ref()
        .is_none_or(|key| key.include.is_empty() && !key.deferrable && !key.initially_deferred);
    let is_said = table.partitioned_by.is_none()
        && has_plain_key
        && table.inherits.is_empty()
        && table.storage.is_usual()
        && table.exclusions.is_empty()
        && !table.strict
        && !table.without_rowid
        && table
            .primary_key
            .as_ref()
            .is_none_or(|key| key.options.is_plain())
        && table.uniques.iter().all(|unique| unique.options.is_plain())
        && !table.columns.is_empty()
        && table.comment.is_none();
    if !is_said {
        return None;
    }
    let inline_key = inline_key(dialect, table);
    let mut code = call("Table::create", []).then("table", [literal(&table.name)]);
    for one in &table.columns {
        // SQLite wants parentheses around an expression, which the DSL does not write.
        if dialect == Dialect::Sqlite && one.default.as_deref().is_some_and(|sql| !is_literal(sql)) {
            return None;
        }
        let mut column = column(dialect, one)?;
        if inline_key == Some(one.name.as_str()) {
            column = column.then("primary_key", []);
        }
        code = code.then("col", [column]);
    }
    if let (Some(key), None) = (&table.primary_key, inline_key) {
        let key = columns(named_index(key.name.as_deref()?), &key.columns);
        code = code.then("primary_key", [key]);
    }
    for (place, unique) in table.uniques.iter().enumerate() {
        if is_repeated(dialect, table, place)
            || unique.nulls_not_distinct
            || unique.deferrable
            || unique.initially_deferred
        {
            return None;
        }
        let index = named_index(unique.name.as_deref()?).then("unique", []);
        code = code.then("index", [columns(index, &unique.columns)]);
    }
    for check in &table.checks {
        if check.no_inherit || !check.valid || !check.enforced {
            return None;
        }
        let check = Code::Group('(', vec![literal(check.name.as_deref()?), custom(&check.expr)]);
        code = code.then("check", [check]);
    }
    for key in &table.foreign_keys {
        code = code.then("foreign_key", [reference(&table.name, key)?]);
    }
    Some(code)
}

/// Returns the column that says itself that it is the key: one that is numbered, under the key's usual name.
fn inline_key(dialect: Dialect, table: &Table) -> Option<&str> {
    let key = table.primary_key.as_ref()?;
    let [only] = key.columns.as_slice() else {
        return None;
    };
    let usual = format!("{}_pkey", table.name);
    let is_usual = dialect == Dialect::Sqlite || key.name.as_deref().is_none_or(|name| name == usual);
    (is_usual && table.column(only)?.auto.is_some()).then_some(only)
}

fn named_index(name: &str) -> Code {
    call("Index::create", []).then("name", [literal(name)])
}

fn columns(index: Code, columns: &[String]) -> Code {
    columns
        .iter()
        .fold(index, |index, column| index.then("col", [literal(column)]))
}

fn create_index(table: &str, index: &Index) -> Option<Code> {
    let is_said = index.predicate.is_none()
        && index.method.as_deref().is_none_or(|method| method == "btree")
        && index.include.is_empty()
        && index.options.is_empty()
        && !index.nulls_not_distinct
        && index.valid;
    if !is_said {
        return None;
    }
    let mut code = named_index(&names::index(table, index)).then("table", [literal(table)]);
    for part in &index.columns {
        let IndexKey::Column(name) = &part.key else {
            return None;
        };
        if part.nulls.is_some() || part.collation.is_some() || part.operator_class.is_some() {
            return None;
        }
        let key = match part.descending {
            true => Code::Group('(', vec![literal(name), word("IndexOrder::Desc")]),
            false => literal(name),
        };
        code = code.then("col", [key]);
    }
    Some(if index.unique {
        code.then("unique", [])
    } else {
        code
    })
}

fn named_key(table: &str, key: &ForeignKey) -> ForeignKey {
    ForeignKey {
        name: Some(names::foreign_key(table, key)),
        ..key.clone()
    }
}

fn reference(table: &str, key: &ForeignKey) -> Option<Code> {
    let is_said = !key.match_full
        && !key.deferrable
        && !key.initially_deferred
        && key.valid
        && key.enforced
        && !key.period
        && key.on_delete_columns.is_empty()
        && !key.ref_columns.is_empty()
        && !key.ref_table.contains('.');
    if !is_said {
        return None;
    }
    let mut code = call("ForeignKey::create", []).then("name", [literal(key.name.as_deref()?)]);
    code = match (key.columns.as_slice(), key.ref_columns.as_slice()) {
        ([from], [to]) => code
            .then("from", [literal(table), literal(from)])
            .then("to", [literal(&key.ref_table), literal(to)]),
        (from, to) => {
            code = code.then("from_tbl", [literal(table)]);
            for column in from {
                code = code.then("from_col", [literal(column)]);
            }
            code = code.then("to_tbl", [literal(&key.ref_table)]);
            to.iter()
                .fold(code, |code, column| code.then("to_col", [literal(column)]))
        }
    };
    for (verb, action) in [("on_delete", key.on_delete), ("on_update", key.on_update)] {
        let word_of_action = match action {
            Action::NoAction => continue,
            Action::Restrict => "Restrict",
            Action::Cascade => "Cascade",
            Action::SetNull => "SetNull",
            Action::SetDefault => "SetDefault",
        };
        code = code.then(verb, [word(format!("ForeignKeyAction::{word_of_action}"))]);
    }
    Some(code)
}
