//! Requests under a key: the row of the key is made first and is the lock, and the answer commits together with the effect.
//!
//! Nobody waits for a lock that a request of the same key holds: PostgreSQL is asked for an advisory lock that is refused at
//! once. SQLite has one writer at a time anyway, so whoever gets in finds either nothing or the answer.

use chrono::{DateTime, Utc};
use sea_orm::{DbBackend, DbErr, QueryResult, Statement, StatementBuilder, Value};
use seaworthy::sql::Dialect;

use super::{Scope, Store, StoreError};
use crate::domain::{Feature, Instant, Keyed, Record, RepeatKey};

/// What is found under a key.
pub(crate) enum Claim {
    /// Nothing: it is ours.
    Made,
    /// Another request.
    Foreign,
    /// The same request, and somebody works on it.
    Taken,
    /// The same request and its answer.
    Answered(Record),
}

/// Most rows that one sweep removes, so that nobody waits long behind it.
const BATCH: u64 = 500;

const CLAIM_POSTGRES: &str = "WITH turn AS MATERIALIZED (SELECT pg_try_advisory_xact_lock(\
    hashtextextended($1 || chr(31) || $2 || chr(31) || $3, 0)) AS is_ours), \
    made AS (INSERT INTO idempotency_keys (user_id, route, key, fingerprint, created_at, expires_at) \
    SELECT $1, $2, $3, $4, $5, $6 FROM turn WHERE is_ours ON CONFLICT (user_id, route, key) DO UPDATE \
    SET fingerprint = $4, created_at = $5, expires_at = $6, status = NULL, headers = NULL, body = NULL \
    WHERE idempotency_keys.expires_at <= $5 RETURNING 1) \
    SELECT is_ours, EXISTS (SELECT 1 FROM made) FROM turn";
const CLAIM_SQLITE: &str = "INSERT INTO idempotency_keys (user_id, route, key, fingerprint, created_at, expires_at) \
    VALUES ($1, $2, $3, $4, $5, $6) ON CONFLICT (user_id, route, key) DO UPDATE \
    SET fingerprint = $4, created_at = $5, expires_at = $6, status = NULL, headers = NULL, body = NULL \
    WHERE idempotency_keys.expires_at <= $5 RETURNING 1, 1";
const READ: &str = "SELECT fingerprint, status, headers, body FROM idempotency_keys \
    WHERE user_id = $1 AND route = $2 AND key = $3";
const KEEP: &str = "UPDATE idempotency_keys SET status = $4, headers = $5, body = $6 \
    WHERE user_id = $1 AND route = $2 AND key = $3";
const SWEEP_POSTGRES: &str = "DELETE FROM idempotency_keys WHERE ctid = ANY (ARRAY(SELECT ctid FROM idempotency_keys \
    WHERE expires_at <= $1 ORDER BY expires_at LIMIT $2 FOR UPDATE SKIP LOCKED))";
const SWEEP_SQLITE: &str = "DELETE FROM idempotency_keys WHERE rowid IN (SELECT rowid FROM idempotency_keys \
    WHERE expires_at <= $1 ORDER BY expires_at LIMIT $2)";

/// SQL with its values; both kinds of database take `$1`.
pub(super) struct Sql {
    pub(super) text: &'static str,
    pub(super) values: Vec<Value>,
}

impl StatementBuilder for Sql {
    fn build(&self, backend: &DbBackend) -> Statement {
        Statement::from_sql_and_values(*backend, self.text, self.values.clone())
    }
}

impl Store {
    /// Removes some keys whose time is over; returns whether there may be more of them.
    pub(crate) async fn sweep_keys(&self, now: Instant) -> Result<bool, StoreError> {
        if !self.shape().has(Feature::IdempotencyKeys) {
            return Ok(false);
        }
        let runner = self.runner();
        let text = match runner.dialect() {
            Dialect::Postgresql => SWEEP_POSTGRES,
            Dialect::Sqlite => SWEEP_SQLITE,
        };
        let limit = i64::try_from(BATCH).unwrap_or(i64::MAX);
        let values = vec![zoned(now).into(), limit.into()];
        Ok(runner.execute(&Sql { text, values }).await? >= BATCH)
    }
}

impl Scope {
    /// Makes a key ours until the transaction ends, unless there is something under it.
    pub(crate) async fn claim(&self, keyed: &Keyed, now: Instant) -> Result<Claim, StoreError> {
        let mut values = self.key(keyed);
        let until = zoned(now) + RepeatKey::KEPT;
        values.extend([keyed.fingerprint.as_str().into(), zoned(now).into(), until.into()]);
        match self.dialect() {
            Dialect::Postgresql => {
                let text = CLAIM_POSTGRES;
                let row = self.runner().one(&Sql { text, values }).await?;
                let row = row.ok_or(StoreError::KeyInProgress)?;
                let is_ours: bool = row.try_get_by_index(0)?;
                let is_made: bool = row.try_get_by_index(1)?;
                match (is_ours, is_made) {
                    (false, _) => return Ok(Claim::Taken),
                    (true, true) => return Ok(Claim::Made),
                    (true, false) => {}
                }
            }
            Dialect::Sqlite => {
                let text = CLAIM_SQLITE;
                if self.runner().one(&Sql { text, values }).await?.is_some() {
                    return Ok(Claim::Made);
                }
            }
        }
        let values = self.key(keyed);
        match self.runner().one(&Sql { text: READ, values }).await? {
            Some(row) => Ok(found(&row, keyed)?),
            // Swept this very moment.
            None => Ok(Claim::Taken),
        }
    }

    /// Keeps an answer under a key that is ours.
    pub(crate) async fn keep(&self, keyed: &Keyed, record: &Record) -> Result<(), StoreError> {
        let mut values = self.key(keyed);
        values.extend([
            i32::from(record.kind).into(),
            record.head.as_str().into(),
            record.body.as_str().into(),
        ]);
        self.runner().execute(&Sql { text: KEEP, values }).await.map(drop)
    }

    fn key(&self, keyed: &Keyed) -> Vec<Value> {
        vec![
            self.owner.as_str().into(),
            keyed.route.as_str().into(),
            keyed.key.as_str().into(),
        ]
    }
}

fn found(row: &QueryResult, keyed: &Keyed) -> Result<Claim, DbErr> {
    let fingerprint: String = row.try_get_by_index(0)?;
    if fingerprint != keyed.fingerprint {
        return Ok(Claim::Foreign);
    }
    let kind: Option<i32> = row.try_get_by_index(1)?;
    let Some(kind) = kind.and_then(|kind| u16::try_from(kind).ok()) else {
        return Ok(Claim::Taken);
    };
    let head: Option<String> = row.try_get_by_index(2)?;
    let body: Option<String> = row.try_get_by_index(3)?;
    Ok(Claim::Answered(Record {
        kind,
        head: head.unwrap_or_default(),
        body: body.unwrap_or_default(),
    }))
}

/// These columns keep a zone, unlike the inherited ones.
fn zoned(moment: Instant) -> DateTime<Utc> {
    moment.to_utc().and_utc()
}
