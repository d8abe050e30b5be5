//! Several operations on tasks in one request.

use std::collections::{BTreeMap, HashSet};

use axum::extract::State;
use axum::response::Response;
use serde::Serialize;
use serde_json::Value;
use utoipa::ToSchema;

use super::body::{new_task, task_patch};
use super::codes::Code;
use super::conditional::precondition;
use super::extract::CurrentUser;
use super::fields::{Fields, boolean, list, object, read_body, text, whole};
use super::once::{Post, Reply, answer, stated, under_key};
use super::openapi::{
    DescribedOperation, Everywhere, OnOne, Once, Preconditioned, Prefer, RequiredKey, WithBody,
};
use super::problem::{FieldProblem, ItemProblem, Problem};
use super::zone::InZone;
use crate::domain::{Bulk, Change, Operation, Precondition, Rule, Target, Versioned, Violation, Zone};
use crate::service::{BulkItem, Failure, Seen};
use crate::state::App;

read_body! {
    /// Operations on tasks, carried out one after the other.
    #[schema(as = BulkCreate, example = json!({"atomic": true, "operations": [
        {"op": "create", "temp_id": "hull", "data": {"title": "Caulk the hull"}},
        {"op": "update", "id": "hull", "data": {"description": "Before the rain"}},
        {"op": "complete", "id": "hull", "if_match": "*"}]}))]
    BulkBody {
        /// Whether nothing is done when one operation fails, which is so when this is absent. Otherwise each that can be is done, and
        /// `results` tells which.
        #[schema(nullable = false)]
        atomic: Option<bool> = optional(boolean);
        /// 1 to 100.
        #[schema(value_type = Vec<DescribedOperation>, min_items = 1, max_items = 100)]
        operations: Vec<Value> = required(Rule::General, operations);
    }
}

/// What became of the operations.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = BulkResult)]
pub(super) struct BulkResultBody {
    /// One for each operation, in their order.
    results: Vec<ItemBody>,
    /// The numbers of the tasks that had a `temp_id`.
    #[schema(example = json!({"hull": 7}))]
    temp_id_mapping: BTreeMap<String, i32>,
}

/// What became of one operation.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = BulkItem)]
pub(super) struct ItemBody {
    /// Which operation.
    #[schema(minimum = 0, maximum = 99)]
    index: usize,
    /// The status that the operation alone would have had.
    #[schema(example = 201)]
    status: u16,
    /// The number of the task.
    #[schema(required = true)]
    id: Option<i32>,
    /// The task's entity tag.
    #[schema(required = true)]
    etag: Option<String>,
    /// Why it was not done.
    #[schema(required = true)]
    problem: Option<ItemProblem>,
}

/// Most bytes of an answer: what is kept under a key.
const MOST_ANSWER_BYTES: usize = 64 * 1024;

/// Carry out several operations
///
/// In one transaction, each seeing what those before it did. By default all or nothing: the first operation that fails is named
/// in `errors` by its place, and nothing is done. With `atomic: false` each stands for itself. The key is required, because a
/// repeated bulk request does the most harm.
#[utoipa::path(post, path = "/api/v1/tasks/bulk", operation_id = "bulkTasks", tag = "tasks", params(RequiredKey, Prefer),
    request_body = BulkBody,
    responses((status = 200, description = "What became of each", body = BulkResultBody),
              Once, Preconditioned, WithBody, OnOne, Everywhere))]
pub(super) async fn carry_out(
    State(app): State<App>,
    CurrentUser(user): CurrentUser,
    zone: InZone,
    post: Post,
) -> Result<Response, Problem> {
    let zone = zone.of(&app, &user).await?;
    let Some(keyed) = &post.keyed else {
        return Err(Problem::new(Code::KeyInvalid).detail(
            "a bulk request needs the header Idempotency-Key: any new word of your own, a UUID for example",
        ));
    };
    let read = read(post.fields, &zone)?;
    let reply = |seen: &_| read.reply(seen);
    let under_key = under_key(Some(keyed), reply);
    let posted = app.services().bulk(&user, &read.bulk, under_key).await;
    Ok(answer(posted.map_err(problem)?, reply))
}

