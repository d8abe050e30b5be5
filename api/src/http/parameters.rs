//! Query parameters: taken one by one; what nobody took is refused.

use std::convert::Infallible;

use axum::extract::FromRequestParts;
use axum::http::request::Parts;
use percent_encoding::percent_decode_str;

use super::codes::Code;
use super::paged::Asked;
use super::problem::{FieldProblem, Problem};
use crate::domain::{
    DayEdge, Direction, DueFrom, DueUntil, Priority, SortKey, SortTerm, TagName, TagsMatch, TaskFilter,
    TaskQuery, TextSearch, UserId, View, When, Zone,
};
use crate::state::App;

/// The parameters of a query that have not been taken yet.
pub(super) struct Parameters {
    path: String,
    all: Vec<(String, String)>,
    left: Vec<(String, String)>,
    errors: Vec<FieldProblem>,
}

const DEFAULT_LIMIT: u64 = 50;
const MOST_IDS: usize = 100;
const MOST_LIMIT: u64 = 200;

impl FromRequestParts<App> for Parameters {
    type Rejection = Infallible;

    async fn from_request_parts(parts: &mut Parts, _: &App) -> Result<Self, Infallible> {
        let query = parts.uri.query().unwrap_or_default();
        let all: Vec<(String, String)> = form_urlencoded::parse(query.as_bytes()).into_owned().collect();
        let mut parameters = Self {
            path: parts.uri.path().to_owned(),
            left: all.clone(),
            all,
            errors: Vec::new(),
        };
        for pair in query.split('&') {
            // What cannot be read would be read as something else.
            if percent_decode_str(pair).decode_utf8().is_err() {
                let name = pair.split('=').next().unwrap_or_default();
                parameters.refuse(name, "the parameter is not in UTF-8");
            }
        }
        Ok(parameters)
    }
}

impl Parameters {
    fn take(&mut self, name: &str) -> Option<String> {
        let index = self.left.iter().position(|(key, _)| key == name)?;
        let (_, value) = self.left.remove(index);
        if self.left.iter().any(|(key, _)| key == name) {
            self.left.retain(|(key, _)| key != name);
            self.refuse(name, "the parameter is given twice");
            return None;
        }
        if value.contains(|letter: char| letter.is_ascii_control()) {
            self.refuse(name, "control characters are not allowed");
            return None;
        }
        Some(value)
    }

    fn refuse(&mut self, name: &str, detail: impl Into<String>) {
        self.errors.push(FieldProblem::in_query(name, detail));
    }

    pub(super) fn parsed<T>(
        &mut self,
        name: &str,
        wanted: &str,
        parse: impl FnOnce(&str) -> Option<T>,
    ) -> Option<T> {
        let value = self.take(name)?;
        let parsed = parse(&value);
        if parsed.is_none() {
            self.refuse(name, format!("{wanted} is wanted here"));
        }
        parsed
    }

    /// Takes a parameter for one that has no value.
    pub(super) fn drop_empty(&mut self) {
        self.left.retain(|(_, value)| !value.is_empty());
    }

    /// Refuses a parameter that another reader would take.
    pub(super) fn forbid(&mut self, name: &str) {
        if self.take(name).is_some() {
            self.refuse(name, "this parameter is not known here");
        }
    }

    /// Gives a parameter another name and value; returns whether it was there.
    pub(super) fn rewrite(&mut self, name: &str, new: &str, value: impl Fn(&str) -> String) -> bool {
        let mut is_there = false;
        for (key, text) in self.left.iter_mut().filter(|(key, _)| key == name) {
            *text = value(text);
            new.clone_into(key);
            is_there = true;
        }
        is_there
    }

    /// Calls a parameter in what is wrong as its sender called it.
    pub(super) fn rename_in_errors(&mut self, name: &str, sent: &str) {
        for error in &mut self.errors {
            if error.parameter.as_deref() == Some(name) {
                error.parameter = Some(sent.to_owned());
            }
        }
    }

    fn boolean(&mut self, name: &str) -> Option<bool> {
        self.parsed(name, "true or false", |value| value.parse().ok())
    }

    fn bound(&mut self, name: &str) -> Option<When> {
        self.parsed(name, "RFC 3339 or a date", When::parse_bound)
    }

    /// Takes how many entries a page has.
    pub(super) fn limit(&mut self) -> u64 {
        self.parsed("limit", "a number from 1 to 200", |value| {
            value
                .parse()
                .ok()
                .filter(|limit| (1..=MOST_LIMIT).contains(limit))
        })
        .unwrap_or(DEFAULT_LIMIT)
    }

