//! What the linter says about scripts: the cases of `fixtures/hazards.json`, and the pages of the rules.

use std::collections::BTreeSet;
use std::sync::Arc;

use insta::assert_snapshot;
use seaworthy::lint::{
    ConstraintNames, ConstraintPattern, Context, ForbiddenType, Hazard, Level, NamePattern, RULES, Server,
    Settings, Severity, Surrounding, lint, merge_repeats,
};
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
    /// Nothing is known of the schema.
    #[serde(default)]
    unknown: bool,
    /// The project asks for names, keys and types.
    #[serde(default)]
    required: bool,
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
        let mut context = Context::default()
            .surrounded_by(surrounding(case.transaction))
            .on(server(case.sqlite, case.version));
        if !case.unknown {
            context = context.schema(&schema);
        }
        if case.required {
            context = context.settings(&Arc::new(asking()));
        }
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
                .settings(&Arc::new(asking()))
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

#[test]
fn without_settings_nothing_is_asked_of_names_keys_and_types() {
    let sql =
        "CREATE TABLE \"Boats\" (\"lengthInFeet\" money); CREATE INDEX \"I\" ON \"Boats\" (\"lengthInFeet\")";
    assert!(categories(sql, &Context::default()).is_empty());
}

#[test]
fn what_is_asked_of_a_name_is_said_in_full() {
    let context = Context::default().settings(&Arc::new(asking()));
    let sql = "CREATE TABLE \"Boats\" (id integer PRIMARY KEY, \"homePort\" money, \
               CONSTRAINT once UNIQUE (\"homePort\"), CHECK (id > 0));\n\
               CREATE INDEX ON boats (lower(name), length);\nCREATE TABLE crew (name text);";
    assert_snapshot!(lines(&lint(sql, &context)), @"
    the name of the table Boats does not match snake_case [required-name]
    the name of the column Boats.homePort does not match [a-z][a-z0-9_]* [required-name]
    the primary key of Boats is given no name, and the name Boats_pkey that the server chooses does not match pk_Boats [required-constraint-name]
    the unique constraint once of Boats does not match uq_Boats_homePort [required-constraint-name]
    the check of Boats is given no name that matches ck_Boats_.+ [required-constraint-name]
    the column Boats.homePort is of the forbidden type money [forbidden-type]
    writes to boats wait until the index is built [index-blocking]
    the index of boats is given no name that matches idx_boats_..._length [required-constraint-name]
    the table crew has no primary key [required-primary-key]
    ");
}

#[test]
fn a_pattern_or_type_that_makes_no_sense_is_an_error() {
    let hint = |error: seaworthy::lint::SettingsError| format!("{error}; {}", error.hint());
    let errors = [
        hint(NamePattern::new("[a-z").unwrap_err()),
        hint(ConstraintPattern::new("pk_{tabel}").unwrap_err()),
        hint(ConstraintPattern::new("pk_{table}(").unwrap_err()),
        hint(ForbiddenType::new("12").unwrap_err()),
        hint(
            Settings::default()
                .set_level("lock-held-lnog", Level::Off)
                .unwrap_err(),
        ),
    ];
    assert_snapshot!(errors.join("\n"), @r#"
    [a-z is no regular expression: unclosed character class; write "snake_case" or a regular expression for the whole name, and a backslash before a character that is to stand for itself
    pk_{tabel} has the placeholder {tabel}, which stands for nothing; there are {table} and {columns}
    pk_{table}( is no regular expression: unclosed group; write "snake_case" or a regular expression for the whole name, and a backslash before a character that is to stand for itself
    "12" is no type; write a type as SQL does: "timestamp", "varchar(255)"
    there is no category lock-held-lnog; did you mean lock-held-long?
    "#);
    // A count of a regular expression is no placeholder.
    assert!(ConstraintPattern::new("pk_{table}_[0-9]{2,3}").is_ok());
}

#[test]
fn a_category_is_what_the_settings_say() {
    let mut settings = Settings::default();
    settings.set_level("index-blocking", Level::Warning).unwrap();
    settings.set_level("index-drop-blocking", Level::Error).unwrap();
    settings.set_level("bulk-dml", Level::Off).unwrap();
    let context = Context::default().settings(&Arc::new(settings));
    let sql = "CREATE INDEX i ON boats (name);\nDROP INDEX j;\nUPDATE boats SET name = '';\n\
               -- seaworthy: accept bulk-dml: the table has forty rows everywhere\nDELETE FROM crew;";
    let found = lint(sql, &context);
    let levels: Vec<_> = found
        .iter()
        .map(|hazard| (hazard.category, hazard.severity))
        .collect();
    assert!(levels.contains(&("index-blocking", Severity::Warn)), "{levels:?}");
    assert!(
        levels.contains(&("index-drop-blocking", Severity::Error)),
        "{levels:?}"
    );
    // What is switched off is neither reported nor missed by an acceptance of it, and counts as slow all the same.
    assert!(!levels.iter().any(|(category, _)| *category == "bulk-dml"));
    assert!(
        !levels
            .iter()
            .any(|(category, _)| *category == "override-unmatched")
    );
    assert!(
        levels.contains(&("lock-held-long", Severity::Error)),
        "{levels:?}"
    );
}

#[test]
fn what_only_may_happen_is_a_warning_unless_a_run_has_to_decide() {
    for (sql, category) in [
        (
            "ALTER TABLE boats ALTER COLUMN built TYPE timestamptz",
            "table-rewrite",
        ),
        (
            "ALTER TABLE boats ALTER COLUMN name TYPE varchar(80)",
            "table-rewrite",
        ),
        ("DROP FUNCTION speed(integer)", "table-removed"),
        ("ALTER FUNCTION speed(integer) RENAME TO knots", "table-renamed"),
        (
            "ALTER TABLE boats DROP CONSTRAINT boats_rule",
            "uniqueness-removed",
        ),
        (
            "ALTER TABLE boats ALTER COLUMN id ADD GENERATED ALWAYS AS IDENTITY",
            "required-column",
        ),
        (
            "CREATE TABLE trips_1 PARTITION OF trips FOR VALUES IN (1)",
            "partition-blocking",
        ),
    ] {
        let severity = |context: &Context| {
            let found = lint(sql, context);
            let found = found.iter().find(|hazard| hazard.category == category);
            found.unwrap_or_else(|| panic!("{sql}")).severity
        };
        assert_eq!(severity(&Context::default()), Severity::Warn, "{sql}");
        let strict = severity(&Context::default().strict());
        assert_eq!(strict == Severity::Error, category == "table-rewrite", "{sql}");
    }
}

#[test]
fn a_zone_says_that_it_depends_on_the_session() {
    let sql = "ALTER TABLE boats ALTER COLUMN built TYPE timestamptz";
    let found = lint(sql, &Context::default());
    assert_eq!(
        found[0].message,
        "boats is copied while nobody can read or write it: built is computed anew for each row unless the time zone of the session is UTC"
    );
    let found = categories(&format!("SET TIME ZONE 'UTC'; {sql}"), &Context::default());
    assert!(!found.contains("table-rewrite"));
}

#[test]
fn statements_of_which_the_same_is_true_are_one_hazard() {
    let sql = "ALTER TABLE boats ADD COLUMN a text;\nUPDATE crew SET a = 1;\nUPDATE ports SET a = 1;\n\
               UPDATE crew SET b = 1;\nDROP INDEX i;\nDROP INDEX j;";
    let found = lint(sql, &Context::default());
    let count = |hazards: &[Hazard], category: &str| {
        let of_it = hazards.iter().filter(|hazard| hazard.category == category);
        of_it.count()
    };
    assert_eq!(count(&found, "lock-held-long"), 3);
    let merged = merge_repeats(found);
    // Of the same table once, of different tables and indexes each.
    assert_eq!(count(&merged, "lock-held-long"), 1);
    assert_eq!(count(&merged, "bulk-dml"), 2);
    assert_eq!(count(&merged, "index-drop-blocking"), 2);
    let held = merged
        .iter()
        .find(|hazard| hazard.category == "lock-held-long")
        .unwrap();
    let places: Vec<_> = held
        .statements
        .iter()
        .map(|place| (place.statement, place.line))
        .collect();
    assert_eq!(places, [(1, 2), (2, 3), (3, 4)]);
    // The lock that is kept longest, whichever came later.
    let sql = "CREATE INDEX i ON boats (a);\nCREATE INDEX j ON crew (a);\nCREATE INDEX k ON ports (a);\n\
               CREATE INDEX l ON trips (a);";
    let merged_indexes = merge_repeats(lint(sql, &Context::default()));
    let held: Vec<_> = merged_indexes
        .iter()
        .filter(|hazard| hazard.category == "lock-held-long")
        .map(|hazard| (hazard.table.as_deref(), hazard.statements.len()))
        .collect();
    assert_eq!(held, [(Some("boats"), 3)]);
    let single = merged
        .iter()
        .filter(|hazard| hazard.category == "index-drop-blocking");
    assert!(single.into_iter().all(|hazard| hazard.statements.is_empty()));
}

/// Returns what a project may ask for.
fn asking() -> Settings {
    let name = |text: &str| NamePattern::new(text).ok();
    let constraint = |text: &str| ConstraintPattern::new(text).ok();
    let mut settings = Settings::default();
    settings.required.table_names = name("snake_case");
    settings.required.column_names = name("[a-z][a-z0-9_]*");
    settings.required.primary_key = true;
    settings.required.forbidden_types = ["money", "timestamp"]
        .iter()
        .filter_map(|text| ForbiddenType::new(text).ok())
        .collect();
    settings.required.constraint_names = ConstraintNames {
        primary_key: constraint("pk_{table}"),
        foreign_key: constraint("fk_{table}_{columns}"),
        unique: constraint("uq_{table}_{columns}"),
        check: constraint("ck_{table}_.+"),
        index: constraint("idx_{table}_{columns}"),
        unique_index: None,
    };
    settings
}

fn lines(hazards: &[Hazard]) -> String {
    let lines = hazards
        .iter()
        .map(|hazard| format!("{} [{}]", hazard.message, hazard.category));
    lines.collect::<Vec<_>>().join("\n")
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
