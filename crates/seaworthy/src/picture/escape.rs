//! Names in the languages of pictures.

/// Returns a text in one line that a terminal shows as it is: no control characters, no reversal of direction.
pub(super) fn line(text: &str) -> String {
    let shown: String = text
        .chars()
        .map(|letter| match letter {
            letter if letter.is_whitespace() => ' ',
            letter if letter.is_control() || is_invisible(letter) => '\u{fffd}',
            letter => letter,
        })
        .collect();
    shown
        .split(' ')
        .filter(|word| !word.is_empty())
        .collect::<Vec<_>>()
        .join(" ")
}

/// Marks that turn the direction of a line, and characters that XML forbids.
fn is_invisible(letter: char) -> bool {
    matches!(letter, '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}' | '\u{fffe}' | '\u{ffff}')
}

/// Returns a text for an XML element or attribute.
pub(super) fn xml(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for letter in line(text).chars() {
        match letter {
            '&' => escaped.push_str("&amp;"),
            '<' => escaped.push_str("&lt;"),
            '>' => escaped.push_str("&gt;"),
            '"' => escaped.push_str("&quot;"),
            '\'' => escaped.push_str("&apos;"),
            letter => escaped.push(letter),
        }
    }
    escaped
}

/// Returns a text for a quoted label of Mermaid, which has entity codes for all that means something to it.
pub(super) fn mermaid(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for letter in line(text).chars() {
        if letter.is_alphanumeric() || matches!(letter, ' ' | '_' | '-' | '.' | ',' | ':' | '/') {
            escaped.push(letter);
        } else {
            escaped.push_str(&format!("#{};", u32::from(letter)));
        }
    }
    escaped
}

/// Returns a text for the quoted name of an entity of Mermaid, where nothing can be escaped.
pub(super) fn mermaid_name(text: &str) -> String {
    let name: String = line(text)
        .chars()
        .map(|letter| match letter {
            '"' => '\'',
            '\\' => '/',
            '%' | '<' | '>' | '`' => '_',
            letter => letter,
        })
        .collect();
    if name.is_empty() { "_".to_owned() } else { name }
}

/// Returns a text as one word of Mermaid: letters, digits and underscores, and where it does not begin, brackets of types.
pub(super) fn mermaid_word(text: &str) -> String {
    let mut word = String::with_capacity(text.len());
    for letter in text.chars() {
        let is_bracket = matches!(letter, '(' | ')' | '[' | ']') && !word.is_empty();
        let letter = if letter.is_ascii_alphanumeric() || is_bracket {
            letter
        } else {
            '_'
        };
        if word.is_empty() && letter.is_ascii_digit() {
            word.push('_');
        }
        word.push(letter);
    }
    if word.is_empty() { "_".to_owned() } else { word }
}

/// Returns a text for a quoted string of DOT.
pub(super) fn dot(text: &str) -> String {
    line(text).replace('\\', "\\\\").replace('"', "\\\"")
}
