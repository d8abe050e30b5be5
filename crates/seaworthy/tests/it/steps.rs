//! Single steps: all or nothing in a transaction, part by part without one.

use sea_orm::ConnectionTrait;
use sea_orm_migration::{DbErr, MigrationName, MigrationTrait, SchemaManager};
use seaworthy::command;
use seaworthy::environment::Environment;
use seaworthy::revision::{Revision, Stage};

use crate::clients::feed;
use crate::databases::{
    Sql, current, databases, downgrade, environment, events, postgres, send, tables, upgrade,
    upgrade_giving_up,
};

#[tokio::test]
async fn a_step_that_fails_midway_leaves_nothing_and_what_was_before_stays() {
    for database in databases().await {
        let broken = Sql::new(
            "b",
            Some("a"),
            &["CREATE TABLE t_b (id integer)", "CREATE TABEL t_c"],
            &[],
        );
        let environment = environment(&database, &[Sql::table("a", None), broken]);
        let error = upgrade(&environment, "head").await.unwrap_err();
        assert_eq!(error.kind(), "step_failed");
        assert_eq!(error.to_string(), "upgrade of b failed");
        assert_eq!(tables(&database).await, ["t_a"]);
        assert_eq!(current(&environment).await, ["a"]);
        assert_eq!(events(&environment).await, ["up a done", "up b failed"]);
        database.remove().await.unwrap();
    }
}

#[tokio::test]
async fn a_step_that_fails_at_its_commit_leaves_nothing() {
    for database in databases().await {
        let late = Sql::new(
            "b",
            Some("a"),
            &[
                "CREATE TABLE t_b (id integer REFERENCES t_a (id) DEFERRABLE INITIALLY DEFERRED)",
                "INSERT INTO t_b VALUES (7)",
            ],
            &["DROP TABLE t_b"],
        );
        let environment = environment(&database, &[Sql::table("a", None), late]);
        upgrade(&environment, "head").await.unwrap_err();
        assert_eq!(tables(&database).await, ["t_a"]);
        assert_eq!(current(&environment).await, ["a"]);
        // The connection is fit for use again.
        send(&database, "INSERT INTO t_a (id) VALUES (7)").await;
        upgrade(&environment, "head").await.unwrap();
        assert_eq!(current(&environment).await, ["b"]);
        database.remove().await.unwrap();
    }
}

#[tokio::test]
async fn a_step_that_cannot_be_undone_stays_applied() {
    for database in databases().await {
        let stuck = Sql::new(
            "b",
            Some("a"),
            &["CREATE TABLE t_b (id integer)"],
            &["DROP TABLE t_nowhere"],
        );
        let environment = environment(&database, &[Sql::table("a", None), stuck]);
        upgrade(&environment, "head").await.unwrap();
        let error = downgrade(&environment, "base").await.unwrap_err();
        assert_eq!(error.to_string(), "downgrade of b failed");
        assert_eq!(current(&environment).await, ["b"]);
        database.remove().await.unwrap();
    }
}

#[tokio::test]
async fn a_step_without_a_transaction_goes_on_where_it_failed() {
    for database in databases().await {
        let statements = [
            "CREATE TABLE t_b (id integer)",
            "INSERT INTO t_seed VALUES (1)",
            "CREATE TABLE t_c (id integer)",
        ];
        let loose = Sql::new("b", Some("a"), &statements, &[]).without_transaction();
        let environment = environment(&database, &[Sql::table("a", None), loose]);
        let error = upgrade(&environment, "head").await.unwrap_err();
        assert_eq!(
            error.to_string(),
            "upgrade of b failed; it runs without a transaction, and 1 of its 3 statements ran"
        );
        assert_eq!(
            error.hint().unwrap(),
            "the next run of the same command goes on with statement 2"
        );
        assert_eq!(tables(&database).await, ["t_a", "t_b"]);
        let status = command::status(&environment).await.unwrap();
        assert_eq!(status.unfinished.len(), 1);
        assert_eq!(status.unfinished[0].revision, "b".into());
        assert_eq!(status.unfinished[0].parts_done, 1);
        assert_eq!(current(&environment).await, ["a"]);

        send(&database, "CREATE TABLE t_seed (id integer)").await;
        upgrade(&environment, "head").await.unwrap();
        assert_eq!(tables(&database).await, ["t_a", "t_b", "t_c", "t_seed"]);
        assert_eq!(current(&environment).await, ["b"]);
        assert!(command::status(&environment).await.unwrap().unfinished.is_empty());
        database.remove().await.unwrap();
    }
}

/// A revision whose own code fails.
struct Failing {
    panics: bool,
    in_transaction: bool,
}

