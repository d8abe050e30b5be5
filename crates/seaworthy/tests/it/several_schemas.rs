//! Several schemas of one database: a script makes those of one database those of another, in an order in which it can.

use seaworthy::autogenerate::With;
use seaworthy::command::{self, CommandError, CompareRequest, SchemaChange, SchemasReport, Side};
use seaworthy::environment::Environment;
use seaworthy::verify::ScratchDatabase;

use crate::clients::{ask, feed};
use crate::databases::{environment, postgres};

const SCHEMAS: [&str; 3] = ["public", "Back Office", "stock"];

/// A table of the first schema needs what the second one has, and the second one's what the third one has.
const REACHING: &str = r#"
    CREATE SCHEMA stock; CREATE SCHEMA "Back Office";
    CREATE TYPE stock.unit AS ENUM ('crate', 'barrel');
    CREATE TABLE stock.goods (id integer PRIMARY KEY, unit stock.unit);
    CREATE FUNCTION "Back Office".next_number() RETURNS integer LANGUAGE sql
        AS 'SELECT coalesce(max(id), 0) + 1 FROM stock.goods';
    CREATE TABLE "Back Office".invoices (id integer PRIMARY KEY, goods integer REFERENCES stock.goods);
    CREATE TABLE orders (
        id integer PRIMARY KEY DEFAULT "Back Office".next_number(), unit stock.unit,
        invoice integer REFERENCES "Back Office".invoices
    );
    CREATE VIEW open_orders AS SELECT orders.id, goods FROM orders JOIN "Back Office".invoices ON invoices.id = invoice"#;

async fn compare(
    environment: &Environment,
    from: &ScratchDatabase,
    to: &ScratchDatabase,
    schemas: &[&str],
) -> Result<SchemasReport, CommandError> {
    let side = |database: &ScratchDatabase| Side::Database(database.url().clone());
    let schemas: Vec<String> = schemas.iter().map(|&schema| schema.to_owned()).collect();
    let request = CompareRequest::default();
    command::diff_schemas(environment, &side(from), &side(to), &schemas, &request).await
}

/// Makes one database what the other is, and asserts that nothing is left.
async fn become_equal(from: &ScratchDatabase, to: &ScratchDatabase) {
    let environment = environment(from, &[]);
    let found = compare(&environment, from, to, &SCHEMAS).await.unwrap();
    let script = found.script(&environment).unwrap();
    assert_eq!(script.matches("BEGIN;").count(), 1, "{script}");
    feed(from, &script).with_code(0);
    let left = compare(&environment, from, to, &SCHEMAS).await.unwrap();
    assert!(left.is_empty(), "{script}\n{left:#?}");
    assert_eq!(left.script(&environment).unwrap(), "");
}

#[tokio::test]
async fn schemas_that_reach_into_each_other_are_made_changed_and_removed() {
    let (Some(from), Some(to)) = (postgres().await, postgres().await) else {
        return;
    };
    ask(&to, REACHING);
    let found = compare(&environment(&from, &[]), &from, &to, &SCHEMAS)
        .await
        .unwrap();
    let changes: Vec<SchemaChange> = found.schemas.iter().map(|schema| schema.change).collect();
    assert_eq!(
        changes,
        [SchemaChange::None, SchemaChange::Add, SchemaChange::Add]
    );
    become_equal(&from, &to).await;
    // Another type under the same name, in a schema that another one looks into.
    ask(
        &to,
        "ALTER TYPE stock.unit RENAME TO measure; CREATE INDEX goods_unit ON stock.goods (unit); \
         ALTER TABLE orders DROP COLUMN invoice CASCADE; DROP TABLE \"Back Office\".invoices",
    );
    become_equal(&from, &to).await;
    ask(
        &to,
        "DROP SCHEMA \"Back Office\" CASCADE; DROP SCHEMA stock CASCADE",
    );
    become_equal(&from, &to).await;
    from.remove().await.unwrap();
    to.remove().await.unwrap();
}