fn problem(failure: Failure) -> Problem {
    Problem::of(failure, Code::TaskNotFound)
}

/// What was asked for, as far as it makes sense.
struct Read {
    bulk: Bulk,
    /// Operations that make none; never when all or nothing is wanted.
    refused: Vec<(usize, Problem)>,
    temp_ids: Vec<(usize, String)>,
}

impl Read {
    fn reply(&self, seen: &Seen<Vec<(usize, BulkItem)>>) -> Reply {
        let refused = self
            .refused
            .iter()
            .map(|(index, problem)| ItemBody::failed(*index, problem.clone()));
        let done = seen
            .value
            .iter()
            .map(|(index, item)| ItemBody::of(*index, item, &seen.revision));
        let mut results: Vec<ItemBody> = refused.chain(done).collect();
        results.sort_unstable_by_key(|item| item.index);
        let made = |index: usize| results.iter().find(|item| item.index == index)?.id;
        let temp_id_mapping = self
            .temp_ids
            .iter()
            .filter_map(|(index, name)| Some((name.clone(), made(*index)?)))
            .collect();
        let mut body = BulkResultBody {
            results,
            temp_id_mapping,
        };
        let reply = stated(&body, &seen.revision);
        if reply.body.len() <= MOST_ANSWER_BYTES {
            return reply;
        }
        // `errors` echoes what was sent, which may be much; the codes stay.
        let problems = body.results.iter_mut().filter_map(|item| item.problem.as_mut());
        problems.for_each(|problem| problem.errors.clear());
        stated(&body, &seen.revision)
    }
}

impl ItemBody {
    fn of(index: usize, item: &BulkItem, revision: &str) -> Self {
        let (status, task) = match item {
            BulkItem::Made(task) => (201, task),
            BulkItem::Changed(task) => (200, task),
            BulkItem::Removed(id) => {
                return Self {
                    index,
                    status: 204,
                    id: Some(*id),
                    etag: None,
                    problem: None,
                };
            }
            BulkItem::Failed(failure) => return Self::failed(index, of_item(failure).in_operation(index)),
        };
        Self {
            index,
            status,
            id: Some(task.id),
            etag: Some(format!("\"{}\"", task.version(revision).as_str())),
            problem: None,
        }
    }

    fn failed(index: usize, problem: Problem) -> Self {
        let problem = problem.item();
        Self {
            index,
            status: problem.status,
            id: None,
            etag: None,
            problem: Some(problem),
        }
    }
}

/// Returns what is wrong with one operation; what is wrong with the database is a failure of all of them.
fn of_item(failure: &Failure) -> Problem {
    match failure {
        Failure::Missing(missing) => problem(Failure::Missing(missing.clone())),
        Failure::Changed { current } => problem(Failure::Changed {
            current: current.clone(),
        }),
        _ => problem(Failure::NotFound),
    }
}

fn operations(value: &Value) -> Result<Vec<Value>, Violation> {
    let operations = list(Bulk::MOST, object)(value)?;
    match operations.is_empty() {
        true => Err(Violation::new(
            Rule::General,
            "at least one operation is wanted here",
        )),
        false => Ok(operations),
    }
}

fn read(fields: Fields, zone: &Zone) -> Result<Read, Problem> {
    let body = BulkBody::read(fields)?;
    let is_atomic = body.atomic.unwrap_or(true);
    let mut read = Read {
        bulk: Bulk {
            is_atomic,
            operations: Vec::new(),
        },
        refused: Vec::new(),
        temp_ids: Vec::new(),
    };
    let mut known = HashSet::new();
    for (index, value) in body.operations.into_iter().enumerate() {
        let name = value["temp_id"].as_str().filter(|_| value["op"] == "create");
        let name = name.map(str::to_owned);
        match operation(value, &known, zone) {
            Ok(operation) => read.bulk.operations.push((index, operation)),
            Err(problem) => read.refused.push((index, problem.in_operation(index))),
        }
        if let Some(name) = name {
            known.insert(name.clone());
            read.temp_ids.push((index, name));
        }
    }
    match is_atomic && !read.refused.is_empty() {
        true => Err(Problem::of_several(
            read.refused.into_iter().map(|(_, problem)| problem).collect(),
        )),
        false => Ok(read),
    }
}

