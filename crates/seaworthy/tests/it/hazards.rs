//! What the linter says about scripts: the cases of `fixtures/hazards.json`, and the pages of the rules.

use std::collections::BTreeSet;

use seaworthy::lint::{Context, RULES, Server, Surrounding, lint};
use serde::Deserialize;

const FIXTURE: &str = include_str!("fixtures/hazards.json");

#[derive(Deserialize)]
struct Fixture {
    /// The statements that made the schema of all cases.
    schema: Vec<String>,
    cases: Vec<Case>,
}

#[derive(Deserialize)]
struct Case {
    title: String,
    sql: Vec<String>,
    transaction: bool,
    version: u8,
    #[serde(default)]
    sqlite: bool,
    /// What must be reported.
    hazards: Vec<String>,
    /// What may be reported as well.
    may: Vec<String>,
}

#[test]
fn every_case_is_reported_as_it_should_be() {
    let fixture: Fixture = serde_json::from_str(FIXTURE).unwrap();
    let schema = fixture.schema.join(";\n");
    let mut failures = Vec::new();
    for case in &fixture.cases {
        let context = Context::default()
            .schema(&schema)
            .surrounded_by(surrounding(case.transaction))
            .on(server(case.sqlite, case.version));
        let found = categories(&case.sql.join(";\n"), &context);
        let expected: BTreeSet<&str> = case.hazards.iter().map(String::as_str).collect();
        let missed: Vec<_> = expected.difference(&found).collect();
        let alarms: Vec<_> = found
            .difference(&expected)
            .filter(|category| !case.may.iter().any(|may| may == *category))
            .collect();
        if !missed.is_empty() || !alarms.is_empty() {
            failures.push(format!(
                "{}: missed {missed:?}, false alarms {alarms:?}\n  {:?}",
                case.title, case.sql
            ));
        }
    }
    assert!(
        failures.is_empty(),
        "{} of {}\n{}",
        failures.len(),
        fixture.cases.len(),
        failures.join("\n")
    );
}

#[test]
fn every_rule_is_met_by_a_case() {
    let fixture: Fixture = serde_json::from_str(FIXTURE).unwrap();
    for rule in &RULES {
        let is_met = fixture
            .cases
            .iter()
            .any(|case| case.hazards.iter().any(|code| code == rule.code));
        assert!(is_met, "no case expects {}", rule.code);
    }
}

#[test]
fn every_page_reports_its_unsafe_block_and_not_its_safe_one() {
    let fixture: Fixture = serde_json::from_str(FIXTURE).unwrap();
    let schema = fixture.schema.join(";\n");
    let schema = schema + ";\nALTER TABLE comments ADD COLUMN draft text";
    for rule in &RULES {
        let blocks = blocks(rule.page);
        let [dangerous, harmless] = blocks.as_slice() else {
            panic!("the page of {} has not two blocks", rule.code);
        };
        let found = |block: &Block<'_>| {
            let context = Context::default()
                .schema(&schema)
                .surrounded_by(surrounding(block.transaction))
                .on(server(block.sqlite, 15));
            categories(block.sql, &context)
        };
        assert!(
            found(dangerous).contains(rule.code),
            "{} does not report its page",
            rule.code
        );
        assert!(
            !found(harmless).contains(rule.code),
            "{} reports its safe block",
            rule.code
        );
    }
}

#[test]
fn a_hazard_says_where_it_is() {
    let sql = "-- one\n\nCREATE TABLE drafts (id integer);\n\n/* two */\nCREATE INDEX i\n  ON tasks (title);";
    let hazards = lint(sql, &Context::default());
    let [hazard] = hazards.as_slice() else {
        panic!("{hazards:?}")
    };
    assert_eq!((hazard.statement, hazard.line), (1, 6));
    assert_eq!(hazard.table.as_deref(), Some("tasks"));
}

#[test]
fn without_a_schema_a_table_that_the_script_does_not_create_is_in_use() {
    let context = Context::default();
    assert!(categories("CREATE INDEX i ON anything (id)", &context).contains("index-blocking"));
    assert!(categories("CREATE TABLE t (id integer); CREATE INDEX i ON t (id)", &context).is_empty());
    assert!(categories("", &context).is_empty());
}

fn categories(sql: &str, context: &Context) -> BTreeSet<&'static str> {
    lint(sql, context)
        .into_iter()
        .map(|hazard| hazard.category)
        .collect()
}

fn surrounding(is_one: bool) -> Surrounding {
    if is_one {
        Surrounding::Transaction
    } else {
        Surrounding::Nothing
    }
}

fn server(is_sqlite: bool, version: u8) -> Server {
    if is_sqlite {
        Server::Sqlite
    } else {
        Server::Postgres(version)
    }
}

/// A block of SQL on a page.
struct Block<'a> {
    sql: &'a str,
    transaction: bool,
    sqlite: bool,
}

/// Returns the SQL blocks of a page.
fn blocks(page: &str) -> Vec<Block<'_>> {
    let pieces = page.split("```sql").skip(1);
    let blocks = pieces.filter_map(|piece| {
        let (first, rest) = piece.split_once('\n')?;
        Some(Block {
            sql: rest.split("```").next()?,
            transaction: first.contains("transaction"),
            sqlite: first.contains("sqlite"),
        })
    });
    blocks.collect()
}

#[test]
fn a_script_that_breaks_off_anywhere_is_read_all_the_same() {
    let fixture: Fixture = serde_json::from_str(FIXTURE).unwrap();
    let context = Context::default();
    for case in &fixture.cases {
        let sql = case.sql.join(";\n");
        for end in (0..sql.len()).filter(|end| sql.is_char_boundary(*end)) {
            drop(lint(&sql[..end], &context));
        }
    }
    for odd in [
        "$",
        "$a",
        "$a$",
        "'",
        "E'\\",
        "/*",
        "U&\"",
        ";;;",
        "(",
        ")",
        "alter table",
        "create index on",
    ] {
        drop(lint(odd, &context));
    }
}
