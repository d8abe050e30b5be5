//! Random revisions on random rows: whatever is not there any more afterwards was asked about.
//!
//! Each cell holds a word of its own, so that what is gone is seen wherever it was put.

use std::fmt::Write as _;

use proptest::prelude::{any, prop};
use proptest::strategy::{Strategy, ValueTree};
use proptest::test_runner::TestRunner;
use sea_orm::DbBackend;
use seaworthy::command::{self, CommandError, OutOfOrder};
use seaworthy::session::Session;
use seaworthy::verify::ScratchDatabase;

use super::said;
use crate::databases::{Person, Sql, environment, postgres, session};

/// How many random projects are tried on a database.
const PROJECTS: usize = 250;

const SEED: &str = "CREATE TABLE crew (id integer PRIMARY KEY, name text, home text); \
                    INSERT INTO crew VALUES (1, 'ada1', 'rhodes1'), (2, 'ben2', 'samos2'), (3, 'cleo3', 'kos3'); \
                    CREATE TABLE logs (id integer PRIMARY KEY, name text, what text); \
                    INSERT INTO logs VALUES (1, 'monday1', 'rain1'), (2, 'tuesday2', 'fog2')";

#[tokio::test]
async fn whatever_random_revisions_destroy_is_asked_about_on_sqlite() {
    let database = ScratchDatabase::sqlite(&std::env::temp_dir()).unwrap();
    try_projects(&database).await;
    database.remove().await.unwrap();
}

#[tokio::test]
async fn whatever_random_revisions_destroy_is_asked_about_on_postgresql() {
    let Some(database) = postgres().await else {
        return;
    };
    try_projects(&database).await;
    database.remove().await.unwrap();
}

async fn try_projects(database: &ScratchDatabase) {
    let session = session(database).await;
    let mut runner = TestRunner::deterministic();
    let choices = prop::collection::vec(any::<u8>(), 150);
    let (mut wrong, mut asked, mut passed) = (String::new(), 0, 0);
    for _ in 0..PROJECTS {
        let revisions = Project::of(choices.new_tree(&mut runner).unwrap().current());
        empty(&session).await;
        session.send(SEED).await.unwrap();
        let before = cells(&session).await;
        let outcome = upgrade(database, &revisions).await;
        let after = cells(&session).await;
        let is_gone = |cell: &&String| !after.iter().any(|other| other.contains(cell.as_str()));
        let gone: Vec<&String> = before.iter().filter(is_gone).collect();
        let revisions = revisions.join(";\n  ");
        match outcome {
            Ok(()) if gone.is_empty() => passed += 1,
            Err(error) if error.kind() == "refused" && gone.is_empty() => asked += 1,
            Ok(()) => writeln!(wrong, "{gone:?} went unasked:\n  {revisions}").unwrap(),
            // A column of a name that is taken already: then nothing has happened.
            Err(_) if gone.is_empty() => {}
            Err(error) => writeln!(
                wrong,
                "{gone:?} is gone in spite of {}:\n  {revisions}",
                said(&error)
            )
            .unwrap(),
        }
    }
    session.close().await;
    assert_eq!(wrong, "");
    // Otherwise nothing was tried.
    assert!(
        asked > PROJECTS / 5 && passed > PROJECTS / 5,
        "{asked} were asked, {passed} passed"
    );
}

/// Applies revisions as somebody who gives nothing up.
async fn upgrade(database: &ScratchDatabase, statements: &[String]) -> Result<(), CommandError> {
    let ids = ["a", "b", "c", "d", "e", "f", "g", "h"];
    let revisions = statements.iter().enumerate().map(|(index, sql)| {
        let parent = index.checked_sub(1).map(|parent| ids[parent]);
        Sql::new(ids[index], parent, &[sql], &[])
    });
    let environment = environment(database, &revisions.collect::<Vec<_>>());
    let target = "head".parse().unwrap();
    let person = Person::default();
    let upgraded = person
        .run(async |conduct| command::upgrade(&environment, &target, OutOfOrder::Refuse, conduct).await)
        .await;
    upgraded.map(drop)
}

