//! Statements that read or change rows, taken apart as far as SeaORM writes them.

use super::cursor::{Qualified, between_commas};
use super::{Cursor, Kind, Word};

/// `INSERT INTO table (columns) VALUES (...), ... RETURNING items`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(in crate::script) struct Insert<'w> {
    pub(in crate::script) table: String,
    pub(in crate::script) columns: Vec<String>,
    /// The expressions of each row; `None` where a query gives the rows.
    pub(in crate::script) rows: Option<Vec<Vec<&'w [Word]>>>,
    /// The query that gives the rows, where one does, and what to do about conflicts.
    pub(in crate::script) query: &'w [Word],
    /// Whether rows that are there already may take the place of new ones.
    pub(in crate::script) may_conflict: bool,
    pub(in crate::script) returning: Vec<Item<'w>>,
}

/// `UPDATE table SET column = expression WHERE condition RETURNING items`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(in crate::script) struct Update<'w> {
    pub(in crate::script) table: String,
    /// The table as it is written.
    pub(in crate::script) target: &'w [Word],
    pub(in crate::script) sets: Vec<(String, &'w [Word])>,
    pub(in crate::script) condition: &'w [Word],
    /// Whether it is more than that: other tables, an alias, a list of columns.
    pub(in crate::script) is_involved: bool,
    pub(in crate::script) returning: Vec<Item<'w>>,
}

/// `DELETE FROM table WHERE condition RETURNING items`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(in crate::script) struct Delete<'w> {
    pub(in crate::script) table: String,
    pub(in crate::script) target: &'w [Word],
    pub(in crate::script) condition: &'w [Word],
    pub(in crate::script) is_involved: bool,
    pub(in crate::script) returning: Vec<Item<'w>>,
}

/// `SELECT items FROM table WHERE condition LIMIT 1`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(in crate::script) struct Select<'w> {
    pub(in crate::script) table: String,
    pub(in crate::script) target: &'w [Word],
    pub(in crate::script) items: Vec<Item<'w>>,
    pub(in crate::script) condition: &'w [Word],
}

/// A column of an answer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(in crate::script) struct Item<'w> {
    /// The expression, without what follows `AS`.
    pub(in crate::script) expression: &'w [Word],
    /// The column, where it is one, cast or not.
    pub(in crate::script) column: Option<String>,
    /// The name that the answer gives it.
    pub(in crate::script) name: String,
}

impl<'w> Insert<'w> {
    pub(in crate::script) fn read(words: &'w [Word]) -> Option<Self> {
        let mut cursor = Cursor::new(words);
        let is_replace = cursor.take(&["replace"]);
        if !is_replace && !cursor.take(&["insert"]) {
            return None;
        }
        let has_other_way = cursor.take(&["or"]);
        if has_other_way {
            cursor.next()?;
        }
        if !cursor.take(&["into"]) {
            return None;
        }
        let table = cursor.name()?.name;
        let columns = match cursor.parenthesised() {
            Some(columns) => names(columns)?,
            None => Vec::new(),
        };
        if cursor.take(&["overriding"]) {
            cursor.next();
            cursor.take(&["value"]);
        }
        let mut rows = None;
        if cursor.take(&["default", "values"]) {
            rows = Some(vec![Vec::new()]);
        } else if cursor.take(&["values"]) {
            let listed = rows.insert(Vec::new());
            while let Some(row) = cursor.parenthesised() {
                listed.push(between_commas(row));
                cursor.take_symbol(",");
            }
        }
        let tail = cursor.until(&["returning"]);
        let may_conflict = is_replace || has_other_way || tail.iter().any(|word| word.is("conflict"));
        Some(Self {
            table,
            columns,
            query: if rows.is_none() { tail } else { &[] },
            rows,
            may_conflict,
            returning: returning(cursor),
        })
    }
}

impl<'w> Update<'w> {
    pub(in crate::script) fn read(words: &'w [Word]) -> Option<Self> {
        let mut cursor = Cursor::new(words);
        if !cursor.take(&["update"]) {
            return None;
        }
        let mut is_involved = cursor.take(&["or"]) && cursor.next().is_some();
        cursor.take(&["only"]);
        let (table, target) = cursor.words_of(Cursor::name)?;
        is_involved |= !cursor.until(&["set"]).is_empty();
        cursor.take(&["set"]);
        let assignments = cursor.until(&["from", "where", "order", "limit", "returning"]);
        let mut sets = Vec::new();
        for assignment in between_commas(assignments) {
            let mut part = Cursor::new(assignment);
            match (part.name(), part.take_symbol("=")) {
                (Some(column), true) => sets.push((column.name, part.rest())),
                _ => is_involved = true,
            }
        }
        let condition = condition(&mut cursor, &mut is_involved);
        Some(Self {
            table: table.name,
            target,
            sets,
            condition,
            is_involved,
            returning: returning(cursor),
        })
    }
}

