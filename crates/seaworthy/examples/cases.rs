//! Compares databases with declared structures, as many as a file of cases holds, and shows what is found.
//!
//! ```text
//! cargo run --package seaworthy --example cases -- cases.json postgres://localhost/postgres
//! ```
//!
//! Without a server only what a case has for SQLite is compared.
#![expect(
    clippy::print_stdout,
    reason = "an example shows its results; the library itself prints nothing"
)]

use std::error::Error;

use seaworthy::session::{Access, Session, Settings};
use seaworthy::verify::ScratchDatabase;
use serde_json::Value;

#[path = "../tests/it/cases/case.rs"]
mod case;

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Box<dyn Error>> {
    let mut arguments = std::env::args().skip(1);
    let file = arguments.next().ok_or("which file of cases?")?;
    let server = arguments.next();
    let document: Value = serde_json::from_str(&std::fs::read_to_string(file)?)?;
    for case in document["cases"].as_array().ok_or("the file has no cases")? {
        println!(
            "{} {}",
            case["id"].as_str().unwrap_or("-"),
            case["title"].as_str().unwrap_or("-")
        );
        for kind in ["postgresql", "sqlite"] {
            let Some(ddl) = case["a"][kind].as_str() else {
                continue;
            };
            let database = match (kind, &server) {
                ("sqlite", _) => ScratchDatabase::sqlite(&std::env::temp_dir())?,
                (_, Some(server)) => ScratchDatabase::postgres(server).await?,
                (_, None) => continue,
            };
            let session = Session::open(database.url(), &Settings::default(), Access::Write).await?;
            let found = case::compare(session.connection(), case, ddl).await;
            session.close().await;
            database.remove().await?;
            println!("  {kind}");
            show(case, kind, found);
        }
    }
    Ok(())
}

fn show(case: &Value, kind: &str, found: Result<seaworthy::autogenerate::Difference, String>) {
    match found {
        Ok(found) => {
            for operation in &found.operations {
                println!("    found    {}", case::words(operation));
            }
        }
        Err(error) => println!("    failed   {error}"),
    }
    let ideal = &case["judgement"][kind]["ideal_ops"];
    let expected = if ideal.is_array() {
        ideal
    } else {
        &case["alembic"][kind]["ops"]
    };
    for operation in expected.as_array().into_iter().flatten() {
        println!("    expected {operation}");
    }
}
