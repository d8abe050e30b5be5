//! Names for what was declared without one: those that PostgreSQL would think of, so that they can be dropped again.

use crate::catalog::{Check, Exclusion, ForeignKey, Index, IndexKey, PrimaryKey, Table, Unique};

/// PostgreSQL's limit (manual, "Lexical Structure").
const LONGEST: usize = 63;

pub(in crate::autogenerate) fn primary_key(table: &str, key: &PrimaryKey) -> String {
    key.name.clone().unwrap_or_else(|| fitting(table, &[], "pkey"))
}

pub(in crate::autogenerate) fn unique(table: &str, unique: &Unique) -> String {
    unique
        .name
        .clone()
        .unwrap_or_else(|| fitting(table, &unique.columns, "key"))
}

pub(in crate::autogenerate) fn check(table: &str, check: &Check) -> String {
    let digest = format!("{:08x}", digest(&check.expr));
    check
        .name
        .clone()
        .unwrap_or_else(|| fitting(table, &[digest], "check"))
}

pub(in crate::autogenerate) fn exclusion(table: &str, exclusion: &Exclusion) -> String {
    let digest = format!("{:08x}", digest(&exclusion.definition));
    exclusion
        .name
        .clone()
        .unwrap_or_else(|| fitting(table, &[digest], "excl"))
}

pub(in crate::autogenerate) fn foreign_key(table: &str, key: &ForeignKey) -> String {
    key.name
        .clone()
        .unwrap_or_else(|| fitting(table, &key.columns, "fkey"))
}

pub(in crate::autogenerate) fn index(table: &str, index: &Index) -> String {
    let columns: Vec<String> = index
        .columns
        .iter()
        .map(|part| match &part.key {
            IndexKey::Column(name) => name.clone(),
            IndexKey::Expression(sql) => format!("{:08x}", digest(sql)),
        })
        .collect();
    index
        .name
        .clone()
        .unwrap_or_else(|| fitting(table, &columns, "idx"))
}

/// Returns the table with a name for everything.
pub(in crate::autogenerate) fn named(table: &Table) -> Table {
    let mut named = table.clone();
    let name = table.name.as_str();
    named
        .primary_key
        .iter_mut()
        .for_each(|key| key.name = Some(primary_key(name, key)));
    named
        .uniques
        .iter_mut()
        .for_each(|it| it.name = Some(unique(name, it)));
    named
        .checks
        .iter_mut()
        .for_each(|it| it.name = Some(check(name, it)));
    named
        .exclusions
        .iter_mut()
        .for_each(|it| it.name = Some(exclusion(name, it)));
    named
        .foreign_keys
        .iter_mut()
        .for_each(|it| it.name = Some(foreign_key(name, it)));
    named
        .indexes
        .iter_mut()
        .for_each(|it| it.name = Some(index(name, it)));
    named
}

/// Puts a name together; one that is too long is cut and told apart by a number made of all of it.
pub(in crate::autogenerate) fn fitting(table: &str, columns: &[String], suffix: &str) -> String {
    let mut parts = vec![table];
    parts.extend(columns.iter().map(String::as_str));
    let whole = format!("{}_{suffix}", parts.join("_"));
    if whole.len() <= LONGEST {
        return whole;
    }
    let end = format!("_{:08x}_{suffix}", digest(&whole));
    let mut length = LONGEST - end.len();
    while !whole.is_char_boundary(length) {
        length -= 1;
    }
    format!("{}{end}", &whole[..length])
}

/// FNV-1a: short, and the same tomorrow.
fn digest(text: &str) -> u32 {
    text.bytes().fold(0x811c_9dc5, |hash, byte| {
        (hash ^ u32::from(byte)).wrapping_mul(0x0100_0193)
    })
}