impl<'w> Delete<'w> {
    pub(in crate::script) fn read(words: &'w [Word]) -> Option<Self> {
        let mut cursor = Cursor::new(words);
        if !cursor.take(&["delete", "from"]) {
            return None;
        }
        cursor.take(&["only"]);
        let (table, target) = cursor.words_of(Cursor::name)?;
        let mut is_involved = false;
        let condition = condition(&mut cursor, &mut is_involved);
        Some(Self {
            table: table.name,
            target,
            condition,
            is_involved,
            returning: returning(cursor),
        })
    }
}

impl<'w> Select<'w> {
    /// Reads a query that looks rows of one table up; `None` for any other.
    pub(in crate::script) fn read(words: &'w [Word]) -> Option<Self> {
        let mut cursor = Cursor::new(words);
        if !cursor.take(&["select"]) {
            return None;
        }
        let items = items(cursor.until(&["from"]));
        if !cursor.take(&["from"]) {
            return None;
        }
        let (table, target) = cursor.words_of(Cursor::name)?;
        if !is_at_home(&table) || !cursor.take(&["where"]) {
            return None;
        }
        let condition = cursor.until(&["limit", "order", "group", "having", "union", "for", "offset"]);
        if cursor.take(&["limit"]) {
            cursor.next();
        }
        cursor.peek().is_none().then_some(Self {
            table: table.name,
            target,
            items,
            condition,
        })
    }
}

/// Whether a table is where tables are looked up, as far as its name says.
pub(super) fn is_at_home(name: &Qualified) -> bool {
    let schema = name.schema.as_deref();
    schema.is_none_or(|schema| ["public", "main"].contains(&schema))
}

/// Returns the columns that a condition compares with a value each; `None` for any other condition.
pub(in crate::script) fn key_of(condition: &[Word]) -> Option<Vec<(String, &[Word])>> {
    let mut cursor = Cursor::new(condition);
    let mut key = Vec::new();
    loop {
        let part = cursor.until(&["and"]);
        let inner = Cursor::new(part).parenthesised();
        if let Some(inner) = inner.filter(|inner| inner.len() + 2 == part.len()) {
            key.extend(key_of(inner)?);
        } else {
            let mut part = Cursor::new(part);
            let column = part.name()?.name;
            if !part.take_symbol("=") || !is_constant(part.rest()) {
                return None;
            }
            key.push((column, part.rest()));
        }
        if !cursor.take(&["and"]) {
            break;
        }
    }
    (cursor.peek().is_none() && !key.is_empty()).then_some(key)
}

/// Returns whether an expression has the same value for each row: a value or a literal, cast or not.
pub(in crate::script) fn is_constant(expression: &[Word]) -> bool {
    let is_value = |word: &Word| matches!(word.kind, Kind::Value(_) | Kind::Text | Kind::Number);
    let is_named = |word: &Word| ["null", "true", "false"].iter().any(|name| word.is(name));
    match expression {
        [only] => is_value(only) || is_named(only),
        [sign, number] => sign.is_symbol("-") && number.kind == Kind::Number,
        [value, cast, kind @ ..] if cast.is_symbol("::") => is_value(value) && is_type(kind),
        [cast, open, value, word, kind @ .., close] => {
            cast.is("cast")
                && open.is_symbol("(")
                && (is_value(value) || is_named(value))
                && word.is("as")
                && is_type(kind)
                && close.is_symbol(")")
        }
        [..] => false,
    }
}

fn is_type(words: &[Word]) -> bool {
    let belongs = |word: &Word| {
        word.is_name()
            || word.kind == Kind::Number
            || ["(", ")", "[", "]", ".", ","].contains(&word.text.as_str())
    };
    words.iter().all(belongs)
}

/// Returns the tables that a query names behind `FROM` and `JOIN`.
pub(in crate::script) fn tables_read(words: &[Word]) -> Vec<String> {
    let mut tables = Vec::new();
    let mut cursor = Cursor::new(words);
    while let Some(word) = cursor.next() {
        if !["from", "join", "table"].iter().any(|opens| word.is(opens)) {
            continue;
        }
        loop {
            cursor.take(&["only"]);
            cursor.take(&["lateral"]);
            let Some(table) = cursor.name() else { break };
            if !cursor.peek().is_some_and(|next| next.is_symbol("(")) {
                tables.push(table.name);
            }
            // What follows a comma in the list of FROM is another table, behind an alias or not.
            cursor.take(&["as"]);
            if cursor
                .peek()
                .is_some_and(|word| word.is_name() && !is_clause(word))
            {
                cursor.next();
            }
            if !cursor.take_symbol(",") {
                break;
            }
        }
    }
    tables
}

