//! A plain SeaORM project, the example `fleet`: a version table of its own, entities that leave things out, revisions without a way
//! back; and what several schemas of PostgreSQL change of it.

use std::fs;
use std::path::Path;
use std::process::Command;

use insta::{allow_duplicates, assert_snapshot};
use serde_json::Value;
use tempfile::TempDir;

use seaworthy::session::{Access, Session, Settings};
use seaworthy::verify::ScratchDatabase;

use crate::terminal::{Answer, Terminal, example};

/// A database, and a migration crate that revisions can be written into.
struct Project {
    folder: TempDir,
    database: ScratchDatabase,
}

impl Project {
    fn on(database: ScratchDatabase) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let names = [
            "20260101_090000_create",
            "20260102_090000_name",
            "20260104_090000_index",
        ]
        .map(|name| format!("m{name}_boats"));
        let shout = "m20260103_090000_shout_names".to_owned();
        let list =
            |text: &dyn Fn(&String) -> String| names.iter().chain([&shout]).map(text).collect::<String>();
        let modules = list(&|name| format!("mod {name};\n"));
        let entries = list(&|name| format!("            Box::new({name}::Migration),\n"));
        let source = format!(
            "{modules}\nimpl MigratorTrait for Migrator {{\n    fn migrations() -> Vec<Box<dyn MigrationTrait>> {{\n        \
             vec![\n{entries}        ]\n    }}\n}}\n"
        );
        fs::write(folder.path().join("lib.rs"), source).unwrap();
        Self { folder, database }
    }

    fn folder(&self) -> &Path {
        self.folder.path()
    }

    /// Runs a command line, split at spaces, with entities that say what they say or with `all`.
    fn run(&self, declared: &str, line: &str) -> Answer {
        let output = Command::new(example("fleet"))
            .arg(declared)
            .args(line.split_whitespace())
            .current_dir(self.folder())
            .env_clear()
            .env("DATABASE_URL", self.database.address())
            .output()
            .unwrap();
        Answer::of(&output)
    }

    fn json(&self, declared: &str, line: &str) -> Value {
        let answer = self.run(declared, &format!("{line} --output json"));
        serde_json::from_str(&answer.out).unwrap_or_else(|error| panic!("{error}: {answer:?}"))
    }

    async fn send(&self, sql: &str) {
        let settings = Settings::default();
        let session = Session::open(self.database.url(), &settings, Access::Write)
            .await
            .unwrap();
        session.send(sql).await.unwrap();
        session.close().await;
    }
}

async fn projects() -> Vec<Project> {
    let sqlite = ScratchDatabase::sqlite(&std::env::temp_dir()).unwrap();
    let mut projects = vec![Project::on(sqlite)];
    projects.extend(on_postgresql().await);
    projects
}

/// Returns a project on PostgreSQL, or nothing when leaving PostgreSQL out was asked for.
#[expect(clippy::disallowed_methods, reason = "a test has no settings but variables")]
async fn on_postgresql() -> Option<Project> {
    match std::env::var("TEST_POSTGRES_URL") {
        Ok(server) => Some(Project::on(ScratchDatabase::postgres(&server).await.unwrap())),
        Err(_) if std::env::var("SEAWORTHY_SQLITE_ONLY").is_ok() => None,
        Err(_) => panic!("TEST_POSTGRES_URL names no server; scripts/test starts one"),
    }
}

#[tokio::test]
async fn no_comparison_speaks_of_a_version_table_of_ones_own() {
    for project in projects().await {
        assert_eq!(project.run("all", "upgrade head").code, 0);
        assert_eq!(
            project.json("all", "snapshot")["tables"]
                .as_array()
                .unwrap()
                .len(),
            1
        );
        let check = project.run("all", "check");
        assert_eq!(
            (check.code, check.out.as_str(), check.err.as_str()),
            (0, "", "no differences\n")
        );
        project.send("DROP INDEX boats_by_name").await;
        let check = project.run("all", "check");
        assert_eq!(
            (check.code, check.out.as_str()),
            (3, "add index boats boats_by_name (name)\n")
        );
        let written = project.run("all", "revision --autogenerate -m again --dir .");
        assert_eq!(written.code, 0, "{written:?}");
        assert!(!written.out.contains("fleet_migrations"), "{written:?}");
        let found = fs::read_dir(project.folder())
            .unwrap()
            .map(|entry| entry.unwrap().path());
        let file = found
            .filter(|path| path.display().to_string().ends_with("_again.rs"))
            .last();
        let text = fs::read_to_string(file.unwrap()).unwrap();
        assert!(
            text.contains("boats_by_name") && !text.contains("fleet_migrations"),
            "{text}"
        );
        project.database.remove().await.unwrap();
    }
}