impl MigrationName for Failing {
    fn name(&self) -> &str {
        "m_fails"
    }
}

impl Revision for Failing {}

#[async_trait::async_trait]
impl MigrationTrait for Failing {
    fn use_transaction(&self) -> Option<bool> {
        Some(self.in_transaction)
    }

    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        manager
            .get_connection()
            .execute_unprepared("CREATE TABLE t_a (id integer)")
            .await?;
        assert!(!self.panics, "no boat in sight");
        Err(DbErr::Custom("no boat in sight".to_owned()))
    }
}

#[tokio::test]
async fn an_error_of_the_revision_itself_is_not_laid_at_the_door_of_the_database() {
    for database in databases().await {
        for (panics, in_transaction, said) in [
            (
                false,
                true,
                "upgrade of m_fails failed: revision m_fails failed: Custom Error: no boat in sight",
            ),
            (
                true,
                true,
                "upgrade of m_fails failed: revision m_fails panicked: no boat in sight",
            ),
            (
                false,
                false,
                "upgrade of m_fails failed; it runs without a transaction, and what it did before stays: revision m_fails failed: \
                 Custom Error: no boat in sight",
            ),
        ] {
            let revision = Failing {
                panics,
                in_transaction,
            };
            let environment = Environment::new(vec![Box::new(revision)]).database(database.url().clone());
            let error = upgrade(&environment, "head").await.unwrap_err();
            let mut text = error.to_string();
            let mut cause = std::error::Error::source(&error);
            while let Some(error) = cause {
                if !text.contains(&error.to_string()) {
                    text.push_str(&format!(": {error}"));
                }
                cause = error.source();
            }
            assert_eq!(text, said);
        }
        database.remove().await.unwrap();
    }
}

#[tokio::test]
async fn a_part_that_was_through_before_the_crash_is_recognised() {
    for database in databases().await {
        let statements = ["CREATE TABLE t_b (id integer)", "CREATE TABLE t_c (id integer)"];
        let loose = Sql::new("b", Some("a"), &statements, &[]).without_transaction();
        let environment = environment(&database, &[Sql::table("a", None), loose]);
        upgrade(&environment, "a").await.unwrap();
        // What a run leaves behind that died after its second statement and before its journal said so.
        let journal = "INSERT INTO seaworthy_history (run, kind, direction, revision, name, outcome, started_at, checksum, \
                       parts_done, tool_version) SELECT 'feedbeef', 'upgrade', 'up', 'b', 'm_b', outcome, \
                       started_at, checksum, parts_done, tool_version FROM wanted";
        let first = seaworthy::script::checksum(&["CREATE TABLE t_b (id integer)".to_owned()]);
        let wanted = format!(
            "CREATE TABLE wanted AS SELECT 'progressed' AS outcome, started_at, '{first}' AS checksum, 1 AS parts_done, \
             tool_version FROM seaworthy_history"
        );
        send(&database, &format!("{wanted}; {journal}; DROP TABLE wanted")).await;
        send(
            &database,
            "CREATE TABLE t_b (id integer); CREATE TABLE t_c (id integer)",
        )
        .await;

        upgrade(&environment, "head").await.unwrap();
        assert_eq!(current(&environment).await, ["b"]);
        database.remove().await.unwrap();
    }
}

#[tokio::test]
async fn what_was_given_up_when_a_downgrade_began_is_not_asked_again_when_an_upgrade_ends_it() {
    for database in databases().await {
        let up = [
            "ALTER TABLE t_a ADD COLUMN pay integer",
            "CREATE TABLE t_b (id integer)",
        ];
        let down = [
            "DROP TABLE t_b",
            "DELETE FROM t_seed",
            "ALTER TABLE t_a DROP COLUMN pay",
        ];
        let loose = Sql::new("b", Some("a"), &up, &down).without_transaction();
        let environment = environment(&database, &[Sql::table("a", None), loose]);
        upgrade(&environment, "head").await.unwrap();
        send(
            &database,
            "INSERT INTO t_a (id, pay) VALUES (1, 5); INSERT INTO t_b VALUES (1)",
        )
        .await;
        downgrade(&environment, "a").await.unwrap_err();
        assert_eq!(tables(&database).await, ["t_a"]);

        send(&database, "CREATE TABLE t_seed (id integer)").await;
        upgrade(&environment, "head").await.unwrap();
        assert_eq!(tables(&database).await, ["t_a", "t_b", "t_seed"]);
        database.remove().await.unwrap();
    }
}

