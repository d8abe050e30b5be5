//! The members of a body, taken one by one, so that an answer can name everything that is wrong with them.

use serde_json::{Map, Value};

use super::codes::Code;
use super::problem::{FieldProblem, Problem};
use crate::domain::{Rule, Violation};

/// Declares a body that is read: its members, what the document says of each, and how it is read. What is documented is what is
/// read.
///
/// A member is `required`, with the rule that leaving it out breaks; `optional`, which may be left out and is never null; or
/// `nullable`, which is `Some(None)` when it is null.
macro_rules! read_body {
    (
        $(#[$about:meta])*
        $name:ident {
            $($(#[$says:meta])* $member:ident: $type:ty = $kind:ident($($how:expr),+);)+
        }
    ) => {
        #[derive(utoipa::ToSchema)]
        $(#[$about])*
        pub(in crate::http) struct $name {
            $($(#[$says])* $member: $type,)+
        }

        impl $name {
            /// Reads the members, and refuses all that is wrong with them.
            pub(in crate::http) fn read(
                mut fields: $crate::http::fields::Fields,
            ) -> Result<Self, $crate::http::problem::Problem> {
                $(let $member = fields.$kind(stringify!($member), $($how),+);)+
                fields.finish()?;
                Ok(Self {
                    $($member: $crate::http::fields::read_body!(@value $kind $member),)+
                })
            }
        }
    };
    (@value required $member:ident) => {
        $member.expect("a member that is missing was refused")
    };
    (@value $kind:ident $member:ident) => {
        $member
    };
}

pub(in crate::http) use read_body;

/// The members of a JSON object that have not been taken yet.
#[derive(Debug)]
pub(super) struct Fields {
    members: Map<String, Value>,
    errors: Vec<FieldProblem>,
}

impl Fields {
    pub(super) fn of(value: Value) -> Result<Self, Problem> {
        match value {
            Value::Object(members) => Ok(Self {
                members,
                errors: Vec::new(),
            }),
            _ => {
                let violation = Violation::new(Rule::General, "the body is no object");
                Err(Problem::of_fields(
                    Code::Validation,
                    vec![FieldProblem::in_body("", violation)],
                ))
            }
        }
    }

    /// Takes a member that must be there and not null.
    pub(super) fn required<T>(
        &mut self,
        name: &str,
        rule: Rule,
        parse: impl FnOnce(&Value) -> Result<T, Violation>,
    ) -> Option<T> {
        match self.members.contains_key(name) {
            true => self.optional(name, parse),
            false => {
                self.refuse(name, Violation::new(rule, format!("{name} is missing")));
                None
            }
        }
    }

    /// Takes a member that may be missing but not null.
    pub(super) fn optional<T>(
        &mut self,
        name: &str,
        parse: impl FnOnce(&Value) -> Result<T, Violation>,
    ) -> Option<T> {
        let value = self.members.remove(name)?;
        self.parsed(name, parse(&value))
    }

    /// Takes a member that may be missing (`None`) or null (`Some(None)`).
    pub(super) fn nullable<T>(
        &mut self,
        name: &str,
        parse: impl FnOnce(&Value) -> Result<T, Violation>,
    ) -> Option<Option<T>> {
        match self.members.remove(name)? {
            Value::Null => Some(None),
            value => self.parsed(name, parse(&value)).map(Some),
        }
    }

    /// Notes what is wrong with a member.
    pub(super) fn refuse(&mut self, name: &str, violation: Violation) {
        let pointer = format!("/{}", name.replace('~', "~0").replace('/', "~1"));
        self.errors.push(FieldProblem::in_body(pointer, violation));
    }

    /// Refuses what is wrong and what nobody took.
    pub(super) fn finish(mut self) -> Result<(), Problem> {
        let unknown: Vec<String> = self.members.keys().cloned().collect();
        for name in unknown {
            self.refuse(
                &name,
                Violation::new(Rule::General, "this member is not known here"),
            );
        }
        match self.errors.is_empty() {
            true => Ok(()),
            false => Err(Problem::of_fields(Code::Validation, self.errors)),
        }
    }

    fn parsed<T>(&mut self, name: &str, parsed: Result<T, Violation>) -> Option<T> {
        parsed.map_err(|violation| self.refuse(name, violation)).ok()
    }
}

/// Takes an object as it is: what is in it is read by itself.
pub(super) fn object(value: &Value) -> Result<Value, Violation> {
    match value {
        Value::Object(_) => Ok(value.clone()),
        _ => Err(Violation::new(Rule::General, "an object is wanted here")),
    }
}

/// Reads a string and what is in it.
pub(super) fn text<T>(
    rule: Rule,
    parse: impl FnOnce(&str) -> Result<T, Violation>,
) -> impl FnOnce(&Value) -> Result<T, Violation> {
    move |value| match value {
        Value::String(text) => parse(text),
        _ => Err(Violation::new(rule, "a string is wanted here")),
    }
}

/// Takes a whole number; for JSON Schema 1.0 is one too.
pub(super) fn whole(value: &Value) -> Option<i64> {
    value.as_i64().or_else(|| {
        let number = value.as_f64().filter(|number| number.fract() == 0.0)?;
        format!("{number:.0}").parse().ok()
    })
}

/// Reads a boolean.
pub(super) fn boolean(value: &Value) -> Result<bool, Violation> {
    value
        .as_bool()
        .ok_or_else(|| Violation::new(Rule::General, "true or false is wanted here"))
}

/// Reads a list of at most so many.
pub(super) fn list<T>(
    most: usize,
    parse: impl Fn(&Value) -> Result<T, Violation>,
) -> impl FnOnce(&Value) -> Result<Vec<T>, Violation> {
    move |value| {
        let items = value
            .as_array()
            .ok_or_else(|| Violation::new(Rule::General, "a list is wanted here"))?;
        if items.len() > most {
            return Err(Violation::new(
                Rule::General,
                format!("at most {most} entries are taken"),
            ));
        }
        items.iter().map(parse).collect()
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_whole_number_may_be_written_with_a_point() {
        assert_eq!(whole(&json!(90)), Some(90));
        assert_eq!(whole(&json!(90.0)), Some(90));
        assert_eq!(whole(&json!(90.5)), None);
        assert_eq!(whole(&json!("90")), None);
        assert_eq!(whole(&json!(1e300)), None);
    }
}
