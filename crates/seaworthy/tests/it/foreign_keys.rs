//! Foreign keys on SQLite: what a revision does to a table never takes rows of other tables by surprise.

use sea_orm::{DbBackend, QueryResult};
use sea_orm_migration::MigratorTraitSelf;
use sea_orm_migration::prelude::*;
use seaworthy::command::{self, CommandError, Conduct, OutOfOrder, Outcome};
use seaworthy::environment::Environment;
use seaworthy::revision::{Direction, Revision};
use seaworthy::session::Session;
use seaworthy::verify::ScratchDatabase;

use crate::databases::{Person, Sql, current, environment, send, session, upgrade, upgrade_giving_up};

/// A parent and children that reference it in each way.
const TABLES: &str = "\
    CREATE TABLE u (id INTEGER PRIMARY KEY, n TEXT);\
    CREATE TABLE cascading (id INTEGER PRIMARY KEY, u INTEGER REFERENCES u (id) ON DELETE CASCADE);\
    CREATE TABLE nulled (id INTEGER PRIMARY KEY, u INTEGER REFERENCES u (id) ON DELETE SET NULL);\
    CREATE TABLE grandchild (id INTEGER PRIMARY KEY, c INTEGER REFERENCES cascading (id) ON DELETE CASCADE);\
    CREATE TABLE tree (id INTEGER PRIMARY KEY, above INTEGER REFERENCES tree (id) ON DELETE CASCADE);\
    CREATE TABLE alone (id INTEGER PRIMARY KEY);\
    CREATE VIEW named AS SELECT n FROM u;";

const ROWS: &str = "\
    INSERT INTO u VALUES (1, 'a'), (2, 'b');\
    INSERT INTO cascading VALUES (1, 1), (2, 2);\
    INSERT INTO nulled VALUES (1, 1), (2, 2);\
    INSERT INTO grandchild VALUES (1, 1), (2, 2);\
    INSERT INTO tree VALUES (1, NULL), (2, 1);\
    INSERT INTO alone VALUES (1);";

/// The children, and what each row says about its parent.
const CHILDREN: [&str; 4] = [
    "SELECT count(*) || ' rows, ' || count(u) || ' keys' AS found FROM cascading",
    "SELECT count(*) || ' rows, ' || count(u) || ' keys' AS found FROM nulled",
    "SELECT count(*) || ' rows, ' || count(c) || ' keys' AS found FROM grandchild",
    "SELECT count(*) || ' rows, ' || count(above) || ' keys' AS found FROM tree",
];

const REBUILD: &str = "CREATE TABLE new_u (id INTEGER PRIMARY KEY, n TEXT NOT NULL); INSERT INTO new_u SELECT * FROM u; \
                       DROP VIEW named; DROP TABLE u; ALTER TABLE new_u RENAME TO u";

