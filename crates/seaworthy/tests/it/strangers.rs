//! Databases that hold more than a catalog knows, or are in a state that nobody wants.

use insta::assert_snapshot;
use sea_orm::DatabaseConnection;
use sea_orm::entity::prelude::*;
use seaworthy::autogenerate::{Policy, render, sql};
use seaworthy::catalog::{Catalog, Index, IndexPart, Scope, Target, inspect};
use seaworthy::command::{CompareRequest, Side, diff};
use seaworthy::verify::drift;
use serde_json::json;

use crate::databases::{Sql, databases, environment, postgres, session, upgrade};

mod boat {
    use sea_orm::entity::prelude::*;

    #[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
    #[sea_orm(table_name = "boats")]
    pub(super) struct Model {
        #[sea_orm(primary_key)]
        pub(super) id: i32,
        #[sea_orm(column_type = "Text")]
        pub(super) name: String,
    }

    #[derive(Clone, Copy, Debug, EnumIter, DeriveRelation)]
    pub(super) enum Relation {}

    impl ActiveModelBehavior for ActiveModel {}
}

/// Everything that PostgreSQL can hold and that no catalog speaks of.
const STRANGERS: &str = "\
    CREATE EXTENSION pg_trgm; CREATE EXTENSION citext; \
    CREATE DOMAIN feet AS numeric CHECK (VALUE > 0); \
    CREATE TYPE span AS (low integer, high integer); \
    CREATE TYPE spans AS RANGE (subtype = integer); \
    CREATE FUNCTION twice(integer) RETURNS integer LANGUAGE sql AS 'SELECT $1 * 2'; \
    CREATE PROCEDURE nothing() LANGUAGE sql AS ''; \
    CREATE AGGREGATE total (integer) (sfunc = int4pl, stype = integer, initcond = '0'); \
    CREATE OPERATOR === (leftarg = integer, rightarg = integer, function = int4eq); \
    CREATE MATERIALIZED VIEW ones AS SELECT 1 AS one; CREATE UNIQUE INDEX ones_index ON ones (one); \
    CREATE FOREIGN DATA WRAPPER far; CREATE SERVER away FOREIGN DATA WRAPPER far; \
    CREATE FOREIGN TABLE distant (id integer) SERVER away; \
    CREATE TEXT SEARCH CONFIGURATION words (COPY = simple); \
    CREATE FUNCTION noticed() RETURNS event_trigger LANGUAGE plpgsql AS 'BEGIN END'; \
    CREATE EVENT TRIGGER notices ON ddl_command_end EXECUTE FUNCTION noticed(); \
    CREATE PUBLICATION news FOR TABLE boats; \
    CREATE RULE quiet AS ON DELETE TO boats DO INSTEAD NOTHING; \
    ALTER TABLE boats ENABLE ROW LEVEL SECURITY; CREATE POLICY open ON boats USING (true); \
    CREATE STATISTICS together ON id, name FROM boats; \
    CREATE VIEW named AS SELECT name FROM boats";

async fn strangers(connection: &DatabaseConnection) -> i64 {
    let count = "SELECT (SELECT count(*) FROM pg_proc WHERE pronamespace = 'public'::regnamespace) \
        + (SELECT count(*) FROM pg_type WHERE typnamespace = 'public'::regnamespace AND typtype IN ('d', 'c', 'r')) \
        + (SELECT count(*) FROM pg_operator WHERE oprnamespace = 'public'::regnamespace) \
        + (SELECT count(*) FROM pg_class WHERE relnamespace = 'public'::regnamespace AND relkind IN ('v', 'm', 'f')) \
        + (SELECT count(*) FROM pg_ts_config WHERE cfgnamespace = 'public'::regnamespace) \
        + (SELECT count(*) FROM pg_event_trigger) + (SELECT count(*) FROM pg_publication_rel) \
        + (SELECT count(*) FROM pg_rules WHERE schemaname = 'public') + (SELECT count(*) FROM pg_policies) \
        + (SELECT count(*) FROM pg_statistic_ext) + (SELECT count(*) FROM pg_foreign_server) AS found";
    let statement = sea_orm::Statement::from_string(sea_orm::DbBackend::Postgres, count);
    let row = connection.query_one_raw(statement).await.unwrap().unwrap();
    row.try_get("", "found").unwrap()
}

