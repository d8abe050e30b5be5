//! What a step destroys although nobody could know it beforehand is seen before it is committed.

use std::error::Error as _;

use futures_util::future::BoxFuture;
use sea_orm::{ConnectionTrait, Statement};
use sea_orm_migration::prelude::*;
use seaworthy::command::{self, CommandError, OutOfOrder};
use seaworthy::environment::Environment;
use seaworthy::revision::{Accepted, Direction, Header, Revision};
use seaworthy::verify::ScratchDatabase;

use crate::databases::{self, Code, Person, Sql, databases, send, session, upgrade_giving_up};

/// A revision that reads what it sends from a row that it has written just before, which no recording can answer.
struct Hidden {
    header: Header,
    order: &'static str,
    transaction: Option<bool>,
}

impl MigrationName for Hidden {
    fn name(&self) -> &str {
        &self.header.name
    }
}

impl Revision for Hidden {
    fn header(&self) -> Option<Header> {
        Some(self.header.clone())
    }
}

#[async_trait::async_trait]
impl MigrationTrait for Hidden {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        let connection = manager.get_connection();
        let backend = connection.get_database_backend();
        let write =
            Statement::from_sql_and_values(backend, "UPDATE orders SET sql = $1", [self.order.into()]);
        connection.execute_raw(write).await?;
        let read = Statement::from_string(backend, "SELECT sql FROM orders");
        let row = connection.query_one_raw(read).await?;
        let order: String = row.map_or(Ok("SELECT 1".to_owned()), |row| row.try_get("", "sql"))?;
        connection.execute_unprepared(&order).await.map(drop)
    }

    fn use_transaction(&self) -> Option<bool> {
        self.transaction
    }
}

/// Returns an environment whose first revision deletes a row for all to see, and whose second one does what it hides.
fn environment(database: &ScratchDatabase, hidden: &'static str) -> Environment {
    let header = Header::new("b").name("m_b").revises("a");
    environment_hiding(
        database,
        Hidden {
            header,
            order: hidden,
            transaction: None,
        },
    )
}

fn environment_hiding(database: &ScratchDatabase, hidden: Hidden) -> Environment {
    let open = Hidden {
        header: Header::new("a").name("m_a"),
        order: "DELETE FROM crew WHERE id = 1",
        transaction: None,
    };
    Environment::new(vec![Box::new(open), Box::new(hidden)]).database(database.url().clone())
}

async fn crew(database: &ScratchDatabase) {
    send(
        database,
        "CREATE TABLE orders (sql text NOT NULL); INSERT INTO orders VALUES ('SELECT 1'); \
         CREATE TABLE crew (id integer PRIMARY KEY, name text); \
         INSERT INTO crew VALUES (1, 'Ada'), (2, 'Ben'), (3, 'Cleo')",
    )
    .await;
}

async fn names(database: &ScratchDatabase) -> i64 {
    let session = session(database).await;
    let rows = session
        .rows("SELECT count(name) AS names FROM crew")
        .await
        .unwrap();
    rows[0].try_get("", "names").unwrap()
}

/// Upgrades to `a` as somebody who gives everything up, then to `b` as somebody who gives up nothing.
async fn upgrade_to_hidden(environment: &Environment) -> Result<(), CommandError> {
    upgrade_giving_up(environment, "a").await.unwrap();
    let target = "b".parse().unwrap();
    let person = Person::default();
    person
        .run(async |conduct| command::upgrade(environment, &target, OutOfOrder::Refuse, conduct).await)
        .await
        .map(drop)
}

