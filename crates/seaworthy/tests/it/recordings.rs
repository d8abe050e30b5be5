//! What a recording knows: answers of the schema, of the live database and of the statements before, and what nobody knows.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use futures_util::future::BoxFuture;
use insta::assert_snapshot;
use sea_orm::entity::prelude::*;
use sea_orm::{
    ActiveModelTrait, ActiveValue::Set, DbBackend, EntityTrait, IntoActiveModel, PaginatorTrait, QueryOrder,
    QuerySelect, Statement, TransactionTrait,
};
use sea_orm_migration::prelude::*;
use sea_orm_migration::schema::{integer_null, pk_auto, string, text_null, timestamp};
use seaworthy::revision::{Direction, Revision};
use seaworthy::script::{
    Answers, EmptyDatabase, Known, LiveAnswers, NoDatabase, Question, Script, Subject, record_answered,
    record_probed,
};
use seaworthy::session::Settings;
use seaworthy::verify::ScratchDatabase;

use crate::databases::{databases, postgres, send, session};

mod crew {
    use sea_orm::entity::prelude::*;

    #[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
    #[sea_orm(table_name = "crew")]
    pub(crate) struct Model {
        #[sea_orm(primary_key)]
        pub(crate) id: i32,
        pub(crate) name: String,
        pub(crate) boat: Option<i32>,
    }

    #[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
    pub(crate) enum Relation {}

    impl ActiveModelBehavior for ActiveModel {}
}

mod trip {
    use sea_orm::entity::prelude::*;

    #[derive(Clone, Debug, PartialEq, DeriveEntityModel)]
    #[sea_orm(table_name = "trip")]
    pub(crate) struct Model {
        #[sea_orm(primary_key, auto_increment = false)]
        pub(crate) code: String,
        pub(crate) status: String,
        pub(crate) began_at: DateTime,
        pub(crate) note: Option<String>,
    }

    #[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
    pub(crate) enum Relation {}

    impl ActiveModelBehavior for ActiveModel {}
}

type Act = for<'a> fn(&'a SchemaManager<'a>) -> BoxFuture<'a, Result<(), DbErr>>;

/// A revision made of code, which counts its calls.
struct Code {
    act: Act,
    calls: AtomicUsize,
}

impl MigrationName for Code {
    fn name(&self) -> &str {
        "m20260101_000000_code"
    }
}

impl Revision for Code {}

#[async_trait::async_trait]
impl MigrationTrait for Code {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        self.calls.fetch_add(1, Ordering::Relaxed);
        (self.act)(manager).await
    }
}

const BOTH: [DbBackend; 2] = [DbBackend::Sqlite, DbBackend::Postgres];

fn known(below: impl Answers + 'static, backend: DbBackend) -> Arc<Known> {
    Arc::new(Known::over(Arc::new(below), backend))
}

fn live(database: &ScratchDatabase) -> Arc<Known> {
    let answers = LiveAnswers::new(database.url(), &Settings::default());
    known(answers, database.url().backend())
}

/// Records code once, and fails if it was called more often.
async fn record(known: &Arc<Known>, backend: DbBackend, act: Act) -> Script {
    let calls = AtomicUsize::new(0);
    let code = Code { act, calls };
    let script = record_answered(&code, Direction::Up, backend, known).await;
    assert_eq!(code.calls.load(Ordering::Relaxed), 1);
    script
}

fn create_crew<'a>(manager: &'a SchemaManager<'a>) -> BoxFuture<'a, Result<(), DbErr>> {
    Box::pin(async {
        let crew = Table::create()
            .table("crew")
            .col(pk_auto("id"))
            .col(string("name"))
            .col(integer_null("boat"))
            .to_owned();
        manager.create_table(crew).await
    })
}

fn create_trip<'a>(manager: &'a SchemaManager<'a>) -> BoxFuture<'a, Result<(), DbErr>> {
    Box::pin(async {
        let trip = Table::create()
            .table("trip")
            .col(string("code").primary_key())
            .col(string("status").default("planned"))
            .col(timestamp("began_at").default(Expr::current_timestamp()))
            .col(text_null("note"))
            .to_owned();
        manager.create_table(trip).await
    })
}

