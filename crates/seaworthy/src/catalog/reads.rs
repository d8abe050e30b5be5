//! What a view or trigger of SQLite reads, told from its text: which tables, and which columns of them.
//!
//! SQLite keeps no record of that. A name is taken for a column of a table where nothing else in reach explains it.

use std::ops::Range;

use super::expression::closing;
use super::token::{Kind, Token, tokens};
use super::{Catalog, Object, ObjectKind};

/// Words after which a table or a list of tables stands.
const BEFORE_TABLES: [&str; 4] = ["from", "join", "into", "update"];

/// Words that follow a table and are not its other name.
#[rustfmt::skip]
const AFTER_TABLE: [&str; 25] = [
    "where", "group", "order", "having", "limit", "union", "intersect", "except", "on", "using", "join", "left",
    "right", "full", "inner", "cross", "natural", "set", "values", "select", "default", "indexed", "not",
    "returning", "window",
];

/// The place of the last word of `CREATE VIEW v`.
const NAME_OF_OBJECT: usize = 2;

/// A table or view in a statement, and what else it is called there.
struct Source {
    name: String,
    alias: Option<String>,
}

impl Object {
    /// Returns whether it reads or writes a table or view, or is on it; not where its statement is unknown.
    #[must_use]
    pub fn reads_table(&self, table: &str) -> bool {
        self.is_on(table)
            || self.sql.iter().any(|sql| {
                let mut sources = sources(&tokens(sql)).into_iter();
                sources.any(|source| source.name.eq_ignore_ascii_case(table))
            })
    }

    /// Returns whether it names a column of a table of the catalog, directly or through a view that shows all columns.
    #[must_use]
    pub fn reads_column(&self, catalog: &Catalog, table: &str, column: &str) -> bool {
        let shown = showing(catalog, table);
        self.sql.iter().any(|sql| {
            let tokens = tokens(sql);
            let statement = Statement {
                object: self,
                sources: sources(&tokens),
                lists: insert_lists(&tokens),
                tokens,
            };
            statement.reads_column(catalog, &shown, column)
        })
    }
}

/// A statement in its words.
struct Statement<'a> {
    object: &'a Object,
    sources: Vec<Source>,
    /// Where columns are listed that an `INSERT` writes, and of which table they are.
    lists: Vec<(Range<usize>, String)>,
    tokens: Vec<Token>,
}

impl Statement<'_> {
    fn reads_column(&self, catalog: &Catalog, shown: &[String], column: &str) -> bool {
        let is_shown = |name: &str| shown.iter().any(|known| known.eq_ignore_ascii_case(name));
        let is_own = self.object.relation.as_deref().is_some_and(is_shown);
        if !is_own && !self.sources.iter().any(|source| is_shown(&source.name)) {
            return false;
        }
        let is_elsewhere = self
            .sources
            .iter()
            .any(|source| !is_shown(&source.name) && has_column(catalog, &source.name, column));
        let header = self.header();
        let mut places = 0..self.tokens.len();
        places.any(|place| {
            let token = &self.tokens[place];
            let is_it = token.is_name() && token.text.eq_ignore_ascii_case(column);
            if !is_it || self.is_no_column(place) {
                return false;
            }
            let mut lists = self.lists.iter();
            if let Some((_, written)) = lists.find(|(list, _)| list.contains(&place)) {
                return is_shown(written);
            }
            match self.qualifier(place) {
                Some(name) if is_word(&name, &["new", "old"]) => is_own,
                Some(name) if is_word(&name, &["excluded"]) => !is_elsewhere,
                Some(name) => self.means(&name).is_some_and(is_shown),
                None if place < header => is_own,
                None => !is_elsewhere,
            }
        })
    }

    /// Returns where the query of a view or the statements of a trigger begin; before it only columns of its own table stand.
    fn header(&self) -> usize {
        let word = if self.object.kind == ObjectKind::Trigger {
            "begin"
        } else {
            "as"
        };
        let begin = self.tokens.iter().position(|token| token.is_word(word));
        begin.unwrap_or(0)
    }

    /// A function, a table, the other name of something, what a column belongs to, or the name of the thing itself.
    fn is_no_column(&self, place: usize) -> bool {
        let is_next = |symbol| {
            let next = self.tokens.get(place + 1);
            next.is_some_and(|token| token.is_symbol(symbol))
        };
        let is_behind = |words: &[&str]| {
            let before = place.checked_sub(1).map(|before| &self.tokens[before]);
            before.is_some_and(|token| words.iter().any(|word| token.is_word(word)))
        };
        let is_name = place <= NAME_OF_OBJECT || is_behind(&["as"]) || is_behind(&BEFORE_TABLES);
        is_name || is_next(".") || is_next("(")
    }

    fn qualifier(&self, place: usize) -> Option<String> {
        let dot = place.checked_sub(1)?;
        let name = dot.checked_sub(1)?;
        let is_it = self.tokens[dot].is_symbol(".") && self.tokens[name].is_name();
        is_it.then(|| self.tokens[name].text.clone())
    }

    /// Returns the table that a name stands for.
    fn means(&self, name: &str) -> Option<&str> {
        let is_it = |called: &str| called.eq_ignore_ascii_case(name);
        let mut sources = self.sources.iter();
        sources
            .find(|source| source.alias.as_deref().map_or_else(|| is_it(&source.name), is_it))
            .map(|source| source.name.as_str())
    }
}

