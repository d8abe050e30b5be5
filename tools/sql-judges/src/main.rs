//! Judges of the SQL reader: runs statements through the grammar of the PostgreSQL server, through squawk's and through
//! the toolkit's own reader, and reports where they differ.

use std::io;
use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::Result;
use clap::Parser;

use crate::allowed::Allowed;
use crate::compare::Reader;

mod allowed;
mod compare;
mod corpus;
mod facts;
mod mutants;
mod postgres;
mod report;
mod seaworthy;
mod squawk;

/// Compares readers of SQL with the grammar of the PostgreSQL server.
#[derive(Parser)]
struct Arguments {
    /// Folder with further SQL files; may be given several times.
    #[arg(long, value_name = "DIR")]
    corpus: Vec<PathBuf>,

    /// Root of the repository, whose own SQL is always judged.
    #[arg(long, value_name = "DIR", default_value = concat!(env!("CARGO_MANIFEST_DIR"), "/../.."))]
    repository: PathBuf,

    /// Disagreements that are known, with reasons.
    #[arg(long, value_name = "FILE", default_value = concat!(env!("CARGO_MANIFEST_DIR"), "/allowed.toml"))]
    allowed: PathBuf,

    /// Number of statements to make up from those, by changing words, comments and what stands around them.
    #[arg(long, value_name = "COUNT", default_value_t = 0)]
    mutants: usize,

    /// Where the numbers begin that mutants are made by.
    #[arg(long, value_name = "NUMBER", default_value_t = 1)]
    seed: u64,

    /// Number of disagreements to print for each reader.
    #[arg(long, value_name = "COUNT", default_value_t = 40)]
    show: usize,
}

fn main() -> Result<ExitCode> {
    let arguments = Arguments::parse();
    let allowed = Allowed::read(&arguments.allowed)?;
    let mut texts = corpus::of_repository(&arguments.repository)?;
    for folder in &arguments.corpus {
        texts.extend(corpus::of_folder(folder)?);
    }
    texts.extend(mutants::of(&texts, arguments.mutants, arguments.seed));
    let cases = compare::collect(texts);
    let mut out = io::stdout().lock();
    report::cases(&mut out, &cases)?;
    report::lines(&mut out, corpus::lines_of_reader(&arguments.repository)?)?;

    let readers = [
        Reader {
            name: "seaworthy",
            read: seaworthy::read,
            read_body: Some(seaworthy::read_body),
            common: seaworthy::common,
            has_kinds: false,
            is_ours: true,
        },
        Reader {
            name: "squawk-syntax",
            read: squawk::read,
            read_body: None,
            common: Clone::clone,
            has_kinds: true,
            is_ours: false,
        },
    ];
    let mut faults = 0;
    for reader in &readers {
        let verdict = compare::judge(reader, &cases);
        let unknown = report::verdict(&mut out, reader, &verdict, &allowed, arguments.show)?;
        faults += if reader.is_ours { unknown } else { 0 };
    }
    Ok(if faults == 0 {
        ExitCode::SUCCESS
    } else {
        ExitCode::FAILURE
    })
}
