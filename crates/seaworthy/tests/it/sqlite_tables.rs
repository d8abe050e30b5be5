//! What only SQLite says of a table is compared, and survives a table that is built again.

use sea_orm::ConnectionTrait;
use sea_orm::sea_query::Expr;
use sea_orm_migration::SchemaManager;
use seaworthy::autogenerate::{Policy, diff, sql};
use seaworthy::catalog::{Catalog, Scope, Target, inspect};
use seaworthy::online;
use seaworthy::session::Session;
use seaworthy::verify::ScratchDatabase;

use crate::databases::session;

/// A new database with a schema.
pub(crate) async fn database(made: &str) -> (ScratchDatabase, Session) {
    let database = ScratchDatabase::sqlite(&std::env::temp_dir()).unwrap();
    let session = session(&database).await;
    send(&session, "PRAGMA foreign_keys = OFF").await;
    send(&session, made).await;
    (database, session)
}

pub(crate) async fn send(session: &Session, sql: &str) {
    let sent = session.connection().execute_unprepared(sql).await;
    sent.unwrap_or_else(|error| panic!("{error}\n{sql}"));
}

pub(crate) async fn schema(session: &Session) -> Catalog {
    inspect(session.connection(), &Scope::default()).await.unwrap()
}

/// Turns one schema into another as a revision would, and returns what was done.
pub(crate) async fn turn_into(session: &Session, wanted: &Catalog) -> Vec<String> {
    let live = schema(session).await;
    let found = diff(&live, wanted, &Policy::default()).unwrap();
    let statements = sql(&live, &found.operations).unwrap();
    send(session, &format!("BEGIN; {}; COMMIT", statements.join("; "))).await;
    let left = diff(&schema(session).await, wanted, &Policy::default()).unwrap();
    assert!(left.is_empty(), "{:?} is left", left.operations);
    found.operations.iter().map(ToString::to_string).collect()
}

pub(crate) async fn text(session: &Session, sql: &str) -> String {
    let rows = session.rows(sql).await.unwrap();
    rows.iter()
        .map(|row| row.try_get_by_index::<String>(0).unwrap())
        .collect::<Vec<_>>()
        .join("; ")
}

