//! What differs between two objects of the same name, in a short clause.

use super::{Object, ObjectKind};
use crate::sql::{Dialect, tokens};

/// The most letters of a word that is shown.
const LONGEST: usize = 40;

impl Object {
    /// Returns in what it differs from another of the same kind and name: `another body, STABLE instead of VOLATILE`.
    #[must_use]
    pub fn changed_from(&self, before: &Self) -> Option<String> {
        let (Some(is), Some(was)) = (self.sql.first(), before.sql.first()) else {
            return None;
        };
        let mut changes = match self.kind {
            ObjectKind::Function | ObjectKind::Procedure => of_function(is, was),
            _ => first_word(is, was).into_iter().collect(),
        };
        if self.sql.get(1..) != before.sql.get(1..) {
            changes.push("other statements behind the one that makes it".to_owned());
        }
        (!changes.is_empty()).then(|| changes.join(", "))
    }
}

/// Returns what differs between two functions as PostgreSQL prints them (manual, "`pg_get_functiondef`"): a line each for what it
/// is called with, what it returns, its language and properties, its settings, and its body.
fn of_function(is: &str, was: &str) -> Vec<String> {
    let (Some(is), Some(was)) = (FunctionText::of(is), FunctionText::of(was)) else {
        return first_word(is, was).into_iter().collect();
    };
    let mut changes = Vec::new();
    if is.arguments != was.arguments {
        changes.push("other arguments".to_owned());
    }
    if is.returns != was.returns {
        changes.push(format!("{} instead of {}", named(is.returns), named(was.returns)));
    }
    for property in &is.properties {
        let was = was
            .properties
            .iter()
            .find(|was| was.0 == property.0)
            .map_or(usual(property.0), |was| was.1.as_str());
        if property.1 != was {
            changes.push(format!("{} instead of {was}", property.1));
        }
    }
    for property in &was.properties {
        let (kind, text) = (property.0, property.1.as_str());
        if !is.properties.iter().any(|is| is.0 == kind) && usual(kind) != text {
            changes.push(format!("{} instead of {text}", usual(kind)));
        }
    }
    if is.settings != was.settings {
        changes.push("other settings".to_owned());
    }
    if is.body != was.body {
        changes.push("another body".to_owned());
    }
    changes
}

fn named(returns: &str) -> &str {
    match returns {
        "" => "no RETURNS",
        returns => returns,
    }
}

/// The parts of what PostgreSQL prints of a function.
struct FunctionText<'a> {
    arguments: &'a str,
    returns: &'a str,
    properties: Vec<(Property, String)>,
    settings: Vec<&'a str>,
    body: &'a str,
}

/// What a function has one of.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Property {
    Language,
    Volatility,
    NullInput,
    Security,
    Leakproof,
    Parallel,
    Cost,
    Rows,
    Window,
    Support,
}

/// Returns what holds where nothing is printed.
fn usual(property: Property) -> &'static str {
    match property {
        Property::Language => "no LANGUAGE",
        Property::Volatility => "VOLATILE",
        Property::NullInput => "CALLED ON NULL INPUT",
        Property::Security => "SECURITY INVOKER",
        Property::Leakproof => "NOT LEAKPROOF",
        Property::Parallel => "PARALLEL UNSAFE",
        Property::Cost => "the usual COST",
        Property::Rows => "the usual ROWS",
        Property::Window => "no WINDOW",
        Property::Support => "no SUPPORT",
    }
}

impl<'a> FunctionText<'a> {
    fn of(sql: &'a str) -> Option<Self> {
        let (head, body) = sql
            .split_once("\nAS ")
            .or_else(|| sql.split_once("\nBEGIN ATOMIC"))
            .or_else(|| sql.split_once("\nRETURN "))?;
        let mut lines = head.lines();
        let mut text = Self {
            arguments: lines.next()?,
            returns: "",
            properties: Vec::new(),
            settings: Vec::new(),
            body,
        };
        for line in lines.map(str::trim) {
            if line.starts_with("RETURNS ") {
                text.returns = line;
            } else if line.starts_with("SET ") {
                text.settings.push(line);
            } else {
                let words: Vec<&str> = line.split_whitespace().collect();
                text.properties.extend(properties(&words));
            }
        }
        Some(text)
    }
}

