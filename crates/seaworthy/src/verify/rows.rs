//! Rows for the tables of a catalog, whatever they hold: enough for a test to notice that some are lost.
//!
//! Each column gets a value of its type, different in each row; a foreign key reads the row that it refers to. What a check
//! wants is guessed from the texts that it names. A table whose rules go beyond that needs rows from somebody who knows.

pub use crate::sql::quoted;
use std::collections::BTreeSet;

use choices::{choices, in_domain};

use crate::catalog::{Catalog, Column, Dialect, ForeignKey, Numbering, Table};

mod choices;

/// How many rows a table gets.
const ROWS: usize = 3;

/// The rows of one table.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TableRows {
    /// The table.
    pub table: String,
    /// The statement that inserts them.
    pub sql: String,
    /// The same with values only where the table demands some, for where the database refuses the other.
    pub least: String,
}

/// Returns statements that put rows into tables, those that are referred to first.
///
/// The tables are expected to be empty, and the ones they refer to are not: they were filled before, or come first.
#[must_use]
pub fn rows<'a>(catalog: &'a Catalog, tables: impl IntoIterator<Item = &'a Table>) -> Vec<TableRows> {
    let mut waiting: Vec<&Table> = tables.into_iter().collect();
    let mut ordered: Vec<&Table> = Vec::with_capacity(waiting.len());
    while !waiting.is_empty() {
        let open: BTreeSet<&str> = waiting.iter().map(|table| table.name.as_str()).collect();
        let (ready, rest): (Vec<&Table>, Vec<&Table>) = waiting
            .iter()
            .partition(|table| others(table).all(|other| !open.contains(other)));
        if ready.is_empty() {
            // They refer to each other in a circle. One goes first, and its keys are NULL where they may be.
            ordered.push(waiting.remove(0));
            continue;
        }
        ordered.extend(ready);
        waiting = rest;
    }
    ordered
        .into_iter()
        .filter_map(|table| insert(catalog, table))
        .collect()
}

fn others(table: &Table) -> impl Iterator<Item = &str> {
    let referred = table.foreign_keys.iter().map(|key| key.ref_table.as_str());
    referred.filter(|name| *name != table.name)
}

fn insert(catalog: &Catalog, table: &Table) -> Option<TableRows> {
    let columns: Vec<&Column> = table
        .columns
        .iter()
        .filter(|column| column.generated.is_none())
        .collect();
    if columns.is_empty() {
        return None;
    }
    let demands = |column: &&&Column| {
        let is_key = table
            .primary_key
            .as_ref()
            .is_some_and(|key| key.columns.contains(&column.name));
        !column.nullable && column.default.is_none() && column.auto.is_none()
            || is_key && column.auto.is_none()
    };
    let demanded: Vec<&Column> = columns.iter().filter(demands).copied().collect();
    Some(TableRows {
        table: table.name.clone(),
        sql: statement(catalog, table, &columns),
        least: statement(catalog, table, &demanded),
    })
}

/// Returns the statement that gives each row values of some columns.
fn statement(catalog: &Catalog, table: &Table, columns: &[&Column]) -> String {
    if columns.is_empty() {
        return format!("INSERT INTO {} DEFAULT VALUES", quoted(&table.name));
    }
    let names: Vec<String> = columns.iter().map(|column| quoted(&column.name)).collect();
    let tuples: Vec<String> = (1..=ROWS)
        .map(|row| {
            let values: Vec<String> = columns
                .iter()
                .map(|column| value(catalog, table, column, row))
                .collect();
            format!("({})", values.join(", "))
        })
        .collect();
    let is_always = |column: &&Column| column.auto == Some(Numbering::IdentityAlways);
    let overriding = if columns.iter().any(is_always) {
        " OVERRIDING SYSTEM VALUE"
    } else {
        ""
    };
    format!(
        "INSERT INTO {} ({}){overriding} VALUES {}",
        quoted(&table.name),
        names.join(", "),
        tuples.join(", ")
    )
}

fn value(catalog: &Catalog, table: &Table, column: &Column, row: usize) -> String {
    let key = table
        .foreign_keys
        .iter()
        .find(|key| key.columns.contains(&column.name));
    match key {
        Some(key) if key.ref_table == table.name && column.nullable => "NULL".to_owned(),
        Some(key) if key.ref_table != table.name => referred(key, column, row),
        _ => plain(catalog, table, column, row),
    }
}

/// Returns a query for the value that another table has in the same row, or in one before where it has fewer.
fn referred(key: &ForeignKey, column: &Column, row: usize) -> String {
    let place = key.columns.iter().position(|name| *name == column.name);
    let order: Vec<String> = key.ref_columns.iter().map(|name| quoted(name)).collect();
    let Some(referred) = place.and_then(|place| order.get(place)) else {
        return "NULL".to_owned();
    };
    let table: Vec<String> = key.ref_table.split('.').map(quoted).collect();
    let table = table.join(".");
    let order = order.join(", ");
    let place = match row - 1 {
        0 => "0".to_owned(),
        // Of a table without rows there is none at any place.
        place => format!("(SELECT CASE count(*) WHEN 0 THEN 0 ELSE {place} % count(*) END FROM {table})"),
    };
    format!("(SELECT {referred} FROM {table} ORDER BY {order} LIMIT 1 OFFSET {place})")
}