#[tokio::test]
async fn what_is_destroyed_is_put_back() {
    for (hidden, lost) in [
        ("DELETE FROM crew WHERE id = 2", "rows of table crew"),
        ("DELETE FROM crew", "rows of table crew"),
        ("DROP TABLE crew", "table crew"),
        ("ALTER TABLE crew DROP COLUMN name", "column crew.name"),
    ] {
        for database in databases().await {
            crew(&database).await;
            let refused = upgrade_to_hidden(&environment(&database, hidden))
                .await
                .unwrap_err();
            let source = refused.source().map(ToString::to_string).unwrap_or_default();
            assert!(
                source.ends_with(&format!("would destroy {lost}")),
                "{hidden}: {refused}: {source}"
            );
            assert_eq!(names(&database).await, 2, "{hidden}");
        }
    }
}

/// Without a transaction nothing could be put back, so nothing is begun.
#[tokio::test]
async fn what_may_be_destroyed_without_a_transaction_is_asked_before_it_begins() {
    for order in ["DELETE FROM crew WHERE id = 2", "DROP TABLE crew", "SELECT 1"] {
        for database in databases().await {
            crew(&database).await;
            let hidden = |header: Header| Hidden {
                header: header.name("m_b").revises("a"),
                order,
                transaction: Some(false),
            };
            let environment = environment_hiding(&database, hidden(Header::new("b")));
            let refused = upgrade_to_hidden(&environment).await.unwrap_err();
            assert_eq!(refused.kind(), "refused");
            let said = refused.to_string();
            let expected = "this would destroy what this statement removes: not known beforehand: what it asks is not known";
            assert!(said.starts_with(expected), "{said}");
            assert_eq!(names(&database).await, 2, "{order}");

            // Somebody vouches for it, in the file or as it is run.
            let vouched = hidden(Header::new("b").accepts(Accepted {
                direction: Direction::Up,
                category: "opaque-sql".to_owned(),
                statement: "SELECT sql FROM orders".to_owned(),
                reason: "the orders are those of the harbour master".to_owned(),
            }));
            upgrade_to_hidden(&environment_hiding(&database, vouched))
                .await
                .unwrap();
            database.remove().await.unwrap();
        }
    }
}

#[tokio::test]
async fn what_somebody_vouches_for_is_not_asked_again_before_its_commit() {
    for database in databases().await {
        crew(&database).await;
        let header = Header::new("b").name("m_b").revises("a").accepts(Accepted {
            direction: Direction::Up,
            category: "opaque-sql".to_owned(),
            statement: "SELECT sql FROM orders".to_owned(),
            reason: "the orders are those of the harbour master".to_owned(),
        });
        let hidden = Hidden {
            header,
            order: "DROP TABLE crew",
            transaction: None,
        };
        upgrade_to_hidden(&environment_hiding(&database, hidden))
            .await
            .unwrap();
        database.remove().await.unwrap();
    }
}

fn fill_in_batches<'a>(manager: &'a SchemaManager<'a>) -> BoxFuture<'a, Result<(), DbErr>> {
    Box::pin(async {
        let batch =
            "UPDATE crew SET name = 'Dot' WHERE id IN (SELECT id FROM crew WHERE name <> 'Dot' LIMIT 1)";
        let db = manager.get_connection();
        while db.execute_unprepared(batch).await?.rows_affected() == 1 {}
        Ok(())
    })
}

#[tokio::test]
async fn a_loop_over_batches_runs_when_somebody_vouches_for_it_or_agrees() {
    for database in databases().await {
        crew(&database).await;
        let filled = || Code::new("a", None).up(fill_in_batches).without_transaction();
        let environment = |revision: Code| databases::environment_of(&database, vec![Box::new(revision)]);
        let refused = databases::upgrade(&environment(filled()), "head")
            .await
            .unwrap_err();
        assert_eq!(
            refused.to_string(),
            "this would destroy what this statement removes: not known beforehand: it goes on by how many rows a statement \
             has changed"
        );
        let vouched = filled().header(|header| {
            header.accepts(Accepted {
                direction: Direction::Up,
                category: "opaque-sql".to_owned(),
                statement: "how many rows".to_owned(),
                reason: "each batch gives names and takes nothing".to_owned(),
            })
        });
        databases::upgrade(&environment(vouched), "head").await.unwrap();
        assert_eq!(names(&database).await, 3);
        send(&database, "DELETE FROM seaql_migrations").await;
        upgrade_giving_up(&environment(filled()), "head").await.unwrap();
        database.remove().await.unwrap();
    }
}

