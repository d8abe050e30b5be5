//! Stages, and what running applications keep from being removed, as people and scripts read it.

use insta::assert_snapshot;
use seaworthy::heartbeat::{Build, Heart};
use seaworthy::session::{Access, Session, Settings};

use crate::terminal::{Answer, Terminal};

const CHANGE: &str = r#"{"revisions": [
    {"id": "start1", "message": "begin"},
    {"id": "adds02", "down": ["start1"], "message": "measure in metres"},
    {"id": "drops3", "down": ["adds02"], "message": "forget feet", "stage": "contract", "removes": ["boats.feet"]}
]}"#;

/// Gives a sign of life of a build that uses what the last revision removes.
async fn beat(terminal: &Terminal) -> Heart {
    let file = terminal.folder().join("graph.db");
    let url = format!("sqlite://{}", file.display()).parse().unwrap();
    let session = Session::open(&url, &Settings::default(), Access::Read)
        .await
        .unwrap();
    let heart = Heart::new(Build::new("fleet", "1.0").uses("boats.feet"), "web-1");
    heart.beat(session.connection()).await.unwrap();
    session.close().await;
    heart
}

fn steady(text: &str, heart: &Heart) -> String {
    let seconds = regex::Regex::new(r"last seen \d+ s ago").unwrap();
    let text = text.replace(heart.instance(), "<instance>");
    seconds.replace_all(&text, "last seen <n> s ago").into_owned()
}

#[test]
fn an_upgrade_ends_before_a_later_stage() {
    let terminal = Terminal::with(CHANGE);
    let answer = terminal.run("upgrade --stage expand");
    assert_eq!(answer.code, 0);
    assert_eq!(answer.err, "stopped before drops3, a contract revision\n");
    assert!(
        answer.out.ends_with("Done: 2 steps, the database is at adds02\n"),
        "{answer:?}"
    );
    let answer = terminal.run("upgrade --stage migrate");
    assert_eq!(answer.code, 0);
    assert_snapshot!(answer.out, @"Nothing to do: drops3, which comes next, is a contract revision (the database is at adds02)");
    let nothing = terminal.json("upgrade --stage expand");
    assert_eq!(nothing["report"], serde_json::Value::Null);
    assert_snapshot!(nothing["notes"][0], @r#""nothing to do: drops3, which comes next, is a contract revision""#);
    let plan = terminal.json("plan --stage expand");
    assert_eq!(plan["steps"].as_array().unwrap().len(), 0);
    let script = terminal.run("upgrade base:head --stage expand --sql").out;
    assert!(
        script.contains("adds02") && !script.contains("drops3"),
        "{script}"
    );
    assert!(terminal.run("upgrade").out.contains("at drops3"));
}

#[tokio::test]
async fn a_removal_is_refused_while_somebody_uses_what_goes() {
    let terminal = Terminal::with(CHANGE);
    terminal.run("upgrade adds02");
    let heart = beat(&terminal).await;
    let refused = terminal.run("upgrade");
    assert_eq!((refused.code, refused.out.as_str()), (5, ""));
    assert_snapshot!(steady(&refused.err, &heart), @"
    error: applying drops3 removes what is in use
      fleet 1.0 (<instance>, last seen <n> s ago) still uses boats.feet
    hint: stop or replace these processes and run again; one that died counts as gone after 30 s. Stop before the removal with --stage, or remove it all the same with --through-contract
    ");
    let json: Answer = terminal.run("upgrade --output json");
    let error: serde_json::Value = serde_json::from_str(&json.err).unwrap();
    assert_eq!(error["error"]["kind"], "still_in_use");

    let plan = terminal.run("plan");
    assert_eq!(plan.code, 3);
    assert_snapshot!(steady(&plan.out, &heart), @"
    sqlite://graph.db is at adds02; the target is heads

    1. upgrade adds02 -> drops3, forget feet (one transaction)

    In use:   drops3 removes it: fleet 1.0 (<instance>, last seen <n> s ago) still uses boats.feet

    1 step to run, 1 pending in all
    ");
    let status = terminal.run("status").out;
    let running: Vec<&str> = status
        .lines()
        .filter(|line| line.starts_with("Running"))
        .collect();
    assert_snapshot!(steady(running[0], &heart), @"Running:  fleet 1.0 (<instance>), last seen <n> s ago");
    let status = terminal.json("status");
    assert_eq!(status["alive"][0]["uses"], serde_json::json!(["boats.feet"]));

    assert_eq!(terminal.run("upgrade --through-contract").code, 0);
}
