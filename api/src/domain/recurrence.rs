//! How a task recurs: a keyword, or the body of an RFC 5545 rule.

use super::{Rule, Violation};

/// A pattern of at most 100 characters.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Recurrence(String);

const KEYWORDS: [&str; 5] = ["daily", "weekdays", "weekly", "monthly", "yearly"];
const FREQUENCIES: [&str; 4] = ["DAILY", "WEEKLY", "MONTHLY", "YEARLY"];
const DAYS: [&str; 7] = ["MO", "TU", "WE", "TH", "FR", "SA", "SU"];

impl Recurrence {
    pub(crate) fn parse(text: &str) -> Result<Self, Violation> {
        let violation = |detail: String| Violation::new(Rule::Recurrence, detail);
        if text.len() > 100 {
            return Err(violation("a recurrence has at most 100 characters".to_owned()));
        }
        if !KEYWORDS.contains(&text) {
            check_rule(text).map_err(violation)?;
        }
        Ok(Self(text.to_owned()))
    }

    pub(crate) fn as_str(&self) -> &str {
        &self.0
    }
}

/// Checks the parts of a rule, each `NAME=value` and each at most once (RFC 5545, 3.3.10).
fn check_rule(text: &str) -> Result<(), String> {
    let mut seen: Vec<&str> = Vec::new();
    for part in text.split(';') {
        let (name, value) = part.split_once('=').ok_or_else(|| {
            format!(
                "a recurrence is one of {} or a rule like FREQ=WEEKLY;BYDAY=MO",
                KEYWORDS.join(", ")
            )
        })?;
        if seen.contains(&name) {
            return Err(format!("the rule names {name} twice"));
        }
        seen.push(name);
        if !is_value_of(name, value)? {
            return Err(format!("the rule's value of {name} makes no sense"));
        }
    }
    if !seen.contains(&"FREQ") {
        return Err("a rule needs FREQ".to_owned());
    }
    match seen.contains(&"COUNT") && seen.contains(&"UNTIL") {
        true => Err("a rule has COUNT or UNTIL, not both".to_owned()),
        false => Ok(()),
    }
}

fn is_value_of(name: &str, value: &str) -> Result<bool, String> {
    let all = |check: &dyn Fn(&str) -> bool| value.split(',').all(check);
    Ok(match name {
        "FREQ" => FREQUENCIES.contains(&value),
        "INTERVAL" | "COUNT" => is_within(value, 1, 1000, false),
        "UNTIL" => is_until(value),
        "WKST" => DAYS.contains(&value),
        "BYDAY" => all(&|day| {
            let split = day.len().saturating_sub(2);
            day.is_char_boundary(split)
                && DAYS.contains(&&day[split..])
                && (split == 0 || is_within(&day[..split], 1, 53, true))
        }),
        "BYMONTHDAY" => all(&|day| is_within(day, 1, 31, true)),
        "BYMONTH" => all(&|month| is_within(month, 1, 12, false)),
        "BYYEARDAY" | "BYSETPOS" => all(&|day| is_within(day, 1, 366, true)),
        "BYWEEKNO" => all(&|week| is_within(week, 1, 53, true)),
        "BYHOUR" => all(&|hour| is_within(hour, 0, 23, false)),
        "BYMINUTE" | "BYSECOND" => all(&|minute| is_within(minute, 0, 59, false)),
        _ => return Err(format!("a rule knows no {}", name.escape_debug())),
    })
}

fn is_until(value: &str) -> bool {
    let time = |format| chrono::NaiveDateTime::parse_from_str(value, format).is_ok();
    time("%Y%m%dT%H%M%SZ")
        || time("%Y%m%dT%H%M%S")
        || chrono::NaiveDate::parse_from_str(value, "%Y%m%d").is_ok()
}

fn is_within(text: &str, least: i32, most: i32, may_be_negative: bool) -> bool {
    let digits = match may_be_negative {
        true => text.strip_prefix(['-', '+']).unwrap_or(text),
        false => text,
    };
    digits.bytes().all(|byte| byte.is_ascii_digit())
        && digits
            .parse()
            .is_ok_and(|number: i32| (least..=most).contains(&number))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keywords_and_rules_are_taken() {
        for text in [
            "daily",
            "weekdays",
            "FREQ=WEEKLY;BYDAY=MO,-1FR",
            "FREQ=MONTHLY;BYMONTHDAY=-1;COUNT=12",
            "FREQ=DAILY;UNTIL=20261231T000000Z",
        ] {
            assert!(Recurrence::parse(text).is_ok(), "{text}");
        }
    }

    #[test]
    fn nonsense_is_refused() {
        for text in [
            "",
            "sometimes",
            "FREQ=HOURLY;X=1",
            "BYDAY=MO",
            "FREQ=DAILY;FREQ=DAILY",
            "FREQ=DAILY;COUNT=1;UNTIL=20260101",
            "FREQ=WEEKLY;BYDAY=é",
            "FREQ=DAILY;INTERVAL=0",
        ] {
            assert!(Recurrence::parse(text).is_err(), "{text}");
        }
    }
}