/// Nobody has the id 99, so that no row is changed.
fn drop_where_nothing_changes<'a>(manager: &'a SchemaManager<'a>) -> BoxFuture<'a, Result<(), DbErr>> {
    Box::pin(async {
        let db = manager.get_connection();
        let changed = db
            .execute_unprepared("UPDATE crew SET name = 'Eve' WHERE id = 99")
            .await?;
        match changed.rows_affected() {
            0 => db.execute_unprepared("DROP TABLE crew").await.map(drop),
            _ => Ok(()),
        }
    })
}

fn log_what_changes<'a>(manager: &'a SchemaManager<'a>) -> BoxFuture<'a, Result<(), DbErr>> {
    Box::pin(async {
        let db = manager.get_connection();
        let changed = db
            .execute_unprepared("UPDATE crew SET name = 'Eve' WHERE id = 99")
            .await?;
        match changed.rows_affected() {
            0 => Ok(()),
            _ => db
                .execute_unprepared("INSERT INTO orders VALUES ('changed')")
                .await
                .map(drop),
        }
    })
}

#[tokio::test]
async fn what_goes_where_a_statement_changes_no_rows_is_put_back_or_asked() {
    for database in databases().await {
        crew(&database).await;
        let code = Code::new("a", None).up(drop_where_nothing_changes);
        let up = databases::environment_of(&database, vec![Box::new(code)]);
        let refused = databases::upgrade(&up, "head").await.unwrap_err();
        assert_eq!(
            refused.source().map(ToString::to_string).as_deref(),
            Some("it would destroy table crew")
        );
        assert_eq!(names(&database).await, 3);

        let code = Code::new("a", None).down(drop_where_nothing_changes);
        let down = databases::environment_of(&database, vec![Box::new(code)]);
        databases::upgrade(&down, "head").await.unwrap();
        let person = Person::default();
        let refused = person
            .run(async |conduct| command::downgrade(&down, &"base".parse().unwrap(), conduct).await)
            .await
            .unwrap_err();
        let said = refused.to_string();
        assert!(
            said.contains("not known beforehand: it sends something else where a statement changes no rows"),
            "{said}"
        );
        assert_eq!(names(&database).await, 3);
        database.remove().await.unwrap();
    }
}

#[tokio::test]
async fn what_a_recording_supposed_is_not_sent_in_its_place() {
    for database in databases().await {
        crew(&database).await;
        let code = Code::new("a", None).up(log_what_changes).without_transaction();
        let environment = databases::environment_of(&database, vec![Box::new(code)]);
        let refused = databases::upgrade(&environment, "head").await.unwrap_err();
        assert_eq!(refused.kind(), "refused");
        upgrade_giving_up(&environment, "head").await.unwrap();
        let orders = session(&database)
            .await
            .rows("SELECT sql FROM orders")
            .await
            .unwrap();
        assert_eq!(orders.len(), 1);
        database.remove().await.unwrap();
    }
}

/// The server counts what one session deleted for up to a second over the end of its transactions.
#[tokio::test]
async fn what_an_earlier_step_has_deleted_is_no_loss_of_the_next() {
    for database in databases().await {
        crew(&database).await;
        let harmless = environment(&database, "UPDATE crew SET name = 'Dot' WHERE id = 3");
        let target = "b".parse().unwrap();
        let person = Person::agreeing();
        person
            .run(async |conduct| command::upgrade(&harmless, &target, OutOfOrder::Refuse, conduct).await)
            .await
            .unwrap();
        assert_eq!(person.asked.lock().unwrap().len(), 1);
        assert_eq!(names(&database).await, 2);
    }
}

