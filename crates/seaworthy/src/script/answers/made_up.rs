//! Values that stand for those which only the database can give, told apart from all others so that their use is seen.

use rpds::VectorSync;
use sea_orm::sea_query::Value;

use super::Column;
use super::row::Cell;
use crate::script::reading::{Kind, words};
use crate::sql::Dialect;

/// The values that were made up in a recording.
#[derive(Clone, Debug, Default)]
pub(super) struct MadeUp {
    /// What each stands for: `the id that the database gives to tasks`.
    meanings: VectorSync<String>,
}

/// Numbers count up from here: few rows have such ids, and it fits into 32 bits.
const FIRST_NUMBER: i64 = 1_977_326_743;

const TEXT: &str = "seaworthy-made-up-";

/// Keys of sixteen bytes that begin like this are no random ones.
const BYTES: [u8; 8] = [0x5e, 0xa0, 0xde, 0xad, 0xbe, 0xef, 0x4a, 0x11];

/// A day that few rows know.
const DAY: &str = "1971-03-05";

impl MadeUp {
    /// Makes a number up.
    pub(super) fn number(&mut self, meaning: String) -> i64 {
        self.meanings.push_back_mut(meaning);
        FIRST_NUMBER + i64::try_from(self.meanings.len()).unwrap_or(0) - 1
    }

    /// Makes a value of a column up; nothing where no value of its type could be told apart.
    pub(super) fn value(&mut self, table: &str, name: &str, column: Option<&Column>) -> Option<Cell> {
        let kind = column.map_or("integer", |column| column.data_type.as_str());
        let number = self.number(format!("the {name} that the database gives to {table}"));
        let nth = number - FIRST_NUMBER;
        let has = |part: &str| kind.contains(part);
        let value: Value = if has("smallint") || has("tinyint") || has("bool") || has("blob") || has("bytea")
        {
            return None;
        } else if has("int") && !has("interval") && !has("point") || has("serial") {
            number.into()
        } else if has("uuid") {
            let bytes: Vec<u8> = BYTES.into_iter().chain(nth.to_be_bytes()).collect();
            bytes.into()
        } else if has("timestamp") || has("datetime") {
            format!("{DAY} 07:11:13").into()
        } else if has("date") {
            DAY.into()
        } else if has("json") {
            format!("{{\"seaworthy\":\"{TEXT}{nth}\"}}").into()
        } else if ["real", "double", "float", "numeric", "decimal", "money"]
            .into_iter()
            .any(has)
        {
            format!("{number}.5").parse::<f64>().unwrap_or_default().into()
        } else if has("char") || has("text") || kind.is_empty() {
            format!("{TEXT}{nth}").into()
        } else {
            return None;
        };
        Some(Cell::Untyped(value))
    }

    /// Returns what a statement uses that was made up.
    pub(super) fn used_in(&self, sql: &str) -> Option<&str> {
        if self.meanings.is_empty() {
            return None;
        }
        let meaning = |nth: usize| {
            self.meanings
                .get(nth)
                .or(self.meanings.last())
                .map(String::as_str)
        };
        if sql.contains(DAY) {
            let is_time = |meaning: &&String| meaning.contains("_at ") || meaning.contains("date");
            return self
                .meanings
                .iter()
                .find(is_time)
                .map(String::as_str)
                .or(meaning(0));
        }
        if let Some((_, rest)) = sql.split_once(TEXT) {
            let digits = rest
                .find(|letter: char| !letter.is_ascii_digit())
                .unwrap_or(rest.len());
            return meaning(rest[..digits].parse().unwrap_or(0));
        }
        let bytes: String = BYTES.iter().map(|byte| format!("{byte:02x}")).collect();
        let letters: String = sql.chars().filter(|letter| *letter != '-').collect();
        if letters.to_ascii_lowercase().contains(&bytes) {
            return meaning(0);
        }
        // Numbers that were computed from such a number lie near it.
        let last = FIRST_NUMBER + i64::try_from(self.meanings.len()).unwrap_or(0) + 1_000_000;
        let numbers = words(sql, Dialect::Postgresql)
            .into_iter()
            .filter(|word| matches!(word.kind, Kind::Number | Kind::Text));
        let mut near = numbers.filter_map(|word| {
            let whole = word.text.split('.').next()?.parse::<i64>().ok()?;
            (FIRST_NUMBER - 1_000..last).contains(&whole).then_some(whole)
        });
        near.next()
            .and_then(|number| meaning(usize::try_from(number - FIRST_NUMBER).unwrap_or(0)))
    }
}
