//! Revisions that go wrong on purpose: what the tests run to see failures, crashes and long steps.
//!
//! Each builds on `calm` and is reached by its own name: `upgrade halfway`. `TROUBLES_SECONDS` says how long the slow
//! ones take, about; nothing unless it is set.

use sea_orm_migration::prelude::*;
use sea_orm_migration::sea_orm::DbBackend;
use seaworthy::backfill::Backfill;
use seaworthy::environment::Environment;
use seaworthy::revision::{Header, Revision};

#[tokio::main(flavor = "current_thread")]
async fn main() {
    let revisions = TROUBLES
        .into_iter()
        .map(|trouble| Box::new(trouble) as Box<dyn Revision>)
        .collect();
    seaworthy_cli::run(Environment::new(revisions)).await;
}

/// A revision as data.
struct Trouble {
    name: &'static str,
    up: &'static [Act],
    down: &'static [Act],
    transaction: bool,
}

/// What a revision does; the first word of SQL is for SQLite, the second for PostgreSQL, where they differ.
enum Act {
    Send(&'static str),
    Either {
        sqlite: &'static str,
        postgres: &'static str,
    },
    /// Keeps the database busy.
    Wait,
    Panic,
    /// Works off the backfill.
    Fill,
    /// Copies the names of all boats, read one by one.
    Read,
}

use Act::{Either, Fill, Panic, Read, Send, Wait};

const TROUBLES: [Trouble; 11] = [
    Trouble {
        name: "calm",
        up: &[
            Send("CREATE TABLE boats (id integer PRIMARY KEY, name text NOT NULL)"),
            Send("INSERT INTO boats (id, name) VALUES (1, 'Argo'), (2, 'Vasa')"),
        ],
        down: &[Send("DROP TABLE boats")],
        transaction: true,
    },
    Trouble {
        name: "slow",
        up: &[Send("CREATE TABLE slow (id integer PRIMARY KEY)"), Wait],
        down: &[Wait, Send("DROP TABLE slow")],
        transaction: true,
    },
    // Fails at its second statement.
    Trouble {
        name: "halfway",
        up: &[
            Send("CREATE TABLE halfway (id integer PRIMARY KEY)"),
            Send("INSERT INTO nowhere (id) VALUES (1)"),
        ],
        down: &[Send("DROP TABLE halfway")],
        transaction: true,
    },
    // Fails when everything is sent: the constraint is checked at the end.
    Trouble {
        name: "commit",
        up: &[
            Send(
                "CREATE TABLE crew (id integer PRIMARY KEY, boat_id integer NOT NULL \
                 CONSTRAINT crew_boat_id_fkey REFERENCES boats (id) DEFERRABLE INITIALLY DEFERRED)",
            ),
            Send("INSERT INTO crew (id, boat_id) VALUES (1, 99)"),
        ],
        down: &[Send("DROP TABLE crew")],
        transaction: true,
    },
    Trouble {
        name: "stuck",
        up: &[Send("CREATE TABLE stuck (id integer PRIMARY KEY)")],
        down: &[Send("DROP TABLE stuck"), Send("DROP TABLE nowhere")],
        transaction: true,
    },
    Trouble {
        name: "panic",
        up: &[Send("CREATE TABLE panic (id integer PRIMARY KEY)"), Panic],
        down: &[Send("DROP TABLE panic")],
        transaction: true,
    },
    // Statements without a transaction, with time to die between them.
    Trouble {
        name: "parts",
        up: &[
            Send("CREATE TABLE parts (id integer PRIMARY KEY)"),
            Wait,
            Send("INSERT INTO parts (id) VALUES (1)"),
        ],
        down: &[Send("DROP TABLE parts")],
        transaction: false,
    },
    // Needs a table to itself, without a transaction.
    Trouble {
        name: "refit",
        up: &[
            Send("CREATE TABLE refit (id integer PRIMARY KEY)"),
            Send("ALTER TABLE boats ADD COLUMN length integer"),
        ],
        down: &[
            Send("ALTER TABLE boats DROP COLUMN length"),
            Send("DROP TABLE refit"),
        ],
        transaction: false,
    },
    Trouble {
        name: "index",
        up: &[Either {
            sqlite: "CREATE INDEX boats_name ON boats (name)",
            postgres: "CREATE INDEX CONCURRENTLY boats_name ON boats (name)",
        }],
        down: &[Send("DROP INDEX boats_name")],
        transaction: false,
    },
    // Counts how often it has touched each boat, in many small batches.
    Trouble {
        name: "fill",
        up: &[Fill],
        down: &[],
        transaction: false,
    },
    // What it sends depends on what it finds, so it cannot be known beforehand.
    Trouble {
        name: "reader",
        up: &[
            Send("CREATE TABLE names (name text PRIMARY KEY)"),
            Read,
            Wait,
            Send("INSERT INTO names (name) VALUES ('the end')"),
        ],
        down: &[Send("DROP TABLE names")],
        transaction: false,
    },
];

impl MigrationName for Trouble {
    fn name(&self) -> &str {
        self.name
    }
}

impl Revision for Trouble {
    fn header(&self) -> Option<Header> {
        let header = Header::new(self.name).message(format!("the trouble called {}", self.name));
        Some(match self.name {
            "calm" => header,
            _ => header.revises("calm"),
        })
    }

