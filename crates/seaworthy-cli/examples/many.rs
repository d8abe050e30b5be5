//! The ordinary command line over any number of revisions made at run time: `many N <verb...>`.
//!
//! For measurements and experiments. Each revision revises its predecessor, creates one small table and drops it again;
//! `scripts/bench` writes the same project for Alembic.

use std::env;
use std::ffi::OsString;

use sea_orm_migration::prelude::*;
use sea_orm_migration::schema::{integer, string_len};
use seaworthy::environment::Environment;
use seaworthy::revision::{Header, Revision};

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), String> {
    let mut arguments = env::args_os();
    let program = arguments.next().unwrap_or_else(|| "many".into());
    let count = arguments
        .next()
        .as_ref()
        .and_then(|count| count.to_str()?.parse().ok())
        .ok_or("the first argument is the number of revisions: many 1000 upgrade head")?;
    let rest: Vec<OsString> = [program].into_iter().chain(arguments).collect();
    seaworthy_cli::run_with(Environment::new(revisions(count)), rest).await;
    Ok(())
}

fn revisions(count: u64) -> Vec<Box<dyn Revision>> {
    (1..=count)
        .map(|number| Box::new(Migration::new(number)) as Box<dyn Revision>)
        .collect()
}

/// Creates the table of its number.
struct Migration {
    number: u64,
    name: String,
    table: String,
}

impl Migration {
    fn new(number: u64) -> Self {
        Self {
            number,
            name: format!("m20260101_{number:06}_create_thing_{number}"),
            table: format!("thing_{number}"),
        }
    }
}

/// Returns twelve hex digits that look random and never repeat: multiplying by an odd number is reversible.
fn id(number: u64) -> String {
    const ODD: u64 = 0x9e37_79b9_7f4b;
    format!("{:012x}", number.wrapping_mul(ODD) & 0xffff_ffff_ffff)
}

impl MigrationName for Migration {
    fn name(&self) -> &str {
        &self.name
    }
}

impl Revision for Migration {
    fn header(&self) -> Option<Header> {
        let header = Header::new(id(self.number)).message(format!("create thing {}", self.number));
        Some(match self.number {
            1 => header,
            number => header.revises(id(number - 1)),
        })
    }
}

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        let table = Table::create()
            .table(Alias::new(&self.table))
            .col(integer("id").primary_key())
            .col(string_len("name", 100))
            .to_owned();
        manager.create_table(table).await
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        manager
            .drop_table(Table::drop().table(Alias::new(&self.table)).to_owned())
            .await
    }
}
