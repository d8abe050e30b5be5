//! A page of a list: where it begins, and what the next one is called.

use axum::http::{HeaderValue, header};
use axum::response::Response;
use serde::Serialize;

use super::codes::Code;
use super::conditional::IfNoneMatch;
use super::cursor::Binding;
use super::problem::Problem;
use crate::domain::{Cursor, Page, Since, UserId};
use crate::service::Seen;
use crate::state::App;

/// Parameters that choose a part of a list and not what is in it.
const NOT_BINDING: [&str; 4] = ["cursor", "limit", "fields", "include"];

/// A list with its filter, for one owner, and where the wanted page begins.
pub(super) struct Asked {
    pub(super) after: Option<Cursor>,
    key: Vec<u8>,
    owner: UserId,
    path: String,
    parameters: Vec<(String, String)>,
}

impl Asked {
    /// Takes a cursor that was given for this very list.
    pub(super) fn new(
        app: &App,
        owner: &UserId,
        path: String,
        parameters: Vec<(String, String)>,
        cursor: Option<&str>,
    ) -> Result<Self, Problem> {
        let mut asked = Self {
            after: None,
            key: app.cursor_key().to_vec(),
            owner: owner.clone(),
            path,
            parameters,
        };
        asked.after = cursor.map(|text| asked.binding().open(text)).transpose()?;
        Ok(asked)
    }

    /// Answers with a page, made of what was found and the cursor of the next one, and with the link to that.
    pub(super) fn answer<D, B: Serialize>(
        &self,
        seen: &IfNoneMatch,
        found: Seen<Page<D>>,
        body: impl FnOnce(Page<D>, Option<String>) -> B,
    ) -> Response {
        let next = found.value.next.as_ref().map(|next| self.sealed(next));
        let link = next.as_deref().and_then(|next| self.link(next));
        let mut response = seen.answer_hashed(&found.revision, &body(found.value, next));
        response
            .headers_mut()
            .extend(link.map(|link| (header::LINK, link)));
        response
    }

    /// Returns the position in a list of changes that was given.
    pub(super) fn since(&self) -> Result<Option<Since>, Problem> {
        let position = |cursor| Since::from_cursor(cursor).ok_or_else(|| Problem::new(Code::CursorInvalid));
        self.after.as_ref().map(position).transpose()
    }

    /// Returns a cursor of this list as its reader carries it.
    pub(super) fn sealed(&self, cursor: &Cursor) -> String {
        self.binding().seal(cursor)
    }

    fn binding(&self) -> Binding<'_> {
        let mut filter: Vec<&(String, String)> = self
            .parameters
            .iter()
            .filter(|(name, _)| !NOT_BINDING.contains(&name.as_str()))
            .collect();
        filter.sort();
        Binding {
            key: &self.key,
            owner: &self.owner,
            list: format!("{} {filter:?}", self.path),
        }
    }

    fn link(&self, next: &str) -> Option<HeaderValue> {
        let mut query = form_urlencoded::Serializer::new(String::new());
        for (name, value) in self.parameters.iter().filter(|(name, _)| name != "cursor") {
            query.append_pair(name, value);
        }
        query.append_pair("cursor", next);
        HeaderValue::from_str(&format!("<{}?{}>; rel=\"next\"", self.path, query.finish())).ok()
    }
}
