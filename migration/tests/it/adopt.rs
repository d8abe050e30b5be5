//! `adopt` on databases that the real Alembic made: it records what is there, changes nothing else, and work goes on.

use std::fs;
use std::path::Path;
use std::process::Command;

use tempfile::TempDir;

use crate::databases::{TestDatabase, on_postgres, on_sqlite, variable};
use crate::program::Program;
use crate::schema::{assert_head, differences_from_revision, head, ids, inspect};

const REVISIONS: [(&str, &str); 4] = [
    ("001.py", include_str!("alembic/001.py")),
    ("002.py", include_str!("alembic/002.py")),
    ("003.py", include_str!("alembic/003.py")),
    ("004.py", include_str!("alembic/004.py")),
];

#[tokio::test]
async fn a_database_of_alembic_at_any_phase_is_taken_over_on_sqlite() {
    for phase in 1..=3 {
        on_sqlite(async |database| take_over(database, phase).await).await;
    }
}

#[tokio::test]
async fn a_database_of_alembic_at_any_phase_is_taken_over_on_postgresql() {
    for phase in 1..=3 {
        on_postgres(async |database| take_over(database, phase).await).await;
    }
}

#[tokio::test]
async fn a_revision_that_only_alembic_knows_changes_nothing_on_sqlite() {
    on_sqlite(async |database| refuse_unknown(database).await).await;
}

#[tokio::test]
async fn a_revision_that_only_alembic_knows_changes_nothing_on_postgresql() {
    on_postgres(async |database| refuse_unknown(database).await).await;
}

#[tokio::test]
async fn there_is_nothing_to_adopt_where_alembic_was_not_on_sqlite() {
    on_sqlite(async |database| refuse_without_alembic(database).await).await;
}

#[tokio::test]
async fn there_is_nothing_to_adopt_where_alembic_was_not_on_postgresql() {
    on_postgres(async |database| refuse_without_alembic(database).await).await;
}

#[tokio::test]
async fn a_database_that_stands_elsewhere_already_is_left_alone_on_sqlite() {
    on_sqlite(async |database| refuse_elsewhere(database).await).await;
}

#[tokio::test]
async fn a_database_that_stands_elsewhere_already_is_left_alone_on_postgresql() {
    on_postgres(async |database| refuse_elsewhere(database).await).await;
}

async fn take_over(database: &TestDatabase, phase: usize) {
    let program = Program::migration(database);
    let id = format!("00{phase}");
    alembic(database, &format!("upgrade {id}"));
    program.run("upgrade head").await.with_code(5).saying(&[
        &format!("error: the database is managed by Alembic, at {id}"),
        "hint: take it over with `adopt`",
    ]);

    let recorded: Vec<String> = (1..=phase)
        .map(|number| format!("Recorded that 00{number} is applied"))
        .collect();
    let expected = format!(
        "alembic_version says {id}\n{}\nThe database is at {id}; alembic_version stays as it is\n",
        recorded.join("\n")
    );
    let adopted = program.run("adopt").await.with_code(0);
    assert_eq!(adopted.stdout, expected);
    // On SQLite Alembic makes the default of a boolean the text 'false', which is not what the revisions say.
    let differs = "alter default tasks.completed: 'false' -> FALSE";
    assert_eq!(
        adopted.stderr.contains(differs),
        database.address().starts_with("sqlite:"),
        "{}",
        adopted.stderr
    );
    assert!(!adopted.stderr.contains("not compared"), "{}", adopted.stderr);
    let kept: String = database.value("SELECT version_num FROM alembic_version").await;
    assert_eq!(kept, id);
    assert_eq!(database.last_entry().await, format!("adopt up {id} done"));
    program.run("current").await.with_code(0).saying(&[&id]);
    program
        .run("adopt")
        .await
        .with_code(0)
        .saying(&["Nothing to do: all of it is recorded already"]);

    program.run("upgrade head").await.with_code(0);
    // On SQLite Alembic makes the default of a boolean the text 'false'; adopting keeps what is there.
    let connection = database.connect().await;
    let mut different = differences_from_revision(&connection, ids().len()).await;
    connection.close().await.unwrap();
    different.retain(|line| !line.ends_with("/default: expected \"false\", found \"'false'\""));
    assert_eq!(different, [""; 0]);
    assert!(database.has("alembic_version").await);

    program.run("downgrade base --yes").await.with_code(0);
    program.run("upgrade head").await.with_code(0);
    assert_head(database).await;
}

