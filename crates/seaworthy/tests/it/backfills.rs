//! Backfills: what they fill, where they go on, what they wait for, and who waits for them.

use insta::{allow_duplicates, assert_snapshot};
use sea_orm::DbBackend;
use sea_orm::sea_query::Expr;
use sea_orm_migration::{DbErr, MigrationName, MigrationTrait, MigratorTrait, SchemaManager};
use seaworthy::backfill::{Backfill, HeldUp, Progress, State, Throttle};
use seaworthy::command::{self, BackfillChange, CommandError, OutOfOrder};
use seaworthy::environment::Environment;
use seaworthy::revision::{Revision, Stage};
use seaworthy::runner::{Observer, Work};
use seaworthy::verify::ScratchDatabase;
use tokio::sync::Notify;
use tokio_util::sync::CancellationToken;

use crate::clients::feed;
use crate::databases::{
    Person, Sql, current, databases, downgrade, environment, postgres, send, session, upgrade,
};

/// Rows in the table of these tests; several batches of a hundred.
const ROWS: i64 = 1_050;

/// A table with rows, and a backfill that counts how often it has touched each.
fn counted() -> [Sql; 2] {
    [
        table("id integer PRIMARY KEY", "n"),
        Sql::backfill("fill", "make", touch().every_row().batch_rows(100).rest(0.0)),
    ]
}

fn touch() -> Backfill {
    Backfill::new("touch_crates", "crates").set("touched", Expr::cust("touched + 1"))
}

fn table(key: &str, values: &str) -> Sql {
    let create =
        format!("CREATE TABLE crates (n integer, rank integer, touched integer NOT NULL DEFAULT 0, {key})");
    let columns = if key.starts_with("id ") { ", id" } else { "" };
    let values = if columns.is_empty() {
        String::new()
    } else {
        format!(", {values}")
    };
    let fill = format!(
        "WITH RECURSIVE numbers (n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM numbers WHERE n < {ROWS}) \
         INSERT INTO crates (n{columns}) SELECT n{values} FROM numbers"
    );
    Sql::new("make", None, &[&create, &fill], &["DROP TABLE crates"])
}

async fn number(database: &ScratchDatabase, query: &str) -> i64 {
    let session = session(database).await;
    let rows = session
        .rows(&format!("SELECT CAST(({query}) AS bigint) AS number"))
        .await
        .unwrap();
    let number = rows[0].try_get("", "number").unwrap();
    session.close().await;
    number
}

/// Returns how many rows were touched so many times.
async fn touched(database: &ScratchDatabase, times: i64) -> i64 {
    number(
        database,
        &format!("SELECT count(*) FROM crates WHERE touched = {times}"),
    )
    .await
}

fn in_full(error: &CommandError) -> String {
    let mut text = error.to_string();
    let mut cause = std::error::Error::source(error);
    while let Some(error) = cause {
        text = format!("{text}: {error}");
        cause = error.source();
    }
    text
}

#[tokio::test]
async fn a_backfill_changes_each_row_once_and_is_verified() {
    for database in databases().await {
        let environment = environment(&database, &counted());
        upgrade(&environment, "head").await.unwrap();
        assert_eq!(touched(&database, 1).await, ROWS);
        let [standing] = command::backfills(&environment)
            .await
            .unwrap()
            .try_into()
            .unwrap();
        assert_eq!(standing.state, State::Verified);
        assert_eq!((standing.seen, standing.changed), (1_050, 1_050));
        assert_eq!(current(&environment).await, ["fill"]);
        database.remove().await.unwrap();
    }
}

#[tokio::test]
async fn only_rows_that_need_it_are_changed_and_batches_grow() {
    let rank = Backfill::new("rank", "crates")
        .set("rank", Expr::cust("n * 2"))
        .rest(0.0);
    for database in databases().await {
        let revisions = [
            table("id integer PRIMARY KEY", "n"),
            Sql::new(
                "some",
                Some("make"),
                &["UPDATE crates SET rank = 7 WHERE n <= 50"],
                &[],
            ),
            Sql::backfill("fill", "some", rank.clone()),
        ];
        let environment = environment(&database, &revisions);
        upgrade(&environment, "head").await.unwrap();
        assert_eq!(
            number(&database, "SELECT count(*) FROM crates WHERE rank = 7").await,
            50
        );
        assert_eq!(
            number(
                &database,
                "SELECT count(*) FROM crates WHERE n > 50 AND rank = n * 2"
            )
            .await,
            1_000
        );
        let standing = &command::backfills(&environment).await.unwrap()[0];
        assert_eq!(standing.changed, 1_000);
        assert_ne!(standing.batch_rows, 1_000);
        database.remove().await.unwrap();
    }
}

