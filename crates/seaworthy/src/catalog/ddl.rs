//! Parts of a catalog as SQL: the clauses that tables are made of, and the statements that make them.
//!
//! Names that are absent are left to the engine. Nothing ends with a semicolon.

use super::expression::{is_literal, name, only_name, quoted, split_operator_class, split_order};
use super::{
    Action, Check, Column, ColumnStorage, Dialect, Exclusion, ForeignKey, Index, IndexKey, IndexPart,
    KeyOptions, Nulls, Numbering, PrimaryKey, Sequence, Table, TablePart, TableStorage, Unique,
};

/// Returns the statements that make a table with its constraints and the sequences that number it, without its indexes and
/// comments.
#[must_use]
pub fn make_table(dialect: Dialect, table: &Table) -> Vec<String> {
    let numbered: Vec<(&Column, Sequence)> = table
        .columns
        .iter()
        .filter_map(|column| Some((column, sequence_beside(dialect, &table.name, column)?)))
        .collect();
    let mut statements: Vec<String> = numbered
        .iter()
        .map(|(_, sequence)| create_sequence(sequence))
        .collect();
    statements.push(create_table(dialect, table));
    statements.extend(
        numbered
            .iter()
            .map(|(column, sequence)| own_sequence(&sequence.name, &table.name, &column.name)),
    );
    let repeated = table
        .uniques
        .iter()
        .enumerate()
        .filter(|(place, _)| is_repeated(dialect, table, *place));
    statements.extend(repeated.map(|(_, unique)| {
        format!(
            "ALTER TABLE {} ADD {}",
            quoted(&table.name),
            unique_clause(unique)
        )
    }));
    statements.extend(
        in_depth(&table.partitions)
            .into_iter()
            .map(|part| create_part(&table.name, part)),
    );
    statements.extend(
        table
            .columns
            .iter()
            .flat_map(|column| store_column(&table.name, column)),
    );
    statements
}

/// Returns the statement that makes a part of a partitioned table.
#[must_use]
pub fn create_part(table: &str, part: &TablePart) -> String {
    let divided = part
        .partitioned_by
        .as_ref()
        .map_or_else(String::new, |partition| format!(" PARTITION BY {partition}"));
    format!(
        "CREATE TABLE {} PARTITION OF {} {}{divided}",
        quoted(&part.name),
        quoted(part.of.as_deref().unwrap_or(table)),
        part.bound
    )
}

/// Returns parts in an order in which each comes after the one that it is a part of.
pub(crate) fn in_depth(parts: &[TablePart]) -> Vec<&TablePart> {
    let mut ordered: Vec<&TablePart> = parts.iter().filter(|part| part.of.is_none()).collect();
    let mut known = 0;
    while known < ordered.len() {
        let name = &ordered[known].name;
        ordered.extend(parts.iter().filter(|part| part.of.as_ref() == Some(name)));
        known += 1;
    }
    ordered
}

/// Returns whether PostgreSQL would take a unique constraint for the same as another key, were both made by one statement: it
/// makes one of those that are over the same columns (its `transformIndexConstraints`).
#[must_use]
pub fn is_repeated(dialect: Dialect, table: &Table, place: usize) -> bool {
    let columns = &table.uniques[place].columns;
    let key = table.primary_key.iter().map(|key| &key.columns);
    let mut earlier = key.chain(table.uniques[..place].iter().map(|unique| &unique.columns));
    dialect == Dialect::Postgresql && earlier.any(|other| other == columns)
}

/// Returns the sequence of a column that `serial` does not make as it is.
fn sequence_beside(dialect: Dialect, table: &str, column: &Column) -> Option<Sequence> {
    let is_serial = dialect == Dialect::Postgresql && column.auto == Some(Numbering::Serial);
    let is_usual = column.sequence.is_none() && serial_type(&column.data_type).is_some();
    (is_serial && !is_usual)
        .then(|| column.own_sequence(table))
        .flatten()
}

