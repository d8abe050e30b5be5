//! Whether an expression gives the same value for every row.

use super::Schema;
use crate::lint::token::Token;

/// How often the server has to compute a default.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(in crate::lint) enum Volatility {
    /// Once for the whole table.
    Once,
    /// For every row, because of this function.
    EachRow(String),
    /// Nothing is known of this function.
    Unknown(String),
}

/// Functions of PostgreSQL that are VOLATILE (`pg_proc.provolatile`) and that people write into defaults.
const EACH_ROW: &[&str] = &[
    "clock_timestamp",
    "currval",
    "gen_random_uuid",
    "gen_random_bytes",
    "lastval",
    "nextval",
    "random",
    "random_normal",
    "setval",
    "timeofday",
    "uuid_generate_v1",
    "uuid_generate_v1mc",
    "uuid_generate_v4",
    "uuidv4",
    "uuidv7",
    "pg_sleep",
    "txid_current",
    "gen_salt",
];

/// Functions that are IMMUTABLE or STABLE, and words that stand before a parenthesis without being functions.
const ONCE: &[&str] = &[
    "abs",
    "age",
    "and",
    "any",
    "array",
    "array_append",
    "array_cat",
    "array_fill",
    "array_length",
    "array_prepend",
    "array_to_string",
    "bit",
    "btrim",
    "cast",
    "cbrt",
    "ceil",
    "ceiling",
    "char",
    "chr",
    "coalesce",
    "concat",
    "concat_ws",
    "convert_from",
    "convert_to",
    "current_database",
    "current_query",
    "current_schema",
    "current_setting",
    "current_time",
    "current_timestamp",
    "current_user",
    "date",
    "date_part",
    "date_trunc",
    "decode",
    "digest",
    "encode",
    "exp",
    "extract",
    "float",
    "floor",
    "format",
    "greatest",
    "hashtext",
    "inet_client_addr",
    "in",
    "initcap",
    "int4range",
    "int8range",
    "interval",
    "json_array",
    "json_build_array",
    "json_build_object",
    "json_object",
    "jsonb_array",
    "jsonb_build_array",
    "jsonb_build_object",
    "jsonb_object",
    "jsonb_set",
    "justify_days",
    "least",
    "left",
    "length",
    "ln",
    "localtime",
    "localtimestamp",
    "log",
    "lower",
    "lpad",
    "ltrim",
    "make_date",
    "make_interval",
    "make_time",
    "make_timestamp",
    "make_timestamptz",
    "md5",
    "mod",
    "not",
    "now",
    "nullif",
    "numeric",
    "numrange",
    "or",
    "overlay",
    "position",
    "power",
    "quote_literal",
    "regexp_replace",
    "repeat",
    "replace",
    "reverse",
    "right",
    "round",
    "row",
    "rpad",
    "rtrim",
    "sha256",
    "sign",
    "split_part",
    "sqrt",
    "statement_timestamp",
    "string_to_array",
    "substr",
    "substring",
    "time",
    "timestamp",
    "timezone",
    "to_char",
    "to_date",
    "to_json",
    "to_jsonb",
    "to_number",
    "to_timestamp",
    "to_tsvector",
    "to_tsquery",
    "transaction_timestamp",
    "trim",
    "trunc",
    "tsrange",
    "tstzrange",
    "upper",
    "values",
    "varchar",
    "varbit",
    "daterange",
    "timestamptz",
    "uuid_nil",
    "uuid_generate_v5",
];

impl Schema {
    /// Returns how often a default is computed.
    pub(in crate::lint) fn volatility(&self, expression: &[Token]) -> Volatility {
        let mut unknown = None;
        for (index, token) in expression.iter().enumerate() {
            let is_called = expression.get(index + 1).is_some_and(|next| next.is_symbol("("));
            let is_cast = index > 0 && expression[index - 1].is_symbol("::");
            if !token.is_name() || !is_called || is_cast {
                continue;
            }
            let name = token.text.as_str();
            match self.function(name) {
                Some(known) if known.is_volatile => return Volatility::EachRow(name.to_owned()),
                Some(_) => continue,
                None => {}
            }
            if EACH_ROW.contains(&name) {
                return Volatility::EachRow(name.to_owned());
            }
            if !ONCE.contains(&name) {
                unknown = Some(name.to_owned());
            }
        }
        unknown.map_or(Volatility::Once, Volatility::Unknown)
    }
}
