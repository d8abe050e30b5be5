//! The requests of docs/api.md and of the README, sent with curl to a running service, and their answers held against the page.

use std::collections::BTreeMap;
use std::process::Command;

use crate::site::{Site, databases};

struct Step {
    command: String,
    /// What the page shows, in one line; `...` stands for anything.
    shown: String,
}

#[tokio::test(flavor = "multi_thread")]
async fn the_page_about_the_api_tells_the_truth() {
    let page = include_str!("../../../docs/api.md");
    let mut blocks = blocks(page).into_iter();
    let start = blocks.next().unwrap();
    assert!(
        start[0].command == "cargo run",
        "the first block starts the service, which the test does itself"
    );
    let mut requests = 0;
    for block in blocks {
        let revision = if block
            .iter()
            .any(|step| step.shown.contains("SCHEMA_FEATURE_UNAVAILABLE"))
        {
            "001"
        } else {
            "head"
        };
        for database in databases().await {
            let site = Site::open(database, revision, &[]).await;
            requests += run(&site, &block);
            site.close().await;
        }
    }
    assert!(requests >= 5, "only {requests} requests were found on the page");
}

#[tokio::test(flavor = "multi_thread")]
async fn the_readme_tells_the_truth_about_the_service() {
    let page = include_str!("../../../README.md");
    let mut requests = 0;
    for block in blocks(page) {
        if !block.iter().any(|step| step.command.starts_with("curl ")) {
            continue;
        }
        for database in databases().await {
            let site = Site::open(database, "head", &[]).await;
            requests += run(&site, &block);
            site.close().await;
        }
    }
    assert!(requests >= 5, "only {requests} requests were found in the README");
}

/// Runs the commands of a block and returns how many requests it sent.
fn run(site: &Site, block: &[Step]) -> usize {
    let mut requests = 0;
    let mut variables = BTreeMap::from([("TOKEN".to_owned(), site.token("usr_ada"))]);
    for step in block.iter().filter(|step| !step.command.starts_with("TOKEN=")) {
        let command = step
            .command
            .replace("http://127.0.0.1:8080", site.url("").trim_end_matches('/'));
        let exported = command
            .strip_prefix("export ")
            .and_then(|rest| rest.split_once('='));
        let exported = exported.map(|(name, _)| name.to_owned());
        let tail = exported.as_ref().map(|name| format!("; printf %s \"${name}\""));
        let tail = tail.unwrap_or_default();
        let output = Command::new("sh")
            .arg("-c")
            .arg(format!("{command}{tail}"))
            .envs(&variables)
            .output()
            .unwrap();
        assert!(output.status.success(), "{command}: {output:?}");
        let answer = String::from_utf8(output.stdout).unwrap();
        if let Some(name) = exported {
            assert!(answer.len() > 40, "{command} sets {answer}");
            variables.insert(name, answer.clone());
        }
        let mut rest = answer.as_str();
        for fragment in step.shown.split("...") {
            let found = rest.find(fragment);
            let at = found.unwrap_or_else(|| panic!("{command}\nanswers {answer}\nwhich lacks {fragment}"));
            rest = &rest[at + fragment.len()..];
        }
        requests += 1;
    }
    requests
}

/// The console blocks of a page, each with its commands.
fn blocks(page: &str) -> Vec<Vec<Step>> {
    let mut found: Vec<Vec<Step>> = Vec::new();
    let mut is_inside = false;
    for line in page.lines() {
        match line.trim() {
            "```console" => {
                is_inside = true;
                found.push(Vec::new());
            }
            "```" => is_inside = false,
            text if is_inside => add(found.last_mut().unwrap(), text),
            _ => {}
        }
    }
    found
}

fn add(block: &mut Vec<Step>, line: &str) {
    if let Some(command) = line.strip_prefix("$ ") {
        return block.push(Step {
            command: command.to_owned(),
            shown: String::new(),
        });
    }
    let step = block.last_mut().expect("a block begins with a command");
    match step.command.strip_suffix('\\') {
        Some(begun) => step.command = format!("{begun}{line}"),
        None => step.shown.push_str(line),
    }
}