/// Returns the statement that makes a table, without its indexes and comments; sequences that are not what `serial` makes are
/// expected to be there.
#[must_use]
pub fn create_table(dialect: Dialect, table: &Table) -> String {
    let inline_key = inline_key(dialect, table);
    let own_columns = table.columns.iter().filter(|column| !column.inherited);
    let mut clauses: Vec<String> = own_columns
        .map(|column| {
            let clause = column_of_table(dialect, &table.name, column);
            match inline_key.filter(|key| key.columns[0] == column.name) {
                Some(key) => format!("{clause} {}", inline_key_clause(key, column)),
                None => clause,
            }
        })
        .collect();
    if inline_key.is_none() {
        clauses.extend(table.primary_key.iter().map(primary_key_clause));
    }
    let uniques = table.uniques.iter().enumerate();
    clauses.extend(
        uniques
            .filter(|(place, _)| !is_repeated(dialect, table, *place))
            .map(|(_, unique)| unique_clause(unique)),
    );
    let own_checks = table.checks.iter().filter(|check| !check.inherited);
    clauses.extend(own_checks.map(|check| check_clause(dialect, check)));
    clauses.extend(table.exclusions.iter().map(exclusion_clause));
    clauses.extend(
        table
            .foreign_keys
            .iter()
            .map(|key| foreign_key_clause(dialect, key)),
    );
    let unlogged = if table.storage.unlogged { "UNLOGGED " } else { "" };
    let mut sql = format!(
        "CREATE {unlogged}TABLE {} ({})",
        quoted(&table.name),
        clauses.join(", ")
    );
    match dialect {
        Dialect::Postgresql => {
            if !table.inherits.is_empty() {
                let parents: Vec<String> = table.inherits.iter().map(|name| table_name(name)).collect();
                sql.push_str(&format!(" INHERITS ({})", parents.join(", ")));
            }
            if let Some(partition) = &table.partitioned_by {
                sql.push_str(&format!(" PARTITION BY {partition}"));
            }
            sql.push_str(&with_options(&table.storage.options));
        }
        Dialect::Sqlite => {
            let options = table.options().words();
            if !options.is_empty() {
                sql.push_str(&format!(" {}", options.join(", ")));
            }
        }
    }
    sql
}

/// Returns the statements that add a column with the sequence that numbers it, without its comment.
#[must_use]
pub fn make_column(dialect: Dialect, table: &str, column: &Column) -> Vec<String> {
    let clause = column_of_table(dialect, table, column);
    let add = format!("ALTER TABLE {} ADD COLUMN {clause}", quoted(table));
    let mut statements = match sequence_beside(dialect, table, column) {
        Some(sequence) => vec![
            create_sequence(&sequence),
            add,
            own_sequence(&sequence.name, table, &column.name),
        ],
        None => vec![add],
    };
    statements.extend(store_column(table, column));
    statements
}

/// Returns the statements that have the server keep the values of a column that was just made as it is wanted.
fn store_column(table: &str, column: &Column) -> Vec<String> {
    let mut made = column.clone();
    made.storage = ColumnStorage::default();
    alter_column_storage(table, &made, &column.storage)
}

/// Returns the statements that have the server keep the values of a column in another way, from the next write on.
#[must_use]
pub fn alter_column_storage(table: &str, column: &Column, to: &ColumnStorage) -> Vec<String> {
    let from = &column.storage;
    let set = |word: &str, value: &str| {
        format!(
            "ALTER TABLE {} ALTER COLUMN {} SET {word} {value}",
            quoted(table),
            quoted(&column.name)
        )
    };
    let usual = usual_strategy(&column.data_type);
    let strategy =
        (from.strategy != to.strategy).then(|| set("STORAGE", to.strategy.as_deref().unwrap_or(usual)));
    let compression = (from.compression != to.compression)
        .then(|| set("COMPRESSION", to.compression.as_deref().unwrap_or("DEFAULT")));
    let statistics = (from.statistics != to.statistics).then(|| {
        set(
            "STATISTICS",
            &to.statistics.unwrap_or(USUAL_STATISTICS).to_string(),
        )
    });
    strategy
        .into_iter()
        .chain(compression)
        .chain(statistics)
        .collect()
}

/// What stands for the server's own setting.
const USUAL_STATISTICS: i32 = -1;

/// Returns where the values of a type go that are large, for which there is no word before PostgreSQL 16. Types of a fixed length,
/// which go nowhere, know no other way.
fn usual_strategy(data_type: &str) -> &'static str {
    let base = data_type.split('(').next().unwrap_or_default();
    match base {
        "numeric" | "inet" | "cidr" => "MAIN",
        _ => "EXTENDED",
    }
}