/// Two tables that differ in one thing, and what is said of it.
const PAIRS: [(&str, &str, &str); 13] = [
    (
        "CREATE TABLE t (id INTEGER PRIMARY KEY, n TEXT)",
        "CREATE TABLE t (id INTEGER PRIMARY KEY AUTOINCREMENT, n TEXT)",
        "alter identity t.id: rowid -> autoincrement",
    ),
    (
        "CREATE TABLE t (id INTEGER PRIMARY KEY, n TEXT)",
        "CREATE TABLE t (id INTEGER PRIMARY KEY, n TEXT) STRICT",
        "alter table options t: nothing -> STRICT",
    ),
    (
        "CREATE TABLE t (id TEXT PRIMARY KEY NOT NULL, n TEXT)",
        "CREATE TABLE t (id TEXT PRIMARY KEY NOT NULL, n TEXT) WITHOUT ROWID",
        "alter table options t: nothing -> WITHOUT ROWID",
    ),
    (
        "CREATE TABLE t (a TEXT NOT NULL DEFAULT 'x')",
        "CREATE TABLE t (a TEXT NOT NULL ON CONFLICT REPLACE DEFAULT 'x')",
        "alter on null t.a: abort -> replace",
    ),
    (
        "CREATE TABLE t (a TEXT PRIMARY KEY)",
        "CREATE TABLE t (a TEXT NOT NULL ON CONFLICT IGNORE PRIMARY KEY)",
        "alter nullable t.a: true -> false; alter on null t.a: abort -> ignore",
    ),
    (
        "CREATE TABLE t (a TEXT UNIQUE)",
        "CREATE TABLE t (a TEXT UNIQUE ON CONFLICT IGNORE)",
        "drop unique t (a); add unique t (a) ON CONFLICT IGNORE",
    ),
    (
        "CREATE TABLE t (id INTEGER PRIMARY KEY)",
        "CREATE TABLE t (id INTEGER PRIMARY KEY ON CONFLICT REPLACE)",
        "alter primary key t: id -> id (ON CONFLICT REPLACE)",
    ),
    (
        "CREATE TABLE t (a INT, b INT, PRIMARY KEY (a, b))",
        "CREATE TABLE t (a INT, b INT, PRIMARY KEY (a COLLATE nocase, b DESC))",
        "alter primary key t: a, b -> a, b (b DESC, a COLLATE NOCASE)",
    ),
    (
        "CREATE TABLE t (a TEXT, b TEXT, UNIQUE (a, b))",
        "CREATE TABLE t (a TEXT, b TEXT, UNIQUE (a DESC, b COLLATE RTRIM))",
        "drop unique t (a, b); add unique t (a, b) a DESC, b COLLATE RTRIM",
    ),
    (
        "CREATE TABLE p (id INTEGER PRIMARY KEY); CREATE TABLE t (p INTEGER REFERENCES p (id))",
        "CREATE TABLE p (id INTEGER PRIMARY KEY); CREATE TABLE t (p INTEGER REFERENCES p (id) DEFERRABLE INITIALLY DEFERRED)",
        "drop foreign key t (p) p (id); add foreign key t (p) p (id)",
    ),
    (
        "CREATE TABLE t (a INT, g INT AS (a + 1))",
        "CREATE TABLE t (a INT, g INT GENERATED ALWAYS AS (a + 1) STORED)",
        "alter generated t.g: a + 1 (virtual) -> a + 1 (stored)",
    ),
    (
        "CREATE TABLE t (a TEXT); CREATE INDEX i ON t (a) WHERE a <> ''",
        "CREATE TABLE t (a TEXT); CREATE INDEX i ON t (lower(a) COLLATE nocase DESC) WHERE a > ''",
        "drop index t i (a) a <> ''; add index t i (lower(a) COLLATE nocase DESC) a > ''",
    ),
    (
        "CREATE TABLE Tasks (Id INTEGER PRIMARY KEY, old TEXT CHECK (old <> ''))",
        "CREATE TABLE tasks (id INTEGER PRIMARY KEY)",
        "drop check Tasks old <> ''; drop column Tasks.old TEXT",
    ),
];

#[tokio::test]
async fn each_thing_that_a_table_says_is_found_made_and_undone() {
    for (one, other, said) in PAIRS {
        let (first, live) = database(one).await;
        let (second, wanted) = database(other).await;
        let (one, other) = (schema(&live).await, schema(&wanted).await);
        assert_eq!(turn_into(&live, &other).await.join("; "), said);
        turn_into(&live, &one).await;
        assert!(
            diff(&schema(&live).await, &one, &Policy::default())
                .unwrap()
                .is_empty()
        );
        let snapshot = Catalog::from_json(&other.to_json()).unwrap();
        assert!(diff(&other, &snapshot, &Policy::default()).unwrap().is_empty());
        for (database, session) in [(first, live), (second, wanted)] {
            session.close().await;
            database.remove().await.unwrap();
        }
    }
}

/// A table with everything, and rows that show it.
const EVERYTHING: &str = "
    CREATE TABLE p (id INTEGER PRIMARY KEY);
    CREATE TABLE counted (id INTEGER PRIMARY KEY AUTOINCREMENT, name TEXT COLLATE NOCASE UNIQUE ON CONFLICT REPLACE,
        p INTEGER REFERENCES p (id) DEFERRABLE INITIALLY DEFERRED, note VARCHAR(9) NOT NULL ON CONFLICT REPLACE DEFAULT 'none',
        twice INT AS (id * 2));
    CREATE TABLE log (what TEXT);
    CREATE TRIGGER noted AFTER INSERT ON COUNTED BEGIN INSERT INTO log VALUES (new.name); END;
    INSERT INTO counted (id, name) VALUES (1, 'a'), (9, 'b');
    DELETE FROM counted WHERE id = 9;
    CREATE TABLE sunk (id INTEGER PRIMARY KEY DESC, note VARCHAR(9));
    INSERT INTO sunk VALUES (NULL, 'x'), (5, 'y');
    CREATE TABLE hidden (rowid_ TEXT, note VARCHAR(9));
    INSERT INTO hidden VALUES ('a', ''), ('b', ''), ('c', '');
    DELETE FROM hidden WHERE rowid_ = 'b';
    DELETE FROM log";

