//! What a view reads: the tables of every FROM in it, and the columns of theirs that it names for sure.
//!
//! A name belongs to a table where its alias says so, or where it is the only one of its FROM that has such a column. What stands
//! for something else, a subquery, a CTE or a function, has columns that nobody knows here.

use std::collections::{BTreeMap, BTreeSet};

use super::Schema;
use crate::sql::cursor::Cursor;
use crate::sql::name::{bare, parts};
use crate::sql::token::{Kind, Token};

/// The columns that are read of each table.
pub(super) type Reads = BTreeMap<String, BTreeSet<String>>;

/// Words behind which the condition of a join or the next clause begins, so that they are no alias.
const NO_ALIAS: [&str; 21] = [
    "on",
    "using",
    "left",
    "right",
    "full",
    "inner",
    "outer",
    "cross",
    "natural",
    "join",
    "where",
    "group",
    "order",
    "having",
    "limit",
    "window",
    "union",
    "except",
    "intersect",
    "tablesample",
    "with",
];

/// Words that may stand before an expression; behind any other word a name may be the alias of a column.
const BEFORE_EXPRESSIONS: [&str; 31] = [
    "select",
    "distinct",
    "all",
    "on",
    "where",
    "and",
    "or",
    "not",
    "by",
    "having",
    "when",
    "then",
    "else",
    "case",
    "in",
    "like",
    "ilike",
    "between",
    "from",
    "to",
    "is",
    "any",
    "some",
    "filter",
    "partition",
    "using",
    "similar",
    "over",
    "for",
    "symmetric",
    "escape",
];

/// Returns what a query reads.
pub(super) fn reads(schema: &Schema, query: &[Token]) -> Reads {
    let mut reader = Reader {
        schema,
        found: Reads::new(),
        scopes: Vec::new(),
    };
    reader.query(Cursor::new(query), &[]);
    reader.found
}

/// Something that a FROM names.
struct Source {
    alias: String,
    /// The table or view; none where its columns cannot be known.
    relation: Option<String>,
}

struct Reader<'a> {
    schema: &'a Schema,
    found: Reads,
    /// What is in reach, the innermost query last.
    scopes: Vec<Vec<Source>>,
}

