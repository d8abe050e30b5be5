//! Texts that nobody has folded yet: those from before, and those of writers who know nothing of it.

use seaworthy::sql::Dialect;

use super::keys::Sql;
use super::{Store, StoreError};
use crate::domain::Feature;

/// What a task says, where some of it is not folded.
#[derive(Clone, Debug)]
pub(crate) struct UnfoldedText {
    /// The task.
    pub(crate) id: i32,
    /// Its title.
    pub(crate) title: String,
    /// Its description.
    pub(crate) description: Option<String>,
}

/// Most tasks that are read at a time.
const BATCH: i64 = 200;

// The conditions are those of the index of phase XVII, so that nothing is read where there is nothing to do.
const UNFOLDED_POSTGRES: &str = "SELECT id, title, description FROM tasks \
    WHERE (title_folded IS NULL AND octet_length(title) > length(title)) \
    OR (description_folded IS NULL AND octet_length(description) > length(description)) ORDER BY id LIMIT $1";
const UNFOLDED_SQLITE: &str = "SELECT id, title, description FROM tasks \
    WHERE (title_folded IS NULL AND length(CAST(title AS blob)) > length(title)) \
    OR (description_folded IS NULL AND length(CAST(description AS blob)) > length(description)) ORDER BY id LIMIT $1";
const KEEP: &str = "UPDATE tasks SET title_folded = $1, description_folded = $2 \
    WHERE id = $3 AND title = $4 AND description IS NOT DISTINCT FROM $5";

impl Store {
    /// Returns some tasks whose texts are to be folded; fewer than fit where there are no more.
    pub(crate) async fn unfolded_texts(&self) -> Result<(Vec<UnfoldedText>, bool), StoreError> {
        if !self.shape().has(Feature::FoldedText) {
            return Ok((Vec::new(), false));
        }
        let runner = self.runner();
        let text = match runner.dialect() {
            Dialect::Postgresql => UNFOLDED_POSTGRES,
            Dialect::Sqlite => UNFOLDED_SQLITE,
        };
        let values = vec![BATCH.into()];
        let rows = runner.all(&Sql { text, values }).await?;
        let mut texts = Vec::with_capacity(rows.len());
        for row in &rows {
            texts.push(UnfoldedText {
                id: row.try_get_by_index(0)?,
                title: row.try_get_by_index(1)?,
                description: row.try_get_by_index(2)?,
            });
        }
        let may_be_more = texts.len() as u64 >= BATCH.unsigned_abs();
        Ok((texts, may_be_more))
    }

    /// Keeps the folded texts of a task, unless it says something else by now.
    pub(crate) async fn keep_folded(
        &self,
        text: UnfoldedText,
        (title, description): (Option<String>, Option<String>),
    ) -> Result<(), StoreError> {
        let values = vec![
            title.into(),
            description.into(),
            text.id.into(),
            text.title.into(),
            text.description.into(),
        ];
        self.runner().execute(&Sql { text: KEEP, values }).await.map(drop)
    }
}
