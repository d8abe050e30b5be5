//! Revisions as they are generated: compiled, and run up and down on both databases.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use proptest::strategy::{Strategy, ValueTree};
use proptest::test_runner::TestRunner;
use sea_orm::ConnectionTrait;
use seaworthy::autogenerate::{Policy, Rendered, diff, render, sql};
use seaworthy::catalog::{Catalog, Dialect, Scope, inspect, normalize};
use seaworthy::revision::Header;
use seaworthy::source::{Body, Draft, write};
use seaworthy::verify::ScratchDatabase;

use crate::databases::{postgres, session};
use crate::schema_properties::{choices, random::catalog};

/// How many random schemas follow each other on each database.
const SCHEMAS: u32 = 40;

/// What a random schema of these databases never asks for, or says in another way.
const UNSEEN: [&str; 12] = [
    "rename_table",
    "rename_column",
    "rename_constraint",
    "add_exclude",
    "drop_exclude",
    "rebuild_invalid_index",
    "validate_foreign_key",
    "validate_check",
    "alter_table_comment",
    "alter_comment",
    "alter_collation",
    "rename_index",
];

/// A chain of generated revisions, and the schema after each.
struct Chain {
    folder: &'static str,
    database: ScratchDatabase,
    schemas: Vec<Catalog>,
}

#[tokio::test]
async fn generated_revisions_compile_and_run_up_and_down() {
    let project = Project::create();
    let mut kinds = BTreeSet::new();
    let mut chains = vec![
        project
            .generate(
                "sqlite",
                ScratchDatabase::sqlite(&std::env::temp_dir()).unwrap(),
                &mut kinds,
            )
            .await,
    ];
    if let Some(database) = postgres().await {
        chains.push(project.generate("postgres", database, &mut kinds).await);
        let all: BTreeSet<&str> = kinds.iter().copied().chain(UNSEEN).collect();
        assert!(all.len() >= 37, "{kinds:?}");
    }
    let program = project.build();
    for chain in chains {
        chain.run(&program).await;
    }
}

/// A crate that is written for this test alone.
struct Project {
    folder: PathBuf,
}

impl Project {
    /// Writes a crate without revisions. It lies in the target folder, so that a later run builds only what changed.
    fn create() -> Self {
        let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join("generated");
        drop(fs::remove_dir_all(folder.join("src")));
        let crates = Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap();
        let workspace = crates.parent().unwrap();
        for list in ["sqlite", "postgres"] {
            fs::create_dir_all(folder.join("src").join(list)).unwrap();
            let text = "use seaworthy::revision::Revision;\nuse seaworthy::revision_vec;\n\n\
                        pub fn revisions() -> Vec<Box<dyn Revision>> {\n    revision_vec![]\n}\n";
            fs::write(folder.join("src").join(list).join("mod.rs"), text).unwrap();
        }
        let main = "mod postgres;\nmod sqlite;\n\n#[tokio::main(flavor = \"current_thread\")]\nasync fn main() {\n    \
                    let revisions = match std::env::args().nth(1).as_deref() {\n        \
                    Some(\"sqlite\") => sqlite::revisions(),\n        _ => postgres::revisions(),\n    };\n    \
                    let environment = seaworthy::environment::Environment::new(revisions);\n    \
                    seaworthy_cli::run_with(environment, std::env::args_os().skip(1)).await;\n}\n";
        fs::write(folder.join("src/main.rs"), main).unwrap();
        let manifest = fs::read_to_string(workspace.join("Cargo.toml")).unwrap();
        let profiles = &manifest[manifest.find("[profile.dev]").unwrap()..];
        let dependency = |name: &str| {
            let line = manifest
                .lines()
                .find(|line| line.starts_with(&format!("{name} =")))
                .unwrap();
            format!("{line}\n")
        };
        let text = format!(
            "[package]\nname = \"generated\"\nversion = \"0.0.0\"\nedition = \"2024\"\n\n[workspace]\n\n[dependencies]\n\
             seaworthy = {{ path = {:?} }}\nseaworthy-cli = {{ path = {:?} }}\n{}{}{}\n{}",
            crates.join("seaworthy"),
            crates.join("seaworthy-cli"),
            dependency("async-trait"),
            dependency("sea-orm-migration"),
            dependency("tokio"),
            profiles,
        );
        fs::write(folder.join("Cargo.toml"), text).unwrap();
        fs::copy(workspace.join("Cargo.lock"), folder.join("Cargo.lock")).unwrap();
        Self { folder }
    }