/// Returns the statements that have the server keep the rows of a table in another way.
#[must_use]
pub fn alter_table_storage(table: &str, from: &TableStorage, to: &TableStorage) -> Vec<String> {
    let alter = format!("ALTER TABLE {}", quoted(table));
    let name_of = |option: &str| option.split('=').next().unwrap_or_default().to_owned();
    let set: Vec<String> = to
        .options
        .iter()
        .filter(|option| !from.options.contains(option))
        .cloned()
        .collect();
    let names: Vec<String> = to.options.iter().map(|option| name_of(option)).collect();
    let reset: Vec<String> = from
        .options
        .iter()
        .map(|option| name_of(option))
        .filter(|name| !names.contains(name))
        .collect();
    let mut statements = Vec::new();
    if from.unlogged != to.unlogged {
        let word = if to.unlogged { "UNLOGGED" } else { "LOGGED" };
        statements.push(format!("{alter} SET {word}"));
    }
    if !set.is_empty() {
        statements.push(format!("{alter} SET ({})", set.join(", ")));
    }
    if !reset.is_empty() {
        statements.push(format!("{alter} RESET ({})", reset.join(", ")));
    }
    statements
}

/// Returns a column as it stands in the statement that makes its table.
fn column_of_table(dialect: Dialect, table: &str, column: &Column) -> String {
    let Some(sequence) = sequence_beside(dialect, table, column) else {
        return column_clause(dialect, column);
    };
    let mut plain = column.clone();
    plain.auto = None;
    plain.default = Some(next_of(&sequence.name));
    column_clause(dialect, &plain)
}

/// Returns a column as it stands in `CREATE TABLE` or after `ADD COLUMN`, without the keys that it is part of.
#[must_use]
pub fn column_clause(dialect: Dialect, column: &Column) -> String {
    let mut sql = format!("{} {}", quoted(&column.name), data_type(dialect, column));
    if let Some(collation) = &column.collation {
        sql.push_str(&format!(" COLLATE {}", quoted(collation)));
    }
    if let Some(generated) = &column.generated {
        let kind = if generated.stored { "STORED" } else { "VIRTUAL" };
        sql.push_str(&format!(" GENERATED ALWAYS AS ({}) {kind}", generated.expr));
    }
    if dialect == Dialect::Postgresql {
        let options = column.sequence.as_ref().map(identity_options).unwrap_or_default();
        match column.auto {
            Some(Numbering::IdentityAlways) => {
                sql.push_str(&format!(" GENERATED ALWAYS AS IDENTITY{options}"));
            }
            Some(Numbering::Any | Numbering::IdentityByDefault) => {
                sql.push_str(&format!(" GENERATED BY DEFAULT AS IDENTITY{options}"));
            }
            _ => {}
        }
    }
    if !column.nullable {
        sql.push_str(" NOT NULL");
        sql.push_str(column.on_null.clause());
    }
    if let Some(default) = column.default_in_full() {
        sql.push_str(&format!(" DEFAULT {}", default_clause(dialect, default)));
    }
    sql
}

/// Returns a default as it stands after `DEFAULT`.
#[must_use]
pub fn default_clause(dialect: Dialect, default: &str) -> String {
    // SQLite wants parentheses around all but literals.
    if dialect == Dialect::Postgresql || is_literal(default) {
        default.to_owned()
    } else {
        format!("({default})")
    }
}

/// Returns a primary key as a constraint of a table.
#[must_use]
pub fn primary_key_clause(key: &PrimaryKey) -> String {
    format!(
        "{}PRIMARY KEY ({}){}{}{}",
        constraint(key.name.as_deref()),
        key_parts(&key.columns, &key.options),
        key.options.on_conflict.clause(),
        including(&key.include),
        deferral(key.deferrable, key.initially_deferred)
    )
}

/// Returns a unique constraint of a table.
#[must_use]
pub fn unique_clause(unique: &Unique) -> String {
    let nulls = if unique.nulls_not_distinct {
        " NULLS NOT DISTINCT"
    } else {
        ""
    };
    format!(
        "{}UNIQUE{nulls} ({}){}{}{}",
        constraint(unique.name.as_deref()),
        key_parts(&unique.columns, &unique.options),
        unique.options.on_conflict.clause(),
        including(&unique.include),
        deferral(unique.deferrable, unique.initially_deferred)
    )
}

/// Returns a check constraint of a table.
#[must_use]
pub fn check_clause(dialect: Dialect, check: &Check) -> String {
    let inherit = if check.no_inherit && dialect == Dialect::Postgresql {
        " NO INHERIT"
    } else {
        ""
    };
    format!(
        "{}CHECK ({}){inherit}{}",
        constraint(check.name.as_deref()),
        check.expr,
        enforcement(dialect, check.enforced)
    )
}

