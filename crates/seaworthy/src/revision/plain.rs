//! Lists that hold revisions and plain SeaORM migrations side by side.
//!
//! `sea-orm-cli migrate generate` writes migrations that know nothing of headers and registers them as
//! `Box::new(m::Migration)` in the one `vec![...]` of the file. [`revision_vec!`](crate::revision_vec) takes both kinds.

use sea_orm_migration::{DbErr, MigrationName, MigrationTrait, SchemaManager};

use super::Revision;

/// Collects boxed migrations into a `Vec<Box<dyn Revision>>`, whether or not they implement [`Revision`].
///
/// Its name ends in `vec` because `sea-orm-cli migrate generate` looks for the text `vec![` to add an entry.
/// The choice is made by method resolution: the impl for revisions takes one reference less than the one for plain
/// migrations, so it wins where both apply.
#[macro_export]
macro_rules! revision_vec {
    ($($boxed:expr),* $(,)?) => {
        ::std::vec![$({
            #[allow(unused_imports, reason = "each entry needs only one of the two")]
            use $crate::revision::{ViaMigration as _, ViaRevision as _};
            let tag = $crate::revision::Tag(::std::cell::Cell::new(Some($boxed)));
            (&&tag).take_revision()
        }),*]
    };
}

/// A migration without a header.
pub struct Plain(pub Box<dyn MigrationTrait>);

/// Carries one entry of [`revision_vec!`](crate::revision_vec) to the impl that fits it.
pub struct Tag<T>(pub std::cell::Cell<Option<Box<T>>>);

/// Takes an entry that is a [`Revision`].
pub trait ViaRevision {
    /// Returns the entry as it is.
    fn take_revision(&self) -> Box<dyn Revision>;
}

/// Takes an entry that is a migration and nothing more.
pub trait ViaMigration {
    /// Returns the entry as a [`Plain`] revision.
    fn take_revision(&self) -> Box<dyn Revision>;
}

impl<T: Revision + 'static> ViaRevision for &Tag<T> {
    fn take_revision(&self) -> Box<dyn Revision> {
        self.0.take().expect("the macro fills the tag and reads it once")
    }
}

impl<T: MigrationTrait + 'static> ViaMigration for Tag<T> {
    fn take_revision(&self) -> Box<dyn Revision> {
        Box::new(Plain(
            self.0.take().expect("the macro fills the tag and reads it once"),
        ))
    }
}

impl Revision for Plain {}

impl MigrationName for Plain {
    fn name(&self) -> &str {
        self.0.name()
    }
}

#[async_trait::async_trait]
impl MigrationTrait for Plain {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        self.0.up(manager).await
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        self.0.down(manager).await
    }

    fn use_transaction(&self) -> Option<bool> {
        self.0.use_transaction()
    }
}