/// What revisions send, each string by itself; `REBUILD` stands for the rebuild of `u` by hand.
const REVISIONS: [&[&str]; 36] = [
    &["PRAGMA foreign_keys = OFF", "REBUILD", "PRAGMA foreign_keys = ON"],
    &["PRAGMA foreign_keys = OFF; REBUILD; PRAGMA foreign_keys = ON;"],
    &["PRAGMA foreign_keys(0); REBUILD; PRAGMA foreign_keys(1)"],
    &[
        "PRAGMA main.foreign_keys = 0",
        "REBUILD",
        "PRAGMA main.foreign_keys = 1",
    ],
    &["PRAGMA foreign_keys = 'off'", "REBUILD"],
    &["-- as the manual says\nPRAGMA foreign_keys=off;", "REBUILD"],
    &[
        "/* keys */ pragma Foreign_Keys = False",
        "REBUILD",
        "PRAGMA foreign_keys = yes",
    ],
    &["PRAGMA \"foreign_keys\" = no", "REBUILD"],
    &["PRAGMA foreign_keys=OFF -- until the end", "REBUILD"],
    &[
        "SELECT 1; PRAGMA foreign_keys\n=\nOFF",
        "REBUILD; PRAGMA foreign_keys = on",
    ],
    &["REBUILD"],
    &["REBUILD; -- done"],
    &["PRAGMA foreign_keys = ON", "REBUILD"],
    &["PRAGMA defer_foreign_keys = ON", "REBUILD"],
    &[
        "DROP VIEW named; ALTER TABLE u RENAME TO old_u",
        "CREATE TABLE u (id INTEGER PRIMARY KEY, n TEXT); INSERT INTO u SELECT * FROM old_u; DROP TABLE old_u",
    ],
    &[
        "PRAGMA legacy_alter_table = ON",
        "PRAGMA foreign_keys = OFF",
        "ALTER TABLE u RENAME TO old_u",
        "CREATE TABLE u (id INTEGER PRIMARY KEY, n TEXT); INSERT INTO u SELECT * FROM old_u; DROP TABLE old_u",
    ],
    &["DROP TABLE u"],
    &["DROP TABLE IF EXISTS main.\"U\""],
    &["PRAGMA foreign_keys = OFF; DROP TABLE u"],
    &[
        "DROP TABLE grandchild",
        "DROP TABLE cascading",
        "DROP TABLE nulled",
        "DROP VIEW named; DROP TABLE u",
    ],
    &["DROP VIEW named; DROP TABLE u; DROP TABLE cascading; DROP TABLE nulled; DROP TABLE grandchild"],
    &[
        "UPDATE nulled SET u = NULL",
        "DELETE FROM cascading",
        "DROP VIEW named; DROP TABLE u",
    ],
    &["DELETE FROM u WHERE id = 1"],
    &["DELETE FROM u WHERE id = 1; CREATE TABLE more (id INTEGER)"],
    &["DELETE FROM u WHERE id = 1", "DROP TABLE alone"],
    &["REPLACE INTO u VALUES (1, 'z')"],
    &["UPDATE u SET n = 'z'"],
    &["ALTER TABLE u RENAME TO users"],
    &[
        "ALTER TABLE u ADD COLUMN more TEXT",
        "ALTER TABLE u DROP COLUMN more",
    ],
    &["DROP VIEW IF EXISTS named", "DROP TABLE IF EXISTS nowhere"],
    &[
        "CREATE TABLE new_tree (id INTEGER PRIMARY KEY, above INTEGER REFERENCES tree (id) ON DELETE CASCADE)",
        "INSERT INTO new_tree SELECT * FROM tree",
        "DROP TABLE tree",
        "ALTER TABLE new_tree RENAME TO tree",
    ],
    &[
        "CREATE TABLE new_c (id INTEGER PRIMARY KEY, u INTEGER REFERENCES u (id)); INSERT INTO new_c SELECT * FROM cascading; \
         DROP TABLE cascading; ALTER TABLE new_c RENAME TO cascading",
    ],
    &[
        "CREATE TABLE w (id INTEGER PRIMARY KEY); CREATE TABLE x (w INTEGER REFERENCES w (id) ON DELETE CASCADE)",
        "INSERT INTO w VALUES (1); INSERT INTO x VALUES (1); DROP TABLE w",
    ],
    &["PRAGMA foreign_keys = OFF", "DELETE FROM u WHERE id = 1"],
    &["DROP INDEX IF EXISTS nowhere; DROP TRIGGER IF EXISTS nowhere; DROP TABLE alone"],
    &["INSERT INTO cascading VALUES (9, 99)"],
];

struct Stock(Sql);

impl MigratorTraitSelf for Stock {
    fn migrations(&self) -> Vec<Box<dyn MigrationTrait>> {
        vec![Box::new(self.0.clone())]
    }
}

async fn prepared() -> ScratchDatabase {
    let database = ScratchDatabase::sqlite(&std::env::temp_dir()).unwrap();
    send(&database, TABLES).await;
    send(&database, ROWS).await;
    database
}

async fn text(session: &Session, sql: &str) -> String {
    let found = session.rows(sql).await;
    let first = |rows: Vec<QueryResult>| rows.first().map(|row| row.try_get_by_index::<String>(0).unwrap());
    found.map_or_else(|error| error.to_string(), |rows| first(rows).unwrap_or_default())
}

async fn children(database: &ScratchDatabase) -> Vec<String> {
    let session = session(database).await;
    let mut found = Vec::new();
    for sql in CHILDREN {
        found.push(text(&session, sql).await);
    }
    session.close().await;
    found
}

fn revision(index: usize, with_transaction: bool) -> Sql {
    revision_going(Direction::Up, index, with_transaction)
}

fn revision_going(direction: Direction, index: usize, with_transaction: bool) -> Sql {
    let statements: Vec<String> = REVISIONS[index]
        .iter()
        .map(|sql| sql.replace("REBUILD", REBUILD))
        .collect();
    let statements: Vec<&str> = statements.iter().map(String::as_str).collect();
    let revision = match direction {
        Direction::Up => Sql::new("a", None, &statements, &[]),
        Direction::Down => Sql::new("a", None, &["SELECT 1"], &statements),
    };
    match with_transaction {
        true => revision,
        false => revision.without_transaction(),
    }
}

/// Some rows went although the revision neither deletes nor drops them.
fn expects_loss(index: usize) -> bool {
    REVISIONS[index].iter().any(|sql| {
        sql.contains("DELETE FROM")
            || sql.contains("REPLACE")
            || sql.contains("DROP TABLE cascading; DROP TABLE")
    }) || REVISIONS[index][0] == "DROP TABLE grandchild"
}

