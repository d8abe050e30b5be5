//! `psql` and `sqlite3`, fed with scripts as they are: without a flag, and without a terminal.

use std::fs::File;
use std::path::Path;
use std::process::{Command, Stdio};

use sea_orm::DbBackend;
use seaworthy::verify::ScratchDatabase;

/// How a script gets to its client.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Way {
    /// `psql URL < script`, `sqlite3 FILE < script`.
    Input,
    /// `psql URL -f script`, `sqlite3 FILE ".read script"`.
    File,
}

/// What a client made of a script.
#[derive(Clone, Debug)]
pub(crate) struct Fed {
    pub(crate) code: Option<i32>,
    pub(crate) out: String,
    pub(crate) err: String,
}

impl Fed {
    #[track_caller]
    pub(crate) fn with_code(self, code: i32) -> Self {
        assert_eq!(self.code, Some(code), "{self:#?}");
        self
    }
}

/// Feeds a script to a database by standard input.
pub(crate) fn feed(database: &ScratchDatabase, script: &str) -> Fed {
    feed_by(Way::Input, database, script)
}

/// Feeds a script to a database.
pub(crate) fn feed_by(way: Way, database: &ScratchDatabase, script: &str) -> Fed {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("script.sql");
    std::fs::write(&file, script).unwrap();
    let mut client = client(database);
    match way {
        Way::Input => client.stdin(File::open(&file).unwrap()),
        Way::File => client.args(arguments(database, &file)).stdin(Stdio::null()),
    };
    run(&mut client)
}

/// Feeds a script to a database through a client whose own settings do their best to let it go on.
pub(crate) fn feed_through_settings(database: &ScratchDatabase, settings: &str, script: &str) -> Fed {
    let folder = tempfile::tempdir().unwrap();
    let (file, own) = (folder.path().join("script.sql"), folder.path().join("own"));
    std::fs::write(&file, script).unwrap();
    std::fs::write(&own, settings).unwrap();
    let mut client = client(database);
    match is_postgres(database) {
        true => client.env("PSQLRC", &own),
        false => client.arg("-init").arg(&own),
    };
    run(client.stdin(File::open(&file).unwrap()))
}

/// Returns what a query finds, a row on each line.
pub(crate) fn ask(database: &ScratchDatabase, sql: &str) -> String {
    let mut client = client(database);
    match is_postgres(database) {
        true => client.args(["-qAtc", sql]),
        false => client.arg(sql),
    };
    run(client.stdin(Stdio::null()))
        .with_code(0)
        .out
        .trim()
        .to_owned()
}

/// Returns the tables that begin with `t_`, with their columns and rows.
pub(crate) fn look(database: &ScratchDatabase) -> String {
    ask(
        database,
        match is_postgres(database) {
            true => {
                "SELECT c.table_schema, c.table_name, string_agg(column_name || ' ' || data_type || is_nullable, ', ' ORDER BY ordinal_position), \
                 query_to_xml(format('SELECT * FROM %I.%I ORDER BY 1', c.table_schema, c.table_name), true, true, '') \
                 FROM information_schema.columns c WHERE c.table_name LIKE 't\\_%' GROUP BY 1, 2 ORDER BY 1, 2"
            }
            false => ".dump t\\_% seaworthy_new_%",
        },
    )
}

fn client(database: &ScratchDatabase) -> Command {
    match database.url().file() {
        Some(file) => {
            let mut client = Command::new("sqlite3");
            client.arg(file);
            client
        }
        None => {
            let mut client = Command::new("psql");
            client.args(["-d", database.address()]);
            client
        }
    }
}

fn arguments(database: &ScratchDatabase, file: &Path) -> Vec<String> {
    match is_postgres(database) {
        true => vec!["-f".to_owned(), file.display().to_string()],
        false => vec![format!(".read {}", file.display())],
    }
}

fn is_postgres(database: &ScratchDatabase) -> bool {
    database.url().backend() == DbBackend::Postgres
}

fn run(client: &mut Command) -> Fed {
    let output = client.output().unwrap();
    Fed {
        code: output.status.code(),
        out: String::from_utf8_lossy(&output.stdout).into_owned(),
        err: String::from_utf8_lossy(&output.stderr).into_owned(),
    }
}
