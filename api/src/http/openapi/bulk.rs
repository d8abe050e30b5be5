//! The operations of a bulk request: an object for each kind, told apart by `op`.

use std::borrow::Cow;

use serde_json::{Value, json};
use utoipa::openapi::schema::{AdditionalProperties, Object, ObjectBuilder, OneOfBuilder, Schema, Type};
use utoipa::openapi::{Ref, RefOr};
use utoipa::{PartialSchema, ToSchema};

use crate::domain::Bulk;
use crate::http::body::{NewTaskBody, TaskNumber, TaskPatchBody};

/// One of several operations.
pub(in crate::http) struct DescribedOperation;

/// What operations of one kind look like.
struct Kind {
    word: &'static str,
    schema: &'static str,
    description: &'static str,
    /// The schema of `data`, where there is such a member.
    data: Option<&'static str>,
}

const KINDS: [Kind; 5] = [
    Kind {
        word: "create",
        schema: "CreateOperation",
        description: "Makes a task of `data`.",
        data: Some("TaskCreate"),
    },
    Kind {
        word: "update",
        schema: "UpdateOperation",
        description: "Changes what `data` names.",
        data: Some("TaskPatch"),
    },
    Kind {
        word: "delete",
        schema: "DeleteOperation",
        description: "Removes the task.",
        data: None,
    },
    Kind {
        word: "complete",
        schema: "CompleteOperation",
        description: "Sets the task done.",
        data: None,
    },
    Kind {
        word: "uncomplete",
        schema: "UncompleteOperation",
        description: "Sets the task not done.",
        data: None,
    },
];

impl ToSchema for DescribedOperation {
    fn name() -> Cow<'static, str> {
        "Operation".into()
    }

    fn schemas(schemas: &mut Vec<(String, RefOr<Schema>)>) {
        schemas.extend(
            KINDS
                .iter()
                .map(|kind| (kind.schema.to_owned(), kind.object().into())),
        );
        schemas.push((TaskNumber::name().into_owned(), TaskNumber::schema()));
        schemas.push(("TemporaryId".to_owned(), temporary_id().into()));
        schemas.push((NewTaskBody::name().into_owned(), NewTaskBody::schema()));
        schemas.push((TaskPatchBody::name().into_owned(), TaskPatchBody::schema()));
        NewTaskBody::schemas(schemas);
        TaskPatchBody::schemas(schemas);
    }
}

impl PartialSchema for DescribedOperation {
    fn schema() -> RefOr<Schema> {
        // Without a discriminator: the words of `op` tell them apart as well, and some generators would send it twice.
        let kinds = KINDS.iter().fold(OneOfBuilder::new(), |kinds, kind| {
            kinds.item(Ref::from_schema_name(kind.schema))
        });
        kinds
            .description(Some("One operation, told from the others by `op`."))
            .into()
    }
}

impl Kind {
    fn object(&self) -> Object {
        let word = ObjectBuilder::new()
            .schema_type(Type::String)
            .enum_values(Some([self.word]));
        let object = ObjectBuilder::new().property("op", word).required("op");
        let object = match self.is_creation() {
            true => object.property("temp_id", Ref::from_schema_name("TemporaryId")),
            false => object
                .property("id", task())
                .required("id")
                .property("if_match", state()),
        };
        let object = match self.data {
            Some(schema) => object
                .property("data", Ref::from_schema_name(schema))
                .required("data"),
            None => object,
        };
        object
            .description(Some(self.description))
            .additional_properties(Some(AdditionalProperties::<Schema>::FreeForm(false)))
            .examples([self.example()])
            .build()
    }

    fn is_creation(&self) -> bool {
        self.word == "create"
    }

    fn example(&self) -> Value {
        match self.word {
            "create" => json!({"op": "create", "temp_id": "hull", "data": {"title": "Caulk the hull"}}),
            "update" => json!({"op": "update", "id": 1, "data": {"description": "Before the rain"}}),
            word => json!({"op": word, "id": 1}),
        }
    }
}

fn temporary_id() -> Object {
    ObjectBuilder::new()
        .schema_type(Type::String)
        .description(Some(
            "What later operations call the new task; no two may have the same.",
        ))
        .min_length(Some(1))
        .max_length(Some(Bulk::LONGEST_TEMP_ID))
        .build()
}

fn task() -> Schema {
    OneOfBuilder::new()
        .item(Ref::from_schema_name(TaskNumber::name()))
        .item(Ref::from_schema_name("TemporaryId"))
        .description(Some(
            "Which task: its number, or the `temp_id` of a `create` before this operation.",
        ))
        .into()
}

fn state() -> Object {
    ObjectBuilder::new()
        .schema_type(Type::String)
        .description(Some("The entity tag that the task must have, or `*` for any."))
        .pattern(Some(r#"^(\*|"[!#-~]*")$"#))
        .examples([json!("*")])
        .build()
}