#[tokio::test]
async fn rows_that_the_stock_runner_keeps_are_kept() {
    let before = children(&prepared().await).await;
    for (index, statements) in REVISIONS.iter().enumerate() {
        for with_transaction in [true, false] {
            let label = format!("{statements:?}, transaction {with_transaction}");
            let (stock, ours) = (prepared().await, prepared().await);
            let theirs = session(&stock).await;
            let stock_result = Stock(revision(index, with_transaction))
                .up(theirs.connection(), None)
                .await;
            let broken_by_stock = theirs.rows("PRAGMA foreign_key_check").await.unwrap();
            theirs.close().await;
            let kept_by_stock = children(&stock).await;

            let environment = environment(&ours, &[revision(index, with_transaction)]);
            let result = upgrade(&environment, "head").await;
            let kept = children(&ours).await;
            for (child, stock_kept) in kept_by_stock.iter().enumerate() {
                if *stock_kept == before[child] {
                    assert_eq!(
                        kept[child], before[child],
                        "{label}: stock keeps child {child}; {result:?}"
                    );
                }
            }
            if !expects_loss(index) {
                assert_eq!(kept, before, "{label}: {result:?}");
            }
            if stock_result.is_err() {
                assert!(result.is_err(), "{label}: stock says {stock_result:?}");
            }
            let session = session(&ours).await;
            // Without a transaction the pragma is sent as it is, and what it permits is permitted.
            if result.is_ok() && (with_transaction || broken_by_stock.is_empty()) {
                let broken = session.rows("PRAGMA foreign_key_check").await.unwrap();
                assert!(broken.is_empty(), "{label}: rows reference nothing");
            }
            session.close().await;
            for database in [stock, ours] {
                database.remove().await.unwrap();
            }
        }
    }
}

#[tokio::test]
async fn a_table_is_built_again_upwards_and_downwards_whoever_is_asked() {
    let before = children(&prepared().await).await;
    let is_rebuild = |statements: &&[&str]| statements.iter().any(|sql| sql.contains("REBUILD"));
    for index in (0..REVISIONS.len()).filter(|index| is_rebuild(&REVISIONS[*index])) {
        for direction in [Direction::Up, Direction::Down] {
            for (with_transaction, person) in [(true, Person::default()), (false, Person::agreeing())] {
                let database = prepared().await;
                let environment =
                    environment(&database, &[revision_going(direction, index, with_transaction)]);
                let result = match direction {
                    Direction::Up => person.run(async |conduct| up(&environment, conduct).await).await,
                    Direction::Down => {
                        upgrade(&environment, "head").await.unwrap();
                        let base = "base".parse().unwrap();
                        person
                            .run(async |conduct| command::downgrade(&environment, &base, conduct).await)
                            .await
                    }
                };
                let label = format!(
                    "{direction:?} {:?}, transaction {with_transaction}",
                    REVISIONS[index]
                );
                assert!(result.is_ok(), "{label}: {result:?}");
                assert_eq!(children(&database).await, before, "{label}");
                database.remove().await.unwrap();
            }
        }
    }
}

async fn up(environment: &Environment, conduct: &Conduct<'_>) -> Result<Outcome, CommandError> {
    command::upgrade(environment, &"head".parse().unwrap(), OutOfOrder::Refuse, conduct).await
}

#[tokio::test]
async fn a_dropped_parent_fails_the_step_and_the_error_names_the_rows() {
    for with_transaction in [true, false] {
        let database = prepared().await;
        let index = REVISIONS.iter().position(|sql| *sql == ["DROP TABLE u"]).unwrap();
        let environment = environment(&database, &[revision(index, with_transaction)]);
        let error = upgrade_giving_up(&environment, "head").await.unwrap_err();
        let source = std::error::Error::source(&error).unwrap().to_string();
        assert_eq!(
            source,
            "it breaks foreign keys: 2 rows of cascading without a row of u (rowid 1, 2); \
             2 rows of nulled without a row of u (rowid 1, 2)"
        );
        let session = session(&database).await;
        assert_eq!(text(&session, "SELECT group_concat(id) FROM u").await, "1,2");
        session.close().await;
        assert!(current(&environment).await.is_empty());
        database.remove().await.unwrap();
    }
}

#[tokio::test]
async fn a_deletion_cascades_where_nothing_referenced_is_dropped() {
    for sql in [
        &["DELETE FROM u WHERE id = 1"][..],
        &["DELETE FROM u WHERE id = 1", "DROP TABLE alone"],
    ] {
        let database = prepared().await;
        upgrade_giving_up(&environment(&database, &[Sql::new("a", None, sql, &[])]), "head")
            .await
            .unwrap();
        assert_eq!(children(&database).await[0], "1 rows, 1 keys");
        database.remove().await.unwrap();
    }
}

