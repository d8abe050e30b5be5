//! What the questions of a revision mean for the commands: what is asked before rows go, what gets into a script, and what cannot be
//! undone.

use futures_util::future::BoxFuture;
use sea_orm::{ActiveModelTrait, ActiveValue::Set, ConnectionTrait, Statement};
use sea_orm_migration::prelude::*;
use seaworthy::command::{self, CommandError, Conduct, OutOfOrder};
use seaworthy::environment::Environment;
use seaworthy::revision::{Header, Revision};
use seaworthy::verify::ScratchDatabase;

use crate::clients::{ask, feed};
use crate::databases::{
    Code, Person, Sql, databases, environment, environment_of, postgres, send, tables, upgrade,
};
use crate::offline::{empty, script};

type Acted<'a> = BoxFuture<'a, Result<(), DbErr>>;

fn create_crew<'a>(manager: &'a SchemaManager<'a>) -> Acted<'a> {
    let crew = Table::create()
        .table("t_crew")
        .col(ColumnDef::new("id").integer().not_null().primary_key())
        .col(ColumnDef::new("name").string().not_null())
        .to_owned();
    Box::pin(async move { manager.create_table(crew).await })
}

fn drop_crew_if_there<'a>(manager: &'a SchemaManager<'a>) -> Acted<'a> {
    Box::pin(async {
        match manager.has_table("t_crew").await? {
            true => manager.drop_table(Table::drop().table("t_crew").to_owned()).await,
            false => Ok(()),
        }
    })
}

fn change_crew_as_it_is<'a>(manager: &'a SchemaManager<'a>) -> Acted<'a> {
    Box::pin(async {
        if manager.has_column("t_crew", "name").await? {
            let alter = Table::alter().table("t_crew").drop_column("name").to_owned();
            manager.alter_table(alter).await?;
        }
        if manager.has_table("t_crew").await? {
            let index = Index::create()
                .name("i_crew")
                .table("t_crew")
                .col("id")
                .to_owned();
            manager.create_index(index).await?;
        }
        Ok(())
    })
}

fn drop_crew_without_names<'a>(manager: &'a SchemaManager<'a>) -> Acted<'a> {
    Box::pin(async {
        let db = manager.get_connection();
        let question = Statement::from_string(db.get_database_backend(), "SELECT name FROM t_crew");
        match db.query_all_raw(question).await?.is_empty() {
            true => db.execute_unprepared("DROP TABLE t_crew").await.map(drop),
            false => Ok(()),
        }
    })
}

fn create_crew_and_change_nobody<'a>(manager: &'a SchemaManager<'a>) -> Acted<'a> {
    Box::pin(async {
        create_crew(manager).await?;
        let db = manager.get_connection();
        db.execute_unprepared("UPDATE t_crew SET name = 'Eve'").await?;
        db.execute_unprepared("DELETE FROM t_crew WHERE id > 3").await?;
        drop_crew_without_names(manager).await
    })
}

/// In a table without rows nothing is changed or deleted, so that what it is asked can be answered.
#[tokio::test]
async fn what_has_no_rows_has_none_after_they_are_changed_and_deleted() {
    for database in databases().await {
        let code = Code::new("a", None).up(create_crew_and_change_nobody);
        let environment = environment_of(&database, vec![Box::new(code)]);
        let text = script(&environment, Some("base"), "head").await.unwrap().sql;
        assert!(text.contains("DROP TABLE t_crew"), "{text}");
        database.remove().await.unwrap();
    }
}

mod crew {
    use sea_orm::entity::prelude::*;

    #[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
    #[sea_orm(table_name = "t_crew")]
    pub(super) struct Model {
        #[sea_orm(primary_key, auto_increment = false)]
        pub(super) id: i32,
        pub(super) name: String,
    }

    #[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
    pub(super) enum Relation {}

    impl ActiveModelBehavior for ActiveModel {}
}

fn seed_crew<'a>(manager: &'a SchemaManager<'a>) -> Acted<'a> {
    Box::pin(async {
        let db = manager.get_connection();
        for (id, name) in [(1, "Ada"), (2, "Ben")] {
            let sailor = crew::ActiveModel {
                id: Set(id),
                name: Set(name.to_owned()),
            };
            sailor.insert(db).await?;
        }
        Ok(())
    })
}

fn with_crew(database: &ScratchDatabase, next: Option<Code>) -> Environment {
    let first = Code::new("a", None).up(create_crew).down(drop_crew_if_there);
    let next = next.map(|next| Box::new(next) as Box<dyn Revision>);
    let first = Box::new(first) as Box<dyn Revision>;
    environment_of(database, [first].into_iter().chain(next).collect())
}

async fn refused_downgrade(environment: &Environment, person: &Person) -> CommandError {
    let base = "base".parse().unwrap();
    person
        .run(async |conduct| command::downgrade(environment, &base, conduct).await)
        .await
        .unwrap_err()
}