impl Reader<'_> {
    fn query(&mut self, mut query: Cursor<'_>, outer: &[String]) {
        let mut tables_of_with = outer.to_vec();
        if query.accept("with") {
            query.accept("recursive");
            loop {
                tables_of_with.extend(query.name());
                query.columns();
                query.accept("as");
                query.accept_any(&["materialized", "not materialized"]);
                let Some(inside) = query.group() else { return };
                self.query(inside, &tables_of_with);
                if !query.accept_symbol(",") {
                    break;
                }
            }
        }
        for block in operands(query) {
            let mut inner = block;
            match inner.group() {
                Some(inside) if inner.is_done() => self.query(inside, &tables_of_with),
                _ => self.block(block, &tables_of_with),
            }
        }
    }

    /// Reads one `SELECT ... FROM ... WHERE ...`.
    fn block(&mut self, block: Cursor<'_>, tables_of_with: &[String]) {
        let (chosen, rest) = before_from(block);
        let (from, rest) = rest.before(&[
            "where", "group by", "having", "window", "order by", "limit", "offset", "fetch",
        ]);
        // What it is sorted by may be named as the columns of the view are.
        let (conditions, _) = rest.before(&["order by", "limit", "offset", "fetch"]);
        self.scopes.push(Vec::new());
        let mut expressions = vec![chosen, conditions];
        self.items(from, tables_of_with, &mut expressions);
        for expression in expressions {
            self.expression(expression, tables_of_with);
        }
        self.scopes.pop();
    }

    /// Reads what a FROM lists; the conditions of its joins are read when all of it is known.
    fn items<'t>(&mut self, from: Cursor<'t>, tables_of_with: &[String], conditions: &mut Vec<Cursor<'t>>) {
        for item in from.split(",").into_iter().flat_map(|item| item.split("join")) {
            self.item(item, tables_of_with, conditions);
        }
    }

    fn item<'t>(
        &mut self,
        mut item: Cursor<'t>,
        tables_of_with: &[String],
        conditions: &mut Vec<Cursor<'t>>,
    ) {
        item.accept("lateral");
        item.accept("only");
        let mut relation = None;
        let mut alias = None;
        if let Some(inside) = item.group() {
            let is_query = ["select", "with", "values"].iter().any(|word| inside.sees(word))
                || inside.sees_symbol("(") && !inside.has("join");
            if is_query {
                self.query(inside, tables_of_with);
            } else {
                self.items(inside, tables_of_with, conditions);
            }
        } else if let Some(name) = item.qualified() {
            let is_function = item.sees_symbol("(");
            if is_function {
                conditions.extend(item.group());
            } else if !tables_of_with.contains(&name) {
                if self.schema.has_relation(&name) {
                    self.found.entry(name.clone()).or_default();
                }
                relation = Some(name.clone());
            }
            item.accept_symbol("*");
            alias = Some(bare(&name));
        }
        let is_alias = item.accept("as")
            || item.peek().is_some_and(|token| {
                token.is_name() && !(token.kind == Kind::Word && NO_ALIAS.contains(&token.text.as_str()))
            });
        if is_alias {
            alias = item.name().or(alias);
            // Its columns get other names.
            if item.group().is_some() {
                relation = None;
            }
        }
        if let Some(alias) = alias {
            let scope = self
                .scopes
                .last_mut()
                .expect("a FROM is read inside of its query");
            scope.push(Source { alias, relation });
        }
        if item.accept("using") {
            for column in item.columns().unwrap_or_default() {
                self.everywhere(&column);
            }
        }
        conditions.push(item);
    }

    /// Reads the names of an expression, and the queries inside of it.
    fn expression(&mut self, expression: Cursor<'_>, tables_of_with: &[String]) {
        let mut rest = expression;
        let mut before: Option<&Token> = None;
        while let Some(token) = rest.peek() {
            if token.is_symbol("(") {
                let inside = rest.group().unwrap_or(rest);
                if ["select", "with", "values"].iter().any(|word| inside.sees(word)) {
                    self.query(inside, tables_of_with);
                } else if !inside.tokens().is_empty() {
                    let is_counted = before.is_some_and(Token::is_name) && inside.tokens()[0].is_symbol("*");
                    if !is_counted {
                        self.expression(inside, tables_of_with);
                    }
                }
                // What follows parentheses may be the alias of a column, as behind any other value.
                before = expression
                    .tokens()
                    .get(expression.tokens().len() - rest.tokens().len() - 1);
                continue;
            }
            if token.is_symbol("*") {
                let is_all = before.is_none_or(|before| {
                    before.is_symbol(",")
                        || ["select", "distinct", "all"]
                            .iter()
                            .any(|word| before.is_word(word))
                });
                if is_all {
                    self.all_of(None);
                }
            }
            let follows = before;
            before = rest.step();
            if !token.is_name() {
                continue;
            }
            let mut names: Vec<String> = token.name().into_iter().collect();
            let mut is_row = false;
            while rest.sees_symbol(".") {
                rest.step();
                before = rest.step();
                is_row = before.is_some_and(|token| token.is_symbol("*"));
                names.extend(before.and_then(Token::name));
            }
            if is_row {
                self.all_of(Some(&names));
            } else if rest.sees_symbol("(") {
                // A function.
            } else if let [name] = names.as_slice() {
                if follows.is_none_or(may_precede) {
                    self.unqualified(name);
                }
            } else if let Some((column, table)) = names.split_last() {
                self.qualified(table, column);
            }
        }
    }

    fn unqualified(&mut self, column: &str) {
        let mut owner = None;
        for scope in self.scopes.iter().rev() {
            let has_it = |source: &&Source| self.has(source, column) == Some(true);
            let mut owners = scope.iter().filter(has_it);
            owner = owners.next().and_then(|source| source.relation.clone());
            let is_unknown = scope.iter().any(|source| self.has(source, column).is_none());
            if owners.next().is_some() || owner.is_none() && is_unknown {
                return;
            }
            if owner.is_some() {
                break;
            }
        }
        if let Some(owner) = owner {
            self.read(&owner, column);
        }
    }

    fn qualified(&mut self, table: &[String], column: &str) {
        if let Some(relation) = self.named(table) {
            self.read(&relation, column);
        }
    }

    /// Reads a column of every table of the innermost FROM that has it: `USING (column)`.
    fn everywhere(&mut self, column: &str) {
        let scope = self.scopes.last().into_iter().flatten();
        let relations: Vec<String> = scope.filter_map(|source| source.relation.clone()).collect();
        for relation in relations {
            self.read(&relation, column);
        }
    }

    /// Reads all columns of one table, or of all of the innermost FROM.
    fn all_of(&mut self, table: Option<&[String]>) {
        let relations: Vec<String> = match table {
            Some(table) => self.named(table).into_iter().collect(),
            None => {
                let scope = self.scopes.last().into_iter().flatten();
                scope.filter_map(|source| source.relation.clone()).collect()
            }
        };
        for relation in relations {
            let known = self.schema.table(&relation);
            let columns: Vec<String> =
                known.map_or_else(Vec::new, |known| known.columns.keys().cloned().collect());
            for column in columns {
                self.read(&relation, &column);
            }
        }
    }

    /// Returns the table that a name before a dot stands for.
    fn named(&self, table: &[String]) -> Option<String> {
        let mut sources = self.scopes.iter().rev().flatten();
        let is_meant = |source: &&Source| match table {
            [alias] => source.alias == *alias,
            whole => source
                .relation
                .as_ref()
                .is_some_and(|relation| parts(relation) == whole),
        };
        sources.find(is_meant)?.relation.clone()
    }

    fn read(&mut self, relation: &str, column: &str) {
        if self.schema.column(relation, column).is_some() {
            let columns = self.found.entry(relation.to_owned()).or_default();
            columns.insert(column.to_owned());
        }
    }

    /// Returns whether something has a column, where that is known.
    fn has(&self, source: &Source, column: &str) -> Option<bool> {
        let known = self.schema.table(source.relation.as_ref()?)?;
        match known.columns.contains_key(column) {
            true => Some(true),
            false => known.is_known.then_some(false),
        }
    }
}