/// Functions of the first schema need one of the third, and its view a column that a table of the second gets, whose rows refer to a
/// table of the first.
#[tokio::test]
async fn schemas_that_need_each_other_are_made_statement_by_statement() {
    let (Some(from), Some(to)) = (postgres().await, postgres().await) else {
        return;
    };
    ask(
        &from,
        "CREATE SCHEMA stock; CREATE TABLE stock.goods (id integer PRIMARY KEY)",
    );
    ask(
        &to,
        r#"
        CREATE SCHEMA stock; CREATE SCHEMA "Back Office";
        CREATE FUNCTION "Back Office"."next sum"(a integer) RETURNS integer LANGUAGE sql IMMUTABLE RETURN a + 1;
        CREATE FUNCTION doubled(a integer) RETURNS integer LANGUAGE sql IMMUTABLE RETURN "Back Office"."next sum"(a) * 2;
        CREATE TABLE orders (id integer PRIMARY KEY, sum integer CHECK (doubled(sum) > 0));
        CREATE TABLE stock.goods (id integer PRIMARY KEY, "order" integer REFERENCES orders);
        CREATE VIEW "Back Office".sold AS SELECT "order" FROM stock.goods"#,
    );
    become_equal(&from, &to).await;
    // And what needs something goes before it.
    ask(
        &to,
        r#"DROP VIEW "Back Office".sold; DROP TABLE stock.goods; DROP TABLE orders; DROP FUNCTION doubled; DROP FUNCTION "Back Office"."next sum""#,
    );
    become_equal(&from, &to).await;
    from.remove().await.unwrap();
    to.remove().await.unwrap();
}

#[tokio::test]
async fn rows_that_would_be_lost_are_counted_in_their_schema() {
    let (Some(from), Some(to)) = (postgres().await, postgres().await) else {
        return;
    };
    ask(
        &from,
        "CREATE TABLE crew (id integer); CREATE SCHEMA stock; CREATE TABLE stock.crew (id integer); \
         INSERT INTO stock.crew VALUES (1), (2); CREATE SCHEMA spare",
    );
    ask(&to, "CREATE TABLE crew (id integer)");
    let environment = environment(&from, &[]);
    let found = compare(&environment, &from, &to, &["public", "stock"])
        .await
        .unwrap();
    let rows: Vec<Vec<i64>> = found
        .schemas
        .iter()
        .map(|schema| schema.report.stakes.iter().map(|stake| stake.rows).collect())
        .collect();
    assert_eq!(rows, [vec![], vec![2]]);
    // The third schema, which nobody has named, is not passed over in silence.
    for schema in &found.schemas {
        assert_eq!(schema.report.difference.not_compared["schema"], 1);
    }
    let script = found.script(&environment).unwrap();
    assert!(
        script.contains("-- destroys rows or values: stock: drop table crew"),
        "{script}"
    );
    from.remove().await.unwrap();
    to.remove().await.unwrap();
}

#[tokio::test]
async fn a_label_that_is_added_in_a_second_schema_is_found_there() {
    let (Some(from), Some(to)) = (postgres().await, postgres().await) else {
        return;
    };
    let of = |labels: &str| format!("CREATE SCHEMA stock; CREATE TYPE stock.unit AS ENUM ({labels})");
    ask(&from, &of("'crate'"));
    ask(&to, &of("'crate', 'barrel'"));
    let environment = environment(&from, &[]);
    let found = compare(&environment, &from, &to, &SCHEMAS).await.unwrap();
    // No transaction may hold it, and it has to find its type.
    feed(&from, &found.script(&environment).unwrap()).with_code(0);
    let left = compare(&environment, &from, &to, &SCHEMAS).await.unwrap();
    assert!(left.is_empty(), "{left:#?}");
    from.remove().await.unwrap();
    to.remove().await.unwrap();
}

#[tokio::test]
async fn what_describes_one_schema_and_names_that_nobody_has_are_refused() {
    let Some(database) = postgres().await else { return };
    let environment = environment(&database, &[]);
    let refused = compare(&environment, &database, &database, &["here", "there"]).await;
    assert_eq!(
        refused.unwrap_err().to_string(),
        "there is no schema here, there, or the role may not use it"
    );
    let (from, schemas) = (
        Side::Database(database.url().clone()),
        ["a".to_owned(), "b".to_owned()],
    );
    let request = CompareRequest::default();
    let refused = command::diff_schemas(&environment, &from, &Side::Entities, &schemas, &request).await;
    assert_eq!(
        refused.unwrap_err().to_string(),
        "entities and snapshots describe one schema, and a, b are several: name one, or compare databases or SQL files"
    );
    database.remove().await.unwrap();
}

/// A role that is gone with the test.
struct Role(String);

impl Role {
    fn make(database: &ScratchDatabase) -> Self {
        let name = format!("seaworthy_{:016x}", fastrand::u64(..));
        ask(database, &format!("CREATE ROLE {name}"));
        Self(name)
    }

