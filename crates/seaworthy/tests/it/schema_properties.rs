//! What holds for every pair of schemas, checked on random ones: what is found turns one into the other, nothing is found
//! afterwards, and undoing it brings the first one back.

use proptest::prelude::{Strategy, any, prop};
use proptest::strategy::ValueTree;
use proptest::test_runner::{Config, TestRunner};
use proptest::{prop_assert, prop_assert_eq, proptest};
use sea_orm::{ConnectionTrait, DbBackend};

use seaworthy::autogenerate::{Operation, Policy, diff, sql};
use seaworthy::catalog::{Catalog, Dialect, Scope, inspect, normalize};
use seaworthy::session::Session;
use seaworthy::verify::{ScratchDatabase, drift};

use crate::databases::{postgres, session};
use random::catalog;

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