async fn refuse_unknown(database: &TestDatabase) {
    let program = Program::migration(database);
    alembic(database, "upgrade 003");
    alembic(database, "stamp 0c0ffee00004");
    let before = everything(database).await;
    program.run("adopt").await.with_code(1).saying(&[
        "error: alembic_version names 0c0ffee00004, which no revision here has as its id",
        &format!("hint: known ids are {}", ids().join(", ")),
    ]);
    assert_eq!(everything(database).await, before);
    // Stamped back it can be taken over.
    alembic(database, "stamp 003");
    program.run("adopt").await.with_code(0);
}

async fn refuse_without_alembic(database: &TestDatabase) {
    let program = Program::migration(database);
    let nothing = ["error: there is nothing to adopt", "hint: "];
    program.run("adopt").await.with_code(1).saying(&nothing);
    drop(database.connect().await);
    let before = everything(database).await;
    program.run("adopt").await.with_code(1).saying(&nothing);
    assert_eq!(everything(database).await, before);
    // A table without a row is what `alembic stamp base` leaves.
    alembic(database, "stamp base");
    program.run("adopt").await.with_code(1).saying(&nothing);
}

async fn refuse_elsewhere(database: &TestDatabase) {
    let program = Program::migration(database);
    program.run("upgrade head").await.with_code(0);
    alembic(database, "stamp 001");
    let before = everything(database).await;
    program.run("adopt").await.with_code(1).saying(&[
        &format!(
            "error: the database is already under this tool's control, at {}",
            head()
        ),
        "hint: correct where it stands with `stamp <rev>`",
    ]);
    assert_eq!(everything(database).await, before);
}

/// Runs the real Alembic on a database.
fn alembic(database: &TestDatabase, arguments: &str) {
    let program = variable("TEST_ALEMBIC")
        .expect("TEST_ALEMBIC must name the program alembic: run scripts/test, which installs it");
    let folder = TempDir::new().unwrap();
    let write = |path: &Path, text: &str| fs::write(folder.path().join(path), text).unwrap();
    fs::create_dir(folder.path().join("versions")).unwrap();
    write(Path::new("env.py"), include_str!("alembic/env.py"));
    write(Path::new("alembic.ini"), "[alembic]\nscript_location = .\n");
    for (name, text) in REVISIONS {
        write(&Path::new("versions").join(name), text);
    }
    // SQLAlchemy's spelling: it names the driver, and a SQLite path stands after three slashes.
    let address = database
        .address()
        .replacen("sqlite://", "sqlite:///", 1)
        .replacen("postgres://", "postgresql+psycopg://", 1)
        .replacen("postgresql://", "postgresql+psycopg://", 1);
    let output = Command::new(program)
        .args(arguments.split_whitespace())
        .current_dir(folder.path())
        .env("DATABASE_URL", address)
        .output()
        .unwrap();
    assert!(output.status.success(), "{output:#?}");
}

/// Returns the schema and the names of all tables, ours and Alembic's included.
async fn everything(database: &TestDatabase) -> String {
    let connection = database.connect().await;
    let schema = inspect(&connection).await.to_string();
    connection.close().await.unwrap();
    let names = database.either(
        "SELECT coalesce(group_concat(name), '') FROM (SELECT name FROM sqlite_master ORDER BY name)",
        "SELECT coalesce(string_agg(relname, ',' ORDER BY relname), '') FROM pg_class \
         WHERE relnamespace = 'public'::regnamespace",
    );
    let names: String = database.value(names).await;
    let mut rows = String::new();
    for table in ["seaql_migrations", "seaworthy_history", "alembic_version"] {
        if names.split(',').any(|name| name == table) {
            let count: i64 = database.value(&format!("SELECT count(*) FROM {table}")).await;
            rows.push_str(&format!("{table}: {count}\n"));
        }
    }
    format!("{schema}\n{names}\n{rows}")
}
