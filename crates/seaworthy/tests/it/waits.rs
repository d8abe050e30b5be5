//! Who waits for whom, ending one of them, and how long statements may hold others up.

use std::sync::Mutex;
use std::time::Duration;

use seaworthy::command::{self, CommandError, OutOfOrder};
use seaworthy::runner::{Observer, Work};
use seaworthy::session::{Access, Ending, Fault, ServerProgress, Session, Settings};
use seaworthy::verify::ScratchDatabase;
use tokio_util::sync::CancellationToken;

use crate::databases::{Person, Sql, databases, environment, postgres, send, upgrade};

const LONG: &str = "UPDATE t_start SET note = 'secret of somebody' WHERE id = 1";

async fn client(database: &ScratchDatabase, name: &str) -> Session {
    let settings = Settings {
        application_name: name.to_owned(),
        ..Settings::default()
    };
    Session::open(database.url(), &settings, Access::Write)
        .await
        .unwrap()
}

async fn pid(session: &Session) -> i32 {
    let rows = session.rows("SELECT pg_backend_pid() AS pid").await.unwrap();
    rows[0].try_get("", "pid").unwrap()
}

/// Waits until somebody waits for a lock.
async fn until_somebody_waits(
    environment: &seaworthy::environment::Environment,
    count: usize,
) -> command::LockTree {
    loop {
        let tree = command::locks(environment).await.unwrap();
        if tree.sessions.len() >= count {
            return tree;
        }
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

#[tokio::test]
async fn the_tree_has_the_root_first_and_no_values() {
    let Some(database) = postgres().await else { return };
    let environment = environment(&database, &[Sql::table("start", None)]);
    upgrade(&environment, "head").await.unwrap();
    send(&database, "INSERT INTO t_start VALUES (1, 'a')").await;
    let (root, waiter) = (client(&database, "shop").await, client(&database, "report").await);
    root.send("BEGIN").await.unwrap();
    root.send(LONG).await.unwrap();
    let root_pid = pid(&root).await;
    root.send(LONG).await.unwrap();
    let waiting = waiter.send(LONG);
    let looking = async {
        let tree = until_somebody_waits(&environment, 2).await;
        let [first, second] = tree.sessions.as_slice() else {
            panic!("{tree:?}")
        };
        assert_eq!(
            (first.depth, first.session.pid, first.session.state.as_str()),
            (0, root_pid, "idle in transaction")
        );
        assert_eq!(first.session.query, "UPDATE t_start SET note = ? WHERE id = ?");
        assert_eq!((second.depth, &second.session.waits_for), (1, &vec![root_pid]));
        assert_eq!(second.session.wanted.as_deref(), Some("ShareLock on a row"));

        // Nothing of it runs, so nothing can be cancelled; it can be ended.
        let cancelled = command::end_session(&environment, root_pid, Ending::Cancel, async |_| true).await;
        assert_eq!(cancelled.unwrap_err().kind(), "session_not_endable");
        let refused = command::end_session(&environment, root_pid, Ending::Terminate, async |_| false).await;
        assert!(matches!(refused, Err(CommandError::NotEnded { .. })));
        let ended = command::end_session(&environment, root_pid, Ending::Terminate, async |_| true)
            .await
            .unwrap();
        assert!(ended.was_there);
    };
    let (waited, ()) = tokio::join!(waiting, looking);
    waited.unwrap();
    drop(root);
    waiter.close().await;
    database.remove().await.unwrap();
}

#[tokio::test]
async fn what_runs_is_cancelled_and_the_session_stays() {
    let Some(database) = postgres().await else { return };
    let environment = environment(&database, &[Sql::table("start", None)]);
    upgrade(&environment, "head").await.unwrap();
    send(&database, "INSERT INTO t_start VALUES (1, 'a')").await;
    let (root, waiter) = (client(&database, "shop").await, client(&database, "report").await);
    let waiter_pid = pid(&waiter).await;
    root.send("BEGIN").await.unwrap();
    root.send(LONG).await.unwrap();
    let looking = async {
        until_somebody_waits(&environment, 2).await;
        command::end_session(&environment, waiter_pid, Ending::Cancel, async |_| true)
            .await
            .unwrap();
    };
    let (waited, ()) = tokio::join!(waiter.send(LONG), looking);
    assert_eq!(Fault::of(&waited.unwrap_err()), Fault::Cancelled);
    assert_eq!(pid(&waiter).await, waiter_pid);
    root.close().await;
    waiter.close().await;
    database.remove().await.unwrap();
}

#[tokio::test]
async fn what_has_to_stay_is_left_alone() {
    let (Some(database), Some(other)) = (postgres().await, postgres().await) else {
        return;
    };
    let environment = environment(&database, &[Sql::table("start", None)]);
    let (here, migrator, elsewhere) = (
        client(&database, "shop").await,
        client(&database, "seaworthy since now: upgrade by somebody").await,
        client(&other, "shop").await,
    );
    let own = pid(&here).await;
    let kept = here.endable(own, Ending::Terminate).await.unwrap_err();
    assert_eq!(
        kept.to_string(),
        format!("process {own} is this connection itself")
    );
    let rows = here
        .rows("SELECT pid FROM pg_stat_activity WHERE backend_type = 'checkpointer'")
        .await
        .unwrap();
    let checkpointer: i32 = rows[0].try_get("", "pid").unwrap();
    for (pid, said) in [
        (checkpointer, "serves no client: it is a checkpointer"),
        (pid(&migrator).await, "is a migration"),
        (pid(&elsewhere).await, "not on this one"),
        (i32::MAX, "no process"),
    ] {
        let error = command::end_session(&environment, pid, Ending::Terminate, async |_| true)
            .await
            .unwrap_err();
        assert!(error.to_string().contains(said), "{error}");
        assert_eq!(error.category(), command::Category::Refused);
    }
    for session in [here, migrator, elsewhere] {
        session.close().await;
    }
    database.remove().await.unwrap();
    other.remove().await.unwrap();
}

#[tokio::test]
async fn a_statement_ends_when_it_has_held_others_up_for_too_long() {
    let Some(database) = postgres().await else { return };
    let slow = ["ALTER TABLE t_start ADD COLUMN more text", "SELECT pg_sleep(60)"];
    for (id, revision) in [
        ("together", Sql::new("together", Some("start"), &slow, &[])),
        (
            "alone",
            Sql::new(
                "alone",
                Some("start"),
                &["ALTER TABLE t_start ADD COLUMN other text; SELECT pg_sleep(60)"],
                &[],
            )
            .without_transaction(),
        ),
    ] {
        let mut environment = environment(&database, &[Sql::table("start", None), revision]);
        upgrade(&environment, "start").await.unwrap();
        environment.settings.hold_timeout = Duration::from_millis(300);
        let error = upgrade(&environment, id).await.unwrap_err();
        assert!(
            error.hint().unwrap_or_default().contains("--hold-timeout"),
            "{error:?}"
        );
    }
    database.remove().await.unwrap();
}

#[tokio::test]
async fn a_statement_that_holds_nobody_up_may_take_its_time() {
    let Some(database) = postgres().await else { return };
    let slow = Sql::new(
        "slow",
        Some("start"),
        &["CREATE TABLE t_slow (id integer)", "SELECT pg_sleep(0.5)"],
        &[],
    );
    let mut environment = environment(&database, &[Sql::table("start", None), slow]);
    environment.settings.hold_timeout = Duration::from_millis(100);
    upgrade(&environment, "head").await.unwrap();
    database.remove().await.unwrap();
}

/// Hears how far the server has got, and lets it go on then.
struct Listener {
    heard: Mutex<Vec<ServerProgress>>,
    go_on: CancellationToken,
}

impl Observer for Listener {
    fn statement_progressed(&self, _work: &Work<'_>, progress: &ServerProgress) {
        self.heard.lock().unwrap().push(progress.clone());
        self.go_on.cancel();
    }
}

#[tokio::test]
async fn a_concurrent_build_tells_how_far_it_is_and_whom_it_waits_for() {
    let Some(database) = postgres().await else { return };
    let build = Sql::new(
        "build",
        Some("start"),
        &["CREATE INDEX CONCURRENTLY i_note ON t_start (note)"],
        &[],
    );
    let environment = environment(
        &database,
        &[Sql::table("start", None), build.without_transaction()],
    );
    upgrade(&environment, "start").await.unwrap();
    let writer = client(&database, "shop").await;
    writer
        .send("BEGIN; INSERT INTO t_start VALUES (1, 'a')")
        .await
        .unwrap();
    let writer_pid = pid(&writer).await;
    let listener = Listener {
        heard: Mutex::default(),
        go_on: CancellationToken::new(),
    };
    let target = "head".parse().unwrap();
    let person = Person::default();
    let running = person.watch(&listener, CancellationToken::new(), async |conduct| {
        command::upgrade(&environment, &target, OutOfOrder::Refuse, conduct).await
    });
    let ending = async {
        listener.go_on.cancelled().await;
        writer.send("COMMIT").await.unwrap();
    };
    let (done, ()) = tokio::join!(running, ending);
    done.unwrap();
    let first = listener.heard.lock().unwrap()[0].clone();
    assert_eq!(first.command, "CREATE INDEX CONCURRENTLY");
    assert_eq!(
        (first.phase.as_str(), first.waits_for),
        ("waiting for writers before build", Some(writer_pid))
    );
    writer.close().await;
    database.remove().await.unwrap();
}

#[tokio::test]
async fn sqlite_has_no_tree() {
    let database = databases().await.remove(0);
    let environment = environment(&database, &[Sql::table("start", None)]);
    assert_eq!(
        command::locks(&environment).await.unwrap_err().kind(),
        "no_lock_tree"
    );
    database.remove().await.unwrap();
}

#[tokio::test]
async fn a_plan_tells_what_it_meets() {
    let Some(database) = postgres().await else { return };
    let next = Sql::new(
        "next",
        Some("start"),
        &[
            "ALTER TABLE t_start ADD COLUMN more text",
            "CREATE INDEX i_note ON t_start (note)",
        ],
        &[],
    );
    let environment = environment(&database, &[Sql::table("start", None), next]);
    upgrade(&environment, "start").await.unwrap();
    send(
        &database,
        "INSERT INTO t_start SELECT g, 'note' FROM generate_series(1, 50000) g; ANALYZE t_start",
    )
    .await;
    send(&database, "CREATE INDEX i_left ON t_start (id); UPDATE pg_index SET indisvalid = false WHERE indexrelid = 'i_left'::regclass").await;
    let plan = command::plan(
        &environment,
        &"head".parse().unwrap(),
        seaworthy::revision::Stage::Contract,
    )
    .await
    .unwrap();
    let survey = plan.survey.unwrap();
    assert_eq!(survey.invalid_indexes, ["i_left"]);
    let [weight] = survey.tables.as_slice() else {
        panic!("{:?}", survey.tables)
    };
    assert_eq!((weight.table.as_str(), weight.rows), ("t_start", 50_000));
    assert!(weight.bytes > 1_000_000 && weight.index_bytes > 0, "{weight:?}");
    let [step] = survey.steps.as_slice() else {
        panic!("{:?}", survey.steps)
    };
    let locks: Vec<&str> = step
        .effects
        .iter()
        .map(|survey| survey.effect.locks[0].mode)
        .collect();
    assert_eq!(locks, ["ACCESS EXCLUSIVE", "SHARE"]);
    assert_eq!((step.effects[1].work_ms, step.hold_ms), (100, 100));
    let verdicts: Vec<_> = step
        .hazards
        .iter()
        .map(|judged| (judged.hazard.category, judged.verdict.clone()))
        .collect();
    assert_eq!(
        verdicts,
        [
            ("index-blocking", command::Verdict::Refused),
            ("lock-held-long", command::Verdict::Refused)
        ]
    );
    database.remove().await.unwrap();
}