#[tokio::test]
async fn a_table_that_is_dropped_if_it_is_there_is_named_with_its_rows() {
    for database in databases().await {
        let environment = with_crew(&database, None);
        upgrade(&environment, "head").await.unwrap();
        send(&database, "INSERT INTO t_crew VALUES (1, 'Ada'), (2, 'Ben')").await;
        let error = refused_downgrade(&environment, &Person::default()).await;
        assert_eq!(error.kind(), "refused");
        assert_eq!(error.to_string(), "this would destroy table t_crew (2 rows)");
        assert_eq!(ask(&database, "SELECT count(*) FROM t_crew"), "2");
        database.remove().await.unwrap();
    }
}

#[tokio::test]
async fn a_script_answers_questions_about_the_schema_that_revisions_before_have_made() {
    let next = || Some(Code::new("b", Some("a")).up(change_crew_as_it_is));
    for database in databases().await {
        let environment = with_crew(&database, next());
        let columns = match database.url().file() {
            None => {
                "SELECT string_agg(column_name, ' ') FROM information_schema.columns WHERE table_name = 't_crew'"
            }
            Some(_) => "SELECT group_concat(name, ' ') FROM pragma_table_info('t_crew')",
        };
        let indexes = match database.url().file() {
            None => "SELECT count(*) FROM pg_indexes WHERE indexname = 'i_crew'",
            Some(_) => "SELECT count(*) FROM sqlite_master WHERE name = 'i_crew'",
        };
        let script = script(&environment, None, "head").await.unwrap();
        feed(&database, &script.sql).with_code(0);
        assert_eq!([ask(&database, columns), ask(&database, indexes)], ["id", "1"]);
        empty(&database);
        upgrade(&environment, "head").await.unwrap();
        assert_eq!([ask(&database, columns), ask(&database, indexes)], ["id", "1"]);
        database.remove().await.unwrap();
    }
}

#[tokio::test]
async fn a_question_about_rows_gets_into_no_script_and_says_which() {
    for database in databases().await {
        let next = Code::new("b", Some("a")).up(drop_crew_without_names);
        let later = Box::new(Sql::table("c", Some("b"))) as Box<dyn Revision>;
        let first = Code::new("a", None).up(create_crew);
        let environment = environment_of(&database, vec![Box::new(first), Box::new(next), later]);
        upgrade(&environment, "a").await.unwrap();
        let error = script(&environment, Some("a"), "head").await.unwrap_err();
        assert_eq!(error.kind(), "not_recordable");
        let said = error.to_string();
        assert!(
            said.contains('b') && said.contains("SELECT name FROM t_crew"),
            "{said}"
        );
        database.remove().await.unwrap();
    }
}

#[tokio::test]
async fn what_an_entity_seeds_is_in_the_script() {
    for database in databases().await {
        let environment = with_crew(&database, Some(Code::new("b", Some("a")).up(seed_crew)));
        let script = script(&environment, None, "head").await.unwrap();
        feed(&database, &script.sql).with_code(0);
        assert_eq!(ask(&database, "SELECT max(name) FROM t_crew WHERE id = 2"), "Ben");
        assert_eq!(ask(&database, "SELECT count(*) FROM t_crew"), "2");
        database.remove().await.unwrap();
    }
}

#[tokio::test]
async fn some_rows_of_a_table_are_counted_by_their_condition() {
    for database in databases().await {
        let delete = "DELETE FROM t_a WHERE note IN ('First Post', 'Second Post')";
        let seed = Sql::new("b", Some("a"), &["SELECT 1"], &[delete]);
        let environment = environment(&database, &[Sql::table("a", None), seed]);
        upgrade(&environment, "head").await.unwrap();
        let numbers =
            "WITH RECURSIVE n (n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM n WHERE n < 502) SELECT n";
        let fill = format!(
            "INSERT INTO t_a {numbers}, CASE n WHEN 7 THEN 'First Post' WHEN 9 THEN 'Second Post' ELSE 'x' END FROM n"
        );
        send(&database, &fill).await;
        let target = "a".parse().unwrap();
        let refused = Person::default()
            .run(async |conduct| command::downgrade(&environment, &target, conduct).await)
            .await
            .unwrap_err();
        assert_eq!(refused.to_string(), "this would destroy 2 of 502 rows of t_a");
        database.remove().await.unwrap();
    }
}

#[tokio::test]
async fn a_partition_that_is_taken_off_keeps_its_rows() {
    let Some(database) = postgres().await else { return };
    let trips = [
        "CREATE TABLE t_trips (id integer, year integer) PARTITION BY LIST (year)",
        "CREATE TABLE t_trips_2025 PARTITION OF t_trips FOR VALUES IN (2025)",
    ];
    let detach = "ALTER TABLE t_trips DETACH PARTITION t_trips_2025";
    let revisions = [
        Sql::new("a", None, &trips, &[]),
        Sql::new("b", Some("a"), &[detach], &[]),
    ];
    let environment = environment(&database, &revisions);
    upgrade(&environment, "a").await.unwrap();
    send(&database, "INSERT INTO t_trips VALUES (1, 2025)").await;
    upgrade(&environment, "head").await.unwrap();
    assert_eq!(ask(&database, "SELECT count(*) FROM t_trips_2025"), "1");
    database.remove().await.unwrap();
}

