//! What is undeclared, as Rust code for `Target::extra`.

use std::collections::BTreeMap;
use std::fmt::Write;

use super::Undeclared;
use crate::catalog::{Action, Check, ForeignKey, Index, IndexKey, IndexPart, Nulls, Unique};

/// Returns a function to hand to `Target::extra`, by which things are declared as they are.
#[must_use]
pub fn extras(undeclared: &BTreeMap<String, Vec<Undeclared>>) -> String {
    let mut code = String::from(
        "/// What the database has beside what attributes of entities say.\nfn extras(extra: &mut Extra) {\n",
    );
    for (table, found) in undeclared {
        let mut calls = format!("    extra\n        .table({})", literal(table));
        for one in found {
            calls.push_str("\n        ");
            calls.push_str(&call(one));
        }
        code.push_str(&calls);
        code.push_str(";\n");
    }
    code.push_str("}\n");
    let used: Vec<&str> = [
        "Action",
        "Check",
        "ForeignKey",
        "Index",
        "IndexPart",
        "Nulls",
        "Unique",
    ]
    .into_iter()
    .filter(|word| code.contains(&format!("{word}::")) || code.contains(&format!("{word} {{")))
    .collect();
    let mut import = String::from("use seaworthy::catalog::");
    let mut words = vec!["Extra"];
    words.extend(used);
    words.sort_unstable();
    match words[..] {
        [word] => import.push_str(word),
        _ => write!(import, "{{{}}}", words.join(", ")).expect("a text takes all that is written"),
    }
    format!("{import};\n\n{code}")
}

fn call(one: &Undeclared) -> String {
    match one {
        Undeclared::Index(index) => format!(".index({})", index_code(index)),
        Undeclared::Unique(unique) => unique_call(unique),
        Undeclared::Check(check) => check_call(check),
        Undeclared::Exclusion(exclusion) => format!(
            ".exclusion({}, {})",
            name_code(exclusion.name.as_ref()),
            literal(&exclusion.definition)
        ),
        Undeclared::ForeignKey(key) => format!(".foreign_key({})", foreign_key_code(key)),
        Undeclared::Default { column, sql } => format!(".default({}, {})", literal(column), literal(sql)),
        Undeclared::Type { column, data_type } => format!(
            ".column({}, |column| column.data_type = {}.into())",
            literal(column),
            literal(data_type)
        ),
    }
}

fn unique_call(unique: &Unique) -> String {
    let columns = list(&unique.columns);
    let name = unique.name.as_deref().unwrap_or_default();
    let plain = Unique::new(unique.name.as_deref(), unique.columns.iter());
    if *unique == plain {
        return format!(".unique({}, {columns})", literal(name));
    }
    let mut fields = String::new();
    if !unique.include.is_empty() {
        fields.push_str(&format!(
            " include: {}.map(str::to_owned).to_vec(),",
            list(&unique.include)
        ));
    }
    for (field, is_set) in [
        ("nulls_not_distinct", unique.nulls_not_distinct),
        ("deferrable", unique.deferrable),
        ("initially_deferred", unique.initially_deferred),
    ] {
        if is_set {
            fields.push_str(&format!(" {field}: true,"));
        }
    }
    format!(
        ".unique_constraint(Unique {{{fields} ..Unique::new({}, {columns}) }})",
        name_code(unique.name.as_ref())
    )
}

fn check_call(check: &Check) -> String {
    let plain = Check::new(check.name.as_deref(), check.expr.as_str());
    if let (Some(name), true) = (&check.name, *check == plain) {
        return format!(".check({}, {})", literal(name), literal(&check.expr));
    }
    let mut fields = String::new();
    for (field, usual, value) in [
        ("valid", true, check.valid),
        ("enforced", true, check.enforced),
        ("no_inherit", false, check.no_inherit),
    ] {
        if usual != value {
            fields.push_str(&format!(" {field}: {value},"));
        }
    }
    format!(
        ".check_constraint(Check {{{fields} ..Check::new({}, {}) }})",
        name_code(check.name.as_ref()),
        literal(&check.expr)
    )
}