async fn everything_is_kept(session: &Session) {
    send(session, "INSERT INTO counted (name, note) VALUES ('A', NULL)").await;
    let rows = "SELECT id || name || note || twice FROM counted";
    assert_eq!(text(session, rows).await, "10Anone20");
    assert_eq!(text(session, "SELECT what FROM log").await, "A");
    send(
        session,
        "PRAGMA foreign_keys = ON; BEGIN; UPDATE counted SET p = 3; INSERT INTO p VALUES (3); COMMIT",
    )
    .await;
    let sunk = "SELECT coalesce(id, 'NULL') || rowid FROM sunk ORDER BY rowid";
    assert_eq!(text(session, sunk).await, "NULL1; 52");
    assert_eq!(
        text(session, "SELECT rowid || rowid_ FROM hidden").await,
        "1a; 3c"
    );
}

#[tokio::test]
async fn a_table_that_is_built_again_keeps_what_it_says_and_where_it_has_counted() {
    let (database, session) = database(EVERYTHING).await;
    let mut wanted = schema(&session).await;
    for table in &mut wanted.tables {
        for column in table.columns.iter_mut().filter(|column| column.name == "note") {
            column.data_type = "TEXT".to_owned();
        }
    }
    assert_eq!(turn_into(&session, &wanted).await.len(), 3);
    everything_is_kept(&session).await;
    session.close().await;
    database.remove().await.unwrap();
}

#[tokio::test]
async fn an_online_operation_keeps_what_a_table_says_and_where_it_has_counted() {
    let (database, session) = database(EVERYTHING).await;
    let manager = SchemaManager::new(session.connection());
    for table in ["counted", "sunk", "hidden"] {
        let condition = Expr::cust("note <> 'never'");
        online::add_check(&manager, table, format!("{table}_note"), condition)
            .await
            .unwrap();
    }
    everything_is_kept(&session).await;
    session.close().await;
    database.remove().await.unwrap();
}

#[tokio::test]
async fn a_copy_fails_where_a_new_rule_would_skip_rows() {
    let (database, session) = database("CREATE TABLE t (a TEXT); INSERT INTO t VALUES ('x'), ('x')").await;
    let mut wanted = schema(&session).await;
    let (other, with_rule) = self::database("CREATE TABLE t (a TEXT UNIQUE ON CONFLICT IGNORE)").await;
    wanted.tables.clone_from(&schema(&with_rule).await.tables);
    let live = schema(&session).await;
    let found = diff(&live, &wanted, &Policy::default()).unwrap();
    let statements = sql(&live, &found.operations).unwrap().join("; ");
    let sent = session.connection().execute_unprepared(&statements).await;
    assert!(sent.unwrap_err().to_string().contains("UNIQUE constraint failed"));
    for (database, session) in [(database, session), (other, with_rule)] {
        session.close().await;
        database.remove().await.unwrap();
    }
}

mod entity {
    use sea_orm::entity::prelude::*;

    #[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
    #[sea_orm(table_name = "t")]
    pub(super) struct Model {
        #[sea_orm(primary_key)]
        pub(super) id: i32,
        #[sea_orm(column_type = "Text", unique)]
        pub(super) name: String,
    }

    #[derive(Clone, Copy, Debug, EnumIter, DeriveRelation)]
    pub(super) enum Relation {}

    impl ActiveModelBehavior for ActiveModel {}
}

#[tokio::test]
async fn what_entities_have_no_words_for_stays() {
    let made = "CREATE TABLE t (id INTEGER PRIMARY KEY ON CONFLICT REPLACE, \
        name TEXT NOT NULL ON CONFLICT FAIL UNIQUE ON CONFLICT IGNORE) STRICT";
    let (database, session) = database(made).await;
    let declared = Target::new().entity(entity::Entity);
    let declared = declared
        .catalog(session.connection(), &Scope::default())
        .await
        .unwrap();
    let found = diff(&schema(&session).await, &declared, &Policy::default()).unwrap();
    assert_eq!(found.operations, []);
    session.close().await;
    database.remove().await.unwrap();
}
