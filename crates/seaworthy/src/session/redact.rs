//! The text of somebody else's statement without the values in it: they may be passwords, or say something about people.

/// Returns a statement with `?` for each literal and its white space evened out, cut to a length.
pub(super) fn redacted(statement: &str, longest: usize) -> String {
    let letters: Vec<char> = statement.chars().collect();
    let mut text = String::new();
    let mut at = 0;
    while let Some(&letter) = letters.get(at) {
        let follows_word = text.ends_with(|last: char| last.is_alphanumeric() || last == '_' || last == '$');
        if letter == '\'' {
            let has_escapes = follows_word && text.ends_with(['e', 'E']);
            at = after_quote(&letters, at, has_escapes);
            text.push('?');
        } else if letter == '$'
            && !follows_word
            && let Some(end) = after_dollar_quote(&letters, at)
        {
            at = end;
            text.push('?');
        } else if letter.is_ascii_digit() && !follows_word {
            while letters
                .get(at)
                .is_some_and(|next| next.is_alphanumeric() || *next == '.')
            {
                at += 1;
            }
            text.push('?');
        } else {
            at += 1;
            match letter.is_whitespace() {
                true if text.ends_with(' ') => {}
                true => text.push(' '),
                false => text.push(letter),
            }
        }
    }
    text.trim().chars().take(longest).collect()
}

/// Returns where a string ends; one that is cut off ends with the text.
fn after_quote(letters: &[char], start: usize, has_escapes: bool) -> usize {
    let mut at = start + 1;
    while let Some(letter) = letters.get(at) {
        match letter {
            '\\' if has_escapes => at += 2,
            '\'' if letters.get(at + 1) == Some(&'\'') => at += 2,
            '\'' => return at + 1,
            _ => at += 1,
        }
    }
    letters.len()
}

/// Returns where a dollar quote ends, if one begins here.
fn after_dollar_quote(letters: &[char], start: usize) -> Option<usize> {
    let tag = letters[start + 1..]
        .iter()
        .take_while(|letter| letter.is_alphanumeric() || **letter == '_')
        .count();
    let is_parameter = letters.get(start + 1).is_some_and(char::is_ascii_digit);
    if is_parameter || letters.get(start + tag + 1) != Some(&'$') {
        return None;
    }
    let quote = &letters[start..start + tag + 2];
    let inside = start + quote.len();
    let end = letters[inside..]
        .windows(quote.len())
        .position(|window| window == quote);
    Some(end.map_or(letters.len(), |end| inside + end + quote.len()))
}

#[cfg(test)]
mod tests {
    use super::redacted;

    #[test]
    fn values_are_left_out_and_names_stay() {
        for (statement, expected) in [
            ("SELECT * FROM t1 WHERE id = 7", "SELECT * FROM t1 WHERE id = ?"),
            (
                "ALTER ROLE app PASSWORD 'it''s secret'",
                "ALTER ROLE app PASSWORD ?",
            ),
            (
                "SELECT E'a\\'b', $1, $x$ secret $x$, 1.5e3",
                "SELECT E?, $1, ?, ?",
            ),
            ("UPDATE \"a1\"\n  SET b = 'cut o", "UPDATE \"a1\" SET b = ?"),
            ("SELECT $$ cut o", "SELECT ?"),
        ] {
            assert_eq!(redacted(statement, 200), expected);
        }
        assert_eq!(redacted("SELECT one", 6), "SELECT");
    }
}
