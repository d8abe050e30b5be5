//! How often a command calls the code of a revision: once to learn what it sends, again where that may go by how many rows are
//! changed, and once to run it.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use sea_orm_migration::prelude::*;
use seaworthy::command::{self, OutOfOrder};
use seaworthy::environment::Environment;
use seaworthy::lint::Server;
use seaworthy::revision::{Accepted, Direction, Header, Revision, Stage};
use seaworthy::verify::ScratchDatabase;

use crate::databases::{Person, databases};

/// A revision that counts its calls.
struct Counted {
    header: Header,
    /// Whether it changes rows, so that what it is told of them may matter.
    changes_rows: bool,
    calls: Arc<[AtomicUsize; 2]>,
}

impl MigrationName for Counted {
    fn name(&self) -> &str {
        &self.header.name
    }
}

impl Revision for Counted {
    fn header(&self) -> Option<Header> {
        Some(self.header.clone())
    }
}

#[async_trait::async_trait]
impl MigrationTrait for Counted {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        self.calls[0].fetch_add(1, Ordering::Relaxed);
        let id = &self.header.id;
        let connection = manager.get_connection();
        let create = format!("CREATE TABLE t_{id} (id integer PRIMARY KEY, note text)");
        connection.execute_unprepared(&create).await?;
        let fill = format!("INSERT INTO t_{id} VALUES (1, 'x'), (2, 'y')");
        connection.execute_unprepared(&fill).await?;
        if !self.changes_rows {
            return Ok(());
        }
        let change = format!("UPDATE t_{id} SET note = 'z' WHERE id = 1");
        connection.execute_unprepared(&change).await.map(drop)
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        self.calls[1].fetch_add(1, Ordering::Relaxed);
        let drop = format!("DROP TABLE t_{}", self.header.id);
        manager
            .get_connection()
            .execute_unprepared(&drop)
            .await
            .map(|_| ())
    }
}

type Calls = Arc<[AtomicUsize; 2]>;

/// Returns an environment of three revisions, the last of which accepts a hazard and changes rows, and their calls.
fn counted(database: &ScratchDatabase) -> (Environment, Vec<Calls>) {
    let calls: Vec<Calls> = (0..3).map(|_| Arc::default()).collect();
    let revision = |index: usize, header: Header| {
        let counted = Counted {
            header,
            changes_rows: index == 2,
            calls: Arc::clone(&calls[index]),
        };
        Box::new(counted) as Box<dyn Revision>
    };
    let accepted = Accepted {
        direction: Direction::Down,
        category: "table-removed".to_owned(),
        statement: "DROP TABLE t_c".to_owned(),
        reason: "nobody has used it for a year".to_owned(),
    };
    let revisions = vec![
        revision(0, Header::new("a").name("m_a")),
        revision(1, Header::new("b").name("m_b").revises("a")),
        revision(2, Header::new("c").name("m_c").revises("b").accepts(accepted)),
    ];
    let environment = Environment::new(revisions).database(database.url().clone());
    (environment, calls)
}

/// Returns how often `up` and `down` of each revision were called since the last look.
fn since(calls: &[Calls]) -> Vec<[usize; 2]> {
    let taken = calls
        .iter()
        .map(|calls| [0, 1].map(|way: usize| calls[way].swap(0, Ordering::Relaxed)));
    taken.collect()
}

#[tokio::test]
async fn a_command_records_each_revision_once_and_runs_it_once() {
    for database in databases().await {
        let (environment, calls) = counted(&database);
        let heads = "head".parse().unwrap();
        let person = Person::agreeing();

        command::plan(&environment, &heads, Stage::Contract)
            .await
            .unwrap();
        // What it sends where no row is changed is one more recording.
        assert_eq!(since(&calls), [[1, 0], [1, 0], [2, 0]], "plan");
        person
            .run(async |conduct| {
                command::upgrade(&environment, &"b".parse().unwrap(), OutOfOrder::Refuse, conduct)
                    .await
                    .unwrap();
                assert_eq!(since(&calls), [[2, 0], [2, 0], [0, 0]], "upgrade b");
                command::upgrade(&environment, &heads, OutOfOrder::Refuse, conduct)
                    .await
                    .unwrap();
                // The applied ones are recorded to see whether they were changed.
                assert_eq!(since(&calls), [[1, 0], [1, 0], [3, 0]], "upgrade head");
                command::downgrade(&environment, &"b".parse().unwrap(), conduct)
                    .await
                    .unwrap();
                assert_eq!(since(&calls)[2][1], 2, "downgrade b");
            })
            .await;
        command::lint(&environment, &command::LintSelection::All, Server::Sqlite)
            .await
            .unwrap();
        assert_eq!(since(&calls), [[1, 1], [1, 1], [2, 1]], "lint");
        database.remove().await.unwrap();
    }
}

#[tokio::test]
async fn verify_runs_no_revision_more_often_than_its_walks_ask() {
    let [database, ..] = &databases().await[..] else {
        panic!("there is no database");
    };
    let (environment, calls) = counted(database);
    let verified = command::verify(&environment, &command::Verification::new())
        .await
        .unwrap();
    assert!(verified.broken.is_empty(), "{:?}", verified.broken);
    // Each of the walks, over empty tables and over rows, applies a revision three times and undoes it twice. What runs is
    // recorded first, and what is undone also as it was applied; what was applied before is not recorded again.
    let (applied, undone, walks) = (3, 2, 2);
    let ups = walks * (2 * applied + undone);
    let downs = walks * 2 * undone;
    let probes = walks * applied;
    assert_eq!(since(&calls), [[ups, downs], [ups, downs], [ups + probes, downs]]);
}
