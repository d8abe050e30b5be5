//! What no declaration can say, out of a list of bytes: statements that fit the tables of a schema.

use seaworthy::catalog::expression::quoted;
use seaworthy::catalog::{Catalog, Column, Dialect, Table};

use super::random::Dice;

mod rare;

/// Returns the statements that add to the tables of a schema what a list of choices stands for, on a server of this version.
pub(crate) fn extras(catalog: &Catalog, server: u8, choices: &[u8]) -> Vec<String> {
    let mut dice = Dice::new(choices);
    match catalog.dialect {
        Some(Dialect::Sqlite) => {
            let mut made = on_sqlite(catalog, &mut dice);
            made.extend(rare::on_sqlite(&mut dice));
            made
        }
        Some(Dialect::Postgresql) | None => {
            let mut made = on_postgresql(catalog, &mut dice);
            made.extend(rare::on_postgresql(server, &mut dice));
            made
        }
    }
}

/// A column beside the key, which may have another type in another schema, or be missing.
fn some_column<'a>(table: &'a Table, dice: &mut Dice<'_>) -> &'a Column {
    &table.columns[dice.below(table.columns.len())]
}

fn on_sqlite(catalog: &Catalog, dice: &mut Dice<'_>) -> Vec<String> {
    let mut made = Vec::new();
    for (place, table) in catalog.tables.iter().enumerate() {
        let name = quoted(&table.name);
        let column = quoted(&some_column(table, dice).name);
        if dice.chance(2) {
            let limit = dice.below(3);
            made.push(format!(
                "CREATE VIEW \"view {place}\" AS SELECT id, {column} AS seen FROM {name} WHERE id > {limit}"
            ));
            if dice.chance(2) {
                made.push(format!(
                    "CREATE VIEW \"above {place}\" AS SELECT count(*) AS number FROM \"view {place}\""
                ));
            }
        }
        if dice.chance(2) {
            let event = ["INSERT", "UPDATE", "DELETE"][dice.below(3)];
            let row = if event == "DELETE" { "old" } else { "new" };
            made.push(format!(
                "CREATE TRIGGER \"trigger {place}\" BEFORE {event} ON {name} WHEN {row}.id < 0 \
                 BEGIN SELECT RAISE(ABORT, 'no; not so'); END"
            ));
        }
    }
    if dice.chance(2) {
        let (strict, rowid) = (dice.chance(2), dice.chance(2));
        let options = match (strict, rowid) {
            (true, true) => " STRICT, WITHOUT ROWID",
            (true, false) => " STRICT",
            (false, true) => " WITHOUT ROWID",
            (false, false) => "",
        };
        let conflict = ["", " ON CONFLICT IGNORE", " ON CONFLICT REPLACE"][dice.below(3)];
        made.push(format!(
            "CREATE TABLE options (code TEXT NOT NULL PRIMARY KEY{conflict}, size INTEGER){options}"
        ));
    }
    made
}

fn on_postgresql(catalog: &Catalog, dice: &mut Dice<'_>) -> Vec<String> {
    let mut made = alone(dice);
    for (place, table) in catalog.tables.iter().enumerate() {
        readers(place, table, &mut made, dice);
        guards(place, table, &mut made, dice);
        if dice.chance(4) {
            made.push(format!(
                "ALTER TABLE {} SET (fillfactor = {})",
                quoted(&table.name),
                50 + 10 * dice.below(3)
            ));
        }
    }
    made
}

