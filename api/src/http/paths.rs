//! Addresses of paths: letters that need no escape are the same with one (RFC 3986, 6.2.2.2).

use axum::http::Uri;
use axum::http::uri::PathAndQuery;

/// Undoes escapes of letters, digits, `-`, `_` and `~` in a path, so that it finds its route.
///
/// Nothing else is undone: `%2F` is part of a name, and `%2E%2E` never becomes a step upwards. A path with a stray percent sign stays as
/// it is, since what is undone could complete an escape that was none.
pub(crate) fn undo_needless_escapes(uri: &mut Uri) {
    let Some(path) = undone(uri.path()) else {
        return;
    };
    let text = match uri.query() {
        Some(query) => format!("{path}?{query}"),
        None => path,
    };
    let mut parts = uri.clone().into_parts();
    parts.path_and_query = PathAndQuery::try_from(text).ok();
    if let Ok(plain) = Uri::from_parts(parts) {
        *uri = plain;
    }
}

/// Returns the path without needless escapes, or nothing when there are none.
fn undone(path: &str) -> Option<String> {
    let mut pieces = path.split('%');
    let mut text = pieces.next()?.to_owned();
    let mut is_changed = false;
    for piece in pieces {
        let (digits, rest) = piece.split_at_checked(2)?;
        // The standard library would take a sign, too.
        if !digits.bytes().all(|digit| digit.is_ascii_hexdigit()) {
            return None;
        }
        match u8::from_str_radix(digits, 16).ok().map(char::from) {
            Some(letter) if letter.is_ascii_alphanumeric() || "-_~".contains(letter) => {
                is_changed = true;
                text.push(letter);
            }
            _ => text.extend(["%", digits]),
        }
        text.push_str(rest);
    }
    is_changed.then_some(text)
}

#[cfg(test)]
mod tests {
    use super::undone;

    #[test]
    fn only_letters_that_need_no_escape_lose_theirs() {
        for (path, expected) in [
            ("/api/v1/%74asks", Some("/api/v1/tasks")),
            ("/%61%7E%2d%5F%39", Some("/a~-_9")),
            ("/a%2Fb%20%74", Some("/a%2Fb%20t")),
            ("/a/%2e%2E/%74", Some("/a/%2e%2E/t")),
            ("/%2574", None),
            ("/%25%37%34", Some("/%2574")),
            ("/a%2fb", None),
            ("/tasks", None),
            // Together with a stray percent sign these would make escapes that nobody wrote.
            ("/%%37%34", None),
            ("/%2%46", None),
            ("/%+4%74", None),
            ("/%74%", None),
            ("/%é%74", None),
        ] {
            assert_eq!(undone(path).as_deref(), expected, "{path}");
        }
    }
}