    /// Takes everything that a list of tasks knows; days are those of a zone.
    pub(super) fn task_query(&mut self, zone: &Zone) -> (TaskQuery, Option<Vec<String>>) {
        let is_searched = self.rewrite("search", "q", str::to_owned);
        let filter = self.task_filter(zone);
        let sort = self.parsed("sort", "at most three different sort keys", sort);
        let with_total = self.parsed("include", "total, tags or both with a comma", |value| {
            let mut names = value.split(',');
            // The tags of a task are part of it anyway.
            let is_known = names.all(|name| matches!(name, "total" | "tags"));
            is_known.then(|| value.split(',').any(|name| name == "total"))
        });
        let fields = self.parsed("fields", "names of a task's fields with commas", |value| {
            let names: Vec<String> = value.split(',').map(str::to_owned).collect();
            let is_known = names
                .iter()
                .all(|name| super::body::TASK_FIELDS.contains(&name.as_str()));
            is_known.then_some(names)
        });
        let query = TaskQuery {
            filter,
            sort: sort.unwrap_or_else(|| {
                vec![SortTerm {
                    key: SortKey::Id,
                    direction: Direction::Ascending,
                }]
            }),
            limit: self.limit(),
            after: None,
            skip: 0,
            with_total: with_total.unwrap_or_default(),
        };
        if is_searched {
            self.rename_in_errors("q", "search");
        }
        (query, fields)
    }

    /// Takes what a task must be to be on a list.
    fn task_filter(&mut self, zone: &Zone) -> TaskFilter {
        let completed = self.parsed("status", "all, pending or completed", |value| match value {
            "all" => Some(None),
            "pending" => Some(Some(false)),
            "completed" => Some(Some(true)),
            _ => None,
        });
        TaskFilter {
            completed: completed.flatten(),
            priorities: self
                .parsed("priority", "low, medium, high, or several with commas", |value| {
                    value.split(',').map(Priority::parse).collect()
                })
                .unwrap_or_default(),
            tags: self
                .parsed("tags", "names of tags with commas, at most 20,", |value| {
                    let names: Option<Vec<TagName>> =
                        value.split(',').map(|name| TagName::parse(name).ok()).collect();
                    names.filter(|names| names.len() <= 20)
                })
                .unwrap_or_default(),
            tags_match: self
                .parsed("tags_match", "all or any", |value| match value {
                    "all" => Some(TagsMatch::All),
                    "any" => Some(TagsMatch::Any),
                    _ => None,
                })
                .unwrap_or_default(),
            due_after: self.bound("due_after").map(|when| DueFrom::new(when, zone)),
            due_before: self.bound("due_before").map(|when| DueUntil::new(when, zone)),
            overdue: self.boolean("overdue"),
            has_due: self.boolean("has_due"),
            recurring: self.boolean("recurring"),
            updated_since: self
                .bound("updated_since")
                .map(|when| when.at(DayEdge::Start, zone)),
            text: self.parsed("q", "1 to 10 terms of at most 200 characters together", |value| {
                TextSearch::parse(value)
            }),
            ids: self
                .parsed("ids", "numbers of tasks with commas, at most 100,", |value| {
                    let ids: Option<Vec<i32>> = value.split(',').map(number).collect();
                    ids.filter(|ids| ids.len() <= MOST_IDS)
                })
                .unwrap_or_default(),
            view: self.parsed(
                "view",
                "today, overdue, upcoming or completed",
                |value| match value {
                    "today" => Some(View::Today),
                    "overdue" => Some(View::Overdue),
                    "upcoming" => Some(View::Upcoming),
                    "completed" => Some(View::Completed),
                    _ => None,
                },
            ),
            zone: zone.clone(),
        }
    }

    /// Takes where a list goes on.
    pub(super) fn cursor(&mut self) -> Option<String> {
        self.take("cursor")
    }

    /// Takes where the page begins, and refuses whatever else there is.
    pub(super) fn finish(mut self, app: &App, owner: &UserId) -> Result<Asked, Problem> {
        let cursor = self.cursor();
        self.finish_without_cursor()?;
        Asked::new(app, owner, self.path, self.all, cursor.as_deref())
    }

    /// Refuses whatever is wrong or was not taken.
    pub(super) fn finish_without_cursor(&mut self) -> Result<(), Problem> {
        let unknown: Vec<String> = self.left.drain(..).map(|(name, _)| name).collect();
        for name in unknown {
            self.refuse(&name, "this parameter is not known here");
        }
        match self.errors.is_empty() {
            true => Ok(()),
            false => Err(Problem::of_fields(
                Code::FilterInvalid,
                std::mem::take(&mut self.errors),
            )),
        }
    }
}

/// Reads a number that a task may have; a sign or spaces make none.
fn number(text: &str) -> Option<i32> {
    let is_plain = text.bytes().all(|byte| byte.is_ascii_digit());
    text.parse().ok().filter(|number| is_plain && *number > 0)
}

/// Reads `-priority,due_date`; the id is added at the end as the tie-break, upwards.
fn sort(text: &str) -> Option<Vec<SortTerm>> {
    let mut terms: Vec<SortTerm> = Vec::new();
    for part in text.split(',') {
        let (name, direction) = match part.strip_prefix('-') {
            Some(name) => (name, Direction::Descending),
            None => (part, Direction::Ascending),
        };
        let key = SortKey::ALL.into_iter().find(|key| key.name() == name)?;
        if terms.iter().any(|term| term.key == key) {
            return None;
        }
        terms.push(SortTerm { key, direction });
    }
    if terms.len() > 3 {
        return None;
    }
    match terms.iter().position(|term| term.key == SortKey::Id) {
        // Nothing behind the id can matter.
        Some(index) => terms.truncate(index + 1),
        None => terms.push(SortTerm {
            key: SortKey::Id,
            direction: Direction::Ascending,
        }),
    }
    Some(terms)
}