/// Returns whether a name stands anywhere in a statement.
pub(super) fn speaks_of(sql: &str, name: &str) -> bool {
    let mut words = tokens(sql).into_iter().filter(Token::is_name);
    words.any(|token| token.text.eq_ignore_ascii_case(name))
}

/// Returns a statement in which white space, comments, quotes of names and the case of words mean nothing.
pub(super) fn normal(sql: &str) -> Vec<(Kind, String)> {
    let all = tokens(sql).into_iter();
    all.map(|token| match token.kind {
        Kind::Word | Kind::QuotedName => (Kind::Word, token.text.to_lowercase()),
        Kind::Number => (Kind::Number, token.text.to_lowercase()),
        kind @ (Kind::Text | Kind::Symbol) => (kind, token.text),
    })
    .collect()
}

/// Returns a table and the views that show all of its columns.
fn showing(catalog: &Catalog, table: &str) -> Vec<String> {
    let mut shown = vec![table.to_owned()];
    loop {
        let views = catalog.objects.iter().flatten().filter(|object| {
            object.kind == ObjectKind::View
                && !shown.contains(&object.name)
                && object.sql.iter().any(|sql| shows_all(sql))
                && shown.iter().any(|name| object.reads_table(name))
        });
        let more: Vec<String> = views.map(|object| object.name.clone()).collect();
        if more.is_empty() {
            return shown;
        }
        shown.extend(more);
    }
}

/// Whether a `*` stands for columns, and not for a product.
fn shows_all(sql: &str) -> bool {
    let all = tokens(sql);
    let before = |place: usize| place.checked_sub(1).map(|before| &all[before]);
    (0..all.len()).any(|place| {
        all[place].is_symbol("*")
            && before(place).is_some_and(|token| {
                ["select", "distinct", "all"]
                    .iter()
                    .any(|word| token.is_word(word))
                    || token.is_symbol(",")
                    || token.is_symbol(".")
            })
    })
}

fn has_column(catalog: &Catalog, table: &str, column: &str) -> bool {
    let mut tables = catalog.tables.iter();
    let found = tables.find(|known| known.name.eq_ignore_ascii_case(table));
    found.is_some_and(|table| {
        let mut columns = table.columns.iter();
        columns.any(|known| known.name.eq_ignore_ascii_case(column))
    })
}

/// Returns the tables and views that a statement speaks of.
fn sources(all: &[Token]) -> Vec<Source> {
    let mut sources = Vec::new();
    for (place, token) in all.iter().enumerate() {
        if BEFORE_TABLES.iter().any(|word| token.is_word(word)) {
            // `UPDATE OR IGNORE t`
            let is_or = all.get(place + 1).is_some_and(|token| token.is_word("or"));
            read_list(all, place + 1 + 2 * usize::from(is_or), &mut sources);
        }
    }
    sources
}

/// Reads `a, main.b AS c, (SELECT ...) d`; what stands in parentheses is come across by itself.
fn read_list(all: &[Token], mut at: usize, sources: &mut Vec<Source>) {
    loop {
        while all.get(at).is_some_and(|token| token.is_symbol("(")) {
            match closing(all, at) {
                Some(close) if begins_query(all, at + 1) => at = close + 1,
                _ => at += 1,
            }
        }
        if let Some((source, next)) = read_source(all, at) {
            sources.push(source);
            at = next;
        } else if all.get(at).is_some_and(|token| token.is_word("as")) {
            at += 2;
        } else if all.get(at).is_some_and(Token::is_name) {
            at += 1;
        }
        if !all.get(at).is_some_and(|token| token.is_symbol(",")) {
            return;
        }
        at += 1;
    }
}

/// Returns where `INTO t (a, b)` lists columns, and the table.
fn insert_lists(all: &[Token]) -> Vec<(Range<usize>, String)> {
    let into = (0..all.len()).filter(|place| all[*place].is_word("into"));
    into.filter_map(|place| {
        let (source, open) = read_source(all, place + 1)?;
        let is_open = all.get(open).is_some_and(|token| token.is_symbol("("));
        let close = closing(all, open).filter(|_| is_open)?;
        Some((open..close, source.name))
    })
    .collect()
}