/// Returns an exclusion constraint of a table.
#[must_use]
pub fn exclusion_clause(exclusion: &Exclusion) -> String {
    format!(
        "{}{}",
        constraint(exclusion.name.as_deref()),
        exclusion.definition
    )
}

/// Returns a foreign key as a constraint of a table, valid or not.
#[must_use]
pub fn foreign_key_clause(dialect: Dialect, key: &ForeignKey) -> String {
    let target = match dialect {
        Dialect::Postgresql => table_name(&key.ref_table),
        Dialect::Sqlite => quoted(&key.ref_table),
    };
    let mut sql = format!(
        "{}FOREIGN KEY ({}) REFERENCES {target}",
        constraint(key.name.as_deref()),
        key_columns(&key.columns, key.period)
    );
    if !key.ref_columns.is_empty() {
        sql.push_str(&format!(" ({})", key_columns(&key.ref_columns, key.period)));
    }
    if key.match_full && dialect == Dialect::Postgresql {
        sql.push_str(" MATCH FULL");
    }
    for (event, action) in [("DELETE", key.on_delete), ("UPDATE", key.on_update)] {
        if action != Action::NoAction {
            sql.push_str(&format!(" ON {event} {action}"));
        }
        if event == "DELETE" && !key.on_delete_columns.is_empty() {
            sql.push_str(&format!(" ({})", columns(&key.on_delete_columns)));
        }
    }
    sql.push_str(deferral(key.deferrable, key.initially_deferred));
    sql.push_str(enforcement(dialect, key.enforced));
    sql
}

/// Returns the columns of a foreign key, of which the last may be a period.
fn key_columns(names: &[String], period: bool) -> String {
    match names.split_last() {
        Some((last, [])) if period => format!("PERIOD {}", quoted(last)),
        Some((last, others)) if period => format!("{}, PERIOD {}", columns(others), quoted(last)),
        _ => columns(names),
    }
}

fn enforcement(dialect: Dialect, enforced: bool) -> &'static str {
    if enforced || dialect == Dialect::Sqlite {
        ""
    } else {
        " NOT ENFORCED"
    }
}

/// Returns the statement that makes an index.
#[must_use]
pub fn create_index(dialect: Dialect, table: &str, index: &Index) -> String {
    let unique = if index.unique { "UNIQUE " } else { "" };
    let index_name = index
        .name
        .as_deref()
        .map_or_else(String::new, |name| format!("{} ", quoted(name)));
    let method = match (&index.method, dialect) {
        (Some(method), Dialect::Postgresql) => format!(" USING {}", name(&method.to_lowercase())),
        _ => String::new(),
    };
    let parts: Vec<String> = index
        .columns
        .iter()
        .map(|part| index_part(dialect, part))
        .collect();
    let mut sql = format!(
        "CREATE {unique}INDEX {index_name}ON {}{method} ({})",
        quoted(table),
        parts.join(", ")
    );
    if dialect == Dialect::Postgresql {
        sql.push_str(&including(&index.include));
        if index.nulls_not_distinct {
            sql.push_str(" NULLS NOT DISTINCT");
        }
        sql.push_str(&with_options(&index.options));
    }
    if let Some(predicate) = &index.predicate {
        sql.push_str(&format!(" WHERE {predicate}"));
    }
    sql
}

/// Returns the statement that makes an enum type.
#[must_use]
pub fn create_enum(enum_name: &str, labels: &[String]) -> String {
    let labels: Vec<String> = labels.iter().map(|label| text(label)).collect();
    format!(
        "CREATE TYPE {} AS ENUM ({})",
        quoted(enum_name),
        labels.join(", ")
    )
}

/// Returns the statement that makes a sequence, which belongs to no column yet.
#[must_use]
pub fn create_sequence(sequence: &Sequence) -> String {
    let mut sql = format!("CREATE SEQUENCE {}", quoted(&sequence.name));
    if let Some(data_type) = &sequence.data_type {
        sql.push_str(&format!(" AS {data_type}"));
    }
    for option in counting(sequence) {
        sql.push_str(&format!(" {option}"));
    }
    sql
}

/// Returns the options of the sequence of an identity, in parentheses; its type is that of the column.
#[must_use]
pub fn identity_options(sequence: &Sequence) -> String {
    let mut options = vec![format!("SEQUENCE NAME {}", quoted(&sequence.name))];
    options.extend(counting(sequence));
    format!(" ({})", options.join(" "))
}