/// Drops all tables.
async fn empty(session: &Session) {
    let names = match session.backend() {
        DbBackend::Postgres => "SELECT tablename::text AS name FROM pg_tables WHERE schemaname = 'public'",
        _ => "SELECT name FROM sqlite_schema WHERE type = 'table' AND name NOT LIKE 'sqlite\\_%' ESCAPE '\\'",
    };
    for row in session.rows(names).await.unwrap() {
        let name: String = row.try_get("", "name").unwrap();
        session.send(&format!("DROP TABLE \"{name}\"")).await.unwrap();
    }
}

/// Returns what the cells of all tables hold.
async fn cells(session: &Session) -> Vec<String> {
    let columns = match session.backend() {
        DbBackend::Postgres => {
            "SELECT table_name::text AS name, column_name::text AS column_name FROM information_schema.columns \
             WHERE table_schema = 'public'"
        }
        _ => {
            "SELECT t.name AS name, c.name AS column_name FROM sqlite_schema t, pragma_table_info(t.name) c \
             WHERE t.type = 'table'"
        }
    };
    let mut cells = Vec::new();
    for row in session.rows(columns).await.unwrap() {
        let table: String = row.try_get("", "name").unwrap();
        let column: String = row.try_get("", "column_name").unwrap();
        if table.starts_with("sea") || table.starts_with("sqlite_") || column == "id" {
            continue;
        }
        let sql = format!(
            "SELECT CAST(\"{column}\" AS text) AS cell FROM \"{table}\" WHERE \"{column}\" IS NOT NULL"
        );
        let rows = session.rows(&sql).await.unwrap();
        cells.extend(rows.iter().map(|row| row.try_get::<String>("", "cell").unwrap()));
    }
    cells
}

/// What random revisions have made of the tables so far.
struct Project {
    choices: std::vec::IntoIter<u8>,
    tables: Vec<Table>,
    /// How many names were given.
    names: usize,
}

#[derive(Clone)]
struct Table {
    name: String,
    columns: Vec<Column>,
}

#[derive(Clone)]
struct Column {
    name: String,
    /// Whether a revision has added it, so that to overwrite it takes nothing that was there.
    is_new: bool,
}

impl Table {
    fn of(name: &str, columns: [&str; 2]) -> Self {
        let columns = columns.map(|name| Column {
            name: name.to_owned(),
            is_new: false,
        });
        Self {
            name: name.to_owned(),
            columns: columns.into(),
        }
    }
}

impl Project {
    /// Returns the statements of a few revisions.
    fn of(choices: Vec<u8>) -> Vec<String> {
        let mut project = Self {
            choices: choices.into_iter(),
            tables: vec![
                Table::of("crew", ["name", "home"]),
                Table::of("logs", ["name", "what"]),
            ],
            names: 0,
        };
        let revisions = 1 + project.pick(4);
        let mut all = Vec::new();
        for _ in 0..revisions {
            let statements = 1 + project.pick(4);
            let sent: Vec<String> = (0..statements).flat_map(|_| project.statements()).collect();
            all.push(match sent.is_empty() {
                true => "SELECT 1".to_owned(),
                false => sent.join("; "),
            });
        }
        all
    }

    fn pick(&mut self, below: usize) -> usize {
        usize::from(self.choices.next().unwrap_or_default()) % below
    }

    fn new_name(&mut self) -> String {
        self.names += 1;
        // A name that was another's before.
        let old = ["crew", "logs"]
            .into_iter()
            .find(|name| self.tables.iter().all(|table| table.name != *name));
        match old.filter(|_| self.names.is_multiple_of(3)) {
            Some(old) => old.to_owned(),
            None => format!("n{}", self.names),
        }
    }

    /// Returns the next thing that a revision does.
    fn statements(&mut self) -> Vec<String> {
        if self.tables.is_empty() {
            return Vec::new();
        }
        let at = self.pick(self.tables.len());
        match self.pick(12) {
            0 => self.rename(at),
            1 => self.rename_column(at),
            2 | 3 => self.add_column(at),
            4 | 5 => self.fill(at),
            6 => self.drop_column(at),
            7 | 8 => self.copy(at),
            9 => {
                let table = self.tables.remove(at);
                vec![format!("DROP TABLE {}", table.name)]
            }
            10 => {
                let (table, id) = (self.tables[at].name.clone(), 1 + self.pick(6));
                vec![format!("DELETE FROM {table} WHERE id >= {id}")]
            }
            _ => {
                self.names += 1;
                let table = &self.tables[at];
                vec![format!(
                    "INSERT INTO {} (id) VALUES ({})",
                    table.name,
                    100 + self.names
                )]
            }
        }
    }