fn begins_query(all: &[Token], at: usize) -> bool {
    let words = ["select", "values", "with"];
    let first = all.get(at);
    first.is_some_and(|token| words.iter().any(|word| token.is_word(word)))
}

fn read_source(all: &[Token], at: usize) -> Option<(Source, usize)> {
    let first = all.get(at).filter(|token| is_table_name(token))?;
    // What stands behind a query in parentheses is its other name.
    if at > 0 && all[at - 1].is_symbol(")") {
        return None;
    }
    let is_dotted = all.get(at + 1).is_some_and(|token| token.is_symbol("."));
    let (name, mut next) = match all.get(at + 2).filter(|_| is_dotted) {
        Some(name) => (name.text.clone(), at + 3),
        None => (first.text.clone(), at + 1),
    };
    if all.get(next).is_some_and(|token| token.is_word("as")) {
        next += 1;
    }
    let alias = all.get(next).filter(|token| is_table_name(token));
    next += usize::from(alias.is_some());
    let alias = alias.map(|token| token.text.clone());
    Some((Source { name, alias }, next))
}

fn is_table_name(token: &Token) -> bool {
    let is_keyword = token.kind == Kind::Word
        && (is_word(&token.text, &AFTER_TABLE) || is_word(&token.text, &["of", "or", "begin", "end"]));
    token.is_name() && !is_keyword
}

fn is_word(text: &str, words: &[&str]) -> bool {
    words.iter().any(|word| word.eq_ignore_ascii_case(text))
}

#[cfg(test)]
mod tests {
    use super::normal;
    use crate::catalog::{Catalog, Column, Dialect, Object, ObjectKind, Table};

    fn catalog() -> Catalog {
        let mut catalog = Catalog::new(Dialect::Sqlite);
        for name in ["f", "other"] {
            let mut table = Table::new(name);
            table.columns = ["id", "b"].map(|name| Column::new(name, "INTEGER")).to_vec();
            catalog.tables.push(table);
        }
        let all = "CREATE VIEW everything AS SELECT * FROM f";
        catalog.objects = Some(vec![Object::new(ObjectKind::View, "everything", None, all)]);
        catalog
    }

    fn view(sql: &str) -> Object {
        Object::new(ObjectKind::View, "v", None, format!("CREATE VIEW v AS {sql}"))
    }

    fn trigger(on: &str, sql: &str) -> Object {
        Object::new(
            ObjectKind::Trigger,
            "g",
            Some(on),
            format!("CREATE TRIGGER g {sql}"),
        )
    }

    #[test]
    fn a_column_is_read_where_nothing_else_explains_its_name() {
        let catalog = catalog();
        for object in [
            view("SELECT id, B FROM F"),
            view("SELECT x.[b] FROM other, main.f AS x"),
            view("SELECT 1 FROM (SELECT b FROM f) q"),
            view("SELECT b FROM everything"),
            view("SELECT count(b) FROM f JOIN nothing USING (id)"),
            trigger("f", "AFTER UPDATE OF b ON f BEGIN SELECT 1; END"),
            trigger(
                "f",
                "AFTER INSERT ON f WHEN new.b > 0 BEGIN INSERT INTO other (id) VALUES (1); END",
            ),
            trigger("other", "AFTER INSERT ON other BEGIN UPDATE f SET id = f.b; END"),
            trigger(
                "other",
                "AFTER INSERT ON other BEGIN INSERT INTO f (id, b) VALUES (1, 2); END",
            ),
        ] {
            assert!(object.reads_column(&catalog, "f", "b"), "{:?}", object.sql);
        }
    }

    #[test]
    fn a_name_that_means_something_else_is_not_read() {
        let catalog = catalog();
        for object in [
            view("SELECT id AS b FROM f"),
            view("SELECT o.b FROM f JOIN other o ON o.id = f.id"),
            view("SELECT b FROM other"),
            Object::new(
                ObjectKind::View,
                "v",
                None,
                "CREATE VIEW v (b) AS SELECT id FROM f",
            ),
            view("SELECT b(id), 'b' FROM f"),
            trigger(
                "f",
                "AFTER INSERT ON f BEGIN INSERT INTO words (b) SELECT id FROM f; END",
            ),
            trigger(
                "other",
                "AFTER INSERT ON other WHEN new.b BEGIN DELETE FROM f WHERE id = new.id; END",
            ),
        ] {
            assert!(!object.reads_column(&catalog, "f", "b"), "{:?}", object.sql);
        }
        assert!(view("SELECT 1 FROM other, f").reads_table("f"));
        assert!(!view("SELECT f FROM other").reads_table("f"));
    }

    #[test]
    fn spelling_means_nothing() {
        assert_eq!(
            normal("CREATE VIEW \"v\" AS\n  SELECT id -- it\n FROM [f]"),
            normal("create view v as select ID from f")
        );
        assert_ne!(normal("SELECT 'A'"), normal("SELECT 'a'"));
    }
}