#[tokio::test]
async fn a_half_done_step_whose_file_was_changed_is_refused() {
    for database in databases().await {
        let begun = Sql::new("b", None, &["CREATE TABLE t_b (id integer)", "CREATE TABEL"], &[]);
        let environment_before = environment(&database, &[begun.without_transaction()]);
        upgrade(&environment_before, "head").await.unwrap_err();
        let other = Sql::new(
            "b",
            None,
            &[
                "CREATE TABLE t_other (id integer)",
                "CREATE TABLE t_c (id integer)",
            ],
            &[],
        );
        let environment_after = environment(&database, &[other.without_transaction()]);
        let error = upgrade(&environment_after, "head").await.unwrap_err();
        assert_eq!(error.kind(), "changed_while_unfinished");
        assert_eq!(tables(&database).await, ["t_b"]);
        database.remove().await.unwrap();
    }
}

#[tokio::test]
async fn an_invalid_index_is_built_anew() {
    let Some(database) = postgres().await else { return };
    let index = "CREATE UNIQUE INDEX CONCURRENTLY t_a_note ON t_a (note)";
    let revisions = [
        Sql::table("a", None),
        Sql::new("b", Some("a"), &[index], &["DROP INDEX t_a_note"]).without_transaction(),
    ];
    let environment = environment(&database, &revisions);
    upgrade(&environment, "a").await.unwrap();
    send(&database, "INSERT INTO t_a VALUES (1, 'same'), (2, 'same')").await;
    upgrade(&environment, "head").await.unwrap_err();
    let session = crate::databases::session(&database).await;
    let invalid = "SELECT 1 FROM pg_index WHERE NOT indisvalid";
    assert_eq!(
        session.rows(invalid).await.unwrap().len(),
        1,
        "the failed build leaves an INVALID index"
    );

    send(&database, "DELETE FROM t_a WHERE id = 2").await;
    upgrade(&environment, "head").await.unwrap();
    assert!(session.rows(invalid).await.unwrap().is_empty());
    assert_eq!(current(&environment).await, ["b"]);
    session.close().await;
    database.remove().await.unwrap();
}

/// A table is rebuilt the way SQLite's manual says; its rows are referenced by another table with a cascade.
fn rebuild(copy: &str) -> [Sql; 2] {
    let child = "CREATE TABLE t_child (id integer PRIMARY KEY, parent integer REFERENCES t_parent (id) ON DELETE CASCADE)";
    let parent = "CREATE TABLE t_parent (id integer PRIMARY KEY, note text)";
    let statements = [
        "PRAGMA foreign_keys = OFF",
        "CREATE TABLE t_new (id integer PRIMARY KEY, note text NOT NULL DEFAULT '')",
        copy,
        "DROP TABLE t_parent",
        "ALTER TABLE t_new RENAME TO t_parent",
        "PRAGMA foreign_keys = ON",
    ];
    [
        Sql::new("a", None, &[parent, child], &[]),
        Sql::new("b", Some("a"), &statements, &[]),
    ]
}

#[tokio::test]
async fn a_rebuild_on_sqlite_keeps_the_rows_that_reference_the_table() {
    for through_script in [false, true] {
        let database = databases().await.swap_remove(0);
        let environment = environment(
            &database,
            &rebuild("INSERT INTO t_new (id, note) SELECT id, coalesce(note, '') FROM t_parent"),
        );
        upgrade(&environment, "a").await.unwrap();
        send(
            &database,
            "INSERT INTO t_parent VALUES (1, NULL); INSERT INTO t_child VALUES (7, 1)",
        )
        .await;
        if through_script {
            let script = command::upgrade_sql(&environment, None, &"head".parse().unwrap(), Stage::Contract)
                .await
                .unwrap();
            feed(&database, &script.sql).with_code(0);
        } else {
            upgrade(&environment, "head").await.unwrap();
        }
        let session = crate::databases::session(&database).await;
        assert_eq!(session.rows("SELECT 1 FROM t_child").await.unwrap().len(), 1);
        assert_eq!(session.rows("PRAGMA foreign_key_check").await.unwrap().len(), 0);
        session.close().await;
        assert_eq!(current(&environment).await, ["b"]);
        database.remove().await.unwrap();
    }
}

