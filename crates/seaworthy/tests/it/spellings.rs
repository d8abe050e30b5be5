//! However a statement is spelled, its facts are the same: comments, white space, case and quotes say nothing.

use proptest::prelude::{Strategy, any, prop};
use proptest::sample::select;
use proptest::{prop_assert_eq, proptest};
use seaworthy::sql::{Dialect, Expression, Facts, read};

/// Statements whose words stand apart: in capitals what is a keyword, in small letters what is a name.
const STATEMENTS: [&str; 34] = [
    "CREATE TABLE IF NOT EXISTS app . tasks ( id integer PRIMARY KEY , title text NOT NULL DEFAULT 'a;b' )",
    "CREATE TABLE tasks AS SELECT * FROM notes",
    "CREATE UNIQUE INDEX CONCURRENTLY IF NOT EXISTS tasks_title ON tasks ( title )",
    "CREATE OR REPLACE VIEW overview AS SELECT title FROM tasks",
    "ALTER TABLE app . tasks ADD COLUMN IF NOT EXISTS body text , DROP COLUMN title CASCADE",
    "ALTER TABLE tasks ADD body text CHECK ( body <> '--' )",
    "ALTER TABLE IF EXISTS tasks RENAME TO notes",
    "ALTER TABLE tasks RENAME COLUMN title TO heading",
    "ALTER TABLE tasks RENAME title TO heading",
    "ALTER TABLE tasks SET SCHEMA attic",
    "ALTER TABLE ONLY tasks ALTER COLUMN title TYPE varchar ( 10 ) USING lower ( title )",
    "ALTER TABLE tasks ALTER title DROP NOT NULL , ALTER body SET DEFAULT '/*'",
    "ALTER INDEX tasks_title RENAME TO tasks_heading",
    "ALTER TYPE mood ADD VALUE IF NOT EXISTS 'glad'",
    "ALTER SEQUENCE numbers RENAME TO figures",
    "DROP TABLE IF EXISTS app . tasks , notes CASCADE",
    "DROP INDEX CONCURRENTLY IF EXISTS tasks_title",
    "DROP MATERIALIZED VIEW overview",
    "DROP FUNCTION IF EXISTS app . total ( integer , text ) , count_all CASCADE",
    "DROP SCHEMA attic CASCADE",
    "TRUNCATE TABLE ONLY tasks , app . notes RESTART IDENTITY CASCADE",
    "DELETE FROM ONLY app . tasks USING notes WHERE tasks . id = notes . id RETURNING tasks . id",
    "UPDATE tasks SET title = 'x' , body = NULL WHERE id IN ( SELECT id FROM notes LIMIT 10 )",
    "UPDATE app . tasks SET ( title , body ) = ( 'a' , 'b' )",
    "INSERT INTO tasks ( id , title ) VALUES ( 1 , 'it''s' ) ON CONFLICT ( id ) DO UPDATE SET title = 'y'",
    "INSERT INTO tasks SELECT * FROM notes",
    "WITH gone AS ( DELETE FROM tasks WHERE done RETURNING id ) SELECT total ( id ) FROM gone",
    "MERGE INTO tasks USING notes ON tasks . id = notes . id WHEN MATCHED THEN DELETE",
    "COPY app . tasks ( id , title ) FROM STDIN",
    "SET LOCAL lock_timeout = '2s'",
    "EXPLAIN ANALYZE DELETE FROM tasks",
    "DO $$ DECLARE n integer := 1 ; BEGIN IF n > 0 THEN DELETE FROM tasks ; END IF ; DROP TABLE notes ; END $$",
    "REINDEX INDEX CONCURRENTLY tasks_title",
    "BEGIN ; DROP TABLE tasks ; COMMIT",
];

/// Statements of SQLite.
const LITE: [&str; 6] = [
    "CREATE TABLE tasks ( id integer PRIMARY KEY , title NOT NULL )",
    "CREATE TRIGGER keep AFTER DELETE ON tasks BEGIN DELETE FROM notes WHERE id = 1 ; UPDATE notes SET body = 'x' ; END ; DROP TABLE labels",
    "INSERT OR REPLACE INTO tasks ( id ) VALUES ( 1 )",
    "DELETE FROM tasks WHERE id = 1 ORDER BY title LIMIT 1",
    "ALTER TABLE tasks DROP COLUMN title",
    "PRAGMA foreign_keys = OFF",
];

