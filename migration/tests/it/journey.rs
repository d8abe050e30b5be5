//! The way that the documentation teaches, in a project that `sea-orm-cli migrate init` has begun: change an entity, have
//! the revision written, apply it, look for differences, undo it, apply it again.

use std::fs;
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use sea_orm_migration::sea_orm::DbBackend;
use tokio::time::timeout;

use crate::databases::{TestDatabase, on_postgres, on_sqlite, variable};

const ENTITY: &str = r#"//! A post.

use sea_orm_migration::sea_orm::entity::prelude::*;
use sea_orm_migration::sea_orm;

#[sea_orm::model]
#[derive(Clone, Debug, PartialEq, DeriveEntityModel)]
#[sea_orm(table_name = "post")]
pub struct Model {
    #[sea_orm(primary_key)]
    pub id: i32,
    pub title: String,
    pub text: String,
}

impl ActiveModelBehavior for ActiveModel {}
"#;

const MAIN: &str = r#"use seaworthy::catalog::Target;
use seaworthy::environment::Environment;

#[tokio::main]
async fn main() {
    let target = Target::new().entity(fresh_entity::Entity);
    seaworthy_cli::run(Environment::from(fresh::Migrator).target(target)).await;
}
"#;

#[tokio::test]
async fn an_entity_changes_and_the_database_follows_on_sqlite() {
    on_sqlite(async |database| follow("sqlite", database).await).await;
}

#[tokio::test]
async fn an_entity_changes_and_the_database_follows_on_postgresql() {
    on_postgres(async |database| follow("postgres", database).await).await;
}

async fn follow(name: &str, database: &TestDatabase) {
    let project = Project::init(name);
    let run = |program: &Path, arguments: &str, code: i32| project.run(program, database, arguments, code);
    let program = project.build();
    run(&program, "upgrade head", 0);
    // What the template makes is what the entity declares.
    run(&program, "check", 0);
    database
        .execute("INSERT INTO post (title, text) VALUES ('First', 'It begins')")
        .await;

    let changed = ENTITY.replace(
        "    pub text: String,\n",
        "    #[sea_orm(column_type = \"Text\", nullable)]\n    pub text: Option<String>,\n    \
         #[sea_orm(default_value = 3)]\n    pub priority: i32,\n    pub author: String,\n",
    );
    project.entity(&changed);
    let program = project.build();
    let drift = run(&program, "check", 3);
    for operation in [
        "add column post.author",
        "add column post.priority",
        "alter nullable post.text",
    ] {
        assert!(drift.contains(operation), "{drift}");
    }
    // There is a post without an author, so somebody has to say who it is.
    let refused = run(&program, "revision --autogenerate -m priorities", 5);
    assert!(refused.contains("post.author demands a value"), "{refused}");
    run(
        &program,
        "revision --autogenerate --fill post.author='nobody' -m priorities",
        0,
    );

    let program = project.build();
    run(&program, "upgrade head", 0);
    run(&program, "check", 0);
    run(&program, "revision --autogenerate -m nothing", 3);
    let post: String = database
        .value("SELECT title || ', ' || text || ', ' || author || ', ' || priority FROM post")
        .await;
    assert_eq!(post, "First, It begins, nobody, 3");
    run(&program, "downgrade -1 --yes", 0);
    run(&program, "check", 3);
    run(&program, "upgrade head", 0);
    run(&program, "check", 0);
    if database.backend() == DbBackend::Postgres {
        demand_of_many(&project, database, &changed).await;
    }
    fs::remove_dir_all(project.target()).unwrap();
}

