//! What it costs to find out that nothing differs: reading a schema, declaring it, comparing the two.
//!
//! ```text
//! cargo run --release --package seaworthy --example drift -- 100 postgres://localhost/postgres
//! ```
//!
//! Makes a scratch database with so many tables of ten columns, and shows the processor time of this process. Without a
//! server it makes one of SQLite.
#![expect(
    clippy::print_stdout,
    reason = "an example shows its results; the library itself prints nothing"
)]

use std::error::Error;
use std::time::{Duration, Instant};

use sea_orm::{ConnectionTrait, TransactionTrait};
use seaworthy::autogenerate::{Policy, diff, sql};
use seaworthy::catalog::{
    Catalog, Column, Dialect, ForeignKey, Index, Numbering, PrimaryKey, Scope, Table, Unique, inspect,
    normalize,
};
use seaworthy::session::{Access, Session, Settings};
use seaworthy::verify::ScratchDatabase;

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Box<dyn Error>> {
    let mut arguments = std::env::args().skip(1);
    let count = arguments.next().ok_or("how many tables?")?.parse()?;
    let database = match arguments.next() {
        Some(server) => ScratchDatabase::postgres(&server).await?,
        None => ScratchDatabase::sqlite(&std::env::temp_dir())?,
    };
    let session = Session::open(database.url(), &Settings::default(), Access::Write).await?;
    let dialect = Dialect::of(session.backend()).ok_or("no dialect")?;
    let wanted = catalog(dialect, count);
    make(session.connection(), &wanted).await?;

    let (started, cpu) = (Instant::now(), processor_time()?);
    let scope = Scope::default();
    let live = inspect(session.connection(), &scope).await?;
    let (read, read_cpu) = (started.elapsed(), processor_time()? - cpu);
    let declared = normalize(session.connection(), &scope, &wanted).await?;
    let (normalized, normalized_cpu) = (started.elapsed(), processor_time()? - cpu);
    let difference = diff(&live, &declared, &Policy::default())?;
    let (compared, compared_cpu) = (started.elapsed(), processor_time()? - cpu);

    println!("{count} tables: {} operations", difference.operations.len());
    println!("read       {read:>12.1?} wall {read_cpu:>8.1?} processor");
    println!("normalized {normalized:>12.1?} wall {normalized_cpu:>8.1?} processor");
    println!("compared   {compared:>12.1?} wall {compared_cpu:>8.1?} processor");
    session.close().await;
    database.remove().await?;
    Ok(())
}

async fn make<C: ConnectionTrait + TransactionTrait>(
    connection: &C,
    wanted: &Catalog,
) -> Result<(), Box<dyn Error>> {
    let nothing = Catalog {
        dialect: wanted.dialect,
        ..Catalog::default()
    };
    let operations = diff(&nothing, wanted, &Policy::default())?.operations;
    for statements in sql(&nothing, &operations)?.chunks(200) {
        let all = format!("BEGIN; {}; COMMIT", statements.join("; "));
        connection.execute_unprepared(&all).await?;
    }
    Ok(())
}

/// Tables of ten columns with a key, a unique constraint, two indexes and a foreign key.
fn catalog(dialect: Dialect, count: usize) -> Catalog {
    let mut catalog = Catalog::new(dialect);
    for number in 0..count {
        let mut table = Table::new(format!("table_{number:04}"));
        table.columns = vec![
            Column::new("id", "integer").not_null().auto(Numbering::Any),
            Column::new("parent_id", "integer"),
            Column::new("name", "varchar(100)").not_null(),
            Column::new("email", "varchar(255)").not_null(),
            Column::new("note", "text"),
            Column::new("state", "varchar(20)").not_null().default("'new'"),
            Column::new("amount", "numeric(10, 2)").not_null().default("0"),
            Column::new("is_open", "boolean").not_null().default("true"),
            Column::new("created_at", "timestamp")
                .not_null()
                .default("CURRENT_TIMESTAMP"),
            Column::new("updated_at", "timestamp"),
        ];
        table.primary_key = Some(PrimaryKey::new(["id"]));
        table.uniques = vec![Unique::new(None, ["email"])];
        table.indexes = vec![
            Index::new(Some(&format!("by_name_{number}")), ["name"]),
            Index::new(Some(&format!("by_state_{number}")), ["state", "created_at"]),
        ];
        if number > 0 {
            let key = ForeignKey::new(["parent_id"], format!("table_{:04}", number - 1), ["id"]);
            table.foreign_keys = vec![key];
        }
        catalog.tables.push(table);
    }
    catalog
}

/// The time that all threads of this process have had, as Linux counts it: hundredths of a second.
fn processor_time() -> Result<Duration, Box<dyn Error>> {
    let stat = std::fs::read_to_string("/proc/self/stat")?;
    let fields: Vec<&str> = stat.rsplit(") ").next().unwrap_or_default().split(' ').collect();
    let ticks = |field: usize| {
        fields
            .get(field)
            .ok_or("no such field")?
            .parse::<u64>()
            .map_err(Box::<dyn Error>::from)
    };
    Ok(Duration::from_millis((ticks(11)? + ticks(12)?) * 10))
}
