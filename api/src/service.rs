//! Use cases: one unit of work each, the same for every door of the product.

pub(crate) use accounts::{Authority, Refusal, Registration, SignedIn};
pub(crate) use bulk::BulkItem;
pub(crate) use changes::{Follower, Heard};
pub(crate) use once::{Posted, UnderKey};

pub(crate) use crate::store::{
    KnownRevision, Principal, SchemaStatus, StoreError as Failure, UnknownRevision,
};

mod accounts;
mod bulk;
mod changes;
mod conversations;
mod me;
mod memory;
mod once;
mod schema;
mod sweep;
mod tags;
mod tasks;

use std::sync::Arc;
use std::sync::atomic::AtomicU64;

use futures_util::TryFutureExt;

use crate::domain::{Clock, Instant, Precondition, Version, Versioned};
use crate::store::{Scope, Store};
use memory::Memory;

/// The use cases.
#[derive(Clone)]
pub(crate) struct Services {
    store: Store,
    clock: Clock,
    authority: Arc<Authority>,
    memory: Memory,
    /// How often the database said that the schema may have moved.
    hints: Arc<AtomicU64>,
}

/// A result with the revision of the schema that it was worked out on.
#[derive(Clone, Debug)]
pub(crate) struct Seen<T> {
    pub(crate) value: T,
    pub(crate) revision: String,
}

impl Services {
    pub(crate) fn new(store: Store, clock: Clock, authority: Authority) -> Self {
        Self {
            store,
            clock,
            authority: Arc::new(authority),
            memory: Memory::default(),
            hints: Arc::default(),
        }
    }

    pub(crate) fn now(&self) -> Instant {
        self.clock.now()
    }

    async fn run<T, F>(&self, principal: &Principal, work: impl Fn(Scope) -> F) -> Result<Seen<T>, Failure>
    where
        F: Future<Output = Result<T, Failure>>,
    {
        self.store
            .run(principal, |scope| {
                let revision = scope.revision().to_owned();
                // An async block would hold the work twice: as it is handed over, and where it is waited for.
                work(scope).map_ok(|value| Seen { value, revision })
            })
            .await
    }
}

impl<T: Versioned> Seen<T> {
    /// Returns the state that was seen.
    pub(crate) fn version(&self) -> Version {
        self.value.version(&self.revision)
    }
}

/// Refuses to write what is in another state than whoever wants it has seen.
fn check(scope: &Scope, current: &impl Versioned, precondition: &Precondition) -> Result<(), Failure> {
    let current = current.version(scope.revision());
    match precondition.allows(&current) {
        true => Ok(()),
        false => Err(Failure::Changed { current }),
    }
}
