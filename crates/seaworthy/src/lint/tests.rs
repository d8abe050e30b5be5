//! What the rules say of scripts that real projects have: the statements that a server refuses, and those that it does not.

use super::{Context, Hazard, lint};

/// The tables that the cases are about.
const MADE: &str = "CREATE TABLE p (id int PRIMARY KEY, code text UNIQUE, note text);
    CREATE TABLE c (id int PRIMARY KEY, p_id int REFERENCES p, p_code text, x int, y int, CHECK (x > y));
    CREATE VIEW v AS SELECT p.*, c.id AS cid FROM p JOIN c ON c.p_id = p.id;
    CREATE TABLE own (id int PRIMARY KEY, above int REFERENCES own);
    CREATE TABLE times (at timestamp, on_day timestamp, name varchar(20), n numeric(8, 2));
    CREATE INDEX times_at ON times (at);
    CREATE INDEX times_name ON times (name);
    CREATE INDEX times_lower ON times (lower(name));
    CREATE INDEX times_part ON times (n) WHERE name <> '';
    CREATE TABLE auth.users (id int PRIMARY KEY, mail text);
    CREATE INDEX users_mail ON auth.users (mail);
    CREATE FUNCTION touch() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RETURN NEW; END $$;
    CREATE FUNCTION add(a int) RETURNS int LANGUAGE sql AS $$ SELECT a $$;";

fn found(sql: &str) -> Vec<Hazard> {
    lint(sql, &Context::default().schema(MADE))
}

/// Returns what a rule says of a script.
fn messages(sql: &str, category: &str) -> Vec<String> {
    let hazards = found(sql).into_iter();
    let of_it = hazards.filter(|hazard| hazard.category == category);
    of_it.map(|hazard| hazard.message).collect()
}

#[track_caller]
fn assert_silent(scripts: &[&str], category: &str) {
    for sql in scripts {
        assert_eq!(messages(sql, category), Vec::<String>::new(), "{sql}");
    }
}

#[track_caller]
fn assert_says(cases: &[(&str, &str)], category: &str) {
    for (sql, expected) in cases {
        assert_eq!(messages(sql, category), [*expected], "{sql}");
    }
}

#[test]
fn what_has_gone_before_needs_nothing() {
    let without_view = [
        "ALTER TABLE c DROP COLUMN p_id; DROP TABLE p",
        "ALTER TABLE c DROP CONSTRAINT c_p_id_fkey; DROP TABLE p",
        "ALTER TABLE c RENAME CONSTRAINT c_p_id_fkey TO k; ALTER TABLE c DROP CONSTRAINT k; DROP TABLE p",
        "ALTER TABLE c RENAME COLUMN p_id TO of; ALTER TABLE c DROP COLUMN of; DROP TABLE p",
        "ALTER TABLE c DROP CONSTRAINT c_p_id_fkey, DROP COLUMN x; ALTER TABLE p DROP COLUMN id",
        "ALTER TABLE p DROP CONSTRAINT p_pkey CASCADE; DROP TABLE p",
        "ALTER TABLE p DROP COLUMN id CASCADE; DROP TABLE p",
        "DROP TABLE p CASCADE; CREATE TABLE p (id int); DROP TABLE p",
        "DROP TABLE p, c",
        "DROP TABLE c; DROP TABLE p",
        "ALTER TABLE p RENAME TO p_old; CREATE TABLE p (id int); DROP TABLE p",
        "ALTER TABLE p ALTER COLUMN id TYPE bigint",
        "ALTER TABLE p DROP CONSTRAINT p_code_key",
        "ALTER TABLE own DROP CONSTRAINT own_above_fkey, DROP COLUMN id",
        "ALTER TABLE own DROP COLUMN above",
        "DROP TABLE own",
    ];
    let without_view = without_view.map(|sql| format!("DROP VIEW v; {sql}"));
    let mut scripts: Vec<&str> = without_view.iter().map(String::as_str).collect();
    scripts.extend([
        "CREATE OR REPLACE VIEW v AS SELECT p.*, p.id AS cid FROM p; DROP TABLE c",
        "DROP TABLE c CASCADE",
        "ALTER TABLE c DROP COLUMN y",
        "ALTER TABLE c DROP COLUMN x",
        "ALTER TABLE c ALTER COLUMN y TYPE bigint",
        "CREATE VIEW w AS SELECT id AS y FROM c; ALTER TABLE c DROP COLUMN y",
        "CREATE VIEW w AS SELECT s.y FROM (SELECT 1 AS y) s, c; ALTER TABLE c DROP COLUMN y",
        "DROP INDEX times_at",
    ]);
    assert_silent(&scripts, "dependent-object");
}

