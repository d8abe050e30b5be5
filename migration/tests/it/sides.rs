//! The sides of a comparison on the command line: databases without one of the environment, SQL files, several schemas, and what no
//! side says.

use std::fs;
use std::path::Path;

use serde_json::{Value, json};
use tempfile::TempDir;

use crate::databases::{TestDatabase, on_postgres, on_sqlite};
use crate::ours::feed;
use crate::program::{Ended, Program};

/// SQL files in a folder, by their addresses.
fn files<const NUMBER: usize>(folder: &TempDir, texts: [&str; NUMBER]) -> [String; NUMBER] {
    let mut number = 0;
    texts.map(|text| {
        number += 1;
        let path = folder.path().join(format!("{number}.sql"));
        fs::write(&path, text).unwrap();
        path.to_str().unwrap().to_owned()
    })
}

/// Runs a program that no variable names a database to.
async fn run_alone(program: &Program, arguments: &str) -> Ended {
    program.start_limited("unset DATABASE_URL", arguments).end().await
}

#[tokio::test]
async fn what_is_not_compared_stands_in_the_document_on_sqlite() {
    on_sqlite(async |database| count_what_is_not_compared(database).await).await;
}

#[tokio::test]
async fn what_is_not_compared_stands_in_the_document_on_postgresql() {
    on_postgres(async |database| count_what_is_not_compared(database).await).await;
}

async fn count_what_is_not_compared(database: &TestDatabase) {
    let program = Program::migration(database);
    program.run("upgrade head").await.with_code(0);
    let counted = match database.either("sqlite", "postgresql") {
        "sqlite" => json!({"trigger": 8}),
        _ => json!({"function": 4, "trigger": 4}),
    };
    for asked in ["check", "diff head entities"] {
        let document = program.run(&format!("{asked} --output json")).await.with_code(0);
        let document: Value = serde_json::from_str(&document.stdout).unwrap();
        assert_eq!(document["not_compared"], counted, "{asked}");
        assert_eq!(document["operations"], json!([]), "{asked}");
    }
    // A schema that is known whole leaves nothing uncounted, and nothing to count.
    let document = program.run("diff head head --output json").await.with_code(0);
    let document: Value = serde_json::from_str(&document.stdout).unwrap();
    assert_eq!(document.get("not_compared"), None);
}

#[tokio::test]
async fn what_one_side_has_alone_is_a_difference_both_ways_on_sqlite() {
    on_sqlite(async |database| compare_both_ways(database).await).await;
}

#[tokio::test]
async fn what_one_side_has_alone_is_a_difference_both_ways_on_postgresql() {
    on_postgres(async |database| compare_both_ways(database).await).await;
}

async fn compare_both_ways(database: &TestDatabase) {
    let program = Program::migration(database);
    program.run("upgrade 001").await.with_code(0);
    let folder = TempDir::new().unwrap();
    let look = "CREATE FUNCTION look() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN new; END';";
    let table = format!("CREATE TABLE crew (id integer); {}", database.either("", look));
    let trigger = database.either(
        "CREATE TRIGGER looks AFTER INSERT ON crew BEGIN SELECT 1; END",
        "CREATE TRIGGER looks AFTER INSERT ON crew FOR EACH ROW EXECUTE FUNCTION look()",
    );
    let [table, view, trigger] = files(
        &folder,
        [
            &table,
            &format!("{table} CREATE VIEW ids AS SELECT id FROM crew"),
            &format!("{table} {trigger}"),
        ],
    );
    for (more, what) in [(view, "view ids"), (trigger, "trigger looks")] {
        for (from, to, verb) in [(&table, &more, "add"), (&more, &table, "drop")] {
            let found = program.run(&format!("diff {from} {to}")).await.with_code(3);
            found.saying(&[&format!("{verb} {what}"), "1 difference"]);
            let script = program.run(&format!("diff {from} {to} --sql")).await.with_code(3);
            assert!(!script.stdout.is_empty());
        }
        program.run(&format!("diff {more} {more}")).await.with_code(0);
    }
}