#[tokio::test]
async fn where_there_is_no_table_what_is_not_there_is_no_question() {
    for database in databases().await {
        let cleans = Sql::new(
            "cleans",
            None,
            &[
                "CREATE TABLE t (id integer)",
                "DELETE FROM seaql_migrations WHERE version = 'old'",
            ],
            &["DROP TABLE t"],
        );
        let drops = Sql::new(
            "drops",
            Some("cleans"),
            &["CREATE TABLE u (id integer)", "DROP TABLE u"],
            &[],
        );
        let clean = databases::environment(&database, &[cleans, drops]);
        let target = "head".parse().unwrap();
        let person = Person::default();
        let upgraded = person
            .run(async |conduct| command::upgrade(&clean, &target, OutOfOrder::Refuse, conduct).await)
            .await;
        upgraded.unwrap();
        assert_eq!(*person.asked.lock().unwrap(), []);

        // Where there is one, the name may be another spelling of it.
        let mut revisions = vec![
            Sql::new("cleans", None, &["CREATE TABLE t (id integer)"], &[]),
            Sql::new("drops", Some("cleans"), &["CREATE TABLE u (id integer)"], &[]),
        ];
        revisions.push(Sql::new("more", Some("drops"), &["DELETE FROM nowhere"], &[]));
        let more = databases::environment(&database, &revisions);
        let refused = person
            .run(async |conduct| command::upgrade(&more, &target, OutOfOrder::Refuse, conduct).await)
            .await;
        let said = refused.unwrap_err().to_string();
        assert!(said.contains("rows of nowhere, which is not there now"), "{said}");
        database.remove().await.unwrap();
    }
}

/// A revision that goes by rows, so that it and what comes after it are known only when those before it have run.
struct Asks(Header, &'static str);

impl MigrationName for Asks {
    fn name(&self) -> &str {
        &self.0.name
    }
}

impl Revision for Asks {
    fn header(&self) -> Option<Header> {
        Some(self.0.clone())
    }
}

#[async_trait::async_trait]
impl MigrationTrait for Asks {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        let connection = manager.get_connection();
        let read = Statement::from_string(connection.get_database_backend(), "SELECT name FROM settings");
        let found = connection.query_all_raw(read).await?;
        match found.is_empty() {
            true => Ok(()),
            false => connection.execute_unprepared(self.1).await.map(drop),
        }
    }
}

/// Revisions put a row in, and later ones take it out again: on a new database nobody loses anything, on one that people work with
/// somebody may.
#[tokio::test]
async fn what_a_run_has_put_in_itself_it_may_take_out() {
    for is_new in [true, false] {
        for database in databases().await {
            let makes = Sql::new(
                "makes",
                None,
                &[
                    "CREATE TABLE settings (name text, value text)",
                    "INSERT INTO settings VALUES ('colour', 'red')",
                ],
                &[],
            );
            let asks = |id: &str, parent: &str, statement: &'static str| {
                let header = Header::new(id).name(format!("m_{id}")).revises(parent);
                Box::new(Asks(header, statement)) as Box<dyn Revision>
            };
            let all = Environment::new(vec![
                Box::new(makes),
                asks("narrows", "makes", "ALTER TABLE settings DROP COLUMN value"),
                asks("clears", "narrows", "DELETE FROM settings"),
            ]);
            let all = all.database(database.url().clone());
            if !is_new {
                crew(&database).await;
            }
            let target = "head".parse().unwrap();
            let person = Person::default();
            let upgraded = person
                .run(async |conduct| command::upgrade(&all, &target, OutOfOrder::Refuse, conduct).await)
                .await;
            assert_eq!(upgraded.is_ok(), is_new, "{upgraded:?}");
            assert_eq!(person.asked.lock().unwrap().is_empty(), is_new);
            database.remove().await.unwrap();
        }
    }
}
