//! A column on its way to another name: what a client said is what it reads, whichever of the two names is there, and
//! whoever else writes the old or the new one meanwhile.

use std::collections::HashMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use seaworthy::command::{self, CommandError, Living, OutOfOrder};
use seaworthy::environment::Environment;
use seaworthy::heartbeat::{Build, Heart};
use seaworthy::session::{Access, Session};
use serde_json::{Value, json};

use crate::site::{Site, conduct, databases, migrate, on_each};

/// Before the rename, and its three steps.
const STEPS: [&str; 4] = ["15d8b2f6e07c", "940153960ac1", "d0654cc0c660", "515090cc3bed"];

async fn rule(site: &Site, path: &str) -> Value {
    let task = site.get("usr_ada", path).await.expect(200).json();
    assert_eq!(task["is_recurring"], json!(!task["recurrence_pattern"].is_null()));
    task["recurrence_pattern"].clone()
}

#[tokio::test]
async fn what_code_of_either_name_writes_is_read_at_every_step_up_and_down() {
    on_each(STEPS[0], async |site| {
        let path = site
            .task("usr_ada", json!({"title": "t", "recurrence_pattern": "daily"}))
            .await;
        let mut said = json!("daily");
        let down = STEPS.into_iter().rev().skip(1);
        for (round, step) in STEPS.into_iter().chain(down).enumerate() {
            migrate(&site.database, step).await;
            assert_eq!(rule(site, &path).await, said, "{step}");
            let names: &[&str] = match step {
                "15d8b2f6e07c" => &["recurrence_pattern"],
                "515090cc3bed" => &["recurrence_rule"],
                _ => &["recurrence_pattern", "recurrence_rule"],
            };
            for name in names {
                for value in [
                    format!("'every {round}'"),
                    "NULL".to_owned(),
                    "'weekly'".to_owned(),
                ] {
                    site.sql(&format!("UPDATE tasks SET {name} = {value}")).await;
                    let read = rule(site, &path).await;
                    match value.as_str() {
                        "NULL" => assert_eq!(read, Value::Null, "{name} at {step}"),
                        text => assert_eq!(read, text.trim_matches('\''), "{name} at {step}"),
                    }
                }
            }
            for wanted in [json!(null), json!("monthly")] {
                let answer = site
                    .patch("usr_ada", &path, json!({"recurrence_pattern": wanted}))
                    .await;
                assert_eq!(answer.expect(200).json()["recurrence_pattern"], wanted, "{step}");
                assert_eq!(rule(site, &path).await, wanted, "{step}");
            }
            for name in names {
                // Who is told by an error that it is not so is the database.
                site.sql(&format!(
                    "UPDATE tasks SET title = CASE {name} WHEN 'monthly' THEN '{name} {round}' END"
                ))
                .await;
                let title = format!("{name} {round}");
                let task = site.get("usr_ada", &path).await.expect(200).json();
                assert_eq!(task["title"], title.as_str(), "{step}");
            }
            said = json!("monthly");
        }
    })
    .await;
}

/// Gives tasks rules, changes them and takes them away; returns what each task should say.
async fn keep_changing(site: Arc<Site>, user: String, stop: Arc<AtomicBool>) -> HashMap<String, Value> {
    let mut said = HashMap::new();
    let mut paths: Vec<String> = Vec::new();
    while !stop.load(Ordering::Relaxed) {
        let rule = json!("daily");
        let body = json!({"title": "t", "recurrence_pattern": rule});
        let path = site.task(&user, body).await;
        said.insert(path.clone(), rule);
        paths.push(path);
        // The newest, one of a while ago, and the first of all.
        for (index, rule) in [
            (1, json!("weekly")),
            (7, json!(null)),
            (paths.len(), json!("monthly")),
        ] {
            let Some(path) = paths.len().checked_sub(index).map(|index| &paths[index]) else {
                continue;
            };
            let answer = site
                .patch(&user, path, json!({"recurrence_pattern": rule}))
                .await
                .expect(200);
            assert_eq!(answer.json()["recurrence_pattern"], rule);
            said.insert(path.clone(), rule);
        }
    }
    said
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn no_rule_is_lost_while_its_column_gets_another_name_and_the_old_one_again() {
    for database in databases().await {
        let site = Arc::new(Site::open(database, STEPS[0], &[]).await);
        let stop = Arc::new(AtomicBool::new(false));
        let clients: Vec<_> = (0..3)
            .map(|number| {
                let user = format!("usr_{number}");
                tokio::spawn(keep_changing(Arc::clone(&site), user, Arc::clone(&stop)))
            })
            .collect();
        // At a stretch, as a snapshot of the schema may miss, and with time in between.
        for step in ["head", STEPS[0], "head", STEPS[0], STEPS[1], STEPS[2], STEPS[3]] {
            migrate(&site.database, step).await;
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
        stop.store(true, Ordering::Relaxed);
        for (number, client) in clients.into_iter().enumerate() {
            let said = client.await.unwrap();
            assert!(said.len() > 5, "only {} tasks were made", said.len());
            for (path, rule) in said {
                let task = site.get(&format!("usr_{number}"), &path).await.expect(200).json();
                assert_eq!(task["recurrence_pattern"], rule, "{path}");
            }
        }
        Arc::try_unwrap(site).ok().unwrap().close().await;
    }
}

#[tokio::test]
async fn the_old_name_stays_while_a_build_lives_that_knows_no_other() {
    on_each(STEPS[2], async |site| {
        let older = Build::new("todo-api", "0.0.9")
            .needs("tasks.title")
            .uses("tasks.recurrence_pattern")
            .knows(STEPS[0]);
        let session = Session::open(site.database.url(), &Default::default(), Access::Write)
            .await
            .unwrap();
        let heart = Heart::new(older, "the last release");
        heart.beat(session.connection()).await.unwrap();
        let refused = upgrade(site).await.unwrap_err();
        assert_eq!(refused.kind(), "still_in_use");
        let said = refused.to_string();
        assert!(
            said.contains("0.0.9") && said.contains("still uses tasks.recurrence_pattern"),
            "{said}"
        );
        // This build is alive as well, and in nobody's way.
        heart.end(session.connection()).await.unwrap();
        upgrade(site).await.unwrap();
        session.close().await;
    })
    .await;
}

async fn upgrade(site: &Site) -> Result<(), CommandError> {
    let environment =
        Environment::new(migration::Migrator::revisions()).database(site.database.url().clone());
    let target = STEPS[3].parse().unwrap();
    command::upgrade(&environment, &target, OutOfOrder::Refuse, &conduct(Living::Heed))
        .await
        .map(drop)
}