/// A column begins to demand a value of many rows: they are filled in batches beside code that knows nothing of it, by a run
/// that is killed in the middle and goes on.
async fn demand_of_many(project: &Project, database: &TestDatabase, entity: &str) {
    let run = |program: &Path, arguments: &str, code: i32| project.run(program, database, arguments, code);
    database
        .execute("INSERT INTO post (title, author) SELECT 'Post ' || n, 'nobody' FROM generate_series(2, 20000) AS n")
        .await;
    project.entity(&entity.replace(
        "    pub author: String,\n",
        "    pub author: String,\n    pub slug: String,\n",
    ));
    let program = project.build();
    let written = run(
        &program,
        "revision --autogenerate --fill post.slug=lower(title) -m slugs",
        0,
    );
    assert_eq!(written.matches("Wrote").count(), 3, "{written}");
    assert!(!written.contains("hazard"), "{written}");

    let program = project.build();
    run(&program, "upgrade +1", 0);
    let last_row = database
        .hold("BEGIN; SELECT 1 FROM post WHERE id = (SELECT max(id) FROM post) FOR UPDATE")
        .await;
    let mut running = project
        .command(&program, database, "upgrade head")
        .spawn()
        .unwrap();
    let seen = "SELECT coalesce(max(rows_seen), 0) FROM seaworthy_backfills";
    let has_begun = async {
        while !database.has("seaworthy_backfills").await || database.value::<i64>(seen).await == 0 {
            assert_eq!(running.try_wait().unwrap(), None, "it ended before it was killed");
            tokio::task::yield_now().await;
        }
    };
    timeout(Duration::from_secs(60), has_begun)
        .await
        .expect("the backfill begins");
    let old_code = "INSERT INTO post (title, author) VALUES ('Written Meanwhile', 'nobody')";
    database.execute(old_code).await;
    running.kill().unwrap();
    running.wait().unwrap();
    let filled = database.value::<i64>(seen).await;
    assert!((1..20_000).contains(&filled), "{filled}");
    last_row.close().await.unwrap();
    database.execute(old_code).await;

    run(&program, "upgrade head", 0);
    run(&program, "check", 0);
    let right = "SELECT count(*) FROM post WHERE slug = lower(title)";
    assert_eq!(database.value::<i64>(right).await, 20_002);
    run(&program, "downgrade -3 --yes", 0);
    run(&program, "check", 3);
    run(&program, "upgrade head", 0);
    run(&program, "check", 0);
    assert_eq!(database.value::<i64>(right).await, 20_002);
}

/// A project of its own: what `sea-orm-cli migrate init` writes, an entity, and the packages of this workspace.
///
/// It is a workspace with the same packages under the same paths, so that cargo finds whatever is built already.
struct Project {
    folder: PathBuf,
    name: String,
}

impl Project {
    fn init(name: &str) -> Self {
        let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join(format!("journey_{name}"));
        drop(fs::remove_dir_all(&folder));
        fs::create_dir_all(&folder).unwrap();
        let workspace = Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap();
        for shared in [
            "api",
            "crates",
            "docs",
            "entity",
            "migration",
            "README.md",
            "rust-toolchain.toml",
        ] {
            symlink(workspace.join(shared), folder.join(shared)).unwrap();
        }
        let (entity, migration) = (format!("fresh_entity_{name}"), format!("fresh_{name}"));
        let manifest = fs::read_to_string(workspace.join("Cargo.toml")).unwrap();
        let members = format!("members = [\"{entity}\", \"{migration}\", ");
        fs::write(
            folder.join("Cargo.toml"),
            manifest.replacen("members = [", &members, 1),
        )
        .unwrap();
        fs::copy(workspace.join("Cargo.lock"), folder.join("Cargo.lock")).unwrap();

        let output = Command::new(variable("TEST_SEA_ORM_CLI").expect("scripts/test provides sea-orm-cli"))
            .args(["migrate", "init", "-d"])
            .arg(folder.join(&migration))
            .output()
            .unwrap();
        assert!(output.status.success(), "{output:?}");
        let project = Self {
            folder,
            name: name.to_owned(),
        };
        // Somebody's own name, the toolkit in place of SeaORM's command line, and no example that says `todo!`.
        project.edit(&format!("{migration}/Cargo.toml"), |text| {
            let text = text.replace("\"migration\"", &format!("\"{migration}\""));
            let (own, _) = text.split_once("[dependencies]").unwrap();
            format!(
                "{own}[dependencies]\n{entity} = {{ path = \"../{entity}\" }}\nasync-trait.workspace = true\n\
                 sea-orm-migration.workspace = true\nseaworthy.workspace = true\nseaworthy-cli.workspace = true\n\
                 tokio.workspace = true\n"
            )
        });
        project.edit(&format!("{migration}/src/main.rs"), |text| {
            assert!(text.contains("cli::run_cli(migration::Migrator)"), "{text}");
            MAIN.replace("fresh_entity::", &format!("{entity}::"))
                .replace("fresh::", &format!("{migration}::"))
        });
        project.edit(
            &format!("{migration}/src/m20220101_000001_create_table.rs"),
            |text| text.replace("todo!();", ""),
        );
        fs::create_dir_all(project.folder.join(&entity).join("src")).unwrap();
        let manifest = format!(
            "[package]\nname = \"{entity}\"\nversion = \"0.1.0\"\nedition = \"2024\"\n\n[dependencies]\n\
             sea-orm-migration.workspace = true\n"
        );
        fs::write(project.folder.join(&entity).join("Cargo.toml"), manifest).unwrap();
        project.entity(ENTITY);
        project.lay_out_dependencies();
        project
    }