fn foreign_key_code(key: &ForeignKey) -> String {
    let plain = format!(
        "ForeignKey::new({}, {}, {})",
        list(&key.columns),
        literal(&key.ref_table),
        list(&key.ref_columns)
    );
    let mut fields = String::new();
    if let Some(name) = &key.name {
        fields.push_str(&format!(" name: Some({}.to_owned()),", literal(name)));
    }
    for (field, action) in [("on_delete", key.on_delete), ("on_update", key.on_update)] {
        if action != Action::NoAction {
            fields.push_str(&format!(" {field}: Action::{action:?},"));
        }
    }
    if !key.on_delete_columns.is_empty() {
        let columns = list(&key.on_delete_columns);
        fields.push_str(&format!(
            " on_delete_columns: {columns}.map(str::to_owned).to_vec(),"
        ));
    }
    for (field, usual, value) in [
        ("match_full", false, key.match_full),
        ("deferrable", false, key.deferrable),
        ("initially_deferred", false, key.initially_deferred),
        ("valid", true, key.valid),
        ("enforced", true, key.enforced),
        ("period", false, key.period),
    ] {
        if value != usual {
            fields.push_str(&format!(" {field}: {value},"));
        }
    }
    match fields.is_empty() {
        true => plain,
        false => format!("ForeignKey {{{fields} ..{plain} }}"),
    }
}

fn index_code(index: &Index) -> String {
    let plain: Option<Vec<&str>> = index.columns.iter().map(IndexPart::plain_column).collect();
    let name = name_code(index.name.as_ref());
    let mut code = match plain {
        Some(columns) => format!("Index::new({name}, {})", list(&columns)),
        None => {
            let parts: String = index
                .columns
                .iter()
                .map(|part| format!(".part({})", part_code(part)))
                .collect();
            format!("Index::new({name}, [\"\"; 0]){parts}")
        }
    };
    if index.unique {
        code.push_str(".unique()");
    }
    if let Some(method) = &index.method {
        code.push_str(&format!(".method({})", literal(method)));
    }
    if !index.include.is_empty() {
        code.push_str(&format!(".include({})", list(&index.include)));
    }
    if let Some(predicate) = &index.predicate {
        code.push_str(&format!(".filter({})", literal(predicate)));
    }
    if index.nulls_not_distinct {
        code.push_str(".nulls_not_distinct()");
    }
    if !index.options.is_empty() {
        code.push_str(&format!(".options({})", list(&index.options)));
    }
    code
}

fn part_code(part: &IndexPart) -> String {
    let mut code = match &part.key {
        IndexKey::Column(column) => format!("IndexPart::column({})", literal(column)),
        IndexKey::Expression(sql) => format!("IndexPart::expression({})", literal(sql)),
    };
    if part.descending {
        code.push_str(".descending()");
    }
    match part.nulls {
        Some(Nulls::First) => code.push_str(".nulls(Nulls::First)"),
        Some(Nulls::Last) => code.push_str(".nulls(Nulls::Last)"),
        None => {}
    }
    if let Some(collation) = &part.collation {
        code.push_str(&format!(".collation({})", literal(collation)));
    }
    if let Some(class) = &part.operator_class {
        code.push_str(&format!(".operator_class({})", literal(class)));
    }
    code
}

fn name_code(name: Option<&String>) -> String {
    name.map_or_else(|| "None".to_owned(), |name| format!("Some({})", literal(name)))
}

fn list<T: AsRef<str>>(words: &[T]) -> String {
    let words: Vec<String> = words.iter().map(|word| literal(word.as_ref())).collect();
    format!("[{}]", words.join(", "))
}

fn literal(text: &str) -> String {
    format!("{text:?}")
}