#[tokio::test]
async fn a_revision_is_written_for_what_sql_files_make() {
    on_sqlite(async |database| {
        let folder = TempDir::new().unwrap();
        let sources = folder.path().join("src");
        fs::create_dir(&sources).unwrap();
        let own = Path::new(env!("CARGO_MANIFEST_DIR")).join("src/lib.rs");
        fs::copy(own, sources.join("lib.rs")).unwrap();
        let program = Program::migration(database).with("MIGRATION_DIR", folder.path().to_str().unwrap());
        program.run("upgrade head").await.with_code(0);
        let all =
            "SELECT group_concat(sql, '; ') FROM sqlite_master WHERE sql <> '' AND name NOT LIKE 'sqlite_%'";
        let now: String = database.value(all).await;
        let wanted = format!(
            "{now}; ALTER TABLE tags ADD COLUMN colour TEXT; CREATE VIEW names AS SELECT name FROM tags"
        );
        let [now, wanted] = files(&folder, [&now, &wanted]);

        let nothing = program
            .run(&format!("revision --autogenerate --from {now} -m none"))
            .await
            .with_code(3);
        assert_eq!(
            nothing.stderr,
            "nothing to do: the database is what the SQL files make\n"
        );
        let nothing = program.run("revision --autogenerate -m none").await.with_code(3);
        assert_eq!(
            nothing.stderr,
            "nothing to do: the database is what the entities declare\nnot compared: 8 triggers\n"
        );

        let written = program
            .run(&format!("revision --autogenerate --from {wanted} -m colours"))
            .await;
        written
            .with_code(0)
            .saying(&["add column tags.colour TEXT", "add view names", "Wrote "]);
        let names = fs::read_dir(&sources)
            .unwrap()
            .map(|entry| entry.unwrap().file_name());
        let name = names
            .map(|name| name.into_string().unwrap())
            .find(|name| name.ends_with("_colours.rs"));
        let text = fs::read_to_string(sources.join(name.unwrap())).unwrap();
        assert!(
            text.contains("colour") && text.contains("CREATE VIEW names"),
            "{text}"
        );
    })
    .await;
}

#[tokio::test]
async fn two_databases_need_no_other_one() {
    on_sqlite(async |one| on_sqlite(async |other| compare_alone(one, other).await).await).await;
    on_postgres(async |one| on_postgres(async |other| compare_alone(one, other).await).await).await;
}

async fn compare_alone(one: &TestDatabase, other: &TestDatabase) {
    for database in [one, other] {
        Program::migration(database).run("upgrade 001").await.with_code(0);
    }
    other
        .execute("ALTER TABLE tasks ADD COLUMN colour varchar(20)")
        .await;
    let program = Program::migration(one);
    let (one, other) = (one.address(), other.address());
    let found = run_alone(&program, &format!("diff {one} {other}"))
        .await
        .with_code(3);
    found.saying(&["add column tasks.colour", "1 difference"]);
    run_alone(&program, &format!("diff {other} {other}"))
        .await
        .with_code(0);
}

#[tokio::test]
async fn several_schemas_are_compared_and_made_by_psql() {
    on_postgres(async |one| on_postgres(async |other| make_schemas(one, other).await).await).await;
}

async fn make_schemas(one: &TestDatabase, other: &TestDatabase) {
    let stock = "CREATE SCHEMA stock; CREATE TABLE stock.goods (id integer PRIMARY KEY);";
    let office =
        "CREATE SCHEMA office; CREATE TABLE office.bills (id integer, goods integer REFERENCES stock.goods)";
    one.execute("CREATE SCHEMA stock; CREATE TABLE stock.goods (id integer)")
        .await;
    other.execute(&format!("{stock} {office}")).await;
    let program = Program::migration(one);
    let asked = format!("diff {} {} -s stock,office", one.address(), other.address());
    run_alone(&program, &asked).await.with_code(3).saying(&[
        "schema stock:",
        "add schema office:",
        "add table bills",
    ]);

    // The same, said in files.
    let folder = TempDir::new().unwrap();
    let [less, more] = files(&folder, [stock, &format!("{stock} {office}")]);
    let files = format!("diff {less} {more} -s stock,office");
    run_alone(&program, &files)
        .await
        .with_code(2)
        .saying(&["stock, office are schemas of PostgreSQL", "pass --database-url"]);
    program
        .run(&files)
        .await
        .with_code(3)
        .saying(&["add schema office:", "add table bills"]);
    run_alone(
        &program,
        &format!("diff {more} {} -s stock,office", other.address()),
    )
    .await
    .with_code(0);

    let script = run_alone(&program, &format!("{asked} --sql")).await.with_code(3);
    feed("psql", &[one.address()], &script.stdout);
    run_alone(&program, &asked).await.with_code(0);
}
