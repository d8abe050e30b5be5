//! The image and the stack hold what they say: every variable, program, port and check in them is real.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

use api::settings::{Command, CommandLine};
use api::{Clock, Server, development_token};
use clap::{CommandFactory, Parser};
use serde_json::{Value, json};

use crate::site::{NOW, databases, migrate, on_each, settings};

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
fn what_the_sample_names_arrives() {
    let arrives = keys(&stack()["services"]["api"]["environment"]);
    // A service that does not own its tables migrates nothing, and production makes no secret.
    let left_out = ["MIGRATE", "TODO_SECRET_FILE"].map(str::to_owned);
    let missing: Vec<_> = variables_of_the_service()
        .difference(&arrives)
        .filter(|name| !left_out.contains(name))
        .cloned()
        .collect();
    assert_eq!(missing, Vec::<String>::new());
    // The password of whoever may change the schema is nothing for the service.
    let text = stack()["services"]["api"].to_string();
    assert!(!text.contains("POSTGRES_PASSWORD"), "{text}");
}

#[test]
fn the_database_comes_first_then_its_migration_then_the_service() {
    let services = &stack()["services"];
    assert_eq!(
        services["migrate"]["depends_on"]["db"]["condition"],
        "service_healthy"
    );
    for (later, earlier) in [("roles", "migrate"), ("api", "roles")] {
        assert_eq!(
            services[later]["depends_on"][earlier]["condition"],
            "service_completed_successfully"
        );
        assert_eq!(services[earlier]["restart"], "no");
    }
    // What old builds need is removed by hand alone.
    assert_eq!(
        words(&services["migrate"]["command"]),
        ["migration", "upgrade", "head", "--stage", "migrate"]
    );
    assert_eq!(words(&services["contract"]["profiles"]), ["contract"]);
    assert_eq!(
        words(&services["contract"]["command"]),
        ["migration", "upgrade", "head"]
    );
}

#[test]
fn the_stack_runs_what_is_here_and_no_container_may_more_than_it_needs() {
    let stack = stack();
    let services = stack["services"].as_object().unwrap();
    assert_eq!(services.len(), 5);
    for (name, service) in services {
        assert_eq!(service["read_only"], true, "{name}");
        assert_eq!(words(&service["cap_drop"]), ["ALL"], "{name}");
        assert_eq!(
            words(&service["security_opt"]),
            ["no-new-privileges:true"],
            "{name}"
        );
        assert!(service["mem_limit"].is_string(), "{name}");
        assert!(
            service["cap_add"].is_null() && service["privileged"].is_null(),
            "{name}"
        );
    }
    for (name, policy) in [("migrate", "build"), ("api", "never"), ("contract", "never")] {
        assert_eq!(services[name]["image"], "evolution-of-todo");
        assert_eq!(services[name]["pull_policy"], policy, "{name}");
        assert_eq!(services[name]["build"].is_string(), policy == "build", "{name}");
    }
    // Where PostgreSQL writes beside its volume.
    assert_eq!(words(&services["db"]["tmpfs"]), ["/tmp", "/var/run/postgresql"]);
    assert_eq!(services["db"]["user"], "postgres");
    assert_eq!(services["db"]["mem_limit"], "1g");
}

/// What the stack runs between the migration and the service, with psql and a real server.
#[tokio::test]
async fn the_role_of_the_service_works_with_rows_and_changes_no_schema() {
    for database in databases().await {
        if !database.address().starts_with("postgres") {
            continue;
        }
        migrate(&database, "head").await;
        let psql = |address: &str, arguments: &[&str]| {
            let output = std::process::Command::new("psql")
                .args([address, "--no-psqlrc", "--quiet"])
                .args(arguments)
                .output()
                .unwrap();
            let text = [output.stdout, output.stderr].concat();
            (output.status.success(), String::from_utf8(text).unwrap())
        };
        let script = concat!("--file=", env!("CARGO_MANIFEST_DIR"), "/../docker/roles.sql");
        for _ in 0..2 {
            let ran = psql(database.address(), &["--variable=password=s3cret", script]);
            assert_eq!(ran, (true, String::new()));
        }
        let (scheme, rest) = database.address().split_once("://").unwrap();
        let host = rest.split_once('@').map_or(rest, |(_, host)| host);
        let address = format!("{scheme}://todo_api:s3cret@{host}");
        let settings = settings(&address, &[]);
        let server = Server::start(&settings, Clock::fixed(NOW)).await.unwrap();
        let (url, client) = (format!("http://{}", server.address()), reqwest::Client::new());
        let token = development_token(&settings, &Clock::system(), "usr_ada", "ada@example.org").unwrap();
        let task = client
            .post(format!("{url}/api/v1/tasks"))
            .bearer_auth(token)
            .header("idempotency-key", "k")
            .json(&json!({"title": "Caulk the hull", "tags": ["boat"]}));
        assert_eq!(task.send().await.unwrap().status(), 201);
        let ready = client.get(format!("{url}/readyz")).send().await.unwrap();
        assert_eq!(ready.status(), 200);
        for refused in [
            "CREATE TABLE mine (id integer)",
            "ALTER TABLE tasks ADD COLUMN mine integer",
            "DROP TABLE tags CASCADE",
            "DELETE FROM seaql_migrations",
            "UPDATE seaworthy_history SET outcome = 'done'",
        ] {
            let (is_done, said) = psql(&address, &["--command", refused]);
            assert!(!is_done, "{refused}: {said}");
            assert!(
                said.contains("permission denied") || said.contains("must be owner"),
                "{said}"
            );
        }
        server.stop().await.unwrap();
        let remove = "DROP OWNED BY todo_api; DROP ROLE todo_api";
        assert_eq!(
            psql(database.address(), &["--command", remove]),
            (true, String::new())
        );
        database.remove().await.unwrap();
    }
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
