//! What holds for every pair of schemas, checked on random ones: what is found turns one into the other, nothing is found
//! afterwards, and undoing it brings the first one back.

use std::collections::BTreeSet;

use proptest::prelude::{Strategy, any, prop};
use proptest::strategy::ValueTree;
use proptest::test_runner::{Config, TestRunner};
use proptest::{prop_assert, prop_assert_eq, proptest};
use sea_orm::{ConnectionTrait, DbBackend};

use seaworthy::autogenerate::{Difference, Operation, Policy, Risk, Wanted, diff, sql};
use seaworthy::catalog::{Catalog, Dialect, Scope, inspect, normalize};
use seaworthy::session::Session;
use seaworthy::verify::{ScratchDatabase, drift, quoted, rows};

use crate::databases::{postgres, session};
use extras::extras;
use random::catalog;

mod extras;
pub(crate) mod random;

pub(crate) fn choices() -> impl Strategy<Value = Vec<u8>> {
    prop::collection::vec(any::<u8>(), 250)
}

proptest! {
    #![proptest_config(Config { cases: 300, failure_persistence: None, ..Config::default() })]

    #[test]
    fn operations_turn_one_catalog_into_the_other_and_back(one in choices(), other in choices(), on_postgres in any::<bool>()) {
        let dialect = if on_postgres { Dialect::Postgresql } else { Dialect::Sqlite };
        let (before, after) = (catalog(dialect, &one), catalog(dialect, &other));
        let policy = Policy::default();
        prop_assert!(diff(&before, &before, &policy).unwrap().is_empty());

        let difference = diff(&before, &after, &policy).unwrap();
        for operation in &difference.operations {
            let written = serde_json::to_value(operation).unwrap();
            prop_assert_eq!(&written["op"], operation.kind());
            prop_assert_eq!(&serde_json::from_value::<Operation>(written).unwrap(), operation);
        }
        let mut changed = before.clone();
        difference.operations.iter().for_each(|operation| operation.apply(&mut changed));
        let left = diff(&changed, &after, &policy).unwrap();
        prop_assert!(left.is_empty(), "{:?} is left of {:?}", texts(&left.operations), texts(&difference.operations));

        difference.inverse().iter().for_each(|operation| operation.apply(&mut changed));
        let left = diff(&changed, &before, &policy).unwrap();
        prop_assert!(left.is_empty(), "{:?} is left of undoing {:?}", texts(&left.operations), texts(&difference.operations));
    }

    #[test]
    fn a_snapshot_is_read_as_it_was_written(one in choices()) {
        let mut catalog = catalog(Dialect::Postgresql, &one);
        catalog.sort();
        prop_assert_eq!(Catalog::from_json(&catalog.to_json()).unwrap(), catalog);
    }
}

#[tokio::test]
async fn databases_converge_and_come_back_on_sqlite() {
    let database = ScratchDatabase::sqlite(&std::env::temp_dir()).unwrap();
    walk(&session(&database).await, 150).await;
    database.remove().await.unwrap();
}

#[tokio::test]
async fn databases_converge_and_come_back_on_postgresql() {
    let Some(database) = postgres().await else {
        return;
    };
    walk(&session(&database).await, 100).await;
    database.remove().await.unwrap();
}

/// Walks one database from schema to schema, each step forth, back and forth again.
async fn walk(session: &Session, steps: u32) {
    let connection = session.connection();
    let (scope, policy) = (Scope::default(), Policy::default());
    let dialect = Dialect::of(session.backend()).unwrap();
    if dialect == Dialect::Sqlite {
        // As it has to be where tables are built again.
        connection
            .execute_unprepared("PRAGMA foreign_keys = OFF")
            .await
            .unwrap();
    }
    let mut runner = TestRunner::deterministic();
    for step in 0..steps {
        let wanted = catalog(dialect, &choices().new_tree(&mut runner).unwrap().current());
        let before = inspect(connection, &scope).await.unwrap();
        let declared = normalize(connection, &scope, &wanted).await;
        let declared =
            declared.unwrap_or_else(|error| panic!("step {step}: {error:?}\n{}", wanted.to_json()));
        assert!(diff(&declared, &declared, &policy).unwrap().is_empty());
        let difference = diff(&before, &declared, &policy).unwrap();

        send(session, step, &before, &difference.operations).await;
        let left = drift(connection, &scope, &wanted, &policy).await.unwrap();
        assert!(
            left.is_empty(),
            "step {step}: {:#?} is left of {:#?}",
            texts(&left.operations),
            texts(&difference.operations)
        );

        let after = inspect(connection, &scope).await.unwrap();
        send(session, step, &after, &difference.inverse()).await;
        let back = inspect(connection, &scope).await.unwrap();
        let left = diff(&back, &before, &policy).unwrap();
        assert!(
            left.is_empty(),
            "step {step}: {:#?} is left of undoing {:#?}",
            texts(&left.operations),
            texts(&difference.operations)
        );
        send(session, step, &back, &difference.operations).await;
    }
}