/// What needs no table of the others.
fn alone(dice: &mut Dice<'_>) -> Vec<String> {
    let mut made = Vec::new();
    if dice.chance(3) {
        // A domain that a table has keeps its type.
        let least = dice.below(2);
        made.push(format!(
            "CREATE DOMAIN feet AS integer DEFAULT 7 CHECK (VALUE >= {least})"
        ));
        made.push("CREATE TABLE depths (id integer PRIMARY KEY, depth feet, note text)".to_owned());
    }
    if dice.chance(3) {
        let more = if dice.chance(2) { ", unit text" } else { "" };
        made.push(format!("CREATE TYPE amount AS (value numeric{more})"));
    }
    if dice.chance(3) {
        let result = dice.pick(&["n * 2", "n + n", "2 * n"]);
        let of = dice.pick(&["integer", "bigint"]);
        made.push(format!(
            "CREATE FUNCTION twice(n {of}) RETURNS {of} LANGUAGE sql IMMUTABLE AS 'SELECT {result}'"
        ));
        if dice.chance(2) {
            made.push("COMMENT ON FUNCTION twice IS 'doubles'".to_owned());
        }
    }
    if dice.chance(2) {
        let by = dice.below(2);
        made.push(
            "CREATE TABLE log (at date NOT NULL, note text DEFAULT 'none', size integer) PARTITION BY RANGE (at)".to_owned(),
        );
        made.push(format!(
            "CREATE TABLE log_2024 PARTITION OF log FOR VALUES FROM ('2024-01-01') TO ('202{}-01-01')",
            5 + by
        ));
        match dice.below(3) {
            0 => {}
            1 => made.push("CREATE TABLE log_rest PARTITION OF log DEFAULT".to_owned()),
            _ => made.push(
                "CREATE TABLE log_rest (at date NOT NULL, note text DEFAULT 'none', size integer)".to_owned(),
            ),
        }
        if dice.chance(2) {
            made.push("CREATE INDEX log_size ON log (size)".to_owned());
        }
    }
    if dice.chance(3) {
        made.push("CREATE TABLE parents (id integer, name text)".to_owned());
        let child = match dice.chance(2) {
            true => "CREATE TABLE children (age integer) INHERITS (parents)",
            false => "CREATE TABLE children (id integer, name text, age integer)",
        };
        made.push(child.to_owned());
    }
    if dice.chance(3) {
        let maximum = if dice.chance(2) { " MAXVALUE 100" } else { "" };
        let cache = if dice.chance(2) { " CACHE 5" } else { "" };
        made.push(format!(
            "CREATE SEQUENCE counter AS integer{maximum}{cache} CYCLE"
        ));
    }
    made
}

/// What reads a table.
fn readers(place: usize, table: &Table, made: &mut Vec<String>, dice: &mut Dice<'_>) {
    let name = quoted(&table.name);
    let column = quoted(&some_column(table, dice).name);
    if dice.chance(2) {
        let limit = dice.below(2);
        made.push(format!(
            "CREATE VIEW \"view {place}\" AS SELECT id, {column} AS seen FROM {name} WHERE id > {limit}"
        ));
        match dice.below(4) {
            0 => made.push(format!(
                "CREATE VIEW \"above {place}\" AS SELECT seen FROM \"view {place}\""
            )),
            1 => {
                made.push(format!(
                    "CREATE MATERIALIZED VIEW \"kept {place}\" AS SELECT id FROM \"view {place}\""
                ));
                made.push(format!(
                    "CREATE INDEX \"kept {place} id\" ON \"kept {place}\" (id)"
                ));
            }
            2 => made.push(format!("COMMENT ON VIEW \"view {place}\" IS 'what''s seen'")),
            _ => {}
        }
    }
    if dice.chance(3) && table.columns.len() > 1 {
        let other = quoted(&table.columns[1].name);
        made.push(format!(
            "CREATE STATISTICS \"both {place}\" ON id, {other} FROM {name}"
        ));
    }
}

/// What looks after the rows of a table.
fn guards(place: usize, table: &Table, made: &mut Vec<String>, dice: &mut Dice<'_>) {
    let name = quoted(&table.name);
    if dice.chance(3) {
        let time = dice.pick(&["BEFORE", "AFTER"]);
        let columns = match dice.chance(2) {
            true => format!(" OF {}", quoted(&some_column(table, dice).name)),
            false => String::new(),
        };
        made.push(
            "CREATE OR REPLACE FUNCTION look() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN new; END'"
                .to_owned(),
        );
        made.push(format!(
            "CREATE TRIGGER \"trigger {place}\" {time} UPDATE{columns} ON {name} FOR EACH ROW EXECUTE FUNCTION look()"
        ));
        if dice.chance(3) {
            made.push(format!("ALTER TABLE {name} DISABLE TRIGGER \"trigger {place}\""));
        }
    }
    if dice.chance(3) {
        let limit = dice.below(3);
        made.push(format!("ALTER TABLE {name} ENABLE ROW LEVEL SECURITY"));
        made.push(format!(
            "CREATE POLICY \"policy {place}\" ON {name} USING (id > {limit})"
        ));
    }
    if dice.chance(3) {
        made.push(format!(
            "ALTER TABLE {name} ADD CONSTRAINT \"later {place}\" CHECK (id < {}) NOT VALID",
            1000 + dice.below(2)
        ));
    }
    if dice.chance(5) {
        made.push(format!(
            "CREATE RULE \"rule {place}\" AS ON DELETE TO {name} WHERE old.id < 0 DO INSTEAD NOTHING"
        ));
    }
}
