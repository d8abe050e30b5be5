//! Schemas out of a list of bytes: whatever the bytes, the schema makes sense to its database.

use seaworthy::catalog::{
    Action, Catalog, Check, Column, Dialect, ForeignKey, Generated, Index, IndexPart, Numbering, PrimaryKey,
    Sequence, Table, Unique,
};

const TABLES: [&str; 4] = ["boats", "Harbour Log", "select", "crew\"s"];
const COLUMNS: [&str; 6] = ["name", "Größe", "order", "a_b", "with space", "kind"];

/// Returns the schema that a list of choices stands for.
pub(crate) fn catalog(dialect: Dialect, choices: &[u8]) -> Catalog {
    let mut dice = Dice::new(choices);
    let mut catalog = Catalog::new(dialect);
    if dialect == Dialect::Postgresql && dice.chance(2) {
        let labels = ["calm", "rough", "it's wild", "still"];
        let first = dice.below(3);
        let mut labels: Vec<String> = labels[first..].iter().map(|&label| label.to_owned()).collect();
        let turn = dice.below(labels.len());
        labels.rotate_left(turn);
        catalog.enums.insert("Mood".to_owned(), labels);
    }
    if dialect == Dialect::Postgresql && dice.chance(3) {
        let mut sequence = Sequence::new("order_no");
        sequence.increment = dice.chance(2).then_some(5);
        catalog.sequences.push(sequence);
    }
    let has_enum = !catalog.enums.is_empty();
    for name in TABLES {
        if dice.chance(2) || catalog.tables.is_empty() {
            let known: Vec<String> = catalog.tables.iter().map(|table| table.name.clone()).collect();
            let table = table(dialect, name, &known, has_enum, &mut dice);
            catalog.tables.push(table);
        }
    }
    catalog
}

/// What is left of a list of choices.
pub(crate) struct Dice<'a> {
    choices: &'a [u8],
    at: usize,
}

impl<'a> Dice<'a> {
    pub(crate) fn new(choices: &'a [u8]) -> Self {
        Self { choices, at: 0 }
    }

    pub(crate) fn below(&mut self, limit: usize) -> usize {
        let choice = self.choices.get(self.at).copied().unwrap_or(0);
        self.at += 1;
        usize::from(choice) % limit
    }

    pub(crate) fn chance(&mut self, one_in: usize) -> bool {
        self.below(one_in) == 0
    }

    pub(crate) fn pick<'t>(&mut self, words: &[&'t str]) -> &'t str {
        words[self.below(words.len())]
    }
}

fn table(dialect: Dialect, name: &str, others: &[String], has_enum: bool, dice: &mut Dice<'_>) -> Table {
    let mut table = Table::new(name);
    let mut id = Column::new("id", "integer").not_null();
    // SQLite numbers an integer key whether asked to or not.
    id.auto = (dice.chance(2) || dialect == Dialect::Sqlite).then_some(Numbering::Any);
    table.columns.push(id);
    table.primary_key = Some(PrimaryKey::new(["id"]));
    if dice.chance(4) {
        // Others refer to the id, so it stays unique.
        table.columns[0].auto = None;
        table.columns.push(Column::new("part", "integer").not_null());
        table.primary_key = Some(PrimaryKey::new(["id", "part"]));
        table.uniques.push(Unique::new(None, ["id"]));
    }
    for name in COLUMNS {
        if dice.chance(2) {
            table.columns.push(column(dialect, name, has_enum, dice));
        }
    }
    if dice.chance(3) {
        // Nothing refers to the number of a thing, so its type is always the same.
        table.columns.push(Column::new("number", "integer"));
        if dice.chance(2) {
            let expr = dice
                .pick(&["number * 2", "number + id", "(number + 1) * 3"])
                .to_owned();
            let mut twice = Column::new("twice", "integer");
            twice.generated = Some(Generated { expr, stored: true });
            table.columns.push(twice);
        }
    }
    if dialect == Dialect::Postgresql {
        table.comment = dice.chance(4).then(|| "what's it".to_owned());
    }
    add_references(&mut table, others, dice);
    add_guards(&mut table, dice);
    add_indexes(dialect, &mut table, dice);
    table
}

