//! Queries of tables without rows: whether they find none, or one row that can be computed without a database.

use super::rows::{is_at_home, items};
use super::{Cursor, Item, Kind, Word, is_constant};

/// What a query finds where the tables that it reads have no rows.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(in crate::script) enum Nothing<'w> {
    /// No row.
    NoRows,
    /// One row: it counts or sums up, or reads no table.
    OneRow(Vec<Item<'w>>),
}

/// A value that is computed from no rows.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(in crate::script) enum Value<'w> {
    Number(i64),
    Truth(bool),
    Null,
    /// A literal or a bound value.
    Constant(&'w [Word]),
}

/// Words that put the rows of several queries together.
const SETS: [&str; 3] = ["union", "except", "intersect"];

/// Words that begin what follows the tables of a query.
const BEHIND_TABLES: [&str; 9] = [
    "where", "group", "having", "order", "limit", "offset", "for", "window", "fetch",
];

/// Functions that make one value of all rows, NULL of none.
const SUMS: [&str; 12] = [
    "sum",
    "min",
    "max",
    "avg",
    "bool_and",
    "bool_or",
    "every",
    "string_agg",
    "array_agg",
    "json_agg",
    "jsonb_agg",
    "group_concat",
];

/// Functions that make a value of each row.
const OF_A_ROW: [&str; 14] = [
    "cast",
    "coalesce",
    "nullif",
    "lower",
    "upper",
    "length",
    "abs",
    "trim",
    "substr",
    "substring",
    "replace",
    "round",
    "ifnull",
    "exists",
];

/// Returns what a query finds, where it can be told; `is_empty` says whether a table has no rows.
pub(in crate::script) fn over_nothing<'w>(
    words: &'w [Word],
    is_empty: &dyn Fn(&str) -> bool,
) -> Option<Nothing<'w>> {
    let mut cursor = Cursor::new(words);
    if let Some(inner) = cursor.parenthesised() {
        return cursor.peek().is_none().then(|| over_nothing(inner, is_empty))?;
    }
    if !cursor.take(&["select"]) {
        return None;
    }
    let is_any = |word: &Word, names: &[&str]| names.iter().any(|name| word.is(name));
    if words.iter().any(|word| is_any(word, &SETS) || word.is("into")) {
        return None;
    }
    cursor.skip(&["distinct", "all"]);
    let listed = cursor.until(&["from"]);
    let items = items(listed);
    if !cursor.take(&["from"]) {
        return (!listed.is_empty()).then_some(Nothing::OneRow(items));
    }
    if !reads_nothing(cursor.until(&BEHIND_TABLES), is_empty) {
        return None;
    }
    let mut behind = cursor.clone();
    behind.until(&["group"]);
    let is_grouped = behind.take(&["group", "by"]);
    let makes_groups = |word: &Word| is_any(word, &["rollup", "cube", "grouping", "sets"]);
    if is_grouped {
        return (!behind.rest().iter().any(makes_groups)).then_some(Nothing::NoRows);
    }
    let calls = listed.iter().zip(listed.iter().skip(1));
    let called: Vec<&Word> = calls
        .filter(|(name, open)| name.is_name() && open.is_symbol("("))
        .map(|(name, _)| name)
        .collect();
    let rest = cursor.rest();
    if called.iter().all(|name| is_any(name, &OF_A_ROW)) {
        return (!rest.iter().any(|word| word.is("having"))).then_some(Nothing::NoRows);
    }
    let cuts_off = |word: &Word| is_any(word, &["having", "offset", "fetch"]);
    let is_none = |pair: &[Word]| pair[0].is("limit") && !may_be_limit(&pair[1]);
    if rest.windows(2).any(is_none) {
        return None;
    }
    let is_window = listed.iter().any(|word| is_any(word, &["over", "filter"]));
    (!rest.iter().any(cuts_off) && !is_window).then_some(Nothing::OneRow(items))
}

/// Returns whether a `LIMIT` lets a row through: a number but zero, or a bound value, which whoever has the values looks at.
fn may_be_limit(word: &Word) -> bool {
    match word.kind {
        Kind::Value(_) => true,
        Kind::Number => word.text != "0",
        Kind::Bare | Kind::Quoted | Kind::Text | Kind::Symbol => false,
    }
}