#[tokio::test]
async fn keys_may_be_text_with_quotes_and_consist_of_several_columns() {
    for database in databases().await {
        let create = "CREATE TABLE crates (\"Port\" varchar(20), n integer, touched integer NOT NULL DEFAULT 0, \
                      PRIMARY KEY (\"Port\", n))";
        let fill = format!(
            "WITH RECURSIVE numbers (n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM numbers WHERE n < {ROWS}) \
             INSERT INTO crates (\"Port\", n) SELECT CASE n % 3 WHEN 0 THEN 'Land''s End' WHEN 1 THEN 'C:\\' ELSE 'Ärö' END, n \
             FROM numbers"
        );
        let revisions = [
            Sql::new("make", None, &[create, &fill], &["DROP TABLE crates"]),
            Sql::backfill("fill", "make", touch().every_row().batch_rows(100).rest(0.0)),
        ];
        upgrade(&environment(&database, &revisions), "head")
            .await
            .unwrap();
        assert_eq!(touched(&database, 1).await, ROWS);
        database.remove().await.unwrap();
    }
}

#[tokio::test]
async fn an_empty_table_is_done_at_once() {
    for database in databases().await {
        let mut revisions = counted();
        revisions[0] = Sql::new(
            "make",
            None,
            &["CREATE TABLE crates (id integer PRIMARY KEY, touched integer NOT NULL)"],
            &["DROP TABLE crates"],
        );
        let environment = environment(&database, &revisions);
        upgrade(&environment, "head").await.unwrap();
        assert_eq!(
            command::backfills(&environment).await.unwrap()[0].state,
            State::Verified
        );
        database.remove().await.unwrap();
    }
}