    fn remove(self, database: &ScratchDatabase) {
        ask(database, &format!("DROP OWNED BY {0}; DROP ROLE {0}", self.0));
    }
}

#[tokio::test]
async fn grants_and_owners_are_compared_where_somebody_asks() {
    let (Some(from), Some(to)) = (postgres().await, postgres().await) else {
        return;
    };
    let role = Role::make(&from);
    let schema = "CREATE TYPE mood AS ENUM ('calm'); CREATE TABLE crew (id serial PRIMARY KEY, mood mood, note text); \
        CREATE VIEW names AS SELECT id FROM crew; CREATE FUNCTION one() RETURNS integer LANGUAGE sql AS 'SELECT 1'";
    ask(
        &from,
        &format!(
            "{schema}; GRANT DELETE, SELECT ON crew TO {0} WITH GRANT OPTION",
            role.0
        ),
    );
    ask(
        &to,
        &format!(
            "{schema}; GRANT SELECT ON crew TO {0}; GRANT UPDATE (note) ON crew TO PUBLIC; GRANT USAGE ON SEQUENCE crew_id_seq TO {0}; \
             REVOKE EXECUTE ON FUNCTION one() FROM PUBLIC; GRANT USAGE ON TYPE mood TO {0}; ALTER VIEW names OWNER TO {0}",
            role.0
        ),
    );
    let environment = environment(&from, &[]);
    let side = |database: &ScratchDatabase| Side::Database(database.url().clone());
    let nothing = CompareRequest::default();
    let found = command::diff(&environment, &side(&from), &side(&to), &nothing).await;
    assert!(found.unwrap().difference.is_empty());
    let request = CompareRequest {
        with: vec![With::Grants, With::Owners],
        ..CompareRequest::default()
    };
    let become_equal = async |one: &ScratchDatabase, other: &ScratchDatabase| {
        let found = command::diff(&environment, &side(one), &side(other), &request)
            .await
            .unwrap();
        assert!(!found.difference.is_empty());
        feed(one, &found.script(&environment).unwrap()).with_code(0);
        let left = command::diff(&environment, &side(one), &side(other), &request)
            .await
            .unwrap();
        assert!(left.difference.is_empty(), "{left:#?}");
    };
    become_equal(&from, &to).await;
    ask(
        &from,
        &format!(
            "GRANT INSERT ON crew TO {0}; GRANT SELECT ON names TO {0}",
            role.0
        ),
    );
    become_equal(&from, &to).await;
    ask(&to, &format!("DROP OWNED BY {}", role.0));
    role.remove(&from);
    from.remove().await.unwrap();
    to.remove().await.unwrap();
}

#[tokio::test]
async fn the_owner_and_the_grants_of_a_schema_itself_are_compared() {
    let (Some(from), Some(to)) = (postgres().await, postgres().await) else {
        return;
    };
    let role = Role::make(&from);
    ask(
        &from,
        &format!(
            "CREATE SCHEMA stock; GRANT ALL ON SCHEMA stock TO {}; CREATE TABLE stock.goods ()",
            role.0
        ),
    );
    ask(
        &to,
        &format!(
            "CREATE SCHEMA stock AUTHORIZATION {0}; CREATE TABLE stock.goods (); GRANT USAGE ON SCHEMA stock TO PUBLIC; \
             CREATE SCHEMA \"Back Office\"; GRANT USAGE ON SCHEMA \"Back Office\" TO {0} WITH GRANT OPTION; \
             REVOKE ALL ON SCHEMA public FROM PUBLIC",
            role.0
        ),
    );
    let environment = environment(&from, &[]);
    let request = CompareRequest {
        with: vec![With::Grants, With::Owners],
        ..CompareRequest::default()
    };
    let schemas = SCHEMAS.map(str::to_owned);
    let side = |database: &ScratchDatabase| Side::Database(database.url().clone());
    let found = async |one: &ScratchDatabase, other: &ScratchDatabase| {
        command::diff_schemas(&environment, &side(one), &side(other), &schemas, &request)
            .await
            .unwrap()
    };
    // There, and the schemas back as they were on a third database.
    let script = found(&from, &to).await.script(&environment).unwrap();
    feed(&from, &script).with_code(0);
    assert!(
        script.contains("GRANT USAGE ON SCHEMA \"Back Office\" TO"),
        "{script}"
    );
    let left = found(&from, &to).await;
    assert!(left.is_empty(), "{script}\n{left:#?}");
    ask(
        &to,
        "ALTER SCHEMA stock OWNER TO CURRENT_USER; DROP SCHEMA \"Back Office\"; GRANT USAGE ON SCHEMA public TO PUBLIC",
    );
    feed(&from, &found(&from, &to).await.script(&environment).unwrap()).with_code(0);
    let left = found(&from, &to).await;
    assert!(left.is_empty(), "{left:#?}");
    ask(&to, &format!("DROP OWNED BY {}", role.0));
    role.remove(&from);
    from.remove().await.unwrap();
    to.remove().await.unwrap();
}

