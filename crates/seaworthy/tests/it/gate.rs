//! The gate before a run: hazards on tables that matter are refused, unless somebody took them knowingly.

use std::sync::Arc;

use insta::assert_snapshot;
use seaworthy::command::{self, CommandError};
use seaworthy::environment::Environment;
use seaworthy::lint::{Context, Level, Settings, lint};
use seaworthy::revision::{Accepted, Stage};
use seaworthy::verify::ScratchDatabase;

use crate::databases::{Sql, current, databases, downgrade, environment, postgres, send, upgrade};

const REASON: &str = "measured: 40 ms on a copy of the production table";

fn index() -> Sql {
    Sql::new(
        "index",
        Some("start"),
        &["CREATE INDEX i_note ON t_start (note)"],
        &["DROP INDEX i_note"],
    )
}

/// Returns a PostgreSQL database with a table that has some rows, and what is to be run on it.
async fn with_rows(rows: u32, next: Sql) -> Option<(ScratchDatabase, Environment)> {
    let database = postgres().await?;
    let environment = environment(&database, &[Sql::table("start", None), next]);
    upgrade(&environment, "start").await.unwrap();
    let insert = format!("INSERT INTO t_start SELECT g, 'note' FROM generate_series(1, {rows}) g");
    send(&database, &insert).await;
    Some((database, environment))
}

fn message(error: &CommandError) -> String {
    format!("{error}\n{}", error.hint().unwrap_or_default())
}