/// Returns what stands before and behind the `FROM` of a query.
fn before_from(block: Cursor<'_>) -> (Cursor<'_>, Cursor<'_>) {
    let tokens = block.tokens();
    let mut rest = block;
    loop {
        (_, rest) = rest.before(&["from"]);
        let at = tokens.len() - rest.tokens().len();
        if rest.step().is_none() || at == 0 || !tokens[at - 1].is_word("distinct") {
            return (Cursor::new(&tokens[..at]), rest);
        }
    }
}

/// Returns the queries that `UNION` and its like put together.
fn operands(query: Cursor<'_>) -> Vec<Cursor<'_>> {
    let mut operands = vec![query];
    for word in ["union", "intersect", "except"] {
        operands = operands
            .into_iter()
            .flat_map(|operand| operand.split(word))
            .collect();
    }
    for operand in &mut operands {
        operand.accept_any(&["all", "distinct"]);
    }
    operands
}

/// Returns whether a column may follow a token, rather than the alias of one.
fn may_precede(token: &Token) -> bool {
    match token.kind {
        Kind::Symbol => {
            !(token.is_symbol(")") || token.is_symbol("]") || token.is_symbol("::") || token.is_symbol("*"))
        }
        Kind::Word => BEFORE_EXPRESSIONS.contains(&token.text.as_str()),
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use crate::sql::{Dialect, Schema, read};

    /// Returns what a view reads of these tables: `table.column`, a table alone where nothing of it is named.
    fn reads(query: &str) -> String {
        let made = "CREATE TABLE a (id int, x int, n text); CREATE TABLE b (id int, a_id int, x int, y int); \
                    CREATE TABLE app.c (id int, z int);";
        let mut schema = Schema::default();
        for statement in read(&format!("{made} CREATE VIEW v AS {query}"), Dialect::Postgresql) {
            schema.apply(&statement.parsed);
        }
        let view = schema.view("v").unwrap();
        let read = view.reads.iter().flat_map(|(table, columns)| {
            let named = columns.iter().map(move |column| format!("{table}.{column}"));
            let whole = columns.is_empty().then(|| table.clone());
            named.chain(whole)
        });
        read.collect::<Vec<_>>().join(" ")
    }

    #[test]
    fn columns_are_those_of_the_table_that_is_meant() {
        for (query, expected) in [
            ("SELECT y FROM b", "b.y"),
            ("SELECT b.y FROM b", "b.y"),
            ("SELECT other.y FROM b AS other", "b.y"),
            (
                "SELECT a.*, b.id AS bid FROM a JOIN b ON b.a_id = a.id",
                "a.id a.n a.x b.a_id b.id",
            ),
            ("SELECT * FROM a", "a.id a.n a.x"),
            ("SELECT count(*) FROM a", "a"),
            ("SELECT x * 2 AS double FROM a", "a.x"),
            // Both have such a column, so that this is not what stands there, or the server refuses it.
            ("SELECT x FROM a, b", "a b"),
            ("SELECT n FROM a, b", "a.n b"),
            ("SELECT a.id AS y FROM a, b", "a.id b"),
            ("SELECT a.id y FROM a, b", "a.id b"),
            ("SELECT a.id AS y FROM a, b ORDER BY y", "a.id b"),
            ("SELECT z FROM app.c", "app.c.z"),
            ("SELECT c.z, app.c.id FROM app.c", "app.c.id app.c.z"),
            ("SELECT a.n FROM a JOIN b USING (id)", "a.id a.n b.id"),
            (
                "SELECT n FROM a WHERE EXISTS (SELECT 1 FROM b WHERE b.a_id = a.id AND y > 0)",
                "a.id a.n b.a_id b.y",
            ),
            ("WITH w AS (SELECT y FROM b) SELECT y FROM w", "b.y"),
            ("WITH b AS (SELECT n FROM a) SELECT y FROM b", "a.n"),
            ("SELECT s.y FROM (SELECT y FROM b) s", "b.y"),
            ("SELECT y FROM a, f(a.n) AS y", "a.n"),
            ("SELECT n::text FROM a UNION ALL SELECT y::text FROM b", "a.n b.y"),
            ("(SELECT n FROM a) UNION (SELECT 'y' FROM b)", "a.n b"),
            (
                "SELECT a.n FROM (a LEFT JOIN b ON a.id = b.a_id)",
                "a.id a.n b.a_id",
            ),
            ("SELECT max(y) OVER (PARTITION BY a_id) FROM b", "b.a_id b.y"),
            (
                "SELECT CASE WHEN y > 0 THEN a_id ELSE x END FROM b GROUP BY id",
                "b.a_id b.id b.x b.y",
            ),
            ("SELECT r.n FROM a AS r (id, x, n)", "a"),
        ] {
            assert_eq!(reads(query), expected, "{query}");
        }
    }
}