#[test]
fn what_the_server_refuses_is_said_with_what_stands_in_the_way() {
    let cases = [
        ("DROP TABLE c", "the server refuses to drop c: v needs it"),
        (
            "DROP VIEW v; DROP TABLE p",
            "the server refuses to drop p: c needs it",
        ),
        (
            "CREATE VIEW w AS SELECT y FROM c; ALTER TABLE c DROP COLUMN y",
            "the server refuses to drop c.y: w reads it",
        ),
        (
            "CREATE VIEW w AS SELECT c.y FROM c, p; ALTER TABLE c RENAME COLUMN y TO z; ALTER TABLE c DROP COLUMN z",
            "the server refuses to drop c.z: w reads it",
        ),
        (
            "CREATE VIEW w AS SELECT y FROM c; ALTER VIEW w RENAME TO ww; ALTER TABLE c DROP COLUMN y",
            "the server refuses to drop c.y: ww reads it",
        ),
        (
            "ALTER TABLE p DROP COLUMN note",
            "the server refuses to drop p.note: v reads it",
        ),
        (
            "DROP VIEW v; ALTER TABLE p DROP COLUMN id",
            "the server refuses to drop p.id: the foreign key c_p_id_fkey of c points to it",
        ),
        (
            "ALTER TABLE p DROP CONSTRAINT p_pkey",
            "the server refuses to drop p_pkey: the foreign key c_p_id_fkey of c needs it",
        ),
        (
            "ALTER TABLE c ADD FOREIGN KEY (p_code) REFERENCES p (code); ALTER TABLE p DROP CONSTRAINT p_code_key",
            "the server refuses to drop p_code_key: the foreign key c_p_code_fkey of c needs it",
        ),
        (
            "ALTER TABLE own DROP COLUMN id",
            "the server refuses to drop own.id: the foreign key own_above_fkey of own points to it",
        ),
        (
            "DROP INDEX own_pkey",
            "the server refuses to drop own_pkey: the constraint own_pkey of own needs it",
        ),
        (
            "ALTER TABLE c ADD COLUMN s int GENERATED ALWAYS AS (x + 1) STORED; ALTER TABLE c DROP COLUMN x, DROP COLUMN s",
            "the server refuses to drop c.x: s reads it",
        ),
    ];
    assert_says(&cases, "dependent-object");
}

#[test]
fn nobody_calls_a_function_of_triggers() {
    for category in ["table-renamed", "table-removed"] {
        let scripts = [
            "ALTER FUNCTION touch() RENAME TO touched",
            "ALTER FUNCTION touch() SET SCHEMA auth",
            "DROP FUNCTION touch()",
        ];
        assert_silent(&scripts, category);
    }
    let renamed = format!("{MADE} ALTER FUNCTION touch() RENAME TO touched;");
    let context = Context::default().schema(&renamed);
    assert!(lint("DROP FUNCTION touched()", &context).is_empty());
    let said = [(
        "ALTER FUNCTION add(int) RENAME TO plus",
        "running code may still call the function add",
    )];
    assert_says(&said, "table-renamed");
}

#[test]
fn a_block_hides_only_what_cannot_be_read() {
    let plain = [
        "DO $$ BEGIN DELETE FROM p WHERE id = 1; END $$",
        "DO $$ BEGIN IF EXISTS (SELECT 1 FROM p) THEN ALTER TABLE p ADD COLUMN z int; END IF; END $$",
        "DO $$ BEGIN EXECUTE 'ALTER TABLE p ADD COLUMN z int'; END $$",
    ];
    assert_silent(&plain, "opaque-sql");
    let hidden = [
        (
            "DO $$ BEGIN EXECUTE 'DROP TABLE ' || name; EXECUTE format('DROP TABLE %I', name); END $$",
            "a DO block hides what it does: EXECUTE of a text that is put together as it runs",
        ),
        (
            "DO LANGUAGE plperl $$ spi_exec_query('DROP TABLE p'); $$",
            "a DO block hides what it does: code in plperl is not understood",
        ),
    ];
    assert_says(&hidden, "opaque-sql");
}