#[tokio::test]
async fn databases_with_everything_become_each_other_on_sqlite() {
    let folder = std::env::temp_dir();
    let databases = [
        ScratchDatabase::sqlite(&folder).unwrap(),
        ScratchDatabase::sqlite(&folder).unwrap(),
    ];
    become_each_other(databases, 150).await;
}

#[tokio::test]
async fn databases_with_everything_become_each_other_on_postgresql() {
    let (Some(one), Some(other)) = (postgres().await, postgres().await) else {
        return;
    };
    become_each_other([one, other], 80).await;
}

/// Makes of one database what is in another, again and again, forth, back and forth again; with rows, of which none may be lost where
/// both schemas can hold them.
async fn become_each_other(databases: [ScratchDatabase; 2], steps: u32) {
    let live = session(&databases[0]).await;
    let dialect = Dialect::of(live.backend()).unwrap();
    let server = match dialect {
        Dialect::Postgresql => live.server_version().await.unwrap(),
        Dialect::Sqlite => 0,
    };
    let mut runner = TestRunner::deterministic();
    for step in 0..steps {
        let mut choices = || choices().new_tree(&mut runner).unwrap().current();
        let other = session(&databases[1]).await;
        empty(&other).await;
        let declared = catalog(dialect, &choices());
        load(&other, &declared, &extras(&declared, server, &choices())).await;
        let wanted = read(&other).await;
        other.close().await;

        let before = read(&live).await;
        fill(&live, &before).await;
        let whole = Policy {
            wanted: Wanted::Whole,
            ..Policy::default()
        };
        let difference = diff(&before, &wanted, &whole).unwrap();
        assert_eq!(difference.notes, [], "step {step}");
        clear(&live, &before, &difference).await;
        let kept = counts(&live, &before).await;
        change(&live, step, &before, &difference.operations).await;
        let after = read(&live).await;
        let left = texts(&diff(&after, &wanted, &whole).unwrap().operations);
        assert!(
            left.is_empty(),
            "step {step}: {left:#?} is left of {:#?}",
            texts(&difference.operations)
        );
        for (table, number) in kept.iter().filter(|(name, _)| holders(&wanted).contains(name)) {
            let left = count(&live, table).await;
            assert_eq!(
                left,
                *number,
                "step {step}: rows of {table} after {:#?}",
                texts(&difference.operations)
            );
        }

        change(&live, step, &after, &difference.inverse()).await;
        let back = read(&live).await;
        let left = texts(&diff(&back, &before, &whole).unwrap().operations);
        assert!(
            left.is_empty(),
            "step {step}: {left:#?} is left of undoing {:#?}",
            texts(&difference.operations)
        );
        change(&live, step, &back, &difference.operations).await;
    }
    live.close().await;
    for database in databases {
        database.remove().await.unwrap();
    }
}

async fn read(session: &Session) -> Catalog {
    inspect(session.connection(), &Scope::default()).await.unwrap()
}

/// Takes everything out of a database that the steps put into it.
async fn empty(session: &Session) {
    let statements = match Dialect::of(session.backend()).unwrap() {
        Dialect::Postgresql => "DROP SCHEMA public CASCADE; CREATE SCHEMA public".to_owned(),
        Dialect::Sqlite => {
            let rows = session
                .rows("SELECT type, name FROM sqlite_master WHERE type IN ('view', 'table') AND name NOT LIKE 'sqlite_%'")
                .await
                .unwrap();
            let dropped = rows.iter().map(|row| {
                let (kind, name): (String, String) =
                    (row.try_get("", "type").unwrap(), row.try_get("", "name").unwrap());
                format!("DROP {kind} {};", quoted(&name))
            });
            format!("PRAGMA foreign_keys = OFF; {}", dropped.collect::<String>())
        }
    };
    session.send(&statements).await.unwrap();
}

async fn load(session: &Session, declared: &Catalog, more: &[String]) {
    let nothing = Catalog::new(declared.dialect.unwrap());
    let operations = diff(&nothing, declared, &Policy::default()).unwrap().operations;
    let mut statements = sql(&nothing, &operations).unwrap();
    statements.extend_from_slice(more);
    for statement in statements {
        session
            .send(&statement)
            .await
            .unwrap_or_else(|error| panic!("{error}\n{statement}"));
    }
}