/// Reads an operation; `known` are the temporary ids of those before it.
fn operation(value: Value, known: &HashSet<String>, zone: &Zone) -> Result<Operation, Problem> {
    let mut fields = Fields::of(value)?;
    let word = fields.required("op", Rule::General, |value| {
        let word = value.as_str().filter(|word| WORDS.contains(word));
        word.map(str::to_owned).ok_or_else(|| {
            Violation::new(
                Rule::General,
                "an operation is create, update, delete, complete or uncomplete",
            )
        })
    });
    if word.as_deref() == Some("create") {
        return creation(fields, known, zone);
    }
    let target = fields.required("id", Rule::General, |value| target(value, known));
    let wanted = fields.optional(
        "if_match",
        text(Rule::General, |tag| {
            precondition(tag)
                .ok_or_else(|| Violation::new(Rule::General, "an entity tag or * is wanted here"))
        }),
    );
    let patch = match word.as_deref() {
        Some("update") => fields.required("data", Rule::General, object),
        _ => None,
    };
    fields.finish()?;
    let target = target.expect("a missing id was refused").ok_or_else(|| {
        let unknown = FieldProblem {
            pointer: Some("/id".to_owned()),
            parameter: None,
            code: Code::TaskNotFound.code(),
            detail: "no operation before this one has this temp_id".to_owned(),
        };
        Problem::of_fields(Code::TaskNotFound, vec![unknown])
    })?;
    let change = match word.as_deref() {
        Some("delete") => Change::Delete,
        Some("uncomplete") => Change::Complete(false),
        Some("complete") => Change::Complete(true),
        _ => {
            let data = Fields::of(patch.expect("a missing member was refused"))?;
            Change::Update(task_patch(data, zone).map_err(|problem| problem.in_member("data"))?)
        }
    };
    Ok(Operation::Change {
        target,
        precondition: wanted.unwrap_or(Precondition::None),
        change,
    })
}

const WORDS: [&str; 5] = ["create", "update", "delete", "complete", "uncomplete"];

fn creation(mut fields: Fields, known: &HashSet<String>, zone: &Zone) -> Result<Operation, Problem> {
    let data = fields.required("data", Rule::General, object);
    let temp_id = fields.optional(
        "temp_id",
        text(Rule::General, |name| {
            let length = name.chars().count();
            match (1..=Bulk::LONGEST_TEMP_ID).contains(&length) && !known.contains(name) {
                true => Ok(name.to_owned()),
                false => Err(Violation::new(
                    Rule::General,
                    "a name of 1 to 64 characters that no operation before this one has is wanted here",
                )),
            }
        }),
    );
    fields.finish()?;
    let data = Fields::of(data.expect("a missing member was refused"))?;
    Ok(Operation::Create {
        new: new_task(data, zone).map_err(|problem| problem.in_member("data"))?,
        temp_id,
    })
}

/// Reads which task is meant; nothing when no operation before has this temporary id.
fn target(value: &Value, known: &HashSet<String>) -> Result<Option<Target>, Violation> {
    match value {
        Value::String(name) => Ok(known.contains(name).then(|| Target::Temp(name.clone()))),
        // A number that no task can have is not found, like any other.
        other => match whole(other) {
            Some(id) => Ok(Some(Target::Id(i32::try_from(id).unwrap_or_default()))),
            None => Err(Violation::new(
                Rule::General,
                "the number of a task or a temp_id is wanted here",
            )),
        },
    }
}
