//! Which values are not the same in a column of another type.

/// How SQLite keeps the values of a column (<https://www.sqlite.org/datatype3.html>, 3.1).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Affinity {
    Number,
    Text,
    AsTheyAre,
}

impl Affinity {
    fn of(data_type: &str) -> Self {
        let data_type = data_type.to_ascii_uppercase();
        let has = |words: &[&str]| words.iter().any(|word| data_type.contains(word));
        if has(&["INT"]) {
            Self::Number
        } else if has(&["CHAR", "CLOB", "TEXT"]) {
            Self::Text
        } else if data_type.trim().is_empty() || has(&["BLOB", "ANY"]) {
            Self::AsTheyAre
        } else {
            Self::Number
        }
    }
}

/// Returns the condition that finds the values which SQLite changes when they are put into a column of a type: a text of digits
/// becomes a number ('007' is 7), a number with a fraction may lose digits as a text.
pub(super) fn changed_on_sqlite(value: &str, to: &str) -> Option<String> {
    match Affinity::of(to) {
        // The comparison with a number makes one of every text that has the form of one.
        Affinity::Number => Some(format!(
            "typeof({value}) = 'text' AND {value} = CAST({value} AS NUMERIC) AND CAST(CAST({value} AS NUMERIC) AS TEXT) <> {value}"
        )),
        Affinity::Text => Some(format!(
            "typeof({value}) = 'real' AND CAST(CAST({value} AS TEXT) AS REAL) <> {value}"
        )),
        Affinity::AsTheyAre => None,
    }
}