/// Returns how a sequence counts, as far as that is not the usual way.
#[must_use]
pub fn counting(sequence: &Sequence) -> Vec<String> {
    let numbers = [
        ("INCREMENT BY", sequence.increment),
        ("MINVALUE", sequence.minimum),
        ("MAXVALUE", sequence.maximum),
        ("START WITH", sequence.start),
        ("CACHE", sequence.cache),
    ];
    let numbers = numbers
        .into_iter()
        .filter_map(|(word, number)| Some(format!("{word} {}", number?)));
    numbers
        .chain(sequence.cycle.then(|| "CYCLE".to_owned()))
        .collect()
}

/// Returns the statement that makes a sequence count as another does; it goes on where it is, which has to be a number of the
/// other.
#[must_use]
pub fn alter_sequence(name: &str, to: &Sequence) -> String {
    format!(
        "ALTER SEQUENCE {} AS {} {}",
        quoted(name),
        to.type_name(),
        all_counting(to).join(" ")
    )
}

/// Returns everything about how a sequence counts, but for the type of its numbers.
#[must_use]
pub fn all_counting(sequence: &Sequence) -> [String; 6] {
    let (lowest, highest) = sequence.bounds();
    let limit = |word: &str, number: Option<i64>, usual: i64| match number {
        Some(number) => format!("{word} {number}"),
        // PostgreSQL takes those of one that counts up where the type changes as well.
        None if sequence.step() < 0 => format!("{word} {usual}"),
        None => format!("NO {word}"),
    };
    [
        format!("INCREMENT BY {}", sequence.step()),
        limit("MINVALUE", sequence.minimum, lowest),
        limit("MAXVALUE", sequence.maximum, highest),
        format!("START WITH {}", sequence.first()),
        format!("CACHE {}", sequence.cache.unwrap_or(1)),
        if sequence.cycle { "CYCLE" } else { "NO CYCLE" }.to_owned(),
    ]
}

/// Returns the statement that has a sequence dropped with a column.
#[must_use]
pub fn own_sequence(sequence: &str, table: &str, column: &str) -> String {
    format!(
        "ALTER SEQUENCE {} OWNED BY {}.{}",
        quoted(sequence),
        quoted(table),
        quoted(column)
    )
}

/// Returns the expression that takes the next number of a sequence.
#[must_use]
pub fn next_of(sequence: &str) -> String {
    format!("nextval({}::regclass)", text(&name(sequence)))
}

/// Returns the statements that set the comments of a table and its columns; SQLite knows none.
#[must_use]
pub fn comments(dialect: Dialect, table: &Table) -> Vec<String> {
    if dialect == Dialect::Sqlite {
        return Vec::new();
    }
    let own = table
        .comment
        .iter()
        .map(|comment| table_comment(&table.name, Some(comment)));
    let columns = table.columns.iter().filter_map(|column| {
        let comment = column.comment.as_deref()?;
        Some(column_comment(&table.name, &column.name, Some(comment)))
    });
    own.chain(columns).collect()
}

/// Returns the statement that sets or removes the comment of a table.
#[must_use]
pub fn table_comment(table: &str, comment: Option<&str>) -> String {
    let comment = comment.map_or_else(|| "NULL".to_owned(), text);
    format!("COMMENT ON TABLE {} IS {comment}", quoted(table))
}

/// Returns the statement that sets or removes the comment of a column.
#[must_use]
pub fn column_comment(table: &str, column: &str, comment: Option<&str>) -> String {
    let comment = comment.map_or_else(|| "NULL".to_owned(), text);
    format!(
        "COMMENT ON COLUMN {}.{} IS {comment}",
        quoted(table),
        quoted(column)
    )
}

/// Returns a text as an SQL literal.
#[must_use]
pub fn text(text: &str) -> String {
    format!("'{}'", text.replace('\'', "''"))
}

/// Returns names in double quotes with commas between them.
#[must_use]
pub fn columns(names: &[String]) -> String {
    names
        .iter()
        .map(|name| quoted(name))
        .collect::<Vec<_>>()
        .join(", ")
}

/// Returns the key of one column that is part of its clause: SQLite knows `AUTOINCREMENT` only there, and `INTEGER ... DESC`
/// is the row id in a clause of its own and not there.
fn inline_key(dialect: Dialect, table: &Table) -> Option<&PrimaryKey> {
    let key = table.primary_key.as_ref()?;
    let [only] = key.columns.as_slice() else {
        return None;
    };
    let column = table.column(only)?;
    let is_inline = column.auto.is_some() || key.options.descends(only) && key.options.collations.is_empty();
    (dialect == Dialect::Sqlite && is_inline).then_some(key)
}