fn properties(mut words: &[&str]) -> Vec<(Property, String)> {
    let mut found = Vec::new();
    while let [first, rest @ ..] = words {
        let (property, length) = match *first {
            "LANGUAGE" => (Property::Language, 2),
            "IMMUTABLE" | "STABLE" | "VOLATILE" => (Property::Volatility, 1),
            "STRICT" => (Property::NullInput, 1),
            "SECURITY" => (Property::Security, 2),
            "LEAKPROOF" => (Property::Leakproof, 1),
            "PARALLEL" => (Property::Parallel, 2),
            "COST" => (Property::Cost, 2),
            "ROWS" => (Property::Rows, 2),
            "WINDOW" => (Property::Window, 1),
            "SUPPORT" => (Property::Support, 2),
            _ => {
                words = rest;
                continue;
            }
        };
        let (own, rest) = words.split_at(length.min(words.len()));
        found.push((property, own.join(" ")));
        words = rest;
    }
    found
}

/// Returns the first words in which two statements differ.
fn first_word(is: &str, was: &str) -> Option<String> {
    let words = |sql| {
        tokens(sql, Dialect::Postgresql)
            .into_iter()
            .map(|token| token.text)
    };
    let (mut is, mut was) = (words(is), words(was));
    loop {
        let (is, was) = (is.next(), was.next());
        if is.is_none() && was.is_none() {
            return None;
        }
        if is != was {
            return Some(format!("{} instead of {}", shown(is), shown(was)));
        }
    }
}

fn shown(word: Option<String>) -> String {
    let Some(word) = word else {
        return "nothing more".to_owned();
    };
    match word.chars().count() > LONGEST {
        true => format!("\"{}...\"", word.chars().take(LONGEST).collect::<String>()),
        false => format!("\"{word}\""),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn function(head: &str, body: &str) -> Object {
        let sql = format!("CREATE OR REPLACE FUNCTION public.knots({head}\nAS $function$ {body} $function$");
        Object::new(ObjectKind::Function, "knots(integer)", None, sql)
    }

    #[test]
    fn a_function_says_what_of_it_is_other() {
        let before = function("speed integer)\n RETURNS integer\n LANGUAGE sql", "SELECT speed");
        let changed = |head, body| function(head, body).changed_from(&before).unwrap_or_default();
        assert_eq!(
            changed("speed integer)\n RETURNS integer\n LANGUAGE sql", "SELECT 2"),
            "another body"
        );
        assert_eq!(
            changed(
                "speed integer DEFAULT 1)\n RETURNS bigint\n LANGUAGE sql\n STABLE STRICT PARALLEL SAFE",
                "SELECT speed"
            ),
            "other arguments, RETURNS bigint instead of RETURNS integer, STABLE instead of VOLATILE, \
             STRICT instead of CALLED ON NULL INPUT, PARALLEL SAFE instead of PARALLEL UNSAFE"
        );
        let after = function(
            "speed integer)\n RETURNS integer\n LANGUAGE sql\n STABLE\n SET search_path TO 'x'",
            "SELECT speed",
        );
        assert_eq!(
            before.changed_from(&after).unwrap(),
            "VOLATILE instead of STABLE, other settings"
        );
        assert_eq!(before.changed_from(&before), None);
    }

    #[test]
    fn anything_else_says_the_first_word_that_is_other() {
        let view = |sql: &str| Object::new(ObjectKind::View, "late", None, sql);
        let (one, other) = (
            view("CREATE VIEW late AS SELECT id"),
            view("CREATE VIEW late AS SELECT id, note"),
        );
        assert_eq!(other.changed_from(&one).unwrap(), "\",\" instead of nothing more");
    }
}