/// What may stand between two words.
const GAPS: [&str; 9] = [
    " ",
    "\n",
    "\t\r\n ",
    "/**/",
    " /* DROP TABLE x; \" ' $x$ */ ",
    " -- DROP TABLE x; ' \" $x$\n",
    " --\n",
    "\u{c}",
    " /* a * b / c */\n",
];

/// Numbers that decide how each word is spelled.
fn choices() -> impl Strategy<Value = Vec<usize>> {
    prop::collection::vec(any::<usize>(), 1..160)
}

fn spelled(statement: &str, dialect: Dialect, choices: &[usize]) -> String {
    let mut numbers = choices.iter().cycle();
    let mut next = |count: usize| numbers.next().map_or(0, |number| number % count);
    let mut text = String::new();
    for word in statement.split(' ') {
        text.push_str(GAPS[next(GAPS.len())]);
        let is_name = word
            .chars()
            .all(|letter| letter.is_ascii_lowercase() || letter == '_');
        let is_keyword = word.chars().all(|letter| letter.is_ascii_uppercase());
        let mixed = |number: usize| -> String {
            let letters = word.chars().enumerate();
            let flipped = letters.map(|(at, letter)| match number >> (at % 16) & 1 {
                0 => letter.to_ascii_lowercase(),
                _ => letter.to_ascii_uppercase(),
            });
            flipped.collect()
        };
        text.push_str(&match next(5) {
            _ if is_keyword => mixed(next(1 << 16)),
            _ if !is_name || NO_NAMES.contains(&word) => word.to_owned(),
            0 => format!("\"{word}\""),
            1 if dialect == Dialect::Sqlite => format!("[{word}]"),
            2 if dialect == Dialect::Sqlite => format!("`{}`", mixed(next(1 << 16))),
            _ => mixed(next(1 << 16)),
        });
    }
    text.push_str(GAPS[next(GAPS.len())]);
    text
}

/// Types that are keywords; in quotes they are others.
const NO_NAMES: [&str; 3] = ["integer", "text", "varchar"];

/// Leaves of an expression which columns it is made of.
fn leave_columns(expression: &mut Expression) {
    let columns: Vec<&str> = expression
        .columns
        .iter()
        .map(|column| column.name.as_str())
        .collect();
    *expression = Expression::column(&columns.join(", "));
}

/// Returns the facts of all statements without what repeats the text itself.
fn facts(sql: &str, dialect: Dialect) -> Vec<Facts> {
    let statements = read(sql, dialect).into_iter();
    let all = statements.flat_map(|statement| statement.flattened(0));
    let plain = all.map(|statement| {
        let mut facts = statement.facts();
        for rows in &mut facts.rows {
            if let Some(which) = &mut rows.which {
                which.with.clear();
                which.target.clear();
                which.others = which.others.take().map(|_| String::new());
                which.condition = which.condition.take().map(|_| String::new());
            }
            let copies = rows.column_copies.iter_mut().map(|copy| &mut copy.value);
            let values = rows
                .copy_of
                .iter_mut()
                .flat_map(|copy| copy.values.iter_mut().flatten());
            copies
                .chain(values.map(|value| &mut value.expression))
                .for_each(leave_columns);
        }
        for retype in &mut facts.retypes {
            retype.to.clear();
            retype.using.iter_mut().for_each(leave_columns);
        }
        facts
    });
    plain.collect()
}

proptest! {
    #[test]
    fn facts_of_postgresql_do_not_depend_on_spelling(statement in select(&STATEMENTS[..]), choices in choices()) {
        let sql = spelled(statement, Dialect::Postgresql, &choices);
        prop_assert_eq!(facts(&sql, Dialect::Postgresql), facts(statement, Dialect::Postgresql), "{}", sql);
    }

    #[test]
    fn facts_of_sqlite_do_not_depend_on_spelling(statement in select(&LITE[..]), choices in choices()) {
        let sql = spelled(statement, Dialect::Sqlite, &choices);
        prop_assert_eq!(facts(&sql, Dialect::Sqlite), facts(statement, Dialect::Sqlite), "{}", sql);
    }
}

/// What would hold of any text that is read as nothing must not hold here.
#[test]
fn every_statement_has_a_fact() {
    for (statements, dialect) in [
        (&STATEMENTS[..], Dialect::Postgresql),
        (&LITE[..], Dialect::Sqlite),
    ] {
        for statement in statements {
            let found = facts(statement, dialect);
            let is_silent = found.iter().all(|facts| *facts == Facts::default());
            let is_known = statement.starts_with("ALTER TYPE") || statement.contains("DROP NOT NULL");
            assert!(is_known || !is_silent, "{statement}");
        }
    }
}