fn plain(catalog: &Catalog, table: &Table, column: &Column, row: usize) -> String {
    let allowed = choices(table, &column.name);
    if !allowed.is_empty() {
        return allowed[(row - 1) % allowed.len()].clone();
    }
    typed(catalog, column, &column.data_type, row)
}

/// Returns a value of a type.
fn typed(catalog: &Catalog, column: &Column, data_type: &str, row: usize) -> String {
    if let Some((base, allowed)) = in_domain(catalog, data_type) {
        return match allowed.is_empty() {
            true => typed(catalog, column, &base, row),
            false => allowed[(row - 1) % allowed.len()].clone(),
        };
    }
    let written = data_type.to_ascii_lowercase();
    let (kind, argument) = match written.split_once('(') {
        Some((kind, rest)) => (kind.trim(), rest.split([')', ',']).next().unwrap_or_default()),
        None => (written.as_str(), ""),
    };
    let length: Option<usize> = argument.trim().parse().ok();
    let postgres = catalog.dialect == Some(Dialect::Postgresql);
    if let Some(labels) = catalog.enums.get(&unquoted(data_type)) {
        return text(
            labels
                .get((row - 1) % labels.len().max(1))
                .map_or("", String::as_str),
        );
    }
    if postgres && let Some(member) = data_type.strip_suffix("[]") {
        let is_limited =
            catalog.enums.contains_key(&unquoted(member)) || in_domain(catalog, member).is_some();
        return match is_limited {
            true => format!("ARRAY[{}]::{data_type}", typed(catalog, column, member, row)),
            false => "'{}'".to_owned(),
        };
    }
    let is = |words: &[&str]| words.iter().any(|word| kind.contains(word));
    if is(&["json"]) {
        return "'{}'".to_owned();
    }
    if is(&["interval"]) {
        return format!("'{row} days'");
    }
    if is(&["bool"]) {
        return "true".to_owned();
    }
    if is(&["timestamp", "datetime"]) {
        return format!("'2024-01-0{row} 10:00:00'");
    }
    if is(&["date"]) {
        return format!("'2024-01-0{row}'");
    }
    if kind.starts_with("time") {
        return format!("'10:00:0{row}'");
    }
    if is(&["uuid"]) {
        return match postgres {
            true => format!("'00000000-0000-4000-8000-00000000000{row}'"),
            // SeaORM writes and reads sixteen bytes, whatever the type is called.
            false => format!("x'0000000000004000800000000000000{row}'"),
        };
    }
    if is(&["bytea"]) {
        return format!("'\\x0{row}'");
    }
    if is(&["blob", "binary"]) {
        return format!("x'0{row}'");
    }
    if is(&[
        "int", "serial", "numeric", "decimal", "real", "double", "float", "money",
    ]) {
        return row.to_string();
    }
    if is(&["inet", "cidr"]) {
        return format!("'10.0.0.{row}'");
    }
    if is(&["tsvector", "tsquery"]) {
        return format!("'word{row}'");
    }
    let words = format!("{} {row}", column.name);
    match length {
        Some(length) if length < words.chars().count() => text(&row.to_string()),
        _ => text(&words),
    }
}

/// Returns the name of a type without the quotes and the schema that SQL may write.
fn unquoted(data_type: &str) -> String {
    let name = data_type.rsplit_once(".\"").map_or(data_type, |(_, name)| name);
    name.trim_matches('"').replace("\"\"", "\"")
}

fn text(value: &str) -> String {
    format!("'{}'", value.replace('\'', "''"))
}

#[cfg(test)]
mod tests {
    use insta::assert_snapshot;

    use super::rows;
    use crate::catalog::{
        Catalog, Check, Column, Dialect, ForeignKey, Numbering, Object, ObjectKind, PrimaryKey, Table,
    };