    fn rename(&mut self, at: usize) -> Vec<String> {
        let to = self.new_name();
        let from = std::mem::replace(&mut self.tables[at].name, to.clone());
        vec![format!("ALTER TABLE {from} RENAME TO {to}")]
    }

    fn rename_column(&mut self, at: usize) -> Vec<String> {
        let (Some(column), to) = (self.column(at), self.new_name()) else {
            return Vec::new();
        };
        let table = &mut self.tables[at];
        let from = std::mem::replace(&mut table.columns[column].name, to.clone());
        vec![format!("ALTER TABLE {} RENAME COLUMN {from} TO {to}", table.name)]
    }

    fn add_column(&mut self, at: usize) -> Vec<String> {
        let name = self.new_name();
        let table = &mut self.tables[at];
        let sql = format!("ALTER TABLE {} ADD COLUMN {name} text", table.name);
        table.columns.push(Column { name, is_new: true });
        vec![sql]
    }

    fn column(&mut self, at: usize) -> Option<usize> {
        let columns = self.tables[at].columns.len();
        (columns > 0).then(|| self.pick(columns))
    }

    fn fill(&mut self, at: usize) -> Vec<String> {
        let (Some(from), Some(to)) = (self.column(at), self.column(at)) else {
            return Vec::new();
        };
        let table = self.tables[at].clone();
        let (from, to) = (&table.columns[from].name, &table.columns[to]);
        if !to.is_new || *from == to.name {
            return Vec::new();
        }
        let value = self.value(from);
        let which = ["", "", " WHERE id > 1", " WHERE id > 0"][self.pick(4)];
        vec![format!("UPDATE {} SET {} = {value}{which}", table.name, to.name)]
    }

    /// Returns an expression on a column.
    fn value(&mut self, of: &str) -> String {
        match self.pick(8) {
            0 => format!("upper({of})"),
            1 => format!("substr({of}, 1, 2)"),
            2 => format!("{of} || '!'"),
            3 => format!("coalesce({of}, '')"),
            _ => of.to_owned(),
        }
    }

    fn drop_column(&mut self, at: usize) -> Vec<String> {
        let Some(column) = self.column(at) else {
            return Vec::new();
        };
        let table = &mut self.tables[at];
        let column = table.columns.remove(column);
        vec![format!("ALTER TABLE {} DROP COLUMN {}", table.name, column.name)]
    }

    /// Makes a table of what another holds, and drops that sometimes.
    fn copy(&mut self, at: usize) -> Vec<String> {
        let table = self.tables[at].clone();
        let mut kept: Vec<Column> = table.columns.clone();
        if kept.len() > 1 && self.pick(4) == 0 {
            kept.remove(self.pick(kept.len()));
        }
        let mut values = vec!["id".to_owned()];
        for column in &mut kept {
            let value = self.value(&column.name);
            if value != column.name && self.pick(2) == 0 {
                column.name = self.new_name();
            }
            values.push(format!("{value} AS {}", column.name));
        }
        let which = ["", "", "", " WHERE id > 1", " LIMIT 1", " WHERE id > 0"][self.pick(6)];
        let query = format!("SELECT {} FROM {}{which}", values.join(", "), table.name);
        let name = self.new_name();
        let names: Vec<&str> = kept.iter().map(|column| column.name.as_str()).collect();
        let mut sent = match self.pick(2) {
            0 => vec![format!("CREATE TABLE {name} AS {query}")],
            _ => {
                let columns: Vec<String> = names.iter().map(|name| format!(", {name} text")).collect();
                vec![
                    format!("CREATE TABLE {name} (id integer{})", columns.concat()),
                    format!("INSERT INTO {name} {query}"),
                ]
            }
        };
        let mut copy = Table { name, columns: kept };
        if self.pick(3) > 0 {
            sent.push(format!("DROP TABLE {}", table.name));
            self.tables.remove(at);
            if self.pick(2) == 0 {
                sent.push(format!("ALTER TABLE {} RENAME TO {}", copy.name, table.name));
                copy.name = table.name;
            }
        }
        self.tables.push(copy);
        sent
    }
}