#[tokio::test]
async fn a_table_without_a_key_and_a_table_that_is_not_there_are_refused() {
    for database in databases().await {
        let other = Backfill::new("other", "casks").set("touched", 1);
        let nothing = Backfill::new("nothing", "crates");
        let revisions = [
            table("UNIQUE (n)", ""),
            Sql::backfill("fill", "make", touch()),
            Sql::backfill("other", "make", other),
            Sql::backfill("nothing", "make", nothing),
        ];
        let environment = environment(&database, &revisions);
        let mut said = String::new();
        for target in ["fill", "other", "nothing"] {
            let error = upgrade(&environment, target).await.unwrap_err();
            said.push_str(&format!("{}\n  {}\n", in_full(&error), error.hint().unwrap()));
        }
        allow_duplicates! {
        assert_snapshot!(said, @"
        upgrade of fill failed: its backfill did not get to its end: the backfill touch_crates goes along the primary key of crates, which has none
          give the table a primary key first
        upgrade of other failed: its backfill did not get to its end: the backfill other is about the table casks, which does not exist
          create the table in an earlier revision
        upgrade of nothing failed: its backfill did not get to its end: the backfill nothing sets no column
          say what to set with Backfill::set
        ");
        }
        assert_eq!(touched(&database, 0).await, ROWS);
        database.remove().await.unwrap();
    }
}

#[tokio::test]
async fn a_contract_waits_for_the_backfill_that_it_names() {
    for database in databases().await {
        let contract = Sql::new(
            "end",
            Some("make"),
            &["CREATE TABLE t_end (id integer)"],
            &["DROP TABLE t_end"],
        )
        .stage(Stage::Contract)
        .requires_backfill("touch_crates");
        let alone = [table("id integer PRIMARY KEY", "n"), contract];
        let environment_without = environment(&database, &alone);
        upgrade(&environment_without, "make").await.unwrap();
        let error = upgrade(&environment_without, "end").await.unwrap_err();
        assert_eq!(error.kind(), "backfill_unfinished");
        assert_eq!(
            in_full(&error),
            "end cannot be applied yet: the backfill touch_crates is not done: it was never begun"
        );
        // Half of it is not enough either.
        let [make, fill] = counted();
        let contract = Sql::new(
            "end",
            Some("make"),
            &["CREATE TABLE t_end (id integer)"],
            &["DROP TABLE t_end"],
        )
        .requires_backfill("touch_crates");
        let environment = environment(&database, &[make, fill, contract]);
        stopped_after_a_batch(&environment, "fill").await;
        let error = upgrade(&environment, "end").await.unwrap_err();
        assert_eq!(
            in_full(&error),
            "end cannot be applied yet: the backfill touch_crates is not done: it has passed 100 of about 1050 rows"
        );
        upgrade(&environment, "fill").await.unwrap();
        upgrade(&environment, "end").await.unwrap();
        assert_eq!(current(&environment).await.len(), 2);
        database.remove().await.unwrap();
    }
}

/// Stops the run when a batch is through.
struct StopAfterABatch(CancellationToken);

impl Observer for StopAfterABatch {
    fn backfill_progressed(&self, _work: &Work<'_>, _progress: &Progress) {
        self.0.cancel();
    }
}

async fn stopped_after_a_batch(environment: &Environment, target: &str) {
    let stop = CancellationToken::new();
    let observer = StopAfterABatch(stop.clone());
    let target = target.parse().unwrap();
    let error = Person::default()
        .watch(&observer, stop, async |conduct| {
            command::upgrade(environment, &target, OutOfOrder::Refuse, conduct).await
        })
        .await
        .unwrap_err();
    assert_eq!(error.kind(), "stopped", "{}", in_full(&error));
}

/// Notices that the backfill is held up.
#[derive(Default)]
struct SeesHeldUp {
    seen: std::sync::Mutex<Option<HeldUp>>,
    notify: Notify,
}

impl Observer for SeesHeldUp {
    fn backfill_progressed(&self, _work: &Work<'_>, progress: &Progress) {
        if let Some(held_up) = progress.held_up {
            self.seen.lock().unwrap().get_or_insert(held_up);
            self.notify.notify_one();
        }
    }
}

impl SeesHeldUp {
    /// Upgrades, and does something once it is held up.
    async fn upgrade(&self, environment: &Environment, release: impl AsyncFnOnce()) -> HeldUp {
        let target = "head".parse().unwrap();
        let person = Person::default();
        let run = person.watch(self, CancellationToken::new(), async |conduct| {
            command::upgrade(environment, &target, OutOfOrder::Refuse, conduct).await
        });
        let released = async {
            self.notify.notified().await;
            release().await;
        };
        let (result, ()) = tokio::join!(run, released);
        result.unwrap();
        self.seen.lock().unwrap().unwrap()
    }
}

#[tokio::test]
async fn a_stopped_backfill_goes_on_where_it_was_and_a_paused_one_waits() {
    for database in databases().await {
        let environment = environment(&database, &counted());
        stopped_after_a_batch(&environment, "head").await;
        assert_eq!(
            (touched(&database, 1).await, touched(&database, 0).await),
            (100, 950)
        );
        assert_eq!(current(&environment).await, ["make"]);
        let change = async |change| command::change_backfill(&environment, "touch_crates", change).await;
        assert!(change(BackfillChange::Pause).await.unwrap().is_paused);
        let held_up = SeesHeldUp::default()
            .upgrade(&environment, async || {
                assert_eq!(touched(&database, 1).await, 100);
                change(BackfillChange::Resume).await.unwrap();
            })
            .await;
        assert_eq!(held_up, HeldUp::Paused);
        assert_eq!(touched(&database, 1).await, ROWS);
        database.remove().await.unwrap();
    }
}

#[tokio::test]
async fn a_throttle_is_kept_and_an_unknown_name_is_an_error() {
    for database in databases().await {
        let environment = environment(&database, &counted());
        let throttle = Throttle {
            rest: Some(0.5),
            max_lag: None,
        };
        let change = async |name| {
            command::change_backfill(&environment, name, BackfillChange::Throttle(throttle)).await
        };
        let error = change("touch_crates").await.unwrap_err();
        assert!(
            in_full(&error).ends_with("there is no backfill touch_crates; none was begun on this database")
        );
        stopped_after_a_batch(&environment, "head").await;
        let standing = change("touch_crates").await.unwrap();
        assert_eq!((standing.rest, standing.max_lag_ms), (0.5, 1_500));
        let error = change("tuch").await.unwrap_err();
        assert!(in_full(&error).ends_with("there is no backfill tuch; there are touch_crates"));
        database.remove().await.unwrap();
    }
}

/// A view of the name that PostgreSQL's own has stands for a replica that is behind.
#[tokio::test]
async fn a_replica_that_is_behind_holds_a_backfill_up() {
    let Some(database) = postgres().await else { return };
    send(
        &database,
        "CREATE TABLE lags (replay_lag interval); INSERT INTO lags VALUES ('9 seconds'); \
         CREATE VIEW pg_stat_replication AS SELECT replay_lag FROM lags",
    )
    .await;
    let mut environment = environment(&database, &counted());
    environment.settings.schema = Some("public,pg_catalog".to_owned());
    let held_up = SeesHeldUp::default()
        .upgrade(&environment, async || {
            assert_eq!(touched(&database, 0).await, ROWS);
            send(&database, "UPDATE lags SET replay_lag = '1 second'").await;
        })
        .await;
    assert_eq!(held_up, HeldUp::ReplicaLag(std::time::Duration::from_secs(9)));
    assert_eq!(touched(&database, 1).await, ROWS);
    database.remove().await.unwrap();
}

#[tokio::test]
async fn undoing_a_backfill_lets_it_begin_anew() {
    for database in databases().await {
        let environment = environment(&database, &counted());
        upgrade(&environment, "head").await.unwrap();
        downgrade(&environment, "make").await.unwrap();
        assert_eq!(command::backfills(&environment).await.unwrap(), []);
        upgrade(&environment, "head").await.unwrap();
        assert_eq!(touched(&database, 2).await, ROWS);
        database.remove().await.unwrap();
    }
}

#[tokio::test]
async fn rows_that_are_left_fail_the_backfill_and_the_next_run_fills_them() {
    let rank = Backfill::new("rank", "crates")
        .set("rank", Expr::cust("nullif(n, 3)"))
        .rest(0.0);
    for database in databases().await {
        let revisions = [
            table("id integer PRIMARY KEY", "n"),
            Sql::backfill("fill", "make", rank.clone()),
        ];
        let environment = environment(&database, &revisions);
        let error = upgrade(&environment, "head").await.unwrap_err();
        assert!(
            in_full(&error).ends_with(
                "rows of crates are left that the backfill rank should have changed, with the keys 3"
            ),
            "{}",
            in_full(&error)
        );
        let standing = &command::backfills(&environment).await.unwrap()[0];
        assert_eq!(standing.state, State::Finished);
        send(&database, "UPDATE crates SET n = 4 WHERE n = 3").await;
        upgrade(&environment, "head").await.unwrap();
        assert_eq!(
            number(&database, "SELECT count(*) FROM crates WHERE rank IS NULL").await,
            0
        );
        database.remove().await.unwrap();
    }
}

#[tokio::test]
async fn a_backfill_that_was_changed_halfway_is_refused() {
    for database in databases().await {
        stopped_after_a_batch(&environment(&database, &counted()), "head").await;
        let other = Backfill::new("touch_crates", "crates")
            .set("touched", 9)
            .every_row();
        let revisions = [
            table("id integer PRIMARY KEY", "n"),
            Sql::backfill("fill", "make", other),
        ];
        let error = upgrade(&environment(&database, &revisions), "head")
            .await
            .unwrap_err();
        assert!(
            in_full(&error)
                .ends_with("the backfill touch_crates stopped halfway, and was declared differently then")
        );
        assert_eq!(touched(&database, 9).await, 0);
        database.remove().await.unwrap();
    }
}

struct Stock;

impl MigratorTrait for Stock {
    fn migrations() -> Vec<Box<dyn MigrationTrait>> {
        counted()
            .map(|revision| Box::new(revision) as Box<dyn MigrationTrait>)
            .into()
    }
}

#[tokio::test]
async fn the_stock_runner_works_a_backfill_off_too() {
    for database in databases().await {
        let session = session(&database).await;
        Stock::up(session.connection(), None).await.unwrap();
        session.close().await;
        assert_eq!(touched(&database, 1).await, ROWS);
        database.remove().await.unwrap();
    }
}

/// A migration that declares nothing, and only calls its backfill.
struct Plain;

impl MigrationName for Plain {
    fn name(&self) -> &str {
        "m_plain"
    }
}

impl Revision for Plain {}

#[async_trait::async_trait]
impl MigrationTrait for Plain {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        touch().every_row().run(manager).await
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        touch().every_row().forget(manager).await
    }

    fn use_transaction(&self) -> Option<bool> {
        Some(false)
    }
}

