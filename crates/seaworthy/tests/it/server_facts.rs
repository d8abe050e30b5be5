//! What the linter says of a statement is what the server does with it, for the version of the server at hand: whether the
//! table is copied, whether its rows are read, and whether the statement may stand in a transaction.

use std::collections::BTreeSet;

use sea_orm::{ConnectionTrait, DatabaseConnection, DatabaseTransaction, TransactionTrait};
use seaworthy::lint::{Context, Server, Surrounding, VERSIONS, lint};

use crate::databases::{postgres, session};

const SCHEMA: &str = "\
    CREATE TYPE mood AS ENUM ('calm'); \
    CREATE DOMAIN positive AS integer CHECK (VALUE > 0); \
    CREATE TABLE parents (id integer PRIMARY KEY); \
    CREATE TABLE t (id integer PRIMARY KEY, name varchar(20), note text, amount numeric(10, 2), moment timestamp, \
        instant timestamptz, n integer, parent integer, bits varbit(8), address cidr, mood mood, \
        base integer, twice integer GENERATED ALWAYS AS (base * 2) STORED); \
    ALTER TABLE t ADD CONSTRAINT n_there CHECK (n IS NOT NULL); \
    CREATE TABLE logs (id integer) PARTITION BY RANGE (id); \
    CREATE TABLE logs_1 PARTITION OF logs FOR VALUES FROM (1) TO (2); \
    CREATE INDEX t_name ON t (name)";

/// Statements in two halves: the version of PostgreSQL that they came with, as far as it matters here, and what they do.
const ALTERATIONS: [(u8, &str); 48] = [
    (13, "ADD COLUMN x integer"),
    (13, "ADD COLUMN x integer DEFAULT 3"),
    (13, "ADD COLUMN x integer NOT NULL DEFAULT 3"),
    (13, "ADD COLUMN x timestamptz DEFAULT now()"),
    (13, "ADD COLUMN x uuid DEFAULT gen_random_uuid()"),
    (13, "ADD COLUMN x timestamptz DEFAULT clock_timestamp()"),
    (13, "ADD COLUMN x float8 DEFAULT random()"),
    (13, "ADD COLUMN x serial"),
    (13, "ADD COLUMN x integer GENERATED ALWAYS AS IDENTITY"),
    (13, "ADD COLUMN x integer GENERATED ALWAYS AS (id * 2) STORED"),
    (18, "ADD COLUMN x integer GENERATED ALWAYS AS (id * 2) VIRTUAL"),
    (18, "ADD COLUMN x integer GENERATED ALWAYS AS (id * 2)"),
    (18, "ADD COLUMN x integer NOT NULL GENERATED ALWAYS AS (id * 2)"),
    (13, "ADD COLUMN x positive"),
    (13, "ADD COLUMN x integer CHECK (x > 0)"),
    (13, "ADD COLUMN x integer REFERENCES parents"),
    (13, "DROP COLUMN note"),
    (13, "ALTER COLUMN name TYPE varchar(40)"),
    (13, "ALTER COLUMN name TYPE varchar(10)"),
    (13, "ALTER COLUMN name TYPE text"),
    (13, "ALTER COLUMN note TYPE varchar"),
    (13, "ALTER COLUMN note TYPE varchar(10)"),
    (13, "ALTER COLUMN amount TYPE numeric(12, 2)"),
    (13, "ALTER COLUMN amount TYPE numeric(12, 3)"),
    (13, "ALTER COLUMN amount TYPE numeric"),
    (13, "ALTER COLUMN id TYPE bigint"),
    (13, "ALTER COLUMN moment TYPE timestamptz"),
    (13, "ALTER COLUMN moment TYPE timestamp(3)"),
    (13, "ALTER COLUMN instant TYPE timestamptz(6)"),
    (13, "ALTER COLUMN bits TYPE varbit(16)"),
    (13, "ALTER COLUMN address TYPE inet"),
    (13, "ALTER COLUMN n TYPE positive"),
    (13, "ALTER COLUMN mood TYPE text"),
    (13, "ALTER COLUMN n SET NOT NULL"),
    (13, "ALTER COLUMN note SET NOT NULL"),
    (13, "ALTER COLUMN note SET STORAGE EXTERNAL"),
    (14, "ALTER COLUMN note SET COMPRESSION pglz"),
    (13, "ALTER COLUMN twice DROP EXPRESSION"),
    (17, "ALTER COLUMN twice SET EXPRESSION AS (base * 3)"),
    (13, "SET UNLOGGED"),
    (13, "SET (fillfactor = 70)"),
    (13, "ADD CHECK (id > 0)"),
    (13, "ADD CHECK (id > 0) NOT VALID"),
    (18, "ADD CHECK (id > 0) NOT ENFORCED"),
    (13, "ADD FOREIGN KEY (parent) REFERENCES parents NOT VALID"),
    (18, "ADD FOREIGN KEY (parent) REFERENCES parents NOT ENFORCED"),
    (18, "ADD CONSTRAINT note_there NOT NULL note"),
    (18, "ADD CONSTRAINT note_there NOT NULL note NOT VALID"),
];