fn inline_key_clause(key: &PrimaryKey, column: &Column) -> String {
    let descending = if column.auto.is_none() { " DESC" } else { "" };
    let autoincrement = match column.auto {
        None | Some(Numbering::Rowid) => "",
        Some(_) => " AUTOINCREMENT",
    };
    format!(
        "{}PRIMARY KEY{descending}{}{autoincrement}",
        constraint(key.name.as_deref()),
        key.options.on_conflict.clause()
    )
}

/// Returns the columns of a key with how they are compared and sorted.
fn key_parts(names: &[String], options: &KeyOptions) -> String {
    let parts = names.iter().map(|name| {
        let collation = options.collations.get(name);
        let collation = collation.map_or_else(String::new, |name| format!(" COLLATE {}", quoted(name)));
        let order = if options.descends(name) { " DESC" } else { "" };
        format!("{}{collation}{order}", quoted(name))
    });
    parts.collect::<Vec<_>>().join(", ")
}

fn data_type(dialect: Dialect, column: &Column) -> String {
    let is_serial = dialect == Dialect::Postgresql && column.auto == Some(Numbering::Serial);
    if dialect == Dialect::Sqlite && column.auto.is_some() {
        return "INTEGER".to_owned();
    }
    if !is_serial {
        return column.data_type.clone();
    }
    serial_type(&column.data_type).map_or_else(|| column.data_type.clone(), str::to_owned)
}

/// Returns the word for a numbered column of a type; nothing where PostgreSQL knows none.
fn serial_type(data_type: &str) -> Option<&'static str> {
    match data_type.to_lowercase().as_str() {
        "smallint" | "int2" => Some("smallserial"),
        "bigint" | "int8" => Some("bigserial"),
        "integer" | "int" | "int4" => Some("serial"),
        _ => None,
    }
}

fn index_part(dialect: Dialect, part: &IndexPart) -> String {
    let (mut sql, descending, nulls) = match &part.key {
        IndexKey::Column(column) => (quoted(column), part.descending, part.nulls),
        // Somebody who writes a catalog by hand may put the order into the expression.
        IndexKey::Expression(expression) => {
            let (expression, descends, nulls_first) = split_order(expression);
            let (expression, class) = split_operator_class(&expression);
            let mut sql = only_name(expression).map_or_else(|| format!("({expression})"), |it| quoted(&it));
            sql.push_str(&class.map_or_else(String::new, |class| format!(" {class}")));
            let nulls = nulls_first.map(|is_first| if is_first { Nulls::First } else { Nulls::Last });
            (sql, part.descending || descends, part.nulls.or(nulls))
        }
    };
    if let Some(collation) = &part.collation {
        sql.push_str(&format!(" COLLATE {}", quoted(collation)));
    }
    if let (Some(class), Dialect::Postgresql) = (&part.operator_class, dialect) {
        sql.push_str(&format!(" {}", qualified(class)));
    }
    if descending {
        sql.push_str(" DESC");
    }
    match (dialect, nulls) {
        (Dialect::Postgresql, Some(Nulls::First)) => sql.push_str(" NULLS FIRST"),
        (Dialect::Postgresql, Some(Nulls::Last)) => sql.push_str(" NULLS LAST"),
        _ => {}
    }
    sql
}

fn including(names: &[String]) -> String {
    match names {
        [] => String::new(),
        names => format!(" INCLUDE ({})", columns(names)),
    }
}

fn with_options(options: &[String]) -> String {
    match options {
        [] => String::new(),
        options => format!(" WITH ({})", options.join(", ")),
    }
}

/// Returns the name of an operator class, which may have a schema before it.
fn qualified(class: &str) -> String {
    match class.split_once('.') {
        Some((schema, class)) => format!("{}.{}", name(schema), name(class)),
        None => name(class),
    }
}

/// Returns the name of a table as SQL, which may have a schema before it; PostgreSQL.
#[must_use]
pub fn table_name(name: &str) -> String {
    match name.split_once('.') {
        Some((schema, table)) => format!("{}.{}", quoted(schema), quoted(table)),
        None => quoted(name),
    }
}

fn constraint(name: Option<&str>) -> String {
    name.map_or_else(String::new, |name| format!("CONSTRAINT {} ", quoted(name)))
}

fn deferral(deferrable: bool, initially_deferred: bool) -> &'static str {
    match (deferrable, initially_deferred) {
        (_, true) => " DEFERRABLE INITIALLY DEFERRED",
        (true, false) => " DEFERRABLE",
        (false, false) => "",
    }
}