#[tokio::test]
async fn a_rebuild_that_loses_referenced_rows_is_rolled_back() {
    let database = databases().await.swap_remove(0);
    let environment = environment(
        &database,
        &rebuild("INSERT INTO t_new (id, note) SELECT id, 'x' FROM t_parent WHERE 0"),
    );
    upgrade(&environment, "a").await.unwrap();
    send(
        &database,
        "INSERT INTO t_parent VALUES (1, 'kept'); INSERT INTO t_child VALUES (7, 1)",
    )
    .await;
    let error = upgrade_giving_up(&environment, "head").await.unwrap_err();
    let source = std::error::Error::source(&error).unwrap().to_string();
    assert_eq!(
        source,
        "it breaks foreign keys: 1 row of t_child without a row of t_parent (rowid 7)"
    );
    let session = crate::databases::session(&database).await;
    assert_eq!(session.rows("SELECT 1 FROM t_parent").await.unwrap().len(), 1);
    session.close().await;
    assert_eq!(current(&environment).await, ["a"]);
    database.remove().await.unwrap();
}

#[tokio::test]
async fn a_half_done_step_begins_anew_after_what_it_builds_on_was_undone() {
    for database in databases().await {
        let broken = |last: &str| {
            let first = "CREATE INDEX i_note ON t_a (note)";
            let second = "CREATE TABLE t_own (id integer)";
            Sql::new("b", Some("a"), &[first, second, last], &[]).without_transaction()
        };
        let revisions = |last: &str| {
            [
                Sql::table("root", None),
                Sql::table("a", Some("root")),
                broken(last),
            ]
        };
        let failing = environment(&database, &revisions("INSERT INTO t_missing VALUES (1)"));
        upgrade(&failing, "head").await.unwrap_err();
        // The index goes with the table it is on; the other table stays.
        downgrade(&failing, "root").await.unwrap();
        let repaired = environment(&database, &revisions("CREATE TABLE t_last (id integer)"));
        upgrade(&repaired, "head").await.unwrap();
        assert_eq!(current(&repaired).await, ["b"]);
        // It is there again: making it a second time fails.
        let session = crate::databases::session(&database).await;
        session
            .send("CREATE INDEX i_note ON t_a (note)")
            .await
            .unwrap_err();
        session.close().await;
        database.remove().await.unwrap();
    }
}

#[tokio::test]
async fn a_validation_names_the_rows_that_break_the_constraint() {
    let Some(database) = postgres().await else { return };
    for (name, constraint, rows, expected) in [
        (
            "check",
            "CHECK (note <> '')",
            "INSERT INTO t_a VALUES (1, 'a'), (2, ''), (7, '')",
            "rows of t_a break t_check: id=2; id=7",
        ),
        (
            "key",
            "FOREIGN KEY (id) REFERENCES t_parent (id)",
            "INSERT INTO t_parent VALUES (1), (2)",
            "rows of t_a break t_key: id=7",
        ),
    ] {
        let parent = Sql::new(
            "parent",
            Some("a"),
            &["CREATE TABLE t_parent (id integer PRIMARY KEY)"],
            &[],
        );
        let add = format!("ALTER TABLE t_a ADD CONSTRAINT t_{name} {constraint} NOT VALID");
        let validate = format!("ALTER TABLE t_a VALIDATE CONSTRAINT t_{name}");
        let checked = Sql::new(name, Some("parent"), &[&add, &validate], &[]).without_transaction();
        let environment = environment(&database, &[Sql::table("a", None), parent, checked]);
        upgrade(&environment, "parent").await.unwrap();
        send(&database, rows).await;
        let error = upgrade(&environment, name).await.unwrap_err();
        assert!(error.hint().unwrap().contains("repair or delete"));
        let newest = &command::applied_history(&environment).await.unwrap()[0];
        assert!(newest.error.as_ref().unwrap().starts_with(expected), "{newest:?}");
    }
    database.remove().await.unwrap();
}

#[tokio::test]
async fn a_unique_build_names_the_duplicate_and_leaves_no_index_that_counts() {
    let Some(database) = postgres().await else { return };
    let build = Sql::new(
        "unique",
        Some("a"),
        &["CREATE UNIQUE INDEX CONCURRENTLY i_note ON t_a (note)"],
        &[],
    );
    let environment = environment(&database, &[Sql::table("a", None), build.without_transaction()]);
    upgrade(&environment, "a").await.unwrap();
    send(&database, "INSERT INTO t_a VALUES (1, 'twice'), (2, 'twice')").await;
    upgrade(&environment, "head").await.unwrap_err();
    let newest = &command::applied_history(&environment).await.unwrap()[0];
    assert!(
        newest
            .error
            .as_ref()
            .unwrap()
            .contains("Key (note)=(twice) is duplicated"),
        "{newest:?}"
    );
    assert_eq!(current(&environment).await, ["a"]);
    // What it left is found and replaced when the cause is gone.
    send(&database, "DELETE FROM t_a WHERE id = 2").await;
    upgrade(&environment, "head").await.unwrap();
    database.remove().await.unwrap();
}