fn column(dialect: Dialect, name: &str, has_enum: bool, dice: &mut Dice<'_>) -> Column {
    let mut kinds = vec![
        ("integer", vec!["0", "-7", "(1 + 2)"]),
        ("bigint", vec!["0", "5"]),
        ("varchar(20)", vec!["'x'", "'it''s'", "''"]),
        ("text", vec!["'x'", "'1.50'", "'Ünder'"]),
        ("boolean", vec!["true", "FALSE"]),
        ("numeric(8, 2)", vec!["1.5", "0"]),
        ("timestamp", vec!["CURRENT_TIMESTAMP", "'2024-12-25 10:00:00'"]),
    ];
    if dialect == Dialect::Postgresql {
        kinds.push(("timestamptz", vec!["now()"]));
        kinds.push(("text[]", vec!["'{}'", "ARRAY['a', 'b']"]));
        kinds.push(("uuid", vec!["gen_random_uuid()"]));
    }
    if has_enum {
        kinds.push(("\"Mood\"", vec!["'still'"]));
    }
    let (data_type, defaults) = kinds.swap_remove(dice.below(kinds.len()));
    let mut column = Column::new(name, data_type);
    column.nullable = dice.chance(2);
    column.default = dice.chance(2).then(|| dice.pick(&defaults).to_owned());
    if data_type == "text" && dice.chance(4) {
        let collation = if dialect == Dialect::Postgresql {
            "C"
        } else {
            "NOCASE"
        };
        column.collation = Some(collation.to_owned());
    }
    if dialect == Dialect::Postgresql && dice.chance(5) {
        column.comment = Some("say \"it's\"".to_owned());
    }
    column
}

fn add_references(table: &mut Table, others: &[String], dice: &mut Dice<'_>) {
    for other in others {
        if dice.chance(3) {
            let own = format!("to {other}");
            table.columns.push(Column::new(own.as_str(), "integer"));
            let mut key = ForeignKey::new([own], other.as_str(), ["id"]);
            key.name = dice.chance(2).then(|| format!("{} to {other}", table.name));
            key.on_delete = [Action::NoAction, Action::Cascade, Action::SetNull][dice.below(3)];
            key.on_update = [Action::NoAction, Action::Restrict][dice.below(2)];
            key.deferrable = dice.chance(4);
            table.foreign_keys.push(key);
        }
    }
}

fn add_guards(table: &mut Table, dice: &mut Dice<'_>) {
    let plain: Vec<String> = table
        .columns
        .iter()
        .filter(|column| column.generated.is_none() && column.name != "id")
        .map(|column| column.name.clone())
        .collect();
    if plain.len() > 1 && dice.chance(3) {
        let first = dice.below(plain.len());
        let second = (first + 1) % plain.len();
        let name = dice
            .chance(2)
            .then(|| format!("{} unique {}", table.name, dice.below(2)));
        table.uniques.push(Unique::new(
            name.as_deref(),
            [plain[first].as_str(), plain[second].as_str()],
        ));
    }
    if dice.chance(3) {
        let condition = dice.pick(&["id > 0", "id <> 7 AND id < 1000000", "id IS NOT NULL OR id = 3"]);
        let name = dice.chance(2).then(|| format!("{} check", table.name));
        table.checks.push(Check::new(name.as_deref(), condition));
    }
    let text = table
        .columns
        .iter()
        .find(|column| column.data_type == "varchar(20)");
    if let Some(text) = text
        && dice.chance(2)
    {
        let column = text.name.replace('"', "\"\"");
        let condition = match dice.below(3) {
            0 => format!("length(\"{column}\") > 1"),
            1 => format!("\"{column}\" IN ('x', 'y', 'it''s')"),
            _ => format!("lower(\"{column}\") = \"{column}\" AND (id > 1 OR \"{column}\" <> '')"),
        };
        table.checks.push(Check::new(Some("of a text"), condition));
    }
}

fn add_indexes(dialect: Dialect, table: &mut Table, dice: &mut Dice<'_>) {
    let columns: Vec<Column> = table.columns.clone();
    for number in 0..dice.below(3) {
        let column = &columns[dice.below(columns.len())];
        let mut index = Index::new(Some(&format!("{} index {number}", table.name)), [""; 0]);
        let mut part = IndexPart::column(column.name.as_str());
        part.descending = dice.chance(3);
        if dialect == Dialect::Postgresql && !["text", "varchar(20)"].contains(&column.data_type.as_str()) {
            index.method = (dice.chance(5) && !part.descending && column.data_type == "integer")
                .then(|| "brin".to_owned());
        } else if column.data_type.starts_with("varchar") && dice.chance(2) {
            part = IndexPart::expression(format!("lower(\"{}\")", column.name.replace('"', "\"\"")));
        }
        index.columns.push(part);
        if index.method.is_none() {
            index.unique = dice.chance(4);
            if dialect == Dialect::Postgresql && dice.chance(4) && column.name != "id" {
                index.include = vec!["id".to_owned()];
            }
            index.predicate = dice
                .chance(3)
                .then(|| dice.pick(&["id > 10", "id IN (1, 2) OR id > 5"]).to_owned());
        }
        table.indexes.push(index);
    }
}