fn drop_if_there<'a>(manager: &'a SchemaManager<'a>) -> BoxFuture<'a, Result<(), DbErr>> {
    Box::pin(async {
        if manager.has_table("crew").await? {
            manager.drop_table(Table::drop().table("crew").to_owned()).await?;
        }
        Ok(())
    })
}

const CREW: &str = "CREATE TABLE crew (id integer PRIMARY KEY, name varchar NOT NULL, boat integer); \
    INSERT INTO crew VALUES (1, 'Ada', 7), (2, 'Grace', NULL)";

#[tokio::test]
async fn a_revision_that_asks_before_it_drops_is_told_what_is_there() {
    for database in databases().await {
        let backend = database.url().backend();
        let script = record(&live(&database), backend, drop_if_there).await;
        assert_eq!((script.sent.len(), script.incomplete), (0, None));
        send(&database, CREW).await;
        let script = record(&live(&database), backend, drop_if_there).await;
        assert_eq!(script.sent, [r#"DROP TABLE "crew""#]);
        assert_eq!(script.incomplete, None);
        // Another database would be sent something else.
        assert!(script.depends_on_database);
        assert_eq!(script.checksum(), None);
        database.remove().await.unwrap();
    }
}

#[tokio::test]
async fn what_a_revision_says_when_it_panics_is_named() {
    fn panics<'a>(_: &'a SchemaManager<'a>) -> BoxFuture<'a, Result<(), DbErr>> {
        Box::pin(async { panic!("the crew has no boat") })
    }
    let script = record(&known(NoDatabase, DbBackend::Sqlite), DbBackend::Sqlite, panics).await;
    assert_eq!(
        script.incomplete.as_deref(),
        Some("it panicked with \"the crew has no boat\"")
    );
}

#[tokio::test]
async fn what_nobody_can_answer_is_named() {
    for backend in BOTH {
        let script = record(&known(NoDatabase, backend), backend, drop_if_there).await;
        let reason = script.incomplete.unwrap();
        assert!(
            reason.starts_with(
                r#"what it asks is not known (no database is asked): SELECT COUNT(*) > 0 AS "has_table""#
            ),
            "{reason}"
        );
    }
    let nobody = known(NoDatabase, DbBackend::Sqlite);
    let script = record(&nobody, DbBackend::Sqlite, rename_all).await;
    assert_snapshot!(script.incomplete.unwrap(), @r#"what it asks is not known (no database is asked): SELECT "crew"."id", "crew"."name", "crew"."boat" FROM "crew""#);
    // What a revision does that is not known whole is not known to the next one.
    let script = record(&nobody, DbBackend::Sqlite, drop_if_there).await;
    assert!(script.incomplete.unwrap().contains("m20260101_000000_code"));
}

#[tokio::test]
async fn what_the_statements_before_have_made_is_known() {
    for backend in BOTH {
        let known = known(EmptyDatabase, backend);
        let script = record(&known, backend, create_crew).await;
        assert_eq!(script.incomplete, None);
        let again = Arc::new(Known::clone(&known));
        let script = record(&known, backend, |manager| {
            Box::pin(async {
                if manager.has_column("crew", "name").await? {
                    let drop = Table::alter().table("crew").drop_column("name").to_owned();
                    manager.alter_table(drop).await?;
                }
                let index = Index::create()
                    .name("i_boat")
                    .table("crew")
                    .col("boat")
                    .to_owned();
                if manager.has_table("crew").await? && !manager.has_index("crew", "i_boat").await? {
                    manager.create_index(index).await?;
                }
                let is_gone =
                    !manager.has_column("crew", "name").await? && manager.has_column("crew", "id").await?;
                let is_there =
                    manager.has_index("crew", "i_boat").await? && !manager.has_table("boat").await?;
                assert!(is_gone && is_there);
                manager
                    .rename_table(Table::rename().table("crew", "sailors").to_owned())
                    .await?;
                assert!(!manager.has_table("crew").await? && manager.has_column("sailors", "boat").await?);
                Ok(())
            })
        })
        .await;
        assert_eq!(script.incomplete, None);
        assert_eq!(
            script.sent,
            [
                r#"ALTER TABLE "crew" DROP COLUMN "name""#,
                r#"CREATE INDEX "i_boat" ON "crew" ("boat")"#,
                r#"ALTER TABLE "crew" RENAME TO "sailors""#,
            ]
        );
        // A clone goes on from where it was made.
        let script = record(&again, backend, drop_if_there).await;
        assert_eq!(script.sent, [r#"DROP TABLE "crew""#]);
    }
}

#[tokio::test]
async fn a_renamed_table_has_the_columns_that_it_had_in_the_database() {
    for database in databases().await {
        send(&database, CREW).await;
        let script = record(&live(&database), database.url().backend(), |manager| {
            Box::pin(async {
                manager
                    .rename_table(Table::rename().table("crew", "sailors").to_owned())
                    .await?;
                assert!(manager.has_column("sailors", "boat").await?);
                assert!(!manager.has_column("crew", "boat").await?);
                let if_new = Table::create()
                    .table("crew")
                    .if_not_exists()
                    .col(pk_auto("id"))
                    .to_owned();
                manager.create_table(if_new).await?;
                assert!(!manager.has_column("crew", "boat").await?);
                Ok(())
            })
        })
        .await;
        assert_eq!(script.incomplete, None);
        database.remove().await.unwrap();
    }
}

fn rename_all<'a>(manager: &'a SchemaManager<'a>) -> BoxFuture<'a, Result<(), DbErr>> {
    Box::pin(async {
        let db = manager.get_connection();
        for sailor in crew::Entity::find().all(db).await? {
            let name = sailor.name.to_uppercase();
            let mut sailor = sailor.into_active_model();
            sailor.name = Set(name.clone());
            let updated = sailor.update(db).await?;
            assert_eq!(updated.name, name);
        }
        Ok(())
    })
}

#[tokio::test]
async fn a_loop_over_rows_is_recorded_with_the_rows_that_are_there() {
    for database in databases().await {
        send(&database, CREW).await;
        let script = record(&live(&database), database.url().backend(), rename_all).await;
        assert_eq!(script.incomplete, None);
        let updates: Vec<&str> = script
            .sent
            .iter()
            .map(|sql| sql.split(" RETURNING").next().unwrap())
            .collect();
        assert_eq!(
            updates,
            [
                r#"UPDATE "crew" SET "name" = 'ADA' WHERE "crew"."id" = 1"#,
                r#"UPDATE "crew" SET "name" = 'GRACE' WHERE "crew"."id" = 2"#,
            ]
        );
        // Nothing was changed.
        let session = session(&database).await;
        let rows = session.rows("SELECT name FROM crew ORDER BY id").await.unwrap();
        assert_eq!(rows[0].try_get::<String>("", "name").unwrap(), "Ada");
        session.close().await;
        database.remove().await.unwrap();
    }
}

#[tokio::test]
async fn rows_that_the_recording_has_changed_are_not_read_again() {
    for database in databases().await {
        send(&database, CREW).await;
        let backend = database.url().backend();
        let script = record(&live(&database), backend, |manager| {
            Box::pin(async {
                let db = manager.get_connection();
                db.execute_unprepared("UPDATE crew SET boat = 1").await?;
                crew::Entity::find().all(db).await?;
                Ok(())
            })
        })
        .await;
        let reason = script.incomplete.unwrap();
        assert!(
            reason.contains("statements before have changed rows of crew"),
            "{reason}"
        );
        let script = record(&live(&database), backend, |manager| {
            Box::pin(async {
                let db = manager.get_connection();
                db.execute_unprepared("CREATE TABLE log (line text)").await?;
                db.execute_unprepared("INSERT INTO log (line) VALUES ('x')")
                    .await?;
                assert_eq!(crew::Entity::find().all(db).await?.len(), 2);
                crew::Entity::delete_by_id(1).exec(db).await?;
                assert_eq!(crew::Entity::find_by_id(1).one(db).await?, None);
                assert!(crew::Entity::find_by_id(2).one(db).await?.is_some());
                Ok(())
            })
        })
        .await;
        assert_eq!(script.incomplete, None);
        database.remove().await.unwrap();
    }
}

/// Makes a table unless it is there, changes it, and asks for its rows.
fn make_and_ask<'a>(manager: &'a SchemaManager<'a>) -> BoxFuture<'a, Result<(), DbErr>> {
    Box::pin(async {
        let crew = Table::create()
            .table("crew")
            .if_not_exists()
            .col(pk_auto("id"))
            .col(string("name"))
            .to_owned();
        manager.create_table(crew).await?;
        let boat = Table::alter()
            .table("crew")
            .add_column(integer_null("boat"))
            .to_owned();
        manager.alter_table(boat).await?;
        let db = manager.get_connection();
        assert!(crew::Entity::find().all(db).await?.is_empty());
        let sorted = crew::Entity::find()
            .filter(crew::Column::Name.starts_with("A"))
            .order_by_desc(crew::Column::Id);
        assert_eq!(sorted.one(db).await?, None);
        assert_eq!(crew::Entity::find_by_id(1).one(db).await?, None);
        Ok(())
    })
}

/// Asks in each way that SeaORM has for the rows of tables that were made, renamed, and filled from one without rows.
fn make_rename_and_ask<'a>(manager: &'a SchemaManager<'a>) -> BoxFuture<'a, Result<(), DbErr>> {
    Box::pin(async {
        let db = manager.get_connection();
        db.execute_unprepared(
            "CREATE TABLE hands (id integer NOT NULL PRIMARY KEY, name text NOT NULL, boat integer)",
        )
        .await?;
        db.execute_unprepared("CREATE TABLE old_hands (id integer NOT NULL PRIMARY KEY, name text)")
            .await?;
        db.execute_unprepared("ALTER TABLE hands RENAME TO crew").await?;
        let copied = "INSERT INTO crew (id, name) SELECT id, name FROM old_hands WHERE name <> ''";
        assert_eq!(db.execute_unprepared(copied).await?.rows_affected(), 0);
        assert_eq!(crew::Entity::find().count(db).await?, 0);
        assert_eq!(
            crew::Entity::find()
                .filter(crew::Column::Boat.eq(3))
                .count(db)
                .await?,
            0
        );
        assert_eq!(crew::Entity::find().one(db).await?, None);
        let pages = crew::Entity::find()
            .order_by_asc(crew::Column::Id)
            .paginate(db, 10);
        assert_eq!(pages.num_items_and_pages().await?.number_of_items, 0);
        assert!(pages.fetch_page(0).await?.is_empty());
        let greatest: Option<Option<i32>> = crew::Entity::find()
            .select_only()
            .column_as(crew::Column::Id.max(), "greatest")
            .into_tuple()
            .one(db)
            .await?;
        assert_eq!(greatest, Some(None));
        let raw = |sql: &str| Statement::from_string(db.get_database_backend(), sql);
        for (sql, name, expected) in [
            ("SELECT COUNT(*) FROM crew", None, 0),
            (
                "SELECT COUNT(*) AS many FROM crew WHERE boat IS NULL",
                Some("many"),
                0,
            ),
            ("SELECT COALESCE(MAX(id), 41) AS next FROM crew", Some("next"), 41),
        ] {
            let row = db.query_one_raw(raw(sql)).await?.unwrap();
            let number: i64 = match name {
                Some(name) => row.try_get("", name)?,
                None => row.try_get_by_index(0)?,
            };
            assert_eq!(number, expected, "{sql}");
        }
        let exists = "SELECT EXISTS (SELECT 1 FROM crew WHERE id = 3) AS is_there";
        assert!(
            !db.query_one_raw(raw(exists))
                .await?
                .unwrap()
                .try_get::<bool>("", "is_there")?
        );
        assert!(
            db.query_one_raw(raw("SELECT 1 FROM crew LIMIT 1"))
                .await?
                .is_none()
        );
        Ok(())
    })
}

#[tokio::test]
async fn a_table_without_rows_answers_whatever_is_asked_of_it() {
    for backend in [DbBackend::Sqlite, DbBackend::Postgres] {
        let known = Arc::new(Known::over(Arc::new(EmptyDatabase), backend));
        assert_eq!(
            record(&known, backend, make_rename_and_ask).await.incomplete,
            None
        );
        let then_ask: [Act; 3] = [
            // Another table may have rows, and has had the name.
            |manager| {
                Box::pin(send_and_ask(
                    manager,
                    "INSERT INTO crew (id, name) SELECT 1, 'Ada'",
                ))
            },
            |manager| Box::pin(send_and_ask(manager, "INSERT INTO crew SELECT * FROM hands")),
            |manager| Box::pin(send_and_ask(manager, "ALTER TABLE tasks RENAME TO crew")),
        ];
        for act in then_ask {
            let known = Arc::new(Known::over(Arc::new(EmptyDatabase), backend));
            assert_eq!(
                record(&known, backend, make_rename_and_ask).await.incomplete,
                None
            );
            assert!(record(&known, backend, act).await.incomplete.is_some());
        }
    }
}

async fn send_and_ask(manager: &SchemaManager<'_>, sql: &str) -> Result<(), DbErr> {
    let db = manager.get_connection();
    db.execute_unprepared(sql).await?;
    crew::Entity::find().all(db).await.map(drop)
}

#[tokio::test]
async fn a_table_that_the_statements_have_made_has_no_rows_but_theirs() {
    for database in databases().await {
        let backend = database.url().backend();
        let script = record(&live(&database), backend, make_and_ask).await;
        assert_eq!(script.incomplete, None);
        let then_ask: [Act; 5] = [
            |manager| Box::pin(send_and_ask(manager, "INSERT INTO crew (name) VALUES ('Ada')")),
            |manager| Box::pin(send_and_ask(manager, "COPY crew FROM '/tmp/crew'")),
            |manager| Box::pin(send_and_ask(manager, "CREATE TABLE hand (a int) INHERITS (crew)")),
            // It may put rows anywhere, and so may those of a table that was there before.
            |manager| {
                Box::pin(send_and_ask(
                    manager,
                    "CREATE TRIGGER t AFTER INSERT ON crew BEGIN SELECT 1; END",
                ))
            },
            |manager| Box::pin(send_and_ask(manager, "UPDATE tasks SET title = 'x'")),
        ];
        for act in then_ask {
            let known = live(&database);
            assert_eq!(record(&known, backend, make_and_ask).await.incomplete, None);
            let reason = record(&known, backend, act).await.incomplete.unwrap();
            assert!(reason.contains("have made crew"), "{reason}");
        }
        // The database may give a new row the very number, and another schema has tables of its own.
        let then_look: [Act; 2] = [
            |manager| {
                Box::pin(async {
                    let db = manager.get_connection();
                    db.execute_unprepared("INSERT INTO crew (name) VALUES ('Ada')")
                        .await?;
                    crew::Entity::find_by_id(1).one(db).await.map(drop)
                })
            },
            |manager| {
                Box::pin(async {
                    let db = manager.get_connection();
                    let elsewhere = "SELECT id FROM legacy.crew".to_owned();
                    let statement = Statement::from_string(db.get_database_backend(), elsewhere);
                    db.query_all_raw(statement).await.map(drop)
                })
            },
        ];
        for act in then_look {
            let known = live(&database);
            assert_eq!(record(&known, backend, make_and_ask).await.incomplete, None);
            assert!(record(&known, backend, act).await.incomplete.is_some());
        }
        let made_otherwise: [Act; 2] = [
            |manager| {
                let filled = "CREATE TABLE crew (id, name, boat) AS SELECT 1, 'Ada', 7";
                Box::pin(send_and_ask(manager, filled))
            },
            |manager| {
                let shown = "CREATE FOREIGN TABLE crew (id int, name text, boat int) SERVER s";
                Box::pin(send_and_ask(manager, shown))
            },
        ];
        for act in made_otherwise {
            assert!(record(&live(&database), backend, act).await.incomplete.is_some());
        }
        // One that may have been there may have rows.
        send(&database, CREW).await;
        let script = record(&live(&database), backend, |manager| {
            let create = "CREATE TABLE IF NOT EXISTS crew (id integer, name text, boat integer)";
            Box::pin(send_and_ask(manager, create))
        })
        .await;
        let reason = script.incomplete.unwrap();
        assert!(reason.contains("crew may have been there before"), "{reason}");
        let view = "DROP TABLE crew; CREATE VIEW crew AS SELECT 1 AS id, 'Ada' AS name, 7 AS boat";
        send(&database, view).await;
        let script = record(&live(&database), backend, |manager| {
            let create = "CREATE TABLE IF NOT EXISTS crew (id integer, name text, boat integer)";
            Box::pin(send_and_ask(manager, create))
        })
        .await;
        assert!(script.incomplete.is_some());
        database.remove().await.unwrap();
    }
}

#[tokio::test]
async fn a_question_that_would_change_something_is_not_sent() {
    let Some(database) = postgres().await else { return };
    send(
        &database,
        "CREATE SEQUENCE numbers; CREATE TABLE crew (id integer)",
    )
    .await;
    for (sql, why) in [
        ("SELECT nextval('numbers')", "it calls nextval"),
        ("SELECT pg_advisory_lock(1)", "it calls pg_advisory_lock"),
        ("SELECT id FROM crew FOR UPDATE", "read-only transaction"),
        ("SELECT id FROM nowhere", "does not exist"),
    ] {
        let question = Question::new(Statement::from_string(DbBackend::Postgres, sql));
        let answer = LiveAnswers::new(database.url(), &Settings::default()).answer(&question);
        assert!(format!("{answer:?}").contains(why), "{sql}: {answer:?}");
    }
    database.remove().await.unwrap();
}

#[tokio::test]
async fn what_a_common_table_expression_deletes_is_a_statement() {
    let script = record(
        &known(NoDatabase, DbBackend::Postgres),
        DbBackend::Postgres,
        |manager| {
            Box::pin(async {
                let sql = "WITH gone AS (DELETE FROM notes RETURNING 1) SELECT count(*) FROM gone";
                let statement = Statement::from_string(DbBackend::Postgres, sql);
                manager.get_connection().query_one_raw(statement).await?;
                Ok(())
            })
        },
    )
    .await;
    assert_eq!(script.sent.len(), 1);
    assert_eq!(script.reads, [""; 0]);
    assert!(
        script
            .incomplete
            .unwrap()
            .starts_with("what it is told is not known")
    );
}

#[tokio::test]
async fn a_seed_of_entities_is_recorded() {
    for backend in BOTH {
        let known = known(EmptyDatabase, backend);
        record(&known, backend, create_crew).await;
        record(&known, backend, create_trip).await;
        let script = record(&known, backend, |manager| {
            Box::pin(async {
                let db = manager.get_connection();
                let ada = crew::ActiveModel {
                    name: Set("Ada".to_owned()),
                    ..Default::default()
                };
                let ada = ada.insert(db).await?;
                assert_eq!((ada.name.as_str(), ada.boat), ("Ada", None));
                let trip = trip::ActiveModel {
                    code: Set("A1".to_owned()),
                    ..Default::default()
                };
                let trip = trip.insert(db).await?;
                assert_eq!(
                    (trip.code.as_str(), trip.status.as_str(), trip.note),
                    ("A1", "planned", None)
                );
                let many = ["Grace", "Joan"].map(|name| crew::ActiveModel {
                    name: Set(name.to_owned()),
                    ..Default::default()
                });
                crew::Entity::insert_many(many).exec(db).await?;
                let one = crew::ActiveModel {
                    id: Set(9),
                    name: Set("Mary".to_owned()),
                    boat: Set(Some(7)),
                };
                let one = crew::Entity::insert(one).exec(db).await?;
                assert_eq!(one.last_insert_id, 9);
                Ok(())
            })
        })
        .await;
        assert_eq!(script.incomplete, None);
        assert_eq!(script.sent.len(), 4);
        assert!(script.sent[0].starts_with(r#"INSERT INTO "crew" ("name") VALUES ('Ada')"#));
        assert!(script.checksum().is_some());
    }
}

#[tokio::test]
async fn an_id_that_only_the_database_knows_is_named_when_it_is_used() {
    for backend in BOTH {
        let known = known(EmptyDatabase, backend);
        record(&known, backend, create_crew).await;
        let script = record(&known, backend, |manager| {
            Box::pin(async {
                let db = manager.get_connection();
                let sailor = |name: &str, boat| crew::ActiveModel {
                    name: Set(name.to_owned()),
                    boat: Set(boat),
                    ..Default::default()
                };
                let ada = sailor("Ada", None).insert(db).await?;
                sailor("Grace", Some(ada.id)).insert(db).await?;
                Ok(())
            })
        })
        .await;
        let reason = script.incomplete.unwrap();
        assert!(
            reason.starts_with("it uses the id that the database gives to crew: INSERT INTO"),
            "{reason}"
        );
    }
}

#[tokio::test]
async fn a_time_that_only_the_database_knows_is_named_when_it_is_used() {
    for backend in BOTH {
        let known = known(EmptyDatabase, backend);
        record(&known, backend, create_trip).await;
        let script = record(&known, backend, |manager| {
            Box::pin(async {
                let db = manager.get_connection();
                let trip = |code: &str| trip::ActiveModel {
                    code: Set(code.to_owned()),
                    ..Default::default()
                };
                let first = trip("A1").insert(db).await?;
                let mut second = trip("A2");
                second.began_at = Set(first.began_at);
                trip::Entity::insert(second).exec(db).await?;
                Ok(())
            })
        })
        .await;
        let reason = script.incomplete.unwrap();
        assert!(
            reason.starts_with("it uses the began_at that the database gives to trip: INSERT INTO"),
            "{reason}"
        );
    }
}

fn fill_in_batches<'a>(manager: &'a SchemaManager<'a>) -> BoxFuture<'a, Result<(), DbErr>> {
    Box::pin(async {
        let batch = "UPDATE crew SET boat = 0 WHERE id IN (SELECT id FROM crew WHERE boat IS NULL LIMIT 100)";
        let db = manager.get_connection();
        while db.execute_unprepared(batch).await?.rows_affected() == 100 {}
        Ok(())
    })
}

fn log_if_changed<'a>(manager: &'a SchemaManager<'a>) -> BoxFuture<'a, Result<(), DbErr>> {
    Box::pin(async {
        let db = manager.get_connection();
        let changed = db.execute_unprepared("UPDATE crew SET boat = 0").await?;
        if changed.rows_affected() > 0 {
            db.execute_unprepared("INSERT INTO log (line) VALUES ('filled')")
                .await?;
        }
        Ok(())
    })
}

#[tokio::test]
async fn a_loop_over_batches_ends_and_is_not_known_beforehand() {
    for backend in BOTH {
        let script = record(&known(NoDatabase, backend), backend, fill_in_batches).await;
        assert_eq!(
            script.incomplete.as_deref(),
            Some("it goes on by how many rows a statement has changed")
        );
        assert_eq!(script.sent.len(), 3);
        let by_ranges = record(&known(NoDatabase, backend), backend, |manager| {
            Box::pin(async {
                let mut from = 0;
                loop {
                    let batch = format!(
                        "UPDATE crew SET boat = 0 WHERE id BETWEEN {from} AND {}",
                        from + 99
                    );
                    let changed = manager.get_connection().execute_unprepared(&batch).await?;
                    if changed.rows_affected() == 0 {
                        return Ok(());
                    }
                    from += 100;
                }
            })
        })
        .await;
        assert_eq!(
            by_ranges.incomplete.as_deref(),
            Some("it goes on by how many rows a statement has changed")
        );
    }
}

/// Sends something else each time, whatever a statement changes.
fn make_up_an_id<'a>(manager: &'a SchemaManager<'a>) -> BoxFuture<'a, Result<(), DbErr>> {
    let id = fastrand::u64(..);
    Box::pin(async move {
        let insert = format!("INSERT INTO crew (name, boat) VALUES ('{id}', {})", id % 100);
        manager
            .get_connection()
            .execute_unprepared(&insert)
            .await
            .map(drop)
    })
}

/// Sends something else each time, and one statement only where another has changed rows.
fn make_up_an_id_and_log<'a>(manager: &'a SchemaManager<'a>) -> BoxFuture<'a, Result<(), DbErr>> {
    Box::pin(async move {
        make_up_an_id(manager).await?;
        log_if_changed(manager).await
    })
}

#[tokio::test]
async fn what_depends_on_the_number_of_changed_rows_is_found_by_recording_twice() {
    for backend in BOTH {
        for (act, expected) in [
            (log_if_changed as Act, true),
            (create_crew, false),
            (make_up_an_id, false),
            (make_up_an_id_and_log, true),
        ] {
            let calls = AtomicUsize::new(0);
            let code = Code { act, calls };
            let script = record_probed(&code, Direction::Up, backend, &known(NoDatabase, backend)).await;
            let reason = "it sends something else where a statement changes no rows";
            assert_eq!(script.incomplete.as_deref(), expected.then_some(reason));
        }
    }
}

#[tokio::test]
async fn a_question_of_the_catalog_is_answered_until_the_schema_has_changed() {
    for database in databases().await {
        send(&database, CREW).await;
        let backend = database.url().backend();
        let script = record(&live(&database), backend, |manager| {
            Box::pin(async {
                let backend = manager.get_database_backend();
                let sql = match backend {
                    DbBackend::Postgres => "SELECT to_regclass('crew')::text AS name",
                    _ => "SELECT name FROM sqlite_schema WHERE name = 'crew'",
                };
                let ask = || {
                    manager
                        .get_connection()
                        .query_one_raw(Statement::from_string(backend, sql))
                };
                let name: String = ask().await?.unwrap().try_get("", "name")?;
                assert_eq!(name, "crew");
                manager.drop_table(Table::drop().table("crew").to_owned()).await?;
                ask().await?;
                Ok(())
            })
        })
        .await;
        let reason = script.incomplete.unwrap();
        assert!(
            reason.contains("have changed the schema that it asks for"),
            "{reason}"
        );
        database.remove().await.unwrap();
    }
}

/// What a renamed table is asked by is what `SchemaManager` would ask.
#[tokio::test]
async fn the_questions_of_the_schema_manager_are_recognised() {
    for backend in BOTH {
        let script = record(&known(EmptyDatabase, backend), backend, |manager| {
            Box::pin(async {
                manager.has_table("crew").await?;
                manager.has_column("crew", "name").await?;
                manager.has_index("crew", "i_name").await?;
                Ok(())
            })
        })
        .await;
        let (table, column, index) = ("crew".to_owned(), "name".to_owned(), "i_name".to_owned());
        let subjects = [
            Subject::Table { table: table.clone() },
            Subject::Column {
                table: table.clone(),
                column,
            },
            Subject::Index { table, index },
        ];
        let asked = subjects.map(|subject| Question::about(subject, backend).unwrap().statement.to_string());
        assert_eq!(script.reads, asked);
        assert_eq!(script.incomplete, None);
    }
}

#[tokio::test]
async fn a_missing_file_has_no_tables_and_is_not_made() {
    let database = &databases().await[0];
    let script = record(&live(database), DbBackend::Sqlite, drop_if_there).await;
    assert_eq!((script.sent.len(), script.incomplete), (0, None));
    assert!(!database.url().file().unwrap().exists());
}

/// A revision that goes by whether it runs in a transaction.
struct Branching {
    in_transaction: Option<bool>,
}

impl MigrationName for Branching {
    fn name(&self) -> &str {
        "m_branches"
    }
}

impl Revision for Branching {}

#[async_trait::async_trait]
impl MigrationTrait for Branching {
    fn use_transaction(&self) -> Option<bool> {
        self.in_transaction
    }

    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        let db = manager.get_connection();
        match db.is_transaction() {
            true => db.execute_unprepared("CREATE TABLE inside (id integer)").await?,
            false => db.execute_unprepared("CREATE TABLE outside (id integer)").await?,
        };
        let part = db.begin().await?;
        part.execute_unprepared("CREATE TABLE part (id integer)").await?;
        part.commit().await?;
        Ok(())
    }
}

#[tokio::test]
async fn what_is_recorded_of_a_revision_sees_the_transaction_that_its_run_has() {
    for backend in [DbBackend::Sqlite, DbBackend::Postgres] {
        for (in_transaction, expected) in [
            (
                None,
                "CREATE TABLE inside (id integer); SAVEPOINT step_1; CREATE TABLE part (id integer); RELEASE SAVEPOINT step_1",
            ),
            (
                Some(false),
                "CREATE TABLE outside (id integer); BEGIN; CREATE TABLE part (id integer); COMMIT",
            ),
        ] {
            let known = Arc::new(Known::over(Arc::new(EmptyDatabase), backend));
            let script = record_answered(&Branching { in_transaction }, Direction::Up, backend, &known).await;
            assert_eq!(script.incomplete, None);
            assert_eq!(script.sent.join("; "), expected);
        }
    }
}