#[tokio::test]
async fn a_backfill_that_is_called_and_not_declared_is_worked_off_too() {
    for database in databases().await {
        let [table, _] = counted();
        let environment =
            Environment::new(vec![Box::new(table), Box::new(Plain)]).database(database.url().clone());
        upgrade(&environment, "heads").await.unwrap();
        assert_eq!(touched(&database, 1).await, ROWS);
        database.remove().await.unwrap();
    }
}

#[tokio::test]
async fn the_linter_finds_nothing_wrong_with_a_backfill() {
    for database in databases().await {
        let environment = environment(&database, &counted());
        let steps = command::lint(
            &environment,
            &command::LintSelection::One("fill".parse().unwrap()),
            15,
        )
        .await
        .unwrap();
        assert!(steps.iter().all(|step| step.hazards.is_empty()), "{steps:#?}");
    }
}

#[tokio::test]
async fn a_script_fills_the_rows_without_a_runner() {
    let rank = Backfill::new("rank", "crates").set("rank", Expr::cust("n * 2"));
    for database in databases().await {
        let revisions = [
            table("id integer PRIMARY KEY", "n"),
            Sql::backfill("fill", "make", rank.clone()),
        ];
        let environment = environment(&database, &revisions);
        upgrade(&environment, "make").await.unwrap();
        let script = command::upgrade_sql(&environment, None, &"head".parse().unwrap(), Stage::Contract)
            .await
            .unwrap();
        if database.url().backend() == DbBackend::Postgres {
            let lines: Vec<&str> = script
                .sql
                .lines()
                .filter(|line| line.contains("backfill rank") || line.contains("DO "))
                .collect();
            assert_snapshot!(lines.join("\n"), @r#"
            DO $precondition$ BEGIN IF EXISTS (SELECT 1 FROM "seaql_migrations" WHERE version = 'm_fill') THEN RAISE EXCEPTION USING MESSAGE = 'revision fill is applied already'; END IF; END $precondition$;
            -- backfill rank, in batches: UPDATE "crates" SET "rank" = n * 2 WHERE ("rank" IS NULL)
            DO $backfill$ BEGIN FOR round IN 0..(SELECT count(*) / 1000 + 1 FROM "crates") LOOP UPDATE "crates" SET "rank" = n * 2 WHERE (ctid = ANY (ARRAY(SELECT ctid FROM "crates" WHERE ("rank" IS NULL) LIMIT 1000))) AND ("rank" IS NULL); EXIT WHEN NOT FOUND; COMMIT; END LOOP; END $backfill$;
            INSERT INTO "seaworthy_backfills" (name, table_name, checksum, state, is_paused, rows_seen, rows_changed, rows_total, batch_rows, rest, max_lag_ms, started_at, updated_at) VALUES ('rank', 'crates', '8239bee0117f7b587e083c7636c336040e9ef666a9981a52c48da2525b0b1139', CASE WHEN EXISTS (SELECT 1 FROM "crates" WHERE ("rank" IS NULL)) THEN 'finished' ELSE 'verified' END, 0, 0, 0, 0, 0, 0, 0, clock_timestamp(), clock_timestamp()) ON CONFLICT (name) DO UPDATE SET state = excluded.state, checksum = excluded.checksum;
            "#);
        }
        feed(&database, &script.sql).with_code(0);
        assert_eq!(
            number(&database, "SELECT count(*) FROM crates WHERE rank = n * 2").await,
            ROWS
        );
        assert_eq!(
            command::backfills(&environment).await.unwrap()[0].state,
            State::Verified
        );
        assert_eq!(current(&environment).await, ["fill"]);
        database.remove().await.unwrap();
    }
}
