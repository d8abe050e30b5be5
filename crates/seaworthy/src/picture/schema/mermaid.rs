//! A schema as an entity relationship diagram of Mermaid.

use std::collections::HashSet;

use super::super::escape;
use super::{DrawnColumn, Mark, Reference, SchemaPicture};

pub(super) fn draw(picture: &SchemaPicture) -> String {
    let names = names(picture);
    let mut text = "erDiagram\n".to_owned();
    for (table, name) in picture.tables.iter().zip(&names) {
        text.push_str(&format!("    \"{name}\" {{\n"));
        for column in &table.columns {
            text.push_str(&format!("        {}\n", attribute(column)));
        }
        text.push_str("    }\n");
    }
    for reference in &picture.references {
        text.push_str(&format!("    {}\n", relation(reference, &names)));
    }
    for mark in [Mark::New, Mark::Changed, Mark::Removed] {
        let marked: Vec<&str> = picture
            .tables
            .iter()
            .zip(&names)
            .filter(|(table, _)| table.mark == mark)
            .map(|(_, name)| name.as_str())
            .collect();
        if !marked.is_empty() {
            // A comment, because not every version of Mermaid knows classes here.
            text.push_str(&format!("    %% {}: {}\n", mark.word(), marked.join(", ")));
        }
    }
    text
}

/// Returns a name for each table, all different.
fn names(picture: &SchemaPicture) -> Vec<String> {
    let mut taken = HashSet::new();
    let mut names = Vec::with_capacity(picture.tables.len());
    for (place, table) in picture.tables.iter().enumerate() {
        let mut name = escape::mermaid_name(&table.name);
        if !taken.insert(name.clone()) {
            name.push_str(&format!(" ({place})"));
            taken.insert(name.clone());
        }
        names.push(name);
    }
    names
}

fn attribute(column: &DrawnColumn) -> String {
    let name = escape::mermaid_word(&column.name);
    let mut text = format!("{} {name}", escape::mermaid_word(&column.data_type));
    let keys: Vec<&str> = [(column.is_key, "PK"), (column.is_reference, "FK")]
        .into_iter()
        .filter_map(|(is_set, word)| is_set.then_some(word))
        .collect();
    if !keys.is_empty() {
        text.push_str(&format!(" {}", keys.join(", ")));
    }
    let mut remarks = Vec::new();
    if column.mark != Mark::Same {
        remarks.push(column.mark.word().to_owned());
    }
    if name != column.name {
        remarks.push(escape::mermaid_name(&column.name));
    }
    if column.nullable {
        remarks.push("may be NULL".to_owned());
    }
    if !remarks.is_empty() {
        text.push_str(&format!(" \"{}\"", remarks.join(", ")));
    }
    text
}

fn relation(reference: &Reference, names: &[String]) -> String {
    let left = if reference.unique { "|o" } else { "}o" };
    let right = if reference.optional { "o|" } else { "||" };
    let mut words = reference.columns.join(", ");
    if reference.mark != Mark::Same {
        words.push_str(&format!(" ({})", reference.mark.word()));
    }
    format!(
        "\"{}\" {left}--{right} \"{}\" : \"{}\"",
        names[reference.from],
        names[reference.to],
        escape::mermaid_name(&words)
    )
}