    #[test]
    fn a_table_comes_after_those_it_refers_to_and_reads_their_keys() {
        let mut catalog = Catalog::new(Dialect::Postgresql);
        let mut child = Table::new("a \"child\"");
        child.columns = vec![
            Column::new("parent", "bigint").not_null(),
            Column::new("state", "character varying(20)").not_null(),
            Column::new("code", "character varying(2)"),
        ];
        child.foreign_keys = vec![ForeignKey::new(["parent"], "parent", ["id"])];
        child.checks = vec![Check::new(None, "state IN ('open', 'it''s')")];
        let mut parent = Table::new("parent");
        parent.columns = vec![
            Column::new("id", "bigint")
                .not_null()
                .auto(Numbering::IdentityAlways),
            Column::new("above", "bigint"),
        ];
        parent.primary_key = Some(PrimaryKey::new(["id"]));
        parent.foreign_keys = vec![ForeignKey::new(["above"], "parent", ["id"])];
        catalog.tables = vec![child, parent];

        let made = rows(&catalog, &catalog.tables);
        let statements: Vec<&str> = made.iter().map(|rows| rows.sql.as_str()).collect();
        assert_snapshot!(statements.join("\n"), @r#"
        INSERT INTO "parent" ("id", "above") OVERRIDING SYSTEM VALUE VALUES (1, NULL), (2, NULL), (3, NULL)
        INSERT INTO "a ""child""" ("parent", "state", "code") VALUES ((SELECT "id" FROM "parent" ORDER BY "id" LIMIT 1 OFFSET 0), 'open', '1'), ((SELECT "id" FROM "parent" ORDER BY "id" LIMIT 1 OFFSET (SELECT CASE count(*) WHEN 0 THEN 0 ELSE 1 % count(*) END FROM "parent")), 'it''s', '2'), ((SELECT "id" FROM "parent" ORDER BY "id" LIMIT 1 OFFSET (SELECT CASE count(*) WHEN 0 THEN 0 ELSE 2 % count(*) END FROM "parent")), 'open', '3')
        "#);
    }

    #[test]
    fn an_id_is_what_seaorm_reads_on_each_database() {
        let made = [(Dialect::Sqlite, "uuid_text"), (Dialect::Postgresql, "uuid")].map(|(dialect, kind)| {
            let mut catalog = Catalog::new(dialect);
            let mut table = Table::new("sailor");
            table.columns = vec![Column::new("id", kind).not_null()];
            catalog.tables = vec![table];
            rows(&catalog, &catalog.tables)[0].sql.clone()
        });
        assert_snapshot!(made.join("\n"), @r#"
        INSERT INTO "sailor" ("id") VALUES (x'00000000000040008000000000000001'), (x'00000000000040008000000000000002'), (x'00000000000040008000000000000003')
        INSERT INTO "sailor" ("id") VALUES ('00000000-0000-4000-8000-000000000001'), ('00000000-0000-4000-8000-000000000002'), ('00000000-0000-4000-8000-000000000003')
        "#);
    }

    #[test]
    fn tables_that_refer_to_each_other_are_filled_all_the_same() {
        let mut catalog = Catalog::new(Dialect::Sqlite);
        for (name, other) in [("hen", "egg"), ("egg", "hen")] {
            let mut table = Table::new(name);
            table.columns = vec![Column::new("other", "integer")];
            table.foreign_keys = vec![ForeignKey::new(["other"], other, ["id"])];
            catalog.tables.push(table);
        }
        assert_eq!(rows(&catalog, &catalog.tables).len(), 2);
    }

    #[test]
    fn what_a_check_allows_is_put_in_whatever_the_type() {
        let mut catalog = Catalog::new(Dialect::Postgresql);
        let mut table = Table::new("boat");
        table.columns = vec![
            Column::new("berth", "integer").not_null(),
            Column::new("state", "text"),
            Column::new("flag", "text"),
        ];
        table.checks = vec![
            Check::new(None, "(berth = ANY (ARRAY[10, 20]))"),
            Check::new(
                None,
                "((state)::text = ANY ((ARRAY['moored'::character varying, 'at sea'::character varying])::text[]))",
            ),
            Check::new(None, "flag <> 'none'"),
        ];
        catalog.tables = vec![table];
        assert_snapshot!(rows(&catalog, &catalog.tables)[0].sql, @r#"INSERT INTO "boat" ("berth", "state", "flag") VALUES (10, 'moored', 'flag 1'), (20, 'at sea', 'flag 2'), (10, 'moored', 'flag 3')"#);
        assert_snapshot!(rows(&catalog, &catalog.tables)[0].least, @r#"INSERT INTO "boat" ("berth") VALUES (10), (20), (10)"#);
    }

    #[test]
    fn members_of_enums_are_found_in_arrays_and_below_domains() {
        let mut catalog = Catalog::new(Dialect::Postgresql);
        catalog.enums.insert(
            "Wind".to_owned(),
            vec!["calm".to_owned(), "it's a gale".to_owned()],
        );
        let domain = |name: &str, sql: &str| Object::new(ObjectKind::Domain, name, None, sql);
        catalog.objects = Some(vec![
            domain("weather", "CREATE DOMAIN weather AS \"Wind\""),
            domain(
                "berth",
                "CREATE DOMAIN berth AS integer CONSTRAINT berth_check CHECK ((VALUE = ANY (ARRAY[10, 20])))",
            ),
        ]);
        let mut table = Table::new("boat");
        table.columns = ["\"Wind\"", "\"Wind\"[]", "weather", "weather[]", "berth"]
            .iter()
            .enumerate()
            .map(|(place, kind)| Column::new(format!("c{place}"), *kind))
            .collect();
        catalog.tables = vec![table];
        let made = rows(&catalog, &catalog.tables)[0].sql.clone();
        let (_, values) = made.split_once(" VALUES ").unwrap();
        assert_snapshot!(values, @r#"('calm', ARRAY['calm']::"Wind"[], 'calm', ARRAY['calm']::weather[], 10), ('it''s a gale', ARRAY['it''s a gale']::"Wind"[], 'it''s a gale', ARRAY['it''s a gale']::weather[], 20), ('calm', ARRAY['calm']::"Wind"[], 'calm', ARRAY['calm']::weather[], 10)"#);
    }
}
