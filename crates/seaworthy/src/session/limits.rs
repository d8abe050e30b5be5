//! The limits of a run, told to the code of a revision through the connection that it works on.

use std::time::Duration;

use sea_orm::{DbErr, QueryResult};

use super::Settings;

const LOCK_TIMEOUT: &str = "seaworthy.lock_timeout";
const LOCK_BUDGET: &str = "seaworthy.lock_budget";
const LOCK_RETRIES: &str = "seaworthy.lock_retries";
const HOLD_TIMEOUT: &str = "seaworthy.hold_timeout";

/// How patient the tries of an operation are. Zero is no limit, as with PostgreSQL's own settings.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Limits {
    /// Longest wait for a lock.
    pub lock_timeout: Duration,
    /// How long tries go on.
    pub lock_budget: Duration,
    /// Most tries after the first.
    pub lock_retries: u32,
    /// Longest run of a statement that holds others up.
    pub hold_timeout: Duration,
}

impl Limits {
    pub(crate) fn of(settings: &Settings, lock_retries: u32) -> Self {
        Self {
            lock_timeout: settings.lock_timeout,
            lock_budget: settings.lock_budget,
            lock_retries,
            hold_timeout: settings.hold_timeout,
        }
    }

    /// Returns the statements that tell a session, on PostgreSQL: any role may set names with a dot (manual, "Customized
    /// Options").
    pub(super) fn to_sql(self) -> String {
        let Self {
            lock_timeout,
            lock_budget,
            lock_retries,
            hold_timeout,
        } = self;
        format!(
            "SET {LOCK_TIMEOUT} = '{}'; SET {LOCK_BUDGET} = '{}'; SET {LOCK_RETRIES} = '{lock_retries}'; \
             SET {HOLD_TIMEOUT} = '{}'",
            lock_timeout.as_millis(),
            lock_budget.as_millis(),
            hold_timeout.as_millis(),
        )
    }

    /// Returns the columns that a query reads them with.
    pub(crate) fn columns() -> String {
        [LOCK_TIMEOUT, LOCK_BUDGET, LOCK_RETRIES, HOLD_TIMEOUT]
            .map(|name| format!("current_setting('{name}', true) AS \"{name}\""))
            .join(", ")
    }

    /// Reads them from a row of such a query; what the session was not told is as it is where nothing was chosen.
    pub(crate) fn read(row: &QueryResult) -> Result<Self, DbErr> {
        let told = |name: &str| -> Result<Option<u64>, DbErr> {
            let text: Option<String> = row.try_get("", name)?;
            Ok(text.and_then(|digits| digits.parse().ok()))
        };
        let mut limits = Self::default();
        for (name, limit) in [
            (LOCK_TIMEOUT, &mut limits.lock_timeout),
            (LOCK_BUDGET, &mut limits.lock_budget),
            (HOLD_TIMEOUT, &mut limits.hold_timeout),
        ] {
            if let Some(milliseconds) = told(name)? {
                *limit = Duration::from_millis(milliseconds);
            }
        }
        if let Some(retries) = told(LOCK_RETRIES)? {
            limits.lock_retries = u32::try_from(retries).unwrap_or(u32::MAX);
        }
        Ok(limits)
    }
}

impl Default for Limits {
    fn default() -> Self {
        Self::of(&Settings::default(), u32::MAX)
    }
}