    fn backfills(&self) -> Vec<Backfill> {
        if self.name == "fill" {
            vec![fill()]
        } else {
            Vec::new()
        }
    }
}

#[async_trait::async_trait]
impl MigrationTrait for Trouble {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        run(self.up, manager).await
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        run(self.down, manager).await
    }

    fn use_transaction(&self) -> Option<bool> {
        Some(self.transaction)
    }
}

fn fill() -> Backfill {
    Backfill::new("fill_boats", "boats")
        .set("touched", Expr::cust("touched + 1"))
        .every_row()
        .batch_rows(20)
        .rest(1.0)
}

async fn run(acts: &[Act], manager: &SchemaManager<'_>) -> Result<(), DbErr> {
    let connection = manager.get_connection();
    let is_postgres = manager.get_database_backend() == DbBackend::Postgres;
    for act in acts {
        let sql = match act {
            Send(sql) => (*sql).to_owned(),
            Either { postgres, .. } if is_postgres => (*postgres).to_owned(),
            Either { sqlite, .. } => (*sqlite).to_owned(),
            Wait => pause(is_postgres),
            Panic => panic!("the mast broke"),
            Fill => {
                fill().run(manager).await?;
                continue;
            }
            Read => {
                copy_names(connection).await?;
                continue;
            }
        };
        connection.execute_unprepared(&sql).await?;
    }
    Ok(())
}

/// Returns a statement that takes its time. SQLite has no sleep, so it counts.
fn pause(is_postgres: bool) -> String {
    let seconds = seconds();
    if is_postgres {
        return format!("SELECT pg_sleep({seconds})");
    }
    format!(
        "WITH RECURSIVE numbers (n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM numbers WHERE n < {}) \
         SELECT max(n) FROM numbers",
        (seconds * 5_000_000.0).ceil() + 1.0
    )
}

#[expect(clippy::disallowed_methods, reason = "whoever runs the example tells it so")]
fn seconds() -> f64 {
    std::env::var("TROUBLES_SECONDS")
        .ok()
        .and_then(|seconds| seconds.parse().ok())
        .unwrap_or_default()
}

async fn copy_names(connection: &SchemaManagerConnection<'_>) -> Result<(), DbErr> {
    let select = Query::select().column("name").from("boats").to_owned();
    for boat in connection.query_all(&select).await? {
        let name: String = boat.try_get("", "name")?;
        let insert = Query::insert()
            .into_table("names")
            .columns(["name"])
            .values_panic([name.into()])
            .to_owned();
        connection.execute(&insert).await?;
    }
    Ok(())
}