#[test]
fn a_table_that_the_schema_does_not_know_is_in_use() {
    let says = |sql: &str, category: &str| !messages(sql, category).is_empty();
    for (sql, category) in [
        ("UPDATE foo SET a = 1", "bulk-dml"),
        (
            "CREATE TABLE foo_1 PARTITION OF foo FOR VALUES IN (1)",
            "partition-blocking",
        ),
        ("ALTER TABLE foo ALTER COLUMN a DROP DEFAULT", "required-column"),
        ("DELETE FROM foo", "data-loss"),
        ("DROP TABLE foo", "data-loss"),
        ("CREATE INDEX i ON foo (a)", "index-blocking"),
        (
            "ALTER TABLE foo ADD a int; ALTER TABLE bar ADD a int",
            "multi-lock",
        ),
        (
            "ALTER TABLE foo ADD a int; UPDATE bar SET a = 1",
            "lock-held-long",
        ),
        (
            "ALTER TABLE foo RENAME TO bar; CREATE INDEX i ON bar (a)",
            "index-blocking",
        ),
        (
            "INSERT INTO p (id) WITH w AS (SELECT a FROM foo) SELECT a FROM w",
            "bulk-dml",
        ),
        (
            "WITH w AS (SELECT a FROM foo) INSERT INTO p (id) SELECT a FROM w",
            "bulk-dml",
        ),
    ] {
        assert!(says(sql, category), "{sql}");
    }
    for (sql, category) in [
        ("CREATE TABLE foo (a int); UPDATE foo SET a = 1", "bulk-dml"),
        ("INSERT INTO p (id) SELECT oid FROM pg_class", "bulk-dml"),
        (
            "INSERT INTO p (id) SELECT 1 FROM information_schema.tables",
            "bulk-dml",
        ),
        (
            "INSERT INTO p (id) WITH w AS (SELECT 1 AS a) SELECT a FROM w",
            "bulk-dml",
        ),
        (
            "INSERT INTO p (id) WITH w AS (SELECT id FROM c WHERE id = 1) SELECT id FROM w",
            "bulk-dml",
        ),
        // Two say that it may not be there: the statement and the schema.
        ("DROP TABLE IF EXISTS foo", "data-loss"),
        (
            "ALTER TABLE IF EXISTS foo ADD a int; ALTER TABLE IF EXISTS bar ADD a int",
            "multi-lock",
        ),
    ] {
        assert!(!says(sql, category), "{sql}");
    }
}

#[test]
fn what_of_a_schema_is_not_understood_is_named() {
    let unread = |sql: &str| -> Vec<(usize, String, bool)> {
        let context = Context::default().schema(sql);
        let unread = context.unread().iter();
        unread
            .map(|one| (one.line, one.what.clone(), one.is_all_behind))
            .collect()
    };
    let sql = "CREATE TABLE a (id int);\nCREATE TABLE b (id int;\nCREATE TABLE foo (id int);";
    assert_eq!(
        unread(sql),
        [(2, "a parenthesis is opened and never closed".to_owned(), true)]
    );
    let sql = "CREATE TABLE a (id int);\nCRATE TABLE foo (id int);";
    assert_eq!(unread(sql), [(2, "CRATE is not understood".to_owned(), false)]);
    // It may have made what a statement takes away if it is there.
    let context = Context::default().schema(sql);
    let hazards = lint("DROP TABLE IF EXISTS foo", &context);
    assert!(hazards.iter().any(|hazard| hazard.category == "data-loss"));
    assert_eq!(unread(MADE), []);
}

#[test]
fn indexes_are_built_again_where_their_operators_change() {
    let built = |index: &str, column: &str| {
        format!(
            "nobody can read or write times while its index {index} is built again for the new type of {column}"
        )
    };
    for (sql, expected) in [
        (
            "SET TIME ZONE 'UTC'; ALTER TABLE times ALTER COLUMN at TYPE timestamptz",
            vec![("times_at", "at")],
        ),
        (
            "SET TIME ZONE 'UTC'; ALTER TABLE times ALTER COLUMN on_day TYPE timestamptz",
            vec![],
        ),
        (
            "ALTER TABLE times ALTER COLUMN name TYPE text",
            vec![("times_lower", "name"), ("times_part", "name")],
        ),
        (
            "ALTER TABLE times ALTER COLUMN name TYPE varchar(20)",
            vec![("times_lower", "name"), ("times_part", "name")],
        ),
        (
            "ALTER TABLE times ALTER COLUMN n TYPE numeric(12, 2)",
            vec![("times_part", "n")],
        ),
        // The table is copied with all its indexes.
        ("ALTER TABLE times ALTER COLUMN name TYPE varchar(2)", vec![]),
    ] {
        let expected: Vec<String> = expected
            .into_iter()
            .map(|(index, column)| built(index, column))
            .collect();
        assert_eq!(messages(sql, "index-blocking"), expected, "{sql}");
    }
}

