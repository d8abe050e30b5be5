//! The image and the stack hold what they say: every variable, program, port and check in them is real.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

use api::settings::{Command, CommandLine};
use clap::{CommandFactory, Parser};
use serde_json::Value;

use crate::site::on_each;

fn file(name: &str) -> String {
    fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("..").join(name)).unwrap()
}

fn stack() -> Value {
    serde_saphyr::from_str(&file("docker-compose.yml")).unwrap()
}

/// Returns the words of a line of the Dockerfile that begins with an instruction, for each such line.
fn instructions(name: &str) -> Vec<Vec<String>> {
    file("Dockerfile")
        .lines()
        .filter_map(|line| line.strip_prefix(name)?.strip_prefix(' '))
        .map(|rest| rest.split_whitespace().map(str::to_owned).collect())
        .collect()
}

fn variables_of_the_service() -> BTreeSet<String> {
    CommandLine::command()
        .get_arguments()
        .filter_map(|argument| Some(argument.get_env()?.to_str()?.to_owned()))
        .collect()
}

fn keys(value: &Value) -> BTreeSet<String> {
    value.as_object().unwrap().keys().cloned().collect()
}

/// Returns a list of words, as a shell would see it.
fn words(value: &Value) -> Vec<&str> {
    let words = value.as_array().unwrap();
    words.iter().map(|word| word.as_str().unwrap()).collect()
}

#[test]
fn the_stack_sets_only_variables_that_are_read() {
    let stack = stack();
    let service = keys(&stack["services"]["api"]["environment"]);
    let unknown: Vec<_> = service.difference(&variables_of_the_service()).cloned().collect();
    assert_eq!(unknown, Vec::<String>::new());
    assert!(service.contains("BETTER_AUTH_SECRET") && service.contains("DATABASE_URL"));
    assert_eq!(
        keys(&stack["services"]["migrate"]["environment"]),
        BTreeSet::from(["DATABASE_URL".to_owned()])
    );
    for variable in instructions("ENV").concat() {
        let (name, _) = variable.split_once('=').unwrap();
        assert!(variables_of_the_service().contains(name), "{name}");
    }
}

#[test]
fn the_database_comes_first_then_its_migration_then_the_service() {
    let services = &stack()["services"];
    assert_eq!(
        services["migrate"]["depends_on"]["db"]["condition"],
        "service_healthy"
    );
    assert_eq!(
        services["api"]["depends_on"]["migrate"]["condition"],
        "service_completed_successfully"
    );
    assert_eq!(services["migrate"]["restart"], "no");
    assert_eq!(
        words(&services["migrate"]["command"]),
        ["migration", "upgrade", "head"]
    );
    assert_eq!(services["api"]["image"], services["migrate"]["image"]);
}

#[test]
fn the_port_that_is_published_is_the_one_that_is_listened_on() {
    let port = instructions("ENV")
        .concat()
        .iter()
        .find_map(|variable| variable.strip_prefix("PORT=").map(str::to_owned))
        .unwrap();
    assert_eq!(instructions("EXPOSE"), [[port.clone()]]);
    let stack = stack();
    let ports = words(&stack["services"]["api"]["ports"]);
    assert_eq!(ports, [format!("127.0.0.1:${{PORT:-8080}}:{port}")]);
}

#[test]
fn the_image_holds_both_programs_and_runs_as_nobody_special() {
    let copied = instructions("COPY").concat();
    for program in ["api", "migration"] {
        let built = format!("/src/target/release/{program}");
        assert!(copied.contains(&built), "{built}");
    }
    assert_eq!(instructions("USER"), [["todo"]]);
    let toolchain = file("rust-toolchain.toml");
    let image = &instructions("FROM")[0][0];
    let version = image.trim_start_matches("rust:").trim_end_matches("-bookworm");
    assert!(toolchain.contains(&format!("channel = \"{version}.")), "{image}");
    for private in [".env", ".todo-secret", "*.db"] {
        assert!(
            file(".dockerignore").lines().any(|line| line == private),
            "{private}"
        );
    }
}

#[tokio::test]
async fn the_check_of_the_stack_asks_the_running_service() {
    let stack = stack();
    let check = words(&stack["services"]["api"]["healthcheck"]["test"]);
    let line = CommandLine::try_parse_from(&check[1..]).unwrap();
    assert!(matches!(line.command, Some(Command::Ready)));
    on_each("003", async |site| {
        let mut settings = site.settings.clone();
        settings.port = site.server.address().port();
        let answer = api::ready(&settings).await.unwrap();
        assert!(answer.contains("\"ready\""), "{answer}");
        site.server.drain();
        let error = api::ready(&settings).await.unwrap_err().to_string();
        assert!(error.contains("draining"), "{error}");
    })
    .await;
}

#[tokio::test]
async fn a_check_where_nobody_listens_says_so() {
    // A port that was free a moment ago.
    let free = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let port = free.local_addr().unwrap().port();
    drop(free);
    let line = CommandLine::try_parse_from(["api", "--port", &port.to_string(), "ready"]).unwrap();
    let error = api::ready(&line.settings).await.unwrap_err();
    assert_eq!(error.to_string(), format!("nobody answers on 127.0.0.1:{port}"));
}