/// Statements that a transaction may not allow.
const IN_TRANSACTION: [(u8, &str); 16] = [
    (13, "CREATE INDEX CONCURRENTLY i ON t (note)"),
    (13, "DROP INDEX CONCURRENTLY t_name"),
    (13, "REINDEX INDEX CONCURRENTLY t_name"),
    (13, "REINDEX TABLE t"),
    (13, "REINDEX SCHEMA public"),
    (13, "VACUUM t"),
    (13, "ANALYZE t"),
    (13, "CLUSTER t USING t_pkey"),
    (13, "CLUSTER"),
    (13, "CREATE DATABASE another"),
    (13, "ALTER SYSTEM RESET work_mem"),
    (13, "ALTER TABLE logs DETACH PARTITION logs_1"),
    (14, "ALTER TABLE logs DETACH PARTITION logs_1 CONCURRENTLY"),
    (13, "ALTER TYPE mood ADD VALUE 'glad'"),
    (13, "ALTER TYPE mood ADD VALUE 'glad'; UPDATE t SET mood = 'glad'"),
    (13, "TRUNCATE t"),
];

/// The hazards of a statement that reads all rows of a table to prove something.
const READING: [&str; 3] = ["constraint-scan", "not-null-scan", "fk-scan"];

#[tokio::test]
async fn the_linter_says_what_the_server_does() {
    let Some(database) = postgres().await else { return };
    let session = session(&database).await;
    let server = session.server_version().await.unwrap();
    let version = server.clamp(*VERSIONS.start(), *VERSIONS.end());
    session.send(SCHEMA).await.unwrap();
    session.send("INSERT INTO t (id, n) VALUES (1, 1)").await.unwrap();
    // Moments are stored in another way elsewhere.
    session.send("SET timezone TO 'Europe/Berlin'").await.unwrap();
    let mut wrong = Vec::new();
    for (_, action) in known(&ALTERATIONS, server) {
        let sql = format!("ALTER TABLE t {action}");
        let found = categories(&sql, version, Surrounding::Nothing);
        let is_said = (
            found.contains("table-rewrite"),
            READING.iter().any(|category| found.contains(*category)),
        );
        let mut is_done = copied_or_read(session.connection(), &sql).await;
        // Who copies reads, too; that need not be said.
        is_done.1 = (is_done.1 && !is_done.0) || (is_done.0 && is_said.1);
        if is_said != is_done {
            wrong.push(format!("{sql}: copied, read: said {is_said:?}, done {is_done:?}"));
        }
    }
    for (_, sql) in known(&IN_TRANSACTION, server) {
        let is_said = categories(sql, version, Surrounding::Transaction).contains("not-allowed-in-tx");
        let is_done = !sent_in_transaction(session.connection(), sql).await;
        if is_said != is_done {
            wrong.push(format!("{sql}: refused: said {is_said}, done {is_done}"));
        }
    }
    session.close().await;
    database.remove().await.unwrap();
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

fn known<'a>(statements: &'a [(u8, &'a str)], server: u8) -> impl Iterator<Item = &'a (u8, &'a str)> {
    statements.iter().filter(move |(since, _)| *since <= server)
}

fn categories(sql: &str, version: u8, surrounding: Surrounding) -> BTreeSet<&'static str> {
    let context = Context::default()
        .schema(SCHEMA)
        .surrounded_by(surrounding)
        .on(Server::Postgres(version));
    let hazards = lint(sql, &context);
    hazards.iter().map(|hazard| hazard.category).collect()
}

/// Returns whether a statement copied the table, and whether it read its rows; nothing of it stays.
async fn copied_or_read(connection: &DatabaseConnection, sql: &str) -> (bool, bool) {
    let transaction = connection.begin().await.unwrap();
    let before = look(&transaction).await;
    // A value that is missing would end the statement, not its reading.
    drop(
        transaction
            .execute_unprepared("UPDATE t SET note = '', name = ''")
            .await,
    );
    transaction
        .execute_unprepared(sql)
        .await
        .unwrap_or_else(|error| panic!("{sql}: {error}"));
    let after = look(&transaction).await;
    transaction.rollback().await.unwrap();
    (before.0 != after.0, after.1 > before.1 + 1)
}

/// Returns the file of the table, and how often its rows were read in this transaction.
async fn look(transaction: &DatabaseTransaction) -> (i64, i64) {
    let query = "SELECT pg_relation_filenode('t')::bigint AS file, \
                 (SELECT coalesce(seq_scan, 0) FROM pg_stat_xact_user_tables WHERE relname = 't')::bigint AS reads";
    let statement = sea_orm::Statement::from_string(sea_orm::DbBackend::Postgres, query);
    let row = transaction.query_one_raw(statement).await.unwrap().unwrap();
    (
        row.try_get("", "file").unwrap(),
        row.try_get("", "reads").unwrap(),
    )
}

async fn sent_in_transaction(connection: &DatabaseConnection, statements: &str) -> bool {
    let transaction = connection.begin().await.unwrap();
    let mut is_sent = true;
    for sql in statements.split("; ") {
        is_sent = is_sent && transaction.execute_unprepared(sql).await.is_ok();
    }
    transaction.rollback().await.unwrap();
    is_sent
}