    /// Walks a database from schema to schema and writes a revision for each step.
    async fn generate(
        &self,
        folder: &'static str,
        database: ScratchDatabase,
        kinds: &mut BTreeSet<&'static str>,
    ) -> Chain {
        let session = session(&database).await;
        let connection = session.connection();
        let (scope, policy) = (Scope::default(), Policy::default());
        let dialect = Dialect::of(session.backend()).unwrap();
        if dialect == Dialect::Sqlite {
            connection
                .execute_unprepared("PRAGMA foreign_keys = OFF")
                .await
                .unwrap();
        }
        let mut runner = TestRunner::deterministic();
        let mut schemas = vec![inspect(connection, &scope).await.unwrap()];
        let mut names: Vec<String> = Vec::new();
        for number in 1..=SCHEMAS {
            let wanted = catalog(dialect, &choices().new_tree(&mut runner).unwrap().current());
            let before = schemas.last().unwrap();
            let declared = normalize(connection, &scope, &wanted).await.unwrap();
            let operations = diff(before, &declared, &policy).unwrap().operations;
            kinds.extend(operations.iter().map(|operation| operation.kind()));
            let rendered = render(before, &operations, &[]).unwrap();
            let known: Vec<&str> = names.iter().map(String::as_str).collect();
            let written = write(
                &self.folder.join("src").join(folder),
                &draft(number, rendered, session.backend()),
                &known,
            );
            names.push(written.unwrap().name);
            for statement in sql(before, &operations).unwrap() {
                connection.execute_unprepared(&statement).await.unwrap();
            }
            schemas.push(inspect(connection, &scope).await.unwrap());
        }
        // What applies the revisions begins with nothing.
        let empty = inspect_after(&session, &schemas).await;
        assert!(diff(&empty, &schemas[0], &policy).unwrap().is_empty());
        session.close().await;
        Chain {
            folder,
            database,
            schemas,
        }
    }

    /// Builds the crate and returns the program.
    fn build(&self) -> PathBuf {
        // Not the target folder of the workspace: each would undo what the other has built.
        let target = Path::new(env!("CARGO_TARGET_TMPDIR")).join("built");
        let output = Command::new(env!("CARGO"))
            .args(["build", "--offline", "--quiet"])
            .env("CARGO_TARGET_DIR", &target)
            .current_dir(&self.folder)
            .output()
            .unwrap();
        assert!(
            output.status.success(),
            "{}",
            String::from_utf8_lossy(&output.stderr)
        );
        target.join("debug/generated")
    }
}

/// Takes everything back by way of the difference to the first schema.
async fn inspect_after(session: &seaworthy::session::Session, schemas: &[Catalog]) -> Catalog {
    let (first, last) = (&schemas[0], schemas.last().unwrap());
    let operations = diff(last, first, &Policy::default()).unwrap().operations;
    for statement in sql(last, &operations).unwrap() {
        session.connection().execute_unprepared(&statement).await.unwrap();
    }
    inspect(session.connection(), &Scope::default()).await.unwrap()
}

fn draft(number: u32, rendered: Rendered, backend: sea_orm::DbBackend) -> Draft {
    let header = Header::new(format!("{number:012}")).message(format!("schema {number}"));
    let header = match number {
        1 => header,
        _ => header.revises(format!("{:012}", number - 1)),
    };
    let created = chrono::DateTime::from_timestamp(1_700_000_000 + i64::from(number), 0).unwrap();
    Draft {
        header,
        created: created.naive_utc(),
        body: Some(Body {
            up: rendered.up,
            down: rendered.down,
            helpers: rendered.helpers.into_iter().collect(),
            sql_of: rendered.has_sql.then_some(backend),
        }),
    }
}

impl Chain {
    async fn run(self, program: &Path) {
        let last = self.schemas.len() - 1;
        for number in 1..=last {
            self.command(program, &["upgrade", "+1"]);
            self.check(number, "up").await;
            self.command(program, &["downgrade", "-1", "--yes"]);
            self.check(number - 1, "down").await;
            self.command(program, &["upgrade", "+1"]);
        }
        self.command(program, &["downgrade", "base", "--yes"]);
        self.check(0, "down").await;
        self.database.remove().await.unwrap();
    }

    fn command(&self, program: &Path, arguments: &[&str]) {
        let output = Command::new(program)
            .arg(self.folder)
            .args(arguments)
            .args(["-u", self.database.address()])
            .output()
            .unwrap();
        let text = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success(), "{} {arguments:?}: {text}", self.folder);
    }

    async fn check(&self, number: usize, way: &str) {
        let session = session(&self.database).await;
        let found = inspect(session.connection(), &Scope::default()).await.unwrap();
        session.close().await;
        let left = diff(&found, &self.schemas[number], &Policy::default()).unwrap();
        assert!(
            left.is_empty(),
            "{} {way} to {number}: {:#?} is left",
            self.folder,
            left.operations
        );
    }
}
