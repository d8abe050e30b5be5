//! The tables whose rows a query goes through.

use crate::sql::cursor::Cursor;

/// Returns the tables of the outermost FROM; a subquery there counts with its own, and so does what a `WITH` names.
pub(super) fn sources(mut query: Cursor<'_>) -> Vec<String> {
    let mut found = Vec::new();
    let mut named = Vec::new();
    if query.accept("with") {
        query.accept("recursive");
        while let Some(name) = query.name() {
            query.columns();
            query.accept("as");
            query.accept_any(&["materialized", "not materialized"]);
            let Some(inside) = query.group() else { break };
            let tables = named_sources(&name, inside, &named);
            named.push((name, tables));
            if !query.accept_symbol(",") {
                break;
            }
        }
    }
    for part in query.split("union") {
        let (_, mut from) = part.before(&["from", "table"]);
        from.step();
        let (items, _) = from.before(&["where", "group by", "order by", "limit", "having", "on conflict"]);
        for item in items.split(",").into_iter().flat_map(|item| item.split("join")) {
            let mut item = item;
            item.accept("lateral");
            item.accept("only");
            if let Some(inside) = item.group() {
                if !(inside.has("limit") || inside.has("fetch")) {
                    found.extend(sources(inside));
                }
            } else if let Some(name) = item.qualified()
                && !item.sees_symbol("(")
            {
                found.push(name);
            }
        }
    }
    in_place_of_names(found, &named)
}

/// Returns the tables that all rows of something in a `WITH` come from: none where it writes, for that is a change of its own, or where
/// a condition leaves few.
pub(super) fn named_sources(name: &str, inside: Cursor<'_>, named: &[(String, Vec<String>)]) -> Vec<String> {
    let is_limited = ["where", "limit", "fetch"].iter().any(|word| inside.has(word));
    if !inside.sees("select") || is_limited {
        return Vec::new();
    }
    let mut tables = in_place_of_names(sources(inside), named);
    tables.retain(|table| table != name);
    tables
}

/// Returns sources with the tables that a `WITH` goes through in place of the names that it gives.
pub(super) fn in_place_of_names(sources: Vec<String>, named: &[(String, Vec<String>)]) -> Vec<String> {
    let resolved = sources.into_iter().flat_map(|source| {
        let meant = named.iter().rev().find(|(name, _)| *name == source);
        meant.map_or_else(|| vec![source.clone()], |(_, tables)| tables.clone())
    });
    resolved.collect()
}