/// Returns whether tables behind `FROM` have no row together.
fn reads_nothing(words: &[Word], is_empty: &dyn Fn(&str) -> bool) -> bool {
    let mut cursor = Cursor::new(words);
    cursor.take(&["only"]);
    let finds_nothing = match cursor.parenthesised() {
        Some(inner) => over_nothing(inner, is_empty) == Some(Nothing::NoRows),
        None => cursor
            .name()
            .is_some_and(|name| is_at_home(&name) && is_empty(&name.name)),
    };
    let is_call = cursor.peek().is_some_and(|word| word.is_symbol("("));
    // Such a join has the rows of the other side as well.
    let brings_others = |word: &Word| word.is("right") || word.is("full");
    finds_nothing && !is_call && !cursor.rest().iter().any(brings_others)
}

/// Returns what an expression has for a value where the tables that it reads have no rows.
pub(in crate::script) fn value_of_nothing<'w>(
    words: &'w [Word],
    is_empty: &dyn Fn(&str) -> bool,
) -> Option<Value<'w>> {
    if is_constant(words) {
        return Some(Value::Constant(words));
    }
    let mut cursor = Cursor::new(words);
    if let Some(inner) = cursor
        .parenthesised()
        .filter(|inner| inner.len() + 2 == words.len())
    {
        return value_of_nothing(inner, is_empty);
    }
    let mut cursor = Cursor::new(words);
    if cursor.take(&["not"]) {
        return match value_of_nothing(cursor.rest(), is_empty)? {
            Value::Truth(is_true) => Some(Value::Truth(!is_true)),
            Value::Number(_) | Value::Null | Value::Constant(_) => None,
        };
    }
    if let Some(compared) = compared(words, is_empty) {
        return Some(Value::Truth(compared));
    }
    let (value, kind) = match words.iter().rposition(|word| word.is_symbol("::")) {
        Some(place) => words.split_at(place),
        None => (words, &[][..]),
    };
    let is_name =
        |word: &Word| word.is_name() || ["::", "(", ")", "[", "]", "."].contains(&word.text.as_str());
    if !kind.iter().all(is_name) {
        return None;
    }
    called(value, is_empty)
}

/// Returns the value of a call.
fn called<'w>(words: &'w [Word], is_empty: &dyn Fn(&str) -> bool) -> Option<Value<'w>> {
    let mut cursor = Cursor::new(words);
    let name = cursor.next().filter(|word| word.kind == Kind::Bare)?;
    let inner = cursor.parenthesised()?;
    if cursor.peek().is_some() {
        return None;
    }
    match name.text.as_str() {
        "count" => Some(Value::Number(0)),
        // Of two values SQLite takes the one or the other.
        name if SUMS.contains(&name) && (!["min", "max"].contains(&name) || !has_several(inner)) => {
            Some(Value::Null)
        }
        "exists" => Some(Value::Truth(over_nothing(inner, is_empty)? != Nothing::NoRows)),
        "cast" => {
            let mut inner = Cursor::new(inner);
            value_of_nothing(inner.until(&["as"]), is_empty)
        }
        "coalesce" | "ifnull" => {
            for part in super::between_commas(inner) {
                match value_of_nothing(part, is_empty)? {
                    Value::Null => {}
                    Value::Constant([word]) if word.is("null") => {}
                    value => return Some(value),
                }
            }
            Some(Value::Null)
        }
        _ => None,
    }
}

fn has_several(arguments: &[Word]) -> bool {
    super::between_commas(arguments).len() > 1
}

/// Returns whether a comparison of a number with a literal holds.
fn compared(words: &[Word], is_empty: &dyn Fn(&str) -> bool) -> Option<bool> {
    const SIGNS: [&str; 7] = ["=", "<>", "!=", ">", ">=", "<", "<="];
    let mut depth = 0_usize;
    let place = words.iter().position(|word| {
        depth += usize::from(word.is_symbol("("));
        depth = depth.saturating_sub(usize::from(word.is_symbol(")")));
        depth == 0 && SIGNS.iter().any(|sign| word.is_symbol(sign))
    })?;
    let (left, right) = (&words[..place], &words[place + 1..]);
    let Some(Value::Number(left)) = value_of_nothing(left, is_empty) else {
        return None;
    };
    let [right] = right else { return None };
    let right: i64 = right.text.parse().ok().filter(|_| right.kind == Kind::Number)?;
    Some(match words[place].text.as_str() {
        "=" => left == right,
        ">" => left > right,
        ">=" => left >= right,
        "<" => left < right,
        "<=" => left <= right,
        _ => left != right,
    })
}