/// A view is in the way of the type of a column, and a column that is computed in another way is made anew.
#[tokio::test]
async fn what_is_made_anew_for_a_change_keeps_its_owner_and_the_grants_on_its_columns() {
    let (Some(from), Some(to)) = (postgres().await, postgres().await) else {
        return;
    };
    let role = Role::make(&from);
    let of = |data_type: &str, times: u8| {
        format!(
            "CREATE TABLE crew (id {data_type}, a integer, more integer GENERATED ALWAYS AS (a * {times}) STORED); \
             CREATE VIEW ids AS SELECT id FROM crew; CREATE MATERIALIZED VIEW kept AS SELECT id FROM crew; \
             CREATE FUNCTION most(ids) RETURNS integer LANGUAGE sql AS 'SELECT 1'"
        )
    };
    ask(&from, &of("integer", 2));
    ask(
        &from,
        &format!(
            "GRANT SELECT (id, more) ON crew TO {0}; GRANT SELECT (id) ON ids TO PUBLIC; ALTER VIEW ids OWNER TO {0}; \
             ALTER MATERIALIZED VIEW kept OWNER TO {0}; ALTER FUNCTION most(ids) OWNER TO {0}; \
             REVOKE EXECUTE ON FUNCTION most(ids) FROM PUBLIC",
            role.0
        ),
    );
    ask(&to, &of("bigint", 3));
    let who = "SELECT relname, relowner::regrole, relacl FROM pg_class WHERE relname IN ('crew', 'ids', 'kept') \
               UNION ALL SELECT proname, proowner::regrole, proacl FROM pg_proc WHERE proname = 'most' \
               UNION ALL SELECT attname, NULL, attacl FROM pg_attribute JOIN pg_class ON pg_class.oid = attrelid \
               WHERE relname IN ('crew', 'ids') AND attacl IS NOT NULL AND NOT attisdropped ORDER BY 1, 2";
    let before = ask(&from, who);
    assert_eq!(before.matches(&role.0).count(), 8, "{before}");
    let environment = environment(&from, &[]);
    let side = |database: &ScratchDatabase| Side::Database(database.url().clone());
    let nothing = CompareRequest::default();
    let found = command::diff(&environment, &side(&from), &side(&to), &nothing).await;
    feed(&from, &found.unwrap().script(&environment).unwrap()).with_code(0);
    assert_eq!(ask(&from, who), before);
    let left = command::diff(&environment, &side(&from), &side(&to), &nothing).await;
    assert!(left.unwrap().difference.is_empty());
    role.remove(&from);
    from.remove().await.unwrap();
    to.remove().await.unwrap();
}

#[tokio::test]
async fn an_enum_that_is_made_anew_keeps_its_grants_and_its_comment() {
    let (Some(from), Some(to)) = (postgres().await, postgres().await) else {
        return;
    };
    let role = Role::make(&from);
    let of = |labels: &str| {
        format!(
            "CREATE TYPE mood AS ENUM ({labels}); CREATE TABLE crew (mood mood); COMMENT ON TYPE mood IS 'of people'; \
             REVOKE USAGE ON TYPE mood FROM PUBLIC; GRANT USAGE ON TYPE mood TO {}",
            role.0
        )
    };
    ask(&from, &of("'calm', 'rough'"));
    ask(&to, &of("'calm'"));
    let environment = environment(&from, &[]);
    let side = |database: &ScratchDatabase| Side::Database(database.url().clone());
    let request = CompareRequest {
        with: vec![With::Grants],
        ..CompareRequest::default()
    };
    let found = command::diff(&environment, &side(&from), &side(&to), &CompareRequest::default()).await;
    feed(&from, &found.unwrap().script(&environment).unwrap()).with_code(0);
    let left = command::diff(&environment, &side(&from), &side(&to), &request)
        .await
        .unwrap();
    assert!(left.difference.is_empty(), "{left:#?}");
    ask(&to, &format!("DROP OWNED BY {}", role.0));
    role.remove(&from);
    from.remove().await.unwrap();
    to.remove().await.unwrap();
}
