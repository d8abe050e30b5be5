//! The schema that the entities declare: each entity, and what its attributes cannot say.
//!
//! `check` compares it with a database, `revision --autogenerate` writes what is missing. Revisions never read it.

use entity::{
    api_token, conversation, idempotency_key, message, password_credential, session, tag, task, task_event,
    task_tag, user,
};
use seaworthy::catalog::{Dialect, Extra, Index, IndexPart, Target};

/// Returns the tables of the Todo database at head.
#[must_use]
pub fn target() -> Target {
    Target::new()
        .entity(user::Entity)
        .entity(task::Entity)
        .entity(tag::Entity)
        .entity(task_tag::Entity)
        .entity(conversation::Entity)
        .entity(message::Entity)
        .entity(password_credential::Entity)
        .entity(session::Entity)
        .entity(api_token::Entity)
        .entity(idempotency_key::Entity)
        .entity(task_event::Entity)
        .extra(defaults)
        .extra(words)
        .extra(indexes)
        .extra(task_lists)
        .complete()
}

fn defaults(extra: &mut Extra) {
    const NOW: &str = "CURRENT_TIMESTAMP";
    for table in ["users", "tasks", "tags", "conversations", "messages"] {
        extra.table(table).default("created_at", NOW);
    }
    for table in ["tasks", "conversations"] {
        extra.table(table).default("updated_at", NOW);
    }
    // SQLite keeps the text that it is given, in UTC, and those who write it stay with what they have.
    if extra.dialect() == Some(Dialect::Sqlite) {
        for (table, columns) in [
            ("users", &["created_at"][..]),
            ("tasks", &["created_at", "updated_at", "due_date", "remind_at"]),
            ("tags", &["created_at"]),
            ("conversations", &["created_at", "updated_at"]),
            ("messages", &["created_at"]),
        ] {
            for column in columns {
                extra
                    .table(table)
                    .column(column, |column| column.data_type = "timestamp_text".into());
            }
        }
    }
    extra
        .table("tasks")
        .default("completed", "false")
        .default("priority", "'medium'");
    extra.table("conversations").default("title", "''");
}

fn words(extra: &mut Extra) {
    extra
        .table("tasks")
        .check("tasks_priority_check", "priority IN ('low', 'medium', 'high')");
    extra
        .table("messages")
        .check("messages_role_check", "role IN ('user', 'assistant')");
}

fn indexes(extra: &mut Extra) {
    for (name, table, column) in [
        ("idx_tasks_remind_at", "tasks", "remind_at"),
        ("idx_task_tags_tag_id", "task_tags", "tag_id"),
        ("idx_messages_conversation", "messages", "conversation_id"),
        ("idx_conversations_user", "conversations", "user_id"),
        ("idx_sessions_user_id", "sessions", "user_id"),
        ("idx_sessions_expires_at", "sessions", "expires_at"),
        ("idx_api_tokens_user_id", "api_tokens", "user_id"),
        (
            "idx_idempotency_keys_expires_at",
            "idempotency_keys",
            "expires_at",
        ),
    ] {
        extra.table(table).index(Index::new(Some(name), [column]));
    }
    let of_a_person = Index::new(Some("idx_task_events_user_id_position"), ["user_id", "position"]);
    extra.table("task_events").index(of_a_person);
    let tag = Index::new(Some("tags_user_id_name_key"), ["user_id", "name"]);
    extra.table("tags").index(tag.unique());
    // Only ASCII letters lose their case on SQLite, and so they do on PostgreSQL.
    let in_any_case = match extra.dialect() {
        Some(Dialect::Sqlite) => "lower(name)",
        _ => "lower(name COLLATE \"C\")",
    };
    let tag = Index::new(Some("tags_user_id_lower_name_key"), ["user_id"]);
    extra
        .table("tags")
        .index(tag.part(IndexPart::expression(in_any_case)).unique());
    let email = Index::new(Some("users_email_lower_key"), [""; 0]);
    extra
        .table("users")
        .index(email.part(IndexPart::expression("lower(email)")).unique());
}

/// What lists of tasks are sorted by, and what their text is searched by.
fn task_lists(extra: &mut Extra) {
    let is_sqlite = extra.dialect() == Some(Dialect::Sqlite);
    let rank = || IndexPart::expression("CASE priority WHEN 'high' THEN 3 WHEN 'low' THEN 1 ELSE 2 END");
    // SQLite sorts missing values first, unless whether one is missing is a key before it.
    let nullable = |column: &str| {
        let is_missing = is_sqlite.then(|| IndexPart::expression(format!("{column} IS NULL")));
        is_missing
            .into_iter()
            .chain([IndexPart::column(column)])
            .collect::<Vec<_>>()
    };
    let urgent_first: Vec<IndexPart> = [rank().descending()]
        .into_iter()
        .chain(nullable("due_date"))
        .collect();
    for (name, keys) in [
        ("idx_tasks_list_id", Vec::new()),
        ("idx_tasks_list_due_date", nullable("due_date")),
        ("idx_tasks_list_priority_due_date", urgent_first),
        ("idx_tasks_list_priority", vec![rank()]),
        ("idx_tasks_list_created_at", nullable("created_at")),
        ("idx_tasks_list_updated_at", nullable("updated_at")),
        ("idx_tasks_list_title", vec![IndexPart::column("title")]),
    ] {
        let index = keys
            .into_iter()
            .chain([IndexPart::column("id")])
            .fold(Index::new(Some(name), ["user_id", "completed"]), Index::part);
        extra.table("tasks").index(index);
    }
    let text = if is_sqlite {
        Index::new(Some("idx_tasks_folded_text"), ["user_id", "completed"]).part(IndexPart::expression(
            "coalesce(title_folded, title) || char(10) || coalesce(description_folded, description, '')",
        ))
    } else {
        let text = IndexPart::expression(
            "coalesce(title_folded, title) || chr(10) || coalesce(description_folded, description, '')",
        );
        Index::new(Some("idx_tasks_folded_text"), [""; 0])
            .part(text.operator_class("gin_trgm_ops"))
            .method("gin")
    };
    let octets = |column: &str| match is_sqlite {
        true => format!("length(CAST({column} AS blob))"),
        false => format!("octet_length({column})"),
    };
    let is_unfolded = |column: &str| {
        format!(
            "({column}_folded IS NULL AND {} > length({column}))",
            octets(column)
        )
    };
    let unfolded = Index::new(Some("idx_tasks_unfolded"), ["id"]);
    extra.table("tasks").index(unfolded.filter(format!(
        "{} OR {}",
        is_unfolded("title"),
        is_unfolded("description")
    )));
    extra.table("tasks").index(text);
}
