//! The original's query: its names for what the service's own list of tasks knows, too.

use crate::domain::{Direction, TaskQuery, Zone};
use crate::http::parameters::Parameters;

const DEFAULT_LIMIT: u64 = 100;
const MOST_LIMIT: u64 = 1000;
const MOST_OFFSET: u64 = 100_000;

impl Parameters {
    /// Takes everything that the original's list of tasks knows. An empty value is none.
    pub(super) fn compat_task_query(&mut self, zone: &Zone) -> TaskQuery {
        self.drop_empty();
        for name in ["q", "include", "fields", "ids", "view"] {
            self.forbid(name);
        }
        let number = |most: u64, least: u64| {
            move |value: &str| {
                value
                    .parse()
                    .ok()
                    .filter(|number| (least..=most).contains(number))
            }
        };
        let limit = self.parsed("limit", "a number from 1 to 1000", number(MOST_LIMIT, 1));
        let offset = self.parsed("offset", "a number up to 100000", number(MOST_OFFSET, 0));
        let is_descending = self.parsed("order", "asc or desc", |value| match value {
            "asc" => Some(false),
            "desc" => Some(true),
            _ => None,
        });
        let (mut query, _) = self.task_query(zone);
        if is_descending == Some(true) {
            // Each key that is asked for, and of those with none the one that there is by default; not the tie-break.
            let ties = query.sort.len() - 1;
            let asked = query.sort.iter_mut().enumerate();
            asked
                .filter(|(index, _)| *index < ties || ties == 0)
                .for_each(|(_, term)| term.direction = Direction::Descending);
        }
        TaskQuery {
            limit: limit.unwrap_or(DEFAULT_LIMIT),
            skip: offset.unwrap_or_default(),
            with_total: true,
            ..query
        }
    }
}