fn is_clause(word: &Word) -> bool {
    const CLAUSES: [&str; 18] = [
        "where",
        "join",
        "inner",
        "left",
        "right",
        "full",
        "cross",
        "natural",
        "on",
        "using",
        "group",
        "order",
        "limit",
        "offset",
        "union",
        "having",
        "for",
        "returning",
    ];
    CLAUSES.iter().any(|clause| word.is(clause))
}

fn condition<'w>(cursor: &mut Cursor<'w>, is_involved: &mut bool) -> &'w [Word] {
    *is_involved |= !cursor.until(&["where", "order", "limit", "returning"]).is_empty();
    let mut condition: &[Word] = &[];
    if cursor.take(&["where"]) {
        condition = cursor.until(&["order", "limit", "returning"]);
    }
    *is_involved |= !cursor.until(&["returning"]).is_empty();
    condition
}

fn returning(mut cursor: Cursor<'_>) -> Vec<Item<'_>> {
    match cursor.take(&["returning"]) {
        true => items(cursor.rest()),
        false => Vec::new(),
    }
}

pub(super) fn items(words: &[Word]) -> Vec<Item<'_>> {
    between_commas(words).into_iter().map(item).collect()
}

fn item(words: &[Word]) -> Item<'_> {
    let (expression, alias) = match words {
        [expression @ .., word, alias] if word.is("as") && alias.is_name() => {
            (expression, Some(alias.text.clone()))
        }
        _ => (words, None),
    };
    let mut cursor = Cursor::new(expression);
    let inner = if cursor.take(&["cast"]) {
        cursor.parenthesised().map(|mut inner| {
            if let Some(place) = inner.iter().position(|word| word.is("as")) {
                inner = &inner[..place];
            }
            inner
        })
    } else {
        Some(expression)
    };
    let column = inner.and_then(|inner| {
        let mut cursor = Cursor::new(inner);
        let name = cursor.name()?.name;
        cursor.peek().is_none().then_some(name)
    });
    let name = alias.or_else(|| column.clone()).unwrap_or_default();
    Item {
        expression,
        column,
        name,
    }
}

fn names(words: &[Word]) -> Option<Vec<String>> {
    between_commas(words)
        .into_iter()
        .map(|part| Cursor::new(part).name().map(|name| name.name))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::super::words;
    use super::*;
    use crate::sql::Dialect;

    #[test]
    fn an_insert_says_what_it_gives_and_what_it_wants_back() {
        let sql = r#"INSERT INTO "main"."tasks" ("id", "mood") VALUES (?, CAST(? AS "mood")), (DEFAULT, 'x')
            ON CONFLICT ("id") DO NOTHING RETURNING "id", CAST("mood" AS text) AS "mood""#;
        let words = words(sql, Dialect::Postgresql);
        let insert = Insert::read(&words).unwrap();
        assert_eq!(insert.table, "tasks");
        assert_eq!(insert.columns, ["id", "mood"]);
        assert_eq!(insert.rows.unwrap().len(), 2);
        assert!(insert.may_conflict);
        let names: Vec<_> = insert.returning.iter().map(|item| item.column.clone()).collect();
        assert_eq!(names, [Some("id".to_owned()), Some("mood".to_owned())]);
    }

    #[test]
    fn a_key_is_a_comparison_with_values_and_nothing_else() {
        let key = |sql: &str| {
            let words = words(sql, Dialect::Postgresql);
            key_of(&words).map(|key| key.into_iter().map(|(column, _)| column).collect::<Vec<_>>())
        };
        assert_eq!(key(r#""t"."id" = $1"#).unwrap(), ["id"]);
        assert_eq!(key("(a = 1) AND (b = 'x')").unwrap(), ["a", "b"]);
        assert_eq!(key("a = 1 OR b = 2"), None);
        assert_eq!(key("a = b"), None);
        assert_eq!(key("a > 1"), None);
        assert_eq!(key(""), None);
    }

    #[test]
    fn the_tables_of_a_query_are_found_in_joins_and_below() {
        let sql =
            r#"SELECT * FROM "public"."a" AS x, b JOIN c ON x.id = c.id WHERE id IN (SELECT id FROM d) "#;
        assert_eq!(
            tables_read(&words(sql, Dialect::Postgresql)),
            ["a", "b", "c", "d"]
        );
        assert_eq!(
            tables_read(&words("SELECT * FROM pragma_table_info('a')", Dialect::Sqlite)),
            [""; 0]
        );
    }
}
