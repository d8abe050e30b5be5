//! What a user may write to name revisions, parsed once.
//!
//! Whether such a revision exists is the business of `resolve` and `steps`.

use std::fmt;
use std::str::FromStr;

use super::GraphError;

/// Where a command shall go: a revision, a head, a base, or some steps from one of them.
///
/// The forms are Alembic's: an id or its prefix, a label, `head`, `heads`, `base`, `current`, `+N`, `-N`, `<id>+N`,
/// `<id>-N`, and each of them after `<branch>@`. SeaORM's name and a phase of the product name a revision as well.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Target {
    text: String,
    branch: Option<String>,
    whole: String,
    symbol: Symbol,
    offset: Option<Offset>,
}

/// The revisions between two targets, both included; an open side goes on to the end.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub struct HistoryRange {
    /// The older end; everything from the bases when open.
    pub start: Option<Target>,
    /// The newer end; everything up to the heads when open.
    pub end: Option<Target>,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(super) enum Symbol {
    /// Nothing: the steps count from what is applied.
    Here,
    Head,
    Heads,
    Base,
    Current,
    Name(String),
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) enum Offset {
    Up(usize),
    Down(usize),
}

impl Target {
    /// Returns `head`: the one newest revision.
    #[must_use]
    pub fn head() -> Self {
        Self::word("head", Symbol::Head)
    }

    /// Returns `heads`: all newest revisions.
    #[must_use]
    pub fn heads() -> Self {
        Self::word("heads", Symbol::Heads)
    }

    /// Returns `base`: before every revision.
    #[must_use]
    pub fn base() -> Self {
        Self::word("base", Symbol::Base)
    }

    /// Returns the text as it was written.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.text
    }

    /// Returns whether the target counts steps, as in `+1` or `head-2`.
    #[must_use]
    pub fn is_relative(&self) -> bool {
        self.offset.is_some()
    }

    pub(super) fn branch(&self) -> Option<&str> {
        self.branch.as_deref()
    }

    /// What follows the branch, steps included: a label such as `release-2` only looks like steps.
    pub(super) fn whole(&self) -> &str {
        &self.whole
    }

    pub(super) fn symbol(&self) -> &Symbol {
        &self.symbol
    }

    pub(super) fn offset(&self) -> Option<Offset> {
        self.offset
    }

    fn word(text: &str, symbol: Symbol) -> Self {
        Self {
            text: text.to_owned(),
            branch: None,
            whole: text.to_owned(),
            symbol,
            offset: None,
        }
    }
}

impl FromStr for Target {
    type Err = GraphError;

    fn from_str(text: &str) -> Result<Self, GraphError> {
        let text = text.trim();
        let malformed = |reason| GraphError::MalformedTarget {
            text: text.to_owned(),
            reason,
        };
        if text.contains(':') {
            return Err(malformed("a range cannot be used here"));
        }
        let (branch, whole) = match text.split_once('@') {
            Some(("", _)) => return Err(malformed("the branch before @ is missing")),
            Some((branch, whole)) => (Some(branch.to_owned()), whole),
            None => (None, text),
        };
        if whole.contains('@') {
            return Err(malformed("it has more than one @"));
        }
        let (symbol, offset) = split_offset(whole).map_err(malformed)?;
        let symbol = match symbol {
            "" if offset.is_some() => Symbol::Here,
            "" if branch.is_some() => return Err(malformed("nothing follows the @")),
            "" => return Err(malformed("it is empty")),
            "head" => Symbol::Head,
            "heads" => Symbol::Heads,
            "base" => Symbol::Base,
            "current" => Symbol::Current,
            name => Symbol::Name(name.to_owned()),
        };
        if symbol == Symbol::Here && matches!(offset, Some(Offset::Up(0) | Offset::Down(0))) {
            let reason = "zero steps go nowhere";
            return Err(GraphError::RelativeOutOfRange {
                target: text.to_owned(),
                reason,
            });
        }
        Ok(Self {
            text: text.to_owned(),
            branch,
            whole: whole.to_owned(),
            symbol,
            offset,
        })
    }
}

impl fmt::Display for Target {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.pad(&self.text)
    }
}

