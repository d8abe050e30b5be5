//! Names with or without a schema, as one text: `notes`, `app.notes`, `"a.b"`.
//!
//! A part is in quotes only where it holds a dot or a quote itself, so that the text says which parts there are.

use super::quoted;

/// Returns the one text of the parts of a name.
#[must_use]
pub fn joined(parts: &[String]) -> String {
    let shown = parts.iter().map(|part| {
        if part.contains(['.', '"']) {
            quoted(part)
        } else {
            part.clone()
        }
    });
    shown.collect::<Vec<_>>().join(".")
}

/// Returns the parts of a name, without quotes.
#[must_use]
pub fn parts(name: &str) -> Vec<String> {
    let mut parts = vec![String::new()];
    let mut letters = name.chars().peekable();
    let mut is_quoted = false;
    while let Some(letter) = letters.next() {
        let last = parts.last_mut().expect("there is a first part");
        match letter {
            '"' if is_quoted && letters.peek() == Some(&'"') => {
                letters.next();
                last.push('"');
            }
            '"' => is_quoted = !is_quoted,
            '.' if !is_quoted => parts.push(String::new()),
            _ => last.push(letter),
        }
    }
    parts
}

/// Returns a name as SQL, each part in quotes.
#[must_use]
pub fn quoted_name(name: &str) -> String {
    let parts: Vec<String> = parts(name).iter().map(|part| quoted(part)).collect();
    parts.join(".")
}

/// Returns the last part of a name: what applications write.
#[must_use]
pub fn bare(name: &str) -> String {
    parts(name).pop().unwrap_or_default()
}

/// Returns a name in the schema of another one.
pub(crate) fn beside(other: &str, name: &str) -> String {
    let mut all = parts(other);
    all.pop();
    all.push(name.to_owned());
    joined(&all)
}

/// Returns the name of something that is moved to a schema; in `public` it stands without it.
pub(crate) fn name_in_schema(schema: &str, name: &str) -> String {
    match schema {
        "public" => joined(&[bare(name)]),
        schema => joined(&[schema.to_owned(), bare(name)]),
    }
}

#[cfg(test)]
mod tests {
    use super::{bare, joined, parts, quoted_name};

    #[test]
    fn a_name_comes_apart_as_it_was_put_together() {
        for name in [
            &["notes"][..],
            &["app", "notes"],
            &["a.b"],
            &["we\"ird", "x.\"y"],
            &["My App", "Größe"],
        ] {
            let owned: Vec<String> = name.iter().map(|&part| part.to_owned()).collect();
            assert_eq!(parts(&joined(&owned)), owned);
        }
        assert_eq!(quoted_name("app.notes"), r#""app"."notes""#);
        assert_eq!(bare(r#"app."a.b""#), "a.b");
    }
}