/// Somebody who agrees, and meanwhile somebody else writes.
pub(crate) async fn agreeing_while(
    database: &ScratchDatabase,
    written: &'static str,
    act: impl AsyncFnOnce(&Conduct<'_>) -> Result<(), CommandError>,
) -> Result<(), CommandError> {
    let write = || {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
        runtime.unwrap().block_on(send(database, written));
    };
    Person::default()
        .run(async |conduct| {
            let conduct = Conduct {
                stop: conduct.stop.clone(),
                consent: &|_| std::thread::scope(|scope| scope.spawn(write).join().is_ok()),
                ..*conduct
            };
            act(&conduct).await
        })
        .await
}

#[tokio::test]
async fn what_comes_after_the_question_is_not_dropped_with_what_was_asked_about() {
    for database in databases().await {
        let revisions = [
            Sql::table("a", None),
            Sql::table("b", Some("a")),
            Sql::new("c", Some("b"), &["DROP TABLE t_a", "DROP TABLE t_b"], &[]),
        ];
        let environment = environment(&database, &revisions);
        upgrade(&environment, "b").await.unwrap();
        send(&database, "INSERT INTO t_a (id) VALUES (1)").await;
        let late = "INSERT INTO t_b (id) VALUES (7)";
        let base = "base".parse().unwrap();
        let down = agreeing_while(&database, late, async |conduct| {
            command::downgrade(&environment, &base, conduct).await.map(drop)
        });
        assert_eq!(down.await.unwrap_err().kind(), "changed_meanwhile");
        assert_eq!(tables(&database).await, ["t_a", "t_b"]);

        send(&database, "DELETE FROM t_b").await;
        let head = "head".parse().unwrap();
        let up = agreeing_while(&database, late, async |conduct| {
            command::upgrade(&environment, &head, OutOfOrder::Refuse, conduct)
                .await
                .map(drop)
        });
        assert_eq!(up.await.unwrap_err().kind(), "changed_meanwhile");
        assert_eq!(tables(&database).await, ["t_a", "t_b"]);

        // More rows of what was named may come at any moment.
        send(&database, "DELETE FROM t_b").await;
        let agreeing = Person::agreeing();
        agreeing
            .run(async |conduct| command::downgrade(&environment, &base, conduct).await)
            .await
            .unwrap();
        database.remove().await.unwrap();
    }
}

/// A revision of which nobody has written the way back.
struct WithoutDown;

impl MigrationName for WithoutDown {
    fn name(&self) -> &'static str {
        "m_a"
    }
}

impl Revision for WithoutDown {
    fn header(&self) -> Option<Header> {
        Some(Header::new("a").name("m_a"))
    }
}

#[async_trait::async_trait]
impl MigrationTrait for WithoutDown {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        create_crew(manager).await
    }
}

fn fail<'a>(_: &'a SchemaManager<'a>) -> Acted<'a> {
    Box::pin(async { Err(DbErr::Custom("the letters are burnt".to_owned())) })
}

/// Returns revisions that cannot be undone, and why.
fn cannot_be_undone() -> [(Box<dyn Revision>, &'static str); 3] {
    let declared = Code::new("a", None).up(create_crew).down(drop_crew_if_there);
    let declared = declared.header(|header| header.irreversible("the names were merged"));
    let failing = Code::new("a", None).up(create_crew).down(fail);
    [
        (Box::new(WithoutDown), "it has no `down`"),
        (Box::new(declared), "the names were merged"),
        (
            Box::new(failing),
            "its `down` says \"Custom Error: the letters are burnt\"",
        ),
    ]
}

#[tokio::test]
async fn what_cannot_be_undone_says_why_and_asks_nobody() {
    for index in 0..cannot_be_undone().len() {
        for database in databases().await {
            let (revision, reason) = cannot_be_undone().into_iter().nth(index).unwrap();
            let environment = environment_of(&database, vec![revision]);
            upgrade(&environment, "head").await.unwrap();
            send(&database, "INSERT INTO t_crew VALUES (1, 'Ada')").await;
            let person = Person::agreeing();
            let error = refused_downgrade(&environment, &person).await;
            let (from, base) = ("head".parse().unwrap(), "base".parse().unwrap());
            let offline = command::downgrade_sql(&environment, Some(&from), &base)
                .await
                .unwrap_err();
            for error in [error, offline] {
                assert_eq!(error.kind(), "cannot_be_undone", "{reason}");
                assert_eq!(
                    error.to_string(),
                    format!("revision a cannot be undone: {reason}")
                );
                assert!(!error.hint().unwrap().contains("--yes"), "{reason}");
            }
            assert_eq!(*person.asked.lock().unwrap(), [], "{reason}");
            assert_eq!(ask(&database, "SELECT count(*) FROM t_crew"), "1", "{reason}");
            database.remove().await.unwrap();
        }
    }
}