/// Carries operations out as a script would: in one transaction, with keys off where tables are built again.
async fn change(session: &Session, step: u32, before: &Catalog, operations: &[Operation]) {
    let text = texts(operations);
    let statements =
        sql(before, operations).unwrap_or_else(|error| panic!("step {step}: {error}\n{text:#?}"));
    let (begin, added): (_, Vec<&String>) = match before.dialect {
        Some(Dialect::Sqlite) => ("PRAGMA foreign_keys = OFF; BEGIN", Vec::new()),
        _ => (
            "BEGIN",
            statements
                .iter()
                .filter(|sql| sql.contains(" ADD VALUE "))
                .collect(),
        ),
    };
    let inside = statements.iter().filter(|sql| !added.contains(sql));
    let all = added
        .iter()
        .copied()
        .chain([&begin.to_owned()])
        .chain(inside)
        .chain([&"COMMIT".to_owned()])
        .cloned()
        .collect::<Vec<String>>();
    for statement in &all {
        let sent = session.send(statement).await;
        sent.unwrap_or_else(|error| {
            panic!("step {step}: {error}\n{statement}\nof {text:#?}\n{statements:#?}")
        });
    }
}

/// Puts rows into the tables that have none and take some.
async fn fill(session: &Session, catalog: &Catalog) {
    for table in &catalog.tables {
        if count(session, &table.name).await == 0 {
            for made in rows(catalog, [table]) {
                drop(session.send(&made.sql).await);
            }
        }
    }
}

/// Takes the rows out of tables whose rows may be refused, or lost, on the way there or back.
async fn clear(session: &Session, catalog: &Catalog, difference: &Difference) {
    let back = difference.inverse();
    let risky = difference
        .operations
        .iter()
        .chain(&back)
        .filter(|operation| operation.risk() != Risk::None);
    let mut tables = BTreeSet::new();
    for operation in risky {
        // Whose rows are looked at when it becomes a part.
        if let Operation::AttachPartition { partition, .. } = operation {
            tables.insert(partition.name.clone());
        }
        match operation.table() {
            Some(table) => drop(tables.insert(table.to_owned())),
            // A label that goes.
            None => tables.extend(catalog.tables.iter().map(|table| table.name.clone())),
        }
    }
    for table in tables.iter().filter(|table| catalog.table(table).is_some()) {
        let name = quoted(table);
        let statement = match catalog.dialect {
            Some(Dialect::Postgresql) => format!("TRUNCATE {name} CASCADE"),
            _ => format!("PRAGMA foreign_keys = OFF; DELETE FROM {name}"),
        };
        session.send(&statement).await.unwrap();
    }
}

async fn counts(session: &Session, catalog: &Catalog) -> Vec<(String, i64)> {
    let mut counts = Vec::new();
    for name in holders(catalog) {
        let number = count(session, &name).await;
        counts.push((name, number));
    }
    counts
}

/// The tables that hold rows themselves.
fn holders(catalog: &Catalog) -> Vec<String> {
    let whole = catalog
        .tables
        .iter()
        .filter(|table| table.partitioned_by.is_none());
    let parts = catalog.tables.iter().flat_map(|table| &table.partitions);
    whole
        .map(|table| table.name.clone())
        .chain(parts.map(|part| part.name.clone()))
        .collect()
}

/// Counts the rows of a table without those of tables that inherit from it.
async fn count(session: &Session, table: &str) -> i64 {
    let only = match session.backend() {
        DbBackend::Sqlite => "",
        _ => "ONLY ",
    };
    let sql = format!("SELECT count(*) AS number FROM {only}{}", quoted(table));
    session.rows(&sql).await.unwrap()[0]
        .try_get("", "number")
        .unwrap()
}

async fn send(session: &Session, step: u32, before: &Catalog, operations: &[Operation]) {
    let mut statements = sql(before, operations).unwrap();
    if session.backend() == DbBackend::Sqlite {
        // One transaction, so that the disk is waited for once.
        statements = vec![format!("BEGIN; {}; COMMIT", statements.join("; "))];
    }
    for statement in &statements {
        let sent = session.connection().execute_unprepared(statement).await;
        sent.unwrap_or_else(|error| panic!("step {step}: {error}\n{statement}\nof {:#?}", texts(operations)));
    }
}

fn texts(operations: &[Operation]) -> Vec<String> {
    operations.iter().map(ToString::to_string).collect()
}