impl FromStr for HistoryRange {
    type Err = GraphError;

    fn from_str(text: &str) -> Result<Self, GraphError> {
        let text = text.trim();
        let malformed = |reason| GraphError::MalformedRange {
            text: text.to_owned(),
            reason,
        };
        let (start, end) = text.split_once(':').ok_or_else(|| malformed("it has no colon"))?;
        if end.contains(':') {
            return Err(malformed("it has more than one colon"));
        }
        let side = |side: &str| match side.trim() {
            "" => Ok(None),
            side => side.parse().map(Some),
        };
        Ok(Self {
            start: side(start)?,
            end: side(end)?,
        })
    }
}

impl fmt::Display for HistoryRange {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let side = |target: &Option<Target>| target.as_ref().map_or_else(String::new, Target::to_string);
        write!(formatter, "{}:{}", side(&self.start), side(&self.end))
    }
}

/// Splits `head-2` into `head` and two steps down; text that does not end in steps stays whole.
fn split_offset(text: &str) -> Result<(&str, Option<Offset>), &'static str> {
    let Some(sign) = text.rfind(['+', '-']) else {
        return Ok((text, None));
    };
    let (symbol, steps) = (&text[..sign], &text[sign + 1..]);
    if symbol.starts_with(['+', '-']) {
        return Err("it has more than one sign");
    }
    if steps.is_empty() {
        return Err("the number of steps is missing");
    }
    if !steps.bytes().all(|byte| byte.is_ascii_digit()) {
        // A label or phase with a hyphen in it, such as `phase-II`; nothing starts with a sign.
        return if symbol.is_empty() {
            Err("the number of steps is not a number")
        } else {
            Ok((text, None))
        };
    }
    // More steps than can be counted are more than there are revisions.
    let steps = steps.parse().unwrap_or(usize::MAX);
    let is_up = text.as_bytes()[sign] == b'+';
    Ok((
        symbol,
        Some(if is_up {
            Offset::Up(steps)
        } else {
            Offset::Down(steps)
        }),
    ))
}

#[cfg(test)]
mod tests {
    use super::{HistoryRange, Offset, Symbol, Target};

    fn kind(text: &str) -> &'static str {
        text.parse::<Target>().unwrap_err().kind()
    }

    #[test]
    fn a_target_has_a_branch_a_symbol_and_steps() {
        let target: Target = "my-branch@head-2".parse().unwrap();
        assert_eq!(target.branch(), Some("my-branch"));
        assert_eq!(*target.symbol(), Symbol::Head);
        assert_eq!(target.offset(), Some(Offset::Down(2)));
        assert_eq!(target.to_string(), "my-branch@head-2");
    }

    #[test]
    fn a_hyphen_without_a_number_belongs_to_the_name() {
        let target: Target = "phase-II".parse().unwrap();
        assert_eq!(*target.symbol(), Symbol::Name("phase-II".to_owned()));
        assert!(!target.is_relative());
    }

    #[test]
    fn malformed_targets_are_refused() {
        for text in [
            "", " ", "+", "-", "++1", "+-1", "@head", "x@", "@", "a@b@c", "a:b", "a:b:c", "003+", "+x",
        ] {
            assert_eq!(kind(text), "malformed_target", "{text}");
        }
    }

    #[test]
    fn zero_steps_lead_nowhere() {
        assert_eq!(kind("-0"), "relative_out_of_range");
        assert_eq!(kind("shop@+0"), "relative_out_of_range");
    }

    #[test]
    fn more_steps_than_can_be_counted_are_only_many() {
        let target: Target = "+99999999999999999999999".parse().unwrap();
        assert_eq!(target.offset(), Some(Offset::Up(usize::MAX)));
    }

    #[test]
    fn a_range_may_be_open_on_either_side() {
        let range: HistoryRange = "-2:current".parse().unwrap();
        assert_eq!(range.to_string(), "-2:current");
        let range: HistoryRange = ":".parse().unwrap();
        assert_eq!(range, HistoryRange::default());
        for text in ["", "003", "a:b:c"] {
            assert_eq!(
                text.parse::<HistoryRange>().unwrap_err().kind(),
                "malformed_range",
                "{text}"
            );
        }
    }
}