#[tokio::test]
async fn what_entities_leave_out_is_counted_and_printed_as_code() {
    for project in projects().await {
        project.run("entities", "upgrade head");
        let check = project.run("entities", "check");
        assert_eq!((check.code, check.out.as_str()), (0, ""));
        allow_duplicates!(assert_snapshot!(check.err, @"
        what is compared is the same
        not compared: 1 undeclared default, 1 undeclared index
        `check --adopt-extras` writes what is undeclared as `extra` of the target
        "));
        let counted = project.json("entities", "check")["not_compared"].clone();
        assert_eq!(
            counted,
            serde_json::json!({"undeclared default": 1, "undeclared index": 1})
        );

        // What is printed is what the example declares with `all`, and then nothing is left.
        let printed = project.run("entities", "check --adopt-extras");
        assert_eq!(
            (printed.code, printed.out.as_str()),
            (0, include_str!("../../examples/fleet/extras.rs"))
        );
        let listed = project.run("entities", "check --adopt-extras --output json");
        assert_eq!(listed.code, 0, "{listed:?}");
        let listed: Value = serde_json::from_str(&listed.out).unwrap();
        assert_eq!(listed.as_object().unwrap().keys().collect::<Vec<_>>(), ["boats"]);
        let check = project.run("all", "check");
        assert_eq!((check.code, check.err.as_str()), (0, "no differences\n"));
        let nothing = project.run("all", "check --adopt-extras");
        assert_eq!((nothing.code, nothing.out.as_str()), (0, ""));
        assert_eq!(
            nothing.err,
            "nothing to adopt: the entities mention all that their tables have\n"
        );
        project.database.remove().await.unwrap();
    }
}

#[tokio::test]
async fn verify_names_each_revision_without_a_way_back_once_and_goes_on() {
    for project in projects().await {
        let verified = project.run("all", "verify");
        assert_eq!(verified.code, 0, "{verified:?}");
        let (_, walked) = verified.out.split_once(": ").unwrap();
        allow_duplicates!(assert_snapshot!(walked, @r#"
        4 revisions, 28 steps, 3 rows put in
        cannot be undone: m20260102_090000_name_boats, it has no `down`
        cannot be undone: m20260103_090000_shout_names, its `down` panics with "nobody knows which letters were small"
        Every promise is kept
        "#));
        let database = &project.json("all", "verify")["databases"][0];
        assert_eq!(
            database["irreversible"].as_array().unwrap().len(),
            2,
            "{database}"
        );
        project.database.remove().await.unwrap();
    }
}

#[tokio::test]
async fn verify_walks_without_rows_and_says_so() {
    let database = ScratchDatabase::sqlite(&std::env::temp_dir()).unwrap();
    let project = Project::on(database);
    let verified = project.run("all", "verify --no-rows");
    assert_eq!(verified.code, 0, "{verified:?}");
    assert_snapshot!(verified.out, @r#"
    SQLite: 4 revisions, 16 steps, 0 rows put in
    cannot be undone: m20260102_090000_name_boats, it has no `down`
    cannot be undone: m20260103_090000_shout_names, its `down` panics with "nobody knows which letters were small"
    Every promise is kept but one that was not tried: to keep rows
    "#);
    let verified = project.json("all", "verify --no-rows");
    assert_eq!(verified["without_rows"], true);
    assert_eq!(verified["databases"][0]["rows"], 0);
    project.database.remove().await.unwrap();
}

#[tokio::test]
async fn verify_names_the_extension_that_no_revision_makes() {
    let Some(project) = on_postgresql().await else {
        return;
    };
    project.send("CREATE EXTENSION citext").await;
    let needs = r#"{"revisions": [{"id": "base01", "sql": ["CREATE TABLE people (name citext)"], "undo": ["DROP TABLE people"]}]}"#;
    let verified = Terminal::with(needs).run(&format!("verify -u {}", project.database.address()));
    assert_eq!(verified.code, 6, "{verified:?}");
    assert_snapshot!(verified.out, @r#"
    PostgreSQL: 1 revision, 4 steps, 0 rows put in
    broken: PostgreSQL: base01 cannot be applied
        the database refused it
        type "citext" does not exist (SQLSTATE 42704)
        the database that is named has extensions that no revision has made so far: citext; make them with CREATE EXTENSION IF NOT EXISTS in the first revision that needs them
    1 promise is broken
    "#);
    project.database.remove().await.unwrap();
}

#[tokio::test]
async fn what_is_excluded_is_in_no_comparison_and_in_no_picture() {
    for project in projects().await {
        project.run("all", "upgrade head");
        project.send("CREATE TABLE queue_jobs (id integer)").await;
        let check = project.run("all", "check");
        assert_eq!(
            (check.code, check.out.as_str()),
            (3, "drop table queue_jobs (id)  [destructive]\n")
        );
        fs::write(
            project.folder().join("seaworthy.toml"),
            "[compare]\nexclude = [\"queue_*\"]\n",
        )
        .unwrap();
        let check = project.run("all", "check");
        assert_eq!((check.code, check.err.as_str()), (0, "no differences\n"));
        for line in ["snapshot", "erd", "diff head entities"] {
            let answer = project.run("all", line);
            assert!(
                answer.code == 0 && !answer.out.contains("queue_jobs"),
                "{line}: {answer:?}"
            );
        }
        let nothing = project.run("all", "revision --autogenerate -m again --dir .");
        assert_eq!(
            (nothing.code, nothing.err.as_str()),
            (3, "nothing to do: the database is what the entities declare\n")
        );
        project.send("INSERT INTO queue_jobs VALUES (1)").await;
        let refused = project.run("all", "fresh");
        assert!(
            refused.code == 5 && refused.err.contains("queue_jobs"),
            "{refused:?}"
        );
        project.database.remove().await.unwrap();
    }
}

#[tokio::test]
async fn the_first_of_several_schemas_is_the_one_that_is_worked_in() {
    let Some(project) = on_postgresql().await else {
        return;
    };
    project.send("CREATE SCHEMA app").await;
    project.send("CREATE TABLE public.harbours (id integer)").await;
    let run = |line: &str| project.run("all", &format!("-s app,public {line}"));
    assert_eq!(run("upgrade head").code, 0);
    assert_eq!(run("current").out, "m20260104_090000_index_boats (head)\n");
    assert_eq!(project.run("all", "-s public current").out, "");

    let snapshot = run("snapshot");
    assert!(
        snapshot.out.contains("boats") && !snapshot.out.contains("harbours"),
        "{snapshot:?}"
    );
    let check = run("check");
    assert_eq!(check.code, 0);
    assert_eq!(
        check.err,
        "what is compared is the same\nnot compared: 1 schema\n"
    );
    project.send("DROP INDEX app.boats_by_name").await;
    let check = run("check");
    assert_eq!(
        (check.code, check.out.as_str()),
        (3, "add index boats boats_by_name (name)\n")
    );
    let written = run("revision --autogenerate -m again --dir .");
    assert_eq!(written.code, 0, "{written:?}");
    assert!(
        written.out.contains("add index boats boats_by_name (name)"),
        "{written:?}"
    );
    project.database.remove().await.unwrap();
}

#[tokio::test]
async fn alembics_table_may_have_another_name() {
    for project in projects().await {
        let stands = "m20260101_090000_create_boats";
        project
            .send("CREATE TABLE \"Python_Heads\" (version_num varchar(32) NOT NULL)")
            .await;
        project
            .send(&format!("INSERT INTO \"Python_Heads\" VALUES ('{stands}')"))
            .await;
        let refused = project.run("all", "adopt");
        assert_eq!(refused.code, 1, "{refused:?}");
        allow_duplicates!(assert_snapshot!(refused.err, @"
        error: there is nothing to adopt: the database has no table alembic_version with a row in it
        hint: pass --version-table where Alembic's version_table has another name; for a database that nobody managed, say where it stands with `stamp <rev>`
        "));
        let adopted = project.run("all", "adopt --version-table Python_Heads");
        assert_eq!(adopted.code, 0, "{adopted:?}");
        allow_duplicates!(assert_snapshot!(adopted.out, @"
        Python_Heads says m20260101_090000_create_boats
        Recorded that m20260101_090000_create_boats is applied
        The database is at m20260101_090000_create_boats; Python_Heads stays as it is
        "));
        // The table that the revision makes is missing, and Alembic's own is none of the application's.
        assert!(
            adopted.err.contains("add table boats") && !adopted.err.contains("Python_Heads"),
            "{adopted:?}"
        );
        let again = project.json("all", "adopt --version-table Python_Heads");
        assert_eq!(again["version_table"], "Python_Heads");
        project.database.remove().await.unwrap();
    }
}

#[tokio::test]
async fn adopt_says_the_whole_cause_where_schemas_could_not_be_compared() {
    for project in projects().await {
        project
            .send("CREATE TABLE alembic_version (version_num varchar(32) NOT NULL)")
            .await;
        project
            .send("INSERT INTO alembic_version VALUES ('base01')")
            .await;
        let fails = r#"{"revisions": [{"id": "base01", "sql": ["INSERT INTO nowhere VALUES (1)"]}]}"#;
        let adopted = Terminal::with(fails).run(&format!("adopt -u {}", project.database.address()));
        assert_eq!(adopted.code, 0, "{adopted:?}");
        let said = "the schema was not compared with that of the revisions: upgrade of base01 failed: the database refused it: ";
        let (_, cause) = adopted
            .err
            .split_once(said)
            .unwrap_or_else(|| panic!("{adopted:?}"));
        assert!(cause.contains("nowhere"), "{cause}");
        project.database.remove().await.unwrap();
    }
}