#[test]
fn an_index_is_found_by_its_name_with_a_schema_and_without() {
    for sql in [
        "DROP INDEX IF EXISTS auth.users_mail",
        "DROP INDEX auth.users_mail",
        "DROP INDEX IF EXISTS users_mail",
        "ALTER INDEX auth.users_mail RENAME TO m; DROP INDEX IF EXISTS auth.m",
    ] {
        let hazards = found(sql);
        let dropped = hazards
            .iter()
            .find(|hazard| hazard.category == "index-drop-blocking");
        let table = dropped.and_then(|hazard| hazard.table.as_deref());
        assert_eq!(table, Some("auth.users"), "{sql}");
    }
    assert_silent(&["DROP INDEX IF EXISTS auth.other"], "index-drop-blocking");
}

#[test]
fn what_code_may_not_come_to_says_nothing_against_a_hazard() {
    let code =
        |statement: &str| format!("DO $$ BEGIN IF EXISTS (SELECT 1) THEN {statement}; END IF; END $$;");
    for (statement, sql, category) in [
        (
            "ALTER TABLE c RENAME COLUMN y TO z",
            "ALTER TABLE c ADD COLUMN IF NOT EXISTS y int GENERATED ALWAYS AS (x) STORED",
            "table-rewrite",
        ),
        (
            "ALTER TABLE c RENAME COLUMN y TO z",
            "ALTER TABLE c ADD COLUMN IF NOT EXISTS z int GENERATED ALWAYS AS (x) STORED",
            "table-rewrite",
        ),
        (
            "ALTER TABLE c RENAME COLUMN y TO z",
            "ALTER TABLE c DROP COLUMN z",
            "column-removed",
        ),
        (
            "ALTER TABLE c ADD COLUMN z int",
            "ALTER TABLE c ADD COLUMN IF NOT EXISTS z int DEFAULT random()",
            "table-rewrite",
        ),
        ("DROP TABLE c", "DROP TABLE IF EXISTS c", "data-loss"),
        ("ALTER TABLE c RENAME TO d", "DROP TABLE IF EXISTS c", "data-loss"),
        (
            "CREATE INDEX i ON c (x)",
            "CREATE INDEX IF NOT EXISTS i ON c (x)",
            "index-blocking",
        ),
        (
            "ALTER TABLE c ALTER x SET NOT NULL",
            "ALTER TABLE c ALTER x SET NOT NULL",
            "not-null-scan",
        ),
    ] {
        // Before the script as well as in it.
        let context = Context::default().schema(&format!("{MADE} {}", code(statement)));
        let of_it = |hazard: &Hazard| hazard.category == category;
        assert!(lint(sql, &context).iter().any(of_it), "{statement}; then {sql}");
        let inside = code(statement);
        let count = found(&inside).iter().filter(|hazard| of_it(hazard)).count();
        let both = found(&format!("{inside} {sql}"));
        assert!(
            both.iter().filter(|hazard| of_it(hazard)).count() > count,
            "{statement} and {sql}"
        );
    }
    let made = code("CREATE VIEW w AS SELECT y FROM c") + "ALTER TABLE c DROP COLUMN y";
    assert_silent(&[&made], "dependent-object");
    let dropped = code("ALTER TABLE c DROP COLUMN x");
    assert_eq!(
        messages(&dropped, "column-removed"),
        ["running code may still name c.x"]
    );
}

#[test]
fn triggers_and_rules_of_several_tables_lock_each() {
    let cases = [
        (
            "ALTER TRIGGER a ON p RENAME TO b; ALTER TRIGGER a ON c RENAME TO b",
            "one transaction locks p and c",
        ),
        (
            "ALTER RULE a ON p RENAME TO b; ALTER TABLE c ADD z int",
            "one transaction locks p and c",
        ),
        (
            "ALTER POLICY a ON p RENAME TO b; ALTER TABLE c RENAME CONSTRAINT c_pkey TO k",
            "one transaction locks p and c",
        ),
    ];
    assert_says(&cases, "multi-lock");
    // A table that gets another name or schema is the same one.
    let one = [
        "ALTER TABLE auth.users RENAME TO people; ALTER TABLE auth.people ADD z int",
        "ALTER TABLE auth.users SET SCHEMA app; ALTER TABLE app.users ADD z int",
    ];
    assert_silent(&one, "multi-lock");
}

#[test]
fn messages_say_what_happens_once() {
    assert_says(
        &[(
            "ALTER TABLE own ADD FOREIGN KEY (above) REFERENCES own",
            "writes to own wait while all rows of own are checked",
        )],
        "fk-scan",
    );
    assert_says(
        &[(
            "ALTER TABLE p ADD COLUMN z int NOT NULL",
            "the statement fails as soon as p has a row, and an INSERT into p that does not name z fails",
        )],
        "required-column",
    );
    assert_says(
        &[
            ("DELETE FROM p WHERE note = ''", "rows of p are destroyed"),
            ("TRUNCATE p", "what p holds is destroyed"),
        ],
        "data-loss",
    );
}