#[tokio::test]
async fn keys_are_enforced_again_after_a_step_that_switched_them_off_and_after_one_that_failed() {
    let breaks = "INSERT INTO cascading VALUES (9, 99)";
    for first in [
        "PRAGMA foreign_keys = OFF",
        "PRAGMA foreign_keys = OFF; SELECT * FROM nowhere",
    ] {
        for with_transaction in [true, false] {
            let database = prepared().await;
            let first = Sql::new("a", None, &[first], &[]);
            let first = if with_transaction {
                first
            } else {
                first.without_transaction()
            };
            let both = [first, Sql::new("b", Some("a"), &[breaks], &[])];
            let environment = environment(&database, &both);
            let error = upgrade(&environment, "head").await.unwrap_err();
            let cause = std::error::Error::source(&error).unwrap();
            let cause = std::error::Error::source(cause).unwrap().to_string();
            assert!(
                cause.contains("FOREIGN KEY") || cause.contains("nowhere"),
                "{cause}"
            );
            assert_eq!(children(&database).await[0], "2 rows, 2 keys");
            database.remove().await.unwrap();
        }
    }
}

#[tokio::test]
async fn rows_that_were_broken_before_do_not_fail_a_rebuild() {
    let database = prepared().await;
    send(
        &database,
        "PRAGMA foreign_keys = OFF; INSERT INTO cascading VALUES (9, 99)",
    )
    .await;
    upgrade(&environment(&database, &[revision(1, true)]), "head")
        .await
        .unwrap();
    assert_eq!(children(&database).await[0], "3 rows, 3 keys");
    database.remove().await.unwrap();
}

#[tokio::test]
async fn a_key_without_a_unique_parent_does_not_fail_a_rebuild() {
    let database = prepared().await;
    let odd = "CREATE TABLE loose (a TEXT); CREATE TABLE odd (a TEXT REFERENCES loose (a))";
    send(&database, odd).await;
    upgrade(&environment(&database, &[revision(1, true)]), "head")
        .await
        .unwrap();
    database.remove().await.unwrap();
}

/// A revision of which not everything is known beforehand: it asks for rows that it has just made.
struct Asking {
    asked_then: &'static [&'static str],
    transaction: Option<bool>,
}

impl MigrationName for Asking {
    fn name(&self) -> &str {
        "m_asking"
    }
}

impl Revision for Asking {}

#[async_trait::async_trait]
impl MigrationTrait for Asking {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        let connection = manager.get_connection();
        connection
            .execute_unprepared("CREATE TABLE asked AS SELECT id FROM u")
            .await?;
        let question = sea_orm::Statement::from_string(DbBackend::Sqlite, "SELECT id FROM asked");
        if !connection.query_all_raw(question).await?.is_empty() {
            for sql in self.asked_then {
                connection.execute_unprepared(sql).await?;
            }
        }
        Ok(())
    }

    fn use_transaction(&self) -> Option<bool> {
        self.transaction
    }
}

fn asking(
    database: &ScratchDatabase,
    asked_then: &'static [&'static str],
    transaction: Option<bool>,
) -> Environment {
    Environment::new(vec![Box::new(Asking {
        asked_then,
        transaction,
    })])
    .database(database.url().clone())
}

#[tokio::test]
async fn a_step_that_is_not_known_beforehand_drops_without_a_cascade() {
    let database = prepared().await;
    let rebuild = &[
        "CREATE TABLE new_u (id INTEGER PRIMARY KEY, n TEXT); INSERT INTO new_u SELECT * FROM u",
        "DROP VIEW named; DROP TABLE u; ALTER TABLE new_u RENAME TO u",
    ];
    upgrade(&asking(&database, rebuild, None), "head").await.unwrap();
    assert_eq!(
        children(&database).await,
        vec![
            "2 rows, 2 keys",
            "2 rows, 2 keys",
            "2 rows, 2 keys",
            "2 rows, 1 keys"
        ]
    );
    database.remove().await.unwrap();
}

#[tokio::test]
async fn a_step_that_is_not_known_beforehand_deletes_with_a_cascade() {
    let database = prepared().await;
    let delete = &["DELETE FROM u WHERE id = 1"];
    upgrade_giving_up(&asking(&database, delete, None), "head")
        .await
        .unwrap();
    assert_eq!(
        children(&database).await,
        vec![
            "1 rows, 1 keys",
            "2 rows, 1 keys",
            "1 rows, 1 keys",
            "2 rows, 1 keys"
        ]
    );
    database.remove().await.unwrap();
}