#[tokio::test]
async fn a_hazard_on_a_table_with_many_rows_is_refused_and_says_how_to_go_on() {
    let Some((database, environment)) = with_rows(20_000, index()).await else {
        return;
    };
    let error = upgrade(&environment, "head").await.unwrap_err();
    assert_eq!(error.kind(), "hazardous");
    assert_snapshot!(message(&error), @r#"
    this would stop or break what runs now
      index up: CREATE INDEX i_note ON t_start (note)
        [index-blocking] writes to t_start wait until the index is built (t_start has about 20000 rows)
          instead: build it with CREATE INDEX CONCURRENTLY, outside of a transaction, and check that it is valid afterwards; online::create_index does all of this
    change the revision, or accept each with a reason: --accept "index:index-blocking:PIECE OF THE STATEMENT=REASON", or in the revision with Header::accepts; `lint --explain index-blocking` tells more
    "#);
    assert_eq!(current(&environment).await, ["start"]);
    database.remove().await.unwrap();
}

#[tokio::test]
async fn a_run_refuses_what_it_refuses_whatever_a_project_asks_of_the_linter() {
    let accepted = Accepted::up("required-name", "i_note", REASON);
    let Some((database, mut environment)) = with_rows(20_000, index().accepts(accepted)).await else {
        return;
    };
    let mut settings = Settings::default();
    settings.set_level("index-blocking", Level::Off).unwrap();
    environment.lint = Arc::new(settings);
    let error = upgrade(&environment, "head").await.unwrap_err();
    assert_eq!(error.kind(), "hazardous");
    // That a name was accepted which only the linter is asked to look at is no mistake.
    assert!(!error.to_string().contains("override-unmatched"), "{error}");
    database.remove().await.unwrap();
}

#[tokio::test]
async fn a_hazard_on_a_table_with_few_rows_is_none() {
    let Some((database, environment)) = with_rows(9_000, index()).await else {
        return;
    };
    upgrade(&environment, "head").await.unwrap();
    database.remove().await.unwrap();
}

#[tokio::test]
async fn what_is_accepted_runs_and_the_history_says_why() {
    let accepted = Accepted::up("index-blocking", "i_note", REASON);
    let Some((database, environment)) = with_rows(20_000, index().accepts(accepted.clone())).await else {
        return;
    };
    upgrade(&environment, "head").await.unwrap();
    let newest = &command::applied_history(&environment).await.unwrap()[0];
    assert_eq!(
        (newest.revision.as_str(), &newest.accepted),
        ("index", &vec![accepted])
    );
    database.remove().await.unwrap();
}

#[tokio::test]
async fn a_comment_in_the_statement_accepts_as_well() {
    let statement =
        format!("-- seaworthy: accept index-blocking: {REASON}\nCREATE INDEX i_note ON t_start (note)");
    let next = Sql::new("index", Some("start"), &[&statement], &[]);
    let Some((database, environment)) = with_rows(20_000, next).await else {
        return;
    };
    upgrade(&environment, "head").await.unwrap();
    let newest = &command::applied_history(&environment).await.unwrap()[0];
    assert_eq!(newest.accepted[0].reason, REASON);
    database.remove().await.unwrap();
}

#[tokio::test]
async fn what_is_accepted_for_one_run_alone_is_kept_in_the_history_too() {
    let Some((database, mut environment)) = with_rows(20_000, index()).await else {
        return;
    };
    let accepted = Accepted::up("index-blocking", "i_note", REASON);
    environment.accepted.push(("index".into(), accepted.clone()));
    upgrade(&environment, "head").await.unwrap();
    let newest = &command::applied_history(&environment).await.unwrap()[0];
    assert_eq!(newest.accepted, [accepted]);
    database.remove().await.unwrap();
}

#[tokio::test]
async fn an_acceptance_that_matches_nothing_is_an_error_on_each_database() {
    for wrong in [
        Accepted::up("index-blocking", "i_other", REASON),
        Accepted::up("table-rewrite", "i_note", REASON),
        Accepted::up("no-such-rule", "i_note", REASON),
        Accepted::up("index-blocking", "i_note", "because"),
    ] {
        for database in databases().await {
            let environment = environment(
                &database,
                &[Sql::table("start", None), index().accepts(wrong.clone())],
            );
            upgrade(&environment, "start").await.unwrap();
            let error = upgrade(&environment, "head").await.unwrap_err();
            assert_eq!(error.kind(), "hazardous", "{wrong:?}");
            assert!(error.to_string().contains("override-unmatched"), "{error}");
            database.remove().await.unwrap();
        }
    }
}

#[tokio::test]
async fn an_acceptance_of_a_revision_that_is_not_run_is_an_error() {
    for database in databases().await {
        let mut environment = environment(&database, &[Sql::table("start", None), index()]);
        environment.accepted.push((
            "elsewhere".into(),
            Accepted::up("index-blocking", "i_note", REASON),
        ));
        let error = upgrade(&environment, "head").await.unwrap_err();
        assert_eq!(error.kind(), "nothing_to_accept");
        database.remove().await.unwrap();
    }
}

#[tokio::test]
async fn a_table_that_the_same_run_makes_is_nobodys_yet() {
    let Some(database) = postgres().await else { return };
    let fill = "INSERT INTO t_start SELECT g, 'note' FROM generate_series(1, 20000) g";
    let revisions = [
        Sql::table("start", None),
        Sql::new("fill", Some("start"), &[fill], &[]),
        Sql::new(
            "index",
            Some("fill"),
            &["CREATE INDEX i_note ON t_start (note)"],
            &["DROP INDEX i_note"],
        ),
    ];
    let environment = environment(&database, &revisions);
    upgrade(&environment, "head").await.unwrap();
    database.remove().await.unwrap();
}

#[tokio::test]
async fn removing_is_asked_of_the_living_in_a_contract_and_on_the_way_down() {
    let drop = Sql::new(
        "drop",
        Some("start"),
        &["ALTER TABLE t_start DROP COLUMN note"],
        &["ALTER TABLE t_start ADD COLUMN note text"],
    );
    let Some((database, careless)) = with_rows(20_000, drop.clone()).await else {
        return;
    };
    let error = upgrade(&careless, "head").await.unwrap_err();
    assert!(error.to_string().contains("column-removed"), "{error}");
    let contract = environment(
        &database,
        &[Sql::table("start", None), drop.stage(Stage::Contract)],
    );
    upgrade(&contract, "head").await.unwrap();
    downgrade(&contract, "base").await.unwrap();
    database.remove().await.unwrap();
}

#[tokio::test]
async fn a_history_from_before_acceptances_gets_its_column() {
    for database in databases().await {
        let environment = environment(&database, &[Sql::table("start", None), index()]);
        upgrade(&environment, "start").await.unwrap();
        send(&database, "ALTER TABLE seaworthy_history DROP COLUMN accepted").await;
        assert_eq!(command::applied_history(&environment).await.unwrap().len(), 1);
        upgrade(&environment, "head").await.unwrap();
        assert_eq!(command::applied_history(&environment).await.unwrap().len(), 2);
        database.remove().await.unwrap();
    }
}

fn found(sql: &str) -> Vec<(&'static str, bool)> {
    lint(sql, &Context::default())
        .iter()
        .map(|hazard| (hazard.category, hazard.accepted.is_some()))
        .collect()
}

#[test]
fn a_comment_belongs_to_the_statement_that_it_stands_before_or_in_or_behind() {
    let comment = format!("-- seaworthy: accept index-blocking: {REASON}");
    let index = "CREATE INDEX i ON t (a)";
    for sql in [
        format!("{comment}\n{index};"),
        format!("CREATE INDEX i -- x\n {comment}\n ON t (a)"),
        format!("{index}; {comment}\nSELECT 1"),
        format!("SELECT 1;\n\n{comment}\n-- more\n{index}"),
    ] {
        assert_eq!(found(&sql), [("index-blocking", true)], "{sql}");
    }
}

#[test]
fn a_comment_that_fits_nothing_or_says_nothing_is_a_hazard() {
    for sql in [
        format!("SELECT 1;\n-- seaworthy: accept index-blocking: {REASON}\n"),
        format!("-- seaworthy: accept index-blocking: {REASON}\nSELECT 1"),
        format!("-- seaworthy: accept everything: {REASON}\nSELECT 1"),
        "-- seaworthy: accept index-blocking: ok\nSELECT 1".to_owned(),
        "-- seaworthy: off\nSELECT 1".to_owned(),
        format!("-- seaworthy: accept index-blocking: {REASON}"),
    ] {
        assert_eq!(found(&sql), [("override-unmatched", false)], "{sql}");
    }
}