    fn entity(&self, text: &str) {
        let file = format!("fresh_entity_{}/src/lib.rs", self.name);
        fs::write(self.folder.join(file), text).unwrap();
    }

    fn edit(&self, file: &str, change: impl FnOnce(String) -> String) {
        let path = self.folder.join(file);
        let text = fs::read_to_string(&path).unwrap();
        fs::write(path, change(text)).unwrap();
    }

    /// Builds the migration program.
    ///
    /// All packages take part, and an example of ours as well: then the features of their dependencies are those of
    /// `cargo test --workspace`, and nothing of theirs has to be built a second time.
    fn build(&self) -> PathBuf {
        let program = format!("fresh_{}", self.name);
        let output = Command::new(env!("CARGO"))
            .args(["build", "--workspace", "--offline", "--quiet"])
            .args(["--example", "quickstart", "--bin", &program])
            .env("CARGO_TARGET_DIR", self.target())
            .current_dir(&self.folder)
            .output()
            .unwrap();
        assert!(
            output.status.success(),
            "{}",
            String::from_utf8_lossy(&output.stderr)
        );
        self.target().join("debug").join(program)
    }

    fn target(&self) -> PathBuf {
        self.folder.join("target")
    }

    /// Lays out what the project's packages depend on and what is built already; our own packages are built anew.
    ///
    /// In a folder of its own: built into ours, they would take the place of those that other tests are linked with. Links
    /// do for what a compiler replaces and never writes into, and cargo looks at the times of all.
    fn lay_out_dependencies(&self) {
        let built = Path::new(env!("CARGO_TARGET_TMPDIR"))
            .parent()
            .unwrap()
            .join("debug");
        let script = "set -e; mkdir -p \"$2\"; cp -a \"$1/.fingerprint\" \"$1/build\" \"$2\"; cp -al \"$1/deps\" \"$2\"; \
                      cd \"$2/deps\"; find . -name '*.d' -exec cp -a --remove-destination \"$1/deps/{}\" {} ';'; \
                      for own in api entity migration seaworthy seaworthy_cli seaworthy-cli; do \
                      rm -rf ../.fingerprint/$own-* ./$own-* ./lib$own-*; done";
        let output = Command::new("sh")
            .args(["-c", script, "sh"])
            .args([built, self.target().join("debug")])
            .output()
            .unwrap();
        assert!(output.status.success(), "{output:?}");
    }

    /// Runs the program in the migration's folder and returns what it said.
    fn run(&self, program: &Path, database: &TestDatabase, arguments: &str, code: i32) -> String {
        let output = self.command(program, database, arguments).output().unwrap();
        let said =
            String::from_utf8_lossy(&output.stdout).into_owned() + &String::from_utf8_lossy(&output.stderr);
        assert_eq!(output.status.code(), Some(code), "{arguments}: {said}");
        said
    }

    fn command(&self, program: &Path, database: &TestDatabase, arguments: &str) -> Command {
        let mut command = Command::new(program);
        command
            .args(arguments.split_whitespace())
            .env("DATABASE_URL", database.address())
            .env("MIGRATION_DIR", self.folder.join(format!("fresh_{}", self.name)))
            .env_remove("DATABASE_SCHEMA")
            .current_dir(&self.folder);
        command
    }
}