#[cfg(test)]
mod tests {
    use super::super::words;
    use super::*;
    use crate::sql::Dialect;

    fn found(sql: &str) -> String {
        let words = words(sql, Dialect::Postgresql);
        let is_empty = |table: &str| table == "crew" || table == "boat";
        match over_nothing(&words, &is_empty) {
            None => "unknown".to_owned(),
            Some(Nothing::NoRows) => "no rows".to_owned(),
            Some(Nothing::OneRow(items)) => {
                let values = items
                    .iter()
                    .map(|item| match value_of_nothing(item.expression, &is_empty) {
                        None => "?".to_owned(),
                        Some(Value::Number(number)) => number.to_string(),
                        Some(Value::Truth(is_true)) => is_true.to_string(),
                        Some(Value::Null) => "NULL".to_owned(),
                        Some(Value::Constant(words)) => words[0].text.clone(),
                    });
                values.collect::<Vec<_>>().join(", ")
            }
        }
    }

    #[test]
    fn what_is_found_in_tables_without_rows() {
        for (sql, expected) in [
            ("SELECT * FROM crew", "no rows"),
            (
                "SELECT c.id, lower(name) FROM public.crew AS c WHERE id > 3 ORDER BY id LIMIT 5 OFFSET 2",
                "no rows",
            ),
            ("SELECT DISTINCT rank FROM crew FOR UPDATE", "no rows"),
            ("SELECT 1 FROM crew LIMIT 1", "no rows"),
            (
                "SELECT c.id FROM crew c LEFT JOIN tasks t ON t.id = c.id",
                "no rows",
            ),
            (
                "SELECT rank, count(*) FROM crew GROUP BY rank HAVING count(*) > 1",
                "no rows",
            ),
            (
                "SELECT COUNT(*) AS num_items FROM (SELECT id FROM crew) AS sub_query",
                "0",
            ),
            (
                "SELECT count(id), max(id), coalesce(max(id), 7) FROM crew WHERE id > 3",
                "0, NULL, 7",
            ),
            (
                "SELECT COUNT(*) > 0, count(*)::int, CAST(count(*) AS integer) FROM crew",
                "false, 0, 0",
            ),
            (
                "SELECT EXISTS (SELECT 1 FROM crew WHERE id = 3), NOT EXISTS (SELECT * FROM boat)",
                "false, true",
            ),
            ("SELECT EXISTS (SELECT count(*) FROM crew)", "true"),
        ] {
            assert_eq!(found(sql), expected, "{sql}");
        }
    }

    #[test]
    fn what_other_rows_may_have_a_part_in_is_not_told() {
        for sql in [
            "SELECT id FROM tasks",
            "SELECT id FROM legacy.crew",
            "SELECT id FROM crew UNION SELECT id FROM tasks",
            "SELECT t.id FROM crew c RIGHT JOIN tasks t ON t.id = c.id",
            "SELECT t.id FROM crew c FULL JOIN tasks t ON t.id = c.id",
            "SELECT count(*) FROM crew LIMIT 0",
            "SELECT count(*) FROM crew HAVING count(*) > 0",
            "SELECT rank FROM crew GROUP BY ROLLUP (rank)",
            "SELECT generate_series(1, 3) FROM tasks",
            "SELECT count(*) INTO found FROM crew",
            "SELECT * FROM crew(3)",
        ] {
            assert_eq!(found(sql), "unknown", "{sql}");
        }
        for sql in [
            "SELECT grumble(id) FROM crew",
            "SELECT EXISTS (SELECT 1 FROM tasks)",
            "SELECT count(*) + 1 FROM crew",
            "SELECT now()",
        ] {
            assert_eq!(found(sql), "?", "{sql}");
        }
    }
}