async fn make(connection: &DatabaseConnection, declared: &Catalog) -> Vec<String> {
    let scope = Scope::default();
    let live = inspect(connection, &scope).await.unwrap();
    let found = drift(connection, &scope, declared, &Policy::default())
        .await
        .unwrap();
    for statement in sql(&live, &found.operations).unwrap() {
        connection.execute_unprepared(&statement).await.unwrap();
    }
    found.operations.iter().map(ToString::to_string).collect()
}

#[tokio::test]
async fn what_no_catalog_knows_is_still_there_after_a_change() {
    let Some(database) = postgres().await else {
        return;
    };
    let session = session(&database).await;
    let connection = session.connection();
    let table = "CREATE TABLE boats (id integer PRIMARY KEY, name text, old text)";
    connection.execute_unprepared(table).await.unwrap();
    connection.execute_unprepared(STRANGERS).await.unwrap();
    let before = strangers(connection).await;
    let declared = json!({"tables": [{"name": "boats", "columns": [
        {"name": "id", "type": "bigint", "pk": true},
        {"name": "name", "type": "string(40)"},
        {"name": "sail", "type": "text"},
    ]}]});
    let declared: Catalog = serde_json::from_value(declared).unwrap();
    let done = make(connection, &declared).await;
    assert_snapshot!(done.join("\n"), @"
    drop statistics together
    drop view named
    add column boats.sail text
    alter type boats.id: integer -> bigint
    alter type boats.name: text -> character varying(40)
    drop column boats.old text
    add view named
    add statistics together
    ");
    assert_eq!(strangers(connection).await, before);
    assert_eq!(make(connection, &declared).await, [""; 0]);
    session.close().await;
    database.remove().await.unwrap();
}

#[tokio::test]
async fn names_of_every_kind_are_made_and_then_found() {
    let names = [
        "order".to_owned(),
        "Select".to_owned(),
        "größe 船".to_owned(),
        "it's \"quoted\"; --".to_owned(),
        "back\\slash".to_owned(),
        "n".repeat(63),
    ];
    let tables: Vec<_> = names
        .iter()
        .map(|name| {
            let quoted = format!("\"{}\"", name.replace('"', "\"\""));
            let short: String = name.chars().take(20).collect();
            json!({
                "name": name,
                "columns": [
                    {"name": "id", "type": "integer", "pk": true},
                    {"name": name, "type": "string(40)", "default": "'it''s größe \"船\" \\ $1 ?'"},
                ],
                "pk_name": format!("{short} key"),
                "uniques": [{"name": format!("{short} unique"), "columns": [name, "id"]}],
                "checks": [{"name": format!("{short} check"), "expr": format!("{quoted} <> 'it''s \"x\"'")}],
                "indexes": [{
                    "name": format!("{short} index"), "columns": [name, {"expr": format!("lower({quoted})")}],
                    "where": format!("{quoted} IS NOT NULL"),
                }],
                "foreign_keys": [{
                    "name": format!("{short} self"), "columns": ["id"], "ref_table": name, "ref_columns": ["id"],
                }],
            })
        })
        .collect();
    let declared: Catalog = serde_json::from_value(json!({"tables": tables})).unwrap();
    for database in databases().await {
        let session = session(&database).await;
        let made = make(session.connection(), &declared).await;
        assert_eq!(made.len(), names.len() * 2);
        assert_eq!(make(session.connection(), &declared).await, [""; 0]);
        session.close().await;
        database.remove().await.unwrap();
    }
}

#[tokio::test]
async fn an_index_whose_build_failed_is_built_again_beside_reads_and_writes() {
    let Some(database) = postgres().await else {
        return;
    };
    let session = session(&database).await;
    let connection = session.connection();
    let table = "CREATE TABLE boats (name text); INSERT INTO boats VALUES ('Ada'), ('Ada')";
    connection.execute_unprepared(table).await.unwrap();
    let build = "CREATE UNIQUE INDEX CONCURRENTLY one_name ON boats (name)";
    connection.execute_unprepared(build).await.unwrap_err();
    let twin = "DELETE FROM boats WHERE ctid = (SELECT max(ctid) FROM boats)";
    connection.execute_unprepared(twin).await.unwrap();

    let declared = json!({"tables": [{"name": "boats", "columns": [{"name": "name", "type": "text"}],
        "indexes": [{"name": "one_name", "columns": ["name"], "unique": true}]}]});
    let declared: Catalog = serde_json::from_value(declared).unwrap();
    let live = inspect(connection, &Scope::default()).await.unwrap();
    let found = drift(connection, &Scope::default(), &declared, &Policy::default())
        .await
        .unwrap();
    let rendered = render(&live, &found.operations, &[]).unwrap();
    assert!(rendered.is_split);
    assert_snapshot!(rendered.up, @r##"
    // A build of this index has failed, so no query uses it. Fails again where two rows agree.
    execute(manager, r#"REINDEX INDEX CONCURRENTLY "one_name""#).await?;
    "##);
    assert_eq!(
        make(connection, &declared).await,
        ["rebuild invalid index boats one_name"]
    );
    assert_eq!(make(connection, &declared).await, [""; 0]);
    session.close().await;
    database.remove().await.unwrap();
}

/// An older revision lacks the extension that an index of the entities needs.
#[tokio::test]
async fn an_old_revision_is_compared_with_entities_that_need_a_later_extension() {
    let Some(database) = postgres().await else {
        return;
    };
    let revisions = [
        Sql::new(
            "one",
            None,
            &["CREATE TABLE boats (id serial PRIMARY KEY, name text NOT NULL)"],
            &["DROP TABLE boats"],
        ),
        Sql::new(
            "two",
            Some("one"),
            &["CREATE EXTENSION pg_trgm; CREATE INDEX alike ON boats USING gin (name gin_trgm_ops)"],
            &["DROP INDEX alike; DROP EXTENSION pg_trgm"],
        ),
    ];
    let target = Target::new().entity(boat::Entity).extra(|extra| {
        let name = IndexPart::column("name").operator_class("gin_trgm_ops");
        let alike = Index::new(Some("alike"), [""; 0]).part(name).method("gin");
        extra.table("boats").index(alike);
    });
    let environment = environment(&database, &revisions).target(target);
    let mut found = Vec::new();
    for revision in ["one", "two"] {
        let (from, to) = (revision.parse::<Side>().unwrap(), Side::Entities);
        let report = diff(&environment, &from, &to, &CompareRequest::default())
            .await
            .unwrap();
        found.extend(report.difference.operations.iter().map(ToString::to_string));
    }
    assert_eq!(found, ["add index boats alike (name)"]);
    upgrade(&environment, "head").await.unwrap();
    database.remove().await.unwrap();
}

#[tokio::test]
async fn two_thousand_tables_are_compared_with_their_snapshot() {
    const TABLES: usize = 2_000;
    for database in databases().await {
        let session = session(&database).await;
        let connection = session.connection();
        let table = |number: usize| {
            format!(
                "CREATE TABLE t{number} (id integer PRIMARY KEY, note varchar(20) DEFAULT 'x' NOT NULL CHECK (note <> ''), \
                 other integer REFERENCES t{} (id)); CREATE INDEX i{number} ON t{number} (lower(note))",
                number.saturating_sub(1)
            )
        };
        // A transaction of PostgreSQL has room for some thousand locks.
        for first in (0..TABLES).step_by(250) {
            let tables: Vec<String> = (first..first + 250).map(table).collect();
            let sql = format!("BEGIN; {}; COMMIT", tables.join("; "));
            connection.execute_unprepared(&sql).await.unwrap();
        }
        let live = inspect(connection, &Scope::default()).await.unwrap();
        assert_eq!(live.tables.len(), TABLES);
        let mut snapshot = Catalog::from_json(&live.to_json()).unwrap();
        snapshot.tables[1_999].columns[1].nullable = true;
        let found = drift(connection, &Scope::default(), &snapshot, &Policy::default())
            .await
            .unwrap();
        let found: Vec<String> = found.operations.iter().map(ToString::to_string).collect();
        assert_eq!(found, ["alter nullable t999.note: false -> true"]);
        session.close().await;
        database.remove().await.unwrap();
    }
}
