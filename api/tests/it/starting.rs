//! What is wrong is said before anything is done: no table and no file is left by a start that fails.

use std::collections::BTreeSet;
use std::net::TcpListener;
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use api::settings::CommandLine;
use clap::CommandFactory;
use seaworthy::session::{Access, Session};
use seaworthy::verify::ScratchDatabase;

use crate::site::{SECRET, databases};

/// Runs the service in a folder of its own, without any variable, until it gives up; returns what it said.
fn fails(folder: &Path, arguments: &[&str]) -> String {
    let mut child = Command::new(env!("CARGO_BIN_EXE_api"))
        .args(arguments)
        .env_clear()
        .current_dir(folder)
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let begun = Instant::now();
    while child.try_wait().unwrap().is_none() {
        if begun.elapsed() > Duration::from_secs(20) {
            child.kill().unwrap();
            panic!("{arguments:?} is taken");
        }
        std::thread::sleep(Duration::from_millis(5));
    }
    let output = child.wait_with_output().unwrap();
    assert!(!output.status.success(), "{arguments:?}");
    String::from_utf8([output.stdout, output.stderr].concat()).unwrap()
}

/// The variable of a setting.
fn variable(name: &str) -> String {
    let command = CommandLine::command();
    let mut arguments = command.get_arguments();
    let argument = arguments.find(|argument| argument.get_long() == Some(name));
    argument.unwrap().get_env().unwrap().to_str().unwrap().to_owned()
}

async fn tables(database: &ScratchDatabase) -> usize {
    let file = database.address().strip_prefix("sqlite://");
    if file.is_some_and(|file| !Path::new(file).exists()) {
        return 0;
    }
    let session = Session::open(database.url(), &Default::default(), Access::Read)
        .await
        .unwrap();
    let sql = match database.address().starts_with("postgres") {
        true => {
            "SELECT tablename FROM pg_tables WHERE schemaname NOT IN ('pg_catalog', 'information_schema')"
        }
        false => "SELECT name FROM sqlite_master",
    };
    let count = session.rows(sql).await.unwrap().len();
    session.close().await;
    count
}

/// Every setting with values that cannot be used, and what else is needed to get as far as that.
fn wrong() -> Vec<(&'static str, &'static str, &'static [&'static str])> {
    vec![
        ("cors-origins", "todo.example", &[]),
        ("database-connections", "0", &[]),
        ("drain-seconds", "-1", &[]),
        ("environment", "staging", &[]),
        ("header-seconds", "0", &[]),
        ("host", "localhost", &[]),
        // Kept for documentation: nobody's machine has it.
        ("host", "203.0.113.1", &[]),
        ("idle-seconds", "0", &[]),
        ("jwks-url", "https://issuer.example/keys", &[]),
        (
            "jwks-url",
            "nowhere",
            &["--jwt-issuer", "i", "--jwt-audience", "a"],
        ),
        ("log-format", "xml", &[]),
        ("log-level", "api=loud", &[]),
        ("max-concurrency", "18446744073709551615", &[]),
        ("max-connections", "-1", &[]),
        ("max-connections-per-address", "many", &[]),
        ("metrics-address", "127.0.0.1", &[]),
        ("metrics-address", "203.0.113.1:9090", &[]),
        ("otlp-endpoint", "https://collector.example", &[]),
        ("otlp-endpoint", "http://", &[]),
        ("password-iterations", "0", &[]),
        ("password-memory-kib", "1", &[]),
        ("port", "65536", &[]),
        ("public-url", "todo.example", &[]),
        ("rate-anonymous", "0", &[]),
        ("rate-auth", "1:0", &[]),
        ("rate-page", "", &[]),
        ("rate-read", "x", &[]),
        ("rate-write", "-1", &[]),
        ("session-days", "0", &[]),
        ("token-days", "366", &[]),
        ("trusted-proxies", "proxy", &[]),
    ]
}

#[tokio::test]
async fn a_start_that_fails_leaves_the_database_as_it_was() {
    let folder = tempfile::tempdir().unwrap();
    let taken = TcpListener::bind("127.0.0.1:0").unwrap();
    let taken = taken.local_addr().unwrap();
    let (address, port) = (taken.to_string(), taken.port().to_string());
    for database in databases().await {
        let common = ["--migrate", "--database-url", database.address()];
        let good = ["--port", "0", "--better-auth-secret", SECRET];
        for (name, value, more) in wrong() {
            let option = format!("--{name}={value}");
            // What is said twice is refused for that.
            let good = match name {
                "port" => &good[2..],
                _ => &good,
            };
            let said = fails(folder.path(), &[&common[..], good, more, &[&option]].concat());
            let named = [format!("--{name}"), variable(name)];
            let is_named = named.iter().any(|name| said.contains(name));
            assert!(is_named || said.contains(value), "{option}: {said}");
        }
        for arguments in [
            &["--port", &port][..],
            &["--port", "0", "--metrics-address", &address],
        ] {
            let said = fails(
                folder.path(),
                &[&common[..], &["--better-auth-secret", SECRET], arguments].concat(),
            );
            assert!(said.contains(&format!("could not listen on {taken}")), "{said}");
        }
        for secret in [
            &["--environment", "production"][..],
            &["--environment", "production", "--better-auth-secret", "short"],
            &["--secret-file", "/nonexistent/secret"],
        ] {
            let said = fails(folder.path(), &[&common[..], &["--port", "0"], secret].concat());
            assert!(said.to_lowercase().contains("secret"), "{said}");
        }
        assert_eq!(tables(&database).await, 0);
        database.remove().await.unwrap();
    }
}

/// A new setting comes with a value that is refused, or is taken whatever it says.
#[test]
fn every_setting_is_tried_with_a_wrong_value() {
    let taken_as_they_are = [
        "better-auth-secret",
        "database-url",
        "jwt-audience",
        "jwt-issuer",
        "migrate",
        "secret-file",
    ];
    let tried: BTreeSet<String> = wrong()
        .into_iter()
        .map(|(name, ..)| name)
        .chain(taken_as_they_are)
        .map(str::to_owned)
        .collect();
    let command = CommandLine::command();
    let settings: BTreeSet<String> = command
        .get_arguments()
        .filter(|argument| argument.get_env().is_some())
        .map(|argument| argument.get_long().unwrap().to_owned())
        .collect();
    assert_eq!(tried, settings);
}

#[test]
fn production_without_a_database_makes_no_file() {
    let folder = tempfile::tempdir().unwrap();
    for more in [&[][..], &["--database-url", " "], &["--migrate"]] {
        let arguments = [
            &[
                "--environment",
                "production",
                "--better-auth-secret",
                SECRET,
                "--port",
                "0",
            ],
            more,
        ];
        let said = fails(folder.path(), &arguments.concat());
        assert!(said.contains("production needs DATABASE_URL"), "{said}");
    }
    assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 0);
}
